//! Rows out of tables and into them. The server sends text, and the lines are put together here; into tables they come with
//! `INSERT`, because a file of the client's is nothing that every server lets in.

use std::fmt::Write as _;

use sqlx::mysql::MySqlRow;

use crate::contents::Copying;
use crate::contents::EachLine;
use crate::contents::Fields;
use crate::contents::Form;
use crate::contents::Lines;
use crate::contents::Placing;
use crate::contents::RowSource;
use crate::contents::Rows;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::read_row;
use crate::contents::write_field;
use crate::contents::wrong_row;
use crate::error::Error;

use super::link::Link;
use super::link::bytes;
use super::link::number;
use super::link::text;
use super::literal::literal;
use super::literal::quoted;

/// Texts mean the same whatever the session's settings were. They stay until the session ends. The mode is not strict, because
/// tables hold values that got in without it, such as dates of zeros; whoever loads compares afterwards.
const PLAIN_TEXTS: &str = "SET NAMES utf8mb4; SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', \
     SQL_SELECT_LIMIT = DEFAULT, group_concat_max_len = 4294967295";
const BEGIN_READING: &str =
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
const NO_KEYS: &str = "SET SESSION foreign_key_checks = 0, unique_checks = 0; START TRANSACTION";
/// Nobody limits how long rows may travel.
const NO_LIMIT: [&str; 2] = ["SET SESSION max_execution_time = 0", "SET SESSION max_statement_time = 0"];
/// A statement of this length is no slower a row than a longer one, and every server takes it.
const STATEMENT: usize = 900 * 1024;
const WAITING: &str = "`runner_rows`";

pub(super) fn begin_reading(is_mariadb: bool) -> String {
    format!("{PLAIN_TEXTS}; {}; {BEGIN_READING}", NO_LIMIT[usize::from(is_mariadb)])
}

pub(super) fn begin_loading(is_mariadb: bool) -> String {
    format!("{PLAIN_TEXTS}; {}; {NO_KEYS}", NO_LIMIT[usize::from(is_mariadb)])
}

fn list(columns: &[TableColumn]) -> String {
    columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

/// Hands all rows of a table on.
pub(super) async fn read(link: &mut Link, rows: Rows<'_>, lines: &mut Lines<'_>) -> Result<u64, Copying> {
    let value = |column: &TableColumn| {
        let name = quoted(&column.name);
        // As text the server rounds it.
        if column.kind.starts_with("float") { format!("{name} * 1e0") } else { name }
    };
    let columns: Vec<String> = rows.columns.iter().map(value).collect();
    let forms: Vec<Form> = rows.columns.iter().map(|column| column.form).collect();
    let sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(&rows.table.name));
    link.stream(sql, lines, |row, line| write_row(row, &forms, line)).await
}

fn write_row(row: &MySqlRow, forms: &[Form], line: &mut Vec<u8>) -> Result<(), sqlx::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (index, form) in forms.iter().enumerate() {
        if index > 0 {
            line.push(b'\t');
        }
        match (bytes(row, index)?, form) {
            (Some(value), Form::Hex) => {
                for byte in value {
                    line.push(DIGITS[usize::from(byte >> 4)]);
                    line.push(DIGITS[usize::from(byte & 15)]);
                }
            }
            (value, _) => write_field(line, value),
        }
    }
    line.push(b'\n');
    Ok(())
}

