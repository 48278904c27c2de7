//! Columns and their types.

use std::ops::Range;

use super::Grammar;
use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::cursor::items;
use crate::deed::Column;
use crate::deed::DataType;
use crate::deed::Default;
use crate::deed::Generated;
use crate::deed::Reference;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::lexeme::unquoted;

/// Words that end a type because an attribute of the column begins.
const ATTRIBUTES: [&str; 38] = [
    "CONSTRAINT",
    "NOT",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "KEY",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
    "COLLATE",
    "GENERATED",
    "AS",
    "AUTO_INCREMENT",
    "AUTOINCREMENT",
    "COMMENT",
    "ON",
    "CHARSET",
    "FIRST",
    "AFTER",
    "INVISIBLE",
    "VISIBLE",
    "STORAGE",
    "COLUMN_FORMAT",
    "VIRTUAL",
    "STORED",
    "PERSISTENT",
    "SRID",
    "REF_SYSTEM_ID",
    "WITH",
    "WITHOUT",
    "COMPRESSED",
    "ENGINE_ATTRIBUTE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "DEFERRABLE",
    "INITIALLY",
    "USING",
    "ENFORCED",
    "RETURNING",
];

/// Words that follow the first one of a type of MySQL and MariaDB.
const CONTINUATIONS: [&str; 13] = [
    "PRECISION",
    "VARYING",
    "VARCHAR",
    "CHAR",
    "CHARACTER",
    "BINARY",
    "VARBINARY",
    "BYTE",
    "ASCII",
    "UNICODE",
    "UNSIGNED",
    "SIGNED",
    "ZEROFILL",
];

impl Grammar {
    /// A column with its name.
    pub(super) fn column(self, cursor: &mut Cursor<'_>) -> Read<Column> {
        let name = cursor.name()?;
        let mut column = Column { name: name.name, span: name.span, ..Column::default() };
        column.data_type = self.data_type(cursor)?;
        // `SERIAL` is short for all of this.
        if self.is_mysql() && column.data_type.name == "SERIAL" {
            column.not_null = true;
            column.unique = true;
            column.auto_increment = true;
        }
        while !cursor.is_at_end() && !cursor.is_symbol(b',') && !cursor.is_symbol(b')') {
            self.attribute(cursor, &mut column)?;
        }
        Ok(column)
    }

    /// A type; SQLite does without.
    pub(crate) fn data_type(self, cursor: &mut Cursor<'_>) -> Read<DataType> {
        let start = cursor.start();
        let mut data_type = DataType::default();
        let mut words: Vec<String> = Vec::new();
        let mut has_group = false;
        while let Some(lexeme) = cursor.peek() {
            let is_set = cursor.is("CHARACTER") && cursor.ahead_is(1, "SET");
            match lexeme.kind {
                Kind::Word if is_set || cursor.is_any(&ATTRIBUTES) && !self.names_time_zone(cursor, &words) => break,
                Kind::Word | Kind::Name if has_group && self.dialect == runner_policy_sdk::Dialect::Sqlite => break,
                // SQLite takes any words for a type, and MySQL only some behind the first.
                Kind::Word | Kind::Name if self.is_mysql() && !words.is_empty() && !cursor.is_any(&CONTINUATIONS) => {
                    break;
                }
                Kind::Word | Kind::Name => {
                    let word = unquoted(lexeme.of(cursor.text)).to_ascii_uppercase();
                    match word.as_str() {
                        "UNSIGNED" => data_type.unsigned = true,
                        "ZEROFILL" => data_type.zerofill = true,
                        "SIGNED" => {}
                        _ => words.push(word),
                    }
                    cursor.advance();
                }
                Kind::Symbol if lexeme.is_symbol(cursor.text, b'(') && !words.is_empty() && !has_group => {
                    has_group = true;
                    let group = cursor.group()?;
                    data_type.arguments =
                        items(cursor.text, group).into_iter().map(|item| written(cursor, item)).collect();
                }
                // An array of PostgreSQL, or a type in another schema.
                Kind::Symbol if matches!(lexeme.of(cursor.text), "[" | "]" | ".") => {
                    cursor.advance();
                }
                Kind::Number if !words.is_empty() && cursor.end() > start => {
                    cursor.advance();
                }
                _ => break,
            }
        }
        data_type.name = words.join(" ");
        data_type.span = cursor.since(start);
        if data_type.name.is_empty() && self.is_mysql() {
            return Err(cursor.unread("a type"));
        }
        Ok(data_type)
    }

