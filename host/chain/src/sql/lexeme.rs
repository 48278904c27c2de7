//! The words of a statement, for those who must know which verb it starts with and which names it mentions.

use super::lexical::LexicalRules;
use super::tokens::{TokenKind, Tokens};
use crate::dialect::Dialect;

/// What a lexeme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexemeKind {
    /// A keyword, a bare or quoted name, or a number.
    Word,
    /// A string literal, dollar-quoted ones included.
    Literal,
    /// One character of punctuation, a conditional comment or a hint.
    Symbol,
}

/// A token that is neither white space nor comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lexeme<'a> {
    /// What it is.
    pub kind: LexemeKind,
    /// Its text, names and plain strings without their quotes.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
}

impl Lexeme<'_> {
    /// Whether it is this keyword or name, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.kind == LexemeKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this punctuation.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == LexemeKind::Symbol && self.text == symbol
    }
}

/// The lexemes of some SQL. Never fails: what is never closed is a literal that runs to the end.
pub fn lexemes(sql: &str, dialect: Dialect) -> impl Iterator<Item = Lexeme<'_>> {
    Tokens::new(sql, LexicalRules::of(dialect)).filter_map(move |token| {
        let (kind, start, end) = match token {
            Ok(token) if token.kind.is_blank() => return None,
            Ok(token) => (token.kind, token.start, token.end),
            Err(unclosed) => {
                let text = sql.get(unclosed.start..).unwrap_or_default();
                return Some(Lexeme { kind: LexemeKind::Literal, text, start: unclosed.start, end: sql.len() });
            }
        };
        let text = sql.get(start..end).unwrap_or_default();
        let inner = || text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        let (kind, text) = match (kind, text.as_bytes().first()) {
            (TokenKind::Word, _) => (LexemeKind::Word, text),
            (TokenKind::Quoted, Some(b'`' | b'[')) => (LexemeKind::Word, inner()),
            (TokenKind::Quoted, Some(b'"')) if dialect != Dialect::Mysql => (LexemeKind::Word, inner()),
            (TokenKind::Quoted, Some(b'"' | b'\'')) => (LexemeKind::Literal, inner()),
            (TokenKind::Quoted, _) => (LexemeKind::Literal, text),
            _ => (LexemeKind::Symbol, text),
        };
        Some(Lexeme { kind, text, start, end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, dialect: Dialect) -> Vec<&str> {
        lexemes(sql, dialect).map(|lexeme| lexeme.text).collect()
    }

    #[test]
    fn comments_are_left_out_and_quotes_taken_off() {
        assert_eq!(
            texts("/* a */ INSERT -- b\n INTO \"my \"\"t\" VALUES ('it''s', [x y], `z`) -- end", Dialect::Sqlite),
            ["INSERT", "INTO", "my \"\"t", "VALUES", "(", "it''s", ",", "x y", ",", "z", ")"]
        );
        assert_eq!(texts("DO $$ BEGIN -- x\n END $$", Dialect::Postgres), ["DO", "$$ BEGIN -- x\n END $$"]);
        assert_eq!(texts("SELECT 1 # x\n, \"s\"", Dialect::Mysql), ["SELECT", "1", ",", "s"]);
    }

    #[test]
    fn what_is_never_closed_ends_quietly() {
        for sql in ["'abc", "\"", "/* x", "-- x", "[", "select 'a''", "é'ü", "$a$"] {
            for dialect in Dialect::ALL {
                let _ = texts(sql, dialect);
            }
        }
    }

    #[test]
    fn a_string_in_double_quotes_is_a_name_elsewhere() {
        let kind = |dialect| lexemes("\"a\"", dialect).next().map(|lexeme| lexeme.kind);
        assert_eq!(kind(Dialect::Mysql), Some(LexemeKind::Literal));
        assert_eq!(kind(Dialect::Postgres), Some(LexemeKind::Word));
    }
}
