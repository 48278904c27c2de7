//! The policy as the host asks it, natively.

mod engine;
#[cfg(unix)]
mod locks;
mod rules;
mod support;
