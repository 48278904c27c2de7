//! That the table of rules holds what it promises.

use std::collections::BTreeSet;

use super::cases;
use super::chain;
use super::*;
use crate::rule;

#[test]
fn rules_are_ordered_named_and_explained() {
    let rules = Lint::rules();
    assert!(rules.len() > 60, "{}", rules.len());
    for pair in rules.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
    }
    for rule in &rules {
        let name = &rule.name;
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
        assert!(!rule.summary.ends_with('.') && rule.summary.len() > 20, "{name}: {}", rule.summary);
        let lines = rule.explanation.lines().count();
        assert!((3..=16).contains(&lines), "{name}: {lines} lines");
        assert!(rule.explanation.lines().all(|line| line.chars().count() <= 120), "{name}: a long line");
        assert!(rule.severity <= rule.severity_in_production, "{name}");
    }
}

#[test]
fn no_alias_is_the_name_of_another_rule() {
    let rules = Lint::rules();
    for rule in &rules {
        for alias in &rule.aliases {
            assert!(rules.iter().all(|other| other.name != *alias), "{}: {alias}", rule.name);
        }
    }
}

#[test]
fn every_rule_has_a_case_that_fires_and_one_that_does_not_on_each_dialect() {
    let told: BTreeSet<(String, String, bool)> = cases::told().into_iter().chain(chain::told()).collect();
    let mut missing = Vec::new();
    for rule in rule::all() {
        let every = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];
        for dialect in every.into_iter().filter(|dialect| rule.is_for(*dialect)) {
            for fires in [true, false] {
                if !told.contains(&(rule.name.to_owned(), format!("{dialect:?}"), fires)) {
                    missing.push(format!("{} on {dialect:?}: {}", rule.name, if fires { "fires" } else { "quiet" }));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no case for:\n{}", missing.join("\n"));
}

#[test]
fn a_plan_downwards_is_not_looked_at() {
    let mut trial = revision(Dialect::Sqlite, "DROP TABLE visit;").untitled();
    assert!(!trial.rules().is_empty());
    trial.source.planned = Some(Direction::Down);
    assert!(trial.rules().is_empty());
    trial.source.planned = Some(Direction::Up);
    assert!(!trial.rules().is_empty());
}
