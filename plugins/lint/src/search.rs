//! Looks through comments and strings for what is left to do and for secrets. Statements are cut into lexemes once, by whoever
//! reads them; what is between them is looked through line by line.

mod secret;

use std::collections::BTreeSet;
use std::ops::Range;

use runner_policy_sdk::Statement;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Span;

use crate::findings::Findings;
use crate::findings::Place;
use crate::findings::span;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::rules::comments::TODO;
use crate::rules::secrets::SECRET;
use crate::script::Before;

/// Findings of one kind in a file; more of them tell nobody anything new.
const MOST: usize = 100;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Search {
    /// Places, with what it is.
    secrets: Vec<(Span, &'static str)>,
    /// Places, with the word.
    marks: Vec<(Span, String)>,
    /// Places of statements with a comment beside or above them.
    commented: BTreeSet<(u32, u32)>,
}

impl Search {
    /// Looks at a comment or string of a statement.
    pub(crate) fn visit(&mut self, statement: &Statement, lexeme: &Lexeme, before: Before) {
        let text = statement.text.as_str();
        let inside = lexeme.of(text);
        let at = |range: Range<usize>| span(statement, lexeme.start + range.start..lexeme.start + range.end);
        if lexeme.kind == Kind::Comment && self.marks.len() < MOST {
            self.marks.extend(marks(inside).map(|range| (at(range.clone()), inside[range].to_owned())));
        }
        if self.secrets.len() >= MOST {
            return;
        }
        if let Some((range, what)) = secret::find(inside) {
            self.secrets.push((at(range), what));
        } else if lexeme.kind == Kind::Text && secret::is_password(text, inside, before) {
            self.secrets.push((at(0..inside.len()), "a password"));
        }
    }

    /// Looks at the rest of the file, and tells what was found. Gives the statements, by their places, that have a comment
    /// beside or above them.
    pub(crate) fn finish(mut self, source: &Source, findings: &mut Findings<'_>) -> BTreeSet<(u32, u32)> {
        self.between(source);
        let mut told = BTreeSet::new();
        for (span, word) in self.marks.into_iter().take(MOST) {
            if told.insert((span.line, span.column)) {
                let message = format!("says `{word}`, and a revision can't be changed once it is applied");
                findings.add(&TODO, Place::At(span), message).help("do it before the revision is applied anywhere");
            }
        }
        for (span, what) in self.secrets.into_iter().take(MOST) {
            if told.insert((span.line, span.column)) {
                let help = "take it out, and replace it: it is known";
                findings.add(&SECRET, Place::At(span), format!("holds {what}")).help(help);
            }
        }
        self.commented
    }

    /// Lines that no statement covers: the header, comments, and sections for other dialects.
    fn between(&mut self, source: &Source) {
        let mut statements: Vec<&Statement> = source.up.iter().chain(&source.down).flatten().collect();
        statements.sort_by_key(|statement| (statement.line, statement.column));
        let mut statements = statements.into_iter().peekable();
        // The statement that was begun last, and the line and column at which it ends.
        let mut last: Option<(&Statement, (u32, u32))> = None;
        let mut in_block = false;
        let mut above = "";
        for (number, text) in (1_u32..).zip(source.text.split('\n')) {
            if last.is_some_and(|(_, end)| end.0 > number) {
                above = text;
                continue;
            }
            let mut line = Line { text, column: 1, byte: 0 };
            if let Some((_, end)) = last.filter(|(_, end)| end.0 == number) {
                line.to(end.1);
            }
            loop {
                let next = statements.next_if(|statement| statement.line == number);
                let (start, column) = (line.byte, line.column);
                line.to(next.map_or(u32::MAX, |statement| statement.column));
                let gap = text.get(start..line.byte).unwrap_or_default();
                self.gap(gap, number, column, &mut in_block);
                if let Some((statement, _)) = last.filter(|(_, end)| end.0 == number && is_beside(gap)) {
                    self.commented.insert((statement.line, statement.column));
                }
                let Some(statement) = next else { break };
                if says_something(above) {
                    self.commented.insert((statement.line, statement.column));
                }
                let end = statement.place_at(statement.text.len());
                last = Some((statement, end));
                in_block = false;
                if end.0 > number {
                    break;
                }
                line.to(end.1);
            }
            above = text;
        }
    }

    /// Looks at a part of a line, which begins at a column.
    fn gap(&mut self, part: &str, number: u32, column: u32, in_block: &mut bool) {
        if part.is_empty() || self.marks.len() >= MOST && self.secrets.len() >= MOST {
            return;
        }
        let at = |range: Range<usize>| {
            let count = |offset: usize| u32::try_from(part[..offset].chars().count()).unwrap_or(u32::MAX / 2);
            let (start, end) = (column + count(range.start), column + count(range.end));
            Span { line: number, column: start, end_line: number, end_column: end }
        };
        let opened = if *in_block { Some(0) } else { OPENERS.iter().filter_map(|mark| part.find(mark)).min() };
        if let Some(opened) = opened {
            let found = marks(&part[opened..]).map(|range| opened + range.start..opened + range.end);
            self.marks.extend(found.map(|range| (at(range.clone()), part[range].to_owned())));
        }
        if let Some((range, what)) = secret::find(part) {
            self.secrets.push((at(range), what));
        }
        *in_block = match (part.rfind("/*"), part.rfind("*/")) {
            (Some(open), Some(close)) => open > close,
            (Some(open), None) => part.find("--").is_none_or(|line| line > open),
            (None, Some(_)) => false,
            (None, None) => *in_block,
        };
    }
}

/// What begins a comment in one dialect or another.
const OPENERS: [&str; 3] = ["--", "#", "/*"];

/// A place in a line that only goes forward, so that a line of many statements is walked once.
struct Line<'a> {
    text: &'a str,
    column: u32,
    byte: usize,
}

