//! What an operator can change.

use jiff::tz::TimeZone;
use runner_policy_sdk::Environment;
use runner_policy_sdk::SettingProblem;
use serde::Deserialize;

use crate::moment::Days;
use crate::moment::Moment;
use crate::moment::TimeOfDay;

/// Settings, all optional. Without any, changes may happen at all times.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Name of the IANA time zone in which days and times are meant. Default: `UTC`.
    pub time_zone: String,
    /// Environments that this is about. Default: those that are production, or of which nobody knows that they are not.
    pub environments: Vec<String>,
    /// When changes may happen. Empty: at all times.
    pub windows: Vec<Window>,
    /// When no change may happen.
    pub freezes: Vec<Freeze>,
    /// When changes may happen nevertheless.
    pub exceptions: Vec<Exception>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            time_zone: "UTC".to_owned(),
            environments: Vec::new(),
            windows: Vec::new(),
            freezes: Vec::new(),
            exceptions: Vec::new(),
        }
    }
}

/// A time of day, on some days of the week.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// Days on which it opens. Default: every day.
    #[serde(default)]
    pub days: Vec<Days>,
    /// When it opens.
    pub from: TimeOfDay,
    /// When it closes; not later than `from`: on the next day.
    pub to: TimeOfDay,
}

/// A period without changes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Freeze {
    /// When it begins.
    pub from: Moment,
    /// When it ends; a day is part of it.
    pub to: Moment,
    /// Why, shown to whoever is refused.
    #[serde(default)]
    pub reason: String,
}

/// A period in which windows and freezes do not count.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exception {
    /// When it begins.
    pub from: Moment,
    /// When it ends; a day is part of it.
    pub to: Moment,
    /// For whom. Default: for everybody.
    #[serde(default)]
    pub actors: Vec<String>,
    /// For the plan of this hash and no other.
    #[serde(default)]
    pub plan: Option<String>,
    /// Why it was agreed on, as in the number of a ticket.
    pub reason: String,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "time-zone": { "type": "string", "default": "UTC" },
    "environments": { "type": "array", "items": { "type": "string" } },
    "windows": { "type": "array", "items": {
      "type": "object", "additionalProperties": false, "required": ["from", "to"],
      "properties": {
        "days": { "type": "array", "items": { "type": "string" } },
        "from": { "$ref": "#/$defs/time" },
        "to": { "$ref": "#/$defs/time" }
      } } },
    "freezes": { "type": "array", "items": {
      "type": "object", "additionalProperties": false, "required": ["from", "to"],
      "properties": {
        "from": { "type": "string" },
        "to": { "type": "string" },
        "reason": { "type": "string", "default": "" }
      } } },
    "exceptions": { "type": "array", "items": {
      "type": "object", "additionalProperties": false, "required": ["from", "to", "reason"],
      "properties": {
        "from": { "type": "string" },
        "to": { "type": "string" },
        "actors": { "type": "array", "items": { "type": "string" } },
        "plan": { "type": "string", "pattern": "^[0-9a-fA-F]{64}$" },
        "reason": { "type": "string", "minLength": 1 }
      } } }
  },
  "$defs": { "time": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$" } }
}"##;

impl Settings {
    /// Whether this is about an environment.
    pub(crate) fn covers(&self, environment: &Environment) -> bool {
        if self.environments.is_empty() {
            return environment.production != Some(false);
        }
        self.environments.iter().any(|name| name.eq_ignore_ascii_case(&environment.name))
    }

    /// The time zone, if it is one.
    pub(crate) fn time_zone(&self) -> Option<TimeZone> {
        // The bundled zones are asked, never the system's: there is none.
        if self.time_zone == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(&self.time_zone).ok() }
    }

    /// Every problem that the types don't exclude.
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut problem = |path: String, message: &str| {
            problems.push(SettingProblem { path, message: message.to_owned() });
        };
        let Some(time_zone) = self.time_zone() else {
            let message = format!("`{}` is no time zone such as `Europe/Berlin`", self.time_zone);
            problem("time-zone".to_owned(), &message);
            return problems;
        };
        let ends_late = |from: Moment, to: Moment| from.beginning(&time_zone) < to.end(&time_zone);
        for (index, window) in self.windows.iter().enumerate() {
            if window.from == window.to {
                problem(format!("windows[{index}]"), "it opens when it closes; a whole day is from `00:00` to `24:00`");
            }
        }
        for (index, freeze) in self.freezes.iter().enumerate() {
            if !ends_late(freeze.from, freeze.to) {
                problem(format!("freezes[{index}]"), "it ends before it begins");
            }
        }
        for (index, exception) in self.exceptions.iter().enumerate() {
            if !ends_late(exception.from, exception.to) {
                problem(format!("exceptions[{index}]"), "it ends before it begins");
            }
            if exception.reason.trim().is_empty() {
                problem(format!("exceptions[{index}].reason"), "an exception says why it was agreed on");
            }
            let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            if exception.plan.as_ref().is_some_and(|hash| !is_hash(hash)) {
                problem(
                    format!("exceptions[{index}].plan"),
                    "a hash has 64 hexadecimal digits; `runner plan --json` prints it",
                );
            }
        }
        problems
    }
}
