//! The folders in which the revision files are.
//!
//! Each is opened once, and its files are reached through that handle only: neither a symbolic link nor `..` leads out of it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZero;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::diagnostic::{Problem, Problems};
use crate::fault::Fault;
use crate::file::{Broken, parse_or_names};
use crate::graph::{Chain, assemble};
pub use crate::remembered::Remembered;
use crate::remembered::{Found, Print, is_small};
use crate::revision::Revision;

/// Reading more files than this takes longer than starting a thread.
const LONG: usize = 100;
/// Opening more files than this takes longer than keeping what they hold.
const VERY_LONG: usize = 1000;
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

    /// The name of a file in it, from how messages name that.
    fn name_of<'a>(&self, file: &'a str) -> Option<&'a str> {
        let name =
            if self.shown_as.is_empty() { file } else { file.strip_prefix(&self.shown_as)?.strip_prefix('/')? };
        (!name.contains(['/', '\\'])).then_some(name)
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
    memory: Option<Memory>,
}

/// What is known of files before they are looked at.
struct Memory {
    remembered: Remembered,
    /// For each entry, which of them it was.
    places: Vec<Option<usize>>,
    /// When looking at the files began.
    moment: SystemTime,
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
        Ok(Self { open: all, entries, checksums: false, memory: None })
    }

    /// Whether reading takes long enough to do something else meanwhile.
    pub fn is_long(&self) -> bool {
        self.entries.len() >= LONG
    }

    /// Whether opening the files takes long enough to remember what was in them.
    pub fn is_very_long(&self) -> bool {
        self.entries.len() >= VERY_LONG
    }

    /// Opens only files that are not as they are remembered. `moment` is the time by the clock; files that were changed shortly
    /// before it are read, and not remembered.
    #[must_use]
    pub fn remembering(self, remembered: Remembered, moment: SystemTime) -> Self {
        let places = remembered.places(self.entries.iter().map(|entry| (entry.folder, entry.name.as_os_str())));
        Self { memory: Some(Memory { remembered, places, moment }), ..self }
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
        self.load_and_learn().0
    }

    /// Reads the files as [`load`] does, and gives what should be remembered of them from now on, if that is something else than
    /// before.
    pub fn load_and_learn(self) -> (Result<Chain, LoadError>, Option<Remembered>) {
        let path = self.open.first().map(|open| open.location.path.clone()).unwrap_or_default();
        let (chain, learnt) = self.assemble();
        let chain = chain.map_err(LoadError::from);
        (chain.and_then(|chain| if chain.is_empty() { Err(LoadError::Empty { path }) } else { Ok(chain) }), learnt)
    }

    fn load_or_empty(self) -> Result<Chain, LoadError> {
        Ok(self.assemble().0?)
    }

    fn assemble(self) -> (Result<Chain, Problems>, Option<Remembered>) {
        let read = self.read_all();
        let learnt = self.memory.as_ref().and_then(|memory| memory.learn(&self.entries, &read.opened));
        (assemble(read.revisions, read.broken), learnt)
    }
}

impl Memory {
    /// What is to be remembered from now on, if that is something else. Files that were not opened are as they were.
    fn learn(&self, entries: &[Entry], opened: &[Opened]) -> Option<Remembered> {
        let is_as_before = opened.iter().all(|opened| opened.settled.is_none())
            && entries.len() - opened.len() == self.remembered.len();
        if is_as_before {
            return None;
        }
        let mut opened = opened.iter().peekable();
        let found = entries.iter().zip(&self.places).enumerate().filter_map(|(number, (entry, place))| {
            let (print, content) = match opened.next_if(|opened| opened.entry == number) {
                Some(opened) => opened.settled.as_ref().map(|(print, content)| (print, content.as_slice()))?,
                None => self.remembered.file((*place)?)?,
            };
            Some(Found { folder: entry.folder, name: &entry.name, print: *print, content })
        });
        let learnt: Remembered = found.collect();
        (learnt.bytes() != self.remembered.bytes()).then_some(learnt)
    }
}

/// Whether the file of any of these revisions holds something else by now, or is gone.
pub fn have_changed<'a>(locations: &[Location], revisions: impl IntoIterator<Item = &'a Revision>) -> bool {
    let mut folders: Vec<Option<Dir>> = locations.iter().map(|_| None).collect();
    let mut buffer = Vec::new();
    revisions.into_iter().any(|revision| !is_as_read(locations, &mut folders, revision, &mut buffer))
}

