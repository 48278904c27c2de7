//! What can go wrong with a database, each with a hint at what to do next.

use std::fmt::Write as _;
use std::time::Duration;

use runner_chain::Dialect;

use crate::lock::Holder;
use crate::script::StepDirection;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed database operation. No variant ever holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database could not be reached or opened.
    #[error("cannot open the database `{target}`: {message}")]
    Connect {
        /// The target without secrets.
        target: String,
        /// What the system or the server said.
        message: String,
        /// What to do next.
        hint: String,
        /// Whether waiting may help: nobody answers yet, or the server is just starting. Not so for a wrong password.
        is_transient: bool,
    },
    /// The database was found, but cannot be read or written.
    #[error("cannot use the database `{target}`: {message}")]
    Unreadable {
        /// The target without secrets.
        target: String,
        /// What is wrong with it.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// The URL holds no address of the dialect that its scheme names.
    #[error("the URL does not lead to a database of the dialect {dialect}")]
    Unsupported {
        /// The dialect of the URL.
        dialect: Dialect,
    },
    /// A setting of the target is not usable.
    #[error("invalid `{option}`: {message}")]
    InvalidOption {
        /// The field of [`crate::Options`].
        option: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A writing operation was asked of a session opened with [`crate::Access::Read`].
    #[error("the session was opened for reading only")]
    ReadOnly,
    /// A run was started without the lock.
    #[error("the target is not locked by this session")]
    NotLocked,
    /// Somebody else holds the target.
    #[error("{}", locked_message(holder.as_deref(), *waited))]
    Locked {
        /// The runner that holds the lock; `None` if it is another program, or its name could not be read.
        holder: Option<Box<Holder>>,
        /// How long this session waited.
        waited: Duration,
    },
    /// The connection that held the lock is gone, so another runner may have begun.
    #[error("the lock of the target was lost: {reason}")]
    LockLost {
        /// How that was noticed.
        reason: String,
    },
    /// Another connection kept the database busy for longer than the configured wait.
    #[error("the database stayed busy for {:.1} s while {doing}", waited.as_secs_f64())]
    Busy {
        /// What the runner was doing, e.g. `committing`.
        doing: &'static str,
        /// How long it waited.
        waited: Duration,
    },
    /// A statement of a script failed.
    #[error("{0}")]
    Statement(Box<StatementError>),
    /// The version table or the ledger is not as this run left it.
    #[error("the database changed under us: {message}")]
    Concurrent {
        /// Which rows were expected.
        message: String,
    },
    /// The ledger's rows do not follow from each other.
    #[error("the ledger is damaged at row {id}: {reason}")]
    LedgerDamaged {
        /// The first damaged row.
        id: i64,
        /// What does not fit.
        reason: String,
    },
    /// A half-applied revision is in the way, or cannot be resumed as asked.
    #[error(
        "revision `{revision}` is half-way {direction} ({statements_done} of {statements_total} statements done): {reason}"
    )]
    Dirty {
        /// The half-applied revision.
        revision: String,
        /// The direction it was going.
        direction: StepDirection,
        /// Statements known to be done.
        statements_done: usize,
        /// Statements it had when it was started.
        statements_total: usize,
        /// Why the step cannot go on.
        reason: String,
        /// Whether that is because nobody knows if the statement after the last one done took effect.
        is_doubt: bool,
    },
    /// A script began a transaction and did not end it.
    #[error("the script of revision `{revision}` ends inside a transaction that it opened itself")]
    OpenTransaction {
        /// The revision.
        revision: String,
    },
    /// A step that refuses a transaction, or whose database cannot roll back DDL, was asked of a run that is one transaction.
    #[error("revision `{revision}` cannot be part of a run that is one transaction")]
    NotTransactional {
        /// The revision.
        revision: String,
    },
    /// Whoever takes or gives rows wants no more of it, and knows why.
    #[error("the rows did not travel to their end")]
    Stopped,
    /// A row that was to be put into a table is not of the form in which rows are written.
    #[error("row {row} for the table `{table}` can't be read: {reason}")]
    Row {
        /// The table.
        table: String,
        /// Which row, counted from 1.
        row: u64,
        /// What is wrong.
        reason: String,
    },
    /// The run was interrupted in the middle of a step, which was rolled back.
    #[error("the run was interrupted in the middle of a step")]
    Interrupted,
    /// The connection ended. Whatever was not committed is rolled back by the database.
    #[error("the connection to the database was lost while {doing}: {message}")]
    ConnectionLost {
        /// What the runner was doing.
        doing: &'static str,
        /// What the system or the server said.
        message: String,
    },
    /// The connection ended in the middle of a commit, and the database could not be asked what became of it.
    #[error("it is not known whether the last step was committed: {message}")]
    CommitUnknown {
        /// What happened.
        message: String,
    },
    /// The database refused one of the runner's own statements.
    #[error("the database failed while {doing}: {message}")]
    Database {
        /// What the runner was doing.
        doing: &'static str,
        /// What the database said.
        message: String,
        /// The database's own code for it.
        code: Option<String>,
    },
}

