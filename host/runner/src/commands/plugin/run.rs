//! `runner plugin run`

use std::time::Duration;

use runner_policy::Answer;
use runner_policy::Call;
use runner_policy::Decision;
use runner_policy::FactsSource;
use runner_policy::Outcome;
use runner_policy::Question;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::StepFate;
use runner_policy::Trial;
use runner_policy::data;
use runner_policy::printable;
use serde_json::json;

use super::subject::Given;
use super::subject::grouped;
use super::subject::heading;
use crate::args::Global;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;
use crate::output::print_verdicts;
use crate::pipeline::policy_host;
use crate::recorded;
use crate::recorded::Recorded;

/// Ask one plugin about a recorded plan, and show what it says and uses
///
/// FILE is the path of a component, `builtin:NAME`, or the name of a plugin in `runner.toml`, which then comes with its
/// settings, grants and limits. Exits with 3 if the plugin denies the plan. Changes nothing, and needs no `runner.toml`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin run policies/acme.wasm --plan plan.json
                                  the plan of `runner plan --json > plan.json`
  runner plan --json --env production | runner plugin run builtin:production-override --plan -
                                  straight from the project
  runner plugin run acme --plan plan.json --role gate --settings '{\"max-rows\": 10}' --grant-env ACME_TEAM
  runner plugin run notify.wasm --plan plan.json --event finished")]
pub(crate) struct Args {
    /// The plugin
    #[arg(value_name = "FILE")]
    plugin: String,
    /// The document of `runner plan --json`, or the request in it; `-` is stdin
    #[arg(long, value_name = "PLAN")]
    plan: String,
    /// The roles to ask it in, instead of all that it has
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<RoleName>,
    /// What the role `notify` is told
    #[arg(long, value_name = "EVENT")]
    event: Option<EventName>,
    #[command(flatten)]
    given: Given,
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RoleName {
    Environment,
    Lint,
    Gate,
    Notify,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Environment => Role::Environment,
            RoleName::Lint => Role::Lint,
            RoleName::Gate => Role::Gate,
            RoleName::Notify => Role::Notify,
        }
    }
}

/// An event on the command line; its details are made from the plan.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EventName {
    Planned,
    Refused,
    Started,
    StepDone,
    StepFailed,
    Finished,
    Overridden,
    RolledBack,
    BackupFailed,
}

impl EventName {
    fn event(self, request: &Request) -> data::Event {
        let steps = &request.plan.steps;
        let step = |error: Option<&str>| data::StepResult {
            revision: steps.first().map(|step| step.revision.id.clone()).unwrap_or_default(),
            duration_ms: 0,
            error: error.map(str::to_owned),
        };
        let run =
            || data::RunResult { steps: u32::try_from(steps.len()).unwrap_or(u32::MAX), skipped: 0, duration_ms: 0 };
        match self {
            EventName::Planned => data::Event::Planned,
            EventName::Refused => data::Event::Refused(vec!["refused for a trial".to_owned()]),
            EventName::Started => data::Event::Started,
            EventName::StepDone => data::Event::StepDone(step(None)),
            EventName::StepFailed => data::Event::StepFailed(step(Some("failed for a trial"))),
            EventName::Finished => data::Event::Finished(run()),
            EventName::Overridden => data::Event::Overridden("overridden for a trial".to_owned()),
            EventName::RolledBack => data::Event::RolledBack(run()),
            EventName::BackupFailed => data::Event::BackupFailed("failed for a trial".to_owned()),
        }
    }
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let definition = self.given.plugin(&self.plugin, global)?;
        let Recorded { request, facts } = recorded::read(&self.plan)?;
        let lacks_facts = definition.grants.facts && facts.is_none();
        let event = self.event.map(|event| event.event(&request));
        let roles: Vec<Role> = match self.roles.as_slice() {
            [] => Role::ALL.to_vec(),
            named => named.iter().map(|role| Role::from(*role)).collect(),
        };
        let mut trial = Trial::load(&policy_host(), definition).await;
        if let Some(facts) = facts {
            trial.offer_facts(&FactsSource::given(facts));
        }
        if !self.roles.is_empty() {
            crate::cases::has_roles(&trial, &roles)?;
        }
        if event.is_none() && trial.has(Role::Notify) && roles.contains(&Role::Notify) {
            printer.warn("the role `notify` is not asked; `--event` says what it is told");
        }
        if lacks_facts {
            printer.warn("no facts are recorded with the plan, because no policy asked for them; `runner plugin test --record` records some");
        }
        let question = Question { roles: &roles, event: event.as_ref() };
        let answer = trial.ask(request.clone(), question).await;
        show(printer, &trial, &request, &answer);
        printer.document(&document(&trial, &request, &answer));
        Ok(if answer.review.outcome == Outcome::Denied { exit::REFUSED } else { exit::DONE })
    }
}

