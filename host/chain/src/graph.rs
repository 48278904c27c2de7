//! The chain: all revisions, checked, in order, and how they are connected.

mod applied;
mod build;
mod cycles;
mod edges;
mod labels;
mod order;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use applied::{Applied, UnknownRevisions};
pub(crate) use build::assemble;
use edges::Edges;

use crate::diagnostic::Problems;
use crate::identifier::{Label, RevisionId};
use crate::index_set::IndexSet;
use crate::revision::Revision;

/// All revisions of a folder, checked and ordered: parents and dependencies come first, ties go to the smaller identifier.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    revisions: Vec<Revision>,
    by_id: HashMap<RevisionId, usize>,
    by_label: HashMap<Label, usize>,
    /// Positions in order of the identifiers.
    sorted: Vec<u32>,
    /// For every position, its place in `sorted`.
    rank: Vec<u32>,
    parents: Edges,
    children: Edges,
    dependencies: Edges,
    dependents: Edges,
    /// Parents and dependencies together, each once.
    requires: Edges,
    /// Children and dependents together, each once.
    required_by: Edges,
    propagated: OnceLock<Vec<Vec<Label>>>,
}

impl Chain {
    /// Checks revisions and puts them in order.
    ///
    /// # Errors
    /// Every [`Problem`](crate::Problem) of the graph: identifiers and labels used twice, parents and dependencies that are
    /// missing, ambiguous or the revision itself, parents named twice, and cycles.
    pub fn new(revisions: Vec<Revision>) -> Result<Self, Problems> {
        assemble(revisions, Vec::new())
    }

    /// A chain without revisions.
    pub fn empty() -> Self {
        Self::default()
    }

    /// All revisions in their order. Positions in this slice are what other functions call an index.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// How many revisions there are.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether there are no revisions.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// The revision of exactly this identifier.
    pub fn get(&self, id: &str) -> Option<&Revision> {
        self.revisions.get(self.index(id)?)
    }

    /// The position of the revision of exactly this identifier.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The revision whose file gives a label.
    pub fn labelled(&self, label: &str) -> Option<&Revision> {
        self.revisions.get(self.label_index(label)?)
    }

    /// Revisions that no other names as a parent. Dependencies do not count.
    pub fn heads(&self) -> impl Iterator<Item = &Revision> {
        self.at(self.head_indices())
    }

    /// Heads that no other depends on either: the rows of a database that has everything.
    pub fn effective_heads(&self) -> impl Iterator<Item = &Revision> {
        self.at(self.effective_head_indices())
    }

    /// Revisions without parents.
    pub fn bases(&self) -> impl Iterator<Item = &Revision> {
        self.at(self.base_indices())
    }

    /// Revisions with several children.
    pub fn branch_points(&self) -> impl Iterator<Item = &Revision> {
        self.at((0..self.len()).filter(|&index| self.children.of(index).len() > 1))
    }

    /// The parents in the order in which they are written. Like all functions that take a revision, this looks it up by
    /// its identifier; one that is not in the chain has no neighbours.
    pub fn parents(&self, revision: &Revision) -> impl Iterator<Item = &Revision> {
        self.neighbours(&self.parents, revision)
    }

    /// The revisions that name this one as a parent, in order.
    pub fn children(&self, revision: &Revision) -> impl Iterator<Item = &Revision> {
        self.neighbours(&self.children, revision)
    }

    /// The revisions that `Depends On` leads to, labels included.
    pub fn dependencies(&self, revision: &Revision) -> impl Iterator<Item = &Revision> {
        self.neighbours(&self.dependencies, revision)
    }

    /// The revisions that depend on this one, in order.
    pub fn dependents(&self, revision: &Revision) -> impl Iterator<Item = &Revision> {
        self.neighbours(&self.dependents, revision)
    }

    /// Whether no other revision names this one as a parent.
    pub fn is_head(&self, revision: &Revision) -> bool {
        self.children(revision).next().is_none()
    }

    /// Whether this is a head that no other revision depends on.
    pub fn is_effective_head(&self, revision: &Revision) -> bool {
        self.is_head(revision) && self.dependents(revision).next().is_none()
    }

    /// Whether the revision has no parent.
    pub fn is_base(&self, revision: &Revision) -> bool {
        revision.is_base()
    }

    /// Whether the revision has several parents.
    pub fn is_merge(&self, revision: &Revision) -> bool {
        revision.is_merge()
    }

    /// Whether the revision has several children.
    pub fn is_branch_point(&self, revision: &Revision) -> bool {
        self.children(revision).nth(1).is_some()
    }

    /// The labels a revision carries: its own, those of its ancestors, and those of descendants up to which the chain does
    /// not branch. Sorted.
    pub fn labels(&self, revision: &Revision) -> &[Label] {
        let propagated = self.propagated.get_or_init(|| labels::propagate(self));
        self.index(revision.id.as_str()).and_then(|index| propagated.get(index)).map_or(&[], Vec::as_slice)
    }

    /// The positions of a branch: the ancestors and descendants of the revision that gives a label, through parents.
    pub fn branch_members(&self, label: &str) -> Option<IndexSet> {
        self.label_index(label).map(|index| self.lineage(index))
    }

