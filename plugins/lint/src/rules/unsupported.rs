//! What the database will refuse when the revision runs.

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::Change;
use crate::deed::ChangeKind;
use crate::deed::Column;
use crate::deed::Deed;
use crate::deed::Default;
use crate::deed::Generated;
use crate::deed::Name;
use crate::findings::Findings;
use crate::rule::BOTH;
use crate::rule::FAULT;
use crate::rule::Rule;
use crate::rule::SQLITE;

static STATEMENT: Rule = Rule::new(
    "unsupported-statement",
    FAULT,
    BOTH,
    &[],
    "The database does not know this statement",
    r"
SQLite has no `ALTER TABLE` beyond renaming, adding and dropping columns, no `TRUNCATE`, no users and no privileges.
MySQL lacks forms that MariaDB has, such as `ADD COLUMN IF NOT EXISTS`, and both lack `CREATE INDEX CONCURRENTLY`.
The revision fails when it runs, on MySQL after the statements before it are committed.

```sql
ALTER TABLE visit ADD CONSTRAINT c CHECK (minutes > 0); -- on SQLite
```

On SQLite rebuild the table: create a new one, copy the rows, drop the old one, rename the new one. Where a chain
serves several databases, write a section for each dialect (`-- migrate:up sqlite`).",
);

static ADD: Rule = Rule::new(
    "unsupported-add-column",
    FAULT,
    SQLITE,
    &[],
    "SQLite can't add a column like this",
    r"
`ADD COLUMN` changes the definition and no row. So it takes no PRIMARY KEY and no UNIQUE, and, as soon as the table
holds a row, no stored generated column and no default that has to be computed (`CURRENT_TIMESTAMP`, an expression
in parentheses).

```sql
ALTER TABLE visit ADD COLUMN created TEXT DEFAULT CURRENT_TIMESTAMP;
```

Add it with a literal default or none and fill it with an UPDATE, make a unique index of its own, or rebuild the
table.",
);

static DROP: Rule = Rule::new(
    "unsupported-drop-column",
    FAULT,
    SQLITE,
    &[],
    "SQLite can't drop this column",
    r"
`DROP COLUMN` refuses a column that is a primary key, is unique, or is named by an index, a check of the table, a
generated column, a view or a trigger, and the last column of a table. Found with facts about the target only,
except for indexes that the same revision makes.

```sql
ALTER TABLE visit DROP COLUMN number; -- has an index
```

Drop the index, view or trigger first; otherwise rebuild the table without the column.",
);

pub(super) static RULES: &[&Rule] = &[&STATEMENT, &ADD, &DROP];

const REBUILD: &str = "rebuild the table: create a new one, copy the rows, drop the old one, rename the new one";

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    let server = case.target.server();
    if is_elsewhere(case) {
        return;
    }
    if server.dialect == runner_policy_sdk::Dialect::Sqlite {
        sqlite(case, here, findings);
        return;
    }
    match &here.stated.deed {
        Deed::CreateIndex { index, concurrently: true, .. } => {
            let message = "`CREATE INDEX CONCURRENTLY` is a statement of PostgreSQL";
            findings
                .add(&STATEMENT, here.place(&index.span), message)
                .help("leave the word out: InnoDB builds indexes online");
        }
        Deed::CreateIndex { index, if_not_exists: true, .. } if server.is_mysql() => {
            mariadb_only(here, &index.span, "`CREATE INDEX IF NOT EXISTS`", findings);
        }
        Deed::DropIndex { names, if_exists: true, .. } if server.is_mysql() => {
            let span = names.first().map_or(0..0, |name| name.span.clone());
            mariadb_only(here, &span, "`DROP INDEX IF EXISTS`", findings);
        }
        Deed::AlterTable { changes, if_exists, .. } => {
            if *if_exists && server.is_mysql() {
                mariadb_only(here, &here.stated.verb, "`ALTER TABLE IF EXISTS`", findings);
            }
            for change in changes {
                mysql_change(here, change, server.is_mysql(), findings);
            }
        }
        Deed::CreateTable { table, .. } if server.is_mysql() => {
            if let Some(replaces) = &table.replaces {
                mariadb_only(here, replaces, "`CREATE OR REPLACE TABLE`", findings);
            }
        }
        Deed::Pragma { .. } => {
            findings.add(&STATEMENT, here.verb(), "`PRAGMA` is a statement of SQLite");
        }
        Deed::Maintain(verb) if verb == "VACUUM" || verb == "CLUSTER" => {
            findings.add(&STATEMENT, here.verb(), format!("`{verb}` is no statement of MySQL and MariaDB"));
        }
        _ => {}
    }
}

