//! What may differ, and why.

use std::collections::BTreeSet;

use runner_chain::Chain;
use runner_chain::Direction;
use runner_chain::Revision;
use runner_chain::Versions;

use crate::Answer;

/// Compares two answers. Gives how they agree, or why they should not differ.
pub(crate) fn compare(
    chain: &Chain,
    question: &[String],
    theirs: &Answer,
    ours: &Answer,
) -> Result<&'static str, &'static str> {
    match (theirs, ours) {
        (Answer::Refused { .. }, Answer::Refused { .. }) => Ok("both refuse"),
        (Answer::Refused { error }, _) if is_crash(error) && is_stamp(question) => Ok("Alembic's `stamp` crashes"),
        (Answer::Refused { error }, _) if is_crash(error) && repeats(chain) => {
            Ok("Alembic crashes: a revision requires another one twice")
        }
        (Answer::Refused { .. }, _) => Err("only Alembic refuses"),
        (_, Answer::Refused { error }) if error.contains("is not a member of branch") => {
            Ok("we refuse: not on the branch")
        }
        (_, Answer::Refused { error }) if is_steps_down(question) && error.contains("at several revisions") => {
            Ok("we refuse: Alembic picks one of several rows")
        }
        (_, Answer::Refused { error }) if is_stamp(question) && error.contains("means no revision at all") => {
            Ok("we refuse: Alembic ignores `base`, or all but `base`")
        }
        (_, Answer::Refused { .. }) => Err("only we refuse"),
        (Answer::Named { ids: theirs }, Answer::Named { ids: ours }) if theirs == ours => Ok("same"),
        (Answer::Taken { rows: theirs, .. }, Answer::Taken { rows: ours, .. }) if theirs != ours => {
            other_rows(chain, question, theirs, ours)
        }
        (Answer::Taken { .. }, Answer::Taken { .. }) if is_stamp(question) => Ok("same"),
        (Answer::Taken { steps: theirs, .. }, Answer::Taken { steps: ours, .. }) => {
            let set = |steps: &[Option<String>]| steps.iter().flatten().cloned().collect::<BTreeSet<String>>();
            if set(theirs) != set(ours) || theirs.len() != ours.len() {
                return Err("other steps");
            }
            let direction = if question[0] == "upgrade" { Direction::Up } else { Direction::Down };
            if is_valid(chain, ours, direction) { Ok("same") } else { Err("our order is not valid") }
        }
        _ => Err("another answer"),
    }
}

fn is_stamp(question: &[String]) -> bool {
    question[0] == "stamp"
}

fn is_steps_down(question: &[String]) -> bool {
    question[0] == "downgrade" && question[1].contains('-')
}

/// Whether it is an accident and no refusal. A person sees a traceback.
fn is_crash(error: &str) -> bool {
    error.starts_with("KeyError") || error.starts_with("AssertionError")
}

/// Rows that differ may do so where Alembic's are not what it would have itself after an upgrade.
fn other_rows(
    chain: &Chain,
    question: &[String],
    theirs: &[String],
    ours: &[String],
) -> Result<&'static str, &'static str> {
    let named: Vec<String> = question[1..].to_vec();
    let applied = applied(chain, theirs);
    if is_redundant(chain, theirs) && applied == self::applied(chain, ours) {
        return Ok("Alembic keeps a row that another one requires");
    }
    let is_lost = |target: &String| {
        let found = target.parse().ok().and_then(|selector| chain.resolve(&selector, None).ok());
        found.is_some_and(|found| found.iter().any(|id| !applied.contains(id.as_str())))
    };
    if is_stamp(question) && named.iter().any(is_lost) {
        return Ok("Alembic's `stamp` loses a target");
    }
    if is_stamp(question) && named.len() > 1 && named.iter().any(|name| name.ends_with("@base")) {
        return Ok("Alembic's `stamp` ignores `label@base` beside other targets");
    }
    let ours: BTreeSet<&String> = ours.iter().collect();
    if is_stamp(question) && named.iter().any(|name| name.contains('@')) && theirs.iter().all(|row| ours.contains(row))
    {
        return Ok("Alembic's `stamp label@…` takes away rows of other branches that the label's revision leads to");
    }
    Err("other rows")
}

/// The rows, and all that they require.
fn applied(chain: &Chain, rows: &[String]) -> BTreeSet<String> {
    let versions: Versions = rows.iter().map(|row| row.parse().unwrap()).collect();
    let applied = chain.applied(&versions).unwrap();
    applied.iter().map(|index| chain.revisions()[index].id.to_string()).collect()
}

/// Whether a row says nothing that another one does not say.
fn is_redundant(chain: &Chain, rows: &[String]) -> bool {
    rows.iter()
        .any(|row| rows.iter().any(|other| other != row && applied(chain, std::slice::from_ref(other)).contains(row)))
}

/// Whether a revision requires something that it requires through another one anyway.
fn repeats(chain: &Chain) -> bool {
    let repeats = |revision: &Revision| {
        let required = || chain.parents(revision).chain(chain.dependencies(revision));
        let ids: Vec<String> = required().map(|required| required.id.to_string()).collect();
        is_redundant(chain, &ids)
    };
    chain.revisions().iter().any(repeats)
}

/// Whether each revision comes after all that it requires (up), or before (down).
fn is_valid(chain: &Chain, steps: &[Option<String>], direction: Direction) -> bool {
    let mut order: Vec<&str> = steps.iter().flatten().map(String::as_str).collect();
    if direction == Direction::Down {
        order.reverse();
    }
    let mut waiting: BTreeSet<&str> = order.iter().copied().collect();
    order.iter().all(|id| {
        let Some(revision) = chain.get(id) else { return false };
        waiting.remove(id);
        let mut required = chain.parents(revision).chain(chain.dependencies(revision));
        required.all(|required| !waiting.contains(required.id.as_str()))
    })
}
