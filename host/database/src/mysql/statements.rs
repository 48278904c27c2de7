//! What MySQL and MariaDB allow where: which statements commit whatever came before them, and which belong to the
//! session.

use std::borrow::Cow;

use runner_chain::Dialect;

use crate::backend::Placement;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

/// The statement with what is inside of conditional comments laid open. Places stay the same.
pub(crate) fn laid_open(sql: &str) -> Cow<'_, str> {
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

    pub(super) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|token| token.is(word))
    }

    /// Whether these words stand somewhere, one right after the other.
    pub(super) fn has_all(&self, words: &[&str]) -> bool {
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

    pub(super) fn first(&self) -> String {
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

pub(super) fn placement_of(words: &Words<'_>) -> Placement {
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
pub(super) fn is_temporary(words: &Words<'_>) -> bool {
    words.is_any(0, &["CREATE", "DROP"]) && (1..4).any(|index| words.is(index, "TEMPORARY"))
}

/// Whether a statement commits the transaction that is open before it.
pub(super) fn commits_implicitly(words: &Words<'_>) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn laying_open_keeps_places() {
        assert_eq!(laid_open("a /*!40101 SET x */ b"), "a          SET x    b");
        assert_eq!(laid_open("/*M!100100 é */"), "           é   ");
        assert!(matches!(laid_open("SELECT '/*!x*/' /*+ h */"), Cow::Borrowed(_)));
    }
}
