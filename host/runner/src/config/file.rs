//! The shape of `runner.toml`. Unknown keys are errors; texts may hold `${VARIABLE:-default}`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::template::Template;

/// Everything that `runner.toml` may say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) environment: Option<Template>,
    /// The plugin set in force.
    pub(super) plugin_set: Option<Template>,
    pub(super) migrations: Migrations,
    pub(super) database: Database,
    pub(super) plugins: BTreeMap<String, Plugin>,
    pub(super) plugin_sets: BTreeMap<String, PluginSet>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Migrations {
    pub(super) dir: Option<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Database {
    pub(super) url: Option<Template>,
    pub(super) version_table: Option<Template>,
    pub(super) ledger_table: Option<Template>,
    pub(super) foreign_keys: Option<bool>,
    pub(super) transaction: Option<Transaction>,
    pub(super) lock_wait: Option<Template>,
    pub(super) lock_timeout: Option<Template>,
    pub(super) statement_timeout: Option<Template>,
    pub(super) retries: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Transaction {
    PerRevision,
    PerRun,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Plugin {
    pub(super) source: Option<Template>,
    pub(super) settings: toml::Table,
    pub(super) grants: Option<Grants>,
    pub(super) limits: runner_policy::Limits,
    pub(super) mode: runner_policy::Mode,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Grants {
    pub(super) env: Vec<String>,
    pub(super) read: Vec<String>,
    pub(super) facts: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct PluginSet {
    pub(super) extends: Option<String>,
    pub(super) plugins: Vec<String>,
}
