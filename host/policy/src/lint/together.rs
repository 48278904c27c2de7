//! Policies that export `lint`: asked about all revisions at once.

use std::collections::HashMap;

use super::Found;
use super::LintFinding;
use super::Subject;
use super::weight;
use crate::Refusal;
use crate::Role;
use crate::answer;
use crate::data;
use crate::data::Context;
use crate::data::LintSource;
use crate::plugin::Plugin;
use crate::verdict::Verdict;
use crate::verdict::printable;

/// A revision as this interface has it.
pub(super) fn source(subject: &Subject) -> LintSource {
    let source = (subject.source)();
    LintSource {
        revision: source.revision,
        text: source.text,
        up: source.up.unwrap_or_default(),
        down: source.down,
        planned: source.planned.is_some(),
    }
}

pub(super) async fn lint(plugin: &Plugin, context: &Context, sources: &[LintSource]) -> Result<Found, Refusal> {
    let findings = plugin
        .ask("lint.check", context, "", async |exports, instance, store, context| match &exports.lint {
            Some(role) => role.load(&mut *store, instance)?.call_check(&mut *store, context, sources).await,
            None => Ok(Ok(Vec::new())),
        })
        .await?;
    answer::findings(&findings, sources)?;
    let files: HashMap<&str, &str> =
        sources.iter().map(|source| (source.revision.id.as_str(), source.revision.file.as_str())).collect();
    let findings = findings.into_iter().map(|finding| {
        let (decision, severity) = weight(finding.severity);
        let mut verdict = Verdict::new(&plugin.identity, Some(Role::Lint), decision, &finding.message);
        verdict.rule = Some(printable(&finding.rule));
        verdict.severity = Some(severity);
        verdict.file = files.get(finding.revision.as_str()).map(|file| (*file).to_owned());
        verdict.line = finding.line;
        verdict.column = finding.column;
        verdict.help = finding.help.as_deref().map(printable);
        verdict.revision = Some(finding.revision);
        LintFinding { verdict, end: None, statement: None, fix: None }
    });
    Ok(Found { findings: findings.collect(), ..Found::default() })
}

pub(super) async fn rules(plugin: &Plugin, context: &Context) -> Result<Vec<data::LintRule>, Refusal> {
    let rules = plugin
        .ask("lint.rules", context, "", async |exports, instance, store, _| match &exports.lint {
            Some(role) => Ok(Ok(role.load(&mut *store, instance)?.call_rules(&mut *store).await?)),
            None => Ok(Ok(Vec::new())),
        })
        .await?;
    answer::rules(&rules)?;
    Ok(rules)
}
