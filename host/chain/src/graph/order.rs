//! The one order of revisions: what is required comes first, ties go to the smaller identifier.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::edges::Edges;
use crate::index_set::IndexSet;

/// Orders the members of a set so that each comes after all it requires within the set; among those that are ready the
/// lowest `rank` goes first (Kahn's algorithm). Members of a cycle, and all that requires them, are left out.
pub(crate) fn topological(
    members: &IndexSet,
    count: usize,
    requires: &Edges,
    required_by: &Edges,
    rank: impl Fn(usize) -> u32,
) -> Vec<usize> {
    const OUTSIDE: u32 = u32::MAX;
    let mut waiting_for = vec![OUTSIDE; count];
    for index in members.iter() {
        waiting_for[index] = 0;
    }
    let mut ready = BinaryHeap::new();
    for index in members.iter() {
        let needed = requires.of(index).iter().filter(|&&other| waiting_for[other as usize] != OUTSIDE).count();
        waiting_for[index] = needed as u32;
        if needed == 0 {
            ready.push(Reverse((rank(index), index)));
        }
    }
    let mut order = Vec::new();
    while let Some(Reverse((_, index))) = ready.pop() {
        order.push(index);
        for &next in required_by.of(index) {
            let waiting = &mut waiting_for[next as usize];
            if *waiting != OUTSIDE {
                *waiting -= 1;
                if *waiting == 0 {
                    ready.push(Reverse((rank(next as usize), next as usize)));
                }
            }
        }
    }
    order
}
