//! The same questions about the same graphs, put to Alembic and to us.
//!
//! Alembic answers through `alembic/oracle.py`. Graphs are random, and the same in each run.

#![expect(clippy::unwrap_used, reason = "a test may end where it can't go on")]

#[path = "alembic/cases.rs"]
mod cases;
#[path = "alembic/differences.rs"]
mod differences;
#[path = "alembic/ours.rs"]
mod ours;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use serde::Deserialize;

use crate::cases::Case;

/// How many graphs are asked about.
const GRAPHS: u64 = 4_000;

/// What a graph is like.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Shape {
    heads: Vec<String>,
    effective_heads: Vec<String>,
    bases: Vec<String>,
    branch_points: Vec<String>,
    merges: Vec<String>,
    labels: BTreeMap<String, Vec<String>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// Rows that are left, and the steps that lead there; a step of `stamp` has no name.
    Taken {
        rows: Vec<String>,
        steps: Vec<Option<String>>,
    },
    /// What is named.
    Named {
        ids: Vec<String>,
    },
    Refused {
        error: String,
    },
}

#[derive(Debug, Deserialize)]
struct Said {
    graph: Shape,
    answers: Vec<Answer>,
}

/// What Alembic says of each case.
fn alembic(cases: &[Case]) -> Vec<Said> {
    let python = test_toolchains::alembic().unwrap_or_else(|error| panic!("{error}"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alembic/oracle.py");
    let mut oracle = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle can be started");
    let mut questions = oracle.stdin.take().unwrap();
    let answers = BufReader::new(oracle.stdout.take().unwrap());
    let said = std::thread::scope(|scope| {
        scope.spawn(move || {
            for case in cases {
                writeln!(questions, "{}", serde_json::to_string(case).unwrap()).unwrap();
            }
        });
        answers.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect::<Vec<Said>>()
    });
    assert!(oracle.wait().unwrap().success(), "the oracle has failed, see above");
    assert_eq!(said.len(), cases.len(), "the oracle has ended early, see above");
    said
}

#[test]
fn says_the_same_of_random_graphs() {
    let cases: Vec<Case> = (0..GRAPHS).map(Case::random).collect();
    let (mut different, mut compared) = (Vec::new(), BTreeMap::<String, usize>::new());
    for (case, theirs) in cases.iter().zip(alembic(&cases)) {
        let chain = case.chain();
        let shape = ours::shape(&chain);
        if shape != theirs.graph {
            different.push(format!("{case}\n  alembic {:?}\n  ours    {shape:?}", theirs.graph));
        }
        for (question, theirs) in case.questions.iter().zip(theirs.answers) {
            let ours = ours::answer(&chain, &case.rows, question);
            let kind = match differences::compare(&chain, question, &theirs, &ours) {
                Ok(kind) => kind,
                Err(reason) => {
                    different
                        .push(format!("{case}\n  {question:?}\n  alembic {theirs:?}\n  ours    {ours:?}\n  {reason}"));
                    continue;
                }
            };
            *compared.entry(format!("{}: {kind}", question[0])).or_default() += 1;
        }
    }
    let shown: Vec<&String> = different.iter().take(10).collect();
    let shown: String = shown.into_iter().map(|text| format!("{text}\n\n")).collect();
    assert!(different.is_empty(), "{} answers differ, as in\n{shown}", different.len());
    // Nearly all questions have an answer, and nearly all answers are the same.
    let count =
        |kind: &str| compared.iter().filter(|(key, _)| key.ends_with(kind)).map(|(_, count)| count).sum::<usize>();
    let (same, refused, all) = (count(": same"), count(": both refuse"), compared.values().sum::<usize>());
    assert!(same > all / 2 && all - same - refused < all / 20, "{compared:#?}");
}
