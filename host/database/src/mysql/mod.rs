//! MySQL and MariaDB.
//!
//! They commit every change of a definition at once, so each step is recorded statement by statement (see `run::outside`).
//! Sessions begin as those of the `mysql` client do: with the server's own `sql_mode` and time zone.
//!
//! A transaction is begun together with its first statement, which saves a round trip, and lets the runner's tables be created
//! before it rather than in it.

mod books;
mod connect;
mod contents;
mod dependents;
mod evidence;
mod facts;
mod failures;
mod greeting;
mod link;
mod literal;
mod lock;
mod outbox;
mod read;
mod refusals;
mod schema;
mod scratch;
mod statements;
mod stop;
mod tables;
mod transcript;
mod whole;

use std::time::Duration;
use std::time::Instant;

use async_trait::async_trait;
use runner_chain::Dialect;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::backend::Backend;
use crate::backend::Evidence;
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

use self::books::Books;
use self::connect::Settings;
pub(crate) use self::connect::option_file;
pub(crate) use self::dependents::dependencies;
use self::link::Link;
use self::link::number;
use self::link::text;
use self::literal::literal;
pub(crate) use self::literal::quoted;
use self::lock::FRESH;
use self::lock::LockNames;
use self::lock::LockSession;
use self::lock::LockToken;
pub(crate) use self::scratch::Keeper;
pub(crate) use self::scratch::who;
use self::statements::Words;
pub(crate) use self::statements::laid_open;
use self::stop::Stop;
use self::stop::What;
pub(crate) use self::transcript::pen;

/// How often the tables are read again while another runner makes them.
const READINGS: usize = 5;
/// How long a new session waits for the statement of the one it replaces to end, in seconds.
const LONGEST_END: u32 = 30;

/// Connects to the server.
pub(crate) async fn open(url: &DatabaseUrl, options: &Options, access: Access) -> Result<Box<dyn Backend>> {
    let settings = Settings::new(url, options, access)?;
    let (link, greeting) = greeting::open(&settings).await?;
    let version = TableName::parse("version_table", &options.version_table)?.or_in(&greeting.database);
    let ledger = TableName::parse("ledger_table", &options.ledger_table)?.or_in(&greeting.database);
    Ok(Box::new(Mysql {
        locks: LockNames::of(&version, greeting.ignores_case),
        is_mariadb: greeting.is_mariadb(),
        server: Server { product: greeting.product.to_owned(), version: greeting.version, database: url.identity() },
        books: Books { version, ledger },
        settings,
        link,
        lock: None,
        is_locked: false,
        seen_at: None,
        wants_begin: false,
        refused: None,
        held: Vec::new(),
        loaded: Vec::new(),
    }))
}

struct Mysql {
    settings: Settings,
    server: Server,
    is_mariadb: bool,
    books: Books,
    locks: LockNames,
    /// The session that runs scripts, or reads.
    link: Link,
    lock: Option<LockSession>,
    /// Whether both locks are held.
    is_locked: bool,
    /// When the lock was last seen to be held.
    seen_at: Option<Instant>,
    /// Whether a transaction begins with the next statement.
    wants_begin: bool,
    /// The last statement of a script, if the server refused it, and the number of its error.
    refused: Option<(String, u16)>,
    /// The triggers that a loading has taken away.
    held: Vec<String>,
    /// The tables that a loading has put rows into, or taken rows from.
    loaded: Vec<String>,
}

impl Mysql {
    /// The session, or a new one if a statement was left behind in the old one. Not so after a lost connection: nobody knows
    /// what became of the last statement, so nothing more may be recorded about it until somebody reads the state again.
    async fn ready(&mut self) -> Result<&mut Link> {
        if self.link.is_lost {
            let message = "nothing is known of the last statement".to_owned();
            return Err(Error::ConnectionLost { doing: "running it", message });
        }
        if !self.link.is_usable() {
            self.reconnect().await?;
        }
        Ok(&mut self.link)
    }

