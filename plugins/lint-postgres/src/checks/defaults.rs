//! Defaults that a revision gives and takes again.

use std::collections::HashMap;
use std::ops::Range;

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::names::Name;
use crate::names::Quoted;
use crate::statements::range_of;
use crate::subject;

impl Findings<'_> {
    /// New columns that are NOT NULL and lose their default in the same revision, so that programs that do not know them can't
    /// insert any longer.
    pub(super) fn defaults(&mut self) {
        // The command line of `squawk` does not have it.
        if self.review.is_plain {
            return;
        }
        let mut added: HashMap<(String, String), Range<usize>> = HashMap::new();
        let mut required = Vec::new();
        for statement in self.review.parsed.statements.iter().filter(|statement| statement.is_sound) {
            let ast::Stmt::AlterTable(node) = &statement.node else { continue };
            let Some(table) = Name::within(node.table_relation_name()) else { continue };
            for action in node.actions() {
                let Some(column) = subject::column_of(&action) else { continue };
                let key = (table.name.clone(), column);
                match &action {
                    ast::AlterTableAction::AddColumn(add) if is_filled_and_required(add) => {
                        added.insert(key, range_of(action.syntax()));
                    }
                    ast::AlterTableAction::AlterColumn(alter) => match alter.option() {
                        Some(ast::AlterColumnOption::DropDefault(_)) => {
                            required.extend(added.remove(&key).map(|range| (key.1, range)));
                        }
                        Some(ast::AlterColumnOption::DropNotNull(_)) => {
                            added.remove(&key);
                        }
                        _ => {}
                    },
                    _ => {}
                }
            }
        }
        for (column, range) in required {
            let message = format!(
                "the new column `{}` is NOT NULL and loses its default in the same revision, so programs that do not know it can't insert",
                Quoted(&column)
            );
            self.add("adding-required-field", range, message)
                .helped("keep the default until all programs fill the column, and drop it in a later revision");
        }
    }
}

fn is_filled_and_required(add: &ast::AddColumn) -> bool {
    let has = |is: fn(&ast::Constraint) -> bool| add.constraints().any(|constraint| is(&constraint));
    has(|constraint| matches!(constraint, ast::Constraint::DefaultConstraint(_)))
        && has(|constraint| matches!(constraint, ast::Constraint::NotNullConstraint(_)))
}
