//! The end of a process: the system takes memory back faster than a chain of thousands of revisions could give it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;

static ENDS_SOON: AtomicBool = AtomicBool::new(false);
/// What is done beside the command.
static UNFINISHED: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

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

/// Does something that nobody waits for but the end of the process. That it can't be done is no reason to fail.
pub(crate) fn meanwhile(work: impl FnOnce() + Send + 'static) {
    if let Ok(handle) = thread::Builder::new().spawn(work)
        && is_near()
    {
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }
}

/// Waits for what is still being done.
pub(crate) fn wait() {
    let unfinished = std::mem::take(&mut *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner));
    for handle in unfinished {
        // What failed there has said so itself.
        let _ = handle.join();
    }
}
