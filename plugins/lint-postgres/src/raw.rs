//! A finding before it is known what it means here.

use std::ops::Range;

use runner_policy_sdk::revision_lint::FollowUp;

use crate::catalogue::Entry;

/// Something that is wrong, by itself.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) entry: &'static Entry,
    /// Where, in bytes of the script.
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) fix: Option<RawFix>,
}

/// How to do what a finding asks for.
#[derive(Debug)]
pub(crate) struct RawFix {
    pub(crate) summary: String,
    /// What is replaced by what, in bytes of the script.
    pub(crate) edits: Vec<(Range<usize>, String)>,
    pub(crate) transaction_off: bool,
    pub(crate) follow_up: Option<FollowUp>,
}
