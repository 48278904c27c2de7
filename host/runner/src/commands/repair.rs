//! `runner repair`

use super::change;
use super::change::Change;
use crate::args::Global;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Operation;
use crate::pipeline::Order;
use crate::pipeline::Repair;

/// Say what is true of a revision, where the runner can't know
///
/// Runs no SQL. For a revision that stopped half-way outside of a transaction, and for applied revisions whose file was edited
/// or is gone. The policies are asked as for `stamp`; the ledger keeps who said it and why.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
#[command(after_help = "\
Examples:
  runner repair a1b2c3d4 --resume-at 3 --reason \"the index exists, checked with \\d\"
                                 statements 1 and 2 are done; the next upgrade goes on with the third
  runner repair a1b2c3d4 --done --reason \"finished by hand\"
                                 it counts as applied
  runner repair a1b2c3d4 --undone --reason \"dropped what it had made\"
                                 it counts as not applied, and will run from its beginning
  runner repair a1b2c3d4 --accept-edit --reason \"reformatted\"
                                 its file may stay as it is now
  runner repair a1b2c3d4 --forget --reason \"squashed into 9f8e7d6c\"
                                 its file is gone for good")]
pub(crate) struct Args {
    /// The revision: an id or a label
    #[arg(value_name = "REVISION")]
    revision: String,
    /// It is applied
    #[arg(long, group = "what")]
    done: bool,
    /// It is not applied, and nothing of it is left
    #[arg(long, group = "what")]
    undone: bool,
    /// It is half-way, and statement N, counted from 1, is the next to run
    #[arg(long, group = "what", value_name = "N")]
    resume_at: Option<usize>,
    /// It is applied as its file stands now
    #[arg(long, group = "what")]
    accept_edit: bool,
    /// Its file is gone, and is no longer missed
    #[arg(long, group = "what")]
    forget: bool,
    /// Why, for the ledger
    #[arg(long, required = true, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    change: Change,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let reason = self.reason.trim();
        if reason.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "`--reason` says nothing")
                .help("write what you looked at, for whoever reads `runner log` later"));
        }
        let repair = match self.resume_at {
            Some(next) => Repair::ResumeAt(next),
            None if self.done => Repair::Done,
            None if self.undone => Repair::Undone,
            None if self.accept_edit => Repair::AcceptEdit,
            None => Repair::Forget,
        };
        let order = Order {
            reason: reason.to_owned(),
            ..Order::new(Operation::Repair(repair), vec![self.revision.clone()], self.change.dry_run)
        };
        change::carry_out(global, printer, &order, self.change.lock_wait).await
    }
}
