//! `runner.lock`, `runner plugin lock` and `--locked`.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// A project with a gate that allows, in the set `team`, which is in force.
fn project() -> Project {
    let project = Project::linear(1);
    project.write("acme.wasm", Component::gate().bytes());
    project.write(
        "runner.toml",
        "plugin-set = \"team\"\n[database]\nurl = \"sqlite://app.db\"\n[plugins.acme]\nsource = \"acme.wasm\"\n\
         [plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\n",
    );
    project
}

/// A component of other bytes, which denies.
fn other() -> Vec<u8> {
    Component::gate().body(Function::Review, &bodies::deny("another component")).bytes()
}

/// The rules of the denials of an upgrade.
fn rules(run: &Run) -> Vec<String> {
    let json = run.json();
    let verdicts = json["verdicts"].as_array().unwrap().clone();
    let denials = verdicts.iter().filter(|verdict| verdict["decision"] == "deny");
    denials.map(|verdict| verdict["rule"].as_str().unwrap_or("none").to_owned()).collect()
}

#[test]
fn every_plugin_of_every_set_is_pinned_in_the_same_text() {
    let project = project();
    snapshot!(project.run(&["plugin", "lock"]), @"");
    let text = std::fs::read_to_string(project.path("runner.lock")).unwrap();
    snapshot!(text, @"");
    snapshot!(project.run(&["plugin", "lock"]), @"");
    assert_eq!(std::fs::read_to_string(project.path("runner.lock")).unwrap(), text);
    project.run(&["plugin", "lock", "--check"]).exits(0);
    project.run(&["upgrade", "--locked"]).exits(0);
}

#[test]
fn a_component_that_changed_is_refused_with_both_digests_until_it_is_locked_again() {
    let project = project();
    project.run(&["plugin", "lock"]).exits(0);
    project.write("acme.wasm", other());
    snapshot!(project.run(&["upgrade"]), @"");
    assert!(!project.path("app.db").exists());
    assert_eq!(rules(&project.run(&["upgrade", "--json"]).exits(3)), ["plugin-digest"], "it was not asked");
    assert_eq!(rules(&project.run(&["upgrade", "--json", "--locked"]).exits(3)), ["plugin-digest"]);
    snapshot!(project.run(&["plugin", "lock", "--check"]), @"");
    snapshot!(project.run(&["plugin", "lock"]), @"");
    let run = project.run(&["upgrade"]).exits(3);
    assert!(run.stderr.contains("another component"), "{run}");
}

#[test]
fn a_plugin_that_is_only_heard_is_refused_as_well() {
    let project = project();
    project.run(&["plugin", "lock"]).exits(0);
    project.edit("runner.toml", "source = \"acme.wasm\"", "source = \"acme.wasm\"\nmode = \"audit\"");
    project.run(&["upgrade", "--dry-run"]).exits(0);
    project.write("acme.wasm", other());
    assert_eq!(rules(&project.run(&["upgrade", "--json"]).exits(3)), ["plugin-digest"]);
}

#[test]
fn locked_refuses_what_is_not_listed() {
    let project = project();
    snapshot!(project.run(&["upgrade", "--locked"]), @"");
    project.run(&["plugin", "lock"]).exits(0);
    // A plugin that came later.
    project.write("late.wasm", Component::gate().bytes());
    project.edit("runner.toml", "plugins = [\"acme\"]", "plugins = [\"acme\", \"late\"]");
    project.edit("runner.toml", "[plugin-sets", "[plugins.late]\nsource = \"late.wasm\"\n[plugin-sets");
    project.run(&["upgrade", "--dry-run"]).exits(0);
    snapshot!(project.run(&["upgrade", "--locked"]), @"");
    let variable = project.run_with(&[("RUNNER_LOCKED", "true")], &["upgrade", "--json"]).exits(3);
    assert_eq!(rules(&variable), ["plugin-digest"]);
    project.run_with(&[("RUNNER_LOCKED", "false")], &["upgrade", "--dry-run"]).exits(0);
    snapshot!(project.run_with(&[("RUNNER_LOCKED", "yes")], &["upgrade"]), @"");
    // The same bytes from another place.
    project.run(&["plugin", "lock"]).exits(0);
    project.edit("runner.toml", "\"late.wasm\"", "\"acme.wasm\"");
    project.run(&["upgrade", "--dry-run"]).exits(0);
    let moved = project.run(&["upgrade", "--locked"]).exits(3);
    assert!(moved.stderr.contains("comes from `acme.wasm`, and `runner.lock` pins `late.wasm`"), "{moved}");
}

