//! `runner current`

use runner_chain::Applied;
use runner_chain::Chain;
use runner_chain::Revision;
use serde_json::json;

use super::revision_json;
use crate::args::Global;
use crate::config::Config;
use crate::ending;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::Database;
use crate::pipeline::Reading;

/// Show the revisions that the database is at
///
/// Writes nothing, not even tables.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner current
  runner current -v
  runner current --check-heads   for scripts: exits with 4 unless all heads are applied
  runner current --json | jq .up_to_date")]
pub(crate) struct Args {
    /// Exit with 4 unless every head is applied
    #[arg(long)]
    check_heads: bool,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let database = Database::open_as_it_is(&config, Reading::Remembered).await?;
        let code = self.show(&config, &database, printer);
        ending::leave(database);
        code
    }

    fn show(&self, config: &Config, database: &Database, printer: &Printer) -> Result<u8> {
        let Database { chain, versions, state, warnings, contradiction, .. } = database;
        for warning in warnings {
            printer.warn(warning);
        }
        if printer.is_verbose() {
            printer.line(format_args!("Current revisions of {}:\n", config.database_url()?));
        }
        for revision in versions.iter().filter_map(|id| chain.get(id.as_str())) {
            if printer.is_verbose() {
                printer.line(revision_json::full(chain, revision, Some(versions)));
            } else {
                printer.line(revision_json::line(chain, revision, Some(versions)));
            }
        }
        if let Ok(applied) = chain.applied(versions) {
            // Applied because of a dependency, and so without a row.
            for tip in chain.tips(&applied).filter(|tip| !versions.contains(tip.id.as_str())) {
                let needing = chain.dependents(tip).filter(|other| is_applied(chain, &applied, other));
                let needing: Vec<String> = needing.map(|other| format!("`{}`", other.id)).collect();
                printer.line(format_args!(
                    "{} (needed by {})",
                    revision_json::line(chain, tip, Some(versions)),
                    needing.join(", ")
                ));
            }
        }
        for id in versions.iter().filter(|id| chain.get(id.as_str()).is_none()) {
            printer.line(format_args!("{id} (there is no such file)"));
        }
        for dirty in &state.dirty {
            if dirty.is_cut_off_restore() {
                printer.warn("a backup was being restored, and that was cut off: put it back with `runner backup restore NAME --replace`");
                continue;
            }
            printer.warn(format_args!(
                "`{}` is half-way {}: {} of {} statements are done, the next run goes on there",
                dirty.revision, dirty.direction, dirty.statements_done, dirty.statements_total
            ));
        }
        if let Some(error) = contradiction {
            return Err(error.clone());
        }
        let applied = chain.applied(versions)?;
        let pending = chain.len() - applied.len();
        if versions.is_empty() {
            printer.say("nothing is applied");
        }
        if pending > 0 {
            printer.say(Style::Warning.paint(format_args!("{pending} of {} revisions are pending", chain.len())));
        }
        let current: Vec<String> = versions.iter().map(ToString::to_string).collect();
        let heads: Vec<String> = chain.heads().map(|head| head.id.to_string()).collect();
        let up_to_date = pending == 0 && state.dirty.is_empty();
        printer.document(&json!({ "current": current, "heads": heads, "up_to_date": up_to_date }));
        if self.check_heads {
            let missing: Vec<String> = chain
                .heads()
                .filter(|head| !is_applied(chain, &applied, head))
                .map(|head| format!("`{}`", head.id))
                .collect();
            if !missing.is_empty() {
                printer.talk(format_args!(
                    "{}: the database is not at all heads: {} is missing",
                    Style::Bad.paint("error"),
                    missing.join(", ")
                ));
                printer.hint("`runner upgrade` applies what is pending");
                return Ok(exit::PROBLEMS);
            }
        }
        Ok(exit::DONE)
    }
}

fn is_applied(chain: &Chain, applied: &Applied, revision: &Revision) -> bool {
    chain.index(revision.id.as_str()).is_some_and(|index| applied.contains(index))
}
