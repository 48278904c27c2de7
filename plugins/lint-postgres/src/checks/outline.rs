//! What statements of the revision do elsewhere, collected once: rules about one statement look it up.

use std::collections::HashMap;
use std::collections::HashSet;

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use crate::names::Name;
use crate::statements::Statement;
use crate::subject;

/// What the statements do, by names without schemas.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Tables that get a primary key by a statement of their own.
    keyed: HashSet<String>,
    /// Columns that are made NOT NULL, by table and column.
    not_null: HashSet<(String, String)>,
    /// Columns of the indexes that are made.
    indexes: HashMap<String, Vec<String>>,
    /// Positions of the first statement that drops a table or a view.
    dropped: HashMap<String, usize>,
    /// The same of constraints.
    dropped_constraints: HashMap<String, usize>,
}

impl Outline {
    pub(super) fn new(statements: &[Statement]) -> Self {
        let mut outline = Outline::default();
        for (position, statement) in statements.iter().enumerate() {
            match &statement.node {
                ast::Stmt::AlterTable(table) => outline.altered(table, position),
                ast::Stmt::CreateIndex(index) => outline.made_index(index),
                ast::Stmt::DropTable(_) | ast::Stmt::DropView(_) | ast::Stmt::DropMaterializedView(_) => {
                    for object in subject::objects(&statement.node) {
                        outline.dropped.entry(object.name.name).or_insert(position);
                    }
                }
                _ => {}
            }
        }
        outline
    }

    pub(super) fn gets_primary_key(&self, table: &Name) -> bool {
        self.keyed.contains(&table.name)
    }

    pub(super) fn sets_not_null(&self, table: &Name, column: &str) -> bool {
        self.not_null.contains(&(table.name.clone(), column.to_owned()))
    }

    pub(super) fn columns_of_index(&self, index: &Name) -> Option<&[String]> {
        self.indexes.get(&index.name).map(Vec::as_slice)
    }

    /// Whether a statement up to a position drops a table or a view.
    pub(super) fn is_dropped(&self, relation: &str, position: usize) -> bool {
        self.dropped.get(relation).is_some_and(|dropped| *dropped <= position)
    }

    /// Whether a statement up to a position drops a constraint.
    pub(super) fn is_dropped_constraint(&self, constraint: &str, position: usize) -> bool {
        self.dropped_constraints.get(constraint).is_some_and(|dropped| *dropped <= position)
    }

    fn altered(&mut self, node: &ast::AlterTable, position: usize) {
        let Some(table) = Name::within(node.table_relation_name()) else { return };
        for action in node.actions() {
            match &action {
                ast::AlterTableAction::AddConstraint(add) => {
                    if matches!(add.constraint(), Some(ast::Constraint::PrimaryKeyConstraint(_))) {
                        self.keyed.insert(table.name.clone());
                    }
                }
                ast::AlterTableAction::AddColumn(add)
                    if add.constraints().any(|its| matches!(its, ast::Constraint::PrimaryKeyConstraint(_))) =>
                {
                    self.keyed.insert(table.name.clone());
                }
                ast::AlterTableAction::AlterColumn(alter) => {
                    if matches!(alter.option(), Some(ast::AlterColumnOption::SetNotNull(_)))
                        && let Some(column) = subject::column_of(&action)
                    {
                        self.not_null.insert((table.name.clone(), column));
                    }
                }
                ast::AlterTableAction::DropConstraint(drop) => {
                    if let Some(constraint) = Name::within(drop.constraint_name_ref()) {
                        self.dropped_constraints.entry(constraint.name).or_insert(position);
                    }
                }
                _ => {}
            }
        }
    }

    fn made_index(&mut self, node: &ast::CreateIndex) {
        if let (Some(name), Some(items)) = (Name::within(node.index()), node.partition_item_list()) {
            let columns = items.partition_items().filter_map(|item| Some(subject::written(item.expr()?.syntax())));
            self.indexes.insert(name.name, columns.collect());
        }
    }
}
