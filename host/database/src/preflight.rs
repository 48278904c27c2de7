//! What can be told about a script before anything runs.

use runner_chain::Dialect;

use crate::options::TableName;
use crate::script::StepDirection;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

/// A statement that must not run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreflightProblem {
    /// The revision.
    pub revision: String,
    /// Up or down.
    pub direction: StepDirection,
    /// Which statement of the step, counted from 0; `None` if it is about the step as a whole.
    pub statement: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: String,
}

/// The table of the runner that a statement would change, hide or index, found by the words in front of its name. The best
/// that can be done without parsing: reading it, or naming it in a comment or a string, is not a change.
pub(crate) fn own_table_changed<'t>(sql: &str, dialect: Dialect, own: [&'t TableName; 2]) -> Option<&'t str> {
    let all: Vec<Token<'_>> = tokens(sql, dialect).collect();
    // SQLite takes a string for a name where only a name makes sense.
    let is_named = |token: &Token<'_>, name: &str| token.kind != Kind::Symbol && token.text.eq_ignore_ascii_case(name);
    all.iter().enumerate().find_map(|(index, token)| {
        let table = own.into_iter().find(|table| is_named(token, &table.name))?;
        is_target(&all[..index]).then_some(table.name.as_str())
    })
}

/// Whether a table named right after these tokens is changed.
fn is_target(before: &[Token<'_>]) -> bool {
    let before = match before {
        [rest @ .., schema, dot] if dot.kind == Kind::Symbol && dot.text == "." && schema.kind != Kind::Symbol => rest,
        all => all,
    };
    // As in PostgreSQL's `ALTER TABLE ONLY t`.
    let before = match before {
        [rest @ .., only] if only.is("ONLY") => rest,
        all => all,
    };
    let back = |distance: usize, word: &str| {
        before.len().checked_sub(distance).and_then(|index| before.get(index)).is_some_and(|token| token.is(word))
    };
    let condition = match () {
        () if back(1, "EXISTS") && back(2, "IF") => 2,
        () if back(1, "EXISTS") && back(2, "NOT") && back(3, "IF") => 3,
        () => 0,
    };
    let creates = before.first().is_some_and(|token| token.is("CREATE"));
    let is_first_on = before.iter().filter(|token| token.is("ON")).count() == 1;
    back(1, "INTO")
        || (before.len() == 1 && back(1, "TRUNCATE"))
        || back(1, "UPDATE")
        || (back(2, "OR") && back(3, "UPDATE"))
        || (back(1, "FROM") && back(2, "DELETE"))
        || (back(1, "TO") && back(2, "RENAME"))
        || (back(1 + condition, "TABLE") && ["DROP", "ALTER", "TRUNCATE"].iter().any(|verb| back(2 + condition, verb)))
        || (creates && ["TABLE", "VIEW", "TRIGGER", "INDEX"].iter().any(|kind| back(1 + condition, kind)))
        || (creates
            && is_first_on
            && back(1, "ON")
            && before.iter().take(4).any(|token| token.is("TRIGGER") || token.is("INDEX")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_to_own_tables_are_noticed() {
        let version = TableName { schema: None, name: "runner_version".to_owned() };
        let ledger = TableName { schema: None, name: "runner_ledger".to_owned() };
        let changed = |sql| own_table_changed(sql, Dialect::Sqlite, [&version, &ledger]);
        assert_eq!(changed("DELETE FROM runner_version"), Some("runner_version"));
        assert_eq!(changed("with x as (select 1) update main.\"RUNNER_LEDGER\" set id = 2"), Some("runner_ledger"));
        assert_eq!(changed("INSERT INTO t SELECT * FROM runner_version"), None);
        assert_eq!(changed("UPDATE OR IGNORE runner_version SET version_num = ''"), Some("runner_version"));
        assert_eq!(changed("drop table if exists [runner_ledger]"), Some("runner_ledger"));
        assert_eq!(changed("ALTER TABLE `runner_version` RENAME TO x"), Some("runner_version"));
        assert_eq!(changed("SELECT * FROM runner_version"), None);
        assert_eq!(changed("INSERT INTO t VALUES ('runner_version') -- runner_version"), None);
        assert_eq!(changed("INSERT INTO 'runner_version' VALUES ('x')"), Some("runner_version"));
        assert_eq!(changed("CREATE TEMP TABLE runner_ledger (id)"), Some("runner_ledger"));
        assert_eq!(changed("create view if not exists main.'runner_version' AS SELECT 1"), Some("runner_version"));
        assert_eq!(changed("ALTER TABLE t RENAME TO runner_ledger"), Some("runner_ledger"));
        assert_eq!(changed("CREATE UNIQUE INDEX IF NOT EXISTS i ON runner_ledger (revision)"), Some("runner_ledger"));
        assert_eq!(
            changed("CREATE VIEW v AS SELECT 1 FROM t JOIN runner_version ON runner_version.version_num = t.a"),
            None
        );
        assert_eq!(changed("ALTER TABLE t RENAME COLUMN a TO runner_ledgers"), None);
        assert_eq!(
            changed("CREATE TRIGGER g AFTER INSERT ON runner_ledger BEGIN SELECT 1; END"),
            Some("runner_ledger")
        );
        assert_eq!(changed("CREATE VIEW v AS SELECT * FROM runner_version"), None);
        assert_eq!(changed("TRUNCATE ONLY runner_ledger"), Some("runner_ledger"));
        assert_eq!(changed("DELETE FROM ONLY app.runner_version"), Some("runner_version"));
    }
}
