//! The rules of all lint policies, by their names and by what other tools call them.

use std::cell::RefCell;
use std::collections::HashMap;

use runner_policy::PluginRules;
use runner_policy::data::RevisionRule;

use super::own_rules;
use crate::suggest::nearest;

/// All rules that can report something.
#[derive(Debug)]
pub(crate) struct Catalogue {
    plugins: Vec<PluginRules>,
    /// Plugin and rule, by every name in lower case.
    by_name: HashMap<String, Vec<(usize, usize)>>,
    /// What was probably meant by a name: comparing it with all others takes its time.
    meant: RefCell<HashMap<String, Option<String>>>,
}

impl Catalogue {
    /// The rules of policies, and the runner's own.
    pub(crate) fn new(rules: &[PluginRules]) -> Self {
        let mut plugins = rules.to_vec();
        plugins.push(own_rules::rules());
        let mut by_name: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (plugin, of_plugin) in plugins.iter().enumerate() {
            for (index, rule) in of_plugin.rules.iter().enumerate() {
                for name in names(rule) {
                    by_name.entry(name.to_ascii_lowercase()).or_default().push((plugin, index));
                }
            }
        }
        Catalogue { plugins, by_name, meant: RefCell::default() }
    }

    /// All rules with the plugin that has them, sorted by name.
    pub(crate) fn all(&self) -> Vec<(&str, &RevisionRule)> {
        let each = self
            .plugins
            .iter()
            .flat_map(|plugin| plugin.rules.iter().map(move |rule| (plugin.plugin.name.as_str(), rule)));
        let mut all: Vec<(&str, &RevisionRule)> = each.collect();
        all.sort_by_key(|(plugin, rule)| (rule.name.as_str(), *plugin));
        all
    }

    /// The rules that a name stands for: its own, or what another tool calls it. Case does not matter.
    pub(crate) fn named(&self, name: &str) -> Vec<(&str, &RevisionRule)> {
        let found = self.by_name.get(&name.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default();
        found.iter().filter_map(|(plugin, rule)| self.at(*plugin, *rule)).collect()
    }

    /// Whether a name means a rule of a plugin.
    pub(crate) fn means(&self, name: &str, plugin: &str, rule: &str) -> bool {
        name.eq_ignore_ascii_case(rule)
            || self.named(name).iter().any(|(owner, found)| *owner == plugin && found.name == rule)
    }

    /// A rule by its plugin and its own name.
    pub(crate) fn rule(&self, plugin: &str, rule: &str) -> Option<(&str, &RevisionRule)> {
        self.named(rule).into_iter().find(|(owner, found)| *owner == plugin && found.name == rule)
    }

    /// The name that was probably meant.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        if let Some(meant) = self.meant.borrow().get(name) {
            return meant.clone();
        }
        let known: Vec<&str> = self.plugins.iter().flat_map(|plugin| &plugin.rules).flat_map(names).collect();
        let meant = nearest(name, &known).map(str::to_owned);
        self.meant.borrow_mut().insert(name.to_owned(), meant.clone());
        meant
    }

    fn at(&self, plugin: usize, rule: usize) -> Option<(&str, &RevisionRule)> {
        let plugin = self.plugins.get(plugin)?;
        Some((plugin.plugin.name.as_str(), plugin.rules.get(rule)?))
    }
}

fn names(rule: &RevisionRule) -> impl Iterator<Item = &str> {
    std::iter::once(&rule.name).chain(&rule.aliases).map(String::as_str)
}

#[cfg(test)]
pub(crate) mod tests {
    use runner_policy::PluginIdentity;
    use runner_policy::data;

    use super::*;

    /// A rule for tests.
    pub(crate) fn rule(name: &str, aliases: &[&str]) -> RevisionRule {
        RevisionRule {
            name: name.to_owned(),
            severity: data::Severity::Warning,
            severity_in_production: data::Severity::Error,
            dialects: Vec::new(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            summary: format!("about {name}"),
            explanation: "why".to_owned(),
        }
    }

    /// The rules of two plugins: one has the names of other tools, one a rule of the same name.
    pub(crate) fn catalogue() -> Catalogue {
        let plugin = |name: &str, rules| PluginRules {
            plugin: PluginIdentity { name: name.to_owned(), version: Some("1.0.0".to_owned()), digest: None },
            rules,
        };
        Catalogue::new(&[
            plugin(
                "lint",
                vec![
                    rule("ban-drop-column", &["DS103", "destructive"]),
                    rule("ban-drop-table", &["DS102", "destructive"]),
                    rule("todo-fixme", &[]),
                ],
            ),
            plugin("acme", vec![rule("ban-drop-table", &[]), rule("acme-naming", &[])]),
        ])
    }

    #[test]
    fn names_and_aliases_lead_to_rules() {
        let catalogue = catalogue();
        let named = |name| {
            catalogue.named(name).iter().map(|(plugin, rule)| format!("{plugin}/{}", rule.name)).collect::<Vec<_>>()
        };
        assert_eq!(named("ds102"), ["lint/ban-drop-table"]);
        assert_eq!(named("destructive"), ["lint/ban-drop-column", "lint/ban-drop-table"]);
        assert_eq!(named("Ban-Drop-Table"), ["lint/ban-drop-table", "acme/ban-drop-table"]);
        assert_eq!(named("nothing"), [""; 0]);
        assert!(catalogue.means("DS103", "lint", "ban-drop-column"));
        assert!(!catalogue.means("DS103", "acme", "ban-drop-column"));
        assert!(catalogue.means("of-nobody", "other", "of-nobody"));
        assert_eq!(catalogue.nearest("ban-drop-tabel").as_deref(), Some("ban-drop-table"));
        assert_eq!(catalogue.rule("acme", "unused-ignore"), None);
    }

    #[test]
    fn every_rule_is_listed_once() {
        let catalogue = catalogue();
        let all = catalogue.all();
        assert!(all.iter().any(|(plugin, rule)| (*plugin, rule.name.as_str()) == ("runner", "unused-ignore")));
        assert_eq!(all.iter().filter(|(_, rule)| rule.name == "ban-drop-table").count(), 2);
        assert!(all.windows(2).all(|pair| pair[0].1.name <= pair[1].1.name));
    }
}
