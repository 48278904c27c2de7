//! Reading the runner's tables, in read-only transactions that see one moment.

use sqlx::postgres::PgRow;

use crate::backend::Tables;
use crate::error::Error;
use crate::ledger::COLUMNS;
use crate::ledger::ChainCheck;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::ledger::LedgerStatus;
use crate::script::StepDirection;
use crate::state;
use crate::state::LedgerTail;
use crate::state::State;
use crate::state::StepRow;

use super::books::Books;
use super::books::quoted;
use super::failures;
use super::link::Link;
use super::link::required;
use super::link::text;
use super::literal::literal;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The columns of [`StepRow`] in its order.
const STEP_COLUMNS: [&str; 10] = [
    "id",
    "revision",
    "direction",
    "status",
    "checksum",
    "sql_checksum",
    "statements_done",
    "statements_total",
    "started_at",
    "finished_at",
];

/// Rows per query while the whole ledger is checked, to bound memory.
const CHECK_BATCH: usize = 500;

/// A failed reading: either the driver's error, or rows that make no sense.
#[derive(Debug)]
pub(super) enum ReadError {
    Driver(sqlx::Error),
    Damaged { id: i64, reason: String },
    Known(Error),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl ReadError {
    fn is_missing_table(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        matches!(failures::code(error), Some(failures::UNDEFINED_TABLE | failures::UNDEFINED_SCHEMA))
    }
}

type Result<T> = std::result::Result<T, ReadError>;

/// Texts of `columns`, so that no value put there by hand can confuse the driver. They keep their names: rows are ordered by
/// `l.id`, because `id` alone would be the text.
fn as_text(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("CAST({column} AS text)")).collect::<Vec<_>>().join(", ")
}

impl Books {
    fn which_exist(&self) -> Result<String> {
        let exists = |table| {
            let name = literal(&quoted(table)).map_err(ReadError::Known)?;
            Ok::<_, ReadError>(format!("(pg_catalog.to_regclass({name}) IS NOT NULL)::text"))
        };
        Ok(format!("SELECT {}, {}", exists(&self.version)?, exists(&self.ledger)?))
    }

    fn select_tail(&self) -> String {
        format!("SELECT {} FROM {} AS l ORDER BY l.id DESC LIMIT 1", as_text(&["id", "hash"]), quoted(&self.ledger))
    }

    /// Which of the tables are there, and the last ledger row, inside a transaction if one is open. `before` is put in front
    /// of the first query.
    pub(super) async fn tables_and_tail(&self, link: &mut Link, before: &str) -> Result<(Tables, Option<LedgerTail>)> {
        let have = tables(&link.row(format!("{before}{}", self.which_exist()?)).await?)?;
        if !have.ledger {
            return Ok((have, None));
        }
        let sets = link.rows(self.select_tail()).await?;
        let tail = sets.first().and_then(|rows| rows.first()).map(tail).transpose()?;
        Ok((have, tail))
    }

    /// Everything about what is applied, at one moment.
    pub(super) async fn state(&self, link: &mut Link) -> Result<State> {
        // The usual case is one round trip; only without the tables it takes more.
        let all = Tables { version: true, ledger: true };
        let state = match self.read_state(link, BEGIN, all).await {
            Err(error) if error.is_missing_table() => {
                link.rollback().await?;
                let have = tables(&link.row(format!("{BEGIN};\n{}", self.which_exist()?)).await?)?;
                // Within the transaction that is open now.
                self.read_state(link, "SELECT 1", have).await
            }
            result => result,
        };
        if state.is_err() {
            link.rollback().await?;
        }
        state
    }

    async fn read_state(&self, link: &mut Link, first: &str, have: Tables) -> Result<State> {
        let nothing = || "SELECT 1 WHERE false".to_owned();
        let (version, ledger) = (quoted(&self.version), quoted(&self.ledger));
        let versions =
            if have.version { format!("SELECT CAST(version_num AS text) FROM {version}") } else { nothing() };
        let steps =
            format!("SELECT {} FROM {ledger} AS l WHERE revision IS NOT NULL ORDER BY l.id", as_text(&STEP_COLUMNS));
        let (steps, last) = if have.ledger { (steps, self.select_tail()) } else { (nothing(), nothing()) };
        let sql = format!("{first};\n{versions};\n{steps};\n{last};\nCOMMIT");
        let sets = link.rows(sql).await?;
        let rows = |index: usize| sets.get(index).map(Vec::as_slice).unwrap_or_default();
        let mut versions = Vec::new();
        for row in rows(1) {
            versions.push(required(row, 0)?.to_owned());
        }
        versions.sort_unstable();
        let steps = rows(2).iter().map(step_row).collect::<Result<Vec<_>>>()?;
        // Not every statement commits together with its progress row.
        let outcome = state::reduce(steps, false);
        let tail = rows(3).first().map(tail).transpose()?;
        let mut dirty = Vec::with_capacity(outcome.dirty.len());
        for (mut one, failed) in outcome.dirty {
            if let Some(id) = failed {
                // Rows are never changed, so it is the same a moment later.
                let sql = format!("SELECT CAST(error AS text) FROM {ledger} WHERE id = {id}");
                one.error = text(&link.row(sql).await?, 0)?.map(str::to_owned);
            }
            dirty.push(one);
        }
        Ok(State { versions, records: outcome.records, dirty, tail, exists: have.version })
    }

