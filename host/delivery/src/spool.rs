//! Messages in files, for when the database can't hold them.
//!
//! Each batch is a file of JSON lines, written under another name first, so that nobody ever reads a part of one. Whoever
//! takes them over holds a lock that dies with the process.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::file::make_private;
use crate::notice::Notice;

const EXTENSION: &str = "jsonl";
const LOCK: &str = "lock";
/// A file of more bytes was not written by us.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A message that waits in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spooled {
    /// The message.
    pub notice: Notice,
    /// Attempts so far.
    pub attempts: u32,
    /// Whether it can't be delivered like this.
    pub is_dead: bool,
    /// What went wrong last, without secrets.
    pub last_error: Option<String>,
}

/// The folder of one project. It need not be there.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// The spool of a project, below a folder for state: the one given, else the user's own. `None` if there is neither.
    #[must_use]
    pub fn of_project(configured: Option<PathBuf>, project: &str) -> Option<Self> {
        let of_user = || dirs::state_dir().or_else(dirs::data_local_dir).map(|folder| folder.join("runner"));
        let folder = configured.or_else(of_user).filter(|folder| folder.is_absolute())?;
        Some(Spool { folder: folder.join("outbox").join(project) })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds messages, all or none. They are on the disk when this returns.
    ///
    /// # Errors
    /// The folder is not private to the user, or it can't be written.
    pub fn add(&self, messages: &[Spooled]) -> io::Result<()> {
        let Some(first) = messages.first() else { return Ok(()) };
        make_folder(&self.folder)?;
        let mut text = Vec::new();
        for message in messages {
            serde_json::to_writer(&mut text, message)?;
            text.push(b'\n');
        }
        let name = plain(&first.notice.key);
        let new = self.folder.join(format!("{name}.new"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        make_private(&mut options);
        let mut file = options.open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, self.folder.join(format!("{name}.{EXTENSION}")))
    }

    /// All messages, oldest first, without taking them over.
    ///
    /// # Errors
    /// The folder is there and can't be read.
    pub fn list(&self) -> io::Result<Vec<Spooled>> {
        let mut all = Vec::new();
        for file in files(&self.folder)? {
            match read(&file) {
                Ok(messages) => all.extend(messages),
                Err(error) => tracing::warn!("`{}` is left alone: {error}", file.display()),
            }
        }
        all.sort_by(|one, other| one.notice.key.cmp(&other.notice.key));
        Ok(all)
    }

    /// Takes all messages over; `None` if there is none, or if another process has them.
    ///
    /// # Errors
    /// The folder is there and can't be used.
    pub fn take(&self) -> io::Result<Option<Taken>> {
        if files(&self.folder)?.is_empty() {
            return Ok(None);
        }
        make_folder(&self.folder)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        make_private(&mut options);
        let lock = options.open(self.folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        let mut taken = Taken { spool: self.clone(), files: Vec::new(), messages: Vec::new(), _lock: lock };
        for file in files(&self.folder)? {
            match read(&file) {
                Ok(messages) => {
                    taken.messages.extend(messages);
                    taken.files.push(file);
                }
                Err(error) => tracing::warn!("`{}` is left alone: {error}", file.display()),
            }
        }
        taken.messages.sort_by(|one, other| one.notice.key.cmp(&other.notice.key));
        Ok(if taken.files.is_empty() { None } else { Some(taken) })
    }
}

/// Messages that this process has taken over. Dropping it gives them back as they were.
#[derive(Debug)]
pub struct Taken {
    spool: Spool,
    files: Vec<PathBuf>,
    messages: Vec<Spooled>,
    _lock: File,
}

impl Taken {
    /// The messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Spooled] {
        &self.messages
    }

    /// Puts these in the place of all that were taken over. Killed in the middle, both may be there: keys tell.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn replace(self, messages: &[Spooled]) -> io::Result<()> {
        self.spool.add(messages)?;
        let kept = messages.first().map(|first| format!("{}.{EXTENSION}", plain(&first.notice.key)));
        for file in &self.files {
            let is_kept = kept.as_ref().is_some_and(|kept| file.file_name().is_some_and(|name| name == kept.as_str()));
            if !is_kept {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }
}

/// A key as the name of a file.
fn plain(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> io::Result<Vec<Spooled>> {
    let found = fs::symlink_metadata(file)?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return Err(io::Error::other("it is not a file of the runner"));
    }
    fs::read_to_string(file)?.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
}

/// What waits here holds no secrets, but it is sent in the user's name: nobody else may write to the folder.
#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    use std::os::unix::fs::MetadataExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    let reason = if !found.is_dir() {
        "it is not a folder"
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        "it belongs to another user"
    } else if found.mode() & 0o022 != 0 {
        "others may write to it; `chmod 700` makes it private"
    } else {
        return Ok(());
    };
    Err(io::Error::other(format!("`{}`: {reason}", folder.display())))
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Occasion;
    use crate::notice::Severity;
    use crate::notice::Wording;

    fn spooled(key: &str) -> Spooled {
        let message =
            Wording { severity: Severity::Info, title: "t".to_owned(), text: String::new(), fields: Vec::new() };
        let occasion = Occasion {
            event: "finished".to_owned(),
            details: serde_json::Map::new(),
            run_id: "r".to_owned(),
            operation: "upgrade".to_owned(),
            environment: "test".to_owned(),
            production: None,
            target: "sqlite://a.db".to_owned(),
            actor: "ann".to_owned(),
            host: "h".to_owned(),
            plan_hash: String::new(),
        };
        let channel = "team".to_owned();
        let notice = Notice { key: key.to_owned(), created_at: "now".to_owned(), channel, message, occasion };
        Spooled { notice, attempts: 0, is_dead: false, last_error: None }
    }

    fn keys(messages: &[Spooled]) -> Vec<&str> {
        messages.iter().map(|message| message.notice.key.as_str()).collect()
    }

    #[test]
    fn what_is_taken_is_replaced_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of_project(Some(folder.path().to_owned()), "p").unwrap();
        assert!(spool.take().unwrap().is_none() && !spool.folder().exists());
        spool.add(&[spooled("b"), spooled("c")]).unwrap();
        spool.add(&[spooled("a")]).unwrap();
        assert_eq!(keys(&spool.list().unwrap()), ["a", "b", "c"]);
        let taken = spool.take().unwrap().unwrap();
        assert_eq!(keys(taken.messages()), ["a", "b", "c"]);
        assert!(spool.take().unwrap().is_none(), "two processes have the same messages");
        drop(taken);
        let taken = spool.take().unwrap().unwrap();
        taken.replace(&[spooled("b")]).unwrap();
        assert_eq!(keys(&spool.list().unwrap()), ["b"]);
        spool.take().unwrap().unwrap().replace(&[]).unwrap();
        assert_eq!(spool.list().unwrap(), []);
    }

    #[test]
    fn a_damaged_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of_project(Some(folder.path().to_owned()), "p").unwrap();
        spool.add(&[spooled("a")]).unwrap();
        fs::write(spool.folder().join("b.jsonl"), "{\"half\":").unwrap();
        let taken = spool.take().unwrap().unwrap();
        assert_eq!(keys(taken.messages()), ["a"]);
        taken.replace(&[]).unwrap();
        assert!(spool.folder().join("b.jsonl").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_can_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of_project(Some(folder.path().to_owned()), "p").unwrap();
        spool.add(&[spooled("a")]).unwrap();
        let mode = fs::metadata(spool.folder().join("a.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(spool.folder(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = spool.add(&[spooled("b")]).unwrap_err().to_string();
        assert!(refused.contains("others may write"), "{refused}");
    }
}
