//! The Code Quality report of GitLab.

use runner_policy::Severity;
use serde_json::Value;
use serde_json::json;

use super::Report;
use super::fingerprints;
use super::rule;
use super::severity;
use crate::lint::Finding;

pub(super) fn document(report: &Report<'_>) -> Value {
    let findings: Vec<&Finding> = report.assessed.findings.iter().collect();
    let issues = findings.iter().zip(fingerprints(&findings)).map(|(finding, fingerprint)| {
        let verdict = &finding.found.verdict;
        let severity = match severity(verdict) {
            Severity::Error => "critical",
            Severity::Warning => "minor",
            Severity::Info => "info",
        };
        let help = verdict.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        issue(
            report,
            rule(verdict),
            &format!("{}{help}", verdict.message),
            &fingerprint,
            severity,
            (verdict.file.as_deref().unwrap_or("runner.toml"), verdict.line.unwrap_or(1)),
        )
    });
    let refusals = report.refusals.iter().map(|verdict| {
        let fingerprint = crate::lint::digest(&[&verdict.plugin, rule(verdict)]);
        let message = format!("the policy `{}` could not be asked: {}", verdict.plugin, verdict.message);
        issue(report, rule(verdict), &message, &fingerprint, "blocker", ("runner.toml", 1))
    });
    issues.chain(refusals).collect()
}

fn issue(
    report: &Report<'_>,
    rule: &str,
    message: &str,
    fingerprint: &str,
    severity: &str,
    (file, line): (&str, u32),
) -> Value {
    json!({
        "description": message,
        "check_name": rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": { "path": report.places.path(file), "lines": { "begin": line } },
    })
}
