//! `runner plugin replay`

mod compare;
mod since;

use std::cell::Cell;

use runner_chain::Chain;
use runner_database::Access;
use runner_database::LedgerCheck;
use runner_database::LedgerRow;
use runner_database::Session;
use runner_policy::FactsSource;
use runner_policy::Linting;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Policies;
use runner_policy::Question;
use runner_policy::Role;
use runner_policy::Trial;
use runner_policy::Verdict;
use runner_policy::data;
use runner_policy::printable;
use serde_json::json;

use self::compare::Change;
use self::compare::changed;
use self::compare::outcome_of;
use super::subject::Given;
use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::ROLES;
use crate::pipeline::Weighing;
use crate::pipeline::load_chain;
use crate::pipeline::policy_context;
use crate::pipeline::policy_host;
use crate::pipeline::replay;
use crate::pipeline::replay::Replay;
use crate::suggest::nearest;

/// Ask again about the runs in the ledger, and show what the policies would say otherwise today
///
/// Asks the plugins of the set, or one of them, or another one, what they were asked then: the same operation, actor, time,
/// environment and SQL. Plans that were refused are not in the ledger. Reads only. Exits with 4 if anything differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin replay                            the set as it is now
  runner plugin replay --with policies/acme.wasm --since 2026-01-01
                                                  what would this rule have refused this year?
  runner plugin replay --plugin acme --with build/acme.wasm --json
                                                  a new version of a plugin against what the old one said")]
pub(crate) struct Args {
    /// From when on: a date or time, a run, or a revision and the run that last applied it
    #[arg(long, value_name = "DATE|REVISION|RUN")]
    since: Option<String>,
    /// Ask this plugin: a path, `builtin:NAME`, or a name in `runner.toml`
    #[arg(long = "with", value_name = "FILE")]
    with: Option<String>,
    /// Compare with what this plugin said then
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    #[command(flatten)]
    given: Given,
}

/// Who is asked.
enum Subject {
    /// All plugins of the set.
    Set(Policies),
    /// One, under the name with which its recorded verdicts are found.
    One { name: String, trial: Box<Trial> },
}

/// What came of a run.
enum Replayed {
    /// Nothing differs.
    Same,
    /// Something differs.
    Different(Box<Change>),
    /// It can't be replayed; why.
    Not(String),
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let chain = load_chain(&config)?;
        let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
        let ledger = session.ledger(None).await?;
        let check = session.verify_ledger().await?;
        session.close().await?;
        if let LedgerCheck::Damaged { id, reason } = check {
            printer.warn(format_args!("the ledger was changed by somebody: row {id}: {reason}"));
        }
        let (mut subject, granted) = self.subject(&config, global).await?;
        let runs = match &self.since {
            Some(since) => since::runs_since(&ledger, since)?,
            None => replay::runs(&ledger),
        };
        for (plugin, variables) in granted {
            printer.warn(format_args!(
                "variables are not recorded, so `{plugin}` sees those of now: {}",
                variables.join(", ")
            ));
        }
        let mut all = Vec::with_capacity(runs.len());
        for run in runs {
            let replayed = match replay::replay(&chain, &ledger, run) {
                Ok(replay) => subject.ask(&config, &chain, run, replay).await?,
                Err(why) => Replayed::Not(why),
            };
            show(printer, run, &replayed);
            all.push((run, replayed));
        }
        let count = Count::of(&all);
        printer.say(Style::Strong.paint(count.sentence()));
        printer.document(&document(&all, &count));
        Ok(if count.different > 0 { exit::PROBLEMS } else { exit::DONE })
    }

    /// Who is asked, and which variables of now they see.
    async fn subject(&self, config: &Config, global: &Global) -> Result<(Subject, Vec<(String, Vec<String>)>)> {
        let host = policy_host();
        let set = config.plugin_set()?;
        let definition = match (&self.with, &self.plugin) {
            (None, None) => {
                let granted = set.plugins.iter().filter_map(granted).collect();
                let url = config.database_url()?;
                let context = policy_context(config, data::Operation::Upgrade, true, Some(url));
                let mut policies = Policies::load_but_lint(&host, &set, &ROLES, context.target.dialect).await;
                policies.prepare_lint().await;
                return Ok((Subject::Set(policies), granted));
            }
            (Some(file), _) => self.given.plugin(file, global)?,
            (None, Some(name)) => {
                let of_set = set.plugins.iter().find(|plugin| plugin.name == *name).cloned();
                let found = match of_set {
                    Some(of_set) => Some(of_set),
                    None => config.plugin(name)?,
                };
                let Some(found) = found else { return Err(unknown(name, &config.plugin_names()?)) };
                self.given.applied_to(found)?
            }
        };
        let name = self.plugin.clone().unwrap_or_else(|| definition.name.clone());
        let granted = granted(&definition).into_iter().collect();
        let trial = Box::new(Trial::load(&host, PluginDefinition { name: name.clone(), ..definition }).await);
        Ok((Subject::One { name, trial }, granted))
    }
}

