//! The words of SQL, cut cheaply: no text is copied, and each byte is looked at about once. What reads statements, comments
//! and secrets rests on this.

use runner_policy_sdk::Dialect;

/// What a lexeme is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A quoted name.
    Name,
    /// A string.
    Text,
    /// A number.
    Number,
    /// One character that is none of the above.
    Symbol,
    /// A comment that is not run, without the end of its line.
    Comment,
}

/// A piece of SQL, in bytes of the text that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Lexeme {
    /// What is written.
    pub(crate) fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether it is this keyword, given in capitals.
    pub(crate) fn is_word(&self, text: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.of(text).eq_ignore_ascii_case(word)
    }

    /// Whether it is this character.
    pub(crate) fn is_symbol(&self, text: &str, symbol: u8) -> bool {
        self.kind == Kind::Symbol && text.as_bytes().get(self.start) == Some(&symbol)
    }
}

/// Cuts a text into lexemes. What is never closed goes to the end.
#[derive(Clone, Debug)]
pub(crate) struct Lexemes<'a> {
    text: &'a str,
    dialect: Dialect,
    next: usize,
    /// Inside of `/*! … */`, whose content the server runs.
    in_conditional: bool,
}

impl<'a> Lexemes<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Self {
        Lexemes { text, dialect, next: 0, in_conditional: false }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The end of what goes on while bytes are of a kind.
    fn run(&self, from: usize, goes_on: fn(u8) -> bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = from;
        while end < bytes.len() && goes_on(bytes[end]) {
            end += 1;
        }
        end
    }

    fn end_of_line(&self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length)
    }

    /// The end of what is in quotes, which begins at `from`.
    fn quoted(&self, from: usize, backslashes: bool) -> usize {
        let bytes = self.text.as_bytes();
        let quote = bytes[from];
        let mut at = from + 1;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if backslashes => at += 2,
                byte if byte == quote && self.byte(at + 1) == quote => at += 2,
                byte if byte == quote => return at + 1,
                _ => at += 1,
            }
        }
        self.text.len()
    }

    fn dollar_quoted(&self, from: usize) -> Option<usize> {
        let tag = self.run(from + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80);
        if self.byte(tag) != b'$' || self.byte(from + 1).is_ascii_digit() {
            return None;
        }
        let mark = self.text.get(from..=tag)?;
        let length = self.text.get(tag + 1..)?.find(mark);
        Some(length.map_or(self.text.len(), |length| tag + 1 + length + mark.len()))
    }

    fn block_comment(&self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut depth = 1_usize;
        let mut at = from + 2;
        while at < bytes.len() {
            match (bytes[at], self.byte(at + 1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return at;
                    }
                }
                (b'/', b'*') if self.dialect == Dialect::Postgres => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        self.text.len()
    }

    /// The end of the opening of a comment that the server runs, such as `/*!40101`.
    fn conditional(&self, from: usize) -> Option<usize> {
        let mark = match (self.byte(from + 2), self.byte(from + 3)) {
            (b'!', _) => from + 3,
            (b'M', b'!') => from + 4,
            _ => return None,
        };
        (self.dialect == Dialect::Mysql).then(|| self.run(mark, |byte| byte.is_ascii_digit()))
    }

    fn line_comment(&self, at: usize) -> bool {
        match self.byte(at) {
            b'-' if self.byte(at + 1) == b'-' => {
                self.dialect != Dialect::Mysql || self.byte(at + 2) <= b' ' || at + 2 >= self.text.len()
            }
            b'#' => self.dialect == Dialect::Mysql,
            _ => false,
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Iterator for Lexemes<'_> {
    type Item = Lexeme;

    fn next(&mut self) -> Option<Lexeme> {
        loop {
            let start = self.run(self.next, |byte| byte <= b' ');
            self.next = start;
            if start >= self.text.len() {
                return None;
            }
            let first = self.byte(start);
            let (kind, end) = match first {
                b'\'' => (Kind::Text, self.quoted(start, self.dialect == Dialect::Mysql || self.is_escaped(start))),
                b'"' if self.dialect == Dialect::Mysql => (Kind::Text, self.quoted(start, true)),
                b'"' => (Kind::Name, self.quoted(start, false)),
                b'`' if self.dialect != Dialect::Postgres => (Kind::Name, self.quoted(start, false)),
                b'[' if self.dialect == Dialect::Sqlite => {
                    let end = self.run(start, |byte| byte != b']');
                    (Kind::Name, (end + 1).min(self.text.len()))
                }
                b'0'..=b'9' => (Kind::Number, self.number(start)),
                b'.' if self.byte(start + 1).is_ascii_digit() => (Kind::Number, self.number(start)),
                b'$' if self.dialect == Dialect::Postgres => match self.dollar_quoted(start) {
                    Some(end) => (Kind::Text, end),
                    None => (Kind::Symbol, start + 1),
                },
                b'/' if self.byte(start + 1) == b'*' => {
                    if let Some(end) = self.conditional(start) {
                        self.in_conditional = true;
                        self.next = end;
                        continue;
                    }
                    (Kind::Comment, self.block_comment(start))
                }
                b'*' if self.in_conditional && self.byte(start + 1) == b'/' => {
                    self.in_conditional = false;
                    self.next = start + 2;
                    continue;
                }
                _ if self.line_comment(start) => (Kind::Comment, self.end_of_line(start)),
                _ if is_word(first) => (Kind::Word, self.run(start + 1, is_word)),
                _ => (Kind::Symbol, start + 1),
            };
            self.next = end.min(self.text.len());
            return Some(Lexeme { kind, start, end: self.next });
        }
    }
}

impl Lexemes<'_> {
    /// `E'…'`: the letter was a word of its own just before.
    fn is_escaped(&self, quote: usize) -> bool {
        self.dialect == Dialect::Postgres
            && quote.checked_sub(1).is_some_and(|before| matches!(self.byte(before), b'e' | b'E'))
            && quote.checked_sub(2).is_none_or(|before| !is_word(self.byte(before)))
    }

    fn number(&self, start: usize) -> usize {
        let mut end = self.run(start, |byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
        // `1e-5`, and not `0x1e-5` or `12-5`.
        let is_exponent = matches!(self.byte(end - 1), b'e' | b'E') && !matches!(self.byte(start + 1), b'x' | b'X');
        if is_exponent && matches!(self.byte(end), b'+' | b'-') && self.byte(end + 1).is_ascii_digit() {
            end = self.run(end + 1, |byte| byte.is_ascii_digit());
        }
        end
    }
}

/// A name without its quotes.
pub(crate) fn unquoted(name: &str) -> String {
    let inner = |quote: char| {
        let inside = name.strip_prefix(quote).map(|rest| rest.strip_suffix(quote).unwrap_or(rest));
        inside.map(|inside| inside.replace(&String::from_iter([quote, quote]), &String::from(quote)))
    };
    match name.as_bytes().first() {
        Some(b'"') => inner('"'),
        Some(b'`') => inner('`'),
        Some(b'\'') => inner('\''),
        Some(b'[') => Some(name.trim_start_matches('[').trim_end_matches(']').to_owned()),
        _ => None,
    }
    .unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, dialect: Dialect) -> Vec<(Kind, &str)> {
        Lexemes::new(text, dialect).map(|lexeme| (lexeme.kind, lexeme.of(text))).collect()
    }

    #[test]
    fn each_dialect_quotes_in_its_own_way() {
        use Kind::*;
        let text = "\"a\"\"b\" `c` 'd''e' [f g]";
        let sqlite = [(Name, "\"a\"\"b\""), (Name, "`c`"), (Text, "'d''e'"), (Name, "[f g]")];
        assert_eq!(cut(text, Dialect::Sqlite), sqlite);
        assert_eq!(cut(r#""a\"b" 'c\'d'"#, Dialect::Mysql), [(Text, r#""a\"b""#), (Text, r"'c\'d'")]);
        let postgres =
            [(Text, "$x$ ' $$ $x$"), (Word, "E"), (Text, r"'\''"), (Text, r"'\'"), (Symbol, "$"), (Number, "1")];
        assert_eq!(cut(r"$x$ ' $$ $x$ E'\'' '\' $1", Dialect::Postgres), postgres);
    }

    #[test]
    fn comments_are_kept_and_conditional_ones_are_looked_into() {
        use Kind::*;
        assert_eq!(
            cut("a -- b\n/* c */ # d\n--e", Dialect::Mysql),
            [
                (Word, "a"),
                (Comment, "-- b"),
                (Comment, "/* c */"),
                (Comment, "# d"),
                (Symbol, "-"),
                (Symbol, "-"),
                (Word, "e")
            ]
        );
        assert_eq!(
            cut("/*!40101 SET */ a /*M!100 x*/ 2 */ 3", Dialect::Mysql),
            [(Word, "SET"), (Word, "a"), (Word, "x"), (Number, "2"), (Symbol, "*"), (Symbol, "/"), (Number, "3")]
        );
        assert_eq!(cut("/* a /* b */ c */ d", Dialect::Postgres), [(Comment, "/* a /* b */ c */"), (Word, "d")]);
        assert_eq!(cut("/*! a */ d", Dialect::Sqlite), [(Comment, "/*! a */"), (Word, "d")]);
    }

    #[test]
    fn numbers_take_their_exponents() {
        use Kind::*;
        assert_eq!(
            cut("1e-5 12-5 0x1e-5 .5", Dialect::Sqlite),
            [
                (Number, "1e-5"),
                (Number, "12"),
                (Symbol, "-"),
                (Number, "5"),
                (Number, "0x1e"),
                (Symbol, "-"),
                (Number, "5"),
                (Number, ".5")
            ]
        );
    }

    #[test]
    fn what_is_never_closed_goes_to_the_end() {
        for text in ["'a", "\"a", "`a", "[a", "/* a", "$$ a", "'a\\", "/*! a", "E'a\\", "é", "'é", "$é$ x"] {
            for dialect in [Dialect::Sqlite, Dialect::Mysql, Dialect::Postgres] {
                let end = Lexemes::new(text, dialect).last().map_or(0, |lexeme| lexeme.end);
                assert_eq!(end, text.len(), "{text}");
            }
        }
    }

    #[test]
    fn quotes_are_taken_from_names() {
        for (name, expected) in [("\"a\"\"b\"", "a\"b"), ("`a``b`", "a`b"), ("[a b]", "a b"), ("a", "a"), ("\"", "")] {
            assert_eq!(unquoted(name), expected);
        }
    }
}
