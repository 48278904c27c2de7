//! What a rule is, and all of them.

use runner_policy_sdk::Dialect;
use runner_policy_sdk::Severity;
use runner_policy_sdk::revision_lint;
use runner_policy_sdk::revision_lint::Circumstances;

use crate::rules;

/// A rule, as it is written down.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    pub(crate) in_production: Severity,
    /// Empty: all.
    pub(crate) dialects: &'static [Dialect],
    pub(crate) aliases: &'static [&'static str],
    pub(crate) summary: &'static str,
    pub(crate) explanation: &'static str,
}

pub(crate) const SQLITE: &[Dialect] = &[Dialect::Sqlite];
pub(crate) const MYSQL: &[Dialect] = &[Dialect::Mysql];
pub(crate) const BOTH: &[Dialect] = &[Dialect::Sqlite, Dialect::Mysql];
pub(crate) const ALL: &[Dialect] = &[];

/// Severities below production and in production: something to know.
pub(crate) const ADVICE: (Severity, Severity) = (Severity::Info, Severity::Info);
/// Something to look at.
pub(crate) const CAUTION: (Severity, Severity) = (Severity::Warning, Severity::Warning);
/// What destroys data, blocks a large table or breaks applications that run.
pub(crate) const DANGER: (Severity, Severity) = (Severity::Warning, Severity::Error);
/// What will fail, or what the runner would refuse.
pub(crate) const FAULT: (Severity, Severity) = (Severity::Error, Severity::Error);

impl Rule {
    pub(crate) const fn new(
        name: &'static str,
        (severity, in_production): (Severity, Severity),
        dialects: &'static [Dialect],
        aliases: &'static [&'static str],
        summary: &'static str,
        explanation: &'static str,
    ) -> Self {
        Rule { name, severity, in_production, dialects, aliases, summary, explanation }
    }

    pub(crate) fn is_for(&self, dialect: Dialect) -> bool {
        self.dialects.is_empty() || self.dialects.contains(&dialect)
    }

    pub(crate) fn severity_in(&self, circumstances: &Circumstances) -> Severity {
        if circumstances.may_be_production() { self.in_production } else { self.severity }
    }

    fn told(&self) -> revision_lint::Rule {
        revision_lint::Rule {
            name: self.name.to_owned(),
            severity: self.severity,
            severity_in_production: self.in_production,
            dialects: self.dialects.to_vec(),
            aliases: self.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            summary: self.summary.to_owned(),
            explanation: self.explanation.trim().to_owned(),
        }
    }
}

/// All rules, ordered by name.
pub(crate) fn all() -> Vec<&'static Rule> {
    let mut all: Vec<&Rule> = rules::GROUPS.iter().copied().flatten().copied().collect();
    all.sort_by_key(|rule| rule.name);
    all
}

/// The same for the host.
pub(crate) fn told() -> Vec<revision_lint::Rule> {
    all().into_iter().map(Rule::told).collect()
}
