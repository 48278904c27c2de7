//! What is applied: connections, the lock, the version table, the ledger and the execution of steps.
//!
//! This crate knows nothing of policies, revision files or the graph. It is given a [`DatabaseUrl`] and finished
//! scripts ([`StepScript`]), and it promises three things:
//!
//! - one runner per target ([`Session::lock`]), with a lock that dies with the process;
//! - a step, its version rows and its ledger row are committed together or not at all ([`Run::step`]), or, where a
//!   script refuses a transaction, it is always known which statements ran;
//! - reading ([`Access::Read`]) writes nothing, not even a table.
//!
//! Each dialect is one implementation of the crate-private `Backend` trait; everything else is shared.

mod backend;
mod contents;
mod dependents;
mod error;
mod facts;
mod ledger;
mod lock;
mod mysql;
mod options;
mod outbox;
mod postgres;
mod preflight;
mod reading;
mod run;
mod schema;
mod scratch;
mod script;
mod session;
mod sqlite;
mod state;
mod transcript;
mod url;
mod wait;
mod whole;
mod words;

pub use runner_chain::Dialect;

pub use crate::backend::Server;
pub use crate::contents::Form;
pub use crate::contents::Loading;
pub use crate::contents::Placing;
pub use crate::contents::Reading;
pub use crate::contents::Reference;
pub use crate::contents::RowSink;
pub use crate::contents::RowSource;
pub use crate::contents::Rows;
pub use crate::contents::Stopped;
pub use crate::contents::Table;
pub use crate::contents::TableColumn;
pub use crate::contents::TableName;
pub use crate::contents::quoted_name;
pub use crate::dependents::Bond;
pub use crate::dependents::Dependencies;
pub use crate::dependents::Dependency;
pub use crate::dependents::Entity;
pub use crate::dependents::EntityKind;
pub use crate::error::Error;
pub use crate::error::Result;
pub use crate::error::StatementError;
pub use crate::facts::Column;
pub use crate::facts::Facts;
pub use crate::facts::ForeignKey;
pub use crate::facts::Index;
pub use crate::facts::RECENT_STEPS;
pub use crate::facts::RecentStep;
pub use crate::facts::Relation;
pub use crate::facts::RelationKind;
pub use crate::facts::Trigger;
pub use crate::ledger::FIRST_PREVIOUS_HASH;
pub use crate::ledger::LedgerCheck;
pub use crate::ledger::LedgerRow;
pub use crate::ledger::LedgerStatus;
pub use crate::lock::Holder;
pub use crate::options::Options;
pub use crate::outbox::Claim;
pub use crate::outbox::NewMessage;
pub use crate::outbox::OutboxMessage;
pub use crate::outbox::SettledMessage;
pub use crate::outbox::Settlement;
pub use crate::preflight::PreflightProblem;
pub use crate::run::Progress;
pub use crate::run::Run;
pub use crate::run::RunInfo;
pub use crate::run::StepOutcome;
pub use crate::run::TransactionMode;
pub use crate::schema::Difference;
pub use crate::schema::Schema;
pub use crate::scratch::Outside;
pub use crate::scratch::Scratch;
pub use crate::script::Action;
pub use crate::script::ScriptStatement;
pub use crate::script::StepDirection;
pub use crate::script::StepScript;
pub use crate::script::VersionChange;
pub use crate::session::Access;
pub use crate::session::Session;
pub use crate::state::Dirty;
pub use crate::state::LedgerTail;
pub use crate::state::Record;
pub use crate::state::RecordedStatus;
pub use crate::state::State;
pub use crate::state::records;
pub use crate::transcript::Beginning;
pub use crate::transcript::Headings;
pub use crate::transcript::StepHeading;
pub use crate::url::Client;
pub use crate::url::DatabaseUrl;
pub use crate::url::UrlError;
pub use crate::wait::wait;
pub use crate::whole::Settled;
