//! Policies in Rust, compiled from their source in `tests/guests` as an author would.

use std::env;
use std::path::Path;

use runner_component::TARGET;

/// The component of a package in `tests/guests`. Cargo sees to it that it is compiled once.
///
/// # Panics
/// When it does not compile, or the Rust target is missing; then with the command that adds it.
pub fn guest(package: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace is two folders up");
    // Where `host/policy/build.rs` compiles the built-in policies: what they have in common is there.
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into).join("policies");
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = runner_component::cargo(&program, root)
        .args(["build", "--profile", "policy", "--offline", "--locked", "--target", TARGET, "--package", package])
        .arg("--target-dir")
        .arg(&folder)
        .output()
        .expect("cargo can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`{package}` does not compile; is the target there? rustup target add {TARGET}\n{said}"
    );
    let file = folder.join(TARGET).join("policy").join(package.replace('-', "_")).with_extension("wasm");
    let module = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    runner_component::encode(&module).unwrap_or_else(|error| panic!("{error}"))
}