    /// Replaces the session. What it left behind is rolled back, and its running statement stopped and waited for.
    async fn reconnect(&mut self) -> Result<()> {
        let (link, _) = greeting::open(&self.settings).await?;
        let old = std::mem::replace(&mut self.link, link);
        let (old_id, is_clean) = (old.id, old.is_usable());
        self.wants_begin = false;
        let closed = old.close().await;
        if !is_clean || closed.is_err() {
            // It may have ended by itself.
            let _ = lock::kill(&mut self.link, &self.locks.work, "CONNECTION", old_id).await;
        }
        if !self.is_locked {
            return Ok(());
        }
        let answer = self.take_work_lock(LONGEST_END).await;
        let is_taken = answer.map_err(|error| failures::translate(&error, "opening a new session"))?;
        if is_taken {
            return Ok(());
        }
        // The next use tries again.
        self.link.cut();
        let message = format!("the statement of connection {old_id} has not ended within {LONGEST_END} s");
        Err(Error::Database { doing: "waiting for a stopped statement", message, code: None })
    }

    /// Sets the time-outs of the session that runs scripts, and has it hold its own lock.
    async fn take_work_lock(&mut self, wait: u32) -> Result<bool, sqlx::Error> {
        let timeouts = self.settings.timeouts(self.is_mariadb).map_or_else(String::new, |sql| format!("{sql};\n"));
        // First, so that a time-out for statements does not end the wait.
        let sql = format!("SELECT CAST(GET_LOCK({}, {wait}) AS CHAR);\n{timeouts}DO 0", literal(&self.locks.work));
        let answer = self.link.ask(sql).await.complete()?;
        Ok(number(answer.row(0)?, 0)? == Some(1_u32))
    }

    fn token(&self) -> Option<LockToken> {
        let lock = self.lock.as_ref().filter(|lock| lock.is_holding)?;
        Some(LockToken { name: self.locks.lock.clone(), session: lock.link.id })
    }

    /// Runs the runner's own statements, in the transaction if one is due.
    async fn run(&mut self, sql: String, doing: &'static str) -> Result<()> {
        self.run_raw(sql).await?.map_err(|error| failures::translate(&error, doing))
    }

    async fn run_raw(&mut self, sql: String) -> Result<Result<(), sqlx::Error>> {
        self.ready().await?;
        let sql = if std::mem::take(&mut self.wants_begin) { format!("START TRANSACTION;\n{sql}") } else { sql };
        Ok(self.link.run(sql).await.map_err(|(_, error)| error))
    }

    async fn found_objects(&mut self) -> Result<Vec<(String, String)>> {
        self.ready().await?;
        let books = &self.books;
        let found = whole::objects(&mut self.link, &|table| books.is_runners(table)).await;
        found.map_err(|error| failures::translate(&error, READING_TABLES))
    }

    async fn write_books(&mut self, change: &VersionChange, rows: &[LedgerRow], commit: bool) -> Result<()> {
        let token = self.token();
        let sql = self.books.record(change, rows, token.as_ref(), commit);
        let Err(error) = self.run_raw(sql).await? else {
            self.seen_at = token.map(|_| Instant::now());
            return Ok(());
        };
        self.seen_at = None;
        let text = failures::message(&error);
        let message = match failures::number(&error) {
            Some(failures::NOT_NULL) if text.contains("'status'") => {
                self.check_lock().await?;
                "the version table does not hold the rows that this step starts from"
            }
            Some(failures::DUPLICATE_KEY) if rows.iter().any(|row| text.contains(&format!("'{}'", row.id))) => {
                "the ledger has got rows from somebody else"
            }
            Some(failures::DUPLICATE_KEY) => "the version table already holds a row that this step adds",
            _ => return Err(failures::translate(&error, "recording the step")),
        };
        Err(Error::Concurrent { message: message.to_owned() })
    }

