//! Projects in Rust: cargo compiles a core module, which is encoded here.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;

use runner_component::TARGET;
use serde::Deserialize;

use super::Built;
use super::tool::Tool;
use super::tool::failed;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

const CARGO: Tool = Tool { name: "cargo", install: "https://rustup.rs installs Rust" };

/// How a policy is compiled unless a profile is named: small, without debug information, and the same bytes everywhere.
const RELEASE: [&str; 5] = ["opt-level=\"s\"", "lto=true", "codegen-units=1", "panic=\"abort\"", "strip=true"];

#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

/// What cargo says of something that it has made.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

pub(super) fn build(folder: &Path, profile: Option<&str>) -> Result<Built> {
    let folder = folder.canonicalize().map_err(|error| failed("open", folder, &error))?;
    let name = package(&folder.join("Cargo.toml"))?;
    runner_component::ensure_target(OsStr::new("rustc"), &folder).map_err(|missing| {
        if missing.lacks_rust() {
            return CARGO.missing();
        }
        Error::new(ErrorKind::Build, missing.to_string()).help(format!("add it: {}", missing.command()))
    })?;
    let module = compile(&folder, profile)?;
    let bytes = fs::read(&module).map_err(|error| failed("read", &module, &error))?;
    let component = runner_component::encode(&bytes).map_err(|error| {
        Error::new(ErrorKind::Build, format!("`{name}` can't be encoded as a component: {error}"))
            .help("`runner_policy_sdk::export_policy!` exports the roles of a policy")
    })?;
    Ok(Built { name, component })
}

fn package(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).map_err(|error| failed("read", path, &error))?;
    let wrong = |why: String| Error::new(ErrorKind::Build, format!("`{}` {why}", path.display()));
    let manifest: Manifest =
        toml::from_str(&text).map_err(|error| wrong(format!("is not a manifest: {}", error.message())))?;
    match manifest.package {
        Some(package) => Ok(package.name),
        None => {
            Err(wrong("is a workspace without a package of its own".to_owned()).help("name the folder of the policy"))
        }
    }
}

/// Compiles, and gives the path of the module.
fn compile(folder: &Path, profile: Option<&str>) -> Result<PathBuf> {
    let mut cargo = runner_component::cargo(OsStr::new("cargo"), folder);
    cargo.args(["build", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    match profile {
        Some(profile) => cargo.args(["--profile", profile]),
        None => {
            cargo.arg("--release");
            cargo.args(RELEASE.iter().flat_map(|setting| ["--config".to_owned(), format!("profile.release.{setting}")]))
        }
    };
    // Where the author wants it.
    if let Some(target) = env::var_os("CARGO_TARGET_DIR") {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    let started = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(io::stderr()).spawn();
    let output = started.and_then(std::process::Child::wait_with_output).map_err(|error| CARGO.unusable(&error))?;
    if !output.status.success() {
        return Err(CARGO.failed(output.status));
    }
    let manifest = folder.join("Cargo.toml");
    let artifacts =
        output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Artifact>(line).ok());
    artifacts
        .filter(|artifact| artifact.reason == "compiler-artifact" && artifact.manifest_path == manifest)
        .flat_map(|artifact| artifact.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .ok_or_else(|| {
            Error::new(ErrorKind::Build, format!("`{}` makes no WebAssembly module", manifest.display()))
                .help("add `crate-type = [\"cdylib\"]` to its `[lib]`")
        })
}
