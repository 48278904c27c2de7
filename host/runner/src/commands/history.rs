//! `runner history`

use runner_chain::Range;
use runner_chain::Selector;
use serde_json::json;

use super::revision_json;
use crate::args::Global;
use crate::config::Config;
use crate::ending;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::graph;
use crate::pipeline::Reading;
use crate::pipeline::chain_and_versions;

/// List all revisions, newest first
///
/// Reads files alone; a database is needed only for a range that says `current`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner history                     a line a revision
  runner history -v                  with everything that the headers say
  runner history -r a1b2c3d4:head    a part of the chain
  runner history -r -3:current       the last three that are applied, and the one before
  runner history -i                  marks where the database is
  runner history --graph             drawn, with a column for each branch
  runner history --json")]
pub(crate) struct Args {
    /// From and to, both optional and both included
    #[arg(short, long, allow_hyphen_values = true, value_name = "FROM:TO")]
    rev_range: Option<Range>,
    /// Ask the database where it is, and mark that
    #[arg(short, long)]
    indicate_current: bool,
    /// Draw the branches
    #[arg(long)]
    graph: bool,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let ends = self.rev_range.iter().flat_map(|range| [&range.from, &range.to]).flatten();
        let wants_versions = self.indicate_current || ends.into_iter().any(Selector::needs_current);
        let (chain, versions) = chain_and_versions(&config, wants_versions, Reading::Remembered).await?;
        let positions = match &self.rev_range {
            Some(range) => chain.resolve_range(range, versions.as_ref())?,
            None => (0..chain.len()).collect(),
        };
        let revisions: Vec<_> =
            positions.into_iter().rev().filter_map(|position| chain.revisions().get(position)).collect();
        if self.graph && !printer.is_json() {
            let label = |revision: &runner_chain::Revision| revision_json::short(&chain, revision, versions.as_ref());
            printer.line(graph::draw(&chain, &revisions, label).join("\n"));
            return Ok(exit::DONE);
        }
        let show = if printer.is_verbose() { revision_json::full } else { revision_json::line };
        let lines: Vec<String> = revisions.iter().map(|revision| show(&chain, revision, versions.as_ref())).collect();
        if !lines.is_empty() && !printer.is_json() {
            printer.line(lines.join("\n"));
        }
        if printer.is_json() {
            let revisions: Vec<_> =
                revisions.into_iter().map(|revision| revision_json::document(&chain, revision)).collect();
            printer.document(&json!({ "revisions": revisions }));
        }
        ending::leave((chain, lines));
        Ok(exit::DONE)
    }
}
