//! `ALTER TABLE` of PostgreSQL and SQLite.

use super::alter::moves;
use super::query::scan;
use super::words::{Cursor, Kind};
use super::{Effect, ObjectName};

/// Where the expressions of a new column or constraint begin, which are computed for the rows that are there.
const EXPRESSIONS: [&str; 4] = ["DEFAULT", "CHECK", "GENERATED", "AS"];
/// First words of actions that leave all values as they are.
const HARMLESS: [&str; 15] = [
    "ATTACH", "CLUSTER", "DETACH", "DISABLE", "ENABLE", "FORCE", "INHERIT", "NO", "NOT", "OF", "OPTIONS", "OWNER",
    "REPLICA", "RESET", "VALIDATE",
];
/// What `SET` may be followed by.
const SETTINGS: [&str; 5] = ["ACCESS", "LOGGED", "TABLESPACE", "UNLOGGED", "WITH"];

/// Reads the statement from after `TABLE` on; None if it is not understood.
pub(super) fn read(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    // Of all tables in a tablespace, which then are in another.
    if cursor.is_postgres() && cursor.take(&["ALL", "IN", "TABLESPACE"]) {
        return Some(());
    }
    cursor.take_if_exists();
    let table = cursor.table()?;
    if moves(cursor, &table, found)? {
        return Some(());
    }
    for mut action in cursor.parts() {
        read_action(&mut action, &table, found)?;
    }
    Some(())
}

fn read_action(action: &mut Cursor<'_, '_>, table: &ObjectName, found: &mut Vec<Effect>) -> Option<()> {
    let is_postgres = action.is_postgres();
    match () {
        () if action.take(&["ADD"]) => {
            added(*action, found);
            Some(())
        }
        () if action.take(&["DROP", "CONSTRAINT"]) => Some(()),
        () if action.take(&["DROP"]) => {
            action.take(&["COLUMN"]);
            action.take_if_exists();
            let column = action.name()?;
            let cascade = action.take(&["CASCADE"]);
            action.take(&["RESTRICT"]);
            found.push(Effect::DropColumn { table: table.clone(), column, cascade });
            action.is_done().then_some(())
        }
        () if action.take(&["RENAME", "CONSTRAINT"]) && is_postgres => Some(()),
        () if action.take(&["RENAME"]) => {
            action.take(&["COLUMN"]);
            let from = action.name()?;
            action.take(&["TO"]).then_some(())?;
            let to = action.name()?;
            found.push(Effect::RenameColumn { table: table.clone(), from, to });
            action.is_done().then_some(())
        }
        () if action.take(&["ALTER", "CONSTRAINT"]) => Some(()),
        () if action.take(&["ALTER"]) => {
            action.take(&["COLUMN"]);
            altered_column(action, table, found)
        }
        () if !is_postgres => None,
        () if action.take(&["SET"]) => set(action, table, found),
        () => action.is_any(&HARMLESS).then_some(()),
    }
}

/// A new column or constraint. What is before the expressions are types, whose lengths look like calls.
pub(super) fn added(action: Cursor<'_, '_>, found: &mut Vec<Effect>) {
    let is_expression = |place: &usize| action.words.get(*place).is_some_and(|word| word.is_any(&EXPRESSIONS));
    if let Some(first) = (action.at..action.end).find(is_expression) {
        scan(action.words.cursor_at(first, action.end), found);
    }
}

fn set(action: &mut Cursor<'_, '_>, table: &ObjectName, found: &mut Vec<Effect>) -> Option<()> {
    if action.take(&["WITHOUT", "OIDS"]) {
        found.push(Effect::DropColumn { table: table.clone(), column: "oid".to_owned(), cascade: false });
        return Some(());
    }
    (action.is_symbol("(") || action.is_any(&SETTINGS) || action.take(&["WITHOUT", "CLUSTER"])).then_some(())
}

fn altered_column(action: &mut Cursor<'_, '_>, table: &ObjectName, found: &mut Vec<Effect>) -> Option<()> {
    // Statistics of an index know its columns by number.
    let first = action.peek(0)?;
    let is_number = first.kind == Kind::Bare && first.text.bytes().all(|byte| byte.is_ascii_digit());
    let column = if is_number && action.is_postgres() && action.is_ahead(1, "SET") {
        action.advance();
        String::new()
    } else {
        action.name()?
    };
    match () {
        () if action.take(&["DROP", "NOT", "NULL"]) || action.take(&["SET", "NOT", "NULL"]) => Some(()),
        () if !action.is_postgres() => None,
        () if action.take(&["TYPE"]) || action.take(&["SET", "DATA", "TYPE"]) => {
            change_type(action, table, column, found)
        }
        () if action.take(&["DROP", "IDENTITY"]) => {
            found.push(Effect::ChangeIdentity { table: table.clone(), column });
            Some(())
        }
        () if action.take(&["DROP", "DEFAULT"]) || action.take(&["DROP", "EXPRESSION"]) => Some(()),
        () if action.take(&["SET", "DEFAULT"]) || action.take(&["SET", "STATISTICS"]) => Some(()),
        () if action.take(&["SET", "STORAGE"]) || action.take(&["SET", "COMPRESSION"]) => Some(()),
        // Computed for the rows that are there.
        () if action.take(&["SET", "EXPRESSION"]) => {
            scan(*action, found);
            Some(())
        }
        () if action.is("RESTART") || action.is("SET") && action.find(&["RESTART"]).is_some() => {
            found.push(Effect::ChangeIdentity { table: table.clone(), column });
            Some(())
        }
        // How an identity is generated, the options of its sequence, or the options of the column.
        () => action.is_any(&["ADD", "SET", "RESET", "OPTIONS"]).then_some(()),
    }
}

fn change_type(action: &mut Cursor<'_, '_>, table: &ObjectName, column: String, found: &mut Vec<Effect>) -> Option<()> {
    let end = action.find(&["COLLATE", "USING"]).unwrap_or(action.end);
    let to = action.words.text(action.at, end);
    let expression = action.find(&["USING"]);
    if end == action.at {
        return None;
    }
    found.push(Effect::ChangeType { table: table.clone(), column, to, using: expression.is_some() });
    if let Some(expression) = expression {
        scan(action.words.cursor_at(expression, action.end), found);
    }
    Some(())
}