/// What a plugin hears that asks for facts.
const NO_FACTS: &str = "facts are not recorded";

fn unknown(name: &str, known: &[String]) -> Error {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Error::new(ErrorKind::Usage, format!("there is no plugin `{name}`"))
        .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean `{nearest}`?")))
        .help("`--with FILE` asks one that is not configured")
}

fn granted(plugin: &PluginDefinition) -> Option<(String, Vec<String>)> {
    let variables = &plugin.grants.env;
    (!variables.is_empty()).then(|| (plugin.name.clone(), variables.clone()))
}

impl Subject {
    async fn ask(&mut self, config: &Config, chain: &Chain, run: &LedgerRow, replay: Replay) -> Result<Replayed> {
        // Facts of then are not recorded, and those of now would be a guess.
        let wants_facts = Cell::new(false);
        let (source, requests) = FactsSource::asked();
        let refuse = async || {
            wants_facts.set(true);
            Err(data::Failure { message: NO_FACTS.to_owned(), help: None })
        };
        match self {
            Subject::Set(policies) => policies.offer_facts(&source),
            Subject::One { trial, .. } => trial.offer_facts(&source),
        }
        let (replayed, blind) = requests.serve(self.compare(config, chain, run, replay), refuse).await?;
        if wants_facts.get() && !blind {
            let why = "a plugin asks for facts about the target, and those of then are not recorded";
            return Ok(Replayed::Not(why.to_owned()));
        }
        Ok(replayed)
    }

    /// The difference, and whether something was left out because it rests on facts: whoever lints says so.
    async fn compare(
        &self,
        config: &Config,
        chain: &Chain,
        run: &LedgerRow,
        mut replay: Replay,
    ) -> Result<(Replayed, bool)> {
        let mut blind = Vec::new();
        let (recorded, verdicts) = match self {
            Subject::Set(policies) => {
                let mut verdicts = ask_set(config, chain, policies, &replay).await?;
                let is_blind = |verdict: &&Verdict| {
                    verdict.refusal && verdict.role == Some(Role::Lint) && verdict.message == NO_FACTS
                };
                blind.extend(verdicts.iter().filter(is_blind).map(|verdict| verdict.plugin.clone()));
                verdicts.retain(|verdict| !blind.contains(&verdict.plugin));
                replay.verdicts.retain(|verdict| !blind.contains(&verdict.plugin));
                (replay.verdicts.clone(), verdicts)
            }
            Subject::One { name, trial } => {
                let of_it = |verdict: &&Verdict| verdict.plugin == *name;
                let recorded = replay.verdicts.iter().filter(of_it).cloned().collect();
                (recorded, ask_one(trial, &replay).await)
            }
        };
        // Whoever decides on the plan by facts decides on all of it.
        let lints_alone = !verdicts.iter().any(|verdict| verdict.refusal && verdict.message == NO_FACTS);
        let is_blind = !blind.is_empty() && lints_alone;
        let before = outcome_of(&replay.verdicts);
        let after = match self {
            Subject::Set(_) => outcome_of(&verdicts),
            // What the others said then stands.
            Subject::One { name, .. } => {
                let others = replay.verdicts.iter().filter(|verdict| verdict.plugin != *name);
                outcome_of(others.chain(&verdicts))
            }
        };
        let (removed, added) = changed(&recorded, &verdicts);
        if removed.is_empty() && added.is_empty() && before == after {
            return Ok((Replayed::Same, is_blind));
        }
        let notes = self.notes(run, &replay);
        let change = Change { removed, added, before, after, notes };
        Ok((Replayed::Different(Box::new(change)), is_blind))
    }

    /// What else is not as it was then.
    fn notes(&self, run: &LedgerRow, replay: &Replay) -> Vec<String> {
        let mut notes = Vec::new();
        let then = replay::digests(&replay.plugins);
        let now: Vec<(String, Option<String>)> = match self {
            Subject::Set(policies) => {
                policies.identities().into_iter().map(|plugin| (plugin.name, plugin.digest)).collect()
            }
            Subject::One { name, trial } => {
                vec![(name.clone(), trial.report().and_then(|report| report.digest))]
            }
        };
        for (name, digest) in &now {
            match then.get(name.as_str()) {
                None => notes.push(format!("`{name}` was not asked then")),
                Some(recorded) if digest.as_deref() != Some(*recorded) => {
                    notes.push(format!("`{name}` is another component than then"));
                }
                Some(_) => {}
            }
        }
        if let Subject::Set(policies) = self
            && policies.settings_hash() != replay.settings_hash
        {
            notes.push("plugins, settings or modes of the set are others than then".to_owned());
        }
        if run.tool_version != env!("CARGO_PKG_VERSION") {
            notes.push(format!("it was run by runner {}", run.tool_version));
        }
        notes
    }
}

