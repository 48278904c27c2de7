//! Proof that a backup can be restored: its files are as they were written, its rows go into a scratch database, and come out
//! of it as they were saved.

use jiff::Timestamp;
use runner_backup::Backup;
use runner_backup::Damage;
use runner_backup::Folder;
use runner_backup::Keys;
use runner_backup::Method;
use runner_backup::Verification;
use runner_database::Access;
use runner_database::DatabaseUrl;
use runner_database::Dialect;
use runner_database::Placing;
use runner_database::Rows;
use runner_database::Scratch;
use runner_database::Session;
use runner_database::TableColumn;
use runner_database::VersionChange;

use super::refilling::Refill;
use super::restoring::compare;
use super::restoring::described;
use super::rows::Digesting;
use super::rows::FromMember;
use super::rows::Hear;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Transfer;
use crate::pipeline;
use crate::pipeline::Interrupt;
use crate::rehearsal::own_tables;

/// A database for a trial, which goes with it.
pub(crate) struct Trial {
    pub(crate) session: Session,
    pub(crate) url: DatabaseUrl,
    scratch: Scratch,
    /// On SQLite it is a file, because a backup may be larger than the memory.
    _file: Option<tempfile::TempDir>,
}

impl Trial {
    /// Makes an empty one beside the target, or on another server.
    pub(crate) async fn begin(config: &Config, server: Option<&DatabaseUrl>) -> Result<Self> {
        let url = server.map_or_else(|| config.database_url(), Ok)?;
        let options = config.database_options();
        let options = &own_tables(options);
        let (url, scratch, file) = if url.dialect() == Dialect::Sqlite {
            let folder = tempfile::tempdir()
                .map_err(|error| Error::new(ErrorKind::Io, format!("no temporary folder can be made: {error}")))?;
            let scratch = Scratch::create(url, options, "trial").await?;
            (DatabaseUrl::parse("sqlite://trial.db", folder.path())?, scratch, Some(folder))
        } else {
            // The end of it is random.
            let run = pipeline::run_id();
            let name = format!("runner_trial_{}_{}", std::process::id(), run.rsplit('-').next().unwrap_or_default());
            let scratch = Scratch::create(url, options, &name).await?;
            (scratch.url().clone(), scratch, None)
        };
        let opened = async {
            let mut session = Session::open(&url, options, Access::Write).await?;
            session.lock(config.lock_wait(), &pipeline::me("backup verify"), &mut |_, _| {}).await?;
            Ok::<_, runner_database::Error>(session)
        };
        match (opened.await, scratch) {
            (Ok(session), scratch) => Ok(Self { session, url, scratch, _file: file }),
            (Err(error), scratch) => {
                // The first error is the one that counts.
                let _ = scratch.remove().await;
                Err(error.into())
            }
        }
    }

    /// Tells which statements would change more than it.
    pub(crate) fn bounds(&self) -> &Scratch {
        &self.scratch
    }

    /// Removes it.
    pub(crate) async fn end(self) -> Result<()> {
        let Self { session, scratch, _file, .. } = self;
        let closed = session.close().await;
        scratch.remove().await?;
        Ok(closed?)
    }
}

/// Compares all files of a backup with what was written.
pub(crate) fn check(folder: &Folder, name: &str) -> Result<()> {
    let damages = folder.check(name)?;
    if damages.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = damages.iter().map(ToString::to_string).collect();
    let error = Error::new(ErrorKind::Backup, format!("the backup `{name}` is damaged: {}", lines.join("; ")));
    Err(error.maybe_help(damages.iter().find_map(Damage::hint)))
}

