//! What sets one dialect's tokens apart from another's.

use crate::dialect::Dialect;

/// How a dialect writes strings, quoted names and comments. `'…'` and `"…"` with doubled quotes, `--` and `/* … */` are
/// common to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LexicalRules {
    /// `` `name` `` with doubled backticks.
    pub(crate) backticks: bool,
    /// `[name]`, without any escape.
    pub(crate) brackets: bool,
    /// A backslash in `'…'` and `"…"` takes the next character.
    pub(crate) backslashes: bool,
    /// `E'…'`, in which a backslash takes the next character.
    pub(crate) escape_strings: bool,
    /// `$$…$$` and `$tag$…$tag$`.
    pub(crate) dollar_quotes: bool,
    /// `# …` to the end of the line.
    pub(crate) hash_comments: bool,
    /// `/* … /* … */ … */`.
    pub(crate) nested_comments: bool,
    /// `--` begins a comment only before white space or the end.
    pub(crate) spaced_dashes: bool,
    /// `/*! … */`, `/*M! … */` and `/*+ … */` are run rather than ignored.
    pub(crate) executable_comments: bool,
}

static SQLITE: LexicalRules = LexicalRules {
    backticks: true,
    brackets: true,
    backslashes: false,
    escape_strings: false,
    dollar_quotes: false,
    hash_comments: false,
    nested_comments: false,
    spaced_dashes: false,
    executable_comments: false,
};

static POSTGRES: LexicalRules = LexicalRules {
    backticks: false,
    brackets: false,
    escape_strings: true,
    dollar_quotes: true,
    nested_comments: true,
    ..SQLITE
};

static MYSQL: LexicalRules = LexicalRules {
    brackets: false,
    backslashes: true,
    hash_comments: true,
    spaced_dashes: true,
    executable_comments: true,
    ..SQLITE
};

impl LexicalRules {
    /// The rules of a dialect.
    pub(crate) fn of(dialect: Dialect) -> &'static Self {
        match dialect {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
            Dialect::Mysql => &MYSQL,
        }
    }
}
