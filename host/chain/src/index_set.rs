//! A set of positions in the chain.

/// A set of positions in [`Chain::revisions`](crate::Chain::revisions), one bit each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexSet {
    words: Vec<u64>,
    len: usize,
}

impl IndexSet {
    /// An empty set with room for positions below `capacity`.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { words: vec![0; capacity.div_ceil(64)], len: 0 }
    }

    /// All positions below `count`.
    pub(crate) fn full(count: usize) -> Self {
        Self::of(count, 0..count)
    }

    /// The given positions, all below `capacity`.
    pub(crate) fn of(capacity: usize, positions: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self::new(capacity);
        set.extend(positions);
        set
    }

    /// Adds a position; says whether it was not there before.
    pub(crate) fn insert(&mut self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        match self.words.get_mut(index / 64) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                self.len += 1;
                true
            }
            _ => false,
        }
    }

    /// Takes a position out; says whether it was there.
    pub(crate) fn remove(&mut self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        match self.words.get_mut(index / 64) {
            Some(word) if *word & bit != 0 => {
                *word &= !bit;
                self.len -= 1;
                true
            }
            _ => false,
        }
    }

    /// Whether a position is in the set.
    pub fn contains(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word & 1 << (index % 64) != 0)
    }

    /// How many positions are in the set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The positions from the lowest to the highest.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.checked_sub(1)?;
                Some(index * 64 + bit)
            })
        })
    }

    /// The positions of this set that are not in another.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut difference = self.clone();
        difference.retain(|index| !other.contains(index));
        difference
    }

    /// Keeps only the positions for which the answer is yes.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let dropped: Vec<usize> = self.iter().filter(|&index| !keep(index)).collect();
        for index in dropped {
            self.remove(index);
        }
    }
}

impl Extend<usize> for IndexSet {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, positions: I) {
        for index in positions {
            self.insert(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_in_and_out() {
        let mut set = IndexSet::of(130, [129, 0, 63, 64, 0]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        assert_eq!(set.len(), 4);
        assert!(set.remove(63) && !set.remove(63) && !set.contains(63));
        assert!(!set.insert(1000) && !set.contains(1000));
        let other = IndexSet::of(130, [0]);
        assert_eq!(set.without(&other).iter().collect::<Vec<_>>(), [64, 129]);
    }
}
