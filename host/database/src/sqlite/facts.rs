//! What the database holds, from its schema and from what `ANALYZE` has written down. SQLite keeps no sizes: to know them the
//! whole file would have to be read (`dbstat`), so they are left open, and so are the numbers of rows without `ANALYZE`.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::backend::Tables;
use crate::facts;
use crate::facts::Assembly;
use crate::facts::Column;
use crate::facts::Facts;
use crate::facts::ForeignKey;
use crate::facts::Index;
use crate::facts::RECENT_STEPS;
use crate::facts::Relation;
use crate::facts::RelationKind;
use crate::facts::Trigger;
use crate::outbox::name_beside;
use crate::reading::ReadError;
use crate::reading::Result;

use super::books::Books;
use super::definition;

const SCHEMA: &str = "SELECT type, name, tbl_name, CAST(sql AS TEXT) FROM main.sqlite_master \
     WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type";

/// Columns of the relations that `{which}` chooses.
const COLUMNS: &str = "SELECT m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk, c.hidden \
     FROM main.sqlite_master AS m JOIN pragma_table_xinfo(m.name, 'main') AS c \
     WHERE m.type IN ('table', 'view') {which} ORDER BY m.name, c.cid";

const INDEXES: &str = "SELECT m.name, i.name, i.\"unique\", i.origin, i.partial, c.name \
     FROM main.sqlite_master AS m JOIN pragma_index_list(m.name, 'main') AS i \
     JOIN pragma_index_xinfo(i.name, 'main') AS c \
     WHERE m.type = 'table' AND c.key ORDER BY m.name, i.seq, c.seqno";

const FOREIGN_KEYS: &str = "SELECT m.name, k.id, k.\"from\", k.\"table\", k.\"to\", k.on_delete \
     FROM main.sqlite_master AS m JOIN pragma_foreign_key_list(m.name, 'main') AS k \
     WHERE m.type = 'table' ORDER BY m.name, k.id DESC, k.seq";

const STATISTICS: &str = "SELECT tbl, idx, CAST(stat AS TEXT) FROM main.sqlite_stat1";

impl Books {
    /// Collects the facts, inside the transaction of whoever asks.
    pub(super) async fn facts(&self, connection: &mut SqliteConnection, have: Tables) -> Result<Facts> {
        let mut assembly = Assembly::default();
        // Texts of the statements that made the indexes.
        let mut made = HashMap::new();
        let mut triggers = Vec::new();
        for row in &rows(connection, SCHEMA).await? {
            let (kind, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let sql: Option<String> = row.try_get(3)?;
            match kind.as_str() {
                "table" | "view" if !self.is_runners(&name) => assembly.add(name.clone(), relation(name, &kind, sql)),
                "index" => drop(made.insert(name, sql.unwrap_or_default())),
                "trigger" => triggers.push((row.try_get::<String, _>(2)?, name, sql.unwrap_or_default())),
                _ => {}
            }
        }
        for (table, name, definition) in triggers {
            if let Some(relation) = assembly.relation(&table) {
                relation.triggers.push(Trigger { name, definition });
            }
        }
        add_columns(&mut assembly, connection).await?;
        add_indexes(&mut assembly, &rows(connection, INDEXES).await?, &made)?;
        add_foreign_keys(&mut assembly, &rows(connection, FOREIGN_KEYS).await?)?;
        let exists = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'sqlite_stat1'";
        if !rows(connection, exists).await?.is_empty() {
            add_statistics(&mut assembly, &rows(connection, STATISTICS).await?)?;
        }
        let steps = if have.ledger { self.recent_steps(connection).await? } else { Vec::new() };
        Ok(Facts { relations: assembly.finish(), steps })
    }

    pub(super) fn is_runners(&self, table: &str) -> bool {
        [&self.version, &self.ledger, &name_beside(&self.ledger)].into_iter().any(|own| {
            let is_here = own.schema.as_deref().is_none_or(|schema| schema.eq_ignore_ascii_case("main"));
            is_here && own.name.eq_ignore_ascii_case(table)
        })
    }

    async fn recent_steps(&self, connection: &mut SqliteConnection) -> Result<Vec<facts::RecentStep>> {
        let columns = facts::STEP_COLUMNS.map(|column| format!("CAST({column} AS TEXT)")).join(", ");
        let (ledger, is_outcome) = (self.ledger.quoted(), facts::is_outcome());
        let sql =
            format!("SELECT {columns} FROM {ledger} AS l WHERE {is_outcome} ORDER BY l.id DESC LIMIT {RECENT_STEPS}");
        let step = |row: &SqliteRow| {
            let column = |index| row.try_get::<Option<String>, _>(index).ok().flatten();
            facts::recent_step(column).map_err(|(id, reason)| ReadError::Damaged { id, reason })
        };
        rows(connection, &sql).await?.iter().map(step).collect()
    }
}

async fn rows(connection: &mut SqliteConnection, sql: &str) -> std::result::Result<Vec<SqliteRow>, sqlx::Error> {
    // Not kept as a prepared statement: it is asked once.
    sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false).fetch_all(connection).await
}

fn relation(name: String, kind: &str, sql: Option<String>) -> Relation {
    if kind != "view" {
        return Relation::new(name, RelationKind::Table);
    }
    let mut view = Relation::new(name, RelationKind::View);
    view.definition = sql.map(|sql| definition::query_of_view(&sql).to_owned());
    view
}

