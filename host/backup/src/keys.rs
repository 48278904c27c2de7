//! What decrypts.

use std::fmt;

use crate::error::BackupError;
use crate::protection::Passphrase;

/// What decrypts: identities, a passphrase, both or nothing. `Debug` shows how many, and nothing of them.
#[derive(Clone, Default)]
pub struct Keys {
    identities: Vec<age::x25519::Identity>,
    passphrase: Option<Passphrase>,
}

impl Keys {
    /// Nothing: reads what is not encrypted.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the identities of an identity file, as `age-keygen` writes it: a line each, beside empty lines and comments.
    ///
    /// # Errors
    /// [`BackupError::Identity`] with the line that is something else, or [`BackupError::NoIdentity`].
    pub fn with_identities(mut self, text: &str) -> Result<Self, BackupError> {
        let before = self.identities.len();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.parse() {
                Ok(identity) => self.identities.push(identity),
                Err(_) => return Err(BackupError::Identity { line: number + 1, why: wrong(line) }),
            }
        }
        if self.identities.len() == before { Err(BackupError::NoIdentity) } else { Ok(self) }
    }

    /// Adds a passphrase.
    #[must_use]
    pub fn with_passphrase(mut self, passphrase: Passphrase) -> Self {
        self.passphrase = Some(passphrase);
        self
    }

    pub(crate) fn identities(&self) -> &[age::x25519::Identity] {
        &self.identities
    }

    pub(crate) fn passphrase(&self) -> Option<&Passphrase> {
        self.passphrase.as_ref()
    }
}

/// What a line is that is no identity. It may be a secret of something else.
fn wrong(line: &str) -> &'static str {
    let begins = |start: &str| line.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    if begins("age1") {
        "is a recipient, the public half, which does not decrypt"
    } else if begins("age-encryption.org/") || begins("-----BEGIN AGE") {
        "belongs to an encrypted file: decrypt the identity file with `age -d` first"
    } else if begins("AGE-PLUGIN-") {
        "is an identity of a plugin, which is not supported"
    } else if begins("-----BEGIN") {
        "belongs to a key of something else than age"
    } else if begins("AGE-SECRET-KEY-1") {
        "is an identity that is cut off, or has a wrong character"
    } else {
        "is no identity of age"
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passphrases = usize::from(self.passphrase.is_some());
        f.debug_struct("Keys").field("identities", &self.identities.len()).field("passphrases", &passphrases).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

    #[test]
    fn identity_files_are_read() {
        let text = format!("# created: 2026-01-31\r\n# public key: age1…\r\n\r\n{SECRET}\r\n  {SECRET}  ");
        let keys = Keys::none().with_identities(&text).unwrap();
        assert_eq!(format!("{keys:?}"), "Keys { identities: 2, passphrases: 0 }");
        let keys = keys.with_passphrase(Passphrase::new("x").unwrap());
        assert_eq!(format!("{keys:?}"), "Keys { identities: 2, passphrases: 1 }");
        assert!(matches!(Keys::none().with_identities("# none\n"), Err(BackupError::NoIdentity)));
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        for (line, expected) in [
            (&SECRET[..50], "cut off"),
            ("age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa", "is a recipient"),
            ("age-encryption.org/v1 SECRET", "belongs to an encrypted file"),
            ("AGE-PLUGIN-YUBIKEY-1SECRET", "of a plugin"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "something else than age"),
            ("hunter2-SECRET", "no identity of age"),
        ] {
            let error = Keys::none().with_identities(&format!("# x\n{line}\n")).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.starts_with("line 2 ") && shown.contains(expected), "{shown}");
            assert!(!shown.contains(&line[12..]) && !shown.contains("hunter2"), "{shown}");
        }
    }
}
