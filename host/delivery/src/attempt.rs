//! What came of one attempt.

use std::time::Duration;

/// What came of one attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it.
    Delivered,
    /// It may work later.
    Again {
        /// What went wrong, without secrets.
        why: String,
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
    },
    /// It won't work like this, however often it is tried.
    Never {
        /// What went wrong, without secrets.
        why: String,
    },
}

impl Attempt {
    pub(crate) fn again(why: impl Into<String>) -> Self {
        Attempt::Again { why: why.into(), after: None }
    }

    pub(crate) fn never(why: impl Into<String>) -> Self {
        Attempt::Never { why: why.into() }
    }

    /// The same with what went wrong reworded.
    pub(crate) fn reworded(self, reword: impl FnOnce(&str) -> String) -> Self {
        match self {
            Attempt::Delivered => Attempt::Delivered,
            Attempt::Again { why, after } => Attempt::Again { why: reword(&why), after },
            Attempt::Never { why } => Attempt::Never { why: reword(&why) },
        }
    }
}
