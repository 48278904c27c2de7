//! Names that people type: revision identifiers and branch labels.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Words that select revisions and can therefore name none.
pub(crate) const RESERVED: [&str; 4] = ["head", "heads", "base", "current"];

/// Why a text cannot be a revision identifier or a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// Nothing is written.
    #[error("an identifier must not be empty")]
    Empty,
    /// There are more characters than the version table can hold.
    #[error("`{given}` has {length} characters, {limit} are allowed")]
    TooLong {
        /// What was written.
        given: String,
        /// How many characters it has.
        length: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A character that means something else in a selector.
    #[error("`{given}` contains `{character}`, only letters, digits, `_` and `.` are allowed")]
    Character {
        /// What was written.
        given: String,
        /// The first character that is not allowed.
        character: char,
    },
    /// A word that selects revisions.
    #[error("`{0}` is a reserved word")]
    Reserved(String),
}

fn validate(text: &str, limit: usize) -> Result<(), InvalidIdentifier> {
    if text.is_empty() {
        return Err(InvalidIdentifier::Empty);
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '.';
    if let Some(character) = text.chars().find(|&character| !allowed(character)) {
        return Err(InvalidIdentifier::Character { given: text.to_owned(), character });
    }
    if text.len() > limit {
        return Err(InvalidIdentifier::TooLong { given: text.to_owned(), length: text.len(), limit });
    }
    if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Err(InvalidIdentifier::Reserved(text.to_owned()));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $limit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The greatest number of characters.
            pub const MAX_LENGTH: usize = $limit;

            /// Checks and keeps a name.
            ///
            /// # Errors
            /// [`InvalidIdentifier`] says which rule the text breaks.
            pub fn new(text: &str) -> Result<Self, InvalidIdentifier> {
                validate(text, Self::MAX_LENGTH)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidIdentifier;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// The identifier of a revision: 1 to 32 letters, digits, `_` or `.`, and none of the words that select revisions
    /// (`head`, `heads`, `base`, `current`). Upper and lower case differ.
    RevisionId, 32
}

name! {
    /// The name of a branch: like a [`RevisionId`], but up to 64 characters.
    Label, 64
}

impl RevisionId {
    /// A new identifier of 12 hexadecimal digits from 6 random bytes.
    pub fn random(bytes: [u8; 6]) -> Self {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(digits.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_identifiers() {
        for text in ["a", "a1b2c3d4e5f6", "2026.11_x", &"x".repeat(32)] {
            assert_eq!(RevisionId::new(text).unwrap().as_str(), text);
        }
        assert_eq!(RevisionId::random([0, 1, 0xab, 0xcd, 0xef, 0xff]), "0001abcdefff");
        assert!(Label::new(&"x".repeat(64)).is_ok());
    }

    #[test]
    fn bad_identifiers() {
        for (text, message) in [
            ("", "an identifier must not be empty"),
            ("a-b", "`a-b` contains `-`, only letters, digits, `_` and `.` are allowed"),
            ("é", "`é` contains `é`, only letters, digits, `_` and `.` are allowed"),
            ("HEAD", "`HEAD` is a reserved word"),
            ("base", "`base` is a reserved word"),
        ] {
            assert_eq!(RevisionId::new(text).unwrap_err().to_string(), message);
            assert_eq!(Label::new(text).unwrap_err().to_string(), message);
        }
        assert_eq!(
            RevisionId::new(&"x".repeat(33)).unwrap_err(),
            InvalidIdentifier::TooLong { given: "x".repeat(33), length: 33, limit: 32 }
        );
    }
}
