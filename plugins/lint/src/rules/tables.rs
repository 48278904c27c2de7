//! Tables, databases and what else is dropped, emptied or renamed as a whole.

use std::ops::Range;

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::deed::Name;
use crate::deed::Object;
use crate::deed::Table;
use crate::findings::Findings;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::MYSQL;
use crate::rule::Rule;

pub(crate) static DROP_TABLE: Rule = Rule::new(
    "ban-drop-table",
    DANGER,
    BOTH,
    &["DS102", "destructive", "RX001", "drop-table"],
    "A table is dropped with all its rows",
    r"
The rows are gone when the revision is committed, and whatever still reads the table fails. On MySQL and MariaDB the
statement commits at once and can't be taken back.

```sql
DROP TABLE visit;
```

Deploy a version that does not use the table, wait until nothing reads it, keep a copy (`runner backup create`, or
rename the table first), and drop it in a revision of its own with a comment that says why the rows may go.

Tables that the same plan has made, and SQLite's way of rebuilding a table (create, copy, drop, rename), are left
alone.",
);

static DROP_DATABASE: Rule = Rule::new(
    "ban-drop-database",
    (runner_policy_sdk::Severity::Error, runner_policy_sdk::Severity::Error),
    MYSQL,
    &["DS101", "destructive", "ban-drop-schema", "drop-database", "drop-schema"],
    "A database is dropped with all its tables",
    r"
Nothing of it comes back without a backup, and privileges on it stay behind for whoever makes a database of that
name again.

```sql
DROP DATABASE archive;
```

A database is an operator's decision and not a step between two versions of a schema. Drop it by hand, after a
backup.",
);

static TRUNCATE: Rule = Rule::new(
    "truncate-table",
    DANGER,
    MYSQL,
    &["RX003", "destructive"],
    "A table or partition is emptied",
    r"
`TRUNCATE` is `DROP` and `CREATE` in one: it commits at once, fires no triggers, starts the counter anew, and can't
be taken back.

```sql
TRUNCATE TABLE visit;
```

Delete what has to go with a condition and in batches, or copy the rows elsewhere first. If all rows have to go, say
in a comment why.",
);

static DROP_PARTITION: Rule = Rule::new(
    "ban-drop-partition",
    DANGER,
    MYSQL,
    &["RX012", "destructive"],
    "A partition is dropped with its rows",
    r"
All rows of the partition are gone at once and without triggers.

```sql
ALTER TABLE visit DROP PARTITION p2019;
```

Where old partitions go regularly, let a job do it that keeps a copy (`EXCHANGE PARTITION` moves the rows into a
table). In a revision, say in a comment why the rows may go.",
);

static RENAME_TABLE: Rule = Rule::new(
    "renaming-table",
    DANGER,
    BOTH,
    &["BC101", "incompatible", "rename_table"],
    "A table gets another name, and what uses the old one fails",
    r"
Between this revision and the deployment of the new version, or the other way round, one of them does not find the
table.

```sql
ALTER TABLE visit RENAME TO appointment;
```

Leave a view of the old name behind for as long as something uses it, and drop it in a later revision:

```sql
CREATE VIEW visit AS SELECT * FROM appointment;
```",
);

static DROP_CASCADE: Rule = Rule::new(
    "drop-cascade",
    CAUTION,
    MYSQL,
    &[],
    "`CASCADE` promises what the server does not do",
    r"
MySQL and MariaDB read `CASCADE` and `RESTRICT` and ignore them: views of the table stay and fail when they are
used, and foreign keys refuse the statement all the same. Whoever comes from PostgreSQL expects that what depends on
the table goes with it.

```sql
DROP TABLE visit CASCADE;
```

Leave the word out, and drop views and foreign keys by their names before.",
);

pub(super) static USED: Rule = Rule::new(
    "dropping-what-is-used",
    DANGER,
    BOTH,
    &[],
    "A table or column is dropped that a view, trigger, index or foreign key uses",
    r"
SQLite refuses to drop a column that an index, view or trigger uses; a dropped table leaves views and triggers
behind that fail when something else is done. MySQL and MariaDB drop what a view uses and let the view fail later,
and refuse what a foreign key uses. Found with facts about the target only.

```sql
ALTER TABLE visit DROP COLUMN notes; -- the view open_visit shows it
```

Change or drop what uses it in the same revision, before.",
);

