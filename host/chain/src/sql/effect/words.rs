//! The words of a statement, and a cursor that reads them one after the other.

use crate::dialect::Dialect;
use crate::sql::canonical::without_comments;
use crate::sql::lexeme::{LexemeKind, lexemes};

use super::ObjectName;

/// How many bytes of a name PostgreSQL keeps.
const LONGEST_NAME: usize = 63;

/// Words that are never a bare name where one is expected: if one is found there, the statement was misread.
const RESERVED: [&str; 29] = [
    "AND",
    "AS",
    "CASE",
    "CHECK",
    "CONSTRAINT",
    "CREATE",
    "DEFAULT",
    "ELSE",
    "FOREIGN",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INTO",
    "JOIN",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PRIMARY",
    "REFERENCES",
    "SELECT",
    "SET",
    "TABLE",
    "TO",
    "UNION",
    "USING",
    "WHERE",
];

/// What a word is. Unlike a lexeme it knows whether it was quoted, because a quoted `"drop"` is never a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, a name or a number.
    Bare,
    /// A name in quotes.
    Quoted,
    /// A string.
    Text,
    /// Punctuation.
    Symbol,
}

/// A word or a piece of punctuation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'a> {
    pub(super) kind: Kind,
    /// Without the quotes around it; those inside are still doubled.
    pub(super) text: &'a str,
    start: usize,
    end: usize,
}

impl Word<'_> {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Bare && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// All words of one statement. Parentheses and brackets are known to match.
#[derive(Debug)]
pub(super) struct Words<'a> {
    sql: &'a str,
    pub(super) dialect: Dialect,
    all: Vec<Word<'a>>,
    /// For a parenthesis the place of the one that belongs to it, for anything else its own place.
    partners: Vec<usize>,
}

impl<'a> Words<'a> {
    /// None if parentheses don't match.
    pub(super) fn of(sql: &'a str, dialect: Dialect) -> Option<Self> {
        let all: Vec<Word<'a>> = lexemes(sql, dialect)
            .filter(|lexeme| !(lexeme.kind == LexemeKind::Symbol && lexeme.text.starts_with("/*+")))
            .map(|lexeme| {
                let is_quoted = lexeme.end - lexeme.start != lexeme.text.len();
                let kind = match lexeme.kind {
                    LexemeKind::Word if is_quoted => Kind::Quoted,
                    LexemeKind::Word => Kind::Bare,
                    LexemeKind::Literal => Kind::Text,
                    LexemeKind::Symbol => Kind::Symbol,
                };
                Word { kind, text: lexeme.text, start: lexeme.start, end: lexeme.end }
            })
            .collect();
        let partners = partners(&all)?;
        Some(Self { sql, dialect, all, partners })
    }

    pub(super) fn get(&self, place: usize) -> Option<&Word<'a>> {
        self.all.get(place)
    }

    /// The word before a place.
    pub(super) fn before(&self, place: usize) -> Option<&Word<'a>> {
        self.get(place.checked_sub(1)?)
    }

    pub(super) fn partner(&self, place: usize) -> usize {
        self.partners.get(place).copied().unwrap_or(place)
    }

    /// A cursor over everything.
    pub(super) fn cursor(&self) -> Cursor<'_, 'a> {
        Cursor { words: self, at: 0, end: self.all.len() }
    }

    pub(super) fn cursor_at(&self, at: usize, end: usize) -> Cursor<'_, 'a> {
        Cursor { words: self, at, end }
    }

    /// The text between two places, on one line and without comments.
    pub(super) fn text(&self, from: usize, to: usize) -> String {
        let start = self.get(from).map_or(0, |word| word.start);
        let end = self.before(to).map_or(0, |word| word.end);
        without_comments(self.sql.get(start..end).unwrap_or_default(), self.dialect)
    }

    /// The name that a word stands for; None if it is none.
    pub(super) fn name(&self, place: usize) -> Option<String> {
        let word = self.get(place)?;
        let raw = self.sql.get(word.start..word.end)?;
        let doubled = |quote: &str| word.text.replace(&quote.repeat(2), quote);
        let name = match (word.kind, raw.as_bytes().first()?) {
            (Kind::Bare, first) => {
                let is_number = match self.dialect {
                    // Here a name may begin with a digit, though it must hold something else.
                    Dialect::Mysql => word.text.bytes().all(|byte| byte.is_ascii_digit()),
                    Dialect::Sqlite | Dialect::Postgres => first.is_ascii_digit(),
                };
                let begins_other_quotes = self.dialect == Dialect::Postgres
                    && word.is("U")
                    && self.get(place + 1).is_some_and(|next| next.is_symbol("&"));
                if is_number || begins_other_quotes {
                    return None;
                }
                match self.dialect {
                    Dialect::Postgres => word.text.to_ascii_lowercase(),
                    Dialect::Sqlite | Dialect::Mysql => word.text.to_owned(),
                }
            }
            (Kind::Quoted, b'[') => word.text.to_owned(),
            (Kind::Quoted, b'`') => doubled("`"),
            (Kind::Quoted, _) => doubled("\""),
            // Where only a name can be, SQLite takes a string for one; MySQL does in the mode `ANSI_QUOTES`.
            (Kind::Text, b'\'') if self.dialect == Dialect::Sqlite => doubled("'"),
            (Kind::Text, b'"') if self.dialect == Dialect::Mysql => doubled("\""),
            _ => return None,
        };
        let end = match self.dialect {
            Dialect::Postgres => name.floor_char_boundary(LONGEST_NAME),
            Dialect::Sqlite | Dialect::Mysql => name.len(),
        };
        Some(name.get(..end)?.to_owned()).filter(|name| !name.is_empty())
    }
}

