//! One command, one file.

mod apply;
mod backup;
mod branches;
mod check;
mod completions;
mod current;
mod downgrade;
mod edit;
mod environments;
mod heads;
mod history;
mod hook;
mod init;
mod lint;
mod lock;
mod log;
mod merge;
mod notify;
mod plan;
mod plugin;
mod preview;
mod rebase;
mod repair;
mod revision;
mod rollback;
mod show;
mod stamp;
mod status;
mod test;
mod upgrade;
mod wait;

mod change;
mod new_file;
mod revision_json;

use clap::Subcommand;

use crate::args::Global;
use crate::config::Config;
use crate::error::Result;
use crate::output::Printer;

/// What the tool can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Revision(revision::Args),
    Merge(merge::Args),
    Rebase(rebase::Args),
    Lock(lock::Args),
    Upgrade(upgrade::Args),
    Downgrade(downgrade::Args),
    Rollback(rollback::Args),
    Backup(backup::Args),
    Plan(plan::Args),
    Preview(preview::Args),
    Apply(apply::Args),
    Current(current::Args),
    History(history::Args),
    Heads(heads::Args),
    Branches(branches::Args),
    Show(show::Args),
    Edit(edit::Args),
    Stamp(stamp::Args),
    Repair(repair::Args),
    Check(check::Args),
    Lint(lint::Args),
    Test(test::Args),
    Hook(hook::Args),
    Status(status::Args),
    Environments(environments::Args),
    Plugin(plugin::Args),
    Notify(notify::Args),
    Log(log::Args),
    Wait(wait::Args),
    Completions(completions::Args),
}

impl Command {
    /// Whether the command may ask the database.
    fn connects(&self) -> bool {
        match self {
            Command::Upgrade(_)
            | Command::Downgrade(_)
            | Command::Rollback(_)
            | Command::Plan(_)
            | Command::Preview(_)
            | Command::Apply(_)
            | Command::Current(_)
            | Command::History(_)
            | Command::Rebase(_)
            | Command::Show(_)
            | Command::Edit(_)
            | Command::Stamp(_)
            | Command::Repair(_)
            | Command::Check(_)
            | Command::Test(_)
            | Command::Status(_)
            | Command::Log(_) => true,
            Command::Lint(args) => args.connects(),
            Command::Backup(args) => args.connects(),
            Command::Init(_)
            | Command::Revision(_)
            | Command::Merge(_)
            | Command::Heads(_)
            | Command::Lock(_)
            | Command::Branches(_)
            | Command::Environments(_)
            | Command::Hook(_)
            | Command::Plugin(_)
            | Command::Notify(_)
            | Command::Wait(_)
            | Command::Completions(_) => false,
        }
    }

    /// Runs the command and gives its exit code.
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        if let Some(limit) = global.wait.filter(|_| self.connects()) {
            wait::until_ready(&Config::load(&global.overrides())?, limit, printer).await?;
        }
        match self {
            Command::Init(args) => args.run(global, printer),
            Command::Revision(args) => args.run(global, printer).await,
            Command::Merge(args) => args.run(global, printer).await,
            Command::Rebase(args) => args.run(global, printer).await,
            Command::Lock(args) => args.run(global, printer),
            Command::Upgrade(args) => args.run(global, printer).await,
            Command::Downgrade(args) => args.run(global, printer).await,
            Command::Rollback(args) => args.run(global, printer).await,
            Command::Backup(args) => args.run(global, printer).await,
            Command::Plan(args) => args.run(global, printer).await,
            Command::Preview(args) => args.run(global, printer).await,
            Command::Apply(args) => args.run(global, printer).await,
            Command::Current(args) => args.run(global, printer).await,
            Command::History(args) => args.run(global, printer).await,
            Command::Heads(args) => args.run(global, printer),
            Command::Branches(args) => args.run(global, printer),
            Command::Show(args) => args.run(global, printer).await,
            Command::Edit(args) => args.run(global, printer).await,
            Command::Stamp(args) => args.run(global, printer).await,
            Command::Repair(args) => args.run(global, printer).await,
            Command::Check(args) => args.run(global, printer).await,
            Command::Lint(args) => args.run(global, printer).await,
            Command::Test(args) => args.run(global, printer).await,
            Command::Hook(args) => args.run(global, printer),
            Command::Status(args) => args.run(global, printer).await,
            Command::Environments(args) => args.run(global, printer).await,
            Command::Plugin(args) => args.run(global, printer).await,
            Command::Notify(args) => args.run(global, printer).await,
            Command::Log(args) => args.run(global, printer).await,
            Command::Wait(args) => args.run(global, printer).await,
            Command::Completions(args) => args.run(printer),
        }
    }
}
