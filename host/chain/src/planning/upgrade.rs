//! The way up.

use super::{Direction, Plan, PlanError, rows};
use crate::graph::Chain;
use crate::resolution::{Resolver, Ways};
use crate::selection_error::SelectError;
use crate::selector::Selector;
use crate::version::Versions;

/// The steps that apply the targets and all they require, as far as it is not applied yet. A target that is applied needs
/// no step.
///
/// Parents and dependencies come first; among what is ready the smaller identifier goes first. A target that another one
/// requires is refused: whoever names both means something else.
///
/// # Errors
/// [`PlanError`] if a row is not in the chain, or a target is unknown, ambiguous, or leads down from where the database is.
pub fn upgrade(chain: &Chain, versions: &Versions, targets: &[Selector]) -> Result<Plan, PlanError> {
    let rows = chain.row_indices(versions)?;
    let applied = chain.applied(versions)?;
    let resolver = Resolver { chain, current: Some(versions), ways: Ways::Up };
    let mut wanted = Vec::new();
    for target in targets {
        let found = resolver.all(target)?;
        if let (true, Some(steps)) = (found.is_empty(), target.offset) {
            let asked = steps.unsigned_abs();
            return Err(SelectError::TooFar { given: target.to_string(), asked, walked: asked - 1 }.into());
        }
        wanted.extend(found);
    }
    overlap(chain, &wanted)?;
    let needed = chain.closure(wanted).without(&applied.0);
    let order = chain.order(&needed);
    Ok(rows::take(chain, versions, &rows, applied, &order, Direction::Up))
}

/// Refuses targets of which one requires another.
fn overlap(chain: &Chain, wanted: &[usize]) -> Result<(), PlanError> {
    if wanted.len() < 2 {
        return Ok(());
    }
    let below = chain.closure(wanted.iter().flat_map(|&target| chain.required_indices(target)));
    let Some(&lower) = wanted.iter().find(|&&target| below.contains(target)) else { return Ok(()) };
    let id = |index: usize| chain.revisions()[index].id.clone();
    let requires = |&&target: &&usize| target != lower && chain.closure([target]).contains(lower);
    let upper = wanted.iter().find(requires).copied().unwrap_or(lower);
    Err(PlanError::Overlap { lower: id(lower), upper: id(upper) })
}
