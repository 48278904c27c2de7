//! SQLite: whether a table that is made anew is the old one in all that nobody meant to change.

use std::ops::Range;

use super::Case;
use super::Here;
use super::columns;
use crate::deed::ConstraintKind;
use crate::deed::Deed;
use crate::deed::IndexKind;
use crate::deed::Name;
use crate::deed::Selection;
use crate::deed::Table;
use crate::findings::Findings;
use crate::rebuilding::Rebuild;
use crate::rule::CAUTION;
use crate::rule::DANGER;
use crate::rule::Rule;
use crate::rule::SQLITE;

static LOSES: Rule = Rule::new(
    "incomplete-table-rebuild",
    DANGER,
    SQLITE,
    &[],
    "A table is rebuilt without its indexes, triggers, foreign keys or some of its rows and values",
    r"
Indexes and triggers go with the table that is dropped, and foreign keys are those of the new definition. What is
not made again is missing from then on, and nothing says so: queries get slow, histories are no longer written.
That is found with facts about the target only. Rows and values that are not copied (`WHERE`, `LIMIT`, a join,
a shorter list of columns) are dropped with the old table.

```sql
CREATE TABLE new_visit (…);
INSERT INTO new_visit SELECT * FROM visit;
DROP TABLE visit;                       -- and its index with it
ALTER TABLE new_visit RENAME TO visit;
```

Copy all rows with all columns by name. Make all indexes and triggers of the table again at the end of the revision.",
);

static ORDER: Rule = Rule::new(
    "table-rebuild-order",
    CAUTION,
    SQLITE,
    &[],
    "A table is rebuilt by renaming the old one away first",
    r"
SQLite takes along what refers to a table when it is renamed: foreign keys, views and triggers then point to the old
table, which is dropped at the end, and to nothing after that.

```sql
ALTER TABLE visit RENAME TO old_visit;
CREATE TABLE visit (…);
INSERT INTO visit SELECT * FROM old_visit;
DROP TABLE old_visit;
```

Create the new table under another name, copy the rows, drop the old table, and rename the new one last.",
);

pub(super) static RULES: &[&Rule] = &[&LOSES, &ORDER];

pub(super) fn check(case: &Case<'_>, findings: &mut Findings<'_>) {
    for rebuild in &case.rebuilds {
        if rebuild.wrong_order {
            let here = Here { index: rebuild.steps[0], stated: &case.up.statements[rebuild.steps[0]] };
            let message = format!("renames `{}` away first, and what refers to it is renamed with it", rebuild.table);
            let help = "create the new table under another name, copy, drop the old one, and rename the new one last";
            findings.add(&ORDER, here.verb(), message).help(help);
        }
        if let Some((span, message)) = loss(case, rebuild) {
            let here = Here { index: rebuild.copied, stated: &case.up.statements[rebuild.copied] };
            let help = "copy all rows and name all columns on both sides; what may really go, delete by a statement of its own";
            findings.add(&LOSES, here.place(&span.unwrap_or_else(|| here.stated.verb.clone())), message).help(help);
        }
        // Whether something is lost is a question about a table that was there before.
        if case.is_used(&Name::bare(&rebuild.table)) && case.circumstances.dialect == runner_policy_sdk::Dialect::Sqlite
        {
            compare(case, rebuild, findings);
        }
    }
}

/// Finds the rebuilds that lose rows or values.
pub(super) fn judge(case: &mut Case<'_>) {
    let lossy: Vec<bool> = case.rebuilds.iter().map(|rebuild| loss(case, rebuild).is_some()).collect();
    for (rebuild, is_lossy) in case.rebuilds.iter_mut().zip(lossy) {
        rebuild.is_lossy = is_lossy;
    }
}

