//! Putting a backup back, governed as every change is.

use std::collections::BTreeSet;

use runner_backup::Backup;
use runner_backup::Keys;
use runner_backup::Scope;
use runner_chain::Selector;
use runner_chain::planning;
use runner_database::Session;
use runner_database::VersionChange;

use super::Observer;
use super::Order;
use super::Restore;
use super::precaution::Ears;
use super::report::Report;
use super::report::RestoredTable;
use super::situation::Database;
use crate::backup::keys;
use crate::backup::making;
use crate::backup::restoring;
use crate::backup::restoring::Standing;
use crate::backup::verifying;
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
}

impl Restoring {
    /// Opens the backup of an order; `None` if it is about something else. Every file is compared with what was written before
    /// anything is changed.
    pub(super) fn of(config: &Config, order: &Order) -> Result<Option<Self>> {
        let Some(restore) = &order.restore else { return Ok(None) };
        let folder = making::folder(config)?;
        let backup = folder.open(&restore.backup)?;
        restoring::refuse_method(backup.manifest())?;
        verifying::check(&folder, &restore.backup)?;
        let keys = keys::keys(config.backup()?)?;
        // A wrong key is found before anything is changed.
        if let Some(table) = backup.manifest().tables.first() {
            drop(backup.read(&table.member, &keys)?);
        }
        Ok(Some(Self { keys, backup, replace: restore.replace, partial: restore.partial, lacking: BTreeSet::new() }))
    }

    /// The order with the revisions that must be applied first, because the target is not where the backup was made.
    pub(super) async fn order(&mut self, order: &Order, session: &mut Session, database: &Database) -> Result<Order> {
        let manifest = self.backup.manifest();
        let (of, target) = (&manifest.target.name, session.shown_target());
        if order.restore.as_ref().is_some_and(|restore| !restore.elsewhere) && *of != target {
            let message = format!("the backup is of `{of}`, and the target is `{target}`");
            return Err(Error::new(ErrorKind::Backup, message).help("`--to URL` says that another database is meant"));
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
    pub(super) async fn refuse(&self, session: &mut Session, report: &Report) -> Result<()> {
        if report.steps.is_empty() {
            self.standing(session).await?;
        } else {
            // What steps have yet to make is not there; the rest is looked at now, before they are committed.
            let standing = restoring::look(session, self.backup.manifest()).await?;
            standing.refuse_contents(session, self.replace, &self.lacking).await?;
        }
        Ok(())
    }

    /// Puts the rows back. What it says in the ledger is part of the same transaction.
    pub(super) async fn run(
        &self,
        session: &mut Session,
        info: runner_database::RunInfo,
        report: &mut Report,
        observer: &mut dyn Observer,
    ) -> Result<()> {
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
}

fn list(ids: &[String]) -> String {
    if ids.is_empty() {
        return "no revision".to_owned();
    }
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
