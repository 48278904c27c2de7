//! Random graphs, states of a database, and questions about them.

use std::collections::BTreeSet;
use std::fmt;

use runner_chain::Chain;
use runner_chain::parse;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct Given {
    pub(crate) id: String,
    pub(crate) parents: Vec<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) labels: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Case {
    /// In the order in which files are read, which is not the order of the graph.
    pub(crate) revisions: Vec<Given>,
    pub(crate) rows: Vec<String>,
    /// What is asked, and its operands.
    pub(crate) questions: Vec<Vec<String>>,
}

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A graph while it grows: parents and dependencies by number, all of them smaller.
#[derive(Default)]
struct Growing {
    ids: Vec<String>,
    parents: Vec<BTreeSet<usize>>,
    dependencies: Vec<BTreeSet<usize>>,
    labels: Vec<Vec<String>>,
}

impl Growing {
    fn random(random: &mut Random) -> Self {
        let mut graph = Growing::default();
        let count = 1 + random.below(14);
        for number in 0..count {
            let parents = graph.some_parents(random);
            let mut dependencies = BTreeSet::new();
            if number > 0 && random.percent(18) {
                dependencies.insert(random.below(number));
            }
            let labels = if random.percent(22) { vec![format!("label{number}")] } else { Vec::new() };
            // Beginnings are shared now and then, and the order of the identifiers is not that of the graph.
            let letter = *random.pick(&['a', 'b', 'c', 'd']);
            graph.ids.push(format!("{}{:04x}{number:x}", String::from(letter).repeat(4), random.below(0x1_0000)));
            graph.parents.push(parents);
            graph.dependencies.push(dependencies);
            graph.labels.push(labels);
        }
        graph
    }

    fn some_parents(&self, random: &mut Random) -> BTreeSet<usize> {
        let count = self.ids.len();
        let heads: Vec<usize> =
            (0..count).filter(|number| !self.parents.iter().any(|parents| parents.contains(number))).collect();
        match random.below(100) {
            _ if count == 0 => BTreeSet::new(),
            0..10 => BTreeSet::new(),
            10..58 => BTreeSet::from([*random.pick(&heads)]),
            58..78 => BTreeSet::from([random.below(count)]),
            _ => {
                let mut parents = BTreeSet::new();
                for _ in 0..2 + random.below(2) {
                    parents.insert(*random.pick(&heads));
                }
                parents
            }
        }
    }

    fn closure(&self, starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut reached = starts.clone();
        for number in (0..self.ids.len()).rev() {
            if reached.contains(&number) {
                reached.extend(&self.parents[number]);
                reached.extend(&self.dependencies[number]);
            }
        }
        reached
    }

    /// The rows of a database that has come here by upgrades.
    fn rows(&self, random: &mut Random) -> Vec<String> {
        let wished: BTreeSet<usize> = (0..random.below(4)).map(|_| random.below(self.ids.len())).collect();
        let applied = self.closure(&wished);
        let required: BTreeSet<usize> = applied
            .iter()
            .flat_map(|number| self.parents[*number].iter().chain(&self.dependencies[*number]))
            .copied()
            .collect();
        applied.difference(&required).map(|number| self.ids[*number].clone()).collect()
    }
}

