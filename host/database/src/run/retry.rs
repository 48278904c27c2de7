//! Trying again after a lock time-out, a deadlock or a serialization failure.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::time::Duration;

use crate::error::Error;

use super::Progress;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often one thing is still tried.
#[derive(Debug)]
pub(super) struct Tries {
    made: u32,
    most: u32,
}

impl Tries {
    /// `retries` may follow the first try.
    pub(super) fn new(retries: u32) -> Self {
        Self { made: 1, most: retries.saturating_add(1) }
    }

    /// Waits before another try, if there is to be one.
    pub(super) async fn another(&mut self, error: &Error, observer: &mut (dyn FnMut(Progress) + Send)) -> bool {
        if !error.is_retryable() || self.made >= self.most {
            return false;
        }
        let pause = jittered(FIRST_PAUSE.saturating_mul(1 << (self.made - 1).min(16)).min(LONGEST_PAUSE));
        self.made += 1;
        observer(Progress::Retrying { attempt: self.made, of: self.most, pause });
        tokio::time::sleep(pause).await;
        true
    }
}

/// Between half of a pause and the whole of it, so that two that were in each other's way do not meet again.
fn jittered(pause: Duration) -> Duration {
    // The only randomness at hand: the seed of the standard library's hash tables.
    let random = RandomState::new().hash_one(0);
    let share = u32::try_from(random % 1000).unwrap_or(0);
    pause / 2 + pause / 2 * share / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jittered_pause_is_at_least_half() {
        for _ in 0..100 {
            let pause = jittered(Duration::from_millis(100));
            assert!(pause >= Duration::from_millis(50) && pause <= Duration::from_millis(100), "{pause:?}");
        }
    }
}
