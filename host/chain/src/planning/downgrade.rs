//! The way down.

use super::{Direction, Plan, PlanError, rows};
use crate::graph::{Applied, Chain};
use crate::index_set::IndexSet;
use crate::resolution::{Resolver, Ways};
use crate::selector::{Selector, Symbol};
use crate::version::Versions;

/// The steps that take back everything applied that descends from the target, and everything that depends on it. The
/// target itself stays applied, and so does what depends on nothing but the target.
///
/// `base` takes back everything. With a branch (`label@base`, `label@id`) only those of several children of the target count
/// that lead to the revision of the label; for `base` these are the bases of the branch. `-1` is the same for the revision that
/// the database is at. The order is the opposite of the order in which the
/// same revisions would be applied.
///
/// # Errors
/// [`PlanError`] if a row is not in the chain, the target is unknown, ambiguous or leads up from where the database is, or
/// it is not applied.
pub fn downgrade(chain: &Chain, versions: &Versions, target: &Selector) -> Result<Plan, PlanError> {
    let row_indices = chain.row_indices(versions)?;
    let applied = chain.applied(versions)?;
    let resolver = Resolver { chain, current: Some(versions), ways: Ways::Down };
    let branch = resolver.branch(target)?;
    // Of `head` there has to be one in the whole chain: what is above it on other branches would go as well.
    let is_head = matches!(target.symbol, Some(Symbol::Head | Symbol::Heads));
    let found = resolver.one_on(target, branch.as_ref().filter(|_| !is_head))?;
    // Steps down from where the database is leave other branches alone.
    let owner = match (&branch, &target.symbol) {
        (Some(branch), _) => Some(branch.owner),
        (None, None) => resolver.one(&Selector { branch: None, symbol: Some(Symbol::Current), offset: None })?,
        (None, Some(_)) => None,
    };
    let removed = removed(chain, &applied, target, found, owner)?;
    let is_there = |index: &usize| applied.contains(*index) && (!removed.is_empty() || row_indices.contains(index));
    if let Some(index) = found.filter(|index| !is_there(index)) {
        let id = chain.revisions()[index].id.clone();
        return Err(PlanError::NotADowngradeTarget { id, current: versions.clone() });
    }
    let mut order = chain.order(&removed);
    order.reverse();
    Ok(rows::take(chain, versions, &row_indices, applied, &order, Direction::Down))
}

fn removed(
    chain: &Chain,
    applied: &Applied,
    target: &Selector,
    found: Option<usize>,
    owner: Option<usize>,
) -> Result<IndexSet, PlanError> {
    let mut roots: Vec<usize> = match found {
        None => chain.base_indices().collect(),
        Some(index) => chain.child_indices(index).collect(),
    };
    if let Some(owner) = owner.filter(|_| roots.len() > 1) {
        let way = chain.ancestors([owner]);
        roots.retain(|&root| way.contains(root));
        if roots.is_empty() {
            let branch = chain.revisions()[owner].id.to_string();
            return Err(PlanError::NothingOnBranch { given: target.to_string(), branch });
        }
    }
    let mut removed = chain.requiring(roots);
    removed.retain(|index| applied.contains(index));
    Ok(removed)
}
