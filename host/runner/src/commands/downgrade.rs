//! `runner downgrade`

use super::change;
use super::change::Steps;
use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Operation;

/// Undo revisions
///
/// Undoes everything that builds on the given revision, which itself stays applied.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner downgrade -1            undo the last revision
  runner downgrade a1b2c3d4      undo everything after this revision
  runner downgrade base          undo everything
  runner downgrade -1 --dry-run  show what would be undone
  runner downgrade a1b2c3d4:base --sql
                                 write a script that undoes everything, for a database that is at `a1b2c3d4`")]
pub(crate) struct Args {
    /// Revision to go back to: an id, a label, `base`, `-1`; with `--sql` also a range, `start:end`
    #[arg(allow_negative_numbers = true, value_name = "REVISION")]
    target: String,
    #[command(flatten)]
    steps: Steps,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = self.steps.order(Operation::Downgrade, std::slice::from_ref(&self.target))?;
        change::carry_out(global, printer, &order, self.steps.change.lock_wait).await
    }
}
