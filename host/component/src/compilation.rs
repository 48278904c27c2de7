//! A cargo run of its own.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// A cargo run in a folder that an outer cargo, rustc, clippy or coverage tool does not reach. Paths of this machine stay out
/// of what it makes, so that the digest is the same everywhere. Flags of configuration files and `RUSTFLAGS` are not used.
pub fn cargo(program: &OsStr, folder: &Path) -> Command {
    let mut cargo = Command::new(program);
    forget_outer_build(&mut cargo);
    cargo.current_dir(folder).env("CARGO_ENCODED_RUSTFLAGS", remapped(folder).join("\u{1f}"));
    cargo
}

fn remapped(folder: &Path) -> Vec<String> {
    let mut flags = vec![format!("--remap-path-prefix={}=.", folder.display())];
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))) {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    flags
}

/// Takes away what the outer build has put into the environment. What says where packages come from and how many jobs may
/// run stays.
fn forget_outer_build(cargo: &mut Command) {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRIES_", "CARGO_SOURCE_"];
    const TAKEN: [&str; 18] = [
        "CLIPPY_ARGS",
        "DEBUG",
        "HOST",
        "LLVM_PROFILE_FILE",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "TARGET",
        "__CARGO_DEFAULT_LIB_METADATA",
    ];
    for (name, _) in env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let of_cargo = name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept));
        if of_cargo || TAKEN.contains(&name) || name.starts_with("DEP_") {
            cargo.env_remove(name);
        }
    }
}
