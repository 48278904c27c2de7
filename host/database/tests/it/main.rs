//! Real SQLite files in temporary folders.

#![expect(clippy::unwrap_used, reason = "what a test sets up must work")]
#![expect(clippy::print_stdout, reason = "a child process tells its parent on stdout that it is ready")]

mod atomicity;
mod contents;
mod dependents;
mod facts;
mod ledger;
mod lock;
#[path = "../outbox/mod.rs"]
mod outbox;
mod outside;
mod preflight;
mod reading;
mod support;
