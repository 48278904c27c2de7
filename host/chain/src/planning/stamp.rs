//! Says where a database is without running anything.

use super::{Direction, Plan, PlanError, RowChange, Step};
use crate::graph::Chain;
use crate::index_set::IndexSet;
use crate::resolution::{Resolver, Ways};
use crate::selector::Selector;
use crate::version::Versions;

/// What is to be written into the version table so that the database counts as being at the targets.
///
/// Every row above or below a target, through parents or dependencies, gives way to it; a target unrelated to all rows is
/// added to them; a target that is a row already changes nothing. `base` takes all rows away and stands alone; `label@base`
/// takes away those of the branch. The steps list what counts as no longer applied, then what counts as applied from then on; their row changes are
/// empty, because the change is made at once: [`Plan::rows`].
///
/// # Errors
/// [`PlanError`] if a row is not in the chain, or a target is unknown or ambiguous.
pub fn stamp(chain: &Chain, versions: &Versions, targets: &[Selector]) -> Result<Plan, PlanError> {
    let rows = chain.row_indices(versions)?;
    let resolver = Resolver { chain, current: Some(versions), ways: Ways::Both };
    let mut wanted = IndexSet::new(chain.len());
    let (mut anchors, mut base) = (Vec::new(), None);
    for target in targets {
        let found = resolver.all(target)?;
        if found.is_empty() {
            match resolver.branch(target)? {
                Some(branch) => anchors.push(branch.owner),
                None => base = Some(target),
            }
        }
        anchors.extend(found.iter().copied());
        wanted.extend(found);
    }
    if let Some(base) = base {
        if let Some(other) = targets.iter().find(|other| other.symbol != base.symbol) {
            return Err(PlanError::BaseAndMore { given: base.to_string(), other: other.to_string() });
        }
        anchors.extend(rows.iter().copied());
    }
    let (below, above) = (chain.closure(anchors.iter().copied()), chain.requiring(anchors));
    let replaced = |row: usize| below.contains(row) || above.contains(row);
    wanted.extend(rows.iter().copied().filter(|&row| !replaced(row)));
    Ok(plan(chain, versions, &rows, &wanted))
}

/// What is to be written into the version table in the place of all its rows, whatever they are: the targets and nothing else.
///
/// Rows that the chain does not have go without a step; otherwise the plan is like that of a [`stamp`].
///
/// # Errors
/// [`PlanError`] if a target is unknown or ambiguous.
pub fn purge(chain: &Chain, versions: &Versions, targets: &[Selector]) -> Result<Plan, PlanError> {
    let known: Versions = versions.iter().filter(|row| chain.get(row.as_str()).is_some()).cloned().collect();
    let resolver = Resolver { chain, current: Some(&known), ways: Ways::Both };
    let mut wanted = IndexSet::new(chain.len());
    for target in targets {
        wanted.extend(resolver.all(target)?);
    }
    let rows = chain.row_indices(&known)?;
    Ok(Plan { before: versions.clone(), ..plan(chain, &known, &rows, &wanted) })
}

fn plan(chain: &Chain, before: &Versions, rows: &[usize], kept: &IndexSet) -> Plan {
    let was = chain.closure(rows.iter().copied());
    let is = chain.closure(kept.iter());
    let step = |direction| move |revision| Step { revision, direction, rows: RowChange::default() };
    let gone = chain.order(&was.without(&is)).into_iter().rev().map(step(Direction::Down));
    let new = chain.order(&is.without(&was)).into_iter().map(step(Direction::Up));
    let after = chain.maximal(&is).iter().map(|index| chain.revisions()[index].id.clone()).collect();
    Plan { steps: gone.chain(new).collect(), before: before.clone(), after }
}