/// Which rows or values the copy leaves behind: where, and in words.
fn loss(case: &Case<'_>, rebuild: &Rebuild) -> Option<(Option<Range<usize>>, String)> {
    let is_made_here = case.up.statements[..rebuild.steps[0]]
        .iter()
        .any(|stated| matches!(&stated.deed, Deed::CreateTable { name, .. } if name.is(&rebuild.table)));
    if is_made_here || !case.is_used(&Name::bare(&rebuild.table)) {
        return None;
    }
    let copied = &case.up.statements[rebuild.copied];
    let Deed::Insert { columns, selection: Some(selection), .. } = &copied.deed else { return None };
    let Deed::CreateTable { table, .. } = &case.up.statements[rebuild.created].deed else { return None };
    let old = &rebuild.table;
    if let Some(span) = &selection.leaves_out {
        let word = copied.statement.text.get(span.clone()).unwrap_or_default();
        return Some((Some(span.clone()), format!("copies only some rows of `{old}`: `{word}` leaves out the others")));
    }
    match &selection.from {
        Some(from) if from.eq_ignore_ascii_case(&rebuild.source) => {}
        from => {
            let from = from.as_ref().map_or_else(|| "a query".to_owned(), |from| format!("`{from}`"));
            return Some((None, format!("copies rows of {from}, which may be only some rows of `{old}`")));
        }
    }
    let made = table.columns.iter().filter(|column| column.generated.is_none()).map(|column| column.name.as_str());
    let made: Vec<&str> = if table.derived { Vec::new() } else { made.collect() };
    lost_columns(case, rebuild, &made, columns, selection).map(|message| (None, message))
}

fn lost_columns(
    case: &Case<'_>,
    rebuild: &Rebuild,
    made: &[&str],
    listed: &[String],
    selection: &Selection,
) -> Option<String> {
    let old = &rebuild.table;
    let has = |names: &[&str], wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let known = case.target.relation(old).map(|relation| &relation.columns).filter(|columns| !columns.is_empty());
    let known: Option<Vec<&str>> = known.map(|columns| columns.iter().map(|column| column.name.as_str()).collect());
    let filled: Vec<&str> = if listed.is_empty() { made.to_vec() } else { listed.iter().map(String::as_str).collect() };
    // Without facts any column of the new table may have been one of the old table.
    let were = known.as_deref().unwrap_or(made);
    let lost = were.iter().filter(|name| has(made, name) && !has(&filled, name));
    let lost: Vec<String> = lost.map(|name| format!("`{name}`")).collect();
    if !lost.is_empty() {
        return Some(format!("copies only some columns of `{old}`: {} stays empty", lost.join(", ")));
    }
    let mut chosen: Vec<&str> = Vec::new();
    for item in &selection.items {
        match item.as_str() {
            "*" => chosen.extend(known.as_ref()?),
            name => chosen.push(name),
        }
    }
    if chosen.len() != filled.len() {
        return None;
    }
    let moved = chosen.iter().zip(&filled).find(|(from, to)| !from.eq_ignore_ascii_case(to) && has(&filled, from));
    moved.map(|(from, to)| format!("copies `{old}.{from}` into `{to}`: the columns are in another order"))
}

fn compare(case: &Case<'_>, rebuild: &Rebuild, findings: &mut Findings<'_>) {
    let Some(old) = case.target.relation(&rebuild.table) else { return };
    let here = |index: usize| Here { index, stated: &case.up.statements[index] };
    let created = here(rebuild.created);
    let Deed::CreateTable { name, table } = &created.stated.deed else { return };
    let dropped = here(rebuild.steps[if rebuild.wrong_order { 3 } else { 2 }]);
    let after = &case.up.statements[rebuild.copied..];
    let mut lost = Vec::new();
    for index in old.indexes.iter().filter(|index| !index.primary && !index.name.starts_with("sqlite_autoindex_")) {
        if !after.iter().any(|stated| makes_index(&stated.deed, &rebuild.table, &name.name, index)) {
            lost.push(format!("the index `{}`", index.name));
        }
    }
    for trigger in &old.triggers {
        let again = after
            .iter()
            .any(|stated| matches!(&stated.deed, Deed::CreateTrigger { name, .. } if name.is(&trigger.name)));
        if !again {
            lost.push(format!("the trigger `{}`", trigger.name));
        }
    }
    if !table.derived {
        for key in old.foreign_keys.iter().filter(|key| !keeps_key(table, key)) {
            lost.push(format!("the foreign key to `{}`", key.referenced_table));
        }
    }
    if !lost.is_empty() {
        let message = format!("rebuilds `{}` without {}", rebuild.table, lost.join(", "));
        let help = "make again what was there before, at the end of the same revision";
        findings.add(&LOSES, dropped.verb(), message).help(help);
    }
    compare_columns(case, created, old, table, findings);
}

