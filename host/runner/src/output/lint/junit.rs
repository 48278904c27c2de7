//! JUnit XML: a suite a file, a case a finding, and a case that passes for each file without any.

use std::collections::BTreeMap;

use runner_policy::Decision;
use runner_policy::Verdict;

use super::Report;
use super::rule;
use super::severity;
use crate::output::xml::escaped;

pub(super) fn lines(report: &Report<'_>) -> Vec<String> {
    let mut files: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
    let looked_at = report.looked_at.iter().filter_map(|id| report.chain?.get(id));
    for revision in looked_at {
        files.entry(report.places.path(&revision.file)).or_default();
    }
    for finding in &report.assessed.findings {
        let verdict = &finding.found.verdict;
        files.entry(report.places.path(verdict.file.as_deref().unwrap_or("runner.toml"))).or_default().push(verdict);
    }
    let cases: usize = files.values().map(|found| found.len().max(1)).sum::<usize>() + report.refusals.len();
    let failures: usize = files.values().flatten().filter(|verdict| fails(verdict)).count();
    let errors = report.refusals.len();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(r#"<testsuites name="runner lint" tests="{cases}" failures="{failures}" errors="{errors}">"#),
    ];
    for (file, found) in &files {
        let (tests, failed) = (found.len().max(1), found.iter().filter(|verdict| fails(verdict)).count());
        lines.push(format!(r#"  <testsuite name="{}" tests="{tests}" failures="{failed}" errors="0">"#, escaped(file)));
        if found.is_empty() {
            lines.push(format!(r#"    <testcase name="lint" classname="{}"/>"#, escaped(file)));
        }
        for verdict in found {
            lines.extend(case(file, verdict));
        }
        lines.push("  </testsuite>".to_owned());
    }
    if errors > 0 {
        lines.push(format!(r#"  <testsuite name="policies" tests="{errors}" failures="0" errors="{errors}">"#));
        for refusal in report.refusals {
            let (plugin, message) = (escaped(&refusal.plugin), escaped(&refusal.message));
            lines.push(format!(r#"    <testcase name="{plugin}" classname="policies">"#));
            lines.push(format!(r#"      <error type="{}" message="{message}"/>"#, escaped(rule(refusal))));
            lines.push("    </testcase>".to_owned());
        }
        lines.push("  </testsuite>".to_owned());
    }
    lines.push("</testsuites>".to_owned());
    lines
}

/// Only what refuses is a failure: the rest must not turn a pipeline red.
fn fails(verdict: &Verdict) -> bool {
    verdict.decision == Decision::Deny
}

fn case(file: &str, verdict: &Verdict) -> Vec<String> {
    let place = match (verdict.line, verdict.column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        (None, _) => String::new(),
    };
    let name = escaped(&format!("{}{place}", rule(verdict)));
    let help = verdict.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let text = format!("{file}{place}\n{}{help}", verdict.message);
    let kind = severity(verdict).name();
    let inner = match fails(verdict) {
        true => format!(
            r#"      <failure type="{kind}" message="{}">{}</failure>"#,
            escaped(&verdict.message),
            escaped(&text)
        ),
        false => format!("      <system-out>{kind}: {}</system-out>", escaped(&text)),
    };
    vec![format!(r#"    <testcase name="{name}" classname="{}">"#, escaped(file)), inner, "    </testcase>".to_owned()]
}
