//! Changes happen in agreed windows and never in a freeze, unless an exception was agreed on. The only clock is the time in
//! the request, so the same plan gets the same answer whenever it is asked about again.

mod calendar;
mod moment;
mod settings;

use jiff::Timestamp;
use jiff::Zoned;
use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Gate;
use runner_policy_sdk::Operation;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Ruling;
use runner_policy_sdk::SettingProblem;

use calendar::Calendar;
use calendar::Standing;

pub use settings::Settings;

/// The policy.
#[derive(Debug)]
pub struct ChangeWindow;

impl Policy for ChangeWindow {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Changes happen in agreed windows and never in a freeze",
        )
        .with_settings_schema(settings::SCHEMA)
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl Gate for ChangeWindow {
    fn review(settings: &Settings, context: &Context, plan: &Plan) -> Result<Ruling, Failure> {
        if !settings.covers(&context.environment) {
            return Ok(Ruling::allow());
        }
        let calendar = Calendar::new(settings)?;
        let now = now(context, &calendar)?;
        // A restore has no steps and still changes everything.
        let harmless = plan.steps.is_empty() && context.operation != Operation::Restore;
        Ok(match calendar.standing(&now, &context.actor.name, &plan.hash) {
            Standing::Free => Ruling::allow(),
            Standing::Open { until } => Ruling::allow().because(Reason::new("change-window", open(&now, &until))),
            Standing::Excepted { until, reason } => Ruling::allow().because(Reason::new(
                "change-exception",
                format!("an exception holds until {}{}", shown(&until), because(reason)),
            )),
            Standing::Frozen { until, reason } => {
                let said = format!("changes are frozen until {}{}", shown(&until), because(reason));
                closed("change-freeze", said, &calendar, &now, harmless)
            }
            Standing::Closed => {
                let said = format!("it is {}, outside of the change windows", shown(&now));
                closed("change-window", said, &calendar, &now, harmless)
            }
        })
    }
}

fn now(context: &Context, calendar: &Calendar<'_>) -> Result<Zoned, Failure> {
    let nanoseconds = i32::try_from(context.now.nanoseconds).unwrap_or(0);
    Timestamp::new(context.now.seconds, nanoseconds)
        .map(|now| now.to_zoned(calendar.time_zone().clone()))
        .map_err(|_| Failure::new("the time of the request is out of range"))
}

/// No change now. A plan without steps changes nothing, so it is told and not refused.
fn closed(rule: &str, said: String, calendar: &Calendar<'_>, now: &Zoned, harmless: bool) -> Ruling {
    if harmless {
        return Ruling::allow().notice(said);
    }
    let help = match calendar.next_opening(now) {
        Some(opening) => {
            format!("the next window opens {}; an exception can be agreed on in the settings", shown(&opening))
        }
        None => "no window opens within a year; an exception can be agreed on in the settings".to_owned(),
    };
    let mut ruling = Ruling::deny(rule, said);
    ruling.reasons = ruling.reasons.into_iter().map(|reason| reason.help(help.clone())).collect();
    ruling
}

fn open(now: &Zoned, until: &Zoned) -> String {
    let minutes = now.duration_until(until).as_secs() / 60;
    match minutes {
        0..60 => format!("the change window closes in {minutes} min, at {}", shown(until)),
        _ => format!("the change window is open until {}", shown(until)),
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// As in `Fri 2026-12-18 16:00 Europe/Berlin`.
fn shown(moment: &Zoned) -> String {
    let zone = moment.time_zone().iana_name().unwrap_or("UTC");
    format!("{} {zone}", moment.strftime("%a %Y-%m-%d %H:%M"))
}

runner_policy_sdk::export_policy!(ChangeWindow: gate);

#[cfg(test)]
mod tests;
