//! What was rehearsed, so that a rollback can say whether its ways down were ever tried.
//!
//! It is kept in the user's cache, a file a project, and in the file that `[test] record` or `--record` names, which a team may
//! commit. An entry is about one revision on one kind of database; it holds for the file with its checksum and no other.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use runner_chain::Chain;
use runner_chain::Revision;
use runner_database::Dialect;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use super::Outcome;
use super::Rehearsed;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::lint::baseline;
use crate::pipeline::cache;

/// The form of record files that this version writes and reads.
const FORMAT: u32 = 1;

/// That a revision went up, down and up again, and each time to the same schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) revision: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub(crate) dialect: String,
    /// SHA-256 of the revision's file.
    pub(crate) checksum: String,
    /// Product and version of the server.
    pub(crate) server: String,
    /// When, in UTC, RFC 3339.
    pub(crate) at: String,
    /// The version of the runner.
    pub(crate) tool_version: String,
}

/// What is known of a revision's way down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It went, with the file as it is.
    Tested(Entry),
    /// It went, with the file as it is, on another kind of database.
    Elsewhere(Entry),
    /// It went, and the file has changed since.
    Changed(Entry),
    /// Nothing.
    Never,
}

/// Entries by revision and kind of database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    entries: BTreeMap<(String, String), Entry>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    rehearsals: Vec<Entry>,
}

impl Record {
    /// What is known in this project: in the file that it names, and in the user's cache.
    ///
    /// # Errors
    /// The file that the project names is there and can't be read.
    pub(crate) fn known(config: &Config) -> Result<Self> {
        let mut known = cache().recall(&name(config)).and_then(Self::of_bytes).unwrap_or_default();
        if let Some((path, _)) = config.rehearsals()? {
            known.add(Self::read(path)?);
        }
        Ok(known)
    }

    /// Adds what came of a rehearsal to the user's cache, and to a file if there is one.
    ///
    /// # Errors
    /// The file can't be read or written. That the cache can't be is no error.
    pub(crate) fn keep(config: &Config, file: Option<&Path>, chain: &Chain, rehearsed: &Rehearsed) -> Result<()> {
        let (cache, name) = (cache(), name(config));
        let mut local = cache.recall(&name).and_then(Self::of_bytes).unwrap_or_default();
        if local.note(chain, rehearsed)
            && let Err(error) = cache.keep(&name, local.text().as_bytes())
        {
            tracing::debug!("the record of rehearsals can't be kept in the cache: {error}");
        }
        let configured = config.rehearsals()?.map(|(path, _)| path.clone());
        if let Some(path) = file.map(PathBuf::from).or(configured) {
            let mut record = Self::read(&path)?;
            // What is known already is not written anew, so that a checkout stays clean.
            if record.note(chain, rehearsed) {
                baseline::save(&path, &record.text())?;
            }
        }
        Ok(())
    }

    /// What is known of a revision on a kind of database.
    pub(crate) fn of(&self, revision: &Revision, dialect: Dialect) -> Known {
        let (id, dialect, checksum) = (revision.id.as_str(), dialect.to_string(), revision.checksum().to_string());
        let here = self.entries.get(&(id.to_owned(), dialect));
        if let Some(entry) = here.filter(|entry| entry.checksum == checksum) {
            return Known::Tested(entry.clone());
        }
        let all = || self.entries.values().filter(|entry| entry.revision == id);
        if let Some(entry) = all().find(|entry| entry.checksum == checksum) {
            return Known::Elsewhere(entry.clone());
        }
        match here.or_else(|| all().next()) {
            Some(entry) => Known::Changed(entry.clone()),
            None => Known::Never,
        }
    }

