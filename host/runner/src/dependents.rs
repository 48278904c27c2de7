//! What becomes of views, triggers, foreign keys and the like when the statements of a plan run one after the other.

mod names;
mod trace;

use runner_chain::Dialect;
use runner_chain::sql::Effect;
use runner_chain::sql::Removal;
use runner_chain::sql::RemovalKind;
use runner_chain::sql::effects;
use runner_chain::sql::removals;
use runner_database::Dependencies;
use runner_database::Table;
use serde::Serialize;

use self::trace::Trace;
use crate::backup::affected::Planned;

/// What becomes of something that depends on what a plan takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fate {
    /// The plan drops it before.
    DroppedBefore,
    /// The plan drops it afterwards, and it does no harm until then.
    DroppedLater,
    /// `CASCADE` drops it.
    Cascade,
    /// The database refuses the statement because of it.
    Refuses,
    /// The same, as far as can be told.
    MayRefuse,
    /// It goes along without a word.
    GoesAlong,
    /// It stays behind, and is broken.
    Breaks,
    /// It stays, and works again when the plan has made anew what it needs.
    Restored,
}

/// Something that depends on what a plan takes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DependentReport {
    /// The revision whose statement takes something away.
    pub revision: String,
    /// The statement of it, from 1.
    pub statement: usize,
    /// What is taken away.
    pub object: String,
    /// What kind of thing depends on it, as in `view`.
    pub kind: String,
    /// The schema of what depends on it; on MySQL its database, on SQLite none.
    pub schema: Option<String>,
    /// Its name, with that of the table if it is a part of one.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
    /// The same as a sentence.
    pub message: String,
}

/// The target as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) found: &'a Dependencies,
    pub(crate) tables: &'a [Table],
    pub(crate) dialect: Dialect,
    /// The schema of names without one.
    pub(crate) schema: Option<&'a str>,
    /// Whether foreign keys are looked after.
    pub(crate) keys_act: bool,
}

/// Names of everything that the statements take away or rename: what the database is asked about.
pub(crate) fn names(statements: &[Planned<'_>], dialect: Dialect) -> Vec<String> {
    let mut names = Vec::new();
    for planned in statements {
        for Removal { kind, object, part, .. } in removals(planned.text, dialect) {
            let is_column = matches!(kind, RemovalKind::Column | RemovalKind::ColumnType | RemovalKind::Default);
            names.extend(part.filter(|_| !is_column));
            names.push(object.name);
        }
        for effect in effects(planned.text, dialect) {
            if let Effect::RenameTable { from, .. } = effect {
                names.push(from.name);
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Statements that can't be looked into, so that nobody knows what depends on what they take away, as sentences.
pub(crate) fn unseen(statements: &[Planned<'_>], dialect: Dialect) -> Vec<String> {
    let mut unseen = Vec::new();
    for planned in statements {
        for effect in effects(planned.text, dialect) {
            let why = match effect {
                Effect::Opaque { why } => why,
                Effect::DropSchema { schema, .. } if dialect == Dialect::Mysql => {
                    format!("`{schema}` is another database")
                }
                _ => continue,
            };
            let (revision, statement) = (planned.revision, planned.statement);
            unseen.push(format!(
                "what depends on what `{revision}` statement {statement} takes away is not known: {why}"
            ));
        }
    }
    unseen
}

/// What becomes of what depends on the things that the statements take away, in their order.
pub(crate) fn follow(statements: &[Planned<'_>], scene: Scene<'_>) -> Vec<DependentReport> {
    let mut trace = Trace::new(statements, scene);
    for (index, planned) in statements.iter().enumerate() {
        trace.statement(index, planned);
    }
    trace.reports
}

#[cfg(test)]
mod tests;
