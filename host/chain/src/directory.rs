//! The folders in which the revision files are.
//!
//! Each is opened once, and its files are reached through that handle only: neither a symbolic link nor `..` leads out of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZero;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::diagnostic::{Problem, Problems};
use crate::fault::Fault;
use crate::file::{Broken, parse_or_names};
use crate::graph::{Chain, assemble};
use crate::revision::Revision;

/// Reading more files than this takes longer than starting a thread.
const LONG: usize = 100;
/// How many files are worth a thread of their own.
const FILES_PER_THREAD: usize = 2000;
/// So many files a thread takes at a time.
const FILES_PER_PART: usize = 128;
/// More threads than this only wait for the file system.
const MAX_THREADS: usize = 8;

/// Why a folder gives no chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no such folder.
    #[error("the migrations folder `{}` does not exist", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// Something else than a folder has this name.
    #[error("`{}` is not a folder", path.display())]
    NotAFolder {
        /// What was opened.
        path: PathBuf,
    },
    /// There is no file whose name ends with `.sql`.
    #[error("the migrations folder `{}` holds no revision", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be opened or listed.
    #[error("cannot read the migrations folder `{}`", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The files, or the chain they form, are wrong.
    #[error(transparent)]
    Problems(#[from] Problems),
}

impl LoadError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } | Self::NotAFolder { .. } => {
                Some("run `init`, or set `dir` under `[migrations]` to the folder of the revision files".to_owned())
            }
            Self::Empty { .. } => Some("`revision -m \"...\"` writes the first one".to_owned()),
            Self::Unreadable { .. } => Some("check the permissions of the folder".to_owned()),
            Self::Problems(_) => None,
        }
    }
}

/// Why a file was not created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The folder cannot be opened.
    #[error(transparent)]
    Folder(#[from] LoadError),
    /// The name would lead out of the folder, would not be read as a revision, or is no name at all.
    #[error("`{name}` is not the name of a revision file")]
    Name {
        /// The name.
        name: String,
    },
    /// There is such a file already.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A folder of revision files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Where it is.
    pub path: PathBuf,
    /// How messages name it, usually as it is configured: `migrations`. Without a `/` at the end.
    pub shown_as: String,
}

impl Location {
    /// A folder, and how messages name it.
    pub fn new(path: impl Into<PathBuf>, shown_as: &str) -> Self {
        Self { path: path.into(), shown_as: shown_as.trim_end_matches('/').to_owned() }
    }

    /// How messages name a file in it.
    pub fn file(&self, name: &str) -> String {
        if self.shown_as.is_empty() { name.to_owned() } else { format!("{}/{name}", self.shown_as) }
    }
}

/// Reads every `*.sql` file directly in some folders, which form one chain. Hidden files, and whatever has another ending, are
/// left out.
///
/// # Errors
/// [`LoadError::Empty`] if there is no such file, [`LoadError::Problems`] with everything that is wrong with any of them
/// and with the chain they form, or why a folder cannot be read.
pub fn load(locations: &[Location]) -> Result<Chain, LoadError> {
    Folders::open(locations)?.load()
}

/// Like [`load`], but folders without revisions give an empty chain.
///
/// # Errors
/// As for [`load`], without [`LoadError::Empty`].
pub fn load_or_empty(locations: &[Location]) -> Result<Chain, LoadError> {
    Folders::open(locations)?.load_or_empty()
}

