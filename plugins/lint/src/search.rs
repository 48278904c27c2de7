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

    /// Looks at the rest of the file, and tells what was found.
    pub(crate) fn finish(mut self, source: &Source, findings: &mut Findings<'_>) {
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
                findings
                    .add(&SECRET, Place::At(span), format!("holds {what}"))
                    .help("take it out, and replace it: it is known");
            }
        }
    }

    /// Lines that no statement covers: the header, comments, and sections for other dialects.
    fn between(&mut self, source: &Source) {
        let mut statements: Vec<&Statement> = source.up.iter().chain(&source.down).flatten().collect();
        statements.sort_by_key(|statement| (statement.line, statement.column));
        let mut statements = statements.into_iter().peekable();
        // Where the statement that was begun last ends: a line and a column.
        let mut covered = (1, 1);
        let mut in_block = false;
        for (number, line) in (1_u32..).zip(source.text.split('\n')) {
            let mut column = if covered.0 > number {
                continue;
            } else if covered.0 == number {
                covered.1
            } else {
                1
            };
            loop {
                let next = statements.peek().filter(|statement| statement.line == number);
                let end = next.map_or(u32::MAX, |statement| statement.column);
                self.line(line, number, column..end, &mut in_block);
                let Some(statement) = statements.next_if(|statement| statement.line == number) else { break };
                covered = statement.place_at(statement.text.len());
                in_block = false;
                if covered.0 > number {
                    break;
                }
                column = covered.1;
            }
        }
    }

    /// Looks at columns of a line.
    fn line(&mut self, line: &str, number: u32, columns: Range<u32>, in_block: &mut bool) {
        if columns.end <= columns.start || line.is_empty() || self.marks.len() >= MOST && self.secrets.len() >= MOST {
            return;
        }
        let byte =
            |column: u32| line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
        let start = if columns.start == 1 { 0 } else { byte(columns.start) };
        let end = if columns.end == u32::MAX { line.len() } else { byte(columns.end) };
        let Some(part) = line.get(start..end) else { return };
        let at = |range: Range<usize>| {
            let column =
                |offset: usize| u32::try_from(line[..start + offset].chars().count()).unwrap_or(u32::MAX - 1) + 1;
            Span { line: number, column: column(range.start), end_line: number, end_column: column(range.end) }
        };
        let opened =
            if *in_block { Some(0) } else { ["--", "#", "/*"].iter().filter_map(|mark| part.find(mark)).min() };
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
