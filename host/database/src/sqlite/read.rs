//! Reading the runner's tables.

use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

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

impl Books {
    /// Which of the tables are there.
    pub(super) async fn tables(&self, connection: &mut SqliteConnection) -> Result<Tables> {
        let exists = |table: &crate::options::TableName| {
            let schema = table.schema.as_ref().map_or_else(String::new, |schema| format!("\"{schema}\"."));
            let name = table.name.to_ascii_lowercase();
            format!(
                "EXISTS (SELECT 1 FROM {schema}sqlite_master WHERE type IN ('table', 'view') AND lower(name) = '{name}')"
            )
        };
        let sql = format!("SELECT {}, {}", exists(&self.version), exists(&self.ledger));
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?;
        Ok(Tables { version: row.try_get(0)?, ledger: row.try_get(1)? })
    }

    pub(super) async fn tail(&self, connection: &mut SqliteConnection) -> Result<Option<LedgerTail>> {
        let sql = format!("SELECT id, CAST(hash AS TEXT) FROM {} ORDER BY id DESC LIMIT 1", self.ledger.quoted());
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_optional(connection).await?;
        Ok(match row {
            Some(row) => Some(LedgerTail { id: row.try_get(0)?, hash: row.try_get(1)? }),
            None => None,
        })
    }

    /// Everything about what is applied, in one statement and thus at one moment.
    pub(super) async fn state(&self, connection: &mut SqliteConnection, have: Tables) -> Result<State> {
        // `concat` takes NULL for the empty text, and copies once where `||` copies for each column.
        let columns = joined::STEP_COLUMNS.join(", char(31), ");
        let version = self.version.quoted();
        let ledger = self.ledger.quoted();
        let sql = format!(
            "SELECT {}, {}, {}",
            if have.version {
                format!("(SELECT group_concat(version_num || char(30), '') FROM {version})")
            } else {
                "NULL".into()
            },
            if have.ledger {
                format!(
                    "(SELECT group_concat(concat({columns}, char(30)), '') FROM {ledger} WHERE revision IS NOT NULL)"
                )
            } else {
                "NULL".into()
            },
            if have.ledger {
                format!("(SELECT id || char(31) || hash FROM {ledger} ORDER BY id DESC LIMIT 1)")
            } else {
                "NULL".into()
            },
        );
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        let versions: Option<String> = row.try_get(0)?;
        let steps: Option<String> = row.try_get(1)?;
        let tail: Option<String> = row.try_get(2)?;
        let mut versions: Vec<String> =
            versions.iter().flat_map(|text| joined::texts(text)).map(str::to_owned).collect();
        versions.sort_unstable();
        let outcome = state::reduce(joined::step_rows(steps.as_deref().unwrap_or_default())?, true);
        let mut dirty = Vec::with_capacity(outcome.dirty.len());
        for (mut one, failed) in outcome.dirty {
            if let Some(id) = failed {
                one.error = self.error_of(connection, id).await?;
            }
            dirty.push(one);
        }
        let tail = tail.as_deref().map(LedgerTail::from_joined);
        Ok(State { versions, records: outcome.records, dirty, tail, exists: have.version })
    }

    async fn error_of(&self, connection: &mut SqliteConnection, id: i64) -> Result<Option<String>> {
        let sql = format!("SELECT CAST(error AS TEXT) FROM {} WHERE id = ?", self.ledger.quoted());
        let row = sqlx::query(AssertSqlSafe(sql)).bind(id).fetch_optional(connection).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    pub(super) async fn ledger(
        &self,
        connection: &mut SqliteConnection,
        limit: Option<usize>,
    ) -> Result<Vec<LedgerRow>> {
        let limit = limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        let rows = sqlx::query(AssertSqlSafe(self.select("ORDER BY id DESC LIMIT ?"))).bind(limit);
        rows.fetch_all(connection).await?.iter().map(ledger_row).collect()
    }

    pub(super) async fn verify(&self, connection: &mut SqliteConnection) -> Result<LedgerCheck> {
        let sql = self.select("WHERE id >= ? ORDER BY id LIMIT ?");
        let mut check = ChainCheck::new();
        // Ids below 1 are never assigned, and would hide from the loop below.
        let stray = format!("SELECT id FROM {} WHERE id < 1 ORDER BY id LIMIT 1", self.ledger.quoted());
        if let Some(row) = sqlx::query(AssertSqlSafe(stray)).fetch_optional(&mut *connection).await? {
            return Ok(reading::stray(row.try_get(0)?));
        }
        loop {
            let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(check.next_id()).bind(CHECK_BATCH);
            let rows = query.fetch_all(&mut *connection).await?;
            if rows.is_empty() {
                return Ok(check.finish());
            }
            if let Some(damage) = reading::accept_all(&mut check, rows.iter().map(ledger_row))? {
                return Ok(damage);
            }
        }
    }

    /// Every column as text, so that no value put there by hand can confuse the driver.
    fn select(&self, rest: &str) -> String {
        let columns: Vec<String> = COLUMNS[1..].iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
        format!("SELECT id, {} FROM {} {rest}", columns.join(", "), self.ledger.quoted())
    }
}

fn ledger_row(row: &SqliteRow) -> Result<LedgerRow> {
    let id: i64 = row.try_get(0)?;
    let damaged = |reason: String| ReadError::Damaged { id, reason };
    let column =
        |index: usize| row.try_get(index).map_err(|_| damaged(format!("`{}` is not UTF-8 text", COLUMNS[index])));
    LedgerRow::from_columns(id, column, damaged)
}
