//! The tags of an `Env:` line.

use std::fmt;
use std::str::FromStr;

/// One entry of an `Env:` line.
///
/// What a tag means is decided by the policies: without `=` it names the lowest level from which the revision may run,
/// with `=` exactly the one environment in which it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentTag {
    /// The environment's name in lower case.
    pub name: String,
    /// Whether it was written with `=`.
    pub exact: bool,
}

/// A text that is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an environment")]
pub struct InvalidEnvironment(pub String);

impl FromStr for EnvironmentTag {
    type Err = InvalidEnvironment;

    /// Takes `staging` or `=staging`: letters, digits, `_` and `-`, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, exact) = text.strip_prefix('=').map_or((text, false), |name| (name.trim_start(), true));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(InvalidEnvironment(text.to_owned()));
        }
        Ok(Self { name: name.to_ascii_lowercase(), exact })
    }
}

impl fmt::Display for EnvironmentTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.exact { "=" } else { "" };
        write!(f, "{sign}{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_and_given_back() {
        for (text, shown) in [("Staging", "staging"), ("=test", "=test"), ("pre-prod_2", "pre-prod_2"), ("= qa", "=qa")]
        {
            assert_eq!(text.parse::<EnvironmentTag>().unwrap().to_string(), shown);
        }
        for text in ["", "=", "==a", "a b", "prod!", "é"] {
            assert_eq!(text.parse::<EnvironmentTag>(), Err(InvalidEnvironment(text.to_owned())));
        }
    }
}
