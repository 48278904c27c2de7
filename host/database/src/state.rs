//! What the database says is applied: the version rows, and what the ledger tells about each revision.

pub(crate) mod joined;

use std::collections::HashMap;

use runner_chain::Checksum;

use crate::ledger::FIRST_PREVIOUS_HASH;
use crate::ledger::LedgerRow;
use crate::ledger::LedgerStatus;
use crate::script::StepDirection;

/// One consistent reading of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The rows of the version table, sorted.
    pub versions: Vec<String>,
    /// The last thing that was settled about each revision, by its id.
    pub records: HashMap<String, Record>,
    /// Half-applied revisions, in the order in which they got stuck.
    pub dirty: Vec<Dirty>,
    /// The last ledger row; `None` if the ledger is empty or missing.
    pub tail: Option<LedgerTail>,
    /// Whether the version table is there; false for a database that was never migrated, or a file that is missing.
    pub exists: bool,
}

/// How a revision was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordedStatus {
    /// Its up section ran.
    Applied,
    /// It was passed without running anything.
    Skipped,
    /// It was declared applied.
    Stamped,
    /// Its down section ran.
    Reverted,
    /// It was declared not applied.
    Unstamped,
}

impl RecordedStatus {
    fn of(status: LedgerStatus) -> Option<Self> {
        match status {
            LedgerStatus::Applied => Some(Self::Applied),
            LedgerStatus::Skipped => Some(Self::Skipped),
            LedgerStatus::Stamped => Some(Self::Stamped),
            LedgerStatus::Reverted => Some(Self::Reverted),
            LedgerStatus::Unstamped => Some(Self::Unstamped),
            LedgerStatus::Run | LedgerStatus::Started | LedgerStatus::Progress | LedgerStatus::Failed => None,
        }
    }

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.ledger_status().as_str()
    }

    pub(crate) fn ledger_status(self) -> LedgerStatus {
        match self {
            Self::Applied => LedgerStatus::Applied,
            Self::Skipped => LedgerStatus::Skipped,
            Self::Stamped => LedgerStatus::Stamped,
            Self::Reverted => LedgerStatus::Reverted,
            Self::Unstamped => LedgerStatus::Unstamped,
        }
    }
}

/// The last settled ledger row of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// How it was settled.
    pub status: RecordedStatus,
    /// The direction of that step: a revision whose down section was skipped is not applied.
    pub direction: StepDirection,
    /// Checksum of the file at that time; `None` if the ledger holds none.
    pub checksum: Option<Checksum>,
    /// Checksum of its SQL at that time.
    pub sql_checksum: Option<Checksum>,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

/// A revision that stopped half-way outside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirty {
    /// The revision.
    pub revision: String,
    /// The direction it was going.
    pub direction: StepDirection,
    /// Statements known to be done; the step resumes at the next one.
    pub statements_done: usize,
    /// Statements it had then.
    pub statements_total: usize,
    /// What stopped it; `None` if the process died.
    pub error: Option<String>,
    /// The checksums of the statements done, in order, by which an edit is noticed; see [`crate::ScriptStatement::checksum`].
    pub statement_checksums: Vec<String>,
    /// When it was started, RFC 3339 in UTC.
    pub since: String,
    /// Whether it cannot be known if the statement after the last one done ran too. Never so on SQLite, where a statement
    /// and its progress are committed together.
    pub uncertain: bool,
}

impl Dirty {
    /// Whether it stands for a database that was being replaced by a backup: no statement of the revision itself was run, and
    /// none may be until the backup is restored.
    #[must_use]
    pub fn is_cut_off_restore(&self) -> bool {
        self.statements_total == 0
    }
}

/// The end of the ledger's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTail {
    /// The id of the last row.
    pub id: i64,
    /// Its hash.
    pub hash: String,
}

