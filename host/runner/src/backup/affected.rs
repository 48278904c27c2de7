//! Which tables and columns lose something when statements run. Any doubt makes it more, never less.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use runner_chain::Dialect;
use runner_chain::sql::Effect;
use runner_chain::sql::ObjectName;
use runner_chain::sql::effects;
use runner_chain::sql::lexemes;
use runner_database::Table;

/// One way in which a statement takes something away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// The revision.
    pub(crate) revision: String,
    /// Which statement of it, from 1.
    pub(crate) statement: usize,
    /// Which of the tables; `None`: all, because nobody can tell.
    pub(crate) table: Option<usize>,
    /// What is lost of it.
    pub(crate) what: Lost,
}

/// What is lost of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It is dropped.
    Table,
    /// All of its rows are removed.
    Emptied,
    /// Some of its rows may be removed.
    Rows,
    /// Rows that refer to rows that go.
    Cascade {
        /// What becomes of them, as in `CASCADE`.
        on_delete: String,
    },
    /// A column is dropped.
    Column(String),
    /// The values of a column get another type.
    Narrowed {
        /// The column.
        column: String,
        /// The new type, as written.
        to: String,
    },
    /// Values of columns are overwritten; none named: of any.
    Overwritten(Vec<String>),
    /// Nobody can tell; why.
    Unknown(String),
    /// Something of another database, which can't be saved from here.
    Elsewhere(String),
}

/// What is to be saved of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Whole,
    /// These columns, with its key.
    Columns(BTreeSet<String>),
}

/// A statement that is to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned<'a> {
    pub(crate) revision: &'a str,
    /// From 1.
    pub(crate) statement: usize,
    pub(crate) text: &'a str,
}

/// The target as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live<'a> {
    pub(crate) tables: &'a [Table],
    pub(crate) dialect: Dialect,
    /// The schema of names without one.
    pub(crate) schema: Option<&'a str>,
    /// Whether foreign keys act.
    pub(crate) cascades: bool,
}

/// What statements take away, in their order.
pub(crate) fn losses(statements: &[Planned<'_>], target: &Live<'_>) -> Vec<Loss> {
    // A script may turn them on itself.
    let speaks_of_keys = |planned: &Planned<'_>| planned.text.to_ascii_lowercase().contains("foreign_keys");
    let cascades = target.cascades || statements.iter().any(speaks_of_keys);
    let mut trace = Trace { target, cascades, renamed: HashMap::new(), columns: HashMap::new(), losses: Vec::new() };
    let dialect = target.dialect;
    for planned in statements {
        for effect in effects(planned.text, dialect) {
            trace.follow(planned, &effect);
        }
        if inserts(planned.text, dialect) && target.tables.iter().any(|table| table.has_triggers) {
            trace.doubt(planned, "it adds rows, and there are triggers, which may change anything");
        }
    }
    // What the plan itself makes dangerous is not in the catalogue yet.
    if let Some(planned) = statements.iter().find(|planned| makes_dangerous(planned.text, dialect))
        && !trace.losses.is_empty()
    {
        trace.doubt(planned, "it makes a trigger, a foreign key or a partition, through which more may be lost");
    }
    trace.losses
}

/// Whether a statement may add rows.
pub(crate) fn inserts(statement: &str, dialect: Dialect) -> bool {
    let adds = ["INSERT", "COPY", "LOAD", "MERGE", "REPLACE"];
    lexemes(statement, dialect).any(|word| adds.iter().any(|add| word.is(add)))
}

/// Whether a statement makes something through which later ones take more away than they say.
fn makes_dangerous(statement: &str, dialect: Dialect) -> bool {
    let words: Vec<_> = lexemes(statement, dialect).collect();
    let has = |word: &str| words.iter().any(|found| found.is(word));
    let makes = has("CREATE") && (has("TRIGGER") || has("RULE"));
    let enables = has("ENABLE") && (has("TRIGGER") || has("RULE"));
    makes || enables || has("REFERENCES") || (has("ATTACH") && has("PARTITION")) || has("INHERIT") || has("INHERITS")
}

/// What has to be saved so that nothing is lost, by table.
pub(crate) fn extents(losses: &[Loss], tables: &[Table]) -> BTreeMap<usize, Extent> {
    let mut extents: BTreeMap<usize, Extent> = BTreeMap::new();
    for loss in losses {
        let Some(index) = loss.table else {
            return (0..tables.len()).map(|index| (index, Extent::Whole)).collect();
        };
        let columns: Vec<String> = match &loss.what {
            Lost::Column(column) | Lost::Narrowed { column, .. } => vec![column.clone()],
            Lost::Overwritten(columns) => columns.clone(),
            _ => Vec::new(),
        };
        // Without a key nobody could tell which row a value belongs to; and a key that changes is none.
        let Some(table) = tables.get(index) else { continue };
        let stored = |name: &String| table.column(name).is_some_and(|column| !column.is_generated);
        let is_part = !columns.is_empty()
            && !table.key.is_empty()
            && columns.iter().all(stored)
            && !columns.iter().any(|column| table.key.contains(column));
        match (extents.get_mut(&index), is_part) {
            (_, false) => drop(extents.insert(index, Extent::Whole)),
            (None, true) => drop(extents.insert(index, Extent::Columns(columns.into_iter().collect()))),
            (Some(Extent::Columns(known)), true) => known.extend(columns),
            (Some(Extent::Whole), true) => {}
        }
    }
    extents
}

/// Follows names through statements that change them.
struct Trace<'a> {
    target: &'a Live<'a>,
    cascades: bool,
    /// What a name stands for after renames: a table that is there now, or nothing, if it was made or dropped meanwhile.
    renamed: HashMap<String, Option<usize>>,
    /// The same for columns.
    columns: HashMap<(usize, String), String>,
    losses: Vec<Loss>,
}