    /// Makes the triggers again that a loading has taken away: as many as can be, on a new session if that must be. What can't be
    /// made is in the error, because it is nowhere else.
    async fn make_triggers(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() && (self.link.is_lost || !self.link.is_usable()) {
            self.reconnect().await?;
        }
        let mut failed = Vec::new();
        let mut setting = String::new();
        for sql in held {
            let is_setting = sql.starts_with("SET SESSION");
            if let Err(error) = self.run(sql.clone(), "making the triggers again").await {
                failed.push(format!("{error}: {setting}; {sql}"));
            }
            if is_setting {
                setting = sql;
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(Error::Database { doing: "making the triggers again", message: failed.join("\n"), code: None })
    }

    /// Stops the statement that nobody waits for any more, without waiting.
    fn kill(&self, what: What) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.stop().send(what));
        }
    }

    fn stop(&self) -> Stop {
        Stop { settings: self.settings.clone(), lock: self.locks.work.clone(), session: self.link.id }
    }

    /// Runs a text of a script. MySQL itself limits the time of nothing but queries. `true`: it was stopped.
    async fn run_limited(&mut self, sql: String) -> (std::result::Result<(), (usize, sqlx::Error)>, bool) {
        match self.settings.statement_timeout.filter(|_| !self.is_mariadb) {
            Some(limit) => self.stop().after(limit, self.link.run(sql)).await,
            None => (self.link.run(sql).await, false),
        }
    }

    /// One attempt at the lock of the session that runs scripts, once the first lock is held.
    async fn try_work_lock(&mut self, token: &LockToken) -> Result<LockAttempt> {
        self.ready().await?;
        let doing = |error: sqlx::Error| failures::translate(&error, "taking the lock");
        let answer = self.link.ask(format!("SELECT CAST({} AS CHAR)", token.is_held())).await.complete();
        let is_seen = answer.and_then(|answer| number::<u32>(answer.row(0)?, 0)).map_err(doing)?;
        if is_seen != Some(1) {
            return Err(Error::Unreadable {
                target: self.settings.target.clone(),
                message: "two connections to this address reach different servers".to_owned(),
                hint: "name one server in the URL rather than a balancer: the lock is a server's own".to_owned(),
            });
        }
        if self.take_work_lock(0).await.map_err(doing)? {
            self.is_locked = true;
            self.seen_at = Some(Instant::now());
            return Ok(LockAttempt::Acquired);
        }
        let still = ", which still runs a statement of a runner that holds the lock no more";
        Ok(LockAttempt::Held(lock::holder(&mut self.link, &self.locks.work, still).await.map_err(doing)?))
    }

    fn read_failed(&self, error: ReadError) -> Error {
        error.into_error(|error| match failures::number(&error) {
            // Columns that are missing belong to somebody else's table.
            Some(failures::NO_SUCH_COLUMN) => self.foreign_tables(&failures::message(&error)),
            _ => failures::translate(&error, "reading the runner's tables"),
        })
    }
}

fn texts_of(sets: &[Vec<MySqlRow>]) -> Result<Vec<Texts>> {
    let texts = |row: &MySqlRow| (0..row.len()).map(|index| text(row, index)).collect();
    let rows: std::result::Result<Vec<Texts>, sqlx::Error> = sets.iter().flatten().map(texts).collect();
    rows.map_err(|error| failures::translate(&error, READING_TABLES))
}

fn not_copied(error: Copying) -> Error {
    match error {
        Copying::Driver(error) => failures::translate(&error, "copying rows"),
        Copying::Known(error) => error,
    }
}

#[async_trait]
impl Backend for Mysql {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn transactional_ddl(&self) -> bool {
        false
    }

    async fn state(&mut self) -> Result<State> {
        if self.link.is_lost {
            self.reconnect().await?;
        }
        self.ready().await?;
        let mut have = Tables { version: true, ledger: true };
        for _ in 0..READINGS {
            match self.books.state(&mut self.link, have).await {
                // The tables are missing, or another runner makes them at this moment.
                Err(ReadError::Driver(error)) if failures::number(&error).is_some_and(failures::is_about_tables) => {
                    let found = self.books.tables_and_tail(&mut self.link).await;
                    (have, _) = found.map_err(|error| self.read_failed(error))?;
                }
                state => return state.map_err(|error| self.read_failed(error)),
            }
        }
        self.books.state(&mut self.link, have).await.map_err(|error| self.read_failed(error))
    }

    async fn tables_and_tail(&mut self) -> Result<(Tables, LedgerTail)> {
        self.ready().await?;
        let found = self.books.tables_and_tail(&mut self.link).await;
        let (tables, tail) = found.map_err(|error| self.read_failed(error))?;
        Ok((tables, tail.unwrap_or_else(LedgerTail::empty)))
    }

    async fn ledger(&mut self, limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        self.ready().await?;
        self.books.ledger(&mut self.link, limit).await.map_err(|error| self.read_failed(error))
    }

    async fn verify_ledger(&mut self) -> Result<LedgerCheck> {
        self.ready().await?;
        self.books.verify(&mut self.link).await.map_err(|error| self.read_failed(error))
    }

