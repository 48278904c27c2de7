//! The restore drill: a backup goes into a scratch database, and the chain is applied to that up to its heads.

use std::time::Instant;

use runner_backup::Backup;
use runner_backup::Keys;
use runner_backup::Method;
use runner_chain::Direction;
use runner_chain::Problem;
use runner_chain::Selector;
use runner_chain::planning;
use runner_database::Access;
use runner_database::DatabaseUrl;
use runner_database::RunInfo;
use runner_database::ScriptStatement;
use runner_database::Session;
use runner_database::TransactionMode;
use runner_database::VersionChange;

use super::refilling::Record;
use super::refilling::Refill;
use super::restoring;
use super::verifying;
use super::verifying::Trial;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;
use crate::pipeline;
use crate::pipeline::Database;
use crate::pipeline::Interrupt;

/// What a drill has shown.
#[derive(Clone, Debug)]
pub(crate) struct Drilled {
    /// Tables that were restored.
    pub(crate) tables: usize,
    /// Rows in them.
    pub(crate) rows: u64,
    /// How long the restore took.
    pub(crate) restore_ms: u128,
    /// Revisions that were applied after it.
    pub(crate) revisions: Vec<String>,
    /// How long that took.
    pub(crate) upgrade_ms: u128,
    /// Where the scratch database was in the end.
    pub(crate) reached: Vec<String>,
}

/// Restores a backup of everything into a scratch database, and applies the chain to it.
pub(crate) async fn drill(
    config: &Config,
    backup: &Backup,
    keys: &Keys,
    server: Option<&DatabaseUrl>,
    transfer: &mut dyn Transfer,
    interrupt: &Interrupt,
) -> Result<Drilled> {
    interrupt.listen();
    let chain = pipeline::load_chain(config)?;
    let mut trial = Trial::begin(config, server).await?;
    let url = trial.url.clone();
    let is_alone = server.is_some();
    let done = async {
        let started = Instant::now();
        let (tables, rows) = restore(config, &url, &mut trial.session, backup, keys, transfer).await?;
        let restore_ms = started.elapsed().as_millis();
        let state = trial.session.state().await?;
        let mut database = Database::of(chain, state, trial.session.dialect(), config)?;
        let started = Instant::now();
        let revisions = upgrade(config, &mut trial, &mut database, is_alone).await?;
        let reached = trial.session.state().await?.versions;
        let upgrade_ms = started.elapsed().as_millis();
        Ok(Drilled { tables, rows, restore_ms, revisions, upgrade_ms, reached })
    };
    let done = tokio::select! {
        done = done => done,
        () = interrupt.asked(1) => Err(verifying::interrupted()),
    };
    let ended = trial.end().await;
    let drilled: Result<Drilled> = done;
    let drilled = drilled?;
    ended?;
    let tables = backup.manifest().tables.len();
    let compared = tables - verifying::unknown(backup);
    // Rows are compared as they leave their files, which proves less than reading the tables again.
    if backup.manifest().method != Method::Rows && (compared > 0 || tables == 0) {
        let how = format!(
            "restored by a drill, {compared} of {tables} tables compared by count and digest, and brought to the heads of the chain"
        );
        verifying::record(backup, &how)?;
    }
    Ok(drilled)
}

