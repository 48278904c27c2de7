//! A backup that is being written.

use std::path::Path;
use std::path::PathBuf;

use crate::MANIFEST_FILE;
use crate::SUMS_FILE;
use crate::backup::Backup;
use crate::check;
use crate::disk;
use crate::error::BackupError;
use crate::lock::Lock;
use crate::lock::WRITER_LOCK;
use crate::lock::Writer;
use crate::lock::writer_of;
use crate::manifest::Compression;
use crate::manifest::FORMAT;
use crate::manifest::Manifest;
use crate::member::Kind;
use crate::member::MemberWriter;
use crate::member::Members;
use crate::name;
use crate::protection::Protection;
use crate::removal;
use crate::sums::Sums;
use crate::sums::sha256;

/// A backup that is being written, in a hidden folder that nobody lists. Dropped without [`Draft::finish`], it is removed.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    name: String,
    partial: PathBuf,
    protection: Protection,
    members: Members,
    /// Says that the writer lives.
    lock: Option<Lock>,
    is_renamed: bool,
}

impl Draft {
    pub(crate) fn begin(folder: &Path, name: &str, protection: Protection) -> Result<Self, BackupError> {
        name::check_name(name)?;
        if matches!(&protection, Protection::Recipients(recipients) if recipients.is_empty()) {
            return Err(BackupError::NoRecipients);
        }
        disk::make_folders(folder)?;
        let _moment = Lock::of_folder(folder)?;
        let path = folder.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path });
        }
        let partial = folder.join(name::partial(name));
        if partial.symlink_metadata().is_ok() {
            match writer_of(&partial)? {
                Writer::Alive => return Err(BackupError::Busy { name: name.to_owned() }),
                Writer::Dead => disk::remove_folder(&partial)?,
            }
        }
        disk::make_folder(&partial)?;
        let lock = Lock::of_writer(&partial).inspect_err(|_| {
            // The first error is the one worth reporting.
            let _ = disk::remove_folder(&partial);
        })?;
        Ok(Draft {
            folder: folder.to_owned(),
            name: name.to_owned(),
            partial,
            protection,
            members: Members::default(),
            lock: Some(lock),
            is_renamed: false,
        })
    }

    /// The name that the backup will have.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins a member of a kind. Its label, as in `public.patient`, becomes a part of the file's name. Several members may be
    /// written at the same time.
    ///
    /// # Errors
    /// Its file can't be made, or not be encrypted.
    pub fn member(&self, label: &str, kind: Kind) -> Result<MemberWriter, BackupError> {
        MemberWriter::begin(&self.partial, &self.members, (label, kind), &self.protection)
    }

    /// Makes it a backup. All of it is on the disk when this returns.
    ///
    /// Of the manifest, `format`, `name`, `encryption`, `compression` and `members` are set here.
    ///
    /// # Errors
    /// A member is not finished, the manifest names one that was not written, there is a backup of this name, or
    /// something can't be written. Nothing of the backup is kept then.
    pub fn finish(mut self, manifest: Manifest) -> Result<Backup, BackupError> {
        let manifest = self.complete(manifest)?;
        let path = self.partial.join(MANIFEST_FILE);
        let text = manifest.to_text().map_err(|error| BackupError::io("write", &path, error.into()))?;
        disk::write_new(&path, text.as_bytes())?;
        let mut sums = Sums::default();
        sums.add(MANIFEST_FILE, sha256(text.as_bytes()));
        for member in &manifest.members {
            sums.add(&member.file, member.sha256.clone());
        }
        let sums = sums.to_string();
        disk::write_new(&self.partial.join(SUMS_FILE), sums.as_bytes())?;

        let _moment = Lock::of_folder(&self.folder)?;
        self.members.close();
        self.lock = None;
        let lock = self.partial.join(WRITER_LOCK);
        std::fs::remove_file(&lock).map_err(|error| BackupError::io("remove", &lock, error))?;
        disk::sync_folder(&self.partial)?;
        let path = self.folder.join(&self.name);
        disk::rename_new(&self.partial, &path)?;
        self.is_renamed = true;
        disk::sync_folder(&self.folder)?;
        Ok(Backup::new(self.name.clone(), path, manifest, sha256(sums.as_bytes())))
    }

    fn complete(&self, manifest: Manifest) -> Result<Manifest, BackupError> {
        let unfinished = |open| BackupError::Unfinished { name: self.name.clone(), open };
        let mut members = self.members.finished().map_err(unfinished)?;
        members.sort_by(|one, other| one.file.cmp(&other.file));
        let manifest = Manifest {
            format: FORMAT,
            name: self.name.clone(),
            encryption: self.protection.encryption(),
            compression: Compression::Zstd,
            members,
            ..manifest
        };
        match check::lost_table(&manifest) {
            None => Ok(manifest),
            Some(table) => Err(BackupError::UnknownMember {
                name: self.name.clone(),
                table: table.name.clone(),
                file: table.member.clone(),
            }),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.members.close();
        if self.is_renamed {
            return;
        }
        // What can't be removed here is found by whoever sweeps.
        let Ok(moment) = Lock::of_folder(&self.folder) else { return };
        self.lock = None;
        let hidden = removal::hide(&self.folder, &self.partial, &self.name);
        // Another draft of this name may begin from now on.
        drop(moment);
        if let Ok(hidden) = hidden {
            let _ = disk::remove_folder(&hidden);
        }
    }
}