    async fn facts(&mut self, limit: Duration) -> Result<Facts> {
        let (have, _) = self.tables_and_tail().await?;
        let facts = self.books.facts(&mut self.link, limit, self.is_mariadb, have.ledger).await;
        facts.map_err(|error| error.into_error(|error| failures::translate(&error, COLLECTING_FACTS)))
    }

    async fn schema(&mut self) -> Result<Schema> {
        self.ready().await?;
        let schema = self.books.schema(&mut self.link).await;
        schema.map_err(|error| error.into_error(|error| failures::translate(&error, READING_SCHEMA)))
    }

    fn default_schema(&self) -> Option<String> {
        Some(self.settings.database.clone())
    }

    async fn begin_reading(&mut self) -> Result<()> {
        self.run(contents::begin_reading(self.is_mariadb), READING_TABLES).await
    }

    async fn end_reading(&mut self) -> Result<()> {
        // The session has got settings of its own.
        self.reconnect().await
    }

    async fn tables(&mut self) -> Result<Vec<Table>> {
        self.ready().await?;
        let tables = self.books.contents(&mut self.link).await;
        tables.map_err(|error| failures::translate(&error, READING_TABLES))
    }

    async fn read_rows(&mut self, rows: Rows<'_>, sink: &mut dyn RowSink) -> Result<u64> {
        self.ready().await?;
        let copied = contents::read(&mut self.link, rows, &mut Lines::new(sink)).await;
        copied.map_err(not_copied)
    }

    async fn ask(&mut self, sql: String) -> Result<Vec<Texts>> {
        self.ready().await?;
        let answer =
            self.link.ask(sql).await.complete().map_err(|error| failures::translate(&error, READING_TABLES))?;
        texts_of(&answer.sets)
    }

    async fn ask_within(&mut self, sql: String, limit: Duration) -> Result<Option<Vec<Texts>>> {
        self.ready().await?;
        let milliseconds = limit.as_millis().max(1);
        let sql = if self.is_mariadb {
            format!("SET STATEMENT max_statement_time = {}.{:03} FOR {sql}", milliseconds / 1000, milliseconds % 1000)
        } else {
            sql.replacen("SELECT ", &format!("SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */ "), 1)
        };
        let answer = match self.link.ask(sql).await.complete() {
            Err(error) if failures::is_out_of_time(&error) => return Ok(None),
            answer => answer.map_err(|error| failures::translate(&error, READING_TABLES))?,
        };
        texts_of(&answer.sets).map(Some)
    }

    async fn begin_loading(&mut self, tables: &[&Table]) -> Result<()> {
        self.ready().await?;
        let triggers = contents::triggers(&mut self.link, tables).await;
        let (again, away) = triggers.map_err(|error| failures::translate(&error, "looking at triggers"))?;
        // Each of it is committed at once, so what makes them again is known before the first is gone.
        self.held = again;
        let begun = async {
            for sql in away {
                self.run(sql, "holding triggers").await?;
            }
            self.run(contents::begin_loading(self.is_mariadb), "beginning a transaction").await
        }
        .await;
        if begun.is_err() {
            self.make_triggers().await?;
        }
        begun
    }

    async fn empty_table(&mut self, table: &Table) -> Result<()> {
        // `TRUNCATE` would commit.
        self.run(format!("DELETE FROM {}", literal::quoted(&table.name)), "emptying a table").await
    }

    async fn load_rows(&mut self, rows: Rows<'_>, placing: Placing<'_>, source: &mut dyn RowSource) -> Result<u64> {
        self.ready().await?;
        self.loaded.push(rows.table.name.clone());
        contents::load(&mut self.link, rows, placing, source).await.map_err(not_copied)
    }

    async fn end_loading(&mut self, keep: Option<(&VersionChange, &[LedgerRow])>) -> Result<()> {
        let loaded = std::mem::take(&mut self.loaded);
        let broken = match keep {
            // What nobody records is a trial, where a table may be without the one that it refers to.
            Some((_, [_, ..])) => contents::broken_key(&mut self.link, &loaded).await,
            _ => Ok(None),
        };
        let ended = match keep {
            None => self.rollback().await,
            Some(_) if !matches!(broken, Ok(None)) => {
                let message = match broken {
                    Ok(Some(key)) => format!("the foreign key {key} does not hold any more"),
                    Ok(None) => String::new(),
                    Err(error) => failures::message(&error),
                };
                Err(Error::Database { doing: "checking the foreign keys", message, code: None })
            }
            Some((_, [])) => self.commit().await,
            Some((change, rows)) => self.record_and_commit(change, rows).await,
        };
        if ended.is_err() && self.link.is_usable() {
            // A session that can't is replaced, which rolls back as well.
            let _ = self.rollback().await;
        }
        let made = self.make_triggers().await;
        self.reconnect().await?;
        ended.and(made)
    }

