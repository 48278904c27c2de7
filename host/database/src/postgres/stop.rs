//! Stopping what a session of ours still does on the server.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::connect::Settings;
use super::link::Link;
use super::link::ServerProcess;

/// How long a statement may take to end once it was asked to.
const ENDING: Duration = Duration::from_secs(10);
/// A request that comes before the statement has begun has no effect, so it is repeated.
const AGAIN: Duration = Duration::from_millis(250);

/// A task that asks the server to stop a statement until it has ended.
pub(super) struct Stop {
    has_ended: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Stop {
    /// Outside of a runtime nothing can be asked, and the end of the connection has to do.
    pub(super) fn start(settings: &Settings, process: &ServerProcess) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let (settings, process) = (settings.clone(), process.clone());
        let (has_ended, mut ended) = oneshot::channel();
        let task = runtime.spawn(async move {
            let ask = async {
                loop {
                    settings.stop(&process).await;
                    if tokio::time::timeout(AGAIN, &mut ended).await.is_ok() {
                        return;
                    }
                }
            };
            let _ = tokio::time::timeout(ENDING, ask).await;
        });
        Some(Self { has_ended, task })
    }

    /// Waits until the statement has ended, and until no request is on its way that could hit the next one.
    pub(super) async fn wait(self, link: &mut Link) {
        match tokio::time::timeout(ENDING, link.drain()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("the connection was lost: {error}"),
            Err(_) => {
                tracing::debug!("the statement did not stop");
                link.give_up();
            }
        }
        let _ = self.has_ended.send(());
        if let Err(error) = self.task.await {
            tracing::debug!("the request to stop failed: {error}");
        }
    }
}

/// Ends a server process that has lost its connection, and waits until it is gone.
pub(super) async fn end(link: &mut Link, process: &ServerProcess) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE {}",
        process.condition()
    );
    let gone = async {
        loop {
            if link.rows(sql.clone()).await?.iter().all(Vec::is_empty) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(ENDING, gone).await.unwrap_or_else(|_| {
        Err(sqlx::Error::Protocol("the server does not end the session whose connection was lost".to_owned()))
    })
}
