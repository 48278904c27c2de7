//! What calls of a plugin have used, for those who want to know.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use serde::Serialize;

/// One call of a plugin: a fresh instance, and one question to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Interface and function, as in `gate.review`.
    pub function: &'static str,
    /// Fuel that was used, instantiation included. The same input uses the same fuel on every machine.
    pub fuel: u64,
    /// Bytes of all memories and tables when the call ended; they never shrink.
    pub memory: u64,
    /// Wall-clock time, instantiation included.
    #[serde(rename = "time_us", serialize_with = "microseconds")]
    pub time: Duration,
    /// The part of it that made the instance.
    #[serde(rename = "instantiation_us", serialize_with = "microseconds")]
    pub instantiation: Duration,
}

fn microseconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1e6)
}

/// Collects the calls of the plugins that are loaded with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Vec<Call>>>);

impl Meter {
    pub(crate) fn note(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }

    /// What was noted since the last time.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
