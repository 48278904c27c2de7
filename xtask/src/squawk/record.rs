//! What `squawk` says of the files that the tests compare, written down so that the tests need not install it.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use lint_postgres::PlainOptions;
use serde::Serialize;

use super::cli::Cli;
use super::files;
use crate::root;

/// Files that are looked at alike.
pub(crate) struct Group {
    /// Folder below that of the fixtures.
    pub(crate) folder: &'static str,
    pub(crate) options: PlainOptions,
}

/// All groups.
pub(crate) fn groups() -> Vec<Group> {
    let opt_in = lint_postgres::opt_in_rules().into_iter().map(str::to_owned).collect();
    let options = |in_transaction: bool, version: &str, opt_in| PlainOptions {
        in_transaction,
        server_version: version.to_owned(),
        opt_in,
    };
    vec![
        Group { folder: "plain", options: options(false, "", Vec::new()) },
        Group { folder: "transaction", options: options(true, "", Vec::new()) },
        Group { folder: "opt-in", options: options(false, "", opt_in) },
        Group { folder: "version-10", options: options(true, "10.23", Vec::new()) },
        Group { folder: "version-19", options: options(true, "19.0", Vec::new()) },
    ]
}

/// The folder of the fixtures.
pub(crate) fn folder() -> Result<PathBuf> {
    Ok(root()?.join("tests/fixtures/squawk").canonicalize()?)
}

#[derive(Serialize)]
struct Recorded {
    folder: &'static str,
    in_transaction: bool,
    server_version: String,
    opt_in: Vec<String>,
    files: Vec<RecordedFile>,
}

#[derive(Serialize)]
struct RecordedFile {
    file: String,
    /// Line and rule.
    findings: Vec<String>,
}

/// Asks `squawk` about all files, and writes down what it says.
pub(crate) fn record(cli: &Cli) -> Result<()> {
    let folder = folder()?;
    let mut recorded = Vec::new();
    for group in groups() {
        let own = folder.join(group.folder);
        let files = files(&own)?;
        let mut said = cli.check(&files, &group.options)?;
        let mut of_files = Vec::new();
        for path in files {
            let file = path.strip_prefix(&own)?.to_str().context("names of fixtures are UTF-8")?.to_owned();
            let mut findings = said.remove(&path).unwrap_or_default();
            findings.sort_by_key(|said| (said.line, said.rule.clone()));
            let findings = findings.iter().map(|said| format!("{} {}", said.line, said.rule)).collect();
            of_files.push(RecordedFile { file, findings });
        }
        println!("{}: {} files", group.folder, of_files.len());
        let PlainOptions { in_transaction, server_version, opt_in } = group.options;
        recorded.push(Recorded { folder: group.folder, in_transaction, server_version, opt_in, files: of_files });
    }
    std::fs::write(folder.join("oracle.json"), serde_json::to_string_pretty(&recorded)? + "\n")?;
    Ok(())
}
