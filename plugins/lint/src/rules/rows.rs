//! Changes of rows.

use std::collections::BTreeSet;

use super::Case;
use super::Here;
use super::is_elsewhere;
use crate::deed::Deed;
use crate::deed::Name;
use crate::deed::Rows;
use crate::findings::Findings;
use crate::lexeme::Kind;
use crate::lexeme::Lexeme;
use crate::lexeme::Lexemes;
use crate::rule::ADVICE;
use crate::rule::BOTH;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::FAULT;
use crate::rule::Rule;

static UPDATE: Rule = Rule::new(
    "update-without-where",
    DANGER,
    BOTH,
    &[],
    "An UPDATE changes every row of a table",
    r"
The values that were there are gone, and the whole table is locked while it is written. Often the condition was
forgotten. A condition that holds for every row, such as `WHERE 1 = 1`, is none.

```sql
UPDATE visit SET state = 'closed';
```

Say which rows are meant. To fill a column that the same revision has added, an UPDATE without a condition is fine,
and left alone.",
);

static DELETE: Rule = Rule::new(
    "delete-without-where",
    DANGER,
    BOTH,
    &["destructive"],
    "A DELETE removes every row of a table",
    r"
All rows are gone when the revision is committed. Often the condition was forgotten. A condition that holds for
every row, such as `WHERE 1 = 1`, is none.

```sql
DELETE FROM visit;
```

Say which rows have to go. If really all of them have to, say in a comment why, and keep a copy.",
);

static NULL: Rule = Rule::new(
    "comparison-with-null",
    CAUTION,
    BOTH,
    &[],
    "A comparison with NULL holds for no row",
    r"
`= NULL` and `<> NULL` are neither true nor false, so the statement finds nothing and says nothing.

```sql
UPDATE visit SET state = 'open' WHERE closed = NULL;
```

Write `IS NULL` or `IS NOT NULL`.",
);

static COLUMNS: Rule = Rule::new(
    "insert-without-columns",
    ADVICE,
    BOTH,
    &[],
    "An INSERT does not name its columns",
    r"
It fails, or puts values into the wrong columns, as soon as the table has another column or another order, for
example on a database that was migrated in another way.

```sql
INSERT INTO state VALUES (1, 'open');
```

Name them: `INSERT INTO state (id, name) VALUES (1, 'open');`",
);

static BACKFILL: Rule = Rule::new(
    "backfill-in-migration",
    DANGER,
    BOTH,
    &["backfilling"],
    "Many rows of a large table are changed in one statement",
    r"
All rows that are changed stay locked until the revision is committed, replicas fall behind, and on SQLite nobody
else can write at all. Found with facts about the target only: the table holds as many rows as `small-table-rows` or
more.

```sql
UPDATE visit SET day = DATE(started) WHERE day IS NULL;
```

Change rows in batches of a few thousand, each in a transaction of its own, by a job beside the migration or in a
revision with `Transaction: off` and `LIMIT`.",
);

static TWICE: Rule = Rule::new(
    "ban-duplicate-column-assignments",
    FAULT,
    BOTH,
    &[],
    "An UPDATE assigns the same column twice",
    r"
SQLite and MySQL take the last assignment and say nothing about the others, PostgreSQL refuses the statement. One of
the two is a mistake.

```sql
UPDATE visit SET state = 'open', state = 'closed' WHERE id = 1;
```

Assign each column once.",
);

pub(super) static RULES: &[&Rule] = &[&UPDATE, &DELETE, &NULL, &COLUMNS, &BACKFILL, &TWICE];

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    if is_elsewhere(case) {
        return;
    }
    if let Some(span) = &here.stated.null_comparison {
        let message = format!("`{}` holds for no row", here.text(span).trim());
        findings.add(&NULL, here.place(span), message).help("write `IS NULL` or `IS NOT NULL`");
    }
    match &here.stated.deed {
        Deed::Update { table: Some(table), columns, condition, limited } => {
            duplicates(here, columns, findings);
            let fills_new = !columns.is_empty() && columns.iter().all(|column| case.target.is_added(table, column));
            if case.is_used(table) && !fills_new && !chooses(case, here, condition.as_ref()) && !limited {
                let message = format!("changes every row of `{}` ({})", table.name, case.target.size(&table.name));
                findings.add(&UPDATE, here.verb(), message).help("say with WHERE which rows are meant");
            } else if !limited {
                backfill(case, here, table, condition.as_ref(), findings);
            }
        }
        Deed::Delete { table: Some(table), condition, limited } => {
            if case.is_used(table) && !chooses(case, here, condition.as_ref()) && !limited {
                let message = format!("removes every row of `{}` ({})", table.name, case.target.size(&table.name));
                findings.add(&DELETE, here.verb(), message).help("say with WHERE which rows have to go");
            } else if !limited {
                backfill(case, here, table, condition.as_ref(), findings);
            }
        }
        Deed::Insert { table, has_columns: false, rows, .. } if case.rebuild_at(here.index).is_none() => {
            let what = if *rows == Rows::Values { "values" } else { "the columns of a query" };
            let message = format!("puts {what} into the columns of `{}` by their order", table.name);
            findings.add(&COLUMNS, here.place(&table.span), message).help("name the columns");
        }
        _ => {}
    }
}

