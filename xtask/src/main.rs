//! Developer chores, so that no shell script is needed: `cargo xtask test`, `cargo xtask bench`, `cargo xtask faults`, `cargo xtask fuzz`,
//! `cargo xtask squawk`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's tool talks to the terminal")]

mod bench;
mod faults;
mod fuzz;
#[cfg(unix)]
mod servers;
mod squawk;
mod test;

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use clap::Parser;

/// Developer chores
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    /// Everything that must hold before a change lands: formatting, lints, all tests
    Test(test::Args),
    /// Time the tool side by side with `sqlx` and `sqlite3`
    Bench(bench::Args),
    Faults(faults::Args),
    Fuzz(fuzz::Args),
    Squawk(squawk::Args),
}

fn main() -> Result<ExitCode> {
    match Chore::parse() {
        Chore::Test(args) => args.run()?,
        Chore::Bench(args) => args.run()?,
        Chore::Faults(args) => args.run()?,
        Chore::Fuzz(args) => args.run()?,
        Chore::Squawk(args) => return args.run(),
    }
    Ok(ExitCode::SUCCESS)
}

/// The root of the workspace.
fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is inside the workspace")?;
    Ok(root.to_path_buf())
}

/// The cargo that runs this.
fn cargo() -> Result<Command> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()?);
    Ok(cargo)
}

/// Runs a command and fails if it does.
fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("`{}` can't be started", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}