impl Trace<'_> {
    fn fold(&self, name: &str) -> String {
        if self.target.dialect == Dialect::Postgres { name.to_owned() } else { name.to_lowercase() }
    }

    fn key(&self, name: &ObjectName) -> String {
        let schema = match self.target.dialect {
            Dialect::Postgres => name.schema.as_deref().or(self.target.schema).unwrap_or_default(),
            // A database, or an attached file: the tables of others are not ours.
            Dialect::Sqlite | Dialect::Mysql => "",
        };
        self.fold(&format!("{schema}\0{}", name.name))
    }

    /// Whether a name leads into another database, or an attached file.
    fn is_elsewhere(&self, name: &ObjectName) -> bool {
        let Some(schema) = &name.schema else { return false };
        match self.target.dialect {
            Dialect::Postgres => false,
            Dialect::Sqlite => !schema.eq_ignore_ascii_case("main"),
            Dialect::Mysql => self.target.schema.is_none_or(|own| !schema.eq_ignore_ascii_case(own)),
        }
    }

    /// The tables that a name may stand for.
    fn resolve(&self, name: &ObjectName) -> Found {
        if self.is_elsewhere(name) {
            return Found::Nothing;
        }
        if let Some(known) = self.renamed.get(&self.key(name)) {
            return known.map_or(Found::New, |index| Found::There(vec![index]));
        }
        let is_named = |table: &Table| self.fold(&table.name) == self.fold(&name.name);
        let is_in = |table: &Table, schema: Option<&str>| schema.is_none() || table.schema.as_deref() == schema;
        let wanted = if self.target.dialect == Dialect::Postgres { name.schema.as_deref() } else { None };
        let all = |schema: Option<&str>| -> Vec<usize> {
            let found =
                self.target.tables.iter().enumerate().filter(|(_, table)| is_named(table) && is_in(table, schema));
            found.map(|(index, _)| index).collect()
        };
        // Without a schema it is the one of the session, or any that the search path may lead to.
        let here = all(wanted.or(self.target.schema));
        let found = if here.is_empty() && wanted.is_none() { all(None) } else { here };
        if found.is_empty() { Found::Nothing } else { Found::There(found) }
    }

    fn column(&self, table: usize, column: &str) -> String {
        let folded = self.fold(column);
        if let Some(original) = self.columns.get(&(table, folded.clone())) {
            return original.clone();
        }
        let columns = self.target.tables.get(table).map_or(&[][..], |table| &table.columns);
        let found = columns.iter().find(|column| self.fold(&column.name) == folded);
        found.map_or_else(|| column.to_owned(), |column| column.name.clone())
    }

    fn lose(&mut self, planned: &Planned<'_>, table: Option<usize>, what: Lost) {
        let loss = Loss { revision: planned.revision.to_owned(), statement: planned.statement, table, what };
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    fn doubt(&mut self, planned: &Planned<'_>, why: impl Into<String>) {
        self.lose(planned, None, Lost::Unknown(why.into()));
    }

    /// Does something with each table of a name, and with those whose rows are seen through it.
    fn each(&mut self, planned: &Planned<'_>, name: &ObjectName, what: impl Fn(&Self, usize) -> Lost) {
        if self.is_elsewhere(name) {
            self.lose(planned, None, Lost::Elsewhere(name.to_string()));
            return;
        }
        let Found::There(found) = self.resolve(name) else { return };
        for index in self.with_children(found) {
            let what = what(self, index);
            self.lose(planned, Some(index), what);
        }
    }

    /// Tables, and those whose rows are seen through them.
    fn with_children(&self, mut found: Vec<usize>) -> Vec<usize> {
        let mut next = 0;
        while let Some(index) = found.get(next).copied() {
            next += 1;
            let children = self.target.tables.get(index).map_or(&[][..], |table| &table.children);
            for child in children {
                let child = self.target.tables.iter().position(|table| table.full_name() == *child);
                found.extend(child.filter(|child| !found.contains(child)));
            }
        }
        found
    }

    /// Rows of a table change, which may set more in motion than the statement says.
    fn touch(&mut self, planned: &Planned<'_>, name: &ObjectName, removes: bool) -> bool {
        let found = match self.resolve(name) {
            Found::There(found) => self.with_children(found),
            Found::New => return false,
            Found::Nothing if self.is_elsewhere(name) => {
                self.lose(planned, None, Lost::Elsewhere(name.to_string()));
                return false;
            }
            // A view, or a table that the account can't see.
            Found::Nothing => {
                self.doubt(planned, format!("`{name}` is no table, so what changes of its rows change can't be seen"));
                return false;
            }
        };
        for index in &found {
            let Some(table) = self.target.tables.get(*index) else { continue };
            if table.has_triggers {
                let name = table.full_name();
                self.doubt(planned, format!("`{name}` has triggers, which may change anything"));
            }
            if removes {
                self.cascade(planned, *index);
            }
        }
        true
    }

    /// Rows that refer to those of a table which go.
    fn cascade(&mut self, planned: &Planned<'_>, from: usize) {
        if !self.cascades {
            return;
        }
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(parent) = reached.get(next).copied() {
            next += 1;
            let Some(parent) = self.target.tables.get(parent) else { continue };
            let (tables, name) = (self.target.tables, parent.full_name());
            for (child, table) in tables.iter().enumerate() {
                for reference in &table.references {
                    let is_it = reference.table.schema == name.schema
                        && self.fold(&reference.table.name) == self.fold(&name.name);
                    match reference.on_delete.as_str() {
                        "CASCADE" | "SET NULL" | "SET DEFAULT" if is_it && table.has_triggers => {
                            let name = table.full_name();
                            self.doubt(planned, format!("`{name}` has triggers, which may change anything"));
                        }
                        "CASCADE" if is_it => {
                            self.lose(planned, Some(child), Lost::Cascade { on_delete: "CASCADE".to_owned() });
                            if !reached.contains(&child) {
                                reached.push(child);
                            }
                        }
                        "SET NULL" | "SET DEFAULT" if is_it => {
                            self.lose(planned, Some(child), Lost::Overwritten(reference.columns.clone()));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn follow(&mut self, planned: &Planned<'_>, effect: &Effect) {
        match effect {
            Effect::DropTable { table, .. } => {
                self.each(planned, table, |_, _| Lost::Table);
                // SQLite deletes the rows of a table before it drops it, if it looks after foreign keys.
                if self.target.dialect == Dialect::Sqlite
                    && let Found::There(found) = self.resolve(table)
                {
                    found.into_iter().for_each(|index| self.cascade(planned, index));
                }
                self.renamed.insert(self.key(table), None);
            }
            Effect::DropSchema { schema, cascade: true } if self.target.dialect == Dialect::Postgres => {
                self.doubt(planned, format!("`DROP SCHEMA {schema} CASCADE` takes along whatever rests on it"));
            }
            Effect::DropSchema { schema, .. } => {
                let is_in = |table: &Table| {
                    self.target.dialect != Dialect::Postgres || table.schema.as_deref() == Some(schema.as_str())
                };
                let found: Vec<usize> =
                    (0..self.target.tables.len()).filter(|index| is_in(&self.target.tables[*index])).collect();
                found.into_iter().for_each(|index| self.lose(planned, Some(index), Lost::Table));
            }
            Effect::DropColumn { table, column, .. } => {
                self.each(planned, table, |trace, index| Lost::Column(trace.column(index, column)));
            }
            Effect::ChangeType { table, column, to, .. } => {
                self.each(planned, table, |trace, index| Lost::Narrowed {
                    column: trace.column(index, column),
                    to: to.clone(),
                });
            }
            Effect::Truncate { table, cascade } => {
                self.each(planned, table, |_, _| Lost::Emptied);
                if *cascade {
                    self.doubt(planned, format!("`TRUNCATE {table} CASCADE` empties whatever refers to it"));
                } else if self.has_triggers(table) {
                    self.doubt(planned, format!("`{table}` has triggers, which may change anything"));
                }
            }
            Effect::DeleteRows { table } => {
                if self.touch(planned, table, true) {
                    self.each(planned, table, |_, _| Lost::Rows);
                }
            }
            Effect::UpdateRows { table, columns } => {
                if self.changes_what_others_refer_to(table, columns) {
                    self.doubt(planned, format!("it may change a key of `{table}` to which other rows refer"));
                }
                if self.touch(planned, table, false) {
                    self.each(planned, table, |trace, index| {
                        Lost::Overwritten(columns.iter().map(|column| trace.column(index, column)).collect())
                    });
                }
            }
            Effect::RenameTable { from, to } => {
                let is = match self.resolve(from) {
                    Found::There(found) if found.len() == 1 => found.first().copied(),
                    Found::There(_) => {
                        self.doubt(planned, format!("`{from}` may be one of several tables"));
                        None
                    }
                    Found::New | Found::Nothing => None,
                };
                if self.is_elsewhere(from) || self.is_elsewhere(to) {
                    self.doubt(planned, format!("`{from}` is moved between databases"));
                    return;
                }
                // A temporary table may have the name, or a run that was cut off has renamed it already.
                if is.is_none() && matches!(self.resolve(to), Found::There(_)) {
                    self.doubt(planned, format!("`{to}` is there before something is renamed to it"));
                    return;
                }
                // Without a schema the new name stays in that of the table.
                let schema = is.and_then(|index| self.target.tables.get(index)?.schema.clone());
                let to = ObjectName { schema: to.schema.clone().or(schema), name: to.name.clone() };
                self.renamed.insert(self.key(from), None);
                self.renamed.insert(self.key(&to), is);
            }
            Effect::RenameColumn { table, from, to } => {
                if let Found::There(found) = self.resolve(table) {
                    for index in found {
                        let original = self.column(index, from);
                        self.columns.insert((index, self.fold(to)), original);
                    }
                }
            }
            Effect::CreateTable { table, temporary, .. } => {
                match self.resolve(table) {
                    Found::There(_) if *temporary => {
                        self.doubt(planned, format!("a temporary table `{table}` hides the one that is there"));
                    }
                    // What is there stays: it is another one that is made, or it fails.
                    Found::There(_) => {}
                    Found::New | Found::Nothing if self.is_elsewhere(table) => {}
                    Found::New | Found::Nothing => drop(self.renamed.insert(self.key(table), None)),
                }
            }
            // The values of sequences and identities are in the backup of the tables that use them.
            Effect::DropSequence { .. } | Effect::ChangeSequence { .. } | Effect::ChangeIdentity { .. } => {}
            Effect::Opaque { why } => self.doubt(planned, why.clone()),
            Effect::RenameSchema { from, .. } => {
                self.doubt(planned, format!("`{from}` gets another name, and tables in it can't be followed"));
            }
            _ => self.doubt(planned, "what it takes away can't be seen"),
        }
    }

    /// Whether an update may touch columns of a key, and foreign keys lead to the table.
    fn changes_what_others_refer_to(&self, name: &ObjectName, columns: &[String]) -> bool {
        let Found::There(found) = self.resolve(name) else { return false };
        self.with_children(found).into_iter().any(|index| {
            let Some(table) = self.target.tables.get(index) else { return false };
            let is_plain = !columns.is_empty()
                && columns.iter().all(|column| {
                    let name = self.column(index, column);
                    // A key that others refer to need not be the first one, so only what no index holds is plain.
                    !table.key.contains(&name)
                        && !table.complete.iter().any(|sql| sql.contains(&name))
                        && !table.create.iter().any(|sql| sql.to_ascii_uppercase().contains("UNIQUE"))
                });
            let is_referred_to = self.target.tables.iter().any(|other| {
                other.references.iter().any(|reference| {
                    self.fold(&reference.table.name) == self.fold(&table.name) && reference.table.schema == table.schema
                })
            });
            is_referred_to && self.cascades && !is_plain
        })
    }

    fn has_triggers(&self, name: &ObjectName) -> bool {
        let Found::There(found) = self.resolve(name) else { return false };
        found.iter().filter_map(|index| self.target.tables.get(*index)).any(|table| table.has_triggers)
    }
}

/// What a name stands for.
enum Found {
    /// Tables that are there now.
    There(Vec<usize>),
    /// Something that the statements themselves have made.
    New,
    /// Nothing that is known.
    Nothing,
}

#[cfg(test)]
#[path = "affected_tests.rs"]
mod tests;
