//! What is new: made by an earlier statement of the revision, or by an earlier step of the same plan. New tables are empty
//! and nobody uses them, so locks, rewrites and drops are no matter there.

use std::collections::HashMap;

use runner_policy_sdk::revision_lint::Note;
use squawk_syntax::ast;
use squawk_syntax::ast::AstNode;

use crate::names::Kind;
use crate::names::Name;
use crate::names::Object;
use crate::names::Quoted;
use crate::statements::Statement;
use crate::subject;

/// When something is new.
#[derive(Clone, Debug)]
struct Birth {
    schema: Option<String>,
    /// Position of the statement after which it is there; 0: it was there before the first one.
    from: usize,
    /// Position of the statement that drops it.
    until: usize,
    /// Whether it may have been there before: `IF NOT EXISTS`.
    is_conditional: bool,
    /// For an index: its table.
    table: Option<Name>,
}

/// A column that was added.
#[derive(Clone, Debug)]
struct Added {
    table: Name,
    column: String,
    /// As in [`Birth`].
    from: usize,
    until: usize,
}

/// A name that something older than the plan has got.
#[derive(Clone, Debug)]
struct Kept {
    object: Object,
    /// As in [`Birth`].
    from: usize,
    until: usize,
}

/// Everything that is new.
#[derive(Debug, Default)]
pub(crate) struct Novelty {
    objects: HashMap<(Kind, String), Vec<Birth>>,
    /// Columns by the names of their tables.
    columns: HashMap<String, Vec<Added>>,
    /// Old things by their new names.
    kept: HashMap<(Kind, String), Vec<Kept>>,
    notes: Vec<Note>,
    /// Whether a name without a schema does not mean the session's schema any longer.
    is_elsewhere: bool,
}

/// What is known of an object's newness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newness {
    /// It was there before.
    Old,
    /// It was made with `IF NOT EXISTS`, or under a name that may be another one: only the target knows.
    Likely,
    /// It was made here.
    New,
}

impl Novelty {
    /// What earlier steps have noted, and what the statements make.
    pub(crate) fn new(notes: &[String], statements: &[Statement]) -> Self {
        let mut novelty = Novelty::default();
        for note in notes {
            novelty.read(note);
        }
        for (position, statement) in statements.iter().enumerate() {
            novelty.add(&statement.node, position);
        }
        novelty
    }

    /// Lines for the later steps of the plan.
    pub(crate) fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    /// Whether a relation, index, type or the like is new for the statement at a position.
    pub(crate) fn of(&self, object: &Object, position: usize) -> Newness {
        let Object { kind, name } = object;
        let births = self.objects.get(&(*kind, name.name.clone())).into_iter().flatten().rev();
        let mut births = births.filter(|birth| birth.from <= position && position <= birth.until).peekable();
        let certain = births.clone().find(|birth| birth.schema == name.schema && !birth.is_conditional);
        let kept = self.kept.get(&(*kind, name.name.clone())).into_iter().flatten();
        let mut kept = kept.filter(|kept| kept.from <= position && position <= kept.until);
        if kept.any(|kept| kept.object.name == *name || certain.is_none() && kept.object.name.may_be(name)) {
            return Newness::Old;
        }
        if let Some(schema) = &name.schema
            && *kind != Kind::Schema
            && self.of(&Object::new(Kind::Schema, Name::bare(schema.clone())), position) == Newness::New
        {
            return Newness::New;
        }
        match certain.map(|birth| &birth.table) {
            // An index of an old table is new itself, but its build and its drop lock the table.
            Some(Some(table)) if *kind == Kind::Index => self.of(&Object::new(Kind::Relation, table.clone()), position),
            Some(_) => Newness::New,
            None if births.peek().is_some_and(|_| name.schema.is_none() && !self.is_elsewhere) => Newness::Likely,
            None => Newness::Old,
        }
    }

    /// Whether an index was made here, whatever its table is.
    pub(crate) fn has_made_index(&self, index: &Name, position: usize) -> bool {
        let births = self.objects.get(&(Kind::Index, index.name.clone())).into_iter().flatten();
        let mut births = births.filter(|birth| birth.from <= position && position <= birth.until);
        births.any(|birth| birth.schema == index.schema && !birth.is_conditional)
    }

