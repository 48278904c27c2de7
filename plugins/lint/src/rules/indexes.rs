//! Indexes of tables: those that are missing, those that are there twice, and those that are too wide.

use std::collections::BTreeMap;

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::ChangeKind;
use crate::deed::ConstraintKind;
use crate::deed::Deed;
use crate::deed::Index;
use crate::deed::IndexKind;
use crate::deed::Name;
use crate::deed::Table;
use crate::findings::Findings;
use crate::rule::ADVICE;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::Rule;
use crate::rule::SQLITE;

static DUPLICATE: Rule = Rule::new(
    "duplicate-index",
    CAUTION,
    BOTH,
    &[],
    "An index holds what another one holds already",
    r"
An index on `(a)` answers nothing that one on `(a, b)` does not, nor does one on the primary key. Each index costs
space and slows every write down.

```sql
CREATE TABLE visit (id INT PRIMARY KEY, a INT, b INT, KEY one (a), KEY two (a, b));
```

Keep the longer one. Unique indexes are compared with equal ones only, because they also keep duplicates out.",
);

static WIDE: Rule = Rule::new(
    "wide-index",
    ADVICE,
    BOTH,
    &["add_index_columns"],
    "An index of more than three columns is not unique",
    r"
Beyond the second or third column an index rarely finds fewer rows, and each column makes it larger and every write
slower.

```sql
CREATE INDEX visit_all ON visit (patient_id, room, state, started);
```

Put the columns that tell most rows apart first, and leave the others out.",
);

static NO_INDEX: Rule = Rule::new(
    "foreign-key-without-index",
    ADVICE,
    SQLITE,
    &[],
    "No index begins with the columns of a foreign key",
    r"
For every row that is deleted or gets another key SQLite looks for rows that refer to it, and reads the whole table
if there is no index. MySQL and MariaDB make one by themselves.

```sql
CREATE TABLE visit (id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patient (id));
```

Make one in the same revision: `CREATE INDEX visit_patient ON visit (patient_id);`",
);

/// Indexes of a table that are compared with each other. Servers take fewer.
const MOST: usize = 200;

pub(super) static RULES: &[&Rule] = &[&DUPLICATE, &WIDE, &NO_INDEX];

/// What only all statements together show: foreign keys of new tables without an index.
pub(super) fn check(case: &Case<'_>, findings: &mut Findings<'_>) {
    if case.circumstances.dialect != runner_policy_sdk::Dialect::Sqlite {
        return;
    }
    let mut indexes: BTreeMap<String, Vec<&Index>> = BTreeMap::new();
    for stated in &case.up.statements {
        if let Deed::CreateIndex { table, index, .. } = &stated.deed {
            indexes.entry(table.name.to_lowercase()).or_default().push(index);
        }
    }
    for (index, stated) in case.up.statements.iter().enumerate() {
        let Deed::CreateTable { name, table } = &stated.deed else { continue };
        // A rebuilt table gets its indexes under the name of the old one.
        let rebuilt = case.rebuilds.iter().find(|rebuild| rebuild.created == index);
        let names = [Some(name.name.to_lowercase()), rebuilt.map(|rebuild| rebuild.table.to_lowercase())];
        let made: Vec<&Index> =
            names.iter().flatten().filter_map(|name| indexes.get(name)).flatten().copied().collect();
        let keys = own_keys(table);
        let is_indexed = |columns: &[String]| {
            let begins = |index: &[String]| {
                index.len() >= columns.len() && index.iter().zip(columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
            };
            made.iter().any(|index| begins(&index.columns)) || keys.iter().any(|key| begins(key))
        };
        let here = Here { index, stated };
        for (columns, span) in foreign_keys(table) {
            if !is_indexed(&columns) {
                let list = columns.join(", ");
                let message = format!("no index of `{}` begins with `{list}`", name.name);
                let help = format!("CREATE INDEX {}_{} ON {} ({list})", name.name, columns.join("_"), name.name);
                findings.add(&NO_INDEX, here.place(&span), message).help(help);
            }
        }
    }
}

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    match &here.stated.deed {
        Deed::CreateTable { name, table } => {
            duplicates(here, name, table, findings);
            table.indexes.iter().for_each(|index| wide(here, index, findings));
        }
        Deed::AlterTable { table, changes, .. } => {
            for change in changes {
                if let ChangeKind::AddIndex(index) = &change.what {
                    wide(here, index, findings);
                    known_duplicate(case, here, table, index, findings);
                }
            }
        }
        Deed::CreateIndex { table, index, .. } => {
            wide(here, index, findings);
            known_duplicate(case, here, table, index, findings);
        }
        _ => {}
    }
}

