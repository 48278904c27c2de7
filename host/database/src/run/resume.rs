//! Where a step begins that an earlier run has begun.

use crate::backend::Evidence;
use crate::backend::Placement;
use crate::error::Error;
use crate::error::Result;
use crate::ledger::LedgerStatus;
use crate::script::Action;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::state::Dirty;

use super::Clock;
use super::Draft;
use super::Run;

impl Run<'_> {
    /// The first statement to run, or why the step must not run at all.
    pub(super) async fn resume_point(&mut self, script: &StepScript) -> Result<usize> {
        let refuse = |dirty: &Dirty, reason: String| {
            Err(Error::Dirty {
                revision: dirty.revision.clone(),
                direction: dirty.direction,
                statements_done: dirty.statements_done,
                statements_total: dirty.statements_total,
                reason,
                is_doubt: false,
            })
        };
        if matches!(script.action, Action::Stamp | Action::Repair { .. }) {
            return Ok(0);
        }
        if let Some(dirty) = self.dirty.iter().find(|dirty| dirty.direction != script.direction) {
            let reason = format!("it must be settled before `{}` can go {}", script.revision, script.direction);
            return refuse(dirty, reason);
        }
        let Some(dirty) = self.dirty.iter().find(|dirty| dirty.revision == script.revision).cloned() else {
            return Ok(0);
        };
        if script.action != Action::Run {
            return refuse(&dirty, "a half-applied revision cannot be skipped".to_owned());
        }
        if script.statements.len() < dirty.statements_done {
            let reason = format!("its script has only {} statements now", script.statements.len());
            return refuse(&dirty, reason);
        }
        let edited = dirty
            .statement_checksums
            .iter()
            .zip(&script.statements)
            .position(|(recorded, statement)| *recorded != statement.checksum());
        if let Some(index) = edited {
            return refuse(&dirty, format!("statement {} was edited after it had run", index + 1));
        }
        if dirty.uncertain
            && let Some(next) = script.statements.get(dirty.statements_done)
            && self.backend.placement(&next.text) == Placement::Alone
            && let Evidence::Unknown(why) = self.backend.evidence(&next.text).await?
        {
            let reason = format!("it cannot be known whether statement {} ran: {why}", dirty.statements_done + 1);
            let mut refused = refuse(&dirty, reason);
            if let Err(Error::Dirty { is_doubt, .. }) = &mut refused {
                *is_doubt = true;
            }
            return refused;
        }
        Ok(dirty.statements_done)
    }

    /// Records how far a half-applied step has come, said by somebody who has looked.
    pub(super) async fn note_progress(
        &mut self,
        script: &StepScript,
        done: usize,
        reason: &str,
        clock: &Clock,
    ) -> Result<()> {
        let known = self.dirty.iter().find(|dirty| dirty.revision == script.revision);
        let known = known.map_or(0, |dirty| dirty.statements_done).min(done);
        let total = script.statements.len();
        self.begin().await?;
        for (index, statement) in script.statements.iter().enumerate().take(done).skip(known) {
            let mut draft = Draft::of_step(script, LedgerStatus::Progress, clock);
            draft.sql_checksum = Some(statement.checksum());
            draft.statements_done = Some(index + 1);
            draft.statements_total = Some(total);
            self.write(&VersionChange::default(), draft).await?;
        }
        // After a failure it is known what ran, so that is how the step is left.
        let mut draft = Draft::of_step(script, LedgerStatus::Failed, clock);
        draft.statements_done = Some(done);
        draft.statements_total = Some(total);
        draft.error = Some(reason.to_owned());
        self.write_and_commit(&VersionChange::default(), draft).await.map(drop)
    }
}
