//! Rows between a database and a member of a backup. Compressing, encrypting and hashing happen on a thread of their own, so that
//! the database need not wait for it.

use std::io::Read as _;
use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use runner_backup::BackupError;
use runner_backup::LineDigest;
use runner_backup::Member;
use runner_backup::MemberReader;
use runner_backup::MemberWriter;
use runner_backup::RowsDigest;
use runner_database::RowSink;
use runner_database::RowSource;
use runner_database::Stopped;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// So many bytes wait for the other side at most, but for a row that is longer. That bounds the memory.
const WAITING: u32 = 2 * 1024 * 1024;
/// So much of a member is read at a time.
const CHUNK: usize = 256 * 1024;

/// Lines on their way to another thread, and the room that they take until they are dropped.
struct Parcel {
    lines: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// The end of a way on which only so many bytes may be at a time.
struct Sender {
    room: Arc<Semaphore>,
    parcels: mpsc::UnboundedSender<Parcel>,
}

fn way() -> (Sender, mpsc::UnboundedReceiver<Parcel>) {
    let (parcels, receiver) = mpsc::unbounded_channel();
    (Sender { room: Arc::new(Semaphore::new(WAITING as usize)), parcels }, receiver)
}

impl Sender {
    /// Waits until there is room. What is longer than all of it waits until nothing else is there.
    async fn send(&self, lines: Vec<u8>) -> std::result::Result<(), Stopped> {
        let room = u32::try_from(lines.len()).unwrap_or(WAITING).min(WAITING);
        let room = Arc::clone(&self.room).acquire_many_owned(room).await.map_err(|_| Stopped)?;
        self.parcels.send(Parcel { lines, _room: room }).map_err(|_| Stopped)
    }
}

/// Hears how many rows and bytes have passed since it was told the last time.
pub(super) type Hear<'a> = dyn FnMut(u64, u64) + Send + 'a;

/// Takes the rows of a database into a member.
pub(super) struct IntoMember<'a> {
    sender: Sender,
    worker: JoinHandle<std::result::Result<(Member, RowsDigest), BackupError>>,
    hear: &'a mut Hear<'a>,
}

impl<'a> IntoMember<'a> {
    pub(super) fn begin(mut writer: MemberWriter, hear: &'a mut Hear<'a>) -> Self {
        let (sender, mut receiver) = way();
        let worker = tokio::task::spawn_blocking(move || {
            let mut digest = LineDigest::new();
            while let Some(parcel) = receiver.blocking_recv() {
                digest.update(&parcel.lines);
                if writer.write_all(&parcel.lines).is_err() {
                    // What has failed is told by finishing.
                    break;
                }
            }
            Ok((writer.finish()?, digest.finish()))
        });
        Self { sender, worker, hear }
    }

    /// Ends the member. The error of the database, if it has stopped the rows, counts only if the member itself is well.
    pub(super) async fn finish(self, read: runner_database::Result<u64>) -> Result<(Member, RowsDigest)> {
        drop(self.sender);
        let written = self.worker.await.map_err(|error| cut_off(&error))?;
        match (read, written) {
            (Err(runner_database::Error::Stopped) | Ok(_), Err(error)) => Err(error.into()),
            (Err(error), _) => Err(error.into()),
            (Ok(rows), Ok((member, digest))) if digest.rows() == rows => Ok((member, digest)),
            (Ok(rows), Ok((_, digest))) => Err(Error::new(
                ErrorKind::Backup,
                format!("the database gave {rows} rows, and {} were written", digest.rows()),
            )),
        }
    }
}

#[async_trait]
impl RowSink for IntoMember<'_> {
    async fn take(&mut self, lines: Vec<u8>) -> std::result::Result<(), Stopped> {
        (self.hear)(count(&lines), lines.len() as u64);
        self.sender.send(lines).await
    }
}

fn count(lines: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', lines).count() as u64
}

pub(super) fn cut_off(error: &tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Io, format!("a thread was cut off: {error}"))
}

/// Gives the rows of a member to a database.
pub(super) struct FromMember<'a> {
    receiver: mpsc::UnboundedReceiver<Parcel>,
    worker: Option<JoinHandle<std::result::Result<RowsDigest, Error>>>,
    /// What came of it, once the last row was given.
    ended: Option<Result<RowsDigest>>,
    hear: &'a mut Hear<'a>,
}

