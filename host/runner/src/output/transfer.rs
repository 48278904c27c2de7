//! How far rows have travelled.

use std::time::Duration;

use indicatif::HumanBytes;
use indicatif::HumanCount;
use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use super::printer::Printer;

/// Hears how rows travel into a backup or out of it.
pub(crate) trait Transfer: Send {
    /// It begins: with which backup, and how many rows there are by all accounts, if anybody knows.
    fn begin(&mut self, backup: &str, rows: u64);
    /// A table's turn.
    fn table(&mut self, name: &str);
    /// So many rows and bytes have passed.
    fn passed(&mut self, rows: u64, bytes: u64);
    /// All have passed.
    fn end(&mut self);
}

/// A bar on stderr with rows, bytes and the remaining time, for people who watch.
#[derive(Debug)]
pub(crate) struct TransferBar {
    is_watched: bool,
    bar: ProgressBar,
    what: String,
    table: String,
    bytes: u64,
}

impl TransferBar {
    /// One for `what`, as in `saving`.
    pub(crate) fn new(printer: &Printer, what: &str) -> Self {
        Self {
            is_watched: printer.is_watched(),
            bar: ProgressBar::hidden(),
            what: what.to_owned(),
            table: String::new(),
            bytes: 0,
        }
    }

    fn show(&self) {
        let rows = HumanCount(self.bar.position());
        self.bar.set_message(format!("{} {}: {rows} rows, {}", self.what, self.table, HumanBytes(self.bytes)));
    }
}

impl Transfer for TransferBar {
    fn begin(&mut self, _backup: &str, rows: u64) {
        self.end();
        if !self.is_watched {
            return;
        }
        // Without statistics nobody knows how long it takes.
        let (length, template) = match rows {
            0 => (None, "  {spinner} {elapsed} {wide_msg}"),
            rows => (Some(rows), "  {bar:24} {percent}% {eta} left {wide_msg}"),
        };
        self.bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.enable_steady_tick(Duration::from_millis(200));
        self.bytes = 0;
    }

    fn table(&mut self, name: &str) {
        name.clone_into(&mut self.table);
        self.show();
    }

    fn passed(&mut self, rows: u64, bytes: u64) {
        self.bytes += bytes;
        self.bar.inc(rows);
        self.show();
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for TransferBar {
    /// An error that stops the rows is not written into the line of the bar.
    fn drop(&mut self) {
        self.end();
    }
}