    fn own_tables(&self) -> [ContentsName; 3] {
        [&self.books.version, &self.books.ledger, &name_beside(&self.books.ledger)]
            .map(|table| ContentsName { schema: None, name: table.name.clone() })
    }

    async fn objects(&mut self) -> Result<Vec<String>> {
        let found = self.found_objects().await?;
        Ok(found.into_iter().map(|(kind, name)| format!("{} `{name}`", kind.to_lowercase())).collect())
    }

    async fn clear(&mut self) -> Result<()> {
        for object in &self.found_objects().await? {
            self.run(whole::removal(object), "removing what is there").await?;
        }
        Ok(())
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
        None
    }

    async fn find_holder(&mut self) -> Result<Option<Holder>> {
        self.ready().await?;
        let found = lock::holder(&mut self.link, &self.locks.lock, "").await;
        found.map_err(|error| failures::translate(&error, "looking for the holder of the lock"))
    }

    async fn try_lock(&mut self, _me: &Holder) -> Result<LockAttempt> {
        let lock = match self.lock.take().filter(|lock| lock.link.is_usable()) {
            Some(lock) => self.lock.insert(lock),
            None => {
                let link = greeting::open_for_lock(&self.settings).await?;
                self.lock.insert(LockSession { link, is_holding: false })
            }
        };
        match lock.attempt(&self.locks.lock).await {
            Ok(Ok(())) => {}
            Ok(Err(holder)) => return Ok(LockAttempt::Held(holder)),
            Err(error) => return Err(failures::translate(&error, "taking the lock")),
        }
        match self.token() {
            Some(token) => self.try_work_lock(&token).await,
            None => Ok(LockAttempt::Held(None)),
        }
    }

    async fn unlock(&mut self) -> Result<()> {
        self.is_locked = false;
        self.seen_at = None;
        self.wants_begin = false;
        // A lock that cannot be given back ends with its session.
        if self.link.is_usable() {
            let _ = self.link.run(format!("ROLLBACK;\nDO RELEASE_LOCK({})", literal(&self.locks.work))).await;
        } else if self.link.is_busy() {
            self.abandon();
        }
        if let Some(LockSession { mut link, .. }) = self.lock.take() {
            let _ = link.run(format!("DO RELEASE_LOCK({})", literal(&self.locks.lock))).await;
            let _ = link.close().await;
        }
        Ok(())
    }

    async fn check_lock(&mut self) -> Result<()> {
        self.ready().await?;
        let Some(token) = self.token() else { return Err(Error::NotLocked) };
        if self.seen_at.is_some_and(|seen| seen.elapsed() < FRESH) {
            return Ok(());
        }
        let answer = self.link.ask(format!("SELECT CAST({} AS CHAR)", token.is_held())).await.complete();
        let is_held = answer.and_then(|answer| number::<u32>(answer.row(0)?, 0));
        if is_held.map_err(|error| failures::translate(&error, "checking the lock"))? == Some(1) {
            self.seen_at = Some(Instant::now());
            return Ok(());
        }
        Err(Error::LockLost { reason: format!("the server ended connection {}, which held it", token.session) })
    }

    async fn begin(&mut self) -> Result<()> {
        self.ready().await?;
        self.wants_begin = true;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        if std::mem::take(&mut self.wants_begin) {
            return Ok(());
        }
        self.run("COMMIT".to_owned(), "committing").await
    }

    async fn rollback(&mut self) -> Result<()> {
        self.wants_begin = false;
        self.run("ROLLBACK".to_owned(), "rolling back").await
    }

