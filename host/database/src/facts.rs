//! What a target holds: tables, columns, indexes and what the statistics say of them, and the latest steps. Collected from the
//! catalogues in few queries, whatever the number of tables; no row of a user's table is read.

use std::collections::HashMap;

use crate::ledger::LedgerStatus;
use crate::script::StepDirection;

/// The latest steps that are collected.
pub const RECENT_STEPS: usize = 1000;

/// Statuses of ledger rows that end a step.
const OUTCOMES: [LedgerStatus; 6] = [
    LedgerStatus::Applied,
    LedgerStatus::Reverted,
    LedgerStatus::Skipped,
    LedgerStatus::Stamped,
    LedgerStatus::Unstamped,
    LedgerStatus::Failed,
];

/// What a target holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Tables and views of the session's schema, ordered by name, without the runner's own.
    pub relations: Vec<Relation>,
    /// The latest steps, newest first; at most [`RECENT_STEPS`].
    pub steps: Vec<RecentStep>,
}

/// What kind of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// A table.
    Table,
    /// A table whose partitions are relations of their own.
    PartitionedTable,
    /// A view.
    View,
    /// A view whose rows are stored.
    MaterializedView,
}

/// A table or a view of the session's schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: RelationKind,
    /// Number of rows as the statistics have it; `None`: they do not know.
    pub rows: Option<u64>,
    /// Size in bytes with indexes as the statistics have it.
    pub bytes: Option<u64>,
    /// Columns, in their order.
    pub columns: Vec<Column>,
    /// Indexes, ordered by name.
    pub indexes: Vec<Index>,
    /// Foreign keys, ordered by name where they have one.
    pub foreign_keys: Vec<ForeignKey>,
    /// Triggers, ordered by name.
    pub triggers: Vec<Trigger>,
    /// Query of a view, if this user may see it.
    pub definition: Option<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type as the server writes it.
    pub data_type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Expression of its default.
    pub default: Option<String>,
    /// Whether its value is computed from other columns.
    pub generated: bool,
    /// Position in the primary key, from 1.
    pub primary_key: Option<u32>,
    /// Share of rows in which it is NULL, from 0 to 1.
    pub null_fraction: Option<f64>,
    /// Number of distinct values.
    pub distinct_values: Option<u64>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Name.
    pub name: String,
    /// Columns or expressions, in their order.
    pub columns: Vec<String>,
    /// Whether it allows each value once.
    pub unique: bool,
    /// Whether it is that of the primary key.
    pub primary: bool,
    /// Condition of a partial index.
    pub predicate: Option<String>,
    /// False for what a failed build has left.
    pub valid: bool,
    /// Size in bytes.
    pub bytes: Option<u64>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Name; SQLite does not tell.
    pub name: Option<String>,
    /// Columns that refer.
    pub columns: Vec<String>,
    /// Schema of the table that is referred to; `None`: that of the session.
    pub referenced_schema: Option<String>,
    /// Table that is referred to.
    pub referenced_table: String,
    /// Columns that are referred to; empty: its primary key.
    pub referenced_columns: Vec<String>,
    /// What happens on delete, as in `NO ACTION`.
    pub on_delete: String,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Name.
    pub name: String,
    /// The statement that makes it.
    pub definition: String,
}

/// A step that the ledger remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentStep {
    /// The revision.
    pub revision: String,
    /// Up or down.
    pub direction: StepDirection,
    /// How it ended; never `run`, `started` or `progress`.
    pub status: LedgerStatus,
    /// When it ended, RFC 3339 in UTC.
    pub finished_at: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// In which environment.
    pub environment: String,
    /// Who ran it.
    pub actor: String,
}

impl Relation {
    pub(crate) fn new(name: String, kind: RelationKind) -> Self {
        Self {
            name,
            kind,
            rows: None,
            bytes: None,
            columns: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            definition: None,
        }
    }
}

/// Relations in the making. What belongs to them comes from queries of its own, and finds its relation by a key: its name, or
/// the server's number for it. What belongs to no known relation is left out.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    relations: Vec<Relation>,
    by_key: HashMap<String, usize>,
    /// Positions of columns by relation and name.
    columns: HashMap<(usize, String), usize>,
}

impl Assembly {
    pub(crate) fn add(&mut self, key: String, relation: Relation) {
        self.by_key.insert(key, self.relations.len());
        self.relations.push(relation);
    }

    pub(crate) fn relation(&mut self, key: &str) -> Option<&mut Relation> {
        self.relations.get_mut(*self.by_key.get(key)?)
    }

    pub(crate) fn add_column(&mut self, key: &str, column: Column) {
        let Some(&relation) = self.by_key.get(key) else { return };
        let columns = &mut self.relations[relation].columns;
        self.columns.insert((relation, column.name.clone()), columns.len());
        columns.push(column);
    }

    pub(crate) fn column(&mut self, key: &str, name: &str) -> Option<&mut Column> {
        let &relation = self.by_key.get(key)?;
        let &column = self.columns.get(&(relation, name.to_owned()))?;
        self.relations[relation].columns.get_mut(column)
    }

    /// States which columns make the primary key, in its order.
    pub(crate) fn primary_key(&mut self, key: &str, columns: &[String]) {
        for (position, name) in (1..).zip(columns) {
            if let Some(column) = self.column(key, name) {
                column.primary_key = Some(position);
            }
        }
    }

    /// The relations in the order that is promised.
    pub(crate) fn finish(self) -> Vec<Relation> {
        let mut relations = self.relations;
        relations.sort_by(|one, other| one.name.cmp(&other.name));
        for relation in &mut relations {
            relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
            relation.foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
            relation.triggers.sort_by(|one, other| one.name.cmp(&other.name));
        }
        relations
    }
}

/// The columns of the ledger that tell of a step, in the order of [`recent_step`], after the id.
pub(crate) const STEP_COLUMNS: [&str; 8] =
    ["id", "revision", "direction", "status", "finished_at", "duration_ms", "environment", "actor"];

/// Which rows of the ledger tell how a step ended, as SQL.
pub(crate) fn is_outcome() -> String {
    let list: Vec<String> = OUTCOMES.iter().map(|status| format!("'{}'", status.as_str())).collect();
    format!("revision IS NOT NULL AND status IN ({})", list.join(", "))
}

/// A step from the texts of [`STEP_COLUMNS`]; `Err`: why the row makes no sense.
pub(crate) fn recent_step(text: impl Fn(usize) -> Option<String>) -> std::result::Result<RecentStep, (i64, String)> {
    let id = text(0).and_then(|id| id.parse().ok()).unwrap_or_default();
    let required = |index: usize| text(index).ok_or_else(|| (id, format!("`{}` is missing", STEP_COLUMNS[index])));
    let direction = match required(2)?.as_str() {
        "up" => StepDirection::Up,
        "down" => StepDirection::Down,
        other => return Err((id, format!("`{other}` is no direction"))),
    };
    let status = required(3)?;
    Ok(RecentStep {
        revision: required(1)?,
        direction,
        status: LedgerStatus::parse(&status).ok_or_else(|| (id, format!("`{status}` is no status")))?,
        finished_at: required(4)?,
        duration_ms: text(5).and_then(|digits| digits.parse().ok()).unwrap_or_default(),
        environment: required(6)?,
        actor: required(7)?,
    })
}
