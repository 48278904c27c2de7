//! What was fetched from registries, kept on disk under its digest, so that runs need no network.
//!
//! A file's name is the digest of its bytes, and every read compares the two. So the folder need not be trusted: whoever
//! writes to it can take files away, and can't put others in their place.

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::PathBuf;

use crate::Digest;
use crate::cache::make_private;
use crate::component::LARGEST;

/// A folder of files named by their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// Why a file of the store can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It was never fetched.
    #[error("{digest} is not in the store")]
    Missing {
        /// What was looked for.
        digest: Digest,
    },
    /// Its bytes are not what its name says.
    #[error("`{path}` in the store is damaged: its content is {actual}")]
    Damaged {
        /// The file.
        path: String,
        /// What it holds instead.
        actual: Digest,
    },
    /// The system does not let us.
    #[error("the store `{path}` can't be used: {reason}")]
    Unusable {
        /// The file or folder.
        path: String,
        /// What the system says.
        reason: String,
    },
}

impl Store {
    /// A store in this folder, which is made when something is written.
    pub fn new(folder: PathBuf) -> Self {
        Store { folder }
    }

    /// The user's store: `RUNNER_STORE_DIR` if given, else `runner/store` in the system's place for data. `None`: the system
    /// has no such place, and no absolute path was given.
    pub fn of_user(configured: Option<PathBuf>) -> Option<Self> {
        let folder = configured.or_else(|| dirs::data_dir().map(|folder| folder.join("runner").join("store")))?;
        folder.is_absolute().then(|| Store::new(folder))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("sha256-{}", digest.hexadecimal()))
    }

    /// Whether there is a file with this name. Whether it holds what it should is found out by reading it.
    pub fn holds(&self, digest: &Digest) -> bool {
        fs::symlink_metadata(self.path(digest)).is_ok()
    }

    /// The file with this digest.
    ///
    /// # Errors
    /// It is not there, holds something else, is larger than any component may be, or can't be read.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path(digest);
        let unusable =
            |reason: String| StoreError::Unusable { path: crate::printable(&path.display().to_string()), reason };
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Missing { digest: *digest });
            }
            metadata => metadata.map_err(|error| unusable(error.to_string()))?,
        };
        if !metadata.is_file() {
            return Err(unusable("it is not a regular file".to_owned()));
        }
        let mut content = Vec::new();
        let file = fs::File::open(&path).map_err(|error| unusable(error.to_string()))?;
        file.take(LARGEST + 1).read_to_end(&mut content).map_err(|error| unusable(error.to_string()))?;
        if content.len() as u64 > LARGEST {
            return Err(unusable(format!("it is larger than {}", crate::limits::bytes(LARGEST))));
        }
        let actual = Digest::of(&content);
        if actual == *digest {
            Ok(content)
        } else {
            Err(StoreError::Damaged { path: crate::printable(&path.display().to_string()), actual })
        }
    }

    /// Keeps a file, and takes the place of a damaged one. No other process ever sees a part of it.
    ///
    /// # Errors
    /// The folder can't be made, belongs to another user, may be written to by others, or is full.
    pub fn write(&self, content: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        let unusable = |reason: String| StoreError::Unusable {
            path: crate::printable(&self.folder.display().to_string()),
            reason,
        };
        make_private(&self.folder).map_err(unusable)?;
        let put = || {
            let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            file.persist(self.path(&digest)).map_err(|error| error.error).map(drop)
        };
        put().map_err(|error: io::Error| unusable(error.to_string()))?;
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_under_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("deep/store"));
        let digest = Digest::of(b"content");
        assert!(matches!(store.read(&digest), Err(StoreError::Missing { .. })));
        assert_eq!(store.write(b"content").unwrap(), digest);
        assert_eq!(store.read(&digest).unwrap(), b"content");
        assert_eq!(store.write(b"content").unwrap(), digest, "twice is no error");
    }

    #[test]
    fn what_was_changed_is_noticed_and_can_be_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("store"));
        let digest = store.write(b"content").unwrap();
        for damage in [&b"contenT"[..], b"", b"content and more"] {
            fs::write(store.path(&digest), damage).unwrap();
            let error = store.read(&digest).unwrap_err();
            assert!(matches!(&error, StoreError::Damaged { actual, .. } if *actual == Digest::of(damage)), "{error}");
        }
        store.write(b"content").unwrap();
        assert_eq!(store.read(&digest).unwrap(), b"content");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_or_folder_in_place_of_a_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("store"));
        let digest = store.write(b"content").unwrap();
        fs::rename(store.path(&digest), folder.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), store.path(&digest)).unwrap();
        assert!(matches!(store.read(&digest), Err(StoreError::Unusable { .. })));
        fs::remove_file(store.path(&digest)).unwrap();
        fs::create_dir(store.path(&digest)).unwrap();
        assert!(matches!(store.read(&digest), Err(StoreError::Unusable { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_to_is_not_written_to() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("store"));
        store.write(b"content").unwrap();
        fs::set_permissions(&store.folder, fs::Permissions::from_mode(0o777)).unwrap();
        let error = store.write(b"more").unwrap_err().to_string();
        assert!(error.contains("others may write to it"), "{error}");
        // What is read is checked in any case.
        assert_eq!(store.read(&Digest::of(b"content")).unwrap(), b"content");
    }
}
