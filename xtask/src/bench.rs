//! `cargo xtask bench`: times the release build side by side with other tools, round by round in turn, because machines
//! are noisy. Prints medians and ratios; nothing is asserted.

mod backup;
mod chains;
mod graph;
mod lint;
mod policies;
#[cfg(unix)]
mod postgres;
mod timing;
mod tools;

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo;
use crate::root;
use crate::run;
use chains::Chain;
use timing::Contestant;
use timing::compare;
use tools::Tools;

/// Rounds of what takes milliseconds, for each round of what takes a second.
const SHORT: usize = 5;

/// Times an up-to-date `upgrade` against `sqlx migrate run`, applying a whole chain against `sqlite3`, what the policies
/// cost, linting against `squawk`, long branched chains against Alembic, saving and restoring a large table against `psql` and
/// `sqlite3`, and loading 10,000 revisions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Revisions of the generated chain
    #[arg(long, default_value_t = 1000)]
    revisions: usize,
    /// Rounds of each comparison, five times as many where nothing is to do; the first is not counted
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Time linting alone
    #[arg(long)]
    lint: bool,
    /// Time long, branched chains alone
    #[arg(long, conflicts_with = "lint")]
    graph: bool,
    /// Time saving and restoring a large table alone
    #[arg(long, conflicts_with_all = ["lint", "graph"])]
    backup: bool,
    /// Rows of the table that is saved
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        run(cargo()?.args(["build", "--release", "--locked", "--package", "runner"]))?;
        let tools = Tools::find()?;
        let folder = tempfile::tempdir()?;
        if self.lint {
            return lint::bench(&tools, &folder.path().join("lint"), self.rounds.min(7));
        }
        if self.graph {
            return graph::bench(&tools, &folder.path().join("graph"), self.rounds.min(7));
        }
        if self.backup {
            return backup::bench(&tools, &folder.path().join("backup"), self.rows, self.rounds.min(7));
        }
        tools.install_sqlx()?;
        let demo = Chain::demo(&root()?.join("migrations"), &folder.path().join("demo"))?;
        let generated = Chain::generated(self.revisions, &folder.path().join("generated"))?;
        for (name, chain) in [("the demo chain", &demo), ("the generated chain", &generated)] {
            println!("\nUp to date, {name} ({} revisions)", chain.revisions);
            self.up_to_date(&tools, chain)?;
        }
        println!("\nApplying {} revisions to a new file", generated.revisions);
        self.apply(&tools, &generated)?;
        #[cfg(unix)]
        postgres::bench(&tools, &generated, self.rounds.min(5))?;
        policies::bench(self.rounds.min(5))?;
        lint::bench(&tools, &folder.path().join("lint"), self.rounds.min(7))?;
        graph::bench(&tools, &folder.path().join("graph"), self.rounds.min(7))?;
        backup::bench(&tools, &folder.path().join("backup"), self.rows, self.rounds.min(5))?;
        println!("\nLoading, validating and planning");
        run(cargo()?.args(["run", "--quiet", "--release", "--package", "runner-chain", "--example", "large_chain"]))
    }

    fn up_to_date(&self, tools: &Tools, chain: &Chain) -> Result<()> {
        let upgrade = |set: &'static str| {
            move || {
                let mut command = tools.runner(chain, set);
                command.arg("upgrade");
                command
            }
        };
        timing::once(&mut upgrade("default")())?;
        let sqlx = || tools.sqlx(chain, "sqlite://sqlx.db?mode=rwc");
        timing::once(&mut sqlx())?;
        let (with, without) = (upgrade("default"), upgrade("none"));
        let times = compare(
            self.rounds * SHORT,
            &[
                Contestant { name: "runner upgrade, default set", before: &|| Ok(()), command: &with },
                Contestant { name: "runner upgrade, no policies", before: &|| Ok(()), command: &without },
                Contestant { name: "sqlx migrate run", before: &|| Ok(()), command: &sqlx },
            ],
        )?;
        println!("  runner / sqlx: {:.2}", times[0] / times[2]);
        println!("  policies: {:.2} ms a run", (times[0] - times[1]) * 1000.0);
        Ok(())
    }

    fn apply(&self, tools: &Tools, chain: &Chain) -> Result<()> {
        let upgrade = |set: &'static str| {
            move || {
                let mut command = tools.runner(chain, set);
                command.arg("upgrade");
                command
            }
        };
        let (with, without) = (upgrade("default"), upgrade("none"));
        let shell = || tools.sqlite3(chain);
        let fresh = || remove(&chain.database());
        let fresh_shell = || remove(&chain.shell_database());
        let times = compare(
            self.rounds,
            &[
                Contestant { name: "runner upgrade, default set", before: &fresh, command: &with },
                Contestant { name: "runner upgrade, no policies", before: &fresh, command: &without },
                Contestant { name: "sqlite3 < script", before: &fresh_shell, command: &shell },
            ],
        )?;
        println!("  runner / sqlite3: {:.2}", times[0] / times[2]);
        let microseconds = (times[0] - times[1]) * 1_000_000.0 / chain.revisions as f64;
        println!("  policies: {microseconds:.1} µs a revision, start included");
        Ok(())
    }
}

fn remove(database: &Path) -> Result<()> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut file = database.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Silences a command: what is timed is the work, not the terminal.
fn silent(command: &mut Command) -> &mut Command {
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null())
}
