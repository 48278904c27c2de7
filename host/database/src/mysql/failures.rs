//! What the server's errors mean to a user, and where in a statement they lie.

use std::io::ErrorKind;

use runner_chain::Dialect;
use sqlx::mysql::MySqlDatabaseError;

use crate::error::Error;
use crate::error::StatementError;
use crate::words::Kind;
use crate::words::tokens;

pub(super) const DUPLICATE_KEY: u16 = 1062;
pub(super) const NOT_NULL: u16 = 1048;
pub(super) const NO_SUCH_COLUMN: u16 = 1054;
pub(super) const NO_SUCH_TABLE: u16 = 1146;
/// A table was made or changed after the reading had begun.
const TABLE_CHANGED: u16 = 1412;
pub(super) const SYNTAX: u16 = 1064;
pub(super) const IN_TRANSACTION: u16 = 1568;
/// By `KILL QUERY`.
const STOPPED: u16 = 1317;
/// MySQL's own limit for queries.
const TOO_LONG: u16 = 3024;
/// MariaDB's.
const TOO_LONG_FOR_MARIADB: u16 = 1969;
const LOCK_WAIT: u16 = 1205;
const DEADLOCK: u16 = 1213;
/// A row changed since the transaction's snapshot was taken.
const CHANGED_SINCE_READ: u16 = 1020;

/// How much of the statement a syntax error repeats at most.
const LONGEST_NEAR: usize = 80;

pub(super) fn server_error(error: &sqlx::Error) -> Option<&MySqlDatabaseError> {
    error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
}

pub(super) fn number(error: &sqlx::Error) -> Option<u16> {
    server_error(error).map(MySqlDatabaseError::number)
}

pub(super) fn message(error: &sqlx::Error) -> String {
    server_error(error).map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

pub(super) fn is_retryable(number: u16) -> bool {
    matches!(number, LOCK_WAIT | DEADLOCK | CHANGED_SINCE_READ)
}

/// Whether a query took longer than it was given.
pub(super) fn is_out_of_time(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(TOO_LONG | TOO_LONG_FOR_MARIADB))
}

/// Errors with which a server refuses a definition before it does anything, or takes back what it did.
pub(super) fn leaves_no_trace(number: u16) -> bool {
    number == SYNTAX || is_retryable(number)
}

/// Errors after which the server does not go on with the session, or nobody could tell if it did.
pub(super) fn is_end_of_session(error: &sqlx::Error) -> bool {
    // Shutdown, aborted connections and network errors, KILL CONNECTION, inactivity.
    number(error).is_none_or(|number| matches!(number, 1053 | 1152 | 1158..=1161 | 1184 | 1927 | 3169 | 4031))
}

/// An error of one of the runner's own statements.
pub(super) fn translate(error: &sqlx::Error, doing: &'static str) -> Error {
    let message = message(error);
    if is_end_of_session(error) {
        return Error::ConnectionLost { doing, message };
    }
    Error::Database { doing, message, code: number(error).map(|number| number.to_string()) }
}

/// An error of a script's statement.
pub(super) fn translate_statement(error: &sqlx::Error, sql: &str) -> Error {
    let Some(server) = server_error(error) else {
        return Error::Statement(Box::new(StatementError {
            index: 0,
            message: format!("the connection was lost while the statement ran ({error})"),
            code: None,
            detail: None,
            hint: Some(
                "run the command again when the server is back: it looks for traces of the statement".to_owned(),
            ),
            offset: None,
            is_retryable: false,
        }));
    };
    Error::Statement(Box::new(StatementError {
        index: 0,
        message: server.message().to_owned(),
        code: Some(server.number().to_string()),
        detail: server.code().map(|state| format!("SQLSTATE {state}")),
        hint: statement_hint(server.number()).map(str::to_owned),
        offset: offset(sql, server.number(), server.message()),
        is_retryable: is_retryable(server.number()),
    }))
}

/// An error of a statement that was stopped because it ran too long.
pub(super) fn translate_stopped(error: &sqlx::Error, sql: &str) -> Error {
    let mut translated = translate_statement(error, sql);
    if let Error::Statement(statement) = &mut translated
        && number(error) == Some(STOPPED)
    {
        statement.hint = statement_hint(TOO_LONG).map(str::to_owned);
    }
    translated
}

