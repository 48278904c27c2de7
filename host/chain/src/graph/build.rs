//! Checks all revisions together and connects them.

use std::collections::{BTreeMap, HashMap, HashSet};

use strsim::osa_distance;

use super::edges::Edges;
use super::{Chain, cycles, order};
use crate::diagnostic::{Problem, Problems};
use crate::fault::Fault;
use crate::file::Broken;
use crate::identifier::{Label, RevisionId};
use crate::index_set::IndexSet;
use crate::revision::Revision;

/// For how many missing names the nearest known one is looked for; each look goes through the whole chain.
const SUGGESTIONS: usize = 20;

/// Checks revisions and connects them; the problems of `broken` files are reported together with those of the graph, and
/// what these files define does not count as missing.
pub(crate) fn assemble(revisions: Vec<Revision>, broken: Vec<Broken>) -> Result<Chain, Problems> {
    let mut by_rank: Vec<usize> = (0..revisions.len()).collect();
    let key = |index: usize| (&revisions[index].id, &revisions[index].file);
    by_rank.sort_unstable_by(|&one, &other| key(one).cmp(&key(other)));
    let ranked: Vec<&Revision> = by_rank.iter().map(|&index| &revisions[index]).collect();
    let mut builder = Builder::new(&ranked, broken);
    builder.check_labels();
    builder.connect();
    let count = revisions.len();
    let requires = Edges::new(count, &builder.requires);
    let required_by = Edges::reversed(count, &builder.requires);
    let order = order::topological(&IndexSet::full(count), count, &requires, &required_by, |index| index as u32);
    if order.len() < count {
        builder.report_cycles(&requires, &required_by);
    }
    if !builder.problems.is_empty() {
        return Err(Problems::new(builder.problems));
    }
    let (parents, dependencies, requires) = (builder.parents, builder.dependencies, builder.requires);
    let in_order = order.iter().map(|&rank| by_rank[rank]);
    let mut places: Vec<Option<Revision>> = revisions.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(count);
    ordered.extend(in_order.filter_map(|index| places[index].take()));
    Ok(finish(ordered, &order, [parents, dependencies, requires]))
}

/// Moves the edges from the order of the identifiers, in which they were checked, to the order of the chain, in which the
/// revisions are given; `order` are the ranks of their identifiers.
fn finish(revisions: Vec<Revision>, order: &[usize], pairs: [Vec<(u32, u32)>; 3]) -> Chain {
    let count = revisions.len();
    let rank: Vec<u32> = order.iter().map(|&rank| rank as u32).collect();
    let mut sorted = vec![0_u32; count];
    for (index, &rank) in order.iter().enumerate() {
        sorted[rank] = index as u32;
    }
    let connect = |pairs: Vec<(u32, u32)>| {
        let mut moved: Vec<(u32, u32)> =
            pairs.into_iter().map(|(from, to)| (sorted[from as usize], sorted[to as usize])).collect();
        // A stable sort: the targets of one revision stay in the order in which they are written.
        moved.sort_by_key(|&(from, _)| from);
        (Edges::new(count, &moved), Edges::reversed(count, &moved))
    };
    let [parents, dependencies, requires] = pairs.map(connect);
    let by_id = revisions.iter().enumerate().map(|(index, revision)| (revision.id.clone(), index)).collect();
    let labels = revisions.iter().enumerate();
    let by_label =
        labels.flat_map(|(index, revision)| revision.labels.iter().map(move |label| (label.clone(), index))).collect();
    Chain {
        revisions,
        by_id,
        by_label,
        sorted,
        rank,
        parents: parents.0,
        children: parents.1,
        dependencies: dependencies.0,
        dependents: dependencies.1,
        requires: requires.0,
        required_by: requires.1,
        propagated: std::sync::OnceLock::new(),
    }
}

/// Works on positions in the order of the identifiers.
struct Builder<'a> {
    revisions: &'a [&'a Revision],
    problems: Vec<Problem>,
    by_id: HashMap<&'a str, u32>,
    by_label: HashMap<&'a str, Vec<u32>>,
    broken_ids: HashSet<RevisionId>,
    broken_labels: HashSet<Label>,
    parents: Vec<(u32, u32)>,
    dependencies: Vec<(u32, u32)>,
    requires: Vec<(u32, u32)>,
    suggestions: usize,
}

