//! `runner plugin test`

use std::path::Path;
use std::path::PathBuf;

use runner_policy::PluginDefinition;
use runner_policy::Source;
use runner_policy::printable;
use serde_json::json;

use super::subject::Given;
use super::subject::grouped;
use super::subject::heading;
use crate::args::Global;
use crate::cases;
use crate::cases::Case;
use crate::cases::CaseFile;
use crate::cases::Difference;
use crate::cases::Line;
use crate::cases::Ran;
use crate::cases::Recording;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::output::Printer;
use crate::output::Style;
use crate::pipeline;
use crate::pipeline::Interrupt;
use crate::pipeline::Operation;
use crate::pipeline::Order;
use crate::pipeline::Silent;
use crate::pipeline::policy_host;

/// Where case files are, if nothing else is said.
const FOLDER: &str = "cases";

/// Ask one plugin what its case files ask, and compare
///
/// Case files are `*.toml` in `cases/` beside the component, or else in the current folder; `docs/plugin-testing.md` says how
/// they are written. Exits with 4 if a case differs. With `--record`, what stands after FILE are the revisions to upgrade to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner plugin test policies/acme.wasm           all cases in policies/cases/
  runner plugin test acme cases/freeze.toml       those of one file
  runner plugin test acme --record before-release heads
                                                  make a case of the plan that an upgrade would have now
  runner plugin test acme --update                take what differs as the new expectation")]
pub(crate) struct Args {
    /// The plugin: a path, `builtin:NAME`, or a name in `runner.toml`
    #[arg(value_name = "FILE")]
    plugin: String,
    /// Files of cases, or folders that hold them
    #[arg(value_name = "CASES")]
    cases: Vec<String>,
    /// Make a case of this name from the project and its database
    #[arg(long, value_name = "NAME", conflicts_with = "update")]
    record: Option<String>,
    /// Write what the plugin says now into the cases that differ
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    given: Given,
}

/// A file and what came of its cases.
struct Tested {
    file: CaseFile,
    ran: Vec<Ran>,
}

impl Args {
    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let plugin = self.given.plugin(&self.plugin, global)?;
        if let Some(name) = &self.record {
            return self.record(name, &plugin, global, printer).await;
        }
        let files = self.files(&plugin)?;
        let host = policy_host();
        let mut tested = Vec::with_capacity(files.len());
        for file in files {
            let file = CaseFile::read(&file)?;
            let mut ran = Vec::with_capacity(file.cases.len());
            for case in &file.cases {
                ran.push(cases::run(&host, &plugin, case).await?);
            }
            if tested.is_empty() {
                heading(printer, ran.first().and_then(|ran| ran.report.as_ref()));
            }
            file.cases.iter().zip(&ran).for_each(|(case, ran)| show(printer, &file, case, ran));
            tested.push(Tested { file, ran });
        }
        self.finish(printer, &tested)
    }

    fn finish(&self, printer: &Printer, tested: &[Tested]) -> Result<u8> {
        let mut updated = 0;
        if self.update {
            for one in tested {
                updated += cases::update(&one.file, &one.ran)?;
            }
        }
        let all = || tested.iter().flat_map(|tested| &tested.ran);
        let differ = all().filter(|ran| !ran.differences.is_empty()).count();
        let passed = all().count() - differ;
        printer.document(&document(tested, passed, differ));
        let noun = if passed + differ == 1 { "case" } else { "cases" };
        printer.say(Style::Strong.paint(match (differ, updated) {
            (0, _) => format!("{passed} {noun} passed"),
            (1, 0) => format!("{} {noun}: {passed} passed, 1 differs", passed + differ),
            (_, 0) => format!("{} {noun}: {passed} passed, {differ} differ", passed + differ),
            _ => format!("{} {noun}: {passed} passed, {updated} rewritten as it is now", passed + differ),
        }));
        Ok(if differ == 0 || updated == differ { exit::DONE } else { exit::PROBLEMS })
    }

    /// All case files, in the order of their names within each folder.
    fn files(&self, plugin: &PluginDefinition) -> Result<Vec<PathBuf>> {
        let named: Vec<PathBuf> = if self.cases.is_empty() {
            vec![folder(plugin).ok_or_else(|| no_cases(plugin))?]
        } else {
            self.cases.iter().map(PathBuf::from).collect()
        };
        let mut files = Vec::new();
        for path in named {
            if !path.is_dir() {
                files.push(path);
                continue;
            }
            let found = case_files(&path)?;
            if found.is_empty() {
                return Err(Error::new(ErrorKind::Usage, format!("`{}` holds no case file", path.display()))
                    .help("case files end with `.toml`"));
            }
            files.extend(found);
        }
        Ok(files)
    }

    async fn record(&self, name: &str, plugin: &PluginDefinition, global: &Global, printer: &Printer) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        let targets = if self.cases.is_empty() { vec!["heads".to_owned()] } else { self.cases.clone() };
        let order = Order { record: true, ..Order::new(Operation::Upgrade, targets, true) };
        let report = pipeline::execute(&config, &order, &mut Silent, Interrupt::new()).await.result?;
        let request =
            report.request.ok_or_else(|| Error::new(ErrorKind::Io, "there is no plan that could be recorded"))?;
        let folder = folder(plugin).unwrap_or_else(|| beside(plugin).unwrap_or_else(|| PathBuf::from(FOLDER)));
        let settings = self.given.settings()?;
        // The plugins of the set may not have asked for facts that this one would ask for.
        let facts = match report.facts {
            Some(facts) => Some(*facts),
            None if plugin.grants.facts => Some(pipeline::facts::of_target(&config).await?),
            None => None,
        };
        let recording =
            Recording { facts: facts.as_ref(), name, folder: &folder, settings: settings.as_ref(), request: &request };
        let path = cases::record(&policy_host(), plugin, &recording).await?;
        for variable in plugin.grants.env.iter().filter(|name| std::env::var_os(name).is_some()) {
            printer.warn(format_args!(
                "`{variable}` is set here, and its value is not recorded; write it into `variables` of the case if it shall have it"
            ));
        }
        printer.say(format_args!("Recorded {} as it is now", path.display()));
        printer.document(&json!({ "recorded": path.display().to_string() }));
        Ok(exit::DONE)
    }
}

