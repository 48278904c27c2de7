//! MySQL and MariaDB: what copies a table, what keeps others from writing, and how to say that it must not.

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::Change;
use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::deed::Generated;
use crate::deed::IndexKind;
use crate::deed::Name;
use crate::findings::Findings;
use crate::rule::ADVICE;
use crate::rule::DANGER;
use crate::rule::MYSQL;
use crate::rule::Rule;
use crate::server::Server;

static COPY: Rule = Rule::new(
    "ban-copy-algorithm",
    DANGER,
    MYSQL,
    &["copy_algorithm"],
    "`ALGORITHM=COPY` copies the whole table, and nobody can write meanwhile",
    r"
The server makes a new table and copies row by row. Readers go on, writers wait until it is done, which takes
minutes to hours for a large table, and as much space again.

```sql
ALTER TABLE visit ADD COLUMN room INT, ALGORITHM=COPY;
```

Ask for `ALGORITHM=INPLACE` (or `INSTANT`): the server refuses what it can't do that way instead of doing it the
slow way.",
);

static LOCK: Rule = Rule::new(
    "ban-lock-option",
    DANGER,
    MYSQL,
    &["lock_option"],
    "`LOCK=SHARED` or `LOCK=EXCLUSIVE` keeps others out for as long as the change takes",
    r"
`SHARED` makes writers wait, `EXCLUSIVE` readers as well, even where the change needs no lock at all.

```sql
ALTER TABLE visit ADD INDEX visit_started (started), LOCK=SHARED;
```

Ask for `LOCK=NONE`: the server refuses what it can't do without a lock.",
);

static REWRITE: Rule = Rule::new(
    "rewriting-table",
    DANGER,
    MYSQL,
    &[],
    "The whole table is written anew",
    r"
Converting the character set, changing the engine, row format or partitions, `FORCE`, `OPTIMIZE TABLE`, and on older
servers adding or dropping a column write every row again. That takes long, needs as much space again, keeps
replicas behind, and often lets nobody write meanwhile.

```sql
ALTER TABLE visit CONVERT TO CHARACTER SET utf8mb4;
```

For a large table use a tool that copies in small steps (`gh-ost`, `pt-online-schema-change`), or do it at a quiet
time with a time limit.",
);

static INDEX: Rule = Rule::new(
    "blocking-index-creation",
    DANGER,
    MYSQL,
    &[],
    "A FULLTEXT or SPATIAL index is built while nobody can write",
    r"
Ordinary indexes of InnoDB are built while others write. FULLTEXT and SPATIAL indexes are not: writers wait until
the whole table was read, and the first FULLTEXT index of a table writes it anew.

```sql
CREATE FULLTEXT INDEX visit_notes ON visit (notes);
```

Build it at a quiet time, or on a copy of the table that is swapped in.",
);

static PREFER: Rule = Rule::new(
    "prefer-online-ddl",
    ADVICE,
    MYSQL,
    &[],
    "A change of a table does not say that it must be done online",
    r"
Without a word about it the server takes the best way it knows, and the worst one if there is no other: it copies
the table, and nobody can write. With `ALGORITHM` and `LOCK` it refuses instead, before anything happens.

```sql
ALTER TABLE visit ADD INDEX visit_started (started);
```

Say what you expect: `ALTER TABLE visit ADD INDEX visit_started (started), ALGORITHM=INPLACE, LOCK=NONE;`",
);

pub(super) static RULES: &[&Rule] = &[&COPY, &LOCK, &REWRITE, &INDEX, &PREFER];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    match &here.stated.deed {
        Deed::AlterTable { table, changes, .. } if case.is_used(table) => {
            changes.iter().for_each(|change| check_change(case, here, table, change, findings));
            prefer(case, here, table, changes, findings);
        }
        Deed::CreateIndex { table, index, options, .. } if case.is_used(table) => {
            options.iter().for_each(|option| check_change(case, here, table, option, findings));
            if matches!(index.kind, IndexKind::Fulltext | IndexKind::Spatial) {
                blocking(case, here, table, &index.span, findings);
            }
        }
        Deed::DropIndex { table: Some(table), options, .. } if case.is_used(table) => {
            options.iter().for_each(|option| check_change(case, here, table, option, findings));
        }
        Deed::Maintain(verb) if verb == "OPTIMIZE" => {
            let message = "`OPTIMIZE TABLE` writes the whole table anew";
            findings
                .add(&REWRITE, here.verb(), message)
                .help("run it by hand at a quiet time; it changes nothing of the schema");
        }
        _ => {}
    }
}

