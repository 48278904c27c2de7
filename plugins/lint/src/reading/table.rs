//! `CREATE TABLE`.

use super::Grammar;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Deed;
use crate::deed::Table;
use crate::deed::TableOption;

impl Grammar {
    /// What follows `CREATE … TABLE`.
    pub(super) fn create_table(self, cursor: &mut Cursor<'_>, mut table: Table) -> Read<Deed> {
        table.name_start = cursor.start();
        table.if_not_exists = cursor.take_all(&["IF", "NOT", "EXISTS"]);
        let name = cursor.name()?;
        if cursor.take("LIKE") {
            cursor.name()?;
            table.derived = true;
        } else if cursor.take_all(&["PARTITION", "OF"]) || cursor.take("OF") {
            table.derived = true;
            cursor.skip_all();
        } else if cursor.is_symbol(b'(') && !cursor.ahead_is(1, "SELECT") && !cursor.ahead_is(1, "WITH") {
            cursor.advance();
            self.items(cursor, &mut table)?;
            cursor.must_symbol(b')')?;
        }
        self.options(cursor, &mut table)?;
        Ok(Deed::CreateTable { name, table })
    }

    fn items(self, cursor: &mut Cursor<'_>, table: &mut Table) -> Read<()> {
        loop {
            if cursor.is("LIKE") || cursor.is("PERIOD") && cursor.ahead_is(1, "FOR") {
                table.derived = table.derived || cursor.is("LIKE");
                cursor.skip_item();
            } else if let Some(index) = self.table_index(cursor)? {
                table.indexes.push(index);
            } else if let Some(constraint) = self.constraint(cursor)? {
                table.constraints.push(constraint);
            } else {
                table.columns.push(self.column(cursor)?);
            }
            if !cursor.take_symbol(b',') {
                return Ok(());
            }
        }
    }

    fn options(self, cursor: &mut Cursor<'_>, table: &mut Table) -> Read<()> {
        while !cursor.is_at_end() {
            if cursor.is_any(&["AS", "SELECT", "IGNORE", "REPLACE", "VALUES", "TABLE"]) || cursor.is_symbol(b'(') {
                table.derived = true;
                cursor.skip_all();
            } else if cursor.is_any(&["PARTITION", "INHERITS", "USING", "TABLESPACE", "ON"]) {
                cursor.skip_all();
            } else if cursor.is("WITH") {
                // `WITH SYSTEM VERSIONING`, `WITH (fillfactor = 70)` or `WITH x AS (…) SELECT …`
                table.derived |= !cursor.ahead_is(1, "SYSTEM") && cursor.ahead(1) != "(";
                cursor.skip_all();
            } else if !cursor.take_symbol(b',') {
                table.options.push(option(cursor)?);
            }
        }
        Ok(())
    }
}

/// `ENGINE = InnoDB`, `DEFAULT CHARSET utf8`, `WITHOUT ROWID`
fn option(cursor: &mut Cursor<'_>) -> Read<TableOption> {
    let start = cursor.start();
    cursor.take("DEFAULT");
    let mut name = cursor.word()?.to_ascii_uppercase();
    if name == "CHARACTER" {
        cursor.must("SET")?;
        "CHARSET".clone_into(&mut name);
    } else if matches!(name.as_str(), "DATA" | "INDEX") {
        cursor.must("DIRECTORY")?;
    }
    let mut value = String::new();
    if cursor.take_symbol(b'=') || name != "STRICT" && !cursor.is_at_end() && !cursor.is_symbol(b',') {
        if cursor.is_symbol(b'(') {
            cursor.skip_group()?;
        } else if let Some(lexeme) = cursor.advance() {
            crate::lexeme::unquoted(lexeme.of(cursor.text)).clone_into(&mut value);
        }
    }
    Ok(TableOption { name, value, span: cursor.since(start) })
}
