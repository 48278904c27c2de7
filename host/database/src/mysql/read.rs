//! Reading the runner's tables.

use sqlx::mysql::MySqlRow;

use crate::backend::Tables;
use crate::ledger::COLUMNS;
use crate::ledger::ChainCheck;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::options::TableName;
use crate::reading;
use crate::reading::CHECK_BATCH;
use crate::reading::ReadError;
use crate::reading::Result;
use crate::state;
use crate::state::LedgerTail;
use crate::state::State;
use crate::state::joined;

use super::books::Books;
use super::books::name;
use super::failures;
use super::link::Answer;
use super::link::Link;
use super::link::number;
use super::link::text;
use super::literal::literal;

/// One moment for all statements until COMMIT, whatever the session's isolation level is.
const BEGIN_READING: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n\
                             START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
/// How many statements that is.
const BEGINNING: usize = 2;

impl Books {
    /// Which of the tables are there, and the end of the ledger, in one round trip.
    pub(super) async fn tables_and_tail(&self, link: &mut Link) -> Result<(Tables, Option<LedgerTail>)> {
        let sql = format!("SELECT {}, {};\n{}", exists(&self.version), exists(&self.ledger), self.select_tail());
        let answer = link.ask(sql).await;
        let Ok(row) = answer.row(0) else { return Err(driver_error(answer)) };
        let is_there = |index| Ok::<bool, sqlx::Error>(number::<u64>(row, index)?.is_some_and(|count| count > 0));
        let have = Tables { version: is_there(0)?, ledger: is_there(1)? };
        match answer.error {
            Some(error) if have.ledger || failures::number(&error) != Some(failures::NO_SUCH_TABLE) => {
                Err(error.into())
            }
            Some(_) => Ok((have, None)),
            None => Ok((have, tail(&answer, 1)?)),
        }
    }

    fn select_tail(&self) -> String {
        format!("SELECT {}, {} FROM {} ORDER BY id DESC LIMIT 1", cast("id"), cast("hash"), name(&self.ledger))
    }

    /// Everything about what is applied, in one round trip and at one moment.
    pub(super) async fn state(&self, link: &mut Link, have: Tables) -> Result<State> {
        // One text a row: all rows in one would be cut off at `group_concat_max_len`.
        let steps = joined::STEP_COLUMNS.map(|column| format!("COALESCE({}, '')", cast(column))).join(", ");
        let steps = format!("CONCAT_WS(CHAR({}), {steps})", joined::BETWEEN_COLUMNS);
        let ledger = name(&self.ledger);
        let mut sql = vec![BEGIN_READING.to_owned()];
        if have.version {
            sql.push(format!("SELECT {} FROM {}", cast("version_num"), name(&self.version)));
        }
        if have.ledger {
            sql.push(format!("SELECT {steps} FROM {ledger} WHERE revision IS NOT NULL"));
            sql.push(self.select_tail());
        }
        sql.push("COMMIT".to_owned());
        let answer = link.ask(sql.join(";\n")).await;
        if answer.error.is_some() {
            if link.is_usable() {
                link.ask("ROLLBACK".to_owned()).await.complete()?;
            }
            return Err(driver_error(answer));
        }
        let set = |index: usize| answer.sets.get(BEGINNING + index).map_or(&[][..], Vec::as_slice);
        let mut versions = Vec::new();
        for row in set(0).iter().filter(|_| have.version) {
            versions.extend(text(row, 0)?);
        }
        versions.sort_unstable();
        let at = usize::from(have.version);
        let (records, dirty) = if have.ledger { self.reduce(link, set(at)).await? } else { Default::default() };
        let tail = if have.ledger { tail(&answer, BEGINNING + at + 1)? } else { None };
        Ok(State { versions, records, dirty, tail, exists: have.version })
    }

