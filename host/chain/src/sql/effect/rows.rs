//! Statements that change rows.

use crate::dialect::Dialect;

use super::table_references::TableReferences;
use super::words::{Cursor, Word};
use super::{Effect, ObjectName};

/// What may follow the last value that is set.
const AFTER_VALUES: [&str; 6] = ["FROM", "WHERE", "RETURNING", "ORDER", "LIMIT", "ON"];

/// Reads a statement that changes rows, from its verb on; None if it is not understood. Calls and statements inside of it
/// are left to others.
pub(super) fn change(mut cursor: Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let verb = cursor.peek(0)?;
    cursor.advance();
    match () {
        () if verb.is("INSERT") => insert(&mut cursor, found),
        () if verb.is("UPDATE") => update(&mut cursor, found),
        () if verb.is("DELETE") => delete(&mut cursor, found),
        () if verb.is("MERGE") && cursor.is_postgres() => merge(&mut cursor, found),
        () if verb.is("REPLACE") && !cursor.is_postgres() => {
            cursor.take_all(&["LOW_PRIORITY", "DELAYED"]);
            cursor.take(&["INTO"]);
            let table = cursor.object()?;
            found.push(Effect::DeleteRows { table });
            Some(())
        }
        () => None,
    }
}

fn insert(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let dialect = cursor.dialect();
    let mut replaces = false;
    match dialect {
        Dialect::Mysql => cursor.take_all(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]),
        Dialect::Sqlite if cursor.take(&["OR"]) => {
            replaces = cursor.is("REPLACE");
            cursor.take_any(&["ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"]).then_some(())?;
        }
        Dialect::Sqlite | Dialect::Postgres => {}
    }
    if !cursor.take(&["INTO"]) && dialect != Dialect::Mysql {
        return None;
    }
    let table = cursor.object()?;
    if replaces {
        found.push(Effect::DeleteRows { table: table.clone() });
    }
    if dialect == Dialect::Sqlite && commands_index(cursor, &table) {
        found.push(Effect::opaque(format!("an insert into a column called like its table `{table}` may be a command")));
    }
    for place in cursor.level() {
        let mut clause = cursor.words.cursor_at(place, cursor.end);
        let is_upsert = match dialect {
            Dialect::Mysql => clause.take(&["ON", "DUPLICATE", "KEY", "UPDATE"]),
            Dialect::Sqlite | Dialect::Postgres => clause.take(&["DO", "UPDATE", "SET"]),
        };
        if is_upsert {
            let columns = assigned(&clause).map(|all| all.into_iter().map(|one| one.column).collect());
            found.push(Effect::UpdateRows { table: table.clone(), columns: columns.unwrap_or_default() });
        }
    }
    Some(())
}

/// Whether it may be a command to a full-text index, such as `INSERT INTO t(t) VALUES ('delete-all')`.
fn commands_index(cursor: &Cursor<'_, '_>, table: &ObjectName) -> bool {
    if !cursor.is_symbol("(") {
        return false;
    }
    let mut columns = cursor.at + 1..cursor.words.partner(cursor.at);
    columns.any(|place| cursor.words.name(place).is_some_and(|name| name.eq_ignore_ascii_case(&table.name)))
}

fn update(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let mut replaces = false;
    match cursor.dialect() {
        Dialect::Mysql => {
            cursor.take_all(&["LOW_PRIORITY", "IGNORE"]);
            return update_joined(cursor, found);
        }
        Dialect::Sqlite if cursor.take(&["OR"]) => {
            replaces = cursor.is("REPLACE");
            cursor.take_any(&["ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"]).then_some(())?;
        }
        Dialect::Sqlite | Dialect::Postgres => {}
    }
    let table = cursor.table()?;
    cursor.at = cursor.find(&["SET"])? + 1;
    let columns = assigned(cursor).map(|all| all.into_iter().map(|one| one.column).collect());
    found.push(Effect::UpdateRows { table: table.clone(), columns: columns.unwrap_or_default() });
    if replaces {
        found.push(Effect::DeleteRows { table });
    }
    Some(())
}

