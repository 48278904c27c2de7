//! The folder that backups are in.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::MANIFEST_FILE;
use crate::SUMS_FILE;
use crate::backup::Backup;
use crate::check;
use crate::check::Surface;
use crate::damage::Damage;
use crate::disk;
use crate::draft::Draft;
use crate::error::BackupError;
use crate::lock::Lock;
use crate::lock::Writer;
use crate::lock::writer_of;
use crate::name;
use crate::protection::Protection;
use crate::removal;

/// A folder of backups. It need not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// What is found in a folder of backups.
#[derive(Debug)]
pub enum Entry {
    /// A backup that can be read.
    Readable(Box<Backup>),
    /// Something that is or was a backup.
    Damaged {
        /// Its name.
        name: String,
        /// What is wrong with it first: [`BackupError::Damaged`] or [`BackupError::Newer`].
        why: BackupError,
    },
}

impl Entry {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Readable(backup) => backup.name(),
            Self::Damaged { name, .. } => name,
        }
    }
}

impl Folder {
    /// A folder of backups.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Folder { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All backups: the readable ones, newest first, then the damaged ones by name. What is unfinished, hidden, or no backup is
    /// left out; a folder that is missing holds none.
    ///
    /// # Errors
    /// The folder is there and can't be listed.
    pub fn list(&self) -> Result<Vec<Entry>, BackupError> {
        let (mut readable, mut damaged) = (Vec::new(), Vec::new());
        for name in self.names()?.into_iter().filter(|name| name::check_name(name).is_ok() && self.holds(name)) {
            match self.look_at(&name) {
                Ok(backup) => readable.push(backup),
                Err(why) => damaged.push(Entry::Damaged { name, why }),
            }
        }
        readable.sort_by_key(|backup| Reverse((backup.manifest().created, backup.name().to_owned())));
        damaged.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(readable.into_iter().map(|backup| Entry::Readable(Box::new(backup))).chain(damaged).collect())
    }

    /// Opens a backup.
    ///
    /// # Errors
    /// [`BackupError::Name`], [`BackupError::Unknown`], [`BackupError::Damaged`] or [`BackupError::Newer`].
    pub fn open(&self, name: &str) -> Result<Backup, BackupError> {
        self.require(name)?;
        self.look_at(name)
    }

    /// Compares every file of a backup with what was written, and gives all that is wrong, also of one that can't be opened.
    ///
    /// # Errors
    /// [`BackupError::Name`] or [`BackupError::Unknown`], or its folder can't be listed.
    pub fn check(&self, name: &str) -> Result<Vec<Damage>, BackupError> {
        self.require(name)?;
        check::check(&self.path.join(name), name)
    }

    /// Begins a backup. The folder is made if it is missing.
    ///
    /// # Errors
    /// [`BackupError::Name`], [`BackupError::Exists`], [`BackupError::Busy`], [`BackupError::NoRecipients`], or the folder
    /// can't be written.
    pub fn begin(&self, name: &str, protection: Protection) -> Result<Draft, BackupError> {
        Draft::begin(&self.path, name, protection)
    }

    /// Removes a backup, also a damaged one. It is not listed any more before the first of its files is gone.
    ///
    /// # Errors
    /// [`BackupError::Name`] or [`BackupError::Unknown`], or it can't be removed.
    pub fn remove(&self, name: &str) -> Result<(), BackupError> {
        self.require(name)?;
        let moment = Lock::of_folder(&self.path)?;
        let hidden = removal::hide(&self.path, &self.path.join(name), name)?;
        drop(moment);
        disk::remove_folder(&hidden)
    }

    /// Removes what writers that are dead have begun, and what is left of backups that were being removed. Living writers are
    /// left alone. Gives the names of the backups that nothing is left of.
    ///
    /// # Errors
    /// The folder can't be listed, or something can't be removed.
    pub fn sweep(&self) -> Result<Vec<String>, BackupError> {
        let is_rest = |name: &str| name::of_partial(name).or(name::of_removed(name)).is_some();
        let is_folder = |name: &str| self.path.join(name).symlink_metadata().is_ok_and(|found| found.is_dir());
        let mut rests: Vec<String> = self.names()?;
        rests.retain(|name| is_rest(name) && is_folder(name));
        rests.sort();
        let mut swept = Vec::new();
        for rest in rests {
            let path = self.path.join(&rest);
            if let Some(name) = name::of_removed(&rest) {
                disk::remove_folder(&path)?;
                swept.push(name.to_owned());
            } else if let Some(name) = name::of_partial(&rest) {
                let moment = Lock::of_folder(&self.path)?;
                // It may have become a backup since it was listed.
                if !is_folder(&rest) || matches!(writer_of(&path)?, Writer::Alive) {
                    continue;
                }
                let hidden = removal::hide(&self.path, &path, name)?;
                drop(moment);
                disk::remove_folder(&hidden)?;
                swept.push(name.to_owned());
            }
        }
        swept.dedup();
        Ok(swept)
    }

    /// Names of all that is in the folder.
    fn names(&self) -> Result<Vec<String>, BackupError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotADirectory => BackupError::NotAFolder { path: self.path.clone() },
            _ => BackupError::io("list", &self.path, error),
        };
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            // What is no Unicode has no name of ours.
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        Ok(names)
    }

    /// Whether something is a backup, or what is left of one.
    fn holds(&self, name: &str) -> bool {
        let path = self.path.join(name);
        [MANIFEST_FILE, SUMS_FILE].iter().any(|file| path.join(file).symlink_metadata().is_ok())
    }

    /// Refuses a name that no backup has.
    fn require(&self, name: &str) -> Result<(), BackupError> {
        name::check_name(name)?;
        if self.holds(name) {
            return Ok(());
        }
        let known = self.list()?.iter().map(|entry| entry.name().to_owned()).collect();
        Err(BackupError::Unknown { name: name.to_owned(), folder: self.path.clone(), known })
    }

    fn look_at(&self, name: &str) -> Result<Backup, BackupError> {
        let path = self.path.join(name);
        let Surface { manifest, sums_sha256, damages, .. } = check::surface(&path, name);
        let damaged = |damage| match damage {
            Damage::Newer { format } => BackupError::Newer { name: name.to_owned(), format },
            damage => BackupError::Damaged { name: name.to_owned(), damage },
        };
        match (manifest, damages.into_iter().next()) {
            (Some(manifest), None) => Ok(Backup::new(name.to_owned(), path, manifest, sums_sha256)),
            (_, Some(damage)) => Err(damaged(damage)),
            // Without a manifest there always is a damage that says why.
            (None, None) => Err(damaged(Damage::Missing { file: MANIFEST_FILE.to_owned() })),
        }
    }
}