fn is_as_read(locations: &[Location], folders: &mut [Option<Dir>], revision: &Revision, buffer: &mut Vec<u8>) -> bool {
    locations.iter().zip(folders).any(|(location, opened)| {
        let Some(name) = location.name_of(&revision.file) else { return false };
        if opened.is_none() {
            *opened = open(&location.path).ok();
        }
        let Some(folder) = opened else { return false };
        let entry = Entry { folder: 0, name: name.into(), ordinary: true };
        let Ok(mut file) = open_file(folder, &entry) else { return false };
        let Ok(length) = fill(&mut file, buffer) else { return false };
        let read = parse_or_names(&revision.file, buffer.get(..length).unwrap_or_default());
        read.is_ok_and(|read| read.source() == revision.source())
    })
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

/// What some of the files gave, in their order.
#[derive(Default)]
struct Read {
    revisions: Vec<Revision>,
    broken: Vec<Broken>,
    /// Those that are not as they are remembered.
    opened: Vec<Opened>,
}

/// A file that had to be opened.
struct Opened {
    /// The number of its entry.
    entry: usize,
    /// What to remember of it.
    settled: Option<(Print, Vec<u8>)>,
}

impl Read {
    fn append(&mut self, mut other: Self) {
        self.revisions.append(&mut other.revisions);
        self.broken.append(&mut other.broken);
        self.opened.append(&mut other.opened);
    }
}

impl Folders {
    fn read_all(&self) -> Read {
        let count = self.entries.len();
        let wanted = (count / FILES_PER_THREAD).min(MAX_THREADS);
        let threads = if wanted > 1 { thread::available_parallelism().map_or(1, NonZero::get).min(wanted) } else { 1 };
        // Threads take the next part that nobody has: one of them may have to share its processor.
        let length = if threads > 1 { FILES_PER_PART } else { count.max(1) };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let first = number * length;
                if first >= count {
                    return done;
                }
                done.push((number, self.read_part(first..count.min(first + length))));
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
        let mut all = Read { revisions: Vec::with_capacity(count), ..Read::default() };
        for (number, first) in (0..count).step_by(length).enumerate() {
            let part = found.next_if(|(done, _)| *done == number).map(|(_, part)| part);
            all.append(part.unwrap_or_else(|| self.read_part(first..count.min(first + length))));
        }
        all
    }

    fn read_part(&self, numbers: Range<usize>) -> Read {
        let mut read = Read { revisions: Vec::with_capacity(numbers.len()), ..Read::default() };
        let mut buffer = Vec::new();
        for number in numbers {
            let Some(entry) = self.entries.get(number) else { break };
            match self.read_one(number, entry, &mut buffer, &mut read.opened) {
                Ok(revision) => {
                    if self.checksums {
                        revision.checksum();
                    }
                    read.revisions.push(revision);
                }
                Err(file) => read.broken.push(file),
            }
        }
        read
    }

    fn read_one(
        &self,
        number: usize,
        entry: &Entry,
        buffer: &mut Vec<u8>,
        opened: &mut Vec<Opened>,
    ) -> Result<Revision, Broken> {
        let open = &self.open[entry.folder];
        let file = match entry.name.to_str() {
            Some(name) => open.location.file(name),
            None => open.location.file(&entry.name.to_string_lossy()),
        };
        if let Some(content) = self.memory.as_ref().and_then(|memory| memory.content(number, &open.folder, entry)) {
            let mut revision = parse_or_names(&file, content)?;
            revision.remembered = true;
            return Ok(revision);
        }
        let read = read_file(&open.folder, entry, &file, buffer, self.memory.is_some());
        if let Some(memory) = &self.memory {
            let read = read.as_ref().ok();
            let settled = read.and_then(|(content, print)| {
                let print = print.filter(|print| print.is_settled_at(memory.moment) && is_small(content))?;
                Some((print, (*content).to_owned()))
            });
            opened.push(Opened { entry: number, settled });
        }
        parse_or_names(&file, read?.0)
    }
}

impl Memory {
    /// What a file holds, if it is as it was.
    fn content(&self, number: usize, folder: &Dir, entry: &Entry) -> Option<&[u8]> {
        let (print, content) = self.remembered.file((*self.places.get(number)?)?)?;
        let is_as_before = entry.ordinary
            && print.is_settled_at(self.moment)
            && Print::of_name(folder, &entry.name).as_ref() == Some(print);
        is_as_before.then_some(content)
    }
}

/// Reads a file, and what the system says of it before that if it is wanted.
fn read_file<'a>(
    folder: &Dir,
    entry: &Entry,
    file: &str,
    buffer: &'a mut Vec<u8>,
    wants_print: bool,
) -> Result<(&'a [u8], Option<Print>), Broken> {
    let broken = |message: String, help: &str| Broken {
        problems: vec![Problem::of_file(file, Fault::UnreadableFile, message).help(help)],
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
    // What is changed while it is read bears a later time.
    let print = if wants_print && entry.ordinary { Print::of_file(&content) } else { None };
    let length = fill(&mut content, buffer).map_err(unreadable)?;
    Ok((buffer.get(..length).unwrap_or_default(), print))
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