    /// The table of an index that was made here.
    pub(crate) fn table_of(&self, index: &Name) -> Option<&Name> {
        let births = self.objects.get(&(Kind::Index, index.name.clone()))?;
        births.iter().rev().filter(|birth| birth.schema == index.schema).find_map(|birth| birth.table.as_ref())
    }

    /// Whether a column was added here to a table that may be old.
    pub(crate) fn is_new_column(&self, table: &Name, column: &str, position: usize) -> bool {
        let mut columns = self.columns.get(&table.name).into_iter().flatten();
        columns.any(|added| {
            added.from <= position && position <= added.until && added.column == column && added.table == *table
        })
    }

    fn add(&mut self, statement: &ast::Stmt, position: usize) {
        use ast::Stmt;
        match statement {
            // What is temporary hides what has its name, and a later statement does not say which of both it means.
            Stmt::CreateTable(node) if !is_temporary(node.persistence().as_ref()) => {
                self.made(Kind::Relation, node.table_name(), node.if_not_exists().is_some(), position);
            }
            Stmt::CreateTableAs(node) if !is_temporary(node.persistence().as_ref()) => {
                self.made(Kind::Relation, node.table_name(), node.if_not_exists().is_some(), position);
            }
            Stmt::SelectInto(node) => {
                let into = node.into_clause().filter(|into| !is_temporary(into.persistence().as_ref()));
                self.made(Kind::Relation, into.and_then(|into| into.table_name()), false, position);
            }
            Stmt::CreateView(node) if !is_temporary(node.persistence().as_ref()) => {
                self.made(Kind::Relation, node.view(), node.or_replace().is_some(), position);
            }
            Stmt::CreateMaterializedView(node) => {
                self.made(Kind::Relation, node.view(), node.if_not_exists().is_some(), position);
            }
            // Facts do not tell whether these were there.
            Stmt::CreateForeignTable(node) if node.if_not_exists().is_none() => {
                self.made(Kind::Relation, node.table_name(), false, position);
            }
            Stmt::CreateSequence(node)
                if node.if_not_exists().is_none() && !is_temporary(node.persistence().as_ref()) =>
            {
                self.made(Kind::Relation, node.sequence(), false, position);
            }
            Stmt::CreateType(node) => self.made(Kind::Type, node.type_name(), false, position),
            Stmt::CreateDomain(node) => self.made(Kind::Type, node.domain(), false, position),
            Stmt::CreateFunction(node) => self.made(Kind::Function, node.name(), node.or_replace().is_some(), position),
            Stmt::CreateSchema(node) => self.made_schema(node, position),
            Stmt::CreateIndex(node) => self.made_index(node, position),
            Stmt::AlterTable(node) => self.altered(node, position),
            Stmt::DropTable(_)
            | Stmt::DropView(_)
            | Stmt::DropMaterializedView(_)
            | Stmt::DropSequence(_)
            | Stmt::DropIndex(_)
            | Stmt::DropType(_)
            | Stmt::DropFunction(_)
            | Stmt::DropSchema(_)
            | Stmt::DropDomain(_) => {
                for object in subject::objects(statement) {
                    self.dropped(&object, position);
                }
            }
            Stmt::DropForeignTable(node) => {
                for name in node.table_name_refs().filter_map(|name| Name::first_in(name.syntax())) {
                    self.dropped(&Object::new(Kind::Relation, name), position);
                }
            }
            Stmt::AlterSchema(node) => self.altered_schema(node, position),
            Stmt::Set(_) | Stmt::Select(_) if sets_search_path(statement) => self.leave_schema(position),
            _ => {}
        }
    }

    fn made(&mut self, kind: Kind, name: Option<impl AstNode>, is_conditional: bool, position: usize) {
        let Some(name) = Name::within(name) else { return };
        self.note(kind, &name, is_conditional, None);
        if !is_conditional {
            self.gone(&Object::new(kind, name.clone()), position);
        }
        self.born(kind, name, Birth { from: position + 1, ..Birth::before(is_conditional, None) });
    }

