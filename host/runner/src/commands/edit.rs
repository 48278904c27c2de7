//! `runner edit`

use std::path::PathBuf;
use std::process::Command;

use runner_chain::Selector;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::pipeline::Reading;
use crate::pipeline::chain_and_versions;
use crate::pipeline::load_chain;

/// Open revision files in an editor
///
/// The editor is that of `VISUAL` or `EDITOR`. Afterwards the chain is read again, so that a slip is seen at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner edit head
  runner edit a1b2
  runner edit current            where the database is
  EDITOR='code --wait' runner edit heads")]
pub(crate) struct Args {
    /// The revision: an id, a label, `head`, `heads`, `current`, `a1b2-1`
    #[arg(allow_negative_numbers = true, value_name = "REVISION")]
    revision: Selector,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let (chain, versions) = chain_and_versions(&config, self.revision.needs_current(), Reading::Files).await?;
        let ids = chain.resolve(&self.revision, versions.as_ref())?;
        let found = ids.iter().filter_map(|id| chain.get(id.as_str()));
        let files: Vec<PathBuf> = found.map(|revision| config.file(revision)).collect();
        if files.is_empty() {
            let message = format!("`{}` is before the first revision", self.revision);
            return Err(Error::new(ErrorKind::Selector, message));
        }
        let editor = editor()?;
        let mut words = editor.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(&files);
        let ended = command.status().map_err(|error| {
            Error::new(ErrorKind::Io, format!("the editor `{editor}` can't be started: {error}"))
                .help("set `VISUAL` or `EDITOR` to an editor that is installed")
        })?;
        if !ended.success() {
            return Err(Error::new(ErrorKind::Io, format!("the editor `{editor}` has failed: {ended}")));
        }
        load_chain(&config)?;
        for file in files {
            printer.note(format_args!("edited {}", file.display()));
        }
        Ok(exit::DONE)
    }
}

fn editor() -> Result<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).ok_or_else(|| {
        Error::new(ErrorKind::Usage, "no editor is configured")
            .help("set `VISUAL` or `EDITOR`, as in `EDITOR=vi runner edit head`")
    })
}
