//! `runner upgrade`

use super::change;
use super::change::Steps;
use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Operation;

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
  runner upgrade --dry-run       show the plan and the verdicts, change nothing
  runner upgrade --sql           write what would be run as a script for `sqlite3`, `psql` or `mariadb`
  runner upgrade a1b2c3d4:heads --sql
                                 the same without opening the database, for one that is at `a1b2c3d4`")]
pub(crate) struct Args {
    /// Revisions to upgrade to: ids, labels, `head`, `heads`, `+1`; with `--sql` also a range, `start:end`
    #[arg(default_value = "heads", allow_negative_numbers = true, value_name = "REVISION")]
    targets: Vec<String>,
    #[command(flatten)]
    steps: Steps,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = self.steps.order(Operation::Upgrade, &self.targets)?;
        change::carry_out(global, printer, &order, self.steps.change.lock_wait).await
    }
}
