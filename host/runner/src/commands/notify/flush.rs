//! `runner notify flush`

use std::time::Duration;

use runner_database::Access;
use runner_database::Session;
use runner_delivery::Fate;
use serde_json::json;

use crate::args::Global;
use crate::config;
use crate::config::Config;
use crate::error::Error;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::Delivery;
use crate::pipeline::Interrupt;
use crate::pipeline::Mail;
use crate::pipeline::outbox;

/// Deliver what waits in the outbox
///
/// Tries every message once or, within its time, more often; a receiver that has asked to be left alone for a while is left
/// alone. Exits with 4 if something still waits or can't be delivered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner notify flush
  runner notify flush --dead     also what was given up, after its cause is mended
  runner notify flush --json")]
pub(crate) struct Args {
    /// Also try what was given up
    #[arg(long)]
    dead: bool,
    /// How long to try
    #[arg(long, value_name = "DURATION", value_parser = config::duration, default_value = "30s")]
    time: Duration,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        config.channels()?;
        if self.dead {
            revive(&config, printer).await?;
        }
        let interrupt = Interrupt::on_signals(|_| {});
        let deliveries = Mail::to_flush(&config, self.time, interrupt)?.deliver().await;
        for Delivery { channel, fate, key, .. } in &deliveries.tried {
            match fate {
                Fate::Delivered => {
                    printer.line(format_args!("{}  {channel}  {key}", Style::Good.paint("delivered")));
                }
                Fate::Dead { why } => {
                    printer.line(format_args!("{}       {channel}  {key}  {why}", Style::Bad.paint("dead")));
                }
                Fate::Waits { why, .. } => {
                    printer.line(format_args!("{}      {channel}  {key}  {why}", Style::Warning.paint("waits")));
                }
            }
        }
        for warning in &deliveries.warnings {
            printer.warn(warning);
        }
        let left = outbox::read(&config, None).await;
        for problem in &left.problems {
            printer.warn(problem);
        }
        let delivered = deliveries.tried.iter().filter(|one| one.fate == Fate::Delivered).count();
        printer.say(format_args!(
            "{delivered} delivered, {} waiting, {} given up",
            left.waiting().count(),
            left.dead().count()
        ));
        printer.document(&json!({
            "delivered": delivered,
            "waiting": left.waiting().count(),
            "dead": left.dead().count(),
            "messages": deliveries.tried.iter().map(message).collect::<Vec<_>>(),
        }));
        let is_done = left.messages.is_empty() && left.problems.is_empty();
        Ok(if is_done { exit::DONE } else { exit::PROBLEMS })
    }
}

fn message(delivery: &Delivery) -> serde_json::Value {
    let (outcome, error) = match &delivery.fate {
        Fate::Delivered => ("delivered", None),
        Fate::Dead { why } => ("dead", Some(why)),
        Fate::Waits { why, .. } => ("waiting", Some(why)),
    };
    json!({
        "key": delivery.key, "channel": delivery.channel, "attempts": delivery.attempts, "outcome": outcome,
        "error": error,
    })
}

/// What is in files is delivered without the database, too.
async fn revive(config: &Config, printer: &Printer) -> Result<()> {
    outbox::revive_spooled(config)?;
    let revived = async {
        let mut session = Session::open(config.database_url()?, config.database_options(), Access::Write).await?;
        if !session.unsent_messages(1).await?.is_empty() {
            session.revive_messages(None).await?;
        }
        Ok::<_, Error>(session.close().await?)
    };
    if let Err(error) = revived.await {
        printer.warn(format_args!("what was given up in the database can't be tried again: {error}"));
    }
    Ok(())
}
