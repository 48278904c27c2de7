//! Rows out of tables and into them, by `COPY`.

use crate::contents::Placing;
use crate::contents::Rows;
use crate::contents::Table;
use crate::contents::TableColumn;

use super::link::Link;
use super::link::required;
use super::literal::identifier;
use super::literal::literal;

/// Begins a moment for reading. What texts mean must not depend on settings of the role or of the database, and values are
/// written with all their digits.
pub(super) const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const BEGIN_LOADING: &str = "BEGIN";
/// For the rest of a transaction in which rows travel. A database without an encoding gives its bytes as they are. Row security
/// would hide rows silently.
pub(super) const PLAIN_TEXTS: &str = "SET LOCAL search_path TO pg_catalog; SET LOCAL DateStyle TO 'ISO, YMD'; \
     SET LOCAL IntervalStyle TO postgres; SET LOCAL TimeZone TO 'UTC'; SET LOCAL extra_float_digits TO 3; SET LOCAL bytea_output TO hex; \
     SET LOCAL lc_monetary TO 'C'; SET LOCAL xmloption TO content; SET LOCAL row_security TO off; SET LOCAL statement_timeout TO 0; \
     SET LOCAL idle_in_transaction_session_timeout TO 0; \
     SET LOCAL synchronize_seqscans TO off; \
     SELECT CASE pg_catalog.current_setting('server_encoding') WHEN 'SQL_ASCII' THEN pg_catalog.set_config('client_encoding', 'SQL_ASCII', true) END";

pub(super) fn name(table: &Table) -> String {
    match &table.schema {
        Some(schema) => format!("{}.{}", identifier(schema), identifier(&table.name)),
        None => identifier(&table.name),
    }
}

fn list(columns: &[TableColumn]) -> String {
    columns.iter().map(|column| identifier(&column.name)).collect::<Vec<_>>().join(", ")
}

/// Only the table's own rows: those of partitions and of tables that inherit are read from them.
pub(super) fn copy_out(rows: Rows<'_>) -> String {
    format!("COPY {} ({}) TO STDOUT", name(rows.table), list(rows.columns))
}

/// How rows come into a table: statements before, the `COPY`, and statements after, of which the last one counts.
pub(super) struct Arrival {
    pub(super) before: Option<String>,
    pub(super) copy: String,
    /// How many rows are there that the waiting ones belong to.
    pub(super) matches: Option<String>,
    pub(super) after: Option<String>,
}

/// Where rows wait until they are put into those that are there.
const WAITING: &str = "pg_temp.runner_rows";

pub(super) fn copy_in(rows: Rows<'_>, placing: Placing<'_>) -> Arrival {
    let (table, columns) = (name(rows.table), list(rows.columns));
    let Placing::Update { key } = placing else {
        return Arrival {
            before: None,
            copy: format!("COPY {table} ({columns}) FROM STDIN"),
            matches: None,
            after: None,
        };
    };
    let equal = |name: &String| format!("t.{0} = s.{0}", identifier(name));
    let set: Vec<String> = rows
        .columns
        .iter()
        .filter(|column| !key.contains(&column.name))
        .map(|column| format!("{0} = s.{0}", identifier(&column.name)))
        .collect();
    Arrival {
        before: Some(format!(
            "DROP TABLE IF EXISTS {WAITING}; \
             CREATE TEMPORARY TABLE runner_rows ON COMMIT DROP AS SELECT {columns} FROM ONLY {table} WHERE false"
        )),
        copy: format!("COPY {WAITING} ({columns}) FROM STDIN"),
        matches: Some(format!(
            "SELECT count(*)::text FROM ONLY {table} AS t JOIN {WAITING} AS s ON {}",
            key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
        )),
        after: Some(format!(
            "ANALYZE {WAITING}; UPDATE ONLY {table} AS t SET {} FROM {WAITING} AS s WHERE {}; DROP TABLE {WAITING}",
            set.join(", "),
            key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
        )),
    }
}

/// Takes triggers and foreign keys away that act on rows of some tables. Gives what puts them back as they were, which also looks
/// whether the foreign keys hold.
pub(super) async fn hold_triggers(link: &mut Link, tables: &[&Table]) -> Result<Vec<String>, sqlx::Error> {
    let mut names = Vec::with_capacity(tables.len());
    for table in tables {
        let text = literal(&name(table)).map_err(|error| sqlx::Error::Protocol(error.to_string()))?;
        names.push(format!("{text}::regclass"));
    }
    let tables = format!("ARRAY[{}]::oid[]", names.join(", "));
    let sets = link
        .rows(format!(
            "SELECT pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::regclass, t.tgname), \
               pg_catalog.format('ALTER TABLE %s ENABLE %s TRIGGER %I', t.tgrelid::regclass, \
                 CASE t.tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END, t.tgname) \
             FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = ANY ({tables}) AND NOT t.tgisinternal AND t.tgenabled <> 'D'; \
             SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname), \
               pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid)) \
             FROM pg_catalog.pg_constraint AS k WHERE k.contype = 'f' AND k.conparentid = 0 \
               AND (k.conrelid = ANY ({tables}) OR k.confrelid = ANY ({tables})) ORDER BY k.oid"
        ))
        .await?;
    let (mut take, mut put_back) = (Vec::new(), Vec::new());
    for row in sets.iter().flatten() {
        take.push(required(row, 0)?.to_owned());
        put_back.push(required(row, 1)?.to_owned());
    }
    if !take.is_empty() {
        link.execute(take.join(";\n")).await?;
    }
    Ok(put_back)
}
