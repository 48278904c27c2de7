//! What the engine's fixes lack: they change one statement, and a revision is more than that.

use std::ops::Range;

use runner_policy_sdk::revision_lint::FollowUp;
use squawk_syntax::SyntaxElement;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;
use squawk_syntax::ast::NameLike as _;

use crate::names::Name;
use crate::names::Quoted;
use crate::raw::Raw;
use crate::raw::RawFix;
use crate::review::Review;
use crate::statements::Statement;
use crate::statements::range_of;

/// Rules whose fix makes a statement one that refuses a transaction.
const CONCURRENT: [&str; 5] = [
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
    "require-concurrent-reindex",
    "require-concurrent-partition-detach",
    "prefer-repack",
];

/// Rules whose fix would write a limit of the engine's choice into the revision, where it is the runner's business: five
/// seconds are too few for an index, and `SET LOCAL` means nothing outside of a transaction.
const LIMITS: [(&str, &str); 2] = [
    ("require-lock-timeout", "Or set `lock-timeout` in `[database]`: the runner then does it for every revision."),
    (
        "require-statement-timeout",
        "Or set `statement-timeout` in `[database]`: the runner then does it for every revision.",
    ),
];

/// Makes fixes whole, takes back those that would break the revision, and adds some that the engine lacks.
pub(crate) fn complete(review: &Review, raws: &mut [Raw]) {
    let may_all_be_concurrent = review.parsed.statements.iter().all(|statement| has_concurrent_form(&statement.node));
    for raw in raws {
        if let Some((_, rest)) = LIMITS.iter().find(|(rule, _)| *rule == raw.entry.name) {
            raw.fix = None;
            raw.help = Some(raw.help.take().map_or_else(|| (*rest).to_owned(), |help| format!("{help} {rest}")));
        } else if CONCURRENT.contains(&raw.entry.name) {
            concurrently(review, raw, may_all_be_concurrent);
        } else if raw.entry.name == "constraint-missing-not-valid"
            && let Some(position) = review.parsed.at(raw.range.start)
        {
            raw.fix = not_valid(review, &review.parsed.statements[position], &raw.range);
        }
    }
}

/// The statement has to leave the transaction, and all others of the revision with it. That is no matter if they would be
/// outside of one as well.
fn concurrently(review: &Review, raw: &mut Raw, may_all_be_concurrent: bool) {
    if !review.situation.is_transactional {
        return;
    }
    if !may_all_be_concurrent {
        raw.fix = None;
        let rest = "It refuses a transaction, so move it to a revision of its own with the line `-- Transaction: off`.";
        raw.help = Some(raw.help.take().map_or_else(|| rest.to_owned(), |help| format!("{help} {rest}")));
    } else if let Some(fix) = &mut raw.fix {
        fix.transaction_off = true;
        fix.summary = format!("{}, outside of a transaction", fix.summary);
    }
}

/// Whether a statement may be written so that it refuses a transaction, or is.
fn has_concurrent_form(statement: &ast::Stmt) -> bool {
    match statement {
        ast::Stmt::CreateIndex(_)
        | ast::Stmt::DropIndex(_)
        | ast::Stmt::Reindex(_)
        | ast::Stmt::Vacuum(_)
        | ast::Stmt::Cluster(_)
        | ast::Stmt::Repack(_) => true,
        ast::Stmt::AlterTable(table) => {
            table.actions().all(|action| matches!(action, ast::AlterTableAction::DetachPartition(_)))
        }
        _ => false,
    }
}

/// A check or a foreign key is added without looking at the rows, and validated by a revision that follows.
fn not_valid(review: &Review, statement: &Statement, range: &Range<usize>) -> Option<RawFix> {
    let ast::Stmt::AlterTable(table) = &statement.node else { return None };
    let add = table.actions().find_map(|action| match action {
        ast::AlterTableAction::AddConstraint(add) if range_of(add.syntax()).start == range.start => Some(add),
        _ => None,
    })?;
    let constraint = add.constraint()?;
    let owner = Name::within(table.table_relation_name())?;
    let (named, default) = match &constraint {
        ast::Constraint::CheckConstraint(_) => (constraint.constraint_name(), None),
        ast::Constraint::ForeignKeyConstraint(key) => (constraint.constraint_name(), default_name(&owner, key)),
        _ => return None,
    };
    let mut edits = vec![(trimmed_end(review, add.syntax()), " NOT VALID".to_owned())];
    let name = match named {
        Some(name) => name.text(),
        None => {
            let name = default?;
            let start = range_of(constraint.syntax()).start;
            edits.insert(0, (start..start, format!("CONSTRAINT {} ", Quoted(&name))));
            name
        }
    };
    let name = Quoted(&name);
    Some(RawFix {
        summary: "Add the constraint `NOT VALID`, and validate it in a revision that follows".to_owned(),
        edits,
        transaction_off: false,
        follow_up: Some(FollowUp {
            title: format!("Validate the constraint {name} of {owner}"),
            up: format!("ALTER TABLE {owner} VALIDATE CONSTRAINT {name};\n"),
            down: "-- Nothing to undo: the constraint goes with the revision that added it.\n".to_owned(),
            transactional: true,
        }),
    })
}

/// The name that PostgreSQL gives to a foreign key of one column, unless it is taken or too long.
fn default_name(table: &Name, key: &ast::ForeignKeyConstraint) -> Option<String> {
    let mut columns = key.from_columns()?.column_name_refs();
    let (column, None) = (columns.next()?, columns.next()) else { return None };
    let name = format!("{}_{}_fkey", table.name, column.text());
    (name.len() < 64).then_some(name)
}

/// Where a piece of SQL ends, without white space and comments behind it.
fn trimmed_end(review: &Review, node: &squawk_syntax::SyntaxNode) -> Range<usize> {
    let range = range_of(node);
    let last = node
        .descendants_with_tokens()
        .filter_map(SyntaxElement::into_token)
        .filter(|token| !token.kind().is_trivia())
        .last();
    let end = last.map_or(range.end, |token| Range::<usize>::from(token.text_range()).end);
    let end = end.min(review.script.text().len());
    end..end
}
