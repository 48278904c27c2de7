//! What the commands share that work on one component in a file, or in a registry.

use std::path::Path;

use runner_policy::ComponentFile;
use runner_policy::Refusal;
use runner_policy::Store;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::pipeline::policy_host;

/// Reads a component that is to be shipped or signed, and makes sure that it is a policy.
pub(super) fn read(file: &Path) -> Result<ComponentFile> {
    ComponentFile::read(&policy_host(), file).map_err(|refusal| refused(&file.display().to_string(), &refusal))
}

/// A component that can't be used, as an error about its file or plugin.
pub(super) fn refused(name: &str, refusal: &Refusal) -> Error {
    let message = match refusal {
        Refusal::Unreadable { reason, .. } => format!("`{name}` can't be read: {reason}"),
        _ => format!("`{name}` {refusal}"),
    };
    let help = match refusal {
        Refusal::Unreadable { .. } => None,
        _ => refusal.help(name),
    };
    Error::new(ErrorKind::Configuration, runner_policy::printable(&message)).maybe_help(help)
}

/// The store, or an error that says how to have one.
pub(super) fn store() -> Result<Store> {
    crate::config::store().ok_or_else(|| {
        Error::new(ErrorKind::Configuration, "this system has no place for data, where components could be kept")
            .help("name a folder in `RUNNER_STORE_DIR`")
    })
}

/// A registry that did not do what it should.
pub(super) fn registry_failed(plugin: &str, error: &runner_registry::Error) -> Error {
    Error::new(ErrorKind::Io, format!("`{plugin}`: {error}")).maybe_help(error.help())
}
