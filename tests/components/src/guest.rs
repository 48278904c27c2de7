//! Policies in Rust, compiled from their source in `tests/guests` as an author would.

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// The component of a package in `tests/guests`. Cargo sees to it that it is compiled once.
///
/// # Panics
/// When it does not compile, or the Rust target is missing; then with the command that adds it.
pub fn guest(package: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace is two folders up");
    // Where `host/policy/build.rs` compiles the built-in policies, and with its flags: what they have in common is there.
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into).join("policies");
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=.", root.display())];
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=cargo", home.display())));
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let name_is = |start: &str| name.to_str().is_some_and(|name| name.starts_with(start));
        let is_of_build =
            name_is("CARGO_") && !name_is("CARGO_HOME") && !name_is("CARGO_NET_") && !name_is("CARGO_HTTP_");
        if is_of_build || name_is("RUSTFLAGS") || name_is("RUSTC_") || name_is("LLVM_PROFILE_FILE") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo
        .current_dir(root)
        .args(["build", "--profile", "policy", "--offline", "--locked", "--target", TARGET, "--package", package])
        .arg("--target-dir")
        .arg(&folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .output()
        .expect("cargo can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`{package}` does not compile; is the target there? rustup target add {TARGET}\n{said}"
    );
    let file = folder.join(TARGET).join("policy").join(package.replace('-', "_")).with_extension("wasm");
    let module = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let encoded = ComponentEncoder::default().validate(true).module(&module).and_then(ComponentEncoder::encode);
    encoded.unwrap_or_else(|error| panic!("{error:#}"))
}
