//! What a run is asked to do: one finished script per step.

use std::fmt;

use runner_chain::Dialect;
use serde::Deserialize;
use serde::Serialize;

use crate::words;

/// Whether a step applies a revision or takes it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepDirection {
    /// The up section.
    Up,
    /// The down section.
    Down,
}

impl StepDirection {
    /// `up` or `down`, as in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "up" => Some(Self::Up),
            "down" => Some(Self::Down),
            _ => None,
        }
    }
}

impl fmt::Display for StepDirection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Its statements are run.
    Run,
    /// Its statements are left out and the version moves on.
    Skip {
        /// Why, as the ledger will say.
        reason: String,
    },
    /// Only the version table is set. This also settles a half-applied revision.
    Stamp,
    /// Somebody says by hand what is true of the revision; nothing is run.
    Repair {
        /// Why, as the ledger will say.
        reason: String,
        /// How many statements of a half-applied revision are done, so that it resumes after them; `None` settles the
        /// revision as a whole.
        statements_done: Option<usize>,
    },
}

/// One statement of a script, without its closing semicolon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptStatement {
    /// The SQL text.
    pub text: String,
    /// The dialect it is written in.
    pub dialect: Dialect,
}

impl ScriptStatement {
    /// A statement with this text.
    pub fn new(text: impl Into<String>, dialect: Dialect) -> Self {
        Self { text: text.into(), dialect }
    }

    /// A hash that comments and layout leave unchanged, in lower-case hexadecimal: by it a resumed step knows whether a
    /// statement that already ran was edited since.
    #[must_use]
    pub fn checksum(&self) -> String {
        words::checksum(&self.text, self.dialect)
    }
}

/// How the rows of the version table change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionChange {
    /// Rows that go; each must be there.
    pub delete: Vec<String>,
    /// Rows that come; none may be there yet.
    pub insert: Vec<String>,
}

/// Everything that one step needs.
#[derive(Debug, Clone, PartialEq)]
pub struct StepScript {
    /// The revision's id.
    pub revision: String,
    /// Up or down.
    pub direction: StepDirection,
    /// Run, skip or stamp.
    pub action: Action,
    /// The statements in order; ignored unless the action is [`Action::Run`].
    pub statements: Vec<ScriptStatement>,
    /// Whether the statements, the version rows and the ledger row share one transaction.
    pub transactional: bool,
    /// The version rows after this step.
    pub change: VersionChange,
    /// Checksum of the revision file.
    pub checksum: String,
    /// Checksum of its SQL without comments.
    pub sql_checksum: String,
    /// The verdicts on this step, kept in the ledger; `null` for none.
    pub verdicts: serde_json::Value,
}

impl StepScript {
    /// The number of statements that will be run.
    pub(crate) fn total(&self) -> usize {
        if self.action == Action::Run { self.statements.len() } else { 0 }
    }
}
