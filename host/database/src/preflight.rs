//! What can be told about a script before anything runs.

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

/// The table of the runner that a statement would change, found by the words in front of its name. The best that can be
/// done without parsing: reading it, or naming it in a comment or a string, is not a change.
pub(crate) fn own_table_changed<'t>(sql: &str, own: [&'t TableName; 2]) -> Option<&'t str> {
    let all: Vec<Token<'_>> = tokens(sql).collect();
    let own_name = |token: &Token<'_>| own.into_iter().find(|table| token.is(&table.name));
    all.iter().enumerate().find_map(|(index, token)| {
        let table = own_name(token)?;
        is_target(&all[..index]).then_some(table.name.as_str())
    })
}

/// Whether a table named right after these tokens is changed.
fn is_target(before: &[Token<'_>]) -> bool {
    let before = match before {
        [rest @ .., schema, dot] if dot.kind == Kind::Symbol && dot.text == "." && schema.kind == Kind::Word => rest,
        all => all,
    };
    let back = |distance: usize, word: &str| {
        before.len().checked_sub(distance).and_then(|index| before.get(index)).is_some_and(|token| token.is(word))
    };
    let is_trigger = before.iter().take(3).any(|token| token.is("TRIGGER"));
    let after_if_exists = if back(1, "EXISTS") && back(2, "IF") { 2 } else { 0 };
    back(1, "INTO")
        || back(1, "UPDATE")
        || (back(2, "OR") && back(3, "UPDATE"))
        || (back(1, "FROM") && back(2, "DELETE"))
        || (back(1 + after_if_exists, "TABLE")
            && ["DROP", "ALTER", "TRUNCATE"].iter().any(|verb| back(2 + after_if_exists, verb)))
        || (is_trigger && back(1, "ON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_to_own_tables_are_noticed() {
        let version = TableName { schema: None, name: "runner_version".to_owned() };
        let ledger = TableName { schema: None, name: "runner_ledger".to_owned() };
        let changed = |sql| own_table_changed(sql, [&version, &ledger]);
        assert_eq!(changed("DELETE FROM runner_version"), Some("runner_version"));
        assert_eq!(changed("with x as (select 1) update main.\"RUNNER_LEDGER\" set id = 2"), Some("runner_ledger"));
        assert_eq!(changed("INSERT INTO t SELECT * FROM runner_version"), None);
        assert_eq!(changed("UPDATE OR IGNORE runner_version SET version_num = ''"), Some("runner_version"));
        assert_eq!(changed("drop table if exists [runner_ledger]"), Some("runner_ledger"));
        assert_eq!(changed("ALTER TABLE `runner_version` RENAME TO x"), Some("runner_version"));
        assert_eq!(changed("SELECT * FROM runner_version"), None);
        assert_eq!(changed("INSERT INTO t VALUES ('runner_version') -- runner_version"), None);
        assert_eq!(changed("CREATE INDEX i ON runner_ledger (revision)"), None);
        assert_eq!(
            changed("CREATE TRIGGER g AFTER INSERT ON runner_ledger BEGIN SELECT 1; END"),
            Some("runner_ledger")
        );
        assert_eq!(changed("CREATE VIEW v AS SELECT * FROM runner_version"), None);
    }
}
