//! `runner backup verify`

use std::path::Path;

use runner_database::DatabaseUrl;
use serde_json::json;

use crate::args::Global;
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

/// Prove that a backup can be restored
///
/// All of its files are compared with what was written. Then it is restored into a scratch database, which is read again and
/// compared by count and digest. For SQLite that is a temporary file, otherwise a database on the server of the target that
/// is removed afterwards. The target itself is not touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup verify 20261122T061000123-a1b2c3d4e5f6
  runner backup verify before-import --files
  runner backup verify before-import --server postgres://localhost/postgres")]
pub(crate) struct Args {
    /// The name of the backup
    name: String,
    /// Only compare the files, which needs neither keys nor a database
    #[arg(long, conflicts_with = "server")]
    files: bool,
    /// The server on which the scratch database is made [default: that of the target]
    #[arg(long, value_name = "URL")]
    server: Option<Secret>,
}

impl Args {
    pub(super) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let folder = making::folder(&config)?;
        verifying::check(&folder, &self.name)?;
        let backup = folder.open(&self.name)?;
        if self.files {
            printer.document(&json!({ "backup": backup.name(), "files": "intact" }));
            printer.line(format_args!(
                "all files of `{}` are as they were written; whether they can be restored was not tried",
                backup.name()
            ));
            return Ok(exit::DONE);
        }
        let server = self.server.as_ref().map(|url| DatabaseUrl::parse(url.reveal(), Path::new("."))).transpose()?;
        let keys = keys::keys(config.backup()?)?;
        let mut bar = TransferBar::new(printer, "verifying");
        let interrupt = Interrupt::on_signals(|_| {});
        verifying::verify(&config, &backup, &keys, server.as_ref(), &mut bar, &interrupt).await?;
        let tables = &backup.manifest().tables;
        let rows: u64 = tables.iter().map(|table| table.rows).sum();
        let unknown = verifying::unknown(&backup);
        printer.document(&json!({
            "backup": backup.name(),
            "files": "intact",
            "restored": true,
            "rows": rows,
            "not_compared": unknown,
        }));
        if unknown > 0 {
            printer.warn(format_args!(
                "{unknown} of {} tables were not compared, because others wrote to them while they were saved",
                tables.len()
            ));
            printer.line(format_args!(
                "`{}` was restored into a scratch database, and what could be compared is as it was saved",
                backup.name()
            ));
            return Ok(exit::DONE);
        }
        printer.line(format_args!(
            "`{}` was restored into a scratch database, and all {rows} rows of {} tables are as they were saved",
            backup.name(),
            tables.len()
        ));
        Ok(exit::DONE)
    }
}
