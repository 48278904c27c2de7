//! `runner plugin build`

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use runner_policy::Grants;
use runner_policy::Inspection;
use runner_policy::Limits;
use runner_policy::Mode;
use runner_policy::PluginDefinition;
use runner_policy::Source;
use runner_policy::Trust;
use serde_json::json;

use super::inspect;
use crate::args::Global;
use crate::authoring;
use crate::authoring::Language;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline::policy_host;

/// Make a component of a policy's source
///
/// Finds out the language, and writes NAME.wasm into the project's folder once the component has proved to be a policy. Rust and
/// C are encoded here; JavaScript needs componentize-js, Python componentize-py, C clang with wasi-libc. What is missing is named
/// with the command that installs it. Exits with 1 if the source does not compile, and with 3 if the component can't be used.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin build                       the project in this folder
  runner plugin build policies/acme-lint --out policies/acme_lint.wasm")]
pub(crate) struct Args {
    /// Folder of the project
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// Where the component goes, in place of NAME.wasm in the project's folder
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The language, where the files leave a doubt
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// A profile of the project's own, in place of the usual small release (Rust)
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
}

impl Args {
    pub(crate) async fn run(&self, _global: &Global, printer: &Printer) -> Result<u8> {
        let language = match self.lang {
            Some(language) => language,
            None => Language::of(&self.folder)?,
        };
        let built = authoring::build(language, &self.folder, self.profile.as_deref())?;
        let file = match &self.out {
            Some(file) => file.clone(),
            None if self.folder == Path::new(".") => PathBuf::from(format!("{}.wasm", built.name)),
            None => self.folder.join(format!("{}.wasm", built.name)),
        };
        let inspection = write(&file, &built, printer).await?;
        let roles: Vec<&str> = inspection.roles.iter().map(|role| role.name()).collect();
        printer.line(format_args!("{} is a policy", Style::Strong.paint(file.display())));
        for (name, value) in [
            ("size", inspect::size(inspection.size)),
            ("digest", inspection.digest.clone().unwrap_or_default()),
            ("roles", roles.join(", ")),
        ] {
            printer.line(format_args!("  {name:<8} {value}"));
        }
        printer.say(format_args!("Next: `runner plugin test {}`", file.display()));
        printer.document(&json!({
            "file": file, "language": language.word(), "size": inspection.size, "digest": inspection.digest,
            "name": inspection.name, "version": inspection.version, "roles": inspection.roles,
        }));
        Ok(exit::DONE)
    }
}

/// Puts a component into its place once it is known to be a policy, so that a broken one never replaces one that works.
async fn write(file: &Path, built: &authoring::Built, printer: &Printer) -> Result<Inspection> {
    let failed =
        |error: std::io::Error| Error::new(ErrorKind::Io, format!("failed to write `{}`: {error}", file.display()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let new = tempfile::Builder::new().prefix(".new-").suffix(".wasm").tempfile_in(folder).map_err(failed)?;
    fs::write(new.path(), &built.component).map_err(failed)?;
    let definition = PluginDefinition {
        name: built.name.clone(),
        source: Source::File { path: new.path().to_path_buf(), shown: file.display().to_string() },
        settings: serde_json::Map::new(),
        grants: Grants::default(),
        limits: Limits::default(),
        mode: Mode::Enforce,
        trust: Trust::default(),
    };
    if built.component.len() > inspect::SLOW_TO_COMPILE {
        printer.note(format_args!("checking the component; its native code is compiled and kept for later"));
    }
    let inspection = runner_policy::inspect(&policy_host(), &definition, false).await;
    if let Some(error) = &inspection.error {
        let message = format!("`{}` was built and can't be used as a policy: it {}", built.name, error.message);
        return Err(Error::new(ErrorKind::Refused, message)
            .maybe_help(error.help.as_deref())
            .help(format!("`{}` was not written", file.display())));
    }
    new.persist(file).map_err(|error| failed(error.error))?;
    permit_reading(file).map_err(failed)?;
    Ok(inspection)
}

/// A temporary file is for its owner alone; a component is to be shipped.
#[cfg(unix)]
fn permit_reading(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn permit_reading(_file: &Path) -> std::io::Result<()> {
    Ok(())
}
