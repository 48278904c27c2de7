//! SARIF 2.1.0, the form that code scanning reads.

use std::collections::BTreeMap;

use runner_policy::Severity;
use runner_policy::Verdict;
use runner_policy::data;
use runner_policy::data::RevisionRule;
use serde_json::Value;
use serde_json::json;

use super::Report;
use super::fingerprints;
use super::rule;
use super::severity;
use crate::lint::Finding;
use crate::lint::Suppression;

pub(super) fn document(report: &Report<'_>) -> Value {
    let assessed = report.assessed;
    let findings: Vec<(&Finding, Option<&Suppression>)> = assessed
        .findings
        .iter()
        .map(|finding| (finding, None))
        .chain(assessed.suppressed.iter().map(|suppressed| (&suppressed.finding, Some(&suppressed.by))))
        .collect();
    let mut rules = Rules::default();
    let prints = fingerprints(&findings.iter().map(|(finding, _)| *finding).collect::<Vec<_>>());
    let results: Vec<Value> = findings
        .iter()
        .zip(prints)
        .map(|((finding, by), fingerprint)| {
            let index = rules.index(report, &finding.found.verdict);
            result(report, finding, *by, index, &fingerprint)
        })
        .collect();
    let notifications: Vec<Value> = report.refusals.iter().map(notification).collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "runner",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.descriptors,
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.refusals.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

/// The rules that results are about, each once.
#[derive(Default)]
struct Rules {
    descriptors: Vec<Value>,
    known: BTreeMap<(String, String), usize>,
}

impl Rules {
    fn index(&mut self, report: &Report<'_>, verdict: &Verdict) -> usize {
        let key = (verdict.plugin.clone(), rule(verdict).to_owned());
        if let Some(index) = self.known.get(&key) {
            return *index;
        }
        let known = report.catalogue.rule(&verdict.plugin, rule(verdict)).map(|(_, rule)| rule);
        self.descriptors.push(descriptor(verdict, known));
        self.known.insert(key, self.descriptors.len() - 1);
        self.descriptors.len() - 1
    }
}

fn descriptor(verdict: &Verdict, known: Option<&RevisionRule>) -> Value {
    let mut descriptor =
        json!({ "id": rule(verdict), "properties": { "plugin": verdict.plugin, "tags": ["migrations"] } });
    if let Some(known) = known {
        let level = match known.severity {
            data::Severity::Info => "note",
            data::Severity::Warning => "warning",
            data::Severity::Error => "error",
        };
        let summary = runner_policy::printable(&known.summary);
        // Its lines are Markdown's.
        let lines: Vec<String> = known.explanation.lines().map(runner_policy::printable).collect();
        let explanation = lines.join("\n");
        descriptor["shortDescription"] = json!({ "text": summary });
        descriptor["help"] = json!({ "text": explanation, "markdown": explanation });
        descriptor["defaultConfiguration"] = json!({ "level": level });
    }
    descriptor
}

fn result(
    report: &Report<'_>,
    finding: &Finding,
    by: Option<&Suppression>,
    rule_index: usize,
    fingerprint: &str,
) -> Value {
    let verdict = &finding.found.verdict;
    let level = match severity(verdict) {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let help = verdict.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": rule(verdict),
        "ruleIndex": rule_index,
        "level": level,
        "message": { "text": format!("{}{help}", verdict.message) },
        "partialFingerprints": { "statement/v1": fingerprint },
    });
    if let Some(file) = &verdict.file {
        let mut place = json!({ "artifactLocation": location(report, file) });
        if let Some(region) = region(finding) {
            place["region"] = region;
        }
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    // An empty list says that nothing suppresses it, which is not said of every result.
    if let Some(by) = by {
        let kind = match by {
            Suppression::Comment { .. } => "inSource",
            Suppression::Baseline { .. } => "external",
        };
        result["suppressions"] = json!([{ "kind": kind, "status": "accepted", "justification": by.reason() }]);
    }
    if let Some(fix) = &finding.found.fix
        && let Some(file) = &verdict.file
        && fix.follow_up.is_none()
        && !fix.transaction_off
    {
        result["fixes"] = json!([self::fix(report, fix, file)]);
    }
    result
}

fn location(report: &Report<'_>, file: &str) -> Value {
    json!({ "uri": report.places.uri(file), "uriBaseId": "%SRCROOT%" })
}

fn region(finding: &Finding) -> Option<Value> {
    let verdict = &finding.found.verdict;
    let mut region = json!({ "startLine": verdict.line? });
    if let Some(column) = verdict.column {
        region["startColumn"] = json!(column);
        if let Some((line, column)) = finding.found.end {
            region["endLine"] = json!(line);
            region["endColumn"] = json!(column);
        }
    }
    Some(region)
}

/// A change of one file. One that needs another revision or another header is made by `--fix` alone.
fn fix(report: &Report<'_>, fix: &data::Fix, file: &str) -> Value {
    let replacements: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| {
            let span = edit.span;
            json!({
                "deletedRegion": {
                    "startLine": span.line, "startColumn": span.column,
                    "endLine": span.end_line, "endColumn": span.end_column,
                },
                "insertedContent": { "text": edit.text },
            })
        })
        .collect();
    json!({
        "description": { "text": runner_policy::printable(&fix.summary) },
        "artifactChanges": [{ "artifactLocation": location(report, file), "replacements": replacements }],
    })
}

fn notification(verdict: &Verdict) -> Value {
    json!({
        "level": "error",
        "message": { "text": format!("the policy `{}` could not be asked: {}", verdict.plugin, verdict.message) },
        "descriptor": { "id": rule(verdict) },
    })
}
