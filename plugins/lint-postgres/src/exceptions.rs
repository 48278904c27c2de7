//! Where PostgreSQL does otherwise than the engine thinks: findings that are taken back. The command line of `squawk` has
//! them, so files that are compared with it keep them.

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::raw::Raw;
use crate::review::Review;
use crate::statements::Statement;
use crate::statements::range_of;
use crate::volatility;

/// Takes back what is not so.
pub(crate) fn apply(review: &Review, raws: &mut Vec<Raw>) {
    raws.retain(|raw| {
        let position = review.parsed.at(raw.range.start);
        position.is_none_or(|position| !is_wrong(review, raw, position))
    });
}

fn is_wrong(review: &Review, raw: &Raw, position: usize) -> bool {
    let statement = &review.parsed.statements[position];
    match raw.entry.name {
        "transaction-nesting" => ends_nothing(review, position),
        "adding-field-with-default" => is_kept_once(review, statement, raw),
        _ => false,
    }
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

/// Whether a default is computed once, so that no row is written.
fn is_kept_once(review: &Review, statement: &Statement, raw: &Raw) -> bool {
    let ast::Stmt::AlterTable(table) = &statement.node else { return false };
    let defaults = table.actions().filter_map(|action| match action {
        ast::AlterTableAction::AddColumn(add) => Some(add),
        _ => None,
    });
    let default =
        defaults.flat_map(|add| add.constraints().collect::<Vec<_>>()).find_map(|constraint| match constraint {
            ast::Constraint::DefaultConstraint(default) => {
                default.expr().filter(|expr| range_of(expr.syntax()).start == raw.range.start)
            }
            _ => None,
        });
    default.is_some_and(|expr| !volatility::is_computed_for_each_row(&expr, review.situation.version))
}
