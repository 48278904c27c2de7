//! The outline of statements that read or change rows: which table, and whether a condition chooses rows. Whether their
//! expressions make sense is for `query`.

use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Deed;
use crate::deed::Name;
use crate::deed::Rows;
use crate::deed::Selection;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::lexeme::unquoted;

/// Reads a statement that begins with a word for rows; `None`: it does not.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Read<Deed>> {
    if cursor.take("WITH") {
        return Some(with(cursor));
    }
    verb(cursor)
}

fn verb(cursor: &mut Cursor<'_>) -> Option<Read<Deed>> {
    let start = cursor.start();
    if cursor.is("INSERT") || cursor.is("REPLACE") || cursor.is("MERGE") {
        cursor.advance();
        return Some(insert(cursor));
    }
    if cursor.take("UPDATE") {
        return Some(update(cursor));
    }
    if cursor.take("DELETE") {
        return Some(delete(cursor));
    }
    let reads = cursor.is_any(&["SELECT", "VALUES", "TABLE"]) || cursor.is_symbol(b'(');
    reads.then(|| {
        debug_assert!(start <= cursor.start());
        cursor.skip_all();
        Ok(Deed::Select)
    })
}

/// What follows the common table expressions.
fn with(cursor: &mut Cursor<'_>) -> Read<Deed> {
    cursor.take("RECURSIVE");
    loop {
        cursor.name()?;
        if cursor.is_symbol(b'(') {
            cursor.skip_group()?;
        }
        cursor.must("AS")?;
        cursor.take("NOT");
        cursor.take("MATERIALIZED");
        cursor.skip_group()?;
        // `CYCLE` and `SEARCH`
        while !cursor.is_at_end() && cursor.is_any(&["SEARCH", "CYCLE"]) {
            while !cursor.is_at_end() && !cursor.is_symbol(b',') && !cursor.is("SELECT") {
                cursor.advance();
            }
        }
        if !cursor.take_symbol(b',') {
            break;
        }
    }
    verb(cursor).unwrap_or_else(|| Err(cursor.unread("`SELECT`, `INSERT`, `UPDATE` or `DELETE`")))
}

fn insert(cursor: &mut Cursor<'_>) -> Read<Deed> {
    while cursor.take_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]) {}
    let or = cursor.start();
    let mut skips = None;
    if cursor.take("OR") {
        let skips_rows = cursor.is_any(&["IGNORE", "REPLACE"]);
        cursor.word()?;
        skips = skips_rows.then(|| cursor.since(or));
    }
    cursor.take("INTO");
    let table = cursor.name()?;
    if cursor.take("AS") {
        cursor.name()?;
    }
    if cursor.take("PARTITION") {
        cursor.skip_group()?;
    }
    let mut columns = Vec::new();
    let has_list = cursor.is_symbol(b'(') && !cursor.ahead_is(1, "SELECT") && !cursor.ahead_is(1, "WITH");
    if has_list {
        let group = cursor.group()?;
        let names = crate::cursor::items(cursor.text, group).into_iter().filter_map(|item| item.first());
        columns = names.map(|name| unquoted(name.of(cursor.text))).collect();
    }
    let has_columns = has_list || cursor.is("SET") || cursor.is("DEFAULT");
    let is_query = cursor.is_any(&["SELECT", "WITH", "TABLE"]) || cursor.is_symbol(b'(');
    let source = if is_query { tables_read(cursor) } else { Vec::new() };
    let selection =
        is_query.then(|| selection(cursor)).map(|found| Selection { leaves_out: skips.or(found.leaves_out), ..found });
    cursor.skip_all();
    let rows = if is_query { Rows::Query } else { Rows::Values };
    Ok(Deed::Insert { table, rows, has_columns, columns, source, selection })
}