/// Puts all rows of a source into a table.
pub(super) async fn load(
    link: &mut Link,
    rows: Rows<'_>,
    placing: Placing<'_>,
    source: &mut dyn RowSource,
) -> Result<u64, Copying> {
    let table = quoted(&rows.table.name);
    let columns = list(rows.columns);
    let Placing::Update { key } = placing else { return insert(link, &table, rows, source).await };
    let keys: Vec<String> = key.iter().map(|name| quoted(name)).collect();
    let make = format!(
        "DROP TEMPORARY TABLE IF EXISTS {WAITING}; \
         CREATE TEMPORARY TABLE {WAITING} (PRIMARY KEY ({})) SELECT {columns} FROM {table} WHERE FALSE",
        keys.join(", ")
    );
    link.run(make).await.map_err(|(_, error)| error)?;
    insert(link, WAITING, rows, source).await?;
    // Columns that change by themselves whenever their row does.
    let lively = format!(
        "SELECT column_name FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = {} AND extra LIKE '%on update%'",
        literal(&rows.table.name)
    );
    let lively = link.ask(lively).await.complete()?;
    let mut set = Vec::new();
    for row in lively.sets.iter().flatten() {
        let name = text(row, 0)?.unwrap_or_default();
        if !rows.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            set.push(format!("t.{0} = t.{0}", quoted(&name)));
        }
    }
    let saved = rows.columns.iter().map(|column| &column.name).filter(|name| !key.contains(name));
    set.extend(saved.map(|name| format!("t.{0} = s.{0}", quoted(name))));
    let same: Vec<String> = keys.iter().map(|name| format!("t.{name} = s.{name}")).collect();
    let matches =
        format!("SELECT CAST(COUNT(*) AS CHAR) FROM {table} AS t JOIN {WAITING} AS s ON {}", same.join(" AND "));
    let count = number(link.ask(matches).await.complete()?.row(0)?, 0)?.unwrap_or_default();
    let update = format!(
        "UPDATE {table} AS t JOIN {WAITING} AS s ON {} SET {}; DROP TEMPORARY TABLE {WAITING}",
        same.join(" AND "),
        set.join(", ")
    );
    link.run(update).await.map_err(|(_, error)| error)?;
    Ok(count)
}

async fn insert(link: &mut Link, table: &str, rows: Rows<'_>, source: &mut dyn RowSource) -> Result<u64, Copying> {
    let head = format!("INSERT INTO {table} ({}) VALUES ", list(rows.columns));
    let mut lines = EachLine::new(source);
    let mut ready = next_statement(rows, &head, &mut lines).await?;
    while let Some(statement) = ready {
        // The next one is put together while the server is busy with this one.
        let (done, next) = tokio::join!(link.run(statement), next_statement(rows, &head, &mut lines));
        done.map_err(|(_, error)| error)?;
        ready = next?;
    }
    Ok(lines.count)
}

/// A statement for the next rows; `None` after the last.
async fn next_statement(rows: Rows<'_>, head: &str, lines: &mut EachLine<'_>) -> Result<Option<String>, Error> {
    let mut statement = String::with_capacity(STATEMENT + STATEMENT / 16);
    statement.push_str(head);
    let mut row = lines.count;
    while statement.len() < STATEMENT {
        let Some(line) = lines.next().await? else { break };
        row += 1;
        let mut fields = Fields::with_capacity(rows.columns.len());
        read_row(rows, line, row, &mut fields)?;
        statement.push_str(if statement.len() == head.len() { "(" } else { ", (" });
        for (index, (field, column)) in fields.iter().zip(rows.columns).enumerate() {
            statement.push_str(if index == 0 { "" } else { ", " });
            let written = write_value(&mut statement, field.as_deref(), column.form);
            written.map_err(|reason| wrong_row(rows, row, reason))?;
        }
        statement.push(')');
    }
    Ok((statement.len() > head.len()).then_some(statement))
}

fn write_value(sql: &mut String, value: Option<&[u8]>, form: Form) -> Result<(), &'static str> {
    let Some(value) = value else {
        sql.push_str("NULL");
        return Ok(());
    };
    if form == Form::Hex {
        let is_hex = value.len().is_multiple_of(2) && value.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(value).ok().filter(|_| is_hex).ok_or("a value is not hexadecimal")?;
        // Writing to a `String` cannot fail.
        let _ = write!(sql, "x'{digits}'");
        return Ok(());
    }
    let Ok(text) = std::str::from_utf8(value) else {
        // What the server holds against its own rules; it says itself whether it takes it.
        sql.push_str("x'");
        for byte in value {
            let _ = write!(sql, "{byte:02x}");
        }
        sql.push('\'');
        return Ok(());
    };
    // Backslashes escape, because the session says so.
    sql.push('\'');
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '\\', '\0']) {
        sql.push_str(&rest[..at]);
        sql.push_str(match rest.as_bytes()[at] {
            b'\'' => "\\'",
            b'\\' => "\\\\",
            _ => "\\0",
        });
        rest = &rest[at + 1..];
    }
    sql.push_str(rest);
    sql.push('\'');
    Ok(())
}

