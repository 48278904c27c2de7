//! The sections of a file: whether there is a way back, and what they mix.

use std::collections::BTreeSet;

use runner_policy_sdk::Dialect;
use runner_policy_sdk::Direction;
use runner_policy_sdk::revision_lint::Section;

use super::Case;
use super::Here;
use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::deed::Name;
use crate::findings::Findings;
use crate::findings::Place;
use crate::rule::ADVICE;
use crate::rule::ALL;
use crate::rule::CAUTION;
use crate::rule::MYSQL;
use crate::rule::Rule;

static MISSING: Rule = Rule::new(
    "missing-downgrade",
    CAUTION,
    ALL,
    &[],
    "A revision has no down section, so there is no way back",
    r"
Without a down section `runner downgrade` and `runner rollback` stop at this revision, and that is found out on a
bad day. A dialect that has an up section and no down section (or the other way round) is the same, for that
dialect.

```
-- migrate:up
ALTER TABLE visit ADD COLUMN room TEXT;
```

Write one. If there is none, say so in the header in words such as `This can't be undone, because …`.",
);

static EMPTY: Rule = Rule::new(
    "empty-upgrade",
    CAUTION,
    ALL,
    &[],
    "The up section does nothing",
    r"
Most often the SQL was forgotten, or written below the wrong marker. The revision counts as applied, and everybody
believes that the change is there.

```
-- migrate:up

-- migrate:down
DROP TABLE visit;
```

Write the SQL, or delete the file if nobody has applied it. Merges are left alone.",
);

static IRREVERSIBLE: Rule = Rule::new(
    "irreversible-without-note",
    CAUTION,
    ALL,
    &[],
    "The down section does nothing, and nothing says that this is meant",
    r"
Going back over this revision succeeds and leaves everything as it is: the database then claims a version that it
does not have.

```
-- migrate:up
ALTER TABLE visit DROP COLUMN notes;

-- migrate:down
```

Undo what can be undone. If nothing can, say so in the header or in the section: `This can't be undone, because …`.",
);

static RAW: Rule = Rule::new(
    "raw-sql-without-downgrade",
    CAUTION,
    ALL,
    &[],
    "Rows are changed, and the down section does not change them back",
    r"
Whoever goes back gets the old tables with the new rows, which the old version does not understand.

```
-- migrate:up
INSERT INTO state (id, name) VALUES (4, 'lost');

-- migrate:down
SELECT 1;
```

Delete what was inserted, and put back what was changed. Where the old values are not known any longer, say so in
the header. Rows of tables and columns that the same revision adds go with them.",
);

static LARGE: Rule = Rule::new(
    "large-revision",
    ADVICE,
    ALL,
    &[],
    "A revision is larger than people can read",
    r"
Nobody reviews hundreds of statements with care. They hold locks until the last one is done, and if one fails, all
of them have to be done again.

Split it into steps that can be deployed one by one. Rows are better loaded by a tool of their own (`COPY`, `LOAD
DATA`) than by a migration. The settings `max-statements` and `max-bytes` say what is large.",
);

static MIXED: Rule = Rule::new(
    "mixed-schema-and-data",
    CAUTION,
    ALL,
    &[],
    "Tables and rows are changed in one revision",
    r"
A change of a table takes the strongest lock, and keeps it while the rows are changed, which takes long. On MySQL
and MariaDB a failure in between leaves half of it.

```sql
ALTER TABLE visit ADD COLUMN day DATE;
UPDATE visit SET day = DATE(started);
```

Put the rows into a revision after that of the tables. Rows of tables that the same revision makes are left alone.",
);

static COMMITS: Rule = Rule::new(
    "implicit-commit",
    CAUTION,
    MYSQL,
    &[],
    "A change of the schema commits the rows that were changed before it",
    r"
MySQL and MariaDB commit before each `CREATE`, `ALTER`, `DROP`, `RENAME` and `TRUNCATE`. If a later statement fails,
the rows are changed already, and are changed again when the revision is applied again.

```sql
UPDATE visit SET state = 'open' WHERE state IS NULL;
ALTER TABLE visit MODIFY state VARCHAR(20) NOT NULL;
```

Put the rows into a revision of their own before, in which they are changed as a whole or not at all.",
);

pub(super) static RULES: &[&Rule] = &[&MISSING, &EMPTY, &IRREVERSIBLE, &RAW, &LARGE, &MIXED, &COMMITS];

