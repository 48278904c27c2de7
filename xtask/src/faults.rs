//! `cargo xtask faults`

use anyhow::Result;

use crate::cargo;
use crate::run;

/// Break things for a long time: processes, servers and connections; prints what survived
///
/// The tests do the same for a few rounds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rounds of each fault
    #[arg(long, default_value_t = 50)]
    rounds: usize,
    /// One kind of database: `sqlite`, `postgres` or `mysql`
    #[arg(long, value_name = "KIND")]
    database: Option<String>,
    /// Only faults whose names hold this, as in `backup`
    #[arg(long, value_name = "TEXT")]
    fault: Option<String>,
    /// The seed of the random moments; a failure names its own
    #[arg(long)]
    seed: Option<u64>,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let mut test = cargo()?;
        #[cfg(unix)]
        test_servers::install_missing()?;
        test.args(["test", "--locked", "--package", "runner", "--test", "faults"]);
        test.env("RUNNER_FAULT_ROUNDS", self.rounds.to_string());
        if let Some(database) = &self.database {
            test.env("RUNNER_FAULT_DATABASE", database);
        }
        if let Some(fault) = &self.fault {
            test.env("RUNNER_FAULT", fault);
        }
        if let Some(seed) = self.seed {
            test.env("RUNNER_FAULT_SEED", seed.to_string());
        }
        run(&mut test)
    }
}
