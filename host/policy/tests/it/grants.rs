//! What a plugin asks for, what it is given, and settings that it does not understand.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use policy_components::bodies::Grant;
use policy_components::bodies::Need;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::ReadGrant;
use runner_policy::builtin_definition;
use serde_json::Value;
use serde_json::json;

use crate::support::Folder;
use crate::support::block_on;
use crate::support::consult;
use crate::support::denial;
use crate::support::host;
use crate::support::host_with_shared_cache;
use crate::support::request;
use crate::support::review;
use crate::support::rule;
use crate::support::set;

fn needing(grant: Grant<'_>, required: bool) -> Component {
    Component::gate()
        .body(Function::Describe, &bodies::describe("needy", "2.0.0", "Needs.", &[Need { grant, required }]))
}

#[tokio::test]
async fn a_required_variable_that_is_not_granted_refuses_the_plugin() {
    let folder = Folder::new();
    let mut plugin = folder.plugin("needy", needing(Grant::Variable("TEAM"), true).bytes());
    let verdict = denial(&review(plugin.clone()).await, "needy");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(verdict.message.contains("`TEAM`, which is not granted: the test wants it"), "{}", verdict.message);
    assert_eq!(
        verdict.help.as_deref(),
        Some("add `grants = { env = [\"TEAM\"] }` to `[plugins.needy]` if it shall have it")
    );
    // Granted is enough; it need not be set.
    plugin.grants.env.push("TEAM".to_owned());
    assert_eq!(review(plugin).await.outcome, Outcome::Allowed);
}

#[tokio::test]
async fn a_required_folder_that_is_not_granted_refuses_the_plugin() {
    let folder = Folder::new();
    let mut plugin = folder.plugin("needy", needing(Grant::Folder("lists of names"), true).bytes());
    let verdict = denial(&review(plugin.clone()).await, "needy");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(verdict.message.contains("lists of names"), "{}", verdict.message);
    std::fs::create_dir(folder.path("names")).unwrap();
    plugin.grants.read.push(ReadGrant { path: folder.path("names"), name: "names".to_owned() });
    assert_eq!(review(plugin).await.outcome, Outcome::Allowed);
}

#[tokio::test]
async fn required_facts_that_are_not_granted_refuse_the_plugin() {
    let folder = Folder::new();
    let mut plugin = folder.plugin("needy", needing(Grant::Facts, true).bytes());
    let verdict = denial(&review(plugin.clone()).await, "needy");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(verdict.message.contains("needs facts about the target, which is not granted: the test wants it"));
    let help = "add `grants = { facts = true }` to `[plugins.needy]` if it shall have it";
    assert_eq!(verdict.help.as_deref(), Some(help));
    plugin.grants.facts = true;
    assert_eq!(review(plugin).await.outcome, Outcome::Allowed);
}

#[tokio::test]
async fn what_is_merely_wished_for_is_no_reason_to_refuse() {
    let folder = Folder::new();
    for grant in [Grant::Variable("TEAM"), Grant::Folder("names"), Grant::Facts] {
        let plugin = folder.plugin("needy", needing(grant, false).bytes());
        assert_eq!(review(plugin).await.outcome, Outcome::Allowed, "{grant:?}");
    }
}

/// Shows names and values of the variables in the context as notices.
fn showing_variables() -> Component {
    Component::gate().body(
        Function::Review,
        "(call $put (i32.add (local.get $answer) (i32.const 24))
            (i32.load offset=88 (local.get $arguments))
            (i32.mul (i32.const 2) (i32.load offset=92 (local.get $arguments))))",
    )
}

