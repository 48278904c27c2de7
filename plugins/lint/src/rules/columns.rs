//! Columns: dropped, renamed, added and changed.

use super::Case;
use super::Here;
use super::is_elsewhere;
use super::tables::users;
use crate::deed::Change;
use crate::deed::ChangeKind;
use crate::deed::Column;
use crate::deed::DataType;
use crate::deed::Deed;
use crate::deed::Default;
use crate::deed::Generated;
use crate::deed::Name;
use crate::findings::Findings;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::MYSQL;
use crate::rule::Rule;
use crate::types;

pub(super) static DROP_COLUMN: Rule = Rule::new(
    "ban-drop-column",
    DANGER,
    BOTH,
    &["DS103", "destructive", "RX004", "remove_column", "drop-column"],
    "A column is dropped with all its values",
    r"
The values are gone when the revision is committed. Applications that still run the old version name the column in
their statements and fail.

```sql
ALTER TABLE visit DROP COLUMN notes;
```

Deploy a version that does not use the column first, keep a copy of the values that may be wanted again, and drop
the column in a later revision with a comment that says why.",
);

static RENAME_COLUMN: Rule = Rule::new(
    "renaming-column",
    DANGER,
    BOTH,
    &["BC102", "incompatible", "rename_column"],
    "A column gets another name, and what uses the old one fails",
    r"
Between this revision and the deployment of the new version, or the other way round, one of them does not find the
column.

```sql
ALTER TABLE visit RENAME COLUMN notes TO remarks;
```

1. Add the new column, and write both.
2. Fill the rows that are there, in batches.
3. Read the new one, stop writing the old one, and drop it in a later revision.",
);

pub(super) static CHANGE_TYPE: Rule = Rule::new(
    "changing-column-type",
    DANGER,
    BOTH,
    &["change_column"],
    "A column gets another type: the table is rewritten, and values may not fit",
    r"
MySQL and MariaDB copy the whole table and let nobody write meanwhile. A narrower type refuses or cuts off values
that do not fit. Only what is longer within the same class (`VARCHAR` up to 255 bytes, or beyond it) changes at
once. With facts the rule compares with the column as it is; without them it assumes the worst.

```sql
ALTER TABLE visit MODIFY notes VARCHAR(80);
```

Add a column of the new type, write both, fill it in batches, switch readers, drop the old one. To change nothing
but the default or the name, use `ALTER COLUMN … SET DEFAULT` or `RENAME COLUMN`.",
);

static REQUIRED: Rule = Rule::new(
    "adding-required-field",
    DANGER,
    BOTH,
    &["MF103", "MY101", "data_depend"],
    "A column without a default is NOT NULL from its beginning",
    r"
SQLite refuses it as soon as the table holds a row. MySQL and MariaDB put in an implicit value such as `0`, `''` or
a date of zeros, which nobody meant. Applications that don't know the column can no longer insert.

```sql
ALTER TABLE visit ADD COLUMN room TEXT NOT NULL;
```

Give it a default, or add it without `NOT NULL`, fill it, and make it `NOT NULL` in a later revision.",
);

pub(super) static NOT_NULL: Rule = Rule::new(
    "adding-not-nullable-field",
    DANGER,
    BOTH,
    &["MF104", "LT101", "data_depend", "change_column_null", "change_column_null_mysql", "change_column_with_not_null"],
    "A column that may be NULL becomes NOT NULL",
    r"
The change fails if a row holds NULL, and without strict mode MySQL and MariaDB replace it by `0` or `''` instead.
Applications that leave the column out can no longer insert. With facts the rule knows how many rows hold NULL.

```sql
ALTER TABLE visit MODIFY room VARCHAR(20) NOT NULL;
```

Write a value everywhere first, fill the rows that hold NULL (`UPDATE … WHERE room IS NULL`), and change the column
then. When SQLite's table is rebuilt, copy with `COALESCE(room, '')`.",
);

static DROP_NOT_NULL: Rule = Rule::new(
    "ban-drop-not-null",
    CAUTION,
    BOTH,
    &[],
    "A column may be NULL from now on, which readers do not expect",
    r"
Applications that run were written for a column that always holds a value, and fail on the first NULL that they
read.

```sql
ALTER TABLE visit MODIFY room VARCHAR(20) NULL;
```

Deploy readers that know what NULL means first. On MySQL, `MODIFY` without `NOT NULL` drops it even if nobody meant
to: repeat all attributes of the column. Found with facts about the target only, where the statement does not say it
by itself.",
);

