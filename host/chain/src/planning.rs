//! From what is applied and what is wished to an ordered list of steps.

mod downgrade;
mod hash;
mod rows;
mod settle;
mod stamp;
mod upgrade;

pub use downgrade::downgrade;
pub use hash::{PlanIdentity, plan_hash};
pub use settle::settle;
pub use stamp::{purge, stamp};
pub use upgrade::upgrade;

pub use crate::direction::Direction;
use crate::graph::UnknownRevisions;
use crate::identifier::RevisionId;
use crate::selection_error::SelectError;
use crate::version::Versions;

/// What a step does to the version table, both lists sorted. After each step the rows are the applied revisions that no
/// other applied one requires, as Alembic keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowChange {
    /// Rows to delete.
    pub delete: Vec<RevisionId>,
    /// Rows to insert.
    pub insert: Vec<RevisionId>,
}

/// One revision to run, one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The position of the revision in [`Chain::revisions`](crate::Chain::revisions).
    pub revision: usize,
    /// Which way it is run.
    pub direction: Direction,
    /// What the step does to the version table; empty in the plan of a [`stamp`].
    pub rows: RowChange,
}

/// Steps in the order in which they are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps; none if there is nothing to do.
    pub steps: Vec<Step>,
    /// The rows before the first step.
    pub before: Versions,
    /// The rows after the last step.
    pub after: Versions,
}

impl Plan {
    /// Whether there is nothing to do, not even to the rows.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.before == self.after
    }

    /// What the whole plan does to the version table; for a [`stamp`] the one change that is made.
    pub fn rows(&self) -> RowChange {
        RowChange {
            delete: self.before.iter().filter(|id| !self.after.contains(id.as_str())).cloned().collect(),
            insert: self.after.iter().filter(|id| !self.before.contains(id.as_str())).cloned().collect(),
        }
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// What was typed does not name what is needed.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The database is at revisions that the chain does not have.
    #[error(transparent)]
    Unknown(#[from] UnknownRevisions),
    /// The revision is not applied, so the database cannot go back to it.
    #[error("`{id}` is not a valid downgrade target, the database is at {current}")]
    NotADowngradeTarget {
        /// The revision.
        id: RevisionId,
        /// The rows of the database.
        current: Versions,
    },
    /// A revision cannot be settled alone, because of another one.
    #[error("`{id}` can't count as {}: `{other}` {}", match direction {
        Direction::Up => "applied",
        Direction::Down => "not applied",
    }, match direction {
        Direction::Up => "is not applied, and comes before it",
        Direction::Down => "is applied, and builds on it",
    })]
    OutOfOrder {
        /// The revision.
        id: RevisionId,
        /// What is in the way.
        other: RevisionId,
        /// What the revision was to count as.
        direction: Direction,
    },
    /// A target of an upgrade is part of another one.
    #[error("`{lower}` is part of `{upper}`, and both are asked for")]
    Overlap {
        /// The target that is part of the other one.
        lower: RevisionId,
        /// The other one.
        upper: RevisionId,
    },
    /// A stamp asks for no revision and for one.
    #[error("`{given}` means no revision at all, and `{other}` is asked for as well")]
    BaseAndMore {
        /// What means no revision.
        given: String,
        /// What means one.
        other: String,
    },
    /// Nothing above the revision belongs to the branch.
    #[error("`{given}` is not a valid downgrade target, nothing of branch `{branch}` follows it")]
    NothingOnBranch {
        /// What was typed.
        given: String,
        /// What was typed before `@`.
        branch: String,
    },
}

impl PlanError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Select(error) => error.hint(),
            Self::Unknown(error) => Some(error.hint()),
            Self::NotADowngradeTarget { .. } => {
                Some("name a revision that is applied; `runner current` shows them".to_owned())
            }
            Self::OutOfOrder { .. } => Some("settle that one first".to_owned()),
            Self::Overlap { upper, .. } => Some(format!("name `{upper}` alone: it brings the other one with it")),
            Self::BaseAndMore { given, other } => Some(format!(
                "leave out `{given}`; to forget all other revisions, stamp `{given}` first and then `{other}`"
            )),
            Self::NothingOnBranch { .. } => Some("name the revision without a branch, or another branch".to_owned()),
        }
    }
}

#[cfg(test)]
#[path = "planning/tests.rs"]
mod tests;