fn makes_index(deed: &Deed, table: &str, new: &str, index: &runner_policy_sdk::facts::Index) -> bool {
    let Deed::CreateIndex { table: on, index: made, .. } = deed else { return false };
    let same_columns = made.columns.len() == index.columns.len()
        && made.columns.iter().zip(&index.columns).all(|(made, known)| made.eq_ignore_ascii_case(known))
        && (made.kind == IndexKind::Unique || !index.unique);
    (on.is(table) || on.is(new)) && (same_columns || made.name.as_ref().is_some_and(|name| name.is(&index.name)))
}

fn keeps_key(table: &Table, key: &runner_policy_sdk::facts::ForeignKey) -> bool {
    let of_column = table.columns.iter().any(|column| {
        let refers = column.references.as_ref().is_some_and(|reference| reference.table.is(&key.referenced_table));
        refers && key.columns.len() == 1 && column.name.eq_ignore_ascii_case(&key.columns[0])
    });
    of_column
        || table.constraints.iter().any(|constraint| {
            matches!(&constraint.what, ConstraintKind::ForeignKey { columns, reference }
                if reference.table.is(&key.referenced_table)
                    && columns.len() == key.columns.len()
                    && columns.iter().zip(&key.columns).all(|(a, b)| a.eq_ignore_ascii_case(b)))
        })
}

/// Columns that are left out lose their values, and columns that become NOT NULL may make the copy fail.
fn compare_columns(
    case: &Case<'_>,
    created: Here<'_>,
    old: &runner_policy_sdk::facts::Relation,
    table: &Table,
    findings: &mut Findings<'_>,
) {
    if table.derived {
        return;
    }
    let Deed::CreateTable { name, .. } = &created.stated.deed else { return };
    for known in &old.columns {
        let Some(column) = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&known.name)) else {
            let message = format!("rebuilds `{}` without `{}` ({})", old.name, known.name, case.target.size(&old.name));
            let help = "deploy a version that does not use the column first, and keep a copy of its values";
            findings.add(&columns::DROP_COLUMN, created.place(&name.span), message).help(help);
            continue;
        };
        if column.not_null && known.nullable && known.primary_key.is_none() {
            let message = format!("`{}.{}` becomes NOT NULL ({})", old.name, known.name, case.target.size(&old.name));
            let help = format!("copy with `COALESCE({}, …)`, or fill the rows that hold NULL before", known.name);
            findings.add(&columns::NOT_NULL, created.place(&column.span), message).help(help);
        }
        let written = column.data_type.name.to_lowercase();
        let was = known.data_type.split('(').next().unwrap_or_default().trim().to_lowercase();
        // SQLite keeps values by the affinity of a type, and enforces no lengths.
        if affinity(&written) != affinity(&was) && !was.is_empty() {
            let message = format!(
                "`{}.{}` changes from {} to {}: values may not fit",
                old.name, known.name, known.data_type, written
            );
            let help = "look at the values that are there first, and convert them when they are copied";
            findings.add(&columns::CHANGE_TYPE, created.place(&column.data_type.span), message).help(help);
        }
    }
}

/// The affinity that SQLite finds in the words of a type, in lower case.
fn affinity(data_type: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| data_type.contains(word));
    match () {
        () if has(&["int"]) => "integer",
        () if has(&["char", "clob", "text"]) => "text",
        () if has(&["blob"]) || data_type.is_empty() => "blob",
        () if has(&["real", "floa", "doub"]) => "real",
        () => "numeric",
    }
}
