//! Why something about a backup was not done.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use strsim::osa_distance;

use crate::damage::Damage;
use crate::name::LONGEST_NAME;

/// Why something about a backup was not done. No text of it shows a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// This is no name of a backup.
    #[error("`{}` cannot be the name of a backup: it {why}", name.escape_debug())]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it, as in `is empty`.
        why: &'static str,
    },
    /// There is no such backup.
    #[error("there is no backup `{name}` in `{}`", folder.display())]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The folder of backups.
        folder: PathBuf,
        /// Names of the backups that are there, newest first.
        known: Vec<String>,
    },
    /// There is a backup, or something else, of this name.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Another process is writing a backup of this name.
    #[error("the backup `{name}` is being written by another process")]
    Busy {
        /// The name.
        name: String,
    },
    /// The folder of backups is something else.
    #[error("`{}` is not a folder", path.display())]
    NotAFolder {
        /// What is there.
        path: PathBuf,
    },
    /// A backup is not as it was written.
    #[error("the backup `{name}` is damaged: {damage}")]
    Damaged {
        /// The backup.
        name: String,
        /// What is wrong first.
        damage: Damage,
    },
    /// A backup has a format that this version does not know.
    #[error("the backup `{name}` was made by a newer runner: it has format {format}")]
    Newer {
        /// The backup.
        name: String,
        /// Its format.
        format: u64,
    },
    /// A backup has no such member.
    #[error("the backup `{name}` has no member `{file}`")]
    NoMember {
        /// The backup.
        name: String,
        /// The file that was asked for.
        file: String,
    },
    /// A stored file has not the length that the manifest says.
    #[error("`{}` has {found} bytes where {expected} were written", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes according to the manifest.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The bytes of a stored file are not those that were written.
    #[error("`{}` was changed after it was written", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// A file is what was written, and yet it can't be decrypted or decompressed.
    #[error("`{}` cannot be decoded: {why}", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        why: String,
    },
    /// A backup is encrypted with a passphrase, and none was given.
    #[error("`{}` is encrypted with a passphrase, and none was given", path.display())]
    PassphraseNeeded {
        /// The file.
        path: PathBuf,
    },
    /// A backup is encrypted for recipients, and no identity was given.
    #[error("`{}` is encrypted for recipients, and no identity was given", path.display())]
    IdentityNeeded {
        /// The file.
        path: PathBuf,
        /// For whom it is encrypted.
        recipients: Vec<String>,
    },
    /// The passphrase is another one.
    #[error("the passphrase is not the one that `{}` was encrypted with", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// None of the identities belongs to a recipient.
    #[error("none of the identities can decrypt `{}`", path.display())]
    WrongIdentity {
        /// The file.
        path: PathBuf,
        /// For whom it is encrypted.
        recipients: Vec<String>,
    },
    /// A passphrase asks for more work than is reasonable.
    #[error("`{}` asks for a work factor of {required} to derive its key", path.display())]
    TooMuchWork {
        /// The file.
        path: PathBuf,
        /// The base-2 logarithm of scrypt's `N`.
        required: u8,
    },
    /// This is no recipient. A text that may be a secret is not shown.
    #[error("{}is not a recipient of age: {why}", shown.as_ref().map(|text| format!("`{}` ", text.escape_debug())).unwrap_or_default())]
    Recipient {
        /// The text, unless it may be a secret.
        shown: Option<String>,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An identity file has something else in it. The line itself is not shown.
    #[error("line {line} of the identities {why}")]
    Identity {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An identity file holds no identity.
    #[error("there is no identity in the text of identities")]
    NoIdentity,
    /// A passphrase is empty.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// Encryption is asked for without anybody who can decrypt.
    #[error("a backup for recipients needs at least one recipient")]
    NoRecipients,
    /// A key can't be made.
    #[error("`{}` cannot be encrypted: {why}", path.display())]
    Encryption {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A backup is to be finished while one of its members is still being written.
    #[error("{open} members of the backup `{name}` are not finished")]
    Unfinished {
        /// The backup.
        name: String,
        /// How many.
        open: usize,
    },
    /// The manifest speaks of a member that was not written.
    #[error("table `{table}` is said to be in `{file}`, which is no member of the backup `{name}`")]
    UnknownMember {
        /// The backup.
        name: String,
        /// The table.
        table: String,
        /// The file.
        file: String,
    },
    /// What is written belongs to a backup that is finished or given up.
    #[error("`{}` is written to after its backup was finished or given up", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// There is no room left.
    #[error("there is no room left to write `{}`", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses something else.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as in `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl BackupError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Name { .. } => {
                return Some(format!(
                    "a name has 1 to {LONGEST_NAME} letters of ASCII, digits, `.`, `_` and `-`, and begins with a letter, a digit or `_`"
                ));
            }
            Self::Unknown { name, known, .. } => return unknown_hint(name, known),
            Self::Exists { .. } => "choose another name, or remove what is there",
            Self::Busy { .. } => "wait until it is finished, or choose another name",
            Self::NotAFolder { .. } => "give the folder that the backups are in",
            Self::Damaged { damage, .. } => return damage.hint(),
            Self::Newer { .. } => "read it with the version that made it, or a newer one",
            Self::NoMember { .. } => "the manifest lists the members",
            Self::Length { .. } | Self::Altered { .. } => {
                "do not restore from it; take another backup, or another copy of this one"
            }
            Self::Undecodable { .. } => "it was written like this: take another backup",
            Self::PassphraseNeeded { .. } => "give the passphrase that the backup was made with",
            Self::IdentityNeeded { recipients, .. } | Self::WrongIdentity { recipients, .. } => {
                return Some(format!("give the identity file that belongs to {}", list(recipients)));
            }
            Self::WrongPassphrase { .. } => {
                "check for blanks and line breaks at its end; nothing but the passphrase decrypts it"
            }
            Self::TooMuchWork { .. } => "`age -d` decrypts it, if it is trusted",
            Self::Recipient { .. } => "a recipient begins with `age1`, as `age-keygen` prints it",
            Self::Identity { .. } | Self::NoIdentity => {
                "an identity is a line that begins with `AGE-SECRET-KEY-1`, as `age-keygen` writes it"
            }
            Self::Full { .. } => {
                "make room, raise the quota, or keep backups in another file system; nothing of this backup is kept"
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "check who owns it and what its permissions are"
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                "keep backups in a file system that can be written"
            }
            Self::EmptyPassphrase
            | Self::NoRecipients
            | Self::Encryption { .. }
            | Self::Unfinished { .. }
            | Self::UnknownMember { .. }
            | Self::Closed { .. }
            | Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// The error of this crate that an error of reading or writing a member carries.
    pub fn of_io(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }

    /// What the system says about a path. An error of this crate that is carried stays as it is.
    pub(crate) fn io(action: &'static str, path: &Path, error: io::Error) -> Self {
        let source = match error.downcast::<Self>() {
            Ok(own) => return own,
            Err(error) => error,
        };
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full { path, source }
            }
            _ => Self::Io { action, path, source },
        }
    }

    /// As an error of reading or writing, which carries this one.
    pub(crate) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Full { source, .. } | Self::Io { source, .. } => source.kind(),
            Self::Length { .. } | Self::Altered { .. } | Self::Undecodable { .. } => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }
}

