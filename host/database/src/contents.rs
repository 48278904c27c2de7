//! The contents of tables, streamed out of a target and into one as lines of text.
//!
//! A line is a row. Fields are separated by tabs; `\N` is NULL; in all others backslash, tab, line feed and carriage return
//! stand as `\\`, `\t`, `\n` and `\r` (PostgreSQL also writes `\b`, `\f` and `\v`). That is the text form of `COPY` in
//! PostgreSQL, and what `LOAD DATA` of MySQL reads by default.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use runner_chain::Dialect;

use crate::backend::Backend;
use crate::backend::Tables;
use crate::error::Error;
use crate::error::Result;
use crate::ledger::LedgerRow;
use crate::mysql;
use crate::postgres;
use crate::run::RunInfo;
use crate::run::journal::Journal;
use crate::script::VersionChange;
use crate::sqlite;
use crate::state::LedgerTail;
use crate::whole::Settled;

/// So many bytes of rows are handed on at a time, at least.
pub(crate) const CHUNK: usize = 256 * 1024;

/// A table whose rows can be saved and put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema; `None` on SQLite and MySQL, where the database is the schema.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<TableColumn>,
    /// Columns that tell one row from another and are never NULL: those of the primary key, or else of a unique index. Empty:
    /// there are none.
    pub key: Vec<String>,
    /// Tables whose rows are seen through this one: partitions, and those that inherit from it.
    pub children: Vec<TableName>,
    /// How many rows it has by the database's statistics.
    pub rows_estimate: Option<u64>,
    /// What its rows refer to.
    pub references: Vec<Reference>,
    /// Whether a trigger or a rule acts on changes of its rows.
    pub has_triggers: bool,
    /// Whether it has rows of its own; a partitioned table has only those of its partitions.
    pub holds_rows: bool,
    /// SQL that makes it as far as its rows need it, and the types they have.
    pub create: Vec<String>,
    /// SQL for when rows are in it: keys, indexes, defaults.
    pub complete: Vec<String>,
    /// SQL for when all tables are complete: foreign keys, triggers.
    pub connect: Vec<String>,
    /// SQL that sets the counters for values to come as they were.
    pub counters: Vec<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table referred to.
    pub table: TableName,
    /// Its own columns.
    pub columns: Vec<String>,
    /// What becomes of a row when the row that it refers to is deleted, as in `CASCADE`.
    pub on_delete: String,
}

/// A name as SQL, in quotes.
#[must_use]
pub fn quoted_name(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => sqlite::quoted(name),
        Dialect::Postgres => postgres::quoted(name),
        Dialect::Mysql => mysql::quoted(name),
    }
}

/// A table's name, in its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema, where there are any.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
}

impl std::fmt::Display for TableName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(formatter, "{schema}.{}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type as the database writes it.
    pub kind: String,
    /// Computed from other columns, so that it can't be written.
    pub is_generated: bool,
    /// How its values are written.
    pub form: Form,
    /// The expression of its default; `None` where there is none.
    pub default: Option<String>,
}

/// How the values of a column are written in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the database writes them as text.
    Text,
    /// Their bytes as hexadecimal digits.
    Hex,
    /// As literals of SQLite's SQL, because there each value has a type of its own.
    Literal,
}

impl Form {
    /// The word in a backup's manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hex => "hex",
            Self::Literal => "literal",
        }
    }
}

impl Table {
    /// Its name in its schema.
    #[must_use]
    pub fn full_name(&self) -> TableName {
        TableName { schema: self.schema.clone(), name: self.name.clone() }
    }

    /// Its name as SQL.
    #[must_use]
    pub fn sql_name(&self, dialect: Dialect) -> String {
        let name = quoted_name(&self.name, dialect);
        match (&self.schema, dialect) {
            (Some(schema), _) => format!("{}.{name}", quoted_name(schema, dialect)),
            (None, Dialect::Sqlite) => format!("main.{name}"),
            (None, _) => name,
        }
    }

