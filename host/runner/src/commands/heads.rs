//! `runner heads`

use serde_json::json;

use super::revision_json;
use crate::args::Global;
use crate::config::Config;
use crate::ending;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::look_at_chain;

/// List the revisions that nothing builds on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner heads                   more than one line means that a merge is missing
  runner heads --resolve-dependencies
                                 the rows of a database that has everything
  runner heads --json")]
pub(crate) struct Args {
    /// Leave out heads that others depend on
    #[arg(long)]
    resolve_dependencies: bool,
}

impl Args {
    pub(crate) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let chain = look_at_chain(&config)?;
        let mut heads: Vec<_> = chain.heads().collect();
        if self.resolve_dependencies {
            heads.retain(|head| chain.is_effective_head(head));
        }
        for head in &heads {
            printer.line(revision_json::line(&chain, head, None));
        }
        let heads: Vec<_> = heads.into_iter().map(|head| revision_json::document(&chain, head)).collect();
        printer.document(&json!({ "heads": heads }));
        ending::leave(chain);
        Ok(exit::DONE)
    }
}
