//! `runner lint`

mod fixing;
mod look;

use std::path::PathBuf;

use runner_chain::Dialect;
use runner_policy::Severity;

use self::look::Look;
use self::look::Looker;
use crate::args::Global;
use crate::config::Config;
use crate::config::lint::FailOn;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::error::exit;
use crate::lint::Catalogue;
use crate::lint::RUNNER;
use crate::lint::Selection;
use crate::lint::Suppression;
use crate::lint::baseline;
use crate::lint::baseline::Baseline;
use crate::lint::baseline::Key;
use crate::output::Printer;
use crate::output::json::error_document;
use crate::output::lint::Format;
use crate::output::lint::Places;
use crate::output::lint::Report;
use crate::output::lint::explain;
use crate::output::lint::list;
use crate::pipeline::lint::LintDesk;

/// The baseline that is written if none is configured or named.
const BASELINE: &str = "lint-baseline.json";

/// Say what is wrong with revisions
///
/// Asks the lint policies of the plugin set, without a database unless `--pending` says so. Comments in the revisions, `[lint]` in
/// `runner.toml` and a baseline decide what counts. Exits with 4 if something is an error, or as serious as `fail-on` and `--deny`
/// say. Writes nothing without `--fix` or `--write-baseline`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  runner lint                              all revisions
  runner lint --recent 3                   the three newest
  runner lint --since origin/main          what this branch adds or changes
  runner lint --pending --env production   what an upgrade would run, with facts about the database
  runner lint migrations/a1b2_email.sql    one file
  runner lint --deny warnings --format sarif > lint.sarif
                                           for CI
  runner lint --explain ban-drop-column    why, an example, and the safe way
  runner lint --fix --dry-run              what could be mended, as a diff
  runner lint --write-baseline             accept everything that is found now

Comments: `-- lint:ignore RULE reason` on the lines before a statement, or in the header for the whole file")]
pub(crate) struct Args {
    /// Files, or revisions as everywhere: ids, labels, `head`, `a:b`
    #[arg(value_name = "REVISION", allow_negative_numbers = true, group = "selection")]
    names: Vec<String>,
    /// The newest revisions, or the newest one
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "1", group = "selection")]
    recent: Option<usize>,
    /// What `upgrade` would run; connects to the database
    #[arg(long, group = "selection")]
    pending: bool,
    /// What is new or changed since the branch left this git commit, committed or not
    #[arg(long, value_name = "COMMIT", group = "selection")]
    since: Option<String>,
    /// What is staged for the next git commit, as it is staged; notes such as TODO refuse as well
    #[arg(long, group = "selection")]
    staged: bool,
    /// Exit with 4 for these as well: `warnings`, `info`, or the name of a rule
    #[arg(long, value_name = "WHAT")]
    deny: Vec<String>,
    /// Form of the findings on stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// The database to look at revisions for, instead of the configured one's
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<Dialect>,
    /// Print why there is a rule, an example, and the safe way
    #[arg(long, value_name = "RULE", conflicts_with_all = ["selection", "fix", "write_baseline"])]
    explain: Option<String>,
    /// List all rules
    #[arg(long, conflicts_with_all = ["selection", "fix", "write_baseline", "explain"])]
    rules: bool,
    /// Mend what can be mended without thinking, in files that are not applied; shows a diff first
    #[arg(long, conflicts_with_all = ["staged", "write_baseline"])]
    fix: bool,
    /// With `--fix`: show the diff, change nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Accept everything that is found now [default file: that of `[lint]`, or `lint-baseline.json`]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    write_baseline: Option<Option<PathBuf>>,
}

impl Args {
    /// Whether the database is asked for sure.
    pub(super) fn connects(&self) -> bool {
        self.pending
    }

    pub(crate) async fn run(&self, global: &Global, printer: &Printer) -> Result<u8> {
        let format = match (self.format, printer.is_json()) {
            (Format::Text, true) => Format::Json,
            (Format::Json, _) | (_, false) => self.format,
            (_, true) => {
                let message = "`--json` is a form of its own, and `--format` asks for another one";
                return Err(Error::new(ErrorKind::Usage, message).help("leave one of them out"));
            }
        };
        let ended = self.lint(global, printer, format).await;
        match &ended {
            // As with `--json`, which the caller sees to.
            Err(error) if format == Format::Json && !printer.is_json() => {
                printer.any_document(&error_document(error));
                printer.error_text(error);
                Ok(error.kind().exit_code())
            }
            _ => ended,
        }
    }

