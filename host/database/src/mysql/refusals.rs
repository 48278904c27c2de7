//! What must not run as it stands, found before anything runs.

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::options::TableName;
use crate::preflight::PreflightProblem;
use crate::preflight::own_table_changed;
use crate::script::StepScript;
use crate::words::Kind;

use super::statements::Words;
use super::statements::commits_implicitly;
use super::statements::is_temporary;
use super::statements::laid_open;
use super::statements::placement_of;

pub(super) fn preflight(script: &StepScript, own: [&TableName; 2]) -> Vec<PreflightProblem> {
    let mut problems = Vec::new();
    let mut is_open = false;
    for (index, statement) in script.statements.iter().enumerate() {
        let sql = laid_open(&statement.text);
        let words = Words::of(&sql);
        let mut report = |message: String, help: &str| {
            problems.push(PreflightProblem {
                revision: script.revision.clone(),
                direction: script.direction,
                statement: Some(index),
                message,
                help: help.to_owned(),
            });
        };
        if let Some((message, help)) = refused(&words, is_open) {
            report(message, help);
        }
        if let Some(table) = own_table_changed(&sql, Dialect::Mysql, own).or_else(|| own_table_written(&words, own)) {
            report(
                format!("the statement changes `{table}`, which belongs to the runner"),
                "leave it out: the runner keeps its own tables; to correct them use `runner stamp`",
            );
        }
        is_open = match placement_of(&words) {
            Placement::Opens => true,
            Placement::Commits => false,
            Placement::RollsBack => is_open && words.has("TO"),
            _ => is_open,
        };
    }
    problems
}

/// What is wrong with a statement and what to do about it. `is_open` says whether the script's own transaction is open.
fn refused(words: &Words<'_>, is_open: bool) -> Option<(String, &'static str)> {
    let first = words.first();
    let refuse = |message: &str, help| Some((message.to_owned(), help));
    if is_open && commits_implicitly(words) {
        let second = words.0.get(1).map(|token| token.text.to_ascii_uppercase()).unwrap_or_default();
        return Some((
            format!("`{}` commits the transaction that the script has begun", format!("{first} {second}").trim()),
            "put `COMMIT` before it, or leave the transaction out",
        ));
    }
    match first.as_str() {
        "USE" => refuse(
            "`USE` would leave the database of the runner's tables",
            "leave it out, and name tables of other databases in full: `other.patient`",
        ),
        "XA" => refuse(
            "a transaction of `XA` outlives the session, and the runner could not settle it",
            "use `START TRANSACTION` and `COMMIT`",
        ),
        "COMMIT" | "ROLLBACK" if is_chained(words) => refuse(
            "`AND CHAIN` and `RELEASE` leave the runner without knowing what is open",
            "write plain `COMMIT` or `ROLLBACK`, and `START TRANSACTION` after it",
        ),
        "SET" if sets_any(words, &["AUTOCOMMIT", "COMPLETION_TYPE"]) => refuse(
            "the runner relies on how transactions begin and end, which this setting changes",
            "leave it out; to have statements take effect together, put them between `START TRANSACTION` and `COMMIT`",
        ),
        "SET" if words.is(1, "TRANSACTION") => refuse(
            "`SET TRANSACTION` is meant for the next transaction, which is the runner's own",
            "write `SET SESSION TRANSACTION …`: it ends with the revision",
        ),
        "FLUSH" if words.has_all(&["WITH", "READ", "LOCK"]) || words.has_all(&["FOR", "EXPORT"]) => refuse(
            "this `FLUSH` keeps the runner itself from recording what it does",
            "leave it out: the runner's lock keeps other runners away",
        ),
        "LOAD" if words.is(2, "LOCAL") || words.is(3, "LOCAL") => refuse(
            "`LOAD DATA LOCAL` asks the client for a file, which the runner never sends",
            "write `INSERT` statements, or `LOAD DATA` of a file on the server",
        ),
        "CREATE" if is_temporary(words) && !is_open => refuse(
            "a temporary table is gone when the revision stops half-way, and could not be filled again",
            "put `START TRANSACTION` before it and `COMMIT` after its last use: then that part is done as one",
        ),
        _ => None,
    }
}

/// Whether `COMMIT` or `ROLLBACK` begins another transaction or ends the session.
fn is_chained(words: &Words<'_>) -> bool {
    (1..words.0.len()).any(|index| {
        words.is_any(index, &["CHAIN", "RELEASE"]) && !words.is(index - 1, "NO") && !words.is(index - 1, "SAVEPOINT")
    }) && !words.has("TO")
}

/// Whether `SET` gives a value to one of these variables.
fn sets_any(words: &Words<'_>, names: &[&str]) -> bool {
    (1..words.0.len()).any(|index| {
        // `@autocommit` is a variable of the script's own, `@@autocommit` is not.
        let is_users = words.is_symbol(index - 1, "@") && (index < 2 || !words.is_symbol(index - 2, "@"));
        let is_set = words.is_symbol(index + 1, "=") || words.is_symbol(index + 1, ":");
        words.is_any(index, names) && is_set && !is_users
    })
}

