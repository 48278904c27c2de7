//! From the text of a statement to what it does.
//!
//! Definitions (`CREATE`, `ALTER`, `DROP` and what administers a server) are read by a grammar of our own: that of `sqlparser`
//! refuses about a third of what migrations of MySQL and SQLite are made of, such as `PRAGMA foreign_keys = OFF`,
//! `ALTER TABLE … ENGINE = InnoDB` or `DROP KEY`, and gives all of a statement or nothing. Queries and changes of rows are
//! parsed by `sqlparser` (see `query`); here only their outline is read.

mod alter;
mod column;
mod create;
mod data;
mod drop;
mod index;
mod other;
mod table;

use runner_policy_sdk::Dialect;

use crate::cursor::Cursor;
use crate::cursor::Read;
use crate::deed::Deed;
use crate::lexeme::Lexeme;

/// What reading needs to know beside the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grammar {
    pub(crate) dialect: Dialect,
}

impl Grammar {
    pub(crate) fn is_mysql(self) -> bool {
        self.dialect == Dialect::Mysql
    }

    /// Reads a statement from its lexemes without comments.
    ///
    /// # Errors
    /// Where it was not understood.
    pub(crate) fn read(self, text: &str, lexemes: &[Lexeme]) -> Read<Deed> {
        let mut cursor = Cursor::new(text, lexemes);
        let cursor = &mut cursor;
        if cursor.take("CREATE") {
            return self.create(cursor);
        }
        if cursor.take("ALTER") {
            return self.alter(cursor);
        }
        if cursor.take("DROP") {
            return self.drop(cursor);
        }
        if let Some(deed) = data::read(cursor) {
            return deed;
        }
        self.other(cursor)
    }
}

#[cfg(test)]
mod tests;
