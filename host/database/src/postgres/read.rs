//! Reading the runner's tables. Every reading sees one moment.

use sqlx::postgres::PgRow;

use crate::backend::Tables;
use crate::ledger::COLUMNS;
use crate::ledger::ChainCheck;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::reading;
use crate::reading::CHECK_BATCH;
use crate::reading::ReadError;
use crate::reading::Result;
use crate::state;
use crate::state::LedgerTail;
use crate::state::State;
use crate::state::joined;

use super::books::Books;
use super::books::quoted;
use super::failures;
use super::link::Link;
use super::link::required;
use super::link::text;
use super::literal::literal;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whether a reading failed because there is no such table.
fn is_missing_table(error: &ReadError) -> bool {
    let ReadError::Driver(error) = error else { return false };
    matches!(failures::code(error), Some(failures::UNDEFINED_TABLE | failures::UNDEFINED_SCHEMA))
}

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

    /// Everything about what is applied, in one statement and thus at one moment.
    pub(super) async fn state(&self, link: &mut Link) -> Result<State> {
        // The usual case is one round trip; only without the tables it takes more.
        match self.read_state(link, Tables { version: true, ledger: true }).await {
            Err(error) if is_missing_table(&error) => {
                let have = tables(&link.row(self.which_exist()?).await?)?;
                self.read_state(link, have).await
            }
            result => result,
        }
    }

    async fn read_state(&self, link: &mut Link, have: Tables) -> Result<State> {
        let (version, ledger) = (quoted(&self.version), quoted(&self.ledger));
        let (columns, rows) = (joined::BETWEEN_COLUMNS, joined::AFTER_ROW);
        let unless = |is_there: bool, query: String| if is_there { format!("({query})") } else { "NULL".to_owned() };
        // `concat` takes NULL for the empty text.
        let step = joined::STEP_COLUMNS.join(&format!(", pg_catalog.chr({columns}), "));
        let sql = format!(
            "SELECT {}, {}, {}",
            unless(
                have.version,
                format!("SELECT pg_catalog.string_agg(version_num::text || pg_catalog.chr({rows}), '') FROM {version}")
            ),
            unless(
                have.ledger,
                format!(
                    "SELECT pg_catalog.string_agg(pg_catalog.concat({step}, pg_catalog.chr({rows})), '') FROM {ledger} \
                     WHERE revision IS NOT NULL"
                )
            ),
            unless(
                have.ledger,
                format!(
                    "SELECT pg_catalog.concat(id, pg_catalog.chr({columns}), hash) FROM {ledger} ORDER BY id DESC LIMIT 1"
                )
            ),
        );
        let row = link.row(sql).await?;
        let versions = text(&row, 0)?.map(joined::texts).into_iter().flatten();
        let mut versions: Vec<String> = versions.map(str::to_owned).collect();
        versions.sort_unstable();
        // Not every statement commits together with its progress row.
        let outcome = state::reduce(joined::step_rows(text(&row, 1)?.unwrap_or_default())?, false);
        let tail = text(&row, 2)?.map(LedgerTail::from_joined);
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
                if is_missing_table(&error) { Ok(None) } else { Err(error) }
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
            return Ok(reading::stray(id(row)?));
        }
        loop {
            let rest = format!("WHERE l.id >= {} ORDER BY l.id LIMIT {CHECK_BATCH}", check.next_id());
            let rows = self.read_rows(link, &rest).await?.unwrap_or_default();
            if rows.is_empty() {
                return Ok(check.finish());
            }
            if let Some(damage) = reading::accept_all(&mut check, rows.iter().map(ledger_row))? {
                return Ok(damage);
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

fn ledger_row(row: &PgRow) -> Result<LedgerRow> {
    let id = id(row)?;
    let column = |index: usize| Ok::<_, ReadError>(text(row, index)?.map(str::to_owned));
    LedgerRow::from_columns(id, column, |reason| ReadError::Damaged { id, reason })
}
