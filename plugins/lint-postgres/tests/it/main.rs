//! The policy as the host asks it, natively.

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
