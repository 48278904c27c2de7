//! `runner history`, `runner heads` and `runner show`: what the files say.

use crate::harness::Project;
use crate::snapshot;

fn merged() -> Project {
    let project = Project::branched();
    project.revision(
        "joined",
        "bill2, sched2",
        "Env: staging, production\nCreate Date: 2026-01-02T03:04:05Z",
        "SELECT 1;",
        "SELECT 1;",
    );
    project
}

#[test]
fn history_is_newest_first() {
    snapshot!(merged().run(&["history"]), @"
    exit: 0
    --- stdout
    bill2, sched2 -> joined [staging, production] (head) (mergepoint), Revision joined
    sched1 -> sched2, Revision sched2
    root -> sched1 (scheduling), Revision sched1
    bill1 -> bill2, Revision bill2
    root -> bill1 (billing), Revision bill1
    <base> -> root (branchpoint), Revision root
    --- stderr
    ");
    snapshot!(Project::linear(2).run(&["history", "-v"]), @"
    exit: 0
    --- stdout
    Rev: r0002 (head)
    Parent: r0001
    Path: migrations/r0002.sql

        Revision r0002

    Rev: r0001
    Parent: <base>
    Path: migrations/r0001.sql

        Revision r0001

    --- stderr
    ");
}

#[test]
fn a_part_of_the_history() {
    let project = Project::linear(5);
    snapshot!(project.run(&["history", "-r", "r0002:r0004"]), @"
    exit: 0
    --- stdout
    r0003 -> r0004, Revision r0004
    r0002 -> r0003, Revision r0003
    r0001 -> r0002, Revision r0002
    --- stderr
    ");
    snapshot!(project.run(&["history", "-r", ":r0002"]), @"
    exit: 0
    --- stdout
    r0001 -> r0002, Revision r0002
    <base> -> r0001, Revision r0001
    --- stderr
    ");
    snapshot!(project.run(&["history", "-r", "r0004:"]), @"
    exit: 0
    --- stdout
    r0004 -> r0005 (head), Revision r0005
    r0003 -> r0004, Revision r0004
    --- stderr
    ");
    snapshot!(project.run(&["history", "-r", "nowhere:head"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    snapshot!(project.run(&["history", "-r", "r0002"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'r0002' for '--rev-range <FROM:TO>': `r0002` does not name a revision: a range has a `:`

    For more information, try '--help'.
    ");
}

#[test]
fn a_part_of_the_history_relative_to_the_database() {
    let project = Project::linear(5);
    project.run(&["upgrade", "r0003"]).exits(0);
    let lines = |range: &str| project.run(&["history", "-r", range]).exits(0).stdout.lines().count();
    assert_eq!(lines("-2:current"), 3);
    assert_eq!(lines("current:"), 3);
    assert_eq!(lines("current:+1"), 2);
    snapshot!(project.run(&["history", "-r", "-1:+1"]), @"
    exit: 0
    --- stdout
    r0003 -> r0004, Revision r0004
    r0002 -> r0003 (current), Revision r0003
    r0001 -> r0002, Revision r0002
    --- stderr
    ");
}

#[test]
fn json_of_the_history_has_the_documented_shape() {
    let json = merged().run(&["history", "--json"]).exits(0).json();
    let ids: Vec<_> =
        json["revisions"].as_array().unwrap().iter().map(|rev| rev["revision"].as_str().unwrap()).collect();
    assert_eq!((ids[0], ids[5], ids.len()), ("joined", "root", 6));
    assert_eq!(
        json["revisions"][0],
        serde_json::json!({
            "revision": "joined", "parents": ["bill2", "sched2"], "depends_on": [], "branch_labels": [],
            "message": "Revision joined", "environments": ["staging", "production"], "created": "2026-01-02T03:04:05Z",
            "file": "migrations/joined.sql", "is_head": true, "is_base": false, "is_merge": true, "is_branch_point": false,
        })
    );
    let root = &json["revisions"][5];
    assert_eq!(
        (&root["is_base"], &root["is_branch_point"], &root["parents"]),
        (&true.into(), &true.into(), &serde_json::json!([]))
    );
    let labelled = json["revisions"].as_array().unwrap().iter().find(|rev| rev["revision"] == "bill1").unwrap();
    assert_eq!(labelled["branch_labels"], serde_json::json!(["billing"]));
}

#[test]
fn heads() {
    snapshot!(Project::branched().run(&["heads"]), @"
    exit: 0
    --- stdout
    bill1 -> bill2 (head), Revision bill2
    sched1 -> sched2 (head), Revision sched2
    --- stderr
    ");
    snapshot!(merged().run(&["heads"]), @"
    exit: 0
    --- stdout
    bill2, sched2 -> joined [staging, production] (head) (mergepoint), Revision joined
    --- stderr
    ");
    snapshot!(Project::linear(1).run(&["heads", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "heads": [
        {
          "branch_labels": [],
          "created": null,
          "depends_on": [],
          "environments": [],
          "file": "migrations/r0001.sql",
          "is_base": true,
          "is_branch_point": false,
          "is_head": true,
          "is_merge": false,
          "message": "Revision r0001",
          "parents": [],
          "revision": "r0001"
        }
      ]
    }
    --- stderr
    "#);
}

#[test]
fn show_tells_everything_of_one() {
    let project = merged();
    snapshot!(project.run(&["show", "head"]), @"
    exit: 0
    --- stdout
    Rev: joined [staging, production] (head) (mergepoint)
    Merges: bill2, sched2
    Environments: staging, production
    Created: [WHEN]
    Path: migrations/joined.sql

        Revision joined

    --- stderr
    ");
    snapshot!(project.run(&["show", "root"]), @"
    exit: 0
    --- stdout
    Rev: root (branchpoint)
    Parent: <base>
    Branches into: bill1, sched1
    Path: migrations/root.sql

        Revision root

    --- stderr
    ");
    snapshot!(project.run(&["show", "billing"]), @"
    exit: 0
    --- stdout
    Rev: bill1 (billing)
    Parent: root
    Branch names: billing
    Path: migrations/bill1.sql

        Revision bill1

    --- stderr
    ");
    snapshot!(Project::linear(1).run(&["show", "r0001", "-v"]), @"
    exit: 0
    --- stdout
    Rev: r0001 (head)
    Parent: <base>
    Path: migrations/r0001.sql

        Revision r0001

    -- Revision r0001
    --
    -- Revision ID: r0001
    -- Revises: base

    -- migrate:up
    CREATE TABLE t0001 (id INTEGER PRIMARY KEY, name TEXT);

    -- migrate:down
    DROP TABLE t0001;

    --- stderr
    ");
    let json = project.run(&["show", "joined", "--json"]).exits(0).json();
    assert_eq!(json["revision"], "joined");
}

#[test]
fn show_finds_by_prefix_and_relative_to_the_database() {
    let project = Project::linear(3);
    project.run(&["upgrade", "+1"]).exits(0);
    for (selector, id) in [("r0003", "r0003"), ("head-1", "r0002"), ("current", "r0001"), ("+1", "r0002")] {
        assert_eq!(project.run(&["show", selector, "--json"]).exits(0).json()["revision"], id, "{selector}");
    }
}

#[test]
fn show_of_what_is_not_one_revision() {
    let project = Project::branched();
    snapshot!(project.run(&["show", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    snapshot!(project.run(&["show", "head"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `head` is ambiguous, there are several heads: `bill2`, `sched2`

      help: `bill2`  Revision bill2
      help: `sched2`  Revision sched2
      help: name one of them (such as `bill2`), narrow it down with `<label>@head`, or type `heads` for all; a revision whose `Revises:` names them all joins them
    ");
    snapshot!(project.run(&["show", "base"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `base` is before the first revision
    ");
    snapshot!(project.run(&["show", "billl"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `billl`

      help: did you mean `bill1`?
    ");
}

#[test]
fn none_of_them_needs_a_database() {
    let project = Project::linear(1);
    project.write("runner.toml", "");
    for arguments in [&["history"][..], &["heads"], &["show", "r0001"]] {
        project.run(arguments).exits(0);
    }
    assert_eq!(project.leavings(), [""; 0]);
}

/// In containers and scheduled jobs no variable says who somebody is; the account does.
#[test]
fn whoever_has_no_login_name_is_called_by_the_name_of_the_account() {
    let account = std::process::Command::new("id").arg("-un").output().unwrap();
    let account = String::from_utf8(account.stdout).unwrap();
    let project = Project::linear(1);
    let status = project.command(&["upgrade"]).env_remove("USER").status().unwrap();
    assert!(status.success());
    assert_eq!(project.query("SELECT DISTINCT actor FROM runner_ledger"), [account.trim()]);
}

#[test]
fn history_is_drawn() {
    let project = merged();
    project.revision("shop1", "base", "Depends On: bill2", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["history", "--graph"]), @"
    exit: 0
    --- stdout
    ● shop1 (head) (depends on bill2), Revision shop1
      ● joined [staging, production] (head) (mergepoint), Revision joined
    ┌─┤
    ● │ sched2, Revision sched2
    ● │ sched1 (scheduling), Revision sched1
    │ ● bill2, Revision bill2
    │ ● bill1 (billing), Revision bill1
    ├─┘
    ● root (branchpoint), Revision root
    --- stderr
    ");
    snapshot!(project.run(&["history", "--graph", "-r", "root:billing"]), @"
    exit: 0
    --- stdout
    ● bill1 (billing), Revision bill1
    ● root (branchpoint), Revision root
    --- stderr
    ");
    assert!(project.run(&["history", "--graph", "--json"]).exits(0).json()["revisions"].is_array());
}