    async fn in_transaction(&mut self) -> Result<bool> {
        if self.wants_begin {
            return Ok(true);
        }
        self.ready().await?;
        let failed = |error: sqlx::Error| failures::translate(&error, "looking for an open transaction");
        if self.is_mariadb {
            let answer = self.link.ask("SELECT CAST(@@in_transaction AS CHAR)".to_owned()).await.complete();
            let found = answer.and_then(|answer| number::<u32>(answer.row(0)?, 0)).map_err(failed)?;
            return Ok(found == Some(1));
        }
        // MySQL does not tell, but refuses this inside of a transaction; outside it says what is so anyway.
        match self.link.run("SET TRANSACTION READ WRITE".to_owned()).await {
            Ok(()) => Ok(false),
            Err((_, error)) if failures::number(&error) == Some(failures::IN_TRANSACTION) => Ok(true),
            Err((_, error)) => Err(failed(error)),
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<()> {
        self.refused = None;
        let begins = self.wants_begin;
        self.ready().await?;
        let text =
            if std::mem::take(&mut self.wants_begin) { format!("START TRANSACTION;\n{sql}") } else { sql.to_owned() };
        match self.run_limited(text).await {
            (Ok(()), _) => Ok(()),
            (Err((_, error)), true) => Err(failures::translate_stopped(&error, sql)),
            (Err((0, error)), false) if begins => Err(failures::translate(&error, "beginning a transaction")),
            (Err((_, error)), false) => {
                self.refused = failures::number(&error).map(|number| (sql.to_owned(), number));
                Err(failures::translate_statement(&error, sql))
            }
        }
    }

    async fn ensure_tables(&mut self, have: Tables) -> Result<()> {
        let Some(sql) = self.books.create(have) else { return Ok(()) };
        let begins = std::mem::take(&mut self.wants_begin);
        self.run(sql, "creating the runner's tables").await?;
        self.wants_begin = begins;
        Ok(())
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
        let text = format!("{}\n{sql};\nCOMMIT;\n{}", outbox::BEGIN, outbox::AS_BEFORE);
        let Err((_, error)) = self.link.run(text).await else {
            return Ok(Written::Done);
        };
        let is_missing = failures::number(&error) == Some(failures::NO_SUCH_TABLE);
        // A session that is lost is rolled back by the server.
        let _ = self.link.run(format!("ROLLBACK;\n{}", outbox::AS_BEFORE)).await;
        if is_missing { Ok(Written::NoTable) } else { Err(failures::translate(&error, "writing the outbox")) }
    }

    async fn read_outbox(&mut self, sql: String) -> Result<Option<Vec<Texts>>> {
        self.ready().await?;
        match outbox::read(&mut self.link, sql).await {
            Err(error) if failures::number(&error) == Some(failures::NO_SUCH_TABLE) => Ok(None),
            rows => rows.map(Some).map_err(|error| failures::translate(&error, "reading the outbox")),
        }
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        refusals::preflight(script, [&self.books.version, &self.books.ledger])
    }

    fn placement(&self, statement: &str) -> Placement {
        statements::placement(statement)
    }

    async fn evidence(&mut self, statement: &str) -> Result<Evidence> {
        let sql = statements::laid_open(statement);
        let words = Words::of(&sql);
        let is_refused = self.refused.as_ref().is_some_and(|(refused, number)| {
            refused == statement && failures::leaves_no_trace(*number) && statements::is_one_definition(&words)
        });
        if is_refused {
            return Ok(Evidence::NotRun);
        }
        let Some(trace) = evidence::trace(&words) else { return Ok(Evidence::Unknown(evidence::advice(&words))) };
        self.ready().await?;
        let answer = self.link.ask(trace.query.clone()).await.complete();
        let count = answer.and_then(|answer| number(answer.row(0)?, 0));
        let count = count.map_err(|error| failures::translate(&error, "looking for traces of a statement"))?;
        Ok(trace.read(count.unwrap_or_default()))
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        statements::is_session_statement(statement)
    }

    async fn reset_session(&mut self) -> Result<()> {
        self.reconnect().await
    }

    fn interrupt(&mut self) {
        if self.link.is_busy() {
            self.kill(What::Statement);
        }
    }

    fn abandon(&mut self) {
        self.wants_begin = false;
        // An idle session ends with its socket; one that is busy would only notice at the end of its statement.
        if self.link.is_busy() {
            self.kill(What::Session);
        }
        self.link.cut();
    }

    async fn close(mut self: Box<Self>) -> Result<()> {
        self.unlock().await?;
        // The server rolls back and lets go by itself.
        let _ = self.link.close().await;
        Ok(())
    }
}
