//! What is expected and what came of it, side by side.

/// How two things differ.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// The key of `expect`.
    pub(crate) what: &'static str,
    /// In the order of a diff.
    pub(crate) lines: Vec<Line>,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// As expected.
    Same(String),
    /// Expected, and not there.
    Expected(String),
    /// There, and not expected.
    Got(String),
}

impl Difference {
    /// One thing in place of another.
    pub(super) fn of(what: &'static str, expected: Option<String>, got: Option<String>) -> Self {
        let lines = expected.map(Line::Expected).into_iter().chain(got.map(Line::Got)).collect();
        Difference { what, lines }
    }

    /// What was expected and is not there.
    pub(crate) fn expected(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Expected(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// What is there and was not expected.
    pub(crate) fn got(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Got(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

/// Which entries of two lists belong together: the longest common part, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    Both(usize, usize),
    Expected(usize),
    Got(usize),
}

/// Pairs the entries of two lists, of which only those near the front are compared if they are very long.
pub(super) fn pairs(expected: usize, got: usize, matches: impl Fn(usize, usize) -> bool) -> Vec<Pair> {
    const LONG: usize = 1_000_000;
    if expected.saturating_mul(got) > LONG {
        return in_step(expected, got, matches);
    }
    // `common[i][j]`: length of the longest common part of what follows `i` and `j`.
    let mut common = vec![vec![0_usize; got + 1]; expected + 1];
    for i in (0..expected).rev() {
        for j in (0..got).rev() {
            common[i][j] =
                if matches(i, j) { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < expected || j < got {
        if i < expected && j < got && matches(i, j) {
            pairs.push(Pair::Both(i, j));
            (i, j) = (i + 1, j + 1);
        } else if i < expected && (j == got || common[i + 1][j] >= common[i][j + 1]) {
            pairs.push(Pair::Expected(i));
            i += 1;
        } else {
            pairs.push(Pair::Got(j));
            j += 1;
        }
    }
    pairs
}

fn in_step(expected: usize, got: usize, matches: impl Fn(usize, usize) -> bool) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for index in 0..expected.max(got) {
        if index < expected && index < got && matches(index, index) {
            pairs.push(Pair::Both(index, index));
            continue;
        }
        pairs.extend((index < expected).then_some(Pair::Expected(index)));
        pairs.extend((index < got).then_some(Pair::Got(index)));
    }
    pairs
}

/// Compares two lists; `None` if they are the same.
pub(super) fn lists<E, G>(
    what: &'static str,
    expected: &[E],
    got: &[G],
    matches: impl Fn(&E, &G) -> bool,
    show_expected: impl Fn(&E) -> String,
    show_got: impl Fn(&G) -> String,
) -> Option<Difference> {
    let pairs = pairs(expected.len(), got.len(), |i, j| matches(&expected[i], &got[j]));
    if pairs.iter().all(|pair| matches!(pair, Pair::Both(..))) {
        return None;
    }
    let mut lines: Vec<Line> = pairs
        .into_iter()
        .map(|pair| match pair {
            Pair::Both(_, j) => Line::Same(show_got(&got[j])),
            Pair::Expected(i) => Line::Expected(show_expected(&expected[i])),
            Pair::Got(j) => Line::Got(show_got(&got[j])),
        })
        .collect();
    if expected.is_empty() {
        lines.insert(0, Line::Expected("(none)".to_owned()));
    }
    if got.is_empty() {
        lines.push(Line::Got("(none)".to_owned()));
    }
    Some(Difference { what, lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(expected: &str, got: &str) -> String {
        let (expected, got): (Vec<char>, Vec<char>) = (expected.chars().collect(), got.chars().collect());
        let shown = lists("x", &expected, &got, |a, b| a == b, char::to_string, char::to_string);
        let lines = shown.map(|difference| difference.lines).unwrap_or_default();
        lines
            .iter()
            .map(|line| match line {
                Line::Same(text) => format!(" {text}"),
                Line::Expected(text) => format!("-{text}"),
                Line::Got(text) => format!("+{text}"),
            })
            .collect()
    }

    #[test]
    fn what_is_common_is_found() {
        assert_eq!(diff("abc", "abc"), "");
        assert_eq!(diff("abc", "ac"), " a-b c");
        assert_eq!(diff("ac", "abc"), " a+b c");
        assert_eq!(diff("", "a"), "-(none)+a");
        assert_eq!(diff("a", ""), "-a+(none)");
        assert_eq!(diff("ab", "ba"), "-a b+a");
    }

    #[test]
    fn very_long_lists_are_compared_in_step() {
        let pairs = pairs(2000, 2001, |i, j| i == j);
        assert_eq!(pairs.len(), 2001);
        assert_eq!(pairs[2000], Pair::Got(2000));
    }
}
