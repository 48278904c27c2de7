//! The schema of a SQLite database, read structurally: renaming a table or adding a column leaves traces in the text of its
//! definition that mean nothing.

use runner_chain::Dialect;
use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::reading::Result;
use crate::schema::Schema;
use crate::words::Kind;
use crate::words::Token;
use crate::words::tokens;

use super::books::Books;

const OBJECTS: &str = "SELECT type, name, tbl_name, CAST(sql AS TEXT) FROM main.sqlite_master \
     WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name";
const COLUMNS: &str = "SELECT m.name, c.name, c.cid, c.type, c.\"notnull\", CAST(c.dflt_value AS TEXT), c.pk, c.hidden \
     FROM main.sqlite_master AS m JOIN pragma_table_xinfo(m.name, 'main') AS c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const INDEXES: &str = "SELECT m.name, i.name, i.origin, \
       (SELECT group_concat(coalesce(c.name, '(expression)') || ' ' || c.coll || CASE c.desc WHEN 1 THEN ' DESC' ELSE '' END, ', ') \
        FROM pragma_index_xinfo(i.name, 'main') AS c WHERE c.key), i.\"unique\" \
     FROM main.sqlite_master AS m JOIN pragma_index_list(m.name, 'main') AS i WHERE m.type = 'table'";
const FOREIGN_KEYS: &str = "SELECT m.name, k.id, group_concat(k.\"from\", ', '), k.\"table\", \
       coalesce(group_concat(k.\"to\", ', '), ''), k.on_update, k.on_delete, k.\"match\" \
     FROM main.sqlite_master AS m JOIN pragma_foreign_key_list(m.name, 'main') AS k WHERE m.type = 'table' \
     GROUP BY m.name, k.id";

impl Books {
    /// Reads the schema, inside the transaction of whoever asks.
    pub(super) async fn schema(&self, connection: &mut SqliteConnection) -> Result<Schema> {
        let mut schema = Schema::default();
        let text = |row: &SqliteRow, index: usize| row.try_get_unchecked::<Option<String>, _>(index);
        for row in rows(connection, OBJECTS).await? {
            let (kind, name) = (text(&row, 0)?.unwrap_or_default(), text(&row, 1)?.unwrap_or_default());
            let table = text(&row, 2)?.unwrap_or_default();
            let sql = text(&row, 3)?.unwrap_or_default();
            if self.is_runners(&table) {
                continue;
            }
            let definition = if kind == "table" { clauses(&sql) } else { plain(tokens(&sql, Dialect::Sqlite)) };
            schema.add(kind, name, definition);
        }
        for row in rows(connection, COLUMNS).await? {
            let column = |index| Ok::<_, sqlx::Error>(text(&row, index)?.unwrap_or_default());
            let table = column(0)?;
            if self.is_runners(&table) {
                continue;
            }
            let mut definition = format!("{}. {}", column(2)?, column(3)?.to_ascii_uppercase());
            if column(4)? == "1" {
                definition.push_str(" NOT NULL");
            }
            if let Some(default) = text(&row, 5)? {
                definition.push_str(&format!(" DEFAULT {default}"));
            }
            if column(6)? != "0" {
                definition.push_str(&format!(" PRIMARY KEY {}", column(6)?));
            }
            if matches!(column(7)?.as_str(), "2" | "3") {
                definition.push_str(" GENERATED");
            }
            schema.add("column", format!("{table}.{}", column(1)?), definition);
        }
        for row in rows(connection, INDEXES).await? {
            let column = |index| Ok::<_, sqlx::Error>(text(&row, index)?.unwrap_or_default());
            let (table, columns) = (column(0)?, column(3)?);
            // The others are objects with SQL of their own.
            if !self.is_runners(&table) && column(2)? != "c" {
                let kind = if column(2)? == "pk" { "primary key" } else { "unique" };
                schema.add(kind, format!("{table} ({columns})"), "");
            }
        }
        for row in rows(connection, FOREIGN_KEYS).await? {
            let column = |index| Ok::<_, sqlx::Error>(text(&row, index)?.unwrap_or_default());
            let definition = format!(
                "REFERENCES {} ({}) ON UPDATE {} ON DELETE {} MATCH {}",
                column(3)?,
                column(4)?,
                column(5)?,
                column(6)?,
                column(7)?
            );
            schema.add("foreign key", format!("{} ({})", column(0)?, column(2)?), definition);
        }
        Ok(schema)
    }
}

