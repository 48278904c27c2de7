//! Whoever wants to know how a run goes, and can answer its questions.

use std::time::Duration;

use runner_delivery::Wording;
use runner_policy::Review;

use super::report::Report;
use super::report::StepReport;

/// Hears of a run as it happens.
pub trait Observer: Send {
    /// The plan is made and judged. The report holds target, environment, steps and verdicts.
    fn planned(&mut self, report: &Report, review: &Review) {
        let _ = (report, review);
    }

    /// Something worth a warning.
    fn warn(&mut self, message: &str) {
        let _ = message;
    }

    /// A policy wants a question answered before the plan runs. `false` refuses.
    fn confirm(&mut self, plugin: &str, prompt: &str) -> bool {
        let _ = (plugin, prompt);
        false
    }

    /// Another process holds the lock; called about 20 times a second.
    fn waiting(&mut self, holder: Option<&str>, waited: Duration) {
        let _ = (holder, waited);
    }

    /// A step begins.
    fn step_started(&mut self, step: &StepReport) {
        let _ = step;
    }

    /// A statement of the step is about to run: number (from 1) and how many there are.
    fn statement_started(&mut self, step: &StepReport, statement: usize, total: usize) {
        let _ = (step, statement, total);
    }

    /// The step met a lock time-out, a deadlock or a serialization failure, and is tried again after a pause: which try comes
    /// next, and how many there are at most.
    fn retrying(&mut self, step: &StepReport, attempt: u32, of: u32, pause: Duration) {
        let _ = (step, attempt, of, pause);
    }

    /// A policy has a message for people who watch.
    fn told(&mut self, message: &Wording) {
        let _ = message;
    }

    /// A step is over, well or not.
    fn step_finished(&mut self, step: &StepReport) {
        let _ = step;
    }
}

/// Hears nothing and says no.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
