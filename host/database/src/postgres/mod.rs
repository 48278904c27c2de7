//! PostgreSQL, from version 12 on.
//!
//! Two connections: one runs statements, the other holds the lock. `BEGIN` travels with the statement that follows it, and
//! bookkeeping with the `COMMIT`, so that a revision with one statement takes two round trips; where a whole run is one
//! transaction, bookkeeping travels with the first statement of the next revision.

mod books;
mod connect;
mod contents;
mod dependents;
mod evidence;
mod facts;
mod failures;
mod holder;
mod link;
mod literal;
mod lock;
mod open;
mod outbox;
mod read;
mod schema;
mod scratch;
mod statements;
mod stop;
mod tables;
mod transcript;
mod whole;

use std::time::Duration;

use async_trait::async_trait;
use runner_chain::Dialect;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

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
use crate::contents::Stopped;
use crate::contents::Table;
use crate::contents::TableName as ContentsName;
use crate::error::Error;
use crate::error::Result;
use crate::facts::Facts;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::ledger::LedgerStatus;
use crate::lock::Holder;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::Written;
use crate::outbox::name_beside;
use crate::preflight::PreflightProblem;
use crate::reading::ReadError;
use crate::schema::Schema;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::session::COLLECTING_FACTS;
use crate::session::READING_SCHEMA;
use crate::session::READING_TABLES;
use crate::state::LedgerTail;
use crate::state::State;

use self::books::Books;
use self::connect::Settings;
pub(crate) use self::connect::environment;
pub(crate) use self::dependents::dependencies;
use self::link::Link;
use self::link::text;
use self::literal::identifier;
pub(crate) use self::literal::identifier as quoted;
use self::lock::Attempt;
use self::lock::LockSession;
pub(crate) use self::open::open;
pub(crate) use self::scratch::Keeper;
pub(crate) use self::scratch::who;
use self::stop::Stop;
pub(crate) use self::transcript::pen;

/// A session with a server.
struct Postgres {
    settings: Settings,
    link: Link,
    lock: Option<LockSession>,
    server: Server,
    books: Books,
    /// The role of a fresh session, `none` for the one that logged in.
    role: String,
    /// Whether a transaction is to begin with the next text that is sent.
    begins: bool,
    /// Bookkeeping inside of an open transaction, one statement, that goes in front of the next text.
    due: String,
    /// Whether the session is that of a fresh one no more.
    is_changed: bool,
    /// Whether a transaction or a statement may be left over that nobody waited for; also set while the tables are read,
    /// because the future that reads may be dropped.
    is_unsettled: bool,
    /// A running wish that the statement ends.
    stop: Option<Stop>,
    last_holder: Option<Holder>,
    /// What lets the triggers and foreign keys act again that a loading holds.
    held: Vec<String>,
    /// The schema for tables without one of their own.
    schema: Option<String>,
}

impl Postgres {
    /// What goes in front of the next text.
    fn opening(&mut self) -> String {
        let due = std::mem::take(&mut self.due);
        if std::mem::take(&mut self.begins) { "BEGIN;\n".to_owned() } else { due }
    }

    /// The session, after what nobody waited for has ended.
    async fn ready(&mut self) -> Result<()> {
        if self.is_unsettled { self.rollback().await } else { Ok(()) }
    }

    fn translate(&mut self, error: &sqlx::Error, before: usize) -> Error {
        self.is_unsettled |= failures::is_lost(error);
        failures::translate(error, before)
    }

    fn unread(&mut self, error: ReadError) -> Error {
        error.into_error(|error| match failures::code(&error) {
            Some(failures::UNDEFINED_COLUMN) => self.foreign_tables(&failures::message(&error)),
            _ => self.translate(&error, 0).while_doing("reading the runner's tables"),
        })
    }

