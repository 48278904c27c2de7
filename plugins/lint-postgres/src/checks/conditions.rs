//! Conditions: those that hold for no row, and those that hold for too many.

use runner_policy_sdk::Failure;
use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::Relation;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::catalogue;
use crate::knowledge;
use crate::names::Name;
use crate::statements::Statement;
use crate::subject;

impl Findings<'_> {
    /// `= NULL` and the like.
    pub(super) fn comparisons(&mut self, statement: &Statement) {
        for comparison in statement.node.syntax().descendants().filter_map(ast::BinExpr::cast) {
            let compares = matches!(
                comparison.op(),
                Some(
                    ast::BinOp::Eq(_)
                        | ast::BinOp::Neq(_)
                        | ast::BinOp::Neqb(_)
                        | ast::BinOp::LAngle(_)
                        | ast::BinOp::RAngle(_)
                        | ast::BinOp::Lteq(_)
                        | ast::BinOp::Gteq(_)
                )
            );
            if compares && [comparison.lhs(), comparison.rhs()].iter().flatten().any(is_null) {
                self.add_at("comparison-with-null", comparison.syntax(), "a comparison with NULL holds for no row")
                    .helped("write `IS NULL` or `IS NOT NULL`");
            }
        }
    }

    /// Rows of a large table that are changed by a condition other than a bounded piece of a key. What has no condition at
    /// all has a rule of its own.
    ///
    /// # Errors
    /// Facts were needed and could not be had.
    pub(super) fn many_rows(&mut self, statement: &Statement) -> Result<(), Failure> {
        let (table, condition) = match &statement.node {
            ast::Stmt::Update(update) => (Name::within(update.relation_name()), update.where_clause_or_current_of()),
            ast::Stmt::Delete(delete) => (Name::within(delete.relation_name()), delete.where_clause_or_current_of()),
            _ => return Ok(()),
        };
        let Some(ast::WhereClauseOrCurrentOf::WhereClause(condition)) = condition else { return Ok(()) };
        let (Some(table), Some(condition)) = (table, condition.expr()) else { return Ok(()) };
        let Some(relation) = self.review.knowledge.relation(&table)? else { return Ok(()) };
        if !knowledge::is_large(relation) || is_bounded(&condition, relation) {
            return Ok(());
        }
        let message = format!("many rows of `{table}` may be changed at once, and stay locked until the commit");
        let help = "change them in batches by the key, as in `AND id BETWEEN 1 AND 50000`, in a revision of their own";
        if let Some(raw) = self.add_whole("backfill-in-migration", statement, message).helped(help) {
            raw.entry = catalogue::capped(raw.entry, Severity::Warning);
        }
        Ok(())
    }
}

fn is_null(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::Literal(literal) => matches!(literal.kind(), Some(ast::LitKind::Null(_))),
        _ => false,
    }
}

/// Whether a condition pins the first column of a key, or bounds it from above: all parts of it have to hold.
fn is_bounded(condition: &ast::Expr, relation: &Relation) -> bool {
    match condition {
        ast::Expr::ParenExpr(inner) => inner.expr().is_some_and(|inner| is_bounded(&inner, relation)),
        ast::Expr::BetweenExpr(between) => {
            let column = between.syntax().children().find_map(ast::Expr::cast);
            between.not_token().is_none() && column.is_some_and(|column| is_key(&column, relation))
        }
        ast::Expr::BinExpr(parts) => {
            let (Some(one), Some(other)) = (parts.lhs(), parts.rhs()) else { return false };
            match parts.op() {
                Some(ast::BinOp::And(_)) => is_bounded(&one, relation) || is_bounded(&other, relation),
                Some(ast::BinOp::Eq(_)) => is_key(&one, relation) || is_key(&other, relation),
                Some(ast::BinOp::In(_) | ast::BinOp::LAngle(_) | ast::BinOp::Lteq(_)) => is_key(&one, relation),
                Some(ast::BinOp::RAngle(_) | ast::BinOp::Gteq(_)) => is_key(&other, relation),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether an expression is the first column of the primary key or of a unique index.
fn is_key(expression: &ast::Expr, relation: &Relation) -> bool {
    let name = match expression {
        ast::Expr::NameRef(name) => subject::written(name.syntax()),
        ast::Expr::FieldExpr(field) => match field.syntax().children().last() {
            Some(last) => subject::written(&last),
            None => return false,
        },
        _ => return false,
    };
    relation.columns.iter().any(|column| column.primary_key == Some(1) && column.name == name)
        || relation.indexes.iter().any(|index| index.unique && index.columns.first() == Some(&name))
}
