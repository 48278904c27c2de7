//! `runner show`

use runner_chain::Selector;

use super::revision_json;
use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::Reading;
use crate::pipeline::chain_and_versions;

/// Show one revision: its header, and with -v its whole file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner show head
  runner show a1b2 -v
  runner show current")]
pub(crate) struct Args {
    /// The revision: an id, a label, `head`, `current`, `a1b2-1`
    #[arg(allow_negative_numbers = true, value_name = "REVISION")]
    revision: Selector,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let (chain, versions) = chain_and_versions(&config, self.revision.needs_current(), Reading::Remembered).await?;
        let id = chain.resolve_one(&self.revision, versions.as_ref())?.ok_or_else(|| {
            Error::new(ErrorKind::Selector, format!("`{}` is before the first revision", self.revision))
        })?;
        let revision = chain
            .get(id.as_str())
            .ok_or_else(|| Error::new(ErrorKind::Selector, format!("there is no revision `{id}`")))?;
        printer.line(revision_json::full(&chain, revision, versions.as_ref()));
        if printer.is_verbose() {
            printer.line(revision.source());
        }
        printer.document(&revision_json::document(&chain, revision));
        Ok(exit::DONE)
    }
}