fn statement_hint(number: u16) -> Option<&'static str> {
    Some(match number {
        1044 | 1142 | 1143 | 1227 | 1370 => "the user of the URL lacks a privilege: see `SHOW GRANTS`",
        1071 | 1118 => "shorten the columns of the key, or index a prefix of them",
        1153 => "raise `max_allowed_packet` on the server, or cut the statement into several",
        LOCK_WAIT => "another session holds a lock on it: see `SHOW FULL PROCESSLIST`",
        DEADLOCK => "another session wanted the same rows in another order",
        CHANGED_SINCE_READ => "another session changed the row at the same time",
        1215 | 1005 | 3780 => "the columns of a foreign key must have the same type, and the referenced one an index",
        STOPPED => "it was stopped by `KILL`",
        1418 | 1419 => "the binary log is on: set `log_bin_trust_function_creators` on the server",
        1451 => "a row of another table still refers to it",
        1452 => "a row refers to one that does not exist",
        1969 | TOO_LONG => "it took longer than the time-out for statements allows",
        _ => return None,
    })
}

/// Where the error lies, in characters from the beginning of the statement; only if that is certain.
fn offset(sql: &str, number: u16, message: &str) -> Option<usize> {
    let mut bytes = if number == SYNTAX { near(sql, message)? } else { only_mention(sql, number, message)? };
    if sql.get(bytes..)?.starts_with(char::is_whitespace) {
        // The parser had read the culprit, which ends here.
        bytes = tokens(sql, Dialect::Mysql).find(|token| token.end == bytes).map_or(bytes, |token| token.start);
    }
    Some(sql.get(..bytes)?.chars().count())
}

/// A syntax error repeats the rest of the text from where the parser stopped, cut off after some length, and gives the line.
fn near(sql: &str, message: &str) -> Option<usize> {
    let (_, rest) = message.split_once(" near '")?;
    let (near, line) = rest.rsplit_once("' at line ")?;
    let line: usize = line.trim().parse().ok()?;
    if near.is_empty() {
        return Some(sql.len());
    }
    if near.len() < LONGEST_NEAR / 4 * 3 {
        return sql.ends_with(near).then(|| sql.len() - near.len());
    }
    // MariaDB marks the cut.
    let near = near.strip_suffix("...").unwrap_or(near);
    let mut places = sql.match_indices(near).map(|(start, _)| start);
    let first = places.next()?;
    let Some(second) = places.next() else { return Some(first) };
    let line_of = |place: usize| sql.get(..place).map(|before| before.matches('\n').count() + 1);
    let mut on_line = [first, second].into_iter().chain(places).filter(|place| line_of(*place) == Some(line));
    let only = on_line.next()?;
    on_line.next().is_none().then_some(only)
}

/// Whether a reading failed only because the tables are not what it took them for.
pub(super) fn is_about_tables(number: u16) -> bool {
    matches!(number, NO_SUCH_TABLE | TABLE_CHANGED)
}

/// The place of a name that the message gives and the statement mentions exactly once.
fn only_mention(sql: &str, number: u16, message: &str) -> Option<usize> {
    if !matches!(number, 1007..=1008 | 1049..=1051 | 1054 | 1060 | 1061 | 1072 | 1091 | 1109 | NO_SUCH_TABLE | 1304..=1305)
    {
        return None;
    }
    // 1305 does not quote: `PROCEDURE app.p does not exist`.
    let name = message
        .split_once(['\'', '`'])
        .and_then(|(_, rest)| rest.split(['\'', '`']).next())
        .or_else(|| message.split(' ').nth(1))?;
    let name = name.rsplit('.').next()?;
    let mut mentions = tokens(sql, Dialect::Mysql).filter(|token| token.kind == Kind::Word && token.is(name));
    let first = mentions.next()?;
    mentions.next().is_none().then_some(first.start)
}

