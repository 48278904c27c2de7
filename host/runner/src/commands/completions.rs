//! `runner completions`

use clap_complete::Shell;
use serde_json::json;

use crate::args::command_line;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

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
    pub(crate) fn run(&self, printer: &Printer) -> Result<u8> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command_line(), "runner", &mut text);
        if printer.is_json() {
            printer.document(&json!({ "shell": self.shell.to_string(), "script": String::from_utf8_lossy(&text) }));
            return Ok(exit::DONE);
        }
        // A reader that goes away is not an error.
        let _ = std::io::Write::write_all(&mut std::io::stdout(), &text);
        Ok(exit::DONE)
    }
}
