//! Whoever wants to know how a run goes, and can answer its questions.

use std::time::Duration;

use runner_delivery::Wording;
use runner_policy::Review;

use super::report::BackupReport;
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

    /// A backup is begun or put back: its name, and how many rows there are by all accounts, zero if nobody knows.
    fn transfer_started(&mut self, backup: &str, rows: u64) {
        let _ = (backup, rows);
    }

    /// A table's turn.
    fn transfer_at(&mut self, table: &str) {
        let _ = table;
    }

    /// So many rows and bytes have passed since the last time.
    fn transferred(&mut self, rows: u64, bytes: u64) {
        let _ = (rows, bytes);
    }

    /// All rows have passed.
    fn transfer_ended(&mut self) {}

    /// A backup is made, and nothing has run yet.
    fn saved(&mut self, backup: &BackupReport) {
        let _ = backup;
    }

    /// What the plan destroys is counted. The report holds it.
    fn forecast(&mut self, report: &Report) {
        let _ = report;
    }

    /// What a rollback would meet is found out. The report holds it.
    fn validated(&mut self, report: &Report) {
        let _ = report;
    }

    /// A rollback wants a question answered. `false` refuses.
    fn confirm_rollback(&mut self, question: &str) -> bool {
        let _ = question;
        false
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
