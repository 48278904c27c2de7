//! `runner wait`

use std::time::Duration;
use std::time::Instant;

use runner_database::Server;
use serde_json::json;

use crate::args::Global;
use crate::config;
use crate::config::Config;
use crate::error::Error;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// How often people hear that it still takes.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Wait until the database accepts connections
///
/// A wrong password or an unknown database is not waited for. Commands that connect take `--wait` and do the same before they
/// begin.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner wait
  runner wait --timeout 2m && runner upgrade
  runner upgrade --wait=2m                    the same in one command")]
pub(crate) struct Args {
    /// How long to wait at most
    #[arg(long, value_name = "DURATION", value_parser = config::duration, default_value = "60s")]
    timeout: Duration,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let begun = Instant::now();
        let server = until_ready(&config, self.timeout, printer).await?;
        let waited = begun.elapsed();
        let Server { product, version, .. } = &server;
        printer.say(format_args!(
            "{} accepts connections: {product} {version} (waited {:.1} s)",
            config.database_url()?,
            waited.as_secs_f64()
        ));
        printer.document(&json!({
            "ready": true, "waited_ms": waited.as_millis(), "server": { "product": product, "version": version },
        }));
        Ok(exit::DONE)
    }
}

/// Waits until the database answers, and says so when it takes long.
pub(super) async fn until_ready(config: &Config, limit: Duration, printer: &Printer) -> Result<Server> {
    let url = config.database_url()?;
    let mut said: Option<Duration> = None;
    let mut on_wait = |error: &runner_database::Error, waited: Duration| {
        if said.is_none_or(|before| waited - before >= SAY_EVERY) {
            said = Some(waited);
            printer.talk(format_args!("waiting for {url} ({:.0} s): {error}", waited.as_secs_f64()));
        }
    };
    let ready = runner_database::wait(url, config.database_options(), limit, &mut on_wait).await;
    ready.map_err(|error| {
        let waited = said.is_some();
        let error = Error::from(error);
        if waited { error.help(format!("waited for {:.1} s", limit.as_secs_f64())) } else { error }
    })
}
