//! The same as the command line of `squawk`, rule by rule and line by line, on the files of `tests/fixtures/squawk`. What it
//! says of them is written down there by `cargo xtask squawk --record`.

use std::collections::BTreeSet;
use std::path::Path;

use lint_postgres::LintPostgres;
use lint_postgres::PlainOptions;
use lint_postgres::check_plain;
use lint_postgres::opt_in_rules;
use runner_policy_sdk::RevisionLint;
use serde::Deserialize;
use squawk_linter::Rule as EngineRule;

#[derive(Deserialize)]
struct Group {
    folder: String,
    in_transaction: bool,
    server_version: String,
    opt_in: Vec<String>,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    file: String,
    /// Line and rule.
    findings: Vec<String>,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/squawk"))
}

fn oracle() -> Vec<Group> {
    let text = std::fs::read_to_string(folder().join("oracle.json")).expect("the oracle is kept in the repository");
    serde_json::from_str(&text).expect("the oracle is JSON")
}

#[test]
fn findings_are_those_of_the_command_line() {
    let mut different = Vec::new();
    for group in oracle() {
        let options = PlainOptions {
            in_transaction: group.in_transaction,
            server_version: group.server_version,
            opt_in: group.opt_in,
        };
        for File { file, mut findings } in group.files {
            let path = folder().join(&group.folder).join(&file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let report = check_plain(&text, &options);
            // The command line says nothing of the other statements of a file with a syntax error.
            let is_compared = |rule: &str| !report.has_syntax_errors || rule == "syntax-error";
            let ours = report.findings.iter().filter(|finding| finding.is_engines && is_compared(&finding.rule));
            let mut ours: Vec<String> = ours.map(|finding| format!("{} {}", finding.line, finding.rule)).collect();
            ours.sort();
            findings.sort();
            if ours != findings {
                different.push(format!("{}\n  squawk: {findings:?}\n  here:   {ours:?}", path.display()));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn the_files_cover_every_rule_and_none_is_forgotten() {
    let oracle = oracle();
    let recorded: BTreeSet<_> = oracle
        .iter()
        .flat_map(|group| group.files.iter().map(|file| folder().join(&group.folder).join(&file.file)))
        .collect();
    let mut there = BTreeSet::new();
    for group in &oracle {
        for entry in std::fs::read_dir(folder().join(&group.folder)).unwrap() {
            there.insert(entry.unwrap().path());
        }
    }
    assert_eq!(recorded, there, "record again: cargo xtask squawk --record");
    assert!(there.len() >= 300);

    let fires: BTreeSet<&str> = oracle
        .iter()
        .flat_map(|group| &group.files)
        .flat_map(|file| file.findings.iter().filter_map(|finding| finding.split_once(' ')))
        .map(|(_, rule)| rule)
        .collect();
    for rule in LintPostgres::rules() {
        let is_engines = EngineRule::try_from(rule.name.as_str()).is_ok();
        assert!(!is_engines || fires.contains(rule.name.as_str()), "no file makes squawk say {}", rule.name);
    }
    // One that is quiet about each of them, too.
    for rule in &fires {
        let is_quiet = |file: &File| {
            file.findings.iter().all(|finding| finding.split_once(' ').is_none_or(|(_, its)| its != *rule))
        };
        assert!(oracle.iter().flat_map(|group| &group.files).any(is_quiet), "{rule}");
    }
    assert!(opt_in_rules().iter().all(|rule| fires.contains(rule)));
}
