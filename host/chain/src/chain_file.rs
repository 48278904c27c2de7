//! The chain file: one line a revision, new ones at the end, so that two branches that add revisions are in conflict for git.

use std::collections::HashMap;
use std::fmt;

use crate::graph::Chain;
use crate::identifier::RevisionId;

/// Its name, beside the revision files.
pub const CHAIN_FILE: &str = "chain.lock";

const HEADING: &str = "\
# One line a revision, with its parents; new ones come last. Written by `runner`, for git: where two branches add revisions, this
# file is in conflict. Then put one on top of the other with `runner rebase`, or join them with `runner merge heads`; `runner lock`
# writes this file anew.
";

/// What a chain file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainFile {
    /// Revisions with their parents, in the order in which they were added.
    lines: Vec<(String, String)>,
    /// The line, from 1, at which git has left a conflict.
    conflict: Option<usize>,
}

/// What a chain file and the revision files do not say alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFileProblem {
    /// git has left a conflict at this line.
    Conflict(usize),
    /// There is no such revision file.
    Gone(String),
    /// The revision file is not in the chain file.
    New(RevisionId),
    /// The revision file names other parents.
    Moved {
        /// The revision.
        revision: RevisionId,
        /// What the chain file says.
        recorded: String,
        /// What the revision file says.
        found: String,
    },
}

impl fmt::Display for ChainFileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(line) => write!(f, "line {line} is in conflict: two branches have added revisions"),
            Self::Gone(id) => write!(f, "the file of `{id}` is gone"),
            Self::New(id) => write!(f, "`{id}` is not in it"),
            Self::Moved { revision, recorded, found } => {
                write!(f, "`{revision}` builds on `{found}`, and on `{recorded}` according to it")
            }
        }
    }
}

impl ChainFile {
    /// Reads a chain file. What git writes around a conflict is left out, with both sides kept, so that it can be written
    /// anew.
    pub fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|sign| line.starts_with(sign)) {
                file.conflict.get_or_insert(number + 1);
            } else if !line.is_empty() && !line.starts_with('#') {
                let (id, parents) = line.split_once(' ').unwrap_or((line, ""));
                file.lines.push((id.to_owned(), parents.trim().to_owned()));
            }
        }
        file
    }

    /// The file as it should be for a chain: what is gone left out, what is new at the end.
    #[must_use]
    pub fn updated(&self, chain: &Chain) -> Self {
        let mut seen = HashMap::new();
        let known = self.lines.iter().filter_map(|(id, _)| chain.get(id));
        let new = chain.revisions().iter();
        let lines = known
            .chain(new)
            .filter(|revision| seen.insert(&revision.id, ()).is_none())
            .map(|revision| (revision.id.to_string(), parents(&revision.parents)))
            .collect();
        Self { lines, conflict: None }
    }

    /// What is not as the revision files have it; empty if all is well.
    pub fn problems(&self, chain: &Chain) -> Vec<ChainFileProblem> {
        let mut problems: Vec<_> = self.conflict.map(ChainFileProblem::Conflict).into_iter().collect();
        let mut recorded = HashMap::new();
        for (id, parents) in &self.lines {
            recorded.insert(id.as_str(), parents);
            if chain.get(id).is_none() {
                problems.push(ChainFileProblem::Gone(id.clone()));
            }
        }
        for revision in chain.revisions() {
            let found = parents(&revision.parents);
            match recorded.get(revision.id.as_str()) {
                None => problems.push(ChainFileProblem::New(revision.id.clone())),
                Some(parents) if **parents != found => problems.push(ChainFileProblem::Moved {
                    revision: revision.id.clone(),
                    recorded: (*parents).clone(),
                    found,
                }),
                Some(_) => {}
            }
        }
        problems
    }
}

fn parents(ids: &[RevisionId]) -> String {
    if ids.is_empty() {
        return "base".to_owned();
    }
    ids.iter().map(RevisionId::as_str).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for ChainFile {
    /// The text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADING)?;
        self.lines.iter().try_for_each(|(id, parents)| writeln!(f, "{id} {parents}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::assemble_texts;

    fn chain(revisions: &[(&str, &str)]) -> Chain {
        let file = |(id, parents): &(&str, &str)| {
            let text = format!("-- T\n--\n-- Revision ID: {id}\n-- Revises: {parents}\n\n-- migrate:up\n");
            (format!("{id}.sql"), text.into_bytes())
        };
        assemble_texts(revisions.iter().map(file)).unwrap()
    }

    fn lines(file: &ChainFile) -> Vec<String> {
        file.to_string().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn new_revisions_come_last_whatever_they_are_called() {
        let file = ChainFile::default().updated(&chain(&[("bbbb", "base"), ("cccc", "bbbb")]));
        assert_eq!(lines(&file), ["bbbb base", "cccc bbbb"]);
        let read = ChainFile::parse(&file.to_string());
        assert_eq!(read, file);
        let grown = chain(&[("bbbb", "base"), ("cccc", "bbbb"), ("aaaa", "bbbb"), ("dddd", "aaaa, cccc")]);
        assert_eq!(lines(&read.updated(&grown)), ["bbbb base", "cccc bbbb", "aaaa bbbb", "dddd aaaa, cccc"]);
    }

    #[test]
    fn what_is_not_as_it_says() {
        let file = ChainFile::parse("aaaa base\nbbbb aaaa\ncccc bbbb\n");
        let chain = chain(&[("aaaa", "base"), ("cccc", "aaaa"), ("dddd", "cccc")]);
        let found: Vec<String> = file.problems(&chain).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "the file of `bbbb` is gone",
                "`cccc` builds on `aaaa`, and on `bbbb` according to it",
                "`dddd` is not in it"
            ]
        );
        assert_eq!(file.updated(&chain).problems(&chain), []);
    }

    #[test]
    fn a_conflict_of_git_is_told_and_both_sides_are_kept() {
        let file = ChainFile::parse("aaaa base\n<<<<<<< HEAD\nbbbb aaaa\n=======\ncccc aaaa\n>>>>>>> other\n");
        let chain = chain(&[("aaaa", "base"), ("bbbb", "aaaa"), ("cccc", "bbbb")]);
        assert_eq!(file.problems(&chain)[0], ChainFileProblem::Conflict(2));
        assert_eq!(lines(&file.updated(&chain)), ["aaaa base", "bbbb aaaa", "cccc bbbb"]);
    }
}
