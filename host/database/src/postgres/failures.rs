//! What PostgreSQL's errors mean to a user.

use std::io::ErrorKind;

use sqlx::postgres::PgDatabaseError;
use sqlx::postgres::PgErrorPosition;
use sqlx::postgres::PgSeverity;

use crate::error::Error;
use crate::error::StatementError;

use super::books::Books;

pub(super) const NO_TRANSACTION: &str = "25P01";
pub(super) const FAILED_TRANSACTION: &str = "25P02";
pub(super) const CANCELED: &str = "57014";
pub(super) const UNDEFINED_TABLE: &str = "42P01";
pub(super) const UNDEFINED_SCHEMA: &str = "3F000";
pub(super) const UNDEFINED_COLUMN: &str = "42703";
const DIVISION_BY_ZERO: &str = "22012";
const NOT_NULL_VIOLATION: &str = "23502";
const UNIQUE_VIOLATION: &str = "23505";
const RETRYABLE: [&str; 3] = ["55P03", "40P01", "40001"];

fn of_server(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()
}

/// The SQLSTATE of an error, if the server gave it.
pub(super) fn code(error: &sqlx::Error) -> Option<&str> {
    of_server(error).map(PgDatabaseError::code)
}

/// Whether the connection can no longer be used.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match of_server(error) {
        Some(error) => matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic),
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_)),
    }
}

/// What was said, without the driver's own words around it.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => "the server hung up".to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("no encrypted connection: {error}"),
        sqlx::Error::Protocol(text) => text.clone(),
        other => of_server(other).map_or_else(|| other.to_string(), |error| error.message().to_owned()),
    }
}

/// An error of a statement or of the runner's own queries. `before` is the number of characters that the runner put in
/// front of the statement.
pub(super) fn translate(error: &sqlx::Error, before: usize) -> Error {
    let doing = "talking to PostgreSQL";
    let Some(server) = of_server(error) else {
        return Error::ConnectionLost { doing, message: message(error) };
    };
    let code = server.code().to_owned();
    if is_lost(error) {
        return Error::ConnectionLost { doing, message: format!("{} ({code})", server.message()) };
    }
    let offset = match server.position() {
        Some(PgErrorPosition::Original(position)) => position.checked_sub(before + 1),
        _ => None,
    };
    Error::Statement(Box::new(StatementError {
        index: 0,
        message: server.message().to_owned(),
        detail: detail(server),
        hint: hint(server),
        offset,
        is_retryable: RETRYABLE.contains(&code.as_str()),
        code: Some(code),
    }))
}