impl<'a> FromMember<'a> {
    pub(super) fn begin(mut reader: MemberReader, file: &str, hear: &'a mut Hear<'a>) -> Self {
        let (sender, receiver) = way();
        let file = file.to_owned();
        let runtime = Handle::current();
        let worker = tokio::task::spawn_blocking(move || {
            let mut digest = LineDigest::new();
            let mut rest = Vec::new();
            loop {
                let mut lines = std::mem::take(&mut rest);
                let before = lines.len();
                lines.resize(before + CHUNK, 0);
                let read = reader.read(&mut lines[before..]).map_err(|error| read_failed(&file, error))?;
                lines.truncate(before + read);
                if read == 0 {
                    break if lines.is_empty() { Ok(digest.finish()) } else { Err(half_a_row(&file)) };
                }
                // What was read before holds no end of a row.
                let Some(end) = memchr::memrchr(b'\n', &lines[before..]) else {
                    rest = lines;
                    continue;
                };
                rest = lines.split_off(before + end + 1);
                digest.update(&lines);
                if runtime.block_on(sender.send(lines)).is_err() {
                    // The database has had enough, and says why.
                    break Ok(digest.finish());
                }
            }
        });
        Self { receiver, worker: Some(worker), ended: None, hear }
    }

    /// The digest of what was given. The error of the database counts only if the member itself was read to its end.
    pub(super) fn finish(self, loaded: runner_database::Result<u64>) -> Result<RowsDigest> {
        match (loaded, self.ended) {
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
            (Ok(_), Some(Ok(digest))) => Ok(digest),
            (Ok(_), None) => Err(Error::new(ErrorKind::Backup, "the rows were not read to their end")),
        }
    }
}

#[async_trait]
impl RowSource for FromMember<'_> {
    async fn next(&mut self) -> std::result::Result<Option<Vec<u8>>, Stopped> {
        if let Some(Parcel { lines, .. }) = self.receiver.recv().await {
            (self.hear)(count(&lines), lines.len() as u64);
            return Ok(Some(lines));
        }
        if let Some(worker) = self.worker.take() {
            self.ended = Some(worker.await.unwrap_or_else(|error| Err(cut_off(&error))));
        }
        match &self.ended {
            Some(Ok(_)) => Ok(None),
            _ => Err(Stopped),
        }
    }
}

pub(super) fn read_failed(file: &str, error: std::io::Error) -> Error {
    let shown = error.to_string();
    let own = error.into_inner().and_then(|inner| inner.downcast::<BackupError>().ok());
    own.map_or_else(|| Error::new(ErrorKind::Backup, format!("`{file}` can't be read: {shown}")), |own| (*own).into())
}

fn half_a_row(file: &str) -> Error {
    Error::new(ErrorKind::Backup, format!("the last row of `{file}` has no end"))
        .help("do not restore from it; take another backup, or another copy of this one")
}

/// Keeps the digest of the rows of a database, and nothing of them.
#[derive(Default)]
pub(super) struct Digesting(LineDigest);

impl Digesting {
    pub(super) fn finish(self) -> RowsDigest {
        self.0.finish()
    }
}

#[async_trait]
impl RowSink for Digesting {
    async fn take(&mut self, lines: Vec<u8>) -> std::result::Result<(), Stopped> {
        self.0.update(&lines);
        Ok(())
    }
}

/// The same, and tells how far it is.
pub(super) struct Listening<'a> {
    digest: LineDigest,
    hear: &'a mut Hear<'a>,
}

impl<'a> Listening<'a> {
    pub(super) fn new(hear: &'a mut Hear<'a>) -> Self {
        Self { digest: LineDigest::new(), hear }
    }

    pub(super) fn finish(self) -> RowsDigest {
        self.digest.finish()
    }
}

#[async_trait]
impl RowSink for Listening<'_> {
    async fn take(&mut self, lines: Vec<u8>) -> std::result::Result<(), Stopped> {
        (self.hear)(count(&lines), lines.len() as u64);
        self.digest.update(&lines);
        Ok(())
    }
}
