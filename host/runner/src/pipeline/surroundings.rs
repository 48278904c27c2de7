//! What is around a revision in its chain, as lint policies are told.

use std::collections::HashSet;

use runner_chain::Applied;
use runner_chain::Chain;
use runner_chain::Direction;
use runner_chain::Revision;
use runner_policy::data;

use super::request::dialect;
use super::request::tag;

/// So many relatives of a kind are told; more of them say nothing new.
const MOST: usize = 20;

/// Parents, siblings and other heads of a revision. `applied`: what the target has, if that is known.
pub(crate) fn surroundings(chain: &Chain, revision: &Revision, applied: Option<&Applied>) -> data::Surroundings {
    let is_in = |applied: &Applied| chain.index(revision.id.as_str()).is_some_and(|index| applied.contains(index));
    data::Surroundings {
        parents: relatives(chain.parents(revision).chain(chain.dependencies(revision))),
        siblings: siblings(chain, revision),
        other_heads: other_heads(chain, revision),
        applied: applied.map(is_in),
        ..alone(revision)
    }
}

/// What is known of a revision that is in no chain.
pub(crate) fn alone(revision: &Revision) -> data::Surroundings {
    data::Surroundings {
        sections: sections(revision),
        parents: Vec::new(),
        siblings: Vec::new(),
        other_heads: Vec::new(),
        applied: None,
        notes: Vec::new(),
    }
}

/// The sections of a file, with the lines of their markers.
fn sections(revision: &Revision) -> Vec<data::Section> {
    let section = |section: runner_chain::Section<'_>| data::Section {
        direction: match section.direction {
            Direction::Up => data::Direction::Up,
            Direction::Down => data::Direction::Down,
        },
        dialects: section.dialects.iter().copied().map(dialect).collect(),
        line: u32::try_from(section.first_line.saturating_sub(1)).unwrap_or(u32::MAX),
    };
    revision.sections().map(section).collect()
}

fn relatives<'a>(revisions: impl Iterator<Item = &'a Revision>) -> Vec<data::Relative> {
    let mut seen = HashSet::new();
    let new = revisions.filter(|revision| seen.insert(revision.id.as_str())).take(MOST);
    new.map(|revision| data::Relative {
        id: revision.id.to_string(),
        file: revision.file.clone(),
        environments: revision.environments.iter().map(tag).collect(),
    })
    .collect()
}

fn siblings(chain: &Chain, revision: &Revision) -> Vec<data::Relative> {
    let is_other = |other: &&Revision| other.id != revision.id;
    if revision.is_base() {
        return relatives(chain.bases().filter(is_other));
    }
    relatives(chain.parents(revision).flat_map(|parent| chain.children(parent)).filter(is_other))
}

/// Two heads of branches with labels of their own are meant to be two.
fn other_heads(chain: &Chain, revision: &Revision) -> Vec<data::Relative> {
    if !chain.is_effective_head(revision) {
        return Vec::new();
    }
    let own = chain.labels(revision);
    let is_other = |other: &&Revision| {
        let labels = chain.labels(other);
        let is_branch = !labels.is_empty() && !labels.iter().any(|label| own.contains(label));
        other.id != revision.id && !is_branch
    };
    relatives(chain.effective_heads().filter(is_other))
}