static WITH_DEFAULT: Rule = Rule::new(
    "adding-field-with-default",
    DANGER,
    MYSQL,
    &["add_column_default", "add_column_default_callable", "add_column_generated_stored"],
    "A column is added whose values have to be computed for every row",
    r"
A stored generated column, or a default that is an expression, is computed for each row: the table is copied, and
nobody can write meanwhile. A literal default costs nothing.

```sql
ALTER TABLE visit ADD COLUMN day DATE AS (DATE(started)) STORED;
```

Use a `VIRTUAL` column, which is computed when it is read and can be indexed, or add an ordinary column and fill it
in batches.",
);

static SERIAL: Rule = Rule::new(
    "adding-serial-primary-key-field",
    DANGER,
    MYSQL,
    &["add_column_auto_incrementing"],
    "A primary key or a counter is added to a table that is in use",
    r"
InnoDB keeps a table in the order of its primary key, so adding one writes the table anew; a column with
`AUTO_INCREMENT` also lets nobody write meanwhile, and replicas may number the rows in another order.

```sql
ALTER TABLE visit ADD COLUMN id BIGINT AUTO_INCREMENT PRIMARY KEY;
```

Make a new table with the key, copy the rows in batches in a defined order, and swap the two.",
);

pub(super) static RULES: &[&Rule] =
    &[&DROP_COLUMN, &RENAME_COLUMN, &CHANGE_TYPE, &REQUIRED, &NOT_NULL, &DROP_NOT_NULL, &WITH_DEFAULT, &SERIAL];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    let Deed::AlterTable { table, changes, .. } = &here.stated.deed else { return };
    if !case.is_used(table) {
        return;
    }
    for change in changes {
        check_change(case, here, table, change, findings);
    }
}

fn check_change(case: &Case<'_>, here: Here<'_>, table: &Name, change: &Change, findings: &mut Findings<'_>) {
    match &change.what {
        ChangeKind::DropColumn { column, .. } => drop_column(case, here, table, column, findings),
        ChangeKind::RenameColumn { old, new } => rename(case, here, table, old, &new.name, findings),
        ChangeKind::AddColumn { column, .. } => add(case, here, table, column, findings),
        ChangeKind::Redefine { old, column, .. } => {
            if !old.is(&column.name) {
                rename(case, here, table, old, &column.name, findings);
            }
            redefine(case, here, table, old, column, findings);
        }
        ChangeKind::ChangeType { column, data_type } => {
            retype(case, here, table, column, data_type, findings);
        }
        ChangeKind::SetNotNull(column) => not_null(case, here, table, column, findings),
        ChangeKind::DropNotNull(column) => {
            let message = format!("`{}.{}` may be NULL from now on", table.name, column.name);
            findings
                .add(&DROP_NOT_NULL, here.place(&column.span), message)
                .help("deploy readers that know what NULL means first");
        }
        ChangeKind::DropPrimaryKey => {}
        _ => {}
    }
}

fn drop_column(case: &Case<'_>, here: Here<'_>, table: &Name, column: &Name, findings: &mut Findings<'_>) {
    if case.target.is_added(table, &column.name) {
        return;
    }
    let mut message = format!("drops `{}.{}` ({}", table.name, column.name, case.target.size(&table.name));
    if let Some(share) = case.target.column(&table.name, &column.name).and_then(|column| column.null_fraction) {
        message += &format!(", {} % not null", ((1.0 - share) * 100.0).round());
    }
    let added = findings.add(&DROP_COLUMN, here.place(&column.span), message + ")");
    let added = added.help("deploy a version that does not use the column first, and keep a copy of its values");
    if case.target.relation(&table.name).is_some_and(|relation| relation.rows == Some(0)) {
        added.at_most(runner_policy_sdk::Severity::Warning);
    }
    for user in users(case, &table.name, Some(&column.name)) {
        let message = format!("drops `{}.{}`, which {user} uses", table.name, column.name);
        let help = "change or drop what uses it first, in the same revision";
        findings.add(&super::tables::USED, here.place(&column.span), message).help(help);
    }
}

fn rename(case: &Case<'_>, here: Here<'_>, table: &Name, old: &Name, new: &str, findings: &mut Findings<'_>) {
    if case.target.is_added(table, &old.name) || old.is(new) {
        return;
    }
    let message = format!("renames `{}.{}` to `{new}`, and what uses the old name fails", table.name, old.name);
    let help = "add the new column, write both, fill it, and drop the old one in a later revision";
    findings.add(&RENAME_COLUMN, here.place(&old.span), message).help(help);
}

