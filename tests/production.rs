//! The policy `production-override`: production is changed only with an explicit approval.

use crate::harness::Project;
use crate::snapshot;

const WORDS: &str = "Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.";
const NOTICE: &str = "PRODUCTION DATABASE, proceed with caution";
const APPROVED: (&str, &str) = ("ALLOW_PRODUCTION_MIGRATE", "true");

#[test]
fn an_upgrade_is_refused_and_touches_nothing() {
    let project = Project::linear(1);
    snapshot!(project.run(&["upgrade", "--env", "production"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         1 step, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      deny   production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.

      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0]);
    snapshot!(project.run(&["upgrade", "--env", "production", "--json"]), @r#"
    exit: 3
    --- stdout
    {
      "target": {
        "dialect": "sqlite",
        "name": "sqlite://app.db",
        "server": "SQLite [VERSION]"
      },
      "environment": {
        "name": "production",
        "level": 100,
        "production": true
      },
      "plan_hash": "[HASH]",
      "steps": [
        {
          "revision": "r0001",
          "direction": "up",
          "message": "Revision r0001",
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
          "message": "production (level 100)",
          "file": null,
          "line": null,
          "column": null
        },
        {
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "allow",
          "revision": null,
          "rule": null,
          "severity": null,
          "message": "no findings",
          "file": null,
          "line": null,
          "column": null
        },
        {
          "plugin": "production-override",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "gate",
          "decision": "deny",
          "revision": null,
          "rule": "production-override",
          "severity": null,
          "message": "Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.",
          "file": null,
          "line": null,
          "column": null
        }
      ],
      "outcome": "denied"
    }
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.

      help: nothing was changed
    "#);
}

#[test]
fn an_upgrade_with_an_approval() {
    let project = Project::linear(1);
    snapshot!(project.run_with(&[APPROVED], &["upgrade", "--env", "production"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         1 step, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]    ALLOW_PRODUCTION_MIGRATE=true overrides the protection of production
      applied   r0001  Revision r0001  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    ");
}

#[test]
fn upgrade_downgrade_and_stamp_are_refused_in_the_same_words() {
    let project = Project::linear(3);
    project.run_with(&[APPROVED], &["upgrade", "--env", "production", "r0002"]).exits(0);
    let before = project.query("SELECT * FROM runner_ledger");
    for arguments in [
        &["upgrade", "--env", "production"][..],
        &["downgrade", "-1", "--env", "production"],
        &["stamp", "--env", "production", "r0001"],
        &["upgrade", "--env", "prod"],
        &["upgrade", "--env", "main"],
        &["upgrade", "--env", "production", "--yes"],
        &["upgrade", "--env", "production", "--dry-run"],
    ] {
        let run = project.run(arguments).exits(3);
        assert!(run.stderr.contains(WORDS), "{arguments:?}: {run}");
        assert!(run.stdout.contains(NOTICE), "{arguments:?}: {run}");
    }
    assert_eq!(project.query("SELECT * FROM runner_ledger"), before);
    assert_eq!(project.versions(), ["r0002"]);
    snapshot!(project.run(&["downgrade", "-1", "--env", "production"]), @"
    exit: 3
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         1 step, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      deny   production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.

      help: nothing was changed
    ");
}

#[test]
fn only_true_is_an_approval() {
    let project = Project::linear(1);
    for value in ["", "1", "yes", "false", "trueish"] {
        project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", value)], &["upgrade", "--env", "production"]).exits(3);
    }
    snapshot!(project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "yes")], &["upgrade", "--env", "production"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         1 step, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      deny   production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.

      help: `ALLOW_PRODUCTION_MIGRATE` is set to `yes`; only `true` or the hash of this plan counts
      help: nothing was changed
    ");
    project.run_with(&[APPROVED], &["upgrade", "--env", "production"]).exits(0);
}

#[test]
fn nothing_to_do_needs_no_approval() {
    let project = Project::linear(1);
    project.run_with(&[APPROVED], &["upgrade", "--env", "production"]).exits(0);
    let run = project.run(&["upgrade", "--env", "production"]).exits(0);
    assert!(run.stdout.contains(NOTICE) && run.stdout.contains("Nothing to do"), "{run}");
}

#[test]
fn strict_prod_wants_the_hash_of_the_plan() {
    let project = Project::linear(2);
    let strict = |command: &str, more: &[&str], approval: Option<&str>| {
        let mut arguments = vec![command, "--env", "production", "--plugins", "strict-prod"];
        arguments.extend(more);
        let variables: Vec<_> = approval.map(|value| ("ALLOW_PRODUCTION_MIGRATE", value)).into_iter().collect();
        project.run_with(&variables, &arguments)
    };
    let hash = |more: &[&str]| {
        let more: Vec<&str> = ["--json"].iter().chain(more).copied().collect();
        strict("plan", &more, None).exits(0).json()["plan_hash"].as_str().unwrap().to_owned()
    };
    let (whole, first) = (hash(&[]), hash(&["+1"]));
    snapshot!(strict("upgrade", &[], None), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         2 steps, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      allow  change-window [VERSION]
      deny   production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.

      help: `runner plan` prints the plan and its hash
      help: nothing was changed
    ");
    snapshot!(strict("upgrade", &[], Some("true")), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         2 steps, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      allow  change-window [VERSION]
      deny   production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.

      help: `ALLOW_PRODUCTION_MIGRATE` is set to `true`, which is not the hash of this plan; `runner plan` prints the plan and its hash
      help: nothing was changed
    ");
    strict("upgrade", &[], Some(&first)).exits(3);
    strict("upgrade", &["+1"], Some(&whole)).exits(3);
    assert_eq!(project.leavings(), [""; 0]);

    strict("upgrade", &["+1"], Some(&first)).exits(0);
    strict("upgrade", &[], Some(&first)).exits(3);
    strict("upgrade", &[], Some(&whole)).exits(3);
    let rest = hash(&[]);
    strict("downgrade", &["base"], Some(&rest)).exits(3);
    project.edit("migrations/r0002.sql", "name TEXT", "name VARCHAR");
    strict("upgrade", &[], Some(&rest)).exits(3);
    strict("upgrade", &[], Some(&hash(&[]))).exits(0);
    assert_eq!(project.versions(), ["r0002"]);
}

#[test]
fn sql_behind_a_comment_makes_another_plan() {
    let project = Project::linear(1);
    let hash =
        || project.run(&["plan", "--env", "production", "--json"]).json()["plan_hash"].as_str().unwrap().to_owned();
    let approved = hash();
    project.edit("migrations/r0001.sql", "CREATE TABLE t0001", "-- harmless\nDELETE FROM t0001; CREATE TABLE t0001");
    assert_ne!(hash(), approved, "an approval would cover SQL that nobody has seen");
}

#[test]
fn strict_prod_has_the_hierarchy_strict() {
    let project = Project::empty();
    project.revision("only", "base", "Env: production", "CREATE TABLE t (id INTEGER);", "DROP TABLE t;");
    snapshot!(project.run(&["upgrade", "--env", "staging", "--plugins", "strict-prod"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db       SQLite [VERSION]
      environment  staging (level 30)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  staging (level 30)
      allow  production-override [VERSION]
      allow  change-window [VERSION]
      warn   lint [VERSION]                   migrations/only.sql:8:14: `t` has no primary key
      deny   environment-hierarchy [VERSION]  only is for production (level 100) and above, this is staging (level 30)
    --- stderr
    error: refused by `environment-hierarchy`: `only` is for production (level 100) and above, this is staging (level 30)

      help: run it in the right environment, or change the `Env:` of the revision
      help: nothing was changed
    ");
    let by_variable = project.run_with(&[("RUNNER_PLUGINS", "strict-prod")], &["upgrade", "--env", "staging"]);
    assert_eq!(by_variable.code, 3, "{by_variable}");
}

#[test]
fn skipping_a_revision_makes_another_plan() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "Env: production", "CREATE TABLE t0002 (id INTEGER);", "DROP TABLE t0002;");
    let hash = |mode: &str| {
        project.configure(&format!("[plugins.environment-hierarchy]\nsettings = {{ mode = \"{mode}\" }}\n"));
        project.run(&["plan", "--env", "staging", "--json"]).json()["plan_hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("warn"), hash("off"), "the same is done");
    let skipped = hash("skip");
    assert_ne!(skipped, hash("warn"), "an approval of skipping must not cover running");
    project.configure("[plugins.environment-hierarchy]\nsettings = { mode = \"skip\" }\n");
    let ran = project.run(&["upgrade", "--env", "staging", "--json"]).exits(0).json();
    assert_eq!(ran["plan_hash"], skipped.as_str());
    let recorded =
        project.query("SELECT json_extract(verdicts, '$.plan_hash') FROM runner_ledger WHERE status = 'run'");
    assert_eq!(recorded, [skipped]);
}

#[test]
fn undoing_what_was_skipped_is_another_plan_than_undoing_what_ran() {
    let hash = |environment: &str| {
        let project = Project::empty();
        project.revision("only", "base", "Env: =test", "CREATE TABLE t (id INTEGER);", "DROP TABLE t;");
        project.run(&["upgrade", "--env", environment]).exits(0);
        project.run(&["downgrade", "base", "--env", "test", "--dry-run", "--json"]).json()["plan_hash"].clone()
    };
    assert_ne!(hash("test"), hash("staging"));
}
