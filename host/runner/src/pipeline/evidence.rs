//! What a run leaves in the ledger about why it was allowed: enough to ask the same policies, or others, the same question
//! again.

use jiff::Timestamp;
use runner_database::Action;
use runner_database::RunInfo;
use runner_database::StepDirection;
use runner_policy::Policies;
use runner_policy::Request;
use runner_policy::StepFate;
use runner_policy::Verdict;
use runner_policy::data;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use super::Order;
use super::context;
use super::judging::Judged;
use crate::config::Config;

/// What the policies were asked, as far as it can't be had from the files and from older rows of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The operation as policies see it.
    pub(super) operation: data::Operation,
    /// When the command began.
    pub(super) now: data::Timestamp,
    /// The database, without secrets.
    pub(super) target: data::Target,
    /// Name of the environment as it was configured, before a policy said what it is.
    pub(super) configured_environment: String,
    /// Rows of the version table before the run.
    pub(super) versions: Vec<String>,
    /// Hash of the plan before a policy had steps skipped.
    pub(super) plan_hash: String,
    /// See [`digest`].
    pub(super) digest: String,
}

impl Asked {
    pub(super) fn of(request: &Request, config: &Config, versions: &[String]) -> Self {
        let context = &request.context;
        Asked {
            operation: context.operation,
            now: context.now,
            target: context.target.clone(),
            configured_environment: config.environment.clone(),
            versions: versions.to_vec(),
            plan_hash: request.plan.hash.clone(),
            digest: digest(request),
        }
    }
}

/// SHA-256 over the JSON form of a request without its sources, which follow from the files of its steps. By it a replay
/// knows that it asks what was asked.
pub(super) fn digest(request: &Request) -> String {
    let asked = (&request.context, &request.plan, &request.applied);
    // Nothing in it can fail to be written; nothing is what no request gives.
    let asked = serde_json::to_vec(&asked).unwrap_or_default();
    Sha256::digest(asked).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What becomes of a step's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StepAction {
    Run,
    Skip,
    Stamp,
    Repair,
}

impl StepAction {
    fn of(action: &Action) -> Self {
        match action {
            Action::Run => StepAction::Run,
            Action::Skip { .. } => StepAction::Skip,
            Action::Stamp => StepAction::Stamp,
            Action::Repair { .. } => StepAction::Repair,
        }
    }
}

/// A step of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StepEvidence {
    pub(super) revision: String,
    pub(super) direction: StepDirection,
    /// Checksum of the file.
    pub(super) checksum: String,
    /// Checksum of its SQL. Older runners did not record it, nor what follows.
    pub(super) sql_checksum: Option<String>,
    pub(super) action: Option<StepAction>,
    /// How many statements the policies were shown.
    pub(super) statements: Option<usize>,
    /// Whether the environment policy had its SQL left out.
    pub(super) skipped: Option<bool>,
}

/// The evidence of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Evidence {
    pub(super) plan_hash: String,
    pub(super) plugin_set: String,
    pub(super) settings_hash: String,
    pub(super) environment: RecordedEnvironment,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) steps: Vec<StepEvidence>,
    /// Older runners did not record it.
    pub(super) request: Option<Asked>,
}

/// What the environment was taken for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RecordedEnvironment {
    pub(super) name: String,
    pub(super) level: Option<u32>,
    pub(super) production: Option<bool>,
}

/// What the ledger will say of a run.
pub(super) fn run_info(policies: &Policies, judged: &Judged, order: &Order, run_id: &str) -> RunInfo {
    let report = &judged.report;
    let fates = judged.review.steps.iter().zip(&judged.places);
    let steps = judged.scripts.iter().flatten().zip(fates).map(|(script, (fate, places))| StepEvidence {
        revision: script.revision.clone(),
        direction: script.direction,
        checksum: script.checksum.clone(),
        sql_checksum: Some(script.sql_checksum.clone()),
        action: Some(StepAction::of(&script.action)),
        statements: Some(places.len()),
        skipped: Some(*fate != StepFate::Run),
    });
    let environment = &report.environment;
    let evidence = Evidence {
        plan_hash: report.plan_hash.clone(),
        plugin_set: report.plugin_set.clone(),
        settings_hash: policies.settings_hash(),
        environment: RecordedEnvironment {
            name: environment.name.clone(),
            level: environment.level,
            production: environment.production,
        },
        verdicts: report.verdicts.clone(),
        steps: steps.collect(),
        request: judged.asked.clone(),
    };
    RunInfo {
        run_id: run_id.to_owned(),
        command: order.operation.name().to_owned(),
        environment: environment.name.clone(),
        actor: context::actor(),
        host: context::host(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        plugins: serde_json::json!(policies.identities()),
        evidence: serde_json::json!(evidence),
    }
}

/// A name that sorts by time and is unique even when eight runners start at once.
pub(crate) fn run_id() -> String {
    let mut random = [0; 4];
    if getrandom::fill(&mut random).is_err() {
        random = std::process::id().to_le_bytes();
    }
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
    format!("{time}-{:08x}", u32::from_be_bytes(random))
}