    fn made_schema(&mut self, node: &ast::CreateSchema, position: usize) {
        if let Some(name) = node.schema_name() {
            let name = Name::bare(subject::written(&name));
            let is_conditional = node.if_not_exists().is_some();
            self.note(Kind::Schema, &name, is_conditional, None);
            self.born(Kind::Schema, name, Birth { from: position + 1, ..Birth::before(is_conditional, None) });
        }
    }

    fn made_index(&mut self, node: &ast::CreateIndex, position: usize) {
        let Some(table) = Name::within(node.table_relation_name()) else { return };
        let Some(mut name) = Name::within(node.index()) else { return };
        name.schema.clone_from(&table.schema);
        let is_conditional = node.if_not_exists().is_some();
        // A later step may name the index and not its table, so what is known of the table goes with it.
        let is_on_new = self.of(&Object::new(Kind::Relation, table.clone()), position) == Newness::New;
        self.note(Kind::Index, &name, is_conditional, Some(&table).filter(|_| !is_on_new));
        self.born(Kind::Index, name, Birth { from: position + 1, ..Birth::before(is_conditional, Some(table)) });
    }

    fn altered(&mut self, node: &ast::AlterTable, position: usize) {
        let Some(table) = Name::within(node.table_relation_name()) else { return };
        for action in node.actions() {
            match &action {
                ast::AlterTableAction::AddColumn(add) if add.if_not_exists().is_none() => {
                    let Some(column) = subject::column_of(&action) else { continue };
                    self.tell(&table.name, format!("adds column {table}.{}", Quoted(&column)), &table);
                    self.added(&table, column, position + 1);
                }
                ast::AlterTableAction::DropColumn(_) => {
                    if let Some(column) = subject::column_of(&action) {
                        self.lost_column(&table, &column, position);
                    }
                }
                ast::AlterTableAction::RenameColumn(rename) => {
                    let Some(old) = subject::column_of(&action) else { continue };
                    // A column that was there before may get the name of one that was added and dropped.
                    self.lost_column(&table, &old, position);
                    if let Some(new) = rename.column_name() {
                        self.lost_column(&table, &new.text(), position);
                    }
                }
                ast::AlterTableAction::TableRenameTo(rename) => {
                    let Some(mut new) = Name::within(rename.table_name()) else { continue };
                    new.schema.clone_from(&table.schema);
                    self.moved(&table, new, position);
                }
                ast::AlterTableAction::SetSchema(set) => {
                    let Some(schema) = set.schema_ref() else { continue };
                    let schema = Some(subject::written(schema.syntax()));
                    self.moved(&table, Name { schema, name: table.name.clone() }, position);
                }
                _ => {}
            }
        }
    }

    /// A table gets another name or another schema, with its rows.
    fn moved(&mut self, old: &Name, new: Name, position: usize) {
        let is_new = self.of(&Object::new(Kind::Relation, old.clone()), position) == Newness::New;
        self.dropped(&Object::new(Kind::Relation, old.clone()), position);
        if is_new {
            self.note(Kind::Relation, &new, false, None);
            self.born(Kind::Relation, new, Birth { from: position + 1, ..Birth::before(false, None) });
        } else {
            self.keeps(Object::new(Kind::Relation, new), position);
        }
    }

    fn altered_schema(&mut self, node: &ast::AlterSchema, position: usize) {
        let Some(ast::AlterSchemaAction::SchemaRenameTo(rename)) = node.action() else { return };
        if let Some(old) = node.schema_ref() {
            self.dropped(&Object::new(Kind::Schema, Name::bare(subject::written(old.syntax()))), position);
        }
        if let Some(new) = rename.schema() {
            self.keeps(Object::new(Kind::Schema, Name::bare(subject::written(new.syntax()))), position);
        }
    }

    /// What is dropped is not new any longer: what has its name then is something else.
    fn dropped(&mut self, object: &Object, position: usize) {
        let text = format!("drops {} {}", word(object.kind), object.name);
        self.notes.push(Note::about(&object.name.name, text));
        self.ended(object, position);
        self.gone(object, position);
    }

    /// What is old has a name from now on that something new may have had.
    fn keeps(&mut self, object: Object, position: usize) {
        let text = format!("keeps {} {}", word(object.kind), object.name);
        self.notes.push(Note::about(&object.name.name, text));
        self.ended(&object, position);
        let key = (object.kind, object.name.name.clone());
        self.kept.entry(key).or_default().push(Kept { object, from: position + 1, until: usize::MAX });
    }

