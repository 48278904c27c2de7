//! The shape of `runner.toml`. Unknown keys are errors; texts may hold `${VARIABLE:-default}`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::backup::Backup;
use super::lint::Lint;
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
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) notifications: Notifications,
    pub(super) trust: Trust,
    pub(super) lint: Lint,
    pub(super) backup: Backup,
    pub(super) test: Test,
}

/// Everything that the file of a plugin set may say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SetFile {
    /// It must be there: a file that was cut off refuses nothing.
    pub(super) set: PluginSet,
    #[serde(default)]
    pub(super) plugins: BTreeMap<String, Plugin>,
    #[serde(default)]
    pub(super) trust: Trust,
    #[serde(default)]
    pub(super) lint: Lint,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Trust {
    /// Whose signatures count.
    pub(super) keys: Vec<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Test {
    /// The file in which rehearsals are recorded.
    pub(super) record: Option<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Migrations {
    pub(super) dir: Option<Folders>,
}

/// One folder, or a list of them.
#[derive(Debug)]
pub(super) struct Folders(pub(super) Vec<Template>);

impl<'de> Deserialize<'de> for Folders {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Folders;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a folder or a list of folders")
            }

            fn visit_str<E: serde::de::Error>(self, folder: &str) -> Result<Folders, E> {
                Ok(Folders(vec![Template::new(folder)]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Folders, A::Error> {
                let mut folders = Vec::new();
                while let Some(folder) = list.next_element()? {
                    folders.push(folder);
                }
                Ok(Folders(folders))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
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

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Grants {
    pub(super) env: Vec<String>,
    pub(super) read: Vec<String>,
    pub(super) facts: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct PluginSet {
    #[serde(deserialize_with = "one_or_several")]
    pub(super) extends: Vec<String>,
    pub(super) plugins: Vec<String>,
    pub(super) without: Vec<String>,
    /// Settings by plugin, on top of its own.
    pub(super) settings: BTreeMap<String, toml::Table>,
    /// Grants by plugin, in place of its own.
    pub(super) grants: BTreeMap<String, Grants>,
    /// Limits by plugin, in place of its own.
    pub(super) limits: BTreeMap<String, runner_policy::Limits>,
    /// Modes by plugin.
    pub(super) modes: BTreeMap<String, runner_policy::Mode>,
    /// Whether a backup is made before something is destroyed.
    pub(super) backup: bool,
}

/// A name, or a list of names.
fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;

    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("the name of a plugin set, or a list of names")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Vec<String>, E> {
            Ok(vec![name.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut names: A) -> Result<Vec<String>, A::Error> {
            let mut list = Vec::new();
            while let Some(name) = names.next_element()? {
                list.push(name);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(Names)
}

/// A channel. Which keys it takes depends on its kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Channel {
    pub(super) kind: Option<ChannelKind>,
    pub(super) timeout: Option<Template>,
    pub(super) allow_plaintext: Option<bool>,
    pub(super) url: Option<Template>,
    pub(super) secret: Option<Template>,
    pub(super) headers: Option<BTreeMap<String, Template>>,
    pub(super) host: Option<Template>,
    pub(super) port: Option<u16>,
    pub(super) tls: Option<Tls>,
    pub(super) username: Option<Template>,
    pub(super) password: Option<Template>,
    pub(super) from: Option<Template>,
    pub(super) to: Option<Vec<Template>>,
    pub(super) path: Option<Template>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ChannelKind {
    Slack,
    Webhook,
    Email,
    File,
    Stderr,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tls {
    Starttls,
    Implicit,
    None,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Notifications {
    /// How long delivery may take after a run.
    pub(super) time: Option<Template>,
}