#[test]
fn built_in_plugins_are_compared_only_when_locked() {
    let project = project();
    project.run(&["plugin", "lock"]).exits(0);
    let text = std::fs::read_to_string(project.path("runner.lock")).unwrap();
    let digest = |name: &str| {
        let entry = text.split("[[plugin]]").find(|entry| entry.contains(&format!("name = \"{name}\""))).unwrap();
        entry.split("digest = \"").nth(1).unwrap()[..71].to_owned()
    };
    let zeroes = format!("sha256:{}", "0".repeat(64));
    // As after an upgrade of the runner.
    project.edit("runner.lock", &digest("production-override"), &zeroes);
    project.run(&["upgrade", "--dry-run"]).exits(0);
    assert_eq!(rules(&project.run(&["upgrade", "--json", "--locked"]).exits(3)), ["plugin-digest"]);
}

#[test]
fn a_built_in_plugin_that_is_replaced_by_a_file_is_compared() {
    let project = project();
    project.run(&["plugin", "lock"]).exits(0);
    project.edit("runner.toml", "[plugin-sets", "[plugins.production-override]\nsource = \"acme.wasm\"\n[plugin-sets");
    let run = project.run(&["upgrade", "--env", "production", "--json"]).exits(3);
    assert_eq!(rules(&run), ["plugin-digest"]);
}

#[test]
fn a_damaged_lock_file_is_an_error_with_its_place() {
    let project = project();
    project.run(&["plugin", "lock"]).exits(0);
    let text = std::fs::read_to_string(project.path("runner.lock")).unwrap();
    let error = |text: &str| {
        project.write("runner.lock", text);
        project.run(&["upgrade"]).exits(2).stderr
    };
    snapshot!(error("<<<<<<< HEAD\nversion = 1\n"), @"");
    snapshot!(error("version = 2\n"), @"");
    snapshot!(error("[[plugin]]\nname = \"a\"\n"), @"");
    snapshot!(error("version = 1\n[[plugin]]\nname = \"a\"\nsource = \"a\"\ndigest = \"sha256:abc\"\n"), @"");
    snapshot!(error("version = 1\n[[plugin]]\nname = \"a\"\nsource = \"a\"\ndigst = \"\"\n"), @"");
    let twice = text.rsplit_once("[[plugin]]").unwrap().1;
    assert!(error(&format!("{text}\n[[plugin]]{twice}")).contains("twice"));
    project.write("runner.lock", b"\xff");
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("the lock file `runner.lock` can't be read"));
    project.remove("runner.lock");
    std::fs::create_dir(project.path("runner.lock")).unwrap();
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("the lock file `runner.lock` can't be read"));
    std::fs::remove_dir(project.path("runner.lock")).unwrap();
    // What it is there for is to be able to write it anew.
    project.write("runner.lock", "<<<<<<< HEAD\n");
    project.run(&["plugin", "lock"]).exits(0);
    assert_eq!(std::fs::read_to_string(project.path("runner.lock")).unwrap(), text);
}

#[test]
fn a_plugin_that_can_not_be_read_is_not_locked() {
    let project = project();
    project.remove("acme.wasm");
    snapshot!(project.run(&["plugin", "lock"]), @"");
    assert!(!project.path("runner.lock").exists());
    snapshot!(project.run(&["plugin", "lock", "--locked"]), @"");
}

#[test]
fn a_set_in_a_file_has_its_lock_file_beside_it() {
    let project = project();
    project.write("ci/acme.wasm", Component::gate().bytes());
    project.write(
        "ci/strict.toml",
        "[set]\nextends = \"strict-prod\"\nplugins = [\"acme\"]\n[plugins.acme]\nsource = \"acme.wasm\"\n",
    );
    project.run(&["plugin", "lock", "--plugins", "ci/strict.toml"]).exits(0);
    assert!(project.path("ci/strict.lock").exists() && !project.path("runner.lock").exists());
    let run = |more: &[&str]| {
        let arguments = [&["upgrade", "--dry-run", "--plugins", "ci/strict.toml"], more].concat();
        project.run(&arguments)
    };
    run(&["--locked"]).exits(0);
    // The project's own lock file is not asked.
    project.write("acme.wasm", other());
    project.run(&["plugin", "lock"]).exits(0);
    run(&["--locked"]).exits(0);
    project.write("ci/acme.wasm", other());
    let refused = run(&[]).exits(3);
    assert!(refused.stderr.contains("and `ci/strict.lock` pins sha256:"), "{refused}");
}

#[test]
fn the_list_says_what_is_pinned() {
    let project = project();
    let pinned = |arguments: &[&str]| {
        let json = project.run(&[&["plugin", "list", "--json"], arguments].concat()).json();
        let plugins = json["plugins"].as_array().unwrap().clone();
        let acme = plugins.iter().find(|plugin| plugin["name"] == "acme").unwrap().clone();
        acme["pinned"].clone()
    };
    assert_eq!(pinned(&[]), serde_json::Value::Null);
    project.run(&["plugin", "lock"]).exits(0);
    assert!(pinned(&["--locked"]).as_str().unwrap().starts_with("sha256:"));
    snapshot!(project.run(&["plugin", "list", "--locked"]), @"");
}
