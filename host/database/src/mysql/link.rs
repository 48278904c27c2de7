//! One session on the server, and whether its answers can still be trusted.

use futures_util::StreamExt as _;
use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::Either;
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;
use sqlx::mysql::MySqlRow;

use crate::contents::Copying;
use crate::contents::Lines;

use super::failures;

/// What several statements in one text gave.
#[derive(Debug)]
pub(super) struct Answer {
    /// The rows of each statement that was answered in full; none for a statement without a result.
    pub(super) sets: Vec<Vec<MySqlRow>>,
    /// What stopped the rest.
    pub(super) error: Option<sqlx::Error>,
}

impl Answer {
    /// The only row of a statement, by its place in the text.
    pub(super) fn row(&self, set: usize) -> Result<&MySqlRow, sqlx::Error> {
        self.sets.get(set).and_then(|rows| rows.first()).ok_or(sqlx::Error::RowNotFound)
    }

    pub(super) fn complete(self) -> Result<Self, sqlx::Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

/// A connection. A statement whose future was dropped leaves it in the middle of an answer, and an error of the network
/// leaves it closed; then it must be replaced.
pub(super) struct Link {
    connection: Option<MySqlConnection>,
    /// The server's number of the session.
    pub(super) id: u64,
    is_busy: bool,
    /// Whether the network or the server ended it, so that nobody knows what became of the last statement.
    pub(super) is_lost: bool,
}

impl Link {
    pub(super) fn new(connection: MySqlConnection) -> Self {
        Self { connection: Some(connection), id: 0, is_busy: false, is_lost: false }
    }

    /// Whether the next statement can be sent.
    pub(super) fn is_usable(&self) -> bool {
        self.connection.is_some() && !self.is_busy && !self.is_lost
    }

    /// Whether a statement may still be running that nobody waits for.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Runs statements and discards their rows as they come. On failure, how many were done before.
    pub(super) async fn run(&mut self, sql: String) -> Result<(), (usize, sqlx::Error)> {
        let mut done = 0;
        let result = self.each(sql, |item| done += usize::from(matches!(item, Either::Left(())))).await;
        result.map_err(|error| (done, error))
    }

    /// Runs statements and keeps their rows.
    pub(super) async fn ask(&mut self, sql: String) -> Answer {
        let mut sets = Vec::new();
        let mut rows = Vec::new();
        let result = self
            .each(sql, |item| match item {
                Either::Left(()) => sets.push(std::mem::take(&mut rows)),
                Either::Right(row) => rows.push(row),
            })
            .await;
        Answer { sets, error: result.err() }
    }

    /// Hands all rows of a query on, as lines that `write` makes of them, and gives their number.
    pub(super) async fn stream(
        &mut self,
        sql: String,
        lines: &mut Lines<'_>,
        write: impl Fn(&MySqlRow, &mut Vec<u8>) -> Result<(), sqlx::Error> + Send,
    ) -> Result<u64, Copying> {
        let Some(connection) = self.connection.as_mut().filter(|_| !self.is_busy && !self.is_lost) else {
            return Err(closed().into());
        };
        self.is_busy = true;
        let mut count = 0;
        let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(connection);
        while let Some(row) = rows.next().await {
            match row {
                Ok(row) => write(&row, lines.buffer())?,
                Err(error) => {
                    drop(rows);
                    self.is_busy = false;
                    self.is_lost = failures::is_end_of_session(&error);
                    return Err(error.into());
                }
            }
            count += 1;
            lines.hand_on().await?;
        }
        drop(rows);
        self.is_busy = false;
        lines.flush().await?;
        Ok(count)
    }

    async fn each(
        &mut self,
        sql: String,
        mut hear: impl FnMut(Either<(), MySqlRow>) + Send,
    ) -> Result<(), sqlx::Error> {
        let Some(connection) = self.connection.as_mut() else { return Err(closed()) };
        if self.is_busy || self.is_lost {
            return Err(closed());
        }
        self.is_busy = true;
        let mut failure = None;
        let mut items = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(connection);
        while let Some(item) = items.next().await {
            match item {
                Ok(item) => hear(item.map_left(drop)),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        drop(items);
        self.is_busy = false;
        match failure {
            Some(error) => {
                self.is_lost = failures::is_end_of_session(&error);
                Err(error)
            }
            None => Ok(()),
        }
    }

    /// Closes the socket without a word.
    pub(super) fn cut(&mut self) {
        self.connection = None;
    }

    pub(super) async fn close(mut self) -> Result<(), sqlx::Error> {
        match self.connection.take() {
            Some(connection) if !self.is_busy && !self.is_lost => connection.close().await,
            _ => Ok(()),
        }
    }
}

fn closed() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, "the connection is closed"))
}

/// A column as text, whatever type and character set it says it has.
pub(super) fn text(row: &MySqlRow, index: usize) -> Result<Option<String>, sqlx::Error> {
    row.try_get_unchecked(index)
}

/// A column as the server sent it.
pub(super) fn bytes(row: &MySqlRow, index: usize) -> Result<Option<&[u8]>, sqlx::Error> {
    row.try_get_unchecked(index)
}

/// A column as a number; `None` for NULL and for what is no number.
pub(super) fn number<N: std::str::FromStr>(row: &MySqlRow, index: usize) -> Result<Option<N>, sqlx::Error> {
    Ok(text(row, index)?.and_then(|digits| digits.parse().ok()))
}
