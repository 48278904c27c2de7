//! A session with one target: what the runner uses.

use std::fmt;
use std::time::Duration;

use runner_chain::Dialect;

use crate::backend::Backend;
use crate::backend::Server;
use crate::contents::Loading;
use crate::contents::Reading;
use crate::contents::Table;
use crate::error::Error;
use crate::error::Result;
use crate::facts::Facts;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::lock;
use crate::lock::Holder;
use crate::mysql;
use crate::options::Options;
use crate::outbox;
use crate::outbox::Claim;
use crate::outbox::NewMessage;
use crate::outbox::OutboxMessage;
use crate::outbox::SettledMessage;
use crate::postgres;
use crate::preflight::PreflightProblem;
use crate::run::Run;
use crate::run::RunInfo;
use crate::run::TransactionMode;
use crate::schema::Schema;
use crate::script::ScriptStatement;
use crate::script::StepScript;
use crate::sqlite;
use crate::state::Dirty;
use crate::state::State;
use crate::transcript::Beginning;
use crate::transcript::Headings;
use crate::transcript::Transcript;
use crate::url::DatabaseUrl;

/// What a session does in [`Session::facts`].
pub(crate) const COLLECTING_FACTS: &str = "collecting facts about the target";
/// What a session does in [`Session::schema`].
pub(crate) const READING_SCHEMA: &str = "reading the schema";
/// What a session does in [`Reading::tables`].
pub(crate) const READING_TABLES: &str = "reading tables";
/// So long a server may take to end a query by itself.
const FACTS_GRACE: Duration = Duration::from_secs(1);

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only: creates no file and no table, and the database refuses every write. A hot journal that a crash left
    /// behind is still recovered, because nothing could be read otherwise.
    Read,
    /// Read, lock and run.
    Write,
}

/// A connection to one target. Dropping it gives back the lock and rolls back what is not committed.
pub struct Session {
    pub(crate) backend: Box<dyn Backend>,
    access: Access,
    locked: bool,
    /// The half-applied revisions as read under the lock, so that a run need not read them again.
    pub(crate) known_dirty: Option<Vec<Dirty>>,
    retries: u32,
    /// The URL without secrets.
    shown: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("server", self.backend.server())
            .field("access", &self.access)
            .field("locked", &self.locked)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the target. A SQLite file that is missing is created by the first write of a run, not before.
    ///
    /// # Errors
    /// [`Error::Connect`], [`Error::Unreadable`], [`Error::Unsupported`] or [`Error::InvalidOption`].
    pub async fn open(url: &DatabaseUrl, options: &Options, access: Access) -> Result<Self> {
        options.validate()?;
        let backend: Box<dyn Backend> = match url.dialect() {
            Dialect::Sqlite => Box::new(sqlite::Sqlite::open(url, options, access).await?),
            Dialect::Postgres => postgres::open(url, options, access).await?,
            Dialect::Mysql => mysql::open(url, options, access).await?,
        };
        let shown = url.to_string();
        Ok(Self { backend, access, locked: false, known_dirty: None, retries: options.retries, shown })
    }

    /// A session that connects to nothing: what it is told to run, it writes down as a script for the database's own
    /// client. `server` is who will run it, if that is known.
    ///
    /// # Errors
    /// [`Error::Unsupported`] or [`Error::InvalidOption`].
    pub fn transcript(
        url: &DatabaseUrl,
        options: &Options,
        server: Option<&Server>,
        beginning: Beginning,
    ) -> Result<Self> {
        options.validate()?;
        let pen = match url.dialect() {
            Dialect::Sqlite => sqlite::pen(options, server)?,
            Dialect::Postgres => postgres::pen(url, options, server)?,
            Dialect::Mysql => mysql::pen(url, options, server)?,
        };
        let backend = Box::new(Transcript::new(pen, url.to_string(), beginning));
        let shown = url.to_string();
        Ok(Self { backend, access: Access::Write, locked: true, known_dirty: None, retries: 0, shown })
    }

    /// Begins the script of a [`transcript`](Self::transcript).
    ///
    /// # Errors
    /// [`Error::ReadOnly`] for any other session, [`Error::Database`] for a text that the database cannot hold.
    pub fn start_script(&mut self, info: &RunInfo, headings: Headings) -> Result<()> {
        self.backend.start_script(info, headings)
    }

    /// Ends the script of a [`transcript`](Self::transcript), and gives it; `None` for any other session.
    #[must_use]
    pub fn take_script(&mut self) -> Option<String> {
        self.backend.take_script()
    }

