//! The sets that ship with the runner, asked through the host as every command does.

use runner_policy::Decision;
use runner_policy::Host;
use runner_policy::Mode;
use runner_policy::Outcome;
use runner_policy::PluginSet;
use runner_policy::Request;
use runner_policy::Review;
use runner_policy::builtin_definition;
use runner_policy::builtin_names;
use runner_policy::builtin_set;
use runner_policy::builtin_set_names;
use runner_policy::data;
use serde_json::json;

use crate::support::HASH;
use crate::support::block_on;
use crate::support::consult;
use crate::support::denial;
use crate::support::host_with_shared_cache;
use crate::support::request_for;
use crate::support::rule;

const ENVIRONMENTS: [&str; 6] = ["development", "local", "test", "staging", "qa", "production"];
const PLAN: [(&str, &str); 2] = [("a1", ""), ("b2", "development")];

fn named(set: &str) -> PluginSet {
    builtin_set(set, builtin_definition).unwrap()
}

fn ask(set: &PluginSet, variables: fn(&str) -> Option<String>, request: Request) -> Review {
    let host: Host = host_with_shared_cache().with_variables(variables);
    block_on(consult(&host, set, request)).1
}

fn none(_: &str) -> Option<String> {
    None
}

fn approved_by_word(name: &str) -> Option<String> {
    (name == "ALLOW_PRODUCTION_MIGRATE").then(|| "true".to_owned())
}

fn approved_by_hash(name: &str) -> Option<String> {
    (name == "ALLOW_PRODUCTION_MIGRATE").then(|| HASH.to_owned())
}

fn approved_by_another_hash(name: &str) -> Option<String> {
    (name == "ALLOW_PRODUCTION_MIGRATE").then(|| HASH.replace('0', "1"))
}

fn not_approved(name: &str) -> Option<String> {
    (name == "ALLOW_PRODUCTION_MIGRATE").then(|| "false".to_owned())
}

#[test]
fn both_sets_allow_what_is_not_production() {
    for set in builtin_set_names() {
        for environment in &ENVIRONMENTS[..5] {
            let review = ask(&named(set), none, request_for(environment, &PLAN));
            assert_eq!(review.outcome, Outcome::Allowed, "{set} in {environment}: {review:#?}");
            assert_eq!(review.notices, []);
            assert!(review.verdicts.iter().all(|verdict| verdict.decision == Decision::Allow));
            let plugins: Vec<_> = review.verdicts.iter().map(|verdict| verdict.plugin.as_str()).collect();
            let expected = ["environment-hierarchy", "lint", "production-override", "change-window"];
            assert_eq!(plugins, expected[..if set == "default" { 3 } else { 4 }]);
        }
    }
}

#[test]
fn the_default_set_refuses_production_without_approval() {
    let set = named("default");
    for variables in [none, not_approved, approved_by_another_hash] {
        for environment in ["production", "prod", "PRODUCTION", "main"] {
            let review = ask(&set, variables, request_for(environment, &PLAN));
            let verdict = denial(&review, "production-override");
            assert_eq!(rule(&verdict), "production-override");
            assert_eq!(
                verdict.message,
                "Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed."
            );
            assert_eq!(review.notices.len(), 1);
            assert_eq!(review.notices[0].text, "PRODUCTION DATABASE, proceed with caution");
        }
    }
    for variables in [approved_by_word, approved_by_hash] {
        let review = ask(&set, variables, request_for("production", &PLAN));
        assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
        assert_eq!(review.notices.len(), 1, "the banner warns all the same");
    }
}

#[test]
fn the_strict_set_wants_the_hash_of_the_plan() {
    let set = named("strict-prod");
    for variables in [none, not_approved, approved_by_word, approved_by_another_hash] {
        let verdict = denial(&ask(&set, variables, request_for("production", &PLAN)), "production-override");
        assert!(verdict.message.contains("hash"), "{}", verdict.message);
    }
    let review = ask(&set, approved_by_hash, request_for("production", &PLAN));
    assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
}

#[test]
fn an_approval_covers_one_plan_and_no_other() {
    let mut request = request_for("production", &PLAN);
    request.plan.hash = HASH.replace('0', "1");
    denial(&ask(&named("strict-prod"), approved_by_hash, request.clone()), "production-override");
    assert_eq!(ask(&named("strict-prod"), approved_by_another_hash, request).outcome, Outcome::Allowed);
    // A prefix is not the hash.
    fn prefix(name: &str) -> Option<String> {
        (name == "ALLOW_PRODUCTION_MIGRATE").then(|| HASH[..12].to_owned())
    }
    denial(&ask(&named("strict-prod"), prefix, request_for("production", &PLAN)), "production-override");
}

#[test]
fn every_change_of_production_needs_approval() {
    for operation in [
        data::Operation::Upgrade,
        data::Operation::Downgrade,
        data::Operation::Stamp,
        data::Operation::Rollback,
        data::Operation::Restore,
    ] {
        for set in builtin_set_names() {
            let mut request = request_for("production", &PLAN);
            request.context.operation = operation;
            denial(&ask(&named(set), none, request), "production-override");
        }
    }
    // A restore has no steps and changes everything.
    let mut restore = request_for("production", &[]);
    restore.context.operation = data::Operation::Restore;
    denial(&ask(&named("default"), none, restore), "production-override");
    let nothing_to_do = ask(&named("default"), none, request_for("production", &[]));
    assert_eq!(nothing_to_do.outcome, Outcome::Allowed);
}

