//! Reading and replacing revision files.

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use runner_chain::Revision;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Where the file of a revision is. A link is left alone: what it leads to may belong to somebody else.
pub(crate) fn path(config: &Config, revision: &Revision) -> Result<PathBuf> {
    let path = config.file(revision);
    let about = fs::symlink_metadata(&path).map_err(|error| failed("read", &revision.file, &error))?;
    if about.is_file() {
        return Ok(path);
    }
    Err(Error::new(ErrorKind::Usage, format!("`{}` is a link, and only files are rewritten", revision.file)))
}

/// The text of the file, which must still be the one that was read with the chain.
pub(crate) fn read(path: &Path, revision: &Revision) -> Result<String> {
    let text = fs::read_to_string(path).map_err(|error| failed("read", &revision.file, &error))?;
    if runner_chain::normalise(&text) == runner_chain::normalise(revision.source()) {
        return Ok(text);
    }
    let message = format!("`{}` has changed meanwhile; nothing was written", revision.file);
    Err(Error::new(ErrorKind::Io, message).help("try again"))
}

/// Puts a new text in the place of a file, unless that has changed. Whoever reads it sees the old or the new text.
pub(crate) fn replace(path: &Path, before: &str, after: &str) -> Result<()> {
    let shown = path.display().to_string();
    let work = || {
        if fs::read_to_string(path)? != before {
            return Err(io::Error::other("it has changed meanwhile"));
        }
        let permissions = fs::metadata(path)?.permissions();
        let folder = path.parent().unwrap_or(Path::new("."));
        // Hidden, so that nobody takes it for a revision.
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        file.write_all(after.as_bytes())?;
        file.as_file().set_permissions(permissions)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    work().map_err(|error| failed("write", &shown, &error))
}

fn failed(what: &str, file: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("failed to {what} `{file}`: {error}"))
}