async fn add_columns(assembly: &mut Assembly, connection: &mut SqliteConnection) -> Result<()> {
    let found = match rows(connection, &COLUMNS.replace("{which}", "")).await {
        Ok(found) => found,
        // A view of a table that is gone, or a table of a module that is not there, fails for all of them.
        Err(error) => {
            tracing::debug!("the columns are asked for one relation at a time: {error}");
            let mut found = Vec::new();
            for row in rows(connection, SCHEMA).await? {
                let name: String = row.try_get(1)?;
                let which = format!("AND m.name = '{}'", name.replace('\'', "''"));
                found.extend(rows(connection, &COLUMNS.replace("{which}", &which)).await.unwrap_or_default());
            }
            found
        }
    };
    // A column that stands for the number of the row is never NULL, whatever it says.
    let mut keys: HashMap<String, usize> = HashMap::new();
    for row in &found {
        if row.try_get::<i64, _>(5)? > 0 {
            *keys.entry(row.try_get(0)?).or_default() += 1;
        }
    }
    for row in &found {
        let (table, hidden, key): (String, i64, i64) = (row.try_get(0)?, row.try_get(6)?, row.try_get(5)?);
        let data_type: String = row.try_get(2)?;
        // 1: a parameter of a virtual table.
        if hidden == 1 {
            continue;
        }
        let is_row_number = key == 1 && keys.get(&table) == Some(&1) && data_type.eq_ignore_ascii_case("INTEGER");
        let generated = hidden == 2 || hidden == 3;
        assembly.add_column(
            &table,
            Column {
                name: row.try_get(1)?,
                data_type,
                nullable: row.try_get::<i64, _>(3)? == 0 && !is_row_number,
                default: row.try_get::<Option<String>, _>(4)?.filter(|_| !generated),
                generated,
                primary_key: u32::try_from(key).ok().filter(|position| *position > 0),
                null_fraction: None,
                distinct_values: None,
            },
        );
    }
    Ok(())
}

/// A row for each column of each index.
fn add_indexes(assembly: &mut Assembly, rows: &[SqliteRow], made: &HashMap<String, String>) -> Result<()> {
    for row in rows {
        let (table, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(relation) = assembly.relation(&table) else { continue };
        let sql = made.get(&name).map_or("", String::as_str);
        if relation.indexes.last().is_none_or(|index| index.name != name) {
            let origin: String = row.try_get(3)?;
            let is_partial = row.try_get::<i64, _>(4)? != 0;
            relation.indexes.push(Index {
                columns: Vec::new(),
                unique: row.try_get::<i64, _>(2)? != 0,
                primary: origin == "pk",
                predicate: is_partial.then(|| definition::predicate_of_index(sql).to_owned()),
                valid: true,
                bytes: None,
                name,
            });
        }
        if let Some(index) = relation.indexes.last_mut() {
            let column: Option<String> = row.try_get(5)?;
            let place = index.columns.len();
            index.columns.push(column.unwrap_or_else(|| definition::term_of_index(sql, place).to_owned()));
        }
    }
    Ok(())
}

/// A row for each column of each key.
fn add_foreign_keys(assembly: &mut Assembly, rows: &[SqliteRow]) -> Result<()> {
    let mut last = None;
    for row in rows {
        let (table, number): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let Some(relation) = assembly.relation(&table) else { continue };
        let key = Some((table, number));
        if last != key {
            relation.foreign_keys.push(ForeignKey {
                name: None,
                columns: Vec::new(),
                referenced_schema: None,
                referenced_table: row.try_get(3)?,
                referenced_columns: Vec::new(),
                on_delete: row.try_get(5)?,
            });
            last = key;
        }
        if let Some(key) = relation.foreign_keys.last_mut() {
            key.columns.push(row.try_get(2)?);
            // NULL: the primary key, whatever it is.
            key.referenced_columns.extend(row.try_get::<Option<String>, _>(4)?);
        }
    }
    Ok(())
}

/// `ANALYZE` writes for each index the number of its rows, and how many of them share the first column, the first two …
fn add_statistics(assembly: &mut Assembly, rows: &[SqliteRow]) -> Result<()> {
    for row in rows {
        let table: Option<String> = row.try_get(0)?;
        let index: Option<String> = row.try_get(1)?;
        let numbers: Option<String> = row.try_get(2)?;
        let (Some(table), Some(numbers)) = (table, numbers) else { continue };
        let mut numbers = numbers.split_ascii_whitespace().map_while(|digits| digits.parse::<u64>().ok());
        let Some(count) = numbers.next() else { continue };
        let Some(relation) = assembly.relation(&table) else { continue };
        // A partial index has fewer rows than its table.
        relation.rows = relation.rows.max(Some(count));
        let index = index.and_then(|name| relation.indexes.iter().find(|index| index.name == name));
        let first = index.filter(|index| index.predicate.is_none()).and_then(|index| index.columns.first().cloned());
        if let (Some(first), Some(shared)) = (first, numbers.next())
            && let Some(column) = assembly.column(&table, &first)
        {
            column.distinct_values = Some(count.div_ceil(shared.max(1)));
        }
    }
    Ok(())
}
