//! `runner hook`

mod script;

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use serde_json::json;

use crate::args::Global;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::git::WorkTree;
use crate::output::Printer;

/// Have git lint what is about to be committed
///
/// The hook runs `runner lint --staged` before each commit that touches the migrations folder: it refuses errors, revisions without
/// `Revises`, ids that are used twice and notes such as TODO, and shows warnings such as several heads. `git commit --no-verify`
/// commits without it.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  runner hook install            into the repository that the migrations folder is in
  runner hook install --chain    beside a hook that is there already, which runs first
  runner hook uninstall          takes it away again")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Put the pre-commit hook into the repository
    ///
    /// It goes where git looks for hooks, `core.hooksPath` included. Another hook is never overwritten unasked.
    #[command(after_help = "\
Examples:
  runner hook install
  runner hook install --chain    keep the hook that is there, and run it first")]
    Install {
        /// Keep a hook that is there already, and run it first
        #[arg(long)]
        chain: bool,
        /// Replace a hook that is there already (it is kept as `pre-commit.replaced`), or write outside of the repository
        #[arg(long, conflicts_with = "chain")]
        force: bool,
    },
    /// Take the pre-commit hook away
    ///
    /// A hook that was kept by `--chain` is put back.
    #[command(after_help = "\
Examples:
  runner hook uninstall")]
    Uninstall,
}

impl Args {
    pub(crate) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let no_folder = || Error::new(ErrorKind::Configuration, "there is no migrations folder");
        let tree = WorkTree::around(config.migrations.first().ok_or_else(no_folder)?)?;
        let place = Place::of(&tree)?;
        match &self.command {
            Command::Install { chain, force } => {
                if !force && !tree.owns(&place.folder) {
                    let folder = place.folder.display();
                    let message = format!("git looks for hooks in `{folder}`, which other repositories may share");
                    return Err(Error::new(ErrorKind::Usage, message)
                        .help("`--force` installs it there all the same; `git config core.hooksPath` says why"));
                }
                install(&place, &tree, global.config_file(), (*chain, *force), printer)
            }
            Command::Uninstall => uninstall(&place, printer),
        }
    }
}

/// Where the hook is, or would be.
struct Place {
    folder: PathBuf,
    hook: PathBuf,
    /// A hook of somebody else that runs before ours.
    before: PathBuf,
    /// A hook of somebody else that ours has replaced.
    replaced: PathBuf,
}

impl Place {
    fn of(tree: &WorkTree) -> Result<Self> {
        let folder = tree.hooks()?;
        let named = |name: &str| folder.join(name);
        Ok(Place {
            hook: named("pre-commit"),
            before: named(script::BEFORE),
            replaced: named("pre-commit.replaced"),
            folder,
        })
    }

    /// The text of the hook, if there is one. One that is no text is somebody else's.
    fn text(&self) -> Result<Option<String>> {
        match fs::read(&self.hook) {
            Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&self.hook).is_err() => {
                Ok(None)
            }
            Err(error) => Err(failed("read", &self.hook, &error)),
        }
    }
}

fn install(
    place: &Place,
    tree: &WorkTree,
    config: &Path,
    (chain, force): (bool, bool),
    printer: &Printer,
) -> Result<u8> {
    fs::create_dir_all(&place.folder).map_err(|error| failed("create", &place.folder, &error))?;
    let foreign = place.text()?.is_some_and(|text| !script::is_ours(&text));
    if foreign {
        let kept = match (chain, force) {
            (true, _) => &place.before,
            (false, true) => &place.replaced,
            (false, false) => {
                let message = format!("there is another hook `{}`", place.hook.display());
                return Err(Error::new(ErrorKind::Usage, message)
                    .help("`--chain` keeps it and runs it first")
                    .help("`--force` puts ours in its place"));
            }
        };
        if fs::symlink_metadata(kept).is_ok() {
            let message = format!("`{}` is in the way of keeping the hook that is there", kept.display());
            return Err(Error::new(ErrorKind::Usage, message).help("remove or rename one of the two"));
        }
        fs::rename(&place.hook, kept).map_err(|error| failed("keep", &place.hook, &error))?;
        printer.say(format_args!("kept the other hook as {}", kept.display()));
    }
    let config = config.canonicalize().unwrap_or_else(|_| config.to_owned());
    // The hook is run at the top of the work tree.
    let config = config.strip_prefix(tree.top()).unwrap_or(&config);
    let text = script::text(config, std::env::current_exe().ok().as_deref());
    write(place, &text)?;
    printer.say(format_args!("wrote {}", place.hook.display()));
    printer.document(&json!({ "hook": place.hook.display().to_string(), "installed": true }));
    Ok(exit::DONE)
}

fn uninstall(place: &Place, printer: &Printer) -> Result<u8> {
    match place.text()? {
        None => printer.say("there is no pre-commit hook"),
        Some(text) if !script::is_ours(&text) => {
            let message = format!("the hook `{}` is not ours", place.hook.display());
            return Err(Error::new(ErrorKind::Usage, message).help("it is left alone"));
        }
        Some(_) if fs::symlink_metadata(&place.before).is_ok() => {
            // In one step, so that there is always a hook.
            fs::rename(&place.before, &place.hook).map_err(|error| failed("put back", &place.before, &error))?;
            printer.say(format_args!("put the other hook back as {}", place.hook.display()));
        }
        Some(_) => {
            fs::remove_file(&place.hook).map_err(|error| failed("remove", &place.hook, &error))?;
            printer.say(format_args!("removed {}", place.hook.display()));
        }
    }
    printer.document(&json!({ "hook": place.hook.display().to_string(), "installed": false }));
    Ok(exit::DONE)
}

/// Writes the hook as a whole, ready to be run.
fn write(place: &Place, text: &str) -> Result<()> {
    let work = || {
        let mut file = tempfile::Builder::new().prefix(".pre-commit-").tempfile_in(&place.folder)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        #[cfg(unix)]
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        file.persist(&place.hook).map_err(|error| error.error)?;
        Ok(())
    };
    work().map_err(|error: io::Error| failed("write", &place.hook, &error))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("failed to {what} `{}`: {error}", path.display()))
}
