//! What a statement, or a place in it, is about.

use std::ops::Range;

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode;
use squawk_syntax::ast::NameLike as _;

use crate::names::Kind;
use crate::names::Name;
use crate::names::Object;
use crate::statements::Statement;
use crate::statements::range_of;

/// What a place in a statement is about.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    /// The objects that the statement changes, not those that it only looks at.
    pub(crate) objects: Vec<Object>,
    /// The column of the only object.
    pub(crate) column: Option<String>,
}

/// What places are about, for places in the order of the script.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    /// Where the statement begins that was looked at last.
    start: Option<usize>,
    /// Its actions, and the columns that they are about.
    actions: Vec<(Range<usize>, Option<String>)>,
    subject: Subject,
}

impl Subjects {
    /// What a place in a statement is about.
    pub(crate) fn at(&mut self, statement: &Statement, offset: usize) -> &Subject {
        if self.start != Some(statement.range.start) {
            self.start = Some(statement.range.start);
            self.subject.objects = objects(&statement.node);
            self.actions = match &statement.node {
                ast::Stmt::AlterTable(table) => {
                    table.actions().map(|action| (range_of(action.syntax()), column_of(&action))).collect()
                }
                _ => Vec::new(),
            };
        }
        let before = self.actions.partition_point(|(range, _)| range.start <= offset);
        let action = before.checked_sub(1).and_then(|index| self.actions.get(index));
        self.subject.column = action.filter(|(range, _)| offset < range.end).and_then(|(_, column)| column.clone());
        &self.subject
    }
}

/// The column that an action of `ALTER TABLE` is about.
pub(crate) fn column_of(action: &ast::AlterTableAction) -> Option<String> {
    match action {
        ast::AlterTableAction::AddColumn(add) => Some(add.column_name()?.text()),
        ast::AlterTableAction::AlterColumn(alter) => Some(alter.column_name_ref()?.text()),
        ast::AlterTableAction::DropColumn(drop) => Some(drop.column_name_ref()?.text()),
        ast::AlterTableAction::RenameColumn(rename) => Some(rename.column_name_ref()?.text()),
        _ => None,
    }
}

/// The objects that a statement changes.
pub(crate) fn objects(statement: &ast::Stmt) -> Vec<Object> {
    use ast::Stmt;
    let one = |kind: Kind, name: Option<Name>| name.map(|name| Object::new(kind, name)).into_iter().collect();
    match statement {
        Stmt::AlterTable(node) => one(Kind::Relation, Name::within(node.table_relation_name())),
        Stmt::AlterForeignTable(node) => one(Kind::Relation, Name::within(node.table_relation_name())),
        Stmt::CreateIndex(node) => one(Kind::Relation, Name::within(node.table_relation_name())),
        Stmt::CreateTrigger(node) => one(Kind::Relation, Name::within(node.on_relation())),
        Stmt::DropTrigger(node) => one(Kind::Relation, Name::within(node.on_relation())),
        Stmt::CreatePolicy(node) => one(Kind::Relation, Name::within(node.on_table())),
        Stmt::DropPolicy(node) => one(Kind::Relation, Name::within(node.on_table())),
        Stmt::DropRule(node) => one(Kind::Relation, Name::within(node.on_relation())),
        Stmt::Truncate(node) => {
            named(Kind::Relation, node.table_list().into_iter().flat_map(|list| list.table_relation_names()))
        }
        Stmt::DropTable(node) => named(Kind::Relation, node.table_name_refs()),
        Stmt::DropView(node) => named(Kind::Relation, node.view_refs()),
        Stmt::DropMaterializedView(node) => named(Kind::Relation, node.view_refs()),
        Stmt::DropSequence(node) => named(Kind::Relation, node.sequence_refs()),
        Stmt::DropIndex(node) => named(Kind::Index, node.index_refs()),
        Stmt::DropType(node) => named(Kind::Type, node.type_name_refs()),
        Stmt::DropDomain(node) => named(Kind::Type, node.domain_refs()),
        Stmt::DropSchema(node) => {
            node.schema_refs().map(|schema| Object::new(Kind::Schema, Name::bare(written(schema.syntax())))).collect()
        }
        Stmt::DropFunction(node) => {
            named(Kind::Function, node.function_sig_list().into_iter().flat_map(|list| list.function_sigs()))
        }
        Stmt::AlterIndex(node) => one(Kind::Index, Name::within(node.index_ref())),
        Stmt::AlterSequence(node) => one(Kind::Relation, Name::within(node.sequence_ref())),
        Stmt::AlterView(node) => one(Kind::Relation, Name::within(node.view_ref())),
        Stmt::AlterMaterializedView(node) => one(Kind::Relation, Name::within(node.view_ref())),
        Stmt::AlterType(node) => one(Kind::Type, Name::within(node.type_name_ref())),
        Stmt::AlterDomain(node) => one(Kind::Type, Name::within(node.domain_ref())),
        Stmt::Refresh(node) => one(Kind::Relation, Name::within(node.view_ref())),
        Stmt::Lock(node) => {
            named(Kind::Relation, node.relation_list().into_iter().flat_map(|list| list.relation_names()))
        }
        Stmt::Update(node) => one(Kind::Relation, Name::within(node.relation_name())),
        Stmt::Delete(node) => one(Kind::Relation, Name::within(node.relation_name())),
        Stmt::Insert(node) => one(Kind::Relation, Name::within(node.relation_name_ref())),
        Stmt::Merge(node) => one(Kind::Relation, Name::within(node.table_relation_name())),
        Stmt::Vacuum(node) => {
            named(Kind::Relation, node.table_and_columns_list().into_iter().flat_map(|list| list.table_and_columnss()))
        }
        Stmt::Cluster(node) => match node.cluster_legacy() {
            Some(legacy) => one(Kind::Relation, Name::within(legacy.on_path())),
            None => one(Kind::Relation, Name::within(node.table_name_ref())),
        },
        Stmt::Reindex(node) => match node.reindex_target() {
            Some(ast::ReindexTarget::ReindexTargetTable(target)) => {
                one(Kind::Relation, Name::within(target.table_name_ref()))
            }
            Some(ast::ReindexTarget::ReindexTargetIndex(target)) => one(Kind::Index, Name::within(target.index_ref())),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The names of the parts of a list.
fn named(kind: Kind, parts: impl Iterator<Item = impl AstNode>) -> Vec<Object> {
    parts.filter_map(|part| Name::first_in(part.syntax())).map(|name| Object::new(kind, name)).collect()
}

/// A name that is not a path, as the server understands it.
pub(crate) fn written(node: &SyntaxNode) -> String {
    ast::normalize_name_node(node)
}
