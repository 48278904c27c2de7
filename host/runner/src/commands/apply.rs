//! `runner apply`

use std::path::PathBuf;
use std::time::Duration;

use super::change;
use crate::args::Global;
use crate::config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Keeping;
use crate::pipeline::Operation;
use crate::pipeline::Order;
use crate::pipeline::PlanFile;

/// Run exactly the plan that was reviewed
///
/// Refuses if chain, database or policies have changed since `runner preview` wrote the file, and says what has. A backup is made
/// first where the plugin set wants one, or with `--backup`; a rollback makes one in any case.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner apply plan.json         the plan that `runner preview --out plan.json` has written
  runner apply plan.json --backup")]
pub(crate) struct Args {
    /// The plan file
    #[arg(value_name = "PLANFILE")]
    file: PathBuf,
    /// Save what the plan destroys before anything runs
    #[arg(long)]
    backup: bool,
    /// How long to wait for another runner, as in `60s` [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = config::duration)]
    lock_wait: Option<Duration>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let shown = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Error::new(ErrorKind::Usage, format!("the plan file `{shown}` can't be read: {error}")))?;
        let plan = PlanFile::parse(&text, &shown.to_string())?;
        let operation = plan.operation()?;
        let keeping = match self.backup || operation == Operation::Rollback {
            true => Keeping::Always(None),
            false => Keeping::AsTheSetSays,
        };
        let order = Order {
            keeping,
            expects: Some(Box::new(plan.clone())),
            validates: operation == Operation::Rollback,
            ..Order::new(operation, plan.targets, false)
        };
        change::carry_out(global, printer, &order, self.lock_wait).await
    }
}
