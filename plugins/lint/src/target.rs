//! What is known of the tables that a revision changes: from facts about the target, from what earlier steps of the plan have
//! noted, and from the revision's own statements.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use runner_policy_sdk::Failure;
use runner_policy_sdk::facts;
use runner_policy_sdk::facts::Column;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Note;

use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::deed::Index;
use crate::deed::Name;
use crate::made::Newness;
use crate::made::Tables;
use crate::server::Server;

const DROPS_INDEX: &str = "drops index ";
const DROPS_VIEW: &str = "drops view ";

/// The target, and how it changes from statement to statement.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    circumstances: &'a Circumstances,
    small: u64,
    relations: OnceCell<Vec<Relation>>,
    /// By name in lower case.
    index: OnceCell<BTreeMap<String, usize>>,
    failure: RefCell<Option<Failure>>,
    tables: Tables,
    /// Tables, views and triggers that the revision has dropped or renamed, in lower case.
    gone: BTreeSet<String>,
    /// Views and triggers that the plan has dropped.
    gone_views: BTreeSet<String>,
    /// Views and triggers that this revision makes somewhere, in lower case.
    makes: BTreeSet<String>,
    /// The same of indexes.
    makes_indexes: BTreeSet<String>,
    /// Indexes that it has dropped.
    gone_indexes: BTreeSet<String>,
    /// Indexes that this revision has made: table, index and columns in lower case.
    made_indexes: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// The tables of those indexes.
    index_tables: BTreeMap<String, String>,
    /// Columns that this revision has added: schema, table and column in lower case.
    added: BTreeSet<ColumnKey>,
}

impl<'a> Target<'a> {
    pub(crate) fn new(circumstances: &'a Circumstances, small: u64, notes: &[String]) -> Self {
        let told = |verb: &str| notes.iter().filter_map(|note| note.strip_prefix(verb)).map(str::to_owned).collect();
        Target {
            circumstances,
            small,
            relations: OnceCell::new(),
            index: OnceCell::new(),
            failure: RefCell::new(None),
            tables: Tables::told(notes),
            gone: BTreeSet::new(),
            gone_indexes: told(DROPS_INDEX),
            gone_views: told(DROPS_VIEW),
            made_indexes: BTreeMap::new(),
            index_tables: BTreeMap::new(),
            makes: BTreeSet::new(),
            makes_indexes: BTreeSet::new(),
            added: BTreeSet::new(),
        }
    }

