//! The settings: rules, and the words for each event.

use std::collections::BTreeMap;

use runner_policy_sdk::Event;
use runner_policy_sdk::SettingProblem;
use runner_policy_sdk::Severity;
use serde::Deserialize;

use crate::template;

/// Stands for every channel that is configured.
pub(crate) const EVERY_CHANNEL: &str = "*";

/// An event without what belongs to it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A plan was made and allowed.
    Planned,
    /// A plan was refused.
    Refused,
    /// The run began.
    Started,
    /// A step is done.
    StepDone,
    /// A step failed, or the run as a whole.
    StepFailed,
    /// The run ended well.
    Finished,
    /// A protection was overridden.
    Overridden,
    /// Revisions were undone in production.
    RolledBack,
    /// A backup could not be made or verified.
    BackupFailed,
}

impl Kind {
    /// What matters: everything but the course of a run that goes well.
    const THAT_MATTER: [Kind; 6] =
        [Kind::Refused, Kind::StepFailed, Kind::Finished, Kind::Overridden, Kind::RolledBack, Kind::BackupFailed];

    pub(crate) fn of(event: &Event) -> Self {
        match event {
            Event::Planned => Kind::Planned,
            Event::Refused(_) => Kind::Refused,
            Event::Started => Kind::Started,
            Event::StepDone(_) => Kind::StepDone,
            Event::StepFailed(_) => Kind::StepFailed,
            Event::Finished(_) => Kind::Finished,
            Event::Overridden(_) => Kind::Overridden,
            Event::RolledBack(_) => Kind::RolledBack,
            Event::BackupFailed(_) => Kind::BackupFailed,
        }
    }

    pub(crate) fn importance(self) -> Importance {
        match self {
            Kind::Planned | Kind::Started | Kind::StepDone | Kind::Finished => Importance::Info,
            Kind::Refused | Kind::Overridden | Kind::RolledBack => Importance::Warning,
            Kind::StepFailed | Kind::BackupFailed => Importance::Error,
        }
    }
}

/// How serious an event is, least serious first.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Importance {
    /// Worth knowing.
    #[default]
    Info,
    /// Should be looked at.
    Warning,
    /// Wrong.
    Error,
}

impl From<Importance> for Severity {
    fn from(importance: Importance) -> Self {
        match importance {
            Importance::Info => Severity::Info,
            Importance::Warning => Severity::Warning,
            Importance::Error => Severity::Error,
        }
    }
}

/// Templates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Words {
    /// One line.
    pub title: Option<String>,
    /// Text of several lines.
    pub text: Option<String>,
}

/// Which events go to which channels. What is left out matches everything.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rule {
    /// Events. Default: everything but `planned`, `started` and `step-done`.
    pub events: Vec<Kind>,
    /// Canonical names of environments.
    pub environments: Option<Vec<String>>,
    /// The lowest level; an environment whose level nobody knows counts as higher.
    pub minimum_level: Option<u32>,
    /// Whether it has to be production; an environment of which nobody knows counts as production.
    pub production: Option<bool>,
    /// How serious an event has to be. Default: `info`.
    pub minimum_severity: Importance,
    /// Channels. Default: those of the settings.
    pub channels: Option<Vec<String>>,
    /// The title, in place of that of the event.
    pub title: Option<String>,
    /// The text, in place of that of the event.
    pub text: Option<String>,
}

impl Default for Rule {
    fn default() -> Self {
        Rule {
            events: Kind::THAT_MATTER.to_vec(),
            environments: None,
            minimum_level: None,
            production: None,
            minimum_severity: Importance::Info,
            channels: None,
            title: None,
            text: None,
        }
    }
}

/// All settings, each of which may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Channels of rules that name none. Default: every channel.
    pub channels: Vec<String>,
    /// Default: one rule, for production.
    pub rules: Vec<Rule>,
    /// Words for events, in place of the policy's own.
    pub words: BTreeMap<Kind, Words>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            channels: vec![EVERY_CHANNEL.to_owned()],
            rules: vec![Rule { production: Some(true), ..Rule::default() }],
            words: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What is wrong and `serde` can't see.
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut template = |path: String, template: Option<&String>| {
            if let Some(Err(message)) = template.map(|text| template::check(text)) {
                problems.push(SettingProblem { path, message });
            }
        };
        for (index, rule) in self.rules.iter().enumerate() {
            template(format!("rules[{index}].title"), rule.title.as_ref());
            template(format!("rules[{index}].text"), rule.text.as_ref());
        }
        for (kind, words) in &self.words {
            let name = name(*kind);
            template(format!("words.{name}.title"), words.title.as_ref());
            template(format!("words.{name}.text"), words.text.as_ref());
        }
        for (index, rule) in self.rules.iter().enumerate() {
            let empty = |key: &str| SettingProblem {
                path: format!("rules[{index}].{key}"),
                message: "is empty, so the rule never applies; leave it out to match everything".to_owned(),
            };
            if rule.events.is_empty() {
                problems.push(empty("events"));
            }
            if rule.environments.as_ref().is_some_and(Vec::is_empty) {
                problems.push(empty("environments"));
            }
        }
        problems
    }
}

/// As it is written in settings.
pub(crate) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Planned => "planned",
        Kind::Refused => "refused",
        Kind::Started => "started",
        Kind::StepDone => "step-done",
        Kind::StepFailed => "step-failed",
        Kind::Finished => "finished",
        Kind::Overridden => "overridden",
        Kind::RolledBack => "rolled-back",
        Kind::BackupFailed => "backup-failed",
    }
}

pub(crate) const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "channels": { "type": "array", "items": { "type": "string" }, "default": ["*"] },
    "rules": { "type": "array", "items": { "$ref": "#/$defs/rule" }, "default": [{ "production": true }] },
    "words": {
      "type": "object",
      "propertyNames": { "$ref": "#/$defs/event" },
      "additionalProperties": {
        "type": "object",
        "additionalProperties": false,
        "properties": { "title": { "type": "string" }, "text": { "type": "string" } }
      }
    }
  },
  "$defs": {
    "event": {
      "enum": [
        "planned", "refused", "started", "step-done", "step-failed", "finished", "overridden", "rolled-back",
        "backup-failed"
      ]
    },
    "rule": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "events": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/event" } },
        "environments": { "type": "array", "minItems": 1, "items": { "type": "string" } },
        "minimum-level": { "type": "integer", "minimum": 0 },
        "production": { "type": "boolean" },
        "minimum-severity": { "enum": ["info", "warning", "error"], "default": "info" },
        "channels": { "type": "array", "items": { "type": "string" } },
        "title": { "type": "string" },
        "text": { "type": "string" }
      }
    }
  }
}"##;