/// `UPDATE a JOIN b … SET a.x = …, b.y = …`.
fn update_joined(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let set = cursor.find(&["SET"])?;
    let references = TableReferences::of(cursor.words.cursor_at(cursor.at, set))?;
    cursor.at = set + 1;
    let Some(assigned) = assigned(cursor) else {
        found.extend(references.tables().map(|table| Effect::UpdateRows { table: table.clone(), columns: Vec::new() }));
        return Some(());
    };
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); references.len()];
    for one in assigned {
        match one.table {
            Some(table) => columns.get_mut(references.find(&table)?)?.push(one.column),
            // It is in one of them; that the others have no such column is for those to know who know the tables.
            None => columns.iter_mut().for_each(|columns| columns.push(one.column.clone())),
        }
    }
    let changed = references.tables().zip(columns).filter(|(_, columns)| !columns.is_empty());
    found.extend(changed.map(|(table, columns)| Effect::UpdateRows { table: table.clone(), columns }));
    Some(())
}

fn delete(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if cursor.is_mysql() {
        return delete_joined(cursor, found);
    }
    if !cursor.take(&["FROM"]) {
        return None;
    }
    let table = cursor.table()?;
    found.push(Effect::DeleteRows { table });
    Some(())
}

/// `DELETE FROM t …`, `DELETE a, b FROM …` and `DELETE FROM a, b USING …`.
fn delete_joined(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    cursor.take_all(&["LOW_PRIORITY", "QUICK", "IGNORE"]);
    if cursor.take(&["HISTORY"]) {
        found.push(Effect::opaque("it deletes the history of a table"));
        return Some(());
    }
    let is_first = cursor.take(&["FROM"]);
    let mut named = Vec::new();
    loop {
        named.push(cursor.object()?);
        if cursor.take_symbol(".") {
            cursor.take_symbol("*").then_some(())?;
        }
        if !cursor.take_symbol(",") {
            break;
        }
    }
    let is_joined = cursor.take_any(&[if is_first { "USING" } else { "FROM" }]);
    if !is_joined {
        // Of one table; an alias, `PARTITION (…)` and conditions may follow.
        let table = (is_first && named.len() == 1).then(|| named.pop()).flatten()?;
        found.push(Effect::DeleteRows { table });
        return Some(());
    }
    let end = cursor.find(&["WHERE", "ORDER", "LIMIT", "RETURNING"]).unwrap_or(cursor.end);
    let references = TableReferences::of(cursor.words.cursor_at(cursor.at, end))?;
    for name in named {
        let table = references.get(references.find(&name)?)?.clone();
        found.push(Effect::DeleteRows { table });
    }
    Some(())
}

fn merge(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if !cursor.take(&["INTO"]) {
        return None;
    }
    let table = cursor.table()?;
    let mut is_understood = false;
    let mut updates = false;
    let mut deletes = false;
    for place in cursor.level() {
        let mut clause = cursor.words.cursor_at(place, cursor.end);
        // `THEN` is also part of `CASE`, where none of these words follows but as a column's name.
        if clause.take(&["THEN"]) {
            updates |= clause.is("UPDATE");
            deletes |= clause.is("DELETE");
            is_understood |= clause.is_any(&["UPDATE", "DELETE", "INSERT", "DO"]);
        }
    }
    if deletes {
        found.push(Effect::DeleteRows { table: table.clone() });
    }
    if updates {
        found.push(Effect::UpdateRows { table, columns: Vec::new() });
    }
    is_understood.then_some(())
}

/// A column that is set, with what is written in front of it.
struct Assigned {
    table: Option<ObjectName>,
    column: String,
}

