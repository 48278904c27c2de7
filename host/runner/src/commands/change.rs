//! What `upgrade`, `downgrade`, `stamp` and `plan` have in common: an order, carried out and told.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::args::Global;
use crate::config;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::TextObserver;
use crate::pipeline;
use crate::pipeline::Ended;
use crate::pipeline::Interrupt;
use crate::pipeline::Keeping;
use crate::pipeline::Mail;
use crate::pipeline::Operation;
use crate::pipeline::Order;
use crate::pipeline::Outcome;
use crate::pipeline::Report;
use crate::pipeline::ScriptStart;

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

/// Options of commands whose plan may be written down instead.
#[derive(Debug, clap::Args)]
pub(super) struct Steps {
    #[command(flatten)]
    pub(super) change: Change,
    /// Write an SQL script for the database's own client instead of running anything
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,
    /// Save what the plan destroys before anything runs
    #[arg(long, conflicts_with = "sql")]
    backup: bool,
}

impl Steps {
    /// The order that the arguments of a command make. With `--sql` the target may be a range.
    pub(super) fn order(&self, operation: Operation, targets: &[String]) -> Result<Order> {
        let mut order = Order::new(operation, targets.to_vec(), self.change.dry_run);
        if self.backup {
            order.keeping = Keeping::Always(None);
        }
        if !self.sql {
            return Ok(order);
        }
        let ranges: Vec<&String> = targets.iter().filter(|target| target.contains(':')).collect();
        order.script = Some(match (ranges.as_slice(), order.targets.as_mut_slice()) {
            ([], _) => ScriptStart::Database,
            ([_], [range]) => {
                let (from, to) = range.split_once(':').unwrap_or_default();
                let (from, to) = (from.trim().to_owned(), to.trim().to_owned());
                if to.is_empty() && operation == Operation::Downgrade {
                    return Err(Error::new(ErrorKind::Usage, format!("`{range}` does not say where to go back to"))
                        .help(format!("write `{from}:base`, or a revision after the `:`")));
                }
                if to == "current" {
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("`{range}` ends where the database is, which a script leaves"),
                    )
                    .help("name the revision that the script leads to"));
                }
                *range = if to.is_empty() { "heads".to_owned() } else { to };
                match from.as_str() {
                    "current" => ScriptStart::Database,
                    "" => ScriptStart::At("base".to_owned()),
                    _ => ScriptStart::At(from),
                }
            }
            _ => {
                return Err(Error::new(ErrorKind::Usage, "a range stands alone")
                    .help("write one range, as in `a1b2c3d4:heads`, or leave the start out"));
            }
        });
        Ok(order)
    }
}

/// Carries out an order and tells people or scripts how it goes. Gives the exit code.
pub(super) async fn carry_out(
    global: &Global,
    printer: &Printer,
    order: &Order,
    lock_wait: Option<Duration>,
) -> Result<u8> {
    let config = Config::load(&config::Overrides { lock_wait, ..global.overrides() })?;
    // Whoever wants a script on stdout wants nothing else there.
    let printer = &if order.script.is_some() { printer.aside() } else { printer.clone() };
    let is_over = Arc::new(AtomicBool::new(false));
    let (result, mail) = run(&config, global, printer, order, &is_over).await;
    let code = match result {
        Ok((report, None)) => match &report.script {
            Some(script) => match printer.script(&report, script) {
                Ok(()) => exit::DONE,
                Err(error) => {
                    let error = Error::new(ErrorKind::Io, format!("failed to write the script: {error}"))
                        .help("what is there is only a part of it; do not run it");
                    printer.error_text(&error);
                    error.kind().exit_code()
                }
            },
            None => {
                printer.document(&report);
                if order.script.is_some() {
                    printer.comment("nothing to do: the database is where it should be");
                }
                exit::DONE
            }
        },
        Ok((report, Some(error))) => {
            // The document says it all; people who watch stderr hear it as well.
            printer.document(&report);
            printer.error_text(&error);
            error.kind().exit_code()
        }
        Err(error) => {
            printer.error(&error);
            error.kind().exit_code()
        }
    };
    // Whoever waits for the outcome has it, and need not wait for messages.
    is_over.store(true, Ordering::Relaxed);
    for complaint in mail.deliver().await.complaints() {
        printer.warn(complaint);
    }
    Ok(code)
}

/// Carries out an order that changes nothing. The error is what the command should end with.
pub(super) async fn report(global: &Global, printer: &Printer, order: &Order) -> Result<(Report, Option<Error>)> {
    let config = Config::load(&global.overrides())?;
    run(&config, global, printer, order, &Arc::default()).await.0
}

async fn run(
    config: &Config,
    global: &Global,
    printer: &Printer,
    order: &Order,
    is_over: &Arc<AtomicBool>,
) -> (Result<(Report, Option<Error>)>, Mail) {
    let started = Instant::now();
    let (signalled, is_over) = (printer.clone(), Arc::clone(is_over));
    let interrupt = Interrupt::on_signals(move |count| {
        if count == 1 && !is_over.load(Ordering::Relaxed) {
            signalled.warn("interrupted: the current step is finished first; interrupt again to stop it");
        }
    });
    let mut observer = TextObserver::new(printer, global.yes);
    let Ended { result, mail } = pipeline::execute(config, order, &mut observer, interrupt).await;
    let result = result.map(|report| {
        let mut error = observer.finish(&report, started.elapsed());
        if report.outcome == Outcome::Denied && error.is_none() {
            error = Some(crate::project::refusal(&report));
        }
        (report, error)
    });
    (result, mail)
}
