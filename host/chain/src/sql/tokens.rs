//! Cuts SQL into tokens without losing a byte.

use std::fmt;

use super::lexical::LexicalRules;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Whitespace,
    Comment,
    /// A string or a quoted name.
    Quoted,
    /// A keyword, name or number.
    Word,
    Semicolon,
    /// Any other single character, or a comment that is run.
    Symbol,
}

/// A piece of the text, given by byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Something that is opened and never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unclosed {
    /// `'…`
    String,
    /// `"…`, `` `… `` or `[…`
    QuotedName,
    /// `/* …`
    Comment,
    /// `$tag$…`
    DollarQuote,
    /// `CREATE TRIGGER …` without its last `END`.
    Trigger,
}

impl fmt::Display for Unclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::QuotedName => "quoted name",
            Self::Comment => "comment",
            Self::DollarQuote => "dollar-quoted string",
            Self::Trigger => "trigger",
        })
    }
}

/// Where something begins that is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnclosedAt {
    pub(crate) what: Unclosed,
    pub(crate) start: usize,
}

/// The tokens of a text; they follow each other without gaps. After an error there are none.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    position: usize,
    rules: &'static LexicalRules,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str, rules: &'static LexicalRules) -> Self {
        Self { text, position: 0, rules }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Kind and length of the token that comes next.
    fn measure(&self, first: u8) -> Result<(TokenKind, usize), Unclosed> {
        let rest = self.rest();
        let rules = self.rules;
        let line = || (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len()));
        let quoted = |length: Option<usize>, what| Ok((TokenKind::Quoted, length.ok_or(what)?));
        match first {
            byte if is_space(byte) => Ok((TokenKind::Whitespace, run(rest, is_space))),
            b';' => Ok((TokenKind::Semicolon, 1)),
            b'-' if rest.starts_with("--") && (!rules.spaced_dashes || spaced(rest)) => Ok(line()),
            b'#' if rules.hash_comments => Ok(line()),
            b'/' if rest.starts_with("/*") => self.block_comment(),
            b'\'' => quoted(quote(rest, first, rules.backslashes), Unclosed::String),
            b'"' => quoted(quote(rest, first, rules.backslashes), Unclosed::QuotedName),
            b'`' if rules.backticks => quoted(quote(rest, first, false), Unclosed::QuotedName),
            b'[' if rules.brackets => quoted(rest.find(']').map(|end| end + 1), Unclosed::QuotedName),
            b'$' if rules.dollar_quotes => match dollar_tag(rest) {
                Some(tag) => {
                    let end = rest[tag.len()..].find(tag).map(|end| end + 2 * tag.len());
                    quoted(end, Unclosed::DollarQuote)
                }
                None => Ok((TokenKind::Word, run(rest, is_word))),
            },
            byte if is_word(byte) => {
                let length = run(rest, is_word);
                let escaped = rules.escape_strings && length == 1 && first.eq_ignore_ascii_case(&b'e');
                if escaped && rest[1..].starts_with('\'') {
                    return quoted(quote(&rest[1..], b'\'', true).map(|end| end + 1), Unclosed::String);
                }
                Ok((TokenKind::Word, length))
            }
            _ => Ok((TokenKind::Symbol, 1)),
        }
    }

    fn block_comment(&self) -> Result<(TokenKind, usize), Unclosed> {
        let rest = self.rest();
        if self.rules.executable_comments && ["/*!", "/*M!", "/*+"].iter().any(|opening| rest.starts_with(opening)) {
            // What is inside is SQL, so only the opening is a token; the closing will be two symbols.
            return Ok((TokenKind::Symbol, 2));
        }
        let bytes = rest.as_bytes();
        let mut depth = 1_usize;
        let mut at = 2;
        while at < bytes.len() {
            match (bytes[at], bytes.get(at + 1)) {
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return Ok((TokenKind::Comment, at));
                    }
                }
                (b'/', Some(b'*')) if self.rules.nested_comments => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        Err(Unclosed::Comment)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, UnclosedAt>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = *self.text.as_bytes().get(self.position)?;
        let start = self.position;
        match self.measure(first) {
            Ok((kind, length)) => {
                self.position += length;
                Some(Ok(Token { kind, start, end: self.position }))
            }
            Err(what) => {
                self.position = self.text.len();
                Some(Err(UnclosedAt { what, start }))
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Characters outside of ASCII count as letters in every dialect, so a token never ends inside of one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn run(text: &str, belongs: fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len())
}

fn spaced(dashes: &str) -> bool {
    dashes.as_bytes().get(2).is_none_or(|&byte| byte <= b' ')
}

/// Length of what is between two quotes, both counted in; a doubled quote does not end it.
fn quote(text: &str, quote: u8, backslashes: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        let byte = *bytes.get(at)?;
        if byte == b'\\' && backslashes {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// `$$` or `$tag$` at the beginning of a text.
fn dollar_tag(text: &str) -> Option<&str> {
    let name = text.get(1..)?;
    let end = name.find('$')?;
    let tag = &name[..end];
    let is_name = tag.bytes().all(is_word) && !tag.starts_with(|first: char| first.is_ascii_digit());
    if is_name { text.get(..end + 2) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn shown(text: &str, dialect: Dialect) -> String {
        Tokens::new(text, LexicalRules::of(dialect))
            .map(|token| match token {
                Ok(token) => {
                    let sign = match token.kind {
                        TokenKind::Whitespace => '_',
                        TokenKind::Comment => 'c',
                        TokenKind::Quoted => 'q',
                        TokenKind::Word => 'w',
                        TokenKind::Semicolon => ';',
                        TokenKind::Symbol => '.',
                    };
                    format!("{sign}{}", token.end - token.start)
                }
                Err(error) => format!("!{:?}@{}", error.what, error.start),
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn each_dialect_has_its_own_tokens() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (dialect, text, tokens) in [
            (Sqlite, "a 'it''s';", "w1 _1 q7 ;1"),
            (Sqlite, "\"a\"\"b\" `c` [d;e]", "q6 _1 q3 _1 q5"),
            (Sqlite, "--x\n/*;/**/y", "c3 _1 c7 w1"),
            (Sqlite, "'a\\'b", "q4 w1"),
            (Sqlite, "été.1", "w5 .1 w1"),
            (Sqlite, "a 'b", "w1 _1 !String@2"),
            (Sqlite, "[b", "!QuotedName@0"),
            (Sqlite, "/* b", "!Comment@0"),
            (Postgres, "/*/**/;*/y", "c9 w1"),
            (Postgres, "$$;'$$ $a$ $$ $a$ $1", "q6 _1 q10 _1 w2"),
            (Postgres, "$a$ $b$", "!DollarQuote@0"),
            (Postgres, "E'\\';' e''", "q6 _1 q3"),
            (Postgres, "a[1]", "w1 .1 w1 .1"),
            (Mysql, "# it's\n'\\';'", "c6 _1 q5"),
            (Mysql, "1--1", "w1 .1 .1 w1"),
            (Mysql, "1-- 1", "w1 c4"),
            (Mysql, "/*!1 x*/", ".2 .1 w1 _1 w1 .1 .1"),
        ] {
            assert_eq!(shown(text, dialect), tokens, "{dialect} {text}");
        }
    }
}
