//! `runner backup`

mod create;
mod drill;
mod list;
mod prune;
mod restore;
mod show;
mod verify;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;

/// Make, look after and put back backups
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner backup create               save the database
  runner backup list                 what is there, and what of it is proved
  runner backup verify NAME          restore it into a scratch database and compare
  runner backup restore NAME         put it back
  runner backup drill                show every night that it could be")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Args),
    List(list::Args),
    Show(show::Args),
    Verify(verify::Args),
    Restore(restore::Args),
    Prune(prune::Args),
    Drill(drill::Args),
}

impl Args {
    /// Whether the database is asked.
    pub(super) fn connects(&self) -> bool {
        matches!(self.command, Command::Create(_) | Command::Restore(_) | Command::Verify(_) | Command::Drill(_))
    }

    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        match &self.command {
            Command::Create(args) => args.run(global, printer).await,
            Command::List(args) => args.run(global, printer),
            Command::Show(args) => args.run(global, printer),
            Command::Verify(args) => args.run(global, printer).await,
            Command::Restore(args) => args.run(global, printer).await,
            Command::Prune(args) => args.run(global, printer),
            Command::Drill(args) => args.run(global, printer).await,
        }
    }
}
