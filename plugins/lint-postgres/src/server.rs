//! The version of the server, which decides what a statement locks.

/// Version of the server, as in `16.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl Version {
    /// What is assumed if nobody knows: the engine assumes the same.
    pub(crate) const ASSUMED: Version = Version { major: 15, minor: 0 };

    /// Reads what a server states, as in `16.2 (Debian 16.2-1)` or `17beta1`; `none`: it is not known.
    pub(crate) fn read(stated: &str) -> Option<Self> {
        let stated = stated.trim();
        let stated = stated.strip_prefix("PostgreSQL").unwrap_or(stated).trim_start();
        let (major, rest) = number(stated)?;
        let minor = rest.strip_prefix('.').and_then(number).map_or(0, |(minor, _)| minor);
        Some(Version { major, minor })
    }

    /// Whether it is at least this major version.
    pub(crate) fn has(self, major: u32) -> bool {
        self.major >= major
    }
}

/// The number that a text begins with, and what is after it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}
