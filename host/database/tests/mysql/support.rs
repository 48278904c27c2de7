//! What every test needs: a database of its own, scripts, and a look at the database from outside.

#[path = "../scripts/mod.rs"]
mod scripts;

use std::path::Path;
use std::time::Duration;

use runner_database::*;
use test_servers::TestDatabase;

pub(crate) use self::scripts::*;

pub(crate) const DIALECT: Dialect = Dialect::Mysql;

pub(crate) struct Target {
    pub(crate) database: TestDatabase,
    pub(crate) url: DatabaseUrl,
    pub(crate) options: Options,
}

pub(crate) fn parse(url: &str) -> DatabaseUrl {
    DatabaseUrl::parse(url, Path::new("/")).unwrap()
}

impl Target {
    pub(crate) fn new() -> Self {
        let database = test_servers::mysql().database();
        let url = parse(&database.url());
        Self { database, url, options: Options::default() }
    }

    pub(crate) async fn read(&self) -> Session {
        Session::open(&self.url, &self.options, Access::Read).await.unwrap()
    }

    pub(crate) async fn write(&self) -> Session {
        Session::open(&self.url, &self.options, Access::Write).await.unwrap()
    }

    pub(crate) async fn locked(&self) -> Session {
        let mut session = self.write().await;
        session.lock(Duration::from_secs(20), &holder("test"), &mut |_, _| {}).await.unwrap();
        session
    }

    pub(crate) async fn state(&self) -> State {
        self.read().await.state().await.unwrap()
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.database.execute(sql);
    }

    pub(crate) async fn change(&self, sql: &str) {
        self.sql(sql);
    }

    /// Keeps others from writing to a table until the returned connection is dropped.
    pub(crate) async fn holding(&self, table: &str) -> sqlx::MySqlConnection {
        use sqlx::Connection as _;
        let mut other = sqlx::MySqlConnection::connect(&self.database.url()).await.unwrap();
        let lock = format!("LOCK TABLES {table} WRITE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut other).await.unwrap();
        other
    }

    /// The only value of a query.
    pub(crate) fn one(&self, sql: &str) -> String {
        self.database.query(sql).concat()
    }

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

    /// Sessions of this database, without the one that asks.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let name = self.database.name();
        let sql =
            format!("SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()");
        self.database.query(&sql)
    }

    /// The session that runs this statement, which must have begun or begin soon.
    pub(crate) fn session_running(&self, part: &str) -> String {
        let sql = format!(
            "SELECT id FROM information_schema.processlist WHERE db = '{}' AND info LIKE '%{part}%' \
             AND id <> CONNECTION_ID()",
            self.database.name()
        );
        for _ in 0..200 {
            if let Some(id) = self.database.query(&sql).pop() {
                return id;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nothing runs `{part}`");
    }
}

pub(crate) fn statement(error: &Error) -> &StatementError {
    let Error::Statement(statement) = error else { panic!("{error:?}") };
    statement
}
