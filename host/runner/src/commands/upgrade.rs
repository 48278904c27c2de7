//! `runner upgrade`

use super::change;
use super::change::Change;
use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Operation;
use crate::pipeline::Order;

/// Apply revisions
///
/// Applies everything between what is applied and the given revisions, after the policies have agreed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner upgrade                 apply everything that is pending
  runner upgrade +1              apply the next revision
  runner upgrade a1b2c3d4        apply everything up to this revision
  runner upgrade billing@head    apply one branch
  runner upgrade --dry-run       show the plan and the verdicts, change nothing")]
pub(crate) struct Args {
    /// Revisions to upgrade to: ids, labels, `head`, `heads`, `+1`
    #[arg(default_value = "heads", allow_negative_numbers = true, value_name = "REVISION")]
    targets: Vec<String>,
    #[command(flatten)]
    change: Change,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = Order::new(Operation::Upgrade, self.targets.clone(), self.change.dry_run);
        change::carry_out(global, printer, &order, self.change.lock_wait).await
    }
}
