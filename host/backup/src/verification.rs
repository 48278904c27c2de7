//! When and how a backup was verified.
//!
//! The record says which `SHA256SUMS` it is about. Its last field is the SHA-256 of everything that stands before it, so that
//! `head -n -2 verified.json | sha256sum` gives the same.

use std::fs;
use std::io;
use std::path::Path;
use std::process;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::check;
use crate::damage::Damage;
use crate::disk;
use crate::error::BackupError;
use crate::manifest::FORMAT;
use crate::sums::sha256;

/// The file that says when and how a backup was verified.
pub const VERIFICATION_FILE: &str = "verified.json";
/// How files begin that are to become such a record.
const NEW: &str = ".verified.";
/// A larger record was not written by us.
const MOST_BYTES: u64 = 1024 * 1024;

/// When and how a backup was verified: `verified.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The format: [`FORMAT`]. [`crate::Backup::record_verification`] sets it.
    #[serde(default)]
    pub format: u64,
    /// When.
    pub at: Timestamp,
    /// What was done, in a sentence.
    pub how: String,
    /// What did it, as in `runner 0.1.0`.
    pub tool: String,
    /// Who did it.
    pub actor: String,
    /// The machine on which it was done.
    pub host: String,
    /// The SHA-256 of the `SHA256SUMS` that was verified. [`crate::Backup::record_verification`] sets it.
    #[serde(default)]
    pub sums_sha256: String,
}

/// Whether a file of a backup is such a record, or one that a process wrote no further.
pub(crate) fn is_file(name: &str) -> bool {
    name == VERIFICATION_FILE || name.starts_with(NEW)
}

/// Puts a record in the place of what there was.
pub(crate) fn write(folder: &Path, verification: Verification, sums_sha256: &str) -> Result<(), BackupError> {
    let verification = Verification { format: FORMAT, sums_sha256: sums_sha256.to_owned(), ..verification };
    let path = folder.join(VERIFICATION_FILE);
    let failed = |error| BackupError::io("write", &path, error);
    let text = text(&verification).map_err(|error| failed(error.into()))?;
    // A name of its own for each process, so that none writes into what another has already put in place.
    let new = folder.join(format!("{NEW}{}", process::id()));
    let file = disk::private_file().create(true).truncate(true).open(&new);
    let written = file.map_err(|error| BackupError::io("write", &new, error)).and_then(|file| {
        disk::fill(file, &new, text.as_bytes())?;
        fs::rename(&new, &path).map_err(failed)
    });
    if written.is_err() {
        // The first error is the one worth reporting.
        let _ = fs::remove_file(&new);
    }
    written?;
    disk::sync_folder(folder)
}

/// Reads the record of a backup whose `SHA256SUMS` has this SHA-256.
pub(crate) fn read(folder: &Path, sums_sha256: &str) -> Result<Option<Verification>, Damage> {
    let file = || VERIFICATION_FILE.to_owned();
    let content = match disk::read(&folder.join(VERIFICATION_FILE), MOST_BYTES) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(check::unreadable(VERIFICATION_FILE, &error)),
    };
    let text = str::from_utf8(&content).ok().filter(|text| is_whole(text)).ok_or(Damage::Altered { file: file() })?;
    let found: Verification =
        serde_json::from_str(text).map_err(|error| Damage::Wrong { file: file(), why: error.to_string() })?;
    if found.format > FORMAT {
        return Err(Damage::Newer { format: found.format });
    }
    if found.sums_sha256 != sums_sha256 {
        let why = "it is about another `SHA256SUMS` than the one that is there".to_owned();
        return Err(Damage::Contradiction { file: file(), why });
    }
    Ok(Some(found))
}

fn text(verification: &Verification) -> serde_json::Result<String> {
    let fields = serde_json::to_string_pretty(verification)?;
    let body = format!("{},\n", fields.trim_end_matches('}').trim_end());
    Ok(format!("{body}{}", ending(&body)))
}

/// The last field, and the end of the file.
fn ending(body: &str) -> String {
    format!("  \"sha256\": \"{}\"\n}}\n", sha256(body.as_bytes()))
}

fn is_whole(text: &str) -> bool {
    let length = ending("").len();
    let (body, end) = text.split_at_checked(text.len().saturating_sub(length)).unwrap_or_default();
    end == ending(body)
}