#[test]
fn an_unknown_environment_is_refused_with_a_suggestion() {
    for set in builtin_set_names() {
        // Nobody knows that it is not production, so the gate refuses as well, whatever approval there is for it.
        let review = ask(&named(set), none, request_for("prodution", &PLAN));
        assert_eq!(review.outcome, Outcome::Denied);
        let verdict = review.verdicts.iter().find(|verdict| verdict.plugin == "environment-hierarchy").unwrap();
        assert_eq!((verdict.decision, rule(verdict)), (Decision::Deny, "plugin-failure"));
        assert_eq!(verdict.message, "`prodution` is not an environment");
        assert!(verdict.help.as_deref().unwrap().contains("did you mean `production`?"));
        let gate = review.verdicts.iter().find(|verdict| verdict.plugin == "production-override").unwrap();
        assert_eq!(gate.decision, Decision::Deny);
        assert_eq!(ask(&named(set), approved_by_hash, request_for("prodution", &PLAN)).outcome, Outcome::Denied);
    }
}

#[test]
fn an_environment_without_a_name_is_unknown() {
    for name in ["", " ", "production ", "development\0", "prod\u{1b}[2J"] {
        let review = ask(&named("default"), approved_by_word, request_for(name, &PLAN));
        assert_eq!(review.outcome, Outcome::Denied, "{name:?}: {review:#?}");
        assert!(!review.verdicts.iter().any(|verdict| verdict.message.contains('\u{1b}')));
    }
}

fn approval(set: &mut runner_policy::PluginSet) -> &mut runner_policy::PluginDefinition {
    set.plugins.iter_mut().find(|plugin| plugin.name == "production-override").unwrap()
}

#[test]
fn without_its_grant_the_approval_is_not_seen() {
    let mut set = named("default");
    approval(&mut set).grants.env.clear();
    denial(&ask(&set, approved_by_word, request_for("production", &PLAN)), "production-override");
}

#[test]
fn the_variable_of_the_approval_can_be_another_one() {
    fn release(name: &str) -> Option<String> {
        (name == "RELEASE_APPROVED").then(|| "true".to_owned())
    }
    let mut set = named("default");
    approval(&mut set).settings.insert("variable".to_owned(), json!("RELEASE_APPROVED"));
    approval(&mut set).grants.env = vec!["RELEASE_APPROVED".to_owned()];
    assert_eq!(ask(&set, release, request_for("production", &PLAN)).outcome, Outcome::Allowed);
    denial(&ask(&set, approved_by_word, request_for("production", &PLAN)), "production-override");
}

#[test]
fn what_makes_the_strict_set_strict_can_not_be_configured_away() {
    let set = builtin_set("strict-prod", |name| {
        let mut definition = builtin_definition(name)?;
        definition.mode = Mode::Audit;
        match name {
            "environment-hierarchy" => definition.settings.insert("mode".to_owned(), json!("off")),
            "production-override" => definition.settings.insert("approval".to_owned(), json!("true")),
            "lint" | "lint-postgres" => None,
            _ => {
                definition.settings.insert("freezes".to_owned(), json!([{ "from": "2020-01-01", "to": "2099-12-31" }]))
            }
        };
        Some(definition)
    })
    .unwrap();
    let denials = |variables| {
        let verdicts = ask(&set, variables, request_for("production", &PLAN)).verdicts;
        let denials = verdicts.into_iter().filter(|verdict| verdict.decision == Decision::Deny);
        denials.map(|verdict| verdict.plugin).collect::<Vec<_>>()
    };
    assert_eq!(denials(approved_by_word), ["production-override", "change-window"]);
    assert_eq!(denials(approved_by_hash), ["change-window"]);
    let review = ask(&set, none, request_for("development", &[("a1", "production")]));
    assert_eq!(rule(&denial(&review, "environment-hierarchy")), "environment-hierarchy");
}

#[test]
fn built_in_plugins_import_facts_at_most_and_say_who_they_are() {
    for set in builtin_set_names() {
        let policies =
            block_on(runner_policy::Policies::load(&host_with_shared_cache(), &named(set), &runner_policy::Role::ALL));
        for report in policies.reports() {
            assert_eq!(report.error, None);
            // Those that lint want to know how large a table is, and nothing else.
            let imports = if report.facts { vec!["runner:policy/facts@0.1.2"] } else { Vec::new() };
            assert_eq!(report.imports, imports);
            assert_eq!(report.facts, report.name.starts_with("lint"));
            assert!(builtin_names().any(|name| name == report.name));
            assert!(report.version.is_some() && report.summary.is_some());
            assert_eq!(report.source, format!("builtin:{}", report.name));
        }
    }
    assert!(builtin_set("default-prod", builtin_definition).is_none());
}