/// Restores a backup into a trial and compares. It is recorded with the backup that it went well.
pub(crate) async fn verify(
    config: &Config,
    backup: &Backup,
    keys: &Keys,
    server: Option<&DatabaseUrl>,
    transfer: &mut dyn Transfer,
    interrupt: &Interrupt,
) -> Result<()> {
    interrupt.listen();
    let mut trial = Trial::begin(config, server).await?;
    let url = trial.url.clone();
    let refill = Refill { config, url: &url, backup, keys, replaces: false, without_owners: true, is_trial: true };
    let tried = async {
        if backup.manifest().method == Method::Rows {
            try_rows(&mut trial.session, backup, keys, transfer).await
        } else {
            refill.run(&mut trial.session, None, transfer).await.map(drop)
        }
    };
    let result = tokio::select! {
        result = tried => result,
        () = interrupt.asked(1) => Err(interrupted()),
    };
    let ended = trial.end().await;
    result?;
    ended?;
    let tables = &backup.manifest().tables;
    let unknown = unknown(backup);
    // What could not be compared at all proves nothing.
    if unknown > 0 && unknown == tables.len() {
        return Ok(());
    }
    let how = format!(
        "all files compared with SHA256SUMS; {} restored into a scratch database and compared by count and digest{}",
        if tables.len() == 1 { "one table" } else { "all tables" },
        match unknown {
            0 => String::new(),
            count => format!(", but for {count} that others wrote to while they were saved"),
        }
    );
    record(backup, &how)
}

/// How many tables others wrote to while they were saved, so that nobody knows what they should hold.
pub(crate) fn unknown(backup: &Backup) -> usize {
    backup.manifest().tables.iter().filter(|table| table.digest.is_empty()).count()
}

/// The error of a trial that somebody stops.
pub(super) fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted; the scratch database is removed")
}

/// Says with a backup that it was verified.
pub(super) fn record(backup: &Backup, how: &str) -> Result<()> {
    backup.record_verification(Verification {
        format: 0,
        at: Timestamp::now(),
        how: how.to_owned(),
        tool: concat!("runner ", env!("CARGO_PKG_VERSION")).to_owned(),
        actor: pipeline::actor(),
        host: pipeline::host(),
        sums_sha256: String::new(),
    })?;
    Ok(())
}

async fn try_rows(session: &mut Session, backup: &Backup, keys: &Keys, transfer: &mut dyn Transfer) -> Result<()> {
    let tables = &backup.manifest().tables;
    transfer.begin(backup.name(), tables.iter().map(|table| table.rows).sum());
    let tried = try_tables(session, backup, keys, transfer).await;
    transfer.end();
    tried
}

async fn try_tables(session: &mut Session, backup: &Backup, keys: &Keys, transfer: &mut dyn Transfer) -> Result<()> {
    for saved in &backup.manifest().tables {
        let mut table = described(saved);
        // Of columns there is no table to put them into, so they get one.
        let is_part = saved.part == runner_backup::Part::Columns;
        let columns: Vec<TableColumn> = table.columns.clone();
        let mut loading = session.load(&[]).await?;
        loading.run(&saved.create).await?;
        if is_part {
            let name = table.sql_name(session_dialect(backup)?);
            let list: Vec<String> = columns
                .iter()
                .map(|column| {
                    session_dialect(backup).map(|dialect| runner_database::quoted_name(&column.name, dialect))
                })
                .collect::<Result<_>>()?;
            table.name = format!("runner_part_{}", saved.name.chars().take(40).collect::<String>());
            let part = table.sql_name(session_dialect(backup)?);
            let sql = format!("CREATE TABLE {part} AS SELECT {} FROM {name} WHERE 1 = 0", list.join(", "));
            loading.run(&[sql]).await?;
        }
        transfer.table(&table.full_name().to_string());
        let mut hear = |rows, bytes| transfer.passed(rows, bytes);
        let hear: &mut Hear<'_> = &mut hear;
        let mut source = FromMember::begin(backup.read(&saved.member, keys)?, &saved.member, hear);
        let rows = Rows { table: &table, columns: &columns };
        let loaded = loading.rows(rows, Placing::Insert, &mut source).await;
        let result = source.finish(loaded).and_then(|digest| compare(saved, &digest, "its file holds"));
        if let Err(error) = result {
            // The first error is the one that counts.
            let _ = loading.abort().await;
            return Err(error);
        }
        let mut digesting = Digesting::default();
        loading.read(rows, &mut digesting).await?;
        compare(saved, &digesting.finish(), "a restored table holds")?;
        loading.commit(None, &VersionChange::default()).await?;
    }
    Ok(())
}

fn session_dialect(backup: &Backup) -> Result<Dialect> {
    let name = &backup.manifest().target.dialect;
    let dialect = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql].into_iter().find(|one| one.to_string() == *name);
    dialect.ok_or_else(|| Error::new(ErrorKind::Backup, format!("`{name}` is no dialect that can be restored")))
}
