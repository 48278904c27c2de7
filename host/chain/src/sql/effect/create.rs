//! `CREATE …`, which destroys nothing but what it replaces.

use super::query::{created_temporary, scan};
use super::words::Cursor;
use super::{Effect, ObjectName};

/// What holds no data, or is empty when it is made; also words in front of it.
const HARMLESS: [&str; 42] = [
    "ACCESS",
    "AGGREGATE",
    "ALGORITHM",
    "CAST",
    "COLLATION",
    "CONSTRAINT",
    "CONVERSION",
    "DEFAULT",
    "DOMAIN",
    "EXTENSION",
    "FOREIGN",
    "FULLTEXT",
    "FUNCTION",
    "GROUP",
    "INDEX",
    "LANGUAGE",
    "LOGFILE",
    "OPERATOR",
    "PACKAGE",
    "POLICY",
    "PROCEDURAL",
    "PROCEDURE",
    "PUBLICATION",
    "RECURSIVE",
    "RESOURCE",
    "ROLE",
    "RULE",
    "SERVER",
    "SPATIAL",
    "SQL",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLESPACE",
    "TEXT",
    "TRANSFORM",
    "TRIGGER",
    "TRUSTED",
    "TYPE",
    "UNDO",
    "UNIQUE",
    "USER",
    "VIEW",
];
/// What a definer may be followed by.
const DEFINED: [&str; 8] = ["AGGREGATE", "EVENT", "FUNCTION", "PACKAGE", "PROCEDURE", "SQL", "TRIGGER", "VIEW"];

/// Reads the statement; None if it is not understood.
pub(super) fn read(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.advance();
    let replaces = cursor.take(&["OR", "REPLACE"]);
    if cursor.is_mysql() {
        if let Some(view) = cursor.is("ALGORITHM").then(|| cursor.find(&["DEFINER", "SQL", "VIEW"])).flatten() {
            cursor.at = view;
        }
        if cursor.take(&["DEFINER"]) {
            cursor.at = cursor.find(&DEFINED)?;
        }
    }
    let temporary = created_temporary(cursor);
    cursor.take(&["UNLOGGED"]);
    match () {
        () if cursor.take(&["TABLE"]) => table(cursor, found, replaces, temporary),
        () if cursor.take_any(&["VIRTUAL", "FOREIGN"]) && cursor.take(&["TABLE"]) => {
            let (table, if_missing) = named(cursor)?;
            found.push(Effect::CreateTable { table, if_missing, temporary: false });
            Some(())
        }
        () if cursor.take(&["MATERIALIZED", "VIEW"]) => {
            scan(*cursor, found);
            Some(())
        }
        () if cursor.take(&["SEQUENCE"]) => {
            let (sequence, _) = named(cursor)?;
            if replaces {
                found.push(Effect::DropSequence { sequence });
            }
            Some(())
        }
        () if cursor.take_any(&["DATABASE", "SCHEMA"]) => schema(cursor, found, replaces),
        // Unlike a trigger it needs nothing else to happen before it runs.
        () if cursor.is("EVENT") && cursor.is_mysql() => {
            found.push(Effect::opaque("an event runs its statements by itself"));
            Some(())
        }
        // `FOREIGN` was taken above.
        () if cursor.is_any(&["DATA", "EVENT"]) && cursor.is_postgres() => Some(()),
        () => cursor.is_any(&HARMLESS).then_some(()),
    }
}

/// A name, perhaps after `IF NOT EXISTS`; whether it is.
fn named(cursor: &mut Cursor<'_, '_>) -> Option<(ObjectName, bool)> {
    let if_missing = cursor.take(&["IF", "NOT", "EXISTS"]);
    Some((cursor.object()?, if_missing))
}

fn table(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>, replaces: bool, temporary: bool) -> Option<()> {
    let (table, if_missing) = named(cursor)?;
    if replaces && !temporary {
        found.push(Effect::DropTable { table: table.clone(), cascade: false });
    }
    found.push(Effect::CreateTable { table, if_missing, temporary });
    // The rows that it is made with. Defaults are not run.
    let begins_query = |place: &usize| {
        let word = cursor.words.get(*place);
        let inner = cursor.words.cursor_at(*place + 1, cursor.words.partner(*place));
        word.is_some_and(|word| word.is_any(&["AS", "SELECT", "TABLE", "VALUES", "WITH"]))
            || word.is_some_and(|word| word.is_symbol("(")) && inner.is_any(&["SELECT", "VALUES", "WITH"])
            || word.is_some_and(|word| word.is_symbol("(")) && inner.is_symbol("(")
    };
    if let Some(query) = cursor.level().find(begins_query) {
        let query = cursor.words.cursor_at(query, cursor.end);
        if query.is("AS") && query.is_ahead(1, "EXECUTE") {
            found.push(Effect::opaque("it runs a prepared statement, which is not looked into"));
            return Some(());
        }
        scan(query, found);
    }
    Some(())
}

fn schema(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>, replaces: bool) -> Option<()> {
    cursor.take(&["IF", "NOT", "EXISTS"]);
    let schema = match cursor.take(&["AUTHORIZATION"]) {
        true => cursor.name(),
        false => Some(cursor.name()?),
    };
    if replaces {
        found.push(Effect::DropSchema { schema: schema.clone()?, cascade: true });
    }
    if !cursor.is_postgres() {
        return Some(());
    }
    // What it is made with.
    for place in cursor.level() {
        let mut element = cursor.words.cursor_at(place, cursor.end);
        if !element.take(&["CREATE"]) {
            continue;
        }
        let temporary = created_temporary(&mut element);
        element.take(&["UNLOGGED"]);
        if element.take(&["TABLE"]) {
            let (mut table, if_missing) = named(&mut element)?;
            table.schema = table.schema.or_else(|| schema.clone());
            found.push(Effect::CreateTable { table, if_missing, temporary });
        }
    }
    Some(())
}