    /// Who answers.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.backend.server()
    }

    /// The dialect of the target.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.backend.dialect()
    }

    /// Whether the database can roll DDL back; without it every step runs outside of a transaction.
    #[must_use]
    pub fn transactional_ddl(&self) -> bool {
        self.backend.transactional_ddl()
    }

    /// Reads the version rows and the ledger at one moment.
    ///
    /// # Errors
    /// [`Error::Locked`] if somebody keeps even readers out, [`Error::LedgerDamaged`] if a row cannot be understood, or a
    /// failure of the database.
    pub async fn state(&mut self) -> Result<State> {
        let state = match self.backend.state().await {
            Err(Error::Busy { waited, .. }) => {
                return Err(Error::Locked { holder: self.backend.holder().map(Box::new), waited });
            }
            Err(Error::Database { message, .. }) if message.starts_with("no such column") => {
                return Err(self.backend.foreign_tables(&message));
            }
            state => state?,
        };
        self.known_dirty = self.locked.then(|| state.dirty.clone());
        Ok(state)
    }

    /// Takes the lock, asking again every 50 ms until `wait` has passed (zero: ask once). `on_wait` hears of each vain
    /// attempt, with the holder as far as it is known and the time waited so far.
    ///
    /// # Errors
    /// [`Error::Locked`] that names the holder, or a failure of the database.
    pub async fn lock(
        &mut self,
        wait: Duration,
        me: &Holder,
        on_wait: &mut (dyn FnMut(Option<&Holder>, Duration) + Send),
    ) -> Result<()> {
        self.writable()?;
        if !self.locked {
            lock::acquire(self.backend.as_mut(), wait, me, on_wait).await?;
            self.locked = true;
        }
        Ok(())
    }

    /// Gives the lock back; harmless without one.
    ///
    /// # Errors
    /// A failure of the database or, on SQLite, of removing the lock file.
    pub async fn unlock(&mut self) -> Result<()> {
        self.locked = false;
        self.known_dirty = None;
        self.backend.unlock().await
    }

    /// Looks for statements that must not run as they stand, before anything runs. `mode` is that of the run to come.
    #[must_use]
    pub fn preflight(&self, steps: &[StepScript], mode: TransactionMode) -> Vec<PreflightProblem> {
        let mut problems = Vec::new();
        for script in steps {
            if script.total() == 0 {
                continue;
            }
            if mode == TransactionMode::PerRun
                && let Some((message, help)) = self.refused_per_run(script)
            {
                problems.push(PreflightProblem {
                    revision: script.revision.clone(),
                    direction: script.direction,
                    statement: None,
                    message,
                    help: help.to_owned(),
                });
            }
            problems.extend(self.backend.preflight(script));
        }
        problems
    }

    /// Why a step does not fit into a run that is one transaction, and what to do about it.
    fn refused_per_run(&self, script: &StepScript) -> Option<(String, &'static str)> {
        if !self.backend.transactional_ddl() {
            let product = &self.backend.server().product;
            return Some((
                format!(
                    "a run cannot be one transaction on {product}, which commits every change of a definition at once"
                ),
                "use one transaction per revision: `transaction = \"per-revision\"` in `[database]`",
            ));
        }
        (!script.transactional).then(|| {
            (
                "a step with `Transaction: off` cannot be part of a run that is one transaction".to_owned(),
                "use one transaction per revision: `transaction = \"per-revision\"` in `[database]`",
            )
        })
    }

    /// Says that no revision is half-way, so that the next run need not read the ledger to know. For scratch databases.
    pub fn nothing_is_half_done(&mut self) {
        self.known_dirty = Some(Vec::new());
    }

    /// Starts a run. Nothing is written until its first step is.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::NotLocked`], or a failure of the database.
    pub async fn start_run(&mut self, info: RunInfo, mode: TransactionMode) -> Result<Run<'_>> {
        self.writable()?;
        if !self.locked {
            return Err(Error::NotLocked);
        }
        let dirty = match self.known_dirty.take() {
            Some(dirty) => dirty,
            None => self.backend.state().await?.dirty,
        };
        Run::start(self.backend.as_mut(), info, mode, dirty, self.retries).await
    }

    /// The ledger's rows, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::LedgerDamaged`] if a row cannot be understood, or a failure of the database.
    pub async fn ledger(&mut self, limit: Option<usize>) -> Result<Vec<LedgerRow>> {
        self.backend.ledger(limit).await
    }

    /// Checks the whole hash chain of the ledger.
    ///
    /// # Errors
    /// A failure of the database; damage is not an error but an answer.
    pub async fn verify_ledger(&mut self) -> Result<LedgerCheck> {
        self.backend.verify_ledger().await
    }

    /// What the target holds, and the latest steps; for at most `limit`, and a moment more for a server to end its query.
    /// Writes nothing and waits for nobody's lock for long. Not for use within a run.
    ///
    /// # Errors
    /// [`Error::Database`] if it takes too long, or a failure of the database.
    pub async fn facts(&mut self, limit: Duration) -> Result<Facts> {
        match tokio::time::timeout(limit + FACTS_GRACE, self.backend.facts(limit)).await {
            Ok(facts) => facts,
            Err(_) => {
                self.backend.interrupt();
                let message = format!("it took longer than {limit:?}");
                Err(Error::Database { doing: COLLECTING_FACTS, message, code: None })
            }
        }
    }

    /// Everything that the schema is made of, without the runner's own tables.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn schema(&mut self) -> Result<Schema> {
        self.backend.schema().await
    }

    /// The schema of names without one; `None` where there are no schemas.
    #[must_use]
    pub fn default_schema(&self) -> Option<String> {
        self.backend.default_schema()
    }

    /// The target as people call it, without secrets.
    #[must_use]
    pub fn shown_target(&self) -> String {
        self.shown.clone()
    }

    /// Looks at the contents of the target at one moment. Not for use within a run.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn read(&mut self) -> Result<Reading<'_>> {
        Reading::begin(self.backend.as_mut()).await
    }

    /// Puts contents into the target, in one transaction as far as the database has such; triggers and foreign keys of the given
    /// tables do not act on what comes and goes meanwhile.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::NotLocked`], or a failure of the database: the account must own the tables.
    pub async fn load(&mut self, tables: &[&Table]) -> Result<Loading<'_>> {
        self.locked_to_write()?;
        self.known_dirty = None;
        Loading::begin(self.backend.as_mut(), tables).await
    }

    /// Runs statements in one transaction, as far as the database has such, and records nothing. For scratch databases.
    ///
    /// # Errors
    /// [`Error::Statement`] with the statement that failed, counted from 0; [`Error::NotLocked`].
    pub async fn run_unrecorded(&mut self, statements: &[ScriptStatement]) -> Result<()> {
        self.writable()?;
        self.backend.begin().await?;
        for (index, statement) in statements.iter().enumerate() {
            if let Err(error) = self.backend.execute(&statement.text).await {
                self.backend.rollback().await?;
                return Err(error.at_statement(index));
            }
        }
        self.backend.commit().await
    }

    /// Who holds the lock now, as far as the database tells.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn holder(&mut self) -> Result<Option<Holder>> {
        self.backend.find_holder().await
    }

    /// Stores messages in the outbox, in a transaction of their own. It needs no lock.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Connect`] for a SQLite file that is missing, [`Error::Busy`], or a failure of the
    /// database.
    pub async fn store_messages(&mut self, messages: &[NewMessage]) -> Result<()> {
        self.writable()?;
        outbox::store(self.backend.as_mut(), messages).await
    }

    /// Messages of the outbox that are not delivered, oldest first, dead ones included.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn unsent_messages(&mut self, limit: usize) -> Result<Vec<OutboxMessage>> {
        outbox::unsent(self.backend.as_mut(), limit).await
    }

    /// Claims messages that can be sent now, so that nobody else sends them meanwhile.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Busy`], or a failure of the database.
    pub async fn claim_messages(&mut self, claim: &Claim<'_>) -> Result<Vec<OutboxMessage>> {
        self.writable()?;
        outbox::claim(self.backend.as_mut(), claim).await
    }

    /// Whether another than `by` has messages of one of these channels in its hands.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn is_channel_claimed(&mut self, by: &str, channels: &[&str]) -> Result<bool> {
        outbox::is_claimed_by_another(self.backend.as_mut(), by, channels).await
    }

    /// Records what came of messages that were claimed by `by`.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Busy`], or a failure of the database.
    pub async fn settle_messages(&mut self, by: &str, settled: &[SettledMessage]) -> Result<()> {
        self.writable()?;
        outbox::settle(self.backend.as_mut(), by, settled).await
    }

    /// Gives back what `by` has claimed and not settled.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Busy`], or a failure of the database.
    pub async fn release_messages(&mut self, by: &str) -> Result<()> {
        self.writable()?;
        outbox::release(self.backend.as_mut(), by).await
    }

    /// Has dead letters tried again: all, or those of these keys.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Busy`], or a failure of the database.
    pub async fn revive_messages(&mut self, keys: Option<&[&str]>) -> Result<()> {
        self.writable()?;
        outbox::revive(self.backend.as_mut(), keys).await
    }

    /// Deletes messages that are not delivered.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Busy`], or a failure of the database.
    pub async fn discard_messages(&mut self, keys: &[&str]) -> Result<()> {
        self.writable()?;
        outbox::discard(self.backend.as_mut(), keys).await
    }

    /// Deletes messages that were delivered more than 30 days ago.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::Busy`], or a failure of the database.
    pub async fn prune_messages(&mut self) -> Result<()> {
        self.writable()?;
        outbox::prune(self.backend.as_mut()).await
    }

    /// Closes the connection, giving back the lock.
    ///
    /// # Errors
    /// As [`Session::unlock`], or a failure of the database.
    pub async fn close(mut self) -> Result<()> {
        self.unlock().await?;
        self.backend.close().await
    }

    /// The same, in a process that ends at once: what the system does at its end need not be done.
    ///
    /// # Errors
    /// As [`Session::close`].
    pub async fn close_at_exit(mut self) -> Result<()> {
        self.unlock().await?;
        self.backend.close_at_exit().await
    }

    pub(crate) fn locked_to_write(&self) -> Result<()> {
        self.writable()?;
        if self.locked { Ok(()) } else { Err(Error::NotLocked) }
    }

    fn writable(&self) -> Result<()> {
        if self.access == Access::Read { Err(Error::ReadOnly) } else { Ok(()) }
    }
}
