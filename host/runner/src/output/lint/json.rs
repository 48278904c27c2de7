//! The document of `runner lint --json`.

use runner_policy::Severity;
use runner_policy::Verdict;
use runner_policy::data;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::Report;
use crate::lint::Finding;
use crate::lint::Suppressed;
use crate::lint::Suppression;

#[derive(Serialize)]
pub(super) struct Document<'a> {
    findings: Vec<FindingDocument<'a>>,
    suppressed: Vec<FindingDocument<'a>>,
    /// Of plugins that could not be asked.
    refusals: &'a [Verdict],
    errors: usize,
    warnings: usize,
    infos: usize,
    revisions: usize,
    environment: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    fixed: &'a [String],
    ok: bool,
}

/// A verdict as everywhere, and what only findings have.
#[derive(Serialize)]
struct FindingDocument<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    end_line: Option<u32>,
    end_column: Option<u32>,
    statement: Option<u32>,
    help: Option<&'a str>,
    fingerprint: &'a str,
    fix: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Value>,
}

pub(super) fn document<'a>(report: &'a Report<'_>) -> Document<'a> {
    let assessed = report.assessed;
    Document {
        findings: assessed.findings.iter().map(finding).collect(),
        suppressed: assessed.suppressed.iter().map(suppressed).collect(),
        refusals: report.refusals,
        errors: assessed.count(Severity::Error),
        warnings: assessed.count(Severity::Warning),
        infos: assessed.count(Severity::Info),
        revisions: report.looked_at.len(),
        environment: report.environment,
        fixed: report.fixed,
        ok: !report.refuses(),
    }
}

fn finding(finding: &Finding) -> FindingDocument<'_> {
    let found = &finding.found;
    let (end_line, end_column) = found.end.unzip();
    FindingDocument {
        verdict: &found.verdict,
        end_line,
        end_column,
        statement: found.statement,
        help: found.verdict.help.as_deref(),
        fingerprint: &finding.fingerprint,
        fix: found.fix.as_ref().map(fix),
        suppressed: None,
    }
}

fn suppressed(suppressed: &Suppressed) -> FindingDocument<'_> {
    let by = match &suppressed.by {
        Suppression::Comment { line, reason } => json!({ "by": "comment", "line": line, "reason": reason }),
        Suppression::Baseline { file } => json!({ "by": "baseline", "file": file }),
    };
    FindingDocument { suppressed: Some(by), ..finding(&suppressed.finding) }
}

fn fix(fix: &data::Fix) -> Value {
    json!({
        "summary": runner_policy::printable(&fix.summary),
        "edits": fix.edits.iter().map(|edit| json!({
            "line": edit.span.line, "column": edit.span.column,
            "end_line": edit.span.end_line, "end_column": edit.span.end_column,
            "text": edit.text,
        })).collect::<Vec<_>>(),
        "transaction_off": fix.transaction_off,
        "follow_up": fix.follow_up.as_ref().map(|follow_up| json!({
            "title": follow_up.title, "up": follow_up.up, "down": follow_up.down,
            "transactional": follow_up.transactional,
        })),
    })
}
