//! The built-in lint policies are asked about many revisions in one instance. What they say must not depend on what they were
//! asked before.

use runner_policy::LintMatter;
use runner_policy::Policies;
use runner_policy::Subject;
use runner_policy::builtin_definition;
use runner_policy::data;
use sha2::Digest as _;
use sha2::Sha256;

use crate::support::ROLES;
use crate::support::block_on;
use crate::support::context;
use crate::support::host;
use crate::support::host_with_shared_cache;
use crate::support::revision;
use crate::support::set;

/// One statement a line. What one revision makes, the next ones use: who remembered it would keep quiet.
const UPS: [&str; 7] = [
    "CREATE TABLE visit (id integer PRIMARY KEY, notes text);",
    "ALTER TABLE visit DROP COLUMN notes;\nDROP TABLE visit;",
    "CREATE INDEX visit_notes ON visit (notes);",
    "ALTER TABLE visit ADD COLUMN day date NOT NULL;\nUPDATE visit SET day = NULL;",
    "DELETE FROM visit;\n-- TODO more",
    "ALTER TABLE visit ADD CONSTRAINT day_is CHECK (day > 0);",
    "SELECT (((;",
];

fn subjects(order: &[usize]) -> Vec<Subject> {
    order.iter().map(|index| subject(*index)).collect()
}

fn subject(index: usize) -> Subject {
    let up = UPS[index];
    let text = format!("-- migrate:up\n{up}\n");
    let revision = revision(&format!("revision{index}"), "");
    let statements = up.lines().zip(2..).filter(|(line, _)| line.ends_with(';'));
    let statements: Vec<data::Statement> =
        statements.map(|(text, line)| data::Statement { text: text.to_owned(), line, column: 1 }).collect();
    Subject {
        revision: revision.id.clone(),
        file: revision.file.clone(),
        digest: Sha256::digest(&text).into(),
        surroundings: data::Surroundings {
            sections: vec![data::Section { direction: data::Direction::Up, dialects: Vec::new(), line: 1 }],
            parents: Vec::new(),
            siblings: Vec::new(),
            other_heads: Vec::new(),
            applied: None,
            notes: Vec::new(),
        },
        planned: None,
        source: Box::new(move || data::RevisionSource {
            revision: revision.clone(),
            text: text.clone(),
            up: Some(statements.clone()),
            down: None,
            planned: None,
        }),
    }
}

/// What is found in each of the revisions, by its index.
async fn found(policies: &Policies, dialect: data::Dialect, order: &[usize]) -> Vec<(usize, String)> {
    let mut context = context("production");
    context.target.dialect = dialect;
    // Nothing is remembered outside of the instance.
    let memory = host().memory("project");
    let linted = policies.lint(&context, &LintMatter::default(), subjects(order), &memory, false).await;
    assert!(linted.refusals.is_empty(), "{:#?}", linted.refusals);
    let mut found = Vec::new();
    for finding in linted.findings {
        let revision = finding.verdict.revision.clone().unwrap_or_default();
        let index = revision.trim_start_matches("revision").parse().unwrap();
        found.push((index, format!("{finding:?}")));
    }
    found.sort();
    found
}

fn does_not_depend_on_what_was_asked_before(name: &str, dialect: data::Dialect) {
    block_on(async {
        let definition = builtin_definition(name).unwrap();
        let mut policies = Policies::load(&host_with_shared_cache(), &set([definition]), &ROLES).await;
        policies.prepare_lint().await;
        let mut alone = Vec::new();
        for index in 0..UPS.len() {
            let found = found(&policies, dialect, &[index]).await;
            assert!(found.iter().all(|(about, _)| *about == index));
            alone.extend(found);
        }
        assert!(alone.len() > UPS.len(), "{alone:#?}");
        let forwards: Vec<usize> = (0..UPS.len()).collect();
        let backwards: Vec<usize> = (0..UPS.len()).rev().collect();
        assert_eq!(found(&policies, dialect, &forwards).await, alone);
        assert_eq!(found(&policies, dialect, &backwards).await, alone);
    });
}

#[test]
fn of_lint() {
    does_not_depend_on_what_was_asked_before("lint", data::Dialect::Sqlite);
}

#[test]
fn of_lint_postgres() {
    does_not_depend_on_what_was_asked_before("lint-postgres", data::Dialect::Postgres);
}