impl Case {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let graph = Growing::random(&mut random);
        let rows = graph.rows(&mut random);
        let mut questions = Vec::new();
        for _ in 0..24 {
            questions.push(question(&graph, &mut random));
        }
        let mut revisions: Vec<Given> = (0..graph.ids.len())
            .map(|number| Given {
                id: graph.ids[number].clone(),
                parents: graph.parents[number].iter().map(|other| graph.ids[*other].clone()).collect(),
                depends_on: graph.dependencies[number]
                    .iter()
                    .map(|other| match &graph.labels[*other][..] {
                        [label, ..] if random.percent(40) => label.clone(),
                        _ => graph.ids[*other].clone(),
                    })
                    .collect(),
                labels: graph.labels[number].clone(),
            })
            .collect();
        for place in (1..revisions.len()).rev() {
            revisions.swap(place, random.below(place + 1));
        }
        Case { revisions, rows, questions }
    }

    /// Our chain of these revisions.
    pub(crate) fn chain(&self) -> Chain {
        let file = |given: &Given| {
            let parents = if given.parents.is_empty() { "base".to_owned() } else { given.parents.join(", ") };
            let text = format!(
                "-- {id}\n--\n-- Revision ID: {id}\n-- Revises: {parents}\n-- Depends On: {}\n-- Branch Labels: {}\n\n\
                 -- migrate:up\nSELECT 1;\n",
                given.depends_on.join(", "),
                given.labels.join(", "),
                id = given.id,
            );
            parse(&format!("{}.sql", given.id), text.as_bytes()).unwrap_or_else(|error| panic!("{text}\n{error:?}"))
        };
        Chain::new(self.revisions.iter().map(file).collect()).unwrap_or_else(|error| panic!("{self}\n{error:?}"))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut revisions: Vec<&Given> = self.revisions.iter().collect();
        revisions.sort_by_key(|given| usize::from_str_radix(&given.id[8..], 16).unwrap_or(0));
        for given in revisions {
            writeln!(
                f,
                "  {} <- {} | {} || {}",
                given.id,
                given.parents.join(", "),
                given.depends_on.join(", "),
                given.labels.join(", ")
            )?;
        }
        write!(f, "  rows {:?}", self.rows)
    }
}

fn question(graph: &Growing, random: &mut Random) -> Vec<String> {
    let (what, operands) = match random.below(100) {
        0..20 => ("resolve", vec![plain(graph, random)]),
        20..50 => {
            let mut targets = vec![target(graph, random, '+')];
            if random.percent(20) {
                targets = vec![plain(graph, random), plain(graph, random)];
            }
            ("upgrade", targets)
        }
        50..80 => ("downgrade", vec![target(graph, random, '-')]),
        _ => {
            let mut targets = vec![plain(graph, random)];
            if random.percent(20) {
                targets.push(plain(graph, random));
            }
            ("stamp", targets)
        }
    };
    std::iter::once(what.to_owned()).chain(operands).collect()
}

/// Something without steps.
fn plain(graph: &Growing, random: &mut Random) -> String {
    let branch = || -> Vec<&String> { graph.labels.iter().flatten().collect() };
    match random.below(100) {
        0..10 => "heads".to_owned(),
        10..18 => "head".to_owned(),
        18..24 => "base".to_owned(),
        24..32 => random.pick(&graph.ids)[..4 + random.below(4)].to_owned(),
        32..60 if !branch().is_empty() => {
            let label = (*random.pick(&branch())).clone();
            match random.below(6) {
                0 => label,
                1 => format!("{label}@head"),
                2 => format!("{label}@heads"),
                3 => format!("{label}@base"),
                4 => format!("{label}@{}", random.pick(&graph.ids)),
                _ => format!("{}@head", random.pick(&graph.ids)),
            }
        }
        60..63 => "nowhere".to_owned(),
        _ => random.pick(&graph.ids).clone(),
    }
}

/// The same, or steps.
fn target(graph: &Growing, random: &mut Random, sign: char) -> String {
    let sign = if random.percent(6) { if sign == '+' { '-' } else { '+' } } else { sign };
    let steps = 1 + random.below(3);
    let labels: Vec<&String> = graph.labels.iter().flatten().collect();
    match random.below(100) {
        0..25 => format!("{sign}{steps}"),
        25..40 => format!("{}{sign}{steps}", random.pick(&graph.ids)),
        40..55 if !labels.is_empty() => format!("{}@{sign}{steps}", random.pick(&labels)),
        55..60 if !labels.is_empty() => format!("{}@{}{sign}{steps}", random.pick(&labels), random.pick(&graph.ids)),
        _ => plain(graph, random),
    }
}
