//! Rows out of tables and into them. Each value has a type of its own, so it is written as a literal of SQLite's SQL.

use std::fmt::Write as _;

use futures_util::StreamExt as _;
use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::TypeInfo as _;
use sqlx::ValueRef as _;
use sqlx::sqlite::SqliteRow;

use crate::contents::Copying;
use crate::contents::Lines;
use crate::contents::Placing;
use crate::contents::RowSource;
use crate::contents::Rows;
use crate::contents::Stopped;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::each_row;
use crate::contents::write_field;
use crate::error::Error;

/// So many values SQLite takes in one statement.
const MOST_VALUES: usize = 32_766;
/// More rows in one statement are no faster.
const MOST_ROWS: usize = 256;
/// Where rows wait until they are put into those that are there.
const WAITING: &str = "temp.runner_rows";

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn name(table: &Table) -> String {
    format!("main.{}", quoted(&table.name))
}

fn list(columns: &[TableColumn]) -> String {
    columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

/// Hands all rows of a table on.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    rows: Rows<'_>,
    lines: &mut Lines<'_>,
) -> Result<u64, Copying> {
    let sql = format!("SELECT {} FROM {}", list(rows.columns), name(rows.table));
    let mut found = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch(connection);
    let (mut count, mut literal) = (0, Vec::new());
    while let Some(row) = found.next().await {
        write_row(&row?, lines.buffer(), &mut literal)?;
        count += 1;
        lines.hand_on().await?;
    }
    drop(found);
    lines.flush().await?;
    Ok(count)
}

fn write_row(row: &SqliteRow, line: &mut Vec<u8>, literal: &mut Vec<u8>) -> Result<(), sqlx::Error> {
    for index in 0..row.len() {
        if index > 0 {
            line.push(b'\t');
        }
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            write_field(line, None);
            continue;
        }
        literal.clear();
        let kind = value.type_info().name().to_owned();
        match kind.as_str() {
            "INTEGER" => {
                literal.extend_from_slice(row.try_get_unchecked::<i64, _>(index)?.to_string().as_bytes());
            }
            "REAL" => literal.extend_from_slice(real(row.try_get_unchecked::<f64, _>(index)?).as_bytes()),
            "TEXT" => write_text(literal, row.try_get_unchecked::<&[u8], _>(index)?),
            _ => write_blob(literal, row.try_get_unchecked::<&[u8], _>(index)?),
        }
        write_field(line, Some(literal));
    }
    line.push(b'\n');
    Ok(())
}

/// The shortest literal that means the same number.
fn real(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "9e999" } else { "-9e999" }.to_owned();
    }
    format!("{number:?}")
}

fn write_text(literal: &mut Vec<u8>, text: &[u8]) {
    // SQLite's literals end at the character NUL, and those of a file must be UTF-8.
    if text.contains(&0) || std::str::from_utf8(text).is_err() {
        literal.extend_from_slice(b"CAST(");
        write_blob(literal, text);
        literal.extend_from_slice(b" AS TEXT)");
        return;
    }
    literal.push(b'\'');
    for part in text.split_inclusive(|byte| *byte == b'\'') {
        literal.extend_from_slice(part);
        if part.ends_with(b"'") {
            literal.push(b'\'');
        }
    }
    literal.push(b'\'');
}

fn write_blob(literal: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    literal.extend_from_slice(b"x'");
    for byte in bytes {
        literal.push(DIGITS[usize::from(byte >> 4)]);
        literal.push(DIGITS[usize::from(byte & 15)]);
    }
    literal.push(b'\'');
}

/// A value as it is bound.
#[derive(Debug, PartialEq)]
enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    /// A text that is no UTF-8.
    RawText(Vec<u8>),
    Blob(Vec<u8>),
}

impl Value {
    fn placeholder(&self) -> &'static str {
        if matches!(self, Self::RawText(_)) { "CAST(? AS TEXT)" } else { "?" }
    }

    fn parse(literal: Option<Vec<u8>>) -> Result<Self, &'static str> {
        let Some(literal) = literal else { return Ok(Self::Null) };
        if let Some(blob) = literal.strip_prefix(b"x'").and_then(|rest| rest.strip_suffix(b"'")) {
            return Ok(Self::Blob(bytes(blob)?));
        }
        if let Some(blob) = literal.strip_prefix(b"CAST(x'").and_then(|rest| rest.strip_suffix(b"' AS TEXT)")) {
            let text = bytes(blob)?;
            return Ok(match String::from_utf8(text) {
                Ok(text) => Self::Text(text),
                Err(raw) => Self::RawText(raw.into_bytes()),
            });
        }
        let text = String::from_utf8(literal).map_err(|_| "it is not UTF-8")?;
        if let Some(quoted) = text.strip_prefix('\'') {
            let quoted = quoted.strip_suffix('\'').ok_or("a text has no end")?;
            return Ok(Self::Text(quoted.replace("''", "'")));
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Integer(number));
        }
        text.parse().map(Self::Real).map_err(|_| "a value is no literal")
    }
}

