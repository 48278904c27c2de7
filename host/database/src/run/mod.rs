//! A run: steps, one after the other, each recorded with what it did.

mod commit;
pub(crate) mod journal;
mod outside;
mod resume;
mod retry;

use std::fmt;
use std::time::Duration;
use std::time::Instant;

use crate::backend::Backend;
use crate::error::Error;
use crate::error::Result;
use crate::ledger::LedgerStatus;
use crate::outbox;
use crate::outbox::NewMessage;
use crate::script::Action;
use crate::script::StepDirection;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::state::Dirty;
use crate::state::RecordedStatus;

use self::journal::Draft;
use self::journal::Journal;
use self::retry::Tries;

/// How much of a run is one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionMode {
    /// Each step for itself.
    PerRevision,
    /// All steps together.
    PerRun,
}

/// What the ledger says about a whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// A unique name of the run.
    pub run_id: String,
    /// The command, e.g. `upgrade`.
    pub command: String,
    /// The environment's name.
    pub environment: String,
    /// Who runs it.
    pub actor: String,
    /// On which machine.
    pub host: String,
    /// The runner's version.
    pub tool_version: String,
    /// The plugins that were asked, a list of name, version and digest; `null` for none.
    pub plugins: serde_json::Value,
    /// What led to the run: plan hash, settings, verdicts, steps.
    pub evidence: serde_json::Value,
}

/// What an observer hears while a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The step goes on after the statements that an earlier run completed.
    Resuming {
        /// How many those are.
        statements_done: usize,
    },
    /// A statement is about to run.
    Statement {
        /// Which, counted from 0.
        index: usize,
        /// Of how many.
        total: usize,
    },
    /// The statements are done; the version and the ledger follow.
    Recording,
    /// A lock time-out, deadlock or serialization failure: the step, or outside of a transaction its statement, is tried again.
    Retrying {
        /// Which try comes next: 2 is the first repetition.
        attempt: u32,
        /// How many tries there will be at most.
        of: u32,
        /// How long the wait is before it.
        pause: Duration,
    },
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOutcome {
    /// As recorded in the ledger.
    pub status: RecordedStatus,
    /// From its first statement to its commit (to its ledger row in a run that is one transaction).
    pub duration: Duration,
    /// Statements run now.
    pub statements_run: usize,
    /// Statements that an earlier run had completed.
    pub statements_resumed: usize,
}

/// A run in progress. Dropping it rolls back what is not committed and asks a running statement to stop.
pub struct Run<'s> {
    backend: &'s mut dyn Backend,
    mode: TransactionMode,
    journal: Journal,
    dirty: Vec<Dirty>,
    /// How often something is tried again.
    retries: u32,
    /// Whether a transaction may be open on the connection.
    is_open: bool,
    /// The step that is running; still set after its future was dropped half-way.
    step_running: Option<(String, StepDirection)>,
    has_begun: bool,
    /// Whether no further step may run.
    is_over: bool,
    /// Statements of the current step that are committed without the step.
    statements_done: usize,
    /// Whether one more may have run that no row tells of.
    is_uncertain: bool,
    /// Whether the session is that of a fresh one no more, which the next step must not see.
    needs_reset: bool,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Run")
            .field("mode", &self.mode)
            .field("step_running", &self.step_running)
            .finish_non_exhaustive()
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if self.is_open || self.step_running.is_some() {
            self.backend.abandon();
        }
    }
}

impl<'s> Run<'s> {
    pub(crate) async fn start(
        backend: &'s mut dyn Backend,
        info: RunInfo,
        mode: TransactionMode,
        dirty: Vec<Dirty>,
        retries: u32,
    ) -> Result<Self> {
        let (tables, tail) = backend.tables_and_tail().await?;
        Ok(Self {
            backend,
            mode,
            journal: Journal::new(info, tables, tail),
            dirty,
            retries,
            is_open: false,
            step_running: None,
            has_begun: false,
            is_over: false,
            statements_done: 0,
            is_uncertain: false,
            needs_reset: false,
        })
    }

