//! A file that reaches the disk while it is written, so that there is little to wait for at its end.

use std::fs::File;
use std::io;
use std::io::Write;
use std::sync::mpsc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::thread::JoinHandle;

/// What is written between two requests to the disk.
const STEP: u64 = 4 * 1024 * 1024;

/// A file, and from a certain length on a thread that brings it to the disk.
#[derive(Debug)]
pub(crate) struct WriteBack {
    file: File,
    /// Written since the last request.
    fresh: u64,
    syncing: Option<Syncing>,
}

#[derive(Debug)]
struct Syncing {
    requests: SyncSender<()>,
    /// Its error is not told a second time by the system, so it must not be lost.
    thread: JoinHandle<io::Result<()>>,
}

impl Syncing {
    fn start(file: File) -> io::Result<Self> {
        // One request may wait: it covers whatever is written by then.
        let (requests, requested) = mpsc::sync_channel(1);
        let work = move || requested.iter().try_for_each(|()| file.sync_data());
        Ok(Syncing { requests, thread: thread::Builder::new().name("write back".to_owned()).spawn(work)? })
    }
}

impl WriteBack {
    pub(crate) fn new(file: File) -> Self {
        WriteBack { file, fresh: 0, syncing: None }
    }

    fn request(&mut self) -> io::Result<()> {
        let syncing = match self.syncing.take() {
            Some(syncing) => syncing,
            None => Syncing::start(self.file.try_clone()?)?,
        };
        // If one waits, nothing is missed; if the thread has ended, its error is told at the end.
        let _ = syncing.requests.try_send(());
        self.syncing = Some(syncing);
        Ok(())
    }

    /// All of it is on the disk when this returns.
    pub(crate) fn finish(self) -> io::Result<()> {
        if let Some(Syncing { requests, thread }) = self.syncing {
            drop(requests);
            thread.join().map_err(|_| io::Error::other("a thread was cut off"))??;
        }
        self.file.sync_all()
    }
}

impl Write for WriteBack {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.fresh += count as u64;
        if self.fresh >= STEP {
            self.fresh = 0;
            self.request()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = WriteBack::new(File::create(&path).unwrap());
        for number in 0..10 {
            file.write_all(&vec![number; 1024 * 1024]).unwrap();
        }
        assert!(file.syncing.is_some());
        file.finish().unwrap();
        let expected: Vec<u8> = (0..10).flat_map(|number| vec![number; 1024 * 1024]).collect();
        assert!(std::fs::read(&path).unwrap() == expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_of_the_thread_is_told_at_the_end() {
        // Nothing of this kind can be brought to a disk.
        let mut file = WriteBack::new(std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap());
        file.write_all(&vec![0; usize::try_from(STEP).unwrap()]).unwrap();
        assert!(file.finish().is_err());
    }
}
