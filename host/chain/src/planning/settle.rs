//! Says of one revision that it is applied, or that it is not.

use super::{Direction, Plan, PlanError, rows};
use crate::graph::Chain;
use crate::version::Versions;

/// The one step that counts a revision, given by its position, as applied ([`Direction::Up`]) or as not applied
/// ([`Direction::Down`]). Where it counts so already the plan is empty.
///
/// # Errors
/// [`PlanError::Unknown`] if a row is not in the chain, [`PlanError::OutOfOrder`] if something that the revision requires is
/// not applied, or something that requires it is.
pub fn settle(chain: &Chain, versions: &Versions, revision: usize, direction: Direction) -> Result<Plan, PlanError> {
    let rows = chain.row_indices(versions)?;
    let applied = chain.applied(versions)?;
    if applied.contains(revision) == (direction == Direction::Up) {
        return Ok(rows::take(chain, versions, &rows, applied, &[], direction));
    }
    let in_the_way = match direction {
        Direction::Up => chain.required_indices(revision).find(|&required| !applied.contains(required)),
        Direction::Down => chain.requiring_indices(revision).find(|&requiring| applied.contains(requiring)),
    };
    let id = |index: usize| chain.revisions()[index].id.clone();
    match in_the_way {
        Some(other) => Err(PlanError::OutOfOrder { id: id(revision), other: id(other), direction }),
        None => Ok(rows::take(chain, versions, &rows, applied, &[revision], direction)),
    }
}
