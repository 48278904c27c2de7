//! Writing a member: compressed, encrypted, hashed and counted on its way to the disk.

use std::fmt;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::iter;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use age::stream::StreamWriter;
use sha2::Digest as _;
use sha2::Sha256;
use zstd::bulk::Compressor;

use crate::error::BackupError;
use crate::manifest::Member;
use crate::name;
use crate::protection::Protection;
use crate::sums::hex;
use crate::writeback::WriteBack;

/// zstd's own default: most of what can be won, at hundreds of megabytes a second.
const LEVEL: i32 = 3;
/// The base-2 logarithm of scrypt's `N`: a fifth of a second and 64 MiB for each guess, and for each member.
const WORK: u8 = 16;
/// So much is written at a time.
const BUFFER: usize = 128 * 1024;
/// So much is compressed at a time: twice of what zstd looks back at this level, so that little is lost at the seams.
const FRAME: usize = 4 * 1024 * 1024;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows of a table, a line each.
    Rows,
    /// Statements.
    Sql,
    /// A database file.
    Sqlite,
    /// An archive that is compressed already, and stored as it is.
    Dump,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Self::Rows => "tsv",
            Self::Sql => "sql",
            Self::Sqlite => "sqlite",
            Self::Dump => "dump",
        }
    }

    fn is_compressed_by_us(self) -> bool {
        self != Self::Dump
    }

    /// The name of a member's file.
    fn file(self, number: usize, label: &str, protection: &Protection) -> String {
        let zstd = if self.is_compressed_by_us() { ".zst" } else { "" };
        let age = if matches!(protection, Protection::None) { "" } else { ".age" };
        format!("{number:04}-{}.{}{zstd}{age}", name::of_label(label), self.extension())
    }
}

/// The members of a backup that is being written, shared by those who write them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How many were begun.
    begun: usize,
    /// How many of them are neither finished nor given up.
    open: usize,
    finished: Vec<Member>,
    /// The folder has another name now, or is gone, and what has its name may be somebody else's.
    is_closed: bool,
}

impl Members {
    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked meanwhile has changed it as a whole, or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody touches the folder after this.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
    }

    /// The finished members, or how many are still open.
    pub(crate) fn finished(&self) -> Result<Vec<Member>, usize> {
        let state = self.state();
        if state.open > 0 { Err(state.open) } else { Ok(state.finished.clone()) }
    }

    fn next_number(&self) -> usize {
        let mut state = self.state();
        state.begun += 1;
        state.begun
    }
}

/// The file of a member, which hashes and counts what comes through.
struct Stored {
    file: BufWriter<WriteBack>,
    hasher: Sha256,
    bytes: u64,
}

impl Write for Stored {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // All of it: whoever encrypts or compresses can't take anything back.
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Stored {
    fn new(file: File) -> Self {
        Stored { file: BufWriter::with_capacity(BUFFER, WriteBack::new(file)), hasher: Sha256::new(), bytes: 0 }
    }

    /// The length and the SHA-256 of a file that is on the disk.
    fn finish(self) -> io::Result<(u64, String)> {
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
        Ok((self.bytes, hex(&self.hasher.finalize())))
    }
}

enum Sealed {
    Plain(Stored),
    Age(Box<StreamWriter<Stored>>),
}

impl Sealed {
    fn new(stored: Stored, protection: &Protection, path: &Path) -> Result<Self, BackupError> {
        let failed =
            |error: age::EncryptError| BackupError::Encryption { path: path.to_owned(), why: error.to_string() };
        let encryptor = match protection {
            Protection::None => return Ok(Self::Plain(stored)),
            Protection::Recipients(recipients) => {
                let recipients = recipients.iter().map(|recipient| &recipient.0 as &dyn age::Recipient);
                age::Encryptor::with_recipients(recipients)
            }
            Protection::Passphrase(passphrase) => {
                let mut recipient = age::scrypt::Recipient::new(passphrase.secret());
                recipient.set_work_factor(WORK);
                age::Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
            }
        };
        let writer = encryptor.map_err(failed)?.wrap_output(stored);
        writer.map(|writer| Self::Age(Box::new(writer))).map_err(|error| BackupError::io("write", path, error))
    }