fn show(printer: &Printer, trial: &Trial, request: &Request, answer: &Answer) {
    heading(printer, trial.report().as_ref());
    let level = answer.identity.level.map_or_else(|| "level unknown".to_owned(), |level| format!("level {level}"));
    let steps = request.plan.steps.len();
    let noun = if steps == 1 { "step" } else { "steps" };
    printer.say(format_args!("  environment  {} ({level})", printable(&answer.identity.name)));
    printer.say(format_args!("  plan         {steps} {noun}, {:.12}", printable(&request.plan.hash)));
    print_verdicts(printer, &answer.review.verdicts);
    for notice in &answer.review.notices {
        printer.line(format_args!("  notice  {}", notice.text));
    }
    for message in &answer.messages {
        let (channel, title) = (printable(&message.channel), printable(&message.title));
        printer.line(format_args!("  message to {channel}  {title}"));
        message.text.lines().for_each(|line| printer.line(format_args!("    {}", printable(line))));
        for field in &message.fields {
            printer.line(format_args!("    {}: {}", printable(&field.name), printable(&field.value)));
        }
    }
    let helps = answer.review.verdicts.iter().filter(|verdict| verdict.decision == Decision::Deny);
    helps.filter_map(|verdict| verdict.help.as_ref()).for_each(|help| printer.hint(help));
    calls(printer, &answer.calls);
    printer.say(Style::Strong.paint(match answer.review.outcome {
        Outcome::Allowed => "Allowed",
        Outcome::Confirm => "Allowed once somebody has said yes",
        Outcome::Denied => "Denied",
    }));
}

fn calls(printer: &Printer, calls: &[Call]) {
    let mut table = Table::new();
    for call in calls {
        let fuel = format!("{} fuel", grouped(call.fuel));
        let memory = format!("{} KiB", call.memory / 1024);
        table.row([format!("  {}", call.function), fuel, memory, milliseconds(call.time)]);
    }
    for line in table.lines() {
        printer.say(Style::Faint.paint(line));
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn document(trial: &Trial, request: &Request, answer: &Answer) -> serde_json::Value {
    let steps: Vec<_> = request
        .plan
        .steps
        .iter()
        .zip(&answer.review.steps)
        .map(|(step, fate)| {
            let reason = match fate {
                StepFate::Run => None,
                StepFate::Skip { reason, .. } => Some(reason),
            };
            json!({
                "revision": step.revision.id,
                "direction": match step.direction { data::Direction::Up => "up", data::Direction::Down => "down" },
                "fate": if reason.is_some() { "skip" } else { "run" },
                "reason": reason,
            })
        })
        .collect();
    let identity = &answer.identity;
    json!({
        "plugin": trial.report(),
        "environment": { "name": identity.name, "level": identity.level, "production": identity.production },
        "plan_hash": answer.review.plan_hash,
        "outcome": answer.review.outcome,
        "steps": steps,
        "verdicts": answer.review.verdicts,
        "notices": answer.review.notices.iter().map(|notice| &notice.text).collect::<Vec<_>>(),
        "prompts": answer.review.prompts.iter().map(|prompt| &prompt.text).collect::<Vec<_>>(),
        "messages": answer.messages,
        "calls": answer.calls,
        "fuel": answer.calls.iter().map(|call| call.fuel).sum::<u64>(),
    })
}
