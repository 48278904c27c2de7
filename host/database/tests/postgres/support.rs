//! What every test needs: a database of its own, scripts, and a look at the database from outside.

#[path = "../scripts/mod.rs"]
mod scripts;

use std::path::Path;
use std::time::Duration;

use runner_database::*;
use test_servers::TestDatabase;

pub(crate) use self::scripts::*;

pub(crate) const DIALECT: Dialect = Dialect::Postgres;

pub(crate) struct Target {
    pub(crate) database: TestDatabase,
    pub(crate) url: DatabaseUrl,
    pub(crate) options: Options,
}

impl Target {
    pub(crate) fn new() -> Self {
        let database = test_servers::postgres().database();
        Self { url: url(&database.url()), database, options: Options::default() }
    }

    /// The same database, with these parameters in its URL.
    pub(crate) fn with(mut self, parameters: &str) -> Self {
        let text = self.database.url();
        let separator = if text.contains('?') { '&' } else { '?' };
        self.url = url(&format!("{text}{separator}{parameters}"));
        self
    }

    pub(crate) async fn read(&self) -> Session {
        Session::open(&self.url, &self.options, Access::Read).await.unwrap()
    }

    pub(crate) async fn write(&self) -> Session {
        Session::open(&self.url, &self.options, Access::Write).await.unwrap()
    }

    pub(crate) async fn locked(&self) -> Session {
        let mut session = self.write().await;
        session.lock(Duration::from_secs(10), &holder("test"), &mut |_, _| {}).await.unwrap();
        session
    }

    pub(crate) async fn state(&self) -> State {
        self.read().await.state().await.unwrap()
    }

    /// Rows of the first column, asked on a connection that knows nothing of the runner.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        on_another_thread(|| self.database.query(sql))
    }

    pub(crate) fn sql(&self, sql: &str) {
        on_another_thread(|| self.database.execute(sql));
    }

    pub(crate) async fn change(&self, sql: &str) {
        self.sql(sql);
    }

    /// Keeps others from writing to a table until the returned connection is dropped.
    pub(crate) async fn holding(&self, table: &str) -> sqlx::PgConnection {
        use sqlx::Connection as _;
        let mut other = sqlx::PgConnection::connect(&self.database.url()).await.unwrap();
        let lock = format!("BEGIN; LOCK TABLE {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut other).await.unwrap();
        other
    }

    pub(crate) fn one(&self, sql: &str) -> String {
        self.query(sql).join("\n")
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

    /// The server's process ids of the runner's sessions in this database whose application name begins so.
    pub(crate) fn sessions(&self, name: &str) -> Vec<String> {
        self.query(&format!(
            "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '{name}%'"
        ))
    }

    /// Ends the session that holds the lock, from outside, and waits until it is gone.
    pub(crate) fn kill_lock(&self) {
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'runner %'",
        );
        while !self.sessions("runner ").is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

/// The test servers have a runtime of their own, which cannot be entered from within another.
fn on_another_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

pub(crate) fn url(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text, Path::new("/nowhere")).unwrap()
}

pub(crate) fn outside(revision: &str, parent: Option<&str>, statements: &[&str]) -> StepScript {
    StepScript { transactional: false, ..up(revision, parent, statements) }
}

pub(crate) fn statement(error: &Error) -> &StatementError {
    let Error::Statement(statement) = error else { panic!("{error:?}") };
    statement
}
