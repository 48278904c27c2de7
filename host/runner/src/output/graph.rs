//! The chain as a drawing: newest first, a column for each branch that is open.

use std::collections::HashSet;

use runner_chain::Chain;
use runner_chain::Revision;

/// What a place between two revisions shows: which of its four sides a line leads to.
#[derive(Clone, Copy, Default)]
struct Knot {
    up: bool,
    down: bool,
    left: bool,
    right: bool,
}

impl Knot {
    fn symbol(self) -> char {
        match (self.up, self.down, self.left, self.right) {
            (false, false, false, false) => ' ',
            (true, _, false, false) | (false, true, false, false) => '│',
            (false, false, _, _) => '─',
            (true, true, true, true) => '┼',
            (true, true, true, false) => '┤',
            (true, true, false, true) => '├',
            (true, false, true, true) => '┴',
            (true, false, true, false) => '┘',
            (true, false, false, true) => '└',
            (false, true, true, true) => '┬',
            (false, true, true, false) => '┐',
            (false, true, false, true) => '┌',
        }
    }
}

/// Draws revisions, which come newest first. `label` is what stands beside each.
pub(crate) fn draw(chain: &Chain, revisions: &[&Revision], label: impl Fn(&Revision) -> String) -> Vec<String> {
    let shown: HashSet<&str> = revisions.iter().map(|revision| revision.id.as_str()).collect();
    let mut lanes = Lanes::default();
    let mut lines = Vec::new();
    for revision in revisions {
        let id = revision.id.as_str();
        lines.extend(lanes.join(id));
        let lane = lanes.of(id);
        lines.push(format!("{} {}", lanes.row(lane), label(revision)));
        let parents = chain.parents(revision).map(|parent| parent.id.as_str());
        let parents: Vec<&str> = parents.filter(|parent| shown.contains(parent)).collect();
        lines.extend(lanes.part(lane, &parents));
    }
    lines
}

/// The columns, each with the revision that it leads down to.
#[derive(Default)]
struct Lanes<'a> {
    leads: Vec<Option<&'a str>>,
    /// The column that has just ended. A revision right below would look as if the one above built on it.
    ended: Option<usize>,
}

impl<'a> Lanes<'a> {
    /// The first column that leads to a revision, or a free one.
    fn of(&mut self, id: &'a str) -> usize {
        let lane = self.leads.iter().position(|lane| *lane == Some(id));
        lane.unwrap_or_else(|| self.open(id))
    }

    fn open(&mut self, id: &'a str) -> usize {
        let is_free = |lane: &usize| self.leads.get(*lane).is_none_or(Option::is_none) && self.ended != Some(*lane);
        let free = (0..=self.leads.len() + 1).find(is_free).unwrap_or(self.leads.len());
        if free >= self.leads.len() {
            self.leads.resize(free + 1, None);
        }
        self.leads[free] = Some(id);
        free
    }

    /// The row of a revision.
    fn row(&self, own: usize) -> String {
        let symbol = |(lane, leads): (usize, &Option<&str>)| match leads {
            _ if lane == own => '●',
            Some(_) => '│',
            None => ' ',
        };
        spaced(self.leads.iter().enumerate().map(symbol).map(|symbol| (symbol, ' ')))
    }

    /// Brings all columns that lead to a revision into the first of them. Gives the row that shows it, if there is one.
    fn join(&mut self, id: &str) -> Option<String> {
        let leading: Vec<usize> = (0..self.leads.len()).filter(|lane| self.leads[*lane] == Some(id)).collect();
        let (first, others) = leading.split_first()?;
        let last = *others.last()?;
        let mut knots = self.knots();
        for (lane, knot) in knots.iter_mut().enumerate().take(last + 1).skip(*first) {
            knot.right |= lane < last;
            knot.left |= lane > *first;
        }
        for other in others {
            knots[*other].down = false;
            self.leads[*other] = None;
        }
        self.trim();
        Some(drawn(&knots))
    }

