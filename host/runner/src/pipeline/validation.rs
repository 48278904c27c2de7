//! What a rollback would meet, found out before anything runs: whether it leads where it should, has a way down everywhere,
//! what depends on what it takes away, and whether it was ever rehearsed.

use std::time::Duration;

use runner_database::Dependencies;
use runner_database::Session;
use runner_database::StepScript;
use serde::Serialize;

use super::precaution;
use super::report::Report;
use super::situation::Database;
use crate::config::Config;
use crate::dependents;
use crate::dependents::DependentReport;
use crate::dependents::Fate;
use crate::dependents::Scene;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::rehearsal::Known;
use crate::rehearsal::Record;

/// So many lines of a report go into the ledger.
const KEPT_LINES: usize = 40;

/// What a rollback would meet.
#[derive(Clone, Debug, Serialize)]
pub struct ValidationReport {
    /// Whether nothing is known that stands in the way.
    pub ok: bool,
    /// Where the rollback leads.
    pub target: ValidatedTarget,
    /// Its steps, in the order in which they run.
    pub steps: Vec<ValidatedStep>,
    /// What depends on what it takes away.
    pub dependents: Vec<DependentReport>,
    /// What could not be found out about dependents.
    pub unknown: Vec<String>,
    /// What stands in the way.
    pub problems: Vec<String>,
    /// What somebody should know before.
    pub warnings: Vec<String>,
}

/// Where a rollback leads.
#[derive(Clone, Debug, Serialize)]
pub struct ValidatedTarget {
    /// The database was reached; without that there is no report.
    pub reachable: bool,
    /// The revision exists and can be gone back to; without that there is no report either.
    pub exists: bool,
    /// Rows of the version table now.
    pub from: Vec<String>,
    /// And afterwards.
    pub to: Vec<String>,
}

/// Whether a revision has a way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WayDown {
    /// It has a section that runs on this kind of database.
    Present,
    /// It has none.
    Missing,
    /// It has one for other kinds of databases only.
    MissingForDialect,
    /// Its up section was skipped, so there is nothing to undo.
    NotNeeded,
}

/// Whether a way down was rehearsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestedHow {
    /// Yes, as it is now and on this kind of database.
    Tested,
    /// As it is now, on another kind of database.
    OtherDialect,
    /// The file has changed since.
    Changed,
    /// Nothing is known of it.
    Never,
}

/// A step of a rollback.
#[derive(Clone, Debug, Serialize)]
pub struct ValidatedStep {
    /// The revision.
    pub revision: String,
    /// Whether it has a way down.
    pub down: WayDown,
    /// Whether that was rehearsed (`runner test`).
    pub tested: TestedHow,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tested_at: Option<String>,
    /// On what, as in `PostgreSQL 15.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tested_on: Option<String>,
    /// By which version of the runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tested_by: Option<String>,
    /// The same as a sentence.
    pub message: String,
}

impl ValidatedStep {
    /// Whether nobody needs to be warned of it.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        match self.down {
            WayDown::NotNeeded => true,
            WayDown::Present => self.tested == TestedHow::Tested,
            WayDown::Missing | WayDown::MissingForDialect => false,
        }
    }
}

