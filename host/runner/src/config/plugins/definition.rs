//! `[plugins.NAME]`: from what is written to the definition that the policy host loads.

use std::path::Path;
use std::path::PathBuf;

use runner_policy::Grants;
use runner_policy::OciSource;
use runner_policy::PluginDefinition;
use runner_policy::ReadGrant;
use runner_policy::Source;
use runner_policy::Store;
use runner_policy::Trust;
use runner_policy::builtin_definition;
use runner_policy::builtin_names;
use runner_registry::Reference;

use super::super::Fill;
use super::super::file;
use super::super::template::Template;
use crate::error::Result;
use crate::suggest::nearest;

pub(super) fn definition(name: &str, plugin: file::Plugin, root: &Path, fill: &Fill<'_>) -> Result<PluginDefinition> {
    let built_in = builtin_definition(name);
    let key = format!("plugins.{name}");
    let source = match &plugin.source {
        Some(source) => {
            let key = format!("{key}.source");
            source_of(&fill.fill(source, &key)?, &key, root, fill)?
        }
        None => match &built_in {
            Some(built_in) => built_in.source.clone(),
            None => {
                let known: Vec<&str> = builtin_names().collect();
                return Err(fill
                    .wrong(&key, "`source` is missing")
                    .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean the built-in `{nearest}`?")))
                    .help("give the path of a component, `builtin:NAME` or `oci://registry/name:tag`"));
            }
        },
    };
    let made_for = match &source {
        Source::Builtin(builtin) => builtin_definition(builtin).map(|definition| definition.grants),
        Source::File { .. } | Source::Oci(_) => None,
    };
    let grants = match plugin.grants {
        Some(written) => grants(written, root),
        None => made_for.unwrap_or_default(),
    };
    Ok(PluginDefinition {
        name: name.to_owned(),
        source,
        settings: settings(plugin.settings, &format!("{key}.settings"), fill)?,
        grants,
        limits: plugin.limits,
        mode: plugin.mode,
        trust: Trust::default(),
    })
}

fn source_of(text: &str, key: &str, root: &Path, fill: &Fill<'_>) -> Result<Source> {
    if let Some(name) = text.strip_prefix("builtin:") {
        return Ok(Source::Builtin(name.to_owned()));
    }
    if Reference::is_meant(text) {
        let reference = Reference::parse(text).map_err(|error| fill.wrong(key, &error).help(error.help()))?;
        return Ok(Source::Oci(OciSource {
            shown: reference.to_string(),
            manifest: reference.manifest(),
            store: store(),
            unfetched: None,
        }));
    }
    Ok(Source::File { path: root.join(text), shown: text.to_owned() })
}

/// Where components of registries are kept.
pub(super) fn store() -> Option<Store> {
    let configured = std::env::var_os("RUNNER_STORE_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    Store::of_user(configured.map(|folder| std::path::absolute(&folder).unwrap_or(folder)))
}

pub(super) fn grants(written: file::Grants, root: &Path) -> Grants {
    Grants {
        env: written.env,
        read: written.read.into_iter().map(|name| ReadGrant { path: root.join(&name), name }).collect(),
        facts: written.facts,
    }
}

pub(super) fn settings(
    table: toml::Table,
    key: &str,
    fill: &Fill<'_>,
) -> Result<serde_json::Map<String, serde_json::Value>> {
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
