//! How long to wait before the next attempt: twice as long each time, and never the same for two runners.

use std::time::Duration;

/// The wait after the first attempt.
const FIRST: Duration = Duration::from_millis(250);
/// The wait never grows longer.
pub(crate) const LONGEST: Duration = Duration::from_secs(15 * 60);
/// More than this no receiver is taken to mean.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait after so many attempts, between half and all of its nominal length.
pub(crate) fn after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(20);
    let nominal = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    nominal.mul_f64(0.5 + 0.5 * random())
}

/// Between 0 and 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness two runners only wait for the same time.
    if getrandom::fill(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_somewhere() {
        for (attempts, nominal) in [(1, 250), (2, 500), (3, 1000), (6, 8000), (40, 900_000), (u32::MAX, 900_000)] {
            let nominal = Duration::from_millis(nominal);
            for _ in 0..20 {
                let wait = after(attempts);
                assert!(wait >= nominal / 2 && wait <= nominal, "{attempts}: {wait:?}");
            }
        }
        let waits: std::collections::HashSet<Duration> = (0..20).map(|_| after(5)).collect();
        assert!(waits.len() > 1, "two runners would wait for the same time");
    }
}
