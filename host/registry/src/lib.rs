//! How policy components travel: they are fetched from OCI registries into a store, and shipped to them.
//!
//! The crate knows nothing of what a component may do. What it fetches is checked against digests, first of the manifest,
//! then of the component, before anybody sees it. Nothing of it (TLS, certificates, credentials) is set up until the first
//! request.

mod client;
mod credentials;
mod error;
mod fetch;
mod push;
mod reference;

pub use client::Options;
pub use error::Error;
pub use fetch::Fetched;
pub use fetch::fetch;
pub use fetch::is_fetched;
pub use push::Shipment;
pub use push::push;
pub use reference::Reference;
pub use reference::ReferenceError;
