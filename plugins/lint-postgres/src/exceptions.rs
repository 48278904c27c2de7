//! Where PostgreSQL does otherwise than the engine thinks: findings that are taken back, or are less serious. The command
//! line of `squawk` has them as they are, so files that are compared with it keep them.

use std::collections::HashMap;
use std::collections::HashSet;

use runner_policy_sdk::Failure;
use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::RelationKind;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::catalogue;
use crate::names::Kind;
use crate::names::Name;
use crate::names::Object;
use crate::names::Quoted;
use crate::raw::Raw;
use crate::review::Review;
use crate::server::Version;
use crate::statements::Statement;
use crate::statements::range_of;
use crate::subject;
use crate::volatility;

/// Takes back what is not so.
///
/// # Errors
/// Facts were needed and could not be had.
pub(crate) fn apply(review: &Review, raws: Vec<Raw>) -> Result<Vec<Raw>, Failure> {
    let made = made(&review.parsed.statements);
    let once = kept_once(review);
    let mut kept = Vec::with_capacity(raws.len());
    for mut raw in raws {
        if let Some(position) = review.parsed.at(raw.range.start) {
            if is_wrong(review, &once, &raw, position)? {
                continue;
            }
            soften(review, &made, &mut raw, position);
            foretell(review, &mut raw, position)?;
        }
        kept.push(raw);
    }
    Ok(kept)
}

fn is_wrong(review: &Review, once: &HashSet<usize>, raw: &Raw, position: usize) -> Result<bool, Failure> {
    let statement = &review.parsed.statements[position];
    Ok(match raw.entry.name {
        "transaction-nesting" => ends_nothing(review, position),
        "adding-field-with-default" => once.contains(&raw.range.start),
        "constraint-missing-not-valid" => has_no_not_valid(statement, raw),
        "adding-not-nullable-field" => is_proven(review, statement, raw, position),
        "ban-char-field" => is_internal_type(review, raw),
        "require-concurrent-index-creation" => is_of_parent_only(review, statement)?,
        _ => false,
    })
}

/// Makes what can't do that much harm here less serious.
fn soften(review: &Review, made: &Made, raw: &mut Raw, position: usize) {
    raw.entry = catalogue::capped(raw.entry, most(review, made, raw, position));
    let statement = &review.parsed.statements[position];
    if raw.entry.name == "adding-foreign-key-constraint" && is_of_empty_column(statement, raw) {
        raw.entry = catalogue::capped(raw.entry, Severity::Warning);
        raw.message =
            "A new column with a foreign key takes a `SHARE ROW EXCLUSIVE` lock on the table that it refers to, and \
                       `ACCESS EXCLUSIVE` on its own; the column is empty, so no row is checked."
                .to_owned();
        raw.help = Some("Keep the transaction short, and limit how long it waits for the locks.".to_owned());
        raw.fix = None;
    }
}

/// How serious a finding is at most, for what the revision itself makes up for.
fn most(review: &Review, made: &Made, raw: &Raw, position: usize) -> Severity {
    let statement = &review.parsed.statements[position].node;
    let is_made_again = |old: &Object| {
        let made = made.get(&(old.kind, old.name.name.clone()));
        made.into_iter().flatten().any(|(at, name)| *at > position && name.may_be(&old.name))
    };
    match (raw.entry.name, statement) {
        // No client names them, or hardly any.
        ("renaming-object", ast::Stmt::AlterIndex(_)) => Severity::Info,
        ("renaming-object", ast::Stmt::AlterTable(table))
            if table.actions().all(|action| is_constraint_renamed(&action)) =>
        {
            Severity::Info
        }
        ("renaming-table", ast::Stmt::AlterTable(_)) | ("ban-drop-view" | "ban-drop-function", _) => {
            let objects = subject::objects(statement);
            let all = !objects.is_empty() && objects.iter().all(is_made_again);
            if all { Severity::Warning } else { Severity::Error }
        }
        _ => Severity::Error,
    }
}

fn is_constraint_renamed(action: &ast::AlterTableAction) -> bool {
    matches!(action, ast::AlterTableAction::RenameConstraint(_))
}

/// Views and functions that the statements make, with their positions.
type Made = HashMap<(Kind, String), Vec<(usize, Name)>>;

fn made(statements: &[Statement]) -> Made {
    let mut made = Made::new();
    for (position, statement) in statements.iter().enumerate() {
        let (kind, name) = match &statement.node {
            ast::Stmt::CreateView(node) => (Kind::Relation, Name::within(node.view())),
            ast::Stmt::CreateMaterializedView(node) => (Kind::Relation, Name::within(node.view())),
            ast::Stmt::CreateFunction(node) => (Kind::Function, Name::within(node.name())),
            _ => continue,
        };
        if let Some(name) = name {
            made.entry((kind, name.name.clone())).or_default().push((position, name));
        }
    }
    made
}

/// Says that `SET NOT NULL` fails where statistics know of NULLs.
fn foretell(review: &Review, raw: &mut Raw, position: usize) -> Result<(), Failure> {
    let statement = &review.parsed.statements[position];
    if raw.entry.name != "adding-not-nullable-field" {
        return Ok(());
    }
    let Some((table, column)) = made_not_null(statement, raw) else { return Ok(()) };
    let Some(relation) = review.knowledge.relation(&table)? else { return Ok(()) };
    let nulls = relation.columns.iter().find(|its| its.name == column).and_then(|its| its.null_fraction);
    if nulls.is_some_and(|nulls| nulls > 0.0) {
        let told = format!(" There are rows in which `{}` is NULL, and while there are it fails.", Quoted(&column));
        raw.message.push_str(&told);
    }
    Ok(())
}

