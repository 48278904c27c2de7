//! Calls of functions: whether they are known to change nothing.

use std::collections::HashSet;

use crate::dialect::Dialect;

use super::words::{Cursor, Kind, Words};
use super::{Effect, ObjectName, functions};

/// Longer names are not repeated in an answer.
const LONGEST_SHOWN: usize = 100;

/// Looks at the word before a parenthesis. `heads` are names in front of lists of columns, as in `WITH a (b) AS …`.
pub(super) fn check(words: &Words<'_>, place: usize, heads: &HashSet<usize>, found: &mut Vec<Effect>) {
    let Some(word) = words.get(place) else { return };
    let dialect = words.dialect;
    let is_name = match word.kind {
        Kind::Bare => !word.text.bytes().all(|byte| byte.is_ascii_digit()),
        Kind::Quoted => true,
        // Only in the mode `ANSI_QUOTES`.
        Kind::Text => dialect == Dialect::Mysql && words.name(place).is_some(),
        Kind::Symbol => false,
    };
    if !is_name || heads.contains(&place) {
        return;
    }
    let first = first_part(words, place);
    let is_qualified = first != place;
    let name = word.text.to_ascii_lowercase();
    if word.kind == Kind::Bare && !is_qualified && functions::is_never_called(&name, dialect) || is_list(words, first) {
        return;
    }
    // There a name in quotes keeps its capitals, and no function that comes with it has any.
    let is_another = dialect == Dialect::Postgres && word.kind == Kind::Quoted && name != word.text;
    let is_of_the_database = match is_qualified {
        _ if is_another => false,
        false => true,
        true => {
            dialect == Dialect::Postgres
                && place == first + 2
                && words.get(first).is_some_and(|schema| schema.text.eq_ignore_ascii_case("pg_catalog"))
        }
    };
    let arguments = words.cursor_at(place + 2, words.partner(place + 1));
    match name.as_str() {
        _ if !is_of_the_database => {}
        "nextval" | "setval" if dialect != Dialect::Sqlite => {
            let effect = counted(arguments).unwrap_or_else(|| {
                Effect::opaque(format!("`{name}` changes a sequence whose name is not known before it runs"))
            });
            found.push(effect);
            return;
        }
        "set_config" if dialect == Dialect::Postgres => {
            if let Some(why) = setting(arguments) {
                found.push(Effect::opaque(why));
            }
            return;
        }
        name if functions::is_harmless(name, dialect) => return,
        _ => {}
    }
    let shown = words.text(first, place + 1);
    let is_showable = shown.len() <= LONGEST_SHOWN && !shown.contains(char::is_control);
    let function = if is_showable { format!("the function `{shown}`") } else { "a function".to_owned() };
    found.push(Effect::opaque(format!("it calls {function}, which may change anything")));
}

/// Where a name with dots begins.
fn first_part(words: &Words<'_>, place: usize) -> usize {
    let mut first = place;
    while first >= 2
        && words.before(first).is_some_and(|dot| dot.is_symbol("."))
        && words.get(first - 2).is_some_and(|word| word.kind != Kind::Symbol)
    {
        first -= 2;
    }
    first
}

/// Whether what is in front of a name shows that columns follow, or the length of a type.
fn is_list(words: &Words<'_>, first: usize) -> bool {
    let Some(before) = words.before(first) else { return false };
    if before.is_symbol(")") {
        // `(SELECT …) AS a (b)` without its `AS`; but what `DISTINCT ON (…)` is followed by is a value.
        let opened = words.partner(first - 1);
        return !words.before(opened).is_some_and(|word| word.is("ON"));
    }
    if before.is_symbol(":") {
        return first >= 2 && words.before(first - 1).is_some_and(|colon| colon.is_symbol(":"));
    }
    // A row that `MERGE` adds.
    let follows = words.get(words.partner(first + 1) + 1);
    let is_merged = words.get(first).is_some_and(|word| word.is("INSERT")) && before.is("THEN");
    if is_merged && follows.is_some_and(|word| word.is_any(&["VALUES", "OVERRIDING"])) {
        return true;
    }
    // `INTO` may be left out.
    let before_tables = ["INSERT", "REPLACE", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE"];
    if words.dialect == Dialect::Mysql && before.is_any(&before_tables) {
        return true;
    }
    let pairs = [("ON", "CONFLICT"), ("NOT", "MATERIALIZED"), ("GROUPING", "SETS")];
    let is_pair =
        pairs.iter().any(|(one, other)| before.is(one) && words.get(first).is_some_and(|word| word.is(other)));
    is_pair || before.is_any(&["AS", "INTO", "REFERENCES", "TABLESAMPLE"])
}

/// The sequence that `nextval` or `setval` is about.
fn counted(mut arguments: Cursor<'_, '_>) -> Option<Effect> {
    if arguments.is_mysql() {
        let sequence = arguments.object()?;
        return (arguments.is_done() || arguments.is_symbol(",")).then_some(Effect::ChangeSequence { sequence });
    }
    if arguments.is("pg_get_serial_sequence") {
        let (mut inner, after) = (arguments, arguments.words.partner(arguments.at + 1) + 1);
        inner.at += 2;
        let table = named_in(inner.peek(0)?.text, inner)?;
        let column = inner.peek(2).filter(|column| column.kind == Kind::Text)?;
        let is_all = inner.peek(1)?.is_symbol(",") && inner.at + 4 == after;
        let is_plain = inner.peek(0)?.kind == Kind::Text && !column.text.contains(['\'', '\\', '$']);
        return (is_all && is_plain).then(|| Effect::ChangeIdentity { table, column: column.text.to_owned() });
    }
    let name = arguments.peek(0).filter(|word| word.kind == Kind::Text)?;
    let is_whole = arguments.peek(1).is_none_or(|next| next.is_symbol(",") || next.is_symbol(":"));
    let sequence = named_in(name.text, arguments)?;
    is_whole.then_some(Effect::ChangeSequence { sequence })
}

/// The name in a string, as `regclass` reads it.
fn named_in(text: &str, near: Cursor<'_, '_>) -> Option<ObjectName> {
    let text = text.replace("''", "'");
    let words = Words::of(&text, near.dialect())?;
    let mut cursor = words.cursor();
    cursor.object().filter(|_| cursor.is_done())
}

/// What is doubtful about a setting; `''` is what `pg_dump` sets, which leaves no name without a schema.
fn setting(arguments: Cursor<'_, '_>) -> Option<&'static str> {
    let text = |place: usize| arguments.peek(place).filter(|word| word.kind == Kind::Text).map(|word| word.text);
    let is_alone = |place: usize| arguments.peek(place).is_some_and(|word| word.is_symbol(","));
    match (text(0), text(2)) {
        (Some(name), _) if is_alone(1) && !name.contains('\'') && !name.eq_ignore_ascii_case("search_path") => None,
        (Some(_), Some("")) if is_alone(1) && is_alone(3) => None,
        _ => Some("it changes which schema a name without one belongs to"),
    }
}
