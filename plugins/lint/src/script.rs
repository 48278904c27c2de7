//! A section of a revision as it was read: what each of its statements does.

use std::ops::Range;

use runner_policy_sdk::Dialect;
use runner_policy_sdk::Statement;

use crate::cursor::Unread;
use crate::deed::Deed;
use crate::deed::Rows;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::lexeme::Lexemes;
use crate::query::Queries;
use crate::reading::Grammar;

/// Lexemes that are kept of a statement that is not made of rows.
const LEXEMES: usize = 200_000;
/// Bytes from which on rows that are inserted are not kept as lexemes.
const LARGE: usize = 64 << 10;

/// A statement and what it does.
#[derive(Debug)]
pub(crate) struct Stated<'a> {
    pub(crate) statement: &'a Statement,
    pub(crate) deed: Deed,
    /// Why it, or a part of it, was not understood.
    pub(crate) unread: Option<Unread>,
    /// The first word, for what was not understood.
    pub(crate) verb: Range<usize>,
    /// `= NULL` and the like.
    pub(crate) null_comparison: Option<Range<usize>>,
    /// Whether a comment is inside of it.
    pub(crate) has_comment: bool,
}

/// A section.
#[derive(Debug, Default)]
pub(crate) struct Script<'a> {
    pub(crate) statements: Vec<Stated<'a>>,
}

impl<'a> Script<'a> {
    /// Reads the statements of a section. `visit` sees every comment and string on the way, with the words just before.
    pub(crate) fn read(
        dialect: Dialect,
        statements: &'a [Statement],
        visit: &mut dyn FnMut(&Statement, &Lexeme, Before),
    ) -> Self {
        let mut queries = Queries::new(dialect);
        let mut lexemes = Vec::new();
        let read = statements.iter().map(|statement| {
            lexemes.clear();
            let gathered = gather(dialect, statement, &mut lexemes, visit);
            state(dialect, statement, &lexemes, &gathered, &mut queries)
        });
        Script { statements: read.collect() }
    }
}

/// Words just before a string.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// The last one first. Other signs than `=`, `(`, `@` and `:` between them forget all of them.
    pub(crate) words: [Option<Lexeme>; 4],
}

struct Gathered {
    /// Nothing but rows of literals follows `VALUES`.
    only_rows: bool,
    /// Lexemes of large rows are left out, so the text must not be parsed: how deep it is nobody knows.
    cut: bool,
    has_comment: bool,
    too_long: bool,
}

/// Cuts a statement into lexemes; comments and large rows are left out.
fn gather(
    dialect: Dialect,
    statement: &Statement,
    lexemes: &mut Vec<Lexeme>,
    visit: &mut dyn FnMut(&Statement, &Lexeme, Before),
) -> Gathered {
    let text = statement.text.as_str();
    let mut gathered = Gathered { only_rows: false, cut: false, has_comment: false, too_long: false };
    let (mut rows, mut depth, mut before) = (None, 0_i64, Before::default());
    for lexeme in Lexemes::new(text, dialect) {
        match lexeme.kind {
            Kind::Comment => {
                gathered.has_comment = true;
                visit(statement, &lexeme, before);
                continue;
            }
            Kind::Text => {
                visit(statement, &lexeme, before);
                // `IDENTIFIED WITH 'plugin' BY '…'`
                if !before.words[0].is_some_and(|word| word.is_word(text, "WITH")) {
                    before = Before::default();
                }
            }
            Kind::Word => before.words = [Some(lexeme), before.words[0], before.words[1], before.words[2]],
            Kind::Symbol if matches!(text.as_bytes()[lexeme.start], b'=' | b'(' | b'@' | b':') => {}
            _ => before = Before::default(),
        }
        if let Some(rows) = &mut rows {
            Rows::take(rows, text, &lexeme);
            if text.len() > LARGE {
                gathered.cut = true;
                continue;
            }
        } else if lexeme.kind == Kind::Symbol {
            match text.as_bytes()[lexeme.start] {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
        } else if depth == 0
            && (lexeme.is_word(text, "VALUES") || lexeme.is_word(text, "VALUE"))
            && inserts(text, lexemes)
        {
            rows = Some(RowsState::Between);
        }
        if lexemes.len() < LEXEMES {
            lexemes.push(lexeme);
        } else {
            gathered.too_long = true;
        }
    }
    gathered.only_rows = rows == Some(RowsState::Done);
    gathered
}

fn inserts(text: &str, lexemes: &[Lexeme]) -> bool {
    lexemes.first().is_some_and(|first| first.is_word(text, "INSERT") || first.is_word(text, "REPLACE"))
}

/// Where in `(1, 'a'), (2, 'b')` a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowsState {
    /// A row has to follow.
    Between,
    /// A value has to follow.
    Value,
    /// A value has ended.
    Ended,
    /// A row has ended.
    Done,
    /// There is more than literals.
    Other,
}

