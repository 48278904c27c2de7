//! What becomes of the findings of lint policies: which revisions are looked at, what is suppressed, how serious the rest is,
//! what is accepted, and what can be mended.

mod assessment;
pub(crate) mod baseline;
mod catalogue;
mod comments;
mod directive;
mod fingerprint;
pub(crate) mod fix;
mod own_rules;
pub(crate) mod places;
mod selection;
mod severity;
mod suppression;

pub(crate) use assessment::Assessed;
pub(crate) use assessment::Assessment;
pub(crate) use assessment::Finding;
pub(crate) use assessment::OfPlan;
pub(crate) use assessment::Suppressed;
pub(crate) use catalogue::Catalogue;
pub(crate) use fingerprint::digest;
pub(crate) use own_rules::RUNNER;
#[cfg(test)]
pub(crate) use own_rules::finding as finding_of_runner;
pub(crate) use own_rules::of_problem;
pub(crate) use selection::Selection;
pub(crate) use severity::Here;
pub(crate) use severity::Severities;
pub(crate) use suppression::Suppression;