    async fn lint(&self, global: &Global, printer: &Printer, format: Format) -> Result<u8> {
        let config = Config::load(&global.overrides())?;
        if self.rules || self.explain.is_some() {
            return self.tell_rules(&config, printer).await;
        }
        let settings = config.lint()?;
        let baseline = self.baseline(&settings.baseline)?;
        let (deny, rules) = self.denied();
        let mut looker = Looker {
            config: &config,
            selection: self.selection(),
            dialect: self.dialect,
            layers: settings.layers,
            baseline: baseline.as_ref(),
            deny,
            denied_rules: rules,
            wants_rules: format == Format::Sarif,
            wants_fingerprints: format != Format::Text || self.write_baseline.is_some(),
            desk: None,
        };
        let mut look = looker.look(printer).await?;
        let mut fixed = Vec::new();
        if self.fix {
            let Some(done) = fixing::fix(&mut looker, &look, global, printer, format, self.dry_run).await? else {
                return Ok(exit::PROBLEMS);
            };
            if !done.is_empty() {
                fixed = done;
                look = looker.look(printer).await?;
            }
        }
        if let Some(file) = &self.write_baseline {
            return write_baseline(file.as_ref(), &settings.baseline, baseline.as_ref(), &config, &look, printer);
        }
        let report = report(&look, &config, &fixed);
        report.print(format, printer);
        for ignored in &look.assessed.ignored {
            printer.warn(ignored);
        }
        Ok(if report.refuses() { exit::PROBLEMS } else { exit::DONE })
    }

    fn selection(&self) -> Selection {
        match (&self.since, self.recent) {
            (Some(reference), _) => Selection::Since(reference.clone()),
            (None, Some(count)) => Selection::Recent(count),
            (None, None) if self.pending => Selection::Pending,
            (None, None) if self.staged => Selection::Staged,
            (None, None) if self.names.is_empty() => Selection::All,
            (None, None) => Selection::Named(self.names.clone()),
        }
    }

    /// The severity that `--deny` asks for, and the rules.
    fn denied(&self) -> (Option<FailOn>, Vec<String>) {
        let (mut severity, mut rules) = (None, Vec::new());
        for what in &self.deny {
            let asked = match what.as_str() {
                "info" | "infos" => FailOn::Info,
                "warning" | "warnings" => FailOn::Warning,
                "error" | "errors" => FailOn::Error,
                rule => {
                    rules.push(rule.to_owned());
                    continue;
                }
            };
            severity = Some(severity.map_or(asked, |known: FailOn| known.min(asked)));
        }
        (severity, rules)
    }

    /// The baseline that is configured. One that is about to be written need not be there.
    fn baseline(&self, configured: &Option<(PathBuf, String)>) -> Result<Option<Baseline>> {
        let named = match &self.write_baseline {
            Some(Some(file)) => Some((file.clone(), file.display().to_string())),
            _ => configured.clone(),
        };
        let Some((path, shown)) = named else { return Ok(None) };
        if self.write_baseline.is_some() && !path.exists() {
            return Ok(None);
        }
        Baseline::read(&path, &shown).map(Some)
    }

    async fn tell_rules(&self, config: &Config, printer: &Printer) -> Result<u8> {
        // The rules are the same for every database.
        let dialect = self.dialect.or(Some(Dialect::Sqlite));
        let desk = LintDesk::open(config, dialect).await?;
        let catalogue = Catalogue::new(&desk.rules().await?);
        for refusal in desk.refusals() {
            printer.warn(format_args!("the policy `{}` could not be asked: {}", refusal.plugin, refusal.message));
        }
        let Some(name) = &self.explain else {
            list(&catalogue, printer);
            return Ok(exit::DONE);
        };
        let found = catalogue.named(name);
        if found.is_empty() {
            return Err(unknown_rule(name, &catalogue));
        }
        explain(&found, printer);
        Ok(exit::DONE)
    }
}

