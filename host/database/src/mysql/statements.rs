//! What MySQL and MariaDB allow where: which statements commit whatever came before them, which belong to the session, and
//! which must not run at all.

use std::borrow::Cow;

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::options::TableName;
use crate::preflight::PreflightProblem;
use crate::preflight::own_table_changed;
use crate::script::StepScript;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

/// The statement with what is inside of conditional comments laid open. Places stay the same.
pub(super) fn laid_open(sql: &str) -> Cow<'_, str> {
    let mut open = Cow::Borrowed(sql);
    for comment in tokens(sql, Dialect::Mysql).filter(|token| token.kind == Kind::Symbol) {
        let Some(inside) = comment.text.strip_prefix("/*!").or_else(|| comment.text.strip_prefix("/*M!")) else {
            continue;
        };
        let inside = inside.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let opening = comment.text.len() - inside.len();
        let text = open.to_mut();
        text.replace_range(comment.start..comment.start + opening, &" ".repeat(opening));
        text.replace_range(comment.end - 2..comment.end, "  ");
    }
    open
}

/// A statement's words and punctuation.
pub(super) struct Words<'a>(pub(super) Vec<Token<'a>>);

impl<'a> Words<'a> {
    /// Of a statement that is laid open.
    pub(super) fn of(sql: &'a str) -> Self {
        let hint = |token: &Token<'_>| token.kind == Kind::Symbol && token.text.starts_with("/*");
        let mut all: Vec<_> = tokens(sql, Dialect::Mysql).filter(|token| !hint(token)).collect();
        while all.last().is_some_and(|token| token.is_symbol(";")) {
            all.pop();
        }
        let opening = all.iter().take_while(|token| token.is_symbol("(") || token.is_symbol(";")).count();
        all.drain(..opening);
        Self(all)
    }

    pub(super) fn is(&self, index: usize, word: &str) -> bool {
        self.0.get(index).is_some_and(|token| token.is(word))
    }

    pub(super) fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    pub(super) fn is_symbol(&self, index: usize, symbol: &str) -> bool {
        self.0.get(index).is_some_and(|token| token.is_symbol(symbol))
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|token| token.is(word))
    }

    /// Whether these words stand somewhere, one right after the other.
    fn has_all(&self, words: &[&str]) -> bool {
        (0..self.0.len()).any(|start| words.iter().enumerate().all(|(index, word)| self.is(start + index, word)))
    }

    /// Whether it is several statements, which happens where a script sets another `DELIMITER`. Bodies of routines look alike.
    fn is_several(&self) -> bool {
        self.0.iter().any(|token| token.is_symbol(";"))
    }

    /// `SET STATEMENT name = value FOR …`: where the statement itself begins.
    fn inner(&self) -> Option<usize> {
        let is_wrapped = self.is(0, "SET") && self.is(1, "STATEMENT");
        is_wrapped.then(|| self.0.iter().position(|token| token.is("FOR")).map(|place| place + 1)).flatten()
    }

    fn first(&self) -> String {
        self.0.first().map(|token| token.text.to_ascii_uppercase()).unwrap_or_default()
    }
}

pub(super) fn placement(sql: &str) -> Placement {
    let sql = laid_open(sql);
    let mut words = Words::of(&sql);
    if let Some(inner) = words.inner() {
        words.0.drain(..inner);
    }
    placement_of(&words)
}

fn placement_of(words: &Words<'_>) -> Placement {
    if words.0.is_empty() {
        return Placement::Bare;
    }
    let alone_if_several = |placement| if words.is_several() { Placement::Alone } else { placement };
    alone_if_several(match words.first().as_str() {
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "SELECT" | "WITH" | "VALUES" | "TABLE" | "DO" | "DESCRIBE"
        | "DESC" | "EXPLAIN" | "SHOW" | "HELP" | "SAVEPOINT" | "RELEASE" | "SIGNAL" | "RESIGNAL" | "GET"
        | "HANDLER" => Placement::Joint,
        // `LOAD INDEX` only fills a cache.
        "LOAD" if words.is(1, "INDEX") => Placement::Bare,
        "LOAD" => Placement::Joint,
        "BEGIN" if words.is(1, "NOT") => Placement::Alone,
        "BEGIN" => Placement::Opens,
        "START" if words.is(1, "TRANSACTION") => Placement::Opens,
        "COMMIT" => Placement::Commits,
        "ROLLBACK" => Placement::RollsBack,
        // `ANALYZE UPDATE …` of MariaDB runs the update.
        "ANALYZE" if !is_about_tables(words) => Placement::Joint,
        "ANALYZE" | "OPTIMIZE" | "CHECK" | "CHECKSUM" | "REPAIR" | "FLUSH" | "CACHE" | "LOCK" | "UNLOCK" | "SET"
        | "USE" | "PREPARE" | "DEALLOCATE" | "GRANT" => Placement::Bare,
        "CREATE" | "DROP" if is_repeatable(words) => Placement::Bare,
        _ => Placement::Alone,
    })
}

