//! How a SQLite database is opened, as often as that is needed.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;

use crate::error::Error;
use crate::error::Result;
use crate::session::Access;

use super::failures;
use super::location::SqliteLocation;
use super::location::SqliteMode;
use super::location::SqlitePlace;
use super::lock_file::LockFile;

const BEFORE_LOCK: Duration = Duration::from_millis(100);
const FOR_READING: Duration = Duration::from_secs(5);

/// What is needed to open the database once more.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) location: SqliteLocation,
    pub(super) target: String,
    pub(super) access: Access,
    pub(super) foreign_keys: bool,
    pub(super) busy_wait: Duration,
}

impl Settings {
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.location.place {
            SqlitePlace::Memory => None,
            SqlitePlace::File(path) => Some(path),
        }
    }

    /// The file, if it is one and missing.
    pub(super) fn missing_file(&self) -> Option<&Path> {
        self.file().filter(|file| std::fs::symlink_metadata(file).is_err_and(|error| is_missing(&error)))
    }

    pub(super) fn may_write(&self) -> bool {
        self.access == Access::Write && self.location.mode != SqliteMode::ReadOnly
    }

    pub(super) fn may_create(&self) -> bool {
        self.may_write() && self.location.mode == SqliteMode::CreateIfMissing
    }

    pub(super) fn busy_milliseconds(&self) -> u128 {
        self.busy_wait.as_millis().min(i32::MAX.unsigned_abs().into())
    }

    /// How long a connection waits for another one before it holds the database.
    pub(super) fn first_wait(&self) -> Duration {
        // A writer does not wait here: it waits for the lock, where it can say for whom.
        let longest = if self.may_write() { BEFORE_LOCK } else { FOR_READING };
        Duration::from_millis(u64::try_from(self.busy_milliseconds()).unwrap_or_default()).min(longest)
    }

    pub(super) fn options(&self) -> SqliteConnectOptions {
        let busy_wait = self.first_wait();
        let options = SqliteConnectOptions::new()
            .foreign_keys(self.foreign_keys)
            .busy_timeout(busy_wait)
            .thread_name(|_| "sqlite".to_owned())
            .disable_statement_logging();
        // Not opened read-only for reading: a journal that a crash left must be rolled back before anything can be read.
        if self.may_write() { options } else { options.pragma("query_only", "ON") }
    }

    pub(super) fn translate(&self, error: &sqlx::Error) -> Error {
        let waited = if self.may_write() { self.busy_wait } else { self.first_wait() };
        failures::translate(error, &self.target, waited)
    }

    pub(super) async fn connect_memory(&self) -> Result<SqliteConnection> {
        let options = self.options().filename(":memory:").in_memory(true);
        options.connect().await.map_err(|error| self.translate(&error).while_doing("opening a database in memory"))
    }

    /// The connection and SQLite's version, which is not known while somebody keeps everybody out.
    pub(super) async fn connect_file(&self, file: &Path) -> Result<(SqliteConnection, Option<String>)> {
        let options = self
            .options()
            .filename(file)
            .read_only(self.location.mode == SqliteMode::ReadOnly)
            .create_if_missing(self.may_create());
        let explain = |error: &sqlx::Error| failures::explain_open(error, file, &self.target, self.first_wait());
        let mut connection = options.connect().await.map_err(|error| explain(&error))?;
        // SQLite opens lazily; only reading tells whether the file is a database and can be used.
        let read = sqlx::query("SELECT sqlite_version(), count(*) FROM sqlite_master").fetch_one(&mut connection).await;
        match read.and_then(|row| row.try_get(0)).map_err(|error| explain(&error)) {
            // The lock will tell when it is free.
            Err(Error::Busy { .. }) if self.may_write() => Ok((connection, None)),
            Err(Error::Busy { waited, .. }) => {
                Err(Error::Locked { holder: LockFile::holder(file).map(Box::new), waited })
            }
            Err(error) => Err(error),
            Ok(version) => Ok((connection, Some(version))),
        }
    }

    pub(super) fn no_file(&self, file: &Path) -> Error {
        let folder_is_there = file.parent().is_some_and(Path::is_dir);
        let (message, hint) = if !folder_is_there {
            let folder = file.parent().unwrap_or(file).display();
            (
                format!("the folder `{folder}` does not exist"),
                "create the folder, or check the path in the URL".to_owned(),
            )
        } else {
            (
                "the file does not exist".to_owned(),
                "check the path, or leave `mode` out of the URL to create the file".to_owned(),
            )
        };
        Error::Connect { target: self.target.clone(), message, hint, is_transient: false }
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