impl ValidationReport {
    /// What is known without asking the database.
    fn of(config: &Config, database: &Database, report: &Report, after: &[String]) -> Result<Self> {
        let record = Record::known(config)?;
        let steps: Vec<ValidatedStep> =
            report.steps.iter().filter_map(|step| validated_step(&record, database, step)).collect();
        Ok(Self {
            ok: true,
            target: ValidatedTarget {
                reachable: true,
                exists: true,
                from: database.state.versions.clone(),
                to: after.to_vec(),
            },
            steps,
            dependents: Vec::new(),
            unknown: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// Draws the conclusions.
    fn judged(mut self) -> Self {
        for step in &self.steps {
            let line = format!("`{}`: {}", step.revision, step.message);
            match step.down {
                WayDown::Missing | WayDown::MissingForDialect => self.problems.push(line),
                _ if step.is_fine() => {}
                _ => self.warnings.push(line),
            }
        }
        for dependent in &self.dependents {
            let line = format!("`{}` statement {}: {}", dependent.revision, dependent.statement, dependent.message);
            match dependent.fate {
                Fate::Refuses => self.problems.push(line),
                Fate::MayRefuse | Fate::Breaks | Fate::Cascade => self.warnings.push(line),
                _ => {}
            }
        }
        self.warnings.extend(self.unknown.iter().cloned());
        self.ok = self.problems.is_empty();
        self
    }

    /// The error for what stands in the way, if anything does.
    pub(super) fn refusal(&self) -> Option<Error> {
        let refusing = |fate| self.dependents.iter().filter(move |dependent| dependent.fate == fate);
        let count = refusing(Fate::Refuses).count();
        if count == 0 {
            return None;
        }
        let message = match count {
            1 => "the database would refuse the rollback, because of something that depends on what it drops; nothing was run".to_owned(),
            _ => format!("the database would refuse the rollback, because of {count} things that depend on what it drops; nothing was run"),
        };
        let mut error = Error::new(ErrorKind::Refused, message);
        for dependent in refusing(Fate::Refuses) {
            error = error
                .help(format!("`{}` statement {}: {}", dependent.revision, dependent.statement, dependent.message));
        }
        Some(error.help("drop them first, in a way down or by hand; `--force` leaves out the validation"))
    }
}

fn validated_step(record: &Record, database: &Database, step: &super::report::StepReport) -> Option<ValidatedStep> {
    let revision = database.chain.get(&step.revision)?;
    let dialect = database.dialect;
    let down = match () {
        () if step.skipped.is_some() => WayDown::NotNeeded,
        () if revision.run(step.direction, dialect).is_some() => WayDown::Present,
        () if revision.has_down_sections() => WayDown::MissingForDialect,
        () => WayDown::Missing,
    };
    let (tested, entry) = match record.of(revision, dialect) {
        Known::Tested(entry) => (TestedHow::Tested, Some(entry)),
        Known::Elsewhere(entry) => (TestedHow::OtherDialect, Some(entry)),
        Known::Changed(entry) => (TestedHow::Changed, Some(entry)),
        Known::Never => (TestedHow::Never, None),
    };
    let (day, on) = match &entry {
        Some(entry) => (entry.at.get(..10).unwrap_or(&entry.at).to_owned(), entry.server.clone()),
        None => (String::new(), String::new()),
    };
    let message = match (down, tested) {
        (WayDown::NotNeeded, _) => "its way up was skipped, so nothing is undone".to_owned(),
        (WayDown::Missing, _) => "it has no way down".to_owned(),
        (WayDown::MissingForDialect, _) => format!("it has no way down for {dialect}"),
        (_, TestedHow::Tested) => format!("its way down was rehearsed on {day} with {on}"),
        (_, TestedHow::OtherDialect) => format!("its way down was rehearsed on {day}, but with {on} only"),
        (_, TestedHow::Changed) => format!("its file has changed since it was rehearsed on {day} with {on}"),
        (_, TestedHow::Never) => "its way down was never rehearsed (`runner test`)".to_owned(),
    };
    Some(ValidatedStep {
        revision: step.revision.clone(),
        down,
        tested,
        tested_at: entry.as_ref().map(|entry| entry.at.clone()),
        tested_on: entry.as_ref().map(|entry| entry.server.clone()),
        tested_by: entry.map(|entry| entry.tool_version),
        message,
    })
}

/// Finds out what a rollback would meet, and puts it into the report. There are no scripts if a way down is missing.
pub(super) async fn look(
    config: &Config,
    session: &mut Session,
    database: &Database,
    scripts: Option<&[StepScript]>,
    (report, after): (&mut Report, &[String]),
    limit: Duration,
) -> Result<()> {
    let mut validation = ValidationReport::of(config, database, report, after)?;
    let (dialect, schema) = (session.dialect(), session.default_schema());
    if scripts.is_none() {
        let why = "what depends on what the other steps drop was not looked at, because a way down is missing";
        validation.unknown.push(why.to_owned());
    }
    let statements = precaution::statements(scripts.unwrap_or_default());
    let names = dependents::names(&statements, dialect);
    if !names.is_empty() {
        let mut reading = session.read().await?;
        let found = Dependencies::read(&mut reading, dialect, schema.as_deref(), &names, limit).await;
        let tables = reading.tables().await;
        reading.finish().await?;
        let (found, tables) = (found?, tables?);
        let keys_act = dialect != runner_database::Dialect::Sqlite || config.database_options().foreign_keys;
        let scene = Scene { found: &found, tables: &tables, dialect, schema: schema.as_deref(), keys_act };
        validation.dependents = dependents::follow(&statements, scene);
        validation.unknown.extend(found.unknown);
    }
    validation.unknown.extend(dependents::unseen(&statements, dialect));
    report.validation = Some(Box::new(validation.judged()));
    Ok(())
}

/// All ways down that are missing, where one of them ended the plan.
pub(super) fn missing(report: &Report, mut error: Error) -> Error {
    let missing = |step: &&ValidatedStep| matches!(step.down, WayDown::Missing | WayDown::MissingForDialect);
    let steps: Vec<&ValidatedStep> =
        report.validation.iter().flat_map(|validation| &validation.steps).filter(missing).collect();
    for step in steps.iter().skip(1) {
        error = error.help(format!("`{}`: {} as well", step.revision, step.message));
    }
    error
}

/// What the ledger keeps of a validation.
pub(super) fn evidence(validation: Option<&ValidationReport>) -> serde_json::Value {
    let Some(validation) = validation else { return "left out".into() };
    let tested = validation.steps.iter().filter(|step| step.is_fine()).count();
    let lines: Vec<&String> = validation.problems.iter().chain(&validation.warnings).collect();
    let mut evidence = serde_json::json!({
        "ok": validation.ok,
        "steps": validation.steps.len(),
        "rehearsed": tested,
        "dependents": validation.dependents.len(),
        "lines": lines.iter().take(KEPT_LINES).collect::<Vec<_>>(),
    });
    if lines.len() > KEPT_LINES {
        evidence["more_lines"] = (lines.len() - KEPT_LINES).into();
    }
    evidence
}
