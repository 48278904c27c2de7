//! What an operator can change.

use std::collections::BTreeMap;

use runner_policy_sdk::Context;
use runner_policy_sdk::Failure;
use runner_policy_sdk::JsonSchema;
use runner_policy_sdk::Level;
use runner_policy_sdk::SettingProblem;
use serde::Deserialize;
use serde::Serialize;

/// What happens to a revision that does not belong in this environment.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(crate = "runner_policy_sdk::schemars")]
pub enum Mode {
    /// It is applied, with a warning.
    Warn,
    /// The plan is refused.
    Strict,
    /// It is recorded as skipped.
    Skip,
    /// Nothing is said. Exact tags keep working.
    Off,
}

/// Settings, all optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(crate = "runner_policy_sdk::schemars")]
pub struct Settings {
    /// What happens to a revision that does not belong in this environment.
    pub mode: Mode,
    /// Environments and their levels. Replaces the default ones as a whole.
    pub levels: BTreeMap<String, u32>,
    /// Other names of environments. Replaces the default ones as a whole.
    pub aliases: Option<BTreeMap<String, String>>,
    /// Environments from this level up are production.
    pub production_level: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let levels =
            [("development", 10), ("local", 10), ("test", 20), ("staging", 30), ("qa", 30), ("production", 100)];
        Settings {
            mode: Mode::Warn,
            levels: levels.into_iter().map(|(name, level)| (name.to_owned(), level)).collect(),
            aliases: None,
            production_level: 100,
        }
    }
}

const ALIASES: [(&str, &str); 4] =
    [("dev", "development"), ("stage", "staging"), ("prod", "production"), ("main", "production")];

/// JSON Schema of [`Settings`], kept as a text, because the code that makes it would be a quarter of the component. A test
/// compares.
pub(crate) const SCHEMA: &str = include_str!("../settings.schema.json");

impl Settings {
    /// Every problem that the types don't exclude.
    pub fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut problem = |path: String, message: String| problems.push(SettingProblem { path, message });
        if !self.levels.values().any(|level| *level >= self.production_level) {
            problem(
                "production-level".to_owned(),
                format!("no environment reaches level {}, so none would count as production", self.production_level),
            );
        }
        for name in self.levels.keys().filter(|name| !is_name(name)) {
            problem(format!("levels.{name}"), "a name consists of lower-case letters, digits, `-` and `_`".to_owned());
        }
        for (alias, name) in self.aliases.iter().flatten() {
            if !is_name(alias) {
                problem(
                    format!("aliases.{alias}"),
                    "a name consists of lower-case letters, digits, `-` and `_`".to_owned(),
                );
            } else if self.levels.contains_key(alias) {
                problem(format!("aliases.{alias}"), format!("`{alias}` is an environment itself"));
            } else if !self.levels.contains_key(name) {
                problem(format!("aliases.{alias}"), format!("there is no environment `{name}`"));
            }
        }
        problems
    }

    /// Aliases that lead to an environment, as (alias, environment).
    fn aliases(&self) -> Vec<(&str, &str)> {
        match &self.aliases {
            Some(aliases) => aliases.iter().map(|(alias, name)| (alias.as_str(), name.as_str())).collect(),
            None => ALIASES
                .into_iter()
                .filter(|(alias, name)| self.levels.contains_key(*name) && !self.levels.contains_key(*alias))
                .collect(),
        }
    }

    /// Canonical name and level of an environment, by name or alias, in any case.
    pub fn find(&self, name: &str) -> Option<(&str, u32)> {
        let name = name.to_ascii_lowercase();
        let canonical = match self.aliases().into_iter().find(|(alias, _)| *alias == name) {
            Some((_, canonical)) => canonical.to_owned(),
            None => name,
        };
        self.levels.get_key_value(&canonical).map(|(name, level)| (name.as_str(), *level))
    }

    /// The environment as the host wants to know it.
    pub fn level(&self, name: &str, level: u32) -> Level {
        Level {
            name: name.to_owned(),
            level,
            production: level >= self.production_level,
            aliases: self
                .aliases()
                .into_iter()
                .filter(|(_, canonical)| *canonical == name)
                .map(|(alias, _)| alias.to_owned())
                .collect(),
        }
    }

    /// All environments, lowest level first, then by name.
    pub fn all(&self) -> Vec<Level> {
        let mut levels: Vec<Level> = self.levels.iter().map(|(name, level)| self.level(name, *level)).collect();
        levels.sort_by(|a, b| (a.level, &a.name).cmp(&(b.level, &b.name)));
        levels
    }

    /// The known name or alias nearest to a misspelt one.
    pub fn nearest(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let known = self.levels.keys().map(String::as_str).chain(self.aliases().into_iter().map(|(alias, _)| alias));
        known
            .map(|known| (strsim::damerau_levenshtein(known, &name), known))
            .filter(|(distance, known)| *distance <= known.len().div_ceil(3))
            .min()
            .map(|(_, known)| known.to_owned())
    }

    /// The mode in force: the setting, unless a granted variable says otherwise.
    ///
    /// # Errors
    /// A variable that is neither true nor false, and variables that contradict each other.
    pub fn mode(&self, context: &Context) -> Result<Mode, Failure> {
        let off = switch(context, ["RUNNER_VALIDATE_ENV", "ALEMBIC_VALIDATE_ENV"])? == Some(false);
        let strict = switch(context, ["RUNNER_STRICT_ENV", "ALEMBIC_STRICT_ENV"])? == Some(true);
        match (off, strict) {
            (true, true) => {
                Err(Failure::new("`RUNNER_VALIDATE_ENV` turns the check off and `RUNNER_STRICT_ENV` makes it strict")
                    .help("unset one of them"))
            }
            (true, false) => Ok(Mode::Off),
            (false, true) => Ok(Mode::Strict),
            (false, false) => Ok(self.mode),
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

/// The first of the variables that is set and not empty.
fn switch(context: &Context, names: [&str; 2]) -> Result<Option<bool>, Failure> {
    for name in names {
        let value = context.variable(name).map(|value| value.trim().to_ascii_lowercase());
        match value.as_deref() {
            None | Some("") => {}
            Some("true" | "1" | "yes" | "on") => return Ok(Some(true)),
            Some("false" | "0" | "no" | "off") => return Ok(Some(false)),
            Some(other) => {
                return Err(Failure::new(format!("`{name}` must be `true` or `false`, not `{other}`")));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_settings() {
        runner_policy_sdk::testing::assert_schema::<Settings>(SCHEMA);
    }
}