fn info(config: &Config) -> RunInfo {
    RunInfo {
        run_id: pipeline::run_id(),
        command: "drill".to_owned(),
        environment: config.environment.clone(),
        actor: pipeline::actor(),
        host: pipeline::host(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        plugins: serde_json::Value::Null,
        evidence: serde_json::Value::Null,
    }
}

/// Restores it as into a new database. Gives the number of tables and of their rows.
async fn restore(
    config: &Config,
    url: &DatabaseUrl,
    session: &mut Session,
    backup: &Backup,
    keys: &Keys,
    transfer: &mut dyn Transfer,
) -> Result<(usize, u64)> {
    let manifest = backup.manifest();
    let change = VersionChange { insert: manifest.revisions_before.clone(), ..VersionChange::default() };
    let restored = if manifest.method == Method::Rows {
        let standing = restoring::look(session, manifest).await?;
        standing.load(session, backup, (keys, false), (info(config), change), transfer).await?
    } else {
        let record = Record { info: info(config), change, settled: Vec::new(), unsettled: None };
        let refill = Refill { config, url, backup, keys, replaces: false, without_owners: true, is_trial: true };
        refill.run(session, Some(record), transfer).await?
    };
    Ok((restored.tables.len(), restored.tables.iter().map(|(_, rows)| rows).sum()))
}

/// Applies what the scratch database has not got. Gives the revisions.
async fn upgrade(config: &Config, trial: &mut Trial, database: &mut Database, is_alone: bool) -> Result<Vec<String>> {
    let heads: Vec<Selector> = vec!["heads".parse()?];
    let plan = planning::upgrade(&database.chain, &database.versions, &heads)?;
    let dialect = database.dialect;
    let mut revisions = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let Some(revision) = database.chain.revisions().get(step.revision) else { continue };
        let section = pipeline::script_of(revision, Direction::Up, dialect, &step.rows)?;
        let Some((script, places)) = section else {
            let message = format!("`{}` has no up section for {dialect}", revision.id);
            return Err(Error::new(ErrorKind::Chain, message));
        };
        stays_inside(trial, &script.statements, revision.id.as_str(), &places, is_alone)?;
        let mut run = trial.session.start_run(info(config), TransactionMode::PerRevision).await?;
        let done = run.step(&script, &mut |_| {}).await;
        done.map_err(|error| {
            let error = pipeline::failure_of(error, &script, &places);
            error.help("the backup itself was restored; what failed is the upgrade after it")
        })?;
        run.finish().await?;
        revisions.push(revision.id.to_string());
    }
    Ok(revisions)
}

/// Refuses statements that would change more than the scratch database.
fn stays_inside(
    trial: &Trial,
    statements: &[ScriptStatement],
    revision: &str,
    places: &[Problem],
    is_alone: bool,
) -> Result<()> {
    let found = trial.bounds().outside_of(statements, is_alone);
    if found.is_empty() {
        return Ok(());
    }
    let problems = found.iter().filter_map(|outside| {
        let place = places.get(outside.statement)?;
        Some(Problem { message: outside.message(), help: Some(outside.help().to_owned()), ..place.clone() })
    });
    Err(Error::new(ErrorKind::Chain, format!("revision `{revision}` can't be tried")).at(problems.collect()))
}

/// The newest backup of everything in the target, or the one of this name.
pub(crate) async fn choose(config: &Config, folder: &runner_backup::Folder, name: Option<&str>) -> Result<Backup> {
    if let Some(name) = name {
        let backup = folder.open(name)?;
        if backup.manifest().scope != runner_backup::Scope::Full {
            return Err(Error::new(ErrorKind::Backup, format!("`{name}` holds only a part of the database"))
                .help("a drill needs all of it: `runner backup create`"));
        }
        return Ok(backup);
    }
    let target = Session::open(config.database_url()?, config.database_options(), Access::Read).await;
    // The target may be gone, which is what backups are for.
    let target = match target {
        Ok(session) => session.shown_target().clone(),
        Err(_) => config.database_url()?.to_string(),
    };
    let is_it = |backup: &Backup| {
        let manifest = backup.manifest();
        manifest.scope == runner_backup::Scope::Full && manifest.target.name == target
    };
    let entries = folder.list()?;
    let readable = entries.into_iter().filter_map(|entry| match entry {
        runner_backup::Entry::Readable(backup) => Some(*backup),
        runner_backup::Entry::Damaged { .. } => None,
    });
    readable.filter(|backup| is_it(backup)).max_by_key(|backup| backup.manifest().created).ok_or_else(|| {
        Error::new(ErrorKind::Backup, format!("there is no backup of all of `{target}`"))
            .help("`runner backup create` makes one")
    })
}
