//! `runner backup create`

use std::collections::BTreeMap;

use runner_backup::Backup;
use runner_backup::Scope;
use runner_database::Access;
use runner_database::Session;
use runner_database::Table;
use serde_json::json;

use crate::args::Global;
use crate::backup::affected::Extent;
use crate::backup::making;
use crate::backup::making::About;
use crate::backup::whole;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::TransferBar;
use crate::pipeline;
use crate::pipeline::BackupReport;
use crate::pipeline::Interrupt;

/// Save the database
///
/// Everything is saved as it is at one moment, with what people who run such databases trust: `pg_dump`, `mariadb-dump` or
/// `mysqldump`, and for SQLite its own pages. Tables are saved as compressed text, a file each, which needs no other program.
/// Nothing is written to the database, and nobody is kept waiting.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner backup create
  runner backup create --name before-import
  runner backup create --scope affected --rollback -2   what `runner rollback -2` would destroy
  runner backup create --tables patient,visit")]
pub(crate) struct Args {
    /// The name of the backup [default: made of the time and the revision]
    #[arg(long)]
    name: Option<String>,
    /// Only these tables, as in `patient` or `clinic.visit`
    #[arg(long, value_name = "TABLE", value_delimiter = ',', conflicts_with = "scope")]
    tables: Vec<String>,
    /// Everything, or what a rollback would destroy
    #[arg(long, value_enum)]
    scope: Option<Extents>,
    /// The rollback, as in `-1` or the revision to go back to [default: -1]
    #[arg(long, value_name = "REV", allow_hyphen_values = true)]
    rollback: Option<String>,
    /// All tables as text, without other programs: no functions, views or privileges
    #[arg(long, conflicts_with = "scope")]
    as_rows: bool,
}

/// How much is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Extents {
    /// The tables and columns that a rollback would destroy
    Affected,
    /// The whole database
    Full,
}

impl Args {
    pub(super) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        if self.rollback.is_some() && self.scope != Some(Extents::Affected) {
            return Err(Error::new(
                ErrorKind::Usage,
                "`--rollback` says what `--scope affected` saves, and that was not given",
            ));
        }
        let config = Config::load(&global.overrides())?;
        let mut bar = TransferBar::new(printer, "saving");
        let backup = if self.scope == Some(Extents::Affected) {
            let target = self.rollback.as_deref().unwrap_or("-1");
            let about = |before: &[String], after: Vec<String>| self.about(&config, before, Some(after));
            let saved = pipeline::save_rolled_back(&config, target, about, &mut bar).await?;
            let Some(backup) = saved else {
                printer.document(&json!({ "backup": null }));
                printer.line(format_args!(
                    "`runner rollback {target}` would destroy nothing, so there is nothing to save"
                ));
                return Ok(exit::DONE);
            };
            backup
        } else {
            let interrupt = Interrupt::on_signals(|_| {});
            interrupt.listen();
            tokio::select! {
                saved = self.save(&config, printer, &mut bar) => saved?,
                () = interrupt.asked(1) => {
                    let message = "interrupted while the backup was made; nothing is left of it";
                    return Err(Error::new(ErrorKind::Interrupted, message));
                }
            }
        };
        let report = BackupReport::of(&backup);
        printer.document(&json!({ "backup": report }));
        printer.line(saved(&report));
        Ok(exit::DONE)
    }

    fn about(&self, config: &Config, before: &[String], after: Option<Vec<String>>) -> About {
        About {
            name: self.name.clone(),
            reason: "`runner backup create`".to_owned(),
            before: before.to_vec(),
            after,
            plan_hash: None,
            run: None,
            environment: config.environment.clone(),
        }
    }

    async fn save(&self, config: &Config, printer: &Printer, bar: &mut TransferBar) -> Result<Backup> {
        let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
        let state = session.state().await?;
        if let Some(dirty) = state.dirty.first() {
            printer.warn(format_args!(
                "revision `{}` is half-way {}; the backup will show the database as it is",
                dirty.revision, dirty.direction
            ));
        }
        let about = self.about(config, &state.versions, None);
        let backup = if self.tables.is_empty() && !self.as_rows {
            whole::save(config, &mut session, &about, bar).await?
        } else {
            let scope = if self.tables.is_empty() { Scope::Full } else { Scope::Affected };
            let made = making::save(config, &mut session, &about, scope, |tables| self.choose(tables), bar).await?;
            made.ok_or_else(|| Error::new(ErrorKind::Usage, "there is nothing to save"))?
        };
        // What is saved and the revision that it is said to be of must be of one moment.
        let now = session.state().await?;
        if now.versions != state.versions || now.dirty != state.dirty {
            making::folder(config)?.remove(backup.name())?;
            return Err(Error::new(
                ErrorKind::Backup,
                "the database was migrated while it was saved; the backup was removed",
            )
            .help("run the command again when the other runner has finished"));
        }
        session.close().await?;
        Ok(backup)
    }

    fn choose(&self, tables: &[Table]) -> Result<BTreeMap<usize, Extent>> {
        if self.tables.is_empty() {
            return Ok((0..tables.len()).map(|index| (index, Extent::Whole)).collect());
        }
        let mut chosen = BTreeMap::new();
        for wanted in &self.tables {
            let is_it = |table: &Table| table.name == *wanted || table.full_name().to_string() == *wanted;
            let found: Vec<usize> =
                tables.iter().enumerate().filter(|(_, table)| is_it(table)).map(|(index, _)| index).collect();
            match found.as_slice() {
                [] => {
                    let names: Vec<String> = tables.iter().map(|table| table.full_name().to_string()).collect();
                    return Err(Error::new(ErrorKind::Usage, format!("there is no table `{wanted}`"))
                        .maybe_help(nearest(wanted, &names)));
                }
                [index] => drop(chosen.insert(*index, Extent::Whole)),
                several => {
                    let names: Vec<String> =
                        several.iter().map(|index| format!("`{}`", tables[*index].full_name())).collect();
                    return Err(Error::new(ErrorKind::Usage, format!("`{wanted}` may be {}", names.join(" or ")))
                        .help("write the schema in front"));
                }
            }
        }
        Ok(chosen)
    }
}

/// A hint at the name that was probably meant.
fn nearest(wanted: &str, names: &[String]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    crate::suggest::nearest(wanted, &names).map(|name| format!("did you mean `{name}`?"))
}

/// A line about a backup that was made.
fn saved(report: &BackupReport) -> String {
    let tables = if report.tables == 1 { "1 table".to_owned() } else { format!("{} tables", report.tables) };
    let bytes = indicatif::HumanBytes(report.bytes);
    format!("Saved {tables} with {} rows as `{}` ({bytes})", report.rows, report.name)
}
