//! What the database holds, from `information_schema`. The numbers of rows are those of the engine's statistics.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::mysql::MySqlRow;

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
use crate::options::TableName;
use crate::outbox::name_beside;
use crate::reading::ReadError;
use crate::reading::Result;

use super::books::Books;
use super::books::name;
use super::link::Link;
use super::link::number;
use super::link::text;
use super::literal::literal;

/// How long a query waits for a table that somebody changes, in seconds.
const LOCK_WAIT: u32 = 2;

/// The queries with their first column always the table; `{hint}` is for MySQL, which limits the time of a query with it.
const TABLES: &str = "SELECT {hint} table_name, table_type, CAST(table_rows AS CHAR), \
     CAST(data_length + index_length AS CHAR), {runners} FROM information_schema.tables \
     WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')";

const COLUMNS: &str = "SELECT {hint} table_name, column_name, column_type, is_nullable, column_default, extra, data_type \
     FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position";

const INDEXES: &str = "SELECT {hint} table_name, index_name, CAST(non_unique AS CHAR), column_name, \
     CAST(sub_part AS CHAR), CAST(cardinality AS CHAR), {expression} FROM information_schema.statistics \
     WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index";

const FOREIGN_KEYS: &str = "SELECT {hint} table_name, constraint_name, column_name, \
     NULLIF(referenced_table_schema, DATABASE()), referenced_table_name, referenced_column_name \
     FROM information_schema.key_column_usage \
     WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL \
     ORDER BY table_name, constraint_name, ordinal_position";

const ON_DELETE: &str = "SELECT {hint} table_name, constraint_name, delete_rule \
     FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()";

const TRIGGERS: &str = "SELECT {hint} event_object_table, trigger_name, action_timing, event_manipulation, action_statement \
     FROM information_schema.triggers WHERE trigger_schema = DATABASE()";

const VIEWS: &str = "SELECT {hint} table_name, view_definition FROM information_schema.views \
     WHERE table_schema = DATABASE()";

impl Books {
    /// Collects the facts in one round trip; `limit` is for each query.
    pub(super) async fn facts(
        &self,
        link: &mut Link,
        limit: Duration,
        is_mariadb: bool,
        has_ledger: bool,
    ) -> Result<Facts> {
        let own = [&self.version, &self.ledger, &name_beside(&self.ledger)];
        let runners = own.map(|table| format!("({})", is_runners(table))).join(" OR ");
        let steps = if has_ledger {
            let columns = facts::STEP_COLUMNS.map(|column| format!("CAST({column} AS CHAR CHARACTER SET utf8mb4)"));
            let (ledger, is_outcome) = (name(&self.ledger), facts::is_outcome());
            let (columns, limit) = (columns.join(", "), RECENT_STEPS);
            format!(
                "SELECT {{hint}} {columns} FROM {ledger} WHERE {is_outcome} ORDER BY {ledger}.id DESC LIMIT {limit}"
            )
        } else {
            "DO 0".to_owned()
        };
        let queries = [TABLES, COLUMNS, INDEXES, FOREIGN_KEYS, ON_DELETE, TRIGGERS, VIEWS, &steps];
        let sql: Vec<String> = queries
            .into_iter()
            .map(|query| {
                limited(query, limit, is_mariadb)
                    .replace("{runners}", &runners)
                    .replace("{expression}", if is_mariadb { "NULL" } else { "expression" })
            })
            .collect();
        let answer = link.ask(sql.join(";\n")).await.complete()?;
        let set = |index: usize| answer.sets.get(index).map_or(&[][..], Vec::as_slice);
        let mut assembly = Assembly::default();
        for row in set(0) {
            add_relation(&mut assembly, row)?;
        }
        for row in set(1) {
            assembly.add_column(&required(row, 0)?, column(row, is_mariadb)?);
        }
        add_indexes(&mut assembly, set(2))?;
        add_foreign_keys(&mut assembly, set(3), set(4))?;
        for row in set(5) {
            let (table, name) = (required(row, 0)?, required(row, 1)?);
            if let Some(relation) = assembly.relation(&table) {
                let (timing, event, body) = (required(row, 2)?, required(row, 3)?, required(row, 4)?);
                let quoted = super::literal::quoted;
                let definition = format!(
                    "CREATE TRIGGER {} {timing} {event} ON {} FOR EACH ROW {body}",
                    quoted(&name),
                    quoted(&table)
                );
                relation.triggers.push(Trigger { name, definition });
            }
        }
        for row in set(6) {
            if let Some(relation) = assembly.relation(&required(row, 0)?) {
                // Empty for a user who may not see it.
                relation.definition = text(row, 1)?.filter(|query| !query.is_empty());
            }
        }
        let mut steps = Vec::new();
        for row in set(7) {
            let column = |index| text(row, index).ok().flatten();
            steps.push(facts::recent_step(column).map_err(|(id, reason)| ReadError::Damaged { id, reason })?);
        }
        Ok(Facts { relations: assembly.finish(), steps })
    }
}

