//! What is inside of a statement that works on rows: other statements that change rows, and calls of functions.

use std::collections::HashSet;

use super::words::{Cursor, Words};
use super::{Effect, ObjectName, calls, rows, statement};

/// Verbs that a statement after `WITH` may begin with.
const VERBS: [&str; 8] = ["DELETE", "INSERT", "MERGE", "REPLACE", "SELECT", "TABLE", "UPDATE", "VALUES"];
/// Those of them that change rows.
const CHANGING: [&str; 5] = ["DELETE", "INSERT", "MERGE", "REPLACE", "UPDATE"];

/// Goes through a part of a statement once, from left to right and however deep it is.
pub(super) fn scan(part: Cursor<'_, '_>, found: &mut Vec<Effect>) {
    let words = part.words;
    let mut heads = HashSet::new();
    // Where the parentheses around a place end.
    let mut ends = vec![part.end];
    for place in part.at..part.end {
        let Some(word) = words.get(place) else { return };
        let end = ends.last().copied().unwrap_or(part.end);
        if place == end && ends.len() > 1 {
            ends.pop();
        } else if word.is_symbol("(") || word.is_symbol("[") {
            let closed = words.partner(place);
            ends.push(closed);
            let inner = words.cursor_at(place + 1, closed);
            if begins_change(inner) {
                change(inner, found);
            }
            if word.is_symbol("(") && place > part.at {
                calls::check(words, place - 1, &heads, found);
            }
        } else if word.is("WITH")
            && let Some(main) = after_with(words, place, end, &mut heads)
        {
            let main = words.cursor_at(main, end);
            if main.is_any(&CHANGING) {
                change(main, found);
            }
        } else if word.is("NEXT") && words.cursor_at(place, end).take(&["NEXT", "VALUE", "FOR"]) {
            match words.cursor_at(place + 3, end).object() {
                Some(sequence) => found.push(Effect::ChangeSequence { sequence }),
                None => found.push(Effect::opaque("it changes a sequence whose name is not understood")),
            }
        }
    }
}

/// Whether a statement that changes rows stands here, where a value may stand as well.
fn begins_change(inner: Cursor<'_, '_>) -> bool {
    let follows = |word| inner.is_ahead(1, word);
    match () {
        () if inner.is_any(&["INSERT", "MERGE", "REPLACE"]) => follows("INTO"),
        () if inner.is("DELETE") => follows("FROM"),
        () => inner.is("UPDATE") && inner.words.name(inner.at + 1).is_some() && inner.peek(1).is_some(),
    }
}

fn change(cursor: Cursor<'_, '_>, found: &mut Vec<Effect>) {
    if rows::change(cursor, found).is_none() {
        found.push(statement::not_understood(cursor));
    }
}

/// Where the statement begins that follows what `WITH` defines; None if this is another `WITH`.
pub(super) fn after_with(words: &Words<'_>, with: usize, end: usize, heads: &mut HashSet<usize>) -> Option<usize> {
    let mut cursor = words.cursor_at(with + 1, end);
    if cursor.is("RECURSIVE") && !cursor.is_ahead(1, "AS") {
        cursor.advance();
    }
    loop {
        let name = cursor.at;
        cursor.name()?;
        if cursor.take_group() {
            heads.insert(name);
        }
        if !cursor.take(&["AS"]) {
            return None;
        }
        cursor.take(&["NOT"]);
        cursor.take(&["MATERIALIZED"]);
        if !cursor.take_group() {
            return None;
        }
        if !cursor.take_symbol(",") {
            break;
        }
    }
    // `SEARCH` and `CYCLE` may come first.
    cursor.level().find_map(|place| {
        let word = words.get(place)?;
        (word.is_any(&VERBS) || word.is_symbol("(") || word.is("WITH")).then_some(place)
    })
}

/// `SELECT … INTO t` of PostgreSQL.
pub(super) fn select_into(query: Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if !query.is_postgres() {
        return Some(());
    }
    let Some(into) = query.find(&["INTO"]) else { return Some(()) };
    let mut cursor = query.words.cursor_at(into + 1, query.end);
    let temporary = created_temporary(&mut cursor);
    cursor.take(&["UNLOGGED"]);
    cursor.take(&["TABLE"]);
    let table: ObjectName = cursor.object()?;
    found.push(Effect::CreateTable { table, if_missing: false, temporary });
    Some(())
}

/// Takes the words before `TABLE` that make it one of the session.
pub(super) fn created_temporary(cursor: &mut Cursor<'_, '_>) -> bool {
    if cursor.is_any(&["GLOBAL", "LOCAL"]) && (cursor.is_ahead(1, "TEMP") || cursor.is_ahead(1, "TEMPORARY")) {
        cursor.advance();
    }
    cursor.take_any(&["TEMP", "TEMPORARY"])
}