static DROP_VIEW: Rule = Rule::new(
    "ban-drop-view",
    DANGER,
    BOTH,
    &["drop-view"],
    "A view is dropped, and what reads it fails",
    r"
A view is as much of an interface as a table. What selects from it fails from now on, privileges on it are gone.

```sql
DROP VIEW open_visit;
```

Drop it when nothing reads it any longer. To change it, use `CREATE OR REPLACE VIEW` on MySQL and MariaDB; on SQLite
drop and create it in the same revision, which this rule leaves alone.",
);

static DROP_TRIGGER: Rule = Rule::new(
    "ban-drop-trigger",
    CAUTION,
    BOTH,
    &[],
    "A trigger is dropped, and what it kept true is kept by nobody",
    r"
Triggers fill columns, write histories and check what constraints can't. Applications rarely know of them, so nobody
notices that one is missing until the data is wrong.

```sql
DROP TRIGGER stock_check;
```

Say in a comment what takes its place. A trigger that is created again in the same revision is left alone.",
);

pub(crate) static RULES: &[&Rule] = &[
    &DROP_TABLE,
    &DROP_DATABASE,
    &TRUNCATE,
    &DROP_PARTITION,
    &RENAME_TABLE,
    &DROP_CASCADE,
    &USED,
    &DROP_VIEW,
    &DROP_TRIGGER,
];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    match &here.stated.deed {
        Deed::DropTable { names, temporary: false, cascade, .. } => {
            if let Some(cascade) = cascade {
                let message = "`CASCADE` is ignored by MySQL and MariaDB";
                findings
                    .add(&DROP_CASCADE, here.place(cascade), message)
                    .help("drop what depends on the table by its name");
            }
            let is_lossy = case.rebuild_at(here.index).is_some_and(|rebuild| rebuild.is_lossy);
            let is_dropped = |name: &&Name| is_lost(case, here, name) || is_lossy && case.is_used(name);
            for name in names.iter().filter(is_dropped) {
                drop_table(case, here, name, &name.span, findings);
            }
        }
        // `CREATE OR REPLACE TABLE` of MariaDB drops the table that was there.
        Deed::CreateTable { name, table: Table { replaces: Some(replaces), .. } } if replaced(case, here, name) => {
            drop_table(case, here, name, replaces, findings);
        }
        Deed::DropDatabase(name) => {
            let message = format!("drops the database `{}` with all its tables", name.name);
            findings.add(&DROP_DATABASE, here.place(&name.span), message).help("drop it by hand, after a backup");
        }
        Deed::Truncate { tables, .. } => {
            for table in tables.iter().filter(|table| case.is_used(table)) {
                let message = format!("empties `{}` ({})", table.name, case.target.size(&table.name));
                let help = "delete with a condition, or keep a copy first and say in a comment why the rows may go";
                findings.add(&TRUNCATE, here.place(&table.span), message).help(help);
            }
        }
        Deed::RenameTables(pairs) => {
            for (old, new) in pairs {
                rename(case, here, old, new, &old.span, findings);
            }
        }
        Deed::AlterTable { table, changes, .. } => {
            for change in changes {
                match &change.what {
                    ChangeKind::RenameTable(new) => rename(case, here, table, new, &change.span, findings),
                    ChangeKind::DropPartition(partition) if case.is_used(table) => {
                        let message = format!("drops partition `{partition}` of `{}` with its rows", table.name);
                        findings.add(&DROP_PARTITION, here.place(&change.span), message);
                    }
                    ChangeKind::TruncatePartition(partition) if case.is_used(table) => {
                        let message = format!("empties partition `{partition}` of `{}`", table.name);
                        findings.add(&TRUNCATE, here.place(&change.span), message);
                    }
                    _ => {}
                }
            }
        }
        Deed::Drop { object, names, .. } => {
            for name in names {
                drop_object(case, here, *object, name, findings);
            }
        }
        _ => {}
    }
}