    /// Why facts could not be had, if somebody asked for them.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failure.borrow().clone()
    }

    /// Tables and views of the target, as they were before the plan.
    pub(crate) fn relations(&self) -> &[Relation] {
        self.relations.get_or_init(|| {
            if !self.circumstances.has_facts {
                return Vec::new();
            }
            facts::relations().unwrap_or_else(|failure| {
                self.failure.borrow_mut().get_or_insert(failure);
                Vec::new()
            })
        })
    }

    /// A table that was there before the plan.
    pub(crate) fn relation(&self, table: &str) -> Option<&Relation> {
        let relations = self.relations();
        let index = self.index.get_or_init(|| {
            relations.iter().enumerate().map(|(index, relation)| (relation.name.to_lowercase(), index)).collect()
        });
        index.get(&table.to_lowercase()).and_then(|index| relations.get(*index))
    }

    pub(crate) fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.relation(table)?.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column))
    }

    /// Whether the plan itself has made the table, so that nobody uses it and nothing is lost with it.
    pub(crate) fn is_new(&self, table: &Name) -> bool {
        match self.tables.newness(table) {
            Newness::New => true,
            Newness::Old => false,
            // `IF NOT EXISTS`: only the target knows.
            Newness::Likely => {
                self.circumstances.has_facts && self.relation(&table.name).is_none() && self.failure().is_none()
            }
        }
    }

    /// Whether facts say that there is no such table, and the plan has given its name to no other.
    pub(crate) fn is_missing(&self, table: &Name) -> bool {
        let is_known = self.circumstances.has_facts && table.schema.is_none() && !self.tables.is_kept(table);
        is_known && self.relation(&table.name).is_none() && self.failure().is_none()
    }

    /// Whether the table, view or trigger was dropped or renamed before.
    pub(crate) fn is_gone(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.gone.contains(&name) || self.gone_views.contains(&name)
    }

    /// Whether the revision makes a view or trigger of this name, so that dropping it is half of a change.
    pub(crate) fn is_made_again(&self, name: &str) -> bool {
        self.makes.contains(&name.to_lowercase())
    }

    /// Whether the revision makes an index of this name somewhere.
    pub(crate) fn is_index_made(&self, name: &str) -> bool {
        self.makes_indexes.contains(&name.to_lowercase())
    }

    /// Looks ahead at what the revision makes.
    pub(crate) fn expect(&mut self, deeds: &mut dyn Iterator<Item = &Deed>) {
        for deed in deeds {
            match deed {
                Deed::CreateView { name, .. } | Deed::CreateTrigger { name, .. } => {
                    self.makes.insert(name.name.to_lowercase());
                }
                Deed::CreateIndex { index, .. } => self.expect_index(index),
                Deed::CreateTable { table, .. } => table.indexes.iter().for_each(|index| self.expect_index(index)),
                Deed::AlterTable { changes, .. } => {
                    for change in changes {
                        if let ChangeKind::AddIndex(index) = &change.what {
                            self.expect_index(index);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether the index was dropped before.
    pub(crate) fn is_gone_index(&self, name: &str) -> bool {
        self.gone_indexes.contains(&name.to_lowercase())
    }

    /// An index of the table that this revision has made before, and that holds the column.
    pub(crate) fn made_index_on(&self, table: &str, column: &str) -> Option<&str> {
        let indexes = self.made_indexes.get(&table.to_lowercase())?;
        let holds = |columns: &[String]| columns.iter().any(|other| other.eq_ignore_ascii_case(column));
        indexes.iter().find(|(_, columns)| holds(columns)).map(|(name, _)| name.as_str())
    }

    fn expect_index(&mut self, index: &Index) {
        self.makes_indexes.extend(index.name.as_ref().map(|name| name.name.to_lowercase()));
    }

    /// Whether this revision has added the column.
    pub(crate) fn is_added(&self, table: &Name, column: &str) -> bool {
        self.added.contains(&column_key(table, column))
    }

    /// Whether facts say that the table is small.
    pub(crate) fn is_small(&self, table: &str) -> bool {
        self.relation(table).and_then(|relation| relation.rows).is_some_and(|rows| rows < self.small)
    }

    /// Whether facts say that the table is not small.
    pub(crate) fn is_large(&self, table: &str) -> bool {
        self.relation(table).and_then(|relation| relation.rows).is_some_and(|rows| rows >= self.small)
    }

    /// What is known of the size, in words for parentheses, as in `48 213 rows, 12 MB`.
    pub(crate) fn size(&self, table: &str) -> String {
        if !self.circumstances.has_facts {
            return "size unknown: no connection to the database".to_owned();
        }
        let Some(relation) = self.relation(table) else {
            return "size unknown: the database has no such table yet".to_owned();
        };
        match (relation.rows, relation.bytes) {
            (Some(rows), Some(size)) => format!("{}, {}", counted(rows), bytes(size)),
            (Some(rows), None) => counted(rows),
            (None, Some(size)) => bytes(size),
            (None, None) => "size unknown: the database has no statistics of it".to_owned(),
        }
    }

    /// Goes past a statement.
    pub(crate) fn pass(&mut self, deed: &Deed) {
        match deed {
            Deed::CreateTable { name, table } if table.temporary => self.tables.create_temporary(name),
            Deed::CreateTable { name, table } => self.tables.create(name, table.if_not_exists),
            Deed::DropTable { names, temporary: true, .. } => {
                names.iter().for_each(|name| self.tables.drop_temporary(name));
            }
            Deed::DropTable { names, .. } => {
                for name in names {
                    self.tables.drop(name);
                    self.forget(name);
                }
            }
            Deed::CreateIndex { table, index, .. } => {
                let name = index.name.as_ref().map(|name| name.name.to_lowercase()).unwrap_or_default();
                let table = table.name.to_lowercase();
                self.index_tables.insert(name.clone(), table.clone());
                self.made_indexes.entry(table).or_default().push((name, index.columns.clone()));
            }
            Deed::DropIndex { names, .. } => {
                for name in names.iter().map(|name| name.name.to_lowercase()) {
                    if let Some(made) =
                        self.index_tables.remove(&name).and_then(|table| self.made_indexes.get_mut(&table))
                    {
                        made.retain(|(made, _)| *made != name);
                    }
                    self.gone_indexes.insert(name);
                }
            }
            Deed::Drop { names, .. } => {
                self.gone.extend(names.iter().map(|name| name.name.to_lowercase()));
                self.gone_views.extend(names.iter().map(|name| name.name.to_lowercase()));
            }
            Deed::RenameTables(pairs) => pairs.iter().for_each(|(old, new)| self.rename(old, new)),
            Deed::AlterTable { table, changes, .. } => {
                for change in changes {
                    self.change(table, &change.what);
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, table: &Name, change: &ChangeKind) {
        match change {
            ChangeKind::RenameTable(new) => self.rename(table, new),
            // With `IF NOT EXISTS` it may have been there.
            ChangeKind::AddColumn { column, if_not_exists: false } => {
                self.added.insert(column_key(table, &column.name));
            }
            ChangeKind::DropColumn { column, .. } => {
                self.added.remove(&column_key(table, &column.name));
            }
            ChangeKind::RenameColumn { old, new } => self.rename_column(table, old, &new.name),
            ChangeKind::Redefine { old, column, .. } if !old.is(&column.name) => {
                self.rename_column(table, old, &column.name);
            }
            _ => {}
        }
    }

    /// A column that was there before may get the name of one that was added and dropped.
    fn rename_column(&mut self, table: &Name, old: &Name, new: &str) {
        let key = column_key(table, new);
        if self.added.remove(&column_key(table, &old.name)) {
            self.added.insert(key);
        } else {
            self.added.remove(&key);
        }
    }

    fn rename(&mut self, old: &Name, new: &Name) {
        let is_new = self.is_new(old);
        self.tables.rename(old, new, is_new);
        self.forget(old);
        self.forget_columns(new);
    }

    fn forget(&mut self, table: &Name) {
        self.forget_columns(table);
        if table.schema.is_none() {
            self.gone.insert(table.name.to_lowercase());
        }
    }

    fn forget_columns(&mut self, table: &Name) {
        self.added.retain(|(_, other, _)| *other != table.name.to_lowercase());
    }

    /// A table that was rebuilt holds the rows of the one that it replaces.
    pub(crate) fn is_filled(&mut self, table: &str) {
        self.tables.fill(table);
    }

    /// Names without a schema mean other tables from now on.
    pub(crate) fn leave_schema(&mut self) {
        self.tables.leave_schema();
        self.added.retain(|(schema, ..)| schema.is_some());
    }

    /// What later steps of the plan have to know.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let is_made = |name: &&String| self.makes.contains(*name) || self.makes_indexes.contains(*name);
        // What uses them is not named where that matters, so all later steps are told.
        let told = |names: &BTreeSet<String>, verb: &str| -> Vec<Note> {
            let names = names.iter().filter(|name| !is_made(name));
            names.map(|name| Note { about: Vec::new(), text: format!("{verb}{name}") }).collect()
        };
        let mut notes = self.tables.notes();
        notes.extend(told(&self.gone_indexes, DROPS_INDEX));
        notes.extend(told(&self.gone_views, DROPS_VIEW));
        notes
    }

    /// What kind of server it is.
    pub(crate) fn server(&self) -> Server {
        Server::of(self.circumstances)
    }
}

/// Schema, table and column in lower case.
type ColumnKey = (Option<String>, String, String);

fn column_key(table: &Name, column: &str) -> ColumnKey {
    (table.schema.as_ref().map(|schema| schema.to_lowercase()), table.name.to_lowercase(), column.to_lowercase())
}

/// As in `48 213 rows`.
pub(crate) fn counted(rows: u64) -> String {
    let digits = rows.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    if rows == 1 { "1 row".to_owned() } else { format!("{grouped} rows") }
}

/// As in `2.1 GB`.
fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "kB", "MB", "GB"];
    let mut tenths = size.saturating_mul(10);
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    match tenths {
        100.. => format!("{} {}", tenths / 10, UNITS[unit]),
        _ if unit == 0 => format!("{} {}", tenths / 10, UNITS[unit]),
        _ => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_people() {
        let shown = [0, 1, 999, 1000, 48_213, 2_100_000].map(counted);
        assert_eq!(shown, ["0 rows", "1 row", "999 rows", "1 000 rows", "48 213 rows", "2 100 000 rows"]);
        let shown = [0, 999, 1000, 12_345, 2_100_000_000, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 bytes", "999 bytes", "1.0 kB", "12 kB", "2.1 GB", "1844674407 GB"]);
    }
}
