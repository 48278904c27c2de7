//! Who decides: policies are WebAssembly components of the package `runner:policy`, and this crate loads them, keeps them
//! in their sandbox, asks them, and puts their answers together.
//!
//! The crate knows nothing of SQL connections or revision files; everything a policy is told comes in as plain data.
//!
//! Fail closed: whatever goes wrong with a policy (it is missing, is no component, traps, exceeds a limit, answers against
//! the rules of the contract) becomes a [`Verdict`] that denies and names the plugin. Only the role `notify` fails open.

mod answer;
mod bindings;
mod builtin;
mod cache;
mod component;
mod consult;
mod engine;
mod facts;
mod grants;
mod limits;
mod meter;
mod plugin;
mod refusal;
mod review;
mod sandbox;
mod set;
mod trial;
mod verdict;

pub use bindings::data;
pub use builtin::builtin_definition;
pub use builtin::builtin_names;
pub use builtin::builtin_set;
pub use builtin::builtin_set_names;
pub use cache::Cache;
pub use consult::Identity;
pub use consult::Policies;
pub use engine::Host;
pub use facts::Facts;
pub use facts::FactsRequests;
pub use facts::FactsSource;
pub use facts::RECENT_STEPS;
pub use grants::Grants;
pub use grants::ReadGrant;
pub use limits::Limits;
pub use meter::Call;
pub use plugin::PluginReport;
pub use refusal::Refusal;
pub use review::Notice;
pub use review::Prompt;
pub use review::Request;
pub use review::Review;
pub use review::StepFate;
pub use set::Mode;
pub use set::PluginDefinition;
pub use set::PluginSet;
pub use set::Role;
pub use set::Source;
pub use trial::Answer;
pub use trial::Question;
pub use trial::Trial;
pub use verdict::Decision;
pub use verdict::Outcome;
pub use verdict::PluginIdentity;
pub use verdict::Severity;
pub use verdict::Verdict;
pub use verdict::printable;
