//! The rows that a run adds to the ledger, and where the chain stands: in the database, and in the open transaction.

use crate::backend::Tables;
use crate::ledger::LedgerRow;
use crate::ledger::LedgerStatus;
use crate::script::StepDirection;
use crate::script::StepScript;
use crate::state::LedgerTail;
use crate::state::RecordedStatus;
use crate::whole::Settled;

use super::Clock;
use super::RunInfo;
use super::now;

/// The part of a ledger row that differs from row to row.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) status: LedgerStatus,
    pub(super) revision: Option<(String, StepDirection)>,
    pub(super) checksum: Option<String>,
    pub(super) sql_checksum: Option<String>,
    pub(super) statements_done: Option<usize>,
    pub(super) statements_total: Option<usize>,
    pub(super) started_at: Option<String>,
    pub(super) duration_ms: Option<i64>,
    pub(super) verdicts: Option<String>,
    pub(super) error: Option<String>,
}

impl Draft {
    pub(super) fn of_step(script: &StepScript, status: LedgerStatus, clock: &Clock) -> Self {
        Self {
            status,
            revision: Some((script.revision.clone(), script.direction)),
            checksum: Some(script.checksum.clone()),
            sql_checksum: Some(script.sql_checksum.clone()),
            statements_done: None,
            statements_total: Some(script.total()),
            started_at: Some(clock.started_at.clone()),
            duration_ms: i64::try_from(clock.elapsed().as_millis()).ok(),
            verdicts: json_text(&script.verdicts),
            error: None,
        }
    }

    pub(super) fn of_run(status: LedgerStatus, error: &str) -> Self {
        Self {
            status,
            revision: None,
            checksum: None,
            sql_checksum: None,
            statements_done: None,
            statements_total: None,
            started_at: None,
            duration_ms: None,
            verdicts: None,
            error: Some(error.to_owned()),
        }
    }
}

#[derive(Debug, Clone)]
struct Position {
    tail: LedgerTail,
    tables: Tables,
    run_recorded: bool,
}

/// The ledger as one run writes it.
#[derive(Debug)]
pub(crate) struct Journal {
    info: RunInfo,
    plugins: Option<String>,
    started_at: String,
    in_database: Position,
    in_transaction: Position,
}

impl Journal {
    pub(crate) fn new(info: RunInfo, tables: Tables, tail: LedgerTail) -> Self {
        let position = Position { tail, tables, run_recorded: false };
        let plugins = json_text(&info.plugins);
        Self { info, plugins, started_at: now(), in_database: position.clone(), in_transaction: position }
    }

    /// The tables that are there as far as the open transaction sees.
    pub(super) fn tables(&self) -> Tables {
        self.in_transaction.tables
    }

    /// The last row as far as the open transaction sees.
    pub(super) fn tail(&self) -> &LedgerTail {
        &self.in_transaction.tail
    }

    pub(super) fn committed(&mut self) {
        self.in_database = self.in_transaction.clone();
    }

    pub(super) fn rolled_back(&mut self) {
        self.in_transaction = self.in_database.clone();
    }

    /// Takes over where the chain really stands.
    pub(super) fn refresh(&mut self, tables: Tables, tail: LedgerTail) {
        self.in_transaction.tables = tables;
        self.in_transaction.tail = tail;
    }

    /// The row of a run without steps.
    pub(crate) fn run(&mut self) -> LedgerRow {
        self.in_transaction.tables = Tables { version: true, ledger: true };
        self.in_transaction.run_recorded = true;
        let mut run = Draft::of_run(LedgerStatus::Run, "");
        run.error = None;
        run.verdicts = json_text(&self.info.evidence);
        self.row(run)
    }

    /// The row of a run without steps, and one for each revision that it settles.
    pub(crate) fn run_and(&mut self, settled: &[Settled]) -> Vec<LedgerRow> {
        let mut rows = vec![self.run()];
        for one in settled {
            let mut draft = Draft::of_run(one.status.ledger_status(), &one.reason);
            let is_gone = matches!(one.status, RecordedStatus::Unstamped | RecordedStatus::Reverted);
            let direction = if is_gone { StepDirection::Down } else { StepDirection::Up };
            draft.revision = Some((one.revision.clone(), direction));
            draft.checksum.clone_from(&one.checksum);
            draft.sql_checksum.clone_from(&one.sql_checksum);
            rows.push(self.row(draft));
        }
        rows
    }

    /// A row that says that a revision is about to change, and nobody knows how far that has come until it is settled.
    pub(crate) fn unsettled(&mut self, revision: &str, reason: &str) -> Vec<LedgerRow> {
        let mut draft = Draft::of_run(LedgerStatus::Started, reason);
        draft.revision = Some((revision.to_owned(), StepDirection::Up));
        draft.statements_done = Some(0);
        draft.statements_total = Some(0);
        self.rows(draft)
    }

    /// The next row, after the row of the run itself if that is not written yet. The tables count as present from here on.
    pub(super) fn rows(&mut self, draft: Draft) -> Vec<LedgerRow> {
        self.in_transaction.tables = Tables { version: true, ledger: true };
        let mut rows = Vec::with_capacity(2);
        if !self.in_transaction.run_recorded {
            rows.push(self.run());
        }
        rows.push(self.row(draft));
        rows
    }

    fn row(&mut self, draft: Draft) -> LedgerRow {
        let (revision, direction) = draft.revision.unzip();
        let tail = &mut self.in_transaction.tail;
        let mut row = LedgerRow {
            id: tail.id + 1,
            run_id: self.info.run_id.clone(),
            command: self.info.command.clone(),
            revision,
            direction: direction.map(|direction| direction.as_str().to_owned()),
            status: draft.status.as_str().to_owned(),
            checksum: draft.checksum,
            sql_checksum: draft.sql_checksum,
            statements_done: draft.statements_done.and_then(|count| i64::try_from(count).ok()),
            statements_total: draft.statements_total.and_then(|count| i64::try_from(count).ok()),
            started_at: draft.started_at.unwrap_or_else(|| self.started_at.clone()),
            finished_at: Some(now()),
            duration_ms: draft.duration_ms,
            environment: self.info.environment.clone(),
            actor: self.info.actor.clone(),
            host: self.info.host.clone(),
            tool_version: self.info.tool_version.clone(),
            plugins: self.plugins.clone(),
            verdicts: draft.verdicts,
            error: draft.error,
            previous_hash: tail.hash.clone(),
            hash: String::new(),
        };
        row.hash = row.computed_hash();
        tail.id = row.id;
        tail.hash.clone_from(&row.hash);
        row
    }
}

fn json_text(value: &serde_json::Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}
