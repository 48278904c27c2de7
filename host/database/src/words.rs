//! The words of one SQL statement, as far as the runner must understand it: which verb it starts with and which names
//! it mentions. Comments and string literals are skipped; quoted identifiers count as words.

use sha2::Digest as _;
use sha2::Sha256;

/// One token of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// The token without its quotes.
    pub(crate) text: &'a str,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, a bare or quoted name, or a number.
    Word,
    /// A string literal.
    Literal,
    /// One character of punctuation.
    Symbol,
}

impl Token<'_> {
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    fn end(&self, sql: &str) -> usize {
        let inner = self.text.as_ptr() as usize - sql.as_ptr() as usize + self.text.len();
        if inner - self.start == self.text.len() { inner } else { sql.len().min(inner + 1) }
    }
}

/// Iterates over the tokens of `sql`; never fails, an unterminated quote or comment runs to the end.
pub(crate) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut position = 0;
    std::iter::from_fn(move || {
        position = skip_blank(sql, position);
        let token = next_token(sql, position)?;
        position = token.end(sql);
        Some(token)
    })
}

/// The first `N` words in upper case, empty where there are fewer.
pub(crate) fn first_words<const N: usize>(sql: &str) -> [String; N] {
    let mut found = tokens(sql).filter(|token| token.kind == Kind::Word);
    std::array::from_fn(|_| found.next().map(|token| token.text.to_ascii_uppercase()).unwrap_or_default())
}

/// A SHA-256 over the tokens of a statement in lower-case hexadecimal: comments and layout leave it unchanged.
pub(crate) fn checksum(sql: &str) -> String {
    let mut hasher = Sha256::new();
    for token in tokens(sql) {
        let raw = &sql[token.start..token.end(sql)];
        hasher.update((raw.len() as u64).to_be_bytes());
        hasher.update(raw.as_bytes());
    }
    crate::ledger::hexadecimal(&hasher.finalize())
}

fn skip_blank(sql: &str, mut position: usize) -> usize {
    loop {
        let rest = &sql[position..];
        let trimmed = rest.trim_start();
        position += rest.len() - trimmed.len();
        if let Some(comment) = trimmed.strip_prefix("--") {
            position += 2 + comment.find('\n').unwrap_or(comment.len());
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            position += 2 + comment.find("*/").map_or(comment.len(), |end| end + 2);
        } else {
            return position;
        }
    }
}

fn next_token(sql: &str, start: usize) -> Option<Token<'_>> {
    let rest = &sql[start..];
    let first = rest.chars().next()?;
    let quoted = |kind, close| Token { text: quoted_body(&rest[1..], close), start, kind };
    Some(match first {
        '\'' => quoted(Kind::Literal, '\''),
        '"' => quoted(Kind::Word, '"'),
        '`' => quoted(Kind::Word, '`'),
        '[' => quoted(Kind::Word, ']'),
        _ if is_word(first) => {
            let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
            Token { text: &rest[..end], start, kind: Kind::Word }
        }
        _ => Token { text: &rest[..first.len_utf8()], start, kind: Kind::Symbol },
    })
}

/// The text up to the closing quote; a doubled quote does not close.
fn quoted_body(rest: &str, close: char) -> &str {
    let mut characters = rest.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        if character == close {
            if close != ']' && characters.peek().is_some_and(|&(_, next)| next == close) {
                characters.next();
                continue;
            }
            return &rest[..index];
        }
    }
    rest
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_strings_are_not_words() {
        assert_eq!(
            texts("/* a */ INSERT -- b\n INTO \"my \"\"t\" VALUES ('it''s', [x y], `z`) -- end"),
            ["INSERT", "INTO", "my \"\"t", "VALUES", "(", "it''s", ",", "x y", ",", "z", ")"]
        );
        assert_eq!(first_words::<2>("-- x\n begin;"), ["BEGIN".to_owned(), String::new()]);
    }

    #[test]
    fn unterminated_text_ends_quietly() {
        for sql in ["'abc", "\"", "/* x", "-- x", "[", "select 'a''", "é'ü"] {
            let _ = texts(sql);
        }
    }

    #[test]
    fn layout_and_comments_leave_the_checksum_alone() {
        assert_eq!(checksum("SELECT  1 -- a"), checksum("SELECT /* b */\n1"));
        assert_ne!(checksum("SELECT '1'"), checksum("SELECT 1"));
        assert_ne!(checksum("SELECT 'a  b'"), checksum("SELECT 'a b'"));
        assert_ne!(checksum("SELECT ab"), checksum("SELECT a b"));
    }
}
