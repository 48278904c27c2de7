//! The programs that are compared.

use std::fs;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;

use super::chains::Chain;
use crate::cargo;
use crate::root;
use crate::run;

/// The version of `sqlx-cli` that figures are given for.
const SQLX: &str = "0.9.0";

/// Where the programs are.
pub(super) struct Tools {
    runner: PathBuf,
    sqlx: PathBuf,
    /// Where `sqlx` is installed.
    folder: PathBuf,
}

impl Tools {
    /// Finds them, but for `sqlx`. The runner is copied, as an installation does; what a linker has just written lies scattered
    /// in memory and starts more slowly.
    pub(super) fn find() -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root()?.join("target"), PathBuf::from);
        let target = root()?.join(target);
        let tools = target.join("tools").join(format!("sqlx-cli-{SQLX}"));
        if Command::new("sqlite3").arg("--version").stdout(Stdio::null()).status().is_err() {
            bail!("`sqlite3` is missing: install the package `sqlite3` of your system");
        }
        fs::create_dir_all(tools.join("bin"))?;
        let runner = tools.join("bin/runner");
        // A file of its own: one that is overwritten keeps its place.
        if runner.exists() {
            fs::remove_file(&runner)?;
        }
        fs::copy(target.join("release/runner"), &runner).context("the runner was built")?;
        Ok(Tools { runner, sqlx: tools.join("bin/sqlx"), folder: tools })
    }

    /// Installs `sqlx` into the target folder if it is not there, as its users install it: with its default features.
    pub(super) fn install_sqlx(&self) -> Result<()> {
        if self.sqlx.exists() {
            return Ok(());
        }
        run(cargo()?.args(["install", "sqlx-cli", "--locked", "--version", SQLX, "--root"]).arg(&self.folder)).context(
            "sqlx-cli needs OpenSSL's headers: install `libssl-dev` and `pkg-config`, or what your system calls them",
        )
    }

    /// The runner's program.
    pub(super) fn runner_program(&self) -> &std::path::Path {
        &self.runner
    }

    pub(super) fn runner(&self, chain: &Chain, set: &str) -> Command {
        let mut command = Command::new(&self.runner);
        command
            .current_dir(&chain.folder)
            .args(["--plugins", set])
            .env_remove("DATABASE_URL")
            .env("ENVIRONMENT", "test");
        command
    }

    pub(super) fn sqlx(&self, chain: &Chain, url: &str) -> Command {
        let mut command = Command::new(&self.sqlx);
        command.current_dir(&chain.folder).args(["migrate", "run", "--source", "sqlx", "--database-url", url]);
        command
    }

    /// The shell reads the script from its standard input.
    pub(super) fn sqlite3(&self, chain: &Chain) -> Command {
        let mut command = Command::new("sqlite3");
        command.arg("-bail").arg(chain.shell_database());
        match File::open(chain.folder.join("script.sql")).context("the script was written") {
            Ok(script) => command.stdin(script),
            Err(_) => command.stdin(Stdio::null()),
        };
        command
    }
}