    /// The columns that can be written, in order.
    pub fn stored(&self) -> impl Iterator<Item = &TableColumn> {
        self.columns.iter().filter(|column| !column.is_generated)
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Rows of a table, with some of its columns.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The table.
    pub table: &'a Table,
    /// Which of its columns, in the order of the fields.
    pub columns: &'a [TableColumn],
}

/// Whoever takes or gives rows wants no more of it. Why, they know themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Takes rows as they come: whole lines.
#[async_trait]
pub trait RowSink: Send {
    /// Takes some.
    async fn take(&mut self, lines: Vec<u8>) -> Result<(), Stopped>;
}

/// Gives rows.
#[async_trait]
pub trait RowSource: Send {
    /// The next ones: whole lines; `None` after the last.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Stopped>;
}

/// What rows do to the table they are put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing<'a> {
    /// They are added.
    Insert,
    /// They change the rows that have the same values in these columns.
    Update {
        /// The columns, which must be among those of the rows.
        key: &'a [String],
    },
}

/// Contents at one moment. Dropping it ends the moment.
pub struct Reading<'s> {
    pub(crate) backend: &'s mut dyn Backend,
    is_open: bool,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reading").finish_non_exhaustive()
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.backend.abandon();
        }
    }
}

impl<'s> Reading<'s> {
    pub(crate) async fn begin(backend: &'s mut dyn Backend) -> Result<Self> {
        backend.begin_reading().await?;
        Ok(Self { backend, is_open: true })
    }

    /// All tables of the target but the runner's own, ordered by name.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn tables(&mut self) -> Result<Vec<Table>> {
        self.backend.tables().await
    }

    /// Hands all rows of a table on. Gives their number.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the sink wants no more, or a failure of the database.
    pub async fn rows(&mut self, rows: Rows<'_>, sink: &mut dyn RowSink) -> Result<u64> {
        self.backend.read_rows(rows, sink).await
    }

    /// The rows of a question, as texts; `None` if the answer takes longer than `limit`.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn ask(&mut self, sql: String, limit: Duration) -> Result<Option<Vec<Vec<Option<String>>>>> {
        self.backend.ask_within(sql, limit).await
    }

    /// Ends the moment.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn finish(mut self) -> Result<()> {
        self.is_open = false;
        self.backend.end_reading().await
    }
}

/// Contents that are put into a target, in one transaction. Dropping it takes everything back.
pub struct Loading<'s> {
    pub(crate) backend: &'s mut dyn Backend,
    is_open: bool,
    /// Where the ledger's chain stands. Nobody else adds to it while the lock is held.
    pub(crate) ledger: LedgerTail,
    /// What would commit the rows too early, where definitions commit.
    later: Vec<String>,
}

impl std::fmt::Debug for Loading<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Loading").finish_non_exhaustive()
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.backend.abandon();
        }
    }
}

impl<'s> Loading<'s> {
    pub(crate) async fn begin(backend: &'s mut dyn Backend, tables: &[&Table]) -> Result<Self> {
        // Before everything else: where definitions commit, it must not be in the middle.
        backend.begin().await?;
        let (have, ledger) = backend.tables_and_tail().await?;
        backend.ensure_tables(have).await?;
        backend.commit().await?;
        let begun = backend.begin_loading(tables).await;
        let loading = Self { backend, is_open: true, ledger, later: Vec::new() };
        begun?;
        Ok(loading)
    }

