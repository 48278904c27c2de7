//! Cuts SQL into tokens without losing a byte.

use std::fmt;

use super::lexical::LexicalRules;
use super::quotes::{dollar_quote, dollar_tag, escape_string, quote};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Whitespace,
    Comment,
    /// `/*! … */` or `/*M! … */`: SQL that only some servers run, whole.
    Conditional,
    /// `/*+ … */`: advice for the optimizer, whole.
    Hint,
    /// A string or a quoted name.
    Quoted,
    /// A keyword, name, number or parameter.
    Word,
    /// What ends statements: `;`, or what a `DELIMITER` line says.
    Terminator,
    /// `;` where something else ends statements.
    Semicolon,
    /// A `DELIMITER` line without its line end.
    DelimiterLine,
    /// Any other single character.
    Symbol,
}

impl TokenKind {
    /// Whether nothing would change without it.
    pub(crate) fn is_blank(self) -> bool {
        matches!(self, Self::Whitespace | Self::Comment)
    }
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
    /// `/*! …` or `/*M! …`
    ConditionalComment,
    /// `/*+ …`
    Hint,
    /// `$tag$…`
    DollarQuote,
    /// `CREATE TRIGGER …` without its last `END`, in SQLite.
    Trigger,
    /// `BEGIN …` or `BEGIN ATOMIC …` without its `END`.
    Block,
    /// `IF …`, `CASE …`, `LOOP …`, `REPEAT …`, `WHILE …` or `FOR …` without its `END`, in MySQL.
    Compound,
}

