//! Kinds of problems, under names that scripts and configurations may rely on.

use std::fmt;

/// What kind of thing is wrong with a file or with the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The file, or what a link leads to, can't be read.
    UnreadableFile,
    /// The text is not UTF-8, or holds a NUL byte.
    InvalidEncoding,
    /// A line of the header can't be understood.
    MalformedHeader,
    /// There is no `Revision ID`.
    MissingRevisionId,
    /// There is no `Revises`, or nothing behind it.
    MissingRevises,
    /// There is no `migrate:up` section.
    MissingUpgrade,
    /// SQL stands before the first section, where it would never run.
    StatementOutsideSection,
    /// A line that begins a section can't be understood.
    MalformedSection,
    /// Two sections are for the same direction and dialect.
    DuplicateSection,
    /// Two files have the same `Revision ID`.
    DuplicateId,
    /// A label is given twice, or is the id of a revision as well.
    DuplicateLabel,
    /// `Revises` names a revision that no file has.
    MissingParent,
    /// `Revises` names a revision twice.
    DuplicateParent,
    /// `Depends On` names a revision that no file has.
    MissingDependency,
    /// `Depends On` names several revisions by one word.
    AmbiguousDependency,
    /// A revision comes after itself, directly or through others.
    Cycle,
    /// A section can't be cut into statements.
    UnreadableSql,
    /// A file of configuration is wrong.
    Configuration,
}

impl Fault {
    /// All kinds that a chain can have, in the order in which a file is read.
    pub const ALL: [Self; 17] = [
        Self::UnreadableFile,
        Self::InvalidEncoding,
        Self::MalformedHeader,
        Self::MissingRevisionId,
        Self::MissingRevises,
        Self::MissingUpgrade,
        Self::StatementOutsideSection,
        Self::MalformedSection,
        Self::DuplicateSection,
        Self::DuplicateId,
        Self::DuplicateLabel,
        Self::MissingParent,
        Self::DuplicateParent,
        Self::MissingDependency,
        Self::AmbiguousDependency,
        Self::Cycle,
        Self::UnreadableSql,
    ];

    /// The name: lower-case, with dashes.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnreadableFile => "unreadable-file",
            Self::InvalidEncoding => "invalid-encoding",
            Self::MalformedHeader => "malformed-header",
            Self::MissingRevisionId => "missing-revision-id",
            Self::MissingRevises => "missing-revises",
            Self::MissingUpgrade => "missing-upgrade",
            Self::StatementOutsideSection => "statement-outside-section",
            Self::MalformedSection => "malformed-section",
            Self::DuplicateSection => "duplicate-section",
            Self::DuplicateId => "duplicate-id",
            Self::DuplicateLabel => "duplicate-label",
            Self::MissingParent => "missing-parent",
            Self::DuplicateParent => "duplicate-parent",
            Self::MissingDependency => "missing-dependency",
            Self::AmbiguousDependency => "ambiguous-dependency",
            Self::Cycle => "cycle",
            Self::UnreadableSql => "unreadable-sql",
            Self::Configuration => "configuration",
        }
    }

    /// What it means, in one sentence without a full stop.
    pub fn summary(self) -> &'static str {
        match self {
            Self::UnreadableFile => "a file of the migrations folder can't be read",
            Self::InvalidEncoding => "a file is not UTF-8 text",
            Self::MalformedHeader => "a line of the header can't be understood",
            Self::MissingRevisionId => "the header has no `Revision ID`",
            Self::MissingRevises => "the header does not say what the revision builds on",
            Self::MissingUpgrade => "there is no `migrate:up` section",
            Self::StatementOutsideSection => "SQL stands before the first section, where it would never run",
            Self::MalformedSection => "a line that begins a section can't be understood",
            Self::DuplicateSection => "two sections are for the same direction and dialect",
            Self::DuplicateId => "two files have the same `Revision ID`",
            Self::DuplicateLabel => "a branch label is given twice, or is a revision id as well",
            Self::MissingParent => "`Revises` names a revision that no file has",
            Self::DuplicateParent => "`Revises` names a revision twice",
            Self::MissingDependency => "`Depends On` names a revision that no file has",
            Self::AmbiguousDependency => "`Depends On` names several revisions by one word",
            Self::Cycle => "a revision comes after itself, directly or through others",
            Self::UnreadableSql => "a section can't be cut into statements",
            Self::Configuration => "a file of configuration is wrong",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_of_one_style() {
        let names: HashSet<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        }
    }
}
