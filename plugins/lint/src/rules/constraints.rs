//! Foreign keys, unique and check constraints, primary keys, and indexes that are dropped.

use std::ops::Range;

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::Change;
use crate::deed::ChangeKind;
use crate::deed::Column;
use crate::deed::Constraint;
use crate::deed::ConstraintKind;
use crate::deed::Deed;
use crate::deed::IndexKind;
use crate::deed::Name;
use crate::deed::Reference;
use crate::findings::Findings;
use crate::rule::ADVICE;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::MYSQL;
use crate::rule::Rule;

static ADD_KEY: Rule = Rule::new(
    "adding-foreign-key-constraint",
    DANGER,
    MYSQL,
    &["add_foreign_key", "add_foreign_key_mysql", "add_reference"],
    "A foreign key is added to a table that is in use",
    r"
The server checks every row: it copies the table, nobody can write to either table meanwhile, and one row that
refers to nothing makes the change fail. With `foreign_key_checks = 0` nothing is copied, and nothing is checked
either.

```sql
ALTER TABLE visit ADD FOREIGN KEY (patient_id) REFERENCES patient (id);
```

Find and mend the rows that refer to nothing first; then add the key at a quiet time, or on a copy of the table that
is swapped in.",
);

static DROP_KEY: Rule = Rule::new(
    "ban-drop-constraint",
    CAUTION,
    MYSQL,
    &["CD101", "constraint_drop", "drop-foreign-key", "drop-constraint"],
    "A foreign key or another constraint is dropped, and what it kept true is kept by nobody",
    r"
From now on rows may be written that refer to nothing, or that the check refused. Nobody notices until something
fails that relied on it, and the constraint can't be put back before all such rows are mended.

```sql
ALTER TABLE visit DROP FOREIGN KEY visit_patient;
```

Say in a comment what keeps the data right instead. To change a constraint, drop the old one and add the new one in
one statement.",
);

static UNIQUE: Rule = Rule::new(
    "disallowed-unique-constraint",
    DANGER,
    MYSQL,
    &["MF101", "data_depend", "add_unique_constraint"],
    "A unique constraint is added to columns that hold values already",
    r"
If two rows hold the same value, the change fails, perhaps after hours. The index is built from the whole table, and
applications that write a value twice fail from now on.

```sql
ALTER TABLE visit ADD UNIQUE KEY visit_number (number);
```

Look for duplicates first (`GROUP BY number HAVING COUNT(*) > 1`), mend them, make sure that nobody writes new ones,
and add the constraint then.",
);

static UNIQUE_INDEX: Rule = Rule::new(
    "unique-index-on-existing-table",
    CAUTION,
    BOTH,
    &["MF101", "MF102", "data_depend"],
    "A unique index is made on columns that hold values already",
    r"
If two rows hold the same value, the statement fails, and applications that write a value twice fail from now on.
The same holds when an index that was not unique is replaced by one that is.

```sql
CREATE UNIQUE INDEX visit_number ON visit (number);
```

Look for duplicates first (`GROUP BY number HAVING COUNT(*) > 1`), mend them, and make sure that nobody writes new
ones.",
);

static CHECK: Rule = Rule::new(
    "adding-check-constraint",
    DANGER,
    MYSQL,
    &["add_check_constraint", "add_check_constraint_mysql"],
    "A check is added to a table that is in use",
    r"
The server copies the table to check every row, nobody can write meanwhile, and one row that breaks the check makes
the change fail.

```sql
ALTER TABLE visit ADD CONSTRAINT ck_minutes CHECK (minutes > 0);
```

On MySQL add it `NOT ENFORCED`, which reads nothing, mend the rows that break it, and `ALTER CHECK ck_minutes
ENFORCED` at a quiet time.",
);

static DROP_PRIMARY: Rule = Rule::new(
    "dropping-primary-key",
    DANGER,
    MYSQL,
    &[],
    "The primary key of a table is dropped",
    r"
InnoDB keeps a table in the order of its primary key: without one the table is copied under a hidden key, nobody can
write meanwhile, replicas find rows slowly, and clusters refuse the table.

```sql
ALTER TABLE visit DROP PRIMARY KEY;
```

Replace the key in one statement (`DROP PRIMARY KEY, ADD PRIMARY KEY (…)`), which copies the table once; better,
make a new table and swap the two.",
);

static IGNORED: Rule = Rule::new(
    "ignored-references",
    CAUTION,
    MYSQL,
    &["MY102"],
    "`REFERENCES` after a column is read and ignored",
    r"
MySQL before 9.0 and MariaDB before 10.5 understand `REFERENCES` behind a column and make no foreign key of it.
Nothing is checked, and nothing says so.

```sql
CREATE TABLE visit (id INT PRIMARY KEY, patient_id INT REFERENCES patient (id));
```

Write it as a constraint of the table: `FOREIGN KEY (patient_id) REFERENCES patient (id)`.",
);

