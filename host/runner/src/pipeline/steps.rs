//! Runs the steps of a plan, and says what state the database is in when one of them does not end well.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use runner_chain::Problem;
use runner_database::Action;
use runner_database::Progress;
use runner_database::Run;
use runner_database::RunInfo;
use runner_database::Session;
use runner_database::StatementError;
use runner_database::StepDirection;
use runner_database::StepScript;
use runner_database::TransactionMode;
use runner_policy::Policies;

use super::Interrupt;
use super::Observer;
use super::mail::Mail;
use super::news::News;
use super::report::Outcome;
use super::report::Report;
use super::report::StepStatus;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Where each statement of each step stands, for errors.
pub(super) type Places = Vec<Vec<Problem>>;

/// Of a statement that failed, so many lines are shown.
const LINES_SHOWN: usize = 20;

/// What is to be run.
pub(super) struct Work<'a> {
    pub(super) scripts: &'a [StepScript],
    pub(super) places: &'a Places,
    pub(super) mode: TransactionMode,
    /// Whether the database can roll DDL back.
    pub(super) transactional_ddl: bool,
}

/// Where news of the steps go.
pub(super) struct Ears<'e, 'n> {
    pub(super) observer: &'e mut dyn Observer,
    pub(super) news: &'e mut News<'n>,
    pub(super) mail: &'e mut Mail,
}

/// Stores what is to be told before the first step: if the process is killed in one, somebody hears that it began.
pub(super) async fn store_before(session: &mut Session, news: &mut News<'_>, mail: &mut Mail) {
    if news.waiting().is_empty() || !mail.stores_early() {
        return;
    }
    let stored = session.store_messages(news.waiting()).await;
    mail.stored_early(news.waiting(), &stored);
    if stored.is_ok() {
        news.stored();
    }
}

/// Runs all steps, or as many as go well, and completes the report.
pub(super) async fn run(
    session: &mut Session,
    info: RunInfo,
    work: &Work<'_>,
    mut report: Report,
    policies: &Policies,
    ears: Ears<'_, '_>,
    interrupt: &Interrupt,
) -> Report {
    let ended = match session.start_run(info, work.mode).await {
        Ok(run) => run_steps(run, work, &mut report, policies, ears, interrupt).await,
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => report.outcome = Outcome::Applied,
        Err(error) => {
            let is_interrupted = error.kind() == ErrorKind::Interrupted;
            report.outcome = if is_interrupted { Outcome::Interrupted } else { Outcome::Failed };
            if work.mode == TransactionMode::PerRun {
                roll_back(&mut report);
            }
            report.error = Some(error);
        }
    }
    report
}

/// Nothing of a run that is one transaction is left when it fails.
fn roll_back(report: &mut Report) {
    for step in &mut report.steps {
        if !matches!(step.status, Some(StepStatus::Failed | StepStatus::Pending | StepStatus::Unknown)) {
            step.status = Some(StepStatus::RolledBack);
        }
    }
}