#[tokio::test]
async fn a_plugin_sees_granted_variables_that_are_set_ordered_by_name() {
    let folder = Folder::new();
    let host = host().with_variables(|name| match name {
        "TEAM" => Some("dental".to_owned()),
        "APPROVER" => Some("grace\u{1b}[2J".to_owned()),
        "SECRET" => Some("hunter2".to_owned()),
        _ => None,
    });
    let mut plugin = folder.plugin("shows", showing_variables().bytes());
    let (_, review) = consult(&host, &set([plugin.clone()]), request()).await;
    assert_eq!(review.notices, [], "nothing is granted");
    plugin.grants.env = ["TEAM", "UNSET", "APPROVER", "TEAM"].map(str::to_owned).to_vec();
    let (_, review) = consult(&host, &set([plugin]), request()).await;
    let seen: Vec<_> = review.notices.iter().map(|notice| notice.text.as_str()).collect();
    assert_eq!(seen, ["APPROVER", "grace\\u{1b}[2J", "TEAM", "dental"]);
}

#[tokio::test]
async fn settings_that_the_plugin_refuses_refuse_the_plugin() {
    let folder = Folder::new();
    let component =
        Component::gate().body(Function::CheckSettings, &bodies::wrong_settings("limits.rows", "is not a number"));
    let verdict = denial(&review(folder.plugin("picky", component.bytes())).await, "picky");
    assert_eq!(rule(&verdict), "plugin-settings");
    assert!(verdict.message.contains("has wrong settings: `limits.rows`: is not a number"), "{}", verdict.message);
    assert_eq!(
        verdict.help.as_deref(),
        Some("correct the settings of `picky`: `runner plugin list` shows in which table each of them stands")
    );
}

#[tokio::test]
async fn a_problem_without_a_path_is_about_the_settings_as_a_whole() {
    let folder = Folder::new();
    let component =
        Component::gate().body(Function::CheckSettings, &bodies::wrong_settings("", "contradict each other"));
    let verdict = denial(&review(folder.plugin("picky", component.bytes())).await, "picky");
    assert!(verdict.message.contains("has wrong settings: contradict each other"), "{}", verdict.message);
}

#[track_caller]
fn wrong(plugin: &str, settings: Value, path: &str, word: &str) {
    let Value::Object(settings) = settings else { panic!("an object") };
    let definition = PluginDefinition { settings, ..builtin_definition(plugin).unwrap() };
    let (_, review) = block_on(consult(&host_with_shared_cache(), &set([definition]), request()));
    let verdict = denial(&review, plugin);
    assert_eq!(rule(&verdict), "plugin-settings");
    assert!(verdict.message.contains(&format!("`{path}`")), "{}", verdict.message);
    assert!(verdict.message.contains(word), "{}", verdict.message);
}

#[test]
fn wrong_settings_of_built_in_plugins_are_named_by_path() {
    const HIERARCHY: &str = "environment-hierarchy";
    wrong(HIERARCHY, json!({ "mode": "lenient" }), "mode", "lenient");
    wrong(HIERARCHY, json!({ "levels": { "production": -1 } }), "levels.production", "");
    wrong(HIERARCHY, json!({ "levels": { "Production!": 100 } }), "levels.Production!", "lower-case");
    wrong(HIERARCHY, json!({ "aliases": { "live": "prodution" } }), "aliases.live", "prodution");
    wrong(HIERARCHY, json!({ "production-level": 1000 }), "production-level", "1000");
    wrong("production-override", json!({ "approval": "maybe" }), "approval", "maybe");
    wrong("production-override", json!({ "variable": 7 }), "variable", "");
}

#[test]
fn unknown_settings_of_built_in_plugins_are_refused() {
    // One that only notifies stops nothing; see `notify.rs`.
    for plugin in runner_policy::builtin_names().filter(|name| *name != "notify") {
        let mut definition = builtin_definition(plugin).unwrap();
        definition.settings.insert("colour".to_owned(), "red".into());
        let (_, review) = block_on(consult(&host_with_shared_cache(), &set([definition]), request()));
        let verdict = denial(&review, plugin);
        assert_eq!(rule(&verdict), "plugin-settings");
        assert!(verdict.message.contains("colour"), "{}", verdict.message);
    }
}
