//! SQLite.
//!
//! A file that does not exist yet is not created by looking at it: until the first write an empty database in memory stands
//! in for it. Settings that are stored in the database, such as the journal mode, are never touched, and `synchronous` stays
//! as it is.

mod books;
mod contents;
mod definition;
mod dependents;
mod facts;
mod failures;
mod hold;
mod location;
mod lock_file;
mod offset;
mod outbox;
mod read;
mod schema;
mod settings;
mod sha256;
mod statements;
mod tables;
mod transcript;
mod whole;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use runner_chain::Dialect;
use sqlx::AssertSqlSafe;
use sqlx::Connection as _;
use sqlx::Row as _;
use sqlx::SqliteConnection;

use crate::backend::Backend;
use crate::backend::LockAttempt;
use crate::backend::Placement;
use crate::backend::Server;
use crate::backend::Tables;
use crate::contents::Copying;
use crate::contents::Lines;
use crate::contents::Placing;
use crate::contents::RowSink;
use crate::contents::RowSource;
use crate::contents::Rows;
use crate::contents::Table;
use crate::contents::TableName as ContentsName;
use crate::error::Error;
use crate::error::Result;
use crate::facts::Facts;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::lock::Holder;
use crate::options::Options;
use crate::options::TableName;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::Written;
use crate::outbox::name_beside;
use crate::preflight::PreflightProblem;
use crate::reading::ReadError;
use crate::schema::Schema;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::session::Access;
use crate::session::COLLECTING_FACTS;
use crate::session::READING_SCHEMA;
use crate::session::READING_TABLES;
use crate::state::LedgerTail;
use crate::state::State;
use crate::url::DatabaseUrl;
use crate::whole::other_layout;

use self::books::Books;
pub(crate) use self::contents::quoted;
pub(crate) use self::dependents::dependencies;
pub(crate) use self::location::SqliteLocation;
pub(crate) use self::location::SqliteMode;
pub(crate) use self::location::SqlitePlace;
use self::lock_file::LockFile;
use self::settings::Settings;
pub(crate) use self::transcript::pen;
use self::whole::NotTaken;
use crate::ledger::Value;

/// Virtual machine steps between two looks at the wish to stop: well under a millisecond, and too few to be felt.
const STEPS_BETWEEN_CHECKS: i32 = 10_000;

/// One connection, which is SQLite's session.
pub(crate) struct Sqlite {
    connection: SqliteConnection,
    lock: Option<LockFile>,
    settings: Settings,
    server: Server,
    books: Books,
    /// Whether `connection` only stands in for a file that does not exist.
    is_stand_in: bool,
    /// Whether the connection keeps others out, see [`hold`].
    is_holding: bool,
    /// Set to make a running statement fail.
    wants_stop: Arc<AtomicBool>,
    /// Whether a statement or a rollback may still be running that nobody waited for.
    is_unsettled: bool,
    /// The triggers that a loading has taken away.
    held: Vec<String>,
}

impl Sqlite {
    pub(crate) async fn open(url: &DatabaseUrl, options: &Options, access: Access) -> Result<Self> {
        let Some(location) = url.sqlite().cloned() else {
            return Err(Error::Unsupported { dialect: url.dialect() });
        };
        let settings = Settings {
            location,
            target: url.to_string(),
            access,
            foreign_keys: options.foreign_keys,
            busy_wait: options.busy_wait,
        };
        if access == Access::Write && settings.location.mode == SqliteMode::ReadOnly {
            return Err(Error::Unreadable {
                target: settings.target,
                message: "the URL says `mode=ro`".to_owned(),
                hint: "leave `mode=ro` out to change the database".to_owned(),
            });
        }
        if let Some(file) = settings.missing_file()
            && access == Access::Write
            && !(settings.may_create() && file.parent().is_some_and(Path::is_dir))
        {
            return Err(settings.no_file(file));
        }
        // Without a schema, a temporary table of the same name would take the place of the real one.
        let books = Books {
            version: TableName::parse("version_table", &options.version_table)?.or_in("main"),
            ledger: TableName::parse("ledger_table", &options.ledger_table)?.or_in("main"),
        };
        let is_stand_in = settings.missing_file().is_some();
        let (connection, version) = match settings.file() {
            Some(file) if !is_stand_in => settings.connect_file(file).await?,
            _ => (settings.connect_memory().await?, None),
        };
        let is_known = version.is_some();
        let version = version.unwrap_or_default();
        let server = Server { product: "SQLite".to_owned(), version, database: url.identity() };
        let mut session = Self {
            connection,
            lock: None,
            settings,
            server,
            books,
            is_stand_in,
            is_holding: false,
            wants_stop: Arc::default(),
            is_unsettled: false,
            held: Vec::new(),
        };
        if !is_known {
            session.ask_version().await?;
        }
        Ok(session)
    }