    /// Adds what came of a rehearsal. `false`: all of it was known.
    fn note(&mut self, chain: &Chain, rehearsed: &Rehearsed) -> bool {
        let before = self.entries.clone();
        let all_went = rehearsed.base_and_back.as_ref().is_none_or(|base| base.outcome != Outcome::Failed);
        for tested in &rehearsed.revisions {
            let Some(revision) = chain.get(&tested.revision) else { continue };
            let key = (tested.revision.clone(), rehearsed.dialect.clone());
            match tested.outcome {
                Outcome::Passed if all_went => {
                    let entry = Entry {
                        revision: tested.revision.clone(),
                        dialect: rehearsed.dialect.clone(),
                        checksum: revision.checksum().to_string(),
                        server: rehearsed.server.clone(),
                        at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
                    };
                    let is_known = self
                        .entries
                        .get(&key)
                        .is_some_and(|known| known.checksum == entry.checksum && known.server == entry.server);
                    if !is_known {
                        self.entries.insert(key, entry);
                    }
                }
                // It went once, and does not any more.
                Outcome::Failed | Outcome::Irreversible => drop(self.entries.remove(&key)),
                Outcome::Passed | Outcome::NotRun => {}
            }
        }
        self.entries != before
    }

    /// Adds another record; the newer entry counts.
    fn add(&mut self, other: Self) {
        for (key, entry) in other.entries {
            match self.entries.get(&key) {
                Some(known) if known.at >= entry.at => {}
                _ => drop(self.entries.insert(key, entry)),
            }
        }
    }

    fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|reason| {
                Error::new(ErrorKind::Configuration, format!("`{shown}` is no record of rehearsals: {reason}"))
                    .help("remove it, and have `runner test` write it again")
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::new(ErrorKind::Io, format!("failed to read `{shown}`: {error}"))),
        }
    }

    /// What was kept; nothing if it can't be read.
    fn of_bytes(bytes: Vec<u8>) -> Option<Self> {
        Self::parse(&String::from_utf8(bytes).ok()?).ok()
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if written.format > FORMAT {
            return Err(format!("it has the format {}, which a newer version has written", written.format));
        }
        let entries = written.rehearsals.into_iter();
        Ok(Self { entries: entries.map(|entry| ((entry.revision.clone(), entry.dialect.clone()), entry)).collect() })
    }

    /// A line an entry, so that git merges what two branches add.
    fn text(&self) -> String {
        let lines: Vec<String> = self
            .entries
            .values()
            .map(|entry| format!("    {}", serde_json::to_string(entry).unwrap_or_default()))
            .collect();
        format!("{{\n  \"format\": {FORMAT},\n  \"rehearsals\": [\n{}\n  ]\n}}\n", lines.join(",\n"))
    }
}

/// The name of a project's record in the cache.
fn name(config: &Config) -> String {
    // From wherever the command is run.
    let folders: Vec<String> = config
        .migrations
        .iter()
        .map(|location| std::path::absolute(&location.path).unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let digest = Sha256::digest(folders.join("\0"));
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("rehearsals-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(revision: &str, at: &str) -> Entry {
        Entry {
            revision: revision.to_owned(),
            dialect: "sqlite".to_owned(),
            checksum: "c".to_owned(),
            server: "SQLite 3".to_owned(),
            at: at.to_owned(),
            tool_version: "1".to_owned(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut record = Record::default();
        assert_eq!(Record::parse(&record.text()), Ok(record.clone()));
        for id in ["b", "a"] {
            record.entries.insert((id.to_owned(), "sqlite".to_owned()), entry(id, "2026-01-01T00:00:00Z"));
        }
        assert_eq!(Record::parse(&record.text()), Ok(record.clone()));
        assert_eq!(record.text().lines().count(), 7, "a line an entry");
        assert!(Record::parse("{\"format\": 9, \"rehearsals\": []}").unwrap_err().contains("a newer version"));
    }

    #[test]
    fn the_newer_entry_counts() {
        let of = |at| Record { entries: [(("a".to_owned(), "sqlite".to_owned()), entry("a", at))].into() };
        for (one, other) in [("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-01-01")] {
            let mut record = of(one);
            record.add(of(other));
            assert_eq!(record, of("2026-02-01"));
        }
    }
}