impl Error {
    /// What to do next, if there is something sensible to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Connect { hint, .. } | Self::Unreadable { hint, .. } => hint.as_str(),
            Self::Unsupported { .. } => "check the scheme of the URL: `sqlite`, `postgres`, `mysql` or `mariadb`",
            Self::InvalidOption { .. } | Self::NotLocked | Self::ReadOnly | Self::Stopped => return None,
            Self::Row { .. } => "the file was changed or belongs to another table",
            Self::Locked { holder: Some(_), .. } => {
                "wait until it has finished; `--lock-wait` allows a run more time, and the lock ends with the process that holds it"
            }
            Self::Locked { holder: None, .. } => {
                "close what else works on this database: on SQLite a program with a write transaction, on a server a session that this user cannot see; `--lock-wait` allows a run more time"
            }
            Self::LockLost { .. } => {
                "nothing more was run, because another runner may have begun: look at `runner current`, then run the command again"
            }
            Self::Busy { .. } => "another connection reads or writes this database: close it and run the command again",
            Self::Statement(statement) => return statement.hint.clone(),
            Self::Concurrent { .. } => {
                "something changed the runner's tables without taking its lock: look at the current state, then run the command again"
            }
            Self::LedgerDamaged { .. } => {
                "somebody edited or deleted ledger rows by hand: compare with a backup before you go on"
            }
            Self::Dirty { revision, statements_done, is_doubt: true, .. } => {
                return Some(format!(
                    "look at the database, then say what you saw and run the same command again: `runner repair {revision} --resume-at {} --reason …` if statement {} took effect, `--resume-at {}` if it did not",
                    statements_done + 2,
                    statements_done + 1,
                    statements_done + 1,
                ));
            }
            Self::Dirty { .. } => {
                "restore the statements as they were applied and run the same command again, or settle it by hand and say so with `runner repair`"
            }
            Self::OpenTransaction { .. } => "end it with `COMMIT`; what ran inside it was rolled back",
            Self::NotTransactional { .. } => {
                "use one transaction per revision: `transaction = \"per-revision\"` in `[database]`"
            }
            Self::Interrupted => "run the command again: it goes on where it stopped",
            Self::ConnectionLost { .. } => {
                "run the command again when the database is back: it goes on from what is there"
            }
            Self::CommitUnknown { .. } => {
                "when the database is back, `runner current` shows what is applied; the same command goes on from there"
            }
            Self::Database { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// Whether a connection may succeed later on.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Connect { is_transient: true, .. })
    }

    /// Whether the same may go well if it is tried again: a lock time-out, a deadlock or a serialization failure.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        // Lock time-out, deadlock and serialization failure, as PostgreSQL and MySQL number them.
        const CODES: [&str; 6] = ["55P03", "40P01", "40001", "1205", "1213", "1020"];
        match self {
            Self::Statement(statement) => statement.is_retryable,
            Self::Database { code: Some(code), .. } => CODES.contains(&code.as_str()),
            _ => false,
        }
    }

    /// Names what the runner was doing, for errors that carry it.
    pub(crate) fn while_doing(self, activity: &'static str) -> Self {
        match self {
            Self::Busy { waited, .. } => Self::Busy { doing: activity, waited },
            Self::Database { message, code, .. } => Self::Database { doing: activity, message, code },
            Self::ConnectionLost { message, .. } => Self::ConnectionLost { doing: activity, message },
            Self::Statement(statement) => {
                Self::Database { doing: activity, message: statement.message, code: statement.code }
            }
            other => other,
        }
    }

    /// Adds to the hint of a statement error.
    pub(crate) fn with_hint(mut self, more: String) -> Self {
        if let Self::Statement(statement) = &mut self {
            statement.hint = Some(match statement.hint.take() {
                Some(hint) => format!("{hint}; {more}"),
                None => more,
            });
        }
        self
    }

    /// Puts the number of the statement on a statement error.
    pub(crate) fn at_statement(mut self, index: usize) -> Self {
        if let Self::Statement(statement) = &mut self {
            statement.index = index;
        }
        self
    }
}

/// What the database says about a statement it refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StatementError {
    /// Which statement of the step, counted from 0.
    pub index: usize,
    /// The database's message.
    pub message: String,
    /// The database's code: an SQLSTATE, or a SQLite result code by name.
    pub code: Option<String>,
    /// The database's further explanation, if it gives one.
    pub detail: Option<String>,
    /// What to do next, from the database or the runner.
    pub hint: Option<String>,
    /// Where in the statement, in characters from its beginning, if that is known for certain.
    pub offset: Option<usize>,
    /// Whether it may go well if it is tried again.
    pub is_retryable: bool,
}

fn locked_message(holder: Option<&Holder>, waited: Duration) -> String {
    let mut text = "the target is locked by ".to_owned();
    match holder {
        Some(holder) => text.push_str(&holder.to_string()),
        None => text.push_str("another connection"),
    }
    if !waited.is_zero() {
        // Writing to a `String` cannot fail.
        let _ = write!(text, " (waited {:.1} s)", waited.as_secs_f64());
    }
    text
}
