//! `[plugin-sets.…]`: what a set extends, adds, leaves out and changes, and what it can't change.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::harness::Project;
use crate::snapshot;

/// A project with the plugin `acme`, a gate that allows, and whatever else.
fn configured(more: &str) -> Project {
    let project = Project::linear(1);
    project.write("acme.wasm", Component::gate().bytes());
    project.configure(&format!("[plugins.acme]\nsource = \"acme.wasm\"\n{more}"));
    project
}

/// What `plugin list --json` says of a plugin of the set `team`.
fn listed(project: &Project, plugin: &str) -> serde_json::Value {
    let json = project.run(&["plugin", "list", "--plugins", "team", "--json"]).exits(0).json();
    let plugins = json["plugins"].as_array().unwrap();
    plugins.iter().find(|listed| listed["name"] == plugin).unwrap_or_else(|| panic!("{json:#}")).clone()
}

fn error(more: &str) -> String {
    let run = configured(more).run(&["plugin", "list", "--plugins", "team"]).exits(2);
    run.stderr
}

#[test]
fn settings_are_put_on_top_and_the_rest_is_replaced() {
    let project = configured(
        "settings = { first = 1, second = 2 }\nlimits = { fuel = 1000000, time = \"7s\" }\n\
         grants = { env = [\"OLD\"], read = [\"migrations\"] }\n\
         [plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\n\
         [plugin-sets.team.settings.acme]\nsecond = 20\nthird = 30\n\
         [plugin-sets.team.grants.acme]\nenv = [\"NEW\"]\n\
         [plugin-sets.team.limits.acme]\ntime = \"3s\"\n\
         [plugin-sets.team.modes]\nacme = \"audit\"\n",
    );
    let acme = listed(&project, "acme");
    assert_eq!(acme["settings"], serde_json::json!(["first", "second", "third"]));
    assert_eq!(acme["from"]["settings"]["first"], "`plugins.acme` in `runner.toml`");
    assert_eq!(acme["from"]["settings"]["second"], "`plugin-sets.team.settings.acme` in `runner.toml`");
    assert_eq!((&acme["env"], &acme["read"]), (&serde_json::json!(["NEW"]), &serde_json::json!([])));
    assert_eq!(acme["limits"]["time_ms"], 3000);
    assert_eq!(acme["limits"]["fuel"], 200_000_000, "limits are replaced as a whole");
    assert_eq!(acme["mode"], "audit");
    // Elsewhere nothing has changed.
    project.edit("runner.toml", "[plugin-sets.team]", "[plugin-sets.other]\nplugins = [\"acme\"]\n[plugin-sets.team]");
    let json = project.run(&["plugin", "list", "--plugins", "other", "--json"]).exits(0).json();
    assert_eq!(json["plugins"][0]["mode"], "enforce");
    assert_eq!(json["plugins"][0]["limits"]["time_ms"], 7000);
}

#[test]
fn what_a_set_changes_is_what_runs() {
    let deny = Component::gate().body(Function::Review, &bodies::deny("never"));
    let project = configured(
        "[plugin-sets.team]\nplugins = [\"acme\"]\n[plugin-sets.heard]\nextends = \"team\"\n\
         [plugin-sets.heard.modes]\nacme = \"audit\"\n",
    );
    project.write("acme.wasm", deny.bytes());
    project.run(&["upgrade", "--plugins", "team"]).exits(3);
    let run = project.run(&["upgrade", "--plugins", "heard"]).exits(0);
    assert!(run.stdout.contains("audit only, would deny: never"), "{run}");
}

#[test]
fn an_extending_set_changes_what_it_inherits_and_the_last_word_counts() {
    let project = configured(
        "[plugin-sets.base]\nplugins = [\"acme\"]\n[plugin-sets.base.settings.acme]\none = 1\ntwo = 1\n\
         [plugin-sets.team]\nextends = [\"default\", \"base\"]\n[plugin-sets.team.settings.acme]\ntwo = 2\n\
         [plugin-sets.team.settings.environment-hierarchy]\nmode = \"skip\"\n",
    );
    let acme = listed(&project, "acme");
    assert_eq!(acme["sets"], serde_json::json!(["base", "team"]));
    assert_eq!(acme["from"]["settings"]["one"], "`plugin-sets.base.settings.acme` in `runner.toml`");
    assert_eq!(acme["from"]["settings"]["two"], "`plugin-sets.team.settings.acme` in `runner.toml`");
    project.revision("r0002", "r0001", "Env: production", "CREATE TABLE late (id INTEGER);", "DROP TABLE late;");
    let run = project.run(&["upgrade", "--plugins", "team", "--json"]).exits(0).json();
    assert_eq!(run["steps"][1]["status"], "skipped", "{run:#}");
}

