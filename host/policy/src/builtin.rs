//! The plugins and plugin sets that ship with the runner. They hold no privilege: each can be replaced by a file of the
//! same interface.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::Grants;
use crate::Limits;
use crate::Mode;
use crate::PluginDefinition;
use crate::PluginSet;
use crate::Source;

/// A component compiled from the sources in `plugins/` by the build script.
pub(crate) struct Embedded {
    pub(crate) name: &'static str,
    pub(crate) digest: [u8; 32],
    /// Names of the roles that it exports.
    pub(crate) roles: &'static [&'static str],
    pub(crate) bytes: &'static [u8],
}

const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

pub(crate) fn embedded(name: &str) -> Option<&'static Embedded> {
    EMBEDDED.iter().find(|embedded| embedded.name == name)
}

/// Names of all built-in plugins.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|embedded| embedded.name)
}

/// Names of all built-in sets.
pub fn builtin_set_names() -> [&'static str; 2] {
    ["default", "strict-prod"]
}

/// A built-in plugin with the grants it is made for and without settings.
pub fn builtin_definition(name: &str) -> Option<PluginDefinition> {
    let embedded = embedded(name)?;
    let env: &[&str] = match name {
        "environment-hierarchy" => {
            &["RUNNER_VALIDATE_ENV", "RUNNER_STRICT_ENV", "ALEMBIC_VALIDATE_ENV", "ALEMBIC_STRICT_ENV"]
        }
        "production-override" => &["ALLOW_PRODUCTION_MIGRATE"],
        _ => &[],
    };
    Some(PluginDefinition {
        name: embedded.name.to_owned(),
        source: Source::Builtin(embedded.name.to_owned()),
        settings: Map::new(),
        grants: Grants { env: env.iter().map(|name| (*name).to_owned()).collect(), ..Grants::default() },
        limits: Limits::default(),
        mode: Mode::Enforce,
    })
}

/// A built-in set. `plugin` gives the definition to use for each of its plugins, so that a project can replace or configure
/// them; what makes the set strict is put on top and can't be configured away.
pub fn builtin_set(name: &str, plugin: impl Fn(&str) -> Option<PluginDefinition>) -> Option<PluginSet> {
    let strict = match name {
        "default" => false,
        "strict-prod" => true,
        _ => return None,
    };
    let mut hierarchy = plugin("environment-hierarchy")?;
    let mut gate = plugin("production-override")?;
    if strict {
        set(&mut hierarchy, "mode", json!("strict"));
        set(&mut gate, "approval", json!("plan-hash"));
        // A variable may make the check stricter, never looser.
        hierarchy.grants.env.retain(|name| !name.ends_with("_VALIDATE_ENV"));
        hierarchy.mode = Mode::Enforce;
        gate.mode = Mode::Enforce;
        let mut window = plugin("change-window")?;
        window.mode = Mode::Enforce;
        return Some(PluginSet { name: name.to_owned(), plugins: vec![hierarchy, gate, window] });
    }
    Some(PluginSet { name: name.to_owned(), plugins: vec![hierarchy, gate] })
}

fn set(plugin: &mut PluginDefinition, key: &str, value: Value) {
    // Settings of a replacement are its own business.
    if matches!(&plugin.source, Source::Builtin(_)) {
        plugin.settings.insert(key.to_owned(), value);
    }
}