    async fn run(&mut self, sql: &str) -> Result<()> {
        let begins = self.begins;
        let opening = self.opening();
        let before = opening.chars().count();
        let is_bookkeeping = !begins && before > 0;
        match self.link.execute_counting(format!("{opening}{sql}")).await {
            Ok(()) => Ok(()),
            Err((0, error)) if is_bookkeeping && failures::is_among_first(&error, before) => {
                Err(self.translate_bookkeeping(&error))
            }
            Err((_, error)) => Err(self.translate(&error, before)),
        }
    }

    fn translate_bookkeeping(&mut self, error: &sqlx::Error) -> Error {
        self.is_unsettled |= failures::is_lost(error);
        failures::translate_bookkeeping(error, &self.books)
    }

    /// Takes back a script's `SET ROLE` until the end of the transaction: the runner's tables are not the script's business.
    fn own_role(&self) -> String {
        let role = if self.role == "none" { "NONE".to_owned() } else { identifier(&self.role) };
        if self.is_changed {
            format!("SET LOCAL SESSION AUTHORIZATION DEFAULT;\nSET LOCAL ROLE {role};\n")
        } else {
            String::new()
        }
    }

    async fn write_books(&mut self, change: &VersionChange, rows: &[LedgerRow], commit: bool) -> Result<()> {
        let Some(lock) = &self.lock else { return Err(Error::NotLocked) };
        let is_progress = rows.last().and_then(LedgerRow::known_status) == Some(LedgerStatus::Progress);
        // Where a whole run is one transaction, its commit asks for the lock once. A script's own transaction is committed by
        // the script, so each of its rows asks.
        let condition = (commit || is_progress).then(|| lock.is_held_elsewhere());
        let books = self.books.record(change, rows, condition.as_deref())?;
        // Between the statements of a script's own transaction its role stays as it is.
        let role = if commit || !is_progress { self.own_role() } else { String::new() };
        let opening = self.opening();
        if !commit && !is_progress && role.is_empty() && opening.is_empty() {
            self.due = books;
            return Ok(());
        }
        let ending = if commit { "COMMIT" } else { "" };
        self.guarded(format!("{opening}{role}{books}{ending}")).await
    }

    /// Runs a text that fails unless the lock is held.
    async fn guarded(&mut self, sql: String) -> Result<()> {
        let result = self.link.execute(sql).await;
        if let Some(lock) = &mut self.lock {
            if result.is_ok() { lock.seen() } else { lock.doubt() }
        }
        result.map_err(|error| self.translate_bookkeeping(&error))
    }

    /// Begins a transaction in which texts mean the same whatever the settings are.
    async fn plainly(&mut self, begin: &str) -> Result<()> {
        let begun = self.link.execute(format!("{begin}; {}", contents::PLAIN_TEXTS)).await;
        begun.map_err(|error| self.translate(&error, 0).while_doing(READING_TABLES))
    }

    fn not_copied(&mut self, error: Copying) -> Error {
        match error {
            Copying::Driver(error) => self.translate(&error, 0).while_doing("copying rows"),
            Copying::Known(error) => error,
        }
    }

    /// Connects anew after the connection was lost.
    async fn reconnect(&mut self) -> Result<()> {
        let mut link = self.settings.connect(None).await?;
        let translate = |error: sqlx::Error| failures::translate(&error, 0).while_doing("going on in a new session");
        // The server may not have noticed yet, and still be busy with our last statement.
        stop::end(&mut link, &self.link.backend).await.map_err(translate)?;
        if let Some(lock) = &mut self.lock {
            lock.doubt();
            link.execute(self.settings.of_working_session()).await.map_err(translate)?;
            if let Attempt::Held(_) = lock.attempt_work(&mut link).await? {
                let reason = "another session holds the lock of the one that was lost".to_owned();
                return Err(Error::LockLost { reason });
            }
        }
        self.link = link;
        self.is_changed = false;
        Ok(())
    }
}

fn texts_of(sets: &[Vec<PgRow>]) -> Result<Vec<Texts>> {
    let texts = |row: &PgRow| (0..row.len()).map(|index| Ok(text(row, index)?.map(str::to_owned))).collect();
    let rows: std::result::Result<Vec<Texts>, sqlx::Error> = sets.iter().flatten().map(texts).collect();
    rows.map_err(|error| failures::translate(&error, 0).while_doing(READING_TABLES))
}

