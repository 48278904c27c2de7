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
        Ok(Some(Self { keys: keys::keys(config.backup()?)?, backup, replace: restore.replace }))
    }

    /// The order with the revisions that must be applied first, because the target lacks tables or columns.
    pub(super) async fn order(&self, order: &Order, session: &mut Session, database: &Database) -> Result<Order> {
        let manifest = self.backup.manifest();
        let standing = restoring::look(session, manifest).await?;
        let is_fresh = database.versions.iter().next().is_none();
        if standing.missing().is_empty() || (is_fresh && standing.can_be_made()) {
            return Ok(Order { targets: Vec::new(), ..order.clone() });
        }
        let elsewhere = |why: String| {
            let at = list(&manifest.revisions_before);
            let here: Vec<String> = database.versions.iter().map(ToString::to_string).collect();
            Error::new(
                ErrorKind::Backup,
                format!(
                    "the backup was made at {at}, and the database is at {}: {}",
                    list(&here),
                    standing.missing().join("; ")
                ),
            )
            .help(why)
        };
        let missing: Vec<&str> = manifest
            .revisions_before
            .iter()
            .map(String::as_str)
            .filter(|id| database.chain.get(id).is_none())
            .collect();
        if !missing.is_empty() || manifest.revisions_before.is_empty() {
            return Err(elsewhere(
                "make what is missing, or restore it to an empty database with `--to URL`".to_owned(),
            ));
        }
        let selectors: Vec<Selector> =
            manifest.revisions_before.iter().map(|id| id.parse::<Selector>()).collect::<std::result::Result<_, _>>()?;
        let way = format!("bring the database to {} first", list(&manifest.revisions_before));
        let plan = planning::upgrade(&database.chain, &database.versions, &selectors)
            .map_err(|error| elsewhere(format!("{way}: {error}")))?;
        let after: BTreeSet<String> = plan.after.iter().map(ToString::to_string).collect();
        let wanted: BTreeSet<String> = manifest.revisions_before.iter().cloned().collect();
        if plan.steps.is_empty() || !wanted.is_subset(&after) {
            return Err(elsewhere(way));
        }
        Ok(Order { targets: manifest.revisions_before.clone(), ..order.clone() })
    }

    /// Looks again, after steps have run, and refuses what would be overwritten.
    async fn standing(&self, session: &mut Session, is_new: bool) -> Result<Standing<'_>> {
        let standing = restoring::look(session, self.backup.manifest()).await?;
        if !standing.missing().is_empty() && !standing.can_be_made() {
            let message = format!("the target can't take the backup: {}", standing.missing().join("; "));
            return Err(Error::new(ErrorKind::Backup, message));
        }
        standing.refuse(session, self.replace || is_new).await?;
        Ok(standing)
    }

    /// Refuses before anything runs what can be known to be refused later.
    pub(super) async fn refuse(&self, session: &mut Session, report: &Report) -> Result<()> {
        // What steps have yet to make is not there.
        if report.steps.is_empty() {
            self.standing(session, false).await?;
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
        let standing = self.standing(session, false).await?;
        // A database that was made of a backup of everything is where that was.
        let manifest = self.backup.manifest();
        let is_whole = manifest.scope == Scope::Full && session.state().await?.versions.is_empty();
        let change = VersionChange {
            insert: if is_whole { manifest.revisions_before.clone() } else { Vec::new() },
            ..VersionChange::default()
        };
        let restored = standing.load(session, &self.backup, &self.keys, (info, change), &mut Ears(observer)).await?;
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