pub(super) fn check(case: &Case<'_>, findings: &mut Findings<'_>) {
    let is_merge = case.source.revision.parents.len() > 1;
    let has_up = !case.up.statements.is_empty();
    if !is_merge && !has_up && (case.source.up.is_some() || !has_section(case, Direction::Up)) {
        let place = section(case, Direction::Up).map_or(Place::File, |section| marker(case, section));
        findings.add(&EMPTY, place, "the up section does nothing").help("write its SQL, or delete the revision");
    }
    way_back(case, has_up, findings);
    rows_back(case, findings);
    large(case, findings);
    mixed(case, findings);
}

fn has_section(case: &Case<'_>, direction: Direction) -> bool {
    case.surroundings.sections.iter().any(|section| section.direction == direction)
}

/// The section that serves the dialect.
fn section<'a>(case: &'a Case<'_>, direction: Direction) -> Option<&'a Section> {
    serving(case, direction, case.circumstances.dialect)
}

fn serving<'a>(case: &'a Case<'_>, direction: Direction, dialect: Dialect) -> Option<&'a Section> {
    let of_direction = || case.surroundings.sections.iter().filter(|section| section.direction == direction);
    of_direction()
        .find(|section| section.dialects.contains(&dialect))
        .or_else(|| of_direction().find(|section| section.dialects.is_empty()))
}