/// The server's explanation, what it concerns unless that was said already, and where in a function it happened.
fn detail(error: &PgDatabaseError) -> Option<String> {
    let mut parts: Vec<String> = error.detail().map(str::to_owned).into_iter().collect();
    let is_said = |name: &str| error.message().contains(&format!("\"{name}\""));
    if let Some(constraint) = error.constraint()
        && !is_said(constraint)
    {
        parts.push(format!("constraint `{constraint}`"));
    }
    if let Some(table) = error.table()
        && !is_said(table)
    {
        let schema = error.schema().map_or_else(String::new, |schema| format!("{schema}."));
        parts.push(format!("table `{schema}{table}`"));
    }
    if let Some(context) = error.r#where() {
        parts.push(context.to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn hint(error: &PgDatabaseError) -> Option<String> {
    const OFF: &str = "write `Transaction: off` in the header";
    let ours = match error.code() {
        "25001" if error.message().contains("cannot run inside a transaction block") => OFF,
        "2D000" => {
            "a procedure or block that commits refuses the runner's transaction: write `Transaction: off` in the header"
        }
        "55P03" => "another session holds a lock for longer than `lock_timeout`: look at `pg_stat_activity`",
        CANCELED if error.message().contains("statement timeout") => {
            "allow the statement more time with `statement-timeout`, or do the work in smaller parts"
        }
        "42501" if error.message().starts_with("permission denied for schema") => {
            "grant the role `CREATE` on the schema, or name another with `schema=` in the URL"
        }
        "55P04" => {
            "a new value of an enum can be used only after the transaction that added it: put it into a later revision"
        }
        UNDEFINED_SCHEMA => "create the schema first",
        _ => return error.hint().map(str::to_owned),
    };
    Some(match error.hint() {
        Some(theirs) => format!("{theirs}; {ours}"),
        None => ours.to_owned(),
    })
}

/// Whether the place of an error is among the first characters of the text, as far as it has one.
pub(super) fn is_among_first(error: &sqlx::Error, characters: usize) -> bool {
    match of_server(error).and_then(PgDatabaseError::position) {
        Some(PgErrorPosition::Original(position)) => position <= characters,
        _ => true,
    }
}

/// An error of a text that changes the version rows and the ledger, where a broken constraint of the runner's own tables can
/// only mean that somebody else wrote there, or that the lock is lost.
pub(super) fn translate_bookkeeping(error: &sqlx::Error, books: &Books) -> Error {
    let translated = || of_commit(error);
    let Some(server) = of_server(error) else { return translated() };
    let is_of = |table: &crate::options::TableName| {
        server.table() == Some(table.name.as_str()) && server.schema() == table.schema.as_deref()
    };
    let message = match server.code() {
        DIVISION_BY_ZERO => return lock_is_gone(),
        NOT_NULL_VIOLATION if is_of(&books.ledger) && server.column() == Some(Books::LOCK_GUARD) => {
            return lock_is_gone();
        }
        NOT_NULL_VIOLATION if is_of(&books.ledger) => {
            "the version table does not hold the rows that this step starts from"
        }
        UNIQUE_VIOLATION if is_of(&books.ledger) => "the ledger has got rows from somebody else",
        UNIQUE_VIOLATION if is_of(&books.version) => "the version table already holds a row that this step adds",
        _ => return translated(),
    };
    Error::Concurrent { message: message.to_owned() }
}

/// The error of a commit: a deferred constraint speaks up only there, and its detail says which row broke it.
pub(super) fn of_commit(error: &sqlx::Error) -> Error {
    match translate(error, 0) {
        Error::Statement(statement) => {
            let detail = statement.detail.map_or_else(String::new, |detail| format!(" ({detail})"));
            let message = format!("{}{detail}", statement.message);
            Error::Database { doing: "recording the step", message, code: statement.code }
        }
        other => other.while_doing("recording the step"),
    }
}

fn lock_is_gone() -> Error {
    Error::LockLost { reason: "the session that held it is gone, or holds it no more".to_owned() }
}

/// Why there is no connection.
pub(super) fn explain_connect(error: &sqlx::Error, target: &str) -> Error {
    let (is_transient, hint) = match error {
        sqlx::Error::Io(error) => of_network(error),
        sqlx::Error::Tls(_) => (false, "check `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the URL"),
        sqlx::Error::Configuration(_) => (false, "check the parameters of the URL"),
        sqlx::Error::Protocol(_) => {
            (false, "check host and port: what answers there does not speak PostgreSQL's protocol as expected")
        }
        other => match code(other).unwrap_or_default() {
            "28P01" => (false, "check user and password: in the URL, `PGPASSWORD` or `~/.pgpass`"),
            "28000" => (false, "check the user, and what `pg_hba.conf` of the server allows it from here"),
            "3D000" => (false, "check the database in the URL, or create it: `CREATE DATABASE …`"),
            "42501" => (false, "grant the role `CONNECT` on the database"),
            "42883" | "42P01" => (false, "use a PostgreSQL server: this one only speaks its protocol"),
            "57P03" => (true, "wait until the server has started"),
            "57P01" | "57P02" => (true, "the server is shutting down: try again when it is back"),
            "53300" => (true, "close some connections, or raise `max_connections` of the server"),
            _ => (false, "look into the log of the server"),
        },
    };
    Error::Connect { target: target.to_owned(), message: message(error), hint: hint.to_owned(), is_transient }
}

/// Whether waiting may help, and what to do.
fn of_network(error: &std::io::Error) -> (bool, &'static str) {
    match error.kind() {
        // What the driver makes of a certificate that is refused.
        ErrorKind::InvalidData => {
            (false, "check `sslmode` and `sslrootcert` in the URL, and the certificate of the server")
        }
        ErrorKind::PermissionDenied => (false, "check the permissions of the socket's folder"),
        ErrorKind::NotFound => {
            (true, "no server listens on this socket: check folder and port, and that the server runs")
        }
        ErrorKind::InvalidInput => (false, "check host and port in the URL"),
        _ if error.to_string().contains("lookup address") => {
            (true, "the host's name is not known: check it in the URL, or wait until it is")
        }
        _ => (true, "check host and port in the URL, and that the server runs and can be reached from here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_helps_against_a_server_that_is_not_there_yet() {
        let explain = |error: std::io::Error| explain_connect(&sqlx::Error::Io(error), "postgres://h/d");
        let is_transient = |error| matches!(explain(error), Error::Connect { is_transient: true, .. });
        for kind in
            [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset, ErrorKind::TimedOut, ErrorKind::UnexpectedEof]
        {
            assert!(is_transient(kind.into()), "{kind}");
        }
        assert!(is_transient(std::io::Error::other("failed to lookup address information: Name does not resolve")));
        for kind in [ErrorKind::InvalidData, ErrorKind::PermissionDenied, ErrorKind::InvalidInput] {
            assert!(!is_transient(kind.into()), "{kind}");
        }
    }
}
