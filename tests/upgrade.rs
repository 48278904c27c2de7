//! `runner upgrade`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn a_fresh_database_gets_everything_and_a_second_run_has_nothing_to_do() {
    let project = Project::linear(3);
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      applied   r0001  Revision r0001  [TIME]
      applied   r0002  Revision r0002  [TIME]
      applied   r0003  Revision r0003  [TIME]
    Done: 3 applied in [TIME]
    --- stderr
    ");
    assert_eq!(project.tables(), ["t0001", "t0002", "t0003"]);
    assert_eq!(project.versions(), ["r0003"]);
    assert_eq!(project.ledger(), ["r0001 | up | applied", "r0002 | up | applied", "r0003 | up | applied"]);
    let ledger = project.query("SELECT * FROM runner_ledger");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         0 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
    Nothing to do: the database is where it should be
    --- stderr
    ");
    assert_eq!(project.query("SELECT * FROM runner_ledger"), ledger, "nothing to do must write nothing");
}

#[test]
fn a_step_a_revision_and_the_rest() {
    let project = Project::linear(5);
    snapshot!(project.run(&["upgrade", "+1"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      applied   r0001  Revision r0001  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    ");
    project.run(&["upgrade", "+2"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
    project.run(&["upgrade", "r0004"]).exits(0);
    assert_eq!(project.versions(), ["r0004"]);
    snapshot!(project.run(&["upgrade", "r0002"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         0 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
    Nothing to do: the database is where it should be
    --- stderr
    ");
    project.run(&["upgrade", "head"]).exits(0);
    assert_eq!(project.versions(), ["r0005"]);
    snapshot!(project.run(&["upgrade", "+1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `+1` goes too far, only 0 of 1 steps are there

      help: take fewer steps, or type `head` or `base`
    ");
}

#[test]
fn branches_are_upgraded_one_by_one_or_together() {
    let project = Project::branched();
    snapshot!(project.run(&["upgrade", "billing@head"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/root.sql:7:14: `t_root` has no primary key
      warn   lint [VERSION]                   migrations/bill1.sql:8:14: `t_bill1` has no primary key
      warn   lint [VERSION]                   migrations/bill2.sql:7:14: `t_bill2` has no primary key
      applied   root   Revision root   [TIME]
      applied   bill1  Revision bill1  [TIME]
      applied   bill2  Revision bill2  [TIME]
    Done: 3 applied in [TIME]
    --- stderr
    ");
    assert_eq!(project.tables(), ["t_bill1", "t_bill2", "t_root"]);
    project.run(&["upgrade", "scheduling@+1"]).exits(0);
    assert_eq!(project.versions(), ["bill2", "sched1"]);
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["bill2", "sched2"]);

    let several = Project::branched();
    snapshot!(several.run(&["upgrade", "bill1", "sched1"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/root.sql:7:14: `t_root` has no primary key
      warn   lint [VERSION]                   migrations/bill1.sql:8:14: `t_bill1` has no primary key
      warn   lint [VERSION]                   migrations/sched1.sql:8:14: `t_sched1` has no primary key
      applied   root    Revision root    [TIME]
      applied   bill1   Revision bill1   [TIME]
      applied   sched1  Revision sched1  [TIME]
    Done: 3 applied in [TIME]
    --- stderr
    ");
    assert_eq!(several.versions(), ["bill1", "sched1"]);
}

#[test]
fn ambiguous_targets_list_the_candidates_and_change_nothing() {
    let project = Project::branched();
    project.run(&["upgrade", "root"]).exits(0);
    snapshot!(project.run(&["upgrade", "head"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `head` is ambiguous, there are several heads: `bill2`, `sched2`

      help: `bill2`  Revision bill2
      help: `sched2`  Revision sched2
      help: name one of them (such as `bill2`), narrow it down with `<label>@head`, or type `heads` for all; a revision whose `Revises:` names them all joins them
    ");
    snapshot!(project.run(&["upgrade", "+1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `+1` is ambiguous, `root` leads to several revisions: `bill1`, `sched1`

      help: `bill1`  Revision bill1
      help: `sched1`  Revision sched1
      help: name the revision to go to (such as `bill1`), or the branch to follow: `<label>@+1`
    ");
    project.revision("bill1extra", "bill2", "", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["upgrade", "bill"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: several revisions start with `bill`: `bill1`, `bill1extra`, `bill2`

      help: `bill1`  Revision bill1
      help: `bill1extra`  Revision bill1extra
      help: `bill2`  Revision bill2
      help: type more characters of the id
    ");
    assert_eq!(project.versions(), ["root"]);
}

#[test]
fn targets_that_are_not_there() {
    let project = Project::linear(2);
    snapshot!(project.run(&["upgrade", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    snapshot!(project.run(&["upgrade", "r00"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `r00`

      help: type at least 4 characters of a revision's id
    ");
    snapshot!(project.run(&["upgrade", "+9"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `+9` goes too far, only 2 of 9 steps are there

      help: take fewer steps, or type `head` or `base`
    ");
    snapshot!(project.run(&["upgrade", "-1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `-1` leads down from where the database is

      help: use `downgrade` to go down, or `+N` to go up
    ");
    snapshot!(project.run(&["upgrade", "no@such@thing"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `no@such@thing` does not name a revision: `such@thing` contains `@`, only letters, digits, `_` and `.` are allowed

      help: write `head`, `heads`, `base`, `current`, an id, a label, `label@head`, `+1`, `-1` or `id+1`
    ");
    assert_eq!(project.leavings(), [""; 0], "a target that is wrong must not create the database");
}

#[test]
fn a_dry_run_writes_nothing_at_all() {
    let project = Project::linear(2);
    snapshot!(project.run(&["upgrade", "--dry-run"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      up  r0001  Revision r0001
      up  r0002  Revision r0002
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    project.run(&["upgrade", "--dry-run", "--json"]).exits(0);
    assert_eq!(project.leavings(), [""; 0]);

    project.run(&["upgrade", "+1"]).exits(0);
    let before = std::fs::read(project.path("app.db")).unwrap();
    project.run(&["upgrade", "--dry-run"]).exits(0);
    assert!(std::fs::read(project.path("app.db")).unwrap() == before, "a dry run changed the database file");
}

#[test]
fn json_is_one_document_on_stdout() {
    let project = Project::linear(1);
    snapshot!(project.run(&["upgrade", "--json"]), @r#"
    exit: 0
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
          "revision": "r0001",
          "direction": "up",
          "message": "Revision r0001",
          "status": "applied",
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
      "outcome": "applied"
    }
    --- stderr
    "#);
    let again = project.run(&["upgrade", "--json"]).exits(0).json();
    assert_eq!(again["outcome"], "nothing_to_do");
    assert_eq!(again["steps"], serde_json::json!([]));
}

#[test]
fn json_of_a_dry_run_is_that_of_a_plan_without_the_request() {
    let project = Project::linear(2);
    let dry = project.run(&["upgrade", "--dry-run", "--json"]).exits(0).json();
    let mut plan = project.run(&["plan", "--json"]).exits(0).json();
    assert!(plan.as_object_mut().unwrap().remove("request").is_some());
    assert_eq!(dry, plan);
    assert_eq!(
        dry["steps"][0],
        serde_json::json!({ "revision": "r0001", "direction": "up", "message": "Revision r0001" })
    );
}

/// The list of targets once swallowed every option after it.
#[test]
fn options_may_follow_the_targets() {
    let project = Project::linear(3);
    for arguments in [
        &["plan", "r0001", "--json"][..],
        &["plan", "r0001", "--env", "test"],
        &["upgrade", "r0001", "--dry-run"],
        &["upgrade", "+1", "r0001", "--dry-run", "--quiet"],
        &["stamp", "r0001", "--dry-run", "--json"],
        &["upgrade", "r0001", "-v"],
        &["downgrade", "-1", "--lock-wait", "5s", "--json"],
    ] {
        project.run(arguments).exits(0);
    }
}

#[test]
fn targets_of_which_one_is_part_of_the_other() {
    snapshot!(Project::linear(3).run(&["upgrade", "r0001", "head"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `r0001` is part of `r0003`, and both are asked for

      help: name `r0003` alone: it brings the other one with it
    ");
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    snapshot!(Project::linear(1).run(&["upgrade", "--quiet"]), @"
    exit: 0
    --- stdout
    --- stderr
    ");
}

#[test]
fn colour_is_only_for_terminals_unless_asked_for() {
    let escape = '\u{1b}';
    assert!(!Project::linear(1).run(&["upgrade"]).stdout.contains(escape));
    assert!(Project::linear(1).run(&["upgrade", "--color", "always"]).stdout.contains(escape));
    assert!(!Project::linear(1).run(&["upgrade", "--color", "never"]).stdout.contains(escape));
}

#[test]
fn renaming_a_file_changes_neither_order_nor_plan() {
    let project = Project::branched();
    let before = project.run(&["plan", "--json"]).exits(0).json();
    std::fs::rename(project.path("migrations/bill1.sql"), project.path("migrations/zzz.sql")).unwrap();
    let after = project.run(&["plan", "--json"]).exits(0).json();
    assert_eq!(before["steps"], after["steps"]);
    assert_eq!(before["plan_hash"], after["plan_hash"]);
}
