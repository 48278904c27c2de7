//! The end of a process: the system takes memory back faster than a chain of thousands of revisions could give it.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

static ENDS_SOON: AtomicBool = AtomicBool::new(false);

/// Says that this process ends after one command.
pub(crate) fn comes_soon() {
    ENDS_SOON.store(true, Ordering::Relaxed);
}

/// Whether this process ends after one command.
pub(crate) fn is_near() -> bool {
    ENDS_SOON.load(Ordering::Relaxed)
}

/// Gives a large value back, unless the process is about to end anyway.
pub(crate) fn leave<T>(value: T) {
    if is_near() {
        std::mem::forget(value);
    }
}
