//! What every test needs: a target in a folder of its own, scripts, and a look at the file from outside.

#[path = "../scripts/mod.rs"]
mod scripts;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use runner_database::*;
use sqlx::ConnectOptions as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

pub(crate) use self::scripts::*;

pub(crate) const DIALECT: Dialect = Dialect::Sqlite;

pub(crate) struct Target {
    pub(crate) folder: TempDir,
    pub(crate) url: DatabaseUrl,
    pub(crate) options: Options,
}

impl Target {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::parse("sqlite://app.db", folder.path()).unwrap();
        Self { folder, url, options: Options { busy_wait: Duration::from_millis(200), ..Options::default() } }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.folder.path().join("app.db-runner-lock")
    }

    pub(crate) async fn read(&self) -> Session {
        Session::open(&self.url, &self.options, Access::Read).await.unwrap()
    }

    pub(crate) async fn write(&self) -> Session {
        Session::open(&self.url, &self.options, Access::Write).await.unwrap()
    }

    pub(crate) async fn locked(&self) -> Session {
        let mut session = self.write().await;
        session.lock(Duration::ZERO, &holder("test"), &mut |_, _| {}).await.unwrap();
        session
    }

    pub(crate) async fn state(&self) -> State {
        self.read().await.state().await.unwrap()
    }

    /// A connection that knows nothing of the runner.
    pub(crate) async fn outsider(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).create_if_missing(true).connect().await.unwrap()
    }

    pub(crate) async fn sql(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.outsider().await).await.unwrap();
    }

    pub(crate) async fn change(&self, sql: &'static str) {
        self.sql(sql).await;
    }

    /// Keeps others from writing until the returned connection is dropped.
    pub(crate) async fn holding(&self, _table: &str) -> SqliteConnection {
        let mut other = self.outsider().await;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        other
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.outsider().await).await.unwrap()
    }

    /// Steps, each in its own transaction, in one run that is ended properly.
    pub(crate) async fn apply(&self, scripts: &[StepScript]) -> Result<Vec<StepOutcome>> {
        let mut session = self.locked().await;
        let result = run_all(&mut session, scripts, TransactionMode::PerRevision).await;
        session.close().await.unwrap();
        result
    }

    /// The ledger's statuses, oldest first.
    pub(crate) async fn statuses(&self) -> Vec<String> {
        let mut rows = self.read().await.ledger(None).await.unwrap();
        rows.reverse();
        rows.into_iter().map(|row| row.status).collect()
    }

    pub(crate) async fn assert_intact(&self) {
        let check = self.read().await.verify_ledger().await.unwrap();
        assert!(matches!(check, LedgerCheck::Intact { .. }), "{check:?}");
    }
}

pub(crate) fn outside(revision: &str, parent: Option<&str>, statements: &[&str]) -> StepScript {
    StepScript { transactional: false, ..up(revision, parent, statements) }
}

pub(crate) fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
