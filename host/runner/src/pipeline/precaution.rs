//! Before a plan destroys something: what that is, counted, and a backup of it.

use std::time::Duration;

use runner_backup::Backup;
use runner_backup::Scope;
use runner_chain::Dialect;
use runner_chain::sql;
use runner_database::Access;
use runner_database::Action;
use runner_database::Dirty;
use runner_database::Session;
use runner_database::StepScript;

use super::Keeping;
use super::Observer;
use super::Operation;
use super::Order;
use super::prepare;
use super::remembered::Reading;
use super::report::BackupReport;
use super::report::Report;
use super::situation::Database;
use super::situation::Tolerance;
use super::situation::chain_and_session;
use crate::backup::affected;
use crate::backup::affected::Live;
use crate::backup::affected::Loss;
use crate::backup::affected::Lost;
use crate::backup::affected::Planned;
use crate::backup::forecast;
use crate::backup::making;
use crate::backup::making::About;
use crate::backup::verifying;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;

/// What is done about a plan that destroys something.
#[derive(Debug)]
pub(super) struct Precaution {
    /// Whether it destroys anything, as far as its statements tell.
    is_destructive: bool,
    wants_backup: bool,
}

impl Precaution {
    /// Decides from the order, the plugin set and the statements alone.
    pub(super) fn of(config: &Config, order: &Order, dialect: Dialect, scripts: &[StepScript]) -> Result<Self> {
        let is_destructive = statements(scripts).iter().any(|planned| {
            affected::inserts(planned.text, dialect) || sql::destroys(&sql::effects(planned.text, dialect))
        });
        if !is_destructive || !order.operation.runs_sections() {
            return Ok(Self { is_destructive, wants_backup: false });
        }
        let wants_backup = match &order.keeping {
            Keeping::Always(_) => true,
            Keeping::AsTheSetSays => config.requires_backup()?,
            Keeping::Never if order.dry_run || !config.requires_backup()? => false,
            Keeping::Never => {
                let set = config.plugin_set()?.name;
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!("the plugin set `{set}` wants a backup before something is destroyed, and `--no-backup` was given"),
                )
                .help("leave `--no-backup` out"));
            }
        };
        Ok(Self { is_destructive, wants_backup })
    }

    /// Whether somebody wants to know what is destroyed.
    pub(super) fn looks(&self, order: &Order) -> bool {
        self.is_destructive && (self.wants_backup || order.operation == Operation::Rollback || order.forecast)
    }

    pub(super) fn wants_backup(&self) -> bool {
        self.wants_backup
    }
}

/// The statements that run.
pub(super) fn statements(scripts: &[StepScript]) -> Vec<Planned<'_>> {
    let runs = scripts.iter().filter(|script| script.action == Action::Run);
    runs.flat_map(|script| {
        script.statements.iter().enumerate().map(|(index, statement)| Planned {
            revision: &script.revision,
            statement: index + 1,
            text: &statement.text,
        })
    })
    .collect()
}

/// What a plan destroys.
fn losses(
    config: &Config,
    (scripts, dirty): (&[StepScript], &[Dirty]),
    tables: &[runner_database::Table],
    session_schema: Option<&str>,
    dialect: Dialect,
) -> Vec<Loss> {
    let cascades = dialect != Dialect::Sqlite || config.database_options().foreign_keys;
    let statements = statements(scripts);
    let mut losses = affected::losses(&statements, &Live { tables, dialect, schema: session_schema, cascades });
    // Some of its statements have run, so names are not what they seem to be.
    if let Some(half) = statements.iter().find(|planned| dirty.iter().any(|dirty| dirty.revision == planned.revision)) {
        losses.push(Loss {
            revision: half.revision.to_owned(),
            statement: half.statement,
            table: None,
            what: Lost::Unknown("it is half-way, so what is left of it can't be told apart".to_owned()),
        });
    }
    losses
}

/// Counts what a plan destroys.
pub(super) async fn look(
    config: &Config,
    session: &mut Session,
    (scripts, dirty): (&[StepScript], &[Dirty]),
    report: &mut Report,
    limit: Duration,
) -> Result<()> {
    let (dialect, schema) = (session.dialect(), session.default_schema());
    let mut reading = session.read().await?;
    let tables = reading.tables().await?;
    let losses = losses(config, (scripts, dirty), &tables, schema.as_deref(), dialect);
    report.data_loss = forecast::forecast(&mut reading, &losses, &tables, dialect, limit).await?;
    reading.finish().await?;
    Ok(())
}

