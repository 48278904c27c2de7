//! Compiles the built-in policies from source and encodes them as components, so that no compiled component is kept in the
//! repository.
//!
//! The compilation is a cargo run of its own: locked, and offline if everything it needs was fetched before (what the SDK
//! needs was, because it is a build dependency; the parsers of the lint policies are fetched here the first time), in a
//! target folder of its own (so that it never waits for a lock that the outer run holds), and without the outer run's flags,
//! profiles and wrappers.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use runner_component::TARGET;
use sha2::Digest;
use sha2::Sha256;

const POLICIES: [&str; 6] =
    ["change-window", "environment-hierarchy", "lint", "lint-postgres", "notify", "production-override"];

fn main() {
    if let Err(error) = build() {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = manifest.parent().and_then(Path::parent).ok_or("the workspace is two folders up")?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    for watched in ["wit", "plugins/sdk", "Cargo.toml", "Cargo.lock"].into_iter().map(PathBuf::from) {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    for policy in POLICIES {
        println!("cargo::rerun-if-changed={}", root.join("plugins").join(policy).display());
    }

    runner_component::ensure_target(variable("RUSTC")?.as_ref(), root)
        .map_err(|missing| format!("{missing}\nadd it with: {}", missing.command()))?;
    let modules = compile(root, &target_folder(&out))?;
    let mut table = String::from("&[\n");
    for policy in POLICIES {
        let module = fs::read(modules.join(policy.replace('-', "_")).with_extension("wasm"))?;
        let component = runner_component::encode(&module)
            .map_err(|error| format!("`{policy}` can't be encoded as a component: {error}"))?;
        let file = out.join(policy).with_extension("wasm");
        fs::write(&file, &component)?;
        let digest: [u8; 32] = Sha256::digest(&component).into();
        let roles =
            runner_component::roles(&component).map_err(|error| format!("`{policy}` is not a policy: {error}"))?;
        writeln!(
            table,
            "Embedded {{ name: {policy:?}, digest: {digest:?}, roles: &{roles:?}, bytes: include_bytes!({file:?}) }},"
        )?;
    }
    table.push(']');
    fs::write(out.join("builtin.rs"), table)?;
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo has not set `{name}`"))
}

/// The components are the same for every profile of the host, so they are built once, beside the profiles' folders.
fn target_folder(out: &Path) -> PathBuf {
    let target = out.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map_or_else(|| out.join("policies"), |target| target.join("policies"))
}

/// Compiles the core modules and gives the folder that holds them.
fn compile(root: &Path, target_folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let run = |network: &[&str]| -> Result<std::process::Output, Box<dyn Error>> {
        let mut cargo = runner_component::cargo(variable("CARGO")?.as_ref(), root);
        cargo.args(["build", "--profile", "policy", "--locked", "--target", TARGET]).args(network);
        cargo.arg("--target-dir").arg(target_folder);
        for policy in POLICIES {
            cargo.args(["--package", policy]);
        }
        Ok(cargo.output()?)
    };
    let mut output = run(&["--offline"])?;
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--offline") {
        output = run(&[])?;
    }
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the built-in policies do not compile\n{}", reason.trim()).into());
    }
    Ok(target_folder.join(TARGET).join("policy"))
}
