//! Indexes, and statements that look after tables.

use runner_policy_sdk::Failure;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Level;
use super::Locks;
use super::Told as _;
use crate::names::Kind;
use crate::names::Name;

impl Locks<'_> {
    pub(super) fn maintenance(&mut self, statement: &ast::Stmt) -> Result<(), Failure> {
        match statement {
            ast::Stmt::CreateIndex(node) => {
                let is_concurrent = node.concurrently_token().is_some();
                let level = if is_concurrent { Level::ShareUpdateExclusive } else { Level::Share };
                self.take(Name::within(node.table_relation_name()), level).scanned();
            }
            ast::Stmt::DropIndex(node) => {
                let is_concurrent = node.concurrently_token().is_some();
                let level = if is_concurrent { Level::ShareUpdateExclusive } else { Level::AccessExclusive };
                for index in node.index_refs().filter_map(|index| Name::first_in(index.syntax())) {
                    self.take_index(&index, level, level)?;
                }
            }
            ast::Stmt::AlterIndex(node) => self.alter_index(node),
            ast::Stmt::Reindex(node) => self.reindex(node)?,
            ast::Stmt::Vacuum(node) => self.vacuum(node),
            ast::Stmt::Analyze(node) => match node.table_and_columns_list() {
                Some(list) => {
                    let tables: Vec<Name> =
                        list.table_and_columnss().filter_map(|table| Name::first_in(table.syntax())).collect();
                    self.take_all(tables, Level::ShareUpdateExclusive);
                }
                None => self.take_described("all tables, one after the other", Level::ShareUpdateExclusive),
            },
            ast::Stmt::Cluster(node) => {
                let table = match node.cluster_legacy() {
                    Some(legacy) => Name::within(legacy.on_path()),
                    None => Name::within(node.table_name_ref()),
                };
                if table.is_none() {
                    self.take_described("all clustered tables, one after the other", Level::AccessExclusive);
                    self.found.last_mut().rewritten();
                }
                self.take(table, Level::AccessExclusive).rewritten();
            }
            ast::Stmt::Repack(node) => {
                let is_concurrent = node.syntax().descendants_with_tokens().any(|element| {
                    element.into_token().is_some_and(|token| token.text().eq_ignore_ascii_case("concurrently"))
                });
                let level = if is_concurrent { Level::ShareUpdateExclusive } else { Level::AccessExclusive };
                self.take(Name::first_in(node.syntax()), level).rewritten();
            }
            _ => {}
        }
        Ok(())
    }

    fn alter_index(&mut self, node: &ast::AlterIndex) {
        let index = Name::within(node.index_ref());
        let light =
            |from: u32| if self.version().has(from) { Level::ShareUpdateExclusive } else { Level::AccessExclusive };
        let level = match node.action() {
            Some(ast::AlterIndexAction::IndexRenameTo(_)) => light(12),
            Some(ast::AlterIndexAction::SetOptions(_) | ast::AlterIndexAction::ResetOptions(_)) => {
                Level::ShareUpdateExclusive
            }
            Some(ast::AlterIndexAction::AlterSetStatistics(_)) => Level::ShareUpdateExclusive,
            Some(ast::AlterIndexAction::AttachIndexPartition(attach)) => {
                self.take_object(Kind::Index, Name::within(attach.index_ref()), Level::AccessExclusive);
                Level::ShareUpdateExclusive
            }
            _ => Level::AccessExclusive,
        };
        self.take_object(Kind::Index, index, level);
    }

    fn reindex(&mut self, node: &ast::Reindex) -> Result<(), Failure> {
        let is_concurrent = node.is_concurrently()
            || node.reindex_option_list().is_some_and(|list| {
                list.reindex_options().any(|option| matches!(option, ast::ReindexOption::ReindexOptionConcurrently(_)))
            });
        let (on_table, on_index) = match is_concurrent {
            true => (Level::ShareUpdateExclusive, Level::ShareUpdateExclusive),
            false => (Level::Share, Level::AccessExclusive),
        };
        match node.reindex_target() {
            Some(ast::ReindexTarget::ReindexTargetTable(target)) => {
                let lock = self.take(Name::within(target.table_name_ref()), on_table).scanned();
                if !is_concurrent {
                    lock.remarked("its indexes are locked with ACCESS EXCLUSIVE, for which most queries wait as well");
                }
            }
            Some(ast::ReindexTarget::ReindexTargetIndex(target)) => {
                if let Some(index) = Name::within(target.index_ref()) {
                    self.take_index(&index, on_index, on_table)?.scanned();
                }
            }
            _ => {
                self.take_described("tables with indexes, one after the other", on_table);
                self.found.last_mut().scanned();
            }
        }
        Ok(())
    }

    fn vacuum(&mut self, node: &ast::Vacuum) {
        let is_full = node.is_full();
        let level = if is_full { Level::AccessExclusive } else { Level::ShareUpdateExclusive };
        let Some(list) = node.table_and_columns_list() else {
            self.take_described("all tables, one after the other", level);
            if is_full {
                self.found.last_mut().rewritten();
            }
            return;
        };
        for table in list.table_and_columnss() {
            let lock = self.take(Name::first_in(table.syntax()), level);
            if is_full {
                lock.rewritten();
            } else {
                lock.scanned();
            }
        }
    }
}