/// Saves what a plan destroys. Nothing of the plan has run; after an error nothing of it may.
pub(super) async fn keep(
    config: &Config,
    order: &Order,
    session: &mut Session,
    (scripts, dirty): (&[StepScript], &[Dirty]),
    report: &mut Report,
    observer: &mut dyn Observer,
    (run_id, before, after): (&str, &[String], Vec<String>),
) -> Result<()> {
    let (dialect, schema) = (session.dialect(), session.default_schema());
    let about = About {
        name: match &order.keeping {
            Keeping::Always(name) => name.clone(),
            _ => None,
        },
        reason: format!("before `{}`", order.operation.name()),
        before: before.to_vec(),
        after: Some(after),
        plan_hash: Some(report.plan_hash.clone()),
        run: Some(run_id.to_owned()),
        environment: report.environment.name.clone(),
    };
    let choose = |tables: &[runner_database::Table]| {
        let losses = losses(config, (scripts, dirty), tables, schema.as_deref(), dialect);
        if let Some((loss, name)) = losses.iter().find_map(|loss| match &loss.what {
            Lost::Elsewhere(name) => Some((loss, name)),
            _ => None,
        }) {
            let message = format!(
                "statement {} of `{}` changes `{name}`, which is in another database and can't be saved from here",
                loss.statement, loss.revision
            );
            return Err(Error::new(ErrorKind::Backup, message).help("save it there, and run this with `--no-backup`"));
        }
        Ok(affected::extents(&losses, tables))
    };
    let mut ears = Ears(observer);
    let saved = making::save(config, session, &about, Scope::Affected, choose, &mut ears).await;
    let saved = saved.map_err(|error| error.help("nothing was run, because its backup could not be made"))?;
    // What destroys nothing after all leaves no empty backup.
    let Some(backup) = saved else { return Ok(()) };
    read_back(config, &backup).map_err(|error| error.help("nothing was run"))?;
    report.backup = Some(BackupReport::of(&backup));
    if let Some(backup) = &report.backup {
        observer.saved(backup);
    }
    Ok(())
}

/// Reads all files of a backup again that was just made: before something is destroyed, it must be on the disk as it was written.
pub(super) fn read_back(config: &Config, backup: &Backup) -> Result<()> {
    verifying::check(&making::folder(config)?, backup.name())
}

/// Saves what a rollback would destroy, and runs nothing.
pub(crate) async fn save_rolled_back(
    config: &Config,
    target: &str,
    about: impl FnOnce(&[String], Vec<String>) -> About,
    transfer: &mut dyn Transfer,
) -> Result<Option<Backup>> {
    let (opened, chain) = chain_and_session(config, Access::Read, Reading::Files).await;
    let (chain, (mut session, state)) = (chain?, opened?);
    let (dialect, schema) = (session.dialect(), session.default_schema());
    let database = Database::compare(chain, dialect, state?, config, Tolerance::None)?;
    let prepared = prepare::prepare(&database, &Order::new(Operation::Rollback, vec![target.to_owned()], true))?;
    let mut planned = Vec::new();
    for step in &prepared.steps {
        let Some(statements) = &step.statements else {
            let message = format!("`{}` can't be undone: it has no down section for {dialect}", step.revision.id);
            return Err(Error::new(ErrorKind::Chain, message).help("`--scope full` saves everything"));
        };
        planned.extend(statements.iter().enumerate().map(|(index, statement)| Planned {
            revision: step.revision.id.as_str(),
            statement: index + 1,
            text: statement.text,
        }));
    }
    let cascades = dialect != Dialect::Sqlite || config.database_options().foreign_keys;
    let choose = |tables: &[runner_database::Table]| {
        let live = Live { tables, dialect, schema: schema.as_deref(), cascades };
        Ok(affected::extents(&affected::losses(&planned, &live), tables))
    };
    let after = prepared.plan.after.iter().map(ToString::to_string).collect();
    let about = about(&database.state.versions, after);
    let saved = making::save(config, &mut session, &about, Scope::Affected, choose, transfer).await?;
    session.close().await?;
    Ok(saved)
}

/// An observer that hears of rows.
pub(super) struct Ears<'o>(pub(super) &'o mut dyn Observer);

impl Transfer for Ears<'_> {
    fn begin(&mut self, backup: &str, rows: u64) {
        self.0.transfer_started(backup, rows);
    }

    fn table(&mut self, name: &str) {
        self.0.transfer_at(name);
    }

    fn passed(&mut self, rows: u64, bytes: u64) {
        self.0.transferred(rows, bytes);
    }

    fn end(&mut self) {
        self.0.transfer_ended();
    }
}
