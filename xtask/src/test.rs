//! `cargo xtask test`

use anyhow::Result;

use crate::cargo;
use crate::run;
#[cfg(unix)]
use crate::servers::Servers;

/// Formatting, lints with warnings denied, and all tests: unit, property, component and end-to-end tests, and the examples
/// of the documentation. The database servers that they need are started for the run. They and the tools that policies in other languages are built
/// with are installed first where that can be done
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out formatting and lints
    #[arg(long)]
    only_tests: bool,
    /// Passed on to `cargo test`, for example the name of a test
    #[arg(trailing_var_arg = true)]
    filter: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        // Before all that takes long: it may be that nothing can be installed here.
        #[cfg(unix)]
        test_servers::install_missing()?;
        test_toolchains::install_missing()?;
        if !self.only_tests && self.filter.is_empty() {
            run(cargo()?.args(["fmt", "--all", "--check"]))?;
            run(cargo()?.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))?;
        }
        let mut command = cargo()?;
        command.args(["test", "--workspace", "--locked"]).args(&self.filter);
        #[cfg(unix)]
        let servers = Servers::start()?;
        #[cfg(unix)]
        servers.export(&mut command);
        run(&mut command)
    }
}
