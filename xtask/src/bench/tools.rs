//! The programs that are compared.

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
}

impl Tools {
    /// Finds them; `sqlx` is installed into the target folder if it is not there.
    pub(super) fn find() -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root()?.join("target"), PathBuf::from);
        let target = root()?.join(target);
        let tools = target.join("tools").join(format!("sqlx-{SQLX}"));
        let sqlx = tools.join("bin/sqlx");
        if !sqlx.exists() {
            run(cargo()?
                .args(["install", "sqlx-cli", "--locked", "--version", SQLX])
                .args(["--no-default-features", "--features", "sqlite,postgres,rustls", "--root"])
                .arg(&tools))?;
        }
        if Command::new("sqlite3").arg("--version").stdout(Stdio::null()).status().is_err() {
            bail!("`sqlite3` is missing: install the package `sqlite3` of your system");
        }
        Ok(Tools { runner: target.join("release/runner"), sqlx })
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