    /// Asks for the version of SQLite. While somebody keeps everybody out there is no answer to any question; it is asked
    /// again when the lock is taken.
    async fn ask_version(&mut self) -> Result<()> {
        let row = sqlx::query("SELECT sqlite_version()").fetch_one(&mut self.connection).await;
        match row.and_then(|row| row.try_get(0)).map_err(|error| self.settings.translate(&error)) {
            Ok(version) => self.server.version = version,
            Err(Error::Busy { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Lets [`Backend::interrupt`] stop a statement that is running on the connection's own thread.
    async fn watch_for_stop(&mut self) -> Result<()> {
        let wants_stop = Arc::clone(&self.wants_stop);
        let mut handle = self.connection.lock_handle().await.map_err(|error| self.settings.translate(&error))?;
        handle.set_progress_handler(STEPS_BETWEEN_CHECKS, move || !wants_stop.load(Ordering::Relaxed));
        Ok(())
    }

    /// The connection, after what nobody waited for has ended and, for reading, on the real file if it has appeared.
    async fn ready(&mut self) -> Result<&mut SqliteConnection> {
        if self.is_unsettled {
            self.rollback().await?;
        }
        if self.is_stand_in && self.settings.missing_file().is_none() {
            self.reconnect().await?;
        }
        Ok(&mut self.connection)
    }

    /// The connection for writing, which creates a missing file.
    async fn ready_to_write(&mut self) -> Result<&mut SqliteConnection> {
        if self.is_unsettled {
            self.rollback().await?;
        }
        if self.is_stand_in {
            self.reconnect().await?;
        }
        if !self.is_holding {
            self.is_holding = true;
            let wait = format!("PRAGMA busy_timeout = {}", self.settings.busy_milliseconds());
            let held = async {
                self.run_raw(wait).await?;
                hold::hold(&mut self.connection).await
            };
            held.await.map_err(|error| self.settings.translate(&error).while_doing("taking hold of the database"))?;
            self.watch_for_stop().await?;
        }
        Ok(&mut self.connection)
    }

    async fn reconnect(&mut self) -> Result<()> {
        let Some(file) = self.settings.file().map(PathBuf::from) else { return Ok(()) };
        if self.is_holding {
            // The new connection would wait for the old one.
            hold::let_go(&mut self.connection).await;
        }
        (self.connection, _) = self.settings.connect_file(&file).await?;
        self.is_stand_in = false;
        self.is_holding = false;
        self.watch_for_stop().await
    }

    /// The error of a script's statement, with its place if that can be found.
    async fn refused(&mut self, sql: &str, error: &sqlx::Error) -> Error {
        let mut translated = self.settings.translate(error);
        if let Error::Statement(statement) = &mut translated {
            statement.offset = offset::find(&mut self.connection, sql, &statement.message).await;
        }
        translated
    }

    async fn run(&mut self, sql: &'static str, doing: &'static str) -> Result<()> {
        let result = sqlx::query(sql).execute(&mut self.connection).await;
        result.map(drop).map_err(|error| self.settings.translate(&error).while_doing(doing))
    }

    async fn run_raw(&mut self, sql: String) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await.map(drop)
    }

    async fn write_books(&mut self, change: &VersionChange, rows: &[LedgerRow], commit: bool) -> Result<()> {
        let (sql, values) = self.books.record(change, rows, commit);
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                Value::Integer(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
            };
        }
        let result = query.execute(&mut self.connection).await;
        result.map(drop).map_err(|error| {
            let Settings { target, busy_wait, .. } = &self.settings;
            failures::translate_bookkeeping(&error, target, *busy_wait, &self.books.ledger.name)
        })
    }

    fn unread(&self, error: &sqlx::Error) -> Error {
        self.settings.translate(error).while_doing(READING_TABLES)
    }

    fn not_copied(&self, error: Copying) -> Error {
        match error {
            Copying::Driver(error) => self.settings.translate(&error).while_doing("copying rows"),
            Copying::Known(error) => error,
        }
    }

    /// Commits what a loading has put in, if the foreign keys hold where they count.
    async fn keep_loaded(&mut self, held: Vec<String>, change: &VersionChange, rows: &[LedgerRow]) -> Result<()> {
        for sql in held {
            self.execute(&sql).await.map_err(|error| error.while_doing("making the triggers again"))?;
        }
        // What nobody records is a trial, where a table may be without the one that it refers to.
        if self.settings.foreign_keys && !rows.is_empty() {
            let broken =
                self.ask("SELECT \"table\", \"parent\" FROM pragma_foreign_key_check LIMIT 1".to_owned()).await?;
            if let Some([Some(table), Some(parent)]) = broken.first().map(Vec::as_slice) {
                return Err(Error::Database {
                    doing: "checking the foreign keys",
                    message: format!("a row of `{table}` refers to a row of `{parent}` that is not there"),
                    code: None,
                });
            }
        }
        if rows.is_empty() { self.commit().await } else { self.record_and_commit(change, rows).await }
    }

    /// Proves that a write transaction could begin now; false if another connection is in the way.
    async fn is_writable_now(&mut self) -> Result<bool> {
        self.ready().await?;
        if self.is_stand_in {
            return Ok(true);
        }
        let restore = format!("PRAGMA busy_timeout = {}", self.settings.busy_milliseconds());
        let proof = format!("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK; {restore}");
        let Err(error) = self.run_raw(proof).await else { return Ok(true) };
        self.run_raw(restore).await.map_err(|error| self.settings.translate(&error))?;
        if failures::is_busy(&error) {
            Ok(false)
        } else {
            Err(self.settings.translate(&error).while_doing("taking the lock"))
        }
    }

    /// A message is no reason to create a database.
    fn no_outbox(&self) -> Error {
        Error::Connect {
            target: self.settings.target.clone(),
            message: "the file does not exist".to_owned(),
            hint: "the first run creates it".to_owned(),
            is_transient: true,
        }
    }

    fn lock_failed(&self, file: &Path, error: &std::io::Error) -> Error {
        Error::Unreadable {
            target: self.settings.target.clone(),
            message: format!("cannot write the lock file `{}`: {error}", LockFile::path_of(file).display()),
            hint: "the folder of the database must be writable; SQLite itself keeps its journal there".to_owned(),
        }
    }
}

/// Runs a reading method of [`Books`] on the ready connection.
macro_rules! read {
    ($self:ident, |$books:ident, $connection:ident| $body:expr) => {{
        $self.ready().await?;
        let ($books, $connection) = (&$self.books, &mut $self.connection);
        let outcome: Result<_, ReadError> = async { $body }.await;
        outcome.map_err(|error| {
            error.into_error(|error| $self.settings.translate(&error).while_doing("reading the runner's tables"))
        })
    }};
}

#[async_trait]
impl Backend for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn transactional_ddl(&self) -> bool {
        true
    }

    async fn state(&mut self) -> Result<State> {
        read!(self, |books, connection| {
            // The usual case is one statement; only without the tables a transaction is needed to see one moment.
            match books.state(connection, Tables { version: true, ledger: true }).await {
                Err(ReadError::Driver(error)) if failures::message(&error).starts_with("no such table") => {}
                other => return other,
            }
            sqlx::query("BEGIN").execute(&mut *connection).await?;
            let state = async {
                let have = books.tables(connection).await?;
                books.state(connection, have).await
            }
            .await;
            sqlx::query("ROLLBACK").execute(&mut *connection).await?;
            state
        })
    }

    async fn schema(&mut self) -> Result<Schema> {
        self.ready().await?;
        self.is_unsettled = true;
        let (books, connection) = (&self.books, &mut self.connection);
        let schema: crate::reading::Result<Schema> = async {
            sqlx::query("BEGIN").execute(&mut *connection).await?;
            books.schema(connection).await
        }
        .await;
        self.rollback().await?;
        schema.map_err(|error| error.into_error(|error| self.settings.translate(&error).while_doing(READING_SCHEMA)))
    }

    async fn begin_reading(&mut self) -> Result<()> {
        // Whoever holds the lock is about to write: from here on nobody else does, not even between the transactions.
        if self.lock.is_some() && self.settings.may_write() {
            self.ready_to_write().await?;
            self.is_unsettled = true;
            return self.run("BEGIN IMMEDIATE", "beginning a transaction").await;
        }
        self.ready().await?;
        self.is_unsettled = true;
        // The moment is that of the first reading.
        let begin = "BEGIN; SELECT count(*) FROM main.sqlite_master".to_owned();
        self.run_raw(begin).await.map_err(|error| self.unread(&error))
    }

    async fn tables(&mut self) -> Result<Vec<Table>> {
        let tables = self.books.contents(&mut self.connection).await;
        tables.map_err(|error| self.unread(&error))
    }

    async fn read_rows(&mut self, rows: Rows<'_>, sink: &mut dyn RowSink) -> Result<u64> {
        let copied = contents::read(&mut self.connection, rows, &mut Lines::new(sink)).await;
        copied.map_err(|error| self.not_copied(error))
    }

    async fn ask(&mut self, sql: String) -> Result<Vec<Texts>> {
        let rows = outbox::read(&mut self.connection, sql).await.map_err(|error| self.unread(&error))?;
        Ok(rows.unwrap_or_default())
    }

    async fn ask_within(&mut self, sql: String, limit: Duration) -> Result<Option<Vec<Texts>>> {
        let wants_stop = Arc::clone(&self.wants_stop);
        self.watch_for_stop().await?;
        let stop = async {
            tokio::time::sleep(limit).await;
            wants_stop.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            biased;
            answer = outbox::read(&mut self.connection, sql) => answer,
            () = stop => return Ok(None),
        };
        let is_stopped = self.wants_stop.swap(false, Ordering::Relaxed);
        match answer {
            Err(_) if is_stopped => Ok(None),
            answer => Ok(Some(answer.map_err(|error| self.unread(&error))?.unwrap_or_default())),
        }
    }

    async fn begin_loading(&mut self, tables: &[&Table]) -> Result<()> {
        self.ready_to_write().await?;
        self.is_unsettled = true;
        // Within a transaction the setting can't be changed.
        let begun = self.run_raw("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE".to_owned()).await;
        begun.map_err(|error| self.settings.translate(&error).while_doing("beginning a transaction"))?;
        let held = tables::hold_triggers(&mut self.connection, tables).await;
        self.held = held.map_err(|error| self.settings.translate(&error).while_doing("holding triggers"))?;
        Ok(())
    }

    async fn empty_table(&mut self, table: &Table) -> Result<()> {
        self.execute(&format!("DELETE FROM {}", contents::name(table))).await
    }

    async fn load_rows(&mut self, rows: Rows<'_>, placing: Placing<'_>, source: &mut dyn RowSource) -> Result<u64> {
        let copied = contents::load(&mut self.connection, rows, placing, source).await;
        copied.map_err(|error| self.not_copied(error))
    }

    async fn end_loading(&mut self, keep: Option<(&VersionChange, &[LedgerRow])>) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let result = match keep {
            Some((change, rows)) => self.keep_loaded(held, change, rows).await,
            None => self.rollback().await,
        };
        if result.is_err() {
            self.rollback().await?;
        }
        self.is_unsettled = false;
        let keys = if self.settings.foreign_keys { "ON" } else { "OFF" };
        let restored = self.run_raw(format!("PRAGMA foreign_keys = {keys}")).await;
        result.and(restored.map_err(|error| self.settings.translate(&error)))
    }

