//! `runner notify`

mod discard;
mod flush;
mod list;
mod test;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;

/// Look after the messages that policies want told
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner notify list             what waits to be delivered, since when and why
  runner notify flush            deliver it now
  runner notify test team        send a test message to the channel `team`")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Flush(flush::Args),
    List(list::Args),
    Test(test::Args),
    Discard(discard::Args),
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        match &self.command {
            Command::Flush(args) => args.run(global, printer).await,
            Command::List(args) => args.run(global, printer).await,
            Command::Test(args) => args.run(global, printer).await,
            Command::Discard(args) => args.run(global, printer).await,
        }
    }
}
