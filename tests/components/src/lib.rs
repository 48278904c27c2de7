//! Policy components for tests, made at run time from WebAssembly text: no guest toolchain, no binary in the repository.
//!
//! A [`Component`] starts with bodies that do the right thing in every role (a gate that allows, an environment policy that
//! knows development and production, a lint without findings, a notifier without messages). A test replaces the one body
//! that it is about:
//!
//! ```
//! use policy_components::{Component, Function, bodies};
//!
//! let trap = Component::gate().body(Function::Review, "unreachable").bytes();
//! let deny = Component::gate().body(Function::Review, &bodies::deny("not on a Friday")).bytes();
//! # assert_eq!(&trap[..8], &deny[..8]);
//! ```
//!
//! What a body finds (see `module.rs`):
//!
//! - `$arguments`: the address of the arguments; every question takes more than 16 flattened values, so the canonical ABI
//!   passes them in memory. `check-settings` gets `$settings` and `$settings_length` instead, `describe` and `rules` nothing.
//! - `$answer`: the address of 256 zeroed bytes, which are returned when the body falls through. Zeroes are a well-formed
//!   answer of every function that gives a `result`: `ok` with empty lists (and `allow`, for a gate).
//! - locals `$at`, `$count`, `$from`, `$to`, the functions `$allocate`, `$put`, `$same`, `$hex` and `$log`.
//! - `(text "…")`: address and length of a text, as two constants. Escapes are those of WebAssembly text, so `\ff` makes a
//!   text that is not UTF-8.
//!
//! The offsets of the canonical ABI are in [`layout`], and a test checks them against the definition in `wit/`.

#![expect(clippy::unwrap_used, reason = "only tests use this crate, and what they write is meant to fail loudly")]

pub mod bodies;
mod component;
mod contract;
mod guest;
pub mod layout;
mod module;
mod text;

pub use component::Component;
pub use component::Function;
pub use component::Granted;
pub use component::Role;
pub use guest::guest;

/// Encodes WebAssembly text as it is, for tests of what no well-formed policy would hold.
///
/// # Panics
/// When it is not WebAssembly text.
pub fn encoded(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}