    fn own_tables(&self) -> [ContentsName; 3] {
        [&self.books.version, &self.books.ledger, &name_beside(&self.books.ledger)]
            .map(|table| ContentsName { schema: None, name: table.name.clone() })
    }

    async fn objects(&mut self) -> Result<Vec<String>> {
        let own = self.own_tables();
        whole::objects(&mut self.connection, &own).await.map_err(|error| self.unread(&error))
    }

    async fn read_pages(&mut self, sink: &mut dyn RowSink) -> Result<u64> {
        let copied = whole::read_pages(&mut self.connection, &mut Lines::new(sink)).await;
        copied.map_err(|error| self.not_copied(error))
    }

    async fn carry_books(&mut self, into: &Path) -> Result<()> {
        self.ready_to_write().await?;
        let [_, ledger, outbox] = self.own_tables();
        let carried = whole::carry(&mut self.connection, &[ledger, outbox], into).await;
        carried.map_err(|error| self.settings.translate(&error).while_doing("carrying the ledger over"))
    }

    async fn become_copy(&mut self, of: &Path) -> Result<()> {
        self.ready_to_write().await?;
        self.is_unsettled = true;
        match whole::become_copy(&mut self.connection, of).await {
            Ok(()) => {}
            Err(NotTaken::Driver(error)) => {
                return Err(self.settings.translate(&error).while_doing("writing the pages of the backup"));
            }
            Err(NotTaken::Pages(ours, theirs)) => {
                let difference = format!("its pages have {ours} bytes, and those of the backup {theirs}");
                return Err(other_layout(self.settings.target.clone(), difference));
            }
            Err(NotTaken::Vacuum) => {
                let difference = "its `auto_vacuum` is another one than that of the backup".to_owned();
                return Err(other_layout(self.settings.target.clone(), difference));
            }
        }
        self.is_unsettled = false;
        // What the connection knows of the schema is of before.
        self.reconnect().await
    }

