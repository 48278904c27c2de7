//! Statements that change or delete all rows.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::names::Name;
use crate::statements::Statement;
use crate::subject;

impl Findings<'_> {
    pub(super) fn rows(&mut self, statement: &Statement) {
        match &statement.node {
            ast::Stmt::Update(update) => self.update(update),
            ast::Stmt::Delete(delete) => self.delete(delete),
            ast::Stmt::Truncate(_) => {
                let names: Vec<String> =
                    subject::objects(&statement.node).into_iter().map(|object| format!("`{}`", object.name)).collect();
                let message = format!("all rows of {} are deleted", names.join(", "));
                self.add_whole("truncate-table", statement, message);
            }
            _ => {}
        }
        if let Some(with) = with_clause(&statement.node) {
            self.common(with.syntax());
        }
    }

    /// What common table expressions change.
    fn common(&mut self, with: &SyntaxNode) {
        for node in with.descendants() {
            if let Some(update) = ast::Update::cast(node.clone()) {
                self.update(&update);
            } else if let Some(delete) = ast::Delete::cast(node) {
                self.delete(&delete);
            }
        }
    }

    fn update(&mut self, update: &ast::Update) {
        if is_for_all(update.where_clause_or_current_of()) {
            let table = Name::within(update.relation_name()).map_or_else(String::new, |name| format!(" of `{name}`"));
            self.add_at("update-without-where", update.syntax(), format!("all rows{table} are changed"))
                .helped("say with WHERE which rows are meant, and change many in batches");
        }
    }

    fn delete(&mut self, delete: &ast::Delete) {
        if is_for_all(delete.where_clause_or_current_of()) {
            let table = Name::within(delete.relation_name()).map_or_else(String::new, |name| format!(" of `{name}`"));
            self.add_at("delete-without-where", delete.syntax(), format!("all rows{table} are deleted"))
                .helped("say with WHERE which rows are meant");
        }
    }
}

fn with_clause(statement: &ast::Stmt) -> Option<ast::WithClause> {
    match statement {
        ast::Stmt::Select(node) => node.with_clause(),
        ast::Stmt::Insert(node) => node.with_clause(),
        ast::Stmt::Update(node) => node.with_clause(),
        ast::Stmt::Delete(node) => node.with_clause(),
        ast::Stmt::Merge(node) => node.with_clause(),
        _ => None,
    }
}

/// Whether a condition is missing, or always true.
fn is_for_all(condition: Option<ast::WhereClauseOrCurrentOf>) -> bool {
    match condition {
        None => true,
        Some(ast::WhereClauseOrCurrentOf::WhereCurrentOf(_)) => false,
        Some(ast::WhereClauseOrCurrentOf::WhereClause(condition)) => {
            condition.expr().is_some_and(|expr| is_true(&expr))
        }
    }
}

/// Whether an expression says `true`, or `1 = 1`.
fn is_true(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::Literal(literal) => matches!(literal.kind(), Some(ast::LitKind::True(_))),
        ast::Expr::ParenExpr(inner) => inner.expr().is_some_and(|inner| is_true(&inner)),
        ast::Expr::BinExpr(comparison) => match (comparison.lhs(), comparison.rhs()) {
            (Some(ast::Expr::Literal(one)), Some(ast::Expr::Literal(other))) => {
                matches!(comparison.op(), Some(ast::BinOp::Eq(_)))
                    && one.syntax().to_string() == other.syntax().to_string()
            }
            _ => false,
        },
        _ => false,
    }
}
