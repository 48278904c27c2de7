//! The way of every run: config → chain → database state → plan → verdicts → run → ledger → events.

mod context;
mod drift;
mod evidence;
pub(crate) mod facts;
mod interrupt;
mod observer;
mod order;
mod prepare;
mod repair;
pub(crate) mod replay;
mod report;
pub(crate) mod request;
mod run;
mod situation;
mod sources;
mod steps;

pub use interrupt::Interrupt;
pub use observer::Observer;
pub use observer::Silent;
pub use order::Operation;
pub use order::Order;
pub use order::Repair;
pub use report::Environment;
pub use report::Outcome;
pub use report::Report;
pub use report::StepReport;
pub use report::StepStatus;
pub use report::Target;

pub(crate) use context::policy_context;
pub(crate) use context::policy_host;
pub(crate) use drift::Drift;
pub(crate) use run::ROLES;
pub(crate) use run::execute;
pub(crate) use situation::Database;
pub(crate) use situation::load_chain;
pub(crate) use situation::versions;
pub(crate) use sources::plugin_set;