/// A query that ends by itself when it takes too long.
fn limited(query: &str, limit: Duration, is_mariadb: bool) -> String {
    if !is_mariadb {
        return query.replace("{hint}", &format!("/*+ MAX_EXECUTION_TIME({}) */", limit.as_millis()));
    }
    let query = query.replace("{hint} ", "");
    format!("SET STATEMENT max_statement_time = {}, lock_wait_timeout = {LOCK_WAIT} FOR {query}", limit.as_secs_f64())
}

/// Whether a row of `information_schema.tables` is one of the runner's own, as the server itself compares names.
fn is_runners(table: &TableName) -> String {
    let schema = table.schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal);
    let table = literal(&table.name);
    format!(
        "table_schema = {schema} AND table_name = {table} \
         AND (@@lower_case_table_names <> 0 OR CAST(table_name AS BINARY) = CAST({table} AS BINARY))"
    )
}

fn required(row: &MySqlRow, index: usize) -> Result<String> {
    Ok(text(row, index)?.unwrap_or_default())
}

fn add_relation(assembly: &mut Assembly, row: &MySqlRow) -> Result<()> {
    if number::<u8>(row, 4)? == Some(1) {
        return Ok(());
    }
    let is_view = required(row, 1)? == "VIEW";
    let kind = if is_view { RelationKind::View } else { RelationKind::Table };
    let name = required(row, 0)?;
    let mut relation = Relation::new(name.clone(), kind);
    if !is_view {
        relation.rows = number(row, 2)?;
        relation.bytes = number(row, 3)?;
    }
    assembly.add(name, relation);
    Ok(())
}

fn column(row: &MySqlRow, is_mariadb: bool) -> Result<Column> {
    let extra = required(row, 5)?.to_ascii_uppercase();
    let is_expression = is_mariadb || extra.contains("DEFAULT_GENERATED");
    let generated = extra.contains("VIRTUAL GENERATED") || extra.contains("STORED GENERATED");
    let is_none = |default: &str| generated || (is_mariadb && default == "NULL");
    let default = text(row, 4)?.filter(|default| !is_none(default));
    Ok(Column {
        name: required(row, 1)?,
        data_type: required(row, 2)?,
        nullable: required(row, 3)? == "YES",
        // MySQL gives the value of a literal, and not its text.
        default: default.map(|value| if is_expression || is_number(&value) { value } else { quoted(&value) }),
        generated,
        primary_key: None,
        null_fraction: None,
        distinct_values: None,
    })
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A row for each column of each index.
fn add_indexes(assembly: &mut Assembly, rows: &[MySqlRow]) -> Result<()> {
    for row in rows {
        let (table, name, column) = (required(row, 0)?, required(row, 1)?, text(row, 3)?);
        let shown = match (&column, text(row, 4)?) {
            // Of a long text the beginning may be enough.
            (Some(column), Some(characters)) => format!("{column}({characters})"),
            (Some(column), None) => column.clone(),
            (None, _) => required(row, 6)?,
        };
        let Some(relation) = assembly.relation(&table) else { continue };
        let primary = name == "PRIMARY";
        let position = match relation.indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => {
                index.columns.push(shown);
                index.columns.len()
            }
            None => {
                let unique = number(row, 2)? == Some(0_u8);
                let columns = vec![shown];
                relation.indexes.push(Index {
                    name,
                    columns,
                    unique,
                    primary,
                    predicate: None,
                    valid: true,
                    bytes: None,
                });
                1
            }
        };
        let Some(column) = column.and_then(|column| assembly.column(&table, &column)) else { continue };
        if primary {
            column.primary_key = u32::try_from(position).ok();
        }
        // The number for the second column is that of pairs.
        if position == 1 {
            column.distinct_values = column.distinct_values.max(number(row, 5)?);
        }
    }
    Ok(())
}

/// A row for each column of each key, and what happens on delete.
fn add_foreign_keys(assembly: &mut Assembly, rows: &[MySqlRow], rules: &[MySqlRow]) -> Result<()> {
    let mut on_delete = HashMap::new();
    for row in rules {
        on_delete.insert((required(row, 0)?, required(row, 1)?), required(row, 2)?);
    }
    for row in rows {
        let (table, name) = (required(row, 0)?, required(row, 1)?);
        let rule = on_delete.get(&(table.clone(), name.clone())).cloned();
        let Some(relation) = assembly.relation(&table) else { continue };
        let (column, referenced) = (required(row, 2)?, required(row, 5)?);
        match relation.foreign_keys.last_mut().filter(|key| key.name.as_deref() == Some(&name)) {
            Some(key) => {
                key.columns.push(column);
                key.referenced_columns.push(referenced);
            }
            None => relation.foreign_keys.push(ForeignKey {
                name: Some(name),
                columns: vec![column],
                referenced_schema: text(row, 3)?,
                referenced_table: required(row, 4)?,
                referenced_columns: vec![referenced],
                on_delete: rule.unwrap_or_else(|| "NO ACTION".to_owned()),
            }),
        }
    }
    Ok(())
}
