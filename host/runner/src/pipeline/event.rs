//! Events: which there are to tell of a run, and what belongs to each.

use runner_policy::Decision;
use runner_policy::Role;
use runner_policy::data::Event;
use runner_policy::data::RunResult;
use runner_policy::data::StepResult;
use serde_json::Value;
use serde_json::json;

use super::Operation;
use super::report::Report;
use super::report::StepReport;
use super::report::StepStatus;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::output::mask;

/// Its name, as in `step-failed`.
pub(super) fn name(event: &Event) -> &'static str {
    match event {
        Event::Planned => "planned",
        Event::Refused(_) => "refused",
        Event::Started => "started",
        Event::StepDone(_) => "step-done",
        Event::StepFailed(_) => "step-failed",
        Event::Finished(_) => "finished",
        Event::Overridden(_) => "overridden",
        Event::RolledBack(_) => "rolled-back",
        Event::BackupFailed(_) => "backup-failed",
    }
}

/// What belongs to it, for programs that hear of it.
pub(super) fn details(event: &Event) -> Value {
    match event {
        Event::Planned | Event::Started => json!({}),
        Event::Refused(reasons) => json!({ "reasons": reasons }),
        Event::StepDone(step) | Event::StepFailed(step) => {
            json!({ "revision": step.revision, "duration_ms": step.duration_ms, "error": step.error })
        }
        Event::Finished(run) | Event::RolledBack(run) => {
            json!({ "steps": run.steps, "skipped": run.skipped, "duration_ms": run.duration_ms })
        }
        Event::Overridden(what) => json!({ "override": what }),
        Event::BackupFailed(error) => json!({ "error": error }),
    }
}

/// The protections that were overridden: a gate allowed the plan by a rule whose name ends with `override` or `exception`, or
/// somebody has answered a question with yes.
pub(super) fn overridden(report: &Report) -> Vec<String> {
    let is_override = |rule: &Option<String>| {
        rule.as_deref().is_some_and(|rule| rule.ends_with("override") || rule.ends_with("exception"))
    };
    report
        .verdicts
        .iter()
        .filter(|verdict| verdict.role == Some(Role::Gate))
        .filter_map(|verdict| match verdict.decision {
            Decision::Allow if is_override(&verdict.rule) => Some(format!("{}: {}", verdict.plugin, verdict.message)),
            Decision::Confirm => Some(format!("{}: confirmed: {}", verdict.plugin, verdict.message)),
            _ => None,
        })
        .map(|text| mask(&text))
        .collect()
}

/// How a step went.
pub(super) fn of_step(step: &StepReport, error: Option<String>) -> StepResult {
    StepResult { revision: step.revision.clone(), duration_ms: milliseconds(step), error }
}

/// How a run went.
pub(super) fn of_run(report: &Report) -> RunResult {
    let skipped = report.count(StepStatus::Skipped);
    let ran = |step: &&StepReport| {
        matches!(
            step.status,
            Some(
                StepStatus::Applied
                    | StepStatus::Reverted
                    | StepStatus::Stamped
                    | StepStatus::Unstamped
                    | StepStatus::Repaired
            )
        )
    };
    RunResult {
        steps: number(report.steps.iter().filter(ran).count()),
        skipped: number(skipped),
        duration_ms: report.steps.iter().map(milliseconds).sum(),
    }
}

/// The step that failed; without a revision if the run failed outside of its steps.
pub(super) fn failure(report: &Report, error: &Error) -> StepResult {
    let text = mask(&error.to_string());
    let failed = report.steps.iter().find(|step| matches!(step.status, Some(StepStatus::Failed | StepStatus::Unknown)));
    match failed {
        Some(step) => of_step(step, Some(text)),
        None => StepResult { revision: String::new(), duration_ms: 0, error: Some(text) },
    }
}

/// Whether revisions were undone in production. Where nobody knows, it counts as production.
pub(super) fn is_rollback(report: &Report) -> bool {
    matches!(report.operation, Operation::Downgrade | Operation::Rollback)
        && report.environment.production != Some(false)
        && report.count(StepStatus::Reverted) > 0
}

/// The event of a run that failed before there was a plan. What is wrong with files and command lines is between the runner
/// and whoever wrote them.
pub(super) fn before_plan(error: &Error) -> Option<Event> {
    let is_news = matches!(error.kind(), ErrorKind::Database | ErrorKind::Drift | ErrorKind::Locked);
    let failure = || StepResult { revision: String::new(), duration_ms: 0, error: Some(mask(&error.to_string())) };
    is_news.then(|| Event::StepFailed(failure()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a duration is neither negative nor that long"
)]
fn milliseconds(step: &StepReport) -> u64 {
    step.duration_ms.unwrap_or_default().max(0.0).round() as u64
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
