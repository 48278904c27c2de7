//! What happens, told to the notify policies as it happens, and what they want told to whom.
//!
//! Nothing here can fail a run: what goes wrong is a warning. Without channels there is nothing here at all.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use runner_database::NewMessage;
use runner_delivery::Channels;
use runner_delivery::Field;
use runner_delivery::Notice;
use runner_delivery::Occasion;
use runner_delivery::Severity;
use runner_delivery::Wording;
use runner_delivery::clipped;
use runner_policy::Decision;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::Verdict;
use runner_policy::data;
use runner_policy::data::Event;
use runner_policy::printable;

use super::Observer;
use super::Operation;
use super::event;
use super::report::Outcome;
use super::report::Report;
use super::report::StepReport;
use crate::output::mask;

/// The channel that stands for all of them.
const EVERY_CHANNEL: &str = "*";
/// A policy that failed so often is not asked again in this run: each time may take as long as its limit allows.
const MOST_FAILURES: u32 = 3;
/// More messages about one event are a mistake.
const MOST_MESSAGES: usize = 100;
/// The longest title, text, field name and field value, in characters.
const TITLE: usize = 300;
const TEXT: usize = 16_000;
const NAME: usize = 100;
const VALUE: usize = 2_000;
const MOST_FIELDS: usize = 50;

/// The desk where news of a run come in and messages go out.
pub(super) struct News<'a> {
    desk: Option<Desk<'a>>,
}

struct Desk<'a> {
    channels: &'a Channels,
    /// Whether any policy has the role.
    is_wanted: bool,
    context: data::Context,
    operation: Operation,
    run_id: &'a str,
    plan: data::Plan,
    /// Steps of a run that is one transaction: they are done when it is committed.
    uncommitted: Vec<StepReport>,
    /// Whether the end of the run is told.
    is_over: bool,
    messages: u32,
    waiting: Vec<NewMessage>,
    failures: BTreeMap<String, u32>,
    unknown_channels: BTreeSet<String>,
}

impl<'a> News<'a> {
    /// Nobody wants to hear anything.
    pub(super) fn none() -> Self {
        News { desk: None }
    }

    /// News of a run that changes something.
    pub(super) fn of(
        channels: &'a Channels,
        policies: &Policies,
        context: data::Context,
        operation: Operation,
        run_id: &'a str,
    ) -> Self {
        News {
            desk: Some(Desk {
                channels,
                is_wanted: policies.has(Role::Notify),
                context,
                operation,
                run_id,
                plan: nothing(),
                uncommitted: Vec::new(),
                is_over: false,
                messages: 0,
                waiting: Vec::new(),
                failures: BTreeMap::new(),
                unknown_channels: BTreeSet::new(),
            }),
        }
    }

    /// Whether anybody might want to hear something.
    pub(super) fn is_wanted(&self) -> bool {
        self.desk.as_ref().is_some_and(|desk| desk.is_wanted)
    }

    /// The situation, as far as it is known.
    pub(super) fn set_context(&mut self, context: &data::Context) {
        if let Some(desk) = &mut self.desk {
            desk.context = context.clone();
        }
    }

    /// The plan that the next events are about.
    pub(super) fn set_plan(&mut self, plan: Option<data::Plan>) {
        if let (Some(desk), Some(plan)) = (&mut self.desk, plan) {
            desk.plan = plan;
        }
    }

    /// The messages that are not stored yet.
    pub(super) fn waiting(&self) -> &[NewMessage] {
        self.desk.as_ref().map_or(&[], |desk| &desk.waiting)
    }

