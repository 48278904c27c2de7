//! A backup that can be read.

use std::path::Path;
use std::path::PathBuf;

use crate::check;
use crate::damage::Damage;
use crate::error::BackupError;
use crate::keys::Keys;
use crate::manifest::Manifest;
use crate::reader::MemberReader;
use crate::verification;
use crate::verification::Verification;

/// A backup whose manifest is the one that was written. What is in its members is looked at by [`Backup::check`] and
/// [`Backup::read`].
#[derive(Debug, Clone)]
pub struct Backup {
    name: String,
    path: PathBuf,
    manifest: Manifest,
    /// The SHA-256 of `SHA256SUMS`, and so of everything.
    sums_sha256: String,
}

impl Backup {
    pub(crate) fn new(name: String, path: PathBuf, manifest: Manifest, sums_sha256: String) -> Self {
        Backup { name, path, manifest, sums_sha256 }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The SHA-256 of its `SHA256SUMS`, which stands for all that is in it.
    pub fn sums_sha256(&self) -> &str {
        &self.sums_sha256
    }

    /// When and how it was verified; `None` if it never was.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] if the record was changed, or is about other files.
    pub fn verification(&self) -> Result<Option<Verification>, BackupError> {
        verification::read(&self.path, &self.sums_sha256).map_err(|damage| self.damaged(damage))
    }

    /// Says that it was verified, in place of what was said before. The record is on the disk when this returns.
    ///
    /// # Errors
    /// It can't be written.
    pub fn record_verification(&self, verification: Verification) -> Result<(), BackupError> {
        verification::write(&self.path, verification, &self.sums_sha256)
    }

    /// Compares every file with what was written, and gives all that is wrong. It reads all of the backup, and needs no keys.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn check(&self) -> Result<Vec<Damage>, BackupError> {
        let mut damages = check::check(&self.path, &self.name)?;
        // All of its files may have been replaced since it was opened, each fitting the others.
        if damages.is_empty() && check::surface(&self.path, &self.name).sums_sha256 != self.sums_sha256 {
            damages.push(Damage::Altered { file: crate::SUMS_FILE.to_owned() });
        }
        Ok(damages)
    }

    /// Reads a member, decrypted and decompressed. Reading to the end compares the stored file with what was written.
    ///
    /// # Errors
    /// There is no such member, its length is another one, or none of the keys decrypts it.
    pub fn read(&self, file: &str, keys: &Keys) -> Result<MemberReader, BackupError> {
        let member = self
            .manifest
            .member(file)
            .ok_or_else(|| BackupError::NoMember { name: self.name.clone(), file: file.to_owned() })?;
        let path = self.path.join(file);
        MemberReader::open(path, member, &self.manifest.encryption, keys)
    }

    fn damaged(&self, damage: Damage) -> BackupError {
        BackupError::Damaged { name: self.name.clone(), damage }
    }
}
