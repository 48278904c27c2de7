//! The ledger: its rows, and the hash that chains each row to the one before.
//!
//! Rows are inserted, never updated or deleted. `id` counts 1, 2, 3 … without gaps.
//!
//! # The hash of a row
//! SHA-256, in lower-case hexadecimal, over the text `runner-ledger/1` followed by every column except `hash` in the
//! order of the table. A NULL is the byte 0; any other value is the byte 1, the length of its text in bytes as an unsigned
//! 64-bit big-endian integer, and the text itself (integers in decimal). `previous_hash` is the `hash` of the row with
//! the next smaller id, 64 zeros for the first row.

use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

/// `previous_hash` of the first row.
pub const FIRST_PREVIOUS_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HASH_DOMAIN: &[u8] = b"runner-ledger/1";

/// The columns of the ledger in the order of the table.
pub(crate) const COLUMNS: [&str; 22] = [
    "id",
    "run_id",
    "command",
    "revision",
    "direction",
    "status",
    "checksum",
    "sql_checksum",
    "statements_done",
    "statements_total",
    "started_at",
    "finished_at",
    "duration_ms",
    "environment",
    "actor",
    "host",
    "tool_version",
    "plugins",
    "verdicts",
    "error",
    "previous_hash",
    "hash",
];

/// What a ledger row reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerStatus {
    /// One row per run: `verdicts` holds its evidence.
    Run,
    /// A step outside a transaction is about to run its first statement.
    Started,
    /// One more statement of such a step is done.
    Progress,
    /// An up step is done.
    Applied,
    /// A down step is done.
    Reverted,
    /// A step was passed without running its statements; `error` says why.
    Skipped,
    /// A revision was declared applied.
    Stamped,
    /// A revision was declared not applied.
    Unstamped,
    /// A step failed; `error` says how. `statements_done` counts what stayed in the database.
    Failed,
}

impl LedgerStatus {
    const ALL: [Self; 9] = [
        Self::Run,
        Self::Started,
        Self::Progress,
        Self::Applied,
        Self::Reverted,
        Self::Skipped,
        Self::Stamped,
        Self::Unstamped,
        Self::Failed,
    ];

    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Started => "started",
            Self::Progress => "progress",
            Self::Applied => "applied",
            Self::Reverted => "reverted",
            Self::Skipped => "skipped",
            Self::Stamped => "stamped",
            Self::Unstamped => "unstamped",
            Self::Failed => "failed",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// One row of the ledger, as stored. Times are RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// 1, 2, 3 … without gaps.
    pub id: i64,
    /// The run that wrote the row.
    pub run_id: String,
    /// The command line's command.
    pub command: String,
    /// The revision; `None` for a row about the whole run.
    pub revision: Option<String>,
    /// `up` or `down`.
    pub direction: Option<String>,
    /// See [`LedgerStatus`].
    pub status: String,
    /// Checksum of the revision file.
    pub checksum: Option<String>,
    /// Checksum of its SQL; in a `progress` row that of the one statement just done.
    pub sql_checksum: Option<String>,
    /// Statements of the step that are in the database.
    pub statements_done: Option<i64>,
    /// Statements of the step.
    pub statements_total: Option<i64>,
    /// When the step (or the run) began.
    pub started_at: String,
    /// When the row was written.
    pub finished_at: Option<String>,
    /// Milliseconds between the two.
    pub duration_ms: Option<i64>,
    /// The environment's name.
    pub environment: String,
    /// Who ran it.
    pub actor: String,
    /// On which machine.
    pub host: String,
    /// The runner's version.
    pub tool_version: String,
    /// The plugins that were asked, as JSON text.
    pub plugins: Option<String>,
    /// The verdicts on the step, or the evidence of the run, as JSON text.
    pub verdicts: Option<String>,
    /// What went wrong, or why the step was skipped.
    pub error: Option<String>,
    /// The hash of the row before.
    pub previous_hash: String,
    /// The hash of this row.
    pub hash: String,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(i64),
    Text(Option<String>),
}

