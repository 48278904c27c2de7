//! Rows out of tables and into them. Each value has a type of its own, so it is written as a literal of SQLite's SQL.

use std::io::Write as _;
use std::sync::Arc;

use futures_util::StreamExt as _;
use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::TypeInfo as _;
use sqlx::ValueRef as _;
use sqlx::sqlite::SqliteRow;

use crate::contents::Copying;
use crate::contents::EachLine;
use crate::contents::Fields;
use crate::contents::Lines;
use crate::contents::Placing;
use crate::contents::RowSource;
use crate::contents::Rows;
use crate::contents::Table;
use crate::contents::TableColumn;
use crate::contents::escape;
use crate::contents::read_row;
use crate::contents::write_field;
use crate::contents::wrong_row;
use crate::error::Error;

/// So many values SQLite takes in one statement.
const MOST_VALUES: usize = 32_766;
/// More rows in one statement are no faster.
const MOST_ROWS: usize = 256;
/// With so many bytes no further row is added to a statement.
const MOST_BYTES: usize = 1024 * 1024;
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
    let mut count = 0;
    while let Some(row) = found.next().await {
        write_row(&row?, lines.buffer())?;
        count += 1;
        lines.hand_on().await?;
    }
    drop(found);
    lines.flush().await?;
    Ok(count)
}

fn write_row(row: &SqliteRow, line: &mut Vec<u8>) -> Result<(), sqlx::Error> {
    for index in 0..row.len() {
        if index > 0 {
            line.push(b'\t');
        }
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            write_field(line, None);
            continue;
        }
        let kind = value.type_info();
        // Writing to a `Vec` cannot fail, and neither numbers nor digits need to be escaped.
        match kind.name() {
            "INTEGER" => {
                let _ = write!(line, "{}", row.try_get_unchecked::<i64, _>(index)?);
            }
            "REAL" => write_real(line, row.try_get_unchecked::<f64, _>(index)?),
            "TEXT" => write_text(line, row.try_get_unchecked::<&[u8], _>(index)?),
            _ => write_blob(line, row.try_get_unchecked::<&[u8], _>(index)?),
        }
    }
    line.push(b'\n');
    Ok(())
}

/// The shortest literal that means the same number.
fn write_real(line: &mut Vec<u8>, number: f64) {
    if number.is_infinite() {
        line.extend_from_slice(if number > 0.0 { b"9e999" } else { b"-9e999" });
        return;
    }
    // Writing to a `Vec` cannot fail.
    let _ = write!(line, "{number:?}");
}

fn write_text(line: &mut Vec<u8>, text: &[u8]) {
    // SQLite's literals end at the character NUL, and those of a file must be UTF-8.
    if memchr::memchr(0, text).is_some() || std::str::from_utf8(text).is_err() {
        line.extend_from_slice(b"CAST(");
        write_blob(line, text);
        line.extend_from_slice(b" AS TEXT)");
        return;
    }
    line.push(b'\'');
    escape(line, text, true);
    line.push(b'\'');
}

fn write_blob(line: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    line.reserve(bytes.len() * 2 + 3);
    line.extend_from_slice(b"x'");
    line.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
    line.push(b'\'');
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

    fn parse(literal: Option<&[u8]>) -> Result<Self, &'static str> {
        let Some(literal) = literal else { return Ok(Self::Null) };
        match literal.first() {
            Some(b'\'') => {
                let quoted = literal.get(1..).and_then(|rest| rest.strip_suffix(b"'")).ok_or("a text has no end")?;
                let text = std::str::from_utf8(quoted).map_err(|_| "it is not UTF-8")?;
                let has_quotes = memchr::memchr(b'\'', quoted).is_some();
                Ok(Self::Text(if has_quotes { text.replace("''", "'") } else { text.to_owned() }))
            }
            Some(b'x') => {
                let digits = literal.strip_prefix(b"x'").and_then(|rest| rest.strip_suffix(b"'"));
                Ok(Self::Blob(bytes(digits.ok_or("a value is no literal")?)?))
            }
            Some(b'C') => {
                let digits = literal.strip_prefix(b"CAST(x'").and_then(|rest| rest.strip_suffix(b"' AS TEXT)"));
                let text = bytes(digits.ok_or("a value is no literal")?)?;
                Ok(match String::from_utf8(text) {
                    Ok(text) => Self::Text(text),
                    Err(raw) => Self::RawText(raw.into_bytes()),
                })
            }
            _ => {
                let text = std::str::from_utf8(literal).map_err(|_| "it is not UTF-8")?;
                if let Ok(number) = text.parse() {
                    return Ok(Self::Integer(number));
                }
                text.parse().map(Self::Real).map_err(|_| "a value is no literal")
            }
        }
    }

    /// How much memory it takes besides itself.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::RawText(bytes) | Self::Blob(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

fn bytes(digits: &[u8]) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "a blob has something else than hexadecimal digits";
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(WRONG),
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(WRONG);
    }
    let mut bytes = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Ok(bytes)
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
    let mut batches = Batches::new(table, rows, source);
    let mut ready = batches.next().await?;
    while let Some(batch) = ready {
        // The next one is read while the database is busy with this one.
        let (done, next) = tokio::join!(batch.execute(connection), batches.next());
        done?;
        ready = next?;
    }
    Ok(batches.lines.count)
}

