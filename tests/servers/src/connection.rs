//! SQL for assertions, without a client program.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;

use crate::kind::Kind;

/// How long a server may take to accept a connection. One that is stopped never would.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs statements, separated by semicolons, one after the other.
pub(crate) fn execute(kind: Kind, url: &str, sql: &str) -> Result<(), sqlx::Error> {
    block_on(async || match kind {
        Kind::Postgres => {
            let mut connection = in_time(PgConnection::connect(url)).await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        }
        Kind::Mysql => {
            let mut connection = in_time(MySqlConnection::connect(url)).await?;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await
        }
    })
}

/// Rows, each a list of columns as the server writes them. NULL is `NULL`.
pub(crate) fn query(kind: Kind, url: &str, sql: &str) -> Result<Vec<Vec<String>>, sqlx::Error> {
    // Without preparing them first, statements give all values as text, whatever their type.
    block_on(async || match kind {
        Kind::Postgres => {
            let mut connection = in_time(PgConnection::connect(url)).await?;
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
            connection.close().await?;
            let column = |row: &sqlx::postgres::PgRow, index| row.try_get_unchecked::<Option<String>, _>(index);
            rows.iter().map(|row| (0..row.len()).map(|index| column(row, index).map(or_null)).collect()).collect()
        }
        Kind::Mysql => {
            let mut connection = in_time(MySqlConnection::connect(url)).await?;
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
            connection.close().await?;
            let column = |row: &sqlx::mysql::MySqlRow, index| {
                let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(index)?;
                Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            };
            rows.iter().map(|row| (0..row.len()).map(|index| column(row, index).map(or_null)).collect()).collect()
        }
    })
}

fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "NULL".to_owned())
}

async fn in_time<T>(connecting: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(result) => result,
        Err(elapsed) => Err(sqlx::Error::Io(elapsed.into())),
    }
}

/// Runs something asynchronous to its end, on a thread of its own: the test may run on a runtime itself, in which no other
/// can be started.
fn block_on<F, T>(work: F) -> Result<T, sqlx::Error>
where
    F: AsyncFnOnce() -> Result<T, sqlx::Error> + Send,
    T: Send,
{
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(sqlx::Error::Io)?;
            runtime.block_on(work())
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
