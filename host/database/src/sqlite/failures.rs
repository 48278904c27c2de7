//! What SQLite's result codes mean to a user.

use std::path::Path;
use std::time::Duration;

use sqlx::error::DatabaseError;

use crate::error::Error;
use crate::error::StatementError;

const CONSTRAINT_NOTNULL: i32 = 1299;
const CONSTRAINT_PRIMARYKEY: i32 = 1555;
const CONSTRAINT_UNIQUE: i32 = 2067;

/// The extended result code of an error, if SQLite gave one.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error().and_then(DatabaseError::code).and_then(|code| code.parse().ok())
}

pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

pub(super) fn message(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// An error of a statement or of the runner's own queries. `target` is the file, as shown.
pub(super) fn translate(error: &sqlx::Error, target: &str, busy_wait: Duration) -> Error {
    let Some(code) = code(error) else {
        return Error::Database { doing: "talking to SQLite", message: error.to_string(), code: None };
    };
    if is_busy(error) {
        return Error::Busy { doing: "running a statement", waited: busy_wait };
    }
    if let Some((text, hint)) = whole_database(code) {
        let message = format!("{text} ({})", message(error));
        return Error::Unreadable { target: target.to_owned(), message, hint: hint.to_owned() };
    }
    Error::Statement(Box::new(StatementError {
        index: 0,
        message: message(error),
        code: Some(name(code)),
        detail: None,
        hint: statement_hint(code).map(str::to_owned),
        offset: None,
        is_retryable: false,
    }))
}

/// Errors that concern the file, not the statement.
fn whole_database(code: i32) -> Option<(&'static str, &'static str)> {
    Some(match code & 0xff {
        3 | 23 => ("access is denied", "check the permissions of the file and its folder"),
        8 => ("it is read-only", "check the permissions of the file and its folder, and `mode` in the URL"),
        10 => ("reading or writing the file failed", "check the disk and the file system"),
        11 => ("the file is damaged", "restore a backup; `sqlite3 FILE .recover` saves what is left"),
        13 => ("the disk is full", "free some space and run the command again; the step was rolled back"),
        14 => (
            "the file cannot be opened",
            "check the permissions of the file and its folder; SQLite also writes next to it",
        ),
        26 => ("the file is not a SQLite database", "check the path in the URL: another program wrote this file"),
        _ => return None,
    })
}

fn statement_hint(code: i32) -> Option<&'static str> {
    Some(match code {
        9 => "it was interrupted",
        787 => "a row refers to one that does not exist; to rebuild a table, leave `foreign_keys` off",
        _ => return None,
    })
}

/// The name of a result code, as in SQLite's manual.
fn name(code: i32) -> String {
    let name = match code {
        1 => "SQLITE_ERROR",
        4 => "SQLITE_ABORT",
        9 => "SQLITE_INTERRUPT",
        17 => "SQLITE_SCHEMA",
        18 => "SQLITE_TOOBIG",
        19 => "SQLITE_CONSTRAINT",
        20 => "SQLITE_MISMATCH",
        21 => "SQLITE_MISUSE",
        25 => "SQLITE_RANGE",
        275 => "SQLITE_CONSTRAINT_CHECK",
        787 => "SQLITE_CONSTRAINT_FOREIGNKEY",
        CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        1811 => "SQLITE_CONSTRAINT_TRIGGER",
        CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        3091 => "SQLITE_CONSTRAINT_DATATYPE",
        other => return format!("SQLite result code {other}"),
    };
    name.to_owned()
}

/// An error of the statements that change the version rows and the ledger, where a broken constraint can only mean that
/// somebody else wrote there.
pub(super) fn translate_bookkeeping(error: &sqlx::Error, target: &str, busy_wait: Duration, ledger: &str) -> Error {
    let text = message(error);
    let is_ledger = text.contains(&format!(" {ledger}."));
    let message = match code(error) {
        Some(CONSTRAINT_NOTNULL) if is_ledger => "the version table does not hold the rows that this step starts from",
        Some(CONSTRAINT_PRIMARYKEY | CONSTRAINT_UNIQUE) if is_ledger => "the ledger has got rows from somebody else",
        Some(CONSTRAINT_PRIMARYKEY | CONSTRAINT_UNIQUE) => "the version table already holds a row that this step adds",
        _ => return translate(error, target, busy_wait).while_doing("recording the step"),
    };
    Error::Concurrent { message: message.to_owned() }
}

/// Why a file could not be opened, told by what is at its path.
pub(super) fn explain_open(error: &sqlx::Error, file: &Path, target: &str, busy_wait: Duration) -> Error {
    let connect = |message: String, hint: &str| Error::Connect {
        target: target.to_owned(),
        message,
        hint: hint.to_owned(),
        is_transient: false,
    };
    match std::fs::metadata(file) {
        Ok(found) if found.is_dir() => {
            connect("it is a folder".to_owned(), "name a file inside it, for example `sqlite://folder/runner.db`")
        }
        Ok(_) if code(error) == Some(14) => Error::Unreadable {
            target: target.to_owned(),
            message: "permission denied".to_owned(),
            hint: "check the permissions of the file and its folder".to_owned(),
        },
        Err(reason) if code(error).is_none_or(|code| code & 0xff == 14) => {
            connect(reason.to_string(), "check the path in the URL")
        }
        _ => translate(error, target, busy_wait).while_doing("opening the database"),
    }
}
