//! Whether a backup is what was written.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::MANIFEST_FILE;
use crate::SUMS_FILE;
use crate::damage::Damage;
use crate::disk;
use crate::error::BackupError;
use crate::manifest::EncryptionKind;
use crate::manifest::Manifest;
use crate::manifest::Member;
use crate::manifest::Table;
use crate::name::is_file_name;
use crate::sums::Sums;
use crate::sums::sha256;
use crate::sums::sha256_of_file;
use crate::verification;

/// A larger manifest was not written by us.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// What a backup says about itself, and what is wrong with that.
pub(crate) struct Surface {
    pub(crate) manifest: Option<Manifest>,
    pub(crate) sums: Option<Sums>,
    /// The SHA-256 of `SHA256SUMS`.
    pub(crate) sums_sha256: String,
    pub(crate) damages: Vec<Damage>,
}

/// Reads manifest and `SHA256SUMS` of a backup, and compares them with each other and with its name.
pub(crate) fn surface(path: &Path, name: &str) -> Surface {
    let mut damages = Vec::new();
    let content = note(read(path, SUMS_FILE), &mut damages);
    let sums_sha256 = content.as_deref().map(sha256).unwrap_or_default();
    let sums = content.and_then(|content| {
        let parsed = Sums::parse(&content).map_err(|why| Damage::Wrong { file: SUMS_FILE.to_owned(), why });
        note(parsed, &mut damages)
    });
    let manifest = note(read(path, MANIFEST_FILE), &mut damages).and_then(|content| {
        let recorded = sums.as_ref().map(|sums| sums.get(MANIFEST_FILE));
        if recorded.is_some_and(|recorded| recorded != Some(&sha256(&content))) {
            // Whatever else is wrong with it follows from that.
            damages.push(Damage::Altered { file: MANIFEST_FILE.to_owned() });
            return Manifest::parse(&content).ok();
        }
        note(Manifest::parse(&content), &mut damages)
    });
    if let Some(manifest) = &manifest {
        contradictions(manifest, name, &mut damages);
        if let Some(sums) = &sums {
            compare(manifest, sums, &mut damages);
        }
    }
    Surface { manifest, sums, sums_sha256, damages }
}

/// Compares every file with what was written, and gives all that is wrong.
pub(crate) fn check(path: &Path, name: &str) -> Result<Vec<Damage>, BackupError> {
    let Surface { manifest, sums, sums_sha256, mut damages } = surface(path, name);
    let members = manifest.map(|manifest| manifest.members).unwrap_or_default();
    let sums = sums.unwrap_or_default();
    let mut expected: BTreeSet<&str> = sums.files().map(|(file, _)| file).collect();
    expected.extend(members.iter().map(|member| member.file.as_str()));

    let unlisted = |error| BackupError::io("list", path, error);
    for entry in fs::read_dir(path).map_err(unlisted)? {
        let file = entry.map_err(unlisted)?.file_name().to_string_lossy().into_owned();
        let is_own = [MANIFEST_FILE, SUMS_FILE].contains(&file.as_str()) || verification::is_file(&file);
        if !is_own && !expected.contains(file.as_str()) {
            damages.push(Damage::Extra { file });
        }
    }
    // What is said of manifest and sums themselves is known already.
    for file in expected.into_iter().filter(|file| *file != MANIFEST_FILE && is_file_name(file)) {
        let member = members.iter().find(|member| member.file == file);
        let sha256 = sums.get(file).or(member.map(|member| member.sha256.as_str()));
        damages.extend(damage_of(path, file, member, sha256));
    }
    damages.extend(verification::read(path, &sums_sha256).err());
    Ok(damages)
}

/// A table whose rows are in no member.
pub(crate) fn lost_table(manifest: &Manifest) -> Option<&Table> {
    let members: BTreeSet<&str> = manifest.members.iter().map(|member| member.file.as_str()).collect();
    manifest.tables.iter().chain(&manifest.ledger).find(|table| !members.contains(table.member.as_str()))
}

fn damage_of(path: &Path, file: &str, member: Option<&Member>, sha256: Option<&str>) -> Option<Damage> {
    let file_name = || file.to_owned();
    match sha256_of_file(&path.join(file)) {
        Err(error) => Some(unreadable(file, &error)),
        Ok((found, _)) if member.is_some_and(|member| member.bytes != found) => {
            member.map(|member| Damage::Length { file: file_name(), expected: member.bytes, found })
        }
        Ok((_, found)) if sha256 != Some(&found) => Some(Damage::Altered { file: file_name() }),
        Ok(_) => None,
    }
}

/// What a manifest says that can't be.
fn contradictions(manifest: &Manifest, name: &str, damages: &mut Vec<Damage>) {
    if manifest.name != name {
        damages.push(Damage::Renamed { name: manifest.name.clone(), folder: name.to_owned() });
    }
    let mut contradicted = |why| damages.push(Damage::Contradiction { file: MANIFEST_FILE.to_owned(), why });
    let is_encrypted = manifest.encryption.kind != EncryptionKind::None;
    let mut seen = BTreeSet::new();
    for Member { file, .. } in &manifest.members {
        if !is_file_name(file) || [MANIFEST_FILE, SUMS_FILE, verification::VERIFICATION_FILE].contains(&file.as_str()) {
            contradicted(format!("`{}` cannot be the name of a member", file.escape_debug()));
        } else if !seen.insert(file) {
            contradicted(format!("the member `{file}` is there twice"));
        }
    }
    for member in &manifest.members {
        if member.is_encrypted() != is_encrypted {
            let says = if is_encrypted { "is encrypted" } else { "is not encrypted" };
            contradicted(format!("the backup {says}, and the member `{}` is not like that", member.file));
        }
    }
    if let Some(table) = lost_table(manifest) {
        contradicted(format!("table `{}` is said to be in `{}`, which is no member", table.name, table.member));
    }
}

/// What a manifest and `SHA256SUMS` say differently.
fn compare(manifest: &Manifest, sums: &Sums, damages: &mut Vec<Damage>) {
    let mut contradicted = |why| damages.push(Damage::Contradiction { file: SUMS_FILE.to_owned(), why });
    for Member { file, sha256, .. } in &manifest.members {
        match sums.get(file) {
            None => contradicted(format!("the manifest has a member `{file}` that it does not have")),
            Some(sum) if sum != sha256 => contradicted(format!("the manifest has another digest of `{file}`")),
            Some(_) => {}
        }
    }
    for (file, _) in sums.files() {
        if file != MANIFEST_FILE && manifest.member(file).is_none() {
            contradicted(format!("the manifest has no member `{file}`"));
        }
    }
}

fn read(path: &Path, file: &str) -> Result<Vec<u8>, Damage> {
    disk::read(&path.join(file), MOST_BYTES).map_err(|error| unreadable(file, &error))
}

pub(crate) fn unreadable(file: &str, error: &io::Error) -> Damage {
    match error.kind() {
        io::ErrorKind::NotFound => Damage::Missing { file: file.to_owned() },
        _ => Damage::Unreadable { file: file.to_owned(), why: error.to_string() },
    }
}

fn note<T>(result: Result<T, Damage>, damages: &mut Vec<Damage>) -> Option<T> {
    result.map_err(|damage| damages.push(damage)).ok()
}
