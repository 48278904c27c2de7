//! `runner backup restore`

use std::time::Duration;

use crate::args::Global;
use crate::commands::change;
use crate::config;
use crate::config::Secret;
use crate::error::Result;
use crate::output::Printer;
use crate::pipeline::Keeping;
use crate::pipeline::Operation;
use crate::pipeline::Order;
use crate::pipeline::Restore;

/// Put a backup back
///
/// A database that was rolled back is first brought to the revision that the backup is of, because the tables and columns must
/// be there. A database without any revision gets the tables from the backup itself. Everything is put back in one transaction
/// where the database has such; the policies are asked as for every change, and the ledger tells of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup restore 20261122T061000123-a1b2c3d4e5f6
  runner backup restore before-import --replace
  runner backup restore before-import --to sqlite://copy.db")]
pub(crate) struct Args {
    /// The name of the backup
    name: String,
    /// Another database than the configured one
    #[arg(long, value_name = "URL")]
    to: Option<Secret>,
    /// Put it in the place of what is there, which is saved first
    #[arg(long)]
    replace: bool,
    /// Do not save what is replaced, unless the plugin set wants it
    #[arg(long, requires = "replace")]
    no_backup: bool,
    /// Leave out owners and privileges of a whole PostgreSQL database, as when its roles are not here
    #[arg(long)]
    no_owner: bool,
    /// Leave out values of columns whose rows are gone since
    #[arg(long)]
    partial: bool,
    /// Show the plan and the verdicts, change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for another runner, as in `60s` [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = config::duration)]
    lock_wait: Option<Duration>,
}

impl Args {
    pub(super) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = Order {
            restore: Some(Restore {
                backup: self.name.clone(),
                replace: self.replace,
                partial: self.partial,
                elsewhere: self.to.is_some(),
                without_owners: self.no_owner,
                whole: false,
                digest: String::new(),
            }),
            keeping: if self.no_backup { Keeping::Never } else { Keeping::default() },
            ..Order::new(Operation::Restore, Vec::new(), self.dry_run)
        };
        let global = match &self.to {
            Some(url) => &global.at(url.clone()),
            None => global,
        };
        change::carry_out(global, printer, &order, self.lock_wait).await
    }
}
