//! Steps outside a transaction: intent is recorded before the first statement and progress after each one, so that it is
//! always known what ran.

use crate::backend::Evidence;
use crate::backend::Placement;
use crate::error::Error;
use crate::error::Result;
use crate::ledger::LedgerStatus;
use crate::script::StepScript;
use crate::script::VersionChange;

use super::Clock;
use super::Draft;
use super::Progress;
use super::Run;
use super::commit::AfterCommit;
use super::retry::Tries;

impl Run<'_> {
    pub(super) async fn run_outside(
        &mut self,
        script: &StepScript,
        resume_at: usize,
        clock: &Clock,
        observer: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<()> {
        self.statements_done = resume_at;
        self.begin().await?;
        let mut started = Draft::of_step(script, LedgerStatus::Started, clock);
        started.statements_done = Some(resume_at);
        self.write_and_commit(&VersionChange::default(), started).await?;
        self.replay_session(script, resume_at).await?;
        let total = script.total();
        for index in resume_at..total {
            observer(Progress::Statement { index, total });
            self.run_one_retrying(script, index, clock, observer).await?;
        }
        // `is_open` can only mean the script's own transaction here.
        if self.is_open {
            return Err(Error::OpenTransaction { revision: script.revision.clone() });
        }
        Ok(())
    }

    async fn run_one_retrying(
        &mut self,
        script: &StepScript,
        index: usize,
        clock: &Clock,
        observer: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<()> {
        self.backend.check_lock().await?;
        let mut tries = Tries::new(self.retries);
        loop {
            let in_own_transaction = self.is_open;
            let Err(error) = self.run_one(script, index, clock).await else { return Ok(()) };
            let statement = script.statements.get(index).map_or("", |statement| statement.text.as_str());
            if in_own_transaction || self.is_uncertain || self.backend.placement(statement) == Placement::Opens {
                return Err(error);
            }
            self.roll_back().await;
            if self.backend.placement(statement) == Placement::Alone
                && let Ok(Evidence::Unknown(why)) = self.backend.evidence(statement).await
            {
                return Err(error.with_hint(why));
            }
            if !tries.another(&error, observer).await {
                return Err(error);
            }
        }
    }

    async fn run_one(&mut self, script: &StepScript, index: usize, clock: &Clock) -> Result<()> {
        let Some(statement) = script.statements.get(index) else { return Ok(()) };
        match self.backend.placement(&statement.text) {
            Placement::Joint => self.run_joint(script, index, clock).await,
            Placement::Opens if !self.is_open => {
                self.is_open = true;
                self.run_and_note(script, index, clock).await
            }
            Placement::Commits if self.is_open => self.run_commit(script, index, clock).await,
            Placement::RollsBack if self.is_open => self.run_rollback(script, index, clock).await,
            _ if self.is_open => self.run_and_note(script, index, clock).await,
            _ => {
                self.is_uncertain = true;
                if let Err(error) = self.execute(script, index).await {
                    // An answer of the server is certain.
                    self.is_uncertain = matches!(error, Error::ConnectionLost { .. });
                    return Err(error);
                }
                self.begin().await?;
                self.note(script, index, clock, true).await
            }
        }
    }

    /// A statement that commits together with its progress row, or with the script's own transaction if one is open.
    async fn run_joint(&mut self, script: &StepScript, index: usize, clock: &Clock) -> Result<()> {
        if self.is_open {
            return self.run_and_note(script, index, clock).await;
        }
        if let Err(error) = self.begin().await {
            // The connection knows better than the words of the script whether a transaction is open.
            if matches!(error, Error::Busy { .. }) || !self.backend.in_transaction().await? {
                return Err(error);
            }
            return self.run_and_note(script, index, clock).await;
        }
        self.execute(script, index).await?;
        self.note(script, index, clock, true).await
    }

    async fn run_and_note(&mut self, script: &StepScript, index: usize, clock: &Clock) -> Result<()> {
        self.execute(script, index).await?;
        self.note(script, index, clock, false).await
    }

    /// The row for the script's own `COMMIT` must be in before it. A `RELEASE` may leave the transaction open.
    async fn run_commit(&mut self, script: &StepScript, index: usize, clock: &Clock) -> Result<()> {
        self.note(script, index, clock, false).await?;
        let committed = self.execute(script, index).await;
        let session = self.commit_settled(committed).await?;
        if !self.backend.in_transaction().await? {
            self.is_open = false;
            self.journal.committed();
            self.statements_done = index + 1;
        }
        go_on(session, script, index)
    }

    /// The script's own `ROLLBACK` takes progress rows back too; they are written anew, because those statements are done with.
    async fn run_rollback(&mut self, script: &StepScript, index: usize, clock: &Clock) -> Result<()> {
        self.execute(script, index).await?;
        let is_over = !self.backend.in_transaction().await?;
        if is_over {
            self.is_open = false;
            self.journal.rolled_back();
            self.begin().await?;
        }
        let (tables, tail) = self.backend.tables_and_tail().await?;
        self.journal.refresh(tables, tail);
        for done in self.statements_done..index {
            self.note(script, done, clock, false).await?;
        }
        self.note(script, index, clock, is_over).await
    }

    async fn execute(&mut self, script: &StepScript, index: usize) -> Result<()> {
        let Some(statement) = script.statements.get(index) else { return Ok(()) };
        self.backend.execute(&statement.text).await.map_err(|error| error.at_statement(index))
    }

    /// Writes the progress row of one statement into the open transaction, and commits if that is the runner's own.
    async fn note(&mut self, script: &StepScript, index: usize, clock: &Clock, commit: bool) -> Result<()> {
        let mut draft = Draft::of_step(script, LedgerStatus::Progress, clock);
        draft.sql_checksum = script.statements.get(index).map(crate::ScriptStatement::checksum);
        draft.statements_done = Some(index + 1);
        draft.verdicts = None;
        if !commit {
            return self.write(&VersionChange::default(), draft).await;
        }
        let session = self.write_and_commit(&VersionChange::default(), draft).await?;
        self.statements_done = index + 1;
        self.is_uncertain = false;
        go_on(session, script, index)
    }
}

/// The statements that follow would miss what was set in a session that is gone; a new run repeats it.
fn go_on(session: AfterCommit, script: &StepScript, index: usize) -> Result<()> {
    match session {
        AfterCommit::NewSession(error) if index + 1 < script.total() => Err(error),
        _ => Ok(()),
    }
}
