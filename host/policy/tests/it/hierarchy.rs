//! The built-in hierarchy of environments, through the host: what runs where, in every mode.

use runner_policy::Decision;
use runner_policy::Outcome;
use runner_policy::PluginSet;
use runner_policy::Policies;
use runner_policy::Review;
use runner_policy::StepFate;
use runner_policy::builtin_definition;
use serde_json::json;

use crate::support::ROLES;
use crate::support::applied;
use crate::support::block_on;
use crate::support::consult;
use crate::support::context;
use crate::support::denial;
use crate::support::host_with_shared_cache;
use crate::support::request_for;
use crate::support::rule;
use crate::support::set;

const ENVIRONMENTS: [&str; 6] = ["development", "local", "test", "staging", "qa", "production"];

/// The hierarchy alone, in a mode.
fn hierarchy(mode: &str) -> PluginSet {
    let mut definition = builtin_definition("environment-hierarchy").unwrap();
    definition.settings.insert("mode".to_owned(), json!(mode));
    set([definition])
}

fn none(_: &str) -> Option<String> {
    None
}

fn ask(mode: &str, variables: fn(&str) -> Option<String>, environment: &str, tags: &str) -> Review {
    let host = host_with_shared_cache().with_variables(variables);
    block_on(consult(&host, &hierarchy(mode), request_for(environment, &[("a1", tags)]))).1
}

/// One letter an environment: `r` it runs, `w` it runs with a warning, `s` it is skipped, `d` it is refused.
fn across(mode: &str, tags: &str) -> String {
    let letter = |environment: &str| {
        let review = ask(mode, none, environment, tags);
        let warned = review.verdicts.iter().any(|verdict| verdict.decision == Decision::Warn);
        match (review.outcome, &review.steps[0]) {
            (Outcome::Denied, _) => 'd',
            (_, StepFate::Skip { .. }) => 's',
            (_, StepFate::Run) if warned => 'w',
            (_, StepFate::Run) => 'r',
        }
    };
    ENVIRONMENTS.map(letter).into_iter().collect()
}

#[test]
fn a_tag_is_the_lowest_environment_in_which_a_revision_runs() {
    // development, local, test, staging, qa, production
    for (tags, warn, strict, skip) in [
        ("", "rrrrrr", "rrrrrr", "rrrrrr"),
        ("development", "rrrrrr", "rrrrrr", "rrrrrr"),
        ("test", "wwrrrr", "ddrrrr", "ssrrrr"),
        ("staging", "wwwrrr", "dddrrr", "sssrrr"),
        ("staging production", "wwwrrr", "dddrrr", "sssrrr"),
        ("production", "wwwwwr", "dddddr", "sssssr"),
        ("prod", "wwwwwr", "dddddr", "sssssr"),
    ] {
        assert_eq!(across("warn", tags), warn, "`{tags}`");
        assert_eq!(across("strict", tags), strict, "`{tags}`");
        assert_eq!(across("skip", tags), skip, "`{tags}`");
        assert_eq!(across("off", tags), "rrrrrr", "`{tags}`");
    }
}

#[test]
fn an_exact_tag_skips_everywhere_else_in_every_mode() {
    for mode in ["warn", "strict", "skip", "off"] {
        assert_eq!(across(mode, "=development =test"), "rsrsss", "{mode}");
        assert_eq!(across(mode, "=production"), "sssssr", "{mode}");
    }
}

#[test]
fn variables_turn_the_check_off_or_make_it_strict() {
    fn off(name: &str) -> Option<String> {
        (name == "RUNNER_VALIDATE_ENV").then(|| "false".to_owned())
    }
    fn alembic_off(name: &str) -> Option<String> {
        (name == "ALEMBIC_VALIDATE_ENV").then(|| "false".to_owned())
    }
    fn strict(name: &str) -> Option<String> {
        (name == "RUNNER_STRICT_ENV").then(|| "true".to_owned())
    }
    fn alembic_strict(name: &str) -> Option<String> {
        (name == "ALEMBIC_STRICT_ENV").then(|| "true".to_owned())
    }
    for variables in [off, alembic_off] {
        let review = ask("warn", variables, "development", "production");
        assert_eq!(review.outcome, Outcome::Allowed);
        assert!(review.verdicts.iter().all(|verdict| verdict.decision == Decision::Allow), "{review:#?}");
    }
    for variables in [strict, alembic_strict] {
        let verdict = denial(&ask("warn", variables, "development", "production"), "environment-hierarchy");
        assert_eq!((rule(&verdict), verdict.revision.as_deref()), ("environment-hierarchy", Some("a1")));
    }
}