/// `ANALYZE [LOCAL | NO_WRITE_TO_BINLOG] TABLE`
fn is_about_tables(words: &Words<'_>) -> bool {
    words.is_any(1, &["TABLE", "TABLES"]) || words.is_any(2, &["TABLE", "TABLES"])
}

/// `CREATE … IF NOT EXISTS`, `DROP … IF EXISTS`, `CREATE OR REPLACE` of what holds no data, and temporary tables, which are
/// gone with the session.
fn is_repeatable(words: &Words<'_>) -> bool {
    if is_temporary(words) || words.is(1, "PREPARE") {
        return true;
    }
    if words.is(0, "DROP") {
        return (1..5).any(|index| words.is(index, "IF") && words.is(index + 1, "EXISTS"));
    }
    let is_guarded =
        (1..20).any(|index| words.is(index, "IF") && words.is(index + 1, "NOT") && words.is(index + 2, "EXISTS"));
    // In the body of a routine or trigger these words do not speak of the routine.
    let is_replaced = words.is(1, "OR") && words.is(2, "REPLACE");
    let holds_data =
        (3..6).any(|index| words.is_any(index, &["TABLE", "SEQUENCE", "DATABASE", "SCHEMA", "USER", "ROLE"]));
    (is_guarded && !is_routine(words)) || (is_replaced && !holds_data)
}

/// `CREATE [OR REPLACE] TEMPORARY TABLE`, `DROP TEMPORARY TABLE`
fn is_temporary(words: &Words<'_>) -> bool {
    words.is_any(0, &["CREATE", "DROP"]) && (1..4).any(|index| words.is(index, "TEMPORARY"))
}

/// Whether a statement commits the transaction that is open before it.
fn commits_implicitly(words: &Words<'_>) -> bool {
    match words.first().as_str() {
        "CREATE" => !is_temporary(words),
        "DROP" => !is_temporary(words) && !words.is(1, "PREPARE"),
        "ALTER" | "RENAME" | "TRUNCATE" | "GRANT" | "REVOKE" | "OPTIMIZE" | "CHECK" | "REPAIR" | "FLUSH" | "RESET"
        | "LOCK" | "CACHE" | "INSTALL" | "UNINSTALL" | "IMPORT" | "START" | "STOP" | "CHANGE" => true,
        "BEGIN" => !words.is(1, "NOT"),
        "ANALYZE" => is_about_tables(words),
        "LOAD" => words.is(1, "INDEX"),
        "SET" => words.is(1, "PASSWORD"),
        _ => false,
    }
}

/// Whether it is one statement that defines something, which the server does as a whole or not at all.
pub(super) fn is_one_definition(words: &Words<'_>) -> bool {
    let is_one = !words.is_several() || is_routine(words);
    is_one && words.is_any(0, &["CREATE", "ALTER", "DROP", "RENAME"])
}

/// `CREATE PROCEDURE …` and the like, whose bodies hold statements.
fn is_routine(words: &Words<'_>) -> bool {
    words.is(0, "CREATE") && (1..16).any(|index| words.is_any(index, &["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"]))
}