async fn rows(connection: &mut SqliteConnection, sql: &str) -> std::result::Result<Vec<SqliteRow>, sqlx::Error> {
    sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await
}

/// The words of some SQL as they count: names without quotes, everything but strings in lower case.
fn plain<'t>(tokens: impl Iterator<Item = Token<'t>>) -> String {
    let word = |token: Token<'t>| match token.kind {
        Kind::Literal => format!("'{}'", token.text),
        Kind::Word | Kind::Symbol => token.text.to_lowercase(),
    };
    tokens.map(word).collect::<Vec<_>>().join(" ")
}

/// What the definition of a table says that no pragma tells: checks, generated columns, collations, `AUTOINCREMENT`, conflict
/// clauses, deferred keys and the options after the columns.
fn clauses(sql: &str) -> String {
    let all: Vec<Token<'_>> = tokens(sql, Dialect::Sqlite).collect();
    let mut found = Vec::new();
    let mut depth = 0_usize;
    // The name at the beginning of a column's definition.
    let (mut column, mut is_first) = ("", false);
    let mut index = 0;
    while let Some(token) = all.get(index) {
        let closing = |open: usize| closing(&all, open);
        let next_is = |offset: usize, word: &str| all.get(index + offset).is_some_and(|token| token.is(word));
        if token.is_symbol("(") {
            depth += 1;
            is_first = depth == 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                let options = plain(all[index + 1..].iter().copied());
                found.extend((!options.is_empty()).then_some(options));
                break;
            }
        } else if depth == 1 && token.is_symbol(",") {
            is_first = true;
        } else if depth == 1 {
            if std::mem::take(&mut is_first) {
                column = token.text;
            }
            let at = |from: usize, to: usize| plain(all[from..to.min(all.len())].iter().copied());
            let opens = |offset: usize| all.get(index + offset).is_some_and(|token| token.is_symbol("("));
            if token.is("CHECK") && opens(1) {
                let end = closing(index + 1);
                found.push(at(index, end));
                index = end;
                continue;
            }
            if token.is("AS") && opens(1) {
                let end = closing(index + 1);
                let kind = if all.get(end).is_some_and(|token| token.is("STORED")) { " stored" } else { "" };
                found.push(format!("{} {}{kind}", column.to_lowercase(), at(index, end)));
                index = end;
                continue;
            }
            if token.is("COLLATE") || (token.is("ON") && next_is(1, "CONFLICT")) {
                let length = if token.is("COLLATE") { 2 } else { 3 };
                found.push(format!("{} {}", column.to_lowercase(), at(index, index + length)));
            } else if token.is("AUTOINCREMENT") {
                found.push(format!("{} autoincrement", column.to_lowercase()));
            } else if token.is("DEFERRABLE") {
                found.push(format!("{} {}", column.to_lowercase(), at(index, index + 3)));
            }
        }
        index += 1;
    }
    found.sort();
    found.join("\n")
}

/// The place after the parenthesis that closes the one at `open`.
fn closing(all: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in all.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index + 1;
            }
        }
    }
    all.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_pragma_tells_is_taken_from_the_text() {
        let one = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE NOT NULL, \
                   age INT CHECK (age > (1 + 2)), twice INT GENERATED ALWAYS AS (age * 2) STORED) STRICT";
        let other = "CREATE TABLE \"t\"(\"id\" integer primary key autoincrement,\n name text not null collate nocase, \
                     age int, twice int as (AGE*2) stored, CHECK (age>(1+2))) strict";
        assert_eq!(clauses(one), clauses(other));
        assert_eq!(
            clauses(one),
            "check ( age > ( 1 + 2 ) )\nid autoincrement\nname collate nocase\nstrict\ntwice as ( age * 2 ) stored"
        );
        assert_ne!(clauses(one), clauses(&one.replace("> (1", "> (2")));
        assert_eq!(clauses("CREATE TABLE t (a INT, b TEXT)"), "");
    }
}