#[async_trait]
impl Backend for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn transactional_ddl(&self) -> bool {
        true
    }

    async fn state(&mut self) -> Result<State> {
        self.ready().await?;
        self.is_unsettled = true;
        let state = self.books.state(&mut self.link).await;
        self.is_unsettled = false;
        state.map_err(|error| self.unread(error))
    }

    async fn tables_and_tail(&mut self) -> Result<(Tables, LedgerTail)> {
        self.ready().await?;
        let opening = self.opening();
        let found = self.books.tables_and_tail(&mut self.link, &opening).await;
        let (tables, tail) = found.map_err(|error| self.unread(error))?;
        Ok((tables, tail.unwrap_or_else(LedgerTail::empty)))
    }

    async fn ledger(&mut self, limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        self.ready().await?;
        self.is_unsettled = true;
        let rows = self.books.ledger(&mut self.link, limit).await;
        self.is_unsettled = false;
        rows.map_err(|error| self.unread(error))
    }

    async fn verify_ledger(&mut self) -> Result<LedgerCheck> {
        self.ready().await?;
        self.is_unsettled = true;
        let check = self.books.verify(&mut self.link).await;
        self.is_unsettled = false;
        check.map_err(|error| self.unread(error))
    }

    async fn facts(&mut self, limit: Duration) -> Result<Facts> {
        let (have, _) = self.tables_and_tail().await?;
        self.is_unsettled = true;
        let facts = self.books.facts(&mut self.link, self.settings.schema.as_deref(), limit, have.ledger).await;
        match facts {
            Ok(facts) => {
                self.is_unsettled = false;
                Ok(facts)
            }
            Err(error) => {
                let error = error.into_error(|error| self.translate(&error, 0).while_doing(COLLECTING_FACTS));
                self.rollback().await?;
                Err(error)
            }
        }
    }

    async fn schema(&mut self) -> Result<Schema> {
        self.ready().await?;
        self.is_unsettled = true;
        match self.books.schema(&mut self.link).await {
            Ok(schema) => {
                self.is_unsettled = false;
                Ok(schema)
            }
            Err(error) => {
                let error = error.into_error(|error| self.translate(&error, 0).while_doing(READING_SCHEMA));
                self.rollback().await?;
                Err(error)
            }
        }
    }

    fn default_schema(&self) -> Option<String> {
        self.schema.clone()
    }

    async fn begin_reading(&mut self) -> Result<()> {
        self.ready().await?;
        self.is_unsettled = true;
        self.plainly(contents::BEGIN_READING).await
    }

    async fn tables(&mut self) -> Result<Vec<Table>> {
        let tables = self.books.tables(&mut self.link).await;
        tables.map_err(|error| error.into_error(|error| failures::translate(&error, 0).while_doing(READING_TABLES)))
    }

    async fn read_rows(&mut self, rows: Rows<'_>, sink: &mut dyn RowSink) -> Result<u64> {
        // Its rows are those of its partitions.
        if !rows.table.holds_rows || rows.columns.is_empty() {
            return Ok(0);
        }
        let copied = self.link.copy_out(&contents::copy_out(rows), &mut Lines::new(sink)).await;
        copied.map_err(|error| self.not_copied(error))
    }

    async fn ask(&mut self, sql: String) -> Result<Vec<Texts>> {
        let sets = self.link.rows(sql).await.map_err(|error| self.translate(&error, 0).while_doing(READING_TABLES))?;
        texts_of(&sets)
    }

    async fn ask_within(&mut self, sql: String, limit: Duration) -> Result<Option<Vec<Texts>>> {
        let limit = limit.as_millis().max(1);
        self.run(&format!("SAVEPOINT runner_question; SET LOCAL statement_timeout TO {limit}")).await?;
        let answer = match self.link.rows(sql).await {
            Ok(sets) => Some(sets),
            Err(error) if failures::code(&error) == Some(failures::CANCELED) => None,
            Err(error) => return Err(self.translate(&error, 0).while_doing(READING_TABLES)),
        };
        self.run("ROLLBACK TO runner_question; RELEASE runner_question").await?;
        let Some(sets) = answer else { return Ok(None) };
        texts_of(&sets).map(Some)
    }

    async fn begin_loading(&mut self, tables: &[&Table]) -> Result<()> {
        self.ready().await?;
        self.is_unsettled = true;
        self.plainly(contents::BEGIN_LOADING).await?;
        let held = contents::hold_triggers(&mut self.link, tables).await;
        self.held = held.map_err(|error| self.translate(&error, 0).while_doing("holding triggers and foreign keys"))?;
        Ok(())
    }

    async fn empty_table(&mut self, table: &Table) -> Result<()> {
        self.run(&format!("DELETE FROM ONLY {}", contents::name(table))).await
    }

    async fn load_rows(&mut self, rows: Rows<'_>, placing: Placing<'_>, source: &mut dyn RowSource) -> Result<u64> {
        if !rows.table.holds_rows || rows.columns.is_empty() {
            return match source.next().await.map_err(|Stopped| Error::Stopped)? {
                None => Ok(0),
                Some(_) => {
                    let reason = "the table can't hold any".to_owned();
                    Err(Error::Row { table: rows.table.name.clone(), row: 1, reason })
                }
            };
        }
        let arrival = contents::copy_in(rows, placing);
        if let Some(before) = arrival.before {
            self.run(&before).await?;
        }
        let copied = self.link.copy_in(&arrival.copy, source).await;
        let mut count = copied.map_err(|error| self.not_copied(error))?;
        if let Some(matches) = arrival.matches {
            let found = self.ask(matches).await?.into_iter().flatten().flatten().next();
            count = found.and_then(|found| found.parse().ok()).unwrap_or_default();
        }
        if let Some(after) = arrival.after {
            self.run(&after).await?;
        }
        Ok(count)
    }

    async fn end_loading(&mut self, keep: Option<(&VersionChange, &[LedgerRow])>) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let Some((change, rows)) = keep else { return self.rollback().await };
        for sql in held {
            self.run(&sql).await.map_err(|error| error.while_doing("letting triggers and foreign keys act again"))?;
        }
        self.is_unsettled = false;
        if rows.is_empty() { self.commit().await } else { self.record_and_commit(change, rows).await }
    }

    fn own_tables(&self) -> [ContentsName; 3] {
        [&self.books.version, &self.books.ledger, &name_beside(&self.books.ledger)]
            .map(|table| ContentsName { schema: table.schema.clone(), name: table.name.clone() })
    }

    async fn objects(&mut self) -> Result<Vec<String>> {
        let own = self.own_tables();
        let found = whole::objects(&mut self.link, &own).await;
        let found = found.map_err(|error| self.translate(&error, 0).while_doing(READING_TABLES))?;
        Ok(found.into_iter().map(|(kind, name)| format!("{} {name}", kind.to_lowercase())).collect())
    }

    async fn clear(&mut self) -> Result<()> {
        let own = self.own_tables();
        let found = whole::objects(&mut self.link, &own).await;
        let found = found.map_err(|error| self.translate(&error, 0).while_doing(READING_TABLES))?;
        for object in &found {
            self.run(&whole::removal(object)).await?;
        }
        Ok(())
    }

    async fn export_moment(&mut self) -> Result<Option<String>> {
        let moment = self.ask("SELECT pg_catalog.pg_export_snapshot()".to_owned()).await?;
        Ok(moment.into_iter().flatten().flatten().next())
    }

    async fn load_script_rows(&mut self, copy: &str, source: &mut dyn RowSource) -> Result<u64> {
        let copied = self.link.copy_in(copy, source).await;
        copied.map_err(|error| self.not_copied(error))
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
        self.last_holder.clone()
    }

    async fn find_holder(&mut self) -> Result<Option<Holder>> {
        self.ready().await?;
        let found = lock::find_holder(&mut self.link, &self.books.version).await;
        found.map_err(|error| self.translate(&error, 0).while_doing("looking for the holder of the lock"))
    }

    async fn try_lock(&mut self, me: &Holder) -> Result<LockAttempt> {
        self.ready().await?;
        // Whoever stops waiting for an answer must not keep what it gives.
        let mut lock = match self.lock.take() {
            Some(lock) => lock,
            None => LockSession::open(&self.settings, &self.books.version, me).await?,
        };
        self.is_unsettled = true;
        let attempt = lock.attempt(&self.settings, &mut self.link).await?;
        self.is_unsettled = false;
        self.lock = Some(lock);
        let attempt = match (attempt, &mut self.lock) {
            (Attempt::Acquired, Some(lock)) => lock.attempt_work(&mut self.link).await?,
            (attempt, _) => attempt,
        };
        match attempt {
            Attempt::Held(holder) => {
                self.last_holder.clone_from(&holder);
                Ok(LockAttempt::Held(holder))
            }
            Attempt::Acquired => {
                let settings = self.settings.of_working_session();
                self.run(&settings).await.map_err(|error| error.while_doing("preparing the session"))?;
                Ok(LockAttempt::Acquired)
            }
        }
    }

    async fn unlock(&mut self) -> Result<()> {
        // What is not committed must be gone before the next runner begins.
        let settled = self.ready().await;
        if let Some(lock) = self.lock.take() {
            if settled.is_ok() && lock.is_work_acquired {
                // A session that is gone has given it back already.
                let _ = self.link.execute(format!("SELECT {}", lock.release_work())).await;
            }
            lock.release().await;
        }
        settled
    }

    async fn check_lock(&mut self) -> Result<()> {
        match &mut self.lock {
            Some(lock) => lock.check().await,
            None => Err(Error::NotLocked),
        }
    }

    async fn begin(&mut self) -> Result<()> {
        self.ready().await?;
        self.begins = true;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        if std::mem::take(&mut self.begins) {
            return Ok(());
        }
        let Some(lock) = &self.lock else { return Err(Error::NotLocked) };
        // A division by zero ends the transaction if the lock is lost.
        let check = format!("SELECT 1 / ({})::int", lock.is_held_elsewhere());
        // Apart from the commit, where a trigger might divide by zero, too.
        let opening = self.opening();
        self.guarded(format!("{opening}{check}")).await?;
        let result = self.link.execute("COMMIT".to_owned()).await;
        result.map_err(|error| {
            self.is_unsettled |= failures::is_lost(&error);
            failures::of_commit(&error)
        })
    }

    async fn rollback(&mut self) -> Result<()> {
        self.begins = false;
        self.due.clear();
        if let Some(stop) = self.stop.take() {
            stop.wait(&mut self.link).await;
        }
        self.is_unsettled = true;
        // A cancellation that comes late hits the rollback.
        for _ in 0..3 {
            match self.link.rollback().await {
                Ok(()) => {
                    self.is_unsettled = false;
                    return Ok(());
                }
                Err(error) if failures::is_lost(&error) => break,
                Err(error) if failures::code(&error) == Some(failures::CANCELED) => {}
                Err(error) => return Err(self.translate(&error, 0).while_doing("rolling back")),
            }
        }
        let reconnected = self.reconnect().await;
        self.is_unsettled = reconnected.is_err();
        reconnected
    }

    async fn in_transaction(&mut self) -> Result<bool> {
        if self.begins {
            return Ok(true);
        }
        match self.link.execute("SAVEPOINT runner_probe".to_owned()).await {
            Ok(()) => {
                self.run("RELEASE SAVEPOINT runner_probe").await?;
                Ok(true)
            }
            Err(error) => match failures::code(&error) {
                Some(failures::NO_TRANSACTION) => Ok(false),
                Some(failures::FAILED_TRANSACTION) => Ok(true),
                _ => Err(self.translate(&error, 0).while_doing("looking for an open transaction")),
            },
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<()> {
        if !self.begins && self.due.is_empty() {
            evidence::refuse_invalid_index(&mut self.link, sql).await?;
        }
        self.is_changed |= statements::changes_session(sql);
        self.run(sql).await.map_err(|error| match error {
            Error::ConnectionLost { .. } => error.while_doing("running a statement"),
            error => error,
        })
    }

    async fn begin_and_execute(&mut self, sql: &str) -> Result<()> {
        self.begin().await?;
        self.execute(sql).await
    }

    async fn ensure_tables(&mut self, have: Tables) -> Result<()> {
        let Some(create) = self.books.create(have) else { return Ok(()) };
        let sql = format!("{}{create}", self.own_role());
        self.run(&sql).await.map_err(|error| match error {
            Error::Statement(statement) => {
                let hint = statement.hint.map_or_else(String::new, |hint| format!(" ({hint})"));
                let message = format!("{}{hint}", statement.message);
                Error::Database { doing: "creating the runner's tables", message, code: statement.code }
            }
            other => other.while_doing("creating the runner's tables"),
        })
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
        let text = format!("{}\n{}{sql};\nCOMMIT", outbox::BEGIN, self.own_role());
        let Err(error) = self.link.execute(text).await else { return Ok(Written::Done) };
        let is_missing = outbox::is_missing_table(&error);
        let error = self.translate(&error, 0).while_doing("writing the outbox");
        self.rollback().await?;
        if is_missing { Ok(Written::NoTable) } else { Err(error) }
    }

    async fn read_outbox(&mut self, sql: String) -> Result<Option<Vec<Texts>>> {
        self.ready().await?;
        match outbox::read(&mut self.link, sql).await {
            Err(error) if outbox::is_missing_table(&error) => Ok(None),
            Err(error) => Err(self.translate(&error, 0).while_doing("reading the outbox")),
            Ok(rows) => Ok(Some(rows)),
        }
    }

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem> {
        statements::preflight(script, &self.books)
    }

    fn placement(&self, statement: &str) -> Placement {
        statements::placement(statement)
    }

    async fn evidence(&mut self, statement: &str) -> Result<Evidence> {
        self.ready().await?;
        evidence::find(&mut self.link, statement).await
    }

    fn is_session_statement(&self, statement: &str) -> bool {
        statements::is_session_statement(statement)
    }

    fn changes_session(&self, statement: &str) -> bool {
        statements::changes_session(statement)
    }

    fn resets_inside_transactions(&self) -> bool {
        true
    }

    async fn reset_session(&mut self) -> Result<()> {
        if self.is_unsettled {
            self.rollback().await?;
        }
        // What `DISCARD ALL` does, which cannot be part of a transaction or of a longer text.
        let mut sql = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; \
                       SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; "
            .to_owned();
        let role = if self.role == "none" { "NONE".to_owned() } else { identifier(&self.role) };
        sql.push_str(&format!("SET ROLE {role}; "));
        sql.push_str(&self.settings.of_working_session());
        if let Some(lock) = &self.lock {
            sql.push_str(&format!("; SELECT {}", lock.take_work()));
        }
        self.run(&sql).await.map_err(|error| error.while_doing("resetting the session"))?;
        self.is_changed = false;
        Ok(())
    }

    fn interrupt(&mut self) {
        self.is_unsettled = true;
        if self.link.is_midway() && self.stop.is_none() {
            self.stop = Stop::start(&self.settings, &self.link.backend);
        }
    }

    fn abandon(&mut self) {
        // The server rolls back when the connection is closed, or this session before its next use.
        self.interrupt();
    }

    async fn close(self: Box<Self>) -> Result<()> {
        let Self { link, lock, .. } = *self;
        let closed = link.close().await;
        if let Some(lock) = lock {
            lock.release().await;
        }
        closed.map_err(|error| failures::translate(&error, 0).while_doing("closing the connection"))
    }
}