#[test]
fn a_variable_that_says_neither_yes_nor_no_denies() {
    fn unclear(name: &str) -> Option<String> {
        (name == "RUNNER_STRICT_ENV").then(|| "perhaps".to_owned())
    }
    let verdict = denial(&ask("warn", unclear, "development", ""), "environment-hierarchy");
    assert_eq!(rule(&verdict), "plugin-failure");
    assert!(verdict.message.contains("RUNNER_STRICT_ENV"), "{}", verdict.message);
}

#[test]
fn the_strict_set_can_not_be_turned_off_by_a_variable() {
    fn off(name: &str) -> Option<String> {
        name.ends_with("_VALIDATE_ENV").then(|| "false".to_owned())
    }
    let set = runner_policy::builtin_set("strict-prod", builtin_definition).unwrap();
    let host = host_with_shared_cache().with_variables(off);
    let (_, review) = block_on(consult(&host, &set, request_for("staging", &[("a1", "production")])));
    denial(&review, "environment-hierarchy");
}

#[test]
fn a_tag_that_is_no_environment_is_refused_with_a_suggestion() {
    let verdict = denial(&ask("warn", none, "development", "prodution"), "environment-hierarchy");
    assert_eq!(rule(&verdict), "unknown-environment");
    assert_eq!(verdict.help.as_deref(), Some("did you mean `production`?"));
}

#[test]
fn what_is_applied_and_does_not_belong_here_is_remarked_upon() {
    let mut request = request_for("development", &[]);
    request.applied = vec![applied("fine", ""), applied("high", "production"), applied("seed", "=test")];
    let host = host_with_shared_cache();
    let (_, review) = block_on(consult(&host, &hierarchy("strict"), request));
    assert_eq!(review.outcome, Outcome::Allowed, "it is too late to refuse");
    let remarks: Vec<_> = review
        .verdicts
        .iter()
        .filter(|verdict| verdict.decision == Decision::Warn)
        .map(|verdict| verdict.revision.as_deref().unwrap())
        .collect();
    assert_eq!(remarks, ["high", "seed"]);
}

#[test]
fn a_skipped_step_says_who_skips_it_and_why() {
    let review = ask("skip", none, "test", "staging");
    let StepFate::Skip { plugin, reason } = &review.steps[0] else { panic!("{review:#?}") };
    assert_eq!(plugin, "environment-hierarchy");
    assert_eq!(reason, "is for staging (level 30) and above, this is test (level 20)");
}

#[test]
fn levels_are_listed_lowest_first_and_can_be_replaced() {
    let levels = |set: &PluginSet| {
        block_on(async {
            let policies = Policies::load(&host_with_shared_cache(), set, &ROLES).await;
            policies.levels(&context("whatever")).await.unwrap()
        })
    };
    let listed: Vec<_> = levels(&hierarchy("warn")).into_iter().map(|level| (level.name, level.level)).collect();
    let expected = [("development", 10), ("local", 10), ("test", 20), ("qa", 30), ("staging", 30), ("production", 100)];
    assert_eq!(listed, expected.map(|(name, level)| (name.to_owned(), level)));

    let mut own = hierarchy("warn");
    own.plugins[0].settings.insert("levels".to_owned(), json!({ "lab": 1, "clinic": 200 }));
    own.plugins[0].settings.insert("aliases".to_owned(), json!({ "live": "clinic" }));
    let own_levels = levels(&own);
    assert_eq!(own_levels.len(), 2);
    assert_eq!((own_levels[1].name.as_str(), own_levels[1].production), ("clinic", true));
    assert_eq!(own_levels[1].aliases, ["live"]);
    let (identity, _) = block_on(consult(&host_with_shared_cache(), &own, request_for("live", &[])));
    assert_eq!((identity.name.as_str(), identity.level, identity.production), ("clinic", Some(200), Some(true)));
}
