//! Labels spread from the revision that gives them along its branch.

use super::Chain;
use crate::identifier::Label;

/// For every position the labels it carries, sorted: a label spreads to all descendants of the revision that gives it, and
/// to its ancestors before the first branch point or merge.
pub(super) fn propagate(chain: &Chain) -> Vec<Vec<Label>> {
    let mut carried: Vec<Vec<Label>> = vec![Vec::new(); chain.len()];
    for (label, owner) in chain.label_owners() {
        let mut members = chain.descendants([owner]);
        let mut index = owner;
        while chain.requiring_indices(index).count() < 2 {
            members.insert(index);
            let mut parents = chain.parent_indices(index);
            let (Some(parent), None) = (parents.next(), parents.next()) else { break };
            index = parent;
            if chain.parent_indices(index).count() > 1 {
                break;
            }
        }
        members.iter().for_each(|member| carried[member].push(label.clone()));
    }
    carried.iter_mut().for_each(|labels| labels.sort());
    carried
}