fn mariadb_only(here: Here<'_>, span: &std::ops::Range<usize>, what: &str, findings: &mut Findings<'_>) {
    let message = format!("{what} is understood by MariaDB alone, and this is MySQL");
    findings.add(&STATEMENT, here.place(span), message).help("leave `IF [NOT] EXISTS` or `OR REPLACE` out");
}

fn mysql_change(here: Here<'_>, change: &Change, is_mysql: bool, findings: &mut Findings<'_>) {
    let what = match &change.what {
        ChangeKind::AddColumn { if_not_exists: true, .. } if is_mysql => "`ADD COLUMN IF NOT EXISTS`",
        ChangeKind::DropColumn { if_exists: true, .. } if is_mysql => "`DROP COLUMN IF EXISTS`",
        ChangeKind::Redefine { if_exists: true, .. } if is_mysql => "`IF EXISTS` for a column",
        ChangeKind::ChangeType { .. } | ChangeKind::SetNotNull(_) | ChangeKind::DropNotNull(_) => {
            let message = "MySQL and MariaDB change a column with `MODIFY`";
            findings
                .add(&STATEMENT, here.place(&change.span), message)
                .help("write `MODIFY column type …`, with all its attributes");
            return;
        }
        _ => return,
    };
    mariadb_only(here, &change.span, what, findings);
}

fn sqlite(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    let what = match &here.stated.deed {
        Deed::AlterTable { table, changes, if_exists } => {
            if *if_exists || changes.len() > 1 {
                let message = if *if_exists {
                    "SQLite has no `ALTER TABLE IF EXISTS`"
                } else {
                    "SQLite makes one change a statement"
                };
                findings.add(&STATEMENT, here.verb(), message).help("write a statement for each change");
            }
            for change in changes {
                sqlite_change(case, here, table, change, findings);
            }
            return;
        }
        Deed::Truncate { .. } => "SQLite has no `TRUNCATE`; `DELETE FROM` without a condition is as fast",
        Deed::Grant { .. } | Deed::Revoke => "SQLite has no privileges",
        Deed::Account(_) => "SQLite has no users",
        Deed::CreateDatabase(_) | Deed::DropDatabase(_) | Deed::AlterDatabase => "SQLite has no databases on a server",
        Deed::RenameTables(_) => "SQLite renames with `ALTER TABLE … RENAME TO …`",
        Deed::LockTables => "SQLite has no `LOCK TABLES`",
        Deed::Set(_) => "SQLite has no variables to set",
        Deed::CreateRoutine { .. } => "SQLite has no procedures, functions and events",
        Deed::Alter | Deed::CreateOther => "SQLite does not know this statement",
        Deed::Drop { object: crate::deed::Object::Other, .. } => {
            "SQLite has only tables, indexes, views and triggers to drop"
        }
        Deed::CreateTable { table, .. } if table.replaces.is_some() => "SQLite has no `CREATE OR REPLACE TABLE`",
        Deed::DropTable { names, .. } if names.len() > 1 => "SQLite drops one table a statement",
        Deed::DropTable { cascade: Some(_), .. } => "SQLite has no `CASCADE` for tables",
        Deed::CreateIndex { concurrently: true, .. } => "`CREATE INDEX CONCURRENTLY` is a statement of PostgreSQL",
        Deed::DropIndex { table: Some(_), .. } => "SQLite drops an index by its name alone, without `ON`",
        Deed::Maintain(verb) if verb != "VACUUM" => "SQLite does not know this statement",
        _ => return,
    };
    findings.add(&STATEMENT, here.verb(), what).help("write a section of its own for SQLite (`-- migrate:up sqlite`)");
}

