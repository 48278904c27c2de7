//! What is asked for.

use std::time::Duration;

use runner_policy::data;

use super::preview::PlanFile;

/// What is to be done with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Apply revisions.
    Upgrade,
    /// Undo revisions.
    Downgrade,
    /// Undo revisions, with checks before and a backup of what they destroy.
    Rollback,
    /// Put a backup back.
    Restore,
    /// Set the recorded version without running SQL.
    Stamp,
    /// Say by hand what is true of one revision.
    Repair(Repair),
}

/// What is said of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// It is applied.
    Done,
    /// It is not applied, and nothing of it is left.
    Undone,
    /// It is half-way, and this statement, counted from 1, is the next to run.
    ResumeAt(usize),
    /// It is applied as its file stands now.
    AcceptEdit,
    /// It is applied or half-way here, and its file is gone for good.
    Forget,
}

impl Operation {
    /// The command's name; part of the plan hash and of the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Upgrade => "upgrade",
            Operation::Downgrade => "downgrade",
            Operation::Rollback => "rollback",
            Operation::Restore => "restore",
            Operation::Stamp => "stamp",
            Operation::Repair(_) => "repair",
        }
    }

    /// Whether nothing of the revisions is run, only the record changed.
    pub(crate) fn only_records(self) -> bool {
        matches!(self, Operation::Stamp | Operation::Repair(_))
    }

    /// Whether sections of revisions are run.
    pub(crate) fn runs_sections(self) -> bool {
        !self.only_records()
    }

    pub(super) fn for_policies(self) -> data::Operation {
        match self {
            Operation::Upgrade => data::Operation::Upgrade,
            Operation::Downgrade => data::Operation::Downgrade,
            Operation::Rollback => data::Operation::Rollback,
            Operation::Restore => data::Operation::Restore,
            // To policies both are the same: the record is changed, and no SQL is run.
            Operation::Stamp | Operation::Repair(_) => data::Operation::Stamp,
        }
    }
}

/// Where a script begins that is written instead of running the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScriptStart {
    /// Where the database is, which is read.
    Database,
    /// Where a database would be after `stamp` with this selector. None is opened.
    At(String),
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
    /// Write a script rather than running the plan.
    pub script: Option<ScriptStart>,
    /// For a stamp: in the place of everything that is recorded, even of what no file explains.
    pub purge: bool,
    /// Keep what the policies are asked in the report.
    pub record: bool,
    /// Why, for a repair; kept in the ledger.
    pub reason: String,
    /// Whether a backup is made before anything is destroyed.
    pub keeping: Keeping,
    /// For a restore: what is put back.
    pub restore: Option<Restore>,
    /// Count what the plan destroys.
    pub forecast: bool,
    /// Find out what a rollback would meet, and refuse it if something stands in the way.
    pub validates: bool,
    /// Write the plan down in the report.
    pub preview: bool,
    /// The plan that was reviewed, and no other.
    pub expects: Option<Box<PlanFile>>,
    /// Ask before the plan runs.
    pub asks: bool,
    /// How long a query of that may take, before the database's own estimate stands in.
    pub limit: Duration,
}

/// Whether a backup is made before a plan destroys something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keeping {
    /// If the plugin set wants one.
    #[default]
    AsTheSetSays,
    /// Whenever something is destroyed; the name of the backup, unless it is made of the time.
    Always(Option<String>),
    /// Not at all, which the plugin set may refuse.
    Never,
}

/// What is put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The name of the backup.
    pub backup: String,
    /// Whether it takes the place of what is there.
    pub replace: bool,
    /// Whether values may be left out whose rows are gone.
    pub partial: bool,
    /// Whether it may be of another database than the target.
    pub elsewhere: bool,
    /// Whether owners and privileges are left as whoever restores has them.
    pub without_owners: bool,
    /// Whether it holds the whole database, once it was opened.
    pub whole: bool,
    /// SHA-256 of what is in it, once it was opened.
    pub digest: String,
}

impl Order {
    /// An order that needs no reason.
    pub fn new(operation: Operation, targets: Vec<String>, dry_run: bool) -> Self {
        Order {
            operation,
            targets,
            dry_run,
            script: None,
            purge: false,
            record: false,
            reason: String::new(),
            keeping: Keeping::default(),
            restore: None,
            forecast: false,
            validates: false,
            preview: false,
            expects: None,
            asks: false,
            limit: Duration::from_secs(5),
        }
    }

    /// Whether the database is changed when all goes well.
    pub(crate) fn runs(&self) -> bool {
        !self.dry_run && self.script.is_none()
    }
}
