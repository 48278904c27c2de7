//! The policy `environment-hierarchy`: which revisions run in which environment, and its modes.

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

const HIERARCHY: &str = "[plugins.environment-hierarchy]\nsettings";

/// `start` for everybody, `staged` from staging upwards, `after` for everybody.
fn staged() -> Project {
    let project = Project::empty();
    project.revision("start", "base", "", "CREATE TABLE t_start (id INTEGER);", "DROP TABLE t_start;");
    project.revision("staged", "start", "Env: staging", "CREATE TABLE t_staged (id INTEGER);", "DROP TABLE t_staged;");
    project.revision("after", "staged", "", "CREATE TABLE t_after (id INTEGER);", "DROP TABLE t_after;");
    project
}

fn mode(mode: &str) -> Project {
    let project = staged();
    project.configure(&format!("{HIERARCHY} = {{ mode = \"{mode}\" }}\n"));
    project
}

#[test]
fn warn_applies_with_a_warning() {
    let project = staged();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   environment-hierarchy [VERSION]  staged is for staging (level 30) and above, this is development (level 10)
      warn   lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn   lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn   lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn   lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      applied   start   Revision start   [TIME]
      applied   staged  Revision staged  [TIME]
      applied   after   Revision after   [TIME]
    Done: 3 applied in [TIME]
    --- stderr
    ");
    assert_eq!(project.tables(), ["t_after", "t_staged", "t_start"]);
}

#[test]
fn strict_refuses_and_touches_nothing() {
    let project = mode("strict");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn   lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn   lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn   lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      deny   environment-hierarchy [VERSION]  staged is for staging (level 30) and above, this is development (level 10)
    --- stderr
    error: refused by `environment-hierarchy`: `staged` is for staging (level 30) and above, this is development (level 10)

      help: run it in the right environment, or change the `Env:` of the revision
      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0], "a refused run must not create the database");
    project.run(&["upgrade", "start"]).exits(0);
    snapshot!(project.run(&["upgrade", "--json"]), @r#"
    exit: 3
    --- stdout
    {
      "target": {
        "dialect": "sqlite",
        "name": "sqlite://app.db",
        "server": "SQLite [VERSION]"
      },
      "environment": {
        "name": "development",
        "level": 10,
        "production": false
      },
      "plan_hash": "[HASH]",
      "steps": [
        {
          "revision": "staged",
          "direction": "up",
          "message": "Revision staged",
          "status": "pending",
          "duration_ms": "[TIME]"
        },
        {
          "revision": "after",
          "direction": "up",
          "message": "Revision after",
          "status": "pending",
          "duration_ms": "[TIME]"
        }
      ],
      "verdicts": [
        {
          "plugin": "environment-hierarchy",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "environment",
          "decision": "allow",
          "revision": null,
          "rule": null,
          "severity": null,
          "message": "development (level 10)",
          "file": null,
          "line": null,
          "column": null
        },
        {
          "plugin": "environment-hierarchy",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "environment",
          "decision": "deny",
          "revision": "staged",
          "rule": "environment-hierarchy",
          "severity": null,
          "message": "is for staging (level 30) and above, this is development (level 10)",
          "file": null,
          "line": null,
          "column": null
        },
        {
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "staged",
          "rule": "missing-primary-key",
          "severity": "warning",
          "message": "`t_staged` has no primary key",
          "file": "migrations/staged.sql",
          "line": 8,
          "column": 14
        },
        {
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "after",
          "rule": "environment-order",
          "severity": "warning",
          "message": "runs in development, local, test, where `staged`, on which it builds, does not",
          "file": "migrations/after.sql",
          "line": null,
          "column": null
        },
        {
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "after",
          "rule": "missing-primary-key",
          "severity": "warning",
          "message": "`t_after` has no primary key",
          "file": "migrations/after.sql",
          "line": 7,
          "column": 14
        },
        {
          "plugin": "production-override",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "gate",
          "decision": "allow",
          "revision": null,
          "rule": null,
          "severity": null,
          "message": "",
          "file": null,
          "line": null,
          "column": null
        }
      ],
      "outcome": "denied"
    }
    --- stderr
    error: refused by `environment-hierarchy`: `staged` is for staging (level 30) and above, this is development (level 10)

      help: run it in the right environment, or change the `Env:` of the revision
      help: nothing was changed
    "#);
    assert_eq!(project.versions(), ["start"]);
}

#[test]
fn strict_is_content_where_the_revision_belongs() {
    mode("strict").run(&["upgrade", "--env", "staging"]).exits(0);
    mode("strict").run(&["upgrade", "--env", "qa"]).exits(0);
}

