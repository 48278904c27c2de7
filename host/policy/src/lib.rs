//! Who decides: policies are WebAssembly components of the package `runner:policy`, and this crate loads them, keeps them
//! in their sandbox, asks them, and puts their answers together.
//!
//! The crate knows nothing of SQL connections or revision files; everything a policy is told comes in as plain data.
//!
//! Fail closed: whatever goes wrong with a policy (it is missing, is no component, traps, exceeds a limit, answers against
//! the rules of the contract) becomes a [`Verdict`] that denies and names the plugin. Only the role `notify` fails open.

mod answer;
mod artifact;
mod bindings;
mod builtin;
mod cache;
mod component;
mod consult;
mod digest;
mod engine;
mod facts;
mod file;
mod grants;
mod key;
mod limits;
mod meter;
mod plugin;
mod refusal;
mod review;
mod sandbox;
mod set;
mod signature;
mod store;
mod strict;
mod trial;
mod trust;
mod verdict;

pub use artifact::Artifact;
pub use artifact::COMPONENT_TYPE;
pub use artifact::CONFIG_TYPE;
pub use artifact::LARGEST_MANIFEST;
pub use artifact::MANIFEST_TYPE;
pub use artifact::NotAnArtifact;
pub use bindings::data;
pub use builtin::builtin_definition;
pub use builtin::builtin_names;
pub use builtin::builtin_set;
pub use builtin::builtin_set_names;
pub use builtin::builtin_set_plugins;
pub use cache::Cache;
pub use component::LARGEST as LARGEST_COMPONENT;
pub use consult::Identity;
pub use consult::Policies;
pub use digest::Digest;
pub use digest::NotADigest;
pub use engine::Host;
pub use facts::Facts;
pub use facts::FactsRequests;
pub use facts::FactsSource;
pub use facts::RECENT_STEPS;
pub use file::ComponentFile;
pub use file::digest_of;
pub use grants::Grants;
pub use grants::ReadGrant;
pub use key::KeyError;
pub use key::PublicKey;
pub use key::SigningKey;
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
pub use set::OciSource;
pub use set::PluginDefinition;
pub use set::PluginSet;
pub use set::Role;
pub use set::Source;
pub use signature::Signature;
pub use signature::SignatureError;
pub use store::Store;
pub use store::StoreError;
pub use strict::Change;
pub use strict::loosening;
pub use strict::make_strict;
pub use trial::Answer;
pub use trial::Question;
pub use trial::Trial;
pub use trust::Pin;
pub use trust::Trust;
pub use verdict::Decision;
pub use verdict::Outcome;
pub use verdict::PluginIdentity;
pub use verdict::Severity;
pub use verdict::Verdict;
pub use verdict::printable;
