//! Committing, and finding out what became of a commit whose connection was lost.

use crate::error::Error;
use crate::error::Result;
use crate::script::VersionChange;
use crate::state::LedgerTail;

use super::Draft;
use super::Run;

/// What a commit left behind.
#[derive(Debug)]
pub(super) enum AfterCommit {
    SameSession,
    /// This happened to the session that committed: whatever was set in it is gone.
    NewSession(Error),
}

impl Run<'_> {
    pub(super) async fn write_and_commit(&mut self, change: &VersionChange, draft: Draft) -> Result<AfterCommit> {
        self.backend.ensure_tables(self.journal.tables()).await?;
        let rows = self.journal.rows(draft);
        let committed = self.backend.record_and_commit(change, &rows).await;
        let session = self.commit_settled(committed).await?;
        self.is_open = false;
        self.journal.committed();
        Ok(session)
    }

    /// What came of a commit. If the connection was lost meanwhile, the database is asked whether its last row is there.
    pub(super) async fn commit_settled(&mut self, committed: Result<()>) -> Result<AfterCommit> {
        let error = match committed {
            Ok(()) => return Ok(AfterCommit::SameSession),
            Err(error @ Error::ConnectionLost { .. }) => error,
            Err(error) => return Err(error),
        };
        let found = self.backend.state().await.map(|state| state.tail.unwrap_or_else(LedgerTail::empty));
        let ours = self.journal.tail();
        match found {
            Ok(tail) if tail == *ours => Ok(AfterCommit::NewSession(error)),
            Ok(tail) if tail.id < ours.id => Err(error),
            _ => Err(Error::CommitUnknown { message: error.to_string() }),
        }
    }
}