fn add(case: &Case<'_>, here: Here<'_>, table: &Name, column: &Column, findings: &mut Findings<'_>) {
    let place = here.place(&column.span);
    let (table, size) = (table.name.as_str(), case.target.size(&table.name));
    let has_value =
        column.default.as_ref().is_some_and(|default| *default != Default::Null) || column.generated.is_some();
    let counts = column.auto_increment || column.primary_key;
    // What SQLite refuses in any table is said by another rule.
    if column.not_null && !has_value && !counts {
        let is_empty = case.target.relation(table).is_some_and(|relation| relation.rows == Some(0));
        let message = format!("`{table}.{}` is NOT NULL and has no default ({size})", column.name);
        let added = findings.add(&REQUIRED, place.clone(), message);
        let added = added.help("give it a default, or add it without NOT NULL and fill it first");
        if is_empty {
            added.at_most(runner_policy_sdk::Severity::Warning);
        }
    }
    let expression = matches!(column.default, Some(Default::Expression));
    if expression || column.generated == Some(Generated::Stored) {
        let message = format!("`{}` is computed for every row of `{table}` ({size})", column.name);
        let added = findings.add(&WITH_DEFAULT, place.clone(), message);
        case.eased(added, table).help("use a VIRTUAL column, or add an ordinary one and fill it in batches");
    }
    if counts {
        let message = format!("`{}` numbers all rows of `{table}`, which writes the table anew ({size})", column.name);
        let added = findings.add(&SERIAL, place, message);
        case.eased(added, table).help("make a new table with the key, copy the rows in batches, and swap the two");
    }
}

/// `MODIFY` and `CHANGE` state the whole column anew.
fn redefine(case: &Case<'_>, here: Here<'_>, table: &Name, old: &Name, column: &Column, findings: &mut Findings<'_>) {
    if case.target.is_added(table, &old.name) {
        return;
    }
    retype(case, here, table, old, &column.data_type, findings);
    let known = case.target.column(&table.name, &old.name);
    if column.not_null && known.is_none_or(|known| known.nullable) {
        not_null(case, here, table, old, findings);
    }
    let keeps_null_out =
        column.not_null || column.primary_key || known.is_some_and(|known| known.primary_key.is_some());
    if known.is_some_and(|known| !known.nullable) && !keeps_null_out {
        let message = format!("`{}.{}` is NOT NULL, and may be NULL from now on", table.name, old.name);
        let help = "repeat NOT NULL, unless readers know what NULL means";
        findings.add(&DROP_NOT_NULL, here.place(&column.span), message).help(help);
    }
}

fn retype(case: &Case<'_>, here: Here<'_>, table: &Name, old: &Name, new: &DataType, findings: &mut Findings<'_>) {
    // Values of ENUM and SET have rules of their own.
    if case.target.is_added(table, &old.name) || matches!(new.name.as_str(), "ENUM" | "SET") {
        return;
    }
    let size = case.target.size(&table.name);
    let name = format!("`{}.{}`", table.name, old.name);
    let written = here.text(&new.span).trim();
    let message = match case.target.column(&table.name, &old.name) {
        None => format!("{name} becomes {written}: the table may be rewritten, and values may not fit ({size})"),
        Some(known) => match types::compare(&known.data_type, new) {
            types::Change::None | types::Change::Instant => return,
            types::Change::Rewrites => {
                format!("{name} changes from {} to {written}: the table is rewritten ({size})", known.data_type)
            }
            types::Change::Narrows => {
                format!(
                    "{name} narrows from {} to {written}: values may not fit, and the table is rewritten ({size})",
                    known.data_type
                )
            }
        },
    };
    let added = findings.add(&CHANGE_TYPE, here.place(&new.span), message);
    case.eased(added, &table.name)
        .help("add a column of the new type, write both, fill it in batches, and drop the old one later");
}

fn not_null(case: &Case<'_>, here: Here<'_>, table: &Name, column: &Name, findings: &mut Findings<'_>) {
    let mut message = format!("`{}.{}` becomes NOT NULL ({}", table.name, column.name, case.target.size(&table.name));
    if let Some(share) = case.target.column(&table.name, &column.name).and_then(|column| column.null_fraction) {
        message += &format!(", {} % null", (share * 100.0).round());
    }
    let added = findings.add(&NOT_NULL, here.place(&column.span), message + ")");
    case.eased(added, &table.name).help("write a value everywhere first, and fill the rows that hold NULL");
}
