//! The way down.

use super::{Direction, Plan, PlanError, rows};
use crate::graph::{Applied, Chain};
use crate::index_set::IndexSet;
use crate::resolution::{Branch, Resolver, Ways};
use crate::selector::Selector;
use crate::version::Versions;

/// The steps that take back everything applied that descends from the target, and everything that depends on it. The
/// target itself stays applied, and so does what depends on nothing but the target.
///
/// `base` takes back everything. With a branch (`label@base`, `label@id`) only those children of the target count that
/// belong to the branch; for `base` these are the bases of the branch. The order is the opposite of the order in which the
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
    let found = resolver.one_on(target, branch.as_ref())?;
    if let Some(index) = found.filter(|&index| !applied.contains(index)) {
        let id = chain.revisions()[index].id.clone();
        return Err(PlanError::NotADowngradeTarget { id, current: versions.clone() });
    }
    let removed = removed(chain, &applied, target, found, branch.as_ref())?;
    let mut order = chain.order(&removed);
    order.reverse();
    Ok(rows::take(chain, versions, &row_indices, applied, &order, Direction::Down))
}

fn removed(
    chain: &Chain,
    applied: &Applied,
    target: &Selector,
    found: Option<usize>,
    branch: Option<&Branch>,
) -> Result<IndexSet, PlanError> {
    let mut roots: Vec<usize> = match found {
        None => chain.base_indices().collect(),
        Some(index) => chain.child_indices(index).collect(),
    };
    if let Some(branch) = branch {
        let above = !roots.is_empty();
        roots.retain(|&root| branch.lineage.contains(root));
        if above && roots.is_empty() {
            let branch = chain.revisions()[branch.owner].id.to_string();
            return Err(PlanError::NothingOnBranch { given: target.to_string(), branch });
        }
    }
    let mut removed = chain.requiring(roots);
    removed.retain(|index| applied.contains(index));
    Ok(removed)
}
