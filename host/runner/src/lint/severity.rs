//! How serious a finding is here: what its policy says, and what the configuration makes of it.

use std::collections::BTreeSet;

use runner_chain::Dialect;
use runner_policy::Decision;
use runner_policy::LintFinding;
use runner_policy::Severity;

use super::catalogue::Catalogue;
use super::own_rules;
use super::own_rules::OwnRule;
use crate::config::lint::DEFAULT;
use crate::config::lint::FailOn;
use crate::config::lint::LintLayer;
use crate::config::lint::RuleLevel;
use crate::config::lint::RuleLevels;
use crate::suggest::nearest;

/// Where severities are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) dialect: Dialect,
    /// Canonical name of the environment.
    pub(crate) environment: String,
    /// Other names of it.
    pub(crate) aliases: Vec<String>,
    /// `None`: nobody knows, so it counts as one.
    pub(crate) production: Option<bool>,
}

/// Turns severities of policies into those of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Severities {
    layers: Vec<LintLayer>,
    here: Here,
    /// Plugins of a strict set: what they say can be taken more seriously, never less.
    strict: BTreeSet<String>,
    /// The severity from which on findings refuse, if the command line says so.
    deny: Option<FailOn>,
    /// Rules whose findings always refuse.
    denied_rules: Vec<String>,
    /// The same, by their own names, without anybody having said so.
    implied: Option<&'static str>,
}

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is not asked for.
    Off,
    /// How serious it is, and what follows.
    Counts(Severity, Decision),
}

impl Severities {
    pub(crate) fn new(layers: Vec<LintLayer>, here: Here, strict: BTreeSet<String>) -> Self {
        Severities { layers, here, strict, deny: None, denied_rules: Vec::new(), implied: None }
    }

    /// What the command line adds: it can make things stricter.
    pub(crate) fn deny(mut self, severity: Option<FailOn>, rules: Vec<String>) -> Self {
        self.deny = severity;
        self.denied_rules = rules;
        self
    }

    /// A rule whose findings refuse here, if there is such a rule.
    pub(crate) fn imply(mut self, rule: Option<&'static str>) -> Self {
        self.implied = rule;
        self
    }

    /// Whether rules are named anywhere, so that their names have to be known.
    pub(crate) fn names_rules(&self) -> bool {
        !self.denied_rules.is_empty() || self.layers.iter().any(|layer| !layer.rules.is_empty())
    }

    /// Whether a plugin belongs to a strict set.
    pub(crate) fn is_strict(&self, plugin: &str) -> bool {
        self.strict.contains(plugin)
    }

    /// The severity from which on findings of a plugin refuse.
    pub(crate) fn fail_on(&self, plugin: &str) -> FailOn {
        let mut fail_on = FailOn::Error;
        for layer in &self.layers {
            let Some(wanted) = layer.fail_on else { continue };
            let is_bound = layer.only_stricter || self.strict.contains(plugin);
            fail_on = if is_bound { fail_on.min(wanted) } else { wanted };
        }
        self.deny.map_or(fail_on, |deny| fail_on.min(deny))
    }

    /// How serious a finding is here. `ignored` hears of each severity that is looser than what it is bound to.
    pub(crate) fn weigh(&self, finding: &LintFinding, catalogue: &Catalogue, ignored: &mut BTreeSet<String>) -> Weight {
        let verdict = &finding.verdict;
        let proposed = verdict.severity.unwrap_or(Severity::Error);
        let rule = verdict.rule.as_deref().unwrap_or_default();
        self.note_ignored_threshold(&verdict.plugin, ignored);
        let mut level = match proposed {
            Severity::Info => RuleLevel::Info,
            Severity::Warning => RuleLevel::Warning,
            Severity::Error => RuleLevel::Error,
        };
        for layer in &self.layers {
            let Some((name, wanted)) = self.configured(layer, &verdict.plugin, rule, catalogue) else { continue };
            let is_fault = verdict.plugin == own_rules::RUNNER && own_rules::is_fault(rule);
            let is_strict = self.strict.contains(&verdict.plugin);
            if wanted < level && (is_strict || layer.only_stricter || is_fault) {
                let why = reason(is_fault, is_strict);
                let (file, wanted) = (&layer.file, wanted.name());
                ignored
                    .insert(format!("`lint.rules.{name}` in `{file}` is not obeyed: `{wanted}` is looser, and {why}"));
            } else {
                level = wanted;
            }
        }
        let severity = match level {
            RuleLevel::Off => return Weight::Off,
            RuleLevel::Info => Severity::Info,
            RuleLevel::Warning => Severity::Warning,
            RuleLevel::Error => Severity::Error,
        };
        let is_denied = self.implied == Some(rule)
            || self.denied_rules.iter().any(|name| catalogue.means(name, &verdict.plugin, rule));
        Weight::Counts(severity, if is_denied { Decision::Deny } else { self.decision(severity, &verdict.plugin) })
    }