fn bytes(digits: &[u8]) -> Result<Vec<u8>, &'static str> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect::<Option<_>>().ok_or("a blob has something else than hexadecimal digits")
}

/// Puts all rows of a source into a table.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    rows: Rows<'_>,
    placing: Placing<'_>,
    source: &mut dyn RowSource,
) -> Result<u64, Copying> {
    let columns = list(rows.columns);
    let Placing::Update { key } = placing else {
        return insert(connection, &name(rows.table), rows, source).await;
    };
    let keys: Vec<String> = key.iter().map(|name| quoted(name)).collect();
    let make = format!(
        "DROP TABLE IF EXISTS {WAITING}; CREATE TABLE {WAITING} ({columns}, PRIMARY KEY ({})) WITHOUT ROWID",
        keys.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut *connection).await?;
    insert(connection, WAITING, rows, source).await?;
    let set = rows.columns.iter().map(|column| &column.name).filter(|name| !key.contains(name));
    let set: Vec<String> = set.map(|name| format!("{0} = s.{0}", quoted(name))).collect();
    let same: Vec<String> = keys.iter().map(|name| format!("t.{name} = s.{name}")).collect();
    let matches =
        format!("SELECT count(*) FROM {} AS t JOIN {WAITING} AS s ON {}", name(rows.table), same.join(" AND "));
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(matches)).fetch_one(&mut *connection).await?;
    let update = format!(
        "UPDATE {} AS t SET {} FROM {WAITING} AS s WHERE {}; DROP TABLE {WAITING}",
        name(rows.table),
        set.join(", "),
        same.join(" AND ")
    );
    sqlx::raw_sql(AssertSqlSafe(update)).execute(connection).await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

async fn insert(
    connection: &mut SqliteConnection,
    table: &str,
    rows: Rows<'_>,
    source: &mut dyn RowSource,
) -> Result<u64, Copying> {
    let width = rows.columns.len().max(1);
    let at_once = (MOST_VALUES / width).clamp(1, MOST_ROWS);
    let head = format!("INSERT INTO {table} ({}) VALUES ", list(rows.columns));
    let mut waiting: Vec<Value> = Vec::with_capacity(at_once * width);
    let mut count = 0;
    while let Some(lines) = source.next().await.map_err(|Stopped| Error::Stopped)? {
        let mut values = Vec::new();
        count = each_row(rows, &lines, count, &mut |fields| {
            for field in fields {
                values.push(Value::parse(field)?);
            }
            Ok(())
        })?;
        for value in values {
            waiting.push(value);
            if waiting.len() == at_once * width {
                insert_values(connection, &head, width, std::mem::take(&mut waiting)).await?;
            }
        }
    }
    insert_values(connection, &head, width, waiting).await?;
    Ok(count)
}

async fn insert_values(
    connection: &mut SqliteConnection,
    head: &str,
    width: usize,
    values: Vec<Value>,
) -> Result<(), sqlx::Error> {
    if values.is_empty() {
        return Ok(());
    }
    let mut sql = String::with_capacity(head.len() + values.len() * 3);
    sql.push_str(head);
    for (index, row) in values.chunks(width).enumerate() {
        sql.push_str(if index == 0 { "(" } else { ", (" });
        for (index, value) in row.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a `String` cannot fail.
            let _ = write!(sql, "{comma}{}", value.placeholder());
        }
        sql.push(')');
    }
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = match value {
            Value::Null => query.bind(None::<i64>),
            Value::Integer(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::RawText(bytes) | Value::Blob(bytes) => query.bind(bytes),
        };
    }
    query.execute(connection).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_mean_what_they_were_made_of() {
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut literal = Vec::new();
            write(&mut literal);
            Value::parse(Some(literal)).unwrap()
        };
        assert_eq!(written(&|to| write_text(to, b"it's\n")), Value::Text("it's\n".to_owned()));
        assert_eq!(written(&|to| write_text(to, b"a\0b")), Value::Text("a\0b".to_owned()));
        assert_eq!(written(&|to| write_text(to, b"\xff")), Value::RawText(vec![0xff]));
        assert_eq!(written(&|to| write_text(to, b"''")), Value::Text("''".to_owned()));
        assert_eq!(written(&|to| write_blob(to, b"\x00\xab")), Value::Blob(vec![0, 0xab]));
        assert_eq!(written(&|to| write_blob(to, b"")), Value::Blob(Vec::new()));
        for number in [0.1, 1.0, -0.0, 1e300, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            let Value::Real(read) = Value::parse(Some(real(number).into_bytes())).unwrap() else { panic!("{number}") };
            assert_eq!(read.to_bits(), number.to_bits());
        }
        assert_eq!(Value::parse(Some(i64::MIN.to_string().into_bytes())), Ok(Value::Integer(i64::MIN)));
        assert!(Value::parse(Some(b"DROP TABLE t".to_vec())).is_err());
    }
}
