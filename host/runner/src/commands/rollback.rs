//! `runner rollback`

use std::time::Duration;

use super::change;
use super::change::Change;
use crate::args::Global;
use crate::config;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Keeping;
use crate::pipeline::Operation;
use crate::pipeline::Order;

/// Undo revisions with a seat belt
///
/// Like `downgrade`, and: it counts what would be destroyed, finds out what depends on it and whether the ways down were ever
/// rehearsed, asks, and saves exactly what goes before the first statement runs. If the backup can't be made, or the database
/// would refuse a statement, nothing runs. `runner backup restore` puts it back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner rollback -1
  runner rollback a1b2c3d4 --validate-only
  runner rollback a1b2c3d4 --force       no question, no validation; policies are asked all the same")]
pub(crate) struct Args {
    /// The revision to go back to, which stays applied, or a number of revisions to undo, as in `-1`
    #[arg(allow_hyphen_values = true)]
    target: String,
    /// Only say what would be destroyed and what stands in the way, change nothing; exit code 3 if something does
    #[arg(long, conflicts_with = "dry_run")]
    validate_only: bool,
    /// Leave out the question and the validation
    #[arg(long)]
    force: bool,
    /// Make no backup, which the plugin set may refuse
    #[arg(long, conflicts_with = "backup_name")]
    no_backup: bool,
    /// The name of the backup [default: made of the time and the revision]
    #[arg(long, value_name = "NAME")]
    backup_name: Option<String>,
    /// How long one query of the forecast or of the validation may take
    #[arg(long, value_name = "DURATION", value_parser = config::duration, default_value = "5s")]
    count_limit: Duration,
    #[command(flatten)]
    change: Change,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let keeping = if self.no_backup { Keeping::Never } else { Keeping::Always(self.backup_name.clone()) };
        let order = Order {
            keeping,
            forecast: true,
            validates: !self.force || self.validate_only,
            limit: self.count_limit,
            asks: !self.force && !global.yes,
            ..Order::new(Operation::Rollback, vec![self.target.clone()], self.change.dry_run || self.validate_only)
        };
        change::carry_out(global, printer, &order, self.change.lock_wait).await
    }
}