fn check_change(case: &Case<'_>, here: Here<'_>, table: &Name, change: &Change, findings: &mut Findings<'_>) {
    let size = case.target.size(&table.name);
    match &change.what {
        ChangeKind::Algorithm(algorithm) if algorithm == "COPY" => {
            let message = format!("copies `{}` while nobody can write ({size})", table.name);
            let added = findings.add(&COPY, here.place(&change.span), message).help("ask for `ALGORITHM=INPLACE`");
            let added = added.fix("asks for a change in place", here.span(&change.span), "ALGORITHM=INPLACE");
            case.eased(added, &table.name);
        }
        ChangeKind::Lock(lock) if lock == "SHARED" || lock == "EXCLUSIVE" => {
            let who = if lock == "SHARED" { "write" } else { "read or write" };
            let message = format!("lets nobody {who} `{}` meanwhile ({size})", table.name);
            let added = findings.add(&LOCK, here.place(&change.span), message).help("ask for `LOCK=NONE`");
            let added = added.fix("asks for a change without a lock", here.span(&change.span), "LOCK=NONE");
            case.eased(added, &table.name);
        }
        ChangeKind::AddIndex(index) if matches!(index.kind, IndexKind::Fulltext | IndexKind::Spatial) => {
            blocking(case, here, table, &index.span, findings);
        }
        what => {
            let Some(reason) = rewrites(case.target.server(), what) else { return };
            let message = format!("{reason} writes `{}` anew ({size})", table.name);
            let added = findings.add(&REWRITE, here.place(&change.span), message);
            case.eased(added, &table.name).help("use a tool that copies in small steps, or do it at a quiet time");
        }
    }
}

fn blocking(case: &Case<'_>, here: Here<'_>, table: &Name, span: &std::ops::Range<usize>, findings: &mut Findings<'_>) {
    let message =
        format!("lets nobody write to `{}` while the index is built ({})", table.name, case.target.size(&table.name));
    let added = findings.add(&INDEX, here.place(span), message);
    case.eased(added, &table.name).help("build it at a quiet time");
}

/// Why a change writes the whole table anew, if it does on this server. What other rules say better is left to them.
fn rewrites(server: Server, what: &ChangeKind) -> Option<String> {
    match what {
        ChangeKind::Convert(charset) => Some(format!("converting to `{charset}`")),
        ChangeKind::Engine(engine) => Some(format!("`ENGINE={engine}`")),
        ChangeKind::Rebuild(what) => Some(format!("`{what}`")),
        ChangeKind::Partition => Some("changing partitions".to_owned()),
        ChangeKind::AddColumn { column, .. } => {
            let is_virtual = column.generated == Some(Generated::Virtual);
            // At the end of the table from MySQL 8.0.12 and MariaDB 10.3.2, anywhere from 8.0.29 and 10.4.
            let instant = if column.placed {
                !server.is_mysql() && !server.is_mariadb
                    || server.is_mysql_from((8, 0, 29))
                    || server.is_mariadb_from((10, 4, 0))
            } else {
                !server.is_mysql() && !server.is_mariadb
                    || server.is_mysql_from((8, 0, 12))
                    || server.is_mariadb_from((10, 3, 2))
            };
            (!instant && !is_virtual).then(|| format!("adding `{}` on this version of the server", column.name))
        }
        ChangeKind::DropColumn { column, .. } => {
            let unknown = !server.is_mysql() && !server.is_mariadb;
            let instant = unknown || server.is_mysql_from((8, 0, 29)) || server.is_mariadb_from((10, 4, 0));
            (!instant).then(|| format!("dropping `{}` on this version of the server", column.name))
        }
        _ => None,
    }
}

fn prefer(case: &Case<'_>, here: Here<'_>, table: &Name, changes: &[Change], findings: &mut Findings<'_>) {
    let says = |change: &Change| matches!(change.what, ChangeKind::Algorithm(_) | ChangeKind::Lock(_));
    let in_place = |change: &Change| match &change.what {
        ChangeKind::AddIndex(index) => matches!(index.kind, IndexKind::Plain | IndexKind::Unique),
        ChangeKind::AddColumn { column, .. } => {
            column.generated.is_none() && !column.auto_increment && !column.primary_key
        }
        ChangeKind::DropIndex(_)
        | ChangeKind::DropColumn { .. }
        | ChangeKind::RenameIndex
        | ChangeKind::RenameColumn { .. } => true,
        _ => false,
    };
    if changes.iter().any(says) || !changes.iter().all(in_place) || case.target.is_small(&table.name) {
        return;
    }
    let end = changes.last().map_or(0, |change| change.span.end);
    let message = format!("does not say that `{}` must stay writable meanwhile", table.name);
    findings
        .add(&PREFER, here.verb(), message)
        .help("add `ALGORITHM=INPLACE, LOCK=NONE`, so that the server refuses what it can't do online")
        .fix("asks for a change in place without a lock", here.span(&(end..end)), ", ALGORITHM=INPLACE, LOCK=NONE");
}