/// `SELECT a, b FROM t …`; of anything else nothing is known.
fn selection(cursor: &Cursor<'_>) -> Selection {
    let mut ahead = cursor.clone();
    let cursor = &mut ahead;
    let mut found = Selection::default();
    if !cursor.take("SELECT") {
        return found;
    }
    if cursor.is("DISTINCT") {
        found.leaves_out = cursor.peek().map(|lexeme| lexeme.start..lexeme.end);
    }
    cursor.take_any(&["DISTINCT", "ALL"]);
    let before = cursor.clone();
    skip_to(cursor, &["FROM"]);
    let chosen = &before.rest()[..before.rest().len() - cursor.rest().len()];
    found.items = crate::cursor::items(cursor.text, chosen).into_iter().map(|item| chosen_name(cursor, item)).collect();
    if !cursor.take("FROM") {
        return found;
    }
    found.from = cursor.name().ok().map(|name| name.name);
    let rest = leaves_out(cursor);
    found.leaves_out = found.leaves_out.or(rest);
    found
}

/// `a`, `t.a`, `a AS b`, `*` or `t.*`
fn chosen_name(cursor: &Cursor<'_>, item: &[Lexeme]) -> String {
    let text = cursor.text;
    let is_name = |lexeme: &Lexeme| matches!(lexeme.kind, Kind::Word | Kind::Name);
    let item = match item {
        [rest @ .., name, known, _] if known.is_word(text, "AS") && (is_name(name) || name.is_symbol(text, b'*')) => {
            &item[..=rest.len()]
        }
        _ => item,
    };
    match item {
        [name] | [_, _, name] if is_name(name) && item.get(1).is_none_or(|dot| dot.is_symbol(text, b'.')) => {
            unquoted(name.of(text))
        }
        [star] | [_, _, star] if star.is_symbol(text, b'*') => "*".to_owned(),
        _ => String::new(),
    }
}

/// The first word after the table that leaves out rows of it.
fn leaves_out(cursor: &mut Cursor<'_>) -> Option<std::ops::Range<usize>> {
    const WORDS: [&str; 8] = ["WHERE", "LIMIT", "OFFSET", "GROUP", "HAVING", "EXCEPT", "INTERSECT", "CONFLICT"];
    let (mut is_outer, mut is_ordered) = (false, false);
    while let Some(lexeme) = cursor.peek() {
        let always = cursor.ahead_is(1, "TRUE") || cursor.ahead(1) == "1";
        let is_last = cursor.rest().len() == 2;
        let leaves = match () {
            () if cursor.is("WHERE") && always && is_last => false,
            () if cursor.is_any(&WORDS) => true,
            () if cursor.is("UNION") => !cursor.ahead_is(1, "ALL"),
            () if cursor.is("JOIN") => !is_outer,
            () if cursor.is_symbol(b',') => !is_ordered,
            () => false,
        };
        if leaves {
            return Some(lexeme.start..lexeme.end);
        }
        is_outer = cursor.is("LEFT") || is_outer && cursor.is("OUTER");
        is_ordered = is_ordered || cursor.is("ORDER");
        if !cursor.is_symbol(b'(') || cursor.skip_group().is_err() {
            cursor.advance();
        }
    }
    None
}

/// The names after `FROM` and `JOIN`.
fn tables_read(cursor: &Cursor<'_>) -> Vec<String> {
    let rest = cursor.rest();
    let is = |lexeme: &Lexeme, word: &str| lexeme.is_word(cursor.text, word);
    let after = rest.windows(2).filter(|pair| is(&pair[0], "FROM") || is(&pair[0], "JOIN"));
    after.map(|pair| unquoted(pair[1].of(cursor.text))).collect()
}

/// Goes to the first of these words that is outside of parentheses.
fn skip_to(cursor: &mut Cursor<'_>, words: &[&str]) {
    while !cursor.is_at_end() && !cursor.is_any(words) {
        if cursor.is_symbol(b'(') {
            if cursor.skip_group().is_err() {
                cursor.skip_all();
            }
        } else {
            cursor.advance();
        }
    }
}

