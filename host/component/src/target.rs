//! The target of Rust that policies are compiled for.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A component made of this target's modules imports nothing but what the policy asks for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The toolchain can't compile for [`TARGET`], and it could not be added.
#[derive(Debug, thiserror::Error)]
#[error("the Rust target `{TARGET}` is missing {why}")]
pub struct MissingTarget {
    why: String,
    no_rust: bool,
}

impl MissingTarget {
    fn because(why: impl Into<String>) -> Self {
        MissingTarget { why: why.into(), no_rust: false }
    }

    /// Whether it is not the target alone that is missing, but Rust.
    pub fn lacks_rust(&self) -> bool {
        self.no_rust
    }

    /// The command that adds it.
    pub fn command(&self) -> String {
        format!("rustup target add {TARGET}")
    }
}

/// Makes sure that the toolchain of a folder can compile for WebAssembly; adds the target with rustup if it is missing.
///
/// # Errors
/// [`MissingTarget`] if there is no rustup, no network, or no Rust at all.
pub fn ensure_target(rustc: &OsStr, folder: &Path) -> Result<(), MissingTarget> {
    if has_target(rustc, folder)? {
        return Ok(());
    }
    if env::var("CARGO_NET_OFFLINE").is_ok_and(|value| value == "true") {
        return Err(MissingTarget::because("and cargo is offline"));
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).current_dir(folder).output();
    match added {
        Ok(output) if output.status.success() && has_target(rustc, folder)? => Ok(()),
        Ok(output) => {
            let reason = String::from_utf8_lossy(&output.stderr);
            Err(MissingTarget::because(format!("and could not be added: {}", reason.trim())))
        }
        Err(_) => Err(MissingTarget::because("and there is no rustup to add it")),
    }
}

fn has_target(rustc: &OsStr, folder: &Path) -> Result<bool, MissingTarget> {
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]).current_dir(folder);
    let output = command.output().map_err(|error| MissingTarget {
        why: format!("as `rustc` can't be run: {error}"),
        no_rust: error.kind() == std::io::ErrorKind::NotFound,
    })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(output.status.success() && folder.is_dir())
}
