//! Saving and putting back rows, the same for every dialect.

use async_trait::async_trait;
use runner_database::*;

/// Keeps what it takes.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Vec<u8>);

#[async_trait]
impl RowSink for Kept {
    async fn take(&mut self, lines: Vec<u8>) -> Result<(), Stopped> {
        assert!(lines.ends_with(b"\n"), "lines are handed on whole");
        self.0.extend(lines);
        Ok(())
    }
}

/// Gives what was kept, in parts of some lines.
pub(crate) struct Given {
    lines: Vec<u8>,
    /// Stops with an error before the end.
    pub(crate) stops: bool,
}

impl Given {
    pub(crate) fn all(lines: &[u8]) -> Self {
        Self { lines: lines.to_vec(), stops: false }
    }
}

#[async_trait]
impl RowSource for Given {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Stopped> {
        if self.lines.is_empty() {
            return if self.stops { Err(Stopped) } else { Ok(None) };
        }
        let end = self.lines.iter().position(|byte| *byte == b'\n').map_or(self.lines.len(), |end| end + 1);
        let rest = self.lines.split_off(end);
        Ok(Some(std::mem::replace(&mut self.lines, rest)))
    }
}

pub(crate) async fn tables(session: &mut Session) -> Vec<Table> {
    let mut reading = session.read().await.unwrap();
    let tables = reading.tables().await.unwrap();
    reading.finish().await.unwrap();
    tables
}

pub(crate) async fn table(session: &mut Session, name: &str) -> Table {
    let tables = tables(session).await;
    tables.into_iter().find(|table| table.name == name).unwrap_or_else(|| panic!("there is no `{name}`"))
}

/// All rows of a table.
pub(crate) async fn rows(session: &mut Session, table: &Table) -> Vec<u8> {
    let columns: Vec<TableColumn> = table.stored().cloned().collect();
    part(session, table, &columns).await
}

/// Some columns of all rows of a table.
pub(crate) async fn part(session: &mut Session, table: &Table, columns: &[TableColumn]) -> Vec<u8> {
    let mut kept = Kept::default();
    let mut reading = session.read().await.unwrap();
    let count = reading.rows(Rows { table, columns }, &mut kept).await.unwrap();
    reading.finish().await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), kept.0.iter().filter(|byte| **byte == b'\n').count());
    kept.0
}

/// Makes a table in a database that does not have it, and puts rows into it.
pub(crate) async fn make(session: &mut Session, table: &Table, lines: &[u8]) {
    let columns: Vec<TableColumn> = table.stored().cloned().collect();
    let mut loading = session.load(&[]).await.unwrap();
    loading.run(&table.create).await.unwrap();
    let rows = Rows { table, columns: &columns };
    loading.rows(rows, Placing::Insert, &mut Given::all(lines)).await.unwrap();
    loading.run_behind(&table.complete).await.unwrap();
    loading.run_behind(&table.connect).await.unwrap();
    loading.run_behind(&table.counters).await.unwrap();
    loading.commit(None, &VersionChange::default()).await.unwrap();
}

/// Puts rows into a table in the place of those that it has.
pub(crate) async fn replace(session: &mut Session, table: &Table, lines: &[u8]) {
    let columns: Vec<TableColumn> = table.stored().cloned().collect();
    let mut loading = session.load(&[table]).await.unwrap();
    loading.empty(table).await.unwrap();
    let rows = Rows { table, columns: &columns };
    loading.rows(rows, Placing::Insert, &mut Given::all(lines)).await.unwrap();
    loading.commit(None, &VersionChange::default()).await.unwrap();
}

pub(crate) fn text(lines: &[u8]) -> String {
    String::from_utf8_lossy(lines).into_owned()
}

pub(crate) fn columns(table: &Table, names: &[&str]) -> Vec<TableColumn> {
    names.iter().map(|name| table.column(name).unwrap().clone()).collect()
}
