//! Removing the folder of a backup, so that nothing half removed has the name of a good one.

use std::path::Path;
use std::path::PathBuf;

use crate::disk;
use crate::error::BackupError;
use crate::name;

/// Gives the folder of a backup, finished or not, the name under which it is removed. Whoever asks holds the lock of the folder
/// of backups. The folder may be removed by anybody from then on.
pub(crate) fn hide(backups: &Path, folder: &Path, name: &str) -> Result<PathBuf, BackupError> {
    let hidden = backups.join(name::removed(name));
    if hidden.symlink_metadata().is_ok() {
        disk::remove_folder(&hidden)?;
    }
    disk::rename_new(folder, &hidden)?;
    disk::sync_folder(backups)?;
    Ok(hidden)
}
