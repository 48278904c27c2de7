//! Production is changed only with an explicit approval: `ALLOW_PRODUCTION_MIGRATE=true`, or, where the approval is bound
//! to the plan, the hash of exactly that plan.

use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Gate;
use runner_policy_sdk::Operation;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Ruling;
use serde::Deserialize;

/// The policy.
#[derive(Debug)]
pub struct ProductionOverride;

/// What counts as an approval.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// `true`, or the hash of the plan.
    True,
    /// The hash of the plan and nothing else.
    PlanHash,
}

/// Settings, all optional.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// Default: `true`.
    pub approval: Approval,
    /// The variable that holds the approval. It must be granted. Default: `ALLOW_PRODUCTION_MIGRATE`.
    pub variable: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { approval: Approval::True, variable: "ALLOW_PRODUCTION_MIGRATE".to_owned() }
    }
}

const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "approval": { "enum": ["true", "plan-hash"], "default": "true" },
    "variable": { "type": "string", "default": "ALLOW_PRODUCTION_MIGRATE" }
  }
}"#;

const NOTICE: &str = "PRODUCTION DATABASE, proceed with caution";
const RULE: &str = "production-override";

impl Policy for ProductionOverride {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Production is changed only with an explicit approval",
        )
        .wants_variable("ALLOW_PRODUCTION_MIGRATE", "the approval: `true`, or the hash of the plan")
        .with_settings_schema(SCHEMA)
    }
}

impl Gate for ProductionOverride {
    fn review(settings: &Settings, context: &Context, plan: &Plan) -> Result<Ruling, Failure> {
        if context.environment.production == Some(false) {
            return Ok(Ruling::allow());
        }
        // A restore has no steps and still changes everything.
        let harmless = plan.steps.is_empty() && context.operation != Operation::Restore;
        let value = context.variable(&settings.variable).map_or("", str::trim);
        let by_hash = !value.is_empty() && value.eq_ignore_ascii_case(&plan.hash);
        let by_word = settings.approval == Approval::True && value.eq_ignore_ascii_case("true");
        let ruling = if harmless {
            Ruling::allow()
        } else if by_hash || by_word {
            let message = format!("{}={value} overrides the protection of production", settings.variable);
            Ruling::allow().because(Reason::new(RULE, message))
        } else {
            refuse(settings, value, context.environment.production.is_none())
        };
        Ok(ruling.notice(NOTICE))
    }
}

fn refuse(settings: &Settings, value: &str, unknown: bool) -> Ruling {
    let variable = &settings.variable;
    let (wanted, help) = match settings.approval {
        Approval::True => (
            format!("Set {variable}=true to proceed."),
            (!value.is_empty())
                .then(|| format!("`{variable}` is set to `{value}`; only `true` or the hash of this plan counts")),
        ),
        Approval::PlanHash => (
            format!("Set {variable} to the hash of the approved plan to proceed."),
            Some(if value.is_empty() {
                "`runner plan` prints the plan and its hash".to_owned()
            } else {
                format!(
                    "`{variable}` is set to `{value}`, which is not the hash of this plan; `runner plan` prints the plan and its hash"
                )
            }),
        ),
    };
    let doubt = if unknown { " (no policy says that this is not production)" } else { "" };
    let mut reason = Reason::new(RULE, format!("Refusing to migrate production database. {wanted}{doubt}"));
    reason.help = help;
    let mut ruling = Ruling::deny(RULE, "");
    ruling.reasons = vec![reason];
    ruling
}

runner_policy_sdk::export_policy!(ProductionOverride: gate);

#[cfg(test)]
mod tests {
    use runner_policy_sdk::Actor;
    use runner_policy_sdk::Decision;
    use runner_policy_sdk::Dialect;
    use runner_policy_sdk::Direction;
    use runner_policy_sdk::Environment;
    use runner_policy_sdk::Revision;
    use runner_policy_sdk::Step;
    use runner_policy_sdk::Target;
    use runner_policy_sdk::Timestamp;
    use runner_policy_sdk::Variable;

    use super::*;

    const HASH: &str = "0f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a69780f1e2d3c4b5a6978";

    fn review(approval: Approval, production: Option<bool>, value: Option<&str>, steps: usize) -> Ruling {
        let context = Context {
            operation: Operation::Upgrade,
            dry_run: false,
            now: Timestamp { seconds: 0, nanoseconds: 0 },
            actor: Actor { name: String::new(), host: String::new() },
            target: Target { dialect: Dialect::Sqlite, name: String::new(), server_version: String::new() },
            environment: Environment { name: String::new(), level: None, production },
            settings: "{}".to_owned(),
            variables: value
                .map(|value| Variable { name: "ALLOW_PRODUCTION_MIGRATE".to_owned(), value: value.to_owned() })
                .into_iter()
                .collect(),
        };
        let step = Step {
            revision: Revision {
                id: "r1".to_owned(),
                parents: Vec::new(),
                depends_on: Vec::new(),
                labels: Vec::new(),
                title: String::new(),
                description: String::new(),
                created: None,
                environments: Vec::new(),
                file: String::new(),
                transactional: true,
            },
            direction: Direction::Up,
            statements: Vec::new(),
            recorded: None,
            skipped: false,
        };
        let plan = Plan { hash: HASH.to_owned(), steps: vec![step; steps] };
        ProductionOverride::review(&Settings { approval, ..Settings::default() }, &context, &plan).unwrap()
    }

    fn allowed(ruling: &Ruling) -> bool {
        matches!(ruling.decision, Decision::Allow)
    }

    #[test]
    fn production_needs_the_variable() {
        let refused = review(Approval::True, Some(true), None, 1);
        assert!(matches!(refused.decision, Decision::Deny));
        assert_eq!(
            refused.reasons[0].message,
            "Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed."
        );
        assert_eq!(refused.notices, [NOTICE]);
        assert!(allowed(&review(Approval::True, Some(true), Some("true"), 1)));
        assert!(allowed(&review(Approval::True, Some(true), Some(HASH), 1)));
        for value in ["", "1", "yes", "false", "true!"] {
            assert!(!allowed(&review(Approval::True, Some(true), Some(value), 1)), "`{value}`");
        }
    }

    #[test]
    fn an_approval_bound_to_the_plan_covers_no_other() {
        assert!(allowed(&review(Approval::PlanHash, Some(true), Some(HASH), 1)));
        for value in [None, Some("true"), Some(&HASH[1..]), Some("")] {
            assert!(!allowed(&review(Approval::PlanHash, Some(true), value, 1)), "{value:?}");
        }
    }

    #[test]
    fn other_environments_pass_and_unknown_ones_do_not() {
        assert!(allowed(&review(Approval::PlanHash, Some(false), None, 1)));
        assert!(!allowed(&review(Approval::True, None, None, 1)));
    }

    #[test]
    fn nothing_to_do_needs_no_approval_but_keeps_the_notice() {
        let ruling = review(Approval::PlanHash, Some(true), None, 0);
        assert!(allowed(&ruling));
        assert_eq!(ruling.notices, [NOTICE]);
    }
}