async fn run_steps(
    mut run: Run<'_>,
    work: &Work<'_>,
    report: &mut Report,
    policies: &Policies,
    ears: Ears<'_, '_>,
    interrupt: &Interrupt,
) -> Result<()> {
    let Ears { observer, news, mail } = ears;
    for (index, script) in work.scripts.iter().enumerate() {
        if interrupt.is_raised() {
            let before = index.checked_sub(1).and_then(|before| work.scripts.get(before));
            run.abort("interrupted").await?;
            return Err(interrupted_after(before, work.mode));
        }
        let Some(step) = report.steps.get_mut(index) else { continue };
        observer.step_started(step);
        let started = Instant::now();
        let is_recording = AtomicBool::new(false);
        let mut hear = |progress: Progress| {
            is_recording.store(progress == Progress::Recording, Ordering::Relaxed);
            match progress {
                Progress::Statement { index, total } => observer.statement_started(step, index + 1, total),
                Progress::Retrying { attempt, of, pause } => observer.retrying(step, attempt, of, pause),
                Progress::Resuming { .. } | Progress::Recording => {}
            }
        };
        let result = {
            let mut running = std::pin::pin!(run.step(script, &mut hear));
            let stopped = tokio::select! {
                result = &mut running => Some(result),
                () = interrupt.asked(2) => None,
            };
            match stopped {
                // A commit that is stopped half-way may have happened.
                None if is_recording.load(Ordering::Relaxed) => tokio::select! {
                    result = running => Some(result),
                    () = interrupt.asked(3) => None,
                },
                stopped => stopped,
            }
        };
        match result {
            Some(Ok(outcome)) => {
                step.status = Some(finished(script));
                step.duration_ms = Some(milliseconds(outcome.duration));
                observer.step_finished(step);
                news.step_done(policies, step, work.mode == TransactionMode::PerRevision, observer).await;
                store_between(&mut run, news, mail).await;
            }
            Some(Err(error)) => {
                step.status = Some(if is_unknown(&error) { StepStatus::Unknown } else { StepStatus::Failed });
                step.duration_ms = Some(milliseconds(started.elapsed()));
                observer.step_finished(step);
                return Err(step_error(error, index, work));
            }
            None => {
                let is_recording = is_recording.load(Ordering::Relaxed);
                step.status = Some(if is_recording { StepStatus::Unknown } else { StepStatus::Failed });
                step.duration_ms = Some(milliseconds(started.elapsed()));
                observer.step_finished(step);
                run.abort("interrupted").await?;
                return Err(if is_recording {
                    interrupted_recording(script)
                } else {
                    interrupted_within(script, work)
                });
            }
        }
    }
    let finished = run.finish().await;
    let Err(error) = finished else { return Ok(()) };
    if work.mode == TransactionMode::PerRevision {
        return Err(error.into());
    }
    if is_unknown(&error) {
        report.steps.iter_mut().for_each(|step| step.status = Some(StepStatus::Unknown));
        return Err(error.into());
    }
    Err(Error::from(error).help(WHOLE_RUN))
}

/// Stores what is to be told between two steps, unless a transaction is open.
async fn store_between(run: &mut Run<'_>, news: &mut News<'_>, mail: &mut Mail) {
    if news.waiting().is_empty() || !mail.stores_early() {
        return;
    }
    let stored = run.store_messages(news.waiting()).await;
    if let Ok(false) = stored {
        return;
    }
    let stored = stored.map(drop);
    mail.stored_early(news.waiting(), &stored);
    if stored.is_ok() {
        news.stored();
    }
}

fn is_unknown(error: &runner_database::Error) -> bool {
    matches!(error, runner_database::Error::CommitUnknown { .. })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn finished(script: &StepScript) -> StepStatus {
    match (&script.action, script.direction) {
        (Action::Repair { .. }, _) => StepStatus::Repaired,
        (Action::Stamp, StepDirection::Up) => StepStatus::Stamped,
        (Action::Stamp, StepDirection::Down) => StepStatus::Unstamped,
        (Action::Skip { .. }, _) => StepStatus::Skipped,
        (Action::Run, StepDirection::Up) => StepStatus::Applied,
        (Action::Run, StepDirection::Down) => StepStatus::Reverted,
    }
}

const WHOLE_RUN: &str = "the whole run was rolled back: the database is as it was before";
const GO_ON: &str = "run the command again to go on from there";

/// Nothing was run yet.
pub(super) fn interrupted_saving() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "interrupted while the backup was made; nothing was run, and nothing is left of it",
    )
}

/// Nothing was run yet.
pub(super) fn interrupted_waiting() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted while waiting for the lock; nothing was run")
}

fn interrupted_after(before: Option<&StepScript>, mode: TransactionMode) -> Error {
    let Some(before) = before else {
        return Error::new(ErrorKind::Interrupted, "interrupted before the first step; nothing was run");
    };
    let error =
        Error::new(ErrorKind::Interrupted, format!("interrupted after `{}`, which was finished", before.revision));
    match mode {
        TransactionMode::PerRun => error.help(WHOLE_RUN),
        TransactionMode::PerRevision => error.help(GO_ON),
    }
}

