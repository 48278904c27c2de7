//! The way up.

use super::{Direction, Plan, PlanError, rows};
use crate::graph::Chain;
use crate::resolution::{Resolver, Ways};
use crate::selector::Selector;
use crate::version::Versions;

/// The steps that apply the targets and all they require, as far as it is not applied yet. A target that is applied needs
/// no step.
///
/// Parents and dependencies come first; among what is ready the smaller identifier goes first.
///
/// # Errors
/// [`PlanError`] if a row is not in the chain, or a target is unknown, ambiguous, or leads down from where the database is.
pub fn upgrade(chain: &Chain, versions: &Versions, targets: &[Selector]) -> Result<Plan, PlanError> {
    let rows = chain.row_indices(versions)?;
    let applied = chain.applied(versions)?;
    let resolver = Resolver { chain, current: Some(versions), ways: Ways::Up };
    let mut wanted = Vec::new();
    for target in targets {
        wanted.extend(resolver.all(target)?);
    }
    let needed = chain.closure(wanted).without(&applied.0);
    let order = chain.order(&needed);
    Ok(rows::take(chain, versions, &rows, applied, &order, Direction::Up))
}
