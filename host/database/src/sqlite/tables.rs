//! The tables of a database, and the SQL that makes each of them anew.

use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::contents::Form;
use crate::contents::Reference;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::TableName;

use super::books::Books;

/// Tables that store something: not those which a module keeps for one of its own.
const TABLES: &str = "SELECT m.name, CAST(m.sql AS TEXT) FROM main.sqlite_master AS m \
     JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = m.name AND l.type IN ('table', 'virtual') \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name";
const COLUMNS: &str = "SELECT name, type, \"notnull\", CAST(dflt_value AS TEXT), pk, hidden FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 1";
const KEYS: &str = "SELECT i.name, c.name FROM pragma_index_list(?, 'main') AS i JOIN pragma_index_info(i.name, 'main') AS c \
     WHERE i.\"unique\" AND NOT i.partial ORDER BY i.seq DESC, c.seqno";
const PARTS: &str = "SELECT type, CAST(sql AS TEXT) FROM main.sqlite_master \
     WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name = ? COLLATE NOCASE ORDER BY rowid";
const REFERENCES: &str =
    "SELECT id, \"from\", \"table\", on_delete FROM pragma_foreign_key_list(?, 'main') ORDER BY id DESC, seq";
const COUNTER: &str = "SELECT seq FROM main.sqlite_sequence WHERE name = ?";
const HAS_COUNTERS: &str = "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'";

impl Books {
    /// The tables, inside of the transaction of whoever asks.
    pub(super) async fn contents(&self, connection: &mut SqliteConnection) -> Result<Vec<Table>, sqlx::Error> {
        let has_counters = !asked(connection, HAS_COUNTERS, None).await?.is_empty();
        let mut tables = Vec::new();
        for row in asked(connection, TABLES, None).await? {
            let (name, sql): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if !self.is_runners(&name) {
                tables.push(table(connection, name, sql, has_counters).await?);
            }
        }
        Ok(tables)
    }
}

async fn asked(
    connection: &mut SqliteConnection,
    sql: &'static str,
    table: Option<&str>,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    let mut query = sqlx::query(sql);
    if let Some(table) = table {
        query = query.bind(table.to_owned());
    }
    query.fetch_all(connection).await
}

async fn table(
    connection: &mut SqliteConnection,
    name: String,
    sql: String,
    has_counters: bool,
) -> Result<Table, sqlx::Error> {
    let (mut columns, mut primary, mut not_null) = (Vec::new(), Vec::new(), Vec::new());
    for row in asked(connection, COLUMNS, Some(&name)).await? {
        let column: String = row.try_get(0)?;
        let (is_not_null, place, hidden): (bool, i64, i64) = (row.try_get(2)?, row.try_get(4)?, row.try_get(5)?);
        if is_not_null {
            not_null.push(column.clone());
        }
        let kind = row.try_get::<Option<String>, _>(1)?.unwrap_or_default();
        if place > 0 {
            primary.push((place, column.clone(), kind.eq_ignore_ascii_case("INTEGER")));
        }
        columns.push(TableColumn {
            name: column,
            kind,
            is_generated: matches!(hidden, 2 | 3),
            form: Form::Literal,
            default: row.try_get(3)?,
        });
    }
    primary.sort_unstable();
    // A primary key may be NULL in SQLite, unless it is the row's own number or there is no such number.
    let is_key = match primary.as_slice() {
        [] => false,
        [(.., true)] => true,
        columns => sql_has(&sql, "WITHOUT") || columns.iter().all(|(_, column, _)| not_null.contains(column)),
    };
    let key = if is_key {
        primary.into_iter().map(|(_, column, _)| column).collect()
    } else {
        unique_key(connection, &name, &not_null).await?
    };
    let (mut complete, mut connect) = (Vec::new(), Vec::new());
    for row in asked(connection, PARTS, Some(&name)).await? {
        let (kind, sql): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if kind == "index" { complete.push(sql) } else { connect.push(sql) }
    }
    let mut counters = Vec::new();
    if has_counters && let Some(row) = asked(connection, COUNTER, Some(&name)).await?.first() {
        let value: i64 = row.try_get(0)?;
        let text = format!("'{}'", name.replace('\'', "''"));
        counters.push(format!("UPDATE main.sqlite_sequence SET seq = max(seq, {value}) WHERE name = {text}"));
        counters.push(format!(
            "INSERT INTO main.sqlite_sequence (name, seq) SELECT {text}, {value} \
             WHERE NOT EXISTS (SELECT 1 FROM main.sqlite_sequence WHERE name = {text})"
        ));
    }
    let table_name = name.clone();
    Ok(Table {
        schema: None,
        name,
        columns,
        key,
        children: Vec::new(),
        rows_estimate: None,
        references: references(connection, &table_name).await?,
        // A key that replaces what is in its way takes rows away by itself.
        has_triggers: !connect.is_empty() || sql_has(&sql, "REPLACE"),
        holds_rows: true,
        create: vec![sql],
        complete,
        connect,
        counters,
    })
}

async fn references(connection: &mut SqliteConnection, table: &str) -> Result<Vec<Reference>, sqlx::Error> {
    let mut found: Vec<(i64, Reference)> = Vec::new();
    for row in asked(connection, REFERENCES, Some(table)).await? {
        let (number, column): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        match found.last_mut() {
            Some((last, reference)) if *last == number => reference.columns.push(column),
            _ => found.push((
                number,
                Reference {
                    table: TableName { schema: None, name: row.try_get(2)? },
                    columns: vec![column],
                    on_delete: row.try_get(3)?,
                },
            )),
        }
    }
    Ok(found.into_iter().map(|(_, reference)| reference).collect())
}

fn sql_has(sql: &str, word: &str) -> bool {
    crate::words::tokens(sql, runner_chain::Dialect::Sqlite).any(|token| token.is(word))
}

async fn unique_key(
    connection: &mut SqliteConnection,
    table: &str,
    not_null: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let mut keys: Vec<(String, Vec<Option<String>>)> = Vec::new();
    for row in asked(connection, KEYS, Some(table)).await? {
        let (index, column): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        match keys.last_mut() {
            Some((last, columns)) if *last == index => columns.push(column),
            _ => keys.push((index, vec![column])),
        }
    }
    let is_key = |columns: &Vec<Option<String>>| {
        columns.iter().all(|column| column.as_ref().is_some_and(|column| not_null.contains(column)))
    };
    let key = keys.into_iter().map(|(_, columns)| columns).find(is_key);
    Ok(key.unwrap_or_default().into_iter().flatten().collect())
}

/// Takes the triggers of tables away. Gives the SQL that makes them again.
pub(super) async fn hold_triggers(
    connection: &mut SqliteConnection,
    tables: &[&Table],
) -> Result<Vec<String>, sqlx::Error> {
    let mut held = Vec::new();
    for table in tables {
        let triggers = "SELECT name, CAST(sql AS TEXT) FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY rowid";
        for row in asked(connection, triggers, Some(&table.name)).await? {
            let (name, sql): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let take = format!("DROP TRIGGER main.\"{}\"", name.replace('"', "\"\""));
            sqlx::raw_sql(AssertSqlSafe(take)).execute(&mut *connection).await?;
            held.push(sql);
        }
    }
    Ok(held)
}
