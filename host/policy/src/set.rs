//! Plugin sets: which plugins, from where, with what settings, grants and limits.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::Digest;
use crate::Grants;
use crate::Limits;
use crate::Store;
use crate::Trust;

/// What a policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Which environments exist, what is this one, may this step run in it?
    Environment,
    /// What is wrong with this revision?
    Lint,
    /// May this plan run, for this actor, here and now?
    Gate,
    /// Who must hear of this event, and how is it worded?
    Notify,
}

impl Role {
    /// All roles, in the order in which they are asked.
    pub const ALL: [Role; 4] = [Role::Environment, Role::Lint, Role::Gate, Role::Notify];

    /// Name of the interface in the package `runner:policy`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Environment => "environment",
            Role::Lint => "lint",
            Role::Gate => "gate",
            Role::Notify => "notify",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It ships with the runner.
    Builtin(String),
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// As the configuration writes it.
        shown: String,
    },
    /// A registry, from which it was fetched into a store.
    Oci(OciSource),
}

/// A component of a registry. It is read from a store and nowhere else; fetching it is somebody else's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciSource {
    /// As the configuration writes it, as in `oci://registry/name:tag@sha256:…`.
    pub shown: String,
    /// The manifest that it must have. `None`: there is a tag alone, and nothing pins it.
    pub manifest: Option<Digest>,
    /// Where it was fetched to. `None`: there is no such place on this system.
    pub store: Option<Store>,
    /// Why it could not be fetched just now.
    pub unfetched: Option<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Builtin(name) => write!(formatter, "builtin:{name}"),
            Source::File { shown, .. } | Source::Oci(OciSource { shown, .. }) => formatter.write_str(shown),
        }
    }
}

/// Whether a plugin's answers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are shown and recorded, and nothing follows from them.
    Audit,
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Mode::Enforce => "enforce",
            Mode::Audit => "audit",
        })
    }
}

/// A plugin as the operator has configured it.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginDefinition {
    /// The operator's name for it, unique in a set.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// Its settings.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// What it is given.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// Whether its answers count.
    pub mode: Mode,
    /// What it must prove before it is loaded.
    pub trust: Trust,
}

/// A named list of plugins, asked in this order within each role.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginSet {
    /// Its name.
    pub name: String,
    /// Its plugins.
    pub plugins: Vec<PluginDefinition>,
}
