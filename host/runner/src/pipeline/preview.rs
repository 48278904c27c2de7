//! A plan written down for review, and the proof that what is about to run is that plan.

use runner_policy::Policies;
use serde::Deserialize;
use serde::Serialize;

use super::Operation;
use super::Order;
use super::judging::Judged;
use super::situation::Database;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// The form of plan files that this version writes and reads.
const FORMAT: u32 = 1;

/// What a plan rests on. If any of it changes, it is another plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// The form of this file.
    pub format: u32,
    /// `upgrade`, `downgrade` or `rollback`.
    pub operation: String,
    /// Selectors of the revisions to go to, as typed.
    pub targets: Vec<String>,
    /// The database, without secrets.
    pub target: String,
    /// Canonical name of the environment.
    pub environment: String,
    /// SHA-256 of the plan, which covers its steps, their SQL, the database and the environment.
    pub plan_hash: String,
    /// Rows of the version table before the plan.
    pub versions_before: Vec<String>,
    /// And after it.
    pub versions_after: Vec<String>,
    /// The hash of the ledger's last row; `None`: it is empty.
    pub ledger: Option<String>,
    /// The plugin set.
    pub plugin_set: String,
    /// Each plugin of it, with version and digest.
    pub plugins: Vec<String>,
    /// SHA-256 of all settings of the plugins.
    pub settings_hash: String,
    /// What runs, in order.
    pub steps: Vec<PlannedStep>,
    /// The version of the tool that made it.
    pub tool_version: String,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The revision.
    pub revision: String,
    /// `up` or `down`.
    pub direction: String,
    /// The revision's title.
    pub message: String,
    /// Its file.
    pub file: String,
    /// SHA-256 of the file.
    pub checksum: String,
    /// Whether its statements run in a transaction.
    pub transactional: bool,
    /// Why it is skipped.
    pub skipped: Option<String>,
    /// Its statements.
    pub statements: Vec<String>,
}

impl PlanFile {
    pub(super) fn of(order: &Order, database: &Database, policies: &Policies, judged: &Judged) -> Self {
        let report = &judged.report;
        let scripts = judged.scripts.as_ref().map_or(&[][..], Vec::as_slice);
        let steps = report.steps.iter().zip(scripts).map(|(step, script)| PlannedStep {
            revision: step.revision.clone(),
            direction: step.direction.to_string(),
            message: step.message.clone(),
            file: database.chain.get(&step.revision).map(|revision| revision.file.clone()).unwrap_or_default(),
            checksum: script.checksum.clone(),
            transactional: script.transactional,
            skipped: step.skipped.clone(),
            statements: script.statements.iter().map(|statement| statement.text.clone()).collect(),
        });
        PlanFile {
            format: FORMAT,
            operation: order.operation.name().to_owned(),
            targets: order.targets.clone(),
            target: report.target.name.clone(),
            environment: report.environment.name.clone(),
            plan_hash: report.plan_hash.clone(),
            versions_before: database.state.versions.clone(),
            versions_after: judged.after.clone(),
            ledger: database.state.tail.as_ref().map(|tail| tail.hash.clone()),
            plugin_set: report.plugin_set.clone(),
            plugins: policies
                .identities()
                .iter()
                .map(|identity| serde_json::to_string(identity).unwrap_or_default())
                .collect(),
            settings_hash: policies.settings_hash(),
            steps: steps.collect(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// It is none, or one of a newer version.
    pub(crate) fn parse(text: &str, shown: &str) -> Result<Self> {
        let wrong = |message: String| Error::new(ErrorKind::Usage, format!("`{shown}` is no plan file: {message}"));
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        // The document of `preview --json` holds it.
        let value = value.get("plan_file").cloned().unwrap_or(value);
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => {
                return Err(wrong(format!("it has the format {format}, which a newer version has written")));
            }
            Some(_) => {}
            None => {
                return Err(wrong("it has no `format`".to_owned()).help("`runner preview --out FILE` writes one"));
            }
        }
        serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
    }

    /// The operation.
    pub(crate) fn operation(&self) -> Result<Operation> {
        [Operation::Upgrade, Operation::Downgrade, Operation::Rollback]
            .into_iter()
            .find(|operation| operation.name() == self.operation)
            .ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("`{}` is no operation that can be planned", self.operation))
            })
    }

    /// Refuses to run another plan than this one.
    pub(super) fn refuse_other(&self, now: &PlanFile) -> Result<()> {
        let mut changed = Vec::new();
        let mut compare = |what: &str, before: String, after: String| {
            if before != after {
                changed.push(format!("{what} was {before}, and is {after} now"));
            }
        };
        compare("the database", quoted(&self.target), quoted(&now.target));
        compare("the environment", quoted(&self.environment), quoted(&now.environment));
        compare("the revision of the database", list(&self.versions_before), list(&now.versions_before));
        compare("the version of the runner", self.tool_version.clone(), now.tool_version.clone());
        compare("the plugin set", quoted(&self.plugin_set), quoted(&now.plugin_set));
        for (index, step) in self.steps.iter().enumerate() {
            match now.steps.get(index) {
                Some(other) if other.revision == step.revision && other.direction == step.direction => {
                    let name = format!("`{}`", step.revision);
                    if other.checksum != step.checksum {
                        changed.push(format!("{name}: its file `{}` was changed", other.file));
                    } else if other.skipped.is_some() != step.skipped.is_some() {
                        let is = if other.skipped.is_some() { "is skipped now" } else { "is not skipped any more" };
                        changed.push(format!("{name} {is}"));
                    } else if other.statements != step.statements {
                        changed.push(format!("{name}: the statements in the plan file are not those of its file"));
                    }
                }
                _ => {
                    changed.push(format!("step {} is not {} {} any more", index + 1, step.revision, step.direction));
                    break;
                }
            }
        }
        if now.steps.len() > self.steps.len() {
            changed.push(format!("the plan has {} steps instead of {}", now.steps.len(), self.steps.len()));
        }
        // Policies that only lint are not loaded for a plan without steps.
        if self.plugins != now.plugins && !now.steps.is_empty() {
            changed.push("the plugins are others, or other versions of them".to_owned());
        }
        if self.settings_hash != now.settings_hash {
            changed.push("settings of the plugins were changed".to_owned());
        }
        if changed.is_empty() && self.ledger != now.ledger {
            changed.push("the database was changed by another run".to_owned());
        }
        if changed.is_empty() && self.plan_hash != now.plan_hash {
            changed.push("the plan has another hash: the file was edited".to_owned());
        }
        if changed.is_empty() && self != now {
            changed.push("the file was edited".to_owned());
        }
        if changed.is_empty() {
            return Ok(());
        }
        let message =
            format!("this is not the plan that was reviewed; nothing was run:\n       {}", changed.join("\n       "));
        Err(Error::new(ErrorKind::Drift, message)
            .help("make the plan again with `runner preview`, and have it reviewed"))
    }
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

fn list(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}