    /// Performs one step and records it. After an error the step is rolled back as far as its transaction goes, and the
    /// failure is in the ledger.
    ///
    /// # Errors
    /// [`Error::Statement`] with the statement that failed; [`Error::Dirty`] if a half-applied revision is in the way;
    /// [`Error::Concurrent`], [`Error::Busy`] and other failures of the database.
    pub async fn step(
        &mut self,
        script: &StepScript,
        observer: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<StepOutcome> {
        self.refuse_interrupted().await?;
        self.backend.check_lock().await?;
        self.reset_session().await?;
        let resume_at = self.resume_point(script).await?;
        let fits_one_transaction = script.transactional && self.backend.transactional_ddl();
        if !fits_one_transaction && script.total() > 0 && self.mode == TransactionMode::PerRun {
            return Err(Error::NotTransactional { revision: script.revision.clone() });
        }
        self.backend.announce();
        let clock = Clock::start();
        self.has_begun = true;
        self.step_running = Some((script.revision.clone(), script.direction));
        self.statements_done = 0;
        self.is_uncertain = false;
        let result = self.perform(script, resume_at, &clock, observer).await;
        if let Err(error) = &result {
            self.record_failure(script, &clock, error).await;
            self.is_over |= self.mode == TransactionMode::PerRun;
        }
        self.step_running = None;
        result?;
        self.dirty.retain(|dirty| dirty.revision != script.revision);
        Ok(StepOutcome {
            status: recorded_status(script),
            duration: clock.elapsed(),
            statements_run: script.total() - resume_at,
            statements_resumed: resume_at,
        })
    }

    /// Stores messages in the outbox between two steps, committed at once. `false`: a transaction is open that may still be
    /// rolled back, so they have to be stored later.
    ///
    /// # Errors
    /// [`Error::Busy`] and other failures of the database, after which the run can go on.
    pub async fn store_messages(&mut self, messages: &[NewMessage]) -> Result<bool> {
        if self.is_open || self.step_running.is_some() {
            return Ok(false);
        }
        outbox::store(self.backend, messages).await?;
        Ok(true)
    }

    /// Ends the run; a run that is one transaction is committed here.
    ///
    /// # Errors
    /// [`Error::Busy`] and other failures of the commit, after which nothing of such a run is in the database.
    pub async fn finish(mut self) -> Result<()> {
        self.refuse_interrupted().await?;
        if self.is_open {
            let committed = self.backend.commit().await;
            if let Err(error) = self.commit_settled(committed).await {
                if !matches!(error, Error::CommitUnknown { .. }) {
                    self.note_abort(&error.to_string()).await;
                }
                return Err(error);
            }
            self.is_open = false;
        }
        // The session may serve another run. One that cannot be reset is lost, and replaced when it is used.
        if let Err(error) = self.reset_session().await {
            tracing::debug!(%error, "the session could not be reset");
        }
        Ok(())
    }

    /// Ends the run early: stops a running statement, rolls back what is not committed, and records `reason` in the ledger if
    /// any step had begun.
    ///
    /// # Errors
    /// None today; the rollback itself cannot be refused, and a failure to record is logged.
    pub async fn abort(mut self, reason: &str) -> Result<()> {
        if self.step_running.is_some() {
            self.backend.interrupt();
        }
        let reason = match &self.step_running {
            Some((revision, direction)) => format!("{reason} (in the middle of `{revision}`, {direction})"),
            None => reason.to_owned(),
        };
        self.note_abort(&reason).await;
        Ok(())
    }

    /// A step whose future was dropped half-way ends the run; so does any failure of a run that is one transaction, because the
    /// steps before it are gone.
    async fn refuse_interrupted(&mut self) -> Result<()> {
        if self.step_running.is_some() {
            self.backend.interrupt();
            self.roll_back().await;
        } else if !self.is_over {
            return Ok(());
        }
        self.is_over = true;
        self.step_running = None;
        Err(Error::Interrupted)
    }

    async fn perform(
        &mut self,
        script: &StepScript,
        resume_at: usize,
        clock: &Clock,
        observer: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<()> {
        if let Action::Repair { reason, statements_done: Some(done) } = &script.action {
            return self.note_progress(script, *done, reason, clock).await;
        }
        if resume_at > 0 {
            observer(Progress::Resuming { statements_done: resume_at });
        }
        let is_running = script.action == Action::Run;
        let is_outside = is_running && !(script.transactional && self.backend.transactional_ddl());
        if is_outside {
            self.run_outside(script, resume_at, clock, observer).await?;
            observer(Progress::Recording);
            self.settle(script, clock).await?;
        } else {
            let mut tries = Tries::new(self.retries);
            while let Err(error) = self.run_and_settle(script, resume_at, clock, observer).await {
                // A transaction that holds earlier steps cannot be begun again.
                if self.mode == TransactionMode::PerRun || !error.is_retryable() {
                    return Err(error);
                }
                self.roll_back().await;
                if !tries.another(&error, observer).await {
                    return Err(error);
                }
            }
        }
        // Only then, because a step that is committed has not failed, whatever comes after.
        self.needs_reset |= is_running && self.changes_session(script);
        Ok(())
    }

    async fn run_and_settle(
        &mut self,
        script: &StepScript,
        resume_at: usize,
        clock: &Clock,
        observer: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<()> {
        if script.action == Action::Run {
            self.run_inside(script, resume_at, observer).await?;
        }
        observer(Progress::Recording);
        self.settle(script, clock).await
    }

    /// Runs the statements inside the transaction that will also hold the version and the ledger row.
    async fn run_inside(
        &mut self,
        script: &StepScript,
        resume_at: usize,
        observer: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<()> {
        self.replay_session(script, resume_at).await?;
        let total = script.total();
        for (index, statement) in script.statements.iter().enumerate().skip(resume_at) {
            observer(Progress::Statement { index, total });
            let result = if self.is_open {
                self.backend.execute(&statement.text).await
            } else {
                // Set first, as in `begin`.
                self.is_open = true;
                self.backend.begin_and_execute(&statement.text).await
            };
            result.map_err(|error| error.at_statement(index))?;
        }
        Ok(())
    }

    /// Changes the version and writes the step's final ledger row.
    async fn settle(&mut self, script: &StepScript, clock: &Clock) -> Result<()> {
        self.begin().await?;
        let mut draft = Draft::of_step(script, recorded_status(script).ledger_status(), clock);
        draft.statements_done = Some(script.total());
        if let Action::Skip { reason } | Action::Repair { reason, .. } = &script.action {
            draft.error = Some(reason.clone());
        }
        match self.mode {
            // What the session was is of no matter after the last statement.
            TransactionMode::PerRevision => self.write_and_commit(&script.change, draft).await.map(drop),
            TransactionMode::PerRun => self.write(&script.change, draft).await,
        }
    }

    async fn begin(&mut self) -> Result<()> {
        if !self.is_open {
            // Set first: if this future is dropped while the database begins, the transaction is there all the same.
            self.is_open = true;
            self.backend.begin().await?;
        }
        Ok(())
    }

    /// Writes ledger rows and version rows inside the open transaction.
    async fn write(&mut self, change: &VersionChange, draft: Draft) -> Result<()> {
        self.backend.ensure_tables(self.journal.tables()).await?;
        let rows = self.journal.rows(draft);
        self.backend.record(change, &rows).await
    }

    async fn roll_back(&mut self) {
        if let Err(error) = self.backend.rollback().await {
            // A connection that cannot even roll back is gone, and the database rolls back by itself.
            tracing::debug!(%error, "rollback failed");
        }
        self.is_open = false;
        self.journal.rolled_back();
    }

    async fn record_failure(&mut self, script: &StepScript, clock: &Clock, error: &Error) {
        self.roll_back().await;
        // Nobody may claim that it failed.
        if matches!(error, Error::CommitUnknown { .. }) {
            self.is_over = true;
            return;
        }
        // A database that stayed busy for a whole wait would only make the user wait again. And where a statement has run
        // that could not be recorded, a failure would say that it has not.
        if !matches!(error, Error::Busy { .. }) && !self.is_uncertain {
            let mut draft = Draft::of_step(script, LedgerStatus::Failed, clock);
            draft.statements_done = Some(self.statements_done);
            draft.error = Some(error.to_string());
            self.record_aside(draft).await;
        }
        self.needs_reset |= script.action == Action::Run && self.changes_session(script);
        if let Err(error) = self.reset_session().await {
            tracing::debug!(%error, "the session could not be reset");
        }
        if !script.transactional
            && let Ok(state) = self.backend.state().await
        {
            self.dirty = state.dirty;
        }
    }

    async fn note_abort(&mut self, reason: &str) {
        self.roll_back().await;
        self.step_running = None;
        if self.has_begun {
            self.record_aside(Draft::of_run(LedgerStatus::Failed, reason)).await;
        }
    }

    /// Writes one row in a transaction of its own; that it fails is only logged, because the caller has a better error.
    async fn record_aside(&mut self, draft: Draft) {
        let written = async {
            self.begin().await?;
            let (tables, tail) = self.backend.tables_and_tail().await?;
            self.journal.refresh(tables, tail);
            self.write_and_commit(&VersionChange::default(), draft).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "the failure could not be recorded in the ledger");
            self.roll_back().await;
        }
    }

    /// Repeats what the statements before `resume_at` did to the session that ran them.
    async fn replay_session(&mut self, script: &StepScript, resume_at: usize) -> Result<()> {
        for (index, statement) in script.statements.iter().enumerate().take(resume_at) {
            if self.backend.is_session_statement(&statement.text) {
                self.backend.execute(&statement.text).await.map_err(|error| error.at_statement(index))?;
            }
        }
        Ok(())
    }

    fn changes_session(&self, script: &StepScript) -> bool {
        script.statements.iter().any(|statement| self.backend.changes_session(&statement.text))
    }

    /// A step must see the session that it would see in a run of its own.
    async fn reset_session(&mut self) -> Result<()> {
        if self.needs_reset && (!self.is_open || self.backend.resets_inside_transactions()) {
            self.backend.reset_session().await?;
            self.needs_reset = false;
        }
        Ok(())
    }
}

fn recorded_status(script: &StepScript) -> RecordedStatus {
    match (&script.action, script.direction) {
        (Action::Run, StepDirection::Up) => RecordedStatus::Applied,
        (Action::Run, StepDirection::Down) => RecordedStatus::Reverted,
        (Action::Skip { .. }, _) => RecordedStatus::Skipped,
        (Action::Stamp | Action::Repair { .. }, StepDirection::Up) => RecordedStatus::Stamped,
        (Action::Stamp | Action::Repair { .. }, StepDirection::Down) => RecordedStatus::Unstamped,
    }
}

/// When something began: by the calendar for the ledger, and steadily for its duration.
#[derive(Debug)]
struct Clock {
    started_at: String,
    started: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { started_at: now(), started: Instant::now() }
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// This moment, RFC 3339 in UTC with milliseconds.
fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
