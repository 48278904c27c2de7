//! Plugins and sets: those of `runner.toml`, or those of a set in a file of its own.

mod definition;
mod lock;
mod resolution;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use runner_policy::PluginDefinition;
use runner_policy::PluginSet;
use runner_policy::PublicKey;
use runner_policy::Store;
use runner_policy::builtin_definition;
use runner_policy::builtin_names;
use runner_policy::builtin_set_names;

use super::Fill;
use super::file;
use super::template::Template;
use crate::error::Result;
pub(crate) use definition::settings_from_toml;
pub(crate) use lock::LockEntry;
pub(crate) use lock::LockFile;
pub(crate) use resolution::Member;

/// All plugins and sets that a configuration knows.
#[derive(Debug)]
pub(super) struct Plugins {
    /// The file that they are from.
    path: PathBuf,
    /// Its folder.
    root: PathBuf,
    /// Whether it is a set in a file of its own, with `[set]` in place of `[plugin-sets.NAME]`.
    is_set_file: bool,
    definitions: BTreeMap<String, PluginDefinition>,
    sets: BTreeMap<String, file::PluginSet>,
    keys: Vec<Template>,
    /// What the file of a set says about lint.
    lint: Option<super::lint::Lint>,
}

/// The set in force, and why its plugins are as they are.
#[derive(Debug)]
pub(crate) struct ActiveSet {
    /// Its name: for a set in a file of its own the path.
    pub(crate) name: String,
    /// Its plugins, in order.
    pub(crate) members: Vec<Member>,
    /// Plugins that are configured, and not a part of the set: name and reason.
    pub(crate) inactive: Vec<(String, String)>,
    /// The file whose plugins these are, as people call it.
    pub(crate) file: String,
    /// Whether it says that a backup is made before something is destroyed.
    pub(crate) requires_backup: bool,
}

impl ActiveSet {
    /// Names of the plugins that a strict set holds.
    pub(crate) fn strict(&self) -> impl Iterator<Item = &str> {
        let strict = self.members.iter().filter(|member| member.is_strict());
        strict.map(|member| member.definition.name.as_str())
    }

    /// The set alone.
    pub(crate) fn into_set(self) -> PluginSet {
        PluginSet { name: self.name, plugins: self.members.into_iter().map(|member| member.definition).collect() }
    }
}

impl Plugins {
    /// Those of `runner.toml`.
    pub(super) fn new(
        plugins: BTreeMap<String, file::Plugin>,
        sets: BTreeMap<String, file::PluginSet>,
        trust: file::Trust,
        root: &Path,
        fill: &Fill<'_>,
    ) -> Result<Self> {
        if let Some(name) = builtin_set_names().into_iter().find(|name| sets.contains_key(*name)) {
            return Err(fill
                .wrong(&format!("plugin-sets.{name}"), "this set is built in and can't be redefined")
                .help(format!("give yours another name and `extends = \"{name}\"`")));
        }
        if let Some(name) = sets.keys().find(|name| names_a_file(name)) {
            return Err(fill
                .wrong(&format!("plugin-sets.\"{name}\""), "this name would be taken for a file")
                .help("a name holds no `/` and does not end in `.toml`"));
        }
        Ok(Plugins {
            path: fill.path.to_owned(),
            root: root.to_owned(),
            is_set_file: false,
            definitions: definitions(plugins, root, fill)?,
            sets,
            keys: trust.keys,
            lint: None,
        })
    }

    /// Those of a set in a file of its own. `name` is the path as people call it.
    pub(super) fn of_set_file(path: &Path, name: &str) -> Result<Self> {
        let text = super::read(path, "plugin set")?;
        let written: file::SetFile =
            toml::from_str(&text).map_err(|error| super::toml_error::explain(path, &text, &error))?;
        let root = super::folder(path);
        let fill = Fill { path };
        if written.lint.baseline.is_some() {
            return Err(fill
                .wrong("lint.baseline", "a baseline is about the revisions of a project, not about a set")
                .help("put it into `[lint]` of `runner.toml`"));
        }
        Ok(Plugins {
            definitions: definitions(written.plugins, &root, &fill)?,
            path: path.to_owned(),
            root,
            is_set_file: true,
            sets: BTreeMap::from([(name.to_owned(), written.set)]),
            keys: written.trust.keys,
            lint: Some(written.lint),
        })
    }

    /// A set by name, with everything it extends. `locked`: every plugin must be in the lock file.
    pub(super) fn active(&self, name: &str, locked: bool) -> Result<ActiveSet> {
        let resolution::Resolved { mut members, left_out } = resolution::resolve(self, name)?;
        if self.is_set_file && members.is_empty() {
            return Err(self
                .wrong("set", "it has no plugins, so it would refuse nothing")
                .help("`extends = \"strict-prod\"` is a good start"));
        }
        self.pin(members.iter_mut().map(|member| &mut member.definition), locked)?;
        let inactive = self.inactive(name, &members, &left_out);
        let requires_backup = resolution::requires_backup(self, name);
        let file = self.path.display().to_string();
        Ok(ActiveSet { name: name.to_owned(), members, inactive, file, requires_backup })
    }