    /// Ends all that may have the name, in a schema all that is in it.
    fn ended(&mut self, object: &Object, position: usize) {
        if object.kind == Kind::Schema {
            self.ended_within(&object.name.name, position);
        }
        let births = self.objects.get_mut(&(object.kind, object.name.name.clone()));
        for birth in births.into_iter().flatten().filter(|birth| birth.from <= position) {
            let its = Name { schema: birth.schema.clone(), name: object.name.name.clone() };
            if its.may_be(&object.name) {
                birth.until = birth.until.min(position);
            }
        }
        if object.kind == Kind::Relation {
            for added in self.columns.get_mut(&object.name.name).into_iter().flatten() {
                if added.table.may_be(&object.name) && added.from <= position {
                    added.until = added.until.min(position);
                }
            }
        }
    }

    fn ended_within(&mut self, schema: &str, position: usize) {
        for birth in self.objects.values_mut().flatten() {
            if birth.schema.as_deref() == Some(schema) && birth.from <= position {
                birth.until = birth.until.min(position);
            }
        }
        for added in self.columns.values_mut().flatten() {
            if added.table.schema.as_deref() == Some(schema) && added.from <= position {
                added.until = added.until.min(position);
            }
        }
    }

    /// What is old and had the name is gone as well.
    fn gone(&mut self, object: &Object, position: usize) {
        let kept = self.kept.get_mut(&(object.kind, object.name.name.clone())).into_iter().flatten();
        for kept in kept.filter(|kept| kept.object == *object && kept.from <= position) {
            kept.until = kept.until.min(position);
        }
    }

    fn added(&mut self, table: &Name, column: String, from: usize) {
        let added = Added { table: table.clone(), column, from, until: usize::MAX };
        self.columns.entry(table.name.clone()).or_default().push(added);
    }

    fn lost_column(&mut self, table: &Name, column: &str, position: usize) {
        self.tell(&table.name, format!("drops column {table}.{}", Quoted(column)), table);
        self.end_column(table, column, position);
    }

    fn end_column(&mut self, table: &Name, column: &str, position: usize) {
        for added in self.columns.get_mut(&table.name).into_iter().flatten() {
            if added.column == column && added.table.may_be(table) && added.from <= position {
                added.until = added.until.min(position);
            }
        }
    }

    /// Names without a schema mean something else from now on.
    fn leave_schema(&mut self, position: usize) {
        self.is_elsewhere = true;
        let births = self.objects.values_mut().flatten().filter(|birth| birth.schema.is_none());
        births.filter(|birth| birth.from <= position).for_each(|birth| birth.until = birth.until.min(position));
        let columns = self.columns.values_mut().flatten().filter(|added| added.table.schema.is_none());
        columns.filter(|added| added.from <= position).for_each(|added| added.until = added.until.min(position));
    }

    fn born(&mut self, kind: Kind, name: Name, birth: Birth) {
        let birth = Birth { schema: name.schema, ..birth };
        self.objects.entry((kind, name.name)).or_default().push(birth);
    }

    fn note(&mut self, kind: Kind, name: &Name, is_conditional: bool, table: Option<&Name>) {
        let verb = if is_conditional { "may create" } else { "creates" };
        let of_table = table.map_or_else(String::new, |table| format!(" on {table}"));
        let about = std::iter::once(name).chain(table).map(|name| name.name.clone()).collect();
        // A later step has the session's schema again.
        if kind == Kind::Schema || name.schema.is_some() || !self.is_elsewhere {
            self.notes.push(Note { about, text: format!("{verb} {} {name}{of_table}", word(kind)) });
        }
    }

    fn tell(&mut self, about: &str, text: String, table: &Name) {
        if table.schema.is_some() || !self.is_elsewhere {
            self.notes.push(Note::about(about, text));
        }
    }

