//! `runner plugin`

mod list;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;

/// Work with policy plugins
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner plugin list")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        match &self.command {
            Command::List(args) => args.run(global, printer).await,
        }
    }
}