    /// All tables of the target but the runner's own, ordered by name.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn tables(&mut self) -> Result<Vec<Table>> {
        self.backend.tables().await
    }

    /// Runs statements of a manifest.
    ///
    /// # Errors
    /// [`Error::Statement`] with the statement that failed, counted from 0, or another failure of the database.
    pub async fn run(&mut self, statements: &[String]) -> Result<()> {
        for (index, statement) in statements.iter().enumerate() {
            self.backend.execute(statement).await.map_err(|error| error.at_statement(index))?;
        }
        if !self.backend.transactional_ddl() && !statements.is_empty() {
            self.backend.execute("START TRANSACTION").await?;
        }
        Ok(())
    }

    /// Runs statements of a manifest that belong behind the rows: at once, or behind the commit where definitions commit.
    ///
    /// # Errors
    /// As for [`Loading::run`].
    pub async fn run_behind(&mut self, statements: &[String]) -> Result<()> {
        if self.backend.transactional_ddl() {
            return self.run(statements).await;
        }
        self.later.extend_from_slice(statements);
        Ok(())
    }

    /// Removes all rows of a table.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn empty(&mut self, table: &Table) -> Result<()> {
        self.backend.empty_table(table).await
    }

    /// Puts rows into a table. Gives how many were added, or were there to be changed.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the source has no more to give, or a failure of the database.
    pub async fn rows(&mut self, rows: Rows<'_>, placing: Placing<'_>, source: &mut dyn RowSource) -> Result<u64> {
        self.backend.load_rows(rows, placing, source).await
    }

    /// Hands all rows of a table on, as they are now. Gives their number.
    ///
    /// # Errors
    /// [`Error::Stopped`] if the sink wants no more, or a failure of the database.
    pub async fn read(&mut self, rows: Rows<'_>, sink: &mut dyn RowSink) -> Result<u64> {
        self.backend.read_rows(rows, sink).await
    }

    /// The rows of a question, as texts.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn ask(&mut self, sql: String) -> Result<Vec<Vec<Option<String>>>> {
        self.backend.ask(sql).await
    }

    /// Lets triggers and foreign keys act again, looks whether the foreign keys hold, and commits, together with a row in the
    /// ledger that tells of it, and with version rows.
    ///
    /// # Errors
    /// A failure of the database, after which nothing was put in.
    pub async fn commit(self, info: Option<RunInfo>, change: &VersionChange) -> Result<()> {
        self.commit_settled(info, change, &[]).await
    }

    /// The same for a target that was replaced: what that settles about revisions is part of it.
    ///
    /// # Errors
    /// As for [`Loading::commit`].
    pub async fn commit_settled(
        mut self,
        info: Option<RunInfo>,
        change: &VersionChange,
        settled: &[Settled],
    ) -> Result<()> {
        let there = Tables { version: true, ledger: true };
        let rows: Vec<LedgerRow> =
            info.map(|info| Journal::new(info, there, self.ledger.clone()).run_and(settled)).unwrap_or_default();
        self.backend.end_loading(Some((change, &rows))).await?;
        self.is_open = false;
        for (index, statement) in std::mem::take(&mut self.later).iter().enumerate() {
            self.backend.execute(statement).await.map_err(|error| error.at_statement(index))?;
        }
        Ok(())
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn abort(mut self) -> Result<()> {
        self.is_open = false;
        self.backend.end_loading(None).await
    }
}

/// Why rows did not travel.
pub(crate) enum Copying {
    Driver(sqlx::Error),
    Known(Error),
}

impl From<sqlx::Error> for Copying {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<Error> for Copying {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

/// Lines that are put together until they are worth handing on.
pub(crate) struct Lines<'s> {
    sink: &'s mut dyn RowSink,
    waiting: Vec<u8>,
}

impl<'s> Lines<'s> {
    pub(crate) fn new(sink: &'s mut dyn RowSink) -> Self {
        Self { sink, waiting: Vec::with_capacity(CHUNK + CHUNK / 4) }
    }

    /// Where the next line is written.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Hands on what is there if it is enough.
    pub(crate) async fn hand_on(&mut self) -> Result<()> {
        if self.waiting.len() < CHUNK {
            return Ok(());
        }
        self.flush().await
    }

    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let lines = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK + CHUNK / 4));
        self.sink.take(lines).await.map_err(|Stopped| Error::Stopped)
    }
}

/// Writes a field.
pub(crate) fn write_field(line: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value else {
        line.extend_from_slice(b"\\N");
        return;
    };
    escape(line, value, false);
}

/// Whether a byte stands for itself, in fields and between the quotes of SQL.
const IS_PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    plain[b'\\' as usize] = false;
    plain[b'\t' as usize] = false;
    plain[b'\n' as usize] = false;
    plain[b'\r' as usize] = false;
    plain[b'\'' as usize] = false;
    plain
};

/// Writes a part of a field. In SQL quotes are written twice.
pub(crate) fn escape(line: &mut Vec<u8>, value: &[u8], is_sql: bool) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| !IS_PLAIN[usize::from(*byte)]) {
        line.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'\'' if is_sql => line.extend_from_slice(b"''"),
            b'\'' => line.push(b'\''),
            b'\t' => line.extend_from_slice(b"\\t"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            _ => line.extend_from_slice(b"\\\\"),
        }
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
}

