//! The lock of a target: who holds it, and how long to wait for it. How it is taken is the dialect's business.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use tokio::time::Instant;

use crate::backend::Backend;
use crate::backend::LockAttempt;
use crate::error::Error;
use crate::error::Result;

/// How often a waiting session asks again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The runner that holds, or wants, the lock of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Machine.
    pub host: String,
    /// Who started it.
    pub actor: String,
    /// The command, e.g. `upgrade`.
    pub command: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
    /// What else the database shows, e.g. how to end the connection that holds the lock. A server knows connections, not
    /// processes: there `pid` is 0 and `command` empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, actor, command, since, note } = self;
        if command.is_empty() {
            write!(formatter, "{actor} (on {host}, since {since})")?;
        } else {
            write!(formatter, "`{command}` of {actor} (process {pid} on {host}, since {since})")?;
        }
        match note {
            Some(note) => write!(formatter, ", {note}"),
            None => Ok(()),
        }
    }
}

/// Polls for the lock until it is taken or `wait` has passed; a wait of zero asks once. In vain, it holds nothing.
pub(crate) async fn acquire(
    backend: &mut dyn Backend,
    wait: Duration,
    me: &Holder,
    on_wait: &mut (dyn FnMut(Option<&Holder>, Duration) + Send),
) -> Result<()> {
    let result = poll(backend, wait, me, on_wait).await;
    if result.is_err() {
        backend.unlock().await?;
    }
    result
}

async fn poll(
    backend: &mut dyn Backend,
    wait: Duration,
    me: &Holder,
    on_wait: &mut (dyn FnMut(Option<&Holder>, Duration) + Send),
) -> Result<()> {
    let begun = Instant::now();
    loop {
        let holder = match backend.try_lock(me).await? {
            LockAttempt::Acquired => return Ok(()),
            LockAttempt::Held(holder) => holder,
        };
        let waited = begun.elapsed();
        if waited >= wait {
            return Err(Error::Locked { holder: holder.map(Box::new), waited });
        }
        on_wait(holder.as_ref(), waited);
        tokio::time::sleep(POLL_INTERVAL.min(wait - waited)).await;
    }
}
