//! Putting a backup back, governed as every change is.

use std::collections::BTreeSet;
use std::collections::HashMap;

use runner_backup::Applied;
use runner_backup::Backup;
use runner_backup::Keys;
use runner_backup::Manifest;
use runner_backup::Method;
use runner_backup::Scope;
use runner_chain::RevisionId;
use runner_chain::Selector;
use runner_chain::Versions;
use runner_chain::planning;
use runner_database::RecordedStatus;
use runner_database::Session;
use runner_database::Settled;
use runner_database::VersionChange;

use super::Interrupt;
use super::Keeping;
use super::Observer;
use super::Order;
use super::Restore;
use super::precaution::Ears;
use super::precaution::read_back;
use super::report::BackupReport;
use super::report::Report;
use super::report::RestoredTable;
use super::situation::Database;
use crate::backup::affected::Extent;
use crate::backup::keys;
use crate::backup::making;
use crate::backup::making::About;
use crate::backup::refilling;
use crate::backup::refilling::Record;
use crate::backup::refilling::Refill;
use crate::backup::restoring;
use crate::backup::restoring::Standing;
use crate::backup::verifying;
use crate::backup::whole;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A backup that is to be put back, found to be as it was written.
pub(super) struct Restoring {
    backup: Backup,
    keys: Keys,
    replace: bool,
    partial: bool,
    /// Tables that lack something, or have other types, until the steps have run: what is in them then is no loss.
    lacking: BTreeSet<String>,
    /// For a backup of the whole database: what its being put back means for the target's own tables.
    whole: Option<Whole>,
    without_owners: bool,
}

/// What a whole database that is put back means for the target's own tables.
#[derive(Default)]
struct Whole {
    change: VersionChange,
    settled: Vec<Settled>,
    /// Whether nothing was ever recorded in the target.
    is_fresh: bool,
    /// The revision that stands for all of it in the ledger until it is done, where that is not one transaction.
    stands_for: Option<String>,
}

impl Restoring {
    /// Opens the backup of an order; `None` if it is about something else. Every file is compared with what was written before
    /// anything is changed.
    pub(super) fn of(config: &Config, order: &Order) -> Result<Option<Self>> {
        let Some(restore) = &order.restore else { return Ok(None) };
        let folder = making::folder(config)?;
        let backup = folder.open(&restore.backup)?;
        verifying::check(&folder, &restore.backup)?;
        let keys = keys::keys(config.backup()?)?;
        // A wrong key is found before anything is changed.
        if let Some(member) = backup.manifest().members.first() {
            drop(backup.read(&member.file, &keys)?);
        }
        let whole = (backup.manifest().method != Method::Rows).then(Whole::default);
        Ok(Some(Self {
            keys,
            backup,
            replace: restore.replace,
            partial: restore.partial,
            lacking: BTreeSet::new(),
            whole,
            without_owners: restore.without_owners,
        }))
    }

