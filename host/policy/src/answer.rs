//! Checks answers against the rules that the contract states. An answer that breaks one says nothing.

use std::collections::HashSet;

use crate::Refusal;
use crate::data::AppliedRevision;
use crate::data::Finding;
use crate::data::Judgement;
use crate::data::Level;
use crate::data::LintRule;
use crate::data::LintSource;
use crate::data::Plan;
use crate::data::Reason;
use crate::data::Ruling;
use crate::verdict::printable;

fn broken<T>(reason: &str) -> Result<T, Refusal> {
    Err(Refusal::Answer { reason: printable(reason) })
}

/// Exactly one ruling a step, in the order of the plan, and remarks on known revisions alone.
pub(crate) fn judgement(judgement: &Judgement, plan: &Plan, applied: &[AppliedRevision]) -> Result<(), Refusal> {
    if judgement.steps.len() != plan.steps.len() {
        return broken(&format!("it rules on {} steps, the plan has {}", judgement.steps.len(), plan.steps.len()));
    }
    for (ruling, step) in judgement.steps.iter().zip(&plan.steps) {
        if ruling.revision != step.revision.id {
            return broken(&format!("it rules on `{}` where the plan has `{}`", ruling.revision, step.revision.id));
        }
    }
    let known: HashSet<&str> = applied.iter().map(|revision| revision.id.as_str()).chain(planned(plan)).collect();
    reasons(&judgement.remarks, &known)
}

/// Reasons about known revisions alone.
pub(crate) fn ruling(ruling: &Ruling, plan: &Plan) -> Result<(), Refusal> {
    reasons(&ruling.reasons, &planned(plan).collect())
}

/// Findings about known revisions alone.
pub(crate) fn findings(findings: &[Finding], sources: &[LintSource]) -> Result<(), Refusal> {
    let known: HashSet<&str> = sources.iter().map(|source| source.revision.id.as_str()).collect();
    match findings.iter().find(|finding| !known.contains(finding.revision.as_str())) {
        Some(finding) => broken(&format!("it speaks of `{}`, which it was not asked about", finding.revision)),
        None => Ok(()),
    }
}

/// Findings of known rules alone.
pub(crate) fn rules(findings: &[Finding], rules: &[LintRule]) -> Result<(), Refusal> {
    let known: HashSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    match findings.iter().find(|finding| !known.contains(finding.rule.as_str())) {
        Some(finding) => broken(&format!("it reports the rule `{}`, which is none of its rules", finding.rule)),
        None => Ok(()),
    }
}

/// At least one level, and names that are unique.
pub(crate) fn levels(levels: &[Level]) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    if levels.is_empty() {
        return broken("it knows no environment");
    }
    for name in levels.iter().flat_map(|level| std::iter::once(&level.name).chain(&level.aliases)) {
        if !names.insert(name) {
            return broken(&format!("it lists `{name}` twice"));
        }
    }
    Ok(())
}

fn planned(plan: &Plan) -> impl Iterator<Item = &str> {
    plan.steps.iter().map(|step| step.revision.id.as_str())
}

fn reasons(reasons: &[Reason], known: &HashSet<&str>) -> Result<(), Refusal> {
    for revision in reasons.iter().filter_map(|reason| reason.revision.as_deref()) {
        if !known.contains(revision) {
            return broken(&format!("it speaks of `{revision}`, which it was not asked about"));
        }
    }
    Ok(())
}
