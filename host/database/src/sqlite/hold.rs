//! Holds the database while a run lasts, with SQLite's own lock.
//!
//! From the first write to the end of the run nobody else reads or writes: no application sees, or changes, what is half
//! migrated. It also saves SQLite from creating and deleting its journal, and from asking for its locks, in each transaction.
//! The setting is the connection's own, nothing of it is stored, and the lock dies with the process. A database in WAL mode,
//! whose readers and commits are not in each other's way, is left as it is.

use sqlx::Row as _;
use sqlx::SqliteConnection;

/// Holds the database from the next write on.
pub(super) async fn hold(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mode: String = sqlx::query("PRAGMA main.journal_mode").fetch_one(&mut *connection).await?.try_get(0)?;
    if mode != "wal" {
        sqlx::query("PRAGMA main.locking_mode = EXCLUSIVE").execute(&mut *connection).await?;
    }
    Ok(())
}

/// Lets go of the database. Failing to does no harm: the connection is about to be closed.
pub(super) async fn let_go(connection: &mut SqliteConnection) {
    // SQLite gives the lock back with the next reading.
    let free = "PRAGMA main.locking_mode = NORMAL; SELECT count(*) FROM sqlite_master";
    if let Err(error) = sqlx::raw_sql(free).execute(&mut *connection).await {
        tracing::debug!("the database is held until the connection is closed: {error}");
    }
}
