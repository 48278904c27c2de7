//! What a branch of a repository and the branch that it will be merged into have made of the same chain.

use crate::graph::Chain;
use crate::identifier::RevisionId;
use crate::revision::Revision;

/// Something that would be wrong after a merge, although each side is right by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What kind of conflict it is.
    pub kind: ConflictKind,
    /// The revision on this side.
    pub revision: RevisionId,
    /// Its file; for one that is gone, the file that it had.
    pub file: String,
    /// The other revision that it is about, if there is one.
    pub other: Option<RevisionId>,
}

/// The kinds of conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ConflictKind {
    /// Both sides have a new revision of this identifier, and they are different.
    SameId,
    /// Both sides have added a revision to the same parent: there will be two heads.
    SameParent,
    /// The SQL of a revision is not what it was when the branches parted.
    Changed,
    /// A revision that was there when the branches parted is gone.
    Removed,
    /// A revision builds on others than when the branches parted.
    Moved,
    /// A new revision is required by one that was there when the branches parted.
    InFront,
    /// A new revision runs before one that was there when the branches parted, and after it where that is applied already.
    Reordered,
}

/// Compares our chain with the one that ours will be merged into, given the chain at which both parted.
///
/// The conflicts are in the order of our chain, those that are gone last.
pub fn conflicts(ours: &Chain, theirs: &Chain, parted: &Chain) -> Vec<Conflict> {
    let mut found = Vec::new();
    for revision in ours.revisions() {
        let mut add = |kind, other: Option<&Revision>| {
            found.push(Conflict {
                kind,
                revision: revision.id.clone(),
                file: revision.file.clone(),
                other: other.map(|other| other.id.clone()),
            });
        };
        let id = revision.id.as_str();
        match (parted.get(id), theirs.get(id)) {
            (Some(before), _) => {
                if before.sql_checksum() != revision.sql_checksum() {
                    add(ConflictKind::Changed, None);
                }
                let parents = |revision: &Revision| (revision.parents.clone(), revision.depends_on.clone());
                if parents(before) != parents(revision) {
                    let required = ours.parents(revision).chain(ours.dependencies(revision));
                    let mut new = required.filter(|required| parted.get(required.id.as_str()).is_none());
                    match new.next() {
                        Some(new) => add(ConflictKind::InFront, Some(new)),
                        None => add(ConflictKind::Moved, None),
                    }
                }
            }
            (None, Some(there)) if there.checksum() != revision.checksum() => add(ConflictKind::SameId, Some(there)),
            (None, Some(_)) => {}
            (None, None) => {
                if let Some(sibling) = sibling(ours, theirs, parted, revision) {
                    add(ConflictKind::SameParent, Some(sibling));
                } else if let Some(overtaken) = overtaken(ours, parted, revision) {
                    add(ConflictKind::Reordered, Some(overtaken));
                }
            }
        }
    }
    let gone = parted.revisions().iter().filter(|before| ours.get(before.id.as_str()).is_none());
    // What both have removed is agreed on.
    let gone = gone.filter(|before| theirs.get(before.id.as_str()).is_some());
    found.extend(gone.map(|before| Conflict {
        kind: ConflictKind::Removed,
        revision: before.id.clone(),
        file: before.file.clone(),
        other: None,
    }));
    found
}

/// The last old revision that a new one runs before, although neither needs the other. A branch with a label of its own
/// is independent by design.
fn overtaken<'a>(ours: &'a Chain, parted: &Chain, revision: &Revision) -> Option<&'a Revision> {
    let index = ours.index(revision.id.as_str())?;
    let above = ours.requiring([index]);
    let lacks = |one: &Revision, other: &Revision| {
        let others = ours.labels(other);
        ours.labels(one).iter().any(|label| !others.contains(label))
    };
    let behind = ours.revisions().iter().enumerate().skip(index + 1).rev();
    let mut old = behind.filter(|(_, other)| parted.get(other.id.as_str()).is_some());
    old.find(|(other, there)| !above.contains(*other) && !lacks(revision, there) && !lacks(there, revision))
        .map(|(_, there)| there)
}

/// The revision that is new on their side alone, and builds on a parent of ours.
fn sibling<'a>(ours: &Chain, theirs: &'a Chain, parted: &Chain, revision: &Revision) -> Option<&'a Revision> {
    let is_new_there = |other: &&Revision| {
        let id = other.id.as_str();
        parted.get(id).is_none() && ours.get(id).is_none()
    };
    if revision.parents.is_empty() {
        // Two roots are two chains, unless there was nothing yet.
        return theirs.bases().find(is_new_there).filter(|_| parted.is_empty());
    }
    let parents = revision.parents.iter().filter_map(|parent| theirs.get(parent.as_str()));
    parents.flat_map(|parent| theirs.children(parent)).find(is_new_there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::chain;

    fn shown(ours: &[&str], theirs: &[&str], parted: &[&str]) -> Vec<String> {
        let conflicts = conflicts(&chain(ours), &chain(theirs), &chain(parted));
        let other = |conflict: &Conflict| conflict.other.as_ref().map(|other| format!(" {other}")).unwrap_or_default();
        conflicts.iter().map(|one| format!("{:?} {}{}", one.kind, one.revision, other(one))).collect()
    }

    #[test]
    fn each_side_is_right_by_itself() {
        let parted = ["a <- base", "b <- a"];
        assert_eq!(shown(&["a <- base", "b <- a", "c <- b"], &parted, &parted), [""; 0]);
        assert_eq!(shown(&parted, &["a <- base", "b <- a", "d <- b"], &parted), [""; 0]);
        let (ours, theirs) = (["a <- base", "b <- a", "c <- b", "e <- c"], ["a <- base", "b <- a", "d <- b"]);
        assert_eq!(shown(&ours, &theirs, &parted), ["SameParent c d"]);
        // Taken over from there already.
        assert_eq!(shown(&["a <- base", "b <- a", "d <- b", "c <- d"], &theirs, &parted), [""; 0]);
        assert_eq!(shown(&["a <- base", "b <- a", "d <- a"], &theirs, &parted), ["SameId d d"]);
        assert_eq!(shown(&["a <- base", "n <- a", "b <- n"], &parted, &parted), ["InFront b n"]);
        assert_eq!(shown(&["a <- base", "b <- base"], &parted, &parted), ["Moved b"]);
        assert_eq!(shown(&["a <- base"], &parted, &parted), ["Removed b"]);
        assert_eq!(shown(&["a <- base"], &["a <- base"], &parted), [""; 0]);
        assert_eq!(shown(&["a <- base", "b <- a", "aa <- a", "m <- aa, b"], &parted, &parted), ["Reordered aa b"]);
        assert_eq!(shown(&["a <- base", "b <- a", "c <- a", "m <- b, c"], &parted, &parted), [""; 0]);
        assert_eq!(shown(&["a <- base"], &["d <- base"], &[]), ["SameParent a d"]);
        assert_eq!(shown(&["a <- base", "b <- a", "c <- base"], &theirs, &parted), [""; 0]);
    }
}
