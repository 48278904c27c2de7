//! `cargo xtask squawk`

mod cli;
mod comparison;
mod record;

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use lint_postgres::PlainOptions;
use lint_postgres::check_plain;

pub(crate) use cli::Cli;
use comparison::Comparison;

/// Exit code for a difference that nobody has explained, as that of `runner lint` for problems found.
const DIFFERENT: u8 = 4;

/// Compare the policy `lint-postgres` with the command line of `squawk`, rule by rule and line by line
///
/// Takes every `.sql` file below a folder. `squawk` is installed from PyPI below the target folder. Exits with 4 if there is a
/// difference that is not explained.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; default: the files that the tests compare
    folder: Option<PathBuf>,
    /// Write down what `squawk` says of the files that the tests compare
    #[arg(long, conflicts_with = "folder")]
    record: bool,
    /// Version of the server
    #[arg(long, default_value = "")]
    pg_version: String,
    /// Assume that a tool makes a transaction around each file
    #[arg(long)]
    assume_in_transaction: bool,
    /// Rules that have to be asked for
    #[arg(long)]
    include: Vec<String>,
}

impl Args {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let cli = Cli::install()?;
        if self.record {
            record::record(&cli)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut comparison = Comparison::default();
        match &self.folder {
            Some(folder) => {
                let options = PlainOptions {
                    in_transaction: self.assume_in_transaction,
                    server_version: self.pg_version,
                    opt_in: self.include,
                };
                compare(&cli, folder, &options, &mut comparison)?;
            }
            None => {
                for group in record::groups() {
                    compare(&cli, &record::folder()?.join(group.folder), &group.options, &mut comparison)?;
                }
            }
        }
        comparison.print();
        Ok(if comparison.is_explained() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
    }
}

/// Compares all files below a folder.
fn compare(cli: &Cli, folder: &Path, options: &PlainOptions, comparison: &mut Comparison) -> Result<()> {
    let files = files(folder)?;
    if files.is_empty() {
        bail!("there is no `.sql` file below `{}`", folder.display());
    }
    let start = Instant::now();
    let said = cli.check(&files, options)?;
    comparison.theirs += start.elapsed();
    for file in files {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("`{}` can't be read as UTF-8", file.display()))?;
        let (report, took) = timed(|| check_plain(&text, options));
        comparison.ours += took;
        comparison.add(&file, &report, said.get(&file).map_or(&[], Vec::as_slice));
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// All `.sql` files below a folder that are UTF-8, in the order of their paths.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("`{}` can't be read", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                match std::fs::read(&path).map(String::from_utf8) {
                    Ok(Ok(_)) => files.push(path.canonicalize()?),
                    _ => eprintln!("left out, because it is not UTF-8: {}", path.display()),
                }
            }
        }
    }
    files.sort();
    Ok(files)
}
