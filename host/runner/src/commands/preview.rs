//! `runner preview`

use std::path::PathBuf;

use super::change;
use crate::args::Global;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::preview;
use crate::pipeline::Operation;
use crate::pipeline::Order;

/// Write a plan down for review: steps, SQL, verdicts, locks, and what it would destroy
///
/// Changes nothing. `--out` writes the plan file with which `runner apply` runs exactly this plan. The exit code is 0 whatever
/// the policies say, as for `plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner preview                                 what `runner upgrade` would do
  runner preview --format markdown --out plan.json > plan.md
                                                 for a pull request, and the file that runs it
  runner preview --format html > plan.html       as one page
  runner preview --rollback a1b2c3d4             what `runner rollback a1b2c3d4` would do")]
pub(crate) struct Args {
    /// Revisions to upgrade to: ids, labels, `head`, `heads`, `+1`
    #[arg(default_value = "heads", allow_negative_numbers = true, value_name = "REVISION")]
    targets: Vec<String>,
    /// Preview a rollback to this revision instead
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    rollback: Option<String>,
    /// The form of the document
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Also write the plan file for `runner apply`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for a terminal.
    #[default]
    Text,
    /// For a pull request.
    Markdown,
    /// One page without anything from elsewhere.
    Html,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = match &self.rollback {
            Some(target) => Order::new(Operation::Rollback, vec![target.clone()], true),
            None => Order::new(Operation::Upgrade, self.targets.clone(), true),
        };
        let order = Order { forecast: true, preview: true, validates: self.rollback.is_some(), ..order };
        let is_document = self.format != Format::Text || printer.is_json();
        let talker = if is_document { &printer.silent() } else { printer };
        let (report, refused) = change::report(global, talker, &order).await?;
        let Some(plan) = &report.plan_file else {
            return Err(refused.unwrap_or_else(|| Error::new(ErrorKind::Usage, "there is no plan")));
        };
        if let Some(path) = &self.out {
            let text = serde_json::to_string_pretty(plan).unwrap_or_default() + "\n";
            std::fs::write(path, text).map_err(|error| {
                Error::new(ErrorKind::Io, format!("`{}` can't be written: {error}", path.display()))
            })?;
        }
        match self.format {
            _ if printer.is_json() => printer.document(&report),
            Format::Text => {
                for step in &plan.steps {
                    printer.line(format_args!("\n-- {} {}: {}", step.direction, step.revision, step.message));
                    for statement in &step.statements {
                        printer.line(format_args!("{statement};"));
                    }
                }
            }
            Format::Markdown => printer.lines(&[preview::markdown(&report, plan)]),
            Format::Html => printer.lines(&[preview::html(&report, plan)]),
        }
        if let Some(refused) = refused {
            printer.error_text(&refused);
        }
        Ok(exit::DONE)
    }
}