    fn finish(self) -> io::Result<Stored> {
        match self {
            Self::Plain(stored) => Ok(stored),
            Self::Age(writer) => writer.finish(),
        }
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.write(bytes),
            Self::Age(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stored) => stored.flush(),
            Self::Age(writer) => writer.flush(),
        }
    }
}

/// Compresses what comes through as zstd frames that follow each other. Each is made of one piece of memory, because zstd takes
/// twice as long for what lies in a ring.
struct Frames {
    compressor: Compressor<'static>,
    waiting: Vec<u8>,
    frame: Vec<u8>,
    is_begun: bool,
    sealed: Sealed,
}

impl Frames {
    fn new(sealed: Sealed) -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Frames { compressor, waiting: Vec::new(), frame: Vec::new(), is_begun: false, sealed })
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(self.waiting.len()));
        self.compressor.compress_to_buffer(&self.waiting, &mut self.frame)?;
        self.sealed.write_all(&self.frame)?;
        self.waiting.clear();
        self.is_begun = true;
        Ok(())
    }

    fn finish(mut self) -> io::Result<Sealed> {
        // Without any frame it would be no file of zstd.
        if !self.waiting.is_empty() || !self.is_begun {
            self.end_frame()?;
        }
        Ok(self.sealed)
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(FRAME - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..count]);
        if self.waiting.len() == FRAME {
            self.end_frame()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.end_frame()?;
        }
        self.sealed.flush()
    }
}

enum Packed {
    AsItIs(Sealed),
    Zstd(Box<Frames>),
}

impl Packed {
    fn new(sealed: Sealed, kind: Kind) -> io::Result<Self> {
        if !kind.is_compressed_by_us() {
            return Ok(Self::AsItIs(sealed));
        }
        Ok(Self::Zstd(Box::new(Frames::new(sealed)?)))
    }

    fn finish(self) -> io::Result<(u64, String)> {
        let sealed = match self {
            Self::AsItIs(sealed) => sealed,
            Self::Zstd(frames) => frames.finish()?,
        };
        sealed.finish()?.finish()
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::AsItIs(sealed) => sealed.write(bytes),
            Self::Zstd(frames) => frames.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::AsItIs(sealed) => sealed.flush(),
            Self::Zstd(frames) => frames.flush(),
        }
    }
}

/// Writes one member of a [`crate::Draft`], from any thread. It needs about 10 MiB of memory, and with a passphrase 64 MiB for
/// the moment in which it begins.
///
/// An error that it gives as a writer carries a [`BackupError`]: [`BackupError::of_io`]. After an error nothing more can be
/// written. Dropped without [`MemberWriter::finish`], the member does not become a part of the backup.
pub struct MemberWriter {
    file: String,
    path: PathBuf,
    /// Nothing after an error.
    packed: Option<Packed>,
    plain_bytes: u64,
    members: Members,
    is_finished: bool,
}

impl MemberWriter {
    pub(crate) fn begin(
        folder: &Path,
        members: &Members,
        (label, kind): (&str, Kind),
        protection: &Protection,
    ) -> Result<Self, BackupError> {
        let file = kind.file(members.next_number(), label, protection);
        let path = folder.join(&file);
        let open = crate::disk::create(&path)?;
        Self::over(open, path, file, members, kind, protection)
    }

