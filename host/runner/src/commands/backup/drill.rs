//! `runner backup drill`

use std::path::Path;

use runner_database::DatabaseUrl;
use serde_json::json;

use crate::args::Global;
use crate::backup::drilling;
use crate::backup::keys;
use crate::backup::making;
use crate::backup::verifying;
use crate::config::Config;
use crate::config::Secret;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::TransferBar;
use crate::pipeline::Interrupt;

/// Restore the newest backup into a scratch database, and upgrade that to the heads
///
/// Made for a nightly job: it shows that the database could be brought back today, and that the revisions that wait would go
/// through on its data. The target itself is not touched, and the scratch database is removed whatever happens. A drill that went
/// well counts as a verification.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup drill
  runner backup drill --server postgres://drill.example/postgres
  runner backup drill --name before-import --json")]
pub(crate) struct Args {
    /// The backup [default: the newest one of the whole target]
    #[arg(long)]
    name: Option<String>,
    /// The server on which the scratch database is made [default: that of the target]
    #[arg(long, value_name = "URL")]
    server: Option<Secret>,
}

impl Args {
    pub(super) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let folder = making::folder(&config)?;
        let backup = drilling::choose(&config, &folder, self.name.as_deref()).await?;
        verifying::check(&folder, backup.name())?;
        let server = self.server.as_ref().map(|url| DatabaseUrl::parse(url.reveal(), Path::new("."))).transpose()?;
        let keys = keys::keys(config.backup()?)?;
        let interrupt = Interrupt::on_signals(|_| {});
        let mut bar = TransferBar::new(printer, "restoring");
        let done = drilling::drill(&config, &backup, &keys, server.as_ref(), &mut bar, &interrupt).await?;
        let manifest = backup.manifest();
        printer.document(&json!({
            "backup": backup.name(),
            "created": manifest.created,
            "revisions_before": manifest.revisions_before,
            "tables": done.tables,
            "rows": done.rows,
            "restore_ms": done.restore_ms,
            "applied": done.revisions,
            "upgrade_ms": done.upgrade_ms,
            "current": done.reached,
            "not_compared": verifying::unknown(&backup),
            "ok": true,
        }));
        printer.line(format_args!(
            "`{}` of {} was restored into a scratch database: {} tables with {} rows ({} ms)",
            backup.name(),
            manifest.created,
            done.tables,
            done.rows,
            done.restore_ms
        ));
        match done.revisions.as_slice() {
            [] => printer.line("it is at the heads of the chain"),
            revisions => printer.line(format_args!(
                "and upgraded to {}: {} revisions ({} ms)",
                done.reached.join(", "),
                revisions.len(),
                done.upgrade_ms
            )),
        }
        Ok(exit::DONE)
    }
}
