//! `runner init`

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use runner_chain::CHAIN_FILE;
use runner_chain::ChainFile;
use runner_chain::RevisionId;
use runner_chain::directory;
use runner_chain::directory::Location;
use runner_chain::stub::NewRevision;
use serde_json::json;

use crate::args::Global;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;

/// Start a project that works at once
///
/// Writes a configuration for SQLite and a migrations folder with a first, empty revision. Existing files are never
/// overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner init                    in this folder
  runner init services/billing   in another folder, which is created if needed")]
pub(crate) struct Args {
    /// Folder of the project
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: std::path::PathBuf,
}

const CONFIGURATION: &str = r#"# Which environment this is; `runner environments` lists them. `--env` and the variables
# ENVIRONMENT and ENV take precedence.
environment = "${ENVIRONMENT:-development}"

[migrations]
dir = "migrations"

[database]
url = "${DATABASE_URL:-sqlite://runner.db}"

# Policies decide what may be applied, where and when. The plugin set `default` is in force;
# `strict-prod` refuses more. `runner plugin list` shows what a set holds.
# plugin-set = "strict-prod"

# [plugins.environment-hierarchy]
# settings = { mode = "strict" }    # warn (default), strict, skip or off
"#;

impl Args {
    pub(crate) fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        if global.overrides().database_url.is_some() {
            return Err(Error::new(
                ErrorKind::Usage,
                "`init` writes a configuration for SQLite and takes no `--database-url`",
            )
            .help("write the URL into `url` of `[database]` afterwards, or set DATABASE_URL"));
        }
        let folder = &self.folder;
        let migrations = folder.join("migrations");
        let configuration = match global.config_file() {
            named if named.is_absolute() => named.to_path_buf(),
            named => folder.join(named),
        };
        fs::create_dir_all(&migrations).map_err(|error| failed("create", &migrations, &error))?;
        create(&configuration, CONFIGURATION)?;
        let mut written = vec![configuration.display().to_string()];
        let location = [Location::new(&migrations, "migrations")];
        let chain = directory::load_or_empty(&location);
        if chain.as_ref().is_ok_and(runner_chain::Chain::is_empty) {
            let first = first_revision()?;
            let path = directory::create(&migrations, &first.file_name(), &first.text())?;
            written.push(path.display().to_string());
            let path = migrations.join(CHAIN_FILE);
            let text = ChainFile::default().updated(&directory::load(&location)?).to_string();
            fs::write(&path, text).map_err(|error| failed("write", &path, &error))?;
            written.push(path.display().to_string());
        }
        for file in &written {
            printer.say(format_args!("wrote {file}"));
        }
        if self.folder == Path::new(".") {
            printer.say("Next: `runner upgrade` creates the database, `runner revision -m …` writes a revision");
        } else {
            printer.say(format_args!("Next: `cd {}`, then `runner upgrade` creates the database", folder.display()));
        }
        printer.document(&json!({ "files": written }));
        Ok(exit::DONE)
    }
}

fn first_revision() -> Result<NewRevision> {
    Ok(NewRevision {
        id: new_id()?,
        title: "Start of the chain\n\nThe first revision of the project. It changes nothing: later ones build on it."
            .to_owned(),
        parents: Vec::new(),
        environments: Vec::new(),
        depends_on: Vec::new(),
        labels: Vec::new(),
        created: now(),
    })
}

/// A new id: 12 random hexadecimal digits.
pub(super) fn new_id() -> Result<RevisionId> {
    let mut random = [0; 6];
    getrandom::fill(&mut random)
        .map_err(|error| Error::new(ErrorKind::Io, format!("the system gives no random numbers: {error}")))?;
    Ok(RevisionId::random(random))
}

/// The time of creation as revision files hold it.
pub(super) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn create(path: &Path, text: &str) -> Result<()> {
    let created = fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = created.and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Configuration, format!("`{}` exists already", path.display()))
                .help("this is a project; `runner upgrade` applies its revisions")
        }
        _ => failed("write", path, &error),
    })
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("failed to {what} `{}`: {error}", path.display()))
}
