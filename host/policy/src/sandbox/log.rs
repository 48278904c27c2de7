//! What a policy writes: lines of the interface `log`, and whatever its language writes to stderr. Both share one budget;
//! what is beyond it is dropped and counted, and no reason to end the call.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::IsTerminal;
use wasmtime_wasi::cli::StdoutStream;
use wasmtime_wasi::p2::OutputStream;
use wasmtime_wasi::p2::Pollable;
use wasmtime_wasi::p2::StreamResult;

use super::Guest;
use crate::Limits;
use crate::bindings::runner::policy::log;
use crate::limits::bytes;
use crate::verdict::printable;

/// So much a guest may write to stderr at once.
const CHUNK: usize = 64 * 1024;

/// What is left of the limits for the log.
pub(super) struct LogBudget {
    bytes: u64,
    lines: u64,
    dropped: u64,
}

impl LogBudget {
    pub(super) fn new(limits: &Limits) -> Self {
        LogBudget { bytes: limits.log, lines: limits.log_lines, dropped: 0 }
    }

    /// Whether one more line may be written. The end of the line counts as well.
    fn take(&mut self, line: &str) -> bool {
        let length = line.len() as u64 + 1;
        if length > self.bytes || self.lines == 0 {
            self.dropped += 1;
            return false;
        }
        self.bytes -= length;
        self.lines -= 1;
        true
    }
}

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.count();
        if !self.log.take(&message) {
            return Ok(());
        }
        let (plugin, message) = (self.plugin.as_str(), printable(&message));
        match level {
            log::Level::Debug => tracing::debug!(plugin, "{message}"),
            log::Level::Info => tracing::info!(plugin, "{message}"),
            log::Level::Warning => tracing::warn!(plugin, "{message}"),
        }
        Ok(())
    }
}

/// Shows what was written to stderr, and says what was dropped.
pub(super) fn report(guest: &mut Guest, stderr: &Stderr, limits: &Limits) {
    let plugin = guest.plugin.as_str();
    let written = stderr.written();
    for line in String::from_utf8_lossy(&written.kept).lines() {
        if guest.log.take(line) {
            tracing::info!(plugin, "{}", printable(line));
        }
    }
    if guest.log.dropped > 0 || written.dropped > 0 {
        let and = match written.dropped {
            0 => String::new(),
            dropped => format!(", and {} of its stderr", bytes(dropped)),
        };
        tracing::warn!(
            plugin,
            "{} log lines beyond the limit of {} lines and {} were dropped{and}",
            guest.log.dropped,
            limits.log_lines,
            bytes(limits.log),
        );
    }
}

/// The guest's stderr. Never full: a guest that could not write would fail for it.
#[derive(Clone)]
pub(super) struct Stderr {
    written: Arc<Mutex<Written>>,
    limit: usize,
}

#[derive(Default)]
struct Written {
    kept: Vec<u8>,
    /// Bytes beyond the limit.
    dropped: u64,
}

impl Stderr {
    pub(super) fn new(limits: &Limits) -> Self {
        Stderr { written: Arc::default(), limit: usize::try_from(limits.log).unwrap_or(usize::MAX) }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, bytes: &[u8]) {
        let mut written = self.written();
        let room = self.limit.saturating_sub(written.kept.len()).min(bytes.len());
        written.kept.extend_from_slice(&bytes[..room]);
        written.dropped += (bytes.len() - room) as u64;
    }
}

impl IsTerminal for Stderr {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stderr {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stderr {
    async fn ready(&mut self) {}
}

impl OutputStream for Stderr {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

impl AsyncWrite for Stderr {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.keep(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