    /// `TIMESTAMP WITH TIME ZONE`
    fn names_time_zone(self, cursor: &Cursor<'_>, words: &[String]) -> bool {
        words.last().is_some_and(|word| word.starts_with("TIME"))
            && cursor.is_any(&["WITH", "WITHOUT"])
            && cursor.ahead_is(1, "TIME")
    }

    fn attribute(self, cursor: &mut Cursor<'_>, column: &mut Column) -> Read<()> {
        let start = cursor.start();
        if cursor.take("CONSTRAINT") {
            // MariaDB and SQLite let the name stand alone.
            cursor.word()?;
        } else if cursor.take("NOT") {
            match () {
                () if cursor.take("NULL") => column.not_null = true,
                () if cursor.take_any(&["ENFORCED", "DEFERRABLE", "INVISIBLE"]) => {}
                () => return Err(cursor.unread("`NULL`")),
            }
        } else if cursor.take("NULL") {
            column.not_null = false;
        } else if cursor.take("DEFAULT") {
            column.default = Some(default(cursor)?);
            column.default_span = cursor.since(start);
        } else if cursor.take("PRIMARY") {
            cursor.must("KEY")?;
            column.primary_key = true;
            cursor.take_any(&["ASC", "DESC"]);
        } else if cursor.take("UNIQUE") {
            column.unique = true;
            cursor.take("KEY");
        } else if self.is_mysql() && cursor.take("KEY") {
            column.primary_key = true;
        } else if cursor.take("CHECK") {
            column.check = true;
            cursor.skip_group()?;
        } else if cursor.is("REFERENCES") {
            column.references = Some(reference(cursor)?);
        } else if cursor.take("COLLATE") {
            cursor.take_symbol(b'=');
            cursor.name()?;
        } else if cursor.take("CHARSET") || cursor.take_all(&["CHARACTER", "SET"]) {
            cursor.take_symbol(b'=');
            column.data_type.charset = Some(cursor.word()?);
        } else if cursor.take_any(&["AUTO_INCREMENT", "AUTOINCREMENT"]) {
            column.auto_increment = true;
        } else if cursor.is_any(&["GENERATED", "AS"]) {
            generated(cursor, column)?;
        } else {
            self.minor_attribute(cursor, column)?;
        }
        Ok(())
    }

