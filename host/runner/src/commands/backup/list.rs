//! `runner backup list`

use runner_backup::Backup;
use runner_backup::Entry;
use serde_json::json;

use crate::args::Global;
use crate::backup::making;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::output::Table;

/// List the backups, newest first
///
/// Damaged ones are named at the end. Nothing is written, and no database is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup list
  runner backup list --json")]
pub(crate) struct Args {}

impl Args {
    pub(super) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let folder = making::folder(&config)?;
        let entries = folder.list()?;
        let mut table = Table::new();
        let mut documents = Vec::new();
        for entry in &entries {
            match entry {
                Entry::Readable(backup) => {
                    table.row(row(backup));
                    documents.push(document(backup));
                }
                Entry::Damaged { name, why } => {
                    table.row([name.clone(), Style::Bad.paint("damaged"), why.to_string()]);
                    documents.push(json!({ "name": name, "damaged": why.to_string() }));
                }
            }
        }
        for line in table.lines() {
            printer.line(line);
        }
        if entries.is_empty() {
            printer.say(format_args!("there is no backup in `{}`", folder.path().display()));
        }
        printer.document(&json!({ "backups": documents }));
        Ok(exit::DONE)
    }
}

fn row(backup: &Backup) -> [String; 6] {
    let manifest = backup.manifest();
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let bytes: u64 = manifest.members.iter().map(|member| member.bytes).sum();
    let at =
        if manifest.revisions_before.is_empty() { "base".to_owned() } else { manifest.revisions_before.join(", ") };
    [
        backup.name().to_owned(),
        manifest.created.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        format!("at {at}"),
        format!("{rows} rows"),
        indicatif::HumanBytes(bytes).to_string(),
        proof(backup),
    ]
}

/// Whether it is proved that it can be restored.
pub(super) fn proof(backup: &Backup) -> String {
    match backup.verification() {
        Ok(Some(verification)) => format!("verified {}", verification.at.strftime("%Y-%m-%d")),
        Ok(None) => "not verified".to_owned(),
        Err(error) => format!("its verification is damaged: {error}"),
    }
}

/// A backup as JSON.
pub(super) fn document(backup: &Backup) -> serde_json::Value {
    let verification = backup.verification().ok().flatten();
    json!({
        "name": backup.name(),
        "path": backup.path().display().to_string(),
        "verified": verification.map(|verification| verification.at.to_string()),
        "manifest": backup.manifest(),
    })
}