/// Makes a chain of files that were read from somewhere else, as from a version control system: names as they are shown to
/// people, and contents. Names that are no revision files' are left out, as [`load`] does.
///
/// # Errors
/// Everything that is wrong with any of them and with the chain they form.
pub fn assemble_texts(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Chain, Problems> {
    let (mut revisions, mut broken) = (Vec::new(), Vec::new());
    for (name, content) in files {
        if !Path::new(&name).file_name().is_some_and(is_revision_file) {
            continue;
        }
        match parse_or_names(&name, &content) {
            Ok(revision) => revisions.push(revision),
            Err(file) => broken.push(file),
        }
    }
    assemble(revisions, broken)
}

/// Folders whose files are known by name, and not yet read.
pub struct Folders {
    open: Vec<Open>,
    entries: Vec<Entry>,
    checksums: bool,
}

/// A folder that is open.
struct Open {
    location: Location,
    folder: Dir,
}

impl Folders {
    /// Opens folders and lists their revision files; see [`load`].
    ///
    /// # Errors
    /// Why a folder cannot be read.
    pub fn open(locations: &[Location]) -> Result<Self, LoadError> {
        let (mut all, mut entries) = (Vec::with_capacity(locations.len()), Vec::new());
        for location in locations {
            let folder = open(&location.path)?;
            let listed = list(&folder, all.len());
            entries.extend(listed.map_err(|source| LoadError::Unreadable { path: location.path.clone(), source })?);
            all.push(Open { location: location.clone(), folder });
        }
        Ok(Self { open: all, entries, checksums: false })
    }

    /// Whether reading takes long enough to do something else meanwhile.
    pub fn is_long(&self) -> bool {
        self.entries.len() >= LONG
    }

    /// Has checksums computed along with reading, by as many threads: for whoever compares all of them.
    #[must_use]
    pub fn with_checksums(self) -> Self {
        Self { checksums: true, ..self }
    }

    /// Reads the files as [`load`] does.
    ///
    /// # Errors
    /// As for [`load`].
    pub fn load(self) -> Result<Chain, LoadError> {
        let path = self.open.first().map(|open| open.location.path.clone()).unwrap_or_default();
        let chain = self.load_or_empty()?;
        if chain.is_empty() { Err(LoadError::Empty { path }) } else { Ok(chain) }
    }

    fn load_or_empty(self) -> Result<Chain, LoadError> {
        let mut revisions = Vec::with_capacity(self.entries.len());
        let mut broken = Vec::new();
        for read in read_all(&self.open, &self.entries, self.checksums) {
            match read {
                Ok(revision) => revisions.push(revision),
                Err(file) => broken.push(file),
            }
        }
        Ok(assemble(revisions, broken)?)
    }
}

/// Writes a new file into a folder and gives its path. An existing file is never touched.
///
/// # Errors
/// [`CreateError`] if the name is not that of a revision file, it exists, or it cannot be written.
pub fn create(folder: &Path, name: &str, text: &str) -> Result<PathBuf, CreateError> {
    let mut components = Path::new(name).components();
    let plain = matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name);
    if !plain || name.contains(['/', '\\', '\0']) || !is_revision_file(OsStr::new(name)) {
        return Err(CreateError::Name { name: name.to_owned() });
    }
    let open = open(folder)?;
    let path = folder.join(name);
    let failed = |source| CreateError::Write { path: path.clone(), source };
    let mut file = match open.open_with(name, OpenOptions::new().write(true).create_new(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(CreateError::Exists { path }),
        Err(error) => return Err(failed(error)),
    };
    if let Err(error) = file.write_all(text.as_bytes()) {
        // Half a file would be read as a broken revision; the first error is the one worth reporting.
        let _ = open.remove_file(name);
        return Err(failed(error));
    }
    Ok(path)
}

fn open(folder: &Path) -> Result<Dir, LoadError> {
    Dir::open_ambient_dir(folder, ambient_authority()).map_err(|source| {
        let path = folder.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => LoadError::Missing { path },
            io::ErrorKind::NotADirectory => LoadError::NotAFolder { path },
            _ => LoadError::Unreadable { path, source },
        }
    })
}

fn is_revision_file(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(b".sql") && !name.starts_with(b".")
}

/// A name, and whether the listing says that it is an ordinary file.
struct Entry {
    /// Which of the folders it is in.
    folder: usize,
    name: OsString,
    ordinary: bool,
}

fn list(folder: &Dir, number: usize) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    each_name(folder, &mut |name, ordinary| {
        if is_revision_file(name) {
            entries.push(Entry { folder: number, name: name.to_owned(), ordinary });
        }
    })?;
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// Hands on each name of a folder, and whether it is known to be that of an ordinary file. The system's own listing: with
/// thousands of files, what can be asked of an entry costs more than its name.
#[cfg(unix)]
fn each_name(folder: &Dir, hear: &mut dyn FnMut(&OsStr, bool)) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::fs::{Mode, OFlags};

    // The handle alone may be one that can't be read from.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for entry in rustix::fs::Dir::new(rustix::fs::openat(folder, ".", flags, Mode::empty())?)? {
        let entry = entry?;
        hear(OsStr::from_bytes(entry.file_name().to_bytes()), entry.file_type() == rustix::fs::FileType::RegularFile);
    }
    Ok(())
}

