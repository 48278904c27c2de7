//! The chain file of a project: it lies beside the revision files of the first folder, and is kept wherever it is.

use std::io;
use std::path::PathBuf;

use runner_chain::CHAIN_FILE;
use runner_chain::Chain;
use runner_chain::ChainFile;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Where it is, or would be, and how messages name it.
pub(crate) fn place(config: &Config) -> Option<(PathBuf, String)> {
    let location = config.migrations.first()?;
    Some((location.path.join(CHAIN_FILE), location.file(CHAIN_FILE)))
}

/// What it says; `None`: the project has none.
///
/// # Errors
/// It is there and can't be read.
pub(crate) fn read(config: &Config) -> Result<Option<ChainFile>> {
    let Some((path, shown)) = place(config) else { return Ok(None) };
    match std::fs::read(path) {
        Ok(text) => Ok(Some(ChainFile::parse(&String::from_utf8_lossy(&text)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(ErrorKind::Io, format!("failed to read `{shown}`: {error}"))),
    }
}

/// Brings it up to date, if the project has one.
///
/// # Errors
/// It can't be read or written.
pub(crate) fn update(config: &Config, chain: &Chain) -> Result<()> {
    match read(config)? {
        Some(file) => write(config, chain, &file).map(drop),
        None => Ok(()),
    }
}

/// Writes it for a chain, on from what it was. `false`: it is so already.
///
/// # Errors
/// It can't be written.
pub(crate) fn write(config: &Config, chain: &Chain, was: &ChainFile) -> Result<bool> {
    let Some((path, shown)) = place(config) else { return Ok(false) };
    let text = was.updated(chain).to_string();
    if std::fs::read_to_string(&path).is_ok_and(|before| before == text) {
        return Ok(false);
    }
    std::fs::write(&path, text)
        .map_err(|error| Error::new(ErrorKind::Io, format!("failed to write `{shown}`: {error}")))?;
    Ok(true)
}
