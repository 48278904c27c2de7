//! A real PostgreSQL server, with a database for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test sets up must work")]
#![expect(clippy::print_stdout, reason = "a child process tells its parent on stdout that it is ready")]

mod connecting;
mod contents;
mod dependents;
mod facts;
mod ledger;
mod lock;
#[path = "../outbox/mod.rs"]
mod outbox;
mod outside;
mod preflight;
mod quoting;
mod reading;
mod sessions;
mod steps;
mod stopping;
mod support;
