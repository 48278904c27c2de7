//! The policy as the host asks it, natively.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing there has failed")]

mod context;
mod engine;
mod exceptions;
mod facts;
mod fixes;
mod hostile;
#[cfg(unix)]
mod locks;
mod oracle;
mod rules;
mod support;