impl<'a> Builder<'a> {
    fn new(revisions: &'a [&'a Revision], broken: Vec<Broken>) -> Self {
        let mut builder = Self {
            revisions,
            problems: Vec::new(),
            by_id: HashMap::with_capacity(revisions.len()),
            by_label: HashMap::new(),
            broken_ids: HashSet::new(),
            broken_labels: HashSet::new(),
            parents: Vec::with_capacity(revisions.len()),
            dependencies: Vec::new(),
            requires: Vec::with_capacity(revisions.len()),
            suggestions: 0,
        };
        for file in broken {
            builder.problems.extend(file.problems);
            builder.broken_ids.extend(file.id);
            builder.broken_labels.extend(file.labels);
        }
        for (index, revision) in revisions.iter().enumerate() {
            match builder.by_id.get(revision.id.as_str()) {
                None => {
                    builder.by_id.insert(revision.id.as_str(), index as u32);
                }
                Some(&first) => builder.duplicate_id(revisions[first as usize], revision),
            }
        }
        builder
    }

    fn duplicate_id(&mut self, first: &Revision, second: &Revision) {
        let (id, line) = (&second.id, first.spans.id.line);
        self.problems.push(
            second
                .problem(second.spans.id, Fault::DuplicateId, format!("revision id `{id}` is used by two files"))
                .label(format!("also in `{}`, line {line}", first.file))
                .help("give one of the files another `Revision ID`, and correct what revises it"),
        );
    }

    fn check_labels(&mut self) {
        let all = self.revisions.iter().enumerate();
        for (index, revision) in all {
            for (label, &span) in revision.labels.iter().zip(&revision.spans.labels) {
                let owners = self.by_label.entry(label.as_str()).or_default();
                owners.push(index as u32);
                let first = &self.revisions[owners[0] as usize];
                if owners.len() > 1 && owners[0] == index as u32 {
                    let problem =
                        revision.problem(span, Fault::DuplicateLabel, format!("label `{label}` is written twice"));
                    self.problems.push(problem.help("keep it once"));
                } else if owners.len() > 1 {
                    self.problems.push(
                        revision
                            .problem(span, Fault::DuplicateLabel, format!("label `{label}` is used by two revisions"))
                            .label(format!("also given by `{}` in `{}`", first.id, first.file))
                            .help("a label names one branch: give this one another"),
                    );
                }
                if let Some(&same) = self.by_id.get(label.as_str()) {
                    let same = &self.revisions[same as usize];
                    self.problems.push(
                        revision
                            .problem(span, Fault::DuplicateLabel, format!("label `{label}` is also a revision id"))
                            .label(format!("the id of `{}`", same.file))
                            .help("a name must lead to one revision: give the branch another label"),
                    );
                }
            }
        }
    }

    fn connect(&mut self) {
        for (index, revision) in self.revisions.iter().enumerate() {
            let from = index as u32;
            let before = self.parents.len();
            let mut named = HashSet::new();
            for (parent, &span) in revision.parents.iter().zip(&revision.spans.parents) {
                if revision.is_merge() && !named.insert(parent) {
                    let problem =
                        revision.problem(span, Fault::DuplicateParent, format!("parent `{parent}` is named twice"));
                    self.problems.push(problem.help("keep it once"));
                } else if *parent == revision.id {
                    let problem =
                        revision.problem(span, Fault::Cycle, format!("revision `{parent}` names itself as its parent"));
                    self.problems.push(problem.help("write the revision it follows, or `base` if it follows none"));
                } else if let Some(&to) = self.by_id.get(parent.as_str()) {
                    self.parents.push((from, to));
                } else if !self.broken_ids.contains(parent) {
                    let problem = revision.problem(span, Fault::MissingParent, format!("missing parent `{parent}`"));
                    let problem = self.suggest(problem, parent.as_str());
                    self.problems.push(problem);
                }
            }
            self.requires.extend_from_slice(&self.parents[before..]);
            self.connect_dependencies(from, revision, before);
        }
    }

    fn connect_dependencies(&mut self, from: u32, revision: &Revision, first_parent: usize) {
        let before = self.dependencies.len();
        for (name, &span) in revision.depends_on.iter().zip(&revision.spans.depends_on) {
            let mut targets: Vec<u32> = self.by_label.get(name.as_str()).cloned().unwrap_or_default();
            targets.extend(self.by_id.get(name.as_str()));
            targets.sort_unstable();
            targets.dedup();
            match targets[..] {
                [] if self.broken_ids.contains(name.as_str()) || self.broken_labels.contains(name.as_str()) => {}
                [] => {
                    let problem =
                        revision.problem(span, Fault::MissingDependency, format!("missing dependency `{name}`"));
                    let problem = self.suggest(problem, name);
                    self.problems.push(problem);
                }
                [to] if to == from || self.revisions[to as usize].id == revision.id => {
                    let problem =
                        revision.problem(span, Fault::Cycle, format!("revision `{}` depends on itself", revision.id));
                    self.problems.push(problem.help("take the entry away"));
                }
                [to] => {
                    if !self.dependencies[before..].contains(&(from, to)) {
                        self.dependencies.push((from, to));
                        if !self.parents[first_parent..].contains(&(from, to)) {
                            self.requires.push((from, to));
                        }
                    }
                }
                _ => {
                    let ids: Vec<_> =
                        targets.iter().map(|&to| format!("`{}`", self.revisions[to as usize].id)).collect();
                    self.problems.push(
                        revision
                            .problem(span, Fault::AmbiguousDependency, format!("dependency `{name}` is ambiguous"))
                            .label(format!("it could be {}", ids.join(" or ")))
                            .help("write the identifier of the revision that is meant"),
                    );
                }
            }
        }
    }

    /// Adds the nearest known identifier to a problem with a name that is not known.
    fn suggest(&mut self, problem: Problem, missing: &str) -> Problem {
        let problem = problem.label("no file has this id").help("restore the file that defines it, or correct the id");
        self.suggestions += 1;
        if self.suggestions > SUGGESTIONS {
            return problem;
        }
        let known = self.by_id.keys().chain(self.by_label.keys()).copied();
        let near = known.filter(|name| name.len().abs_diff(missing.len()) <= 3);
        let by_distance: BTreeMap<(usize, &str), ()> =
            near.map(|name| ((osa_distance(name, missing), name), ())).collect();
        match by_distance.first_key_value() {
            Some((&(distance, name), ())) if distance <= 1 + missing.len() / 4 => {
                problem.label(format!("no file has this id; did you mean `{name}`?"))
            }
            _ => problem,
        }
    }

    fn report_cycles(&mut self, requires: &Edges, required_by: &Edges) {
        for cycle in cycles::find(self.revisions.len(), requires, required_by) {
            let (Some(&first), Some(&last)) = (cycle.first(), cycle.last()) else { continue };
            let (first, last) = (&self.revisions[first], &self.revisions[last]);
            let parent = first.parents.iter().zip(&first.spans.parents).find(|(parent, _)| **parent == last.id);
            let leads_to_last = |name: &String| {
                *name == last.id.as_str() || last.labels.iter().any(|label| label.as_str() == name.as_str())
            };
            let dependency = first.depends_on.iter().zip(&first.spans.depends_on).find(|(name, _)| leads_to_last(name));
            let span = parent.map(|(_, span)| *span).or(dependency.map(|(_, span)| *span)).unwrap_or(first.spans.id);
            let ids: Vec<&str> = cycle.iter().map(|&index| self.revisions[index].id.as_str()).collect();
            self.problems.push(
                first
                    .problem(
                        span,
                        Fault::Cycle,
                        format!("the revisions form a cycle: {} -> {}", ids.join(" -> "), first.id),
                    )
                    .label(format!("`{}` already comes after `{}`", last.id, first.id))
                    .help("correct `Revises` or `Depends On` in one of these files"),
            );
        }
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
