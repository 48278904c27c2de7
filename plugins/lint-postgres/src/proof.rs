//! Checks that say `IS NOT NULL`: from PostgreSQL 12 on, `SET NOT NULL` trusts a valid one and reads no row. The engine knows
//! those of the same file; this knows those of earlier steps of the plan as well.

use runner_policy_sdk::revision_lint::Note;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;
use squawk_syntax::ast::NameLike as _;

use crate::names::Name;
use crate::names::Quoted;
use crate::statements::Statement;
use crate::subject;

/// A check that a column is not NULL.
#[derive(Clone, Debug)]
struct Check {
    table: Name,
    column: String,
    constraint: String,
    /// Position of the first statement for which it is valid.
    valid_from: usize,
    /// Position of the statement that drops it.
    until: usize,
}

/// All such checks that the plan makes.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    checks: Vec<Check>,
    notes: Vec<Note>,
}

const ADDED: &str = "checks not null ";
const VALID: &str = "holds not null ";
const DROPPED: &str = "drops constraint ";

impl Proofs {
    /// What earlier steps have noted, and what the statements add.
    pub(crate) fn new(notes: &[String], statements: &[Statement]) -> Self {
        let mut proofs = Proofs::default();
        for note in notes {
            proofs.read(note);
        }
        for (position, statement) in statements.iter().enumerate().filter(|(_, statement)| statement.is_sound) {
            if let ast::Stmt::AlterTable(table) = &statement.node {
                proofs.altered(table, position);
            }
        }
        proofs
    }

    /// Lines for the later steps of the plan.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Whether a valid check says that a column is not NULL when the statement at a position runs.
    pub(crate) fn hold(&self, table: &Name, column: &str, position: usize) -> bool {
        self.checks.iter().any(|check| {
            check.table.may_be(table)
                && check.column == column
                && check.valid_from <= position
                && position <= check.until
        })
    }

    fn altered(&mut self, node: &ast::AlterTable, position: usize) {
        let Some(table) = Name::within(node.table_relation_name()) else { return };
        for action in node.actions() {
            match action {
                ast::AlterTableAction::AddConstraint(add) => {
                    let Some(constraint) = add.constraint() else { continue };
                    self.added(&table, &constraint, position);
                }
                ast::AlterTableAction::ValidateConstraint(validate) => {
                    let Some(name) = Name::within(validate.constraint_name_ref()) else { continue };
                    self.validated(&table, &name.name, position + 1);
                }
                ast::AlterTableAction::DropConstraint(drop) => {
                    let Some(name) = Name::within(drop.constraint_name_ref()) else { continue };
                    if self.dropped(&table, &name.name, position) {
                        let text = format!("{DROPPED}{} of {table}", Quoted(&name.name));
                        self.notes.push(Note::about(&table.name, text));
                    }
                }
                _ => {}
            }
        }
    }

    fn added(&mut self, table: &Name, constraint: &ast::Constraint, position: usize) {
        let ast::Constraint::CheckConstraint(check) = constraint else { return };
        let Some(column) = check.expr().and_then(|expr| column_that_is_not_null(&expr)) else { return };
        let Some(name) = constraint.constraint_name() else { return };
        let is_valid = !constraint.is_not_valid();
        let valid_from = if is_valid { position + 1 } else { usize::MAX };
        let constraint = name.text();
        self.note(if is_valid { VALID } else { ADDED }, table, &column, &constraint);
        self.checks.push(Check { table: table.clone(), column, constraint, valid_from, until: usize::MAX });
    }

    fn validated(&mut self, table: &Name, constraint: &str, from: usize) {
        let mut columns = Vec::new();
        for check in &mut self.checks {
            if check.constraint == constraint && check.table.may_be(table) && check.until == usize::MAX {
                check.valid_from = check.valid_from.min(from);
                columns.push(check.column.clone());
            }
        }
        for column in columns {
            self.note(VALID, table, &column, constraint);
        }
    }

    /// Whether a check was dropped.
    fn dropped(&mut self, table: &Name, constraint: &str, position: usize) -> bool {
        let mut is_known = false;
        for check in &mut self.checks {
            if check.constraint == constraint && check.table.may_be(table) && check.until == usize::MAX {
                check.until = position;
                is_known = true;
            }
        }
        is_known
    }

    fn note(&mut self, verb: &str, table: &Name, column: &str, constraint: &str) {
        let what = Name { schema: Some(column.to_owned()), name: constraint.to_owned() };
        self.notes.push(Note::about(&table.name, format!("{verb}{what} of {table}")));
    }

    /// Reads a line that was noted here. Others are no matter.
    fn read(&mut self, note: &str) {
        let parts = |rest: &str| {
            let (what, table) = rest.split_once(" of ")?;
            Some((Name::read(what)?, Name::read(table)?))
        };
        if let Some((what, table)) = note.strip_prefix(DROPPED).and_then(parts) {
            self.checks.retain(|check| check.constraint != what.name || !check.table.may_be(&table));
            return;
        }
        let (valid_from, rest) = match (note.strip_prefix(VALID), note.strip_prefix(ADDED)) {
            (Some(rest), _) => (0, rest),
            (None, Some(rest)) => (usize::MAX, rest),
            (None, None) => return,
        };
        if let Some((Name { schema: Some(column), name: constraint }, table)) = parts(rest) {
            self.checks.push(Check { table, column, constraint, valid_from, until: usize::MAX });
        }
    }
}

/// The column of `column IS NOT NULL`.
fn column_that_is_not_null(expression: &ast::Expr) -> Option<String> {
    match expression {
        ast::Expr::ParenExpr(inner) => column_that_is_not_null(&inner.expr()?),
        ast::Expr::BinExpr(comparison) => {
            let is_not = matches!(comparison.op(), Some(ast::BinOp::IsNot(_)));
            let is_null = match comparison.rhs()? {
                ast::Expr::Literal(literal) => matches!(literal.kind(), Some(ast::LitKind::Null(_))),
                _ => false,
            };
            match comparison.lhs()? {
                ast::Expr::NameRef(name) if is_not && is_null => Some(subject::written(name.syntax())),
                _ => None,
            }
        }
        _ => None,
    }
}
