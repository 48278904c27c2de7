//! What differs between the verdicts of then and those of now.

use runner_policy::Decision;
use runner_policy::Outcome;
use runner_policy::Verdict;

/// How a run would go otherwise.
pub(super) struct Change {
    /// Verdicts of then that are not given now.
    pub(super) removed: Vec<Verdict>,
    /// Verdicts of now that were not given then.
    pub(super) added: Vec<Verdict>,
    /// What the verdicts of then came to.
    pub(super) before: Outcome,
    /// What those of now come to.
    pub(super) after: Outcome,
    /// What else is not as it was then.
    pub(super) notes: Vec<String>,
}

impl Change {
    pub(super) fn sentence(&self) -> &'static str {
        match (self.before, self.after) {
            (before, after) if before == after => "other verdicts, the same outcome",
            (_, Outcome::Denied) => "would have been denied",
            (Outcome::Allowed, Outcome::Confirm) => "would have been asked about first",
            (Outcome::Confirm, _) => "would not have been asked about",
            (_, _) => "would have been allowed",
        }
    }
}

/// What verdicts come to.
pub(super) fn outcome_of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Outcome {
    match verdicts.into_iter().map(|verdict| verdict.decision).max() {
        Some(Decision::Deny) => Outcome::Denied,
        Some(Decision::Confirm) => Outcome::Confirm,
        _ => Outcome::Allowed,
    }
}

/// Whether two verdicts say the same; version and digest of the plugin are another matter.
fn is_same(one: &Verdict, other: &Verdict) -> bool {
    let plain =
        |verdict: &Verdict| Verdict { version: None, digest: None, help: None, refusal: false, ..verdict.clone() };
    plain(one) == plain(other)
}

/// Whether a verdict says more than that its plugin allows.
fn counts(verdict: &Verdict) -> bool {
    verdict.decision != Decision::Allow || verdict.rule.is_some()
}

/// Verdicts of then that are gone, and verdicts of now that are new. Each verdict counts as often as it is given.
pub(super) fn changed(then: &[Verdict], now: &[Verdict]) -> (Vec<Verdict>, Vec<Verdict>) {
    let mut removed = Vec::new();
    let mut added: Vec<Verdict> = now.iter().filter(|verdict| counts(verdict)).cloned().collect();
    for verdict in then.iter().filter(|verdict| counts(verdict)) {
        match added.iter().position(|other| is_same(verdict, other)) {
            Some(found) => {
                added.remove(found);
            }
            None => removed.push(verdict.clone()),
        }
    }
    (removed, added)
}

/// A verdict in one line.
pub(super) fn shown(verdict: &Verdict) -> String {
    let version = verdict.version.as_deref().unwrap_or("?");
    let rule = verdict.rule.as_ref().map(|rule| format!("  {rule}")).unwrap_or_default();
    let place = match (&verdict.file, verdict.line, &verdict.revision) {
        (Some(file), Some(line), _) => format!("  {file}:{line}"),
        (_, _, Some(revision)) => format!("  {revision}"),
        _ => String::new(),
    };
    let message = if verdict.message.is_empty() { String::new() } else { format!("  {}", verdict.message) };
    format!("{}  {} {version}{rule}{place}{message}", verdict.decision.name(), verdict.plugin)
}