    /// Leads a column to the parents of its revision. Gives the row that shows how it parts, if it does.
    fn part(&mut self, lane: usize, parents: &[&'a str]) -> Option<String> {
        let before = self.knots();
        self.leads[lane] = parents.first().copied();
        self.ended = parents.is_empty().then_some(lane);
        let mut others = Vec::new();
        for parent in parents.iter().skip(1) {
            let known = self.leads.iter().position(|leads| leads == &Some(*parent));
            others.push(known.unwrap_or_else(|| self.open(parent)));
        }
        let (Some(&low), Some(&high)) = (others.iter().min(), others.iter().max()) else {
            self.trim();
            return None;
        };
        let (low, high) = (low.min(lane), high.max(lane));
        let mut knots = self.knots();
        for (index, knot) in knots.iter_mut().enumerate() {
            knot.up = before.get(index).is_some_and(|before| before.down);
            if (low..=high).contains(&index) {
                knot.right |= index < high;
                knot.left |= index > low;
            }
        }
        Some(drawn(&knots))
    }

    /// Each column goes straight on.
    fn knots(&self) -> Vec<Knot> {
        let straight = |leads: &Option<&str>| Knot { up: leads.is_some(), down: leads.is_some(), ..Knot::default() };
        self.leads.iter().map(straight).collect()
    }

    fn trim(&mut self) {
        while self.leads.last().is_some_and(Option::is_none) {
            self.leads.pop();
        }
    }
}

fn drawn(knots: &[Knot]) -> String {
    spaced(knots.iter().map(|knot| (knot.symbol(), if knot.right { '─' } else { ' ' })))
}

fn spaced(places: impl Iterator<Item = (char, char)>) -> String {
    let text: String = places.flat_map(|(symbol, space)| [symbol, space]).collect();
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(lines: &[&str]) -> String {
        let file = |line: &&str| {
            let (id, parents) = line.split_once(" <- ").unwrap();
            let text = format!("-- T\n-- Revision ID: {id}\n-- Revises: {parents}\n-- migrate:up\n");
            runner_chain::parse_revision("x.sql", text.as_bytes()).unwrap()
        };
        let chain = Chain::new(lines.iter().map(file).collect()).unwrap();
        let newest: Vec<&Revision> = chain.revisions().iter().rev().collect();
        draw(&chain, &newest, |revision| revision.id.to_string()).join("\n")
    }

    #[test]
    fn branches_part_and_join() {
        insta::assert_snapshot!(drawing(&["a <- base", "b <- a", "c <- a", "d <- b, c", "e <- d"]), @"
        ● e
        ● d
        ├─┐
        │ ● c
        ● │ b
        ├─┘
        ● a
        ");
        insta::assert_snapshot!(
            drawing(&["a <- base", "b1 <- a", "c1 <- a", "d1 <- a", "b2 <- b1", "m <- b2, c1, d1", "x <- base", "y <- x"]),
            @"
        ● y
        ● x
          ● m
        ┌─┼─┐
        │ │ ● d1
        ● │ │ c1
        │ ● │ b2
        │ ● │ b1
        ├─┴─┘
        ● a
        "
        );
        insta::assert_snapshot!(drawing(&["a <- base", "b <- base", "c <- b", "d <- a"]), @"
        ● d
        │ ● c
        │ ● b
        ● a
        ");
        insta::assert_snapshot!(drawing(&["a <- base", "b <- a", "c <- b"]), @"
        ● c
        ● b
        ● a
        ");
        insta::assert_snapshot!(
            drawing(&["a <- base", "b <- a", "c <- a", "d <- a", "e <- b, d", "f <- c", "g <- e, f"]),
            @"
        ● g
        ├─┐
        │ ● f
        ● │ e
        ├─┼─┐
        │ │ ● d
        │ ● │ c
        ● │ │ b
        ├─┴─┘
        ● a
        "
        );
    }
}
