//! Where a step begins that an earlier run has begun.

use crate::backend::Evidence;
use crate::backend::Placement;
use crate::error::Error;
use crate::error::Result;
use crate::script::Action;
use crate::script::StepScript;
use crate::state::Dirty;

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
            })
        };
        if script.action == Action::Stamp {
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
            return refuse(&dirty, reason);
        }
        Ok(dirty.statements_done)
    }
}