/// Whether a statement changes only the session: variables, temporary tables, prepared statements.
pub(super) fn is_session_statement(sql: &str) -> bool {
    let sql = laid_open(sql);
    let words = Words::of(&sql);
    match words.first().as_str() {
        "SET" => {
            let is_global = words.is_any(1, &["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "STATEMENT"])
                || (words.is(1, "DEFAULT") && words.is(2, "ROLE"))
                || (words.is_symbol(1, "@") && words.is_symbol(2, "@") && words.is_any(3, &["GLOBAL", "PERSIST"]));
            !is_global
        }
        "PREPARE" | "DEALLOCATE" => true,
        "CREATE" => is_temporary(&words),
        "SELECT" | "WITH" | "VALUES" | "TABLE" => {
            (0..words.0.len()).any(|index| words.is(index, "INTO") && words.is_symbol(index + 1, "@"))
        }
        _ => false,
    }
}

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
    fn where_statements_go() {
        use Placement::Alone;
        use Placement::Bare;
        use Placement::Commits;
        use Placement::Joint;
        use Placement::Opens;
        use Placement::RollsBack;
        for (placed, statements) in [
            (Joint, &["insert into t values (1)", "(SELECT 1) UNION (SELECT 2)", "/* x */ REPLACE t VALUES (1)"][..]),
            (Joint, &["SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1", "ANALYZE FORMAT=JSON SELECT 1"]),
            (
                Joint,
                &[
                    "SAVEPOINT a",
                    "RELEASE SAVEPOINT a",
                    "/*!50000 DELETE FROM t */",
                    "LOAD DATA INFILE 'x' INTO TABLE t",
                ],
            ),
            (
                Alone,
                &[
                    "CREATE TABLE t (a INT)",
                    "alter table t add b int",
                    "CALL p()",
                    "EXECUTE s",
                    "TRUNCATE t",
                    "BEGIN NOT ATOMIC END",
                ],
            ),
            (
                Alone,
                &[
                    "INSERT INTO t VALUES (1); ALTER TABLE t ADD a INT",
                    "CREATE OR REPLACE TABLE t (a INT)",
                    "REVOKE ALL ON *.* FROM a",
                ],
            ),
            (
                Alone,
                &[
                    "SET STATEMENT a = 1 FOR DROP TABLE t",
                    "CREATE PROCEDURE p() BEGIN DROP TABLE IF EXISTS t; END",
                    "START REPLICA",
                ],
            ),
            (
                Bare,
                &[
                    "ANALYZE TABLE t",
                    "ANALYZE LOCAL TABLE t",
                    "OPTIMIZE TABLE t",
                    "FLUSH PRIVILEGES",
                    "SET @a = 1",
                    "GRANT ALL ON *.* TO a",
                ],
            ),
            (
                Bare,
                &[
                    "CREATE TABLE IF NOT EXISTS t (a INT)",
                    "DROP VIEW IF EXISTS v",
                    "CREATE OR REPLACE VIEW v AS SELECT 1",
                    "/*!40101 SET NAMES utf8 */",
                ],
            ),
            (Opens, &["BEGIN", "begin work", "START TRANSACTION READ ONLY"]),
            (Commits, &["COMMIT", "commit work"]),
            (RollsBack, &["ROLLBACK", "ROLLBACK TO SAVEPOINT a"]),
        ] {
            for sql in statements {
                assert_eq!(placement(sql), placed, "{sql}");
            }
        }
    }

    #[test]
    fn what_belongs_to_the_session() {
        for sql in [
            "SET @a = 1",
            "set names utf8",
            "/*!40014 SET FOREIGN_KEY_CHECKS=0 */",
            "SET SESSION sql_mode = ''",
            "SET @@sql_mode = ''",
            "SELECT max(id) INTO @last FROM t",
            "PREPARE s FROM 'SELECT 1'",
            "CREATE TEMPORARY TABLE t (a INT)",
            "SET ROLE r",
        ] {
            assert!(is_session_statement(sql), "{sql}");
        }
        for sql in [
            "SET GLOBAL a = 1",
            "SET @@GLOBAL.a = 1",
            "SET PASSWORD = 'x'",
            "SET DEFAULT ROLE a",
            "SET STATEMENT a = 1 FOR SELECT 1",
            "SELECT '@a'",
            "CREATE TABLE t (a INT)",
            "INSERT INTO t VALUES (@a)",
        ] {
            assert!(!is_session_statement(sql), "{sql}");
        }
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

    #[test]
    fn laying_open_keeps_places() {
        assert_eq!(laid_open("a /*!40101 SET x */ b"), "a          SET x    b");
        assert_eq!(laid_open("/*M!100100 é */"), "           é   ");
        assert!(matches!(laid_open("SELECT '/*!x*/' /*+ h */"), Cow::Borrowed(_)));
    }
}
