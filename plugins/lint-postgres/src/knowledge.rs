//! What is known of the target, asked for when a finding needs it and not before.

use std::cell::OnceCell;

use runner_policy_sdk::Failure;
use runner_policy_sdk::facts;
use runner_policy_sdk::facts::Column;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::facts::RelationKind;

use crate::names::Name;

/// Rows from which a table is large, or may be.
const LARGE: u64 = 10_000;

/// Facts about the target, or that there are none.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    has_facts: bool,
    relations: OnceCell<Result<Vec<Relation>, Failure>>,
}

impl Knowledge {
    pub(crate) fn new(has_facts: bool) -> Self {
        Knowledge { has_facts, relations: OnceCell::new() }
    }

    /// Whether facts can be had at all.
    pub(crate) fn is_there(&self) -> bool {
        self.has_facts
    }

    /// All relations of the target; `none`: nobody knows.
    ///
    /// # Errors
    /// The host could not collect the facts.
    pub(crate) fn relations(&self) -> Result<Option<&[Relation]>, Failure> {
        if !self.has_facts {
            return Ok(None);
        }
        match self.relations.get_or_init(facts::relations) {
            Ok(relations) => Ok(Some(relations)),
            Err(failure) => Err(failure.clone()),
        }
    }

    /// A relation of the target; `none`: there is none, or nobody knows.
    ///
    /// # Errors
    /// As [`relations`](Self::relations).
    pub(crate) fn relation(&self, name: &Name) -> Result<Option<&Relation>, Failure> {
        Ok(self.relations()?.and_then(|relations| relations.iter().find(|relation| is_named(relation, name))))
    }

    /// The relation that an index belongs to.
    ///
    /// # Errors
    /// As [`relations`](Self::relations).
    pub(crate) fn table_of_index(&self, index: &Name) -> Result<Option<&Relation>, Failure> {
        let owner = |relation: &&Relation| {
            is_in(relation.schema.as_deref(), index.schema.as_deref())
                && relation.indexes.iter().any(|its| its.name == index.name)
        };
        Ok(self.relations()?.and_then(|relations| relations.iter().find(owner)))
    }
}

/// The name of a relation.
pub(crate) fn name(relation: &Relation) -> Name {
    Name { schema: relation.schema.clone(), name: relation.name.clone() }
}

/// Whether a relation is what a name stands for.
pub(crate) fn is_named(relation: &Relation, name: &Name) -> bool {
    relation.name == name.name && is_in(relation.schema.as_deref(), name.schema.as_deref())
}

/// Whether something of a schema as facts have it is in the schema that is written. Facts are about the session's schema and
/// do not name it; where a name has a schema, it is taken for the session's only if it is `public`.
pub(crate) fn is_in(known: Option<&str>, written: Option<&str>) -> bool {
    match (known, written) {
        (_, None) => true,
        (None, Some(written)) => written == "public",
        (Some(known), Some(written)) => known == written,
    }
}

/// Whether a table is so small that nobody notices a lock that is held while it is read. Partitions are relations of their
/// own, so nothing is known of a partitioned table.
pub(crate) fn is_small(relation: &Relation) -> bool {
    relation.kind != RelationKind::PartitionedTable && relation.rows.is_some_and(|rows| rows < LARGE)
}

/// Whether a table is known to be large.
pub(crate) fn is_large(relation: &Relation) -> bool {
    relation.rows.is_some_and(|rows| rows >= LARGE)
}

/// As in `visit: 48 213 rows, 2.1 GB`.
pub(crate) fn size(relation: &Relation) -> Option<String> {
    let rows = relation.rows.map(|rows| if rows == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(rows)) });
    let bytes = relation.bytes.map(bytes);
    match (rows, bytes) {
        (Some(rows), Some(bytes)) => Some(format!("{rows}, {bytes}")),
        (rows, bytes) => rows.or(bytes),
    }
}

/// How much of a column is worth keeping, as in `48 213 rows, 12 % not null`.
pub(crate) fn filled(relation: &Relation, column: &Column) -> Option<String> {
    let rows = relation.rows?;
    let rows_shown = if rows == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(rows)) };
    let Some(null) = column.null_fraction.filter(|_| column.nullable) else { return Some(rows_shown) };
    Some(format!("{rows_shown}, {} not null", share(1.0 - null)))
}

fn share(fraction: f64) -> String {
    let percent = fraction.clamp(0.0, 1.0) * 100.0;
    // What is there at all is never shown as nothing, and what is missing never as all.
    if percent > 0.0 && percent < 1.0 {
        "less than 1 %".to_owned()
    } else if percent > 99.0 && percent < 100.0 {
        "more than 99 %".to_owned()
    } else {
        format!("{percent:.0} %")
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(' ');
        }
        shown.push(digit);
    }
    shown
}

/// Bytes as people write them, in powers of 1000.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} bytes");
    }
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 10.0 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}
