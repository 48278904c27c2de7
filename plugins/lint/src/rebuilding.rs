//! How SQLite changes what `ALTER TABLE` can't: a new table is made, the rows are copied, the old table is dropped, and the new
//! one takes its name. As a whole that loses nothing, so its steps are not looked at one by one.

use std::collections::BTreeMap;

use runner_policy_sdk::Dialect;

use crate::deed::ChangeKind;
use crate::deed::Deed;
use crate::deed::Name;
use crate::deed::Rows;
use crate::script::Script;

/// A table that is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rebuild {
    /// The name that it has before and after.
    pub(crate) table: String,
    /// Indexes of the statements: in the right order create, copy, drop, rename; in the wrong one rename, create, copy, drop.
    pub(crate) steps: [usize; 4],
    /// The statement that creates the new table.
    pub(crate) created: usize,
    /// The statement that copies the rows.
    pub(crate) copied: usize,
    /// The old table was renamed first, which takes what refers to it along.
    pub(crate) wrong_order: bool,
    /// The table from which the rows come, as it is called then.
    pub(crate) source: String,
    /// Rows or values are lost on the way, so that the old table must not go unnoticed.
    pub(crate) is_lossy: bool,
}

/// Where tables are made, dropped and renamed: statements by the table's name in lower case, in their order.
#[derive(Default)]
struct Landmarks {
    created: BTreeMap<String, Vec<usize>>,
    dropped: BTreeMap<String, Vec<usize>>,
    /// By the old and the new name.
    renamed: BTreeMap<(String, String), Vec<usize>>,
}

impl Landmarks {
    fn of(script: &Script<'_>) -> Self {
        let mut marks = Landmarks::default();
        for (index, stated) in script.statements.iter().enumerate() {
            match &stated.deed {
                Deed::CreateTable { name, table } if !table.temporary => {
                    marks.created.entry(name.name.to_lowercase()).or_default().push(index);
                }
                Deed::DropTable { names, .. } => {
                    for name in names {
                        marks.dropped.entry(name.name.to_lowercase()).or_default().push(index);
                    }
                }
                Deed::RenameTables(pairs) => pairs.iter().for_each(|(old, new)| marks.rename(old, new, index)),
                Deed::AlterTable { table, changes, .. } => {
                    for change in changes {
                        if let ChangeKind::RenameTable(new) = &change.what {
                            marks.rename(table, new, index);
                        }
                    }
                }
                _ => {}
            }
        }
        marks
    }

    fn rename(&mut self, old: &Name, new: &Name, index: usize) {
        self.renamed.entry((old.name.to_lowercase(), new.name.to_lowercase())).or_default().push(index);
    }
}

fn before(places: Option<&Vec<usize>>, index: usize) -> Option<usize> {
    places.and_then(|places| places[..places.partition_point(|place| *place < index)].last().copied())
}

fn after(places: Option<&Vec<usize>>, index: usize) -> Option<usize> {
    places.and_then(|places| places.get(places.partition_point(|place| *place <= index)).copied())
}

/// Finds them in a section. On a server rows may be written between the copy and the rename, so there it is no whole.
pub(crate) fn find(script: &Script<'_>, dialect: Dialect) -> Vec<Rebuild> {
    if dialect != Dialect::Sqlite {
        return Vec::new();
    }
    let marks = Landmarks::of(script);
    let mut found = BTreeMap::new();
    for (copied, stated) in script.statements.iter().enumerate() {
        let Deed::Insert { table, rows: Rows::Query, source, .. } = &stated.deed else { continue };
        let new = table.name.to_lowercase();
        let Some(created) = before(marks.created.get(&new), copied) else { continue };
        for old in source.iter().map(|old| old.to_lowercase()) {
            let Some(dropped) = after(marks.dropped.get(&old), copied) else { continue };
            let pair = (new.clone(), old.clone());
            let source = old.clone();
            if let Some(renamed) = after(marks.renamed.get(&pair), dropped) {
                let steps = [created, copied, dropped, renamed];
                found.entry(dropped).or_insert(Rebuild {
                    table: old,
                    steps,
                    created,
                    copied,
                    wrong_order: false,
                    source,
                    is_lossy: false,
                });
            } else if let Some(renamed) = before(marks.renamed.get(&pair), created) {
                let steps = [renamed, created, copied, dropped];
                let table = new.clone();
                found.entry(dropped).or_insert(Rebuild {
                    table,
                    steps,
                    created,
                    copied,
                    wrong_order: true,
                    source,
                    is_lossy: false,
                });
            }
        }
    }
    found.into_values().collect()
}
