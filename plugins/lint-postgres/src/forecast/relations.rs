//! Statements that make, change and drop tables, views and what belongs to them.

use runner_policy_sdk::Failure;
use squawk_syntax::SyntaxNode;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Level;
use super::Locks;
use super::Told as _;
use crate::names::Kind;
use crate::names::Name;
use crate::subject;

impl Locks<'_> {
    pub(super) fn relations(&mut self, statement: &ast::Stmt) -> Result<(), Failure> {
        use ast::Stmt;
        match statement {
            Stmt::CreateTable(node) => self.create_table(node),
            Stmt::CreateForeignTable(node) => {
                self.take_parents(node.inherits(), node.partition_of());
            }
            Stmt::DropTable(node) => {
                self.drop_tables(node)?;
                self.take_dependents(node.syntax());
            }
            Stmt::DropView(_) | Stmt::DropMaterializedView(_) | Stmt::DropSequence(_) | Stmt::DropForeignTable(_) => {
                let dropped = subject::objects(statement);
                self.take_all(dropped.into_iter().map(|object| object.name), Level::AccessExclusive);
                self.take_dependents(statement.syntax());
            }
            Stmt::DropSchema(node) => {
                for schema in node.schema_refs() {
                    let schema = subject::written(schema.syntax());
                    self.take_described(&format!("everything in the schema {schema}"), Level::AccessExclusive);
                }
            }
            Stmt::Truncate(_) => {
                let tables = subject::objects(statement);
                for table in tables {
                    self.take(Some(table.name), Level::AccessExclusive);
                }
                if has_cascade(statement.syntax()) {
                    self.take_described("tables that refer to these", Level::AccessExclusive);
                }
            }
            Stmt::Lock(node) => {
                let level = node
                    .lock_mode_clause()
                    .and_then(|clause| clause.lock_mode())
                    .map_or(Level::AccessExclusive, |mode| level(&mode));
                let tables = subject::objects(statement);
                self.take_all(tables.into_iter().map(|object| object.name), level);
            }
            Stmt::CreateTrigger(node) => {
                self.take(Name::within(node.on_relation()), Level::ShareRowExclusive);
                self.take(Name::within(node.from_table()), Level::AccessShare);
            }
            Stmt::DropTrigger(node) => {
                self.take(Name::within(node.on_relation()), Level::AccessExclusive);
            }
            Stmt::AlterTrigger(node) => {
                self.take(Name::within(node.on_relation()), Level::AccessExclusive);
            }
            Stmt::CreateRule(node) => {
                let on = node.rule_on().and_then(|on| Name::within(on.relation_name_ref()));
                self.take(on, Level::AccessExclusive);
            }
            Stmt::AlterRule(node) => {
                self.take(Name::within(node.on_relation()), Level::AccessExclusive);
            }
            Stmt::DropRule(node) => {
                self.take(Name::within(node.on_relation()), Level::AccessExclusive);
            }
            Stmt::CreatePolicy(node) => {
                self.take(Name::within(node.on_table()), Level::AccessExclusive);
            }
            Stmt::AlterPolicy(node) => {
                self.take(Name::within(node.on_table()), Level::AccessExclusive);
            }
            Stmt::DropPolicy(node) => {
                self.take(Name::within(node.on_table()), Level::AccessExclusive);
            }
            Stmt::CreateView(node) if node.or_replace().is_some() => {
                let lock = self.take(Name::within(node.view()), Level::AccessExclusive);
                lock.remarked("if the view is there already");
            }
            Stmt::AlterView(_) | Stmt::AlterMaterializedView(_) => {
                let views = subject::objects(statement);
                self.take_all(views.into_iter().map(|object| object.name), Level::AccessExclusive);
            }
            Stmt::Refresh(node) => {
                let level = match node.concurrently_token() {
                    Some(_) => Level::Exclusive,
                    None => Level::AccessExclusive,
                };
                let lock = self.take(Name::within(node.view_ref()), level);
                if level == Level::AccessExclusive {
                    lock.rewritten();
                } else {
                    lock.scanned();
                }
            }
            Stmt::CreateSequence(_) => self.owned_by(statement.syntax()),
            Stmt::AlterSequence(node) => {
                let is_renamed = node.actions().any(|action| {
                    matches!(
                        action,
                        ast::AlterSequenceAction::SequenceRenameTo(_)
                            | ast::AlterSequenceAction::SetSchema(_)
                            | ast::AlterSequenceAction::OwnerTo(_)
                            | ast::AlterSequenceAction::SetLogged(_)
                            | ast::AlterSequenceAction::SetUnlogged(_)
                    )
                });
                let level = if is_renamed { Level::AccessExclusive } else { Level::ShareRowExclusive };
                self.take(Name::within(node.sequence_ref()), level);
                self.owned_by(statement.syntax());
            }
            Stmt::CreateStatistics(node) => {
                self.take(Name::within(node.from_table()), Level::ShareUpdateExclusive);
            }
            Stmt::CreatePublication(_) | Stmt::AlterPublication(_) => self.published(statement.syntax()),
            Stmt::CommentOn(node) => self.comment(node),
            Stmt::AlterType(node) => self.alter_type(node),
            Stmt::AlterDomain(node) => self.alter_domain(node)?,
            _ => {}
        }
        Ok(())
    }

    /// Another table is locked for the triggers of a foreign key, and for what is inherited.
    fn create_table(&mut self, node: &ast::CreateTable) {
        for node in node.syntax().descendants() {
            if let Some(foreign) = ast::ForeignKeyConstraint::cast(node.clone()) {
                self.take(Name::within(foreign.table_name_ref()), Level::ShareRowExclusive);
            } else if let Some(foreign) = ast::ReferencesConstraint::cast(node.clone()) {
                self.take(Name::within(foreign.table()), Level::ShareRowExclusive);
            } else if let Some(like) = ast::LikeClause::cast(node) {
                self.take(Name::within(like.relation_name_ref()), Level::AccessShare);
            }
        }
        // A table may refer to itself.
        if let Some(own) = Name::within(node.table_name()) {
            self.found.retain(|found| !found.object.name.may_be(&own));
        }
        self.take_parents(node.inherits(), node.partition_of());
    }

    fn take_parents(&mut self, inherits: Option<ast::Inherits>, partition_of: Option<ast::PartitionOf>) {
        let parents = inherits.into_iter().flat_map(|inherits| inherits.table_name_refs());
        for parent in parents {
            self.take(Name::first_in(parent.syntax()), Level::ShareUpdateExclusive);
        }
        self.take(Name::within(partition_of), Level::AccessExclusive)
            .remarked("its default partition, if any, is locked and read");
    }

    fn drop_tables(&mut self, node: &ast::DropTable) -> Result<(), Failure> {
        for table in node.table_name_refs().filter_map(|table| Name::first_in(table.syntax())) {
            self.take(Some(table.clone()), Level::AccessExclusive);
            // Foreign keys in both directions go with the table, and their triggers on the other one.
            let Some(relations) = self.review.knowledge.relations()? else { continue };
            for relation in relations {
                for key in &relation.foreign_keys {
                    let referenced = Name { schema: key.referenced_schema.clone(), name: key.referenced_table.clone() };
                    if crate::knowledge::is_named(relation, &table) {
                        self.take(Some(referenced), Level::AccessExclusive);
                    } else if referenced.may_be(&table) {
                        self.take(Some(crate::knowledge::name(relation)), Level::AccessExclusive);
                    }
                }
            }
        }
        Ok(())
    }

    fn take_dependents(&mut self, statement: &SyntaxNode) {
        if has_cascade(statement) {
            self.take_described("what depends on it", Level::AccessExclusive);
        }
    }

    /// The table of a sequence is only looked at.
    fn owned_by(&mut self, sequence: &SyntaxNode) {
        let owned = sequence.descendants().find_map(ast::OptionOwnedBy::cast);
        let table = owned
            .and_then(|owned| owned.syntax().descendants().find_map(ast::PathRef::cast))
            .and_then(|path| path.qualifier());
        self.take(table.and_then(|table| Name::first_in(table.syntax())), Level::AccessShare);
    }

    fn published(&mut self, publication: &SyntaxNode) {
        let tables: Vec<Name> = publication
            .descendants()
            .filter_map(ast::PublicationObjectTable::cast)
            .filter_map(|table| Name::first_in(table.syntax()))
            .collect();
        self.take_all(tables, Level::ShareUpdateExclusive);
    }

    fn comment(&mut self, node: &ast::CommentOn) {
        let Some(object) = node.comment_object() else { return };
        let level = Level::ShareUpdateExclusive;
        match object {
            ast::CommentObject::ObjectTable(table) => self.take(Name::within(table.table_name_ref()), level),
            ast::CommentObject::ObjectView(view) => self.take(Name::within(view.view_ref()), level),
            ast::CommentObject::ObjectMaterializedView(view) => self.take(Name::within(view.view_ref()), level),
            ast::CommentObject::ObjectColumn(column) => {
                let path = column.name().and_then(|name| name.path_ref()).and_then(|path| path.qualifier());
                self.take(path.and_then(|table| Name::first_in(table.syntax())), level)
            }
            ast::CommentObject::ObjectIndex(index) => {
                self.take_object(Kind::Index, Name::within(index.index_ref()), level)
            }
            ast::CommentObject::ObjectSequence(sequence) => self.take(Name::first_in(sequence.syntax()), level),
            _ => None,
        };
    }

    /// A composite type is a relation without rows; tables that are made of it change with it.
    fn alter_type(&mut self, node: &ast::AlterType) {
        let is_composite = matches!(
            node.action(),
            Some(ast::AlterTypeAction::AlterTypeAttributeActionList(_) | ast::AlterTypeAction::RenameAttribute(_))
        );
        if is_composite {
            self.take_object(Kind::Type, Name::within(node.type_name_ref()), Level::AccessExclusive);
        }
    }

    /// A constraint is checked against all columns of the domain.
    fn alter_domain(&mut self, node: &ast::AlterDomain) -> Result<(), Failure> {
        let checks = match node.action() {
            Some(ast::AlterDomainAction::AddConstraint(add)) => {
                add.constraint().is_none_or(|constraint| !constraint.is_not_valid())
            }
            Some(ast::AlterDomainAction::ValidateConstraint(_) | ast::AlterDomainAction::SetNotNull(_)) => true,
            _ => false,
        };
        let Some(domain) = Name::within(node.domain_ref()).filter(|_| checks) else { return Ok(()) };
        let Some(relations) = self.review.knowledge.relations()? else {
            self.take_described(&format!("tables with a column of the domain {domain}"), Level::Share);
            self.found.last_mut().scanned();
            return Ok(());
        };
        let its = |data_type: &str| data_type == domain.name || data_type.ends_with(&format!(".{}", domain.name));
        for relation in relations.iter().filter(|relation| relation.columns.iter().any(|column| its(&column.data_type)))
        {
            self.take(Some(crate::knowledge::name(relation)), Level::Share).scanned();
        }
        Ok(())
    }
}

/// Whether a statement says `CASCADE`.
pub(crate) fn has_cascade(node: &SyntaxNode) -> bool {
    node.descendants().any(|node| ast::Cascade::can_cast(node.kind()))
}

fn level(mode: &ast::LockMode) -> Level {
    match mode {
        ast::LockMode::AccessShare(_) => Level::AccessShare,
        ast::LockMode::RowShare(_) => Level::RowShare,
        ast::LockMode::RowExclusive(_) => Level::RowExclusive,
        ast::LockMode::ShareUpdateExclusive(_) => Level::ShareUpdateExclusive,
        ast::LockMode::Share(_) => Level::Share,
        ast::LockMode::ShareRowExclusive(_) => Level::ShareRowExclusive,
        ast::LockMode::Exclusive(_) => Level::Exclusive,
        ast::LockMode::AccessExclusive(_) => Level::AccessExclusive,
    }
}
