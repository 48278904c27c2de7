//! What can go wrong with tools.

/// A tool is missing or could not be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not there.
    #[error(
        "{0} is missing; `cargo xtask test` installs what the tests need, \
         or on Debian as root: `apt-get install clang lld wasi-libc libclang-rt-dev-wasm32 nodejs npm python3-venv`"
    )]
    Missing(&'static str),
    /// A package manager failed.
    #[error("`{command}` failed: {reason}")]
    Install {
        /// What was run.
        command: String,
        /// What it said.
        reason: String,
    },
    /// The folder for tools can't be used.
    #[error("the folder `target/toolchains` can't be created: {0}")]
    Folder(std::io::Error),
}