impl fmt::Display for Unclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::QuotedName => "quoted name",
            Self::Comment => "comment",
            Self::ConditionalComment => "conditional comment",
            Self::Hint => "optimizer hint",
            Self::DollarQuote => "dollar-quoted string",
            Self::Trigger => "trigger",
            Self::Block => "`BEGIN … END` body",
            Self::Compound => "compound statement",
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
    /// What ends statements from here on.
    delimiter: &'a str,
    /// Nothing but blanks was seen since the last statement was ended.
    at_start: bool,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str, rules: &'static LexicalRules) -> Self {
        Self { text, position: 0, rules, delimiter: ";", at_start: true }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    /// Kind and length of the token that comes next.
    fn measure(&self, first: u8) -> Result<(TokenKind, usize), Unclosed> {
        let rest = self.rest();
        let rules = self.rules;
        let quoted = |length: Option<usize>, what| Ok((TokenKind::Quoted, length.ok_or(what)?));
        match first {
            // Before anything else, as in the client that made it up: `DELIMITER ##` takes `##` from the comments.
            _ if rest.starts_with(self.delimiter) => Ok((TokenKind::Terminator, self.delimiter.len())),
            byte if is_space(byte) => Ok((TokenKind::Whitespace, run(rest, is_space))),
            b';' => Ok((TokenKind::Semicolon, 1)),
            b'-' if rest.starts_with("--") && (!rules.spaced_dashes || spaced(rest)) => Ok(self.line_comment()),
            b'#' if rules.hash_comments => Ok(self.line_comment()),
            b'/' if rest.starts_with("/*") => self.block_comment(),
            b'\'' => quoted(quote(rest, first, rules.backslashes), Unclosed::String),
            b'"' => quoted(quote(rest, first, rules.backslashes), Unclosed::QuotedName),
            b'`' if rules.backticks => quoted(quote(rest, first, false), Unclosed::QuotedName),
            b'[' if rules.brackets => quoted(rest.find(']').map(|end| end + 1), Unclosed::QuotedName),
            b'$' if rules.dollar_quotes => match dollar_tag(rest) {
                Some(tag) => quoted(dollar_quote(rest, tag), Unclosed::DollarQuote),
                None if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                    Ok((TokenKind::Word, 1 + run(&rest[1..], |byte| byte.is_ascii_digit())))
                }
                None => Ok((TokenKind::Symbol, 1)),
            },
            b'e' | b'E' if rules.escape_strings && rest[1..].starts_with('\'') => {
                quoted(escape_string(rest), Unclosed::String)
            }
            byte if is_word(byte) => Ok(self.word(first)),
            _ => Ok((TokenKind::Symbol, 1)),
        }
    }

    fn word(&self, first: u8) -> (TokenKind, usize) {
        let rest = self.rest();
        let mut length = run(rest, is_word);
        if self.rules.dollar_quotes && first.is_ascii_digit() {
            // A number ends before a dollar quote, while a name holds on to its `$`.
            length = run(rest, |byte| is_word(byte) && byte != b'$');
        }
        if self.delimiter != ";" {
            // The delimiter counts wherever it is, as in `END$$`, and may reach beyond the word.
            let reach = (length + self.delimiter.len() - 1).min(rest.len());
            let mut windows = rest.as_bytes()[..reach].windows(self.delimiter.len());
            length = windows.position(|window| window == self.delimiter.as_bytes()).unwrap_or(length);
        }
        let is_delimiter_line = self.rules.delimiter_lines
            && self.at_start
            && rest.get(..length).is_some_and(|word| word.eq_ignore_ascii_case(DELIMITER));
        if is_delimiter_line {
            let line = rest.split('\n').next().unwrap_or_default();
            return (TokenKind::DelimiterLine, line.trim_end().len());
        }
        (TokenKind::Word, length)
    }

    fn line_comment(&self) -> (TokenKind, usize) {
        let rest = self.rest();
        let ends = |byte| byte == b'\n' || byte == b'\r' && self.rules.carriage_returns;
        (TokenKind::Comment, rest.bytes().position(ends).unwrap_or(rest.len()))
    }

    fn block_comment(&self) -> Result<(TokenKind, usize), Unclosed> {
        let rest = self.rest();
        if self.rules.executable_comments {
            if let Some(opening) = ["/*!", "/*M!"].iter().find(|opening| rest.starts_with(**opening)) {
                return self.conditional_comment(opening.len());
            }
            if rest.starts_with("/*+") {
                let end = rest.find("*/").ok_or(Unclosed::Hint)?;
                return Ok((TokenKind::Hint, end + 2));
            }
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

    /// The whole of `/*! … */`.
    ///
    /// It ends where a server ends it that runs what is inside: quotes and comments count there, so `*/` in a string ends
    /// nothing. A server that skips the comment looks for the first `*/` instead; there is no reading that is right for
    /// both. The `mysql` client ends statements inside of such a comment, but neither half would be SQL.
    fn conditional_comment(&self, opening: usize) -> Result<(TokenKind, usize), Unclosed> {
        // Comments inside of it are plain ones to these rules, so this does not come back here.
        let rules = LexicalRules::inside_of_comments();
        let inside = Self { position: self.position + opening, rules, ..Tokens::new(self.text, rules) };
        for token in inside {
            let token = token.map_err(|_| Unclosed::ConditionalComment)?;
            if token.kind == TokenKind::Symbol && self.text.get(token.start..token.end + 1) == Some("*/") {
                return Ok((TokenKind::Conditional, token.end + 1 - self.position));
            }
        }
        Err(Unclosed::ConditionalComment)
    }

    /// Follows what tokens mean for those after them.
    fn note(&mut self, token: Token) {
        match token.kind {
            TokenKind::Whitespace | TokenKind::Comment => {}
            TokenKind::Terminator => self.at_start = true,
            TokenKind::DelimiterLine => {
                let line = self.text.get(token.start..token.end).unwrap_or_default();
                self.delimiter = delimiter(line).unwrap_or(self.delimiter);
            }
            _ => self.at_start = false,
        }
    }
}

const DELIMITER: &str = "DELIMITER";

/// What a `DELIMITER` line sets: its first word after `DELIMITER`, as the `mysql` client reads it. None if there is nothing
/// or a character in it that the lexer needs.
pub(crate) fn delimiter(line: &str) -> Option<&str> {
    let word = line.get(DELIMITER.len()..)?.split_whitespace().next()?;
    (!word.contains(['\\', '\'', '"', '`'])).then_some(word)
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, UnclosedAt>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = *self.text.as_bytes().get(self.position)?;
        let start = self.position;
        match self.measure(first) {
            Ok((kind, length)) => {
                self.position += length;
                let token = Token { kind, start, end: self.position };
                self.note(token);
                Some(Ok(token))
            }
            Err(what) => {
                self.position = self.text.len();
                Some(Err(UnclosedAt { what, start }))
            }
        }
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Characters outside of ASCII count as letters in every dialect, so a token never ends inside of one.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn run(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len())
}

fn spaced(dashes: &str) -> bool {
    dashes.as_bytes().get(2).is_none_or(|&byte| byte <= b' ' || byte == 0x7f)
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
                        TokenKind::Conditional => '!',
                        TokenKind::Hint => '+',
                        TokenKind::Terminator => ';',
                        TokenKind::Semicolon => ',',
                        TokenKind::DelimiterLine => 'd',
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
            (Postgres, "a$b$c $1$$;$$", "w5 _1 w2 q5"),
            (Postgres, "1$$;$$ $", "w1 q5 _1 .1"),
            (Postgres, "$é$;$é$ $1a$", "q9 _1 w2 w2"),
            (Postgres, "U&'\\'; N'\\' B'1' xe'\\'", "w1 .1 q3 ;1 _1 w1 q3 _1 w1 q3 _1 w2 q3"),
            (Postgres, "E'a'\n -- '\n'\\';';", "q16 ;1"),
            (Postgres, "E'a' '\\';", "q4 _1 q3 ;1"),
            (Postgres, "E'a' /*\n*/ '\\';", "q4 _1 c5 _1 q3 ;1"),
            (Postgres, "E'a'\n-- b", "q4 _1 c4"),
            (Postgres, "-- a\rb", "c4 _1 w1"),
            (Mysql, "-- a\rb\n;", "c6 _1 ;1"),
            (Mysql, "--\u{7f};", "c4"),
            (Mysql, "/*!1 x*/ /*M! x */", "!8 _1 !9"),
            (Mysql, "/*!1 'a*/' -- */\n/* */ \"*/\" # */\n*/;", "!35 ;1"),
            (Mysql, "/*!1 a", "!ConditionalComment@0"),
            (Mysql, "/*!1 it's */", "!ConditionalComment@0"),
            (Mysql, "/*+ it's */;/*+", "+11 ;1 !Hint@12"),
            (Mysql, "delimiter $$ x\r\na;b$$;", "d14 _2 w1 ,1 w1 ;2 ,1"),
            (Mysql, "DELIMITER ##\na ##b\n##DELIMITER ;\n;##", "d12 _1 w1 _1 ;2 w1 _1 ;2 d11 _1 ;1 c2"),
            (Mysql, "a\nDELIMITER $/;é$/", "w1 _1 w9 _1 w1 .1 ;1 w3 .1"),
            (Mysql, "DELIMITER é/\naé/b", "d13 _1 w1 ;3 w1"),
            (Mysql, "DELIMITER\n;", "d9 _1 ;1"),
            (Postgres, "DELIMITER //", "w9 _1 .1 .1"),
        ] {
            assert_eq!(shown(text, dialect), tokens, "{dialect} {text}");
        }
    }
}