/// Some rows that go into a table together.
struct Batch {
    sql: Arc<str>,
    values: Vec<Value>,
}

impl Batch {
    async fn execute(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut query = sqlx::query(AssertSqlSafe(self.sql));
        for value in self.values {
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
}

/// The rows of a source as batches.
struct Batches<'s> {
    rows: Rows<'s>,
    lines: EachLine<'s>,
    /// How many rows a batch has at most.
    at_once: usize,
    head: String,
    /// The statement of a full batch in which no value needs a placeholder of its own.
    full: Arc<str>,
}

impl<'s> Batches<'s> {
    fn new(table: &str, rows: Rows<'s>, source: &'s mut dyn RowSource) -> Self {
        let width = rows.columns.len().max(1);
        let at_once = (MOST_VALUES / width).clamp(1, MOST_ROWS);
        let head = format!("INSERT INTO {table} ({}) VALUES ", list(rows.columns));
        let full = sql(&head, width, std::iter::repeat_n("?", at_once * width));
        Self { rows, lines: EachLine::new(source), at_once, head, full: full.into() }
    }

    /// The next one; `None` after the last row.
    async fn next(&mut self) -> Result<Option<Batch>, Error> {
        let width = self.rows.columns.len().max(1);
        let mut values = Vec::with_capacity(self.at_once * width);
        let (mut count, mut size, mut is_plain) = (0, 0, true);
        let mut row = self.lines.count;
        while count < self.at_once && size < MOST_BYTES {
            let Some(line) = self.lines.next().await? else { break };
            (count, row) = (count + 1, row + 1);
            let mut fields = Fields::with_capacity(width);
            read_row(self.rows, line, row, &mut fields)?;
            for field in &fields {
                let value = Value::parse(field.as_deref()).map_err(|reason| wrong_row(self.rows, row, reason))?;
                size += value.size();
                is_plain &= !matches!(value, Value::RawText(_));
                values.push(value);
            }
        }
        if values.is_empty() {
            return Ok(None);
        }
        let sql = if is_plain && count == self.at_once {
            Arc::clone(&self.full)
        } else {
            sql(&self.head, width, values.iter().map(Value::placeholder)).into()
        };
        Ok(Some(Batch { sql, values }))
    }
}

/// The statement for some rows, from its placeholders.
fn sql(head: &str, width: usize, placeholders: impl Iterator<Item = &'static str>) -> String {
    let mut sql = head.to_owned();
    for (index, placeholder) in placeholders.enumerate() {
        let is_first = index.is_multiple_of(width);
        sql.push_str(match (index, is_first) {
            (0, _) => "(",
            (_, true) => "), (",
            (_, false) => ", ",
        });
        sql.push_str(placeholder);
    }
    sql.push(')');
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_mean_what_they_were_made_of() {
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut line = Vec::new();
            write(&mut line);
            let column = TableColumn {
                name: "x".to_owned(),
                kind: String::new(),
                is_generated: false,
                form: crate::contents::Form::Literal,
                default: None,
            };
            let columns = [column];
            let table = Table {
                schema: None,
                name: "t".to_owned(),
                columns: columns.to_vec(),
                key: Vec::new(),
                children: Vec::new(),
                rows_estimate: None,
                references: Vec::new(),
                has_triggers: false,
                holds_rows: true,
                create: Vec::new(),
                complete: Vec::new(),
                connect: Vec::new(),
                counters: Vec::new(),
            };
            line.push(b'\n');
            let mut fields = Fields::new();
            read_row(Rows { table: &table, columns: &columns }, &line, 1, &mut fields).unwrap();
            Value::parse(fields[0].as_deref()).unwrap()
        };
        assert_eq!(written(&|to| write_text(to, b"it's\n")), Value::Text("it's\n".to_owned()));
        assert_eq!(written(&|to| write_text(to, b"\\'\t\r\\n")), Value::Text("\\'\t\r\\n".to_owned()));
        assert_eq!(written(&|to| write_text(to, b"a\0b")), Value::Text("a\0b".to_owned()));
        assert_eq!(written(&|to| write_text(to, b"\xff")), Value::RawText(vec![0xff]));
        assert_eq!(written(&|to| write_text(to, b"''")), Value::Text("''".to_owned()));
        assert_eq!(written(&|to| write_blob(to, b"\x00\xab")), Value::Blob(vec![0, 0xab]));
        assert_eq!(written(&|to| write_blob(to, b"")), Value::Blob(Vec::new()));
        for number in [0.1, 1.0, -0.0, 1e300, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
            let Value::Real(read) = written(&|to| write_real(to, number)) else { panic!("{number}") };
            assert_eq!(read.to_bits(), number.to_bits());
        }
        assert_eq!(Value::parse(Some(i64::MIN.to_string().as_bytes())), Ok(Value::Integer(i64::MIN)));
        for wrong in ["DROP TABLE t", "", "'", "x'0", "x'0'", "x'0g'", "CAST(x'00')", "Cx", "1 + 1"] {
            assert!(Value::parse(Some(wrong.as_bytes())).is_err(), "{wrong}");
        }
    }
}
