//! The language in which people name revisions.

use std::fmt;
use std::str::FromStr;

use crate::identifier::Label;

/// What a person typed to name revisions: `[label@][symbol][+N|-N]`.
///
/// | typed | means |
/// | --- | --- |
/// | `head`, `heads` | the only head; every head (heads that others depend on are left out) |
/// | `base` | nothing |
/// | `current` | what the database is at |
/// | `ae1027a6acf`, `ae10` | an identifier, or at least 4 characters that begin only one |
/// | `blog` | the revision that gives the label `blog` |
/// | `blog@head`, `blog@base`, `blog@ae10` | the same, within the branch `blog` |
/// | `+2`, `-1`, `blog@+2` | steps from what the database is at |
/// | `ae10+2`, `blog@ae10-1`, `head-1` | steps from a revision |
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    /// The label, or a revision, before `@`.
    pub branch: Option<String>,
    /// What is named; none for steps from what the database is at.
    pub symbol: Option<Symbol>,
    /// The steps, up if positive; never zero.
    pub offset: Option<i64>,
}

/// The middle part of a [`Selector`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// `head`
    Head,
    /// `heads`
    Heads,
    /// `base`
    Base,
    /// `current`
    Current,
    /// An identifier, the beginning of one, or a label.
    Name(String),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` does not name a revision: {reason}")]
pub struct SelectorParseError {
    given: String,
    reason: String,
    hint: String,
}

impl SelectorParseError {
    fn new(given: &str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { given: given.to_owned(), reason: reason.into(), hint: hint.into() }
    }

    /// What to type instead.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

const FORMS: &str = "write `head`, `heads`, `base`, `current`, an id, a label, `label@head`, `+1`, `-1` or `id+1`";

impl Selector {
    /// Whether what it names depends on where the database is.
    pub fn needs_current(&self) -> bool {
        matches!(self.symbol, None | Some(Symbol::Current))
    }
}

impl FromStr for Selector {
    type Err = SelectorParseError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let text = given.trim();
        if text.is_empty() {
            return Err(SelectorParseError::new(given, "it is empty", FORMS));
        }
        let (branch, rest) = match text.split_once('@') {
            None => (None, text),
            Some((branch, rest)) => {
                check_name(given, branch)?;
                (Some(branch.to_owned()), rest)
            }
        };
        let (symbol, offset) = match rest.find(['+', '-']) {
            None => (rest, None),
            Some(at) => (&rest[..at], Some(parse_offset(given, &rest[at..])?)),
        };
        let symbol = match symbol.to_ascii_lowercase().as_str() {
            "" if offset.is_none() => {
                let reason = "nothing follows the `@`";
                return Err(SelectorParseError::new(given, reason, format!("write `{text}head` or `{text}base`")));
            }
            "" => None,
            "head" => Some(Symbol::Head),
            "heads" => Some(Symbol::Heads),
            "base" => Some(Symbol::Base),
            "current" => Some(Symbol::Current),
            _ => {
                check_name(given, symbol)?;
                Some(Symbol::Name(symbol.to_owned()))
            }
        };
        Ok(Self { branch, symbol, offset })
    }
}

fn check_name(given: &str, name: &str) -> Result<(), SelectorParseError> {
    match Label::new(name) {
        Ok(_) => Ok(()),
        Err(_) if name.contains(':') => Err(SelectorParseError::new(
            given,
            "it is a range",
            "name one revision; ranges are for `history` and for `--sql`",
        )),
        Err(_) if name.is_empty() => Err(SelectorParseError::new(given, "nothing stands before the `@`", FORMS)),
        Err(error) => Err(SelectorParseError::new(given, error.to_string(), FORMS)),
    }
}

fn parse_offset(given: &str, text: &str) -> Result<i64, SelectorParseError> {
    let digits = &text[1..];
    let hint = "write a whole number of steps, at least 1, such as `+2` or `-1`";
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SelectorParseError::new(given, format!("`{text}` is not a number of steps"), hint));
    }
    match text.parse() {
        Ok(0) => Err(SelectorParseError::new(given, format!("`{text}` goes nowhere"), hint)),
        Ok(steps) => Ok(steps),
        Err(_) => Err(SelectorParseError::new(given, format!("`{text}` is too many steps"), hint)),
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(branch) = &self.branch {
            write!(f, "{branch}@")?;
        }
        if let Some(symbol) = &self.symbol {
            write!(f, "{symbol}")?;
        }
        self.offset.map_or(Ok(()), |offset| write!(f, "{offset:+}"))
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "head",
            Self::Heads => "heads",
            Self::Base => "base",
            Self::Current => "current",
            Self::Name(name) => name,
        })
    }
}

/// A piece of history: `a:b`, `a:`, `:b` or `:`; both ends belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Range {
    /// The lower end; none for the bases.
    pub from: Option<Selector>,
    /// The upper end; none for the heads.
    pub to: Option<Selector>,
}

impl FromStr for Range {
    type Err = SelectorParseError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let Some((from, to)) = given.split_once(':') else {
            return Err(SelectorParseError::new(
                given,
                "a range has a `:`",
                format!("write `{given}:` for all from it on, `:{given}` for all up to it, or `start:end`"),
            ));
        };
        let end = |text: &str| if text.trim().is_empty() { Ok(None) } else { text.parse().map(Some) };
        Ok(Self { from: end(from)?, to: end(to)? })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(from) = &self.from {
            write!(f, "{from}")?;
        }
        f.write_str(":")?;
        self.to.as_ref().map_or(Ok(()), |to| write!(f, "{to}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read_and_given_back() {
        for text in [
            "head",
            "heads",
            "base",
            "current",
            "ae10",
            "blog",
            "blog@head",
            "blog@heads",
            "blog@base",
            "blog@ae10",
            "+2",
            "-1",
            "ae10+2",
            "ae10-2",
            "blog@+2",
            "blog@-1",
            "blog@ae10+1",
            "head-1",
            "blog@head-3",
        ] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        assert_eq!("HEAD".parse::<Selector>().unwrap().symbol, Some(Symbol::Head));
        for text in ["a:b", ":b", "a:", ":", "-3:current", "blog@base:+1"] {
            assert_eq!(text.parse::<Range>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "`` does not name a revision: it is empty"),
            ("a@", "`a@` does not name a revision: nothing follows the `@`"),
            ("@head", "`@head` does not name a revision: nothing stands before the `@`"),
            ("+x", "`+x` does not name a revision: `+x` is not a number of steps"),
            ("a+", "`a+` does not name a revision: `+` is not a number of steps"),
            ("a--1", "`a--1` does not name a revision: `--1` is not a number of steps"),
            ("+0", "`+0` does not name a revision: `+0` goes nowhere"),
            (
                "-99999999999999999999",
                "`-99999999999999999999` does not name a revision: `-99999999999999999999` is too many steps",
            ),
            ("a:b", "`a:b` does not name a revision: it is a range"),
            ("base@head", "`base@head` does not name a revision: `base` is a reserved word"),
            (
                "a b",
                "`a b` does not name a revision: `a b` contains ` `, only letters, digits, `_` and `.` are allowed",
            ),
        ] {
            let error = text.parse::<Selector>().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().starts_with("write") || error.hint().starts_with("name"));
        }
        assert_eq!("a".parse::<Range>().unwrap_err().to_string(), "`a` does not name a revision: a range has a `:`");
    }
}
