//! What running a statement does to data that is there: what it drops, empties, changes or calls by another name.
//!
//! A statement is read as far as it takes to be sure. Whatever isn't understood is an answer of its own, [`Effect::Opaque`]:
//! a statement is harmless only if it is known to be. What a database adds by itself is not in a statement, and so not in
//! the answer: triggers, rules, foreign keys that delete along, and functions behind views, operators and casts.

mod alter;
mod alter_table;
mod alter_table_mysql;
mod calls;
mod create;
mod drop;
mod executable;
mod functions;
mod mention;
mod query;
mod removal;
mod rows;
mod session;
mod statement;
mod table_references;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashSet;
use std::fmt;

use super::split::split;
use crate::dialect::Dialect;
pub use mention::{Mentions, mentions};
pub use removal::{Removal, RemovalKind, removals};
use words::Words;

/// The name of something in a database, as the database takes it: without quotes and, on PostgreSQL, in lower case unless it
/// was quoted and cut at 63 bytes.
///
/// Elsewhere it is as written. SQLite compares names without regard to case, MySQL and MariaDB as the server is set up, so
/// there two names that differ in case may be one or two tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The schema; on MySQL and MariaDB the database, on SQLite the name of the attached file. None if it is left to the
    /// database to find one.
    pub schema: Option<String>,
    /// The name itself.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// One thing that a statement does to what is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// A table goes with all its rows.
    DropTable {
        /// The table.
        table: ObjectName,
        /// Whether views and foreign keys of others go along; never on MySQL, where the word means nothing.
        cascade: bool,
    },
    /// A schema goes; on MySQL and MariaDB a database.
    DropSchema {
        /// The schema.
        schema: String,
        /// Whether all that is in it goes along, as it always does on MySQL; otherwise it is only dropped if it is empty.
        cascade: bool,
    },
    /// A column goes with its values.
    DropColumn {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
        /// Whether views, foreign keys and generated columns that need it go along.
        cascade: bool,
    },
    /// The values of a column are rewritten as another type, which may lose some of what they hold. On MySQL and MariaDB this
    /// is any `MODIFY` or `CHANGE` of a column, even one that leaves the type as it is.
    ChangeType {
        /// The table.
        table: ObjectName,
        /// The column, by the name that it has before.
        column: String,
        /// The new type as it is written, with its length, such as `varchar(20)`; on MySQL also with its character set.
        to: String,
        /// Whether the values come from an expression (`USING`) instead of a cast.
        using: bool,
    },
    /// All rows of a table go.
    Truncate {
        /// The table.
        table: ObjectName,
        /// Whether the rows of all tables that refer to it go along.
        cascade: bool,
    },
    /// Rows of a table go, or may be replaced by others.
    DeleteRows {
        /// The table.
        table: ObjectName,
    },
    /// Rows of a table get other values.
    UpdateRows {
        /// The table.
        table: ObjectName,
        /// The columns that are set; empty if that is not known, so that it may be any of them.
        columns: Vec<String>,
    },
    /// A table gets another name or moves to another schema; also a view, a materialized view or a sequence, because they
    /// share one namespace.
    RenameTable {
        /// Its name before.
        from: ObjectName,
        /// Its name from here on.
        to: ObjectName,
    },
    /// A column gets another name.
    RenameColumn {
        /// The table.
        table: ObjectName,
        /// Its name before.
        from: String,
        /// Its name from here on.
        to: String,
    },
    /// A schema gets another name, and with it all that is in it.
    RenameSchema {
        /// Its name before.
        from: String,
        /// Its name from here on.
        to: String,
    },
    /// A sequence goes, and with it how far it has counted.
    DropSequence {
        /// The sequence.
        sequence: ObjectName,
    },
    /// A sequence goes on from another value: it is restarted, set or asked for the next one.
    ChangeSequence {
        /// The sequence.
        sequence: ObjectName,
    },
    /// The counter behind an identity column is dropped or set.
    ChangeIdentity {
        /// The table.
        table: ObjectName,
        /// The column.
        column: String,
    },
    /// A table of this name is new from here on. Nothing that was there is lost.
    CreateTable {
        /// The table.
        table: ObjectName,
        /// Whether an older table of that name stays as it is (`IF NOT EXISTS`); then it is not new.
        if_missing: bool,
        /// Whether it is seen by one session only. It then hides another table of that name but does not replace it.
        temporary: bool,
    },
    /// What the statement does is not known.
    Opaque {
        /// Why not, as a part of a sentence: "`DO` runs code that is not looked into".
        why: String,
    },
}

impl Effect {
    /// Whether something that was there may be gone or different afterwards. Names don't count: what is renamed is still
    /// there.
    pub fn destroys(&self) -> bool {
        match self {
            Self::DropTable { .. }
            | Self::DropColumn { .. }
            | Self::ChangeType { .. }
            | Self::Truncate { .. }
            | Self::DeleteRows { .. }
            | Self::UpdateRows { .. }
            | Self::DropSequence { .. }
            | Self::ChangeSequence { .. }
            | Self::ChangeIdentity { .. }
            | Self::Opaque { .. } => true,
            // Without it the schema has to be empty.
            Self::DropSchema { cascade, .. } => *cascade,
            Self::RenameTable { .. }
            | Self::RenameColumn { .. }
            | Self::RenameSchema { .. }
            | Self::CreateTable { .. } => false,
        }
    }

    fn opaque(why: impl Into<String>) -> Self {
        Self::Opaque { why: why.into() }
    }
}

/// Whether any of the effects may lose or change data; doubt counts.
pub fn destroys(effects: &[Effect]) -> bool {
    effects.iter().any(Effect::destroys)
}

/// What a statement does to the data that is there, in the order in which names are to be understood. Empty if it is known to
/// do nothing of the kind.
///
/// The statement is one as [`split`] gives it. If it turns out to be several, the effects of all are given.
pub fn effects(statement: &str, dialect: Dialect) -> Vec<Effect> {
    let Some(readings) = executable::readings(statement, dialect) else {
        return vec![Effect::opaque("servers of different versions may read its comments in too many ways")];
    };
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for reading in readings {
        let mut of_reading = Vec::new();
        read(&reading, dialect, &mut of_reading);
        // What one statement does twice is done twice (names move on in between), but doubt is doubt.
        let fresh = |effect: &Effect| !seen.contains(effect);
        let mut of_reading: Vec<Effect> = of_reading.into_iter().filter(fresh).collect();
        of_reading.retain(|effect| !matches!(effect, Effect::Opaque { .. }) || seen.insert(effect.clone()));
        seen.extend(of_reading.iter().cloned());
        found.append(&mut of_reading);
    }
    found
}

fn read(sql: &str, dialect: Dialect, found: &mut Vec<Effect>) {
    let Ok(statements) = split(sql, dialect, 1) else {
        found.push(Effect::opaque("it is no whole statement of SQL"));
        return;
    };
    for one in statements {
        // What a `DELIMITER` line made one statement may be several to the server.
        let Ok(parts) = split(one.text, dialect, 1) else {
            found.push(Effect::opaque("it is no whole statement of SQL"));
            continue;
        };
        for part in parts {
            match Words::of(part.text, dialect) {
                Some(words) => statement::read(&words, found),
                None => found.push(Effect::opaque("its parentheses don't match")),
            }
        }
    }
}
