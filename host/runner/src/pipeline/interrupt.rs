//! Ctrl-C and SIGTERM: the first lets the current step finish, the second rolls it back.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

/// Told each time somebody asks to stop, with how often that has been asked.
type Said = dyn Fn(usize) + Send + Sync;

/// Whether somebody wants the run to stop.
#[derive(Clone)]
pub struct Interrupt {
    count: watch::Sender<usize>,
    signals: Option<Arc<Said>>,
    /// Shared by all clones, so that a signal counts once.
    is_listening: Arc<AtomicBool>,
}

impl Default for Interrupt {
    fn default() -> Self {
        Interrupt { count: watch::Sender::new(0), signals: None, is_listening: Arc::default() }
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Interrupt").field("count", &*self.count.borrow()).finish_non_exhaustive()
    }
}

impl Interrupt {
    /// Never interrupts by itself; [`Interrupt::raise`] does.
    pub fn new() -> Self {
        Interrupt::default()
    }

    /// Interrupts on Ctrl-C and SIGTERM, from when there is something to protect: a signal before that ends the process as
    /// usual.
    pub fn on_signals(said: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Interrupt { signals: Some(Arc::new(said)), ..Interrupt::default() }
    }

    /// Asks to stop. Gives how often that has been asked.
    pub fn raise(&self) -> usize {
        self.count.send_modify(|count| *count += 1);
        *self.count.borrow()
    }

    /// Begins to listen to signals, once.
    pub(crate) fn listen(&self) {
        if let Some(said) = self.signals.clone()
            && !self.is_listening.swap(true, Ordering::Relaxed)
        {
            let interrupt = self.clone();
            tokio::spawn(async move {
                while next_signal().await {
                    said(interrupt.raise());
                }
            });
        }
    }

    /// How often somebody has asked to stop.
    pub(super) fn times(&self) -> usize {
        *self.count.borrow()
    }

    pub(super) fn is_raised(&self) -> bool {
        self.times() > 0
    }

    /// Ends when it has been asked so often.
    pub(crate) async fn asked(&self, times: usize) {
        let mut count = self.count.subscribe();
        if count.wait_for(|count| *count >= times).await.is_err() {
            // The sender is `self`, so this does not happen; never is the right answer all the same.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn next_signal() -> bool {
    use tokio::signal::unix::SignalKind;
    use tokio::signal::unix::signal;
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return tokio::signal::ctrl_c().await.is_ok();
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
        received = terminate.recv() => received.is_some(),
    }
}

#[cfg(not(unix))]
async fn next_signal() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