/// Where each parenthesis and bracket is closed or opened.
fn partners(all: &[Word<'_>]) -> Option<Vec<usize>> {
    let mut partners: Vec<usize> = (0..all.len()).collect();
    let mut open = Vec::new();
    for (place, word) in all.iter().enumerate().filter(|(_, word)| word.kind == Kind::Symbol) {
        let opening = match word.text {
            "(" | "[" => {
                open.push(place);
                continue;
            }
            ")" => "(",
            "]" => "[",
            _ => continue,
        };
        let opened = open.pop().filter(|&opened: &usize| all.get(opened).is_some_and(|one| one.is_symbol(opening)))?;
        *partners.get_mut(opened)? = place;
        *partners.get_mut(place)? = opened;
    }
    open.is_empty().then_some(partners)
}

/// A place in a statement, and where the part ends that is being read. What takes a word moves on only if it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'w, 'a> {
    pub(super) words: &'w Words<'a>,
    pub(super) at: usize,
    pub(super) end: usize,
}

impl<'w, 'a> Cursor<'w, 'a> {
    pub(super) fn dialect(&self) -> Dialect {
        self.words.dialect
    }

    pub(super) fn is_mysql(&self) -> bool {
        self.dialect() == Dialect::Mysql
    }

    pub(super) fn is_postgres(&self) -> bool {
        self.dialect() == Dialect::Postgres
    }

    /// The word so many places ahead.
    pub(super) fn peek(&self, ahead: usize) -> Option<&'w Word<'a>> {
        let place = self.at + ahead;
        if place < self.end { self.words.get(place) } else { None }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        self.is_ahead(0, keyword)
    }

    pub(super) fn is_ahead(&self, ahead: usize, keyword: &str) -> bool {
        self.peek(ahead).is_some_and(|word| word.is(keyword))
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        self.peek(0).is_some_and(|word| word.is_any(keywords))
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.peek(0).is_some_and(|word| word.is_symbol(symbol))
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// Takes these keywords if they follow each other.
    pub(super) fn take(&mut self, keywords: &[&str]) -> bool {
        let found = keywords.iter().enumerate().all(|(ahead, keyword)| self.is_ahead(ahead, keyword));
        if found {
            self.at += keywords.len();
        }
        found
    }

    /// Takes one of these keywords.
    pub(super) fn take_any(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_any(keywords);
        if found {
            self.advance();
        }
        found
    }

    /// Takes as many of these keywords as there are.
    pub(super) fn take_all(&mut self, keywords: &[&str]) {
        while self.take_any(keywords) {}
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    /// Takes what is in parentheses, if they open here.
    pub(super) fn take_group(&mut self) -> bool {
        let found = self.is_symbol("(");
        if found {
            self.at = self.words.partner(self.at) + 1;
        }
        found
    }

    pub(super) fn take_if_exists(&mut self) -> bool {
        self.take(&["IF", "EXISTS"])
    }

    /// Takes a name without a schema.
    pub(super) fn name(&mut self) -> Option<String> {
        if self.peek(0)?.is_any(&RESERVED) {
            return None;
        }
        self.any_name()
    }

    /// Takes a name that may be a keyword, as after a dot.
    pub(super) fn any_name(&mut self) -> Option<String> {
        self.peek(0)?;
        let name = self.words.name(self.at)?;
        self.advance();
        Some(name)
    }

    /// Takes a name with or without a schema. The name of the database before that of the schema is left out.
    pub(super) fn object(&mut self) -> Option<ObjectName> {
        let mut schema = None;
        let mut name = self.name()?;
        let most = if self.is_postgres() { 2 } else { 1 };
        let mut dots = 0;
        while self.peek(0).is_some_and(|word| word.is_symbol(".")) && !self.peek(1)?.is_symbol("*") {
            self.advance();
            schema = Some(std::mem::replace(&mut name, self.any_name()?));
            dots += 1;
        }
        (dots <= most).then_some(ObjectName { schema, name })
    }

    /// Takes the name of a table as PostgreSQL writes it: `ONLY t`, `ONLY (t)` or `t *`.
    pub(super) fn table(&mut self) -> Option<ObjectName> {
        if !self.is_postgres() {
            return self.object();
        }
        let is_alone = self.take(&["ONLY"]);
        if is_alone && self.take_symbol("(") {
            let table = self.object()?;
            return self.take_symbol(")").then_some(table);
        }
        let table = self.object()?;
        self.take_symbol("*");
        Some(table)
    }

    /// The places from here on that are in no parentheses of this part; those of opening ones are among them.
    pub(super) fn level(&self) -> impl Iterator<Item = usize> + use<'w, 'a> {
        let words = self.words;
        let end = self.end;
        let mut next = self.at;
        std::iter::from_fn(move || {
            let place = next;
            next = words.partner(place).max(place) + 1;
            (place < end).then_some(place)
        })
    }

    /// The first place on this level with one of these keywords.
    pub(super) fn find(&self, keywords: &[&str]) -> Option<usize> {
        self.level().find(|&place| self.words.get(place).is_some_and(|word| word.is_any(keywords)))
    }

    /// Whether these keywords follow each other somewhere on this level.
    pub(super) fn has(&self, keywords: &[&str]) -> bool {
        self.level().any(|place| self.words.cursor_at(place, self.end).take(keywords))
    }

    /// The parts between the commas of this level.
    pub(super) fn parts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut start = self.at;
        let is_comma = |&place: &usize| self.words.get(place).is_some_and(|word| word.is_symbol(","));
        for comma in self.level().filter(is_comma) {
            parts.push(self.words.cursor_at(start, comma));
            start = comma + 1;
        }
        parts.push(self.words.cursor_at(start, self.end));
        parts
    }
}