static CASCADES: Rule = Rule::new(
    "foreign-key-cascade",
    ADVICE,
    BOTH,
    &[],
    "Deleting a row deletes others with it",
    r"
One `DELETE` of a patient removes visits, invoices and whatever refers to those, in one transaction that locks all
of them. On MySQL and MariaDB triggers don't see the rows that go that way.

```sql
FOREIGN KEY (patient_id) REFERENCES patient (id) ON DELETE CASCADE
```

Use it for what is a part of the other row and nothing else; otherwise leave `RESTRICT`, and delete in the
application.",
);

static DROP_INDEX: Rule = Rule::new(
    "ban-drop-index",
    CAUTION,
    BOTH,
    &["remove_index"],
    "An index is dropped, and queries that need it read whole tables",
    r"
Queries that were fast yesterday time out today, and building a large index again takes long. A unique index also
kept duplicates out, and MySQL refuses to drop one that a foreign key needs.

```sql
DROP INDEX visit_started ON visit;
```

Make sure that nothing uses it: on MySQL make it `INVISIBLE` first, on MariaDB `IGNORED`. An index that is made
again in the same revision is left alone.",
);

pub(super) static RULES: &[&Rule] =
    &[&ADD_KEY, &DROP_KEY, &UNIQUE, &UNIQUE_INDEX, &CHECK, &DROP_PRIMARY, &IGNORED, &CASCADES, &DROP_INDEX];

const DUPLICATES: &str = "look for values that are there twice, and mend them before";

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    match &here.stated.deed {
        Deed::CreateTable { table, .. } => {
            for column in &table.columns {
                column_references(case, here, column, findings);
            }
            for constraint in &table.constraints {
                if let ConstraintKind::ForeignKey { reference, .. } = &constraint.what {
                    cascades(here, reference, findings);
                }
            }
        }
        Deed::CreateIndex { table, index, .. } if index.kind == IndexKind::Unique && case.is_used(table) => {
            let columns = index.columns.join("`, `");
            let message = format!(
                "`{columns}` of `{}` must be unique from now on ({})",
                table.name,
                case.target.size(&table.name)
            );
            let added = findings.add(&UNIQUE_INDEX, here.place(&index.span), message);
            case.eased(added, &table.name).help(DUPLICATES);
        }
        Deed::DropIndex { names, table, .. } => {
            for name in names {
                let owner = table.clone().or_else(|| owner(case, &name.name));
                drop_index(case, here, owner.as_ref(), name, findings);
            }
        }
        Deed::AlterTable { table, changes, .. } => {
            for change in changes {
                check_change(case, here, table, change, changes, findings);
            }
        }
        _ => {}
    }
}

/// The table of an index in SQLite, where names of indexes stand alone.
fn owner(case: &Case<'_>, index: &str) -> Option<Name> {
    let has = |relation: &&runner_policy_sdk::facts::Relation| {
        relation.indexes.iter().any(|known| known.name.eq_ignore_ascii_case(index))
    };
    case.target.relations().iter().find(has).map(|relation| Name::bare(&relation.name))
}

fn check_change(
    case: &Case<'_>,
    here: Here<'_>,
    table: &Name,
    change: &Change,
    all: &[Change],
    findings: &mut Findings<'_>,
) {
    let is_used = case.is_used(table);
    match &change.what {
        ChangeKind::AddColumn { column, .. } => {
            column_references(case, here, column, findings);
            if column.unique && is_used && !column.auto_increment && column.default.is_some() {
                unique(case, here, table, &column.name, &column.span, findings);
            }
        }
        ChangeKind::Redefine { column, .. } => {
            column_references(case, here, column, findings);
            if column.unique && is_used {
                unique(case, here, table, &column.name, &column.span, findings);
            }
        }
        ChangeKind::AddIndex(index)
            if index.kind == IndexKind::Unique && is_used && !only_new(case, table, &index.columns, all) =>
        {
            unique(case, here, table, &index.columns.join("`, `"), &index.span, findings);
        }
        ChangeKind::AddConstraint(constraint) => add(case, here, table, constraint, all, findings),
        ChangeKind::DropForeignKey(name) | ChangeKind::DropConstraint(name) if is_used => {
            let message = format!("drops the constraint `{}` of `{}`", name.name, table.name);
            findings
                .add(&DROP_KEY, here.place(&name.span), message)
                .help("say in a comment what keeps the data right instead");
        }
        ChangeKind::DropPrimaryKey if is_used => {
            let message = format!("drops the primary key of `{}` ({})", table.name, case.target.size(&table.name));
            let added = findings.add(&DROP_PRIMARY, here.place(&change.span), message);
            case.eased(added, &table.name).help("replace it in one statement, or make a new table and swap the two");
        }
        ChangeKind::DropIndex(name) => drop_index(case, here, Some(table), name, findings),
        _ => {}
    }
}