impl LedgerTail {
    /// The tail of an empty ledger.
    pub(crate) fn empty() -> Self {
        Self { id: 0, hash: FIRST_PREVIOUS_HASH.to_owned() }
    }

    /// From its columns joined as [`joined`] says.
    pub(crate) fn from_joined(text: &str) -> Self {
        let (id, hash) = joined::id_and_text(text);
        Self { id, hash: hash.to_owned() }
    }
}

/// The columns of a step's ledger row that tell what is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepRow<'a> {
    pub(crate) id: i64,
    pub(crate) revision: &'a str,
    pub(crate) direction: StepDirection,
    pub(crate) status: LedgerStatus,
    pub(crate) checksum: &'a str,
    pub(crate) sql_checksum: &'a str,
    pub(crate) statements_done: usize,
    pub(crate) statements_total: usize,
    pub(crate) started_at: &'a str,
    pub(crate) finished_at: &'a str,
}

impl<'a> StepRow<'a> {
    fn of(row: &'a LedgerRow) -> Option<Self> {
        let count = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        Some(Self {
            id: row.id,
            revision: row.revision.as_deref()?,
            direction: StepDirection::parse(row.direction.as_deref()?)?,
            status: row.known_status()?,
            checksum: row.checksum.as_deref().unwrap_or_default(),
            sql_checksum: row.sql_checksum.as_deref().unwrap_or_default(),
            statements_done: count(row.statements_done),
            statements_total: count(row.statements_total),
            started_at: &row.started_at,
            finished_at: row.finished_at.as_deref().unwrap_or_default(),
        })
    }
}

/// What the ledger's step rows come to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) records: HashMap<String, Record>,
    /// Half-applied revisions, each with the id of its `failed` row if the step failed rather than died.
    pub(crate) dirty: Vec<(Dirty, Option<i64>)>,
}

/// Reduces the step rows, oldest first, to what is settled and what is stuck. `atomic_progress` says whether the dialect
/// commits a statement together with its progress row.
pub(crate) fn reduce<'a>(rows: impl IntoIterator<Item = StepRow<'a>>, atomic_progress: bool) -> Outcome {
    let rows = rows.into_iter();
    let mut records: HashMap<String, Record> = HashMap::with_capacity(rows.size_hint().0);
    let mut stuck: HashMap<&str, Stuck> = HashMap::new();
    for row in rows {
        if let Some(status) = RecordedStatus::of(row.status) {
            // Hardly anything ever is, and there may be thousands of rows.
            if !stuck.is_empty() {
                stuck.remove(row.revision);
            }
            let record = Record {
                status,
                direction: row.direction,
                checksum: row.checksum.parse().ok(),
                sql_checksum: row.sql_checksum.parse().ok(),
                at: row.finished_at.to_owned(),
            };
            records.insert(row.revision.to_owned(), record);
        } else {
            stuck.entry(row.revision).or_insert_with(|| Stuck::begin(&row)).advance(&row, atomic_progress);
        }
    }
    let mut dirty: Vec<Stuck> = stuck.into_values().filter(|stuck| stuck.is_dirty).collect();
    dirty.sort_by_key(|stuck| stuck.first_id);
    Outcome { records, dirty: dirty.into_iter().map(|stuck| (stuck.dirty, stuck.failed_id)).collect() }
}

/// What the ledger says of each revision after these rows, by its id. The rows may stand in any order; those about whole runs
/// and those that make no sense are left out.
#[must_use]
pub fn records(rows: &[LedgerRow]) -> HashMap<String, Record> {
    let mut steps: Vec<StepRow<'_>> = rows.iter().filter_map(StepRow::of).collect();
    steps.sort_by_key(|row| row.id);
    reduce(steps, true).records
}

struct Stuck {
    first_id: i64,
    failed_id: Option<i64>,
    is_dirty: bool,
    dirty: Dirty,
}

