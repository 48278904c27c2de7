//! `runner plugin`

mod bench;
mod build;
mod component;
mod inspect;
mod keygen;
mod list;
mod lock;
mod new;
mod pull;
mod push;
mod replay;
mod run;
mod sign;
mod subject;
mod test;
mod verify;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;

/// Work with policy plugins
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner plugin new acme-lint --role lint --lang rust
                                      start a policy of your own
  runner plugin build acme-lint       make a component of it
  runner plugin inspect acme-lint/acme-lint.wasm
                                      what a component is, and what it needs
  runner plugin list                  what is in force, and why
  runner plugin test policies/acme.wasm
                                      whether a plugin says what its cases expect
  runner plugin replay --with policies/acme.wasm --since 2026-01-01
                                      what it would have refused since then
  runner plugin lock                  pin every plugin in runner.lock
  runner plugin pull                  fetch what comes from registries")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Build(build::Args),
    Inspect(inspect::Args),
    List(list::Args),
    Run(run::Args),
    Test(test::Args),
    Bench(bench::Args),
    Replay(replay::Args),
    Lock(lock::Args),
    Pull(pull::Args),
    Push(push::Args),
    Keygen(keygen::Args),
    Sign(sign::Args),
    Verify(verify::Args),
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        match &self.command {
            Command::New(args) => args.run(global, printer),
            Command::Build(args) => args.run(global, printer).await,
            Command::Inspect(args) => args.run(global, printer).await,
            Command::List(args) => args.run(global, printer).await,
            Command::Run(args) => args.run(global, printer).await,
            Command::Test(args) => args.run(global, printer).await,
            Command::Bench(args) => args.run(global, printer).await,
            Command::Replay(args) => args.run(global, printer).await,
            Command::Lock(args) => args.run(global, printer).await,
            Command::Pull(args) => args.run(global, printer).await,
            Command::Push(args) => args.run(printer).await,
            Command::Keygen(args) => args.run(printer),
            Command::Sign(args) => args.run(printer),
            Command::Verify(args) => args.run(global, printer),
        }
    }
}