/// The table of the runner that a statement changes in ways of writing that only this dialect has.
fn own_table_written<'t>(words: &Words<'_>, own: [&'t TableName; 2]) -> Option<&'t str> {
    let named = |index: usize| {
        let token = words.0.get(index).filter(|token| token.kind == Kind::Word)?;
        own.into_iter().find(|table| token.is(&table.name)).map(|table| table.name.as_str())
    };
    let until = |ends: &[&str]| {
        (1..words.0.len())
            .find(|index| words.is_any(*index, ends) || words.is_symbol(*index, "("))
            .unwrap_or(words.0.len())
    };
    let end = match words.first().as_str() {
        "TRUNCATE" | "RENAME" | "LOCK" => words.0.len(),
        "DROP" if words.is_any(1, &["TABLE", "TABLES", "VIEW", "TEMPORARY"]) => words.0.len(),
        "LOAD" => words.0.len(),
        "INSERT" | "REPLACE" => until(&["VALUES", "VALUE", "SELECT", "SET", "WITH", "TABLE"]),
        "UPDATE" => until(&["SET"]),
        // `DELETE a, b FROM …` and `DELETE FROM a, b USING …`; reading in a join or a condition is no change.
        "DELETE" => until(&["USING", "WHERE", "JOIN", "LEFT", "INNER", "CROSS", "ORDER", "LIMIT"]),
        "ALTER" => until(&["ADD", "DROP", "MODIFY", "CHANGE", "CONVERT", "ENGINE", "ORDER"]),
        "CREATE" if words.has("TABLE") => until(&["SELECT", "LIKE", "AS", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"]),
        _ => return None,
    };
    (1..end).find_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Action;
    use crate::script::ScriptStatement;
    use crate::script::StepDirection;
    use crate::script::VersionChange;

    fn problems(statements: &[&str]) -> Vec<(usize, String)> {
        let script = StepScript {
            revision: "a1".to_owned(),
            direction: StepDirection::Up,
            action: Action::Run,
            statements: statements.iter().map(|text| ScriptStatement::new(*text, Dialect::Mysql)).collect(),
            transactional: true,
            change: VersionChange::default(),
            checksum: String::new(),
            sql_checksum: String::new(),
            verdicts: serde_json::Value::Null,
        };
        let table = |name: &str| TableName { schema: None, name: name.to_owned() };
        let (version, ledger) = (table("runner_version"), table("runner_ledger"));
        let problems = preflight(&script, [&version, &ledger]);
        problems.into_iter().map(|problem| (problem.statement.unwrap(), problem.message)).collect()
    }

    #[test]
    fn a_definition_inside_of_a_transaction_is_refused() {
        let found = problems(&["START TRANSACTION", "INSERT INTO t VALUES (1)", "alter table t add a int", "COMMIT"]);
        assert_eq!(found, [(2, "`ALTER TABLE` commits the transaction that the script has begun".to_owned())]);
        assert_eq!(problems(&["BEGIN", "BEGIN"]).len(), 1);
        assert_eq!(problems(&["BEGIN", "ROLLBACK TO a", "/*!40000 DROP TABLE t */"]).len(), 1);
        assert!(problems(&["BEGIN", "COMMIT", "DROP TABLE t", "BEGIN", "ROLLBACK", "DROP TABLE u"]).is_empty());
        assert!(
            problems(&["BEGIN", "CREATE TEMPORARY TABLE t (a INT)", "DROP TEMPORARY TABLE t", "COMMIT"]).is_empty()
        );
    }

    #[test]
    fn what_must_not_run() {
        for sql in [
            "USE other",
            "/*!40000 use other */",
            "XA START 'a'",
            "COMMIT AND CHAIN",
            "ROLLBACK RELEASE",
            "SET autocommit = 0",
            "SET @@SESSION.autocommit := 0",
            "SET TRANSACTION READ ONLY",
            "FLUSH TABLES WITH READ LOCK",
            "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
            "CREATE TEMPORARY TABLE t (a INT)",
        ] {
            assert_eq!(problems(&[sql]).len(), 1, "{sql}");
        }
        for sql in [
            "COMMIT AND NO CHAIN NO RELEASE",
            "ROLLBACK TO SAVEPOINT a",
            "SET @autocommit = 0",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "LOCK TABLES t WRITE",
            "SELECT 'USE x'",
        ] {
            assert!(problems(&[sql]).is_empty(), "{sql}");
        }
    }

    #[test]
    fn changes_to_own_tables_are_noticed() {
        for sql in [
            "INSERT runner_version VALUES ('x')",
            "REPLACE `runner_version` VALUES ('x')",
            "INSERT IGNORE INTO app.runner_ledger (id) VALUES (1)",
            "UPDATE IGNORE runner_version SET version_num = 'x'",
            "UPDATE t, runner_version SET version_num = 'x'",
            "DELETE runner_version FROM runner_version JOIN t",
            "DELETE QUICK FROM runner_ledger",
            "TRUNCATE runner_version",
            "RENAME TABLE a TO b, runner_version TO c",
            "DROP TABLE a, runner_version",
            "LOAD DATA INFILE 'x' INTO TABLE runner_version",
            "ALTER IGNORE TABLE runner_version ADD a INT",
            "CREATE OR REPLACE TABLE runner_version (a INT)",
            "/*!40000 ALTER TABLE `runner_version` DISABLE KEYS */",
        ] {
            assert_eq!(problems(&[sql]).len(), 1, "{sql}");
        }
        for sql in [
            "INSERT INTO t SELECT version_num FROM runner_version",
            "DELETE FROM t WHERE a IN (SELECT version_num FROM runner_version)",
            "SELECT * FROM runner_version",
            "CREATE TABLE t AS SELECT * FROM runner_version",
            "UPDATE t SET a = (SELECT max(version_num) FROM runner_version)",
            "INSERT INTO t VALUES ('runner_version')",
        ] {
            assert!(problems(&[sql]).is_empty(), "{sql}");
        }
    }
}
