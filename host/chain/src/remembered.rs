//! What revision files held when they were last read, for chains so long that opening every file is what takes the time.
//!
//! A file counts as unchanged as long as the system says the same of it as it did then: the same file (device and number),
//! the same size, the same times of change. Whoever changes a file can set back the time of its content, but not that of
//! its entry. Nothing is remembered of a file that was changed so shortly before it was read that a further change could
//! bear the same time, nor of one whose time is yet to come.
//!
//! Where it is kept, and who may write there, is up to the caller; so is that the bytes are whole.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// The first line of what is kept. Another version of this program may mean something else by it.
const FORM: &[u8] = concat!("runner revision files 1, ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();
/// A file that was changed less than this before it was read is read again. The coarsest clocks of file systems tick every
/// two seconds.
const SETTLED: Duration = Duration::from_secs(2);
/// Larger files are read each time: they are few, and most of their time is not that of opening them.
const LARGEST: usize = 64 << 10;
/// So many bytes are kept at most.
const MOST: usize = 64 << 20;

/// What the system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print {
    device: u64,
    number: u64,
    size: u64,
    /// When the content was changed: seconds since 1970, nanoseconds.
    modified: (i64, u64),
    /// When content, name or mode were changed, which nobody can set.
    changed: (i64, u64),
}

impl Print {
    /// How many bytes it takes.
    const LENGTH: usize = 7 * 8;

    #[cfg(unix)]
    fn of(stat: &rustix::fs::Stat) -> Option<Self> {
        /// The numbers have other types on other systems.
        fn number<N, T: TryInto<N>>(number: T) -> Option<N> {
            number.try_into().ok()
        }

        let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
        if !is_file {
            return None;
        }
        Some(Self {
            device: number(stat.st_dev)?,
            number: number(stat.st_ino)?,
            size: number(stat.st_size)?,
            modified: (number(stat.st_mtime)?, number(stat.st_mtime_nsec)?),
            changed: (number(stat.st_ctime)?, number(stat.st_ctime_nsec)?),
        })
    }

    /// Of what has this name in a folder, if that is an ordinary file and no link to one.
    #[cfg(unix)]
    pub(crate) fn of_name(folder: &cap_std::fs::Dir, name: &OsStr) -> Option<Self> {
        Self::of(&rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).ok()?)
    }

    /// Of a file that is open.
    #[cfg(unix)]
    pub(crate) fn of_file(file: &std::fs::File) -> Option<Self> {
        Self::of(&rustix::fs::fstat(file).ok()?)
    }

    /// Files have no numbers here, so nothing is remembered.
    #[cfg(not(unix))]
    pub(crate) fn of_name(_folder: &cap_std::fs::Dir, _name: &OsStr) -> Option<Self> {
        None
    }

    /// See [`Print::of_name`].
    #[cfg(not(unix))]
    pub(crate) fn of_file(_file: &std::fs::File) -> Option<Self> {
        None
    }

    /// Whether any change from `moment` on would give the file another time than it has.
    pub(crate) fn is_settled_at(&self, moment: SystemTime) -> bool {
        let Some(limit) =
            moment.checked_sub(SETTLED).and_then(|limit| limit.duration_since(SystemTime::UNIX_EPOCH).ok())
        else {
            return false;
        };
        let Ok(seconds) = i64::try_from(limit.as_secs()) else { return false };
        let limit = (seconds, u64::from(limit.subsec_nanos()));
        self.modified < limit && self.changed < limit
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.device, self.number, self.size] {
            bytes.extend(number.to_le_bytes());
        }
        for (seconds, nanoseconds) in [self.modified, self.changed] {
            bytes.extend(seconds.to_le_bytes());
            bytes.extend(nanoseconds.to_le_bytes());
        }
    }

    fn read(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut numbers = [0; 7];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
            *number = bytes.try_into().map_or(0, u64::from_le_bytes);
        }
        let [device, number, size, modified, modified_rest, changed, changed_rest] = numbers;
        let time = |seconds: u64, nanoseconds| (seconds.cast_signed(), nanoseconds);
        Self { device, number, size, modified: time(modified, modified_rest), changed: time(changed, changed_rest) }
    }
}

/// Contents of revision files, with what the system said of each when it was read.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    bytes: Vec<u8>,
    /// In the order of the folders, and in each in that of the names.
    files: Vec<Known>,
}

/// One file, as places in the bytes.
#[derive(Debug, Clone)]
struct Known {
    folder: usize,
    name: Range<usize>,
    print: Print,
    content: Range<usize>,
}

