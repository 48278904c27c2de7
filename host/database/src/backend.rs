//! What a dialect must be able to do. Everything above this trait is the same for every database.
//!
//! A dialect without transactional DDL answers `false` to [`Backend::transactional_ddl`] and every step takes the path of
//! `Transaction: off`. One with a server joins [`Backend::record_and_commit`] into one round trip, keeps its advisory lock on
//! a session of its own behind [`Backend::try_lock`], and cancels through [`Backend::interrupt`].

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use runner_chain::Dialect;
use serde::Serialize;

use crate::contents::Placing;
use crate::contents::RowSink;
use crate::contents::RowSource;
use crate::contents::Rows;
use crate::contents::Table;
use crate::contents::TableName;
use crate::error::Error;
use crate::error::Result;
use crate::facts::Facts;
use crate::ledger::LedgerCheck;
use crate::ledger::LedgerRow;
use crate::lock::Holder;
use crate::outbox::Speech;
use crate::outbox::Texts;
use crate::outbox::Written;
use crate::preflight::PreflightProblem;
use crate::run::RunInfo;
use crate::schema::Schema;
use crate::script::StepScript;
use crate::script::VersionChange;
use crate::state::LedgerTail;
use crate::state::State;
use crate::transcript::Headings;

/// Who answers at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// The product, e.g. `SQLite`.
    pub product: String,
    /// Its version, e.g. `3.51.3`.
    pub version: String,
    /// The database, without secrets.
    pub database: String,
}

/// The answer to one attempt at the lock.
#[derive(Debug)]
pub(crate) enum LockAttempt {
    Acquired,
    /// Held by this runner, or by somebody unknown.
    Held(Option<Holder>),
}

/// How a statement of a step outside a transaction may be joined with its progress row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Commits together with its progress row.
    Joint,
    /// Refuses a transaction, or has no effect in one; it is safe to repeat.
    Bare,
    /// Refuses a transaction, and does harm or fails when it is repeated: after a crash only [`Backend::evidence`] can tell
    /// whether it ran.
    Alone,
    /// Opens a transaction of the script's own.
    Opens,
    /// Commits the script's transaction, or a part of it.
    Commits,
    /// Takes back the script's transaction, or a part of it.
    RollsBack,
}

/// What a database shows of a statement of which nobody knows whether it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// It did not run, so it may.
    NotRun,
    /// Nobody can tell; why, and what to look at.
    Unknown(String),
}

/// Which of the runner's tables exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    pub(crate) version: bool,
    pub(crate) ledger: bool,
}

#[async_trait]
pub(crate) trait Backend: Send {
    fn dialect(&self) -> Dialect;
    fn server(&self) -> &Server;

    /// Whether DDL can be rolled back.
    fn transactional_ddl(&self) -> bool;

    async fn state(&mut self) -> Result<State>;
    async fn tables_and_tail(&mut self) -> Result<(Tables, LedgerTail)>;
    async fn ledger(&mut self, limit: Option<usize>) -> Result<Vec<LedgerRow>>;
    async fn verify_ledger(&mut self) -> Result<LedgerCheck>;
    /// What the target holds. A server ends a query itself that takes longer than `limit`.
    async fn facts(&mut self, limit: Duration) -> Result<Facts>;

    /// Everything that the schema is made of.
    async fn schema(&mut self) -> Result<Schema>;

    /// The schema of names without one; `None` where there are no schemas.
    fn default_schema(&self) -> Option<String> {
        None
    }

