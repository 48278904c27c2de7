//! `runner plugin`

mod bench;
mod list;
mod replay;
mod run;
mod subject;
mod test;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;

/// Work with policy plugins
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner plugin list
  runner plugin run policies/acme.wasm --plan plan.json
  runner plugin test policies/acme.wasm
  runner plugin bench policies/acme.wasm
  runner plugin replay --with policies/acme.wasm --since 2026-01-01")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Run(run::Args),
    Test(test::Args),
    Bench(bench::Args),
    Replay(replay::Args),
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        match &self.command {
            Command::List(args) => args.run(global, printer).await,
            Command::Run(args) => args.run(global, printer).await,
            Command::Test(args) => args.run(global, printer).await,
            Command::Bench(args) => args.run(global, printer).await,
            Command::Replay(args) => args.run(global, printer).await,
        }
    }
}
