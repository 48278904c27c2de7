//! What is wrong, with places in the file.

use std::ops::Range;

use runner_policy_sdk::Severity;
use runner_policy_sdk::Statement;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Edit;
use runner_policy_sdk::revision_lint::Finding;
use runner_policy_sdk::revision_lint::Fix;
use runner_policy_sdk::revision_lint::Span;

use crate::rule::Rule;

/// Collects findings.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    pub(crate) circumstances: &'a Circumstances,
    found: Vec<Finding>,
}

/// Where a finding is.
#[derive(Clone, Debug)]
pub(crate) enum Place<'a> {
    /// The file as a whole.
    File,
    /// Bytes of a statement of the up section, with its index.
    Up(&'a Statement, usize, Range<usize>),
    /// A place that is known already.
    At(Span),
}

impl<'a> Findings<'a> {
    pub(crate) fn new(circumstances: &'a Circumstances) -> Self {
        Findings { circumstances, found: Vec::new() }
    }

    /// Adds a finding with the severity that the rule has here.
    pub(crate) fn add(&mut self, rule: &Rule, place: Place<'_>, message: impl Into<String>) -> Added<'_> {
        let (span, statement) = match place {
            Place::File => (None, None),
            Place::Up(statement, index, range) => (Some(span(statement, range)), u32::try_from(index).ok()),
            Place::At(span) => (Some(span), None),
        };
        let finding = Finding {
            rule: rule.name.to_owned(),
            severity: rule.severity_in(self.circumstances),
            message: message.into(),
            span,
            statement,
            help: None,
            fix: None,
        };
        // Rules are written for all dialects at once; each knows for which of them it holds.
        if rule.is_for(self.circumstances.dialect) {
            self.found.push(finding);
            Added(self.found.last_mut())
        } else {
            Added(None)
        }
    }

    /// All findings, in the order of the file.
    pub(crate) fn into_sorted(mut self) -> Vec<Finding> {
        let start = |finding: &Finding| finding.span.map_or((0, 0), |span| (span.line, span.column));
        self.found.sort_by(|a, b| start(a).cmp(&start(b)).then_with(|| a.rule.cmp(&b.rule)));
        self.found
    }
}

/// The finding that was just added.
#[derive(Debug)]
pub(crate) struct Added<'a>(Option<&'a mut Finding>);

impl Added<'_> {
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(finding) = self.0.as_deref_mut() {
            finding.help = Some(help.into());
        }
        self
    }

    /// Makes it no more serious than this.
    pub(crate) fn at_most(mut self, severity: Severity) -> Self {
        if let Some(finding) = self.0.as_deref_mut() {
            finding.severity = finding.severity.min(severity);
        }
        self
    }

    /// A safe form that changes one place.
    pub(crate) fn fix(mut self, summary: &str, span: Span, text: impl Into<String>) -> Self {
        if let Some(finding) = self.0.as_deref_mut() {
            finding.fix = Some(Fix {
                summary: summary.to_owned(),
                edits: vec![Edit { span, text: text.into() }],
                transaction_off: false,
                follow_up: None,
            });
        }
        self
    }
}

/// The place in the file of bytes of a statement.
pub(crate) fn span(statement: &Statement, range: Range<usize>) -> Span {
    let (line, column) = statement.place_at(range.start);
    let (end_line, end_column) = statement.place_at(range.end.max(range.start));
    Span { line, column, end_line, end_column }
}