fn interrupted_within(script: &StepScript, work: &Work<'_>) -> Error {
    let error = Error::new(ErrorKind::Interrupted, format!("interrupted in the middle of `{}`", script.revision));
    error.help(state_after_failure(script, work)).help(GO_ON)
}

fn interrupted_recording(script: &StepScript) -> Error {
    let message =
        format!("interrupted while `{}` was committed, so that it is not known whether it was", script.revision);
    Error::new(ErrorKind::Interrupted, message).help("`runner current` shows what is applied").help(GO_ON)
}

fn state_after_failure(script: &StepScript, work: &Work<'_>) -> String {
    let id = &script.revision;
    match (work.mode, script.direction) {
        (TransactionMode::PerRun, _) => WHOLE_RUN.to_owned(),
        (TransactionMode::PerRevision, _) if !(script.transactional && work.transactional_ddl) => format!(
            "revision `{id}` runs without a transaction: what is recorded as done stays done; mend the rest and run the same command again, it goes on there"
        ),
        (TransactionMode::PerRevision, StepDirection::Up) => {
            format!("revision `{id}` was rolled back; everything before it stays applied")
        }
        (TransactionMode::PerRevision, StepDirection::Down) => {
            format!("revision `{id}` is still applied; what was undone before it stays undone")
        }
    }
}

/// What failed and where, of a step that is run alone.
pub(crate) fn failure_of(error: runner_database::Error, script: &StepScript, places: &[Problem]) -> Error {
    let runner_database::Error::Statement(statement) = error else { return Error::from(error) };
    failed_statement(*statement, script, Some(places))
}

/// Says what failed, where, and what state the database is in.
fn step_error(error: runner_database::Error, index: usize, work: &Work<'_>) -> Error {
    let Some(script) = work.scripts.get(index) else { return Error::from(error) };
    // What is refused before it begins changes nothing.
    if is_unknown(&error) || matches!(error, runner_database::Error::Dirty { .. }) {
        return Error::from(error);
    }
    let state = state_after_failure(script, work);
    let runner_database::Error::Statement(statement) = error else {
        return Error::from(error).help(state);
    };
    failed_statement(*statement, script, work.places.get(index).map(Vec::as_slice)).help(state)
}

fn failed_statement(statement: StatementError, script: &StepScript, places: Option<&[Problem]>) -> Error {
    let StatementError { index: number, message, code, detail, hint, offset, .. } = statement;
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let place = places.and_then(|places| places.get(number));
    let text = script.statements.get(number).map_or("", |statement| statement.text.as_str());
    let problems = place.map(|place| Problem { message: format!("{message}{code}"), ..pointed(place, text, offset) });
    let failed = format!("revision `{}` failed at statement {}: {message}", script.revision, number + 1);
    Error::new(ErrorKind::Statement, failed).at(problems.into_iter().collect()).maybe_help(detail).maybe_help(hint)
}

/// The place of a statement with the whole statement shown, moved to the character that the server points at.
fn pointed(place: &Problem, statement: &str, offset: Option<usize>) -> Problem {
    let before: String = statement.chars().take(offset.unwrap_or(0)).collect();
    let lines_before = before.matches('\n').count();
    let mut problem = place.clone();
    if offset.is_some() {
        let last = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        problem.line += lines_before;
        problem.column = if lines_before == 0 { place.column + last } else { last + 1 };
        problem.length = 1;
    }
    // The first line of the file may hold more than the statement.
    let first = place.source_line.as_deref().unwrap_or_default();
    let lines: Vec<&str> = std::iter::once(first).chain(statement.lines().skip(1)).collect();
    // Of a very long statement the part before the place is shown.
    let from = (lines_before + 1).saturating_sub(LINES_SHOWN);
    let shown: Vec<&str> = lines.iter().skip(from).take(LINES_SHOWN).copied().collect();
    problem.lines_before = lines_before - from;
    problem.source_line = Some(shown.join("\n"));
    problem
}