    /// Says of each plugin what it must prove.
    pub(super) fn pin<'a>(&self, plugins: impl Iterator<Item = &'a mut PluginDefinition>, locked: bool) -> Result<()> {
        let keys = self.trusted_keys()?;
        let lock = LockFile::beside(&self.path)?;
        if locked && lock.is_none() {
            return Err(lock::missing(&self.path));
        }
        for plugin in plugins {
            plugin.trust.keys.clone_from(&keys);
            if let Some(lock) = &lock {
                lock.pin(plugin, locked);
            }
        }
        Ok(())
    }

    fn inactive(&self, name: &str, members: &[Member], left_out: &[(String, String)]) -> Vec<(String, String)> {
        let mut names: Vec<&str> = self.definitions.keys().map(String::as_str).collect();
        names.extend(left_out.iter().map(|(plugin, _)| plugin.as_str()));
        names.sort_unstable();
        names.dedup();
        names.retain(|plugin| members.iter().all(|member| member.definition.name != **plugin));
        let reason = |plugin: &str| {
            if let Some((_, set)) = left_out.iter().find(|(left_out, _)| left_out == plugin) {
                return format!("left out by {}", self.place(&format!("{}.without", self.key(set))));
            }
            let others = self.set_names().into_iter().filter(|set| *set != name);
            let others: Vec<&str> = others
                .filter(|set| {
                    resolution::resolve(self, set)
                        .is_ok_and(|other| other.members.iter().any(|member| member.definition.name == plugin))
                })
                .collect();
            match others.is_empty() {
                true => "no set names it".to_owned(),
                false => format!("it is a part of {}, and `{name}` is in force", list(&others)),
            }
        };
        names.into_iter().map(|plugin| (plugin.to_owned(), reason(plugin))).collect()
    }

    /// The plugins of all sets, each once, sorted by name, and nothing said about trust.
    pub(super) fn of_all_sets(&self) -> Result<Vec<PluginDefinition>> {
        let names: Vec<&str> = match self.is_set_file {
            true => self.sets.keys().map(String::as_str).collect(),
            false => self.set_names(),
        };
        let mut all = BTreeMap::new();
        for name in names {
            for member in resolution::resolve(self, name)?.members {
                all.entry(member.definition.name.clone()).or_insert(member.definition);
            }
        }
        Ok(all.into_values().collect())
    }

    /// What the file of a set says about lint.
    pub(super) fn lint(&self) -> Option<&super::lint::Lint> {
        self.lint.as_ref()
    }

    /// Names of the plugins that the file configures.
    pub(super) fn configured(&self) -> impl Iterator<Item = &str> {
        self.definitions.keys().map(String::as_str)
    }

    /// The file that they are from.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whose signatures count.
    pub(super) fn trusted_keys(&self) -> Result<Vec<PublicKey>> {
        let fill = self.fill();
        let key = |template| {
            let text = fill.fill(template, "trust.keys")?;
            text.parse()
                .map_err(|error: runner_policy::KeyError| fill.wrong("trust.keys", &error).maybe_help(error.help()))
        };
        self.keys.iter().map(key).collect()
    }

    /// A plugin by name, and where it is configured.
    pub(super) fn plugin(&self, name: &str) -> Option<(PluginDefinition, String)> {
        match self.definitions.get(name) {
            Some(definition) => Some((definition.clone(), self.place(&format!("plugins.{name}")))),
            None => builtin_definition(name).map(|definition| (definition, "built in".to_owned())),
        }
    }

    pub(super) fn plugin_names(&self) -> Vec<&str> {
        let mut known: Vec<&str> = builtin_names().collect();
        known.extend(self.definitions.keys().map(String::as_str));
        known.sort_unstable();
        known.dedup();
        known
    }

    fn set_names(&self) -> Vec<&str> {
        builtin_set_names().into_iter().chain(self.sets.keys().map(String::as_str)).collect()
    }

    /// The key of a set in the file.
    fn key(&self, set: &str) -> String {
        match self.is_set_file {
            true => "set".to_owned(),
            false => format!("plugin-sets.{set}"),
        }
    }

    /// A key with its file, for people.
    fn place(&self, key: &str) -> String {
        format!("`{key}` in `{}`", self.path.display())
    }

    fn fill(&self) -> Fill<'_> {
        Fill { path: &self.path }
    }

    fn wrong(&self, key: &str, message: impl std::fmt::Display) -> crate::error::Error {
        self.fill().wrong(key, message)
    }
}

/// Whether the name of a set is that of a file.
pub(super) fn names_a_file(name: &str) -> bool {
    name.contains('/') || name.contains(std::path::MAIN_SEPARATOR) || name.ends_with(".toml")
}

/// Where components of registries are kept.
pub(super) fn store() -> Option<Store> {
    definition::store()
}

fn definitions(
    plugins: BTreeMap<String, file::Plugin>,
    root: &Path,
    fill: &Fill<'_>,
) -> Result<BTreeMap<String, PluginDefinition>> {
    plugins
        .into_iter()
        .map(|(name, plugin)| {
            let definition = definition::definition(&name, plugin, root, fill)?;
            Ok((name, definition))
        })
        .collect()
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
