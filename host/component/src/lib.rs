//! How a policy's source becomes a component. `runner plugin build` does it for the author of a policy, and the build script
//! of `runner-policy` for the built-in ones: both in the same way, and without any tool but cargo.
//!
//! - [`ensure_target`] makes sure that the toolchain can compile for WebAssembly.
//! - [`cargo`] is a cargo run that the environment of an outer one does not reach, with the same result on every machine.
//! - [`encode`] makes a component of a core module, and [`roles`] says what it can be asked.

mod compilation;
mod encoding;
mod target;

pub use compilation::cargo;
pub use encoding::NotEncoded;
pub use encoding::encode;
pub use encoding::roles;
pub use target::MissingTarget;
pub use target::TARGET;
pub use target::ensure_target;
