//! A plugin set in a file of its own, which CI holds and developers can't edit: nothing in `runner.toml` reaches it.

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use policy_components::bodies;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

const SET: &str = "ci/strict-prod.toml";

/// A project whose CI has a set of its own: `strict-prod` and a gate that denies.
fn project() -> Project {
    let project = Project::linear(1);
    let deny = Component::gate().body(Function::Review, &bodies::deny("not while the auditors are here"));
    project.write("ci/policies/auditors.wasm", deny.bytes());
    project.write("allow.wasm", Component::gate().bytes());
    project.write(
        SET,
        "[set]\nextends = \"strict-prod\"\nplugins = [\"auditors\"]\n\n\
         [plugins.auditors]\nsource = \"policies/auditors.wasm\"\n",
    );
    project
}

fn upgrade(project: &Project) -> Run {
    project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["upgrade", "--env", "production", "--plugins", SET])
}

#[test]
fn it_is_in_force_with_paths_that_start_at_it() {
    let project = project();
    snapshot!(upgrade(&project).exits(3).stderr, @"
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.
           refused by `auditors`: not while the auditors are here

      help: `ALLOW_PRODUCTION_MIGRATE` is set to `true`, which is not the hash of this plan; `runner plan` prints the plan and its hash
      help: nothing was changed
    ");
    let variable = project.run_with(&[("RUNNER_PLUGINS", SET)], &["upgrade"]).exits(3);
    assert!(variable.stderr.contains("not while the auditors are here"), "{variable}");
    let elsewhere = project
        .command(&["plugin", "list", "-c", "../runner.toml", "--plugins", "../ci/strict-prod.toml", "--json"])
        .current_dir(project.path("migrations"))
        .output()
        .unwrap();
    assert!(elsewhere.status.success(), "{}", String::from_utf8_lossy(&elsewhere.stderr));
    // Named in `runner.toml`, it is relative to that.
    project.write("runner.toml", format!("plugin-set = \"{SET}\"\n[database]\nurl = \"sqlite://app.db\"\n"));
    project.run(&["upgrade"]).exits(3);
}

/// Everything that somebody who may edit `runner.toml` could try.
#[test]
fn nothing_in_the_configuration_loosens_it() {
    let attacks = [
        // Another component under the name of one of the set, or of a built-in one.
        "[plugins.auditors]\nsource = \"allow.wasm\"\n",
        "[plugins.production-override]\nsource = \"allow.wasm\"\n",
        "[plugins.environment-hierarchy]\nsource = \"builtin:production-override\"\n",
        // The same component, heard but not obeyed, or told otherwise.
        "[plugins.auditors]\nsource = \"ci/policies/auditors.wasm\"\nmode = \"audit\"\n",
        "[plugins.production-override]\nmode = \"audit\"\n",
        "[plugins.production-override]\nsettings = { approval = \"true\", variable = \"USER\" }\ngrants = { env = [\"USER\"] }\n",
        "[plugins.environment-hierarchy]\nsettings = { production-level = 1000 }\n",
        "[plugins.environment-hierarchy]\nsettings = { levels = { production = 10 } }\n",
        // Limits under which it can't work, which must not matter either.
        "[plugins.auditors]\nsource = \"ci/policies/auditors.wasm\"\nlimits = { fuel = 1 }\n",
        // Sets under the names that the file uses, or under its own.
        "[plugin-sets.team]\nextends = \"default\"\nwithout = [\"production-override\"]\n",
        // Keys that vouch for nothing, which would refuse it, or pins of something else.
        "[trust]\nkeys = [\"ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"]\n",
    ];
    let project = project();
    let honest = upgrade(&project).exits(3);
    let listed = |project: &Project| {
        let mut json = project.run(&["plugin", "list", "--plugins", SET, "--json"]).exits(0).json();
        json["inactive"] = serde_json::Value::Null;
        json
    };
    let plugins = listed(&project);
    for attack in attacks {
        project.configure(attack);
        assert_eq!(listed(&project), plugins, "{attack}");
        let run = upgrade(&project).exits(3);
        assert_eq!((&run.stderr, &run.stdout), (&honest.stderr, &honest.stdout), "{attack}");
    }
    let lock = "version = 1\n\n[[plugin]]\nname = \"auditors\"\nsource = \"policies/auditors.wasm\"\n\
                digest = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n";
    project.configure("");
    project.write("runner.lock", lock);
    assert_eq!(listed(&project), plugins, "the lock file of the set is beside the set");
}

