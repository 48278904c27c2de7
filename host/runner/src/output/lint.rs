//! What linting has found: for people, for scripts, and for the services that show findings beside the code.

mod github;
mod gitlab;
mod json;
mod junit;
mod rules;
mod sarif;
mod text;

use std::borrow::Cow;
use std::path::Path;

use runner_chain::Chain;
use runner_chain::Problem;
use runner_policy::Severity;
use runner_policy::Verdict;

pub(crate) use rules::explain;
pub(crate) use rules::list;

use super::Printer;
use crate::lint::Assessed;
use crate::lint::Catalogue;
use crate::lint::Finding;

/// The form of the findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: each finding with its line.
    #[default]
    Text,
    /// One JSON document, as with `--json`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions: findings beside the changed lines.
    Github,
    /// Code Quality report of GitLab.
    Gitlab,
    /// JUnit XML, for everything that shows test results.
    Junit,
}

/// Everything that there is to tell.
pub(crate) struct Report<'a> {
    pub(crate) assessed: &'a Assessed,
    /// Plugins that could not be asked.
    pub(crate) refusals: &'a [Verdict],
    /// What is wrong with the chain, with the lines to show. They are among the findings as well.
    pub(crate) problems: &'a [Problem],
    pub(crate) catalogue: &'a Catalogue,
    /// `None`: it can't be read.
    pub(crate) chain: Option<&'a Chain>,
    /// Identifiers of the revisions that were looked at.
    pub(crate) looked_at: &'a [String],
    /// Name of the environment that severities are for.
    pub(crate) environment: &'a str,
    /// What was mended before, a line each.
    pub(crate) fixed: &'a [String],
    pub(crate) places: Places,
}

impl Report<'_> {
    /// Prints it in a form.
    pub(crate) fn print(&self, format: Format, printer: &Printer) {
        match format {
            Format::Text => return text::print(self, printer),
            Format::Json => printer.any_document(&json::document(self)),
            Format::Sarif => printer.any_document(&sarif::document(self)),
            Format::Gitlab => printer.any_document(&gitlab::document(self)),
            Format::Github => printer.lines(&github::lines(self)),
            Format::Junit => printer.lines(&junit::lines(self)),
        }
        for refusal in self.refusals {
            printer.talk(text::refusal(refusal));
        }
    }

    /// Whether something refuses.
    pub(crate) fn refuses(&self) -> bool {
        // In audit mode not even that has a consequence.
        let is_refused = |verdict: &Verdict| verdict.decision == runner_policy::Decision::Deny;
        self.refusals.iter().any(is_refused) || self.assessed.refuses()
    }

    /// The text of the file that a finding is about.
    fn source(&self, finding: &Finding) -> Option<&str> {
        let verdict = &finding.found.verdict;
        let revision = self.chain?.get(verdict.revision.as_deref()?)?;
        (verdict.file.as_deref() == Some(revision.file.as_str())).then(|| revision.source())
    }
}

/// The name of a rule, or of what is wrong with a plugin.
fn rule(verdict: &Verdict) -> &str {
    verdict.rule.as_deref().unwrap_or("finding")
}

fn severity(verdict: &Verdict) -> Severity {
    verdict.severity.unwrap_or(Severity::Error)
}

/// Where files are for whoever reads the report: services count from the top of the repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The project's folder as seen from there, with a `/` at its end.
    prefix: String,
}

impl Places {
    /// Files of a project as seen from the top of the repository that a service has checked out, or else from here.
    pub(crate) fn of(project: &Path) -> Self {
        let top = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].into_iter().find_map(|name| {
            let folder = std::env::var_os(name).filter(|folder| !folder.is_empty())?;
            Path::new(&folder).canonicalize().ok()
        });
        let project = project.canonicalize().ok();
        let relative = project.and_then(|project| {
            let from_top = top.and_then(|top| project.strip_prefix(top).ok().map(Path::to_owned));
            let from_here =
                || project.strip_prefix(std::env::current_dir().ok()?.canonicalize().ok()?).ok().map(Path::to_owned);
            from_top.or_else(from_here)
        });
        let parts = relative.iter().flat_map(|path| path.components());
        let prefix = parts.map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect();
        Places { prefix }
    }

    /// A file, as the service calls it.
    fn path(&self, file: &str) -> String {
        let file = file.trim_start_matches("./");
        if Path::new(file).is_absolute() { file.to_owned() } else { format!("{}{file}", self.prefix) }
    }

    /// The same as a reference of RFC 3986.
    fn uri(&self, file: &str) -> String {
        let path = self.path(file);
        let mut uri = String::with_capacity(path.len());
        for byte in path.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    uri.push(char::from(byte));
                }
                _ => uri.push_str(&format!("%{byte:02X}")),
            }
        }
        uri
    }
}

/// What recognises a finding over time, wherever its lines are. Of several alike each has its own.
fn fingerprints(findings: &[&Finding]) -> Vec<String> {
    let mut seen = std::collections::HashMap::new();
    let of_one = |finding: &&Finding| {
        let verdict = &finding.found.verdict;
        let about: Cow<'_, str> = match (&verdict.revision, &verdict.file) {
            (Some(revision), _) => revision.into(),
            (None, Some(file)) => file.into(),
            (None, None) => "".into(),
        };
        let key = crate::lint::digest(&[&verdict.plugin, rule(verdict), &about, &finding.fingerprint]);
        let count = seen.entry(key.clone()).and_modify(|count| *count += 1).or_insert(0_usize);
        match count {
            0 => key,
            count => format!("{key}-{count}"),
        }
    };
    findings.iter().map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        let places = Places { prefix: "services/billing/".to_owned() };
        assert_eq!(places.path("./migrations/a.sql"), "services/billing/migrations/a.sql");
        assert_eq!(places.uri("migrations/zahn ärzte#1.sql"), "services/billing/migrations/zahn%20%C3%A4rzte%231.sql");
        assert_eq!(Places::default().uri("/srv/a.sql"), "/srv/a.sql");
    }
}
