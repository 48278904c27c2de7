//! What is said about a revision in its comments, and what is left to do there.

use runner_policy_sdk::revision_lint::Span;

use super::Case;
use super::Here;
use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::findings::Findings;
use crate::findings::Place;
use crate::rule::ADVICE;
use crate::rule::ALL;
use crate::rule::CAUTION;
use crate::rule::Rule;
use crate::settings::CommentRequired;

static MISSING: Rule = Rule::new(
    "missing-comment",
    ADVICE,
    ALL,
    &["RX014"],
    "Nothing says what a revision is for, or why it destroys data",
    r"
The title is what `runner history` shows, and the reason for dropping a column is what everybody wants to know a
year later. Wanted are a title, and, for statements that destroy data, a comment above or beside them, or free text
in the header.

```sql
-- migrate:up
ALTER TABLE visit DROP COLUMN notes;
```

Write why: `-- Notes moved to table remark in revision c3d4, kept in the backup of May.` The setting
`comment-required` may ask for less (`title`, `nothing`).",
);

pub(crate) static TODO: Rule = Rule::new(
    "todo-fixme",
    CAUTION,
    ALL,
    &[],
    "A comment says that something is left to do",
    r"
A revision can't be changed once it is applied, so what is left to do in it stays undone.

```sql
ALTER TABLE visit ADD COLUMN room TEXT; -- TODO: which type?
```

Do it before the revision is applied anywhere, or write down elsewhere what has to follow.",
);

pub(super) static RULES: &[&Rule] = &[&MISSING, &TODO];

pub(super) fn check(case: &Case<'_>, findings: &mut Findings<'_>) {
    let is_titled = !case.source.revision.title.trim().is_empty();
    if case.settings.comment_required != CommentRequired::Nothing && !is_titled {
        findings.add(&MISSING, Place::File, "has no title").help("say in the first line of the header what it is for");
    }
}

pub(super) fn check_statement(case: &Case<'_>, here: Here<'_>, findings: &mut Findings<'_>) {
    let wanted = case.settings.comment_required == CommentRequired::Dangerous;
    if !wanted
        || !case.source.revision.description.trim().is_empty()
        || !destroys(case, here)
        || is_commented(case, here)
    {
        return;
    }
    let message = "destroys data, and no comment says why";
    findings.add(&MISSING, here.verb(), message).help("say above the statement why the data may go");
}

/// Whether values that were there before the plan are gone after the statement.
fn destroys(case: &Case<'_>, here: Here<'_>) -> bool {
    if case.rebuild_at(here.index).is_some() {
        return false;
    }
    match &here.stated.deed {
        Deed::DropTable { names, temporary, .. } => !temporary && names.iter().any(|name| case.is_used(name)),
        Deed::Truncate { tables, .. } => tables.iter().any(|table| case.is_used(table)),
        Deed::DropDatabase(_) => true,
        Deed::Delete { table: Some(table), condition: None, .. } => case.is_used(table),
        Deed::AlterTable { table, changes, .. } if case.is_used(table) => {
            changes.iter().any(|change| match &change.what {
                ChangeKind::DropColumn { column, .. } => !case.target.is_added(table, &column.name),
                ChangeKind::DropPartition(_) | ChangeKind::TruncatePartition(_) => true,
                _ => false,
            })
        }
        _ => false,
    }
}

/// Whether a comment is in the statement, above it or after it on the same line.
fn is_commented(case: &Case<'_>, here: Here<'_>) -> bool {
    let statement = here.stated.statement;
    here.stated.has_comment || case.commented.contains(&(statement.line, statement.column))
}

/// A line of the file as a whole, without the white space around it.
pub(super) fn place_of_line(case: &Case<'_>, number: u32) -> Place<'static> {
    let Some(line) = number.checked_sub(1).and_then(|index| case.lines.get(index as usize)) else { return Place::File };
    let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let start = count(line) - count(line.trim_start());
    let span = Span { line: number, column: start + 1, end_line: number, end_column: count(line.trim_end()) + 1 };
    if span.end_column > span.column { Place::At(span) } else { Place::File }
}

/// Where a key of the header (in lower case) has a value.
pub(super) fn place_of_value(case: &Case<'_>, key: &str, value: &str) -> Place<'static> {
    let end = case.surroundings.sections.iter().map(|section| section.line).min().unwrap_or(u32::MAX);
    for (number, line) in (1..end).zip(&case.lines) {
        let bare = line.trim_start().trim_start_matches(['-', '#']).trim_start();
        let is_key = bare.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key))
            && bare[key.len()..].trim_start().starts_with(':');
        let lower = line.to_ascii_lowercase();
        let colon = lower.find(':').unwrap_or(0);
        if let Some(at) = lower[colon..].find(&value.to_ascii_lowercase()).filter(|_| is_key) {
            let column = u32::try_from(line[..colon + at].chars().count()).unwrap_or(0) + 1;
            let width = u32::try_from(value.chars().count()).unwrap_or(0);
            return Place::At(Span { line: number, column, end_line: number, end_column: column + width });
        }
    }
    Place::File
}
