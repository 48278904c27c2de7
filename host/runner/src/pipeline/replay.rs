//! Runs of the past: from what the ledger has of them, and from the files, back to what the policies were asked.
//!
//! Nothing is guessed: whatever can't be had as it was makes a run one that can't be replayed, and the digest of the request
//! that the run has left behind proves that the one made here is the same.

use std::collections::HashMap;

use runner_chain::Chain;
use runner_chain::Direction;
use runner_database::Dialect;
use runner_database::LedgerRow;
use runner_database::LedgerStatus;
use runner_database::State;
use runner_database::StepDirection;
use runner_policy::LintMatter;
use runner_policy::PluginIdentity;
use runner_policy::Request;
use runner_policy::StepFate;
use runner_policy::Verdict;
use runner_policy::data;

use super::evidence::Asked;
use super::evidence::Evidence;
use super::evidence::StepAction;
use super::evidence::StepEvidence;
use super::evidence::digest;
use super::prepare::PreparedStep;
use super::request;
use super::situation::versions;
use super::surroundings::surroundings;

/// A run that can be replayed.
pub(crate) struct Replay {
    /// What the policies were asked.
    pub(crate) request: Request,
    /// Name of the environment before a policy said what it is.
    pub(crate) configured_environment: String,
    /// The request as the policies that come after the environment policy saw it.
    pub(crate) judged: Request,
    /// What the policies said.
    pub(crate) verdicts: Vec<Verdict>,
    /// SHA-256 over settings and modes of the set.
    pub(crate) settings_hash: String,
    /// The plugins that were asked.
    pub(crate) plugins: Vec<PluginIdentity>,
    /// Whether a step's SQL was left out, for each step.
    skipped: Vec<bool>,
}

impl Replay {
    /// The hash under which policies see a plan once the environment policy has been heard.
    pub(crate) fn hash(&self, fates: &[StepFate]) -> String {
        let skips = |(fate, step): (&StepFate, &data::Step)| *fate != StepFate::Run || step.skipped;
        let skipped: Vec<bool> = fates.iter().zip(&self.request.plan.steps).map(skips).collect();
        if skipped == self.skipped {
            return self.judged.plan.hash.clone();
        }
        // Another plan than the one that ran: no approval that was given is for it.
        let mut other = self.judged.clone();
        other.plan.steps.iter_mut().zip(skipped).for_each(|(step, skipped)| step.skipped = skipped);
        digest(&other)
    }
}

/// The runs in a ledger, oldest first.
pub(crate) fn runs(ledger: &[LedgerRow]) -> Vec<&LedgerRow> {
    let is_run = |row: &&LedgerRow| row.revision.is_none() && row.known_status() == Some(LedgerStatus::Run);
    let mut runs: Vec<&LedgerRow> = ledger.iter().filter(is_run).collect();
    runs.sort_by_key(|row| row.id);
    runs
}

/// Makes the request of a run again.
///
/// # Errors
/// Why that can't be done, as the rest of a sentence.
pub(crate) fn replay(chain: &Chain, ledger: &[LedgerRow], run: &LedgerRow) -> Result<Replay, String> {
    let lacking = || format!("its evidence lacks what a replay needs (recorded by runner {})", run.tool_version);
    let evidence = run.verdicts.as_deref().ok_or_else(lacking)?;
    let evidence: Evidence = serde_json::from_str(evidence).map_err(|_| lacking())?;
    let asked = evidence.request.clone().ok_or_else(lacking)?;
    let before: Vec<LedgerRow> = ledger.iter().filter(|row| row.id < run.id).cloned().collect();
    let state =
        State { versions: asked.versions.clone(), records: runner_database::records(&before), ..State::default() };
    let request = request_of(chain, &state, run, &evidence, &asked)?;
    if digest(&request) != asked.digest {
        return Err("what the policies were asked can't be made again exactly: a file of an earlier revision, or what the ledger has of it, has changed since".to_owned());
    }
    let mut judged = request.clone();
    judged.plan.hash.clone_from(&evidence.plan_hash);
    for (step, recorded) in judged.plan.steps.iter_mut().zip(&evidence.steps) {
        step.skipped |= recorded.skipped == Some(true);
    }
    let skipped = judged.plan.steps.iter().map(|step| step.skipped).collect();
    let plugins = run.plugins.as_deref().and_then(|plugins| serde_json::from_str(plugins).ok());
    Ok(Replay {
        configured_environment: asked.configured_environment,
        judged,
        request,
        verdicts: evidence.verdicts,
        settings_hash: evidence.settings_hash,
        plugins: plugins.unwrap_or_default(),
        skipped,
    })
}