    /// The order with the revisions that must be applied first, because the target is not where the backup was made.
    pub(super) async fn order(&mut self, order: &Order, session: &mut Session, database: &Database) -> Result<Order> {
        let manifest = self.backup.manifest();
        let (of, target) = (&manifest.target.name, session.shown_target());
        if order.restore.as_ref().is_some_and(|restore| !restore.elsewhere) && *of != target {
            let message = format!("the backup is of `{of}`, and the target is `{target}`");
            return Err(Error::new(ErrorKind::Backup, message).help("`--to URL` says that another database is meant"));
        }
        if let Some(whole) = &mut self.whole {
            let name = self.backup.name();
            *whole = Whole::of(session, name, manifest, database)?;
            let digest = self.backup.sums_sha256().to_owned();
            let restore = order.restore.clone().map(|restore| Restore { digest, whole: true, ..restore });
            return Ok(Order { targets: Vec::new(), restore, ..order.clone() });
        }
        let standing = restoring::look(session, manifest).await?;
        let here: BTreeSet<String> = database.versions.iter().map(ToString::to_string).collect();
        let wanted: BTreeSet<String> = manifest.revisions_before.iter().cloned().collect();
        let digest = self.backup.sums_sha256().to_owned();
        let restore = order.restore.clone().map(|restore| Restore { digest, ..restore });
        let order = Order { targets: Vec::new(), restore, ..order.clone() };
        let is_fresh = here.is_empty() && database.state.records.is_empty();
        let known = manifest.revisions_before.iter().all(|id| database.chain.get(id).is_some());
        if here != wanted && !wanted.is_empty() && known && !(is_fresh && standing.can_be_made()) {
            let selectors: Vec<Selector> = manifest
                .revisions_before
                .iter()
                .map(|id| id.parse::<Selector>())
                .collect::<std::result::Result<_, _>>()?;
            if let Ok(plan) = planning::upgrade(&database.chain, &database.versions, &selectors)
                && !plan.steps.is_empty()
                && wanted.iter().all(|id| plan.after.contains(id))
            {
                self.lacking = standing.lacking();
                return Ok(Order { targets: manifest.revisions_before.clone(), ..order });
            }
        }
        if standing.missing().is_empty() || (is_fresh && standing.can_be_made()) {
            return Ok(order);
        }
        let at = list(&manifest.revisions_before);
        let here: Vec<String> = here.into_iter().collect();
        let message = format!(
            "the backup was made at {at}, and the database is at {}: {}",
            list(&here),
            standing.missing().join("; ")
        );
        Err(Error::new(ErrorKind::Backup, message)
            .help("make what is missing, or restore to an empty database with `--to URL`"))
    }

