//! Stopping the statement of a session from another session.

use std::time::Duration;

use super::connect::Settings;
use super::link::Link;
use super::lock;

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Statement,
    Session,
}

/// How to reach a session that is busy.
pub(super) struct Stop {
    pub(super) settings: Settings,
    /// The lock that the session holds.
    pub(super) lock: String,
    pub(super) session: u64,
}

/// How long one request may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long after a request the next one follows.
const AGAIN: Duration = Duration::from_secs(1);

impl Stop {
    /// Stops it. It may have ended by itself, so nothing is said of a failure.
    pub(super) async fn send(self, what: What) {
        let _ = tokio::time::timeout(ATTEMPT, self.ask(what)).await;
    }

    async fn ask(&self, what: What) {
        let what = match what {
            What::Statement => "QUERY",
            What::Session => "CONNECTION",
        };
        let Ok(connection) = self.settings.connect().await else { return };
        let mut link = Link::new(connection);
        let _ = lock::kill(&mut link, &self.lock, what, self.session).await;
        let _ = link.close().await;
    }

    /// Lets a statement run for so long, then stops it and waits for its end. `true`: it was stopped.
    pub(super) async fn after<T>(self, limit: Duration, statement: impl Future<Output = T>) -> (T, bool) {
        let mut statement = std::pin::pin!(statement);
        tokio::select! {
            biased;
            answer = &mut statement => return (answer, false),
            () = tokio::time::sleep(limit) => {}
        }
        loop {
            let ended = async {
                tokio::select! {
                    biased;
                    answer = &mut statement => Some(answer),
                    () = tokio::time::sleep(AGAIN) => None,
                }
            };
            // Both to their end: a late `KILL` would hit the next statement.
            let asked = tokio::time::timeout(ATTEMPT, self.ask(What::Statement));
            if let (Some(answer), _) = tokio::join!(ended, asked) {
                return (answer, true);
            }
        }
    }
}
