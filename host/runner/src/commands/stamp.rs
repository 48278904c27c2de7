//! `runner stamp`

use super::change;
use super::change::Steps;
use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Operation;
use crate::pipeline::Order;

/// Set the recorded version without running SQL
///
/// For databases whose schema was made by other means. The policies are asked as for an upgrade, and the ledger records
/// which revisions were stamped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner stamp heads             count everything as applied
  runner stamp a1b2c3d4          count this revision and what it builds on as applied, nothing else
  runner stamp base              count nothing as applied
  runner stamp --purge heads     the same for a database that is at revisions which no file has")]
pub(crate) struct Args {
    /// Revisions that the database is at: ids, labels, `heads`, `base`
    #[arg(required = true, allow_negative_numbers = true, value_name = "REVISION")]
    targets: Vec<String>,
    /// Forget everything that is recorded as applied, also what no file explains, and record the given revisions instead
    #[arg(long, conflicts_with = "sql")]
    purge: bool,
    #[command(flatten)]
    steps: Steps,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = Order { purge: self.purge, ..self.steps.order(Operation::Stamp, &self.targets)? };
        change::carry_out(global, printer, &order, self.steps.change.lock_wait).await
    }
}
