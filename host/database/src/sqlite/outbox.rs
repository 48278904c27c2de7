//! The outbox in SQLite.

use runner_chain::Dialect;
use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;

use crate::options::TableName;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::Written;
use crate::outbox::name_beside;

use super::failures;

/// How long a write waits for another connection: a message is no reason to keep anybody waiting.
const PATIENCE: &str = "PRAGMA busy_timeout = 1000";

pub(super) fn speech(ledger: &TableName) -> Speech {
    let literal = |text: &str| Ok(format!("'{}'", text.replace('\'', "''")));
    Speech { dialect: Dialect::Sqlite, table: name_beside(ledger).quoted(), literal }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    failures::message(error).starts_with("no such table")
}

/// Runs statements in a transaction. Whoever holds the database need not wait for anybody; others wait shortly, and after that
/// as they did before.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    sql: &str,
    is_holding: bool,
    busy_milliseconds: u128,
) -> Result<Written, sqlx::Error> {
    if is_holding {
        return write_now(connection, sql).await;
    }
    sqlx::query(PATIENCE).execute(&mut *connection).await?;
    let written = write_now(connection, sql).await;
    let as_before = format!("PRAGMA busy_timeout = {busy_milliseconds}");
    sqlx::query(AssertSqlSafe(as_before)).execute(connection).await?;
    written
}

async fn write_now(connection: &mut SqliteConnection, sql: &str) -> Result<Written, sqlx::Error> {
    let text = format!("BEGIN IMMEDIATE;\n{sql};\nCOMMIT");
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await else {
        return Ok(Written::Done);
    };
    // Without a transaction this fails, which says nothing.
    let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
    if is_missing_table(&error) { Ok(Written::NoTable) } else { Err(error) }
}

pub(super) async fn read(connection: &mut SqliteConnection, sql: String) -> Result<Option<Vec<Texts>>, sqlx::Error> {
    let rows = match sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await {
        Err(error) if is_missing_table(&error) => return Ok(None),
        rows => rows?,
    };
    let texts = rows.iter().map(|row| (0..row.len()).map(|column| row.try_get(column)).collect());
    texts.collect::<Result<Vec<Texts>, _>>().map(Some)
}
