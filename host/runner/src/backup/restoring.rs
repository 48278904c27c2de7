//! Putting saved tables back.

use std::collections::BTreeSet;
use std::time::Duration;

use runner_backup::Backup;
use runner_backup::Keys;
use runner_backup::Manifest;
use runner_backup::Part;
use runner_backup::SavedAs;
use runner_chain::Dialect;
use runner_database::Form;
use runner_database::Loading;
use runner_database::Placing;
use runner_database::Rows;
use runner_database::RunInfo;
use runner_database::Session;
use runner_database::Table;
use runner_database::TableColumn;
use runner_database::TableName;
use runner_database::VersionChange;

use super::rows::Digesting;
use super::rows::FromMember;
use super::rows::Hear;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;

/// A question about whether a table is empty may take so long.
const LIMIT: Duration = Duration::from_mins(10);

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restored {
    /// Tables and how many of their rows were put back.
    pub(crate) tables: Vec<(String, u64)>,
    /// How many tables had to be made.
    pub(crate) made: usize,
}

/// A saved table and what the target has of it.
struct Pair<'a> {
    saved: &'a runner_backup::Table,
    live: Option<Table>,
}

/// Saved tables next to those of a target.
pub(crate) struct Standing<'a> {
    pairs: Vec<Pair<'a>>,
    dialect: Dialect,
    /// Why they can't be put back as the target is, a line each.
    missing: Vec<String>,
}

pub(crate) fn name_of(saved: &runner_backup::Table) -> TableName {
    TableName { schema: saved.schema.clone(), name: saved.name.clone() }
}

/// Looks at what the target has of the saved tables.
pub(crate) async fn look<'a>(session: &mut Session, manifest: &'a Manifest) -> Result<Standing<'a>> {
    let dialect = session.dialect();
    if manifest.target.dialect != dialect.to_string() {
        let message = format!("the backup is of a {} database, and the target is {dialect}", manifest.target.dialect);
        return Err(Error::new(ErrorKind::Backup, message).help("restore it to a database of the same kind"));
    }
    let mut reading = session.read().await?;
    let mut live = reading.tables().await?;
    reading.finish().await?;
    let mut standing = Standing { pairs: Vec::new(), dialect, missing: Vec::new() };
    for saved in &manifest.tables {
        let name = name_of(saved);
        let is_like = |table: &Table| dialect != Dialect::Postgres && table.name.eq_ignore_ascii_case(&name.name);
        let exact = live.iter().position(|table| table.full_name() == name);
        // On some servers two names that differ in case are two tables.
        let alike =
            || live.iter().position(is_like).filter(|_| live.iter().filter(|table| is_like(table)).count() == 1);
        let found = exact.or_else(alike).map(|index| live.swap_remove(index));
        match &found {
            None => standing.missing.push(format!("there is no table `{name}`")),
            Some(table) => {
                let gone = saved.columns.iter().filter(|column| table.column(&column.name).is_none());
                standing.missing.extend(gone.map(|column| format!("`{name}` has no column `{}`", column.name)));
            }
        }
        standing.pairs.push(Pair { saved, live: found });
    }
    Ok(standing)
}

