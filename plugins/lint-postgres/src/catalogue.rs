//! All rules: those of the engine under the engine's names, and ours.

mod compatibility;
mod data;
mod dropping;
mod locking;
mod privileges;
mod style;
mod transactions;

use std::sync::LazyLock;

use runner_policy_sdk::Dialect;
use runner_policy_sdk::Severity;
use runner_policy_sdk::revision_lint::Rule;
use squawk_linter::Rule as EngineRule;

/// What a rule guards, which decides what of the surroundings excuses a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Others wait for a lock, or a table is read or written as a whole. No matter for what is new; a warning for what is
    /// small.
    Lock,
    /// Data is lost, or applications that run find something gone or changed. No matter for what is new.
    Loss,
    /// Neither: a matter of taste, of rights or of transactions.
    Form,
}

/// A rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) concern: Concern,
    /// Severity below production.
    pub(crate) severity: Severity,
    pub(crate) in_production: Severity,
    aliases: &'static [&'static str],
    summary: &'static str,
    explanation: &'static str,
}

impl Entry {
    const fn new(
        name: &'static str,
        concern: Concern,
        severities: (Severity, Severity),
        aliases: &'static [&'static str],
        summary: &'static str,
        explanation: &'static str,
    ) -> Self {
        let (severity, in_production) = severities;
        Entry { name, concern, severity, in_production, aliases, summary, explanation }
    }

    /// As the contract has it.
    pub(crate) fn rule(&self) -> Rule {
        Rule {
            name: self.name.to_owned(),
            severity: self.severity,
            severity_in_production: self.in_production,
            dialects: vec![Dialect::Postgres],
            aliases: self.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            summary: self.summary.to_owned(),
            explanation: self.explanation.trim().to_owned(),
        }
    }
}

/// Worth knowing, everywhere.
const ADVICE: (Severity, Severity) = (Severity::Info, Severity::Info);
/// Ignoring it commonly hurts.
const CAUTION: (Severity, Severity) = (Severity::Warning, Severity::Warning);
/// Matters where others wait for the same tables.
const LATER: (Severity, Severity) = (Severity::Info, Severity::Warning);
/// Endangers data or applications where there are any.
const DANGER: (Severity, Severity) = (Severity::Warning, Severity::Error);
/// Cannot work.
const FAULT: (Severity, Severity) = (Severity::Error, Severity::Error);

const GROUPS: [&[Entry]; 7] = [
    &locking::RULES,
    &dropping::RULES,
    &compatibility::RULES,
    &transactions::RULES,
    &data::RULES,
    &privileges::RULES,
    &style::RULES,
];

/// All rules, in no order that matters.
pub(crate) fn all() -> impl Iterator<Item = &'static Entry> {
    GROUPS.into_iter().flatten()
}

/// A rule by its name.
pub(crate) fn named(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name)
}

/// A rule that is no more serious than this here.
pub(crate) fn capped(entry: &'static Entry, most: Severity) -> &'static Entry {
    static WARNINGS: LazyLock<Vec<Entry>> = LazyLock::new(|| all_capped(Severity::Warning));
    static ADVICE: LazyLock<Vec<Entry>> = LazyLock::new(|| all_capped(Severity::Info));
    let entries = match most {
        Severity::Error => return entry,
        Severity::Warning => &WARNINGS,
        Severity::Info => &ADVICE,
    };
    entries.iter().find(|capped| capped.name == entry.name).unwrap_or(entry)
}

fn all_capped(most: Severity) -> Vec<Entry> {
    let capped = |entry: &Entry| Entry {
        severity: entry.severity.min(most),
        in_production: entry.in_production.min(most),
        ..*entry
    };
    all().map(capped).collect()
}

/// Whether a rule is one of the engine. Two of them are not to be named in its comments.
pub(crate) fn is_engines(name: &str) -> bool {
    matches!(name, "syntax-error" | "unused-ignore") || EngineRule::try_from(name).is_ok()
}

/// The engine's rules that have to be asked for.
pub(crate) fn is_opt_in(name: &str) -> bool {
    EngineRule::try_from(name).is_ok_and(|rule| rule.is_opt_in() && rule.expands_to().is_empty())
}