/// Why there is no connection.
pub(super) fn explain_connect(error: &sqlx::Error, target: &str, database: &str) -> Error {
    let (message, hint, is_transient) = match error {
        sqlx::Error::Database(_) => {
            let (hint, is_transient) = refusal(number(error).unwrap_or_default(), database);
            (message(error), hint, is_transient)
        }
        sqlx::Error::Io(error) => {
            let is_transient = !matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput);
            let hint = match error.kind() {
                ErrorKind::ConnectionRefused => {
                    "nobody listens there: check host and port, and whether the server runs"
                }
                ErrorKind::NotFound => "check the path of the socket, and whether the server runs",
                ErrorKind::PermissionDenied => "the socket may not be used by this user of the system",
                _ => "check host and port in the URL, and whether the server runs",
            };
            (error.to_string(), hint.to_owned(), is_transient)
        }
        sqlx::Error::Tls(reason) => (
            format!("no encrypted connection: {reason}"),
            "check `ssl-mode`, `ssl-ca`, `ssl-cert` and `ssl-key` in the URL".to_owned(),
            false,
        ),
        sqlx::Error::Configuration(reason) if reason.to_string().contains("RSA") => (
            "the server takes the password only over an encrypted connection".to_owned(),
            "write `?ssl-mode=required` in the URL and leave `socket` out, or log in as a user \
             `IDENTIFIED WITH mysql_native_password`"
                .to_owned(),
            false,
        ),
        other => (
            other.to_string(),
            "check that a MySQL or MariaDB server listens there, and that the user logs in with a password".to_owned(),
            false,
        ),
    };
    Error::Connect { target: target.to_owned(), message, hint, is_transient }
}

/// What to do about the server's refusal, and whether waiting may help.
fn refusal(number: u16, database: &str) -> (String, bool) {
    match number {
        1045 | 1698 => ("check user and password in the URL".to_owned(), false),
        1044 => (format!("the user lacks privileges: `GRANT ALL ON {database}.* TO …`"), false),
        1049 => (format!("create it first: `CREATE DATABASE {database}`; or check the name in the URL"), false),
        1040 | 1203 | 1226 => ("too many connections are open: wait, or raise the server's limit".to_owned(), true),
        1053 | 1152 | 1158..=1161 | 1184 => ("the server is starting or stopping: try again".to_owned(), true),
        1129 => ("the server blocks this host after failed attempts: `FLUSH HOSTS` lets it in again".to_owned(), false),
        1130 => ("the server lets nobody in from this host: see `CREATE USER 'name'@'host'`".to_owned(), false),
        _ => ("see the server's manual for this error".to_owned(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax(sql: &str, near: &str, line: usize) -> Option<usize> {
        let message = format!("You have an error …; check … for the right syntax to use near '{near}' at line {line}");
        offset(sql, SYNTAX, &message)
    }

    #[test]
    fn the_rest_of_the_statement_tells_the_place() {
        assert_eq!(syntax("SELECT é FORM t", "t", 1), Some(14));
        assert_eq!(syntax("SELECT 'it''s' FORM t", "FORM t", 1), Some(15));
        assert_eq!(syntax("SELECT (1", "", 1), Some(9));
        assert_eq!(syntax("CREATE TABLE t (a INT,, b INT)", " b INT)", 1), Some(22));
        assert_eq!(syntax("SELECT 1", "something else", 1), None);
        let row = "(1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),\n";
        let sql = format!("INSERT INTO t\n{row}{row}(1)");
        assert_eq!(syntax(&sql, &row[..80], 3), Some(14 + row.len()));
        assert_eq!(syntax(&sql, &format!("{}...", &row[..80]), 2), Some(14));
        assert_eq!(syntax(&sql, &row[..80], 9), None);
    }

    #[test]
    fn only_a_single_mention_is_certain() {
        let at = |sql, number, message| offset(sql, number, message);
        assert_eq!(at("SELECT a, b FROM t", 1054, "Unknown column 'b' in 'field list'"), Some(10));
        assert_eq!(at("SELECT b, b FROM t", 1054, "Unknown column 'b' in 'field list'"), None);
        assert_eq!(at("INSERT INTO `u` VALUES (1)", 1146, "Table 'app.u' doesn't exist"), Some(12));
        assert_eq!(at("CALL p()", 1305, "PROCEDURE app.p does not exist"), Some(5));
        assert_eq!(at("INSERT INTO t VALUES (1)", 1062, "Duplicate entry '1' for key 't'"), None);
    }
}
