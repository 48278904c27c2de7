//! Rules of a team: production is not changed from Friday afternoon to Sunday night, and every revision names a ticket.

mod freeze;
mod settings;
mod ticket;

use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Finding;
use runner_policy_sdk::Gate;
use runner_policy_sdk::Lint;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::Rule;
use runner_policy_sdk::Ruling;
use runner_policy_sdk::SettingProblem;
use runner_policy_sdk::Source;

pub use settings::Settings;

/// The policy.
#[derive(Debug)]
pub struct TeamRules;

impl Policy for TeamRules {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            "team-rules",
            env!("CARGO_PKG_VERSION"),
            "No production changes at the weekend, and a ticket for every revision",
        )
        .with_settings::<Settings>()
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl Gate for TeamRules {
    fn review(settings: &Settings, context: &Context, plan: &Plan) -> Result<Ruling, Failure> {
        Ok(freeze::review(settings, context, plan))
    }
}

impl Lint for TeamRules {
    fn rules() -> Vec<Rule> {
        vec![ticket::rule()]
    }

    fn check(settings: &Settings, _context: &Context, sources: &[Source]) -> Result<Vec<Finding>, Failure> {
        Ok(sources.iter().filter_map(|source| ticket::check(settings, source)).collect())
    }
}

runner_policy_sdk::export_policy!(TeamRules: gate, lint);