    /// Says that a file wants to refuse less than it is bound to.
    fn note_ignored_threshold(&self, plugin: &str, ignored: &mut BTreeSet<String>) {
        let mut fail_on = FailOn::Error;
        for layer in &self.layers {
            let Some(wanted) = layer.fail_on else { continue };
            let is_strict = self.strict.contains(plugin);
            if wanted > fail_on && (is_strict || layer.only_stricter) {
                let (file, wanted) = (&layer.file, wanted.name());
                let why = reason(false, is_strict);
                ignored.insert(format!("`lint.fail-on` in `{file}` is not obeyed: `{wanted}` is looser, and {why}"));
            } else {
                fail_on = wanted;
            }
        }
    }

    fn decision(&self, severity: Severity, plugin: &str) -> Decision {
        let refuses = match self.fail_on(plugin) {
            FailOn::Info => true,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Error => severity >= Severity::Error,
            FailOn::Never => false,
        };
        match severity {
            _ if refuses => Decision::Deny,
            Severity::Info => Decision::Allow,
            Severity::Warning | Severity::Error => Decision::Warn,
        }
    }

    /// What a file says of a rule here, and the name under which it says so: the rule's own name comes first, then what
    /// other tools call it.
    fn configured<'l>(
        &self,
        layer: &'l LintLayer,
        plugin: &str,
        rule: &str,
        catalogue: &Catalogue,
    ) -> Option<(&'l str, RuleLevel)> {
        let own = layer.rules.get_key_value(rule);
        let mut named: Vec<_> = own.into_iter().collect();
        named.extend(layer.rules.iter().filter(|(name, _)| *name != rule && catalogue.means(name, plugin, rule)));
        named.into_iter().find_map(|(name, levels)| Some((name.as_str(), self.level(levels)?)))
    }

    /// The environment by its name, then `production`, then the dialect, then `default`.
    fn level(&self, RuleLevels(levels): &RuleLevels) -> Option<RuleLevel> {
        let here = &self.here;
        let by_name = std::iter::once(&here.environment).chain(&here.aliases).find_map(|name| levels.get(name));
        let in_production = || levels.get(PRODUCTION).filter(|_| here.production != Some(false));
        let by_dialect = || {
            let mut known = levels.iter().filter(|(key, _)| key.parse() == Ok(here.dialect));
            known.next().map(|(_, level)| level)
        };
        by_name.or_else(in_production).or_else(by_dialect).or_else(|| levels.get(DEFAULT)).copied()
    }

    /// What the files name that does not exist: rules, and keys that are neither environments nor dialects. `environments`
    /// are all names of environments; none: nobody knows them.
    pub(crate) fn complaints(&self, catalogue: &Catalogue, environments: &[String]) -> Vec<LintFinding> {
        let mut complaints = Vec::new();
        for layer in &self.layers {
            for (name, RuleLevels(levels)) in &layer.rules {
                if catalogue.named(name).is_empty() {
                    let message = format!("`lint.rules.{name}`: no lint policy in force has such a rule");
                    let help = match catalogue.nearest(name) {
                        Some(nearest) => format!("did you mean `{nearest}`?"),
                        None => "`runner lint --rules` lists the rules".to_owned(),
                    };
                    complaints.push(complaint(layer, &message, &help));
                }
                for key in levels.keys().filter(|_| !environments.is_empty()) {
                    let is_known = key == DEFAULT || key == PRODUCTION || key.parse::<Dialect>().is_ok();
                    if !is_known && !environments.contains(key) {
                        let message = format!("`lint.rules.{name}.{key}`: there is no such environment or dialect");
                        complaints.push(complaint(layer, &message, &key_help(key, environments)));
                    }
                }
            }
        }
        complaints
    }
}

/// Why something looser is not obeyed.
fn reason(is_fault: bool, is_strict: bool) -> &'static str {
    match (is_fault, is_strict) {
        (true, _) => "every command refuses such a chain",
        (_, true) => "the plugin belongs to a strict set",
        _ => "the plugin set is in a file of its own",
    }
}

/// The key for every environment that is production.
const PRODUCTION: &str = "production";

fn key_help(key: &str, environments: &[String]) -> String {
    let mut known: Vec<&str> = environments.iter().map(String::as_str).collect();
    known.extend([DEFAULT, PRODUCTION, "sqlite", "postgres", "mysql"]);
    match nearest(key, &known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`runner environments` lists them".to_owned(),
    }
}

fn complaint(layer: &LintLayer, message: &str, help: &str) -> LintFinding {
    let mut finding = OwnRule::LintConfiguration.finding(message);
    finding.verdict.file = Some(layer.file.clone());
    finding.verdict.help = Some(runner_policy::printable(help));
    finding
}

#[cfg(test)]
#[path = "severity_tests.rs"]
mod tests;
