//! What an operator can change.

use runner_policy_sdk::JsonSchema;
use runner_policy_sdk::SettingProblem;
use serde::Deserialize;
use serde::Serialize;

/// Settings, all optional.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(crate = "runner_policy_sdk::schemars")]
pub struct Settings {
    /// The project whose tickets count, as in `OPS` for `OPS-123`. Empty: any.
    pub ticket_prefix: String,
    /// The hour of Friday, in UTC, from which production is frozen. The hour before it asks for confirmation.
    #[schemars(range(max = 23))]
    pub freeze_from: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { ticket_prefix: String::new(), freeze_from: 15 }
    }
}

impl Settings {
    /// What the types don't exclude.
    pub(crate) fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if !self.ticket_prefix.bytes().all(|byte| byte.is_ascii_uppercase()) {
            problems.push(SettingProblem::new("ticket-prefix", "a prefix consists of the letters A to Z"));
        }
        if self.freeze_from > 23 {
            problems.push(SettingProblem::new("freeze-from", "is not an hour from 0 to 23"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use runner_policy_sdk::check_settings;

    use super::*;
    use crate::TeamRules;

    #[test]
    fn wrong_settings_are_told_with_their_path() {
        assert_eq!(check_settings::<TeamRules>("{}"), Ok(Settings::default()));
        let problems = check_settings::<TeamRules>(r#"{"ticket-prefix": "ops", "freeze-from": 24}"#).unwrap_err();
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["ticket-prefix", "freeze-from"]);
        let problems = check_settings::<TeamRules>(r#"{"freeze-form": 12}"#).unwrap_err();
        assert_eq!(problems[0].path, "freeze-form");
    }
}
