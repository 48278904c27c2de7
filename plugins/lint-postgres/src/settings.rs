//! What an operator can change.

use runner_policy_sdk::SettingProblem;
use serde::Deserialize;

use crate::catalogue;

/// Settings, all optional.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Rules of the engine that have to be asked for, as `require-table-schema`.
    pub opt_in: Vec<String>,
}

/// JSON Schema of [`Settings`].
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "opt-in": { "type": "array", "items": { "type": "string" }, "default": [] }
  }
}"#;

impl Settings {
    /// Every problem that the types don't exclude.
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        for (index, name) in self.opt_in.iter().enumerate() {
            let path = format!("opt-in[{index}]");
            if catalogue::is_opt_in(name) {
                continue;
            }
            let message = match catalogue::named(name) {
                Some(_) => format!("the rule `{name}` needs not be asked for"),
                None => {
                    let all: Vec<&str> =
                        catalogue::all().map(|entry| entry.name).filter(|name| catalogue::is_opt_in(name)).collect();
                    format!("there is no rule `{name}` that has to be asked for; those are {}", all.join(", "))
                }
            };
            problems.push(SettingProblem::new(path, message));
        }
        problems
    }
}
