//! The rules that the runner itself has: about files and chains that can't be read, and about what is said to the linter.

use runner_chain::Fault;
use runner_policy::LintFinding;
use runner_policy::PluginIdentity;
use runner_policy::PluginRules;
use runner_policy::Role;
use runner_policy::Severity;
use runner_policy::Verdict;
use runner_policy::data;
use runner_policy::data::RevisionRule;

/// Whose findings these are.
pub(crate) const RUNNER: &str = "runner";

/// A rule about what is said to the linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnRule {
    /// A comment suppresses something without saying why.
    IgnoreWithoutReason,
    /// A comment suppresses nothing.
    UnusedIgnore,
    /// A comment names a rule that nobody has.
    UnknownRule,
    /// The configuration names a rule or an environment that nobody has.
    LintConfiguration,
    /// The baseline accepts something that is not there any more.
    StaleBaseline,
}

impl OwnRule {
    const ALL: [Self; 5] = [
        Self::IgnoreWithoutReason,
        Self::UnusedIgnore,
        Self::UnknownRule,
        Self::LintConfiguration,
        Self::StaleBaseline,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::IgnoreWithoutReason => "ignore-without-reason",
            Self::UnusedIgnore => "unused-ignore",
            Self::UnknownRule => "unknown-rule",
            Self::LintConfiguration => "lint-configuration",
            Self::StaleBaseline => "stale-baseline",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::IgnoreWithoutReason => "a comment suppresses findings without a reason, so it does not count",
            Self::UnusedIgnore => "a comment that suppresses findings suppresses none",
            Self::UnknownRule => "a comment names a rule that no policy in force has",
            Self::LintConfiguration => "`[lint]` names a rule or an environment that does not exist",
            Self::StaleBaseline => "the baseline accepts a finding that is not there any more",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::IgnoreWithoutReason => {
                "Whoever reads the revision in a year wants to know why the warning did not matter.\n\n\
                 ```sql\n-- lint:ignore ban-drop-column nothing reads `fax` since release 4.2\nALTER TABLE patient DROP COLUMN fax;\n```"
            }
            Self::UnusedIgnore => {
                "What it was about is mended, or it stands in the wrong place: it belongs on the lines directly before the \
                 statement, inside of it, or at the end of one of its lines; in the header it is about the whole file.\n\n\
                 Take it away, so that it hides nothing that comes later."
            }
            Self::UnknownRule => {
                "A comment with a misspelt name suppresses nothing.\n\n`runner lint --rules` lists the names."
            }
            Self::LintConfiguration => {
                "A misspelt name in `[lint.rules]` changes nothing, so what was meant to be an error may be a warning.\n\n\
                 `runner lint --rules` lists the names of rules, `runner environments` those of environments."
            }
            Self::StaleBaseline => {
                "An entry of the baseline whose finding is gone would hide the next one of its kind.\n\n\
                 `runner lint --write-baseline` writes the file anew."
            }
        }
    }
}

/// The runner as plugins are named.
pub(crate) fn identity() -> PluginIdentity {
    PluginIdentity { name: RUNNER.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()), digest: None }
}

/// All rules of the runner, in the form of a policy's.
pub(crate) fn rules() -> PluginRules {
    let rule = |name: &str, severity, summary: &str, explanation: &str| RevisionRule {
        name: name.to_owned(),
        severity,
        severity_in_production: severity,
        dialects: Vec::new(),
        aliases: Vec::new(),
        summary: summary.to_owned(),
        explanation: explanation.to_owned(),
    };
    let faults = Fault::ALL.iter().map(|fault| {
        let explanation = "Every command that reads the chain refuses it, and says where the problem is and how to mend it. \
                           Its severity can't be changed, and no comment suppresses it.";
        rule(fault.name(), data::Severity::Error, fault.summary(), explanation)
    });
    let own =
        OwnRule::ALL.iter().map(|own| rule(own.name(), data::Severity::Warning, own.summary(), own.explanation()));
    let mut rules: Vec<RevisionRule> = faults.chain(own).collect();
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    PluginRules { plugin: identity(), rules }
}

/// Whether a name is that of a problem that stops every command.
pub(crate) fn is_fault(name: &str) -> bool {
    Fault::ALL.iter().any(|fault| fault.name() == name)
}

/// A finding of the runner.
pub(crate) fn finding(rule: &str, severity: Severity, message: &str) -> LintFinding {
    let identity = identity();
    LintFinding {
        verdict: Verdict {
            plugin: identity.name,
            version: identity.version,
            digest: None,
            role: Some(Role::Lint),
            // Follows from the severity when all findings are weighed.
            decision: runner_policy::Decision::Warn,
            revision: None,
            rule: Some(rule.to_owned()),
            severity: Some(severity),
            message: runner_policy::printable(message),
            file: None,
            line: None,
            column: None,
            help: None,
            refusal: false,
        },
        end: None,
        statement: None,
        fix: None,
    }
}

impl OwnRule {
    /// A finding of this rule.
    pub(crate) fn finding(self, message: &str) -> LintFinding {
        finding(self.name(), Severity::Warning, message)
    }
}

/// A problem of the chain as a finding.
pub(crate) fn of_problem(problem: &runner_chain::Problem) -> LintFinding {
    let number = super::places::number;
    let message = match &problem.label {
        Some(label) => format!("{} ({label})", problem.message),
        None => problem.message.clone(),
    };
    let mut finding = finding(problem.fault.name(), Severity::Error, &message);
    finding.verdict.file = Some(problem.file.clone());
    finding.verdict.line = Some(number(problem.line));
    finding.verdict.column = Some(number(problem.column));
    finding.verdict.help = problem.help.as_deref().map(runner_policy::printable);
    finding.end = Some((number(problem.line), number(problem.column + problem.length)));
    finding
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rule_is_named_once_and_explained() {
        let rules = rules().rules;
        let names: HashSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names.len(), Fault::ALL.len() + OwnRule::ALL.len());
        assert!(rules.iter().all(|rule| !rule.summary.is_empty() && !rule.explanation.is_empty()));
    }
}
