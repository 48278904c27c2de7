//! Indexes, and constraints that are made of them.

use runner_policy_sdk::Failure;
use runner_policy_sdk::facts::RelationKind;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;
use squawk_syntax::ast::NameLike as _;

use super::Advised as _;
use super::Findings;
use crate::names::Name;
use crate::names::Quoted;
use crate::server::Version;
use crate::statements::Statement;

/// Columns of an index beyond which another one seldom helps.
const WIDE: usize = 3;

impl Findings<'_> {
    pub(super) fn indexes(&mut self, statement: &Statement) -> Result<(), Failure> {
        match &statement.node {
            ast::Stmt::CreateIndex(node) => self.create_index(node, statement)?,
            ast::Stmt::Reindex(node) if node.is_concurrently() => self.corruption(statement),
            ast::Stmt::AlterTable(table) => {
                for action in table.actions() {
                    match action {
                        ast::AlterTableAction::AddConstraint(add) => self.added_constraint(table, &add)?,
                        ast::AlterTableAction::AddColumn(add) => self.checked_column(&add),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn create_index(&mut self, node: &ast::CreateIndex, statement: &Statement) -> Result<(), Failure> {
        let columns = node.partition_item_list().map_or(0, |list| list.partition_items().count());
        if node.unique_token().is_none() && columns > WIDE {
            self.add_whole("wide-index", statement, format!("the index has {columns} columns"))
                .helped("keep the first two or three, and `INCLUDE` what is only to be read");
        }
        if node.unique_token().is_some() {
            self.add_whole(
                "unique-index-on-existing-table",
                statement,
                "the unique index can't be built if a value is there twice",
            )
            .helped("look for values that are there twice in each environment first");
        }
        if node.concurrently_token().is_some() {
            self.corruption(statement);
            self.concurrent_of_parent(node, statement)?;
        }
        Ok(())
    }

    /// The server refuses to build an index of a partitioned table concurrently.
    fn concurrent_of_parent(&mut self, node: &ast::CreateIndex, statement: &Statement) -> Result<(), Failure> {
        let table = node.table_relation_name().filter(|table| table.only_token().is_none());
        let Some(name) = Name::within(table) else { return Ok(()) };
        let relation = self.review.knowledge.relation(&name)?;
        if relation.is_some_and(|relation| relation.kind == RelationKind::PartitionedTable) {
            let message = format!("`{name}` is partitioned, so PostgreSQL refuses to build the index concurrently");
            self.add_whole("concurrent-index-on-partitioned-table", statement, message).helped(
                "make it with `CREATE INDEX … ON ONLY` first, then concurrently for each partition, and attach these with `ALTER INDEX … ATTACH PARTITION`",
            );
        }
        Ok(())
    }

    fn corruption(&mut self, statement: &Statement) {
        let first = Version { major: 14, minor: 0 };
        let last = Version { major: 14, minor: 3 };
        if self.review.situation.version.is_some_and(|version| (first..=last).contains(&version)) {
            let message = "this version of PostgreSQL may leave rows out of an index that is built concurrently";
            self.add_whole("concurrent-index-corruption", statement, message)
                .helped("update the server to 14.4 or later first");
        }
    }

    /// A check that comes with its column is always valid: there is no `NOT VALID` for it.
    fn checked_column(&mut self, add: &ast::AddColumn) {
        // The command line of `squawk` does not have it.
        if self.review.is_plain {
            return;
        }
        for constraint in add.constraints() {
            if let ast::Constraint::CheckConstraint(check) = constraint {
                let message = "a check of a new column reads all rows while nobody can use the table";
                self.add_at("constraint-missing-not-valid", check.syntax(), message).helped(
                    "add the column without it, the check by `ADD CONSTRAINT … NOT VALID`, and validate that in a later revision",
                );
            }
        }
    }

    fn added_constraint(&mut self, table: &ast::AlterTable, add: &ast::AddConstraint) -> Result<(), Failure> {
        match add.constraint() {
            Some(ast::Constraint::ExcludeConstraint(node)) => {
                let message =
                    "an exclusion constraint reads all rows and builds its index while nobody can use the table";
                self.add_at("adding-exclusion-constraint", node.syntax(), message).helped(
                    "make a new table with the constraint and move rows in batches, or do it in a maintenance window",
                );
            }
            Some(ast::Constraint::PrimaryKeyConstraint(node)) => self.primary_key(table, &node)?,
            _ => {}
        }
        Ok(())
    }

    fn primary_key(&mut self, table: &ast::AlterTable, node: &ast::PrimaryKeyConstraint) -> Result<(), Failure> {
        let Some(name) = Name::within(table.table_relation_name()) else { return Ok(()) };
        let relation = self.review.knowledge.relation(&name)?;
        let columns = match node.using_index() {
            Some(using) => {
                let index = Name::within(using.index_ref());
                let made =
                    index.as_ref().and_then(|index| self.outline.columns_of_index(index)).map(<[String]>::to_vec);
                let facts = || {
                    let index = relation?
                        .indexes
                        .iter()
                        .find(|its| Some(&its.name) == index.as_ref().map(|index| &index.name))?;
                    Some(index.columns.clone())
                };
                made.or_else(facts)
            }
            None => node
                .index_parameters()
                .and_then(|parameters| parameters.column_list())
                .map(|list| list.column_name_refs().map(|column| column.text()).collect()),
        };
        let Some(relation) = relation else { return Ok(()) };
        let nullable: Vec<String> = columns
            .unwrap_or_default()
            .into_iter()
            .filter(|column| relation.columns.iter().any(|its| its.name == *column && its.nullable))
            .filter(|column| !self.outline.sets_not_null(&name, column))
            .map(|column| format!("`{}`", Quoted(&column)))
            .collect();
        if !nullable.is_empty() {
            let message = format!("all rows are read under the lock, because {} may be NULL", nullable.join(", "));
            self.add_at("primary-key-with-nullable-columns", node.syntax(), message)
                .helped("make the columns NOT NULL before, by way of a valid check constraint");
        }
        Ok(())
    }
}
