//! `[plugins.…]` and `[plugin-sets.…]`: from names to the definitions that the policy host loads.

use std::collections::BTreeMap;
use std::path::Path;

use runner_policy::Grants;
use runner_policy::PluginDefinition;
use runner_policy::PluginSet;
use runner_policy::ReadGrant;
use runner_policy::Source;
use runner_policy::builtin_definition;
use runner_policy::builtin_names;
use runner_policy::builtin_set;
use runner_policy::builtin_set_names;

use super::Fill;
use super::file;
use super::template::Template;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::suggest::nearest;

/// All plugins and sets that a project knows.
#[derive(Debug)]
pub(super) struct Plugins {
    definitions: BTreeMap<String, PluginDefinition>,
    sets: BTreeMap<String, file::PluginSet>,
}

impl Plugins {
    pub(super) fn new(
        plugins: BTreeMap<String, file::Plugin>,
        sets: BTreeMap<String, file::PluginSet>,
        root: &Path,
        fill: &Fill<'_>,
    ) -> Result<Self> {
        let mut definitions = BTreeMap::new();
        for (name, plugin) in plugins {
            definitions.insert(name.clone(), definition(&name, plugin, root, fill)?);
        }
        if let Some(name) = builtin_set_names().into_iter().find(|name| sets.contains_key(*name)) {
            return Err(fill
                .wrong(&format!("plugin-sets.{name}"), "this set is built in and can't be redefined")
                .help(format!("give yours another name and `extends = \"{name}\"`")));
        }
        Ok(Plugins { definitions, sets })
    }

    /// A set by name, with everything it extends.
    pub(super) fn set(&self, name: &str) -> Result<PluginSet> {
        self.resolve(name, &mut Vec::new())
    }

    fn resolve(&self, name: &str, path: &mut Vec<String>) -> Result<PluginSet> {
        if path.iter().any(|visited| visited == name) {
            path.push(name.to_owned());
            let message = format!("plugin sets extend each other in a circle: {}", path.join(" -> "));
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        path.push(name.to_owned());
        if let Some(set) = builtin_set(name, |plugin| self.plugin(plugin)) {
            return Ok(set);
        }
        let Some(written) = self.sets.get(name) else {
            let known: Vec<&str> =
                builtin_set_names().into_iter().chain(self.sets.keys().map(String::as_str)).collect();
            return Err(Error::new(ErrorKind::Configuration, format!("there is no plugin set `{name}`"))
                .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean `{nearest}`?")))
                .help(format!("known are {}", list(&known))));
        };
        let mut set = match &written.extends {
            Some(parent) => self.resolve(parent, path)?,
            None => PluginSet { name: String::new(), plugins: Vec::new() },
        };
        name.clone_into(&mut set.name);
        for plugin in &written.plugins {
            if set.plugins.iter().any(|present| present.name == *plugin) {
                continue;
            }
            let definition = self.plugin(plugin).ok_or_else(|| self.unknown_plugin(name, plugin))?;
            set.plugins.push(definition);
        }
        Ok(set)
    }

    pub(super) fn plugin(&self, name: &str) -> Option<PluginDefinition> {
        self.definitions.get(name).cloned().or_else(|| builtin_definition(name))
    }

    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = builtin_names().collect();
        names.extend(self.definitions.keys().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }

    fn unknown_plugin(&self, set: &str, plugin: &str) -> Error {
        let known = self.names();
        let message = format!("the plugin set `{set}` names `{plugin}`, which is not configured");
        Error::new(ErrorKind::Configuration, message)
            .maybe_help(nearest(plugin, &known).map(|nearest| format!("did you mean `{nearest}`?")))
            .help(format!("configure it in `[plugins.{plugin}]`; known are {}", list(&known)))
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn definition(name: &str, plugin: file::Plugin, root: &Path, fill: &Fill<'_>) -> Result<PluginDefinition> {
    let built_in = builtin_definition(name);
    let key = format!("plugins.{name}");
    let source = match &plugin.source {
        Some(source) => source_of(&fill.fill(source, &format!("{key}.source"))?, root),
        None => match &built_in {
            Some(built_in) => built_in.source.clone(),
            None => {
                let known: Vec<&str> = builtin_names().collect();
                return Err(fill
                    .wrong(&key, "`source` is missing")
                    .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean the built-in `{nearest}`?")))
                    .help("give the path of a component, or `builtin:NAME`"));
            }
        },
    };
    let made_for = match &source {
        Source::Builtin(builtin) => builtin_definition(builtin).map(|definition| definition.grants),
        Source::File { .. } => None,
    };
    let grants = match plugin.grants {
        Some(grants) => Grants {
            env: grants.env,
            read: grants.read.into_iter().map(|name| ReadGrant { path: root.join(&name), name }).collect(),
            facts: grants.facts,
        },
        None => made_for.unwrap_or_default(),
    };
    Ok(PluginDefinition {
        name: name.to_owned(),
        source,
        settings: settings(plugin.settings, &format!("{key}.settings"), fill)?,
        grants,
        limits: plugin.limits,
        mode: plugin.mode,
    })
}

fn source_of(text: &str, root: &Path) -> Source {
    match text.strip_prefix("builtin:") {
        Some(name) => Source::Builtin(name.to_owned()),
        None => Source::File { path: root.join(text), shown: text.to_owned() },
    }
}

fn settings(table: toml::Table, key: &str, fill: &Fill<'_>) -> Result<serde_json::Map<String, serde_json::Value>> {
    table
        .into_iter()
        .map(|(name, value)| {
            let key = format!("{key}.{name}");
            Ok((name, json(value, &key, fill)?))
        })
        .collect()
}

/// TOML as JSON, with variables filled in. Dates become texts.
fn json(value: toml::Value, key: &str, fill: &Fill<'_>) -> Result<serde_json::Value> {
    Ok(match value {
        toml::Value::String(text) => fill.fill(&Template::new(text), key)?.into(),
        toml::Value::Array(values) => {
            values.into_iter().map(|value| json(value, key, fill)).collect::<Result<Vec<_>>>()?.into()
        }
        toml::Value::Table(table) => settings(table, key, fill)?.into(),
        plain => as_it_is(plain),
    })
}

/// Settings as JSON, with every text as it is written. Dates become texts.
pub(crate) fn settings_from_toml(table: toml::Table) -> serde_json::Map<String, serde_json::Value> {
    table.into_iter().map(|(name, value)| (name, as_it_is(value))).collect()
}

fn as_it_is(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(as_it_is).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => settings_from_toml(table).into(),
    }
}
