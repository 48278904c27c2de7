//! `runner plugin new`

use std::path::PathBuf;

use runner_policy::Role;
use serde_json::json;

use crate::args::Global;
use crate::authoring::Language;
use crate::authoring::NewProject;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Start a policy of your own
///
/// Writes a project that builds at once and does something small in each of its roles, with test cases, a README and, for Rust,
/// the SDK. An existing folder is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin new acme-lint --role lint --lang rust
  runner plugin new policies/acme-rules --role gate,lint --lang python")]
pub(crate) struct Args {
    /// Folder of the project; its last part is the name of the policy
    #[arg(value_name = "NAME")]
    folder: PathBuf,
    /// What it will be asked
    #[arg(long, required = true, value_delimiter = ',', value_name = "ROLE", value_parser = role)]
    role: Vec<Role>,
    /// What it is written in
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Language,
}

fn role(text: &str) -> std::result::Result<Role, String> {
    let known = Role::ALL.into_iter().find(|role| role.name() == text);
    known.ok_or_else(|| format!("roles are {}", Role::ALL.map(Role::name).join(", ")))
}

impl Args {
    pub(crate) fn run(&self, _global: &Global, printer: &Printer) -> Result<u8> {
        let project = NewProject::new(&self.folder, self.lang, &self.role)?;
        let files = project.write()?;
        let shown = self.folder.display();
        let is_own = |file: &&String| !file.starts_with("sdk/") && !file.starts_with("wit/deps/");
        for file in files.iter().filter(is_own) {
            printer.say(format_args!("wrote {shown}/{file}"));
        }
        let more = files.len() - files.iter().filter(is_own).count();
        let what = if self.lang == Language::Rust { "sdk" } else { "wit/deps" };
        printer.say(format_args!("wrote {shown}/{what} ({more} files)"));
        printer.say(format_args!("Next: {}`runner plugin build {shown}`", self.preparation()));
        printer.document(&json!({ "folder": self.folder, "files": files }));
        Ok(exit::DONE)
    }

    /// What has to be done before the first build.
    fn preparation(&self) -> String {
        let shown = self.folder.display();
        match self.lang {
            Language::Rust | Language::C => String::new(),
            Language::Javascript => format!("`npm install --prefix {shown}`, then "),
            Language::Python => {
                format!("`python3 -m venv {shown}/.venv && {shown}/.venv/bin/pip install componentize-py`, then ")
            }
        }
    }
}
