//! Finds the cycles of a graph that has no order.

use std::collections::VecDeque;

use super::edges::Edges;

/// One cycle for every knot of positions that all require each other: each member is required by the next one, and the
/// first, which is the lowest of the knot, requires the last. Edges from a position to itself are not looked at.
pub(crate) fn find(count: usize, requires: &Edges, required_by: &Edges) -> Vec<Vec<usize>> {
    let mut knots = knots(count, requires);
    knots.retain(|knot| knot.len() > 1);
    let mut knot_of = vec![usize::MAX; count];
    for (number, knot) in knots.iter_mut().enumerate() {
        knot.sort_unstable();
        for &member in knot.iter() {
            knot_of[member] = number;
        }
    }
    let mut reached_from = vec![usize::MAX; count];
    let mut cycles: Vec<Vec<usize>> =
        knots.iter().map(|knot| shortest(knot[0], required_by, &knot_of, &mut reached_from)).collect();
    cycles.sort();
    cycles
}

/// The shortest way from a member of a knot back to itself.
fn shortest(start: usize, required_by: &Edges, knot_of: &[usize], reached_from: &mut [usize]) -> Vec<usize> {
    let mut queue = VecDeque::from([start]);
    while let Some(index) = queue.pop_front() {
        for next in required_by.of(index).iter().map(|&next| next as usize) {
            if next == start {
                let mut cycle = vec![index];
                while let Some(&last) = cycle.last().filter(|&&last| last != start) {
                    cycle.push(reached_from[last]);
                }
                cycle.reverse();
                return cycle;
            }
            if knot_of[next] == knot_of[start] && reached_from[next] == usize::MAX {
                reached_from[next] = index;
                queue.push_back(next);
            }
        }
    }
    vec![start]
}

/// The strongly connected components (Tarjan's algorithm, with a stack of its own instead of recursion).
fn knots(count: usize, edges: &Edges) -> Vec<Vec<usize>> {
    const NEW: u32 = u32::MAX;
    let mut number = vec![NEW; count];
    let mut lowest = vec![0_u32; count];
    let mut on_path = vec![false; count];
    let mut path: Vec<usize> = Vec::new();
    let mut visits: Vec<(usize, usize)> = Vec::new();
    let mut knots = Vec::new();
    let mut next_number = 0;
    for root in 0..count {
        if number[root] != NEW {
            continue;
        }
        visits.push((root, 0));
        while let Some((index, step)) = visits.pop() {
            if step == 0 {
                number[index] = next_number;
                lowest[index] = next_number;
                next_number += 1;
                path.push(index);
                on_path[index] = true;
            }
            if let Some(&target) = edges.of(index).get(step) {
                let target = target as usize;
                visits.push((index, step + 1));
                if number[target] == NEW {
                    visits.push((target, 0));
                } else if on_path[target] {
                    lowest[index] = lowest[index].min(number[target]);
                }
                continue;
            }
            if lowest[index] == number[index] {
                let from = path.iter().rposition(|&member| member == index).unwrap_or(0);
                let knot = path.split_off(from);
                knot.iter().for_each(|&member| on_path[member] = false);
                knots.push(knot);
            }
            if let Some(&(above, _)) = visits.last() {
                lowest[above] = lowest[above].min(lowest[index]);
            }
        }
    }
    knots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(count: usize, requires: &[(u32, u32)]) -> Vec<Vec<usize>> {
        find(count, &Edges::new(count, requires), &Edges::reversed(count, requires))
    }

    #[test]
    fn each_knot_gives_one_cycle() {
        assert_eq!(cycles(3, &[(1, 0), (2, 1)]), [[0_usize; 0]; 0]);
        assert_eq!(cycles(5, &[(0, 2), (1, 0), (2, 1), (4, 3), (3, 4), (3, 0)]), [vec![0, 1, 2], vec![3, 4]]);
        // Two cycles through 0: the shorter one is shown.
        assert_eq!(cycles(4, &[(0, 3), (1, 0), (2, 1), (3, 2), (2, 0), (0, 2)]), [[0, 2]]);
    }

    #[test]
    fn a_long_cycle_needs_no_deep_stack() {
        let count = 100_000_u32;
        let pairs: Vec<_> = (0..count).map(|index| (index, (index + 1) % count)).collect();
        assert_eq!(cycles(count as usize, &pairs)[0].len(), count as usize);
    }
}