    fn minor_attribute(self, cursor: &mut Cursor<'_>, column: &mut Column) -> Read<()> {
        const WITH_VALUE: [&str; 7] = [
            "COMMENT",
            "COLUMN_FORMAT",
            "STORAGE",
            "SRID",
            "REF_SYSTEM_ID",
            "ENGINE_ATTRIBUTE",
            "SECONDARY_ENGINE_ATTRIBUTE",
        ];
        const ALONE: [&str; 8] =
            ["INVISIBLE", "VISIBLE", "DEFERRABLE", "ENFORCED", "BINARY", "VIRTUAL", "STORED", "PERSISTENT"];
        if cursor.take_any(&WITH_VALUE) {
            cursor.take_symbol(b'=');
            cursor.advance();
        } else if cursor.take("COMPRESSED") {
            if cursor.take_symbol(b'=') {
                cursor.advance();
            }
        } else if cursor.take("ON") {
            match () {
                () if cursor.take("UPDATE") => default(cursor).map(|_| ())?,
                () if cursor.take("CONFLICT") => cursor.word().map(|_| ())?,
                () => return Err(cursor.unread("`UPDATE` or `CONFLICT`")),
            }
        } else if cursor.take("INITIALLY") {
            cursor.word()?;
        } else if cursor.take_all(&["WITH", "SYSTEM", "VERSIONING"])
            || cursor.take_all(&["WITHOUT", "SYSTEM", "VERSIONING"])
        {
        } else if cursor.take("FIRST") {
            column.placed = true;
        } else if cursor.take("AFTER") {
            cursor.name()?;
            column.placed = true;
        } else if cursor.is("USING") && !self.is_mysql() {
            cursor.skip_item();
        } else if !cursor.take_any(&ALONE) {
            return Err(cursor.unread("an attribute of the column, `,` or `)`"));
        }
        Ok(())
    }
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) -> Read<()> {
    if cursor.take("GENERATED") && !cursor.take("ALWAYS") {
        cursor.must("BY")?;
        cursor.must("DEFAULT")?;
    }
    cursor.must("AS")?;
    if cursor.take("IDENTITY") {
        column.auto_increment = true;
        return if cursor.is_symbol(b'(') { cursor.skip_group() } else { Ok(()) };
    }
    cursor.skip_group()?;
    column.generated = Some(Generated::Virtual);
    if cursor.take_any(&["STORED", "PERSISTENT"]) {
        column.generated = Some(Generated::Stored);
    }
    cursor.take("VIRTUAL");
    Ok(())
}

/// What follows `DEFAULT`, or `ON UPDATE`.
pub(super) fn default(cursor: &mut Cursor<'_>) -> Read<Default> {
    const NOW: [&str; 8] = [
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "NOW",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "CURDATE",
        "CURTIME",
    ];
    if cursor.is_symbol(b'(') {
        let group = cursor.group()?;
        skip_casts(cursor);
        return Ok(in_parentheses(cursor, group));
    }
    let start = cursor.start();
    let signed = cursor.take_symbol(b'-') || cursor.take_symbol(b'+');
    let Some(lexeme) = cursor.advance() else { return Err(cursor.unread("a value")) };
    match lexeme.kind {
        Kind::Symbol | Kind::Comment => return Err(cursor.unread("a value")),
        Kind::Word if !signed => {
            let is = |word: &&str| lexeme.is_word(cursor.text, word);
            // `_utf8'…'`, `x'00'`
            let is_prefix = cursor.peek().is_some_and(|next| next.kind == Kind::Text);
            let called = cursor.is_symbol(b'(');
            if called {
                cursor.skip_group()?;
            }
            skip_casts(cursor);
            return match () {
                () if is(&"NULL") => Ok(Default::Null),
                () if NOW.iter().any(is) => Ok(Default::Now),
                () if called => Ok(Default::Expression),
                () if is_prefix => {
                    cursor.advance();
                    Ok(Default::Constant(cursor.text[lexeme.start..cursor.end()].to_owned()))
                }
                () => Ok(Default::Constant(lexeme.of(cursor.text).to_owned())),
            };
        }
        _ => {}
    }
    let end = lexeme.end;
    skip_casts(cursor);
    Ok(Default::Constant(cursor.text[start..end].to_owned()))
}

/// `'x'::text`, in PostgreSQL.
fn skip_casts(cursor: &mut Cursor<'_>) {
    while cursor.ahead(0) == ":" && cursor.ahead(1) == ":" {
        cursor.advance();
        cursor.advance();
        while cursor.peek().is_some_and(|lexeme| lexeme.kind == Kind::Word) && !cursor.is_any(&ATTRIBUTES) {
            cursor.advance();
        }
        if cursor.is_symbol(b'(') && cursor.skip_group().is_err() {
            return;
        }
        while cursor.ahead(0) == "[" || cursor.ahead(0) == "]" {
            cursor.advance();
        }
    }
}