/// The condition, and whether a limit follows.
fn condition(cursor: &mut Cursor<'_>) -> (Option<std::ops::Range<usize>>, bool) {
    skip_to(cursor, &["WHERE", "LIMIT", "RETURNING"]);
    let mut condition = None;
    if cursor.take("WHERE") {
        let start = cursor.start();
        skip_to(cursor, &["LIMIT", "RETURNING", "ORDER"]);
        condition = Some(cursor.since(start));
    }
    skip_to(cursor, &["LIMIT"]);
    let limited = cursor.is("LIMIT");
    cursor.skip_all();
    (condition, limited)
}

fn update(cursor: &mut Cursor<'_>) -> Read<Deed> {
    while cursor.take_any(&["LOW_PRIORITY", "IGNORE", "ONLY"]) {}
    if cursor.take("OR") {
        cursor.word()?;
    }
    let table: Option<Name> = if cursor.is_symbol(b'(') { None } else { Some(cursor.name()?) };
    let before = cursor.clone();
    skip_to(cursor, &["SET", "JOIN"]);
    let joins = cursor.is("JOIN") || commas(&before, cursor) > 0;
    skip_to(cursor, &["SET"]);
    cursor.must("SET")?;
    let columns = assigned(cursor);
    let (condition, limited) = condition(cursor);
    // A join chooses rows as well, by what is after `ON`.
    let condition = condition.or_else(|| joins.then(|| before.start()..before.start()));
    Ok(Deed::Update { table, columns, condition, limited })
}

/// The columns before each `=` of `SET a = 1, t.b = 2`.
fn assigned(cursor: &Cursor<'_>) -> Vec<String> {
    let mut ahead = cursor.clone();
    let mut columns = Vec::new();
    while let Ok(name) = ahead.name() {
        columns.push(name.schema.map_or_else(|| name.name.clone(), |table| format!("{table}.{}", name.name)));
        while !ahead.is_at_end() && !ahead.is_symbol(b',') && !ahead.is_any(&["WHERE", "FROM", "ORDER", "LIMIT"]) {
            if ahead.is_symbol(b'(') && ahead.skip_group().is_ok() {
                continue;
            }
            ahead.advance();
        }
        if !ahead.take_symbol(b',') {
            break;
        }
    }
    columns
}

fn commas(before: &Cursor<'_>, after: &Cursor<'_>) -> usize {
    let passed = before.rest().len() - after.rest().len();
    before.rest()[..passed].iter().filter(|lexeme| lexeme.is_symbol(before.text, b',')).count()
}

fn delete(cursor: &mut Cursor<'_>) -> Read<Deed> {
    while cursor.take_any(&["LOW_PRIORITY", "QUICK", "IGNORE"]) {}
    let mut table = None;
    let mut joins = false;
    if cursor.take("FROM") {
        cursor.take("ONLY");
        table = Some(cursor.name()?);
        joins = cursor.is_symbol(b',') || cursor.is("USING");
    } else {
        // `DELETE t FROM t JOIN u …`
        table = table.or(Some(cursor.name()?));
        skip_to(cursor, &["FROM"]);
        cursor.must("FROM")?;
        table = table.map(|table| behind_alias(cursor, table));
    }
    let before = cursor.clone();
    skip_to(cursor, &["JOIN", "WHERE"]);
    joins = joins || cursor.is("JOIN");
    *cursor = before.clone();
    let (condition, limited) = condition(cursor);
    let condition = condition.or_else(|| joins.then(|| before.start()..before.start()));
    Ok(Deed::Delete { table, condition, limited })
}

/// The table for which an alias stands in what follows `FROM`, as in `orders o JOIN line AS l`.
fn behind_alias(cursor: &Cursor<'_>, alias: Name) -> Name {
    let mut ahead = cursor.clone();
    while !ahead.is_at_end() && !ahead.is("WHERE") {
        let mut item = ahead.clone();
        if let Ok(table) = item.name() {
            item.take("AS");
            if item.name().is_ok_and(|name| name.is(&alias.name)) {
                return Name { span: alias.span, ..table };
            }
        }
        ahead.advance();
    }
    alias
}
