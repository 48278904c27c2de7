//! `runner completions`

use clap_complete::Shell;

use crate::args::command_line;
use crate::error::Result;
use crate::error::exit;

/// Write completions for a shell to stdout
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner completions bash > ~/.local/share/bash-completion/completions/runner
  runner completions fish > ~/.config/fish/completions/runner.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(crate) fn run(&self) -> Result<u8> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command_line(), "runner", &mut text);
        // A reader that goes away is not an error.
        let _ = std::io::Write::write_all(&mut std::io::stdout(), &text);
        Ok(exit::DONE)
    }
}
