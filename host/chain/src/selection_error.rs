//! Why a selector leads to no revision, or to too many.

use crate::graph::UnknownRevisions;
use crate::identifier::RevisionId;
use crate::revision::Revision;

/// A revision that may have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its identifier.
    pub id: RevisionId,
    /// Its title.
    pub title: String,
}

impl From<&Revision> for Candidate {
    fn from(revision: &Revision) -> Self {
        Self { id: revision.id.clone(), title: revision.title.clone() }
    }
}

/// Why a [`Selector`](crate::Selector) leads to no revision, or to too many. `given` is the selector as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No identifier, beginning of an identifier, or label.
    #[error("no revision or label `{name}`")]
    UnknownName {
        /// What was looked for.
        name: String,
        /// A name that is nearly the same.
        nearest: Option<String>,
        /// Whether it is shorter than the beginning of an identifier must be, and would be one if it were longer.
        too_short: bool,
    },
    /// Several identifiers or labels begin like this.
    #[error("several revisions start with `{name}`: {}", ids(candidates))]
    AmbiguousPrefix {
        /// What was looked for.
        name: String,
        /// All that begin like it.
        candidates: Vec<Candidate>,
    },
    /// There are several heads where one is needed.
    #[error("`{given}` is ambiguous, there are several heads: {}", ids(candidates))]
    SeveralHeads {
        /// What was typed.
        given: String,
        /// The heads.
        candidates: Vec<Candidate>,
    },
    /// The database is at several revisions where one is needed.
    #[error("`{given}` is ambiguous, the database is at several revisions: {}", ids(candidates))]
    SeveralCurrent {
        /// What was typed.
        given: String,
        /// Where the database is.
        candidates: Vec<Candidate>,
    },
    /// A walk comes to a place with several ways.
    #[error("`{given}` is ambiguous, {} leads to several revisions: {}", place(at.as_ref()), ids(candidates))]
    AmbiguousWalk {
        /// What was typed.
        given: String,
        /// Where the ways part; none for the base.
        at: Option<RevisionId>,
        /// Where the ways lead.
        candidates: Vec<Candidate>,
    },
    /// A walk leads past the last revision.
    #[error("`{given}` goes too far, only {walked} of {asked} steps are there")]
    TooFar {
        /// What was typed.
        given: String,
        /// How many steps were asked for.
        asked: u64,
        /// How many there are.
        walked: u64,
    },
    /// Steps from where the database is that lead the other way than the command.
    #[error("`{given}` leads {} from where the database is", if *.up { "up" } else { "down" })]
    WrongWay {
        /// What was typed.
        given: String,
        /// Whether it leads up.
        up: bool,
    },
    /// The revision and the branch have nothing to do with each other.
    #[error("revision `{id}` is not a member of branch `{branch}`")]
    NotOnBranch {
        /// The revision.
        id: RevisionId,
        /// What was typed before `@`.
        branch: String,
    },
    /// Steps down on a branch of which the database has nothing that does not belong to another branch as well.
    #[error("`{given}` goes down from the end of branch `{branch}`, and the database is at no revision of it")]
    NothingOnBranch {
        /// What was typed.
        given: String,
        /// The revision that stands for the branch.
        branch: RevisionId,
    },
    /// One revision is needed, and there is none.
    #[error("`{given}` names no revision")]
    Nothing {
        /// What was typed.
        given: String,
    },
    /// What is typed depends on where the database is, and that is not known here.
    #[error("`{given}` depends on where the database is, which is not known here")]
    NeedsDatabase {
        /// What was typed.
        given: String,
    },
    /// The database is at revisions that the chain does not have.
    #[error(transparent)]
    Unknown(#[from] UnknownRevisions),
}

impl SelectError {
    /// The revisions that may have been meant; empty unless there are several.
    pub fn candidates(&self) -> &[Candidate] {
        match self {
            Self::AmbiguousPrefix { candidates, .. }
            | Self::SeveralHeads { candidates, .. }
            | Self::SeveralCurrent { candidates, .. }
            | Self::AmbiguousWalk { candidates, .. } => candidates,
            _ => &[],
        }
    }

    /// What to type instead.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownName { too_short: true, .. } => {
                Some("type at least 4 characters of a revision's id".to_owned())
            }
            Self::UnknownName { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownName { .. } => Some("`runner history` lists all revisions".to_owned()),
            Self::AmbiguousPrefix { .. } => Some("type more characters of the id".to_owned()),
            Self::SeveralHeads { candidates, .. } => Some(format!(
                "name one of them (such as `{}`), narrow it down with `<label>@head`, or type `heads` for all; \
                 a revision whose `Revises:` names them all joins them",
                example(candidates)
            )),
            Self::SeveralCurrent { candidates, .. } => Some(format!(
                "start from one of them (such as `{}+1` or `{}-1`), or name a branch: `<label>@+1`",
                example(candidates),
                example(candidates)
            )),
            Self::AmbiguousWalk { candidates, .. } => Some(format!(
                "name the revision to go to (such as `{}`), or the branch to follow: `<label>@+1`",
                example(candidates)
            )),
            Self::TooFar { .. } => Some("take fewer steps, or type `head` or `base`".to_owned()),
            Self::WrongWay { up: true, .. } => Some("use `upgrade` to go up, or `-N` to go down".to_owned()),
            Self::WrongWay { up: false, .. } => Some("use `downgrade` to go down, or `+N` to go up".to_owned()),
            Self::NotOnBranch { id, .. } => Some(format!("type `{id}` without the branch")),
            Self::NothingOnBranch { .. } => Some("name the revision to go back to".to_owned()),
            Self::Nothing { .. } => Some("name a revision; `runner history` lists them".to_owned()),
            Self::NeedsDatabase { .. } => Some("name a revision by its id or label".to_owned()),
            Self::Unknown(unknown) => Some(unknown.hint()),
        }
    }
}

fn example(candidates: &[Candidate]) -> &str {
    candidates.first().map_or("id", |candidate| candidate.id.as_str())
}

fn place(at: Option<&RevisionId>) -> String {
    at.map_or_else(|| "`base`".to_owned(), |id| format!("`{id}`"))
}

/// The first identifiers of a list that may be long.
fn ids(candidates: &[Candidate]) -> String {
    const SHOWN: usize = 8;
    let mut text =
        candidates.iter().take(SHOWN).map(|candidate| format!("`{}`", candidate.id)).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = candidates.len().checked_sub(SHOWN) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
