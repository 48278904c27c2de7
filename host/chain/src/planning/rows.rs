//! Keeps the rows of the version table while steps are taken.

use std::collections::BTreeSet;

use super::{Direction, Plan, RowChange, Step};
use crate::graph::{Applied, Chain};
use crate::identifier::RevisionId;
use crate::index_set::IndexSet;
use crate::version::Versions;

/// The plan that takes the given revisions one after the other, all the same way. Each must be ready when its turn comes:
/// going up, all it requires is applied; going down, nothing applied requires it.
pub(super) fn take(
    chain: &Chain,
    before: &Versions,
    rows: &[usize],
    applied: Applied,
    order: &[usize],
    direction: Direction,
) -> Plan {
    if order.is_empty() {
        return Plan { steps: Vec::new(), before: before.clone(), after: before.clone() };
    }
    let mut table = Table::new(chain, rows, applied.0);
    let steps = order
        .iter()
        .map(|&revision| {
            let rows = match direction {
                Direction::Up => table.apply(revision),
                Direction::Down => table.take_back(revision),
            };
            Step { revision, direction, rows }
        })
        .collect();
    let after = table.rows.iter().map(|index| table.id(index)).collect();
    Plan { steps, before: before.clone(), after }
}

struct Table<'a> {
    chain: &'a Chain,
    applied: IndexSet,
    /// For every position, how many applied revisions require it.
    requiring: Vec<u32>,
    rows: IndexSet,
    /// Rows that say nothing more because another row requires them; the first step removes them.
    superfluous: Vec<usize>,
}

impl<'a> Table<'a> {
    fn new(chain: &'a Chain, rows: &[usize], applied: IndexSet) -> Self {
        let mut requiring = vec![0; chain.len()];
        for index in applied.iter() {
            chain.required_indices(index).for_each(|required| requiring[required] += 1);
        }
        let (needed, superfluous) = rows.iter().partition::<Vec<usize>, _>(|&&row| requiring[row] == 0);
        Self { chain, applied, requiring, rows: IndexSet::of(chain.len(), needed), superfluous }
    }

    fn apply(&mut self, revision: usize) -> RowChange {
        let mut covered = Vec::new();
        for required in self.chain.required_indices(revision) {
            self.requiring[required] += 1;
            if self.rows.remove(required) {
                covered.push(required);
            }
        }
        self.applied.insert(revision);
        self.rows.insert(revision);
        self.change(covered, &[revision])
    }

    fn take_back(&mut self, revision: usize) -> RowChange {
        let mut uncovered = Vec::new();
        for required in self.chain.required_indices(revision) {
            self.requiring[required] -= 1;
            if self.requiring[required] == 0 && self.applied.contains(required) {
                self.rows.insert(required);
                uncovered.push(required);
            }
        }
        self.applied.remove(revision);
        self.rows.remove(revision);
        self.change(vec![revision], &uncovered)
    }

    fn change(&mut self, delete: Vec<usize>, insert: &[usize]) -> RowChange {
        let superfluous = std::mem::take(&mut self.superfluous);
        let kept = |index: &usize| !superfluous.contains(index);
        let ids = |indices: &mut dyn Iterator<Item = usize>| -> Vec<RevisionId> {
            indices.map(|index| self.id(index)).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let removed = superfluous.iter().copied().filter(|index| !insert.contains(index));
        RowChange {
            delete: ids(&mut delete.into_iter().chain(removed)),
            insert: ids(&mut insert.iter().copied().filter(kept)),
        }
    }

    fn id(&self, index: usize) -> RevisionId {
        self.chain.revisions()[index].id.clone()
    }
}
