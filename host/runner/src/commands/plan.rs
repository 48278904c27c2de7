//! `runner plan`

use super::change;
use crate::args::Global;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::Operation;
use crate::pipeline::Order;

/// Show what an upgrade would do, and what the policies say
///
/// Writes nothing. The exit code is 0 whatever the policies say, because a plan that is refused without its approval is
/// what an approval is given for; `upgrade --dry-run` exits with 3 if the plan is refused.
///
/// With `--json` the key `request` holds everything that the policies were asked, for `runner plugin run` and
/// `runner plugin test`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plan                                 the plan of `runner upgrade`
  runner plan +1                              the plan of `runner upgrade +1`
  runner plan --env production --plugins strict-prod
                                              what would be refused there, and the hash that approves it
  runner plan --json | jq -r .plan_hash       the hash alone
  runner plan --json > plan.json              what `runner plugin run FILE --plan plan.json` asks a plugin")]
pub(crate) struct Args {
    /// Revisions to upgrade to: ids, labels, `head`, `heads`, `+1`
    #[arg(default_value = "heads", allow_negative_numbers = true, value_name = "REVISION")]
    targets: Vec<String>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let order = Order { record: printer.is_json(), ..Order::new(Operation::Upgrade, self.targets.clone(), true) };
        let (report, refused) = change::report(global, printer, &order).await?;
        match &report.request {
            Some(request) => printer.document_with_request(&report, request, report.facts.as_deref()),
            None => printer.document(&report),
        }
        if let Some(refused) = refused {
            printer.error_text(&refused);
            printer.line(format_args!("The plan's hash is {}", report.plan_hash));
        }
        Ok(exit::DONE)
    }
}