impl LedgerRow {
    /// A row from the texts of [`COLUMNS`] after the id. `damaged` makes the error for a text that cannot be, of which it gets
    /// the reason.
    pub(crate) fn from_columns<E>(
        id: i64,
        text: impl Fn(usize) -> std::result::Result<Option<String>, E>,
        damaged: impl Fn(String) -> E,
    ) -> std::result::Result<Self, E> {
        let wrong = |index: usize, reason: &str| {
            damaged(format!("`{}` {reason}", COLUMNS.get(index).copied().unwrap_or_default()))
        };
        let required = |index: usize| text(index)?.ok_or_else(|| wrong(index, "is missing"));
        let integer = |index: usize| match text(index)? {
            None => Ok(None),
            Some(digits) => digits.parse().map(Some).map_err(|_| wrong(index, "is not an integer")),
        };
        Ok(Self {
            id,
            run_id: required(1)?,
            command: required(2)?,
            revision: text(3)?,
            direction: text(4)?,
            status: required(5)?,
            checksum: text(6)?,
            sql_checksum: text(7)?,
            statements_done: integer(8)?,
            statements_total: integer(9)?,
            started_at: required(10)?,
            finished_at: text(11)?,
            duration_ms: integer(12)?,
            environment: required(13)?,
            actor: required(14)?,
            host: required(15)?,
            tool_version: required(16)?,
            plugins: text(17)?,
            verdicts: text(18)?,
            error: text(19)?,
            previous_hash: required(20)?,
            hash: required(21)?,
        })
    }

    /// The values of [`COLUMNS`], in their order.
    pub(crate) fn values(&self) -> [Value; COLUMNS.len()] {
        let text = |value: &str| Value::Text(Some(value.to_owned()));
        let integer = |value: Option<i64>| value.map_or(Value::Text(None), Value::Integer);
        [
            Value::Integer(self.id),
            text(&self.run_id),
            text(&self.command),
            Value::Text(self.revision.clone()),
            Value::Text(self.direction.clone()),
            text(&self.status),
            Value::Text(self.checksum.clone()),
            Value::Text(self.sql_checksum.clone()),
            integer(self.statements_done),
            integer(self.statements_total),
            text(&self.started_at),
            Value::Text(self.finished_at.clone()),
            integer(self.duration_ms),
            text(&self.environment),
            text(&self.actor),
            text(&self.host),
            text(&self.tool_version),
            Value::Text(self.plugins.clone()),
            Value::Text(self.verdicts.clone()),
            Value::Text(self.error.clone()),
            text(&self.previous_hash),
            text(&self.hash),
        ]
    }

    /// The hash that this row ought to carry; see the module's documentation for the encoding.
    #[must_use]
    pub fn computed_hash(&self) -> String {
        let decimal = |value: Option<i64>| value.map(|number| number.to_string());
        let (done, total, duration) =
            (decimal(self.statements_done), decimal(self.statements_total), decimal(self.duration_ms));
        let id = self.id.to_string();
        let mut hasher = Sha256::new();
        hasher.update(HASH_DOMAIN);
        for column in [
            Some(id.as_str()),
            Some(&self.run_id),
            Some(&self.command),
            self.revision.as_deref(),
            self.direction.as_deref(),
            Some(&self.status),
            self.checksum.as_deref(),
            self.sql_checksum.as_deref(),
            done.as_deref(),
            total.as_deref(),
            Some(&self.started_at),
            self.finished_at.as_deref(),
            duration.as_deref(),
            Some(&self.environment),
            Some(&self.actor),
            Some(&self.host),
            Some(&self.tool_version),
            self.plugins.as_deref(),
            self.verdicts.as_deref(),
            self.error.as_deref(),
            Some(&self.previous_hash),
        ] {
            match column {
                None => hasher.update([0]),
                Some(text) => {
                    hasher.update([1]);
                    hasher.update((text.len() as u64).to_be_bytes());
                    hasher.update(text.as_bytes());
                }
            }
        }
        hexadecimal(&hasher.finalize())
    }

    /// The status, if it is one that this version knows.
    #[must_use]
    pub fn known_status(&self) -> Option<LedgerStatus> {
        LedgerStatus::parse(&self.status)
    }
}

/// What [`crate::Session::verify_ledger`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerCheck {
    /// Every row follows from the one before. Rows cut off at the very end leave no trace; compare `last_hash` with
    /// a copy kept elsewhere to notice that.
    Intact {
        /// How many rows there are.
        rows: u64,
        /// The hash of the last row; `None` if there is none.
        last_hash: Option<String>,
    },
    /// The first row that does not.
    Damaged {
        /// Its id; for a missing row the id it should have.
        id: i64,
        /// What does not fit.
        reason: String,
    },
}

