//! Backups: what of a target is saved, how it gets into a backup and back, and how that is proved.

pub(crate) mod affected;
pub(crate) mod drilling;
pub(crate) mod forecast;
pub(crate) mod keys;
pub(crate) mod making;
mod programs;
pub(crate) mod refilling;
pub(crate) mod restoring;
mod rows;
mod script;
pub(crate) mod verifying;
pub(crate) mod whole;

use runner_backup::BackupError;

use crate::error::Error;
use crate::error::ErrorKind;

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        let kind = match &error {
            BackupError::Name { .. } => ErrorKind::Usage,
            BackupError::Recipient { .. } | BackupError::Identity { .. } | BackupError::NoIdentity => {
                ErrorKind::Configuration
            }
            _ => ErrorKind::Backup,
        };
        let hint = error.hint();
        let mut message = error.to_string();
        if let Some(cause) = std::error::Error::source(&error).map(ToString::to_string)
            && !message.contains(&cause)
        {
            message = format!("{message}: {cause}");
        }
        Error::new(kind, message).maybe_help(hint)
    }
}
