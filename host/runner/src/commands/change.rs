//! What `upgrade`, `downgrade`, `stamp` and `plan` have in common: an order, carried out and told.

use std::time::Duration;
use std::time::Instant;

use crate::args::Global;
use crate::config;
use crate::config::Config;
use crate::error::Error;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::TextObserver;
use crate::pipeline;
use crate::pipeline::Interrupt;
use crate::pipeline::Order;
use crate::pipeline::Outcome;
use crate::pipeline::Report;

/// Options of commands that change the database.
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// Show the plan and the verdicts, change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// How long to wait for another runner, as in `60s` [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = config::duration)]
    pub(super) lock_wait: Option<Duration>,
}

/// Carries out an order and tells people or scripts how it goes. Gives the exit code.
pub(super) async fn carry_out(
    global: &Global,
    printer: &Printer,
    order: &Order,
    lock_wait: Option<Duration>,
) -> Result<u8> {
    let (report, error) = report(global, printer, order, lock_wait).await?;
    printer.document(&report);
    let Some(error) = error else {
        return Ok(exit::DONE);
    };
    if printer.is_json() {
        // The document says it all; people who watch stderr hear it as well.
        printer.error_text(&error);
        return Ok(error.kind().exit_code());
    }
    Err(error)
}

/// Carries out an order. The error is what the command should end with.
pub(super) async fn report(
    global: &Global,
    printer: &Printer,
    order: &Order,
    lock_wait: Option<Duration>,
) -> Result<(Report, Option<Error>)> {
    let started = Instant::now();
    let config = Config::load(&config::Overrides { lock_wait, ..global.overrides() })?;
    let signalled = printer.clone();
    let interrupt = Interrupt::on_signals(move |count| {
        if count == 1 {
            signalled.warn("interrupted: the current step is finished first; interrupt again to stop it");
        }
    });
    let mut observer = TextObserver::new(printer, global.yes);
    let report = pipeline::execute(&config, order, &mut observer, interrupt).await?;
    let mut error = observer.finish(&report, started.elapsed());
    if report.outcome == Outcome::Denied && error.is_none() {
        error = Some(crate::project::refusal(&report));
    }
    Ok((report, error))
}