    /// Forgets messages that are stored.
    pub(super) fn stored(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.waiting.clear();
        }
    }

    /// A plan was refused.
    pub(super) async fn refused(&mut self, policies: &Policies, report: &Report, observer: &mut dyn Observer) {
        let reasons = crate::project::reasons(report).iter().map(|reason| mask(reason)).collect();
        self.end();
        self.tell(policies, Event::Refused(reasons), observer).await;
    }

    /// A plan was made and allowed, its questions were answered, and the run begins.
    pub(super) async fn begun(&mut self, policies: &Policies, report: &Report, observer: &mut dyn Observer) {
        if !self.is_wanted() {
            return;
        }
        for overridden in event::overridden(report) {
            self.tell(policies, Event::Overridden(overridden), observer).await;
        }
        self.tell(policies, Event::Planned, observer).await;
        self.tell(policies, Event::Started, observer).await;
    }

    /// A step is done. In a run that is one transaction it is told once that is committed.
    pub(super) async fn step_done(
        &mut self,
        policies: &Policies,
        step: &StepReport,
        is_committed: bool,
        observer: &mut dyn Observer,
    ) {
        let Some(desk) = self.desk.as_mut().filter(|desk| desk.is_wanted) else { return };
        if !is_committed {
            desk.uncommitted.push(step.clone());
            return;
        }
        // Of a long plan only this step is told: each call copies what it is told.
        let own = desk.plan.steps.iter().find(|planned| planned.revision.id == step.revision).cloned();
        let plan = data::Plan { hash: desk.plan.hash.clone(), steps: own.into_iter().collect() };
        desk.tell(policies, &plan, Event::StepDone(event::of_step(step, None)), observer).await;
    }

    /// The run is over, well or not.
    pub(super) async fn ended(&mut self, policies: &Policies, report: &Report, observer: &mut dyn Observer) {
        if !self.is_wanted() {
            return;
        }
        self.end();
        if report.outcome == Outcome::Applied {
            let uncommitted = self.desk.as_mut().map(|desk| std::mem::take(&mut desk.uncommitted)).unwrap_or_default();
            for step in &uncommitted {
                self.step_done(policies, step, true, observer).await;
            }
            self.tell(policies, Event::Finished(event::of_run(report)), observer).await;
        } else if let Some(error) = &report.error {
            self.tell(policies, Event::StepFailed(event::failure(report, error)), observer).await;
        }
        if event::is_rollback(report) {
            self.tell(policies, Event::RolledBack(event::of_run(report)), observer).await;
        }
    }

    /// The run failed before there was a plan.
    pub(super) async fn failed(&mut self, policies: &Policies, error: &crate::Error, observer: &mut dyn Observer) {
        if let Some(event) = event::before_plan(error)
            && self.desk.as_ref().is_some_and(|desk| !desk.is_over)
        {
            self.tell(policies, event, observer).await;
        }
    }

    fn end(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.is_over = true;
        }
    }

    async fn tell(&mut self, policies: &Policies, event: Event, observer: &mut dyn Observer) {
        if let Some(desk) = &mut self.desk {
            // A plan may be large.
            let plan = std::mem::replace(&mut desk.plan, nothing());
            desk.tell(policies, &plan, event, observer).await;
            desk.plan = plan;
        }
    }
}

fn nothing() -> data::Plan {
    data::Plan { hash: String::new(), steps: Vec::new() }
}

