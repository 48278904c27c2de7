//! What a transaction has to do with it.

use std::collections::HashSet;

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::novelty::Newness;
use crate::raw::RawFix;
use crate::statements::Statement;
use crate::subject;

impl Findings<'_> {
    pub(super) fn transactions(&mut self, statement: &Statement) {
        if self.review.situation.is_transactional {
            self.refusal(statement);
        }
    }

    /// What PostgreSQL does not run in a transaction.
    fn refusal(&mut self, statement: &Statement) {
        let Some(what) = self.refuses(&statement.node) else { return };
        let is_alone = self.review.parsed.statements.len() == 1;
        let finding = self
            .add_whole("missing-transaction-off", statement, format!("{what} refuses to run inside of a transaction"))
            .helped(if is_alone {
                "write the line `-- Transaction: off` into the header"
            } else {
                "put it into a revision of its own, with the line `-- Transaction: off` in the header"
            });
        if is_alone {
            finding.fixed(RawFix {
                summary: "Write `Transaction: off` into the header".to_owned(),
                edits: Vec::new(),
                transaction_off: true,
                follow_up: None,
            });
        }
    }

    fn refuses(&self, statement: &ast::Stmt) -> Option<&'static str> {
        use ast::Stmt;
        let is_alone = self.review.parsed.statements.len() == 1;
        Some(match statement {
            // With other statements the engine has a rule for it.
            Stmt::CreateIndex(node) if node.concurrently_token().is_some() && is_alone => "CREATE INDEX CONCURRENTLY",
            Stmt::DropIndex(node) if node.concurrently_token().is_some() => "DROP INDEX CONCURRENTLY",
            Stmt::Reindex(node) if node.is_concurrently() => "REINDEX CONCURRENTLY",
            Stmt::Reindex(node) => match node.reindex_target()? {
                ast::ReindexTarget::ReindexTargetDatabase(_) => "REINDEX DATABASE",
                ast::ReindexTarget::ReindexTargetSystem(_) => "REINDEX SYSTEM",
                ast::ReindexTarget::ReindexTargetSchema(_) => "REINDEX SCHEMA",
                _ => return None,
            },
            Stmt::Vacuum(_) => "VACUUM",
            Stmt::Cluster(node) if node.cluster_legacy().is_none() && node.table_name_ref().is_none() => {
                "CLUSTER of all tables"
            }
            Stmt::AlterSystem(_) => "ALTER SYSTEM",
            Stmt::CreateDatabase(_) => "CREATE DATABASE",
            Stmt::DropDatabase(_) => "DROP DATABASE",
            Stmt::CreateTablespace(_) => "CREATE TABLESPACE",
            Stmt::DropTablespace(_) => "DROP TABLESPACE",
            Stmt::AlterTable(table) => {
                let detaches = table.actions().any(|action| match action {
                    ast::AlterTableAction::DetachPartition(detach) => {
                        matches!(
                            detach.detach_partition_option(),
                            Some(ast::DetachPartitionOption::DetachConcurrently(_))
                        )
                    }
                    _ => false,
                });
                return detaches.then_some("DETACH PARTITION CONCURRENTLY");
            }
            Stmt::AlterType(node) => {
                let adds = matches!(node.action(), Some(ast::AlterTypeAction::AddValue(_)));
                let is_old = self.review.situation.version.is_some_and(|version| !version.has(12));
                return (adds && is_old).then_some("ALTER TYPE … ADD VALUE before PostgreSQL 12");
            }
            _ => return None,
        })
    }

    /// Values of enums that the same transaction adds.
    fn new_values(&mut self) {
        let review = self.review;
        let mut added: HashSet<String> = HashSet::new();
        let sound = review.parsed.statements.iter().enumerate().filter(|(_, statement)| statement.is_sound);
        for (position, statement) in sound {
            if let ast::Stmt::AlterType(node) = &statement.node {
                let ty = subject::objects(&statement.node);
                // The values of a type that the same transaction makes can be used at once.
                let is_new = ty.iter().any(|ty| review.novelty.of(ty, position) == Newness::New);
                if let Some(ast::AlterTypeAction::AddValue(add)) = node.action().filter(|_| !is_new) {
                    added.extend(add.literal().and_then(|literal| literal.string_value()));
                }
                continue;
            }
            if added.is_empty() || matches!(statement.node, ast::Stmt::CommentOn(_) | ast::Stmt::Do(_)) {
                continue;
            }
            let mut literals = statement.node.syntax().descendants().filter_map(ast::Literal::cast);
            let used = literals.find_map(|literal| {
                let value = literal.string_value()?;
                added.contains(&value).then_some((literal, value))
            });
            if let Some((literal, value)) = used {
                let message = format!("`{value}` can be used after the commit of the transaction that adds it");
                self.add_at("new-enum-value-used", literal.syntax(), message).helped("use it in a later revision");
            }
        }
    }

    /// What is about the revision as a whole.
    pub(super) fn revision(&mut self) {
        if self.review.situation.is_transactional {
            self.new_values();
        }
        let review = self.review;
        let statements = &review.parsed.statements;
        let changes = |statement: &&Statement| {
            !matches!(statement.node, ast::Stmt::Set(_) | ast::Stmt::Show(_) | ast::Stmt::Reset(_))
        };
        let count = statements.iter().filter(changes).count();
        if review.situation.is_transactional || review.is_plain || count < 2 {
            return;
        }
        if let Some(second) = statements.iter().filter(changes).nth(1) {
            let message = format!(
                "the {count} statements of the revision run one by one, and a failure leaves the first ones done"
            );
            self.add_whole("non-atomic-revision", second, message).helped(
                "keep the statement that refuses a transaction alone, and move the others to a revision of their own",
            );
        }
    }
}
