//! `[lint]`: how serious findings are here, from which severity on they refuse, and what is accepted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de;

use super::template::Template;

/// Everything that `[lint]` may say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Lint {
    pub(super) fail_on: Option<FailOn>,
    pub(super) baseline: Option<Template>,
    pub(super) rules: BTreeMap<String, RuleLevels>,
}

/// The severity from which on findings refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailOn {
    /// Every finding refuses.
    Info,
    /// Warnings do, too.
    Warning,
    /// Errors do.
    Error,
    /// None does.
    Never,
}

impl FailOn {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            FailOn::Info => "info",
            FailOn::Warning => "warning",
            FailOn::Error => "error",
            FailOn::Never => "never",
        }
    }
}

/// How serious a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RuleLevel {
    /// It is not asked for.
    Off,
    Info,
    Warning,
    Error,
}

impl RuleLevel {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            RuleLevel::Off => "off",
            RuleLevel::Info => "info",
            RuleLevel::Warning => "warning",
            RuleLevel::Error => "error",
        }
    }
}

/// A severity everywhere, or one for each environment and dialect. The key `default` is for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleLevels(pub(crate) BTreeMap<String, RuleLevel>);

/// The key that is for everything that has no key of its own.
pub(crate) const DEFAULT: &str = "default";

impl<'de> Deserialize<'de> for RuleLevels {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Levels;

        impl<'de> de::Visitor<'de> for Levels {
            type Value = RuleLevels;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .write_str("`off`, `info`, `warning` or `error`, or a table of them by environment and dialect")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<RuleLevels, E> {
                let level = RuleLevel::deserialize(de::value::StrDeserializer::<E>::new(name))?;
                Ok(RuleLevels(BTreeMap::from([(DEFAULT.to_owned(), level)])))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<RuleLevels, A::Error> {
                let mut levels = BTreeMap::new();
                while let Some((key, level)) = map.next_entry::<String, RuleLevel>()? {
                    levels.insert(key, level);
                }
                Ok(RuleLevels(levels))
            }
        }

        deserializer.deserialize_any(Levels)
    }
}

/// What one file says about lint.
#[derive(Clone, Debug)]
pub(crate) struct LintLayer {
    /// The file, as people call it.
    pub(crate) file: String,
    /// Whether it can make things stricter, and no more: the set in force is in another file.
    pub(crate) only_stricter: bool,
    pub(crate) fail_on: Option<FailOn>,
    pub(crate) rules: BTreeMap<String, RuleLevels>,
}

/// What the configuration says about lint.
#[derive(Clone, Debug, Default)]
pub(crate) struct LintSettings {
    /// The one that counts first comes last.
    pub(crate) layers: Vec<LintLayer>,
    /// The baseline: where it is, and as people call it.
    pub(crate) baseline: Option<(PathBuf, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_one_or_several() {
        let lint: Lint = toml::from_str(
            "fail-on = \"warning\"\nbaseline = \"b.json\"\n[rules]\na = \"off\"\nb = { default = \"info\", production = \"error\", sqlite = \"off\" }\n",
        )
        .unwrap();
        assert_eq!(lint.fail_on, Some(FailOn::Warning));
        assert_eq!(lint.rules["a"].0, BTreeMap::from([("default".to_owned(), RuleLevel::Off)]));
        assert_eq!(lint.rules["b"].0.len(), 3);
    }

    #[test]
    fn what_is_no_severity_is_an_error_that_lists_them() {
        for (text, expected) in [
            ("[rules]\na = \"of\"", "unknown variant `of`, expected one of `off`, `info`, `warning`, `error`"),
            ("[rules]\na = { production = \"fatal\" }", "unknown variant `fatal`"),
            ("[rules]\na = 3", "expected `off`, `info`, `warning` or `error`, or a table"),
            ("fail-on = \"errors\"", "unknown variant `errors`, expected one of `info`, `warning`, `error`, `never`"),
            ("rule = {}", "unknown field `rule`, expected one of `fail-on`, `baseline`, `rules`"),
        ] {
            let error = toml::from_str::<Lint>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