/// Whether an earlier step has added and validated a check that says the same, which the server trusts.
fn is_proven(review: &Review, statement: &Statement, raw: &Raw, position: usize) -> bool {
    let trusts_checks = review.situation.version.unwrap_or(Version::ASSUMED).has(12);
    let made = made_not_null(statement, raw).filter(|_| trusts_checks);
    made.is_some_and(|(table, column)| review.proofs.hold(&table, &column, position))
}

/// The table and the column of the `SET NOT NULL` that a finding is about.
fn made_not_null(statement: &Statement, raw: &Raw) -> Option<(Name, String)> {
    let ast::Stmt::AlterTable(table) = &statement.node else { return None };
    let action = table.actions().find(|action| range_of(action.syntax()).contains(&raw.range.start))?;
    Some((Name::within(table.table_relation_name())?, subject::column_of(&action)?))
}

/// Whether the constraint is one of those that are made of an index, for which there is no `NOT VALID`. They have rules of
/// their own.
fn has_no_not_valid(statement: &Statement, raw: &Raw) -> bool {
    let ast::Stmt::AlterTable(table) = &statement.node else { return false };
    table.actions().any(|action| match action {
        ast::AlterTableAction::AddConstraint(add) => {
            range_of(add.syntax()).start == raw.range.start
                && matches!(
                    add.constraint(),
                    Some(
                        ast::Constraint::UniqueConstraint(_)
                            | ast::Constraint::PrimaryKeyConstraint(_)
                            | ast::Constraint::ExcludeConstraint(_)
                    )
                )
        }
        _ => false,
    })
}

/// Whether a foreign key is one of a new column that is NULL in all rows.
fn is_of_empty_column(statement: &Statement, raw: &Raw) -> bool {
    let ast::Stmt::AlterTable(table) = &statement.node else { return false };
    table.actions().any(|action| match action {
        ast::AlterTableAction::AddColumn(add) => {
            let is_filled = |constraint| {
                matches!(constraint, ast::Constraint::DefaultConstraint(_) | ast::Constraint::GeneratedConstraint(_))
            };
            range_of(add.syntax()).contains(&raw.range.start) && !add.constraints().any(is_filled)
        }
        _ => false,
    })
}

/// Whether a type is `"char"`, in quotes: one byte without spaces at its end.
fn is_internal_type(review: &Review, raw: &Raw) -> bool {
    let written = review.script.text().get(raw.range.clone()).unwrap_or_default();
    let name = written.strip_prefix("pg_catalog.").unwrap_or(written);
    name.starts_with("\"char\"")
}

/// Whether an index is made for a partitioned table without its partitions, which is over at once.
fn is_of_parent_only(review: &Review, statement: &Statement) -> Result<bool, Failure> {
    let ast::Stmt::CreateIndex(index) = &statement.node else { return Ok(false) };
    let Some(table) = index.table_relation_name().filter(|table| table.only_token().is_some()) else {
        return Ok(false);
    };
    let Some(name) = Name::within(Some(table)) else { return Ok(false) };
    let relation = review.knowledge.relation(&name)?;
    Ok(relation.is_none_or(|relation| relation.kind == RelationKind::PartitionedTable))
}

/// Whether a statement only goes back to a savepoint, or ends a transaction that the revision has begun and that the engine
/// thinks ended there.
fn ends_nothing(review: &Review, position: usize) -> bool {
    let statements = &review.parsed.statements;
    if goes_back_to_savepoint(&statements[position].node) {
        return true;
    }
    let is_end = matches!(statements[position].node, ast::Stmt::Commit(_) | ast::Stmt::Rollback(_));
    if review.situation.is_transactional || !is_end {
        return false;
    }
    let limit = statements[..position].iter().rev().find_map(|statement| match &statement.node {
        ast::Stmt::Begin(_) => Some(true),
        ast::Stmt::Commit(_) => Some(false),
        node @ ast::Stmt::Rollback(_) if !goes_back_to_savepoint(node) => Some(false),
        _ => None,
    });
    limit == Some(true)
}

fn goes_back_to_savepoint(statement: &ast::Stmt) -> bool {
    matches!(statement, ast::Stmt::Rollback(ast::Rollback::RollbackToSavepoint(_)))
}

/// Where defaults of new columns begin that are computed once, so that no row is written.
fn kept_once(review: &Review) -> HashSet<usize> {
    let mut starts = HashSet::new();
    for statement in &review.parsed.statements {
        let ast::Stmt::AlterTable(table) = &statement.node else { continue };
        for action in table.actions() {
            let ast::AlterTableAction::AddColumn(add) = action else { continue };
            for constraint in add.constraints() {
                if let ast::Constraint::DefaultConstraint(default) = constraint
                    && let Some(expr) = default.expr()
                    && !volatility::is_computed_for_each_row(&expr, review.situation.version)
                {
                    starts.insert(range_of(expr.syntax()).start);
                }
            }
        }
    }
    starts
}
