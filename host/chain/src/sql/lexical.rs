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
    /// A carriage return ends a comment that runs to the end of the line.
    pub(crate) carriage_returns: bool,
    /// `/*! … */`, `/*M! … */` and `/*+ … */` are run rather than ignored.
    pub(crate) executable_comments: bool,
    /// `DELIMITER //` at the beginning of a statement sets what ends statements from there on.
    pub(crate) delimiter_lines: bool,
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
    carriage_returns: false,
    executable_comments: false,
    delimiter_lines: false,
};

static POSTGRES: LexicalRules = LexicalRules {
    backticks: false,
    brackets: false,
    escape_strings: true,
    dollar_quotes: true,
    nested_comments: true,
    carriage_returns: true,
    ..SQLITE
};

static MYSQL: LexicalRules = LexicalRules {
    brackets: false,
    backslashes: true,
    hash_comments: true,
    spaced_dashes: true,
    executable_comments: true,
    delimiter_lines: true,
    ..SQLITE
};

static MYSQL_COMMENT: LexicalRules = LexicalRules { executable_comments: false, delimiter_lines: false, ..MYSQL };

impl LexicalRules {
    /// The rules of a dialect.
    pub(crate) fn of(dialect: Dialect) -> &'static Self {
        match dialect {
            Dialect::Sqlite => &SQLITE,
            Dialect::Postgres => &POSTGRES,
            Dialect::Mysql => &MYSQL,
        }
    }

    /// The rules of what is inside of a comment that is run.
    pub(crate) fn inside_of_comments() -> &'static Self {
        &MYSQL_COMMENT
    }
}
