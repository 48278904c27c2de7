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

/// Everything that is new.
#[derive(Debug, Default)]
pub(crate) struct Novelty {
    objects: HashMap<(Kind, String), Vec<Birth>>,
    /// Columns by the names of their tables.
    columns: HashMap<String, Vec<(Name, String, usize)>>,
    notes: Vec<Note>,
}

/// What is known of an object's newness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newness {
    /// It was there before.
    Old,
    /// It was made with `IF NOT EXISTS`, so it may have been there.
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
        if let Some(schema) = &object.name.schema
            && object.kind != Kind::Schema
            && self.of(&Object::new(Kind::Schema, Name::bare(schema.clone())), position) == Newness::New
        {
            return Newness::New;
        }
        let births = self.objects.get(&(object.kind, object.name.name.clone()));
        let birth = births.into_iter().flatten().rev().find(|birth| {
            let name = Name { schema: birth.schema.clone(), name: object.name.name.clone() };
            birth.from <= position && position <= birth.until && name.may_be(&object.name)
        });
        match birth {
            None => Newness::Old,
            Some(birth) if birth.is_conditional => Newness::Likely,
            Some(birth) => match &birth.table {
                // An index of an old table is new itself, but its build and its drop lock the table.
                Some(table) if object.kind == Kind::Index => {
                    let table = Object::new(Kind::Relation, table.clone());
                    self.of(&table, position).min_new(Newness::New)
                }
                _ => Newness::New,
            },
        }
    }

    /// Whether an index was made here, whatever its table is.
    pub(crate) fn has_made_index(&self, index: &Name, position: usize) -> bool {
        let births = self.objects.get(&(Kind::Index, index.name.clone()));
        births.into_iter().flatten().any(|birth| birth.from <= position && !birth.is_conditional)
    }

    /// The table of an index that was made here.
    pub(crate) fn table_of(&self, index: &Name) -> Option<&Name> {
        self.objects.get(&(Kind::Index, index.name.clone()))?.iter().rev().find_map(|birth| birth.table.as_ref())
    }

    /// Whether a column was added here to a table that may be old.
    pub(crate) fn is_new_column(&self, table: &Name, column: &str, position: usize) -> bool {
        let columns = self.columns.get(&table.name);
        columns.into_iter().flatten().any(|(of, name, from)| *from <= position && name == column && of.may_be(table))
    }

    fn add(&mut self, statement: &ast::Stmt, position: usize) {
        use ast::Stmt;
        match statement {
            Stmt::CreateTable(node) => {
                self.made(Kind::Relation, node.table_name(), node.if_not_exists().is_some(), position);
            }
            Stmt::CreateTableAs(node) => {
                self.made(Kind::Relation, node.table_name(), node.if_not_exists().is_some(), position);
            }
            Stmt::CreateForeignTable(node) => {
                self.made(Kind::Relation, node.table_name(), node.if_not_exists().is_some(), position);
            }
            Stmt::SelectInto(node) => {
                self.made(Kind::Relation, node.into_clause().and_then(|into| into.table_name()), false, position);
            }
            Stmt::CreateView(node) => self.made(Kind::Relation, node.view(), node.or_replace().is_some(), position),
            Stmt::CreateMaterializedView(node) => {
                self.made(Kind::Relation, node.view(), node.if_not_exists().is_some(), position);
            }
            Stmt::CreateSequence(node) => {
                self.made(Kind::Relation, node.sequence(), node.if_not_exists().is_some(), position);
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
            | Stmt::DropDomain(_) => {
                for object in subject::objects(statement) {
                    self.dropped(&object, position);
                }
            }
            _ => {}
        }
    }

    fn made(&mut self, kind: Kind, name: Option<impl AstNode>, is_conditional: bool, position: usize) {
        let Some(name) = Name::within(name) else { return };
        self.note(kind, &name, is_conditional, None);
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
                    let text = format!("adds column {table}.{}", Quoted(&column));
                    self.notes.push(Note::about(&table.name, text));
                    self.columns.entry(table.name.clone()).or_default().push((table.clone(), column, position + 1));
                }
                ast::AlterTableAction::TableRenameTo(rename) => {
                    let Some(mut new) = Name::within(rename.table_name()) else { continue };
                    new.schema.clone_from(&table.schema);
                    let object = Object::new(Kind::Relation, table.clone());
                    match self.of(&object, position) {
                        Newness::Old => {}
                        newness => {
                            let is_conditional = newness == Newness::Likely;
                            self.note(Kind::Relation, &new, is_conditional, None);
                            self.born(
                                Kind::Relation,
                                new,
                                Birth { from: position + 1, ..Birth::before(is_conditional, None) },
                            );
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// What is dropped is not new any longer: what has its name then is something else.
    fn dropped(&mut self, object: &Object, position: usize) {
        let births = self.objects.get_mut(&(object.kind, object.name.name.clone()));
        for birth in births.into_iter().flatten() {
            let name = Name { schema: birth.schema.clone(), name: object.name.name.clone() };
            if birth.from <= position && name.may_be(&object.name) {
                birth.until = birth.until.min(position);
            }
        }
    }

    fn born(&mut self, kind: Kind, name: Name, birth: Birth) {
        let birth = Birth { schema: name.schema, ..birth };
        self.objects.entry((kind, name.name)).or_default().push(birth);
    }

    fn note(&mut self, kind: Kind, name: &Name, is_conditional: bool, table: Option<&Name>) {
        let verb = if is_conditional { "may create" } else { "creates" };
        let of_table = table.map_or_else(String::new, |table| format!(" on {table}"));
        let about = std::iter::once(name).chain(table).map(|name| name.name.clone()).collect();
        self.notes.push(Note { about, text: format!("{verb} {} {name}{of_table}", word(kind)) });
    }

    /// Reads a line that [`note`](Self::note) or [`altered`](Self::altered) has written. Others are no matter.
    fn read(&mut self, note: &str) {
        if let Some(column) = note.strip_prefix("adds column ") {
            let Some((table, column)) = split_column(column) else { return };
            self.columns.entry(table.name.clone()).or_default().push((table, column, 0));
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
        self.born(kind, name, Birth::before(is_conditional, table));
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

impl Newness {
    /// The less new of both.
    fn min_new(self, other: Newness) -> Newness {
        let rank = |newness| match newness {
            Newness::Old => 0,
            Newness::Likely => 1,
            Newness::New => 2,
        };
        if rank(self) <= rank(other) { self } else { other }
    }
}