    /// Everything that a revision builds on, through parents alone.
    pub fn ancestors_of(&self, revision: &Revision) -> Vec<RevisionId> {
        let Some(start) = self.index(revision.id.as_str()) else { return Vec::new() };
        let ancestors = self.ancestors([start]);
        ancestors.iter().filter(|&index| index != start).map(|index| self.revisions[index].id.clone()).collect()
    }

    /// The ends of what is applied, branch by branch: applied revisions without an applied child. Some of them may have no row,
    /// because another revision depends on them.
    pub fn tips(&self, applied: &Applied) -> impl Iterator<Item = &Revision> {
        self.at(applied.iter().filter(|&index| !self.child_indices(index).any(|child| applied.contains(child))))
    }

    pub(crate) fn head_indices(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&index| self.children.of(index).is_empty())
    }

    pub(crate) fn effective_head_indices(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&index| self.required_by.of(index).is_empty())
    }

    pub(crate) fn base_indices(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&index| self.parents.of(index).is_empty())
    }

    pub(crate) fn parent_indices(&self, index: usize) -> impl Iterator<Item = usize> {
        positions(self.parents.of(index))
    }

    pub(crate) fn child_indices(&self, index: usize) -> impl Iterator<Item = usize> {
        positions(self.children.of(index))
    }

    pub(crate) fn required_indices(&self, index: usize) -> impl Iterator<Item = usize> {
        positions(self.requires.of(index))
    }

    pub(crate) fn requiring_indices(&self, index: usize) -> impl Iterator<Item = usize> {
        positions(self.required_by.of(index))
    }

    pub(crate) fn label_index(&self, label: &str) -> Option<usize> {
        self.by_label.get(label).copied()
    }

    pub(crate) fn label_owners(&self) -> impl Iterator<Item = (&Label, usize)> {
        self.by_label.iter().map(|(label, &index)| (label, index))
    }

    /// Positions whose identifiers begin with a prefix, in order of the identifiers.
    pub(crate) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = usize> {
        let id = |index: &u32| self.revisions.get(*index as usize).map_or("", |revision| revision.id.as_str());
        let start = self.sorted.partition_point(|index| id(index) < prefix);
        positions(&self.sorted[start..]).take_while(move |&index| {
            self.revisions.get(index).is_some_and(|found| found.id.as_str().starts_with(prefix))
        })
    }

    /// The given positions and all they require, through parents and dependencies.
    pub(crate) fn closure(&self, starts: impl IntoIterator<Item = usize>) -> IndexSet {
        self.reach(starts, &self.requires)
    }

    /// The given positions and all that require them, through parents and dependencies.
    pub(crate) fn requiring(&self, starts: impl IntoIterator<Item = usize>) -> IndexSet {
        self.reach(starts, &self.required_by)
    }

    /// A position and its descendants through children.
    pub(crate) fn descendants(&self, starts: impl IntoIterator<Item = usize>) -> IndexSet {
        self.reach(starts, &self.children)
    }

    /// Positions and their ancestors, through parents alone.
    pub(crate) fn ancestors(&self, starts: impl IntoIterator<Item = usize>) -> IndexSet {
        self.reach(starts, &self.parents)
    }

    /// A position, its ancestors and its descendants, through parents alone.
    pub(crate) fn lineage(&self, index: usize) -> IndexSet {
        let mut lineage = self.ancestors([index]);
        lineage.extend(self.descendants([index]).iter());
        lineage
    }

    /// The members of a set in the order in which they are applied.
    pub(crate) fn order(&self, members: &IndexSet) -> Vec<usize> {
        order::topological(members, self.len(), &self.requires, &self.required_by, |index| self.rank[index])
    }

    /// The members of a set that no other member requires.
    pub(crate) fn maximal(&self, members: &IndexSet) -> IndexSet {
        let mut maximal = members.clone();
        for index in members.iter() {
            for required in self.required_indices(index) {
                maximal.remove(required);
            }
        }
        maximal
    }

    fn reach(&self, starts: impl IntoIterator<Item = usize>, edges: &Edges) -> IndexSet {
        let mut reached = IndexSet::new(self.len());
        let mut waiting: Vec<usize> = starts.into_iter().filter(|&index| reached.insert(index)).collect();
        while let Some(index) = waiting.pop() {
            waiting.extend(positions(edges.of(index)).filter(|&next| reached.insert(next)));
        }
        reached
    }

    fn at(&self, indices: impl Iterator<Item = usize>) -> impl Iterator<Item = &Revision> {
        indices.filter_map(|index| self.revisions.get(index))
    }

    fn neighbours<'a>(&'a self, edges: &'a Edges, revision: &Revision) -> impl Iterator<Item = &'a Revision> {
        let index = self.index(revision.id.as_str()).unwrap_or(usize::MAX - 1);
        self.at(positions(edges.of(index)))
    }
}

fn positions(indices: &[u32]) -> impl Iterator<Item = usize> {
    indices.iter().map(|&index| index as usize)
}

#[cfg(test)]
#[path = "graph/tests.rs"]
pub(crate) mod tests;
