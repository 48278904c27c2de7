//! What is asked for.

use runner_policy::data;

/// What is to be done with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Apply revisions.
    Upgrade,
    /// Undo revisions.
    Downgrade,
    /// Set the recorded version without running SQL.
    Stamp,
}

impl Operation {
    /// The command's name; part of the plan hash and of the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Upgrade => "upgrade",
            Operation::Downgrade => "downgrade",
            Operation::Stamp => "stamp",
        }
    }

    pub(super) fn for_policies(self) -> data::Operation {
        match self {
            Operation::Upgrade => data::Operation::Upgrade,
            Operation::Downgrade => data::Operation::Downgrade,
            Operation::Stamp => data::Operation::Stamp,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// What is to be done.
    pub operation: Operation,
    /// Selectors of the revisions to go to, as typed. Exactly one for a downgrade.
    pub targets: Vec<String>,
    /// Show the plan and the verdicts, change nothing.
    pub dry_run: bool,
}