    /// Rows of the ledger; `None` if there is no ledger.
    async fn read_rows(&self, link: &mut Link, rest: &str) -> Result<Option<Vec<PgRow>>> {
        let sql = format!("{BEGIN};\nSELECT {} FROM {} AS l {rest};\nCOMMIT", as_text(&COLUMNS), quoted(&self.ledger));
        match link.rows(sql).await.map_err(ReadError::from) {
            Ok(mut sets) => Ok(Some(if sets.len() > 1 { sets.swap_remove(1) } else { Vec::new() })),
            Err(error) => {
                link.rollback().await?;
                if error.is_missing_table() { Ok(None) } else { Err(error) }
            }
        }
    }

    pub(super) async fn ledger(&self, link: &mut Link, limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        let limit = limit.map_or_else(|| "ALL".to_owned(), |limit| limit.min(i64::MAX as usize).to_string());
        let rows = self.read_rows(link, &format!("ORDER BY l.id DESC LIMIT {limit}")).await?;
        rows.unwrap_or_default().iter().map(ledger_row).collect()
    }

    pub(super) async fn verify(&self, link: &mut Link) -> Result<LedgerCheck> {
        let mut check = ChainCheck::new();
        // Ids below 1 are never assigned, and would hide from the loop below.
        let Some(stray) = self.read_rows(link, "WHERE l.id < 1 ORDER BY l.id LIMIT 1").await? else {
            return Ok(check.finish());
        };
        if let Some(row) = stray.first() {
            return Ok(LedgerCheck::Damaged { id: id(row)?, reason: "ids begin at 1".to_owned() });
        }
        loop {
            let rest = format!("WHERE l.id >= {} ORDER BY l.id LIMIT {CHECK_BATCH}", check.next_id());
            let rows = self.read_rows(link, &rest).await?.unwrap_or_default();
            if rows.is_empty() {
                return Ok(check.finish());
            }
            for row in &rows {
                let row = match ledger_row(row) {
                    Ok(row) => row,
                    Err(ReadError::Damaged { id, reason }) => return Ok(LedgerCheck::Damaged { id, reason }),
                    Err(error) => return Err(error),
                };
                if let Err((id, reason)) = check.accept(&row) {
                    return Ok(LedgerCheck::Damaged { id, reason });
                }
            }
        }
    }
}

fn tables(row: &PgRow) -> Result<Tables> {
    Ok(Tables { version: required(row, 0)? == "true", ledger: required(row, 1)? == "true" })
}

fn id(row: &PgRow) -> Result<i64> {
    Ok(required(row, 0)?.parse().unwrap_or_default())
}

fn tail(row: &PgRow) -> Result<LedgerTail> {
    Ok(LedgerTail { id: id(row)?, hash: text(row, 1)?.unwrap_or_default().to_owned() })
}

fn step_row(row: &PgRow) -> Result<StepRow<'_>> {
    let column = |index: usize| Ok::<_, ReadError>(text(row, index)?.unwrap_or_default());
    let count = |index: usize| Ok::<_, ReadError>(column(index)?.parse().unwrap_or_default());
    let id = id(row)?;
    let unknown = || ReadError::Damaged { id, reason: "its direction or status is unknown".to_owned() };
    Ok(StepRow {
        id,
        revision: column(1)?,
        direction: StepDirection::parse(column(2)?).ok_or_else(unknown)?,
        status: LedgerStatus::parse(column(3)?).ok_or_else(unknown)?,
        checksum: column(4)?,
        sql_checksum: column(5)?,
        statements_done: count(6)?,
        statements_total: count(7)?,
        started_at: column(8)?,
        finished_at: column(9)?,
    })
}

fn ledger_row(row: &PgRow) -> Result<LedgerRow> {
    let id = id(row)?;
    let column = |index: usize| Ok::<_, ReadError>(text(row, index)?.map(str::to_owned));
    LedgerRow::from_columns(id, column, |reason| ReadError::Damaged { id, reason })
}