    /// Looks again, after steps have run, and refuses what would be overwritten.
    async fn standing(&self, session: &mut Session) -> Result<Standing<'_>> {
        let standing = restoring::look(session, self.backup.manifest()).await?;
        if !standing.missing().is_empty() && !standing.can_be_made() {
            let message = format!("the target can't take the backup: {}", standing.missing().join("; "));
            return Err(Error::new(ErrorKind::Backup, message));
        }
        standing.refuse_types()?;
        standing.refuse_contents(session, self.replace, &self.lacking).await?;
        Ok(standing)
    }

    /// Refuses before anything runs what can be known to be refused later.
    pub(super) async fn refuse(&self, config: &Config, session: &mut Session, report: &Report) -> Result<()> {
        if let Some(whole) = &self.whole {
            refilling::prepare(config, session)?;
            let mut reading = session.read().await?;
            let objects = reading.objects().await?;
            reading.finish().await?;
            return if self.replace { Ok(()) } else { refuse_full(&objects, whole.is_fresh) };
        }
        if report.steps.is_empty() {
            self.standing(session).await?;
        } else {
            // What steps have yet to make is not there; the rest is looked at now, before they are committed.
            let standing = restoring::look(session, self.backup.manifest()).await?;
            standing.refuse_contents(session, self.replace, &self.lacking).await?;
        }
        Ok(())
    }

    /// Saves what is about to be replaced. Nothing has run; after an error nothing may.
    #[expect(clippy::too_many_arguments, reason = "what a backup is made of, and who hears of it")]
    pub(super) async fn keep(
        &self,
        config: &Config,
        order: &Order,
        session: &mut Session,
        run_id: &str,
        database: &Database,
        report: &mut Report,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        if !self.replace || report.backup.is_some() {
            return Ok(());
        }
        if order.keeping == Keeping::Never {
            if config.requires_backup()? {
                let set = config.plugin_set()?.name;
                let message = format!(
                    "the plugin set `{set}` wants a backup before something is replaced, and `--no-backup` was given"
                );
                return Err(Error::new(ErrorKind::Refused, message).help("leave `--no-backup` out"));
            }
            return Ok(());
        }
        let about = About {
            name: None,
            reason: format!("before `restore {}`", self.backup.name()),
            before: database.state.versions.clone(),
            after: None,
            plan_hash: Some(report.plan_hash.clone()),
            run: Some(run_id.to_owned()),
            environment: report.environment.name.clone(),
        };
        let explain = |error: Error| {
            error.help(
                "nothing was restored, because what is there could not be saved first; `--no-backup` leaves that out",
            )
        };
        let saved = if self.whole.is_some() {
            let mut reading = session.read().await?;
            let objects = reading.objects().await?;
            reading.finish().await?;
            if objects.is_empty() {
                return Ok(());
            }
            Some(whole::save(config, session, &about, &mut Ears(observer)).await.map_err(explain)?)
        } else {
            let wanted: BTreeSet<String> =
                self.backup.manifest().tables.iter().map(|table| restoring::name_of(table).to_string()).collect();
            let choose = |tables: &[runner_database::Table]| {
                let is_wanted = |table: &runner_database::Table| wanted.contains(&table.full_name().to_string());
                let found = tables.iter().enumerate().filter(|(_, table)| is_wanted(table));
                Ok(found.map(|(index, _)| (index, Extent::Whole)).collect())
            };
            let saved = making::save(config, session, &about, Scope::Affected, choose, &mut Ears(observer)).await;
            saved.map_err(explain)?
        };
        let Some(saved) = saved else { return Ok(()) };
        read_back(config, &saved).map_err(|error| error.help("nothing was restored"))?;
        report.backup = Some(BackupReport::of(&saved));
        if let Some(backup) = &report.backup {
            observer.saved(backup);
        }
        Ok(())
    }

    /// Puts everything back, unless somebody asks to stop.
    pub(super) async fn run_until(
        &self,
        config: &Config,
        session: &mut Session,
        info: runner_database::RunInfo,
        report: &mut Report,
        observer: &mut dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let is_atomic = session.transactional_ddl();
        let run = self.run(config, session, info, report, observer);
        tokio::select! {
            done = run => done,
            () = interrupt.asked(1) => Err(self.interrupted(is_atomic)),
        }
    }

    fn interrupted(&self, is_atomic: bool) -> Error {
        let name = self.backup.name();
        if is_atomic {
            return Error::new(ErrorKind::Interrupted, format!("interrupted while `{name}` was restored"))
                .help("nothing of it was put in, unless it was just being committed: `runner log` says so");
        }
        Error::new(ErrorKind::Interrupted, format!("interrupted while `{name}` was restored")).help(format!(
            "some of it may be in the database: `runner backup restore {name} --replace` puts all of it back"
        ))
    }

    /// Puts the rows back. What it says in the ledger is part of the same transaction.
    async fn run(
        &self,
        config: &Config,
        session: &mut Session,
        info: runner_database::RunInfo,
        report: &mut Report,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        if let Some(whole) = &self.whole {
            return self.refill(config, session, whole, info, report, observer).await;
        }
        let standing = self.standing(session).await?;
        // A database that was made of a backup of everything is where that was.
        let manifest = self.backup.manifest();
        let is_whole = manifest.scope == Scope::Full && session.state().await?.versions.is_empty();
        let change = VersionChange {
            insert: if is_whole { manifest.revisions_before.clone() } else { Vec::new() },
            ..VersionChange::default()
        };
        let restored = standing
            .load(session, &self.backup, (&self.keys, self.partial), (info, change), &mut Ears(observer))
            .await?;
        report.restored = restored.tables.into_iter().map(|(table, rows)| RestoredTable { table, rows }).collect();
        Ok(())
    }

    async fn refill(
        &self,
        config: &Config,
        session: &mut Session,
        whole: &Whole,
        info: runner_database::RunInfo,
        report: &mut Report,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let record = Record {
            info,
            change: whole.change.clone(),
            settled: whole.settled.clone(),
            unsettled: whole.stands_for.clone(),
        };
        let refill = Refill {
            config,
            url: config.database_url()?,
            backup: &self.backup,
            keys: &self.keys,
            replaces: self.replace,
            without_owners: self.without_owners,
            is_trial: false,
        };
        let restored = refill.run(session, Some(record), &mut Ears(observer)).await?;
        report.restored = restored.tables.into_iter().map(|(table, rows)| RestoredTable { table, rows }).collect();
        Ok(())
    }
}

