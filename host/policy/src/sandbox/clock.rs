//! The wall-clock time of a call, which stands still while the host works on the plugin's behalf.

use std::time::Duration;
use std::time::Instant;

use tokio::sync::watch;

/// Measures one call.
pub(crate) struct Clock {
    begun: Instant,
    pauses: watch::Sender<Pauses>,
}

/// How long the clock has stood still.
#[derive(Clone, Copy, Default)]
struct Pauses {
    /// In pauses that are over.
    total: Duration,
    /// Since when it stands still now.
    since: Option<Instant>,
}

/// Ends a pause, even one that nobody waits for any more.
struct Resume<'a>(&'a watch::Sender<Pauses>);

impl Drop for Resume<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|pauses| {
            if let Some(since) = pauses.since.take() {
                pauses.total += since.elapsed();
            }
        });
    }
}

impl Clock {
    /// A clock that runs from now on.
    pub(crate) fn start() -> Self {
        Clock { begun: Instant::now(), pauses: watch::Sender::default() }
    }

    /// The time that was used, without pauses.
    pub(crate) fn used(&self) -> Duration {
        let Pauses { total, since } = *self.pauses.borrow();
        let paused = total + since.map_or(Duration::ZERO, |since| since.elapsed());
        self.begun.elapsed().saturating_sub(paused)
    }

    /// Waits for something that does not count.
    pub(crate) async fn pause<T>(&self, work: impl Future<Output = T>) -> T {
        self.pauses.send_modify(|pauses| pauses.since = Some(Instant::now()));
        let _resume = Resume(&self.pauses);
        work.await
    }

    /// Ends when so much time is used.
    pub(crate) async fn run_out(&self, limit: Duration) {
        let mut pauses = self.pauses.subscribe();
        loop {
            let stands_still = pauses.borrow_and_update().since.is_some();
            let left = limit.saturating_sub(self.used());
            let changed = if stands_still {
                pauses.changed().await
            } else if left.is_zero() {
                return;
            } else {
                tokio::select! {
                    changed = pauses.changed() => changed,
                    () = tokio::time::sleep(left) => Ok(()),
                }
            };
            if changed.is_err() {
                // The sender is `self`, so this does not happen.
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pause_does_not_count() {
        let clock = Clock::start();
        let limit = Duration::from_millis(40);
        let pause = clock.pause(tokio::time::sleep(Duration::from_millis(200)));
        let order = tokio::select! {
            biased;
            () = pause => "the pause",
            () = clock.run_out(limit) => "the clock",
        };
        assert_eq!(order, "the pause", "however long it takes");
        clock.run_out(limit).await;
        assert!(clock.used() >= limit);
    }

    #[tokio::test]
    async fn a_pause_that_is_given_up_is_over() {
        let clock = Clock::start();
        let forever = clock.pause(std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::from_millis(5), forever).await.is_err());
        clock.run_out(Duration::from_millis(5)).await;
    }
}