impl Standing<'_> {
    /// What the target lacks, a line each.
    pub(crate) fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Whether all that is missing are whole tables, which can be made.
    pub(crate) fn can_be_made(&self) -> bool {
        self.pairs.iter().all(|pair| match &pair.live {
            None => pair.saved.part == Part::Rows && !pair.saved.create.is_empty(),
            Some(table) => pair.saved.columns.iter().all(|column| table.column(&column.name).is_some()),
        })
    }

    /// Tables that lack something, or whose columns have other types.
    pub(crate) fn lacking(&self) -> BTreeSet<String> {
        let is_other = |pair: &&Pair<'_>| {
            let Some(live) = &pair.live else { return true };
            pair.saved.columns.iter().any(|column| live.column(&column.name).is_none_or(|now| is_changed(column, now)))
        };
        self.pairs.iter().filter(is_other).map(|pair| name_of(pair.saved).to_string()).collect()
    }

    /// Refuses columns that are not what was saved.
    pub(crate) fn refuse_types(&self) -> Result<()> {
        let mut wrong = Vec::new();
        for Pair { saved, live } in &self.pairs {
            let Some(live) = live else { continue };
            for column in &saved.columns {
                let Some(now) = live.column(&column.name) else { continue };
                if is_changed(column, now) {
                    let name = live.full_name();
                    wrong.push(format!(
                        "`{name}.{}` was saved as `{}`, and is `{}` now",
                        column.name, column.kind, now.kind
                    ));
                }
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Backup, wrong.join("\n       "))
            .help("bring the database to the revision that the backup is of, and restore it then"))
    }

    /// Refuses tables that hold something, unless that is to be replaced, or they lacked something before.
    pub(crate) async fn refuse_contents(
        &self,
        session: &mut Session,
        replace: bool,
        lacking: &BTreeSet<String>,
    ) -> Result<()> {
        if replace {
            return Ok(());
        }
        let mut full = Vec::new();
        let mut reading = session.read().await?;
        for Pair { saved, live } in &self.pairs {
            let Some(live) = live else { continue };
            if lacking.contains(&name_of(saved).to_string()) {
                continue;
            }
            let sql = holds_something(live, saved, self.dialect);
            let answer = reading.ask(sql, LIMIT).await?;
            // Whatever takes so long to look through is not empty.
            if answer.is_none_or(|rows| !rows.is_empty()) {
                full.push(format!("`{}`", live.full_name()));
            }
        }
        reading.finish().await?;
        if full.is_empty() {
            return Ok(());
        }
        let message = format!("the target is not empty: {} would be overwritten", full.join(", "));
        Err(Error::new(ErrorKind::Backup, message)
            .help("`--replace` puts the backup in the place of what is there, which is lost")
            .help("`--to URL` restores it to another database"))
    }

    /// Puts everything back in one transaction, as far as the database has such.
    pub(crate) async fn load(
        &self,
        session: &mut Session,
        backup: &Backup,
        (keys, partial): (&Keys, bool),
        (info, change): (RunInfo, VersionChange),
        transfer: &mut dyn Transfer,
    ) -> Result<Restored> {
        transfer.begin(backup.name(), self.pairs.iter().map(|pair| pair.saved.rows).sum());
        let live: Vec<&Table> = self.pairs.iter().filter_map(|pair| pair.live.as_ref()).collect();
        let mut loading = session.load(&live).await?;
        let result = self.fill(&mut loading, backup, (keys, partial), transfer).await;
        transfer.end();
        match result {
            Ok(restored) => {
                loading.commit(Some(info), &change).await?;
                Ok(restored)
            }
            Err(error) => {
                // The first error is the one that counts.
                let _ = loading.abort().await;
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        loading: &mut Loading<'_>,
        backup: &Backup,
        keys: (&Keys, bool),
        transfer: &mut dyn Transfer,
    ) -> Result<Restored> {
        let mut restored = Restored::default();
        let made: Vec<&runner_backup::Table> =
            self.pairs.iter().filter(|pair| pair.live.is_none()).map(|pair| pair.saved).collect();
        for saved in &made {
            loading.run(&saved.create).await?;
        }
        restored.made = made.len();
        for pair in &self.pairs {
            let rows = self.fill_table(loading, pair, backup, keys, transfer).await?;
            restored.tables.push((name_of(pair.saved).to_string(), rows));
        }
        for saved in &made {
            loading.run_behind(&saved.complete).await?;
        }
        for saved in &made {
            loading.run_behind(&saved.connect).await?;
        }
        for pair in self.pairs.iter().filter(|pair| pair.saved.part == Part::Rows) {
            loading.run_behind(&pair.saved.counters).await?;
        }
        Ok(restored)
    }

    async fn fill_table(
        &self,
        loading: &mut Loading<'_>,
        Pair { saved, live }: &Pair<'_>,
        backup: &Backup,
        (keys, partial): (&Keys, bool),
        transfer: &mut dyn Transfer,
    ) -> Result<u64> {
        let table = live.clone().unwrap_or_else(|| described(saved));
        let name = table.full_name().to_string();
        let columns: Vec<TableColumn> =
            saved.columns.iter().filter_map(|column| table.column(&column.name).cloned()).collect();
        let placing = match saved.part {
            Part::Rows => Placing::Insert,
            Part::Columns => Placing::Update { key: &saved.key },
        };
        if saved.part == Part::Rows && live.is_some() {
            loading.empty(&table).await?;
        }
        transfer.table(&name);
        let mut hear = |rows, bytes| transfer.passed(rows, bytes);
        let hear: &mut Hear<'_> = &mut hear;
        let mut source = FromMember::begin(backup.read(&saved.member, keys)?, &saved.member, hear);
        let rows = Rows { table: &table, columns: &columns };
        let loaded = loading.rows(rows, placing, &mut source).await;
        let matched = loaded.as_ref().ok().copied();
        let digest = source.finish(loaded)?;
        compare(saved, &digest, "its file holds")?;
        if let Some(matched) = matched.filter(|matched| *matched < saved.rows && !partial) {
            let message = format!(
                "values of {} rows of `{name}` were saved, and only {matched} of these rows are there now",
                saved.rows
            );
            return Err(Error::new(ErrorKind::Backup, message)
                .help("rows were deleted, or got other keys, since the backup was made")
                .help("`--partial` puts back the values of those that are there"));
        }
        // This server changes what does not fit, rather than refusing it.
        if self.dialect == Dialect::Mysql && saved.part == Part::Rows {
            let mut digesting = Digesting::default();
            loading.read(rows, &mut digesting).await?;
            compare(saved, &digesting.finish(), "the table holds after that")?;
        }
        Ok(matched.unwrap_or_default())
    }
}

/// Compares rows with what was saved.
pub(super) fn compare(saved: &runner_backup::Table, digest: &runner_backup::RowsDigest, what: &str) -> Result<()> {
    // Others wrote to it while it was saved, so nobody knows what it should hold.
    if saved.digest.is_empty() || (digest.rows() == saved.rows && digest.to_string() == saved.digest) {
        return Ok(());
    }
    let name = name_of(saved);
    let difference =
        if digest.rows() == saved.rows { "other values".to_owned() } else { format!("{} rows", digest.rows()) };
    let message = format!("{} rows of `{name}` were saved, and {what} {difference}", saved.rows);
    Err(Error::new(ErrorKind::Backup, message).help("do not rely on this backup; take another one"))
}

/// Whether a column can't take what was saved of it.
fn is_changed(saved: &runner_backup::Column, now: &TableColumn) -> bool {
    now.kind != saved.kind || saved_as(now.form) != saved.saved_as || now.is_generated
}

fn saved_as(form: Form) -> SavedAs {
    match form {
        Form::Text => SavedAs::Text,
        Form::Hex => SavedAs::Hex,
        Form::Literal => SavedAs::Literal,
    }
}

/// A table as the manifest describes it.
pub(super) fn described(saved: &runner_backup::Table) -> Table {
    let column = |column: &runner_backup::Column| TableColumn {
        name: column.name.clone(),
        kind: column.kind.clone(),
        is_generated: column.generated,
        form: match column.saved_as {
            SavedAs::Text => Form::Text,
            SavedAs::Hex => Form::Hex,
            SavedAs::Literal => Form::Literal,
        },
        default: None,
    };
    Table {
        schema: saved.schema.clone(),
        name: saved.name.clone(),
        columns: saved.columns.iter().map(column).collect(),
        key: saved.key.clone(),
        children: Vec::new(),
        rows_estimate: None,
        references: Vec::new(),
        has_triggers: false,
        holds_rows: true,
        create: saved.create.clone(),
        complete: saved.complete.clone(),
        connect: saved.connect.clone(),
        counters: saved.counters.clone(),
    }
}

/// A query with a row if there is something that would be overwritten: any row, or any value that is not what a new column has.
fn holds_something(table: &Table, saved: &runner_backup::Table, dialect: Dialect) -> String {
    let name = table.sql_name(dialect);
    let only = if dialect == Dialect::Postgres { "ONLY " } else { "" };
    if saved.part == Part::Rows {
        return format!("SELECT 'full' FROM {only}{name} LIMIT 1");
    }
    let conditions: Vec<String> = saved
        .columns
        .iter()
        .filter(|column| !saved.key.contains(&column.name))
        .map(|column| {
            let quoted = runner_database::quoted_name(&column.name, dialect);
            let default = table.column(&column.name).and_then(|column| column.default.as_deref());
            // What is computed anew each time can't be compared, and may change something.
            let default = default.filter(|default| !default.contains('('));
            match (default, dialect) {
                (Some(_), Dialect::Mysql) => format!("NOT ({quoted} <=> DEFAULT({quoted}))"),
                (Some(default), Dialect::Postgres) => format!("{quoted} IS DISTINCT FROM ({default})"),
                (Some(default), Dialect::Sqlite) => format!("{quoted} IS NOT ({default})"),
                (None, _) => format!("{quoted} IS NOT NULL"),
            }
        })
        .collect();
    format!("SELECT 'full' FROM {only}{name} WHERE {} LIMIT 1", conditions.join(" OR "))
}
