//! Statements that read and write rows, and queries within others.

use std::collections::HashSet;

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Level;
use super::Locks;
use crate::names::Name;
use crate::subject;

impl Locks<'_> {
    pub(super) fn queries(&mut self, statement: &ast::Stmt) {
        match statement {
            ast::Stmt::Insert(node) => {
                self.take(Name::within(node.relation_name_ref()), Level::RowExclusive);
                // Rows that are written out hold no tables, and there may be very many.
                let is_written_out = matches!(
                    node.insert_source(),
                    Some(
                        ast::InsertSource::SelectVariant(ast::SelectVariant::Values(_))
                            | ast::InsertSource::DefaultValues(_)
                    )
                );
                if !is_written_out || node.with_clause().is_some() {
                    self.query(node.syntax());
                }
            }
            ast::Stmt::Copy(node) => {
                let level = match node.copy_direction() {
                    Some(ast::CopyDirection::CopyFrom(_)) => Level::RowExclusive,
                    _ => Level::AccessShare,
                };
                self.take(node.copy_table().and_then(|table| Name::within(table.table_name_ref())), level);
                if let Some(query) = node.copy_query() {
                    self.query(query.syntax());
                }
            }
            ast::Stmt::Update(_)
            | ast::Stmt::Delete(_)
            | ast::Stmt::Merge(_)
            | ast::Stmt::Select(_)
            | ast::Stmt::SelectInto(_)
            | ast::Stmt::CompoundSelect(_)
            | ast::Stmt::ParenSelect(_)
            | ast::Stmt::Table(_)
            | ast::Stmt::Explain(_)
            | ast::Stmt::Declare(_)
            | ast::Stmt::CreateTableAs(_)
            | ast::Stmt::CreateView(_)
            | ast::Stmt::CreateMaterializedView(_) => self.query(statement.syntax()),
            _ => {}
        }
    }

    /// What a query and all of its parts read and write.
    fn query(&mut self, query: &SyntaxNode) {
        let common: HashSet<String> = query
            .descendants()
            .filter_map(ast::WithTable::cast)
            .filter_map(|table| Some(subject::written(table.name()?.syntax())))
            .collect();
        for node in query.descendants() {
            let (name, level) = if let Some(node) = ast::RelationFromItem::cast(node.clone()) {
                let level = if locks_rows(node.syntax()) { Level::RowShare } else { Level::AccessShare };
                (Name::within(node.relation_name_ref()), level)
            } else if let Some(node) = ast::Table::cast(node.clone()) {
                (Name::first_in(node.syntax()), Level::AccessShare)
            } else if let Some(node) = ast::Update::cast(node.clone()) {
                (Name::within(node.relation_name()), Level::RowExclusive)
            } else if let Some(node) = ast::Delete::cast(node.clone()) {
                (Name::within(node.relation_name()), Level::RowExclusive)
            } else if let Some(node) = ast::Insert::cast(node.clone()) {
                (Name::within(node.relation_name_ref()), Level::RowExclusive)
            } else if let Some(node) = ast::Merge::cast(node) {
                (Name::within(node.table_relation_name()), Level::RowExclusive)
            } else {
                continue;
            };
            let is_common = name.as_ref().is_some_and(|name| name.schema.is_none() && common.contains(&name.name));
            if !is_common {
                self.take(name, level);
            }
        }
    }
}

/// Whether the query that reads from here says `FOR UPDATE` or the like.
fn locks_rows(item: &SyntaxNode) -> bool {
    let query = item.ancestors().find_map(ast::Select::cast);
    let mut clauses = query.into_iter().flat_map(|query| query.tail_clauses());
    clauses.any(|clause| matches!(clause, ast::SelectTailClause::LockingClause(_)))
}
