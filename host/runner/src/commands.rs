//! One command, one file.

mod check;
mod completions;
mod current;
mod downgrade;
mod environments;
mod heads;
mod history;
mod init;
mod log;
mod plan;
mod plugin;
mod revision;
mod show;
mod stamp;
mod upgrade;

mod change;
mod revision_json;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;
use crate::output::Printer;

/// What the tool can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Revision(revision::Args),
    Upgrade(upgrade::Args),
    Downgrade(downgrade::Args),
    Plan(plan::Args),
    Current(current::Args),
    History(history::Args),
    Heads(heads::Args),
    Show(show::Args),
    Stamp(stamp::Args),
    Check(check::Args),
    Environments(environments::Args),
    Plugin(plugin::Args),
    Log(log::Args),
    Completions(completions::Args),
}

impl Command {
    /// Runs the command and gives its exit code.
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        match self {
            Command::Init(args) => args.run(global, printer),
            Command::Revision(args) => args.run(global, printer).await,
            Command::Upgrade(args) => args.run(global, printer).await,
            Command::Downgrade(args) => args.run(global, printer).await,
            Command::Plan(args) => args.run(global, printer).await,
            Command::Current(args) => args.run(global, printer).await,
            Command::History(args) => args.run(global, printer).await,
            Command::Heads(args) => args.run(global, printer),
            Command::Show(args) => args.run(global, printer).await,
            Command::Stamp(args) => args.run(global, printer).await,
            Command::Check(args) => args.run(global, printer).await,
            Command::Environments(args) => args.run(global, printer).await,
            Command::Plugin(args) => args.run(global, printer).await,
            Command::Log(args) => args.run(global, printer).await,
            Command::Completions(args) => args.run(printer),
        }
    }
}
