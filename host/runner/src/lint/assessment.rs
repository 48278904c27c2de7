//! From what the policies have found to what counts: comments, configuration and baseline, in this order.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;

use runner_chain::Chain;
use runner_chain::Dialect;
use runner_policy::Assess;
use runner_policy::Decision;
use runner_policy::LintFinding;
use runner_policy::PluginRules;
use runner_policy::Severity;

use super::baseline::Baseline;
use super::baseline::Comparison;
use super::baseline::Key;
use super::catalogue::Catalogue;
use super::directive;
use super::fingerprint::Statements;
use super::severity::Severities;
use super::severity::Weight;
use super::suppression::Comments;
use super::suppression::Languages;
use super::suppression::Suppression;

/// A finding that counts, and what it is recognised by.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What was found; severity and decision are those that count.
    pub(crate) found: LintFinding,
    /// Of its statement; `file`: it is about none; empty: nobody wants to know.
    pub(crate) fingerprint: String,
}

/// A finding that does not count, and why.
#[derive(Clone, Debug)]
pub(crate) struct Suppressed {
    pub(crate) finding: Finding,
    pub(crate) by: Suppression,
}

impl Suppressed {
    /// The finding as a remark that says that it does not count, and why.
    fn as_remark(&self) -> LintFinding {
        let mut found = self.finding.found.clone();
        let reason = match self.by.reason() {
            reason if reason.is_empty() => "without a reason".to_owned(),
            reason => reason,
        };
        found.verdict.severity = Some(Severity::Info);
        found.verdict.message =
            format!("suppressed ({}): {}", runner_policy::printable(&reason), found.verdict.message);
        found
    }
}

/// What became of all findings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assessed {
    /// In the order of files and lines.
    pub(crate) findings: Vec<Finding>,
    /// The same for what is suppressed.
    pub(crate) suppressed: Vec<Suppressed>,
    /// What the configuration says and is not obeyed.
    pub(crate) ignored: BTreeSet<String>,
}

impl Assessed {
    /// How many findings that count have a severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.found.verdict.severity == Some(severity)).count()
    }

    /// Whether any of them refuses.
    pub(crate) fn refuses(&self) -> bool {
        self.findings.iter().any(|finding| finding.found.verdict.decision == Decision::Deny)
    }
}

/// Everything that findings are weighed with.
pub(crate) struct Assessment<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) dialect: Dialect,
    pub(crate) severities: &'a Severities,
    pub(crate) baseline: Option<&'a Baseline>,
    /// Identifiers of the revisions that are looked at.
    pub(crate) looked_at: &'a [String],
    /// Whether everything was looked for that could be found, so that comments and entries without effect are superfluous.
    pub(crate) is_complete: bool,
    /// Whether the catalogue has all rules, so that a name that is not in it is wrong.
    pub(crate) knows_rules: bool,
    /// Whether it is a plan that will run: what a strict set refuses there no baseline accepts.
    pub(crate) is_plan: bool,
    /// Whether findings are wanted with fingerprints, for which their files have to be cut into statements.
    pub(crate) wants_fingerprints: bool,
    /// Plugins whose findings are shown and have no consequence.
    pub(crate) audited: &'a [String],
}

impl Assessment<'_> {
    /// Whether comments or the configuration name rules, so that all names have to be known.
    pub(crate) fn names_rules(&self) -> bool {
        let may_say = |id: &String| self.chain.get(id).is_some_and(|found| directive::may_be_in(found.source()));
        self.severities.names_rules() || self.looked_at.iter().any(may_say)
    }

    /// Weighs findings. `own` are those of the runner.
    pub(crate) fn weigh(&self, found: Vec<LintFinding>, own: Vec<LintFinding>, catalogue: &Catalogue) -> Assessed {
        let mut scales = Scales {
            of: self,
            catalogue,
            comparison: self.baseline.map(Baseline::compare),
            comments: HashMap::new(),
            statements: HashMap::new(),
            assessed: Assessed::default(),
        };
        for id in self.looked_at {
            let Some(revision) = self.chain.get(id) else { continue };
            let comments = Comments::of(revision, self.dialect);
            if !comments.is_empty() {
                scales.comments.insert(id, comments);
            }
        }
        for finding in found {
            scales.take(finding);
        }
        let mut complaints = own;
        // In the order of the chain, so that the same files give the same text.
        let comments = self.looked_at.iter().filter_map(|id| scales.comments.get(id.as_str()));
        complaints
            .extend(comments.flat_map(|comments| comments.complaints(catalogue, self.knows_rules, self.is_complete)));
        if let Some(comparison) = scales.comparison.as_ref().filter(|_| self.is_complete) {
            let looked_at: HashSet<&str> = self.looked_at.iter().map(String::as_str).collect();
            let was_looked_at = |id: &str| looked_at.contains(id) || self.chain.get(id).is_none();
            complaints.extend(comparison.stale(was_looked_at));
        }
        for complaint in complaints {
            scales.count(complaint, "file".to_owned());
        }
        let mut assessed = scales.assessed;
        // A plan is told in its own order.
        if self.is_plan {
            return assessed;
        }
        assessed.findings.sort_by(|one, other| order(&one.found).cmp(&order(&other.found)));
        assessed.suppressed.sort_by(|one, other| order(&one.finding.found).cmp(&order(&other.finding.found)));
        assessed
    }
}

