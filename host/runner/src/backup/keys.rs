//! What encrypts backups, and what reads them.

use runner_backup::Keys;
use runner_backup::Passphrase;
use runner_backup::Protection;

use crate::config::BackupSettings;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// How new backups are protected.
pub(crate) fn protection(settings: &BackupSettings) -> Result<Protection> {
    if let Some(passphrase) = &settings.passphrase {
        return Ok(Protection::Passphrase(Passphrase::new(passphrase.reveal())?));
    }
    if settings.recipients.is_empty() {
        return Ok(Protection::None);
    }
    let parsed: std::result::Result<_, _> = settings.recipients.iter().map(|recipient| recipient.parse()).collect();
    Ok(Protection::Recipients(parsed?))
}

/// What reads backups.
pub(crate) fn keys(settings: &BackupSettings) -> Result<Keys> {
    let mut keys = Keys::none();
    if let Some(passphrase) = &settings.passphrase {
        keys = keys.with_passphrase(Passphrase::new(passphrase.reveal())?);
    }
    if let Some(path) = &settings.identity {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("the identity file `{shown}` can't be read: {error}"))
                .help("`identity` in `[backup]` names it; `age-keygen` makes one")
        })?;
        keys = keys.with_identities(&text).map_err(|error| {
            let error = Error::from(error);
            Error::new(ErrorKind::Configuration, format!("the identity file `{shown}`: {error}"))
                .maybe_help(error.hints().first())
        })?;
    }
    Ok(keys)
}
