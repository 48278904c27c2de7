//! A target as a whole: what a backup of everything needs besides the rows of tables.

use std::path::Path;

use crate::backend::Tables;
use crate::contents::Form;
use crate::contents::Loading;
use crate::contents::Reading;
use crate::contents::RowSink;
use crate::contents::RowSource;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::TableName;
use crate::error::Error;
use crate::error::Result;
use crate::ledger::COLUMNS;
use crate::run::RunInfo;
use crate::run::journal::Journal;
use crate::script::VersionChange;
use crate::session::Session;
use crate::state::LedgerTail;
use crate::state::RecordedStatus;

/// What a restored target says about a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The revision.
    pub revision: String,
    /// What is true of it now: stamped, skipped or unstamped.
    pub status: RecordedStatus,
    /// The checksum of its file.
    pub checksum: Option<String>,
    /// The checksum of its SQL.
    pub sql_checksum: Option<String>,
    /// Why.
    pub reason: String,
}

impl Reading<'_> {
    /// A name by which another session of the server sees the same moment; `None` where that can't be.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn export_moment(&mut self) -> Result<Option<String>> {
        self.backend.export_moment().await
    }

    /// Hands on the file of the database; only SQLite has one. Gives its length in bytes.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Stopped`] if the sink wants no more, or a failure of the database.
    pub async fn pages(&mut self, sink: &mut dyn RowSink) -> Result<u64> {
        self.backend.read_pages(sink).await
    }

    /// What is in the target besides the runner's own tables, as in `view "clinic"."open"`.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn objects(&mut self) -> Result<Vec<String>> {
        self.backend.objects().await
    }

    /// The ledger as a table whose rows can be read, if there is one.
    #[must_use]
    pub fn ledger_table(&self) -> Table {
        let [_, ledger, _] = self.backend.own_tables();
        ledger_table(ledger)
    }
}

impl Loading<'_> {
    /// Removes everything but the runner's own tables. Where definitions commit, that is final.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn clear(&mut self) -> Result<()> {
        self.backend.clear().await
    }

    /// Gives rows to a `COPY` of a script, as PostgreSQL has it.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Stopped`] if the source has no more to give, or a failure of the database.
    pub async fn script_rows(&mut self, copy: &str, source: &mut dyn RowSource) -> Result<u64> {
        self.backend.load_script_rows(copy, source).await
    }

    /// The ledger, into which rows can be put as long as it is empty.
    #[must_use]
    pub fn ledger_table(&self) -> Table {
        let [_, ledger, _] = self.backend.own_tables();
        ledger_table(ledger)
    }

    /// Looks again where the ledger stands, after rows were put into it.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn read_tail(&mut self) -> Result<()> {
        let name = self.ledger_table().sql_name(self.backend.dialect());
        let last = format!("SELECT CONCAT(id, ''), hash FROM {name} ORDER BY id DESC LIMIT 1");
        let last = self.backend.ask(last).await?.into_iter().next().unwrap_or_default();
        if let [Some(id), Some(hash)] = last.as_slice() {
            self.ledger = LedgerTail { id: id.parse().unwrap_or_default(), hash: hash.clone() };
        }
        Ok(())
    }
}

impl Session {
    /// The runner's own tables: version rows, ledger, outbox.
    #[must_use]
    pub fn own_tables(&self) -> [TableName; 3] {
        self.backend.own_tables()
    }

    /// Says in the ledger that a revision is about to change, so that a process that dies leaves a trace.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], [`Error::NotLocked`], or a failure of the database.
    pub async fn unsettle(&mut self, info: RunInfo, revision: &str, reason: &str) -> Result<()> {
        self.locked_to_write()?;
        let backend = self.backend.as_mut();
        backend.begin().await?;
        let (have, tail) = backend.tables_and_tail().await?;
        backend.ensure_tables(have).await?;
        let rows = Journal::new(info, Tables { version: true, ledger: true }, tail).unsettled(revision, reason);
        backend.record_and_commit(&VersionChange::default(), &rows).await
    }

    /// Puts ledger and outbox in the place of those of a file, which nobody else has open. Only for SQLite.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::NotLocked`], or a failure of the database.
    pub async fn carry_books(&mut self, into: &Path) -> Result<()> {
        self.locked_to_write()?;
        self.backend.carry_books(into).await
    }

    /// Takes over the contents of a file, all of them or nothing. Only for SQLite.
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::NotLocked`], or a failure of the database, after which nothing has changed.
    pub async fn become_copy(&mut self, of: &Path) -> Result<()> {
        self.locked_to_write()?;
        self.known_dirty = None;
        self.backend.become_copy(of).await
    }
}

fn ledger_table(name: TableName) -> Table {
    let column = |name: &str| TableColumn {
        name: name.to_owned(),
        kind: "text".to_owned(),
        is_generated: false,
        form: Form::Text,
        default: None,
    };
    Table {
        schema: name.schema,
        name: name.name,
        columns: COLUMNS.into_iter().map(column).collect(),
        key: vec!["id".to_owned()],
        children: Vec::new(),
        rows_estimate: None,
        references: Vec::new(),
        has_triggers: false,
        holds_rows: true,
        create: Vec::new(),
        complete: Vec::new(),
        connect: Vec::new(),
        counters: Vec::new(),
    }
}

/// The error of a target that can't take a file over.
pub(crate) fn other_layout(target: String, message: String) -> Error {
    Error::Unreadable { target, message, hint: "restore the backup to a new file with `--to`".to_owned() }
}