/// File, line, column, and how serious it is.
type Order<'a> = (Option<&'a str>, Option<u32>, Option<u32>, std::cmp::Reverse<Option<Severity>>);

/// By file and place; what is about a file as a whole comes first.
fn order(finding: &LintFinding) -> Order<'_> {
    let verdict = &finding.verdict;
    (verdict.file.as_deref(), verdict.line, verdict.column, std::cmp::Reverse(verdict.severity))
}

struct Scales<'a> {
    of: &'a Assessment<'a>,
    catalogue: &'a Catalogue,
    comparison: Option<Comparison<'a>>,
    comments: HashMap<&'a str, Comments<'a>>,
    statements: HashMap<String, Statements>,
    assessed: Assessed,
}

impl Scales<'_> {
    fn take(&mut self, found: LintFinding) {
        let revision = found.verdict.revision.clone().unwrap_or_default();
        let fingerprint = self.fingerprint(&revision, &found);
        let comments = self.comments.get_mut(revision.as_str());
        // In a plan a strict set obeys nothing but what says which rule it means, and why.
        let is_strict = self.of.is_plan && self.of.severities.is_strict(&found.verdict.plugin);
        let languages = if is_strict { Languages::Own } else { Languages::All };
        if let Some(by) = comments.and_then(|comments| comments.suppress(&found, self.catalogue, languages)) {
            return self.suppress(found, fingerprint, by);
        }
        let may_accept = !is_strict;
        let plugin = found.verdict.plugin.clone();
        let key = Key { revision, plugin, rule: found.verdict.rule.clone().unwrap_or_default(), fingerprint };
        if let (Some(comparison), Some(baseline)) = (&mut self.comparison, self.of.baseline)
            && may_accept
            && comparison.accepts(&key)
        {
            let by = Suppression::Baseline { file: baseline.file().to_owned() };
            return self.suppress(found, key.fingerprint, by);
        }
        self.count(found, key.fingerprint);
    }

    fn suppress(&mut self, mut found: LintFinding, fingerprint: String, by: Suppression) {
        found.verdict.decision = Decision::Allow;
        self.assessed.suppressed.push(Suppressed { finding: Finding { found, fingerprint }, by });
    }

    fn count(&mut self, mut found: LintFinding, fingerprint: String) {
        let severities = self.of.severities;
        match severities.weigh(&found, self.catalogue, &mut self.assessed.ignored) {
            Weight::Off => {}
            Weight::Counts(severity, decision) => {
                let verdict = &mut found.verdict;
                let is_audited = self.of.audited.contains(&verdict.plugin);
                verdict.severity = Some(severity);
                verdict.decision = if is_audited { decision.min(Decision::Warn) } else { decision };
                self.assessed.findings.push(Finding { found, fingerprint });
            }
        }
    }

    fn fingerprint(&mut self, revision: &str, found: &LintFinding) -> String {
        if !self.of.wants_fingerprints {
            return String::new();
        }
        let Some(written) = self.of.chain.get(revision) else { return "file".to_owned() };
        let statements = self.statements.entry(revision.to_owned());
        statements.or_insert_with(|| Statements::of(written, self.of.dialect)).fingerprint(found)
    }
}

/// The findings of a plan, weighed as everywhere. What is suppressed is kept for whoever wants to tell of it.
pub(crate) struct OfPlan<'a> {
    pub(crate) assessment: Assessment<'a>,
    assessed: Mutex<Assessed>,
}

impl<'a> OfPlan<'a> {
    pub(crate) fn new(assessment: Assessment<'a>) -> Self {
        OfPlan { assessment, assessed: Mutex::default() }
    }

    /// What became of the findings.
    pub(crate) fn into_assessed(self) -> Assessed {
        self.assessed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Assess for OfPlan<'_> {
    fn wants_rules(&self) -> bool {
        self.assessment.names_rules()
    }

    fn assess(&self, findings: Vec<LintFinding>, rules: &[PluginRules]) -> Vec<LintFinding> {
        let assessed = self.assessment.weigh(findings, Vec::new(), &Catalogue::new(rules));
        // What is suppressed is told as well, so that the ledger has it.
        let counts = assessed.findings.iter().map(|finding| finding.found.clone());
        let counts = counts.chain(assessed.suppressed.iter().map(Suppressed::as_remark)).collect();
        *self.assessed.lock().unwrap_or_else(PoisonError::into_inner) = assessed;
        counts
    }
}
