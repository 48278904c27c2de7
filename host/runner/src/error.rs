//! What can go wrong, and how it is told: one type with a kind, a message, and what to do next. Every error of the other
//! crates is turned into it in this file, so exit codes and wording are decided in one place.

use std::fmt;

use runner_chain::Problem;

/// Exit codes. Scripts rely on them.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// Failed.
    pub const FAILED: u8 = 1;
    /// Wrong usage or configuration.
    pub const USAGE: u8 = 2;
    /// Refused by a policy.
    pub const REFUSED: u8 = 3;
    /// Not up to date, or problems found.
    pub const PROBLEMS: u8 = 4;
    /// The lock was not obtained.
    pub const LOCKED: u8 = 5;
    /// Interrupted.
    pub const INTERRUPTED: u8 = 130;
}

/// What kind of error it is. The name is part of the JSON output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line is wrong.
    Usage,
    /// `runner.toml` or a variable is wrong or missing.
    Configuration,
    /// Revision files or their graph are wrong.
    Chain,
    /// A selector names no revision, or several.
    Selector,
    /// The database can't be reached, read or understood.
    Database,
    /// The database and the files contradict each other.
    Drift,
    /// A statement failed.
    Statement,
    /// A policy has refused.
    Refused,
    /// Another process holds the lock.
    Locked,
    /// The run was interrupted.
    Interrupted,
    /// Reading or writing a file failed.
    Io,
    /// The source of a plugin could not be made a component.
    Build,
    /// A backup could not be made, is damaged, or can't be restored as asked.
    Backup,
}

impl ErrorKind {
    /// The name in the JSON output.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::Configuration => "configuration",
            ErrorKind::Chain => "chain",
            ErrorKind::Selector => "selector",
            ErrorKind::Database => "database",
            ErrorKind::Drift => "drift",
            ErrorKind::Statement => "statement",
            ErrorKind::Refused => "refused",
            ErrorKind::Locked => "locked",
            ErrorKind::Interrupted => "interrupted",
            ErrorKind::Io => "io",
            ErrorKind::Build => "build",
            ErrorKind::Backup => "backup",
        }
    }

    /// The exit code of a command that ends with it.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Usage | ErrorKind::Configuration => exit::USAGE,
            ErrorKind::Refused => exit::REFUSED,
            ErrorKind::Locked => exit::LOCKED,
            ErrorKind::Interrupted => exit::INTERRUPTED,
            // A selector that reads well, but whose revision is not there: whether it is depends on files and database.
            ErrorKind::Chain
            | ErrorKind::Selector
            | ErrorKind::Database
            | ErrorKind::Drift
            | ErrorKind::Statement
            | ErrorKind::Io
            | ErrorKind::Build
            | ErrorKind::Backup => exit::FAILED,
        }
    }
}

/// An error as the user of the tool or of the library sees it.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    help: Vec<String>,
    problems: Vec<Problem>,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error {
    /// An error with a one-sentence message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), help: Vec::new(), problems: Vec::new() }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds what to do next, if there is something.
    #[must_use]
    pub fn maybe_help(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Adds places in files.
    #[must_use]
    pub fn at(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do next, a line each.
    pub fn hints(&self) -> &[String] {
        &self.help
    }

    /// Places in files, with the line shown.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;
