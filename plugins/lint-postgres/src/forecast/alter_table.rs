//! `ALTER TABLE`, in all of its forms. Several actions in one statement take the strongest of their locks at once.

use runner_policy_sdk::Failure;
use squawk_syntax::ast;
use squawk_syntax::ast::AlterTableAction as Action;
use squawk_syntax::ast::AstNode as _;

use super::Level;
use super::Locks;
use super::Told as _;
use super::retype;
use crate::names::Name;
use crate::subject;
use crate::volatility;

impl Locks<'_> {
    pub(super) fn alter_table(&mut self, node: &ast::AlterTable) -> Result<(), Failure> {
        if node.all_in_tablespace().is_some() {
            self.take_described("all tables of the tablespace", Level::AccessExclusive);
            self.found.last_mut().rewritten();
            return Ok(());
        }
        let Some(table) = Name::within(node.table_relation_name()) else { return Ok(()) };
        for action in node.actions() {
            self.action(&table, &action)?;
        }
        Ok(())
    }

    fn action(&mut self, table: &Name, action: &Action) -> Result<(), Failure> {
        let own = Some(table.clone());
        match action {
            Action::AddColumn(node) => self.add_column(table, node),
            Action::AddConstraint(node) => self.add_constraint(table, node.constraint().as_ref()),
            Action::AlterColumn(node) => self.alter_column(table, node)?,
            Action::ValidateConstraint(node) => self.validate_constraint(table, node)?,
            Action::DropConstraint(node) => self.drop_constraint(table, node)?,
            Action::SetOptions(node) => {
                self.take(own, options_level(node.attribute_list()));
            }
            Action::ResetOptions(node) => {
                self.take(own, options_level(node.attribute_list()));
            }
            Action::ClusterOn(_) | Action::SetWithoutCluster(_) => {
                self.take(own, Level::ShareUpdateExclusive);
            }
            Action::DisableTrigger(_)
            | Action::EnableTrigger(_)
            | Action::EnableAlwaysTrigger(_)
            | Action::EnableReplicaTrigger(_) => {
                self.take(own, Level::ShareRowExclusive);
            }
            Action::SetLogged(_) | Action::SetUnlogged(_) | Action::SetAccessMethod(_) => {
                self.take(own, Level::AccessExclusive).rewritten();
            }
            Action::SetTablespace(_) => {
                let remark = "copied to the other tablespace, if it is another one";
                self.take(own, Level::AccessExclusive).rewritten().remarked(remark);
            }
            Action::AttachPartition(node) => self.attach_partition(table, node)?,
            Action::DetachPartition(node) => self.detach_partition(table, node),
            Action::MergePartitions(node) => {
                self.take(own, Level::AccessExclusive);
                let parts = node.table_name_ref_list().into_iter().flat_map(|list| list.table_name_refs());
                for part in parts {
                    self.take(Name::first_in(part.syntax()), Level::AccessExclusive).scanned();
                }
            }
            Action::SplitPartition(node) => {
                self.take(own, Level::AccessExclusive);
                self.take(Name::within(node.table_name_ref()), Level::AccessExclusive).scanned();
            }
            Action::InheritTable(node) => {
                self.take(own, Level::AccessExclusive);
                self.take(Name::within(node.table_name_ref()), Level::ShareUpdateExclusive);
            }
            Action::NoInheritTable(node) => {
                self.take(own, Level::AccessExclusive);
                self.take(Name::within(node.table_name_ref()), Level::AccessShare);
            }
            _ => {
                self.take(own, Level::AccessExclusive);
            }
        }
        Ok(())
    }

    fn add_column(&mut self, table: &Name, node: &ast::AddColumn) {
        let has_default =
            node.constraints().any(|constraint| matches!(constraint, ast::Constraint::DefaultConstraint(_)));
        let is_serial = node.ty().is_some_and(|ty| is_serial(&ty));
        let mut rewrites = is_serial;
        let mut scans = false;
        for constraint in node.constraints() {
            match &constraint {
                ast::Constraint::DefaultConstraint(default) => {
                    rewrites |= default
                        .expr()
                        .is_some_and(|expr| volatility::is_computed_for_each_row(&expr, self.review.situation.version));
                }
                ast::Constraint::GeneratedConstraint(generated) => {
                    rewrites |= self.is_written(generated);
                }
                ast::Constraint::ReferencesConstraint(foreign) => {
                    let referenced = Name::within(foreign.table());
                    scans |= has_default;
                    self.take(referenced, Level::ShareRowExclusive);
                }
                ast::Constraint::NotNullConstraint(_) => scans |= !has_default,
                ast::Constraint::CheckConstraint(_)
                | ast::Constraint::UniqueConstraint(_)
                | ast::Constraint::PrimaryKeyConstraint(_)
                | ast::Constraint::ExcludeConstraint(_) => scans = true,
                ast::Constraint::ForeignKeyConstraint(_) | ast::Constraint::NullConstraint(_) => {}
            }
        }
        let lock = self.take(Some(table.clone()), Level::AccessExclusive);
        if rewrites {
            lock.rewritten();
        } else if scans {
            lock.scanned();
        }
    }

    /// Whether a generated column is written into each row: what is computed when it is read is not.
    fn is_written(&self, generated: &ast::GeneratedConstraint) -> bool {
        match generated.generated_as() {
            Some(ast::GeneratedAs::GeneratedStored(expression)) => match expression.generated_kind() {
                Some(ast::GeneratedKind::Virtual(_)) => false,
                Some(ast::GeneratedKind::Stored(_)) => true,
                None => !self.version().has(18),
            },
            _ => true,
        }
    }

    fn add_constraint(&mut self, table: &Name, constraint: Option<&ast::Constraint>) {
        let own = Some(table.clone());
        let Some(constraint) = constraint else { return };
        match constraint {
            ast::Constraint::ForeignKeyConstraint(foreign) => {
                let lock = self.take(own, Level::ShareRowExclusive);
                if !constraint.is_not_valid() {
                    lock.scanned();
                }
                self.take(Name::within(foreign.table_name_ref()), Level::ShareRowExclusive);
            }
            ast::Constraint::UniqueConstraint(unique) if unique.using_index().is_some() => {
                self.take(own, Level::AccessExclusive);
            }
            ast::Constraint::PrimaryKeyConstraint(primary) if primary.using_index().is_some() => {
                let lock = self.take(own, Level::AccessExclusive);
                lock.remarked("read as a whole if a column of the key may be NULL");
            }
            _ => {
                let lock = self.take(own, Level::AccessExclusive);
                if !constraint.is_not_valid() {
                    lock.scanned();
                }
            }
        }
    }

    fn alter_column(&mut self, table: &Name, node: &ast::AlterColumn) -> Result<(), Failure> {
        use ast::AlterColumnOption as Change;
        let own = Some(table.clone());
        match node.option() {
            Some(
                Change::SetStatistics(_) | Change::SetOptions(_) | Change::ResetOptions(_) | Change::SetOptionsList(_),
            ) => {
                self.take(own, Level::ShareUpdateExclusive);
            }
            Some(Change::SetType(change)) => {
                let column = subject::column_of(&ast::AlterTableAction::AlterColumn(node.clone()));
                let keeps_rows = match column {
                    Some(column) => retype::keeps_rows(self.review, table, &column, &change)?,
                    None => false,
                };
                let lock = self.take(own, Level::AccessExclusive);
                if !keeps_rows {
                    lock.rewritten();
                }
            }
            Some(Change::SetExpression(_)) => {
                self.take(own, Level::AccessExclusive).rewritten();
            }
            Some(Change::SetNotNull(_)) => {
                let trusts_checks = self.version().has(12);
                let column = subject::column_of(&ast::AlterTableAction::AlterColumn(node.clone()));
                let is_proven = column.is_some_and(|column| self.review.proofs.hold(table, &column, self.position));
                let lock = self.take(own, Level::AccessExclusive);
                if trusts_checks && is_proven {
                    return Ok(());
                }
                let lock = lock.scanned();
                if trusts_checks {
                    lock.remarked("not read if a valid check says the same");
                }
            }
            _ => {
                self.take(own, Level::AccessExclusive);
            }
        }
        Ok(())
    }

    fn validate_constraint(&mut self, table: &Name, node: &ast::ValidateConstraint) -> Result<(), Failure> {
        self.take(Some(table.clone()), Level::ShareUpdateExclusive).scanned();
        let referenced = self.referenced_by(table, Name::within(node.constraint_name_ref()))?;
        self.take(referenced, Level::RowShare);
        Ok(())
    }

    /// Dropping a foreign key drops triggers of the table that it refers to.
    fn drop_constraint(&mut self, table: &Name, node: &ast::DropConstraint) -> Result<(), Failure> {
        self.take(Some(table.clone()), Level::AccessExclusive);
        let referenced = self.referenced_by(table, Name::within(node.constraint_name_ref()))?;
        self.take(referenced, Level::AccessExclusive);
        Ok(())
    }

    /// The table that a foreign key refers to, if facts or the revision tell.
    fn referenced_by(&self, table: &Name, constraint: Option<Name>) -> Result<Option<Name>, Failure> {
        let Some(constraint) = constraint else { return Ok(None) };
        let Some(relation) = self.review.knowledge.relation(table)? else { return Ok(None) };
        let key = relation.foreign_keys.iter().find(|key| key.name.as_ref() == Some(&constraint.name));
        Ok(key.map(|key| Name { schema: key.referenced_schema.clone(), name: key.referenced_table.clone() }))
    }

    fn attach_partition(&mut self, table: &Name, node: &ast::AttachPartition) -> Result<(), Failure> {
        let on_parent = if self.version().has(12) { Level::ShareUpdateExclusive } else { Level::AccessExclusive };
        self.take(Some(table.clone()), on_parent);
        let part = Name::within(node.table_name_ref());
        let remark = "not read if a valid check says that all rows belong there";
        self.take(part, Level::AccessExclusive).scanned().remarked(remark);
        Ok(())
    }

    fn detach_partition(&mut self, table: &Name, node: &ast::DetachPartition) {
        match node.detach_partition_option() {
            None => {
                self.take(Some(table.clone()), Level::AccessExclusive);
                self.take(Name::within(node.table_name_ref()), Level::AccessExclusive);
            }
            Some(_) => {
                self.take(Some(table.clone()), Level::ShareUpdateExclusive);
                let lock = self.take(Name::within(node.table_name_ref()), Level::AccessExclusive);
                lock.remarked("for a moment, when all who use it through its parent are done");
            }
        }
    }
}

/// The level for changing storage parameters: most are about what happens later, and let readers and writers go on.
fn options_level(options: Option<ast::AttributeList>) -> Level {
    let strong = |option: ast::AttributeOption| {
        let name = option.name().map(|name| subject::written(name.syntax()));
        name.is_none_or(|name| name == "user_catalog_table")
    };
    let is_strong = options.is_none_or(|list| list.attribute_options().any(strong));
    if is_strong { Level::AccessExclusive } else { Level::ShareUpdateExclusive }
}

/// Whether a type stands for a column with a sequence.
pub(crate) fn is_serial(ty: &ast::Type) -> bool {
    const NAMES: [&str; 6] = ["serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"];
    Name::first_in(ty.syntax()).is_some_and(|name| NAMES.contains(&name.name.as_str()))
}
