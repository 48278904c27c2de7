//! Errors of the other crates as ours: kind, wording and hint are decided here.

use runner_chain::SelectError;
use runner_chain::SelectorParseError;
use runner_chain::UnknownRevisions;
use runner_chain::directory::CreateError;
use runner_chain::directory::LoadError;
use runner_chain::planning::PlanError;

use crate::error::Error;
use crate::error::ErrorKind;

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        let hint = error.hint();
        match error {
            LoadError::Problems(problems) => {
                let problems: Vec<_> = problems.iter().cloned().collect();
                let count = problems.len();
                let noun = if count == 1 { "problem" } else { "problems" };
                Error::new(ErrorKind::Chain, format!("the chain has {count} {noun}; nothing was run")).at(problems)
            }
            LoadError::Unreadable { ref source, .. } => {
                Error::new(ErrorKind::Configuration, format!("{error}: {source}")).maybe_help(hint)
            }
            other => Error::new(ErrorKind::Configuration, other.to_string()).maybe_help(hint),
        }
    }
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        Error::new(ErrorKind::Io, error.to_string())
    }
}

impl From<SelectorParseError> for Error {
    fn from(error: SelectorParseError) -> Self {
        Error::new(ErrorKind::Usage, error.to_string()).help(error.hint())
    }
}

impl From<SelectError> for Error {
    fn from(error: SelectError) -> Self {
        let mut converted = Error::new(ErrorKind::Selector, error.to_string());
        for candidate in error.candidates() {
            converted = converted.help(format!("`{}`  {}", candidate.id, candidate.title));
        }
        converted.maybe_help(error.hint())
    }
}

impl From<UnknownRevisions> for Error {
    fn from(error: UnknownRevisions) -> Self {
        Error::new(ErrorKind::Drift, error.to_string()).help(error.hint())
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Select(error) => error.into(),
            PlanError::Unknown(error) => error.into(),
            other => Error::new(ErrorKind::Selector, other.to_string()).maybe_help(other.hint()),
        }
    }
}

impl From<runner_database::UrlError> for Error {
    fn from(error: runner_database::UrlError) -> Self {
        Error::new(ErrorKind::Configuration, error.message).maybe_help(error.hint)
    }
}

impl From<runner_database::Error> for Error {
    fn from(error: runner_database::Error) -> Self {
        use runner_database::Error as Database;
        let kind = match &error {
            Database::Locked { .. } | Database::Busy { .. } => ErrorKind::Locked,
            Database::Unsupported { .. } | Database::InvalidOption { .. } => ErrorKind::Configuration,
            Database::Statement(_) => ErrorKind::Statement,
            Database::Dirty { .. } | Database::Concurrent { .. } => ErrorKind::Drift,
            Database::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Database,
        };
        let message = match kind {
            // Who holds the lock says so themselves.
            ErrorKind::Locked => runner_policy::printable(&error.to_string()),
            _ => error.to_string(),
        };
        Error::new(kind, message).maybe_help(error.hint())
    }
}
