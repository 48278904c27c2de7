//! The comments of some SQL, for those who look for what is said in them.

use super::lexical::LexicalRules;
use super::tokens::{TokenKind, Tokens};
use crate::dialect::Dialect;

/// A comment that runs nothing: conditional comments and hints are no such comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a> {
    /// What is said, without `--`, `#`, `/*` and `*/`.
    pub text: &'a str,
    /// Where it begins, in bytes, its opening included.
    pub start: usize,
    /// Where it ends, in bytes, its closing included.
    pub end: usize,
}

/// The comments of some SQL, in their order. Never fails: what is never closed ends them.
pub fn comments(sql: &str, dialect: Dialect) -> impl Iterator<Item = Comment<'_>> {
    let tokens = Tokens::new(sql, LexicalRules::of(dialect)).map_while(Result::ok);
    tokens.filter(|token| token.kind == TokenKind::Comment).map(|token| {
        let whole = sql.get(token.start..token.end).unwrap_or_default();
        let block = || whole.strip_prefix("/*").map(|inner| inner.strip_suffix("*/").unwrap_or(inner));
        let line = || whole.strip_prefix("--").or_else(|| whole.strip_prefix('#'));
        Comment { text: block().or_else(line).unwrap_or(whole), start: token.start, end: token.end }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, dialect: Dialect) -> Vec<&str> {
        comments(sql, dialect).map(|comment| comment.text).collect()
    }

    #[test]
    fn comments_are_found_as_each_dialect_writes_them() {
        let sql = "-- a\nSELECT '-- no' /* b */; # c\n/*! d */ --e";
        assert_eq!(texts(sql, Dialect::Sqlite), [" a", " b ", "! d ", "e"]);
        assert_eq!(texts(sql, Dialect::Mysql), [" a", " b ", " c"]);
        assert_eq!(texts("$$ -- no $$ /* x /* y */ */ --", Dialect::Postgres), [" x /* y */ ", ""]);
        assert_eq!(texts("-- a\n/* never", Dialect::Postgres), [" a"]);
    }

    #[test]
    fn places_cover_what_opens_and_closes() {
        let sql = "x /* é */ -- z";
        let places: Vec<&str> = comments(sql, Dialect::Sqlite).map(|found| &sql[found.start..found.end]).collect();
        assert_eq!(places, ["/* é */", "-- z"]);
    }
}
