//! Who hears of which event, and in what words.
//!
//! Rules choose by event, environment and severity; a channel gets at most one message an event, worded by the first rule
//! that names it. Without settings every channel hears what matters in production.

mod settings;
mod story;
mod template;

use runner_policy_sdk::Context;
use runner_policy_sdk::Description;
use runner_policy_sdk::Event;
use runner_policy_sdk::Failure;
use runner_policy_sdk::Message;
use runner_policy_sdk::Operation;
use runner_policy_sdk::Plan;
use runner_policy_sdk::Policy;
use runner_policy_sdk::SettingProblem;

pub use settings::Importance;
pub use settings::Kind;
pub use settings::Rule;
pub use settings::Settings;
pub use settings::Words;
use story::Story;

/// The policy.
#[derive(Debug)]
pub struct Notify;

impl Policy for Notify {
    type Settings = Settings;

    fn describe() -> Description {
        Description::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Tells channels of what matters, by event, environment and severity",
        )
        .with_settings_schema(settings::SCHEMA)
    }

    fn check(settings: &Settings) -> Vec<SettingProblem> {
        settings.problems()
    }
}

impl runner_policy_sdk::Notify for Notify {
    fn announce(settings: &Settings, context: &Context, plan: &Plan, event: &Event) -> Result<Vec<Message>, Failure> {
        let kind = Kind::of(event);
        let is_routine = matches!(kind, Kind::Planned | Kind::Started | Kind::Finished);
        if is_routine && plan.steps.is_empty() {
            return Ok(Vec::new());
        }
        let story = Story::new(context, plan, event);
        let mut messages: Vec<Message> = Vec::new();
        for rule in settings.rules.iter().filter(|rule| applies(rule, kind, context)) {
            for channel in rule.channels.as_ref().unwrap_or(&settings.channels) {
                if messages.iter().all(|message| message.channel != *channel) {
                    messages.push(story.told(channel, kind, rule, settings));
                }
            }
        }
        Ok(messages)
    }
}

fn applies(rule: &Rule, kind: Kind, context: &Context) -> bool {
    let environment = &context.environment;
    // Nobody says that it is not production.
    let may_be_production = environment.production != Some(false);
    let is_event = rule.events.contains(&kind);
    // What was undone in production is told with its own event right after.
    let is_told_better = kind == Kind::Finished
        && context.operation == Operation::Downgrade
        && may_be_production
        && rule.events.contains(&Kind::RolledBack);
    let is_here = rule.environments.as_ref().is_none_or(|names| names.contains(&environment.name))
        && rule.minimum_level.is_none_or(|least| environment.level.is_none_or(|level| level >= least))
        && rule.production.is_none_or(|wanted| wanted == may_be_production);
    is_event && !is_told_better && is_here && kind.importance() >= rule.minimum_severity
}

runner_policy_sdk::export_policy!(Notify: notify);

#[cfg(test)]
mod tests;
