//! A progress bar on stderr for people who watch.

use std::time::Duration;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use super::printer::Printer;

/// A bar that is invisible unless stderr is a terminal.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn hidden() -> Self {
        Progress(ProgressBar::hidden())
    }

    pub(super) fn new(printer: &Printer, steps: usize) -> Self {
        if !printer.is_watched() {
            return Self::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {bar:24} {pos}/{len} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress(bar)
    }

    pub(super) fn at(&self, text: String) {
        self.0.set_message(text);
    }

    pub(super) fn advance(&self) {
        self.0.inc(1);
    }

    /// Runs something that prints, with the bar out of the way.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
