//! Production is changed only with an explicit approval: `ALLOW_PRODUCTION_MIGRATE=true`, or, where the approval is bound
//! to the plan, the hash of exactly that plan.

use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Gate;
use runner_policy_sdk::JsonSchema;
use runner_policy_sdk::Operation;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Ruling;
use serde::Deserialize;
use serde::Serialize;

/// The policy.
#[derive(Debug)]
pub struct ProductionOverride;

/// What counts as an approval.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[schemars(crate = "runner_policy_sdk::schemars")]
pub enum Approval {
    /// `true`, or the hash of the plan.
    True,
    /// The hash of the plan and nothing else.
    PlanHash,
}

/// Settings, all optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(crate = "runner_policy_sdk::schemars")]
pub struct Settings {
    /// What counts as an approval.
    pub approval: Approval,
    /// The variable that holds the approval. It must be granted.
    pub variable: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { approval: Approval::True, variable: "ALLOW_PRODUCTION_MIGRATE".to_owned() }
    }
}

/// Kept as a text, because the code that makes it would be half of the component. A test compares.
const SCHEMA: &str = include_str!("../settings.schema.json");
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
    use runner_policy_sdk::Decision;
    use runner_policy_sdk::testing;
    use runner_policy_sdk::testing::HASH;

    use super::*;

    fn review(approval: Approval, production: Option<bool>, value: Option<&str>, steps: usize) -> Ruling {
        let mut context = testing::context();
        context.environment.production = production;
        if let Some(value) = value {
            context = context.with_variable("ALLOW_PRODUCTION_MIGRATE", value);
        }
        let plan = testing::plan((0..steps).map(|_| testing::step("")));
        ProductionOverride::review(&Settings { approval, ..Settings::default() }, &context, &plan).unwrap()
    }

    #[test]
    fn the_schema_is_that_of_the_settings() {
        testing::assert_schema::<Settings>(SCHEMA);
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
