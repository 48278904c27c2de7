//! `runner backup show`

use runner_backup::Backup;
use runner_backup::EncryptionKind;
use runner_backup::Part;

use super::list;
use crate::args::Global;
use crate::backup::making;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Table;

/// Show what a backup holds, where it comes from, and how it was made
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup show 20261122T061000123-a1b2c3d4e5f6
  runner backup show before-import --json")]
pub(crate) struct Args {
    /// The name of the backup
    name: String,
}

impl Args {
    pub(super) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let backup = making::folder(&config)?.open(&self.name)?;
        for line in lines(&backup) {
            printer.line(line);
        }
        printer.document(&list::document(&backup));
        Ok(exit::DONE)
    }
}

fn lines(backup: &Backup) -> Vec<String> {
    let manifest = backup.manifest();
    let rows_of = |ids: &[String]| if ids.is_empty() { "base".to_owned() } else { ids.join(", ") };
    let mut about = Table::new();
    about.row(["name", backup.name()]);
    about.row(["folder", &backup.path().display().to_string()]);
    about.row(["made", &format!("{} by {} on {}", manifest.created, manifest.actor, manifest.host)]);
    about.row(["with", &manifest.tool]);
    about.row(["why", &manifest.reason]);
    about.row(["shows", &manifest.consistency]);
    let target = &manifest.target;
    about.row(["target", &format!("{} ({} {})", target.name, target.product, target.version)]);
    about.row(["environment", &manifest.environment]);
    about.row(["revision", &rows_of(&manifest.revisions_before)]);
    if let Some(after) = &manifest.revisions_after {
        about.row(["revision after", &rows_of(after)]);
    }
    if let Some(hash) = &manifest.plan_hash {
        about.row(["plan", hash]);
    }
    let encryption = match manifest.encryption.kind {
        EncryptionKind::None => "none".to_owned(),
        EncryptionKind::Passphrase => "with a passphrase".to_owned(),
        EncryptionKind::Recipients => format!("for {}", manifest.encryption.recipients.join(", ")),
    };
    about.row(["encryption", &encryption]);
    about.row(["proof", &list::proof(backup)]);
    let mut tables = Table::new();
    for table in &manifest.tables {
        let name = match &table.schema {
            Some(schema) => format!("{schema}.{}", table.name),
            None => table.name.clone(),
        };
        let columns: Vec<&str> = table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| table.part == Part::Rows || !table.key.iter().any(|key| key == name))
            .collect();
        let part = match table.part {
            Part::Rows => "all columns".to_owned(),
            Part::Columns => columns.join(", "),
        };
        tables.row([format!("  {name}"), format!("{} rows", table.rows), part, table.member.clone()]);
    }
    about.lines().into_iter().chain(tables.lines()).collect()
}
