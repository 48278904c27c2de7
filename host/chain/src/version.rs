//! The rows of a database's version table.

use std::collections::BTreeSet;
use std::fmt;

use crate::identifier::RevisionId;

/// The rows of a version table: the newest applied revision of every branch, in order of their identifiers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Versions(BTreeSet<RevisionId>);

impl Versions {
    /// No row: nothing is applied.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether a revision has a row of its own.
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows in order of their identifiers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RevisionId> {
        self.0.iter()
    }
}

impl FromIterator<RevisionId> for Versions {
    fn from_iter<I: IntoIterator<Item = RevisionId>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl fmt::Display for Versions {
    /// The rows separated by commas, or `base`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("base");
        }
        for (index, id) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{id}")?;
        }
        Ok(())
    }
}