/// The name that was probably meant, or the newest ones that are there.
fn unknown_hint(name: &str, known: &[String]) -> Option<String> {
    const SHOWN: usize = 5;
    let distance = |other: &String| osa_distance(&name.to_ascii_lowercase(), &other.to_ascii_lowercase());
    let close = (name.chars().count() / 3).max(1);
    if let Some(nearest) = known.iter().filter(|other| distance(other) <= close).min_by_key(|other| distance(other)) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    match known {
        [] => Some("there is no backup at all".to_owned()),
        [only] => Some(format!("the only one is `{only}`")),
        _ if known.len() <= SHOWN => Some(format!("there are {}", list(known))),
        _ => Some(format!("there are {} and {} more", list(&known[..SHOWN]), known.len() - SHOWN)),
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str, known: &[&str]) -> String {
        let known = known.iter().map(|&name| name.to_owned()).collect();
        BackupError::Unknown { name: name.to_owned(), folder: PathBuf::from("b"), known }.hint().unwrap()
    }

    #[test]
    fn a_name_that_was_meant_is_found() {
        assert_eq!(unknown("before-2o", &["after-9", "before-20"]), "did you mean `before-20`?");
        assert_eq!(unknown("nightly", &["a", "b"]), "there are `a`, `b`");
        assert_eq!(unknown("nightly", &["a"]), "the only one is `a`");
        assert_eq!(
            unknown("nightly", &["a", "b", "c", "d", "e", "f", "g"]),
            "there are `a`, `b`, `c`, `d`, `e` and 2 more"
        );
        assert_eq!(unknown("nightly", &[]), "there is no backup at all");
    }

    #[test]
    fn a_full_disk_and_a_quota_are_errors_of_their_own() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
            let error = BackupError::io("write", Path::new("b/x"), io::Error::from(kind));
            assert!(matches!(error, BackupError::Full { .. }), "{error:?}");
            assert_eq!(error.to_string(), "there is no room left to write `b/x`");
            assert!(error.hint().unwrap().contains("quota"));
            let carried = error.into_io();
            assert_eq!(carried.kind(), kind);
            assert!(matches!(BackupError::of_io(&carried), Some(BackupError::Full { .. })));
            assert!(matches!(BackupError::io("read", Path::new("y"), carried), BackupError::Full { .. }));
        }
    }
}
