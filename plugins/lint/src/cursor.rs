//! A place in the lexemes of a statement, from which its grammar is read.

use std::ops::Range;

use crate::deed::Name;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::lexeme::unquoted;

/// Why a statement, or a part of one, was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    /// Where reading ended, in bytes of the statement.
    pub(crate) span: Range<usize>,
    /// What should have been there, as in `expected a name`.
    pub(crate) expected: String,
}

pub(crate) type Read<T> = Result<T, Unread>;

/// Reads lexemes one by one.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    lexemes: &'a [Lexeme],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Over lexemes of a text, none of which is a comment.
    pub(crate) fn new(text: &'a str, lexemes: &'a [Lexeme]) -> Self {
        Cursor { text, lexemes, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at)
    }

    /// What is written so many lexemes further.
    pub(crate) fn ahead(&self, count: usize) -> &'a str {
        self.lexemes.get(self.at + count).map_or("", |lexeme| lexeme.of(self.text))
    }

    pub(crate) fn ahead_is(&self, count: usize, word: &str) -> bool {
        self.lexemes.get(self.at + count).is_some_and(|lexeme| lexeme.is_word(self.text, word))
    }

    pub(crate) fn advance(&mut self) -> Option<&'a Lexeme> {
        let lexeme = self.lexemes.get(self.at);
        self.at += usize::from(lexeme.is_some());
        lexeme
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.lexemes.len()
    }

    /// The lexemes that are left.
    pub(crate) fn rest(&self) -> &'a [Lexeme] {
        &self.lexemes[self.at..]
    }

    /// Where the next lexeme begins.
    pub(crate) fn start(&self) -> usize {
        self.peek().map_or(self.text.len(), |lexeme| lexeme.start)
    }

    /// Where the lexeme before ended.
    pub(crate) fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|before| self.lexemes.get(before)).map_or(0, |lexeme| lexeme.end)
    }

    /// What was read since a place.
    pub(crate) fn since(&self, start: usize) -> Range<usize> {
        start..self.end().max(start)
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|lexeme| lexeme.is_word(self.text, word))
    }

    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(crate) fn is_symbol(&self, symbol: u8) -> bool {
        self.peek().is_some_and(|lexeme| lexeme.is_symbol(self.text, symbol))
    }

    pub(crate) fn take(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    /// Takes all of the words or none.
    pub(crate) fn take_all(&mut self, words: &[&str]) -> bool {
        let are = words.iter().enumerate().all(|(index, word)| self.ahead_is(index, word));
        self.at += if are { words.len() } else { 0 };
        are
    }

    pub(crate) fn take_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.take(word))
    }

    pub(crate) fn take_symbol(&mut self, symbol: u8) -> bool {
        let is = self.is_symbol(symbol);
        self.at += usize::from(is);
        is
    }

    pub(crate) fn unread(&self, expected: &str) -> Unread {
        let span = self.peek().map_or(self.text.len()..self.text.len(), |lexeme| lexeme.start..lexeme.end);
        Unread { span, expected: format!("expected {expected}") }
    }

    pub(crate) fn must(&mut self, word: &str) -> Read<()> {
        if self.take(word) { Ok(()) } else { Err(self.unread(&format!("`{word}`"))) }
    }

    pub(crate) fn must_symbol(&mut self, symbol: u8) -> Read<()> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unread(&format!("`{}`", char::from(symbol)))) }
    }

    pub(crate) fn must_end(&self) -> Read<()> {
        if self.is_at_end() { Ok(()) } else { Err(self.unread("the end of the statement")) }
    }

    /// A bare or quoted word.
    pub(crate) fn word(&mut self) -> Read<String> {
        match self.peek() {
            Some(lexeme) if matches!(lexeme.kind, Kind::Word | Kind::Name | Kind::Text) => {
                self.at += 1;
                Ok(unquoted(lexeme.of(self.text)))
            }
            _ => Err(self.unread("a name")),
        }
    }

    /// A name, perhaps with a schema.
    pub(crate) fn name(&mut self) -> Read<Name> {
        let start = self.start();
        let mut name = self.word()?;
        let mut schema = None;
        while self.is_symbol(b'.') {
            self.at += 1;
            schema = Some(std::mem::replace(&mut name, self.word()?));
        }
        Ok(Name { schema, name, span: self.since(start) })
    }

    /// Names, separated by commas.
    pub(crate) fn names(&mut self) -> Read<Vec<Name>> {
        let mut names = vec![self.name()?];
        while self.take_symbol(b',') {
            names.push(self.name()?);
        }
        Ok(names)
    }

    /// What is in parentheses, which are the next lexeme: the lexemes between them.
    pub(crate) fn group(&mut self) -> Read<&'a [Lexeme]> {
        if !self.is_symbol(b'(') {
            return Err(self.unread("`(`"));
        }
        let first = self.at + 1;
        let mut depth = 0_usize;
        while let Some(lexeme) = self.peek() {
            if lexeme.is_symbol(self.text, b'(') {
                depth += 1;
            } else if lexeme.is_symbol(self.text, b')') {
                depth -= 1;
            }
            self.at += 1;
            if depth == 0 {
                return Ok(&self.lexemes[first..self.at - 1]);
            }
        }
        Err(self.unread("`)`"))
    }

    pub(crate) fn skip_group(&mut self) -> Read<()> {
        self.group().map(|_| ())
    }

    /// Goes to the next comma that is outside of parentheses, or to the parenthesis that closes what this is in.
    pub(crate) fn skip_item(&mut self) {
        let mut depth = 0_usize;
        while let Some(lexeme) = self.peek() {
            if lexeme.is_symbol(self.text, b'(') {
                depth += 1;
            } else if lexeme.is_symbol(self.text, b')') {
                let Some(outer) = depth.checked_sub(1) else { return };
                depth = outer;
            } else if depth == 0 && lexeme.is_symbol(self.text, b',') {
                return;
            }
            self.at += 1;
        }
    }

    pub(crate) fn skip_all(&mut self) {
        self.at = self.lexemes.len();
    }
}

/// The items of a list in parentheses: lexemes between commas that are not in parentheses of their own.
pub(crate) fn items<'a>(text: &str, lexemes: &'a [Lexeme]) -> Vec<&'a [Lexeme]> {
    let mut depth = 0_usize;
    let is_comma = |lexeme: &Lexeme| {
        if lexeme.is_symbol(text, b'(') {
            depth += 1;
        } else if lexeme.is_symbol(text, b')') {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && lexeme.is_symbol(text, b',')
    };
    lexemes.split(is_comma).filter(|item| !item.is_empty()).collect()
}