impl Whole {
    /// What the version rows and the ledger say when the database is where the backup was made.
    fn of(session: &Session, name: &str, manifest: &Manifest, database: &Database) -> Result<Self> {
        let dialect = session.dialect();
        if manifest.target.dialect != dialect.to_string() {
            let message =
                format!("the backup is of a {} database, and the target is {dialect}", manifest.target.dialect);
            return Err(Error::new(ErrorKind::Backup, message).help("restore it to a database of the same kind"));
        }
        let is_fresh = database.versions.is_empty() && database.state.tail.is_none();
        let here: BTreeSet<String> = database.versions.iter().map(ToString::to_string).collect();
        let wanted: BTreeSet<String> = manifest.revisions_before.iter().cloned().collect();
        let change = VersionChange {
            delete: here.difference(&wanted).cloned().collect(),
            insert: wanted.difference(&here).cloned().collect(),
        };
        if is_fresh {
            return Ok(Self { change, settled: Vec::new(), is_fresh, stands_for: None });
        }
        let unknown: Vec<String> =
            manifest.revisions_before.iter().filter(|id| database.chain.get(id).is_none()).cloned().collect();
        if !unknown.is_empty() {
            let message = format!("the backup was made at {}, which is not in the chain", list(&unknown));
            return Err(Error::new(ErrorKind::Backup, message)
                .help("put the files of its revisions back, or restore to an empty database with `--to URL`"));
        }
        let rows: Vec<RevisionId> =
            manifest.revisions_before.iter().filter_map(|id| RevisionId::new(id).ok()).collect();
        let wanted = database.chain.applied(&Versions::from_iter(rows))?;
        let applied = database.chain.applied(&database.versions)?;
        let dirty: BTreeSet<&str> = database.state.dirty.iter().map(|dirty| dirty.revision.as_str()).collect();
        let recorded: HashMap<&str, &Applied> =
            manifest.applied.iter().map(|one| (one.revision.as_str(), one)).collect();
        let reason = format!("the backup `{name}` was restored");
        // Whatever is applied now is said to be, as it was recorded when the backup was made: files may have changed since.
        let settled = database.chain.revisions().iter().enumerate().filter_map(|(index, revision)| {
            let id = revision.id.as_str();
            let recorded = recorded.get(id);
            let status = match (wanted.contains(index), applied.contains(index) || dirty.contains(id)) {
                (true, _) if recorded.is_some_and(|one| one.skipped) => RecordedStatus::Skipped,
                (true, _) => RecordedStatus::Stamped,
                (false, true) => RecordedStatus::Unstamped,
                (false, false) => return None,
            };
            Some(Settled {
                revision: id.to_owned(),
                status,
                checksum: recorded.and_then(|one| one.checksum.clone()),
                sql_checksum: recorded.and_then(|one| one.sql_checksum.clone()),
                reason: reason.clone(),
            })
        });
        let settled: Vec<Settled> = settled.collect();
        // One that is settled in the end, so that what stands for all of them is, too.
        let stands_for = settled.last().map(|one| one.revision.clone());
        Ok(Self { change, settled, is_fresh, stands_for })
    }
}

/// Refuses a target that is not empty.
fn refuse_full(objects: &[String], is_fresh: bool) -> Result<()> {
    if objects.is_empty() && is_fresh {
        return Ok(());
    }
    let some: Vec<&str> = objects.iter().map(String::as_str).take(5).collect();
    let more = if objects.len() > some.len() { ", …" } else { "" };
    let what = if some.is_empty() {
        "revisions are recorded in it".to_owned()
    } else {
        format!("it holds {}{more}", some.join(", "))
    };
    Err(Error::new(ErrorKind::Backup, format!("the target is not empty: {what}"))
        .help("`--replace` saves what is there, removes it, and puts the backup in its place")
        .help("`--to URL` restores it to another database"))
}

fn list(ids: &[String]) -> String {
    if ids.is_empty() {
        return "no revision".to_owned();
    }
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
