//! Lines in the host's log, under the policy's name. `runner -v` shows them; in native tests they go to stderr.

/// Shown with `-vv`.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// Shown with `-v`.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Always shown.
pub fn warning(message: impl AsRef<str>) {
    write(Level::Warning, message.as_ref());
}

use crate::bindings::data::runner::policy::log::Level;

#[cfg(target_family = "wasm")]
fn write(level: Level, message: &str) {
    crate::bindings::data::runner::policy::log::write(level, message);
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stderr, reason = "there is no host in a native test")]
fn write(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}
