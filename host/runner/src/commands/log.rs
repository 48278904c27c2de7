//! `runner log`

use runner_database::Access;
use runner_database::LedgerRow;
use runner_database::Session;
use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Table;

/// Show what was done to the database, newest first
///
/// Reads the ledger: who ran which revision when, how long it took, and what came of it. Writes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner log
  runner log -n 100
  runner log --json              with checksums, verdicts and the hash chain")]
pub(crate) struct Args {
    /// How many entries; 0 for all
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    limit: usize,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
        let rows = session.ledger((self.limit > 0).then_some(self.limit)).await?;
        session.close().await?;
        let mut table = Table::new();
        for row in &rows {
            table.row(cells(row));
        }
        for line in table.lines() {
            printer.line(line);
        }
        if rows.is_empty() {
            printer.say("the ledger is empty");
        }
        printer.document(&json!({ "entries": rows.iter().map(entry).collect::<Vec<_>>() }));
        Ok(exit::DONE)
    }
}

fn cells(row: &LedgerRow) -> Vec<String> {
    let what = row.revision.clone().unwrap_or_else(|| format!("run {}", row.run_id));
    let took = row.duration_ms.map(|duration| format!("{duration} ms")).unwrap_or_default();
    let mut who = format!("{}@{}", row.actor, row.host);
    if let Some(error) = &row.error {
        who.push_str(&format!("  {}", error.lines().next().unwrap_or("")));
    }
    let when = row.started_at.clone();
    // How a repair is recorded is the ledger's affair: it may leave a step as a failure would.
    let is_repair = row.command == "repair" && row.revision.is_some();
    let status = if is_repair { "repaired".to_owned() } else { row.status.clone() };
    vec![when, row.command.clone(), row.environment.clone(), status, what, took, who]
}

fn entry(row: &LedgerRow) -> serde_json::Value {
    json!({
        "id": row.id, "run_id": row.run_id, "command": row.command, "revision": row.revision,
        "direction": row.direction, "status": row.status, "checksum": row.checksum, "sql_checksum": row.sql_checksum,
        "statements_done": row.statements_done, "statements_total": row.statements_total,
        "started_at": row.started_at, "finished_at": row.finished_at, "duration_ms": row.duration_ms,
        "environment": row.environment, "actor": row.actor, "host": row.host, "tool_version": row.tool_version,
        "plugins": parsed(row.plugins.as_deref()), "verdicts": parsed(row.verdicts.as_deref()), "error": row.error,
        "previous_hash": row.previous_hash, "hash": row.hash,
    })
}

/// Columns that hold JSON are shown as JSON.
fn parsed(text: Option<&str>) -> serde_json::Value {
    match text {
        None => serde_json::Value::Null,
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}