/// Asks a whole set: first what the environment is, then everything else.
/// What is found in revisions is weighed with the comments and the configuration of now.
async fn ask_set(config: &Config, chain: &Chain, policies: &Policies, replay: &Replay) -> Result<Vec<Verdict>> {
    let context = unidentified(&replay.request.context, &replay.configured_environment);
    let identity = policies.identify(&context).await;
    let dialect = config.database_url()?.dialect();
    let looked_at = replay.request.sources.iter().map(|source| source.revision.id.clone()).collect();
    let weighing = Weighing::of(config, looked_at, dialect, policies, &identity, &context).await?;
    let scales = weighing.scales(chain, dialect);
    let memory = policy_host().memory(&config.migrations_key());
    let linting = Linting { memory: &memory, assess: &scales };
    let request = replay.request.clone();
    Ok(policies.review_with(request, &identity, |fates| replay.hash(fates), linting).await.verdicts)
}

/// Asks one plugin. Unless it decides on environments itself, it sees what the one that did then has said.
async fn ask_one(trial: &Trial, replay: &Replay) -> Vec<Verdict> {
    let request = if trial.has(Role::Environment) {
        let mut request = replay.request.clone();
        request.context = unidentified(&request.context, &replay.configured_environment);
        request
    } else {
        replay.judged.clone()
    };
    trial.ask(request, Question { roles: &ROLES, event: None }).await.review.verdicts
}

/// The context before the environment is identified and the target connected.
fn unidentified(context: &data::Context, configured: &str) -> data::Context {
    let environment = data::Environment { name: configured.to_owned(), level: None, production: None };
    let target = data::Target { server_version: String::new(), ..context.target.clone() };
    data::Context { environment, target, ..context.clone() }
}

fn show(printer: &Printer, run: &LedgerRow, replayed: &Replayed) {
    let head = format!(
        "{}  {}  {}  {}@{}  {}",
        run.started_at,
        run.command,
        printable(&run.environment),
        printable(&run.actor),
        printable(&run.host),
        run.run_id
    );
    match replayed {
        Replayed::Same => printer.say(format_args!("{head}  the same")),
        Replayed::Not(why) => {
            printer.line(format_args!("{head}  {}", Style::Warning.paint("not replayed")));
            printer.line(format_args!("  {}", printable(why)));
        }
        Replayed::Different(change) => {
            printer.line(format_args!("{head}  {}", Style::Bad.paint(change.sentence())));
            for (sign, style, verdicts) in [("-", Style::Bad, &change.removed), ("+", Style::Good, &change.added)] {
                for verdict in verdicts {
                    printer.line(style.paint(format_args!("  {sign} {}", compare::shown(verdict))));
                }
            }
            for note in &change.notes {
                printer.line(Style::Faint.paint(format_args!("  {note}")));
            }
        }
    }
}

/// How many runs there are of each kind.
struct Count {
    same: usize,
    different: usize,
    denied: usize,
    not_replayed: usize,
}

impl Count {
    fn of(all: &[(&LedgerRow, Replayed)]) -> Self {
        let mut count = Count { same: 0, different: 0, denied: 0, not_replayed: 0 };
        for (_, replayed) in all {
            match replayed {
                Replayed::Same => count.same += 1,
                Replayed::Not(_) => count.not_replayed += 1,
                Replayed::Different(change) => {
                    count.different += 1;
                    count.denied += usize::from(change.after == Outcome::Denied && change.before != Outcome::Denied);
                }
            }
        }
        count
    }

    fn sentence(&self) -> String {
        let Count { same, different, denied, not_replayed } = self;
        let total = same + different + not_replayed;
        let noun = if total == 1 { "run" } else { "runs" };
        let denied = if *denied > 0 { format!(" ({denied} would have been denied)") } else { String::new() };
        let rest = if *not_replayed > 0 { format!(", {not_replayed} not replayed") } else { String::new() };
        format!("{total} {noun}: {same} the same, {different} different{denied}{rest}")
    }
}

fn document(all: &[(&LedgerRow, Replayed)], count: &Count) -> serde_json::Value {
    let run = |(run, replayed): &(&LedgerRow, Replayed)| {
        let mut document = json!({
            "run_id": run.run_id, "command": run.command, "started_at": run.started_at,
            "environment": run.environment, "actor": run.actor, "host": run.host,
        });
        let more = match replayed {
            Replayed::Same => json!({ "status": "same" }),
            Replayed::Not(why) => json!({ "status": "not_replayed", "reason": why }),
            Replayed::Different(change) => json!({
                "status": "different",
                "outcome_then": change.before,
                "outcome_now": change.after,
                "removed": change.removed,
                "added": change.added,
                "notes": change.notes,
            }),
        };
        if let (Some(document), serde_json::Value::Object(more)) = (document.as_object_mut(), more) {
            document.extend(more);
        }
        document
    };
    json!({
        "runs": all.iter().map(run).collect::<Vec<_>>(),
        "same": count.same,
        "different": count.different,
        "would_have_been_denied": count.denied,
        "not_replayed": count.not_replayed,
    })
}