fn sqlite_change(case: &Case<'_>, here: Here<'_>, table: &Name, change: &Change, findings: &mut Findings<'_>) {
    match &change.what {
        ChangeKind::AddColumn { column, if_not_exists } => {
            if *if_not_exists {
                let message = "SQLite has no `ADD COLUMN IF NOT EXISTS`";
                findings.add(&STATEMENT, here.place(&change.span), message).help("leave `IF NOT EXISTS` out");
            }
            add_column(case, here, table, column, findings);
        }
        ChangeKind::DropColumn { column, if_exists } => {
            if *if_exists {
                let message = "SQLite has no `DROP COLUMN IF EXISTS`";
                findings.add(&STATEMENT, here.place(&change.span), message).help("leave `IF EXISTS` out");
            }
            drop_column(case, here, table, column, findings);
        }
        // The newest versions can set and drop NOT NULL.
        ChangeKind::RenameColumn { .. }
        | ChangeKind::RenameTable(_)
        | ChangeKind::SetNotNull(_)
        | ChangeKind::DropNotNull(_)
        | ChangeKind::Unknown(_) => {}
        _ => {
            let message = format!("SQLite can't change `{}` like this", table.name);
            findings.add(&STATEMENT, here.place(&change.span), message).help(REBUILD);
        }
    }
}

fn add_column(case: &Case<'_>, here: Here<'_>, table: &Name, column: &Column, findings: &mut Findings<'_>) {
    let is_empty =
        !case.is_used(&table.name) || case.target.relation(&table.name).is_some_and(|table| table.rows == Some(0));
    let (span, reason, help) = match &column.default {
        _ if column.primary_key => (&column.span, "a PRIMARY KEY", REBUILD),
        _ if column.unique => (&column.span, "a UNIQUE column", "add it without UNIQUE, and make a unique index"),
        _ if column.generated == Some(Generated::Stored) && !is_empty => {
            (&column.span, "a STORED column", "make it VIRTUAL")
        }
        Some(Default::Now | Default::Expression) if !is_empty => {
            let help = "add it with a literal default or none, and fill it with an UPDATE";
            (&column.default_span, "a column with a default that is computed to a table with rows", help)
        }
        _ => return,
    };
    let message = format!("SQLite can't add {reason}: `{}.{}`", table.name, column.name);
    let added = findings.add(&ADD, here.place(span), message).help(help);
    // An empty table takes it, and whether it is empty may not be known.
    let needs_rows = !column.primary_key && !column.unique;
    let is_unknown = case.target.relation(&table.name).is_none_or(|table| table.rows.is_none());
    if needs_rows && is_unknown && !case.circumstances.may_be_production() {
        added.at_most(runner_policy_sdk::Severity::Warning);
    }
}

fn drop_column(case: &Case<'_>, here: Here<'_>, table: &Name, column: &Name, findings: &mut Findings<'_>) {
    let reason =
        case.target.made_index_on(&table.name, &column.name).map(|index| format!("the index `{index}` uses it"));
    let reason = reason.or_else(|| {
        let relation = case.target.relation(&table.name)?;
        let known = relation.columns.iter().find(|known| column.is(&known.name))?;
        if known.primary_key.is_some() {
            return Some("it is the primary key, or part of it".to_owned());
        }
        if relation.columns.len() == 1 {
            return Some("it is the only one".to_owned());
        }
        let uses = |index: &&runner_policy_sdk::facts::Index| {
            let in_columns = index.columns.iter().any(|other| column.is(other));
            let in_predicate = index.predicate.as_deref().is_some_and(|text| text.contains(&column.name));
            (in_columns || in_predicate) && !case.target.is_gone_index(&index.name)
        };
        relation.indexes.iter().find(uses).map(|index| format!("the index `{}` uses it", index.name))
    });
    if let Some(reason) = reason {
        let message = format!("SQLite can't drop `{}.{}`: {reason}", table.name, column.name);
        findings.add(&DROP, here.place(&column.span), message).help("drop the index first, or rebuild the table");
    }
}