/// The fields of a row; `None` for NULL.
pub(crate) type Fields<'l> = Vec<Option<Cow<'l, [u8]>>>;

/// The fields of a line without its end, in the place of those that are there. `Err`: the line is not as it is written here.
fn read_fields<'l>(line: &'l [u8], fields: &mut Fields<'l>) -> Result<(), Malformed> {
    fields.clear();
    for field in line.split(|byte| *byte == b'\t') {
        fields.push(read_field(field)?);
    }
    Ok(())
}

/// Takes a line apart, which is that of the row of this number.
pub(crate) fn read_row<'l>(rows: Rows<'_>, line: &'l [u8], row: u64, fields: &mut Fields<'l>) -> Result<()> {
    let wrong = |reason: &str| wrong_row(rows, row, reason);
    let line = line.strip_suffix(b"\n").ok_or_else(|| wrong("it has no end"))?;
    read_fields(line, fields).map_err(|Malformed| wrong("it holds an unknown escape"))?;
    if fields.len() != rows.columns.len() {
        return Err(wrong(&format!("it has {} fields instead of {}", fields.len(), rows.columns.len())));
    }
    Ok(())
}

/// What is said of a row that can't be put into a table.
pub(crate) fn wrong_row(rows: Rows<'_>, row: u64, reason: &str) -> Error {
    Error::Row { table: rows.table.name.clone(), row, reason: reason.to_owned() }
}

/// A line that is not of the form that is described above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Malformed;

fn read_field(field: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Malformed> {
    if field == b"\\N" {
        return Ok(None);
    }
    let Some(first) = memchr::memchr(b'\\', field) else { return Ok(Some(Cow::Borrowed(field))) };
    let (plain, escaped) = field.split_at(first);
    let mut value = Vec::with_capacity(field.len());
    value.extend_from_slice(plain);
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'\\') => b'\\',
                _ => return Err(Malformed),
            },
            other => *other,
        });
    }
    Ok(Some(Cow::Owned(value)))
}

/// The lines of a source, one after the other.
pub(crate) struct EachLine<'s> {
    source: &'s mut dyn RowSource,
    lines: Vec<u8>,
    at: usize,
    /// How many there were.
    pub(crate) count: u64,
}

impl<'s> EachLine<'s> {
    pub(crate) fn new(source: &'s mut dyn RowSource) -> Self {
        Self { source, lines: Vec::new(), at: 0, count: 0 }
    }

    /// The next line with its end; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<&[u8]>> {
        while self.at == self.lines.len() {
            // What was read makes room before more is waited for.
            self.lines = Vec::new();
            self.at = 0;
            match self.source.next().await {
                Ok(Some(lines)) => self.lines = lines,
                Ok(None) => return Ok(None),
                Err(Stopped) => return Err(Error::Stopped),
            }
        }
        let rest = &self.lines[self.at..];
        let line = memchr::memchr(b'\n', rest).map_or(rest, |end| &rest[..=end]);
        self.at += line.len();
        self.count += 1;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields_of(line: &[u8]) -> Result<Vec<Option<Vec<u8>>>, Malformed> {
        let mut fields = Fields::new();
        read_fields(line, &mut fields)?;
        Ok(fields.into_iter().map(|field| field.map(Cow::into_owned)).collect())
    }

    #[test]
    fn null_is_not_the_text_of_null() {
        let mut line = Vec::new();
        write_field(&mut line, None);
        line.push(b'\t');
        write_field(&mut line, Some(b"\\N"));
        assert_eq!(line, b"\\N\t\\\\N");
        assert_eq!(fields_of(&line), Ok(vec![None, Some(b"\\N".to_vec())]));
        assert_eq!(fields_of(b"\\x"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec(proptest::option::of(any::<Vec<u8>>()), 1..5)) {
            let mut line = Vec::new();
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    line.push(b'\t');
                }
                write_field(&mut line, value.as_deref());
            }
            prop_assert!(!line.contains(&b'\n'));
            prop_assert_eq!(fields_of(&line), Ok(values));
        }
    }
}
