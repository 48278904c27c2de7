//! Which kind of statement it is.

use std::collections::HashSet;

use crate::dialect::Dialect;

use super::words::{Cursor, Kind, Words};
use super::{Effect, alter, create, drop, query, rows, session};

/// How many words of a statement are repeated when it is not understood.
const SHOWN_WORDS: usize = 2;
const LONGEST_SHOWN: usize = 32;

/// Queries.
const READING: [&str; 3] = ["SELECT", "TABLE", "VALUES"];
const CHANGING: [&str; 5] = ["DELETE", "INSERT", "MERGE", "REPLACE", "UPDATE"];

/// Reads one statement.
pub(super) fn read(words: &Words<'_>, found: &mut Vec<Effect>) {
    let mut cursor = words.cursor();
    while cursor.take_symbol(";") {}
    // What remains if a comment isn't run.
    if cursor.is_done() {
        return;
    }
    if begun(&mut cursor, found).is_none() {
        found.push(not_understood(words.cursor()));
    }
}

/// That a statement is not understood.
pub(super) fn not_understood(cursor: Cursor<'_, '_>) -> Effect {
    let is_shown = |place: &usize| {
        let word = cursor.words.get(*place);
        word.is_some_and(|word| {
            word.kind == Kind::Bare
                && word.text.len() <= LONGEST_SHOWN
                && word.text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        })
    };
    let shown: Vec<String> = (cursor.at..cursor.end)
        .take_while(is_shown)
        .take(SHOWN_WORDS)
        .filter_map(|place| cursor.words.get(place).map(|word| word.text.to_ascii_uppercase()))
        .collect();
    Effect::opaque(match shown.is_empty() {
        true => "the statement is not understood".to_owned(),
        false => format!("`{} …` is not understood", shown.join(" ")),
    })
}

/// What stands in front of a statement.
enum Front {
    Nothing,
    /// The statement is run.
    Runs,
    /// The statement is only explained.
    Explains,
}

/// Reads the statement that begins at the cursor; None if it is not understood.
fn begun(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    loop {
        match front(cursor)? {
            Front::Nothing => break,
            Front::Runs => {}
            Front::Explains => return Some(()),
        }
    }
    let start = *cursor;
    match () {
        () if cursor.is("DROP") => drop::read(cursor, found),
        () if cursor.is("CREATE") => create::read(cursor, found),
        () if cursor.is("ALTER") => alter::read(cursor, found),
        () if cursor.is("RENAME") && cursor.is_mysql() => alter::rename(cursor, found),
        () if cursor.is("TRUNCATE") => rows::truncate(cursor, found),
        () if cursor.is_any(&CHANGING) => {
            let understood = rows::change(*cursor, found);
            query::scan(start, found);
            understood
        }
        () if cursor.is_any(&READING) || cursor.is("WITH") || cursor.is_symbol("(") => selected(start, found),
        () if cursor.is("COPY") && cursor.is_postgres() => copied(cursor, found),
        () if cursor.is("LOAD") => rows::load(cursor, found),
        () if cursor.is("DECLARE") && cursor.is_postgres() => {
            query::scan(start, found);
            Some(())
        }
        () => session::read(cursor, found),
    }
}

/// Takes what is in front of another statement.
fn front(cursor: &mut Cursor<'_, '_>) -> Option<Front> {
    if cursor.is_mysql() && cursor.take(&["SET", "STATEMENT"]) {
        cursor.at = cursor.find(&["FOR"])? + 1;
        return Some(Front::Runs);
    }
    if cursor.is_mysql() && cursor.is("ANALYZE") {
        let kind = if cursor.is_ahead(1, "LOCAL") || cursor.is_ahead(1, "NO_WRITE_TO_BINLOG") { 2 } else { 1 };
        if cursor.is_ahead(kind, "TABLE") || cursor.is_ahead(kind, "TABLES") {
            return Some(Front::Nothing);
        }
        cursor.advance();
        explain_format(cursor);
        return Some(Front::Runs);
    }
    let is_explain = cursor.is("EXPLAIN") || cursor.is_mysql() && cursor.is_any(&["DESC", "DESCRIBE"]);
    if !is_explain {
        return Some(Front::Nothing);
    }
    cursor.advance();
    let is_run = match cursor.dialect() {
        Dialect::Sqlite => false,
        Dialect::Postgres => explains_and_runs(cursor),
        Dialect::Mysql => {
            explain_format(cursor);
            let is_run = cursor.take(&["ANALYZE"]);
            explain_format(cursor);
            is_run
        }
    };
    Some(if is_run { Front::Runs } else { Front::Explains })
}

/// Takes the options of `EXPLAIN`.
fn explains_and_runs(cursor: &mut Cursor<'_, '_>) -> bool {
    let mut is_run = cursor.take_any(&["ANALYZE", "ANALYSE"]);
    cursor.take(&["VERBOSE"]);
    if cursor.is_symbol("(") {
        // In parentheses may be the statement itself, too.
        let inner = cursor.words.cursor_at(cursor.at + 1, cursor.words.partner(cursor.at));
        if inner.parts().iter().any(|option| option.is_any(&["ANALYZE", "ANALYSE"])) {
            is_run = true;
            cursor.take_group();
        }
    }
    is_run
}

fn explain_format(cursor: &mut Cursor<'_, '_>) {
    if cursor.is("FORMAT") && cursor.peek(1).is_some_and(|word| word.is_symbol("=")) {
        cursor.at += 3;
    }
    // `INTO @variable`.
    if cursor.is("INTO") && cursor.peek(1).is_some_and(|word| word.is_symbol("@")) {
        cursor.at += 3;
    }
}

/// A query, perhaps in parentheses or after `WITH`.
fn selected(query: Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    let mut main = query;
    while main.is_symbol("(") {
        main.advance();
    }
    if main.is("WITH") {
        main.at = query::after_with(main.words, main.at, main.end, &mut HashSet::new())?;
        while main.is_symbol("(") {
            main.advance();
        }
    }
    query::scan(query, found);
    match () {
        () if main.is_any(&READING) => query::select_into(main, found),
        // The scan has read it, because it follows `WITH`.
        () if main.is_any(&CHANGING) && query.is("WITH") => Some(()),
        () => None,
    }
}

/// `COPY t FROM …` adds rows; `COPY (…) TO …` runs what is in parentheses.
fn copied(cursor: &mut Cursor<'_, '_>, found: &mut Vec<Effect>) -> Option<()> {
    if cursor.has(&["PROGRAM"]) {
        found.push(Effect::opaque("it runs a program on the server"));
        return Some(());
    }
    cursor.advance();
    if cursor.is_symbol("(") {
        let query = cursor.words.cursor_at(cursor.at, cursor.words.partner(cursor.at) + 1);
        query::scan(query, found);
        return Some(());
    }
    cursor.take(&["BINARY"]);
    cursor.object()?;
    cursor.take_group();
    if let Some(condition) = cursor.find(&["WHERE"]) {
        query::scan(cursor.words.cursor_at(condition, cursor.end), found);
    }
    cursor.is_any(&["FROM", "TO"]).then_some(())
}
