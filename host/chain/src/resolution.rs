//! Finds the revisions that a [`Selector`] names.

use std::collections::BTreeSet;

use strsim::osa_distance;

use crate::graph::Chain;
use crate::identifier::RevisionId;
use crate::index_set::IndexSet;
use crate::selection_error::{Candidate, SelectError};
use crate::selector::{Range, Selector, Symbol};
use crate::version::Versions;

/// How many characters the beginning of an identifier must have.
const SHORTEST_PREFIX: usize = 4;

/// Which way steps from where the database is may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ways {
    Both,
    Up,
    Down,
}

/// The branch named before `@`: the revision meant by its name, and everything above and below it.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) owner: usize,
    pub(crate) lineage: IndexSet,
}

impl Chain {
    /// The revisions a selector names, sorted; none means `base`. `current` are the rows of the database, if there is one.
    ///
    /// # Errors
    /// [`SelectError`] if nothing is found, or more than one revision where one is meant.
    pub fn resolve(&self, selector: &Selector, current: Option<&Versions>) -> Result<Vec<RevisionId>, SelectError> {
        let found = Resolver { chain: self, current, ways: Ways::Both }.all(selector)?;
        let mut ids: Vec<RevisionId> = found.into_iter().map(|index| self.revisions()[index].id.clone()).collect();
        ids.sort();
        Ok(ids)
    }

    /// The one revision a selector names; none means `base`.
    ///
    /// # Errors
    /// [`SelectError`] as for [`Chain::resolve`], and if `heads` or `current` are several.
    pub fn resolve_one(
        &self,
        selector: &Selector,
        current: Option<&Versions>,
    ) -> Result<Option<RevisionId>, SelectError> {
        let found = Resolver { chain: self, current, ways: Ways::Both }.one(selector)?;
        Ok(found.map(|index| self.revisions()[index].id.clone()))
    }

    /// The positions of a piece of history, in the order of the chain: what the upper end requires, as far as it descends
    /// from the lower end. Both ends belong to it; steps that lead past the base stop there.
    ///
    /// # Errors
    /// [`SelectError`] as for [`Chain::resolve`].
    pub fn resolve_range(&self, range: &Range, current: Option<&Versions>) -> Result<Vec<usize>, SelectError> {
        let resolver = Resolver { chain: self, current, ways: Ways::Both };
        let mut members = match &range.to {
            Some(to) => self.closure(resolver.all(to)?),
            None => self.closure(0..self.len()),
        };
        if let Some(from) = &range.from {
            let below = match resolver.all(from) {
                Err(SelectError::TooFar { .. }) if from.offset.is_some_and(|steps| steps < 0) => Vec::new(),
                other => other?,
            };
            if !below.is_empty() {
                let above = self.descendants(below);
                members.retain(|index| above.contains(index));
            }
        }
        Ok(members.iter().collect())
    }

    pub(crate) fn candidates(&self, indices: impl IntoIterator<Item = usize>) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> =
            indices.into_iter().filter_map(|index| self.revisions().get(index)).map(Candidate::from).collect();
        candidates.sort_by(|one, other| one.id.cmp(&other.id));
        candidates
    }
}

/// Finds positions; a position that is none stands for `base`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) current: Option<&'a Versions>,
    pub(crate) ways: Ways,
}