/// Looks at all revisions, for `check`: whether something refuses, and what was found in a few words.
pub(super) async fn all(config: &Config, printer: &Printer) -> Result<(bool, String)> {
    let settings = config.lint()?;
    let baseline = settings.baseline.as_ref().map(|(path, shown)| Baseline::read(path, shown)).transpose()?;
    let mut looker = Looker {
        config,
        selection: Selection::All,
        dialect: None,
        layers: settings.layers,
        baseline: baseline.as_ref(),
        deny: None,
        denied_rules: Vec::new(),
        wants_rules: false,
        wants_fingerprints: false,
        desk: None,
    };
    let look = looker.look(printer).await?;
    let report = report(&look, config, &[]);
    let count = |severity, noun: &str| match look.assessed.count(severity) {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    let found = format!("{}, {}", count(Severity::Error, "error"), count(Severity::Warning, "warning"));
    Ok(match look.refusals.len() {
        0 => (report.refuses(), found),
        _ => (true, format!("{found}, and not every policy could be asked")),
    })
}

fn unknown_rule(name: &str, catalogue: &Catalogue) -> Error {
    let message = format!("no lint policy in force has a rule `{}`", runner_policy::printable(name));
    Error::new(ErrorKind::Usage, message)
        .maybe_help(catalogue.nearest(name).map(|nearest| format!("did you mean `{nearest}`?")))
        .help("`runner lint --rules` lists the rules")
}

fn report<'a>(look: &'a Look, config: &Config, fixed: &'a [String]) -> Report<'a> {
    Report {
        assessed: &look.assessed,
        refusals: &look.refusals,
        problems: &look.problems,
        catalogue: &look.catalogue,
        chain: look.chain.as_deref(),
        looked_at: &look.looked_at,
        environment: &look.environment,
        fixed,
        places: Places::of(&config.root),
    }
}

/// Accepts what was found. What could not be looked at can't be accepted.
fn write_baseline(
    file: Option<&PathBuf>,
    configured: &Option<(PathBuf, String)>,
    older: Option<&Baseline>,
    config: &Config,
    look: &Look,
    printer: &Printer,
) -> Result<u8> {
    let report = report(look, config, &[]);
    if look.chain.is_none() || !look.refusals.is_empty() {
        report.print(if printer.is_json() { Format::Json } else { Format::Text }, printer);
        printer.warn("the baseline was not written: not everything could be looked at");
        return Ok(exit::PROBLEMS);
    }
    let (path, shown) = match (file, configured) {
        (Some(file), _) => (file.clone(), file.display().to_string()),
        (None, Some(configured)) => configured.clone(),
        (None, None) => (config.root.join(BASELINE), BASELINE.to_owned()),
    };
    let accepted = look.assessed.suppressed.iter().filter(|found| matches!(found.by, Suppression::Baseline { .. }));
    let findings = look.assessed.findings.iter().chain(accepted.map(|found| &found.finding));
    // What is wrong with comments and configuration is mended, not accepted.
    let findings = findings.filter(|finding| finding.found.verdict.plugin != RUNNER);
    let key = |finding: &crate::lint::Finding| {
        let verdict = &finding.found.verdict;
        Key {
            revision: verdict.revision.clone().unwrap_or_default(),
            plugin: verdict.plugin.clone(),
            rule: verdict.rule.clone().unwrap_or_default(),
            fingerprint: finding.fingerprint.clone(),
        }
    };
    let chain = look.chain.as_deref();
    let was_looked_at =
        |id: &str| look.looked_at.iter().any(|known| known == id) || chain.is_some_and(|chain| chain.get(id).is_none());
    let (text, count) = baseline::write(findings.map(key), older, was_looked_at);
    baseline::save(&path, &text)?;
    let noun = if count == 1 { "entry" } else { "entries" };
    printer.say(format_args!("wrote {shown}: {count} {noun}"));
    if configured.as_ref().is_none_or(|(configured, _)| *configured != path) {
        printer.hint(format_args!("`baseline = \"{shown}\"` in `[lint]` of `runner.toml` puts it in force"));
    }
    printer.document(&serde_json::json!({ "baseline": shown, "entries": count }));
    Ok(exit::DONE)
}