    fn foreign_tables(&self, message: &str) -> Error {
        let Books { version, ledger } = &self.books;
        Error::Unreadable {
            target: self.settings.target.clone(),
            message: format!("`{}` or `{}` is a table of something else ({message})", version.name, ledger.name),
            hint: "give the runner's tables other names: `version-table` and `ledger-table` in `[database]`".to_owned(),
        }
    }

    fn holder(&self) -> Option<Holder> {
        LockFile::holder(self.settings.file()?)
    }

    async fn tables_and_tail(&mut self) -> Result<(Tables, LedgerTail)> {
        read!(self, |books, connection| {
            let have = books.tables(connection).await?;
            let tail = if have.ledger { books.tail(connection).await? } else { None };
            Ok((have, tail.unwrap_or_else(LedgerTail::empty)))
        })
    }

    async fn ledger(&mut self, limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        read!(self, |books, connection| {
            if books.tables(connection).await?.ledger { books.ledger(connection, limit).await } else { Ok(Vec::new()) }
        })
    }

    async fn verify_ledger(&mut self) -> Result<LedgerCheck> {
        read!(self, |books, connection| {
            if books.tables(connection).await?.ledger {
                books.verify(connection).await
            } else {
                Ok(LedgerCheck::Intact { rows: 0, last_hash: None })
            }
        })
    }