impl Desk<'_> {
    /// Asks the policies, and takes down what they want told.
    async fn tell(&mut self, policies: &Policies, plan: &data::Plan, event: Event, observer: &mut dyn Observer) {
        let muted: Vec<String> =
            self.failures.iter().filter(|(_, count)| **count >= MOST_FAILURES).map(|(name, _)| name.clone()).collect();
        let (mut messages, failed) = policies.announce_except(&muted, &self.context, plan, &event).await;
        for verdict in failed {
            self.failed(&verdict, &event, observer);
        }
        if messages.len() > MOST_MESSAGES {
            let (count, event) = (messages.len(), event::name(&event));
            observer
                .warn(&format!("{count} messages about `{event}` are too many; the first {MOST_MESSAGES} are sent"));
            messages.truncate(MOST_MESSAGES);
        }
        for message in &messages {
            for channel in self.channels_of(&message.channel, observer) {
                self.take_down(&channel, message, &plan.hash, &event, observer);
            }
        }
    }

    fn failed(&mut self, verdict: &Verdict, event: &Event, observer: &mut dyn Observer) {
        debug_assert_eq!(verdict.decision, Decision::Warn);
        let count = self.failures.entry(verdict.plugin.clone()).or_default();
        *count += 1;
        let end = if *count >= MOST_FAILURES { "; it is not asked again in this run" } else { "" };
        observer.warn(&format!(
            "the policy `{}` could not word a message about `{}`, and the run goes on: {}{end}",
            verdict.plugin,
            event::name(event),
            verdict.message
        ));
    }

    /// The channels that a message is for.
    fn channels_of(&mut self, name: &str, observer: &mut dyn Observer) -> Vec<String> {
        if name == EVERY_CHANNEL {
            return self.channels.iter().map(|channel| channel.name().to_owned()).collect();
        }
        if self.channels.get(name).is_some() {
            return vec![name.to_owned()];
        }
        if !self.channels.is_off(name) && self.unknown_channels.insert(name.to_owned()) {
            let shown = printable(&clipped(name, NAME));
            observer.warn(&format!(
                "a message is for the channel `{shown}`, which is not configured; `[channels.{shown}]` would say where it is"
            ));
        }
        Vec::new()
    }

    fn take_down(
        &mut self,
        channel: &str,
        message: &data::Message,
        plan_hash: &str,
        event: &Event,
        observer: &mut dyn Observer,
    ) {
        let wording = self.wording(message);
        if self.channels.get(channel).is_some_and(|channel| channel.is_spoken()) {
            observer.told(&wording);
            return;
        }
        self.messages += 1;
        let key = format!("{}-{:06}", self.run_id, self.messages);
        let created_at = format!("{:.3}", jiff::Timestamp::now());
        let notice = Notice {
            key: key.clone(),
            created_at: created_at.clone(),
            channel: channel.to_owned(),
            message: wording,
            occasion: self.occasion(event, plan_hash),
        };
        let Ok(content) = serde_json::to_string(&notice) else { return };
        self.waiting.push(NewMessage {
            key,
            channel: channel.to_owned(),
            event: notice.occasion.event,
            run_id: self.run_id.to_owned(),
            content,
            created_at,
            attempts: 0,
            is_dead: false,
            last_error: None,
        });
    }

    /// The message, safe to be shown and stored: in what it says is foreign text, and there may be a password.
    fn wording(&self, message: &data::Message) -> Wording {
        // Shortened before as well: a policy may say very much.
        let clean = |text: &str, most: usize| {
            clipped(&self.channels.without_secrets(&mask(&clipped(text, most.saturating_mul(4)))), most)
        };
        let line = |text: &str, most: usize| clean(&printable(text), most);
        let lines: Vec<String> = message.text.lines().map(printable).collect();
        let fields = message.fields.iter().take(MOST_FIELDS);
        Wording {
            severity: match message.severity {
                data::Severity::Info => Severity::Info,
                data::Severity::Warning => Severity::Warning,
                data::Severity::Error => Severity::Error,
            },
            title: line(&message.title, TITLE),
            text: clean(&lines.join("\n"), TEXT),
            fields: fields
                .map(|field| Field { name: line(&field.name, NAME), value: line(&field.value, VALUE) })
                .collect(),
        }
    }

    fn occasion(&self, event: &Event, plan_hash: &str) -> Occasion {
        let context = &self.context;
        let clean = |text: &str| self.channels.without_secrets(&mask(text));
        let mut details = event::details(event);
        each_text(&mut details, &clean);
        Occasion {
            event: event::name(event).to_owned(),
            details: match details {
                serde_json::Value::Object(details) => details,
                _ => serde_json::Map::new(),
            },
            run_id: self.run_id.to_owned(),
            operation: self.operation.name().to_owned(),
            environment: printable(&context.environment.name),
            production: context.environment.production,
            target: clean(&context.target.name),
            actor: printable(&context.actor.name),
            host: printable(&context.actor.host),
            plan_hash: plan_hash.to_owned(),
        }
    }
}

/// Rewords each text of a document, which stays one.
fn each_text(value: &mut serde_json::Value, reword: &impl Fn(&str) -> String) {
    match value {
        serde_json::Value::String(text) => *text = reword(text),
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, reword)),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|value| each_text(value, reword)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_stay_a_document_whatever_is_masked() {
        let mut details = serde_json::json!({
            "error": "ALTER USER app password=s3cret, \"quoted\"", "reasons": ["at postgres://a:b@h", 1], "revision": "a1"
        });
        each_text(&mut details, &|text| mask(text));
        assert_eq!(details["reasons"], serde_json::json!(["at postgres://a:***@h", 1]));
        assert_eq!(details["revision"], "a1");
        assert!(!details.to_string().contains("s3cret"), "{details}");
    }
}
