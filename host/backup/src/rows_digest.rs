//! A digest of rows that does not depend on their order.

use std::fmt;
use std::ops::AddAssign;

use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh3::xxh3_128;

/// A digest of lines that does not depend on their order: the sum, modulo 2¹²⁸, of the xxh3-128 of each line without its line
/// break, and how many there are. It finds mistakes, and no forgery.
///
/// Its text is `xxh3-128-sum:` and the sum in 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsDigest {
    sum: u128,
    rows: u64,
}

impl RowsDigest {
    /// Adds a line, given without its line break.
    pub fn add(&mut self, line: &[u8]) {
        self.add_hash(xxh3_128(line));
    }

    /// How many lines there were.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn add_hash(&mut self, hash: u128) {
        self.sum = self.sum.wrapping_add(hash);
        self.rows += 1;
    }
}

impl AddAssign for RowsDigest {
    /// The digest of both sets of lines together.
    fn add_assign(&mut self, other: Self) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.rows += other.rows;
    }
}

impl fmt::Display for RowsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xxh3-128-sum:{:032x}", self.sum)
    }
}

/// Makes a [`RowsDigest`] of a text that comes in pieces, which are cut at `\n` without copying. It needs the same little memory
/// whatever the length of a line.
#[derive(Clone, Default)]
pub struct LineDigest {
    digest: RowsDigest,
    /// What there is of a line whose end has not come yet.
    begun: Option<Box<Xxh3>>,
    /// Kept from line to line: making one anew takes longer than a short line.
    spare: Option<Box<Xxh3>>,
}

impl LineDigest {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the text.
    pub fn update(&mut self, mut piece: &[u8]) {
        if let Some(begun) = &mut self.begun {
            let Some(end) = memchr::memchr(b'\n', piece) else { return begun.update(piece) };
            begun.update(&piece[..end]);
            piece = &piece[end + 1..];
            self.end_line();
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            self.digest.add(&piece[start..end]);
            start = end + 1;
        }
        if start < piece.len() {
            let mut state = self.spare.take().unwrap_or_default();
            state.update(&piece[start..]);
            self.begun = Some(state);
        }
    }

    /// The digest of all lines. A last line counts even if no line break follows it.
    #[must_use]
    pub fn finish(mut self) -> RowsDigest {
        self.end_line();
        self.digest
    }

    fn end_line(&mut self) {
        if let Some(mut state) = self.begun.take() {
            self.digest.add_hash(state.digest128());
            state.reset();
            self.spare = Some(state);
        }
    }
}

impl fmt::Debug for LineDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineDigest").field("digest", &self.digest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_lines(lines: &[Vec<u8>]) -> RowsDigest {
        let mut digest = RowsDigest::default();
        lines.iter().for_each(|line| digest.add(line));
        digest
    }

    #[test]
    fn the_digest_is_as_it_is_documented() {
        let mut digest = RowsDigest::default();
        assert_eq!(digest.to_string(), format!("xxh3-128-sum:{}", "0".repeat(32)));
        // printf 'a' | xxhsum -H128
        digest.add(b"a");
        assert_eq!(digest.to_string(), "xxh3-128-sum:a96faf705af16834e6c632b61e964e1f");
        assert_eq!(digest.rows(), 1);
    }

    #[test]
    fn rows_that_are_there_twice_count_twice() {
        let (one, two) = (of_lines(&[b"x".to_vec()]), of_lines(&[b"x".to_vec(), b"x".to_vec()]));
        assert_ne!(one, two);
        assert_ne!(one.to_string(), two.to_string());
        assert_eq!(LineDigest::new().finish(), RowsDigest::default());
        let mut empty = LineDigest::new();
        empty.update(b"\n\n");
        assert_eq!(empty.finish(), of_lines(&[Vec::new(), Vec::new()]));
    }

    #[test]
    fn a_million_lines_take_no_time() {
        let text = [[b'x'; 99].as_slice(), b"\n"].concat().repeat(10_000);
        let started = std::time::Instant::now();
        let mut digest = LineDigest::new();
        (0..100).for_each(|_| text.chunks(64 * 1024).for_each(|piece| digest.update(piece)));
        assert_eq!(digest.finish().rows(), 1_000_000);
        // Far more than it takes, for machines that are busy with something else.
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn neither_order_nor_pieces_matter(
            lines in prop::collection::vec(prop::collection::vec(0_u8..12, 0..300), 0..20),
            cuts in prop::collection::vec(1_usize..400, 1..30),
            seed in any::<u64>(),
            ends in any::<bool>(),
        ) {
            // Digits below 12 make line breaks frequent; here they are those between lines only.
            let lines: Vec<Vec<u8>> = lines.into_iter().map(|line| line.into_iter().filter(|&byte| byte != b'\n').collect()).collect();
            let expected = of_lines(&lines);

            let mut shuffled = lines.clone();
            shuffled.sort_by_key(|line| xxhash_rust::xxh3::xxh3_64_with_seed(line, seed));
            prop_assert_eq!(of_lines(&shuffled), expected);

            let mut parts = of_lines(&lines[..lines.len() / 2]);
            parts += of_lines(&lines[lines.len() / 2..]);
            prop_assert_eq!(parts, expected);

            let mut text = lines.join(&b'\n');
            // Without a line break at the end an empty last line would not be there.
            if !lines.is_empty() && (ends || lines.last().is_some_and(Vec::is_empty)) {
                text.push(b'\n');
            }
            let mut digest = LineDigest::new();
            let (mut rest, mut cuts) = (text.as_slice(), cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap_or(1).min(rest.len()));
                digest.update(piece);
                rest = after;
            }
            prop_assert_eq!(digest.finish(), expected);
        }
    }
}
