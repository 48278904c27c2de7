//! The plugins and plugin sets that ship with the runner. They hold no privilege: each can be replaced by a file of the
//! same interface.

use std::time::Duration;

use serde_json::Map;

use crate::Grants;
use crate::Limits;
use crate::Mode;
use crate::PluginDefinition;
use crate::PluginSet;
use crate::Source;
use crate::Trust;
use crate::data::Dialect;
use crate::make_strict;

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

fn is_lint(name: &str) -> bool {
    matches!(name, "lint" | "lint-postgres")
}

/// Whether a component is one of ours that looks at the SQL of revisions.
pub(crate) fn is_embedded_lint(digest: &[u8; 32]) -> bool {
    EMBEDDED.iter().any(|embedded| is_lint(embedded.name) && embedded.digest == *digest)
}

/// What parsing a revision takes that has 5 MB or 20 000 statements, and three times that.
fn linting() -> Limits {
    Limits {
        fuel: 50_000_000_000,
        time: Duration::from_secs(60),
        memory: 1 << 30,
        answer: 128 << 20,
        ..Limits::default()
    }
}

/// Whether a plugin has anything to say of a dialect.
pub(crate) fn speaks(definition: &PluginDefinition, dialect: Dialect) -> bool {
    match &definition.source {
        Source::Builtin(name) if name == "lint-postgres" => dialect == Dialect::Postgres,
        _ => true,
    }
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
        grants: Grants {
            env: env.iter().map(|name| (*name).to_owned()).collect(),
            // How large a table is decides how bad it is to lock it.
            facts: is_lint(name),
            ..Grants::default()
        },
        limits: if is_lint(name) { linting() } else { Limits::default() },
        mode: Mode::Enforce,
        trust: Trust::default(),
    })
}

/// Names of the plugins of a built-in set, and whether it is strict: whether [`make_strict`] applies to each of them.
pub fn builtin_set_plugins(name: &str) -> Option<(&'static [&'static str], bool)> {
    match name {
        "default" => {
            Some((&["environment-hierarchy", "lint", "lint-postgres", "production-override", "notify"], false))
        }
        "strict-prod" => Some((
            &["environment-hierarchy", "lint", "lint-postgres", "production-override", "change-window", "notify"],
            true,
        )),
        _ => None,
    }
}

/// A built-in set. `plugin` gives the definition to use for each of its plugins, so that a project can replace or configure
/// them; what makes the set strict is put on top and can't be configured away.
pub fn builtin_set(name: &str, plugin: impl Fn(&str) -> Option<PluginDefinition>) -> Option<PluginSet> {
    let (names, is_strict) = builtin_set_plugins(name)?;
    let mut plugins = names.iter().map(|name| plugin(name)).collect::<Option<Vec<_>>>()?;
    if is_strict {
        plugins.iter_mut().for_each(make_strict);
    }
    Some(PluginSet { name: name.to_owned(), plugins })
}