impl Rows {
    fn take(state: &mut RowsState, text: &str, lexeme: &Lexeme) {
        let symbol = if lexeme.kind == Kind::Symbol { text.as_bytes()[lexeme.start] } else { 0 };
        *state = match (*state, lexeme.kind, symbol) {
            (RowsState::Between, _, b'(') => RowsState::Value,
            (RowsState::Value, _, b'-' | b'+') => RowsState::Value,
            (RowsState::Value, Kind::Number | Kind::Text, _) => RowsState::Ended,
            (RowsState::Value, Kind::Word, _) if is_literal(lexeme.of(text)) => RowsState::Ended,
            // `x'00'`
            (RowsState::Value, Kind::Word, _) if lexeme.end - lexeme.start == 1 => RowsState::Value,
            (RowsState::Ended, _, b',') => RowsState::Value,
            (RowsState::Ended, _, b')') => RowsState::Done,
            (RowsState::Done, _, b',') => RowsState::Between,
            _ => RowsState::Other,
        };
    }
}

fn is_literal(word: &str) -> bool {
    ["NULL", "TRUE", "FALSE", "DEFAULT", "CURRENT_TIMESTAMP"].iter().any(|literal| word.eq_ignore_ascii_case(literal))
}

fn state<'a>(
    dialect: Dialect,
    statement: &'a Statement,
    lexemes: &[Lexeme],
    gathered: &Gathered,
    queries: &mut Queries,
) -> Stated<'a> {
    let text = statement.text.as_str();
    let verb = lexemes.first().map_or(0..0, |first| first.start..first.end);
    let mut stated = Stated {
        statement,
        deed: Deed::Other,
        unread: None,
        verb,
        null_comparison: None,
        has_comment: gathered.has_comment,
    };
    if gathered.too_long {
        stated.unread = Some(Unread {
            span: stated.verb.clone(),
            expected: format!("expected at most {LEXEMES} words in a statement"),
        });
        return stated;
    }
    match (Grammar { dialect }).read(text, lexemes) {
        Ok(deed) => stated.deed = deed,
        Err(unread) => {
            stated.unread = Some(unread);
            return stated;
        }
    }
    let from = match &stated.deed {
        Deed::CreateView { query, .. } => Some(query.start),
        Deed::Insert { .. } if gathered.only_rows || gathered.cut => None,
        Deed::Insert { .. } | Deed::Update { .. } | Deed::Delete { .. } | Deed::Select => {
            stated.null_comparison = null_comparison(text, lexemes);
            Some(lexemes.first().map_or(0, |first| first.start))
        }
        _ => None,
    };
    if let Some(from) = from.filter(|_| dialect != Dialect::Postgres) {
        stated.unread = queries.check(text, lexemes, from);
    }
    stated
}

/// `a = NULL`, which holds for no row. In `SET a = NULL` it is an assignment.
fn null_comparison(text: &str, lexemes: &[Lexeme]) -> Option<Range<usize>> {
    let mut in_condition = false;
    for (index, lexeme) in lexemes.iter().enumerate() {
        let is = |word: &str| lexeme.is_word(text, word);
        if is("WHERE") || is("ON") || is("HAVING") || is("WHEN") {
            in_condition = true;
        } else if is("SET") || is("SELECT") || is("THEN") || is("UPDATE") {
            in_condition = false;
        }
        let compares = index.checked_sub(1).and_then(|before| lexemes.get(before)).is_some_and(|before| {
            let after = text.as_bytes().get(before.end);
            // Not `<=>`, which takes NULL for a value.
            let is_safe = before.is_symbol(text, b'>') && before.start > 0 && text.as_bytes()[before.start - 1] == b'=';
            (before.is_symbol(text, b'=') || before.is_symbol(text, b'>')) && !is_safe && after.is_some()
        });
        if in_condition && compares && is("NULL") {
            return Some(lexemes[index - 1].start..lexeme.end);
        }
    }
    None
}
