//! What is told: the worded message, and the event that it is about.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

/// How serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Should be looked at.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A name and a value, shown side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// The message as it is shown to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// How serious.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Text of several lines, may be empty.
    pub text: String,
    /// Details.
    pub fields: Vec<Field>,
}

/// What happened, in what run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occasion {
    /// Name of the event, as in `step-failed`.
    pub event: String,
    /// What belongs to the event: steps, revision, error.
    pub details: Map<String, Value>,
    /// The run, as in the ledger; also where nothing was run.
    pub run_id: String,
    /// The command, as in `upgrade`.
    pub operation: String,
    /// Name of the environment.
    pub environment: String,
    /// Whether it is production; `None`: nobody knows.
    pub production: Option<bool>,
    /// The database, without secrets.
    pub target: String,
    /// Who ran it.
    pub actor: String,
    /// On which machine.
    pub host: String,
    /// Hash of the plan, empty if there was none.
    pub plan_hash: String,
}

/// One message to one channel, complete but for the channel's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Unique; the same in every attempt, so that a receiver can tell a repetition. Keys sort by time.
    pub key: String,
    /// When it was worded, RFC 3339 in UTC.
    pub created_at: String,
    /// Name of the channel.
    pub channel: String,
    /// The message.
    pub message: Wording,
    /// What it is about.
    pub occasion: Occasion,
}

impl Notice {
    /// How long ago it was worded; `None` if that can't be told.
    pub(crate) fn age(&self) -> Option<std::time::Duration> {
        let created: jiff::Timestamp = self.created_at.parse().ok()?;
        std::time::SystemTime::now().duration_since(created.into()).ok()
    }
}