#[cfg(not(unix))]
fn each_name(folder: &Dir, hear: &mut dyn FnMut(&OsStr, bool)) -> io::Result<()> {
    for entry in folder.entries()? {
        let entry = entry?;
        hear(&entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_file()));
    }
    Ok(())
}

fn read_all(folders: &[Open], entries: &[Entry], checksums: bool) -> Vec<Result<Revision, Broken>> {
    let wanted = (entries.len() / FILES_PER_THREAD).min(MAX_THREADS);
    let threads = if wanted > 1 { thread::available_parallelism().map_or(1, NonZero::get).min(wanted) } else { 1 };
    // Threads take the next part that nobody has: one of them may have to share its processor.
    let parts: Vec<&[Entry]> =
        entries.chunks(if threads > 1 { FILES_PER_PART } else { entries.len().max(1) }).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = Vec::new();
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(number) else { return done };
            let read = part.iter().map(|entry| {
                let read = read_one(&folders[entry.folder], entry, &mut buffer);
                if checksums {
                    let _ = read.as_ref().map(Revision::checksum);
                }
                read
            });
            done.push((number, read.collect::<Vec<_>>()));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    // What a thread that failed has left is read by this one.
    let mut found = done.into_iter().peekable();
    let mut all = Vec::with_capacity(entries.len());
    for (number, part) in parts.iter().enumerate() {
        match found.next_if(|(done, _)| *done == number) {
            Some((_, read)) => all.extend(read),
            None => {
                let mut buffer = Vec::new();
                all.extend(part.iter().map(|entry| read_one(&folders[entry.folder], entry, &mut buffer)));
            }
        }
    }
    all
}

fn read_one(open: &Open, entry: &Entry, buffer: &mut Vec<u8>) -> Result<Revision, Broken> {
    let folder = &open.folder;
    let file = match entry.name.to_str() {
        Some(name) => open.location.file(name),
        None => open.location.file(&entry.name.to_string_lossy()),
    };
    let broken = |message: String, help: &str| Broken {
        problems: vec![Problem::of_file(&file, Fault::UnreadableFile, message).help(help)],
        id: None,
        labels: Vec::new(),
    };
    let unreadable = |error: io::Error| {
        let target = if entry.ordinary { "the file" } else { "what the link leads to" };
        broken(format!("cannot be read: {error}"), &format!("check {target}: it must be a readable file in the folder"))
    };
    // Opening a pipe would wait for someone to write into it, so what is not known to be a file is looked at first.
    if !entry.ordinary && !folder.metadata(&entry.name).map_err(unreadable)?.is_file() {
        return Err(broken("is not a file".to_owned(), "remove it, or give it a name that does not end with `.sql`"));
    }
    let mut content = open_file(folder, entry).map_err(unreadable)?;
    let length = fill(&mut content, buffer).map_err(unreadable)?;
    parse_or_names(&file, buffer.get(..length).unwrap_or_default())
}

/// Opens a file of the folder. What the listing calls an ordinary file is opened as such: a name without a separator leads nowhere
/// else, unless it has become a link meanwhile, which is refused. Looking at each part of a path takes longer.
#[cfg(unix)]
fn open_file(folder: &Dir, entry: &Entry) -> io::Result<fs::File> {
    use rustix::fs::{Mode, OFlags};

    if !entry.ordinary {
        return Ok(folder.open(&entry.name)?.into_std());
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    Ok(fs::File::from(rustix::fs::openat(folder, &entry.name, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_file(folder: &Dir, entry: &Entry) -> io::Result<fs::File> {
    Ok(folder.open(&entry.name)?.into_std())
}

/// Reads a whole file into a buffer that is kept from file to file, and gives its length. Other than `read_to_end` this
/// does not ask for the file's size first, which for small files would be half of the work.
fn fill(file: &mut impl io::Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut length = 0;
    loop {
        if length == buffer.len() {
            buffer.resize((buffer.len() * 2).max(16 * 1024), 0);
        }
        match file.read(&mut buffer[length..]) {
            Ok(0) => return Ok(length),
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