#[test]
fn a_set_of_the_project_can_neither_take_its_name_nor_be_seen() {
    let project = project();
    project.configure(&format!("[plugin-sets.\"{SET}\"]\nplugins = []\n"));
    snapshot!(upgrade(&project).exits(2).stderr, @r#"
    error: `plugin-sets."ci/strict-prod.toml"` in `runner.toml`: this name would be taken for a file

      help: a name holds no `/` and does not end in `.toml`
    "#);
    project.configure("[plugins.mine]\nsource = \"allow.wasm\"\n[plugin-sets.team]\nplugins = []\n");
    project.write(SET, "[set]\nextends = \"team\"\n");
    snapshot!(upgrade(&project).exits(2).stderr, @"
    error: there is no plugin set `team`

      help: known are `default`, `strict-prod`, `ci/strict-prod.toml`
      help: a set in a file of its own sees nothing of `runner.toml`
    ");
    project.write(SET, "[set]\nplugins = [\"mine\"]\n");
    snapshot!(upgrade(&project).exits(2).stderr, @"
    error: the plugin set `ci/strict-prod.toml` names `mine`, which is not configured

      help: did you mean `lint`?
      help: configure it in `[plugins.mine]`; known are `change-window`, `environment-hierarchy`, `lint`, `lint-postgres`, `notify`, `production-override`
      help: a set in a file of its own sees nothing of `runner.toml`
    ");
}

#[test]
fn its_own_loosening_is_refused_as_anywhere() {
    let project = project();
    project.write(SET, "[set]\nextends = \"strict-prod\"\n[set.modes]\nproduction-override = \"audit\"\n");
    snapshot!(upgrade(&project).exits(2).stderr, @"
    error: `set.modes.production-override` in `ci/strict-prod.toml`: must stay `enforce`, because `ci/strict-prod.toml` extends `strict-prod`

      help: what `strict-prod` demands can be made stricter, never looser
    ");
}

#[test]
fn the_list_says_that_the_configuration_does_not_count() {
    let project = project();
    project.configure("[plugins.mine]\nsource = \"allow.wasm\"\n");
    let json = project.run(&["plugin", "list", "--plugins", SET, "--json"]).exits(0).json();
    assert_eq!(json["file"], SET);
    assert_eq!(json["inactive"][0]["name"], "mine");
    assert_eq!(json["inactive"][0]["reason"], "`ci/strict-prod.toml` takes nothing from `runner.toml`");
}

#[test]
fn a_wrong_file_is_an_error_with_its_place() {
    let project = project();
    let error = |text: &str| {
        project.write(SET, text);
        upgrade(&project).exits(2).stderr
    };
    snapshot!(error("[set]\nextend = \"strict-prod\"\n"), @r#"
    error: unknown field `extend`, expected one of `extends`, `plugins`, `without`, `settings`, `grants`, `limits`, `modes`, `backup`
     --> ci/strict-prod.toml:2:1
      |
    2 | extend = "strict-prod"
      | ^^^^^^
      |
      = help: did you mean `extends`?

    error: `ci/strict-prod.toml` is not a valid configuration
    "#);
    snapshot!(error("extends = \"strict-prod\"\n"), @r#"
    error: unknown field `extends`, expected one of `set`, `plugins`, `trust`, `lint`
     --> ci/strict-prod.toml:1:1
      |
    1 | extends = "strict-prod"
      | ^^^^^^^

    error: `ci/strict-prod.toml` is not a valid configuration
    "#);
    snapshot!(error("[set]\nplugins = [\"auditors\"\n"), @r#"
    error: unclosed array, expected `]`
     --> ci/strict-prod.toml:2:22
      |
    2 | plugins = ["auditors"
      |                      ^

    error: `ci/strict-prod.toml` is not a valid configuration
    "#);
    snapshot!(error("[database]\nurl = \"sqlite://other.db\"\n"), @"
    error: unknown field `database`, expected one of `set`, `plugins`, `trust`, `lint`
     --> ci/strict-prod.toml:1:2
      |
    1 | [database]
      |  ^^^^^^^^

    error: `ci/strict-prod.toml` is not a valid configuration
    ");
    snapshot!(project.run(&["upgrade", "--plugins", "ci/missing.toml"]).exits(2).stderr, @"
    error: there is no plugin set `ci/missing.toml`

      help: a name with a `/` in it, or with `.toml` at its end, is that of a file
    ");
    snapshot!(project.run(&["upgrade", "--plugins", "ci/"]).exits(2).stderr, @"error: the plugin set `ci/` can't be read: Is a directory (os error 21)");
    project.write("binary.toml", b"\xff\xfe");
    snapshot!(project.run(&["upgrade", "--plugins", "binary.toml"]).exits(2).stderr, @"error: the plugin set `binary.toml` is not UTF-8 text");
    assert!(!project.path("app.db").exists());
}

#[test]
fn a_file_without_a_set_or_plugins_refuses_to_refuse_nothing() {
    let project = project();
    project.write(SET, "");
    snapshot!(upgrade(&project).exits(2).stderr, @"
    error: missing field `set`
     --> ci/strict-prod.toml:1:1
      |
    1 |
      | ^

    error: `ci/strict-prod.toml` is not a valid configuration
    ");
    project.write(SET, "[set]\nplugins = []\n");
    snapshot!(upgrade(&project).exits(2).stderr, @r#"
    error: `set` in `ci/strict-prod.toml`: it has no plugins, so it would refuse nothing

      help: `extends = "strict-prod"` is a good start
    "#);
}

#[test]
fn settings_grants_and_limits_in_the_file_count() {
    let project = project();
    let names = Component::of(&[Role::Gate]);
    project.write("ci/policies/auditors.wasm", names.bytes());
    project.write("ci/data/holidays.txt", "none");
    project.write(
        SET,
        "[set]\nextends = \"strict-prod\"\nplugins = [\"auditors\"]\n[set.limits.auditors]\ntime = \"4s\"\n\
         [set.settings.auditors]\nregion = \"${REGION:-eu}\"\n\
         [plugins.auditors]\nsource = \"policies/auditors.wasm\"\ngrants = { read = [\"data\"] }\n",
    );
    let json = project.run(&["plugin", "list", "--plugins", SET, "--json"]).exits(0).json();
    let auditors = json["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "auditors").unwrap();
    assert_eq!(auditors["limits"]["time_ms"], 4000);
    assert_eq!(auditors["read"], serde_json::json!(["data"]));
    assert_eq!(auditors["from"]["settings"]["region"], "`set.settings.auditors` in `ci/strict-prod.toml`");
}