/// A foreign key, with all names as SQL but its own.
struct Key {
    name: String,
    table: String,
    /// The table referred to.
    other: String,
    /// Its columns, each with the one that it refers to.
    columns: Vec<(String, String)>,
}

/// The first foreign key from or to some tables that a row does not satisfy. The session does not look at them by itself.
pub(super) async fn broken_key(link: &mut Link, tables: &[String]) -> Result<Option<String>, sqlx::Error> {
    if tables.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = tables.iter().map(|table| literal(table)).collect();
    let names = names.join(", ");
    let keys = format!(
        "SELECT constraint_name, table_name, column_name, referenced_table_schema, referenced_table_name, referenced_column_name \
         FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL \
         AND (table_name IN ({names}) OR referenced_table_name IN ({names})) ORDER BY table_name, constraint_name, ordinal_position"
    );
    let found = link.ask(keys).await.complete()?;
    let mut keys: Vec<Key> = Vec::new();
    for row in found.sets.iter().flatten() {
        let column = |index| Ok::<_, sqlx::Error>(text(row, index)?.unwrap_or_default());
        let (name, table) = (column(0)?, quoted(&column(1)?));
        let other = format!("{}.{}", quoted(&column(3)?), quoted(&column(4)?));
        let pair = (quoted(&column(2)?), quoted(&column(5)?));
        match keys.last_mut() {
            Some(last) if last.name == name && last.table == table => last.columns.push(pair),
            _ => keys.push(Key { name, table, other, columns: vec![pair] }),
        }
    }
    for Key { name, table, other, columns } in keys {
        let same: Vec<String> = columns.iter().map(|(own, theirs)| format!("c.{own} = p.{theirs}")).collect();
        let given: Vec<String> = columns.iter().map(|(own, _)| format!("c.{own} IS NOT NULL")).collect();
        let orphans = format!(
            "SELECT 'x' FROM {table} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {other} AS p WHERE {}) LIMIT 1",
            given.join(" AND "),
            same.join(" AND ")
        );
        if link.ask(orphans).await.complete()?.row(0).is_ok() {
            return Ok(Some(format!("`{name}` of {table}")));
        }
    }
    Ok(None)
}

/// The SQL that makes the triggers of tables again, and the SQL that takes them away.
pub(super) async fn triggers(link: &mut Link, tables: &[&Table]) -> Result<(Vec<String>, Vec<String>), sqlx::Error> {
    if tables.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let names: Vec<String> = tables.iter().map(|table| literal(&table.name)).collect();
    let triggers = format!(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
         AND event_object_table IN ({}) ORDER BY event_object_table, action_timing, event_manipulation, action_order",
        names.join(", ")
    );
    let found = link.ask(triggers).await.complete()?;
    let mut names = Vec::new();
    for row in found.sets.iter().flatten() {
        names.push(quoted(&text(row, 0)?.unwrap_or_default()));
    }
    let mut held = Vec::new();
    for name in &names {
        let shown = link.ask(format!("SHOW CREATE TRIGGER {name}")).await.complete()?;
        let row = shown.row(0)?;
        let column = |index| Ok::<_, sqlx::Error>(text(row, index)?.unwrap_or_default());
        let (mode, sql, client, collation) = (column(1)?, column(2)?, column(3)?, column(4)?);
        held.push(format!(
            "SET SESSION sql_mode = {}, character_set_client = {client}, collation_connection = {collation}",
            literal(&mode)
        ));
        held.push(sql);
    }
    Ok((held, names.into_iter().map(|name| format!("DROP TRIGGER {name}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_sql() {
        let written = |value: Option<&[u8]>, form| {
            let mut sql = String::new();
            write_value(&mut sql, value, form).map(|()| sql)
        };
        assert_eq!(written(None, Form::Text), Ok("NULL".to_owned()));
        assert_eq!(written(Some(b"it's \\ \0 \n"), Form::Text), Ok("'it\\'s \\\\ \\0 \n'".to_owned()));
        assert_eq!(written(Some(b"00ff"), Form::Hex), Ok("x'00ff'".to_owned()));
        assert_eq!(written(Some(b"\xff"), Form::Text), Ok("x'ff'".to_owned()));
        assert!(written(Some(b"'"), Form::Hex).is_err());
    }
}
