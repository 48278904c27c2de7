//! What goes on while a strong lock is held, and statements whose only purpose is such a lock.

use runner_policy_sdk::Failure;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::forecast;
use crate::forecast::Forecast;
use crate::forecast::Level;
use crate::statements::Statement;

impl Findings<'_> {
    /// Goes through the statements with what is locked already.
    ///
    /// # Errors
    /// Facts were needed and could not be had.
    pub(super) fn strong_locks(&mut self) -> Result<(), Failure> {
        let review = self.review;
        let mut next = 0;
        // The first lock of the transaction that keeps readers or writers from a table which is not new.
        let mut held: Option<&Forecast> = None;
        let mut is_told = false;
        for (position, statement) in review.parsed.statements.iter().enumerate() {
            let first = next;
            while self.forecast.get(next).is_some_and(|lock| lock.position == position) {
                next += 1;
            }
            let locks = &self.forecast[first..next];
            if !statement.is_sound {
                continue;
            }
            self.by_itself(statement, locks);
            let mut is_backfill = false;
            if let (Some(before), true) = (held, review.situation.is_transactional) {
                if fills(&statement.node) && locks.iter().any(writes_old_rows) {
                    is_backfill = true;
                    self.backfill(statement, before);
                } else if !is_told && lasts(statement, locks) {
                    is_told = true;
                    self.later(statement, before);
                }
            }
            if !is_backfill {
                self.many_rows(statement)?;
            }
            held = held.or_else(|| locks.iter().find(|lock| lock.level >= Level::ShareRowExclusive && !lock.is_new));
        }
        Ok(())
    }

    fn backfill(&mut self, statement: &Statement, before: &Forecast) {
        let message = format!("rows are changed while `{}` is locked by an earlier statement", before.object.name);
        self.add_whole("backfill-in-migration", statement, message)
            .helped("change rows in a revision of their own, in batches");
    }

    fn later(&mut self, statement: &Statement, before: &Forecast) {
        let message = format!("everybody waits for `{}` until this statement is done as well", before.object.name);
        self.add_whole("statements-after-strong-lock", statement, message)
            .helped("move it before the statement that takes the lock, or to a revision of its own");
    }

    /// Rules about one statement.
    fn by_itself(&mut self, statement: &Statement, locks: &[Forecast]) {
        match &statement.node {
            ast::Stmt::Lock(_) if locks.iter().any(|lock| lock.level >= Level::Share) => {
                self.add_whole("explicit-lock", statement, "the lock is kept until the end of the transaction")
                    .helped("leave it to the statements, or name the weakest mode that does it");
            }
            ast::Stmt::Refresh(node) if node.concurrently_token().is_none() => {
                self.add_whole(
                    "refresh-not-concurrently",
                    statement,
                    "nobody can read the view until its query is done",
                )
                .helped("use `REFRESH MATERIALIZED VIEW CONCURRENTLY`, for which the view needs a unique index");
            }
            ast::Stmt::Cluster(_) | ast::Stmt::Vacuum(_) => {
                // From 19 on the engine has a rule of its own.
                let has_rule = self.review.situation.version.is_some_and(|version| version.has(19));
                if !has_rule && locks.iter().any(|lock| lock.rewrites) {
                    self.rewriting(statement.node.syntax());
                }
            }
            ast::Stmt::AlterTable(table) => {
                for action in table.actions() {
                    let is_copied = match &action {
                        ast::AlterTableAction::SetLogged(_)
                        | ast::AlterTableAction::SetUnlogged(_)
                        | ast::AlterTableAction::SetAccessMethod(_)
                        | ast::AlterTableAction::SetTablespace(_) => true,
                        // Each row gets a number of its own. For identity columns the engine has a rule.
                        ast::AlterTableAction::AddColumn(add) => add.ty().is_some_and(|ty| forecast::is_serial(&ty)),
                        ast::AlterTableAction::AlterColumn(alter) => {
                            matches!(alter.option(), Some(ast::AlterColumnOption::SetExpression(_)))
                        }
                        _ => false,
                    };
                    if is_copied {
                        self.rewriting(action.syntax());
                    }
                }
            }
            _ => {}
        }
    }

    fn rewriting(&mut self, node: &squawk_syntax::SyntaxNode) {
        self.add_at("rewriting-table", node, "the table is written anew while nobody can use it")
            .helped("do it in a maintenance window, or with a tool that copies beside the running table");
    }
}

/// Whether a statement changes rows that are there. Rows that are written out are few.
fn fills(statement: &ast::Stmt) -> bool {
    match statement {
        ast::Stmt::Update(_) | ast::Stmt::Delete(_) | ast::Stmt::Merge(_) => true,
        ast::Stmt::Insert(insert) => !matches!(
            insert.insert_source(),
            None | Some(
                ast::InsertSource::DefaultValues(_) | ast::InsertSource::SelectVariant(ast::SelectVariant::Values(_))
            )
        ),
        _ => false,
    }
}

fn writes_old_rows(lock: &Forecast) -> bool {
    lock.level == Level::RowExclusive && !lock.is_new
}

/// Whether a statement may take its time.
fn lasts(statement: &Statement, locks: &[Forecast]) -> bool {
    let is_code = matches!(statement.node, ast::Stmt::Do(_) | ast::Stmt::Call(_));
    is_code || locks.iter().any(|lock| !lock.is_new && (lock.scans || lock.rewrites))
}