impl Remembered {
    /// Nothing, to begin with.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What [`Remembered::bytes`] has given; `None` if it is something else, or was written by another version.
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        /// Takes a number off the front of some bytes.
        fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
            let number = bytes.get(*at..)?.first_chunk::<4>()?;
            *at += 4;
            usize::try_from(u32::from_le_bytes(*number)).ok()
        }
        /// Takes a piece off the front of some bytes.
        fn piece(bytes: &[u8], at: &mut usize, length: usize) -> Option<Range<usize>> {
            let range = *at..at.checked_add(length)?;
            bytes.get(range.clone())?;
            *at = range.end;
            Some(range)
        }

        let mut at = bytes.starts_with(FORM).then_some(FORM.len())?;
        let count = number(&bytes, &mut at)?;
        let mut files: Vec<Known> = Vec::with_capacity(count.min(bytes.len() / Print::LENGTH));
        for _ in 0..count {
            let folder = number(&bytes, &mut at)?;
            let (name, content) = (number(&bytes, &mut at)?, number(&bytes, &mut at)?);
            let print = Print::read(bytes.get(at..)?.first_chunk()?);
            at += Print::LENGTH;
            let name = piece(&bytes, &mut at, name)?;
            let content = piece(&bytes, &mut at, content)?;
            let is_next = |last: &Known| (last.folder, &bytes[last.name.clone()]) < (folder, &bytes[name.clone()]);
            if print.size != content.len() as u64 || !files.last().is_none_or(is_next) {
                return None;
            }
            files.push(Known { folder, name, print, content });
        }
        (at == bytes.len()).then_some(Self { bytes, files })
    }

    /// All of it, to be kept somewhere.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// For each of some names, in their order, which of the files it was; the names must be sorted as the files are.
    pub(crate) fn places<'a>(&self, names: impl Iterator<Item = (usize, &'a OsStr)>) -> Vec<Option<usize>> {
        let mut next = 0;
        names
            .map(|(folder, name)| {
                let wanted = (folder, name.as_encoded_bytes());
                while let Some(known) = self.files.get(next) {
                    match (known.folder, &self.bytes[known.name.clone()]).cmp(&wanted) {
                        std::cmp::Ordering::Less => next += 1,
                        std::cmp::Ordering::Equal => return Some(next),
                        std::cmp::Ordering::Greater => return None,
                    }
                }
                None
            })
            .collect()
    }

    /// What the system said of a file, and what was in it.
    pub(crate) fn file(&self, place: usize) -> Option<(&Print, &[u8])> {
        let known = self.files.get(place)?;
        Some((&known.print, self.bytes.get(known.content.clone())?))
    }

    /// Whether nothing is known of any file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// How many files are known.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}

/// A file as it was found, for [`Remembered`].
pub(crate) struct Found<'a> {
    pub(crate) folder: usize,
    pub(crate) name: &'a OsString,
    pub(crate) print: Print,
    pub(crate) content: &'a [u8],
}

impl<'a> FromIterator<Found<'a>> for Remembered {
    /// Remembers files, given in the order of folders and names.
    fn from_iter<T: IntoIterator<Item = Found<'a>>>(found: T) -> Self {
        let mut bytes = FORM.to_vec();
        let count_at = bytes.len();
        bytes.extend([0; 4]);
        let mut files = Vec::new();
        for Found { folder, name, print, content } in found {
            let name = name.as_encoded_bytes();
            let lengths = [folder, name.len(), content.len()].map(u32::try_from);
            let whole = print.size == content.len() as u64 && content.len() <= LARGEST;
            let ([Ok(number), Ok(name_length), Ok(length)], true) = (lengths, whole) else { continue };
            if bytes.len() + Print::LENGTH + name.len() + content.len() > MOST {
                break;
            }
            for number in [number, name_length, length] {
                bytes.extend(number.to_le_bytes());
            }
            print.write(&mut bytes);
            let start = bytes.len();
            bytes.extend(name);
            let name = start..bytes.len();
            bytes.extend(content);
            let content = name.end..bytes.len();
            files.push(Known { folder, name, print, content });
        }
        let count = u32::try_from(files.len()).unwrap_or(0);
        bytes[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes());
        Self { bytes, files }
    }
}

/// Whether a file is one to be remembered, as far as its size says that.
pub(crate) fn is_small(content: &[u8]) -> bool {
    content.len() <= LARGEST
}

#[cfg(test)]
#[cfg(unix)]
#[path = "remembered_tests.rs"]
mod tests;
