//! Locks that end with the process that holds them.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;

use crate::disk;
use crate::error::BackupError;

/// The file in a folder of backups that is locked for the moments in which something there begins, ends or is swept away.
const FOLDER_LOCK: &str = ".lock";
/// The file in an unfinished backup that is locked as long as its writer lives.
pub(crate) const WRITER_LOCK: &str = "lock";

/// A lock that is held. Dropping it lets it go.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Who writes an unfinished backup.
#[derive(Debug)]
pub(crate) enum Writer {
    /// A process that lives.
    Alive,
    /// Nobody any more.
    Dead,
}

impl Lock {
    /// Waits for the lock of a folder of backups. It is held for moments only: between making the folder of an unfinished
    /// backup and locking the file in it, and between removing that file and giving the folder its name, nothing else tells a
    /// living writer from a dead one.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(FOLDER_LOCK);
        let file = disk::private_file().create(true).truncate(false).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map(|file| Lock { _file: file }).map_err(|error| BackupError::io("lock", &path, error))
    }

    /// Says in the folder of an unfinished backup that its writer lives.
    pub(crate) fn of_writer(partial: &Path) -> Result<Self, BackupError> {
        let path = partial.join(WRITER_LOCK);
        let file = disk::create(&path)?;
        file.lock().map_err(|error| BackupError::io("lock", &path, error))?;
        Ok(Lock { _file: file })
    }
}

/// Whether the writer of an unfinished backup lives. Whoever asks holds the lock of the folder of backups.
pub(crate) fn writer_of(partial: &Path) -> Result<Writer, BackupError> {
    let path = partial.join(WRITER_LOCK);
    let failed = |error| BackupError::io("lock", &path, error);
    // Opened for writing, because some file systems lock only what can be written.
    let file = match disk::private_file().open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Writer::Dead),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Writer::Dead),
        Err(TryLockError::WouldBlock) => Ok(Writer::Alive),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
