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
    snapshot!(project.run(&["plugin", "lock"]), @"
    exit: 0
    --- stdout
    added  acme                   acme.wasm  sha256:[DIGEST]
    added  change-window          builtin:change-window  sha256:[DIGEST]
    added  environment-hierarchy  builtin:environment-hierarchy  sha256:[DIGEST]
    added  lint                   builtin:lint  sha256:[DIGEST]
    added  lint-postgres          builtin:lint-postgres  sha256:[DIGEST]
    added  notify                 builtin:notify  sha256:[DIGEST]
    added  production-override    builtin:production-override  sha256:[DIGEST]
    wrote runner.lock: 7 plugins
    --- stderr
    ");
    let text = std::fs::read_to_string(project.path("runner.lock")).unwrap();
    snapshot!(text, @r#"
    # Written by `runner plugin lock`: the component that each plugin is. A run refuses any other until `runner plugin lock`
    # accepts it, so a change shows here. With `--locked` whatever is not listed is refused as well.
    version = 1

    [[plugin]]
    name = "acme"
    source = "acme.wasm"
    digest = "sha256:[DIGEST]"

    [[plugin]]
    name = "change-window"
    source = "builtin:change-window"
    digest = "sha256:[DIGEST]"

    [[plugin]]
    name = "environment-hierarchy"
    source = "builtin:environment-hierarchy"
    digest = "sha256:[DIGEST]"

    [[plugin]]
    name = "lint"
    source = "builtin:lint"
    digest = "sha256:[DIGEST]"

    [[plugin]]
    name = "lint-postgres"
    source = "builtin:lint-postgres"
    digest = "sha256:[DIGEST]"

    [[plugin]]
    name = "notify"
    source = "builtin:notify"
    digest = "sha256:[DIGEST]"

    [[plugin]]
    name = "production-override"
    source = "builtin:production-override"
    digest = "sha256:[DIGEST]"
    "#);
    snapshot!(project.run(&["plugin", "lock"]), @"
    exit: 0
    --- stdout
    runner.lock is up to date: 7 plugins
    --- stderr
    ");
    assert_eq!(std::fs::read_to_string(project.path("runner.lock")).unwrap(), text);
    project.run(&["plugin", "lock", "--check"]).exits(0);
    project.run(&["upgrade", "--locked"]).exits(0);
}

#[test]
fn a_component_that_changed_is_refused_with_both_digests_until_it_is_locked_again() {
    let project = project();
    project.run(&["plugin", "lock"]).exits(0);
    project.write("acme.wasm", other());
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   acme ?                       the plugin has the digest sha256:[DIGEST], and `runner.lock` pins sha256:[DIGEST]
    --- stderr
    error: refused by `acme`: the plugin has the digest sha256:[DIGEST], and `runner.lock` pins sha256:[DIGEST]

      help: if it was changed on purpose, `runner plugin lock` accepts it; then `runner.lock` shows the change
      help: nothing was changed
    ");
    assert!(!project.path("app.db").exists());
    assert_eq!(rules(&project.run(&["upgrade", "--json"]).exits(3)), ["plugin-digest"], "it was not asked");
    assert_eq!(rules(&project.run(&["upgrade", "--json", "--locked"]).exits(3)), ["plugin-digest"]);
    snapshot!(project.run(&["plugin", "lock", "--check"]), @"
    exit: 4
    --- stdout
    changed  acme  from acme.wasm  sha256:[DIGEST]
                   to   acme.wasm  sha256:[DIGEST]
    runner.lock is not up to date; `runner plugin lock` writes it
    --- stderr
    ");
    snapshot!(project.run(&["plugin", "lock"]), @"
    exit: 0
    --- stdout
    changed  acme  from acme.wasm  sha256:[DIGEST]
                   to   acme.wasm  sha256:[DIGEST]
    wrote runner.lock: 7 plugins
    --- stderr
    ");
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
    snapshot!(project.run(&["upgrade", "--locked"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `--locked` refuses what is not in `runner.lock`, and there is no such file

      help: `runner plugin lock` writes it; keep it beside the configuration
    ");
    project.run(&["plugin", "lock"]).exits(0);
    // A plugin that came later.
    project.write("late.wasm", Component::gate().bytes());
    project.edit("runner.toml", "plugins = [\"acme\"]", "plugins = [\"acme\", \"late\"]");
    project.edit("runner.toml", "[plugin-sets", "[plugins.late]\nsource = \"late.wasm\"\n[plugin-sets");
    project.run(&["upgrade", "--dry-run"]).exits(0);
    snapshot!(project.run(&["upgrade", "--locked"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      allow  acme 1.0.0
      deny   late ?                       the plugin is not in `runner.lock`, and `--locked` refuses what is not
    --- stderr
    error: refused by `late`: the plugin is not in `runner.lock`, and `--locked` refuses what is not

      help: `runner plugin lock` brings `runner.lock` up to date; look at what it accepts
      help: nothing was changed
    ");
    let variable = project.run_with(&[("RUNNER_LOCKED", "true")], &["upgrade", "--json"]).exits(3);
    assert_eq!(rules(&variable), ["plugin-digest"]);
    project.run_with(&[("RUNNER_LOCKED", "false")], &["upgrade", "--dry-run"]).exits(0);
    snapshot!(project.run_with(&[("RUNNER_LOCKED", "yes")], &["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `RUNNER_LOCKED` is `yes`, and it must be `true` or `false`
    ");
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
    snapshot!(error("<<<<<<< HEAD\nversion = 1\n"), @"
    error: key with no value, expected `=`
     --> runner.lock:1:9
      |
    1 | <<<<<<< HEAD
      |         ^

    error: `runner.lock` is not a valid configuration

      help: `runner plugin lock` writes it anew; look at what it accepts
    ");
    snapshot!(error("version = 2\n"), @"
    error: version 2 is not known, this runner writes version 1
     --> runner.lock:1:11
      |
    1 | version = 2
      |           ^

    error: `runner.lock` is not a valid configuration

      help: `runner plugin lock` writes it anew; look at what it accepts
    ");
    snapshot!(error("[[plugin]]\nname = \"a\"\n"), @"
    error: missing field `source`
     --> runner.lock:1:1
      |
    1 | [[plugin]]
      | ^^^^^^^^^^

    error: `runner.lock` is not a valid configuration

      help: `runner plugin lock` writes it anew; look at what it accepts
    ");
    snapshot!(error("version = 1\n[[plugin]]\nname = \"a\"\nsource = \"a\"\ndigest = \"sha256:abc\"\n"), @r#"
    error: `sha256:abc` is not a digest: `sha256:` and 64 digits from 0 to 9 and a to f
     --> runner.lock:5:10
      |
    5 | digest = "sha256:abc"
      |          ^^^^^^^^^^^^

    error: `runner.lock` is not a valid configuration

      help: `runner plugin lock` writes it anew; look at what it accepts
    "#);
    snapshot!(error("version = 1\n[[plugin]]\nname = \"a\"\nsource = \"a\"\ndigst = \"\"\n"), @r#"
    error: unknown field `digst`, expected one of `name`, `source`, `manifest`, `digest`
     --> runner.lock:5:1
      |
    5 | digst = ""
      | ^^^^^
      |
      = help: did you mean `digest`?

    error: `runner.lock` is not a valid configuration

      help: `runner plugin lock` writes it anew; look at what it accepts
    "#);
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
    snapshot!(project.run(&["plugin", "lock"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `acme` can't be read: there is no such file

      help: check `source` in `[plugins.acme]`; nothing was written
    ");
    assert!(!project.path("runner.lock").exists());
    snapshot!(project.run(&["plugin", "lock", "--locked"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `--locked` keeps the lock file as it is, so it can't be written

      help: leave `--locked` and `RUNNER_LOCKED` out, or use `--check`
    ");
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
    snapshot!(project.run(&["plugin", "list", "--locked"]), @"
    exit: 0
    --- stdout
    Plugin set team

    environment-hierarchy [VERSION]
      about    A revision runs from the environment it is tagged with upwards
      set      default, extended by team
      source   builtin:environment-hierarchy
      digest   sha256:[DIGEST]
      pinned   in `runner.lock`
      roles    environment
      mode     enforce
      env      RUNNER_VALIDATE_ENV, RUNNER_STRICT_ENV, ALEMBIC_VALIDATE_ENV, ALEMBIC_STRICT_ENV
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    lint [VERSION]
      about    Finds what is wrong with a revision, its place in the chain and its statements
      set      default, extended by team
      source   builtin:lint
      digest   sha256:[DIGEST]
      pinned   in `runner.lock`
      roles    lint
      mode     enforce
      facts    of the target
      imports  runner:policy/facts@0.1.2
      limits   fuel 50000000000, time 60s, memory 1.0 GiB, stack 512.0 KiB, answer 128.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    lint-postgres [VERSION]
      about    Finds what is dangerous in revisions for PostgreSQL, and tells which locks they take
      set      default, extended by team
      source   builtin:lint-postgres
      digest   sha256:[DIGEST]
      pinned   in `runner.lock`
      roles    lint
      mode     enforce
      facts    of the target
      imports  runner:policy/facts@0.1.2
      limits   fuel 50000000000, time 60s, memory 1.0 GiB, stack 512.0 KiB, answer 128.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    production-override [VERSION]
      about    Production is changed only with an explicit approval
      set      default, extended by team
      source   builtin:production-override
      digest   sha256:[DIGEST]
      pinned   in `runner.lock`
      roles    gate
      mode     enforce
      env      ALLOW_PRODUCTION_MIGRATE
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    notify [VERSION]
      about    Tells channels of what matters, by event, environment and severity
      set      default, extended by team
      source   builtin:notify
      digest   sha256:[DIGEST]
      pinned   in `runner.lock`
      roles    notify
      mode     enforce
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    acme 1.0.0
      about    A policy for tests.
      set      team
      source   acme.wasm    (`plugins.acme` in `runner.toml`)
      digest   sha256:[DIGEST]
      pinned   in `runner.lock`
      signed   not looked at, because no key is trusted
      roles    gate
      mode     enforce
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    --- stderr
    ");
}

#[test]
fn a_file_that_is_replaced_by_the_built_in_plugin_is_compared() {
    let project = project();
    let replaced = "[plugins.production-override]\nsource = \"acme.wasm\"\n[plugin-sets";
    project.edit("runner.toml", "[plugin-sets", replaced);
    project.run(&["plugin", "lock"]).exits(0);
    project.run(&["upgrade", "--dry-run"]).exits(0);
    // The built-in one takes the place of the file that was locked.
    project.edit("runner.toml", replaced, "[plugin-sets");
    assert_eq!(rules(&project.run(&["upgrade", "--json"]).exits(3)), ["plugin-digest"]);
    assert_eq!(rules(&project.run(&["upgrade", "--json", "--locked"]).exits(3)), ["plugin-digest"]);
    project.run(&["plugin", "lock"]).exits(0);
    project.run(&["upgrade", "--locked"]).exits(0);
}
