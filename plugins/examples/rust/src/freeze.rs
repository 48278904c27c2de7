//! Production is not changed from Friday afternoon to Sunday night.

use runner_policy_sdk::Context;
use runner_policy_sdk::Decision;
use runner_policy_sdk::Direction;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Reason;
use runner_policy_sdk::Ruling;
use runner_policy_sdk::Step;
use runner_policy_sdk::Weekday;

use crate::Settings;

const RULE: &str = "weekend-freeze";

pub(crate) fn review(settings: &Settings, context: &Context, plan: &Plan) -> Ruling {
    // What nobody knows not to be production is taken for production.
    let harmless = context.environment.production == Some(false) || plan.steps_to_run().next().is_none();
    if harmless {
        return Ruling::allow();
    }
    let from = settings.freeze_from;
    let (weekday, time) = (context.now.weekday(), context.now.time_of_day());
    let hour = u32::from(time.hour);
    let frozen = match weekday {
        Weekday::Friday => hour >= from,
        Weekday::Saturday | Weekday::Sunday => true,
        _ => false,
    };
    if !frozen {
        if weekday == Weekday::Friday && hour + 1 == from {
            let minutes = 60 - time.minute;
            return Ruling::confirm(format!(
                "production is frozen from {from:02}:00 UTC, in {minutes} minutes: change it now?"
            ));
        }
        return Ruling::allow();
    }
    let waiting: Vec<&Step> = plan.steps_to_run().filter(|step| step.direction == Direction::Up).collect();
    if waiting.is_empty() {
        return Ruling::allow().notice("FROZEN until Monday 00:00 UTC; this only undoes revisions");
    }
    let doubt = if context.environment.production.is_none() {
        format!(" (nobody says that `{}` is not production)", context.environment.name)
    } else {
        String::new()
    };
    let message = format!(
        "production is frozen from Friday {from:02}:00 to Sunday 24:00 UTC, and it is {} {time}{doubt}",
        weekday.name()
    );
    let reason = Reason::new(RULE, message).help("wait until Monday; revisions can be undone meanwhile");
    let mut ruling = Ruling { decision: Decision::Deny, ..Ruling::allow() }.because(reason);
    for step in waiting {
        let message = format!("`{}` has to wait", step.revision.title);
        ruling = ruling.because(Reason::new(RULE, message).about(&step.revision.id));
    }
    ruling
}

#[cfg(test)]
mod tests {
    use runner_policy_sdk::Recorded;
    use runner_policy_sdk::testing;

    use super::*;

    fn at(now: &str, step: Step) -> Ruling {
        let context = testing::context().in_production().at(now);
        review(&Settings::default(), &context, &testing::plan([step]))
    }

    #[test]
    fn production_is_frozen_from_friday_afternoon_to_sunday_night() {
        for (now, frozen) in [
            ("2026-11-20T13:59:59Z", false),
            ("2026-11-20T15:00:00Z", true),
            ("2026-11-21T09:05:00Z", true),
            ("2026-11-22T23:59:59Z", true),
            ("2026-11-23T00:00:00Z", false),
        ] {
            let ruling = at(now, testing::step("SELECT 1"));
            assert_eq!(ruling.decision == Decision::Deny, frozen, "{now}");
            assert!(frozen || ruling == Ruling::allow(), "{now}");
        }
    }

    #[test]
    fn the_hour_before_asks() {
        let ruling = at("2026-11-20T14:20:00Z", testing::step("SELECT 1"));
        let question = "production is frozen from 15:00 UTC, in 40 minutes: change it now?";
        assert_eq!(ruling, Ruling::confirm(question));
    }

    #[test]
    fn undoing_is_allowed() {
        let ruling = at("2026-11-21T09:05:00Z", testing::step("SELECT 1").down(Recorded::Applied));
        assert_eq!((ruling.decision, ruling.notices.len()), (Decision::Allow, 1));
    }

    #[test]
    fn other_environments_are_never_frozen_and_unknown_ones_are() {
        let plan = testing::plan([testing::step("SELECT 1")]);
        let saturday = testing::context().at("2026-11-21T09:05:00Z");
        assert_eq!(review(&Settings::default(), &saturday, &plan), Ruling::allow());
        let ruling = review(&Settings::default(), &saturday.in_unknown_environment("eu"), &plan);
        assert!(ruling.reasons[0].message.ends_with("(nobody says that `eu` is not production)"));
    }
}