    async fn facts(&mut self, _limit: Duration) -> Result<Facts> {
        self.ready().await?;
        // Whoever gives up waiting leaves the transaction open.
        self.is_unsettled = true;
        let (books, connection) = (&self.books, &mut self.connection);
        let facts: crate::reading::Result<Facts> = async {
            sqlx::query("BEGIN").execute(&mut *connection).await?;
            let have = books.tables(connection).await?;
            books.facts(connection, have).await
        }
        .await;
        self.rollback().await?;
        facts.map_err(|error| error.into_error(|error| self.settings.translate(&error).while_doing(COLLECTING_FACTS)))
    }

    async fn try_lock(&mut self, me: &Holder) -> Result<LockAttempt> {
        if self.lock.is_none()
            && let Some(file) = self.settings.file()
        {
            match LockFile::try_acquire(file, me).map_err(|error| self.lock_failed(file, &error))? {
                Ok(lock) => self.lock = Some(lock),
                Err(holder) => return Ok(LockAttempt::Held(holder)),
            }
        }
        if !self.is_writable_now().await? {
            return Ok(LockAttempt::Held(None));
        }
        if self.server.version.is_empty() {
            self.ask_version().await?;
        }
        Ok(LockAttempt::Acquired)
    }

    async fn unlock(&mut self) -> Result<()> {
        if self.is_unsettled {
            self.rollback().await?;
        }
        if self.is_holding {
            self.is_holding = false;
            hold::let_go(&mut self.connection).await;
        }
        self.lock = None;
        Ok(())
    }

    async fn begin(&mut self) -> Result<()> {
        self.ready_to_write().await?;
        self.run("BEGIN IMMEDIATE", "beginning a transaction").await
    }

    async fn commit(&mut self) -> Result<()> {
        self.run("COMMIT", "committing").await
    }

    async fn rollback(&mut self) -> Result<()> {
        // The connection's thread works in order, so this also waits for whatever is still running.
        let result = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        self.wants_stop.store(false, Ordering::Relaxed);
        self.is_unsettled = false;
        match result {
            Err(error) if failures::code(&error) != Some(1) => {
                Err(self.settings.translate(&error).while_doing("rolling back"))
            }
            // Code 1 says that there is no transaction.
            _ => Ok(()),
        }
    }