/// Whether a condition depends on the row: it names something.
fn chooses(case: &Case<'_>, here: Here<'_>, condition: Option<&std::ops::Range<usize>>) -> bool {
    const CONSTANTS: [&str; 7] = ["TRUE", "FALSE", "NULL", "AND", "OR", "NOT", "IS"];
    let Some(condition) = condition else { return false };
    if condition.is_empty() {
        // It is that of a join.
        return true;
    }
    let text = here.text(condition);
    Lexemes::new(text, case.circumstances.dialect).any(|lexeme| match lexeme.kind {
        Kind::Word => !CONSTANTS.iter().any(|word| lexeme.is_word(text, word)),
        Kind::Name => true,
        _ => false,
    })
}

fn duplicates(here: Here<'_>, columns: &[String], findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    if let Some(column) = columns.iter().find(|column| !seen.insert(column.to_lowercase())) {
        let message = format!("assigns `{column}` twice, and only the last one counts");
        findings.add(&TWICE, here.verb(), message).help("assign each column once");
    }
}

fn backfill(
    case: &Case<'_>,
    here: Here<'_>,
    table: &Name,
    condition: Option<&std::ops::Range<usize>>,
    findings: &mut Findings<'_>,
) {
    if !case.is_used(table) || !case.target.is_large(&table.name) {
        return;
    }
    if condition.is_some_and(|condition| names_rows(case, here, &table.name, condition)) {
        return;
    }
    let message = format!("changes rows of `{}` in one statement ({})", table.name, case.target.size(&table.name));
    let added = findings.add(&BACKFILL, here.verb(), message);
    let added = added.help("change them in batches, each in a transaction of its own");
    // How many rows a condition chooses is not known.
    if condition.is_some() {
        added.at_most(runner_policy_sdk::Severity::Warning);
    }
}

/// Whether a condition names its rows one by one, by the primary key or all columns of a unique index.
fn names_rows(case: &Case<'_>, here: Here<'_>, table: &str, condition: &std::ops::Range<usize>) -> bool {
    let text = here.text(condition);
    let lexemes: Vec<Lexeme> =
        Lexemes::new(text, case.circumstances.dialect).filter(|lexeme| lexeme.kind != Kind::Comment).collect();
    // `a = 1 OR …` names nothing, and `BETWEEN 1 AND 2` is parted into what is no comparison.
    if lexemes.iter().any(|lexeme| lexeme.is_word(text, "OR") || lexeme.is_word(text, "XOR")) {
        return false;
    }
    let parts = lexemes.split(|lexeme| lexeme.is_word(text, "AND"));
    let pinned: Vec<String> = parts.filter_map(|part| pinned(text, part)).collect();
    let is_pinned = |column: &str| pinned.iter().any(|name| name.eq_ignore_ascii_case(column));
    let Some(relation) = case.target.relation(table) else { return is_pinned("id") };
    let keys = || relation.columns.iter().filter(|column| column.primary_key.is_some());
    let by_key = keys().next().is_some() && keys().all(|column| is_pinned(&column.name));
    by_key
        || relation.indexes.iter().any(|index| {
            let is_whole = index.unique && index.predicate.is_none() && !index.columns.is_empty();
            is_whole && index.columns.iter().all(|column| is_pinned(column))
        })
}

/// The column of `t.a = 1` or `a IN (1, 2)`.
fn pinned(text: &str, part: &[Lexeme]) -> Option<String> {
    let is_name = |lexeme: &Lexeme| matches!(lexeme.kind, Kind::Word | Kind::Name);
    let (name, rest) = match part {
        [_, dot, name, rest @ ..] if dot.is_symbol(text, b'.') => (name, rest),
        [name, rest @ ..] => (name, rest),
        [] => return None,
    };
    let is_value = |lexeme: &Lexeme| matches!(lexeme.kind, Kind::Number | Kind::Text);
    let is_constant = match rest {
        [equals, value] | [equals, _, value] if equals.is_symbol(text, b'=') => {
            is_value(value) && (rest.len() == 2 || rest[1].is_symbol(text, b'-'))
        }
        [within, open, values @ .., close] if within.is_word(text, "IN") => {
            let is_separator = |lexeme: &Lexeme| lexeme.is_symbol(text, b',') || lexeme.is_symbol(text, b'-');
            open.is_symbol(text, b'(')
                && close.is_symbol(text, b')')
                && values.iter().all(|lexeme| is_value(lexeme) || is_separator(lexeme))
        }
        _ => false,
    };
    (is_name(name) && is_constant).then(|| crate::lexeme::unquoted(name.of(text)))
}