impl Resolver<'_> {
    /// Everything a selector names.
    pub(crate) fn all(&self, selector: &Selector) -> Result<Vec<usize>, SelectError> {
        let branch = self.branch(selector)?;
        self.all_on(selector, branch.as_ref())
    }

    /// The one revision a selector names.
    pub(crate) fn one(&self, selector: &Selector) -> Result<Option<usize>, SelectError> {
        let branch = self.branch(selector)?;
        self.one_on(selector, branch.as_ref())
    }

    pub(crate) fn one_on(&self, selector: &Selector, branch: Option<&Branch>) -> Result<Option<usize>, SelectError> {
        let found = self.all_on(selector, branch)?;
        self.single(selector, &found)
    }

    /// The branch named before `@`.
    pub(crate) fn branch(&self, selector: &Selector) -> Result<Option<Branch>, SelectError> {
        let Some(name) = &selector.branch else { return Ok(None) };
        let owner = self.name(name)?;
        Ok(Some(Branch { owner, lineage: self.chain.lineage(owner) }))
    }

    fn all_on(&self, selector: &Selector, branch: Option<&Branch>) -> Result<Vec<usize>, SelectError> {
        let start = match (&selector.symbol, selector.offset) {
            (Some(symbol), None) => return self.symbol(selector, symbol, branch),
            (Some(symbol), Some(_)) => self.single(selector, &self.symbol(selector, symbol, branch)?)?,
            (None, Some(steps)) => self.start(selector, steps, branch)?,
            (None, None) => return Err(SelectError::Nothing { given: selector.to_string() }),
        };
        let found = self.walk(selector, start, selector.offset.unwrap_or(0), branch)?;
        Ok(found.into_iter().collect())
    }

    fn single(&self, selector: &Selector, found: &[usize]) -> Result<Option<usize>, SelectError> {
        match *found {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => {
                let (given, candidates) = (selector.to_string(), self.chain.candidates(found.iter().copied()));
                Err(match selector.symbol {
                    Some(Symbol::Current) | None => SelectError::SeveralCurrent { given, candidates },
                    _ => SelectError::SeveralHeads { given, candidates },
                })
            }
        }
    }

    fn symbol(&self, selector: &Selector, symbol: &Symbol, branch: Option<&Branch>) -> Result<Vec<usize>, SelectError> {
        let on_branch = |index: &usize| branch.is_none_or(|branch| branch.lineage.contains(*index));
        match symbol {
            Symbol::Base => Ok(Vec::new()),
            Symbol::Heads if branch.is_some() => Ok(self.chain.head_indices().filter(on_branch).collect()),
            Symbol::Heads => Ok(self.chain.effective_head_indices().collect()),
            Symbol::Current => Ok(self.rows(selector)?.into_iter().filter(on_branch).collect()),
            Symbol::Head => {
                let heads: Vec<usize> = self.chain.head_indices().filter(on_branch).collect();
                if heads.len() > 1 {
                    let candidates = self.chain.candidates(heads);
                    return Err(SelectError::SeveralHeads { given: selector.to_string(), candidates });
                }
                Ok(heads)
            }
            Symbol::Name(name) => {
                let index = self.name(name)?;
                match &selector.branch {
                    Some(branch) if !on_branch(&index) => {
                        let id = self.chain.revisions()[index].id.clone();
                        Err(SelectError::NotOnBranch { id, branch: branch.clone() })
                    }
                    _ => Ok(vec![index]),
                }
            }
        }
    }

    /// An identifier, a label, or the beginning of exactly one revision's identifier or label, in this order.
    fn name(&self, name: &str) -> Result<usize, SelectError> {
        if let Some(index) = self.chain.index(name).or_else(|| self.chain.label_index(name)) {
            return Ok(index);
        }
        let mut found: BTreeSet<usize> = self.chain.with_prefix(name).collect();
        found.extend(self.chain.label_owners().filter(|(label, _)| label.as_str().starts_with(name)).map(|(_, at)| at));
        let too_short = name.chars().count() < SHORTEST_PREFIX;
        match found.first() {
            Some(&index) if found.len() == 1 && !too_short => Ok(index),
            Some(_) if !too_short => {
                let candidates = self.chain.candidates(found);
                Err(SelectError::AmbiguousPrefix { name: name.to_owned(), candidates })
            }
            _ => {
                let too_short = too_short && !found.is_empty();
                Err(SelectError::UnknownName { name: name.to_owned(), nearest: self.nearest(name), too_short })
            }
        }
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let ids = self.chain.revisions().iter().map(|revision| revision.id.as_str());
        let labels = self.chain.label_owners().map(|(label, _)| label.as_str());
        let allowed = 1 + name.chars().count() / 4;
        ids.chain(labels)
            .filter(|known| known.len().abs_diff(name.len()) <= allowed)
            .map(|known| (osa_distance(known, name), known))
            .min()
            .filter(|(distance, _)| *distance <= allowed)
            .map(|(_, known)| known.to_owned())
    }

    fn rows(&self, selector: &Selector) -> Result<Vec<usize>, SelectError> {
        let versions = self.current.ok_or_else(|| SelectError::NeedsDatabase { given: selector.to_string() })?;
        let rows = self.chain.row_indices(versions)?;
        // A row that another one requires says nothing more.
        let members = IndexSet::of(self.chain.len(), rows.iter().copied());
        let below = self.chain.closure(rows.iter().flat_map(|&row| self.chain.required_indices(row)));
        Ok(members.without(&below).iter().collect())
    }

    /// Where steps from the database's state begin: its one row, or on a branch its one tip.
    fn start(&self, selector: &Selector, steps: i64, branch: Option<&Branch>) -> Result<Option<usize>, SelectError> {
        let up = steps > 0;
        if self.ways == if up { Ways::Down } else { Ways::Up } {
            return Err(SelectError::WrongWay { given: selector.to_string(), up });
        }
        let rows = self.rows(selector)?;
        let Some(branch) = branch else { return self.single(selector, &rows) };
        let on_branch: Vec<usize> = rows.iter().copied().filter(|&row| branch.lineage.contains(row)).collect();
        if !on_branch.is_empty() {
            return self.single(selector, &on_branch);
        }
        // The branch is applied only as far as others need it.
        let mut active = self.chain.closure(rows);
        if up {
            active.retain(|index| branch.lineage.contains(index));
            return self.single(selector, &self.chain.maximal(&active).iter().collect::<Vec<_>>());
        }
        let is_tip = |&index: &usize| !self.chain.child_indices(index).any(|child| active.contains(child));
        let tips: Vec<usize> = active.iter().filter(is_tip).filter(|&tip| branch.lineage.contains(tip)).collect();
        if tips.is_empty() {
            let branch = self.chain.revisions()[branch.owner].id.clone();
            return Err(SelectError::NothingOnBranch { given: selector.to_string(), branch });
        }
        self.single(selector, &tips)
    }

    fn walk(
        &self,
        selector: &Selector,
        start: Option<usize>,
        steps: i64,
        branch: Option<&Branch>,
    ) -> Result<Option<usize>, SelectError> {
        let mut at = start;
        for walked in 0..steps.unsigned_abs() {
            let mut ways: Vec<usize> = match at {
                Some(index) if steps > 0 => self.chain.child_indices(index).collect(),
                Some(index) => self.chain.parent_indices(index).collect(),
                None if steps > 0 => self.chain.base_indices().collect(),
                None => Vec::new(),
            };
            // On the way down a merge is ambiguous even on a branch: what to leave is as much a question as what to keep.
            if let Some(branch) = branch.filter(|_| steps > 0) {
                ways.retain(|&way| branch.lineage.contains(way));
            }
            at = match ways[..] {
                [] if steps < 0 && at.is_some() => None,
                [] => {
                    let asked = steps.unsigned_abs();
                    return Err(SelectError::TooFar { given: selector.to_string(), asked, walked });
                }
                [one] => Some(one),
                _ => {
                    let at = at.map(|index| self.chain.revisions()[index].id.clone());
                    let candidates = self.chain.candidates(ways);
                    return Err(SelectError::AmbiguousWalk { given: selector.to_string(), at, candidates });
                }
            };
        }
        Ok(at)
    }
}

#[cfg(test)]
#[path = "resolution_tests.rs"]
mod tests;
