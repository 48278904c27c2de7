//! Components made of source by `runner plugin build`, kept for as long as nothing that they are made of has changed: a
//! JavaScript or Python component takes half a minute to make, and another to compile.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use sha2::Digest as _;
use sha2::Sha256;

use crate::harness::Project;
use crate::harness::Run;

/// Something of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap()
}

/// The component of a project. Folders of JavaScript must be below that of their tools.
pub(crate) fn component(folder: &Path) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components").join(format!("{}.wasm", key(folder)));
    if !made.is_file() {
        build(&Project::empty(), folder, &["--out", made.to_str().unwrap()]).exits(0);
    }
    made
}

/// Runs `runner plugin build` with the tools of the tests.
pub(crate) fn build(project: &Project, folder: &Path, more: &[&str]) -> Run {
    let mut command = project.command(&["plugin", "build"]);
    command.arg(folder).args(more);
    project.ended(
        with_tools(&mut command)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap(),
    )
}

/// Tells a command, which knows no home, where Rust and the tools of other languages are.
pub(crate) fn with_tools(command: &mut std::process::Command) -> &mut std::process::Command {
    let home = std::env::home_dir().unwrap();
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(variable, std::env::var_os(variable).unwrap_or_else(|| home.join(folder).into()));
    }
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies"));
    if let Ok(python) = test_toolchains::python() {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(python).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
    }
    command
}

/// A name for what a project is made of and made with.
fn key(folder: &Path) -> String {
    let mut files = Vec::new();
    let made_with =
        ["host/runner/src/authoring", "host/runner/templates", "host/component/src", "plugins/sdk/src", "wit/0.1.2"];
    for folder in made_with.map(repository).iter().map(PathBuf::as_path).chain([folder]) {
        collect(folder, folder, &mut files);
    }
    let mut hasher = Sha256::new();
    for (name, content) in files {
        hasher.update(name);
        hasher.update([0]);
        hasher.update(Sha256::digest(content));
    }
    let digest = hasher.finalize();
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !matches!(name, "target" | "node_modules" | "__pycache__" | ".venv") {
            collect(root, &path, files);
        } else if path.is_file() && !name.ends_with(".wasm") {
            files.push((path.strip_prefix(root).unwrap().display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}
