//! Where the files and the database contradict each other: revisions that are applied and were edited or removed since,
//! and rows that no file explains.

use runner_chain::Chain;
use runner_chain::Revision;
use runner_chain::Versions;
use runner_database::Record;
use runner_database::RecordedStatus;
use runner_database::State;
use runner_database::StepDirection;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// What contradicts.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// Version rows that no file has.
    pub(crate) unknown: Vec<String>,
    /// Applied revisions whose SQL is no longer what ran, with their file.
    pub(crate) edited: Vec<(String, String)>,
    /// Revisions that the ledger has as applied, and no file has.
    pub(crate) removed: Vec<String>,
    /// Revisions that the ledger has as applied, and the version rows do not.
    lost: Vec<String>,
    /// Revisions that count as applied only because an applied one was put on top of them since.
    inserted: Vec<String>,
    /// Applied revisions of which only comments or the header changed.
    reworded: Vec<String>,
    /// Skipped revisions whose SQL changed: it never ran here.
    edited_after_skip: Vec<String>,
}

impl Drift {
    pub(crate) fn between(chain: &Chain, state: &State, versions: &Versions) -> Self {
        let unknown: Vec<String> =
            versions.iter().map(ToString::to_string).filter(|id| chain.get(id).is_none()).collect();
        let mut drift = Drift { unknown, ..Drift::default() };
        let Ok(applied) = chain.applied(versions) else {
            return drift;
        };
        let mut explained = 0;
        for (index, revision) in chain.revisions().iter().enumerate() {
            // Looked up once: with thousands of revisions the time goes into that.
            let record = state.records.get(revision.id.as_str()).filter(|record| counts(record));
            explained += usize::from(record.is_some());
            match (applied.contains(index), record) {
                // Of a half-way revision the statements that are done are compared one by one when it goes on.
                (true, Some(_)) if state.dirty.iter().any(|dirty| dirty.revision == revision.id.as_str()) => {}
                (true, Some(record)) => drift.compare(revision, record),
                (false, Some(_)) => drift.lost.push(revision.id.to_string()),
                // Without a record it came with a database that was adopted, unless what builds on it was edited to do so.
                (true, None) if chain.children(revision).any(|child| was_edited(state, child)) => {
                    drift.inserted.push(revision.id.to_string());
                }
                (_, None) => {}
            }
        }
        let recorded = state.records.values().filter(|record| counts(record)).count();
        if !state.versions.is_empty() && recorded > explained {
            drift.removed = state
                .records
                .iter()
                .filter(|(id, record)| counts(record) && chain.get(id).is_none())
                .map(|(id, _)| id.clone())
                .collect();
            drift.removed.sort();
        }
        drift
    }

    fn compare(&mut self, revision: &Revision, record: &Record) {
        if record.checksum == Some(revision.checksum()) {
            return;
        }
        let id = revision.id.to_string();
        if record.sql_checksum == Some(revision.sql_checksum()) {
            self.reworded.push(id);
        } else if record.status == RecordedStatus::Skipped {
            self.edited_after_skip.push(id);
        } else {
            self.edited.push((id, revision.file.clone()));
        }
    }

    /// Turns what must not be into an error.
    pub(crate) fn refuse(&self, config: &Config) -> Result<()> {
        self.refuse_unknown(config)?;
        self.refuse_edits(config)
    }

    /// Refuses version rows that no file has.
    pub(crate) fn refuse_unknown(&self, config: &Config) -> Result<()> {
        if !self.unknown.is_empty() {
            return Err(Error::new(
                ErrorKind::Drift,
                format!(
                    "the database is at {}, which `{}` does not have",
                    list(&self.unknown),
                    config.migrations_shown()
                ),
            )
            .help("the database is ahead of the files: update your checkout, or check that this is the right database")
            .help("if a file is gone for good, `runner stamp --purge REVISION` says where the database really is"));
        }
        Ok(())
    }

    fn refuse_edits(&self, config: &Config) -> Result<()> {
        if !self.removed.is_empty() {
            return Err(Error::new(
                ErrorKind::Drift,
                format!(
                    "{} applied here, but the files are gone from `{}`",
                    are(&self.removed),
                    config.migrations_shown()
                ),
            )
            .help("put the files back from version control; history that is applied can't be rewritten")
            .help(format!(
                "if a file is gone for good, say so with `runner repair {} --forget --reason \"…\"`",
                self.removed[0]
            )));
        }
        if !self.inserted.is_empty() {
            return Err(Error::new(
                ErrorKind::Drift,
                format!("{} was put below a revision that is applied here, and has never run", list(&self.inserted)),
            )
            .help("put `Revises:` of the applied revision back, and the new revision on top of the chain"));
        }
        if let Some((id, file)) = self.edited.first() {
            let ids: Vec<String> = self.edited.iter().map(|(id, _)| id.clone()).collect();
            return Err(Error::new(
                ErrorKind::Drift,
                format!("{} applied here, and the SQL was edited since", are(&ids)),
            )
            .help(format!("put `{file}` back as it was applied, and make the change in a new revision"))
            .help(format!(
                "if what runs is the same, accept the edit with `runner repair {id} --accept-edit --reason \"…\"`"
            )));
        }
        Ok(())
    }

    /// The error for revisions that were applied, and whose version row is gone.
    pub(crate) fn lost_rows(&self) -> Option<Error> {
        (!self.lost.is_empty()).then(|| {
            Error::new(
                ErrorKind::Drift,
                format!("the ledger has {} as applied, and the version table does not", list(&self.lost)),
            )
            .help("somebody changed the version table by hand; say where the database really is with `runner stamp`")
        })
    }

    /// What is odd, but stops nothing.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.reworded.is_empty() {
            warnings.push(format!("comments or header of {} changed since it was applied", list(&self.reworded)));
        }
        if !self.edited_after_skip.is_empty() {
            warnings.push(format!("{} changed since it was skipped here", list(&self.edited_after_skip)));
        }
        warnings
    }
}

/// Whether the file of an applied revision is no longer what was recorded.
fn was_edited(state: &State, revision: &Revision) -> bool {
    let record = state.records.get(revision.id.as_str()).filter(|record| counts(record));
    record.is_some_and(|record| record.checksum != Some(revision.checksum()))
}

/// Whether a record says that the revision counts as applied.
pub(super) fn counts(record: &Record) -> bool {
    match record.status {
        RecordedStatus::Applied | RecordedStatus::Stamped => true,
        RecordedStatus::Skipped => record.direction == StepDirection::Up,
        RecordedStatus::Reverted | RecordedStatus::Unstamped => false,
    }
}

fn list(ids: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = ids.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    if ids.len() > SHOWN {
        names.push(format!("{} more", ids.len() - SHOWN));
    }
    names.join(", ")
}

fn are(ids: &[String]) -> String {
    if ids.len() == 1 { format!("revision {} is", list(ids)) } else { format!("revisions {} are", list(ids)) }
}
