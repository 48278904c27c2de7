//! `ALTER …` of anything, and `RENAME TABLE`.

use crate::dialect::Dialect;

use super::rows::take_wait;
use super::words::Cursor;
use super::{Effect, ObjectName, alter_table, alter_table_mysql};

/// What holds no data, and whose names no data is reached by.
const HARMLESS_IN_POSTGRES: [&str; 24] = [
    "AGGREGATE",
    "COLLATION",
    "CONVERSION",
    "DEFAULT",
    "DOMAIN",
    "EVENT",
    "FUNCTION",
    "GROUP",
    "INDEX",
    "LANGUAGE",
    "LARGE",
    "OPERATOR",
    "POLICY",
    "PROCEDURE",
    "PUBLICATION",
    "ROLE",
    "ROUTINE",
    "RULE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLESPACE",
    "TRIGGER",
    "USER",
];
const HARMLESS_IN_MYSQL: [&str; 12] = [
    "ALGORITHM",
    "FUNCTION",
    "INSTANCE",
    "LOGFILE",
    "PROCEDURE",
    "RESOURCE",
    "SERVER",
    "SQL",
    "TABLESPACE",
    "UNDO",
    "USER",
    "VIEW",
];
/// Options of a sequence that leave its value as it is.
const SEQUENCE_OPTIONS: [&str; 13] = [
    "AS",
    "CACHE",
    "CYCLE",
    "INCREMENT",
    "MAXVALUE",
    "MINVALUE",
    "NO",
    "NOCACHE",
    "NOCYCLE",
    "NOMAXVALUE",
    "NOMINVALUE",
    "OWNED",
    "START",
];

/// Reads the statement; None if it is not understood.
pub(super) fn read(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.advance();
    match cursor.dialect() {
        Dialect::Sqlite => {
            cursor.take(&["TABLE"]).then_some(())?;
            alter_table::read(cursor, found)
        }
        Dialect::Postgres => postgres(cursor, found),
        Dialect::Mysql => mysql(cursor, found),
    }
}

fn postgres(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    match () {
        () if cursor.take(&["FOREIGN", "TABLE"]) || cursor.take(&["TABLE"]) => alter_table::read(cursor, found),
        () if cursor.take(&["SEQUENCE"]) => sequence(cursor, found),
        () if cursor.take(&["VIEW"]) || cursor.take(&["MATERIALIZED", "VIEW"]) => view(cursor, found),
        () if cursor.take(&["SCHEMA"]) => schema(cursor, found),
        () if cursor.take(&["TYPE"]) => composite(cursor, found),
        () if cursor.is("EXTENSION") => {
            found.push(Effect::opaque("an extension runs scripts of its own"));
            Some(())
        }
        () if cursor.is_any(&["DATABASE", "SYSTEM"]) => (!cursor.has(&["RENAME", "TO"])).then_some(()),
        () if cursor.take(&["TEXT", "SEARCH"]) || cursor.take(&["FOREIGN", "DATA"]) => Some(()),
        () if cursor.take(&["PROCEDURAL", "LANGUAGE"]) => Some(()),
        () => cursor.is_any(&HARMLESS_IN_POSTGRES).then_some(()),
    }
}

fn mysql(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_any(&["ONLINE", "OFFLINE"]);
    let ignores = cursor.take(&["IGNORE"]);
    if cursor.take(&["TABLE"]) {
        return alter_table_mysql::read(cursor, ignores, found);
    }
    if cursor.take(&["DEFINER"]) {
        cursor.at = cursor.find(&["EVENT", "SQL", "VIEW"])?;
    }
    match () {
        () if cursor.take(&["SEQUENCE"]) => sequence(cursor, found),
        () if cursor.is("EVENT") => {
            found.push(Effect::opaque("an event runs its statements by itself"));
            Some(())
        }
        () if cursor.is_any(&["DATABASE", "SCHEMA"]) => (!cursor.has(&["UPGRADE"])).then_some(()),
        () => cursor.is_any(&HARMLESS_IN_MYSQL).then_some(()),
    }
}

fn sequence(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_if_exists();
    let sequence = cursor.object()?;
    if moves(cursor, &sequence, found)? {
        return Some(());
    }
    if cursor.find(&["RESTART"]).is_some() {
        found.push(Effect::ChangeSequence { sequence });
        return Some(());
    }
    let is_setting = cursor.is("SET") && (cursor.is_ahead(1, "LOGGED") || cursor.is_ahead(1, "UNLOGGED"));
    (is_setting || cursor.is_any(&SEQUENCE_OPTIONS) || cursor.take(&["OWNER", "TO"])).then_some(())
}

fn view(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    // All of them in a tablespace.
    if cursor.take(&["ALL", "IN"]) {
        return Some(());
    }
    cursor.take_if_exists();
    let view = cursor.object()?;
    // Whatever else is changed, there is no data in it.
    moves(cursor, &view, found).map(|_| ())
}

/// Takes `RENAME TO` or `SET SCHEMA`; whether it is there.
pub(super) fn moves(cursor: &mut Cursor<'_, '_>, from: &ObjectName, found: &mut Vec<Effect>) -> Option<bool> {
    let to = if cursor.take(&["RENAME", "TO"]) {
        ObjectName { schema: from.schema.clone(), name: cursor.name()? }
    } else if cursor.take(&["SET", "SCHEMA"]) {
        ObjectName { schema: Some(cursor.name()?), name: from.name.clone() }
    } else {
        return Some(false);
    };
    found.push(Effect::RenameTable { from: from.clone(), to });
    cursor.is_done().then_some(true)
}

fn schema(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let from = cursor.name()?;
    if cursor.take(&["RENAME", "TO"]) {
        let to = cursor.name()?;
        found.push(Effect::RenameSchema { from, to });
        return cursor.is_done().then_some(());
    }
    cursor.take(&["OWNER", "TO"]).then_some(())
}

/// A type, whose attributes may be in columns of tables.
fn composite(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.object()?;
    for action in cursor.parts() {
        let is_harmless = action.is_any(&["ADD", "RENAME", "OWNER", "SET"]);
        let changes = (action.is("DROP") || action.is("ALTER")) && action.is_ahead(1, "ATTRIBUTE");
        match () {
            () if is_harmless => {}
            () if changes => found.push(Effect::opaque("columns of the type lose or change a part of their values")),
            () => return None,
        }
    }
    Some(())
}

/// `RENAME TABLE a TO b, c TO d`.
pub(super) fn rename(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.advance();
    if cursor.is("USER") {
        return Some(());
    }
    cursor.take_any(&["TABLE", "TABLES"]).then_some(())?;
    cursor.take_if_exists();
    loop {
        let from = cursor.object()?;
        take_wait(cursor);
        cursor.take(&["TO"]).then_some(())?;
        let to = cursor.object()?;
        found.push(Effect::RenameTable { from, to });
        if !cursor.take_symbol(",") {
            return cursor.is_done().then_some(());
        }
    }
}
