//! What is written: the revision files of a project, the graph they form, and the steps from one state to another.
//!
//! - [`directory::load`] reads folders of revision files into a [`Chain`], or gives [every problem](Problems) found in it.
//! - [`Selector`] and [`Range`] are what people type to name revisions; [`Chain::resolve`] finds what is meant.
//! - [`planning`] turns a wish ([`upgrade`](planning::upgrade), [`downgrade`](planning::downgrade),
//!   [`stamp`](planning::stamp)) into an ordered [`Plan`](planning::Plan).
//! - [`sql::split`] cuts a section into statements.
//!
//! Invariants: nothing here opens a connection, reads a clock or uses randomness; files are reached through one folder
//! handle and only inside of it; every algorithm takes time linear in the chain (times a logarithm for the order) and none
//! recurses, so a chain may be as long as memory allows.

mod chain_file;
mod checksum;
mod conflict;
mod diagnostic;
mod dialect;
mod direction;
pub mod directory;
mod environment;
mod fault;
mod file;
mod graph;
mod header;
mod header_edit;
mod header_key;
mod identifier;
mod index_set;
mod marker;
pub mod planning;
mod position;
mod remembered;
mod resolution;
mod revision;
mod selection_error;
mod selector;
pub mod sql;
pub mod stub;
mod transaction_line;
mod version;

pub use chain_file::{CHAIN_FILE, ChainFile, ChainFileProblem};
pub use checksum::{Checksum, InvalidChecksum, normalise};
pub use conflict::{Conflict, ConflictKind, conflicts};
pub use diagnostic::{Problem, Problems};
pub use dialect::{Dialect, UnknownDialect};
pub use direction::Direction;
pub use environment::{EnvironmentTag, InvalidEnvironment};
pub use fault::Fault;
pub use file::parse as parse_revision;
pub use file::parse;
pub use graph::{Applied, Chain, UnknownRevisions};
pub use header_edit::with_parents;
pub use identifier::{InvalidIdentifier, Label, RevisionId};
pub use index_set::IndexSet;
pub use revision::{Revision, Section};
pub use selection_error::{Candidate, SelectError};
pub use selector::{Range, Selector, SelectorParseError, Symbol};
pub use transaction_line::TransactionLine;
pub use version::Versions;
