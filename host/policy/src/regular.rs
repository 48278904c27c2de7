//! Files of others: nothing but regular files is read, and no further than it makes sense.

use std::fs;
use std::io;
use std::io::Read as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// Reads a file of at most `most` bytes; `None`: it is larger. What is looked at is what is read, so nobody can put something
/// else there in between, and nobody waits at a pipe.
///
/// # Errors
/// Why it can't be read, in words about the file.
pub(crate) fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, String> {
    let file = open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.len() > most {
        return Ok(None);
    }
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(most + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
    Ok((content.len() as u64 <= most).then_some(content))
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    fs::OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<fs::File> {
    // A folder can't be opened there, and is no regular file anyway.
    if path.is_dir() { Err(io::Error::other("it is not a regular file")) } else { fs::File::open(path) }
}

/// What whoever is in this folder calls a file: a set in a file of its own names it from its own folder.
pub(crate) fn seen_from_here(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let seen = path.strip_prefix(&here).unwrap_or(path).components();
    let seen: PathBuf = seen.filter(|part| !matches!(part, Component::CurDir)).collect();
    seen.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read;

    #[test]
    fn a_file_is_read_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5), Ok(Some(b"12345".to_vec())));
        assert_eq!(read(&path, 4), Ok(None));
        assert_eq!(read(folder.path(), 4), Err("it is not a regular file".to_owned()));
        assert_eq!(read(&folder.path().join("other"), 4), Err("there is no such file".to_owned()));
    }

    /// It says that it is empty.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_is_not_read_further_because_it_says_that_it_is_short() {
        let path = Path::new("/proc/self/status");
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
        assert_eq!(read(path, 100), Ok(None));
    }

    /// Whoever opened it the usual way would wait for somebody to write to it.
    #[cfg(unix)]
    #[test]
    fn nobody_waits_at_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read(&pipe, 100), Err("it is not a regular file".to_owned()));
    }
}
