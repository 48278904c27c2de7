//! Rows between a database and a member of a backup. Compressing, encrypting and hashing happen on a thread of their own, so that
//! the database need not wait for it.

use std::io::Read as _;
use std::io::Write as _;

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
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// So many parts wait for the other side, which bounds the memory.
const WAITING: usize = 8;
/// So much of a member is read at a time.
const CHUNK: usize = 256 * 1024;

/// Hears how many rows and bytes have passed since it was told the last time.
pub(super) type Hear<'a> = dyn FnMut(u64, u64) + Send + 'a;

/// Takes the rows of a database into a member.
pub(super) struct IntoMember<'a> {
    sender: mpsc::Sender<Vec<u8>>,
    worker: JoinHandle<std::result::Result<(Member, RowsDigest), BackupError>>,
    hear: &'a mut Hear<'a>,
}

impl<'a> IntoMember<'a> {
    pub(super) fn begin(mut writer: MemberWriter, hear: &'a mut Hear<'a>) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(WAITING);
        let worker = tokio::task::spawn_blocking(move || {
            let mut digest = LineDigest::new();
            while let Some(lines) = receiver.blocking_recv() {
                digest.update(&lines);
                if writer.write_all(&lines).is_err() {
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
        self.sender.send(lines).await.map_err(|_| Stopped)
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn cut_off(error: &tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Io, format!("a thread was cut off: {error}"))
}

/// Gives the rows of a member to a database.
pub(super) struct FromMember<'a> {
    receiver: mpsc::Receiver<Vec<u8>>,
    worker: Option<JoinHandle<std::result::Result<RowsDigest, Error>>>,
    /// What came of it, once the last row was given.
    ended: Option<Result<RowsDigest>>,
    hear: &'a mut Hear<'a>,
}

impl<'a> FromMember<'a> {
    pub(super) fn begin(mut reader: MemberReader, file: &str, hear: &'a mut Hear<'a>) -> Self {
        let (sender, receiver) = mpsc::channel::<Vec<u8>>(WAITING);
        let file = file.to_owned();
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
                match lines.iter().rposition(|byte| *byte == b'\n') {
                    Some(end) => rest = lines.split_off(end + 1),
                    None => {
                        rest = lines;
                        continue;
                    }
                }
                digest.update(&lines);
                if sender.blocking_send(lines).is_err() {
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
        if let Some(lines) = self.receiver.recv().await {
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