/// Checks rows in the order of their ids, one after the other.
#[derive(Debug)]
pub(crate) struct ChainCheck {
    next_id: i64,
    previous_hash: String,
}

impl ChainCheck {
    pub(crate) fn new() -> Self {
        Self { next_id: 1, previous_hash: FIRST_PREVIOUS_HASH.to_owned() }
    }

    /// Accepts the next row, or says what is wrong with it.
    pub(crate) fn accept(&mut self, row: &LedgerRow) -> Result<(), (i64, String)> {
        if row.id != self.next_id {
            return Err((self.next_id, format!("row {} is missing, row {} follows instead", self.next_id, row.id)));
        }
        if row.previous_hash != self.previous_hash {
            return Err((row.id, "`previous_hash` is not the hash of the row before".to_owned()));
        }
        if row.hash != row.computed_hash() {
            return Err((row.id, "its columns do not give the stored hash".to_owned()));
        }
        self.next_id += 1;
        self.previous_hash.clone_from(&row.hash);
        Ok(())
    }

    pub(crate) fn next_id(&self) -> i64 {
        self.next_id
    }

    pub(crate) fn finish(self) -> LedgerCheck {
        let rows = u64::try_from(self.next_id - 1).unwrap_or_default();
        LedgerCheck::Intact { rows, last_hash: (rows > 0).then_some(self.previous_hash) }
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, previous_hash: &str) -> LedgerRow {
        let mut row =
            LedgerRow { id, run_id: "r".to_owned(), previous_hash: previous_hash.to_owned(), ..LedgerRow::default() };
        row.hash = row.computed_hash();
        row
    }

    #[test]
    fn every_column_counts() {
        let plain = row(1, FIRST_PREVIOUS_HASH);
        let mut seen = vec![plain.hash.clone()];
        let mut remember = |change: fn(&mut LedgerRow)| {
            let mut changed = plain.clone();
            change(&mut changed);
            let hash = changed.computed_hash();
            assert!(!seen.contains(&hash), "{changed:?}");
            seen.push(hash);
        };
        remember(|row| row.id = 2);
        remember(|row| row.run_id = "s".to_owned());
        remember(|row| row.command = "upgrade".to_owned());
        remember(|row| row.revision = Some(String::new()));
        remember(|row| row.direction = Some(String::new()));
        remember(|row| row.status = "run".to_owned());
        remember(|row| row.checksum = Some(String::new()));
        remember(|row| row.sql_checksum = Some(String::new()));
        remember(|row| row.statements_done = Some(0));
        remember(|row| row.statements_total = Some(0));
        remember(|row| row.started_at = "t".to_owned());
        remember(|row| row.finished_at = Some(String::new()));
        remember(|row| row.duration_ms = Some(0));
        remember(|row| row.environment = "e".to_owned());
        remember(|row| row.actor = "a".to_owned());
        remember(|row| row.host = "h".to_owned());
        remember(|row| row.tool_version = "v".to_owned());
        remember(|row| row.plugins = Some(String::new()));
        remember(|row| row.verdicts = Some(String::new()));
        remember(|row| row.error = Some(String::new()));
        remember(|row| row.previous_hash = "p".to_owned());
    }

    #[test]
    fn the_chain_reports_the_first_damaged_row() {
        let first = row(1, FIRST_PREVIOUS_HASH);
        let second = row(2, &first.hash);
        let mut check = ChainCheck::new();
        check.accept(&first).unwrap();
        let mut edited = second.clone();
        edited.actor = "mallory".to_owned();
        assert_eq!(check.accept(&edited).unwrap_err().0, 2);
        check.accept(&second).unwrap();
        assert_eq!(check.accept(&row(4, &second.hash)).unwrap_err().0, 3);
        assert_eq!(check.finish(), LedgerCheck::Intact { rows: 2, last_hash: Some(second.hash) });
    }

    #[test]
    fn every_status_is_found_by_its_name() {
        for status in LedgerStatus::ALL {
            assert_eq!(LedgerStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(LedgerStatus::parse("Applied"), None);
    }
}
