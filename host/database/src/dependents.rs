//! What depends on what in a target: views, triggers, foreign keys and the like, read from the catalogues at one moment.
//!
//! PostgreSQL keeps a graph of dependencies, with columns. MySQL, MariaDB and SQLite keep the texts of views and triggers, in
//! which the names of tables are found by the tokenizer of `runner_chain`.

use std::collections::HashMap;
use std::time::Duration;

use runner_chain::Dialect;

use crate::contents::Reading;
use crate::error::Result;
use crate::mysql;
use crate::postgres;
use crate::sqlite;

/// What kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EntityKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A view whose rows are stored.
    MaterializedView,
    /// An index.
    Index,
    /// A sequence.
    Sequence,
    /// A column of a table.
    Column,
    /// The default of a column.
    Default,
    /// A foreign key.
    ForeignKey,
    /// Another constraint.
    Constraint,
    /// A trigger.
    Trigger,
    /// A rule.
    Rule,
    /// A policy.
    Policy,
    /// A function or a procedure.
    Routine,
    /// A type or a domain.
    Type,
    /// A schema.
    Schema,
    /// Something else, in the words of the database.
    Other(String),
}

impl EntityKind {
    /// What people call it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Index => "index",
            Self::Sequence => "sequence",
            Self::Column => "column",
            Self::Default => "default",
            Self::ForeignKey => "foreign key",
            Self::Constraint => "constraint",
            Self::Trigger => "trigger",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Routine => "function",
            Self::Type => "type",
            Self::Schema => "schema",
            Self::Other(word) => word,
        }
    }

    /// Whether it shares its names with tables.
    #[must_use]
    pub fn is_relation(&self) -> bool {
        matches!(self, Self::Table | Self::View | Self::MaterializedView | Self::Sequence | Self::Index)
    }
}

/// Something in a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entity {
    /// What kind of thing it is.
    pub kind: EntityKind,
    /// Its schema; on MySQL the database, on SQLite none.
    pub schema: Option<String>,
    /// The table that it is a part of: of a constraint, a trigger, an index, a default.
    pub table: Option<String>,
    /// Its name. Of a default it is that of the column.
    pub name: String,
}

impl Entity {
    /// Its name with that of the schema or of the table.
    #[must_use]
    pub fn full_name(&self) -> String {
        let is_part = !matches!(self.kind, EntityKind::Index);
        let parts = [self.schema.as_deref(), self.table.as_deref().filter(|_| is_part), Some(self.name.as_str())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(".")
    }
}

/// What becomes of something when what it depends on is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// It goes along without a word.
    GoesAlong,
    /// It keeps the other from being dropped, unless it may go along (`CASCADE`).
    Refuses,
    /// The same, as far as can be told from its text.
    MayRefuse,
    /// It stays behind, and is broken.
    Breaks,
    /// Nothing happens to it.
    Nothing,
}

/// That one thing depends on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What depends, as an index into [`Dependencies::entities`].
    pub dependent: usize,
    /// The column of it, if it is a table of which only that depends.
    pub dependent_column: Option<String>,
    /// On what.
    pub on: usize,
    /// On which of its columns; on SQLite and MySQL all names that may be one, in lower case. `None`: on the whole.
    pub columns: Option<Vec<String>>,
    /// Whether all columns are used, whatever they are (`*`), so that none is needed.
    pub takes_all: bool,
    /// What happens if the other is dropped.
    pub bond: Bond,
    /// What happens if one of the columns is dropped.
    pub column_bond: Bond,
}

/// What depends on what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// The things.
    pub entities: Vec<Entity>,
    /// What depends on what.
    pub edges: Vec<Dependency>,
    /// What could not be found out, as sentences.
    pub unknown: Vec<String>,
}

impl Dependencies {
    /// Reads what depends on things of these names, directly or through others, in whatever schema they are. Each question may
    /// take `limit`; what could not be answered by then is in [`Dependencies::unknown`].
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn read(
        reading: &mut Reading<'_>,
        dialect: Dialect,
        own_schema: Option<&str>,
        names: &[String],
        limit: Duration,
    ) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        match dialect {
            Dialect::Sqlite => sqlite::dependencies(reading, limit).await,
            Dialect::Postgres => postgres::dependencies(reading, names, limit).await,
            Dialect::Mysql => mysql::dependencies(reading, own_schema.unwrap_or_default(), names, limit).await,
        }
    }
}

/// A graph in the making.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    pub(crate) found: Dependencies,
    by_entity: HashMap<Entity, usize>,
}

impl Assembly {
    /// The place of a thing, which is added if it is new.
    pub(crate) fn add(&mut self, entity: Entity) -> usize {
        if let Some(&index) = self.by_entity.get(&entity) {
            return index;
        }
        let index = self.found.entities.len();
        self.found.entities.push(entity.clone());
        self.by_entity.insert(entity, index);
        index
    }

    pub(crate) fn depends(&mut self, edge: Dependency) {
        let is_itself = edge.dependent == edge.on && edge.dependent_column.is_none();
        if !is_itself && !self.found.edges.contains(&edge) {
            self.found.edges.push(edge);
        }
    }

    /// Asks; if there is no answer in time, that is kept.
    pub(crate) async fn ask(
        &mut self,
        reading: &mut Reading<'_>,
        sql: String,
        limit: Duration,
        what: &str,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let answer = reading.ask(sql, limit).await?;
        if answer.is_none() {
            self.found.unknown.push(format!("{what} could not be asked for within {limit:?}"));
        }
        Ok(answer.unwrap_or_default())
    }
}

/// A column of an answer.
pub(crate) fn cell(row: &[Option<String>], index: usize) -> Option<&str> {
    row.get(index)?.as_deref()
}

/// The same where there always is something.
pub(crate) fn required(row: &[Option<String>], index: usize) -> String {
    cell(row, index).unwrap_or_default().to_owned()
}