    async fn reduce(
        &self,
        link: &mut Link,
        rows: &[MySqlRow],
    ) -> Result<(std::collections::HashMap<String, state::Record>, Vec<state::Dirty>)> {
        let mut steps = String::new();
        for row in rows {
            steps.push_str(&text(row, 0)?.unwrap_or_default());
            steps.push(char::from(joined::AFTER_ROW));
        }
        let steps = joined::step_rows(&steps)?;
        // A change of a definition cannot be committed together with its progress row.
        let outcome = state::reduce(steps, false);
        let mut dirty = Vec::with_capacity(outcome.dirty.len());
        for (mut one, failed) in outcome.dirty {
            if let Some(id) = failed {
                let sql = format!("SELECT {} FROM {} WHERE id = {id}", cast("error"), name(&self.ledger));
                let answer = link.ask(sql).await.complete()?;
                one.error = answer.row(0).map_or(Ok(None), |row| text(row, 0))?;
            }
            dirty.push(one);
        }
        Ok((outcome.records, dirty))
    }

    /// The newest rows first; none if there is no table.
    pub(super) async fn ledger(&self, link: &mut Link, limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
        let answer = link.ask(self.select(&format!("ORDER BY id DESC{limit}"))).await.complete();
        match answer {
            Err(error) if failures::number(&error) == Some(failures::NO_SUCH_TABLE) => Ok(Vec::new()),
            answer => answer?.sets.first().into_iter().flatten().map(ledger_row).collect(),
        }
    }

    pub(super) async fn verify(&self, link: &mut Link) -> Result<LedgerCheck> {
        // Ids below 1 are never assigned, and would hide from the loop below.
        let stray = format!("SELECT {} FROM {} WHERE id < 1 ORDER BY id LIMIT 1", cast("id"), name(&self.ledger));
        let answer = match link.ask(stray).await.complete() {
            Err(error) if failures::number(&error) == Some(failures::NO_SUCH_TABLE) => {
                return Ok(LedgerCheck::Intact { rows: 0, last_hash: None });
            }
            answer => answer?,
        };
        if let Ok(row) = answer.row(0) {
            let id = number(row, 0)?.unwrap_or_default();
            return Ok(reading::stray(id));
        }
        let mut check = ChainCheck::new();
        loop {
            let rest = format!("WHERE id >= {} ORDER BY id LIMIT {CHECK_BATCH}", check.next_id());
            let answer = link.ask(self.select(&rest)).await.complete()?;
            let rows = answer.sets.first().map_or(&[][..], Vec::as_slice);
            if rows.is_empty() {
                return Ok(check.finish());
            }
            if let Some(damage) = reading::accept_all(&mut check, rows.iter().map(ledger_row))? {
                return Ok(damage);
            }
        }
    }

    fn select(&self, rest: &str) -> String {
        format!("SELECT {} FROM {} {rest}", COLUMNS.map(cast).join(", "), name(&self.ledger))
    }
}

/// A column as text, so that no type put there by hand can confuse the driver.
fn cast(column: &str) -> String {
    format!("CAST({column} AS CHAR CHARACTER SET utf8mb4)")
}

/// Whether a table or view is there, as an SQL expression. Names compare as the server itself compares them.
fn exists(table: &TableName) -> String {
    let schema = table.schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal);
    let table = literal(&table.name);
    format!(
        "(SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {schema} AND table_name = {table} \
         AND (@@lower_case_table_names <> 0 OR CAST(table_name AS BINARY) = CAST({table} AS BINARY)))"
    )
}

fn driver_error(answer: Answer) -> ReadError {
    answer.error.unwrap_or(sqlx::Error::RowNotFound).into()
}

fn tail(answer: &Answer, set: usize) -> Result<Option<LedgerTail>> {
    let Ok(row) = answer.row(set) else { return Ok(None) };
    Ok(Some(LedgerTail { id: number(row, 0)?.unwrap_or_default(), hash: text(row, 1)?.unwrap_or_default() }))
}

fn ledger_row(row: &MySqlRow) -> Result<LedgerRow> {
    let id: i64 = number(row, 0)?.unwrap_or_default();
    let damaged = |reason: String| ReadError::Damaged { id, reason };
    let column =
        |index: usize| text(row, index).map_err(|_| damaged(format!("`{}` is not UTF-8 text", COLUMNS[index])));
    LedgerRow::from_columns(id, column, damaged)
}
