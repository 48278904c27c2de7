//! The host with real components: well-behaved, odd and hostile ones. One test binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod answers;
mod audit;
mod builtins;
mod cache;
mod contract;
mod extent;
mod facts;
mod files;
mod grants;
mod hierarchy;
mod isolation;
mod limits;
mod loading;
mod log;
mod notify;
mod one_instance;
mod revision_lint;
mod support;
mod trial;
mod trust;
mod wasi;
mod wit_reference;
