//! The database as a file: its pages read at one moment, and put in the place of those of another.

use std::path::Path;

use futures_util::StreamExt as _;
use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;

use crate::contents::Copying;
use crate::contents::Lines;
use crate::contents::TableName;

use super::contents::quoted;

/// The byte that SQLite keeps free for its locks; the page around it is never used, and can't be written.
const PENDING_BYTE: i64 = 0x4000_0000;
/// What another file is called while it is attached.
const OTHER: &str = "runner_other";

/// Hands on all pages of the main database. Gives their length in bytes.
pub(super) async fn read_pages(connection: &mut SqliteConnection, lines: &mut Lines<'_>) -> Result<u64, Copying> {
    let mut pages = sqlx::query("SELECT data FROM sqlite_dbpage('main') ORDER BY pgno").fetch(connection);
    let mut bytes = 0;
    while let Some(page) = pages.next().await {
        let page = page?;
        let data: &[u8] = page.try_get_unchecked(0)?;
        bytes += data.len() as u64;
        lines.buffer().extend_from_slice(data);
        lines.hand_on().await?;
    }
    drop(pages);
    lines.flush().await?;
    Ok(bytes)
}

/// What there is besides the runner's tables.
pub(super) async fn objects(connection: &mut SqliteConnection, own: &[TableName]) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT type, name, tbl_name FROM main.sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name";
    let mut objects = Vec::new();
    for row in sqlx::query(sql).fetch_all(connection).await? {
        let (kind, name, table): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !own.iter().any(|own| own.name.eq_ignore_ascii_case(&table)) {
            objects.push(format!("{kind} {}", quoted(&name)));
        }
    }
    Ok(objects)
}

async fn attach(connection: &mut SqliteConnection, file: &Path) -> Result<(), sqlx::Error> {
    let Some(file) = file.to_str() else {
        return Err(sqlx::Error::Protocol("the name of the file is not UTF-8".to_owned()));
    };
    sqlx::query(AssertSqlSafe(format!("ATTACH ? AS {OTHER}"))).bind(file.to_owned()).execute(connection).await?;
    Ok(())
}

async fn detach(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(format!("DETACH {OTHER}"))).execute(connection).await.map(drop)
}

/// Puts some tables in the place of those of another file.
pub(super) async fn carry(
    connection: &mut SqliteConnection,
    tables: &[TableName],
    into: &Path,
) -> Result<(), sqlx::Error> {
    attach(connection, into).await?;
    let carried = carry_attached(connection, tables).await;
    if carried.is_err() {
        // Outside of a transaction that is an error itself, which nobody has to know of.
        let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
    }
    let detached = detach(connection).await;
    carried.and(detached)
}

async fn carry_attached(connection: &mut SqliteConnection, tables: &[TableName]) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    for table in tables {
        let name = quoted(&table.name);
        let drop_it = format!("DROP TABLE IF EXISTS {OTHER}.{name}");
        sqlx::raw_sql(AssertSqlSafe(drop_it)).execute(&mut *connection).await?;
        let definition = "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND lower(name) = lower(?)";
        let definition: Option<String> =
            sqlx::query_scalar(definition).bind(table.name.clone()).fetch_optional(&mut *connection).await?;
        let Some(definition) = definition else { continue };
        // Behind the name, which may hold a parenthesis of its own.
        let after = definition.find(&table.name).map_or(0, |at| at + table.name.len());
        let Some(columns) = definition.get(after..).and_then(|rest| rest.find('(').map(|at| &rest[at..])) else {
            continue;
        };
        let sql =
            format!("CREATE TABLE {OTHER}.{name} {columns}; INSERT INTO {OTHER}.{name} SELECT * FROM main.{name}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("COMMIT").execute(connection).await.map(drop)
}

/// Why a file's pages can't be taken over.
pub(super) enum NotTaken {
    Driver(sqlx::Error),
    /// The pages of both have other lengths.
    Pages(i64, i64),
    /// One of them gives free pages back by itself, and the other does not.
    Vacuum,
}

impl From<sqlx::Error> for NotTaken {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

/// Puts the pages of a file in the place of the main database's, in one transaction.
pub(super) async fn become_copy(connection: &mut SqliteConnection, of: &Path) -> Result<(), NotTaken> {
    attach(connection, of).await?;
    let taken = take_attached(connection).await;
    if taken.is_err() {
        let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
    }
    let detached = detach(connection).await;
    taken?;
    Ok(detached?)
}

async fn take_attached(connection: &mut SqliteConnection) -> Result<(), NotTaken> {
    let number = async |connection: &mut SqliteConnection, sql: String| {
        sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(connection).await
    };
    let theirs = number(connection, format!("PRAGMA {OTHER}.page_size")).await?;
    let pages = number(connection, format!("PRAGMA {OTHER}.page_count")).await?;
    // An empty file has no pages, and takes any length.
    let is_empty = number(connection, "PRAGMA main.page_count".to_owned()).await? == 0;
    if is_empty {
        let vacuum = number(connection, format!("PRAGMA {OTHER}.auto_vacuum")).await?;
        let settings = format!("PRAGMA main.page_size = {theirs}; PRAGMA main.auto_vacuum = {vacuum}");
        sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut *connection).await?;
    }
    let ours = number(connection, "PRAGMA main.page_size".to_owned()).await?;
    if ours != theirs {
        return Err(NotTaken::Pages(ours, theirs));
    }
    let (our_vacuum, their_vacuum) = (
        number(connection, "PRAGMA main.auto_vacuum".to_owned()).await?,
        number(connection, format!("PRAGMA {OTHER}.auto_vacuum")).await?,
    );
    if !is_empty && our_vacuum != their_vacuum {
        return Err(NotTaken::Vacuum);
    }
    // Whoever has the file open sees by this number that the definitions are others now. It must be one that was never there.
    let cookie = number(connection, "PRAGMA main.schema_version".to_owned()).await?;
    let cookie = cookie.max(number(connection, format!("PRAGMA {OTHER}.schema_version")).await?) + 1;
    let locks = PENDING_BYTE / theirs + 1;
    // How the file is written, bytes 18 and 19, stays as it is here: a log that lies beside it belongs to it.
    let mode = if is_empty {
        "x'0101'".to_owned()
    } else {
        "(SELECT substr(data, 19, 2) FROM sqlite_dbpage('main') WHERE pgno = 1)".to_owned()
    };
    // One statement, because another one would read definitions of which only a part is there.
    let sql = format!(
        "BEGIN IMMEDIATE; \
         CREATE TEMP TABLE runner_first AS SELECT CAST(substr(data, 1, 18) || {mode} || substr(data, 21, 20) || x'{cookie:08x}' || substr(data, 45) AS BLOB) AS data \
           FROM sqlite_dbpage('{OTHER}') WHERE pgno = 1; \
         INSERT INTO sqlite_dbpage (pgno, data, schema) \
           SELECT pgno, data, 'main' FROM sqlite_dbpage('{OTHER}') WHERE pgno > 1 AND pgno <> {locks} \
           UNION ALL SELECT 1, data, 'main' FROM temp.runner_first \
           UNION ALL SELECT {pages} + 1, NULL, 'main'; \
         COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
