//! Which revision leads to which, by position.

/// A list of neighbours for every position, kept in two flat vectors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edges {
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Edges {
    /// Neighbours of `count` positions from pairs (from, to); the order of the pairs is kept.
    pub(crate) fn new(count: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for &(from, _) in pairs {
            starts[from as usize + 1] += 1;
        }
        for index in 0..count {
            starts[index + 1] += starts[index];
        }
        let mut next = starts.clone();
        let mut targets = vec![0; pairs.len()];
        for &(from, to) in pairs {
            targets[next[from as usize] as usize] = to;
            next[from as usize] += 1;
        }
        Self { starts, targets }
    }

    /// The same pairs the other way round.
    pub(crate) fn reversed(count: usize, pairs: &[(u32, u32)]) -> Self {
        let swapped: Vec<(u32, u32)> = pairs.iter().map(|&(from, to)| (to, from)).collect();
        Self::new(count, &swapped)
    }

    /// The neighbours of a position; none for a position that is not in the chain.
    pub(crate) fn of(&self, index: usize) -> &[u32] {
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(&start), Some(&end)) => &self.targets[start as usize..end as usize],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_keep_their_order() {
        let pairs = [(2, 1), (0, 2), (2, 0)];
        let edges = Edges::new(3, &pairs);
        assert_eq!((edges.of(0), edges.of(1), edges.of(2)), (&[2][..], &[][..], &[1, 0][..]));
        assert_eq!(Edges::reversed(3, &pairs).of(2), [0]);
        assert_eq!(edges.of(3), [0_u32; 0]);
    }
}
