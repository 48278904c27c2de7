//! `DROP …`.

use crate::dialect::Dialect;

use super::rows::take_wait;
use super::words::Cursor;
use super::{Effect, ObjectName};

/// What holds no data, and what nothing depends on that does.
const HARMLESS_IN_POSTGRES: [&str; 14] = [
    "EVENT",
    "GROUP",
    "INDEX",
    "MATERIALIZED",
    "POLICY",
    "PUBLICATION",
    "ROLE",
    "RULE",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLESPACE",
    "TRIGGER",
    "USER",
    "VIEW",
];
/// What holds no data, but what a column may depend on: its type, its collation, or how it is generated.
const NEEDED_BY_COLUMNS: [&str; 18] = [
    "ACCESS",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "CONVERSION",
    "DOMAIN",
    "FOREIGN",
    "FUNCTION",
    "LANGUAGE",
    "OPERATOR",
    "PROCEDURAL",
    "PROCEDURE",
    "PROPERTY",
    "ROUTINE",
    "SERVER",
    "TEXT",
    "TRANSFORM",
    "TYPE",
];
/// Extensions that hold no tables of their own.
const WITHOUT_TABLES: [&str; 24] = [
    "autoinc",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "file_fdw",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "moddatetime",
    "pg_trgm",
    "pgcrypto",
    "postgres_fdw",
    "seg",
    "tablefunc",
    "tcn",
    "unaccent",
    "uuid-ossp",
    "vector",
];
const HARMLESS_IN_SQLITE: [&str; 3] = ["INDEX", "TRIGGER", "VIEW"];
const HARMLESS_IN_MYSQL: [&str; 15] = [
    "EVENT",
    "FUNCTION",
    "INDEX",
    "LOGFILE",
    "PACKAGE",
    "PREPARE",
    "PROCEDURE",
    "RESOURCE",
    "ROLE",
    "SERVER",
    "SPATIAL",
    "TRIGGER",
    "UNDO",
    "USER",
    "VIEW",
];

/// Reads the statement; None if it is not understood.
pub(super) fn read(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.advance();
    match cursor.dialect() {
        _ if cursor.take(&["TABLE"]) => tables(cursor, found),
        Dialect::Sqlite => cursor.is_any(&HARMLESS_IN_SQLITE).then_some(()),
        Dialect::Postgres => postgres(cursor, found),
        Dialect::Mysql => mysql(cursor, found),
    }
}

fn tables(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_if_exists();
    let tables = names(cursor)?;
    let says_cascade = cursor.take(&["CASCADE"]);
    cursor.take(&["RESTRICT"]);
    if cursor.is_mysql() {
        take_wait(cursor);
    }
    let cascade = says_cascade && !cursor.is_mysql();
    found.extend(tables.into_iter().map(|table| Effect::DropTable { table, cascade }));
    cursor.is_done().then_some(())
}

/// Names between commas.
fn names(cursor: &mut Cursor<'_, '_>) -> Option<Vec<ObjectName>> {
    let mut names = vec![cursor.object()?];
    while cursor.take_symbol(",") {
        names.push(cursor.object()?);
    }
    Some(names)
}

fn sequences(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_if_exists();
    found.extend(names(cursor)?.into_iter().map(|sequence| Effect::DropSequence { sequence }));
    // Defaults that use it go along, but no values.
    cursor.take_any(&["CASCADE", "RESTRICT"]);
    cursor.is_done().then_some(())
}

fn postgres(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let cascades = cursor.words.before(cursor.end).is_some_and(|last| last.is("CASCADE"));
    match () {
        () if cursor.take(&["SEQUENCE"]) => sequences(cursor, found),
        () if cursor.take(&["SCHEMA"]) => schemas(cursor, found),
        () if cursor.take(&["EXTENSION"]) => {
            cursor.take_if_exists();
            let is_known = |name: &ObjectName| WITHOUT_TABLES.contains(&name.name.as_str());
            if cascades || !names(cursor)?.iter().all(is_known) {
                found.push(Effect::opaque("an extension goes with all that is made of it"));
            }
            Some(())
        }
        () if cursor.is_any(&HARMLESS_IN_POSTGRES) => Some(()),
        () if cursor.is_any(&NEEDED_BY_COLUMNS) => {
            if cascades {
                found.push(Effect::opaque("columns that need what is dropped go along"));
            }
            Some(())
        }
        () if cursor.is("OWNED") => {
            found.push(Effect::opaque("everything that belongs to a role is dropped"));
            Some(())
        }
        () if cursor.is("DATABASE") => {
            found.push(Effect::opaque("another database is dropped"));
            Some(())
        }
        () => None,
    }
}

fn schemas(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_if_exists();
    let mut schemas = vec![cursor.name()?];
    while cursor.is_postgres() && cursor.take_symbol(",") {
        schemas.push(cursor.name()?);
    }
    let cascade = cursor.is_mysql() || cursor.take(&["CASCADE"]);
    cursor.take(&["RESTRICT"]);
    found.extend(schemas.into_iter().map(|schema| Effect::DropSchema { schema, cascade }));
    cursor.is_done().then_some(())
}

fn mysql(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if cursor.take(&["TEMPORARY"]) {
        // Nothing but what the session made itself.
        return cursor.is_any(&["TABLE", "TABLES", "SEQUENCE"]).then_some(());
    }
    cursor.take_any(&["ONLINE", "OFFLINE"]);
    match () {
        () if cursor.take_any(&["TABLES"]) => tables(cursor, found),
        () if cursor.take_any(&["DATABASE", "SCHEMA"]) => schemas(cursor, found),
        () if cursor.take(&["SEQUENCE"]) => sequences(cursor, found),
        // It has to be empty.
        () if cursor.is("TABLESPACE") => Some(()),
        () => cursor.is_any(&HARMLESS_IN_MYSQL).then_some(()),
    }
}
