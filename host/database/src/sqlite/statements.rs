//! What SQLite allows where: which statements have no place in a transaction, and which belong to the session.

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::options::TableName;
use crate::preflight::PreflightProblem;
use crate::preflight::own_table_changed;
use crate::script::StepScript;
use crate::words::Kind;
use crate::words::first_words;
use crate::words::tokens;

/// Pragmas that SQLite silently ignores inside a transaction.
const IGNORED_PRAGMAS: [&str; 2] = ["foreign_keys", "journal_mode"];

pub(super) fn placement(sql: &str) -> Placement {
    let [first] = first_words::<1>(sql, Dialect::Sqlite);
    match first.as_str() {
        "BEGIN" | "SAVEPOINT" => Placement::Opens,
        "COMMIT" | "END" | "RELEASE" => Placement::Commits,
        "ROLLBACK" => Placement::RollsBack,
        "VACUUM" | "PRAGMA" | "ATTACH" | "DETACH" => Placement::Bare,
        _ => Placement::Joint,
    }
}

pub(super) fn is_session_statement(sql: &str) -> bool {
    tokens(sql, Dialect::Sqlite)
        .next()
        .is_some_and(|first| ["PRAGMA", "ATTACH", "DETACH"].iter().any(|word| first.is(word)))
}

pub(super) fn preflight(script: &StepScript, own: [&TableName; 2]) -> Vec<PreflightProblem> {
    let mut problems = Vec::new();
    for (index, statement) in script.statements.iter().enumerate() {
        let mut report = |message: String, help: &str| {
            problems.push(PreflightProblem {
                revision: script.revision.clone(),
                direction: script.direction,
                statement: Some(index),
                message,
                help: help.to_owned(),
            });
        };
        if script.transactional
            && let Some((message, help)) = refused_inside(&statement.text)
        {
            report(message, help);
        }
        if pragma(&statement.text).is_some_and(|(name, _)| name.eq_ignore_ascii_case("count_changes")) {
            report(
                "`PRAGMA count_changes` has every change give a row, for which nobody asks".to_owned(),
                "leave it out: `SELECT changes()` tells the same",
            );
        }
        if let Some(table) = own_table_changed(&statement.text, Dialect::Sqlite, own) {
            report(
                format!("the statement changes `{table}`, which belongs to the runner"),
                "leave it out: the runner keeps its own tables; to correct them use `runner stamp`",
            );
        }
    }
    problems
}

/// What is wrong with a statement inside the runner's transaction, and what to do about it.
fn refused_inside(sql: &str) -> Option<(String, &'static str)> {
    const OWN_TRANSACTION: &str =
        "leave it out: the runner wraps the revision in a transaction; or write `Transaction: off` in the header";
    const OFF: &str = "write `Transaction: off` in the header";
    let [first] = first_words::<1>(sql, Dialect::Sqlite);
    match first.as_str() {
        "BEGIN" | "COMMIT" | "END" => {
            Some((format!("`{first}` inside the transaction that the runner opens for the revision"), OWN_TRANSACTION))
        }
        "ROLLBACK" if !tokens(sql, Dialect::Sqlite).any(|token| token.is("TO")) => {
            Some(("`ROLLBACK` would take the whole revision back".to_owned(), OWN_TRANSACTION))
        }
        "VACUUM" | "ATTACH" | "DETACH" => Some((format!("`{first}` does not run inside a transaction"), OFF)),
        "PRAGMA" => ignored_pragma(sql)
            .map(|pragma| (format!("`PRAGMA {pragma}` silently has no effect inside a transaction"), OFF)),
        _ => None,
    }
}

/// The name of a pragma that sets what cannot be set inside a transaction.
fn ignored_pragma(sql: &str) -> Option<&'static str> {
    let (name, sets) = pragma(sql)?;
    IGNORED_PRAGMAS.into_iter().find(|ignored| sets && name.eq_ignore_ascii_case(ignored))
}

/// The name of a pragma, and whether it is set rather than asked; `None`: it is another statement.
fn pragma(sql: &str) -> Option<(&str, bool)> {
    let all: Vec<_> = tokens(sql, Dialect::Sqlite).collect();
    all.first().filter(|first| first.is("PRAGMA"))?;
    let sets = all.iter().any(|token| token.kind == Kind::Symbol && matches!(token.text, "=" | "("));
    let is_schema = all.get(2).is_some_and(|token| token.kind == Kind::Symbol && token.text == ".");
    Some((all.get(if is_schema { 3 } else { 1 })?.text, sets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_transaction_refuses() {
        for sql in [
            "BEGIN",
            "begin immediate",
            "-- x\nCOMMIT",
            "END TRANSACTION",
            "ROLLBACK",
            "rollback transaction",
            "VACUUM",
            "ATTACH 'x.db' AS x",
            "DETACH x",
            "PRAGMA foreign_keys = OFF",
            "PRAGMA main.journal_mode(WAL)",
        ] {
            assert!(refused_inside(sql).is_some(), "{sql}");
        }
        for sql in [
            "ROLLBACK TO a",
            "ROLLBACK TRANSACTION TO SAVEPOINT a",
            "SAVEPOINT a",
            "RELEASE a",
            "PRAGMA foreign_keys",
            "PRAGMA foreign_key_check",
            "PRAGMA legacy_alter_table = ON",
            "INSERT INTO t VALUES ('BEGIN')",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
        ] {
            assert!(refused_inside(sql).is_none(), "{sql}");
        }
    }

    #[test]
    fn where_statements_go() {
        assert_eq!(placement("savepoint x"), Placement::Opens);
        assert_eq!(placement("/* c */ End"), Placement::Commits);
        assert_eq!(placement("ROLLBACK TO x"), Placement::RollsBack);
        assert_eq!(placement("vacuum"), Placement::Bare);
        assert_eq!(placement("CREATE INDEX i ON t (a)"), Placement::Joint);
        assert!(is_session_statement("attach 'x' as y") && !is_session_statement("VACUUM"));
    }
}