fn add(
    case: &Case<'_>,
    here: Here<'_>,
    table: &Name,
    constraint: &Constraint,
    all: &[Change],
    findings: &mut Findings<'_>,
) {
    if let ConstraintKind::ForeignKey { reference, .. } = &constraint.what {
        cascades(here, reference, findings);
    }
    if !case.is_used(table) {
        return;
    }
    let (place, size) = (here.place(&constraint.span), case.target.size(&table.name));
    match &constraint.what {
        ConstraintKind::ForeignKey { reference, .. } => {
            let message = format!(
                "checks every row of `{}` against `{}`, and lets nobody write meanwhile ({size})",
                table.name, reference.table.name
            );
            let added = findings.add(&ADD_KEY, place, message);
            case.eased(added, &table.name)
                .help("mend rows that refer to nothing first, and add the key at a quiet time");
        }
        ConstraintKind::Unique(columns) if !only_new(case, table, columns, all) => {
            unique(case, here, table, &columns.join("`, `"), &constraint.span, findings);
        }
        ConstraintKind::Check { enforced: true } => {
            let message = format!("checks every row of `{}`, and lets nobody write meanwhile ({size})", table.name);
            let added = findings.add(&CHECK, place, message);
            case.eased(added, &table.name)
                .help("add it NOT ENFORCED, mend rows that break it, and enforce it at a quiet time");
        }
        _ => {}
    }
}

/// Whether columns are added by this revision and hold NULL alone, which may be there more than once.
fn only_new(case: &Case<'_>, table: &Name, columns: &[String], all: &[Change]) -> bool {
    let is_new = |name: &String| {
        let added = all.iter().any(|change| {
            matches!(&change.what, ChangeKind::AddColumn { column, .. }
                if column.name.eq_ignore_ascii_case(name) && column.default.is_none() && !column.not_null)
        });
        added || case.target.is_added(table, name)
    };
    !columns.is_empty() && columns.iter().any(is_new)
}

fn unique(
    case: &Case<'_>,
    here: Here<'_>,
    table: &Name,
    columns: &str,
    span: &Range<usize>,
    findings: &mut Findings<'_>,
) {
    let message =
        format!("`{columns}` of `{}` must be unique from now on ({})", table.name, case.target.size(&table.name));
    let added = findings.add(&UNIQUE, here.place(span), message);
    case.eased(added, &table.name).help(DUPLICATES);
}

fn column_references(case: &Case<'_>, here: Here<'_>, column: &Column, findings: &mut Findings<'_>) {
    let Some(reference) = &column.references else { return };
    cascades(here, reference, findings);
    let server = case.target.server();
    if server.is_mysql_from((9, 0, 0)) || server.is_mariadb_from((10, 5, 0)) {
        return;
    }
    let message = format!("`REFERENCES {}` after `{}` makes no foreign key", reference.table.name, column.name);
    let help = format!(
        "write `FOREIGN KEY ({}) REFERENCES {} (…)` as a constraint of the table",
        column.name, reference.table.name
    );
    findings.add(&IGNORED, here.place(&reference.span), message).help(help);
}

fn cascades(here: Here<'_>, reference: &Reference, findings: &mut Findings<'_>) {
    let Some(span) = &reference.delete_cascades else { return };
    let message = format!("deleting a row of `{}` deletes those that refer to it", reference.table.name);
    findings.add(&CASCADES, here.place(span), message).help("use it only for what is a part of the other row");
}

fn drop_index(case: &Case<'_>, here: Here<'_>, table: Option<&Name>, name: &Name, findings: &mut Findings<'_>) {
    let is_new = table.is_some_and(|table| !case.is_used(table));
    if is_new || case.target.is_index_made(&name.name) {
        return;
    }
    let mut message = match table {
        Some(table) => {
            format!("drops the index `{}` of `{}` ({})", name.name, table.name, case.target.size(&table.name))
        }
        None => format!("drops the index `{}`", name.name),
    };
    let relation = table.and_then(|table| case.target.relation(&table.name));
    let index = relation.and_then(|relation| relation.indexes.iter().find(|index| name.is(&index.name)));
    if let Some((relation, index)) = relation.zip(index) {
        let needs = |key: &&runner_policy_sdk::facts::ForeignKey| index.columns.starts_with(&key.columns);
        let spare = |columns: &[String]| {
            relation.indexes.iter().any(|other| other.name != index.name && other.columns.starts_with(columns))
        };
        if let Some(key) = relation.foreign_keys.iter().find(needs).filter(|key| !spare(&key.columns)) {
            message += &format!(", which the foreign key to `{}` needs", key.referenced_table);
        }
    }
    findings.add(&DROP_INDEX, here.place(&name.span), message).help("make sure that no query needs it");
}
