//! The tools that policies in JavaScript, Python and C are built with in tests: `componentize-js` from npm, `componentize-py`
//! from PyPI, clang and wasi-libc from Debian; and Alembic from PyPI, with which our chains are compared. What is not from
//! Debian is kept in `target/toolchains`.
//!
//! Tests fail where something is missing, and say how to get it; `cargo xtask test` gets it.

mod debian;
mod error;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

pub use error::Error;

/// The packages, at the versions that the tests were written with.
const COMPONENTIZE_JS: &str = "@bytecodealliance/componentize-js@0.23.0";
const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const ALEMBIC: &str = "alembic==1.20.1";

/// The folder that holds `node_modules` with `componentize-js`. A project below it finds them.
///
/// # Errors
/// It is not installed.
pub fn javascript() -> Result<PathBuf, Error> {
    let folder = folder("javascript");
    let installed = folder.join("node_modules/@bytecodealliance/componentize-js/package.json").is_file();
    if installed && is_new_enough_node() {
        Ok(folder)
    } else {
        Err(Error::Missing("componentize-js (npm) with Node 20 or newer"))
    }
}

fn is_new_enough_node() -> bool {
    let version = Command::new("node").arg("--version").output().ok();
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= 20)
}

/// The folder that holds the program `componentize-py`.
///
/// # Errors
/// It is not installed.
pub fn python() -> Result<PathBuf, Error> {
    let folder = folder("python").join("bin");
    if folder.join("componentize-py").is_file() { Ok(folder) } else { Err(Error::Missing("componentize-py (PyPI)")) }
}

/// The Python that has Alembic.
///
/// # Errors
/// It is not installed.
pub fn alembic() -> Result<PathBuf, Error> {
    let folder = folder("alembic").join("bin");
    if folder.join("alembic").is_file() { Ok(folder.join("python")) } else { Err(Error::Missing("alembic (PyPI)")) }
}

/// Makes sure that there is a clang that can compile and link for WebAssembly.
///
/// # Errors
/// Clang, its linker, wasi-libc or the builtins are missing.
pub fn c() -> Result<(), Error> {
    let object = folder("probe.wasm");
    std::fs::create_dir_all(folder("")).map_err(Error::Folder)?;
    let mut clang = Command::new("clang");
    clang.args(["--target=wasm32-wasi", "-mexec-model=reactor", "-x", "c", "-o"]).arg(&object).arg("-");
    match clang.stdin(std::process::Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(Error::Missing("clang with lld, wasi-libc and the builtins for wasm32 (Debian)")),
    }
}

/// Installs a package of PyPI in a virtual environment of its own.
fn install_python(name: &str, package: &str) -> Result<(), Error> {
    let venv = folder(name);
    if run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).is_err() {
        debian::install(&["python3-venv"])?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", package]))
}

/// Installs what is missing, and says so on stderr.
///
/// # Errors
/// Something is missing that can't be installed here without asking, or a package manager fails.
pub fn install_missing() -> Result<(), Error> {
    if c().is_err() {
        debian::install(&["clang", "lld", "wasi-libc", "libclang-rt-dev-wasm32"])?;
        c()?;
    }
    if javascript().is_err() {
        if !runs("npm", "--version") {
            debian::install(&["nodejs", "npm"])?;
        }
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(folder("javascript"))
            .arg(COMPONENTIZE_JS))?;
        javascript()?;
    }
    if python().is_err() {
        install_python("python", COMPONENTIZE_PY)?;
        python()?;
    }
    if alembic().is_err() {
        install_python("alembic", ALEMBIC)?;
        alembic()?;
    }
    Ok(())
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/toolchains").join(name)
}

fn runs(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must know that something is installed")]
fn run(command: &mut Command) -> Result<(), Error> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    eprintln!("$ {shown}    # needed by the tests and not installed");
    let failed = |reason| Error::Install { command: shown.clone(), reason };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("{}\n{}", output.status, said.trim_end())))
}
