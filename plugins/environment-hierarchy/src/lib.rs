//! Environments form a hierarchy, and a revision runs from the environment it is tagged with upwards: one tagged
//! `development` runs everywhere, one tagged `staging` in staging, qa and production, one tagged `production` in
//! production alone. An exact tag (`=test`) runs there and nowhere else.

mod rules;
mod settings;

use runner_policy_sdk::AppliedRevision;
use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Environments;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Judgement;
use runner_policy_sdk::Level;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::SettingProblem;

pub use settings::Mode;
pub use settings::Settings;

/// The policy.
#[derive(Debug)]
pub struct EnvironmentHierarchy;

impl Policy for EnvironmentHierarchy {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "A revision runs from the environment it is tagged with upwards",
        )
        .wants_variable("RUNNER_VALIDATE_ENV", "`false` turns the check off")
        .wants_variable("RUNNER_STRICT_ENV", "`true` refuses what would only be warned about")
        .wants_variable(
            "ALEMBIC_VALIDATE_ENV",
            "the same as `RUNNER_VALIDATE_ENV`, for projects that come from Alembic",
        )
        .wants_variable("ALEMBIC_STRICT_ENV", "the same as `RUNNER_STRICT_ENV`, for projects that come from Alembic")
        .with_settings_schema(settings::SCHEMA)
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl Environments for EnvironmentHierarchy {
    fn levels(settings: &Settings, _context: &Context) -> Result<Vec<Level>, Failure> {
        Ok(settings.all())
    }

    fn identify(settings: &Settings, context: &Context) -> Result<Level, Failure> {
        let name = &context.environment.name;
        match settings.find(name) {
            Some((name, level)) => Ok(settings.level(name, level)),
            None => {
                let failure = Failure::new(format!("`{name}` is not an environment"));
                Err(match settings.nearest(name) {
                    Some(nearest) => failure.help(format!("did you mean `{nearest}`? `runner environments` lists all")),
                    None => failure.help("`runner environments` lists all"),
                })
            }
        }
    }

    fn judge(
        settings: &Settings,
        context: &Context,
        plan: &Plan,
        applied: &[AppliedRevision],
    ) -> Result<Judgement, Failure> {
        let current = Self::identify(settings, context)?;
        let here = rules::Here { settings, mode: settings.mode(context)?, name: &current.name, level: current.level };
        Ok(Judgement {
            steps: plan.steps.iter().map(|step| here.judge(step)).collect(),
            remarks: applied.iter().filter_map(|revision| here.remark(revision)).collect(),
        })
    }
}

runner_policy_sdk::export_policy!(EnvironmentHierarchy: environment);
