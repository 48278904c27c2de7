//! Waits until a database accepts connections.

use std::time::Duration;

use tokio::time::Instant;

use crate::backend::Server;
use crate::error::Error;
use crate::error::Result;
use crate::options::Options;
use crate::session::Access;
use crate::session::Session;
use crate::url::DatabaseUrl;

const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Connects again and again until the database answers, for at most `limit`. `on_wait` hears of each vain attempt: why, and how
/// long it has taken so far. Writes nothing.
///
/// # Errors
/// At once what no waiting helps against, such as a wrong password or an unknown database; after `limit` the last
/// [`Error::Connect`].
pub async fn wait(
    url: &DatabaseUrl,
    options: &Options,
    limit: Duration,
    on_wait: &mut (dyn FnMut(&Error, Duration) + Send),
) -> Result<Server> {
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        let error = match tokio::time::timeout(left.max(POLL_INTERVAL), answer(url, options)).await {
            Ok(Ok(server)) => return Ok(server),
            Ok(Err(error)) if !error.is_transient() => return Err(error),
            Ok(Err(error)) => error,
            Err(_) => Error::Connect {
                target: url.to_string(),
                message: "the server does not answer".to_owned(),
                hint: "check host and port in the URL, and whether a firewall is in between".to_owned(),
                is_transient: true,
            },
        };
        let waited = begun.elapsed();
        if waited >= limit {
            return Err(error);
        }
        on_wait(&error, waited);
        tokio::time::sleep(POLL_INTERVAL.min(limit - waited)).await;
    }
}

async fn answer(url: &DatabaseUrl, options: &Options) -> Result<Server> {
    let session = Session::open(url, options, Access::Read).await?;
    let server = session.server().clone();
    // It has answered; how the connection ends does not matter.
    let _ = session.close().await;
    Ok(server)
}