/// The columns that are set from here on; None if that is not clear.
fn assigned(cursor: &Cursor<'_, '_>) -> Option<Vec<Assigned>> {
    let is_after = |place: &usize| {
        let is_distinct_from = cursor.words.before(*place).is_some_and(|word| word.is("DISTINCT"));
        cursor.words.get(*place).is_some_and(|word| word.is_any(&AFTER_VALUES)) && !is_distinct_from
    };
    let end = cursor.level().find(is_after).unwrap_or(cursor.end);
    let mut all = Vec::new();
    for mut part in cursor.words.cursor_at(cursor.at, end).parts() {
        if part.is_symbol("(") {
            let inner = part.words.cursor_at(part.at + 1, part.words.partner(part.at));
            for mut column in inner.parts() {
                all.push(target(&mut column)?);
            }
            part.take_group();
        } else {
            all.push(target(&mut part)?);
        }
        part.take_symbol(":");
        part.take_symbol("=").then_some(())?;
    }
    Some(all)
}

fn target(cursor: &mut Cursor<'_, '_>) -> Option<Assigned> {
    if cursor.is_mysql() {
        let mut table: Option<ObjectName> = None;
        let mut column = cursor.name()?;
        while cursor.take_symbol(".") {
            let name = std::mem::replace(&mut column, cursor.any_name()?);
            table = Some(ObjectName { schema: table.map(|before| before.name), name });
        }
        return Some(Assigned { table, column });
    }
    let column = cursor.name()?;
    // A field or an element of the column.
    while let Some(next) = cursor.peek(0).filter(|_| cursor.is_postgres()) {
        if next.is_symbol("[") {
            cursor.at = cursor.words.partner(cursor.at) + 1;
        } else if next.is_symbol(".") {
            cursor.at += 2;
        } else {
            break;
        }
    }
    Some(Assigned { table: None, column })
}

/// `TRUNCATE [TABLE] a, b CASCADE`.
pub(super) fn truncate(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if cursor.dialect() == Dialect::Sqlite {
        return None;
    }
    cursor.advance();
    cursor.take(&["TABLE"]);
    let mut tables = vec![cursor.table()?];
    while cursor.is_postgres() && cursor.take_symbol(",") {
        tables.push(cursor.table()?);
    }
    if cursor.is_mysql() {
        take_wait(cursor);
    } else if cursor.take_any(&["RESTART", "CONTINUE"]) {
        cursor.take(&["IDENTITY"]).then_some(())?;
    }
    let cascade = cursor.take(&["CASCADE"]);
    cursor.take(&["RESTRICT"]);
    found.extend(tables.into_iter().map(|table| Effect::Truncate { table, cascade }));
    cursor.is_done().then_some(())
}

/// `WAIT 5` and `NOWAIT` of MariaDB.
pub(super) fn take_wait(cursor: &mut Cursor<'_, '_>) {
    if cursor.is("WAIT") && cursor.peek(1).is_some_and(is_number) {
        cursor.at += 2;
    } else {
        cursor.take(&["NOWAIT"]);
    }
}

fn is_number(word: &Word<'_>) -> bool {
    !word.text.is_empty() && word.text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `LOAD DATA … REPLACE INTO TABLE t` of MySQL. Elsewhere `LOAD` runs the code of a library.
pub(super) fn load(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if !cursor.is_mysql() || cursor.is_ahead(1, "INDEX") {
        return cursor.is_mysql().then_some(());
    }
    cursor.advance();
    cursor.take_any(&["DATA", "XML"]).then_some(())?;
    let start = *cursor;
    let mut into = cursor.words.cursor_at(cursor.find(&["INTO"])?, cursor.end);
    into.take(&["INTO", "TABLE"]).then_some(())?;
    let table = into.object()?;
    let replaces = start.words.cursor_at(start.at, into.at).find(&["REPLACE"]).is_some();
    if replaces {
        found.push(Effect::DeleteRows { table });
    }
    // `SET column = f(…)` and the like.
    super::query::scan(into, found);
    Some(())
}
