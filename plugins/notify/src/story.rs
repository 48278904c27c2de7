//! What happened, in words.

use runner_policy_sdk::Context;
use runner_policy_sdk::Event;
use runner_policy_sdk::Message;
use runner_policy_sdk::Operation;
use runner_policy_sdk::Plan;

use crate::settings;
use crate::settings::Kind;
use crate::settings::Rule;
use crate::settings::Settings;
use crate::template;

/// Of a plan so many revisions are listed.
const LISTED: usize = 10;
/// So many digits of a plan's hash are shown, as in the banner.
const DIGITS: usize = 12;

/// An event with everything that can be said of it.
pub(crate) struct Story<'a> {
    context: &'a Context,
    plan: &'a Plan,
    event: &'a Event,
}

impl<'a> Story<'a> {
    pub(crate) fn new(context: &'a Context, plan: &'a Plan, event: &'a Event) -> Self {
        Story { context, plan, event }
    }

    /// The message to one channel.
    pub(crate) fn told(&self, channel: &str, kind: Kind, rule: &Rule, settings: &Settings) -> Message {
        let words = settings.words.get(&kind);
        let title = rule.title.as_ref().or_else(|| words?.title.as_ref());
        let text = rule.text.as_ref().or_else(|| words?.text.as_ref());
        // Templates are checked when the policy is loaded.
        let filled = |template: &str| template::fill(template, |name| self.value(name)).unwrap_or_default();
        let title = title.map_or_else(|| self.title(), |template| filled(template));
        let text = filled(text.map_or_else(|| self.text(), String::as_str));
        let mut message = Message::new(channel, kind.importance().into(), title).text(text);
        for (name, value) in [("Environment", "environment"), ("Database", "target"), ("By", "actor"), ("On", "host")] {
            message = message.field(name, self.value(value));
        }
        for (name, value) in [("Revision", "revision"), ("Steps", "steps"), ("Took", "duration"), ("Plan", "plan")] {
            let value = self.value(value);
            if !value.is_empty() {
                message = message.field(name, value);
            }
        }
        message
    }

    fn title(&self) -> String {
        let operation = operation(self.context.operation);
        let environment = &self.context.environment.name;
        let steps = |count: usize| if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
        match self.event {
            Event::Planned => format!("{operation} of {environment} is planned: {}", steps(self.plan.steps.len())),
            Event::Refused(_) => format!("{operation} of {environment} was refused"),
            Event::Started => format!("{operation} of {environment} has started: {}", steps(self.plan.steps.len())),
            Event::StepDone(step) => format!("{} is done in {environment}", step.revision),
            Event::StepFailed(step) if step.revision.is_empty() => format!("{operation} of {environment} failed"),
            Event::StepFailed(step) => format!("{operation} of {environment} failed at {}", step.revision),
            Event::Finished(run) => format!("{operation} of {environment} is done: {}", steps(run.steps as usize)),
            Event::Overridden(_) => {
                format!("A protection of {environment} was overridden by {}", self.context.actor.name)
            }
            Event::RolledBack(run) if run.steps == 1 => format!("1 revision was undone in {environment}"),
            Event::RolledBack(run) => format!("{} revisions were undone in {environment}", run.steps),
            Event::BackupFailed(_) => format!("The backup of {environment} failed"),
        }
    }

    fn text(&self) -> &'static str {
        match self.event {
            Event::Planned | Event::Started | Event::Finished(_) | Event::RolledBack(_) => "{revisions}",
            Event::Refused(_) => "{reasons}",
            Event::StepDone(_) => "{revision-title}",
            Event::StepFailed(_) | Event::BackupFailed(_) => "{error}",
            Event::Overridden(_) => "{override}",
        }
    }

    /// The value of a placeholder.
    fn value(&self, name: &str) -> String {
        let Context { actor, target, environment, .. } = self.context;
        match name {
            "actor" => actor.name.clone(),
            "host" => actor.host.clone(),
            "environment" => environment.name.clone(),
            "level" => environment.level.map(|level| level.to_string()).unwrap_or_default(),
            "target" => target.name.clone(),
            "event" => settings::name(Kind::of(self.event)).to_owned(),
            "operation" => operation(self.context.operation).to_owned(),
            "plan" => self.plan.hash.chars().take(DIGITS).collect(),
            "steps" => self.steps(),
            "skipped" => match self.event {
                Event::Finished(run) | Event::RolledBack(run) => run.skipped.to_string(),
                _ => String::new(),
            },
            "duration" => self.duration(),
            "revision" => self.revision().to_owned(),
            "revision-title" => {
                let step = self.plan.steps.iter().find(|step| step.revision.id == self.revision());
                step.map(|step| step.revision.title.clone()).unwrap_or_default()
            }
            "revisions" => self.revisions(),
            "error" => match self.event {
                Event::StepFailed(step) => step.error.clone().unwrap_or_default(),
                Event::BackupFailed(error) => error.clone(),
                _ => String::new(),
            },
            "reasons" => match self.event {
                Event::Refused(reasons) => reasons.join("\n"),
                _ => String::new(),
            },
            "override" => match self.event {
                Event::Overridden(what) => what.clone(),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    fn steps(&self) -> String {
        match self.event {
            Event::Finished(run) | Event::RolledBack(run) => run.steps.to_string(),
            _ if self.plan.steps.is_empty() => String::new(),
            _ => self.plan.steps.len().to_string(),
        }
    }

    fn duration(&self) -> String {
        let milliseconds = match self.event {
            Event::StepDone(step) | Event::StepFailed(step) if !step.revision.is_empty() => step.duration_ms,
            Event::Finished(run) | Event::RolledBack(run) => run.duration_ms,
            _ => return String::new(),
        };
        match milliseconds {
            0..1000 => format!("{milliseconds} ms"),
            1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
            _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
        }
    }

    fn revision(&self) -> &str {
        match self.event {
            Event::StepDone(step) | Event::StepFailed(step) => &step.revision,
            _ => "",
        }
    }

    fn revisions(&self) -> String {
        let mut lines: Vec<String> = self
            .plan
            .steps
            .iter()
            .take(LISTED)
            .map(|step| {
                let skipped = if step.skipped { " (skipped)" } else { "" };
                format!("{} {}{skipped}", step.revision.id, step.revision.title)
            })
            .collect();
        if self.plan.steps.len() > LISTED {
            lines.push(format!("and {} more", self.plan.steps.len() - LISTED));
        }
        lines.join("\n")
    }
}

fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Upgrade => "Upgrade",
        Operation::Downgrade => "Downgrade",
        Operation::Stamp => "Stamp",
        Operation::Rollback => "Rollback",
        Operation::Restore => "Restore",
    }
}
