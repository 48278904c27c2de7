//! A real MariaDB (or MySQL) server.

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
mod quoting;
mod steps;
mod stopping;
mod support;
mod traces;