/// The folder with the cases of a plugin, if it is there.
fn folder(plugin: &PluginDefinition) -> Option<PathBuf> {
    [beside(plugin), Some(PathBuf::from(FOLDER))].into_iter().flatten().find(|folder| folder.is_dir())
}

fn beside(plugin: &PluginDefinition) -> Option<PathBuf> {
    if let Source::File { path, .. } = &plugin.source {
        return path.parent().map(|parent| parent.join(FOLDER));
    }
    None
}

fn no_cases(plugin: &PluginDefinition) -> Error {
    let beside = beside(plugin).filter(|beside| beside != Path::new(FOLDER));
    let message = match beside {
        Some(beside) => format!("there are no cases: neither `{}` nor `{FOLDER}` is a folder", beside.display()),
        None => format!("there are no cases: `{FOLDER}` is no folder"),
    };
    Error::new(ErrorKind::Usage, message)
        .help("the shortest one is `cases/first.toml` with `up = \"DROP TABLE t;\"`, `[expect]` and `outcome = \"denied\"`")
        .help("`--record NAME` makes one from the project")
}

fn case_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("the folder `{}` can't be read: {error}", folder.display()))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn title(file: &CaseFile, case: &Case) -> String {
    let stem = file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = printable(&case.name);
    if case.index.is_none() { name } else { format!("{stem}: {name}") }
}

fn show(printer: &Printer, file: &CaseFile, case: &Case, ran: &Ran) {
    let fuel = Style::Faint.paint(format_args!("{} fuel", grouped(ran.fuel())));
    let mark = if ran.differences.is_empty() { Style::Good.paint("✓") } else { Style::Bad.paint("✗") };
    let line = format!("  {mark} {}  {fuel}", title(file, case));
    if ran.differences.is_empty() {
        return printer.say(line);
    }
    printer.line(line);
    for difference in &ran.differences {
        printer.line(format_args!("      {}", difference.what));
        for line in &difference.lines {
            printer.line(match line {
                Line::Same(text) => format!("          {}", printable(text)),
                Line::Expected(text) => Style::Bad.paint(format_args!("        - {}", printable(text))),
                Line::Got(text) => Style::Good.paint(format_args!("        + {}", printable(text))),
            });
        }
    }
}

fn document(tested: &[Tested], passed: usize, differ: usize) -> serde_json::Value {
    let difference = |difference: &Difference| {
        let expected: Vec<&str> = difference.expected().collect();
        let got: Vec<&str> = difference.got().collect();
        json!({ "what": difference.what, "expected": expected, "got": got })
    };
    let mut all = Vec::new();
    for one in tested {
        for (case, ran) in one.file.cases.iter().zip(&one.ran) {
            all.push(json!({
                "file": one.file.path.display().to_string(),
                "name": case.name,
                "passed": ran.differences.is_empty(),
                "fuel": ran.fuel(),
                "differences": ran.differences.iter().map(difference).collect::<Vec<_>>(),
                "outcome": ran.answer.review.outcome,
                "verdicts": ran.answer.review.verdicts,
            }));
        }
    }
    let first = tested.first().and_then(|tested| tested.ran.first());
    json!({
        "plugin": first.and_then(|ran| ran.report.as_ref()),
        "cases": all,
        "passed": passed,
        "differ": differ,
    })
}