    async fn in_transaction(&mut self) -> Result<bool> {
        match sqlx::query("BEGIN").execute(&mut self.connection).await {
            Ok(_) => {
                self.rollback().await?;
                Ok(false)
            }
            Err(error) if failures::message(&error).contains("within a transaction") => Ok(true),
            Err(error) => Err(self.settings.translate(&error).while_doing("looking for an open transaction")),
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<()> {
        let Err(error) = self.run_raw(sql.to_owned()).await else { return Ok(()) };
        Err(self.refused(sql, &error).await)
    }

    async fn begin_and_execute(&mut self, sql: &str) -> Result<()> {
        self.ready_to_write().await?;
        let both = AssertSqlSafe(format!("BEGIN IMMEDIATE;\n{sql}"));
        let mut results = sqlx::raw_sql(both).fetch_many(&mut self.connection);
        let mut has_begun = false;
        let failed = loop {
            match results.next().await {
                None => return Ok(()),
                Some(Ok(_)) => has_begun = true,
                Some(Err(error)) => break error,
            }
        };
        drop(results);
        if has_begun {
            Err(self.refused(sql, &failed).await)
        } else {
            Err(self.settings.translate(&failed).while_doing("beginning a transaction"))
        }
    }

    async fn ensure_tables(&mut self, have: Tables) -> Result<()> {
        match self.books.create(have) {
            Some(sql) => {
                let result = self.run_raw(sql).await;
                result.map_err(|error| self.settings.translate(&error).while_doing("creating the runner's tables"))
            }
            None => Ok(()),
        }
    }

    async fn record(&mut self, change: &VersionChange, rows: &[LedgerRow]) -> Result<()> {
        self.write_books(change, rows, false).await
    }

    async fn record_and_commit(&mut self, change: &VersionChange, rows: &[LedgerRow]) -> Result<()> {
        self.write_books(change, rows, true).await
    }

    fn outbox(&self) -> Result<Speech> {
        Ok(outbox::speech(&self.books.ledger))
    }

    async fn write_outbox(&mut self, sql: String) -> Result<Written> {
        self.ready().await?;
        if self.is_stand_in {
            return Err(self.no_outbox());
        }
        let busy_milliseconds = self.settings.busy_milliseconds();
        let result = outbox::write(&mut self.connection, &sql, self.is_holding, busy_milliseconds).await;
        result.map_err(|error| self.settings.translate(&error).while_doing("writing the outbox"))
    }

    async fn read_outbox(&mut self, sql: String) -> Result<Option<Vec<Texts>>> {
        self.ready().await?;
        let result = outbox::read(&mut self.connection, sql).await;
        result.map_err(|error| self.settings.translate(&error).while_doing("reading the outbox"))
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        statements::preflight(script, [&self.books.version, &self.books.ledger])
    }

    fn placement(&self, statement: &str) -> Placement {
        statements::placement(statement)
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        statements::is_session_statement(statement)
    }

    async fn reset_session(&mut self) -> Result<()> {
        if self.settings.file().is_some() {
            return self.reconnect().await;
        }
        // A database in memory would be gone with its connection.
        let keys = if self.settings.foreign_keys { "ON" } else { "OFF" };
        let mut sql = format!("PRAGMA foreign_keys = {keys}; PRAGMA legacy_alter_table = OFF");
        let list = "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')";
        let attached = sqlx::query_scalar::<_, String>(list).fetch_all(&mut self.connection).await;
        for name in attached.map_err(|error| self.settings.translate(&error))? {
            sql.push_str(&format!("; DETACH \"{}\"", name.replace('"', "\"\"")));
        }
        self.run_raw(sql).await.map_err(|error| self.settings.translate(&error))
    }

    fn interrupt(&mut self) {
        self.wants_stop.store(true, Ordering::Relaxed);
        self.is_unsettled = true;
    }

    fn abandon(&mut self) {
        self.interrupt();
        // Polled once, the command is on its way to the connection's thread; its answer is not awaited.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).now_or_never();
    }

    async fn close_at_exit(self: Box<Self>) -> Result<()> {
        // A connection that has only read without a write-ahead log leaves nothing behind, and of a large schema each table would
        // be given back.
        let has_log = |file: &Path| {
            let mut log = file.as_os_str().to_owned();
            log.push("-wal");
            Path::new(&log).exists()
        };
        if self.is_holding || self.is_unsettled || self.settings.file().is_none_or(has_log) {
            return self.close().await;
        }
        let Self { connection, lock, settings, .. } = *self;
        std::mem::forget(connection);
        if let (None, Some(file)) = (lock, settings.file())
            && settings.may_write()
        {
            LockFile::sweep(file);
        }
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<()> {
        let Self { connection, lock, settings, .. } = *self;
        let closed = connection.close().await;
        match (lock, settings.file()) {
            (Some(lock), _) => drop(lock),
            (None, Some(file)) if settings.may_write() => LockFile::sweep(file),
            (None, _) => {}
        }
        closed.map_err(|error| settings.translate(&error).while_doing("closing the database"))
    }
}
