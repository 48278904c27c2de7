//! `runner plan`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn text_shows_steps_and_writes_nothing() {
    let project = Project::branched();
    snapshot!(project.run(&["plan"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         5 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/root.sql:7:14: `t_root` has no primary key
      warn   lint [VERSION]                   migrations/bill1.sql:8:14: `t_bill1` has no primary key
      warn   lint [VERSION]                   migrations/bill2.sql:7:14: `t_bill2` has no primary key
      warn   lint [VERSION]                   migrations/sched1.sql:8:14: `t_sched1` has no primary key
      warn   lint [VERSION]                   migrations/sched2.sql:7:14: `t_sched2` has no primary key
      up  root    Revision root
      up  bill1   Revision bill1
      up  bill2   Revision bill2
      up  sched1  Revision sched1
      up  sched2  Revision sched2
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    snapshot!(project.run(&["plan", "billing@head"]), @"
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
      up  root   Revision root
      up  bill1  Revision bill1
      up  bill2  Revision bill2
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn nothing_to_do() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["plan"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         0 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
}

#[test]
fn json_has_the_documented_shape() {
    let project = Project::linear(1);
    project.revision("staged", "r0001", "Env: staging", "CREATE TABLE s (id INTEGER);", "DROP TABLE s;");
    snapshot!(project.run(&["plan", "--json"]), @r#"
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
          "message": "Revision r0001"
        },
        {
          "revision": "staged",
          "direction": "up",
          "message": "Revision staged"
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
          "decision": "warn",
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
          "message": "`s` has no primary key",
          "file": "migrations/staged.sql",
          "line": 8,
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
      "outcome": "allowed",
      "request": {
        "context": {
          "operation": "Upgrade",
          "dry_run": true,
          "now": {
            "seconds": "[TIME]",
            "nanoseconds": "[TIME]"
          },
          "actor": {
            "name": "tester",
            "host": "[HOST]"
          },
          "target": {
            "dialect": "Sqlite",
            "name": "sqlite://app.db",
            "server_version": "[VERSION]"
          },
          "environment": {
            "name": "development",
            "level": 10,
            "production": false
          },
          "settings": "{}",
          "variables": []
        },
        "plan": {
          "hash": "[HASH]",
          "steps": [
            {
              "revision": {
                "id": "r0001",
                "parents": [],
                "depends_on": [],
                "labels": [],
                "title": "Revision r0001",
                "description": "",
                "created": null,
                "environments": [],
                "file": "migrations/r0001.sql",
                "transactional": true
              },
              "direction": "Up",
              "statements": [
                {
                  "text": "CREATE TABLE t0001 (id INTEGER PRIMARY KEY, name TEXT)",
                  "line": 7,
                  "column": 1
                }
              ],
              "recorded": null,
              "skipped": false
            },
            {
              "revision": {
                "id": "staged",
                "parents": [
                  "r0001"
                ],
                "depends_on": [],
                "labels": [],
                "title": "Revision staged",
                "description": "",
                "created": null,
                "environments": [
                  {
                    "name": "staging",
                    "exact": false
                  }
                ],
                "file": "migrations/staged.sql",
                "transactional": true
              },
              "direction": "Up",
              "statements": [
                {
                  "text": "CREATE TABLE s (id INTEGER)",
                  "line": 8,
                  "column": 1
                }
              ],
              "recorded": null,
              "skipped": false
            }
          ]
        },
        "applied": [],
        "sources": [
          {
            "revision": {
              "id": "r0001",
              "parents": [],
              "depends_on": [],
              "labels": [],
              "title": "Revision r0001",
              "description": "",
              "created": null,
              "environments": [],
              "file": "migrations/r0001.sql",
              "transactional": true
            },
            "text": "-- Revision r0001\n--\n-- Revision ID: r0001\n-- Revises: base\n\n-- migrate:up\nCREATE TABLE t0001 (id INTEGER PRIMARY KEY, name TEXT);\n\n-- migrate:down\nDROP TABLE t0001;\n",
            "up": [
              {
                "text": "CREATE TABLE t0001 (id INTEGER PRIMARY KEY, name TEXT)",
                "line": 7,
                "column": 1
              }
            ],
            "down": [
              {
                "text": "DROP TABLE t0001",
                "line": 10,
                "column": 1
              }
            ],
            "planned": true
          },
          {
            "revision": {
              "id": "staged",
              "parents": [
                "r0001"
              ],
              "depends_on": [],
              "labels": [],
              "title": "Revision staged",
              "description": "",
              "created": null,
              "environments": [
                {
                  "name": "staging",
                  "exact": false
                }
              ],
              "file": "migrations/staged.sql",
              "transactional": true
            },
            "text": "-- Revision staged\n--\n-- Revision ID: staged\n-- Revises: r0001\n-- Env: staging\n\n-- migrate:up\nCREATE TABLE s (id INTEGER);\n\n-- migrate:down\nDROP TABLE s;\n",
            "up": [
              {
                "text": "CREATE TABLE s (id INTEGER)",
                "line": 8,
                "column": 1
              }
            ],
            "down": [
              {
                "text": "DROP TABLE s",
                "line": 11,
                "column": 1
              }
            ],
            "planned": true
          }
        ],
        "lint": {
          "surroundings": [
            {
              "sections": [
                {
                  "direction": "Up",
                  "dialects": [],
                  "line": 6
                },
                {
                  "direction": "Down",
                  "dialects": [],
                  "line": 9
                }
              ],
              "parents": [],
              "siblings": [],
              "other_heads": [],
              "applied": false,
              "notes": []
            },
            {
              "sections": [
                {
                  "direction": "Up",
                  "dialects": [],
                  "line": 7
                },
                {
                  "direction": "Down",
                  "dialects": [],
                  "line": 10
                }
              ],
              "parents": [
                {
                  "id": "r0001",
                  "file": "migrations/r0001.sql",
                  "environments": []
                }
              ],
              "siblings": [],
              "other_heads": [],
              "applied": false,
              "notes": []
            }
          ],
          "lock_timeout_ms": null,
          "statement_timeout_ms": null
        }
      }
    }
    --- stderr
    "#);
}

#[test]
fn the_hash_is_the_same_in_every_run_and_that_of_the_upgrade() {
    let project = Project::linear(3);
    let plan = project.run(&["plan", "--json"]).exits(0).json();
    let hash = plan["plan_hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64);
    assert_eq!(project.run(&["plan", "--json"]).json()["plan_hash"], hash);
    let shown = project.run(&["plan"]).stdout;
    assert!(shown.contains(hash), "the text does not show `{hash}`:\n{shown}");
    assert_eq!(project.run(&["upgrade", "--json"]).json()["plan_hash"], hash);
    let evidence = project.query("SELECT verdicts FROM runner_ledger WHERE status = 'run'");
    assert!(evidence[0].contains(hash), "the ledger does not hold the hash of the plan");
}

#[test]
fn the_hash_changes_with_the_sql_the_environment_the_target_and_the_steps() {
    let project = Project::linear(3);
    let hash = |arguments: &[&str]| project.run(arguments).exits(0).json()["plan_hash"].as_str().unwrap().to_owned();
    let mut hashes = vec![
        hash(&["plan", "--json"]),
        hash(&["plan", "--json", "r0002"]),
        hash(&["plan", "--json", "--env", "test"]),
        hash(&["plan", "--json", "--database-url", "sqlite://other.db"]),
    ];
    project.edit("migrations/r0003.sql", "name TEXT", "name VARCHAR");
    hashes.push(hash(&["plan", "--json"]));
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count, "two different plans have one hash");
}

#[test]
fn a_plan_that_is_refused_still_shows_its_hash() {
    let project = Project::linear(1);
    snapshot!(project.run(&["plan", "--env", "production", "--plugins", "strict-prod"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  production (level 100)
      plan         1 step, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  environment-hierarchy [VERSION]  production (level 100)
      allow  lint [VERSION]                   no findings
      allow  change-window [VERSION]
      deny   production-override [VERSION]    Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.
      up  r0001  Revision r0001
    The plan's hash is [HASH]
    --- stderr
    error: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE to the hash of the approved plan to proceed.

      help: `runner plan` prints the plan and its hash
      help: nothing was changed
    ");
    let json = project.run(&["plan", "--env", "production", "--plugins", "strict-prod", "--json"]).exits(0).json();
    assert_eq!(json["outcome"], "denied");
}

#[test]
fn wrong_targets() {
    let project = Project::linear(1);
    snapshot!(project.run(&["plan", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    snapshot!(project.run(&["plan", "--json", "nowhere"]), @r#"
    exit: 1
    --- stdout
    {
      "error": {
        "help": "`runner history` lists all revisions",
        "kind": "selector",
        "message": "no revision or label `nowhere`"
      }
    }
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    "#);
}
