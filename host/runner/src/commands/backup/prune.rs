//! `runner backup prune`

use jiff::Timestamp;
use runner_backup::Candidate;
use runner_backup::Entry;
use runner_backup::Keep;
use runner_backup::doomed;
use serde_json::json;

use crate::args::Global;
use crate::backup::making;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Remove backups that are not kept any longer
///
/// `keep-last` and `keep-days` in `[backup]` say which are kept, unless it is said here; a backup stays if either of them keeps
/// it. Each database has backups of its own. The newest verified one always stays, and damaged ones are left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup prune --dry-run
  runner backup prune --keep-last 10
  runner backup prune --keep-days 30")]
pub(crate) struct Args {
    /// Keep so many, the newest ones
    #[arg(long, value_name = "COUNT")]
    keep_last: Option<usize>,
    /// Keep those of so many days
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// Name them, remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(super) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let settings = config.backup()?;
        let is_said = self.keep_last.is_some() || self.keep_days.is_some();
        let keep = match is_said {
            true => Keep { last: self.keep_last, days: self.keep_days },
            false => Keep { last: settings.keep_last, days: settings.keep_days },
        };
        if keep == Keep::default() {
            return Err(Error::new(ErrorKind::Usage, "nothing says which backups are kept")
                .help("set `keep-last` or `keep-days` in `[backup]`, or give `--keep-last` or `--keep-days`"));
        }
        let folder = making::folder(&config)?;
        let mut candidates = Vec::new();
        for entry in folder.list()? {
            match entry {
                Entry::Readable(backup) => candidates.push(Candidate {
                    name: backup.name().to_owned(),
                    target: backup.manifest().target.name.clone(),
                    created: backup.manifest().created,
                    verified: backup.verification().is_ok_and(|verification| verification.is_some()),
                }),
                Entry::Damaged { name, why } => {
                    printer.warn(format_args!("`{name}` is damaged, and stays: {why}"));
                }
            }
        }
        let doomed = doomed(&candidates, keep, Timestamp::now());
        for name in &doomed {
            if !self.dry_run {
                folder.remove(name)?;
            }
            printer.line(format_args!("{} {name}", if self.dry_run { "would remove" } else { "removed" }));
        }
        if !self.dry_run {
            folder.sweep()?;
        }
        let kept = candidates.len() - doomed.len();
        printer.say(format_args!("{kept} kept"));
        printer.document(&json!({ "removed": doomed, "kept": kept, "dry_run": self.dry_run }));
        Ok(exit::DONE)
    }
}
