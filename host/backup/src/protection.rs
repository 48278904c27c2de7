//! For whom a backup is encrypted.

use std::fmt;
use std::str::FromStr;

use age::secrecy::ExposeSecret as _;
use age::secrecy::SecretString;

use crate::error::BackupError;
use crate::manifest::Encryption;
use crate::manifest::EncryptionKind;

/// Somebody who can decrypt: the public half of a key of age, `age1…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(pub(crate) age::x25519::Recipient);

impl FromStr for Recipient {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<Self, BackupError> {
        let text = text.trim();
        let shown = Some(text.to_owned());
        let begins = |start: &str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        let (shown, why) = if begins("AGE-SECRET-KEY") {
            (None, "this is the secret half, which belongs to whoever decrypts")
        } else if begins("ssh-") {
            (shown, "keys of SSH are not supported")
        } else if begins("age1") {
            match text.parse() {
                Ok(recipient) => return Ok(Recipient(recipient)),
                // What plugins and hardware keys have begins so, too, and goes on with a name and another `1`.
                Err(_) if text[4..].contains('1') => (shown, "only keys of X25519 are supported"),
                Err(_) => (shown, "it is cut off, or has a wrong character"),
            }
        } else {
            // It may be a passphrase, or a secret of something else.
            (None, "it does not begin with `age1`")
        };
        Err(BackupError::Recipient { shown, why })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

/// A text that encrypts and decrypts. `Debug` does not show it, and its memory is cleared.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Wraps a text, which is taken as it is.
    ///
    /// # Errors
    /// [`BackupError::EmptyPassphrase`].
    pub fn new(text: impl Into<String>) -> Result<Self, BackupError> {
        let text = SecretString::from(text.into());
        if text.expose_secret().is_empty() { Err(BackupError::EmptyPassphrase) } else { Ok(Passphrase(text)) }
    }

    pub(crate) fn secret(&self) -> SecretString {
        self.0.clone()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// For whom a backup is encrypted.
#[derive(Debug, Clone, Default)]
pub enum Protection {
    /// It is not encrypted: whoever can read its files can read what is in it.
    #[default]
    None,
    /// For everybody who has the secret half of one of these.
    Recipients(Vec<Recipient>),
    /// For everybody who knows a passphrase. Each member has a key of its own, and deriving one takes a moment.
    Passphrase(Passphrase),
}

impl Protection {
    /// As the manifest says it.
    pub fn encryption(&self) -> Encryption {
        match self {
            Self::None => Encryption { kind: EncryptionKind::None, recipients: Vec::new() },
            Self::Recipients(recipients) => Encryption {
                kind: EncryptionKind::Recipients,
                recipients: recipients.iter().map(ToString::to_string).collect(),
            },
            Self::Passphrase(_) => Encryption { kind: EncryptionKind::Passphrase, recipients: Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

    #[test]
    fn recipients_are_read() {
        let recipient: Recipient = format!(" {PUBLIC}\n").parse().unwrap();
        assert_eq!(recipient.to_string(), PUBLIC);
        for (text, expected) in [
            (&PUBLIC[..40], "it is cut off"),
            (&PUBLIC.replace('7', "8"), "it is cut off"),
            ("age1yubikey1q2w3e4r", "only keys of X25519"),
            ("ssh-ed25519 AAAA", "keys of SSH"),
        ] {
            let error = text.parse::<Recipient>().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        for text in [SECRET, &SECRET.to_lowercase(), "correct-or-not horse"] {
            let error = text.parse::<Recipient>().unwrap_err();
            let shown = format!("{error} {error:?} {:?}", error.hint());
            assert!(!shown.contains(&text[15..]) && !shown.contains("horse"), "{shown}");
        }
        let protection = Protection::Passphrase(Passphrase::new("correct horse").unwrap());
        assert_eq!(format!("{protection:?}"), "Passphrase(Passphrase(…))");
        assert!(matches!(Passphrase::new(""), Err(BackupError::EmptyPassphrase)));
    }
}