    /// Begins a transaction in which everything is seen as it is at one moment, ended by [`Backend::end_reading`].
    async fn begin_reading(&mut self) -> Result<()>;
    async fn end_reading(&mut self) -> Result<()> {
        self.rollback().await
    }
    /// The tables but the runner's own, ordered by name. Only within [`Backend::begin_reading`] or [`Backend::begin_loading`].
    async fn tables(&mut self) -> Result<Vec<Table>>;
    /// Hands all rows of a table on.
    async fn read_rows(&mut self, rows: Rows<'_>, sink: &mut dyn RowSink) -> Result<u64>;
    /// Rows of a question, as texts. Only within [`Backend::begin_reading`] or [`Backend::begin_loading`].
    async fn ask(&mut self, sql: String) -> Result<Vec<Texts>>;
    /// The same; `None` if it takes longer than `limit`. Only within [`Backend::begin_reading`].
    async fn ask_within(&mut self, sql: String, limit: Duration) -> Result<Option<Vec<Texts>>>;
    /// Begins a transaction in which rows are put into tables, ended by [`Backend::end_loading`]. Triggers and foreign keys of
    /// the given tables, which exist, act no more.
    async fn begin_loading(&mut self, tables: &[&Table]) -> Result<()>;
    async fn empty_table(&mut self, table: &Table) -> Result<()>;
    async fn load_rows(&mut self, rows: Rows<'_>, placing: Placing<'_>, source: &mut dyn RowSource) -> Result<u64>;
    /// Lets triggers and foreign keys act again, and ends the transaction: commits if `keep`. Version rows and the ledger's
    /// rows, if there are any, are part of it; without any it is a trial, and foreign keys are not looked at where the database
    /// does not do so by itself.
    async fn end_loading(&mut self, keep: Option<(&VersionChange, &[LedgerRow])>) -> Result<()>;

    /// The runner's own tables: version rows, ledger, outbox.
    fn own_tables(&self) -> [TableName; 3];
    /// What [`Backend::clear`] would remove. Only within [`Backend::begin_reading`] or [`Backend::begin_loading`].
    async fn objects(&mut self) -> Result<Vec<String>>;
    /// Removes everything but the runner's own tables. Only within [`Backend::begin_loading`].
    async fn clear(&mut self) -> Result<()> {
        Err(self.unsupported())
    }
    /// A name by which another session sees the same moment; `None` where that can't be. Only within [`Backend::begin_reading`].
    async fn export_moment(&mut self) -> Result<Option<String>> {
        Ok(None)
    }
    /// Hands on the file of the database as it is at the moment. Only within [`Backend::begin_reading`].
    async fn read_pages(&mut self, _sink: &mut dyn RowSink) -> Result<u64> {
        Err(self.unsupported())
    }
    /// Gives rows to a `COPY` of a script. Only within [`Backend::begin_loading`].
    async fn load_script_rows(&mut self, _copy: &str, _source: &mut dyn RowSource) -> Result<u64> {
        Err(self.unsupported())
    }
    /// Puts ledger and outbox in the place of those of a file, which nobody else has open.
    async fn carry_books(&mut self, _into: &Path) -> Result<()> {
        Err(self.unsupported())
    }
    /// Takes over the contents of a file, all of them or nothing.
    async fn become_copy(&mut self, _of: &Path) -> Result<()> {
        Err(self.unsupported())
    }
    /// The error of what a dialect does not do.
    fn unsupported(&self) -> Error {
        Error::Unsupported { dialect: self.dialect() }
    }

    /// The error for tables that have the names of the runner's, and other columns.
    fn foreign_tables(&self, message: &str) -> Error;

    /// Who holds the lock now, as far as that is known without waiting.
    fn holder(&self) -> Option<Holder>;

    /// The same, asked of the database.
    async fn find_holder(&mut self) -> Result<Option<Holder>> {
        Ok(self.holder())
    }

    /// Asks for the lock once, without waiting.
    async fn try_lock(&mut self, me: &Holder) -> Result<LockAttempt>;
    /// Gives back whatever an attempt took; harmless without a lock.
    async fn unlock(&mut self) -> Result<()>;

    /// Makes sure that the lock is still this session's. Where the lock can be lost with a connection of its own, bookkeeping
    /// must check it as well, in the transaction that it commits.
    ///
    /// Fails with [`Error::LockLost`].
    async fn check_lock(&mut self) -> Result<()> {
        Ok(())
    }

    /// Hears that a step begins.
    fn announce(&mut self) {}
    /// Begins a script; only for a backend that writes one.
    fn start_script(&mut self, _info: &RunInfo, _headings: Headings) -> Result<()> {
        Err(Error::ReadOnly)
    }
    /// Ends the script and gives it; `None` where none is written.
    fn take_script(&mut self) -> Option<String> {
        None
    }

    async fn begin(&mut self) -> Result<()>;
    async fn commit(&mut self) -> Result<()>;
    /// Rolls back; harmless outside a transaction.
    async fn rollback(&mut self) -> Result<()>;
    /// Whether the connection is inside a transaction, asked of the connection itself.
    async fn in_transaction(&mut self) -> Result<bool>;
    /// Runs one statement of a script and discards its rows.
    async fn execute(&mut self, sql: &str) -> Result<()>;

    /// Begins a transaction and runs a script's first statement in it, in one round trip where the dialect can.
    async fn begin_and_execute(&mut self, sql: &str) -> Result<()> {
        self.begin().await?;
        self.execute(sql).await
    }

    async fn ensure_tables(&mut self, have: Tables) -> Result<()>;
    /// Changes the version rows and inserts the ledger rows; fails with [`crate::Error::Concurrent`] unless every row is found as
    /// expected.
    async fn record(&mut self, change: &VersionChange, rows: &[LedgerRow]) -> Result<()>;
    /// The same and the commit, in one round trip where the dialect can.
    async fn record_and_commit(&mut self, change: &VersionChange, rows: &[LedgerRow]) -> Result<()> {
        self.record(change, rows).await?;
        self.commit().await
    }

    /// How the outbox's SQL is written for this database.
    fn outbox(&self) -> Result<Speech>;
    /// Runs statements on the outbox in a transaction of their own. Never called while another is open. It needs no lock, and
    /// waits for others only shortly.
    async fn write_outbox(&mut self, sql: String) -> Result<Written>;
    /// The rows of one query on the outbox; `None` if there is no such table.
    async fn read_outbox(&mut self, sql: String) -> Result<Option<Vec<Texts>>>;

    fn preflight(&self, script: &StepScript) -> Vec<PreflightProblem>;
    fn placement(&self, statement: &str) -> Placement;
    /// Looks for traces of a statement that is placed [`Placement::Alone`].
    async fn evidence(&mut self, statement: &str) -> Result<Evidence> {
        let _ = statement;
        Ok(Evidence::Unknown("look at what it should have made".to_owned()))
    }
    /// Whether the statement changes only this session, so that a resumed step must repeat it.
    fn is_session_statement(&self, statement: &str) -> bool;
    /// Whether a later step would notice in its session that the statement ran: a session statement, or one that does not make
    /// sense to repeat.
    fn changes_session(&self, statement: &str) -> bool {
        self.is_session_statement(statement)
    }
    /// Whether [`Backend::reset_session`] can be part of a transaction.
    fn resets_inside_transactions(&self) -> bool {
        false
    }
    /// Takes back what the session statements of a step left behind.
    async fn reset_session(&mut self) -> Result<()>;

    /// Asks a running statement to stop, without waiting.
    fn interrupt(&mut self);
    /// Rolls back without waiting, for use in `Drop`.
    fn abandon(&mut self);

    async fn close(self: Box<Self>) -> Result<()>;
    /// Closes, in a process that ends at once: what the system does at its end need not be done.
    async fn close_at_exit(self: Box<Self>) -> Result<()> {
        self.close().await
    }
}
