//! What the rows of a version table stand for.

use super::Chain;
use crate::identifier::RevisionId;
use crate::index_set::IndexSet;
use crate::version::Versions;

/// The revisions that are applied, by their positions in the chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied(pub(crate) IndexSet);

impl Applied {
    /// Whether the revision at a position is applied.
    pub fn contains(&self, index: usize) -> bool {
        self.0.contains(index)
    }

    /// How many revisions are applied.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is applied.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The positions of the applied revisions, lowest first: the order of the chain.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter()
    }
}

/// Rows of the version table that no file of the chain defines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database is at {}, which no file in the chain defines", list(.0))]
pub struct UnknownRevisions(pub Vec<RevisionId>);

impl UnknownRevisions {
    /// What to do next.
    pub fn hint(&self) -> String {
        let id = self.0.first().map_or("ID", RevisionId::as_str);
        format!(
            "restore the missing file; if it is gone for good, say so with `runner repair {id} --forget --reason \"…\"`"
        )
    }
}

fn list(ids: &[RevisionId]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

impl Chain {
    /// What is applied in a database with these rows: the rows and all they require, through parents and dependencies.
    ///
    /// # Errors
    /// [`UnknownRevisions`] lists every row that is not in the chain.
    pub fn applied(&self, versions: &Versions) -> Result<Applied, UnknownRevisions> {
        Ok(Applied(self.closure(self.row_indices(versions)?)))
    }

    /// The positions of the rows, in order of their identifiers.
    pub(crate) fn row_indices(&self, versions: &Versions) -> Result<Vec<usize>, UnknownRevisions> {
        let mut known = Vec::with_capacity(versions.len());
        let mut unknown = Vec::new();
        for id in versions.iter() {
            match self.index(id.as_str()) {
                Some(index) => known.push(index),
                None => unknown.push(id.clone()),
            }
        }
        if unknown.is_empty() { Ok(known) } else { Err(UnknownRevisions(unknown)) }
    }
}