    fn over(
        open: File,
        path: PathBuf,
        file: String,
        members: &Members,
        kind: Kind,
        protection: &Protection,
    ) -> Result<Self, BackupError> {
        // From here on dropping it removes the file.
        members.state().open += 1;
        let mut writer =
            MemberWriter { file, path, packed: None, plain_bytes: 0, members: members.clone(), is_finished: false };
        let sealed = Sealed::new(Stored::new(open), protection, &writer.path)?;
        let packed = Packed::new(sealed, kind).map_err(|error| writer.failed(error))?;
        writer.packed = Some(packed);
        Ok(writer)
    }

    /// The name of its file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// How many bytes were written to it so far, as they were given.
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// Writes what is left. The file is on the disk when this returns.
    ///
    /// # Errors
    /// It can't be written, an earlier write has failed, or its backup was finished or given up meanwhile.
    pub fn finish(mut self) -> Result<Member, BackupError> {
        let packed = self.packed.take().ok_or_else(|| self.failed(earlier()))?;
        let (bytes, sha256) = packed.finish().map_err(|error| self.failed(error))?;
        let member = Member { file: self.file.clone(), bytes, plain_bytes: self.plain_bytes, sha256 };
        let mut state = self.members.state();
        if state.is_closed {
            return Err(BackupError::Closed { path: self.path.clone() });
        }
        state.open -= 1;
        state.finished.push(member.clone());
        drop(state);
        self.is_finished = true;
        Ok(member)
    }

    fn failed(&self, error: io::Error) -> BackupError {
        BackupError::io("write", &self.path, error)
    }

    /// After an error it is not known what is on the disk, and what encrypts and compresses has gone on.
    fn unless_failed<T>(&mut self, write: impl FnOnce(&mut Packed) -> io::Result<T>) -> io::Result<T> {
        let written = self.packed.as_mut().map_or_else(|| Err(earlier()), write);
        written.map_err(|error| {
            self.packed = None;
            self.failed(error).into_io()
        })
    }
}

fn earlier() -> io::Error {
    io::Error::other("an earlier write has failed")
}

impl Write for MemberWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.unless_failed(|packed| packed.write(bytes))?;
        self.plain_bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_failed(Packed::flush)
    }
}

impl fmt::Debug for MemberWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for MemberWriter {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        self.packed = None;
        let mut state = self.members.state();
        state.open -= 1;
        if !state.is_closed {
            // What stays behind would be found when the backup is checked.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protection::Passphrase;

    #[test]
    fn names_say_what_was_done() {
        let secret = Protection::Passphrase(Passphrase::new("x").unwrap());
        assert_eq!(Kind::Rows.file(1, "public.patient", &Protection::None), "0001-public.patient.tsv.zst");
        assert_eq!(Kind::Sql.file(12, "a b", &secret), "0012-a_b.sql.zst.age");
        assert_eq!(Kind::Sqlite.file(3, "app", &Protection::None), "0003-app.sqlite.zst");
        assert_eq!(Kind::Dump.file(12345, "app", &Protection::None), "12345-app.dump");
        assert_eq!(Kind::Dump.file(1, "app", &secret), "0001-app.dump.age");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_by_write_and_by_finish() {
        let full = |kind| {
            let path = PathBuf::from("/dev/full");
            let open = crate::disk::private_file().open(&path).unwrap();
            // Closed, so that dropping the writer does not try to remove the device.
            let members = Members::default();
            members.close();
            MemberWriter::over(open, path, "x".to_owned(), &members, kind, &Protection::None).unwrap()
        };
        let mut writer = full(Kind::Rows);
        writer.write_all(b"few").unwrap();
        let error = writer.finish().unwrap_err();
        assert!(matches!(error, BackupError::Full { .. }), "{error:?}");

        let mut writer = full(Kind::Dump);
        let error = writer.write_all(&[7; 4 * BUFFER]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(matches!(BackupError::of_io(&error), Some(BackupError::Full { .. })), "{error:?}");
        assert!(writer.write_all(b"more").unwrap_err().to_string().contains("cannot write"));
        assert!(matches!(writer.finish(), Err(BackupError::Io { .. })));
    }
}
