//! The tables that a statement of MySQL joins, with the names that it calls them by.

use super::ObjectName;
use super::words::{Cursor, Kind};

/// What ends what is said of one table.
const JOINS: [&str; 9] = ["JOIN", "STRAIGHT_JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL", "OUTER", "FULL"];
/// What may follow a table's name and is no alias of it.
const NOT_ALIASES: [&str; 7] = ["ON", "USING", "USE", "FORCE", "IGNORE", "PARTITION", "FOR"];

/// A statement of MySQL joins no more tables.
const MOST: usize = 61;

/// The tables in the order in which they are written. Derived tables are not among them.
pub(super) struct TableReferences(Vec<(Option<String>, ObjectName)>);

impl TableReferences {
    /// None if they are not understood.
    pub(super) fn of(part: Cursor<'_, '_>) -> Option<Self> {
        let mut references = Vec::new();
        let mut cursor = part;
        loop {
            if cursor.is_symbol("(") || cursor.take(&["LATERAL"]) {
                let closed = cursor.words.partner(cursor.at);
                let inner = cursor.words.cursor_at(cursor.at + 1, closed);
                // Joins in parentheses would be tables as well.
                if !inner.is_any(&["SELECT", "WITH", "VALUES", "TABLE"]) {
                    return None;
                }
                cursor.take_group();
            } else {
                let table = cursor.object()?;
                if cursor.take(&["PARTITION"]) {
                    cursor.take_group();
                }
                references.push((alias(&mut cursor), table));
            }
            match next_join(&cursor) {
                Some(next) => cursor.at = next,
                None => return (1..=MOST).contains(&references.len()).then_some(Self(references)),
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &ObjectName> {
        self.0.iter().map(|(_, table)| table)
    }

    pub(super) fn get(&self, place: usize) -> Option<&ObjectName> {
        self.0.get(place).map(|(_, table)| table)
    }

    /// Which of them is meant by a name. None unless it is exactly one.
    pub(super) fn find(&self, name: &ObjectName) -> Option<usize> {
        let is_meant = |(alias, table): &(Option<String>, ObjectName)| match (&name.schema, alias) {
            (Some(schema), None) => {
                table.name.eq_ignore_ascii_case(&name.name)
                    && table.schema.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(schema))
            }
            (Some(_), Some(_)) => false,
            (None, Some(alias)) => alias.eq_ignore_ascii_case(&name.name),
            (None, None) => table.name.eq_ignore_ascii_case(&name.name),
        };
        let mut meant = self.0.iter().enumerate().filter(|(_, one)| is_meant(one)).map(|(place, _)| place);
        let first = meant.next()?;
        meant.next().is_none().then_some(first)
    }
}

fn alias(cursor: &mut Cursor<'_, '_>) -> Option<String> {
    if cursor.take(&["AS"]) {
        return cursor.name();
    }
    let word = cursor.peek(0)?;
    let is_alias = matches!(word.kind, Kind::Bare | Kind::Quoted) && !word.is_any(&JOINS) && !word.is_any(&NOT_ALIASES);
    if is_alias { cursor.name() } else { None }
}

/// Where the next table is written.
fn next_join(cursor: &Cursor<'_, '_>) -> Option<usize> {
    let is_join = |place: &usize| {
        let Some(word) = cursor.words.get(*place) else { return false };
        let is_column = cursor.words.before(*place).is_some_and(|before| before.is_symbol("."));
        !is_column && (word.is_symbol(",") || word.is_any(&["JOIN", "STRAIGHT_JOIN"]))
    };
    // `USE INDEX FOR JOIN (…)` is none.
    let is_hint = |place: &usize| cursor.words.before(*place).is_some_and(|before| before.is("FOR"));
    cursor.level().find(|place| is_join(place) && !is_hint(place)).map(|place| place + 1)
}
