//! `runner plugin list`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn the_default_set() {
    let project = Project::linear(1);
    snapshot!(project.run(&["plugin", "list"]), @"
    exit: 0
    --- stdout
    Plugin set default

    environment-hierarchy [VERSION]
      about    A revision runs from the environment it is tagged with upwards
      set      default
      source   builtin:environment-hierarchy
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    environment
      mode     enforce
      env      RUNNER_VALIDATE_ENV, RUNNER_STRICT_ENV, ALEMBIC_VALIDATE_ENV, ALEMBIC_STRICT_ENV
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    lint [VERSION]
      about    Finds what is wrong with a revision, its place in the chain and its statements
      set      default
      source   builtin:lint
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    lint
      mode     enforce
      facts    of the target
      imports  runner:policy/facts@0.1.2
      limits   fuel 50000000000, time 60s, memory 1.0 GiB, stack 512.0 KiB, answer 128.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    lint-postgres [VERSION]
      about    Finds what is dangerous in revisions for PostgreSQL, and tells which locks they take
      set      default
      source   builtin:lint-postgres
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    lint
      mode     enforce
      facts    of the target
      imports  runner:policy/facts@0.1.2
      limits   fuel 50000000000, time 60s, memory 1.0 GiB, stack 512.0 KiB, answer 128.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    production-override [VERSION]
      about    Production is changed only with an explicit approval
      set      default
      source   builtin:production-override
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    gate
      mode     enforce
      env      ALLOW_PRODUCTION_MIGRATE
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    notify [VERSION]
      about    Tells channels of what matters, by event, environment and severity
      set      default
      source   builtin:notify
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    notify
      mode     enforce
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    --- stderr
    ");
    let json = project.run(&["plugin", "list", "--json"]).exits(0).json();
    assert_eq!(json["set"], "default");
    let digest = json["plugins"][0]["digest"].as_str().unwrap();
    assert_eq!((&digest[..7], digest.len()), ("sha256:", 71));
}

#[test]
fn a_plugin_that_is_not_there_is_shown_as_such() {
    let project = Project::linear(1);
    project.configure(
        "[plugins.acme]\nsource = \"acme.wasm\"\n[plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\n",
    );
    let run = project.run(&["plugin", "list", "--plugins", "team"]).exits(3);
    assert!(run.stdout.contains("acme.wasm"), "{run}");
    snapshot!(project.run(&["upgrade", "--plugins", "team"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   acme ?                       the plugin can't be read from `acme.wasm`: there is no such file
    --- stderr
    error: refused by `acme`: the plugin can't be read from `acme.wasm`: there is no such file

      help: check `source` in `[plugins.acme]`
      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn an_unknown_set() {
    snapshot!(Project::linear(1).run(&["plugin", "list", "--plugins", "nothing"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no plugin set `nothing`

      help: known are `default`, `strict-prod`
    ");
}
