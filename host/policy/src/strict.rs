//! What makes a strict set strict, and why it can't be loosened by whoever extends it.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::Grants;
use crate::Mode;
use crate::PluginDefinition;
use crate::Source;

/// Something that a set changes in one of its plugins.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A setting gets another value.
    Setting(&'a str, &'a Value),
    /// The grants are replaced.
    Grants(&'a Grants),
    /// The mode is another.
    Mode(Mode),
}

/// Puts on top of a plugin what makes a strict set strict.
pub fn make_strict(plugin: &mut PluginDefinition) {
    plugin.mode = Mode::Enforce;
    if plugin.name == "environment-hierarchy" {
        // A variable may make the check stricter, never looser.
        plugin.grants.env.retain(|name| !loosens_hierarchy(name));
    }
    // Settings of a replacement are its own business.
    if let Source::Builtin(name) = &plugin.source {
        for (key, value) in fixed(name) {
            plugin.settings.insert((*key).to_owned(), json!(value));
        }
    }
}

/// Settings that a strict set fixes.
fn fixed(builtin: &str) -> &'static [(&'static str, &'static str)] {
    match builtin {
        "environment-hierarchy" => &[("mode", "strict")],
        "production-override" => &[("approval", "plan-hash")],
        _ => &[],
    }
}

fn loosens_hierarchy(variable: &str) -> bool {
    variable.ends_with("_VALIDATE_ENV")
}

/// Whether a change would make a plugin of a strict set less strict, or may: what can't be told counts as looser. Gives the
/// reason, as a sentence that follows the name of what is changed. `plugin` is as the project has configured it, before the
/// change.
///
/// Limits are not asked about: whoever exceeds one is denied, so no limit makes anything looser.
pub fn loosening(plugin: &PluginDefinition, change: Change<'_>) -> Option<String> {
    match change {
        Change::Mode(Mode::Enforce) => None,
        Change::Mode(Mode::Audit) => Some("must stay `enforce`".to_owned()),
        Change::Grants(grants) => more_than_granted(plugin, grants),
        Change::Setting(key, value) => match &plugin.source {
            Source::Builtin(builtin) => looser_setting(builtin, key, value, &plugin.settings),
            Source::File { .. } | Source::Oci(_) => Some(format!(
                "can't be told to be stricter, because `{}` is not the built-in plugin any more; set it in `[plugins.{}]`",
                plugin.name, plugin.name
            )),
        },
    }
}

fn more_than_granted(plugin: &PluginDefinition, grants: &Grants) -> Option<String> {
    let mut strict = plugin.clone();
    make_strict(&mut strict);
    let granted = &strict.grants;
    let env = grants.env.iter().filter(|name| !granted.env.contains(name));
    let read = grants.read.iter().filter(|folder| !granted.read.contains(folder)).map(|folder| &folder.name);
    let facts = (grants.facts && !granted.facts).then(|| "facts".to_owned());
    let more = env.chain(read).cloned().chain(facts).next()?;
    Some(format!("gives `{}` more than it has: `{more}`", plugin.name))
}

fn looser_setting(builtin: &str, key: &str, value: &Value, before: &Map<String, Value>) -> Option<String> {
    if let Some((_, fixed)) = fixed(builtin).iter().find(|(fixed, _)| *fixed == key) {
        return (*value != json!(fixed)).then(|| format!("must stay `{fixed}`"));
    }
    match (builtin, key) {
        // With a lower one more environments are production.
        ("environment-hierarchy", "production-level") => {
            let before = before.get(key).and_then(Value::as_u64).unwrap_or(100);
            let is_lower = value.as_u64().is_some_and(|level| level <= before);
            (!is_lower).then(|| format!("must not be higher than {before}"))
        }
        // Without them changes may happen at all times, so any are stricter than none; other ones may be looser.
        ("change-window", "windows" | "freezes") => before
            .contains_key(key)
            .then(|| format!("can't take the place of the `{key}` in `[plugins.change-window]`")),
        // It means nothing as long as there is no time to be meant.
        ("change-window", "time-zone") => {
            let is_meant = before.contains_key("windows") || before.contains_key("freezes");
            is_meant.then(|| "would change what `[plugins.change-window]` means".to_owned())
        }
        // Another variable must hold the same hash.
        ("production-override", "variable") => None,
        _ => Some("can't be told to be stricter".to_owned()),
    }
}
