//! The keys of a header, and the words that were probably meant to be one.

use std::fmt;

use strsim::osa_distance;

use crate::environment::EnvironmentTag;

/// A key that may be written in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    RevisionId,
    Revises,
    CreateDate,
    Env,
    DependsOn,
    BranchLabels,
    Transaction,
}

/// Words of other tools, or of people, for one of our keys.
const OTHER_WORDS: [(&str, Key); 13] = [
    ("environment", Key::Env),
    ("environments", Key::Env),
    ("down revision", Key::Revises),
    ("parent", Key::Revises),
    ("parents", Key::Revises),
    ("depends", Key::DependsOn),
    ("dependency", Key::DependsOn),
    ("dependencies", Key::DependsOn),
    ("label", Key::BranchLabels),
    ("labels", Key::BranchLabels),
    ("branch label", Key::BranchLabels),
    ("branch", Key::BranchLabels),
    ("transactional", Key::Transaction),
];

impl Key {
    pub(crate) const ALL: [Self; 7] = [
        Self::RevisionId,
        Self::Revises,
        Self::CreateDate,
        Self::Env,
        Self::DependsOn,
        Self::BranchLabels,
        Self::Transaction,
    ];

    /// The key as it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RevisionId => "Revision ID",
            Self::Revises => "Revises",
            Self::CreateDate => "Create Date",
            Self::Env => "Env",
            Self::DependsOn => "Depends On",
            Self::BranchLabels => "Branch Labels",
            Self::Transaction => "Transaction",
        }
    }

    /// The key of exactly this name, in any case.
    pub(crate) fn named(written: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name().eq_ignore_ascii_case(written))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The key that was probably meant by a word before a colon.
///
/// A mistyped `Env` would let a revision run everywhere, so it is looked for with more care: two slips are enough if the
/// value could be a list of tags. Other three-letter words are left to be free text.
pub(crate) fn near_miss(written: &str, value: &str) -> Option<Key> {
    let letters = |character: char| character.is_alphabetic() || matches!(character, ' ' | '_' | '-');
    if written.is_empty() || written.len() > 24 || !written.chars().all(letters) {
        return None;
    }
    let word = written.to_lowercase().replace(['_', '-'], " ");
    let word = word.trim();
    if let Some((_, key)) = OTHER_WORDS.iter().find(|(other, _)| *other == word) {
        return Some(*key);
    }
    let could_be_tags =
        || !value.is_empty() && value.split(',').all(|tag| tag.trim().parse::<EnvironmentTag>().is_ok());
    if word.starts_with("envi") && !word.contains(' ') {
        return Some(Key::Env);
    }
    Key::ALL.into_iter().find(|&key| {
        let name = key.name().to_ascii_lowercase();
        let distance = osa_distance(&name, word);
        if key == Key::Env { distance <= 1 || distance == 2 && could_be_tags() } else { distance <= 2 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        for (word, value, key) in [
            ("Envs", "", Some(Key::Env)),
            ("evn", "production", Some(Key::Env)),
            ("Enviroment", "", Some(Key::Env)),
            ("Dev", "test", Some(Key::Env)),
            ("Any", "word you like", None),
            ("Note", "a", None),
            ("See", "a", None),
            ("Revise", "a", Some(Key::Revises)),
            ("Revision-ID", "a", Some(Key::RevisionId)),
            ("Down Revision", "a", Some(Key::Revises)),
            ("Depend On", "a", Some(Key::DependsOn)),
            ("Creat Date", "", Some(Key::CreateDate)),
            ("Labels", "", Some(Key::BranchLabels)),
            ("Transacton", "", Some(Key::Transaction)),
            ("see http", "//example.org", None),
        ] {
            assert_eq!(near_miss(word, value), key, "{word}");
        }
    }
}
