//! What views, triggers and foreign keys of the target use.

use std::collections::HashSet;

use runner_policy_sdk::Failure;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::facts::RelationKind;
use squawk_syntax::SourceFile;
use squawk_syntax::SyntaxKind;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::knowledge;
use crate::names::Name;
use crate::names::Quoted;
use crate::nesting;
use crate::statements::Statement;
use crate::statements::range_of;
use crate::subject;

impl Findings<'_> {
    /// Drops of what others use. Needs facts; without them there is nothing to say.
    pub(super) fn dependents(&mut self, statement: &Statement, position: usize) -> Result<(), Failure> {
        if !self.review.knowledge.is_there() {
            return Ok(());
        }
        match &statement.node {
            ast::Stmt::DropTable(_) | ast::Stmt::DropView(_) | ast::Stmt::DropMaterializedView(_) => {
                for object in subject::objects(&statement.node) {
                    let users = self.users_of_relation(&object.name, position)?;
                    self.used(&statement.range.clone(), &object.name.to_string(), &users);
                }
            }
            ast::Stmt::DropFunction(_) => {
                for object in subject::objects(&statement.node) {
                    let users = self.users_of_function(&object.name, position)?;
                    self.used(&statement.range.clone(), &object.name.to_string(), &users);
                }
            }
            ast::Stmt::AlterTable(table) => {
                let Some(name) = Name::within(table.table_relation_name()) else { return Ok(()) };
                for action in table.actions() {
                    if let ast::AlterTableAction::DropColumn(drop) = &action
                        && let Some(column) = subject::column_of(&action)
                    {
                        let users = self.users_of_column(&name, &column, position)?;
                        self.used(&range_of(drop.syntax()), &format!("{name}.{}", Quoted(&column)), &users);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn used(&mut self, range: &std::ops::Range<usize>, what: &str, users: &[String]) {
        if !users.is_empty() {
            self.add("dropping-what-is-used", range.clone(), format!("`{what}` is used by {}", users.join(", ")))
                .helped("change or drop these first, in the same revision");
        }
    }

    /// Foreign keys and views that use a table or a view, apart from what goes before.
    fn users_of_relation(&self, name: &Name, position: usize) -> Result<Vec<String>, Failure> {
        let mut users = Vec::new();
        for relation in self.others(name, position)? {
            for key in &relation.foreign_keys {
                if key.referenced_table == name.name && !self.is_dropped_constraint(key.name.as_deref(), position) {
                    users.push(foreign_key(relation, key.name.as_deref()));
                }
            }
            if reads(relation, name, None) {
                users.push(format!("the view `{}`", Quoted(&relation.name)));
            }
        }
        Ok(users)
    }

    fn users_of_column(&self, table: &Name, column: &str, position: usize) -> Result<Vec<String>, Failure> {
        let mut users = Vec::new();
        for relation in self.others(table, position)? {
            for key in &relation.foreign_keys {
                let is_referenced =
                    key.referenced_table == table.name && key.referenced_columns.iter().any(|its| its == column);
                if is_referenced && !self.is_dropped_constraint(key.name.as_deref(), position) {
                    users.push(foreign_key(relation, key.name.as_deref()));
                }
            }
            if reads(relation, table, Some(column)) {
                users.push(format!("the view `{}`", Quoted(&relation.name)));
            }
        }
        if let Some(relation) = self.review.knowledge.relation(table)? {
            let names_it =
                |trigger: &&runner_policy_sdk::facts::Trigger| names_in(&trigger.definition).contains(column);
            users.extend(
                relation
                    .triggers
                    .iter()
                    .filter(names_it)
                    .map(|trigger| format!("the trigger `{}`", Quoted(&trigger.name))),
            );
        }
        Ok(users)
    }

    fn users_of_function(&self, function: &Name, position: usize) -> Result<Vec<String>, Failure> {
        let mut users = Vec::new();
        let relations = self.review.knowledge.relations()?.unwrap_or_default();
        for relation in relations.iter().filter(|relation| !self.is_dropped(relation, position)) {
            for trigger in
                relation.triggers.iter().filter(|trigger| names_in(&trigger.definition).contains(&function.name))
            {
                users.push(format!("the trigger `{}` of `{}`", Quoted(&trigger.name), Quoted(&relation.name)));
            }
        }
        Ok(users)
    }

    /// Relations of the target other than this one that earlier statements leave.
    fn others(&self, name: &Name, position: usize) -> Result<Vec<&Relation>, Failure> {
        let relations = self.review.knowledge.relations()?.unwrap_or_default();
        let is_other =
            |relation: &&Relation| !knowledge::is_named(relation, name) && !self.is_dropped(relation, position);
        Ok(relations.iter().filter(is_other).collect())
    }

    fn is_dropped(&self, relation: &Relation, position: usize) -> bool {
        self.outline.is_dropped(&relation.name, position)
    }

    fn is_dropped_constraint(&self, constraint: Option<&str>, position: usize) -> bool {
        constraint.is_some_and(|constraint| self.outline.is_dropped_constraint(constraint, position))
    }
}

fn foreign_key(relation: &Relation, name: Option<&str>) -> String {
    let name = name.map_or_else(String::new, |name| format!(" `{}`", Quoted(name)));
    format!("the foreign key{name} of `{}`", Quoted(&relation.name))
}

/// Whether a view reads from a relation, and a column of it.
fn reads(view: &Relation, name: &Name, column: Option<&str>) -> bool {
    let Some(definition) = &view.definition else { return false };
    if !matches!(view.kind, RelationKind::View | RelationKind::MaterializedView)
        || !nesting::too_deep(definition).is_empty()
    {
        return false;
    }
    let query = SourceFile::parse(definition).tree();
    let reads = query
        .syntax()
        .descendants()
        .filter_map(ast::RelationFromItem::cast)
        .filter_map(|item| Name::within(item.relation_name_ref()))
        .any(|read| read.may_be(name));
    reads && column.is_none_or(|column| names_in(definition).contains(column))
}

/// All names that a definition holds.
fn names_in(definition: &str) -> HashSet<String> {
    if !nesting::too_deep(definition).is_empty() {
        return HashSet::new();
    }
    let tokens = SourceFile::parse(definition).syntax_node().descendants_with_tokens();
    tokens
        .filter_map(squawk_syntax::SyntaxElement::into_token)
        .filter(|token| !token.kind().is_trivia() && token.kind() != SyntaxKind::STRING)
        .map(|token| match token.text().strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => token.text().to_lowercase(),
        })
        .collect()
}
