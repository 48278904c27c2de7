//! The policy as the host asks it, natively.

mod engine;
mod support;
