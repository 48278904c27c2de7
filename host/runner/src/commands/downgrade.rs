//! `runner downgrade`

use super::change;
use super::change::Change;
use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Operation;
use crate::pipeline::Order;

/// Undo revisions
///
/// Undoes everything that builds on the given revision, which itself stays applied.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner downgrade -1            undo the last revision
  runner downgrade a1b2c3d4      undo everything after this revision
  runner downgrade base          undo everything
  runner downgrade -1 --dry-run  show what would be undone")]
pub(crate) struct Args {
    /// Revision to go back to: an id, a label, `base`, `-1`
    #[arg(allow_negative_numbers = true, value_name = "REVISION")]
    target: String,
    #[command(flatten)]
    change: Change,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = Order::new(Operation::Downgrade, vec![self.target.clone()], self.change.dry_run);
        change::carry_out(global, printer, &order, self.change.lock_wait).await
    }
}