impl Stuck {
    fn begin(row: &StepRow<'_>) -> Self {
        let dirty = Dirty {
            revision: row.revision.to_owned(),
            direction: row.direction,
            statements_done: 0,
            statements_total: 0,
            error: None,
            statement_checksums: Vec::new(),
            since: row.started_at.to_owned(),
            uncertain: false,
        };
        Self { first_id: row.id, failed_id: None, is_dirty: false, dirty }
    }

    fn advance(&mut self, row: &StepRow<'_>, atomic_progress: bool) {
        if row.direction != self.dirty.direction || (row.status == LedgerStatus::Started && row.statements_done == 0) {
            *self = Self::begin(row);
        }
        self.dirty.statements_done = row.statements_done;
        self.dirty.statements_total = row.statements_total;
        self.failed_id = None;
        match row.status {
            LedgerStatus::Failed => {
                // A failure that left nothing behind needs no resuming.
                self.is_dirty = row.statements_done > 0;
                self.failed_id = Some(row.id);
                self.dirty.uncertain = false;
            }
            LedgerStatus::Progress => {
                self.is_dirty = true;
                self.dirty.statement_checksums.truncate(row.statements_done.saturating_sub(1));
                self.dirty.statement_checksums.push(row.sql_checksum.to_owned());
                self.dirty.uncertain = !atomic_progress;
            }
            _ => {
                self.is_dirty = true;
                self.dirty.uncertain = !atomic_progress;
            }
        }
        self.dirty.statement_checksums.truncate(row.statements_done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, status: LedgerStatus, done: usize) -> StepRow<'static> {
        StepRow {
            id,
            revision: "a",
            direction: StepDirection::Up,
            status,
            checksum: "c",
            sql_checksum: "s",
            statements_done: done,
            statements_total: 3,
            started_at: "t0",
            finished_at: "t1",
        }
    }

    #[test]
    fn a_killed_step_is_dirty_with_its_checksums() {
        use LedgerStatus::Progress;
        use LedgerStatus::Started;
        let rows = [row(1, Started, 0), row(2, Progress, 1), row(3, Progress, 2)];
        let outcome = reduce(rows, true);
        let (dirty, failed) = &outcome.dirty[0];
        assert_eq!((dirty.statements_done, dirty.statement_checksums.len(), dirty.uncertain), (2, 2, false));
        assert_eq!(*failed, None);
        assert!(outcome.records.is_empty());
    }

    #[test]
    fn a_resumed_step_keeps_what_it_knew() {
        use LedgerStatus::Failed;
        use LedgerStatus::Progress;
        use LedgerStatus::Started;
        let rows =
            [row(1, Started, 0), row(2, Progress, 1), row(3, Failed, 1), row(4, Started, 1), row(5, Progress, 2)];
        let outcome = reduce(rows.clone(), false);
        assert_eq!(outcome.dirty[0].0.statement_checksums.len(), 2);
        assert!(outcome.dirty[0].0.uncertain);
        let outcome = reduce(rows.into_iter().take(3), false);
        assert_eq!(outcome.dirty[0].1, Some(3));
        assert!(!outcome.dirty[0].0.uncertain);
    }

    #[test]
    fn a_failure_without_traces_is_clean_and_keeps_the_record() {
        use LedgerStatus::Applied;
        use LedgerStatus::Failed;
        let mut down = row(2, Failed, 0);
        down.direction = StepDirection::Down;
        let outcome = reduce([row(1, Applied, 3), down], true);
        assert!(outcome.dirty.is_empty());
        assert_eq!(outcome.records["a"].status, RecordedStatus::Applied);
    }

    #[test]
    fn settling_ends_the_dirt() {
        let rows = [row(1, LedgerStatus::Started, 0), row(2, LedgerStatus::Stamped, 0)];
        let outcome = reduce(rows, true);
        assert!(outcome.dirty.is_empty());
        assert_eq!(outcome.records["a"].status, RecordedStatus::Stamped);
    }
}
