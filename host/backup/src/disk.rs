//! Files and folders that only their user reads, and that are on the disk when we say so.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;

use crate::error::BackupError;

/// Makes a folder that must not exist. Nobody else may enter it, from the beginning.
pub(crate) fn make_folder(path: &Path) -> Result<(), BackupError> {
    private_folder().create(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists { path: path.to_owned() },
        _ => BackupError::io("make the folder", path, error),
    })
}

/// Makes a folder and those that it is in, as far as they are missing.
pub(crate) fn make_folders(path: &Path) -> Result<(), BackupError> {
    private_folder().recursive(true).create(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            BackupError::NotAFolder { path: path.to_owned() }
        }
        _ => BackupError::io("make the folder", path, error),
    })
}

fn private_folder() -> fs::DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "permissions are a thing of unix"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
}

/// How files are opened that only their user may read.
pub(crate) fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a file that must not exist.
pub(crate) fn create(path: &Path) -> Result<File, BackupError> {
    private_file().create_new(true).open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists { path: path.to_owned() },
        _ => BackupError::io("write", path, error),
    })
}

/// Writes a file that must not exist. It is on the disk when this returns.
pub(crate) fn write_new(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    fill(create(path)?, path, content)
}

/// Writes all there is to an open file. It is on the disk when this returns.
pub(crate) fn fill(mut file: File, path: &Path, content: &[u8]) -> Result<(), BackupError> {
    let written = file.write_all(content).and_then(|()| file.sync_all());
    written.map_err(|error| BackupError::io("write", path, error))
}

/// What a folder says about its entries is on the disk when this returns.
pub(crate) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    #[cfg(unix)]
    {
        let synced = File::open(path).and_then(|folder| folder.sync_all());
        match synced {
            // Some file systems do not know this for folders; there is nothing that could be done instead.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            synced => synced.map_err(|error| BackupError::io("sync", path, error))?,
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Renames without ever replacing what has the new name.
///
/// # Errors
/// [`BackupError::Exists`] if there is something of the new name.
pub(crate) fn rename_new(from: &Path, to: &Path) -> Result<(), BackupError> {
    match rename_exclusively(from, to) {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty) => {
            Err(BackupError::Exists { path: to.to_owned() })
        }
        Err(error) => Err(BackupError::io("rename to the final name", from, error)),
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_exclusively(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::CWD;
    use rustix::fs::RenameFlags;
    use rustix::io::Errno;

    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // Not every file system, and no old kernel, can do it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_if_absent(from, to),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_exclusively(from: &Path, to: &Path) -> io::Result<()> {
    rename_if_absent(from, to)
}

/// What comes between the look and the renaming is another process that does not hold the folder's lock. A folder with
/// something in it is not replaced even then.
fn rename_if_absent(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// Removes a folder with all that is in it; that somebody else does so at the same time is no error.
pub(crate) fn remove_folder(path: &Path) -> Result<(), BackupError> {
    loop {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // What was missing may have been something inside.
                if fs::symlink_metadata(path).is_err() {
                    return Ok(());
                }
            }
            Err(error) => return Err(BackupError::io("remove", path, error)),
        }
    }
}

/// Opens what must be a file. A pipe would wait for somebody who writes into it.
pub(crate) fn open(path: &Path) -> io::Result<(File, u64)> {
    let is_file =
        |found: &fs::Metadata| if found.is_file() { Ok(()) } else { Err(io::Error::other("it is not a file")) };
    is_file(&fs::symlink_metadata(path)?)?;
    let file = File::open(path)?;
    let found = file.metadata()?;
    is_file(&found)?;
    Ok((file, found.len()))
}

/// Reads a file of at most so many bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, length) = open(path)?;
    let mut content = Vec::new();
    if length <= limit {
        file.take(limit + 1).read_to_end(&mut content)?;
    }
    if length > limit || content.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renaming_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("new")).unwrap();
        for (rename, taken) in
            [(rename_new as fn(&Path, &Path) -> _, "empty"), (rename_new, "full"), (rename_new, "file")]
        {
            match taken {
                "file" => fs::write(path(taken), "").unwrap(),
                _ => fs::create_dir(path(taken)).unwrap(),
            }
            if taken == "full" {
                fs::write(path("full/x"), "").unwrap();
            }
            let refused = rename(&path("new"), &path(taken));
            assert!(matches!(refused, Err(BackupError::Exists { .. })), "{taken}: {refused:?}");
            let refused = rename_if_absent(&path("new"), &path(taken)).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        }
        rename_new(&path("new"), &path("free")).unwrap();
        rename_if_absent(&path("free"), &path("other")).unwrap();
        assert!(path("other").is_dir() && !path("new").exists() && !path("free").exists());
    }

    #[test]
    fn only_files_of_a_reasonable_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(read(&path, 4).unwrap_err().to_string().contains("more than 4 bytes"));
        assert!(read(folder.path(), 4).unwrap_err().to_string().contains("not a file"));
    }
}