fn request_of(
    chain: &Chain,
    state: &State,
    run: &LedgerRow,
    evidence: &Evidence,
    asked: &Asked,
) -> Result<Request, String> {
    let dialect = dialect(asked.target.dialect);
    let only_records =
        evidence.steps.iter().all(|step| matches!(step.action, Some(StepAction::Stamp | StepAction::Repair)));
    let steps: Vec<PreparedStep<'_>> =
        evidence.steps.iter().map(|step| prepared(chain, state, step, dialect)).collect::<Result<_, _>>()?;
    let versions = versions(state).map_err(|error| error.to_string())?;
    let applied = chain.applied(&versions).map_err(|error| error.to_string())?;
    let environment = &evidence.environment;
    Ok(Request {
        context: data::Context {
            operation: asked.operation,
            dry_run: false,
            now: asked.now,
            actor: data::Actor { name: run.actor.clone(), host: run.host.clone() },
            target: asked.target.clone(),
            environment: data::Environment {
                name: environment.name.clone(),
                level: environment.level,
                production: environment.production,
            },
            settings: "{}".to_owned(),
            variables: Vec::new(),
        },
        plan: data::Plan {
            hash: asked.plan_hash.clone(),
            steps: steps.iter().map(|step| request::step(chain, state, step)).collect(),
        },
        applied: applied
            .iter()
            .filter_map(|index| chain.revisions().get(index))
            .map(|revision| request::applied(state, revision))
            .collect(),
        sources: match only_records {
            true => Vec::new(),
            false => steps.iter().map(|step| request::source(chain, dialect, step)).collect(),
        },
        lint: LintMatter {
            surroundings: steps.iter().map(|step| surroundings(chain, step.revision, Some(&applied))).collect(),
            ..LintMatter::default()
        },
    })
}

/// A step of a run, if its file still is what it was.
fn prepared<'a>(
    chain: &'a Chain,
    state: &State,
    step: &StepEvidence,
    dialect: Dialect,
) -> Result<PreparedStep<'a>, String> {
    let id = &step.revision;
    let revision = chain.get(id).ok_or_else(|| format!("the file of `{id}` is gone"))?;
    if revision.checksum().to_string() != step.checksum {
        let only_words = step.sql_checksum.as_ref().is_some_and(|sql| revision.sql_checksum().to_string() == *sql);
        let what = if only_words { "comments or the header of " } else { "" };
        return Err(format!("{what}`{}` changed since", revision.file));
    }
    let direction = match step.direction {
        StepDirection::Up => Direction::Up,
        StepDirection::Down => Direction::Down,
    };
    let was_skipped = direction == Direction::Down
        && state.records.get(id).is_some_and(|record| record.status == runner_database::RecordedStatus::Skipped);
    let was_shown = step.statements.is_some_and(|count| count > 0);
    let statements = match was_shown.then(|| revision.run(direction, dialect)).flatten() {
        Some(section) => Some(section.statements(dialect).map_err(|error| format!("`{}`: {error}", revision.file))?),
        None => Some(Vec::new()),
    };
    Ok(PreparedStep { revision, direction, statements, was_skipped })
}

fn dialect(dialect: data::Dialect) -> Dialect {
    match dialect {
        data::Dialect::Sqlite => Dialect::Sqlite,
        data::Dialect::Postgres => Dialect::Postgres,
        data::Dialect::Mysql => Dialect::Mysql,
    }
}

/// Versions of the plugins of a run, by name.
pub(crate) fn digests(plugins: &[PluginIdentity]) -> HashMap<&str, &str> {
    plugins.iter().filter_map(|plugin| Some((plugin.name.as_str(), plugin.digest.as_deref()?))).collect()
}
