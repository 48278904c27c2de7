//! The command line of `squawk`.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use lint_postgres::PlainOptions;

use crate::root;
use crate::run;

/// The package, at the version of the crates that the policy is built from.
const PACKAGE: &str = "squawk-cli==2.68.0";
/// Files of one call: the operating system limits how long a command is.
const FILES: usize = 200;

/// Something that `squawk` says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
pub(crate) struct Said {
    /// Name of the rule.
    #[serde(rename = "rule_name")]
    pub(crate) rule: String,
    /// Line, from 1.
    pub(crate) line: u32,
    /// What is wrong.
    pub(crate) message: String,
}

/// An installed `squawk`.
#[derive(Debug)]
pub(crate) struct Cli {
    program: PathBuf,
    /// A configuration that says nothing, so that none is found beside the files.
    configuration: PathBuf,
}

impl Cli {
    /// Installs it below the target folder, unless it is there.
    pub(crate) fn install() -> Result<Self> {
        let folder = root()?.join("target/tools/squawk-cli");
        let (program, marker) = (folder.join("bin/squawk"), folder.join("version"));
        if std::fs::read_to_string(&marker).ok().as_deref() != Some(PACKAGE) || !program.is_file() {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
                .context("python3 with its module `venv` is needed (on Debian: apt-get install python3-venv)")?;
            run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", PACKAGE]))?;
            std::fs::write(&marker, PACKAGE)?;
        }
        let configuration = folder.join("empty.toml");
        std::fs::write(&configuration, "")?;
        Ok(Cli { program, configuration })
    }

    /// The program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// What it says of files, by their paths.
    pub(crate) fn check(&self, files: &[PathBuf], options: &PlainOptions) -> Result<HashMap<PathBuf, Vec<Said>>> {
        let mut all: HashMap<PathBuf, Vec<Said>> = HashMap::new();
        for files in files.chunks(FILES) {
            for (file, said) in self.call(files, options)? {
                all.entry(file).or_default().push(said);
            }
        }
        Ok(all)
    }

    fn call(&self, files: &[PathBuf], options: &PlainOptions) -> Result<Vec<(PathBuf, Said)>> {
        let mut command = Command::new(&self.program);
        command.args(["--reporter", "json", "--config"]).arg(&self.configuration);
        if options.in_transaction {
            command.arg("--assume-in-transaction");
        }
        if !options.server_version.is_empty() {
            command.args(["--pg-version", &options.server_version]);
        }
        for rule in &options.opt_in {
            command.args(["--include", rule]);
        }
        // A path may hold what is a pattern for it.
        command.args(files.iter().map(|file| escaped(file)));
        let output = command.output().with_context(|| format!("`{}` can't be started", self.program.display()))?;
        let found: Vec<Found> = serde_json::from_slice(&output.stdout).with_context(|| {
            format!(
                "squawk said no JSON: {}",
                String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default()
            )
        })?;
        if !matches!(output.status.code(), Some(0 | 1)) {
            bail!("squawk failed: {}", output.status);
        }
        // Its JSON counts lines from 0.
        let said =
            |found: Found| (found.file, Said { rule: found.rule_name, line: found.line + 1, message: found.message });
        Ok(found.into_iter().map(said).collect())
    }
}

fn escaped(file: &Path) -> String {
    let text = file.to_string_lossy();
    text.chars()
        .map(|character| if "*?[]{}".contains(character) { format!("[{character}]") } else { character.to_string() })
        .collect()
}

#[derive(serde::Deserialize)]
struct Found {
    file: PathBuf,
    line: u32,
    message: String,
    rule_name: String,
}
