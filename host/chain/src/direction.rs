//! Which way a revision is run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which way a revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Apply it: the `migrate:up` section.
    Up,
    /// Take it back: the `migrate:down` section.
    Down,
}

impl Direction {
    /// The name in lower case: `up` or `down`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