fn foreign_keys(table: &Table) -> Vec<(Vec<String>, std::ops::Range<usize>)> {
    let of_columns = table.columns.iter().filter_map(|column| {
        column.references.as_ref().map(|reference| (vec![column.name.clone()], reference.span.clone()))
    });
    let of_table = table.constraints.iter().filter_map(|constraint| match &constraint.what {
        ConstraintKind::ForeignKey { columns, .. } => Some((columns.clone(), constraint.span.clone())),
        _ => None,
    });
    of_columns.chain(of_table).collect()
}

/// Columns of the primary key and of unique constraints.
fn own_keys(table: &Table) -> Vec<Vec<String>> {
    let of_columns = table.columns.iter().filter(|column| column.primary_key || column.unique);
    let of_table = table.constraints.iter().filter_map(|constraint| match &constraint.what {
        ConstraintKind::PrimaryKey(columns) | ConstraintKind::Unique(columns) => Some(columns.clone()),
        _ => None,
    });
    of_columns.map(|column| vec![column.name.clone()]).chain(of_table).collect()
}

fn wide(here: Here<'_>, index: &Index, findings: &mut Findings<'_>) {
    if index.kind == IndexKind::Plain && index.columns.len() > 3 {
        let message = format!("an index of {} columns that is not unique", index.columns.len());
        findings.add(&WIDE, here.place(&index.span), message).help("keep the columns that tell most rows apart");
    }
}

/// Whether `one` answers nothing that `other` does not.
fn is_covered(one: &[String], one_unique: bool, other: &[String], other_unique: bool) -> bool {
    let begins = one.len() <= other.len() && one.iter().zip(other).all(|(a, b)| a.eq_ignore_ascii_case(b));
    begins && if one_unique { one.len() == other.len() && other_unique } else { true }
}

fn duplicates(here: Here<'_>, name: &Name, table: &Table, findings: &mut Findings<'_>) {
    let ordinary = table.indexes.iter().filter(|index| matches!(index.kind, IndexKind::Plain | IndexKind::Unique));
    let indexes: Vec<&Index> = ordinary.take(MOST).collect();
    let keys = own_keys(table);
    for (at, index) in indexes.iter().enumerate() {
        let is_unique = index.kind == IndexKind::Unique;
        let by_index = indexes.iter().enumerate().any(|(other_at, other)| {
            let is_equal = index.columns.len() == other.columns.len() && (other.kind == IndexKind::Unique) == is_unique;
            other_at != at
                && !(is_equal && at < other_at)
                && is_covered(&index.columns, is_unique, &other.columns, other.kind == IndexKind::Unique)
        });
        if by_index || keys.iter().any(|key| is_covered(&index.columns, is_unique, key, true)) {
            duplicate(here, &name.name, index, "another index or key of it", findings);
        }
    }
}

fn known_duplicate(case: &Case<'_>, here: Here<'_>, table: &Name, index: &Index, findings: &mut Findings<'_>) {
    if !matches!(index.kind, IndexKind::Plain | IndexKind::Unique) || index.partial || case.target.is_gone(&table.name)
    {
        return;
    }
    let is_unique = index.kind == IndexKind::Unique;
    let Some(relation) = case.target.relation(&table.name) else { return };
    let covers = |known: &&runner_policy_sdk::facts::Index| {
        let is_itself = index.name.as_ref().is_some_and(|name| name.is(&known.name));
        !is_itself
            && known.predicate.is_none()
            && !case.target.is_gone_index(&known.name)
            && is_covered(&index.columns, is_unique, &known.columns, known.unique || known.primary)
    };
    if let Some(known) = relation.indexes.iter().find(covers) {
        duplicate(here, &table.name, index, &format!("its index `{}`", known.name), findings);
    }
}

fn duplicate(here: Here<'_>, table: &str, index: &Index, other: &str, findings: &mut Findings<'_>) {
    let name = index.name.as_ref().map_or_else(|| index.columns.join(", "), |name| name.name.clone());
    let message = format!("the index `{name}` of `{table}` holds what {other} holds already");
    findings.add(&DUPLICATE, here.place(&index.span), message).help("keep the longer one");
}