impl Line<'_> {
    fn to(&mut self, column: u32) {
        if column == u32::MAX {
            self.byte = self.text.len();
            return;
        }
        let rest = self.text.get(self.byte..).unwrap_or_default();
        let mut signs = rest.chars();
        while self.column < column && signs.next().is_some() {
            self.column += 1;
        }
        self.byte = self.text.len() - signs.as_str().len();
    }
}

/// Whether what follows a statement is a comment.
fn is_beside(gap: &str) -> bool {
    let gap = gap.trim_start_matches([';', ' ', '\t']);
    OPENERS.iter().any(|mark| gap.starts_with(mark))
}

/// Whether a line is a comment with words in it, and no marker of a section.
fn says_something(line: &str) -> bool {
    let line = line.trim();
    let is_comment = line.starts_with("--") || line.starts_with('#') || line.ends_with("*/");
    // What is told of a long line is told at its beginning.
    let mut beginning = line.chars().take(200);
    is_comment && !line.trim_start_matches(['-', ' ']).starts_with("migrate:") && beginning.any(char::is_alphanumeric)
}

/// `TODO`, `FIXME` and the like, as words of their own.
fn marks(comment: &str) -> impl Iterator<Item = Range<usize>> {
    const WORDS: [&str; 3] = ["TODO", "FIXME", "XXX"];
    let is_inner =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let bytes = comment.as_bytes();
    WORDS.into_iter().flat_map(move |word| {
        comment.match_indices(word).map(|(at, word)| at..at + word.len()).filter(move |range| {
            let before = range.start.checked_sub(1).and_then(|before| bytes.get(before));
            !is_inner(before) && !is_inner(bytes.get(range.end))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_words_of_their_own() {
        let found = |text: &str| marks(text).map(|range| text[range].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("-- TODO: a, FIXME(b) and XXX"), ["TODO", "FIXME", "XXX"]);
        assert_eq!(found("-- TODOS, todo-fixme, MY_TODO, XXXL, ETODO"), [""; 0]);
    }
}
