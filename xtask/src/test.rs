//! `cargo xtask test`

use anyhow::Result;

use crate::cargo;
use crate::run;

/// Formatting, lints with warnings denied, and all tests: unit, property, component and end-to-end tests, and the examples
/// of the documentation
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
        if !self.only_tests && self.filter.is_empty() {
            run(cargo()?.args(["fmt", "--all", "--check"]))?;
            run(cargo()?.args(["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))?;
        }
        run(cargo()?.args(["test", "--workspace", "--locked"]).args(&self.filter))
    }
}
