//! Labels spread from the revision that gives them along its branch.

use super::Chain;
use crate::identifier::Label;

/// For every position the labels it carries, sorted: a label spreads to all descendants of the revision that gives it, and
/// to its ancestors before the first branch point or merge, unless there is one on the way from the branch's end.
pub(super) fn propagate(chain: &Chain) -> Vec<Vec<Label>> {
    let mut carried: Vec<Vec<Label>> = vec![Vec::new(); chain.len()];
    for (label, owner) in chain.label_owners() {
        let mut members = chain.descendants([owner]);
        let mut way = Some(owner).filter(|_| members.iter().all(|index| is_on_the_way(chain, index)));
        while let Some(index) = way.filter(|&index| is_on_the_way(chain, index)) {
            members.insert(index);
            way = chain.parent_indices(index).next();
        }
        members.iter().for_each(|member| carried[member].push(label.clone()));
    }
    carried.iter_mut().for_each(|labels| labels.sort());
    carried
}

/// Whether a revision is neither a merge nor one that several others build or depend on.
fn is_on_the_way(chain: &Chain, index: usize) -> bool {
    chain.requiring_indices(index).count() < 2 && chain.parent_indices(index).count() < 2
}
