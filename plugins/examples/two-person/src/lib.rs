//! A change of production needs the signed approval of somebody other than the one who makes it. The approval is a file in a
//! granted folder, named after the hash of the plan, so it covers that plan and no other.

mod approval;
mod settings;

use std::collections::BTreeSet;

use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Gate;
use runner_policy_sdk::Grant;
use runner_policy_sdk::Operation;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Ruling;
use runner_policy_sdk::SettingProblem;
use runner_policy_sdk::files;
use runner_policy_sdk::files::Problem;

pub use settings::Settings;

const RULE: &str = "two-person";

/// The policy.
#[derive(Debug)]
pub struct TwoPerson;

impl Policy for TwoPerson {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Production is changed only with the signed approval of somebody else",
        )
        .requires(Grant::Folder("the approvals".to_owned()), "an approval is a file named after the hash of the plan")
        .with_settings::<Settings>()
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl Gate for TwoPerson {
    fn review(settings: &Settings, context: &Context, plan: &Plan) -> Result<Ruling, Failure> {
        let harmless = plan.steps.is_empty() && context.operation != Operation::Restore;
        if context.environment.production == Some(false) || harmless {
            return Ok(Ruling::allow());
        }
        // Whoever that is may be the one who approves.
        if settings.signatures == 1 && matches!(context.actor.name.as_str(), "" | "unknown") {
            return Err(Failure::new("nobody can tell who makes this change")
                .help("name the one with `RUNNER_ACTOR`, or let two people sign: `signatures = 2`"));
        }
        let path = format!("{}/{}.approval", settings.folder, plan.hash);
        let text = match files::read_text(&path) {
            Ok(text) => text,
            Err(Problem::Missing) => String::new(),
            // A file that is there and can't be read is no approval and no lack of one.
            Err(problem) => return Err(problem.about(&path)),
        };
        let (mut approvers, mut doubts) = (BTreeSet::new(), Vec::new());
        for approval in approval::read(&text) {
            match approval.check(settings, &plan.hash, &context.actor.name) {
                Ok(approver) => drop(approvers.insert(approver.to_owned())),
                Err(doubt) => doubts.push(doubt),
            }
        }
        if approvers.len() >= settings.signatures {
            let names: Vec<String> = approvers.into_iter().collect();
            let message = format!("approved by {}", names.join(" and "));
            return Ok(Ruling::allow().because(Reason::new(RULE, message)));
        }
        Ok(refuse(settings, context, &path, approvers.len(), &doubts))
    }
}

fn refuse(settings: &Settings, context: &Context, path: &str, found: usize, doubts: &[String]) -> Ruling {
    let wanted = match settings.signatures {
        1 => "an approval".to_owned(),
        more => format!("{more} approvals"),
    };
    let actor = &context.actor.name;
    let message = format!("this plan needs {wanted} by somebody other than `{actor}`, and `{path}` holds {found}");
    let help = "whoever approves signs the line `approve` with the plan's hash, and puts it there";
    let doubts = doubts.iter().map(|doubt| Reason::new(RULE, doubt.clone()));
    let mut ruling = Ruling::deny(RULE, "");
    ruling.reasons = std::iter::once(Reason::new(RULE, message).help(help)).chain(doubts).collect();
    ruling
}

runner_policy_sdk::export_policy!(TwoPerson: gate);

#[cfg(test)]
mod tests;
