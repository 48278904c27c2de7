//! Why there is no server.

use std::io;

use crate::kind::Kind;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server is not installed, and no variable names one that runs.
    #[error(
        "{kind} is needed by the tests and not installed\n\nhint: install the package `{}`, or name a server that runs \
         already, with an account that may create databases: `{}` for PostgreSQL, `{}` for MariaDB and MySQL",
        kind.package(),
        Kind::Postgres.variable(),
        Kind::Mysql.variable()
    )]
    Missing {
        /// What is not installed.
        kind: Kind,
    },
    /// A program is not installed.
    #[error("`{program}` is needed by the tests and not installed\n\nhint: install the package `{package}`")]
    MissingProgram {
        /// The program.
        program: &'static str,
        /// The package of Debian and its relatives that holds it.
        package: &'static str,
    },
    /// The package manager failed.
    #[error("`{command}` failed: {reason}\n\n{missing}")]
    Install {
        /// That it is missing.
        missing: Box<Error>,
        /// What was run.
        command: String,
        /// What it said, or how it ended.
        reason: String,
    },
    /// The server that a variable names can't be used.
    #[error("the server that `{}` names can't be used: {reason}", kind.variable())]
    Existing {
        /// What was looked for.
        kind: Kind,
        /// What the server or the driver said.
        reason: String,
    },
    /// The server did not start.
    #[error("{kind} does not start: {reason}")]
    Start {
        /// What was to be started.
        kind: Kind,
        /// What happened, and the end of the server's log.
        reason: String,
    },
    /// The registry did not start.
    #[error("the registry does not start: {reason}")]
    StartRegistry {
        /// What happened, and the end of its log.
        reason: String,
    },
    /// The shell that watches over the server can't be reached.
    #[error("the shell that watches over the server can't be reached: {0}")]
    Supervisor(#[from] io::Error),
}