/// Whether the rows of a table are lost with it.
fn is_lost(case: &Case<'_>, here: Here<'_>, table: &Name) -> bool {
    case.is_used(table) && case.rebuild_at(here.index).is_none()
}

/// Whether there may be a table that `CREATE OR REPLACE TABLE` replaces.
fn replaced(case: &Case<'_>, here: Here<'_>, table: &Name) -> bool {
    is_lost(case, here, table) && !case.target.is_missing(table)
}

fn drop_table(case: &Case<'_>, here: Here<'_>, name: &Name, span: &Range<usize>, findings: &mut Findings<'_>) {
    let message = format!("drops `{}` ({})", name.name, case.target.size(&name.name));
    let added = findings.add(&DROP_TABLE, here.place(span), message);
    let added = added.help("drop it when nothing uses it any longer, and keep a copy of what may be wanted again");
    if case.target.relation(&name.name).is_some_and(|relation| relation.rows == Some(0)) {
        added.at_most(runner_policy_sdk::Severity::Warning);
    }
    for user in users(case, &name.name, None) {
        let message = format!("drops `{}`, which {user} uses", name.name);
        findings.add(&USED, here.place(span), message).help("change or drop what uses it first, in the same revision");
    }
}

/// What uses a table, or a column of it, as far as facts tell: views, triggers and foreign keys of other tables.
pub(super) fn users(case: &Case<'_>, table: &str, column: Option<&str>) -> Vec<String> {
    let mut users = Vec::new();
    for relation in case.target.relations() {
        let is_own = relation.name.eq_ignore_ascii_case(table);
        let names = |text: &str| {
            let has = |wanted: &str| {
                let words = crate::lexeme::Lexemes::new(text, case.circumstances.dialect);
                words.into_iter().any(|word| crate::lexeme::unquoted(word.of(text)).eq_ignore_ascii_case(wanted))
            };
            has(table) && column.is_none_or(has)
        };
        if relation.definition.as_deref().is_some_and(names) && !case.target.is_gone(&relation.name) {
            users.push(format!("the view `{}`", relation.name));
        }
        if !is_own || column.is_some() {
            let found = relation.triggers.iter().filter(|trigger| names(&trigger.definition));
            let found = found.filter(|trigger| !case.target.is_gone(&trigger.name));
            users.extend(found.map(|trigger| format!("the trigger `{}` of `{}`", trigger.name, relation.name)));
        }
        if is_own || case.target.is_gone(&relation.name) {
            continue;
        }
        for key in &relation.foreign_keys {
            let of_column = column
                .is_none_or(|column| key.referenced_columns.iter().any(|other| other.eq_ignore_ascii_case(column)));
            if key.referenced_table.eq_ignore_ascii_case(table) && of_column {
                let name = key
                    .name
                    .as_deref()
                    .map_or_else(|| "a foreign key".to_owned(), |name| format!("the foreign key `{name}`"));
                users.push(format!("{name} of `{}`", relation.name));
            }
        }
    }
    users
}

fn rename(case: &Case<'_>, here: Here<'_>, old: &Name, new: &Name, span: &Range<usize>, findings: &mut Findings<'_>) {
    if !is_lost(case, here, old) {
        return;
    }
    let message = format!("renames `{}` to `{}`, and what uses the old name fails", old.name, new.name);
    let help = format!("leave a view `{}` behind until nothing uses the old name", old.name);
    findings.add(&RENAME_TABLE, here.place(span), message).help(help);
}

fn drop_object(case: &Case<'_>, here: Here<'_>, object: Object, name: &Name, findings: &mut Findings<'_>) {
    if case.target.is_made_again(&name.name) {
        return;
    }
    match object {
        Object::View => {
            let message = format!("drops the view `{}`, and what reads it fails", name.name);
            findings.add(&DROP_VIEW, here.place(&name.span), message).help("drop it when nothing reads it any longer");
        }
        Object::Trigger => {
            let message = format!("drops the trigger `{}`", name.name);
            findings.add(&DROP_TRIGGER, here.place(&name.span), message).help("say in a comment what takes its place");
        }
        Object::Other => {}
    }
}