fn marker(case: &Case<'_>, section: &Section) -> Place<'static> {
    super::comments::place_of_line(case, section.line)
}

fn way_back(case: &Case<'_>, has_up: bool, findings: &mut Findings<'_>) {
    if says_irreversible(case) {
        return;
    }
    let help = "write one, or say in the header why this can't be undone";
    match &case.down {
        None if has_up => {
            let place = section(case, Direction::Up).map_or(Place::File, |section| marker(case, section));
            findings.add(&MISSING, place, "has no down section").help(help);
        }
        Some(down) if has_up && down.statements.is_empty() => {
            let place = section(case, Direction::Down).map_or(Place::File, |section| marker(case, section));
            let message = "the down section does nothing, and nothing says that this is meant";
            findings
                .add(&IRREVERSIBLE, place, message)
                .help("undo what can be undone, or say in the header why nothing can");
        }
        _ => {}
    }
    for (dialect, name) in [(Dialect::Sqlite, "sqlite"), (Dialect::Postgres, "postgres"), (Dialect::Mysql, "mysql")] {
        if dialect == case.circumstances.dialect {
            continue;
        }
        let (up, down) = (serving(case, Direction::Up, dialect), serving(case, Direction::Down, dialect));
        // A file without any down section was spoken of already.
        let one_sided = match (up, down) {
            (Some(up), None) if has_section(case, Direction::Down) => Some((up, "an up section and no down section")),
            (None, Some(down)) if has_section(case, Direction::Up) => Some((down, "a down section and no up section")),
            _ => None,
        };
        if let Some((section, what)) = one_sided {
            findings.add(&MISSING, marker(case, section), format!("has {what} for {name}")).help(help);
        }
    }
}

/// Whether the header or the down section says that there is no way back.
fn says_irreversible(case: &Case<'_>) -> bool {
    const WORDS: [&str; 14] = [
        "irreversible",
        "not reversible",
        "can't be undone",
        "cannot be undone",
        "can not be undone",
        "can't be reversed",
        "cannot be reversed",
        "can't be reverted",
        "cannot be reverted",
        "no way back",
        "one-way",
        "one way",
        "no downgrade",
        "nothing to undo",
    ];
    let says = |text: &str| {
        let text = text.to_lowercase().replace('’', "'");
        WORDS.iter().any(|words| text.contains(words))
    };
    let revision = &case.source.revision;
    let in_section = || {
        let Some(first) = section(case, Direction::Down) else { return false };
        let next =
            case.surroundings.sections.iter().map(|section| section.line).filter(|line| *line > first.line).min();
        let count = next.map_or(usize::MAX, |next| (next - first.line) as usize);
        let lines = case.source.text.lines().skip(first.line as usize).take(count.min(200));
        lines.filter(|line| line.trim_start().starts_with("--")).any(says)
    };
    says(&revision.title) || says(&revision.description) || in_section()
}

/// Tables and columns that the up section makes; what happens to their rows goes with them.
#[derive(Default)]
struct Made {
    tables: BTreeSet<String>,
    columns: BTreeSet<(String, String)>,
}

impl Made {
    fn by(case: &Case<'_>) -> Self {
        let mut made = Made::default();
        for stated in &case.up.statements {
            match &stated.deed {
                Deed::CreateTable { name, .. } => {
                    made.tables.insert(name.name.to_lowercase());
                }
                Deed::AlterTable { table, changes, .. } => {
                    for change in changes {
                        match &change.what {
                            ChangeKind::AddColumn { column, .. } => {
                                made.columns.insert((table.name.to_lowercase(), column.name.to_lowercase()));
                            }
                            // A table that was made and takes the name of another, as in a rebuild.
                            ChangeKind::RenameTable(new) if made.tables.contains(&table.name.to_lowercase()) => {
                                made.tables.insert(new.name.to_lowercase());
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        made
    }

    /// The table whose rows a statement changes, if they stay when what the revision has made is gone.
    fn changed<'d>(&self, deed: &'d Deed) -> Option<&'d Name> {
        let (table, columns) = match deed {
            Deed::Insert { table, .. } => (table, &[][..]),
            Deed::Update { table: Some(table), columns, .. } => (table, columns.as_slice()),
            Deed::Delete { table: Some(table), .. } => (table, &[][..]),
            Deed::Truncate { tables, .. } => (tables.first()?, &[][..]),
            _ => return None,
        };
        let name = table.name.to_lowercase();
        let is_new_column = |column: &String| self.columns.contains(&(name.clone(), column.to_lowercase()));
        let goes = self.tables.contains(&name) || !columns.is_empty() && columns.iter().all(is_new_column);
        (!goes).then_some(table)
    }
}

fn rows_back(case: &Case<'_>, findings: &mut Findings<'_>) {
    let Some(down) = case.down.as_ref().filter(|down| !down.statements.is_empty()) else { return };
    if says_irreversible(case) {
        return;
    }
    let mut touched = BTreeSet::new();
    for stated in &down.statements {
        touched.extend(touches(&stated.deed).into_iter().map(|name| name.name.to_lowercase()));
        // What was not understood may do it.
        if stated.unread.is_some() || matches!(stated.deed, Deed::Other) {
            return;
        }
    }
    let made = Made::by(case);
    let mut told = BTreeSet::new();
    for (index, stated) in case.up.statements.iter().enumerate() {
        let Some(table) = made.changed(&stated.deed) else { continue };
        let name = table.name.to_lowercase();
        if !touched.contains(&name) && told.insert(name) {
            let here = Here { index, stated };
            let message = format!("changes rows of `{}`, and the down section does not change them back", table.name);
            let help = "put back what was changed, or say in the header why this can't be undone";
            findings.add(&RAW, here.verb(), message).help(help);
        }
    }
}

/// Tables that a statement changes in any way.
fn touches(deed: &Deed) -> Vec<&Name> {
    match deed {
        Deed::Insert { table, .. } | Deed::AlterTable { table, .. } | Deed::CreateTable { name: table, .. } => {
            vec![table]
        }
        Deed::Update { table: Some(table), .. } | Deed::Delete { table: Some(table), .. } => vec![table],
        Deed::Truncate { tables, .. } => tables.iter().collect(),
        Deed::DropTable { names, .. } => names.iter().collect(),
        Deed::RenameTables(pairs) => pairs.iter().flat_map(|(old, new)| [old, new]).collect(),
        _ => Vec::new(),
    }
}

fn large(case: &Case<'_>, findings: &mut Findings<'_>) {
    let (settings, statements, bytes) = (case.settings, case.up.statements.len(), case.source.text.len());
    let help = "split it into steps that can be deployed one by one";
    if statements > settings.max_statements as usize {
        let message = format!("has {statements} statements, more than {}", settings.max_statements);
        findings.add(&LARGE, Place::File, message).help(help);
    } else if bytes > settings.max_bytes as usize {
        let message = format!("has {bytes} bytes, more than {}", settings.max_bytes);
        findings.add(&LARGE, Place::File, message).help(help);
    }
}

fn mixed(case: &Case<'_>, findings: &mut Findings<'_>) {
    let made = Made::by(case);
    let in_rebuild = |index: usize| case.rebuild_at(index).is_some();
    let statements = || case.up.statements.iter().enumerate().filter(|(index, _)| !in_rebuild(*index));
    let rows = statements().find(|(_, stated)| stated.deed.changes_data() && made.changed(&stated.deed).is_some());
    let Some((first, stated)) = rows else { return };
    let here = Here { index: first, stated };
    let after = statements().find(|(index, other)| *index > first && other.deed.changes_schema());
    if case.circumstances.dialect == Dialect::Mysql
        && case.source.revision.transactional
        && let Some((index, stated)) = after
    {
        let message = format!("commits the rows that were changed before, on line {}", here.stated.statement.line);
        let help = "put the rows into a revision of their own before";
        findings.add(&COMMITS, Here { index, stated }.verb(), message).help(help);
        return;
    }
    if statements().any(|(_, other)| other.deed.changes_schema()) {
        let message = "changes rows in a revision that changes tables as well";
        findings.add(&MIXED, here.verb(), message).help("put the rows into a revision after that of the tables");
    }
}