    /// Reads a line that an earlier step has noted. Others are no matter.
    fn read(&mut self, note: &str) {
        if let Some(column) = note.strip_prefix("adds column ") {
            let Some((table, column)) = split_column(column) else { return };
            self.added(&table, column, 0);
            return;
        }
        if let Some(column) = note.strip_prefix("drops column ") {
            let Some((table, column)) = split_column(column) else { return };
            self.columns
                .entry(table.name.clone())
                .or_default()
                .retain(|added| added.column != column || !added.table.may_be(&table));
            return;
        }
        if let Some(rest) = note.strip_prefix("drops ").or_else(|| note.strip_prefix("keeps ")) {
            if let Some(object) = read_object(rest) {
                self.take_back(object, note.starts_with("keeps "));
            }
            return;
        }
        let (is_conditional, rest) = match (note.strip_prefix("creates "), note.strip_prefix("may create ")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return,
        };
        let Some((word_of, rest)) = rest.split_once(' ') else { return };
        let Some(kind) = KINDS.into_iter().find(|kind| word(*kind) == word_of) else { return };
        let (name, table) = match rest.rsplit_once(" on ") {
            Some((name, table)) if kind == Kind::Index => (name, Name::read(table)),
            _ => (rest, None),
        };
        let Some(name) = Name::read(name) else { return };
        if !is_conditional {
            self.kept.entry((kind, name.name.clone())).or_default().retain(|kept| kept.object.name != name);
        }
        self.born(kind, name, Birth::before(is_conditional, table));
    }

    /// What an earlier step has dropped, or what has got its name.
    fn take_back(&mut self, object: Object, is_kept: bool) {
        let name = &object.name;
        if object.kind == Kind::Schema {
            let schema = Some(&name.name);
            self.objects.values_mut().for_each(|births| births.retain(|birth| birth.schema.as_ref() != schema));
            self.columns.values_mut().for_each(|columns| columns.retain(|added| added.table.schema.as_ref() != schema));
        }
        if object.kind == Kind::Relation
            && let Some(columns) = self.columns.get_mut(&name.name)
        {
            columns.retain(|added| !added.table.may_be(name));
        }
        if let Some(births) = self.objects.get_mut(&(object.kind, name.name.clone())) {
            births.retain(|birth| !Name { schema: birth.schema.clone(), name: name.name.clone() }.may_be(name));
        }
        let kept = self.kept.entry((object.kind, object.name.name.clone())).or_default();
        kept.retain(|kept| kept.object != object);
        if is_kept {
            kept.push(Kept { object, from: 0, until: usize::MAX });
        }
    }
}

/// The object of `table visit`.
fn read_object(text: &str) -> Option<Object> {
    let (word_of, name) = text.split_once(' ')?;
    let kind = KINDS.into_iter().find(|kind| word(*kind) == word_of)?;
    Some(Object::new(kind, Name::read(name)?))
}

fn is_temporary(persistence: Option<&ast::Persistence>) -> bool {
    matches!(persistence, Some(ast::Persistence::Temp(_)))
}

/// Whether a statement may change what names without a schema mean.
fn sets_search_path(statement: &ast::Stmt) -> bool {
    let mut tokens = statement.syntax().descendants_with_tokens().filter_map(squawk_syntax::SyntaxElement::into_token);
    match statement {
        ast::Stmt::Set(_) => tokens.any(|token| {
            ["search_path", "schema"].iter().any(|word| token.text().trim_matches('"').eq_ignore_ascii_case(word))
        }),
        _ => tokens.any(|token| token.text().eq_ignore_ascii_case("set_config")),
    }
}

const KINDS: [Kind; 5] = [Kind::Relation, Kind::Index, Kind::Type, Kind::Function, Kind::Schema];

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Relation => "table",
        Kind::Index => "index",
        Kind::Type => "type",
        Kind::Function => "function",
        Kind::Schema => "schema",
    }
}

/// The table and the column of `table.column`; the column is what is after the last dot outside of quotes.
fn split_column(text: &str) -> Option<(Name, String)> {
    let mut is_quoted = false;
    let dot = text
        .char_indices()
        .filter(|(_, character)| {
            is_quoted ^= *character == '"';
            *character == '.' && !is_quoted
        })
        .last()?
        .0;
    let column = Name::read(&text[dot + 1..])?;
    Some((Name::read(&text[..dot])?, column.name))
}

impl Birth {
    fn before(is_conditional: bool, table: Option<Name>) -> Self {
        Birth { schema: None, from: 0, until: usize::MAX, is_conditional, table }
    }
}
