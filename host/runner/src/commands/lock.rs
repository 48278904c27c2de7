//! `runner lock`

use serde_json::json;

use crate::args::Global;
use crate::chain_file;
use crate::config::Config;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::load_chain;

/// Write the chain file, or write it anew
///
/// `chain.lock` holds one line a revision, new ones last, so that git reports a conflict where two branches add revisions. Where
/// it is, `revision`, `merge`, `rebase` and `lint --fix` keep it, and `check` compares it with the revision files; this command is
/// for projects without one, for revisions written by hand, and after a conflict. Projects that do not want one delete it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner lock                    write `migrations/chain.lock`
  git add migrations/chain.lock  and tell git that the conflict is resolved")]
pub(crate) struct Args {}

impl Args {
    #[expect(clippy::unused_self, reason = "all commands are run alike")]
    pub(crate) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let chain = load_chain(&config)?;
        let was = chain_file::read(&config)?.unwrap_or_default();
        let is_written = chain_file::write(&config, &chain, &was)?;
        let (_, shown) = chain_file::place(&config).unwrap_or_default();
        if is_written {
            printer.say(format_args!("wrote {shown}"));
        } else {
            printer.say(format_args!("{shown} is up to date"));
        }
        printer.document(&json!({ "file": shown, "written": is_written, "revisions": chain.len() }));
        Ok(exit::DONE)
    }
}
