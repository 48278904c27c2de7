//! One connection, spoken to in the simple protocol: a text of one or several statements is one round trip.

use futures_util::StreamExt as _;
use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::Either;
use sqlx::PgConnection;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::contents::CHUNK;
use crate::contents::Copying;
use crate::contents::Lines;
use crate::contents::RowSource;
use crate::contents::Stopped;
use crate::error::Error;

use super::failures;

/// The answers to one text are thrown away at most this often before the connection counts as unusable.
const MOST_LEFTOVERS: usize = 8;

/// Ends a transaction if there is one. Where there is none, a bare `ROLLBACK` would make the server warn.
const ROLLBACK: &str = "ROLLBACK AND CHAIN; ROLLBACK";

/// A connection, and whose it is on the server.
pub(super) struct Link {
    connection: PgConnection,
    pub(super) backend: ServerProcess,
    /// Whether the answer to the last text was not read to its end, because nobody waited for it.
    is_midway: bool,
    /// Whether nothing more can be expected from it.
    is_given_up: bool,
}

/// The server's process behind a connection. Process ids are used again, so its start belongs to its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerProcess {
    pub(super) pid: i32,
    pub(super) started: String,
}

impl ServerProcess {
    /// How many columns of an answer tell which process it is.
    pub(super) const COLUMNS: usize = 2;

    /// A question to the process itself. The function costs a tenth of what the view `pg_stat_activity` does.
    pub(super) fn question(further_columns: &str) -> String {
        format!(
            "SELECT pid::text, backend_start::text{further_columns} \
             FROM pg_catalog.pg_stat_get_activity(pg_backend_pid())"
        )
    }

    /// Reads the answer.
    pub(super) fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { pid: required(row, 0)?.parse().unwrap_or_default(), started: required(row, 1)?.to_owned() })
    }

    /// A condition on a row of `pg_stat_activity`.
    pub(super) fn condition(&self) -> String {
        // The time is the server's own text, made of digits and punctuation.
        format!("pid = {} AND backend_start::text = '{}'", self.pid, self.started.replace('\'', ""))
    }
}

impl Link {
    pub(super) fn new(connection: PgConnection) -> Self {
        Self {
            connection,
            backend: ServerProcess { pid: 0, started: String::new() },
            is_midway: false,
            is_given_up: false,
        }
    }

    /// Expects nothing more: whatever is asked from now on fails as if the connection was lost.
    pub(super) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// Whether a statement may still be running that nobody waits for.
    pub(super) fn is_midway(&self) -> bool {
        self.is_midway
    }

    /// Runs a text and hands each row to `on_row`, with the number of the statement that gave it, counted from 0. Gives how
    /// many statements were done.
    async fn run(
        &mut self,
        sql: String,
        on_row: &mut (dyn FnMut(usize, PgRow) + Send),
    ) -> (usize, Result<(), sqlx::Error>) {
        if let Err(error) = self.settle().await {
            return (0, Err(error));
        }
        self.is_midway = true;
        let mut statement = 0;
        let mut failed = None;
        let mut answers = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut self.connection);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(Either::Left(_)) => statement += 1,
                Ok(Either::Right(row)) => on_row(statement, row),
                Err(error) => failed = Some(error),
            }
        }
        drop(answers);
        self.is_midway = false;
        (statement, failed.map_or(Ok(()), Err))
    }

    /// Runs a text and throws its rows away as they come.
    pub(super) async fn execute(&mut self, sql: String) -> Result<(), sqlx::Error> {
        self.execute_counting(sql).await.map_err(|(_, error)| error)
    }

    /// The same; a failure says how many statements of the text were done before.
    pub(super) async fn execute_counting(&mut self, sql: String) -> Result<(), (usize, sqlx::Error)> {
        let (done, result) = self.run(sql, &mut |_, _| {}).await;
        result.map_err(|error| (done, error))
    }

    /// Runs a text and keeps the rows of each of its statements.
    pub(super) async fn rows(&mut self, sql: String) -> Result<Vec<Vec<PgRow>>, sqlx::Error> {
        let mut sets: Vec<Vec<PgRow>> = Vec::new();
        let mut keep = |statement: usize, row: PgRow| {
            if sets.len() <= statement {
                sets.resize_with(statement + 1, Vec::new);
            }
            if let Some(set) = sets.get_mut(statement) {
                set.push(row);
            }
        };
        self.run(sql, &mut keep).await.1?;
        Ok(sets)
    }

    /// Hands all rows of a `COPY … TO STDOUT` on, in parts of whole lines, and gives their number.
    pub(super) async fn copy_out(&mut self, sql: &str, lines: &mut Lines<'_>) -> Result<u64, Copying> {
        self.settle().await?;
        self.is_midway = true;
        let mut count = 0;
        let mut rows = self.connection.copy_out_raw(sql).await?;
        while let Some(row) = rows.next().await {
            lines.buffer().extend_from_slice(&row?);
            count += 1;
            lines.hand_on().await?;
        }
        drop(rows);
        self.is_midway = false;
        lines.flush().await?;
        Ok(count)
    }

    /// Gives all rows of a source to a `COPY … FROM STDIN`. Gives their number.
    pub(super) async fn copy_in(&mut self, sql: &str, source: &mut dyn RowSource) -> Result<u64, Copying> {
        self.settle().await?;
        self.is_midway = true;
        let mut copy = self.connection.copy_in_raw(sql).await?;
        loop {
            match source.next().await {
                // A connection keeps as much memory as the longest piece needed.
                Ok(Some(lines)) => {
                    for piece in lines.chunks(CHUNK) {
                        copy.send(piece).await?;
                    }
                }
                Ok(None) => break,
                Err(Stopped) => {
                    copy.abort("the rows that are left cannot be read").await?;
                    self.is_midway = false;
                    return Err(Copying::Known(Error::Stopped));
                }
            }
        }
        let count = copy.finish().await?;
        self.is_midway = false;
        Ok(count)
    }

    async fn settle(&mut self) -> Result<(), sqlx::Error> {
        if self.is_given_up {
            return Err(sqlx::Error::Protocol("the server does not answer".to_owned()));
        }
        if self.is_midway { self.drain().await } else { Ok(()) }
    }

    /// The last row that a text gives, or an error if there is none.
    pub(super) async fn row(&mut self, sql: String) -> Result<PgRow, sqlx::Error> {
        self.rows(sql).await?.into_iter().flatten().next_back().ok_or(sqlx::Error::RowNotFound)
    }

    /// Ends the open transaction; harmless without one.
    pub(super) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        match self.execute(ROLLBACK.to_owned()).await {
            Err(error) if failures::code(&error) == Some(failures::NO_TRANSACTION) => Ok(()),
            result => result,
        }
    }

    /// Waits for the end of what nobody waited for.
    pub(super) async fn drain(&mut self) -> Result<(), sqlx::Error> {
        for _ in 0..MOST_LEFTOVERS {
            match self.connection.ping().await {
                // It is the leftover's own error.
                Err(error) if !failures::is_lost(&error) => {}
                result => {
                    self.is_midway = result.is_err();
                    return result;
                }
            }
        }
        Err(sqlx::Error::Protocol("the answers of the server do not end".to_owned()))
    }

    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

/// A column as text; SQL NULL is `None`.
pub(super) fn text(row: &PgRow, column: usize) -> Result<Option<&str>, sqlx::Error> {
    row.try_get(column)
}

/// A column that is never NULL as text.
pub(super) fn required(row: &PgRow, column: usize) -> Result<&str, sqlx::Error> {
    row.try_get(column)
}
