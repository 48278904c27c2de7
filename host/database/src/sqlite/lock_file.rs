//! The lock of a SQLite database: a file next to it, held by a lock of the operating system that dies with the process.
//! Its text says who holds it; left behind by a killed process it means nothing.

use std::ffi::OsString;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::lock::Holder;

const SUFFIX: &str = "-runner-lock";

/// More than any holder's text; a lock file of another kind is not read to its end.
const MOST_BYTES: u64 = 64 * 1024;
/// How often the name of the holder is looked for, and how long between.
const NAME_READINGS: usize = 10;
const NAME_PAUSE: Duration = Duration::from_millis(2);

/// The lock, while it is held. Dropping it removes the file and then releases the lock.
#[derive(Debug)]
pub(super) struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// The lock file of a database.
    pub(super) fn path_of(database: &Path) -> PathBuf {
        let mut path = OsString::from(database);
        path.push(SUFFIX);
        PathBuf::from(path)
    }

    /// Tries once: the lock, or who holds it.
    pub(super) fn try_acquire(database: &Path, me: &Holder) -> io::Result<Result<Self, Option<Holder>>> {
        let path = Self::path_of(database);
        loop {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(Err(read_holder(&mut file))),
                Err(TryLockError::Error(error)) => return Err(error),
                // The holder before may have removed the file between our opening and locking it.
                Ok(()) if !is_same_file(&file, &path) => continue,
                Ok(()) => {}
            }
            let mut lock = Self { file, path };
            lock.write_holder(me)?;
            return Ok(Ok(lock));
        }
    }

    /// Who holds the lock of a database now, if somebody does.
    pub(super) fn holder(database: &Path) -> Option<Holder> {
        let mut file = File::open(Self::path_of(database)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_holder(&mut file),
            _ => None,
        }
    }

    /// Removes what a killed process left behind, unless somebody holds it now.
    pub(super) fn sweep(database: &Path) {
        let path = Self::path_of(database);
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { return };
        if file.try_lock().is_ok() {
            // Removed like a lock of our own.
            drop(Self { file, path });
        }
    }

    fn write_holder(&mut self, me: &Holder) -> io::Result<()> {
        let text = serde_json::to_vec(me).map_err(io::Error::other)?;
        self.file.set_len(0)?;
        self.file.write_all(&text)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while the lock is still held: nobody else can have it under this name, so nobody else's is removed.
        if is_same_file(&self.file, &self.path)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(path = %self.path.display(), %error, "the lock file could not be removed");
        }
    }
}

/// Who holds a locked file. Whoever has just taken it has not written its name yet, but will in a moment.
fn read_holder(file: &mut File) -> Option<Holder> {
    for _ in 0..NAME_READINGS {
        let mut text = Vec::new();
        file.rewind().ok()?;
        file.take(MOST_BYTES).read_to_end(&mut text).ok()?;
        if let Ok(holder) = serde_json::from_slice(&text) {
            return Some(holder);
        }
        std::thread::sleep(NAME_PAUSE);
    }
    None
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &Path) -> bool {
    // A file that is open cannot be replaced on such systems.
    path.exists()
}