/// `(1)` and `('x')` are as constant as they are without parentheses.
fn in_parentheses(cursor: &Cursor<'_>, group: &[Lexeme]) -> Default {
    match group {
        [only] if only.is_word(cursor.text, "NULL") => Default::Null,
        [only] if matches!(only.kind, Kind::Text | Kind::Number) => Default::Constant(only.of(cursor.text).to_owned()),
        [sign, number]
            if number.kind == Kind::Number
                && (sign.is_symbol(cursor.text, b'-') || sign.is_symbol(cursor.text, b'+')) =>
        {
            Default::Constant(cursor.text[sign.start..number.end].to_owned())
        }
        [only] if only.is_word(cursor.text, "TRUE") || only.is_word(cursor.text, "FALSE") => {
            Default::Constant(only.of(cursor.text).to_owned())
        }
        // `x'00'`
        [prefix, value] if prefix.kind == Kind::Word && value.kind == Kind::Text => {
            Default::Constant(cursor.text[prefix.start..value.end].to_owned())
        }
        [cast, open, value, r#as, _, close]
            if cast.is_word(cursor.text, "CAST")
                && open.is_symbol(cursor.text, b'(')
                && matches!(value.kind, Kind::Text | Kind::Number)
                && r#as.is_word(cursor.text, "AS") =>
        {
            Default::Constant(cursor.text[cast.start..close.end].to_owned())
        }
        _ => Default::Expression,
    }
}

/// `REFERENCES …`
pub(super) fn reference(cursor: &mut Cursor<'_>) -> Read<Reference> {
    let start = cursor.start();
    cursor.must("REFERENCES")?;
    let table = cursor.name()?;
    let columns = if cursor.is_symbol(b'(') { columns(cursor)? } else { Vec::new() };
    let mut delete_cascades: Option<Range<usize>> = None;
    loop {
        let action = cursor.start();
        if cursor.take("MATCH") {
            cursor.word()?;
        } else if cursor.is("ON") && (cursor.ahead_is(1, "DELETE") || cursor.ahead_is(1, "UPDATE")) {
            cursor.advance();
            let deletes = cursor.take("DELETE") || !cursor.take("UPDATE");
            if cursor.take("CASCADE") {
                delete_cascades = if deletes { Some(cursor.since(action)) } else { delete_cascades };
            } else {
                // `RESTRICT`, or the second word of `SET NULL` and `NO ACTION`.
                cursor.take_any(&["SET", "NO"]);
                cursor.word()?;
            }
        } else {
            return Ok(Reference { table, columns, delete_cascades, span: cursor.since(start) });
        }
    }
}

/// Columns in parentheses: their names, or expressions as they are written.
pub(super) fn columns(cursor: &mut Cursor<'_>) -> Read<Vec<String>> {
    let group = cursor.group()?;
    Ok(items(cursor.text, group).into_iter().map(|item| column_of(cursor.text, item)).collect())
}

/// `name`, `name(10) DESC` or `name COLLATE x` is the column, and anything else an expression.
fn column_of(text: &str, item: &[Lexeme]) -> String {
    let is_name = |lexeme: &Lexeme| matches!(lexeme.kind, Kind::Word | Kind::Name | Kind::Text);
    match item {
        [name] if is_name(name) => unquoted(name.of(text)),
        [name, next, ..] if is_name(name) && next.kind == Kind::Word => unquoted(name.of(text)),
        [name, open, length, ..] if is_name(name) && open.is_symbol(text, b'(') && length.kind == Kind::Number => {
            unquoted(name.of(text))
        }
        [first, .., last] => text[first.start..last.end].to_owned(),
        _ => String::new(),
    }
}

fn written(cursor: &Cursor<'_>, item: &[Lexeme]) -> String {
    match item {
        [only] if only.kind == Kind::Text => unquoted_text(only.of(cursor.text)),
        [first, .., last] => cursor.text[first.start..last.end].to_owned(),
        [only] => only.of(cursor.text).to_owned(),
        [] => String::new(),
    }
}

/// A string without its quotes; escapes stay as they are.
fn unquoted_text(text: &str) -> String {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('\'').map(|inner| inner.replace("''", "'")).or_else(|| inner('"').map(str::to_owned)).unwrap_or_default()
}