#[test]
fn a_plugin_can_be_left_out() {
    let project = configured(
        "[plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\nwithout = [\"production-override\"]\n",
    );
    let json = project.run(&["plugin", "list", "--plugins", "team", "--json"]).exits(0).json();
    let names: Vec<&str> =
        json["plugins"].as_array().unwrap().iter().map(|plugin| plugin["name"].as_str().unwrap()).collect();
    assert!(!names.contains(&"production-override") && names.contains(&"acme"), "{names:?}");
    assert_eq!(
        json["inactive"][0],
        serde_json::json!({
            "name": "production-override", "reason": "left out by `plugin-sets.team.without` in `runner.toml`"
        })
    );
    snapshot!(error("[plugin-sets.team]\nextends = \"default\"\nwithout = [\"production-overide\"]\n"), @"
    error: `plugin-sets.team.without` in `runner.toml`: `production-overide` is not in any set that this one extends

      help: did you mean `production-override`?
    ");
    snapshot!(error("[plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\nwithout = [\"acme\"]\n"), @"error: `plugin-sets.team.without` in `runner.toml`: `acme` is in `plugins` as well");
    snapshot!(error("[plugin-sets.team]\nextends = \"strict-prod\"\nwithout = [\"production-override\"]\n"), @"error: `plugin-sets.team.without` in `runner.toml`: `production-override` belongs to `strict-prod`, from which nothing can be left out");
}

#[test]
fn a_set_can_change_only_what_is_in_it() {
    snapshot!(error("[plugin-sets.team]\nextends = \"default\"\n[plugin-sets.team.settings.acm]\nx = 1\n"), @"
    error: `plugin-sets.team.settings.acm` in `runner.toml`: `acm` is not in this set

      help: name it in `plugins`, or in a set that is extended
    ");
    snapshot!(error("[plugin-sets.team]\nplugins = [\"acme\"]\n[plugin-sets.team.modes]\nacmee = \"audit\"\n"), @"
    error: `plugin-sets.team.modes.acmee` in `runner.toml`: `acmee` is not in this set

      help: did you mean `acme`?
      help: name it in `plugins`, or in a set that is extended
    ");
    snapshot!(error("[plugin-sets.team]\nplugins = [\"acme\"]\n[plugin-sets.team.modes]\nacme = \"audits\"\n"), @r#"
    error: unknown variant `audits`, expected `enforce` or `audit`
     --> runner.toml:8:8
      |
    8 | acme = "audits"
      |        ^^^^^^^^
      |
      = help: did you mean `audit`?

    error: `runner.toml` is not a valid configuration
    "#);
    snapshot!(error("[plugin-sets.team]\nextend = \"default\"\n"), @r#"
    error: unknown field `extend`, expected one of `extends`, `plugins`, `without`, `settings`, `grants`, `limits`, `modes`, `backup`
     --> runner.toml:6:1
      |
    6 | extend = "default"
      | ^^^^^^
      |
      = help: did you mean `extends`?

    error: `runner.toml` is not a valid configuration
    "#);
    snapshot!(error("[plugin-sets.team]\nextends = 7\n"), @"
    error: invalid type: integer `7`, expected the name of a plugin set, or a list of names
     --> runner.toml:6:11
      |
    6 | extends = 7
      |           ^

    error: `runner.toml` is not a valid configuration
    ");
    snapshot!(error("[plugin-sets.team]\nextends = [\"default\", \"strickt-prod\"]\n"), @"
    error: there is no plugin set `strickt-prod`

      help: did you mean `strict-prod`?
      help: known are `default`, `strict-prod`, `team`
    ");
    snapshot!(error("[plugin-sets.team]\nplugins = [\"acme\"]\n[plugin-sets.team.grants.acme]\nenvs = [\"X\"]\n"), @r#"
    error: unknown field `envs`, expected one of `env`, `read`, `facts`
     --> runner.toml:8:1
      |
    8 | envs = ["X"]
      | ^^^^
      |
      = help: did you mean `env`?

    error: `runner.toml` is not a valid configuration
    "#);
}

#[test]
fn strict_prod_can_be_made_stricter_and_never_looser() {
    let changed =
        |changes: &str| format!("[plugin-sets.team]\nextends = \"strict-prod\"\n[plugin-sets.team.{changes}\n");
    for stricter in [
        "settings.environment-hierarchy]\nmode = \"strict\"",
        "settings.environment-hierarchy]\nproduction-level = 30",
        "settings.production-override]\napproval = \"plan-hash\"",
        "settings.change-window]\ntime-zone = \"Europe/Berlin\"\nfreezes = [{ from = \"2026-12-20\", to = \"2027-01-03\", reason = \"holidays\" }]",
        "grants.environment-hierarchy]\nenv = []",
        "grants.environment-hierarchy]\nenv = [\"RUNNER_STRICT_ENV\"]",
        "limits.production-override]\ntime = \"5s\"",
        "modes]\nproduction-override = \"enforce\"",
    ] {
        configured(&changed(stricter)).run(&["plugin", "list", "--plugins", "team"]).exits(0);
    }
    for looser in [
        "settings.environment-hierarchy]\nmode = \"warn\"",
        "settings.environment-hierarchy]\nmode = \"off\"",
        "settings.change-window]\nenvironments = [\"nowhere\"]",
        "settings.change-window]\nexceptions = []",
        "modes]\nchange-window = \"audit\"",
        "settings.environment-hierarchy]\nproduction-level = 101",
        "settings.environment-hierarchy]\nproduction-level = \"30\"",
        "settings.environment-hierarchy.levels]\nproduction = 10",
        "settings.environment-hierarchy.aliases]\nproduction = \"development\"",
        "settings.production-override]\napproval = \"true\"",
        "settings.production-override]\napproval = true",
        "grants.environment-hierarchy]\nenv = [\"RUNNER_VALIDATE_ENV\"]",
        "grants.production-override]\nenv = [\"ALLOW_PRODUCTION_MIGRATE\", \"HOME\"]",
        "grants.production-override]\nread = [\".\"]",
        "modes]\nproduction-override = \"audit\"",
    ] {
        let error = error(&changed(looser));
        assert!(error.contains("because `team` extends `strict-prod`"), "{looser}\n{error}");
        assert!(error.contains("can be made stricter, never looser"), "{looser}\n{error}");
    }
    // What the project has agreed on is not replaced by a set.
    let agreed = "[plugins.change-window]\nsettings = { freezes = [] }\n";
    let error_of = |key: &str| error(&format!("{agreed}{}", changed(&format!("settings.change-window]\n{key}"))));
    assert!(error_of("freezes = []").contains("can't take the place of the `freezes` in `[plugins.change-window]`"));
    assert!(error_of("time-zone = \"UTC\"").contains("would change what `[plugins.change-window]` means"));
    snapshot!(error(&changed("settings.production-override]\napproval = \"true\"")), @"
    error: `plugin-sets.team.settings.production-override.approval` in `runner.toml`: must stay `plan-hash`, because `team` extends `strict-prod`

      help: what `strict-prod` demands can be made stricter, never looser
    ");
    snapshot!(error(&changed("grants.environment-hierarchy]\nenv = [\"RUNNER_VALIDATE_ENV\"]")), @"
    error: `plugin-sets.team.grants.environment-hierarchy` in `runner.toml`: gives `environment-hierarchy` more than it has: `RUNNER_VALIDATE_ENV`, because `team` extends `strict-prod`

      help: what `strict-prod` demands can be made stricter, never looser
    ");
}

#[test]
fn what_strict_prod_demands_is_not_loosened_by_way_of_another_set() {
    let sets =
        "[plugin-sets.loose]\nextends = \"default\"\n[plugin-sets.loose.modes]\nproduction-override = \"audit\"\n";
    for extends in ["[\"loose\", \"strict-prod\"]", "[\"strict-prod\", \"loose\"]"] {
        let error = error(&format!("{sets}[plugin-sets.team]\nextends = {extends}\n"));
        assert!(error.contains("`plugin-sets.loose.modes.production-override` in `runner.toml`"), "{error}");
    }
    // Leaving a plugin out of one set takes nothing from another.
    let project = configured(
        "[plugin-sets.less]\nextends = \"default\"\nwithout = [\"production-override\"]\n\
         [plugin-sets.team]\nextends = [\"less\", \"strict-prod\"]\n",
    );
    assert_eq!(listed(&project, "production-override")["mode"], "enforce");
}

#[test]
fn strictness_does_not_depend_on_the_settings_of_a_plugin() {
    let project = configured(
        "[plugins.production-override]\nsettings = { approval = \"true\" }\nmode = \"audit\"\n\
         [plugin-sets.team]\nextends = \"strict-prod\"\n",
    );
    for set in ["strict-prod", "team"] {
        let refused = project
            .run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["upgrade", "--env", "production", "--plugins", set]);
        refused.exits(3);
    }
    let listed = listed(&project, "production-override");
    assert_eq!(listed["from"]["mode"], "`strict-prod`");
    assert_eq!(listed["from"]["settings"]["approval"], "`strict-prod`");
}

#[test]
fn sets_that_extend_each_other_too_deep_or_in_every_combination() {
    let chain: String = (0..40)
        .map(|number| format!("[plugin-sets.s{number}]\nextends = \"s{}\"\n", number + 1))
        .chain(["[plugin-sets.s40]\nplugins = []\n[plugin-sets.team]\nextends = \"s0\"\n".to_owned()])
        .collect();
    assert!(error(&chain).contains("more than 32 deep"));
    // Each extends all before it: a walk along every path would never end.
    let web: String = (0..30)
        .map(|number| {
            let parents: Vec<String> = (0..number).map(|parent| format!("\"s{parent}\"")).collect();
            format!("[plugin-sets.s{number}]\nextends = [{}]\n", parents.join(", "))
        })
        .chain(["[plugin-sets.team]\nextends = \"s29\"\nplugins = [\"acme\"]\n".to_owned()])
        .collect();
    let project = configured(&web);
    assert_eq!(listed(&project, "acme")["sets"], serde_json::json!(["team"]));
}
