//! Capabilities that an operator gives to a plugin. What is not granted does not exist for it.

use std::path::PathBuf;

/// A folder that a plugin may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadGrant {
    /// Where it is.
    pub path: PathBuf,
    /// The name under which the plugin sees it: as the configuration writes it.
    pub name: String,
}

/// What a plugin is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Names of variables of the process environment.
    pub env: Vec<String>,
    /// Folders, read-only.
    pub read: Vec<ReadGrant>,
}
