//! What is wrong with a backup.

/// One thing that is wrong with a backup. Files are named without the folder that they are in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A file that belongs to it is not there.
    #[error("`{file}` is missing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file does not belong to it.
    #[error("`{file}` does not belong to it")]
    Extra {
        /// The file.
        file: String,
    },
    /// A file has another length.
    #[error("`{file}` has {found} bytes where {expected} were written")]
    Length {
        /// The file.
        file: String,
        /// Bytes according to the manifest.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The bytes of a file are not those that `SHA256SUMS` speaks of.
    #[error("`{file}` was changed after it was written")]
    Altered {
        /// The file.
        file: String,
    },
    /// A file is not written as it should be.
    #[error("`{file}` is wrong: {why}")]
    Wrong {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two of its files say different things.
    #[error("`{file}` is contradicted: {why}")]
    Contradiction {
        /// The file that says it.
        file: String,
        /// What contradicts it.
        why: String,
    },
    /// Its folder has another name than it has.
    #[error("it is called `{}`, and its folder `{folder}`", name.escape_debug())]
    Renamed {
        /// What the manifest says.
        name: String,
        /// The name of the folder.
        folder: String,
    },
    /// A file can't be read.
    #[error("`{file}` cannot be read: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// The format is one that this version does not know.
    #[error("it was made by a newer runner: it has format {format}")]
    Newer {
        /// The format.
        format: u64,
    },
}

impl Damage {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Newer { .. } => "read it with the version that made it, or a newer one",
            Self::Extra { .. } => "nothing but the backup's own files belongs into its folder",
            Self::Unreadable { .. } => "check who owns it and what its permissions are",
            Self::Renamed { .. } => "give the folder the name that the backup has",
            _ => "do not restore from it; take another backup, or another copy of this one",
        };
        Some(hint.to_owned())
    }
}
