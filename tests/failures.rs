//! Statements that fail: what is said, and what is left.

use crate::harness::Project;
use crate::snapshot;

fn failing() -> Project {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "",
        "CREATE TABLE left_over (id INTEGER);\n\nINSERT INTO t0001\n    (id, nmae)\nVALUES (1, 'x');",
        "SELECT 1;",
    );
    project.table_revision(3);
    project
}

#[test]
fn the_failed_revision_leaves_nothing_and_those_before_stay() {
    let project = failing();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:7:14: `left_over` has no primary key
      warn   lint [VERSION]                   migrations/r0002.sql:9:1: changes rows in a revision that changes tables as well
      warn   lint [VERSION]                   migrations/r0002.sql:9:1: changes rows of `t0001`, and the down section does not change them back
      applied   r0001  Revision r0001  [TIME]
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    error: table t0001 has no column named nmae (SQLITE_ERROR)
      --> migrations/r0002.sql:9:1
       |
     9 | INSERT INTO t0001
       | ^^^^^^^^^^^^^^^^^
    10 |     (id, nmae)
    11 | VALUES (1, 'x')
       |

    error: revision `r0002` failed at statement 2: table t0001 has no column named nmae

      help: revision `r0002` was rolled back; everything before it stays applied
    ");
    assert_eq!(project.tables(), ["t0001"]);
    assert_eq!(project.versions(), ["r0001"]);
    assert_eq!(project.ledger(), ["r0001 | up | applied", "r0002 | up | failed"]);
    let log = project.run(&["log"]).exits(0);
    assert!(log.stdout.contains("nmae"), "the log does not say why: {log}");
    assert_eq!(project.leavings(), ["app.db"]);

    project.edit("migrations/r0002.sql", "nmae", "name");
    project.run(&["upgrade"]).exits(0);
    project.run(&["check"]).exits(0);
}

#[test]
fn json_of_a_failure() {
    snapshot!(failing().run(&["upgrade", "--json"]), @r#"
    exit: 1
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
        },
        {
          "revision": "r0002",
          "direction": "up",
          "message": "Revision r0002",
          "status": "failed",
          "duration_ms": "[TIME]"
        },
        {
          "revision": "r0003",
          "direction": "up",
          "message": "Revision r0003",
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
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "r0002",
          "rule": "missing-primary-key",
          "severity": "warning",
          "message": "`left_over` has no primary key",
          "file": "migrations/r0002.sql",
          "line": 7,
          "column": 14
        },
        {
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "r0002",
          "rule": "mixed-schema-and-data",
          "severity": "warning",
          "message": "changes rows in a revision that changes tables as well",
          "file": "migrations/r0002.sql",
          "line": 9,
          "column": 1
        },
        {
          "plugin": "lint",
          "version": "[VERSION]",
          "digest": "sha256:[DIGEST]",
          "role": "lint",
          "decision": "warn",
          "revision": "r0002",
          "rule": "raw-sql-without-downgrade",
          "severity": "warning",
          "message": "changes rows of `t0001`, and the down section does not change them back",
          "file": "migrations/r0002.sql",
          "line": 9,
          "column": 1
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
      "outcome": "failed",
      "error": {
        "kind": "statement",
        "message": "revision `r0002` failed at statement 2: table t0001 has no column named nmae",
        "help": "revision `r0002` was rolled back; everything before it stays applied",
        "problems": [
          {
            "column": 1,
            "file": "migrations/r0002.sql",
            "help": null,
            "line": 9,
            "message": "table t0001 has no column named nmae (SQLITE_ERROR)"
          }
        ]
      }
    }
    --- stderr
    error: table t0001 has no column named nmae (SQLITE_ERROR)
      --> migrations/r0002.sql:9:1
       |
     9 | INSERT INTO t0001
       | ^^^^^^^^^^^^^^^^^
    10 |     (id, nmae)
    11 | VALUES (1, 'x')
       |

    error: revision `r0002` failed at statement 2: table t0001 has no column named nmae

      help: revision `r0002` was rolled back; everything before it stays applied
    "#);
}

#[test]
fn a_broken_constraint() {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "",
        "INSERT INTO t0001 VALUES (1, 'a');\nINSERT INTO t0001 VALUES (1, 'b');",
        "SELECT 1;",
    );
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:7:1: changes rows of `t0001`, and the down section does not change them back
      applied   r0001  Revision r0001  [TIME]
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    error: UNIQUE constraint failed: t0001.id (SQLITE_CONSTRAINT_PRIMARYKEY)
     --> migrations/r0002.sql:8:1
      |
    8 | INSERT INTO t0001 VALUES (1, 'b');
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: revision `r0002` failed at statement 2: UNIQUE constraint failed: t0001.id

      help: revision `r0002` was rolled back; everything before it stays applied
    ");
    assert_eq!(project.query("SELECT count(*) FROM t0001"), ["0"]);
}

#[test]
fn a_syntax_error() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "CREATE TABEL x (id INTEGER);", "SELECT 1;");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:7:8: not understood: expected what can be created, such as `TABLE`
      applied   r0001  Revision r0001  [TIME]
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    error: near "TABEL": syntax error (SQLITE_ERROR)
     --> migrations/r0002.sql:7:8
      |
    7 | CREATE TABEL x (id INTEGER);
      |        ^

    error: revision `r0002` failed at statement 1: near "TABEL": syntax error

      help: revision `r0002` was rolled back; everything before it stays applied
    "#);
}

#[test]
fn a_way_down_that_fails() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "CREATE TABLE a (id INTEGER);", "DROP TABLE a;\nDROP TABLE b;");
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["downgrade", "base"]), @"
    exit: 1
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    error: no such table: b (SQLITE_ERROR)
      --> migrations/r0002.sql:11:12
       |
    11 | DROP TABLE b;
       |            ^

    error: revision `r0002` failed at statement 2: no such table: b

      help: revision `r0002` is still applied; what was undone before it stays undone
    ");
    assert_eq!((project.versions(), project.tables().len()), (vec!["r0002".to_owned()], 2));
    assert_eq!(project.ledger().last().unwrap(), "r0002 | down | failed");
}

#[test]
fn a_statement_of_several_lines_is_shown_whole() {
    let run = failing().run(&["upgrade"]).exits(1);
    for line in ["INSERT INTO t0001", "    (id, nmae)", "VALUES (1, 'x')"] {
        assert!(run.stderr.contains(line), "`{line}` of the statement is not shown: {run}");
    }
}

#[test]
fn a_failing_way_down_does_not_say_that_what_came_before_is_applied() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "CREATE TABLE a (id INTEGER);", "DROP TABLE b;");
    project.table_revision(3);
    project.run(&["upgrade"]).exits(0);
    let run = project.run(&["downgrade", "base"]).exits(1);
    assert_eq!(project.versions(), ["r0002"]);
    assert!(!run.stderr.contains("everything before it stays applied"), "`r0003` was undone: {run}");
}
