//! `[facts]` of a case: what the target holds, of which an author writes what matters.

use runner_policy::Facts;
use runner_policy::data;
use serde::Deserialize;
use toml::value::Datetime;

use super::text_or::TextOr;

/// `facts`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct WrittenFacts {
    relations: Vec<Relation>,
    ledger: Vec<Entry>,
}

/// A table or a view.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Relation {
    name: String,
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    rows: Option<u64>,
    #[serde(default)]
    bytes: Option<u64>,
    #[serde(default)]
    columns: Vec<TextOr<Column>>,
    #[serde(default)]
    indexes: Vec<Index>,
    #[serde(default)]
    foreign_keys: Vec<ForeignKey>,
    #[serde(default)]
    triggers: Vec<Trigger>,
    #[serde(default)]
    definition: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Table,
    PartitionedTable,
    View,
    MaterializedView,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Column {
    name: String,
    #[serde(default = "text", rename = "type")]
    data_type: String,
    #[serde(default = "yes")]
    nullable: bool,
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    generated: bool,
    #[serde(default)]
    primary_key: Option<u32>,
    #[serde(default)]
    null_fraction: Option<f64>,
    #[serde(default)]
    distinct_values: Option<u64>,
}

fn text() -> String {
    "text".to_owned()
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Index {
    name: String,
    columns: Vec<String>,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    predicate: Option<String>,
    #[serde(default = "yes")]
    valid: bool,
    #[serde(default)]
    bytes: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ForeignKey {
    #[serde(default)]
    name: Option<String>,
    columns: Vec<String>,
    #[serde(default)]
    referenced_schema: Option<String>,
    referenced_table: String,
    #[serde(default)]
    referenced_columns: Vec<String>,
    #[serde(default = "no_action")]
    on_delete: String,
}

fn no_action() -> String {
    "NO ACTION".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Trigger {
    name: String,
    #[serde(default)]
    definition: String,
}

/// A step that the ledger remembers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    revision: String,
    #[serde(default)]
    direction: Option<super::file::Direction>,
    #[serde(default)]
    outcome: LedgerOutcome,
    finished: Datetime,
    #[serde(default)]
    duration_ms: u64,
    #[serde(default = "development")]
    environment: String,
    #[serde(default = "tester")]
    actor: String,
}

fn development() -> String {
    "development".to_owned()
}

fn tester() -> String {
    "tester".to_owned()
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LedgerOutcome {
    #[default]
    Applied,
    Reverted,
    Skipped,
    Stamped,
    Failed,
}

impl WrittenFacts {
    /// The facts; `moment` turns a time into one, or says why it can't.
    pub(super) fn data<E>(&self, moment: impl Fn(&Datetime) -> Result<data::Timestamp, E>) -> Result<Facts, E> {
        let ledger = self.ledger.iter().map(|entry| entry.data(&moment)).collect::<Result<_, E>>()?;
        Ok(Facts { relations: self.relations.iter().map(Relation::data).collect(), ledger })
    }
}

impl Relation {
    fn data(&self) -> data::Relation {
        data::Relation {
            schema: self.schema.clone(),
            name: self.name.clone(),
            kind: match self.kind {
                Kind::Table => data::RelationKind::Table,
                Kind::PartitionedTable => data::RelationKind::PartitionedTable,
                Kind::View => data::RelationKind::View,
                Kind::MaterializedView => data::RelationKind::MaterializedView,
            },
            rows: self.rows,
            bytes: self.bytes,
            columns: self.columns.iter().map(column).collect(),
            indexes: self.indexes.iter().map(Index::data).collect(),
            foreign_keys: self.foreign_keys.iter().map(ForeignKey::data).collect(),
            triggers: self.triggers.iter().map(Trigger::data).collect(),
            definition: self.definition.clone(),
        }
    }
}

fn column(written: &TextOr<Column>) -> data::Column {
    match written {
        TextOr::Text(name) => data::Column {
            name: name.clone(),
            data_type: text(),
            nullable: true,
            default: None,
            generated: false,
            primary_key: None,
            null_fraction: None,
            distinct_values: None,
        },
        TextOr::Table(column) => data::Column {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            nullable: column.nullable,
            default: column.default.clone(),
            generated: column.generated,
            primary_key: column.primary_key,
            null_fraction: column.null_fraction,
            distinct_values: column.distinct_values,
        },
    }
}

impl Index {
    fn data(&self) -> data::Index {
        data::Index {
            name: self.name.clone(),
            columns: self.columns.clone(),
            unique: self.unique,
            primary: self.primary,
            predicate: self.predicate.clone(),
            valid: self.valid,
            bytes: self.bytes,
        }
    }
}

impl ForeignKey {
    fn data(&self) -> data::ForeignKey {
        data::ForeignKey {
            name: self.name.clone(),
            columns: self.columns.clone(),
            referenced_schema: self.referenced_schema.clone(),
            referenced_table: self.referenced_table.clone(),
            referenced_columns: self.referenced_columns.clone(),
            on_delete: self.on_delete.clone(),
        }
    }
}

impl Trigger {
    fn data(&self) -> data::Trigger {
        data::Trigger { name: self.name.clone(), definition: self.definition.clone() }
    }
}

impl Entry {
    fn data<E>(&self, moment: impl Fn(&Datetime) -> Result<data::Timestamp, E>) -> Result<data::LedgerEntry, E> {
        Ok(data::LedgerEntry {
            revision: self.revision.clone(),
            direction: match self.direction {
                Some(super::file::Direction::Down) => data::Direction::Down,
                Some(super::file::Direction::Up) | None => data::Direction::Up,
            },
            outcome: match self.outcome {
                LedgerOutcome::Applied => data::LedgerOutcome::Applied,
                LedgerOutcome::Reverted => data::LedgerOutcome::Reverted,
                LedgerOutcome::Skipped => data::LedgerOutcome::Skipped,
                LedgerOutcome::Stamped => data::LedgerOutcome::Stamped,
                LedgerOutcome::Failed => data::LedgerOutcome::Failed,
            },
            finished: moment(&self.finished)?,
            duration_ms: self.duration_ms,
            environment: self.environment.clone(),
            actor: self.actor.clone(),
        })
    }
}
