//! `runner revision`

use runner_chain::Chain;
use runner_chain::RevisionId;
use runner_chain::Selector;

use super::new_file::Growing;
use super::new_file::Header;
use crate::args::Global;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::output::Printer;

/// Write a new revision file on top of the chain
///
/// The header is filled in; the SQL is yours to write.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner revision -m \"Add email\"
  runner revision -m \"Add audit triggers\" --env staging
  runner revision -m \"Sample patients\" --env =development,=test
  runner revision -m \"Start billing\" --head base --branch-label billing
                                 a second root, with a name for its branch
  runner revision -m \"Add invoices\" --head billing@head
  runner revision -m \"Fix\" --head a1b2 --splice
                                 a new branch on a revision that is not a head
  runner revision -m \"Add bills\" --depends-on c3d4")]
pub(crate) struct Args {
    /// Title; further lines become free text of the header
    #[arg(short, long, value_name = "TITLE")]
    message: String,
    /// The revision to build on: `head`, an id, `label@head`; `base` starts a new root
    #[arg(long, default_value = "head", value_name = "REVISION")]
    head: Selector,
    #[command(flatten)]
    header: Header,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let growing = Growing::open(global)?;
        let parents = parents(&growing.chain, &self.head)?;
        growing.write(&self.header, self.message.clone(), parents, false, printer).await
    }
}

/// The revisions to build on. With several heads, a guess would make the chain worse.
fn parents(chain: &Chain, head: &Selector) -> Result<Vec<RevisionId>> {
    let several: Vec<_> = chain.heads().collect();
    if head.to_string() != "head" || several.len() < 2 {
        return Ok(chain.resolve(head, None)?);
    }
    let mut error =
        Error::new(ErrorKind::Selector, format!("the chain has {} heads, so the parent is not clear", several.len()));
    for head in several {
        error = error.help(format!("`{}`  {}", head.id, head.title));
    }
    Err(error.help("name one of them with `--head`, or join them first: `runner merge heads`"))
}