#[test]
fn skip_goes_on_and_undoes_nothing_that_was_not_done() {
    let project = mode("skip");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn   lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn   lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      skip   environment-hierarchy [VERSION]  staged is for staging (level 30) and above, this is development (level 10)
      applied   start   Revision start   [TIME]
      skipped   staged  Revision staged  is for staging (level 30) and above, this is development (level 10)
      applied   after   Revision after   [TIME]
    Done: 2 applied, 1 skipped in [TIME]
    --- stderr
    ");
    assert_eq!(project.tables(), ["t_after", "t_start"]);
    assert_eq!(project.versions(), ["after"]);
    assert_eq!(project.ledger()[1], "staged | up | skipped");
    let reason = project.query("SELECT error FROM runner_ledger WHERE status = 'skipped'");
    assert_eq!(reason, ["is for staging (level 30) and above, this is development (level 10)"]);
    project.run(&["check"]).exits(0);

    // `DROP TABLE t_staged` would fail.
    snapshot!(project.run(&["downgrade", "base"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      reverted  after   Revision after   [TIME]
      skipped   staged  Revision staged  its up section was skipped
      reverted  start   Revision start   [TIME]
    Done: 2 reverted, 1 skipped in [TIME]
    --- stderr
    ");
    assert_eq!(project.tables(), [""; 0]);
}

#[test]
fn what_was_skipped_is_not_undone_even_when_the_mode_has_changed() {
    let project = mode("skip");
    project.run(&["upgrade"]).exits(0);
    project.configure(&format!("{HIERARCHY} = {{ mode = \"off\" }}\n"));
    project.run(&["downgrade", "base"]).exits(0);
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.tables(), ["t_after", "t_staged", "t_start"]);
}

#[test]
fn what_ran_is_undone_even_where_it_does_not_belong() {
    let project = staged();
    project.run(&["upgrade", "--env", "staging"]).exits(0);
    project.configure(&format!("{HIERARCHY} = {{ mode = \"skip\" }}\n"));
    project.run(&["downgrade", "base"]).exits(0);
    assert_eq!(project.tables(), [""; 0]);
}

#[test]
fn off_says_nothing() {
    let project = mode("off");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn   lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn   lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn   lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      applied   start   Revision start   [TIME]
      applied   staged  Revision staged  [TIME]
      applied   after   Revision after   [TIME]
    Done: 3 applied in [TIME]
    --- stderr
    ");
}

#[test]
fn an_unknown_mode_is_refused() {
    let project = mode("strickt");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db              SQLite [VERSION]
      environment  development (level unknown)
      plan         3 steps, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      warn  lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn  lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn  lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      deny  environment-hierarchy [VERSION]  the plugin has wrong settings: `mode`: unknown variant `strickt`, expected one of `warn`, `strict`, `skip`, `off`
      deny  production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed. (no policy says that this is not production)
    --- stderr
    error: refused by `environment-hierarchy`: the plugin has wrong settings: `mode`: unknown variant `strickt`, expected one of `warn`, `strict`, `skip`, `off`
           refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed. (no policy says that this is not production)

      help: correct the settings of `environment-hierarchy`: `runner plugin list` shows in which table each of them stands
      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

fn with(variables: &[(&str, &str)]) -> (Run, usize) {
    let project = staged();
    let run = project.run_with(variables, &["upgrade"]);
    let tables = if run.code == 0 { project.tables().len() } else { 0 };
    (run, tables)
}

#[test]
fn variables_change_the_mode() {
    for name in ["RUNNER_STRICT_ENV", "ALEMBIC_STRICT_ENV"] {
        let (run, _) = with(&[(name, "true")]);
        assert_eq!(run.code, 3, "{name}: {run}");
        assert!(run.stderr.contains("is for staging"), "{name}: {run}");
    }
    for name in ["RUNNER_VALIDATE_ENV", "ALEMBIC_VALIDATE_ENV"] {
        let (run, tables) = with(&[(name, "false")]);
        assert_eq!((run.code, tables), (0, 3), "{name}: {run}");
        assert!(!run.stdout.contains("warn   environment-hierarchy"), "{name}: {run}");
    }
    let (run, _) = with(&[("RUNNER_STRICT_ENV", "false"), ("ALEMBIC_STRICT_ENV", "true")]);
    assert_eq!(run.code, 0, "our own variable wins over that of Alembic: {run}");
}

#[test]
fn a_variable_that_means_nothing_is_refused() {
    snapshot!(with(&[("RUNNER_STRICT_ENV", "perhaps")]).0, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn   lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn   lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn   lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      deny   environment-hierarchy [VERSION]  `RUNNER_STRICT_ENV` must be `true` or `false`, not `perhaps`
    --- stderr
    error: refused by `environment-hierarchy`: `RUNNER_STRICT_ENV` must be `true` or `false`, not `perhaps`

      help: nothing was changed
    ");
}

#[test]
fn variables_that_contradict_each_other_are_refused() {
    snapshot!(with(&[("RUNNER_VALIDATE_ENV", "false"), ("RUNNER_STRICT_ENV", "true")]).0, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn   lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn   lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn   lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      deny   environment-hierarchy [VERSION]  `RUNNER_VALIDATE_ENV` turns the check off and `RUNNER_STRICT_ENV` makes it strict
    --- stderr
    error: refused by `environment-hierarchy`: `RUNNER_VALIDATE_ENV` turns the check off and `RUNNER_STRICT_ENV` makes it strict

      help: unset one of them
      help: nothing was changed
    ");
}

#[test]
fn a_variable_that_is_not_granted_does_not_count() {
    let project = staged();
    project.configure("[plugins.environment-hierarchy]\ngrants = { env = [] }\n");
    let run = project.run_with(&[("RUNNER_STRICT_ENV", "true")], &["upgrade"]).exits(0);
    assert!(run.stdout.contains("  warn "), "{run}");
}

#[test]
fn exact_tags_are_skipped_elsewhere_in_every_mode() {
    for (mode, environment) in [
        ("warn", "production"),
        ("strict", "production"),
        ("skip", "production"),
        ("off", "production"),
        ("strict", "staging"),
        ("off", "local"),
    ] {
        let project = Project::linear(1);
        project.revision(
            "samples",
            "r0001",
            "Env: =development, =test",
            "INSERT INTO t0001 VALUES (1, 'x');",
            "DELETE FROM t0001;",
        );
        project.configure(&format!("{HIERARCHY} = {{ mode = \"{mode}\" }}\n"));
        project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["upgrade", "--env", environment]).exits(0);
        assert_eq!(project.query("SELECT count(*) FROM t0001"), ["0"], "{mode} in {environment}");
        assert_eq!(project.ledger()[1], "samples | up | skipped", "{mode} in {environment}");
    }
    for environment in ["development", "dev", "test"] {
        let project = Project::linear(1);
        project.revision(
            "samples",
            "r0001",
            "Env: =development, =test",
            "INSERT INTO t0001 VALUES (1, 'x');",
            "DELETE FROM t0001;",
        );
        project.run(&["upgrade", "--env", environment]).exits(0);
        assert_eq!(project.query("SELECT count(*) FROM t0001"), ["1"], "{environment}");
    }
}

#[test]
fn exact_tags_are_skipped_even_when_validation_is_off() {
    let project = Project::linear(1);
    project.revision(
        "samples",
        "r0001",
        "Env: =development",
        "INSERT INTO t0001 VALUES (1, 'x');",
        "DELETE FROM t0001;",
    );
    let variables = [("ALLOW_PRODUCTION_MIGRATE", "true"), ("RUNNER_VALIDATE_ENV", "false")];
    snapshot!(project.run_with(&variables, &["upgrade", "--env", "production"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         2 steps, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]    ALLOW_PRODUCTION_MIGRATE=true overrides the protection of production
      skip   environment-hierarchy [VERSION]  samples is for development only, this is production
      applied   r0001    Revision r0001    [TIME]
      skipped   samples  Revision samples  is for development only, this is production
    Done: 1 applied, 1 skipped in [TIME]
    --- stderr
    ");
    assert_eq!(project.query("SELECT count(*) FROM t0001"), ["0"]);
}

#[test]
fn it_remarks_on_what_is_already_applied() {
    let project = staged();
    project.run(&["upgrade", "--env", "staging"]).exits(0);
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         0 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   environment-hierarchy [VERSION]  staged is already applied, but is for staging (level 30) and above, this is development (level 10)
    Nothing to do: the database is where it should be
    --- stderr
    ");
}

#[test]
fn levels_run_upwards() {
    let runs = |tag: &str, environment: &str| {
        let project = Project::empty();
        project.revision("only", "base", &format!("Env: {tag}"), "CREATE TABLE t (id INTEGER);", "DROP TABLE t;");
        project.configure(&format!("{HIERARCHY} = {{ mode = \"strict\" }}\n"));
        project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["upgrade", "--env", environment]).code
    };
    for (tag, environment, code) in [
        ("development", "production", 0),
        ("development", "development", 0),
        ("development", "local", 0),
        ("test", "development", 3),
        ("test", "staging", 0),
        ("staging", "test", 3),
        ("staging", "qa", 0),
        ("staging, production", "staging", 0),
        ("production, staging", "staging", 0),
        ("production", "staging", 3),
        ("prod", "production", 0),
        ("production", "main", 0),
        ("Production", "PRODUCTION", 0),
    ] {
        assert_eq!(runs(tag, environment), code, "`{tag}` in {environment}");
    }
}

#[test]
fn a_tag_that_is_no_environment_is_refused() {
    let project = Project::empty();
    project.revision("only", "base", "Env: stagging", "CREATE TABLE t (id INTEGER);", "DROP TABLE t;");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/only.sql:8:14: `t` has no primary key
      deny   environment-hierarchy [VERSION]  only is tagged `stagging`, which is not an environment
      deny   lint [VERSION]                   migrations/only.sql:5:9: is tagged `stagging`, which is not an environment
    --- stderr
    error: refused by `environment-hierarchy`: `only` is tagged `stagging`, which is not an environment
           refused by `lint`: migrations/only.sql:5:9: is tagged `stagging`, which is not an environment

      help: did you mean `staging`?
      help: did you mean `staging`?
      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn an_environment_that_nobody_knows_is_refused() {
    let project = staged();
    snapshot!(project.run(&["upgrade", "--env", "produktion"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db             SQLite [VERSION]
      environment  produktion (level unknown)
      plan         3 steps, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      warn  lint [VERSION]                   migrations/start.sql:7:14: `t_start` has no primary key
      warn  lint [VERSION]                   migrations/staged.sql:8:14: `t_staged` has no primary key
      warn  lint [VERSION]                   after runs in development, local, test, where `staged`, on which it builds, does not
      warn  lint [VERSION]                   migrations/after.sql:7:14: `t_after` has no primary key
      deny  environment-hierarchy [VERSION]  `produktion` is not an environment
      deny  production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed. (no policy says that this is not production)
    --- stderr
    error: refused by `environment-hierarchy`: `produktion` is not an environment
           refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed. (no policy says that this is not production)

      help: did you mean `production`? `runner environments` lists all
      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn the_command_line_wins_over_variables_and_those_over_the_file() {
    let project = Project::linear(1);
    project.write("runner.toml", "environment = \"test\"\n[database]\nurl = \"sqlite://app.db\"\n");
    let environment = |variables: &[(&str, &str)], arguments: &[&str]| {
        let arguments: Vec<&str> = ["plan", "--json"].iter().chain(arguments).copied().collect();
        project.run_with(variables, &arguments).exits(0).json()["environment"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(environment(&[], &[]), "test");
    assert_eq!(environment(&[("ENV", "staging")], &[]), "staging");
    assert_eq!(environment(&[("ENV", "staging"), ("ENVIRONMENT", "qa")], &[]), "qa");
    assert_eq!(environment(&[("ENV", "staging"), ("ENVIRONMENT", "qa")], &["--env", "prod"]), "production");
    assert_eq!(environment(&[("ENVIRONMENT", "")], &[]), "test");
    let default = Project::linear(1);
    assert_eq!(default.run(&["plan", "--json"]).json()["environment"]["name"], "development");
}

#[test]
fn exact_tags_need_somebody_who_decides() {
    let project = Project::empty();
    project.revision("seed", "base", "Env: =test", "CREATE TABLE seed (id INTEGER);", "DROP TABLE seed;");
    project.configure("[plugin-sets.none]\nplugins = []\n");
    snapshot!(project.run(&["upgrade", "--env", "test", "--plugins", "none"]), @r#"
    exit: 2
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db       SQLite [VERSION]
      environment  test (level unknown)
      plan         1 step, [HASH]
    --- stderr
    error: revision `seed` is for `=test` and nowhere else, and no enforced policy decides on environments; nothing was run

      help: put `environment-hierarchy`, or another policy with the role `environment`, into the plugin set, with `mode = "enforce"`
    "#);
    project.run(&["upgrade", "--dry-run", "--plugins", "none"]).exits(2);
    project.configure("[plugins.environment-hierarchy]\nmode = \"audit\"\n");
    let audited = project.run(&["upgrade"]).exits(3);
    assert!(audited.stderr.contains("no policy says that this is not production"), "{audited}");
    let audited = project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["upgrade"]).exits(2);
    assert!(audited.stderr.contains("no enforced policy decides on environments"), "{audited}");
    assert_eq!(project.leavings(), [""; 0]);
}
