//! What came of an order. Its serialised form is the JSON that scripts rely on.

use runner_backup::Backup;
use runner_chain::Direction;
use runner_policy::Facts;
use runner_policy::Request;
use runner_policy::Verdict;
use runner_policy::data;
use serde::Serialize;

use super::preview::PlanFile;
use super::validation::ValidationReport;
use crate::backup::forecast::LossReport;
use crate::error::Error;

/// The database.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// `sqlite`, `postgres` or `mysql`.
    pub dialect: String,
    /// What people call it, without secrets.
    pub name: String,
    /// Product and version of the server, as in `SQLite 3.46.0`.
    pub server: String,
}

/// The environment.
#[derive(Clone, Debug, Serialize)]
pub struct Environment {
    /// Canonical name.
    pub name: String,
    /// Its level; `None` if no policy knows it.
    pub level: Option<u32>,
    /// Whether it is production; `None` if no policy knows it.
    pub production: Option<bool>,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepStatus {
    /// It has not been run.
    Pending,
    /// Its up section ran.
    Applied,
    /// Its down section ran.
    Reverted,
    /// Its SQL was not run, and it counts as passed.
    Skipped,
    /// It was marked as applied by `stamp`.
    Stamped,
    /// It was marked as not applied by `stamp`.
    Unstamped,
    /// What is recorded of it was put right by `repair`.
    Repaired,
    /// A statement of it failed.
    Failed,
    /// It ran and was undone, because the run was one transaction and failed later.
    RolledBack,
    /// The connection was lost while it was committed, and the database could not be asked.
    Unknown,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// The revision.
    pub revision: String,
    /// Up or down.
    pub direction: Direction,
    /// The revision's title.
    pub message: String,
    /// How far it has come; left out for plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
    /// How long it took; left out for plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// Why it is skipped.
    #[serde(skip)]
    pub skipped: Option<String>,
}

/// What came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// A plan that may run.
    Allowed,
    /// A plan that may run once somebody has said yes.
    Confirm,
    /// Refused by a policy.
    Denied,
    /// Everything ran.
    Applied,
    /// The database is where it should be.
    NothingToDo,
    /// Something failed; nothing after it ran.
    Failed,
    /// Stopped between two steps, or in one that was rolled back. Scripts see it as `failed`, with the error's kind.
    #[serde(rename = "failed")]
    Interrupted,
}

/// A lock that a statement of the plan will take.
#[derive(Clone, Debug, Serialize)]
pub struct LockReport {
    /// The revision.
    pub revision: String,
    /// The statement of it, from 1.
    pub statement: usize,
    /// Line of the statement in the file, from 1.
    pub line: Option<usize>,
    /// Its column in characters, from 1.
    pub column: Option<usize>,
    /// What is locked, as the statement names it.
    pub object: String,
    /// The level, as in `ACCESS EXCLUSIVE`.
    pub level: String,
    /// What others can't do meanwhile.
    #[serde(serialize_with = "blocked")]
    pub blocks: data::Blocked,
    /// Whether the whole table is written anew meanwhile.
    pub rewrites: bool,
    /// Whether the whole table is read meanwhile.
    pub scans: bool,
    /// Anything else that matters.
    pub remark: Option<String>,
    /// The plugin that says so.
    pub plugin: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn blocked<S: serde::Serializer>(blocked: &data::Blocked, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match blocked {
        data::Blocked::Nothing => "nothing",
        data::Blocked::SchemaChanges => "schema-changes",
        data::Blocked::Writes => "writes",
        data::Blocked::ReadsAndWrites => "reads-and-writes",
    })
}

/// A backup.
#[derive(Clone, Debug, Serialize)]
pub struct BackupReport {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// How many tables it holds, or parts of them.
    pub tables: usize,
    /// Rows in them.
    pub rows: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

impl BackupReport {
    pub(crate) fn of(backup: &Backup) -> Self {
        let manifest = backup.manifest();
        BackupReport {
            name: backup.name().to_owned(),
            path: backup.path().display().to_string(),
            tables: manifest.tables.len(),
            rows: manifest.tables.iter().map(|table| table.rows).sum(),
            bytes: manifest.members.iter().map(|member| member.bytes).sum(),
        }
    }
}

/// A table that was put back.
#[derive(Clone, Debug, Serialize)]
pub struct RestoredTable {
    /// Its name.
    pub table: String,
    /// How many rows.
    pub rows: u64,
}

/// What came of an order.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command.
    #[serde(skip)]
    pub operation: super::Operation,
    /// The database.
    pub target: Target,
    /// The environment.
    pub environment: Environment,
    /// SHA-256 of the plan: 64 hexadecimal digits.
    pub plan_hash: String,
    /// The steps, in the order in which they run.
    pub steps: Vec<StepReport>,
    /// What the policies say.
    pub verdicts: Vec<Verdict>,
    /// Locks that the steps will take, as far as a lint policy forecasts them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<LockReport>,
    /// The plan as it is reviewed, if the order wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_file: Option<Box<PlanFile>>,
    /// What the plan destroys, if somebody wanted to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_loss: Vec<LossReport>,
    /// What a rollback would meet, if the order wants it known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Box<ValidationReport>>,
    /// The backup that was made before the first step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupReport>,
    /// Tables that were put back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<RestoredTable>,
    /// What came of it.
    pub outcome: Outcome,
    /// Name of the plugin set.
    #[serde(skip)]
    pub plugin_set: String,
    /// What the policies were asked, if the order wants it kept.
    #[serde(skip)]
    pub request: Option<Box<Request>>,
    /// The facts that a policy asked for meanwhile, if the order wants them kept.
    #[serde(skip)]
    pub facts: Option<Box<Facts>>,
    /// The script, if one was written instead of running the plan.
    #[serde(skip)]
    pub script: Option<String>,
    /// What went wrong, for `failed` and `interrupted`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "error")]
    pub error: Option<Error>,
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn error<S: serde::Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(crate::output::json::error_object).serialize(serializer)
}

impl Report {
    /// How many steps have a status.
    pub fn count(&self, status: StepStatus) -> usize {
        self.steps.iter().filter(|step| step.status == Some(status)).count()
    }
}
