//! `runner merge`, and how `runner revision` branches.

use crate::harness::Project;
use crate::snapshot;

#[test]
fn heads_are_joined() {
    let project = Project::branched();
    snapshot!(project.run(&["merge", "heads", "--rev-id", "joined"]), @"
    exit: 0
    --- stdout
    wrote migrations/joined_merge_bill2_sched2.sql
    it can run in: development, local, test, qa, staging, production
    --- stderr
    ");
    let text = std::fs::read_to_string(project.path("migrations/joined_merge_bill2_sched2.sql")).unwrap();
    snapshot!(text, @"
    -- Merge bill2, sched2
    --
    -- Revision ID: joined
    -- Revises: bill2, sched2
    -- Create Date: [WHEN]

    -- migrate:up

    -- migrate:down
    ");
    assert_eq!(project.run(&["heads", "--json"]).json()["heads"].as_array().unwrap().len(), 1);
    project.run(&["upgrade", "head"]).exits(0);
    assert_eq!(project.versions(), ["joined"]);
    project.run(&["downgrade", "sched2"]).exits(0);
    assert_eq!(project.versions(), ["bill2", "sched2"]);
}

#[test]
fn what_can_not_be_joined() {
    let project = Project::branched();
    snapshot!(project.run(&["merge", "bill2"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: there is nothing to merge with `bill2`

      help: the heads are `bill2`, `sched2`: name those that are to be joined
    ");
    snapshot!(project.run(&["merge", "bill2", "billing@head"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `bill2` is named twice

      help: name each revision that is to be joined once
    ");
    snapshot!(project.run(&["merge", "bill2", "bill1", "--splice"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `bill1` is part of `bill2` already

      help: leave out `bill1`
    ");
    snapshot!(project.run(&["merge", "bill1", "sched2"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `bill1` is not a head: `bill2` builds on it

      help: say `--splice` to start a new branch there, or name a head; `runner heads` lists them
    ");
    project.run(&["merge", "bill1", "sched2", "--splice", "-m", "Join early", "--rev-id", "early"]).exits(0);
    snapshot!(Project::linear(2).run(&["merge", "heads"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: there is nothing to merge with `r0002`

      help: the chain has one head already
    ");
    project.run(&["merge"]).exits(2);
}

#[test]
fn a_revision_goes_where_it_is_told() {
    let project = Project::branched();
    snapshot!(project.run(&["revision", "-m", "x"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the chain has 2 heads, so the parent is not clear

      help: `bill2`  Revision bill2
      help: `sched2`  Revision sched2
      help: name one of them with `--head`, or join them first: `runner merge heads`
    ");
    let parents = |arguments: &[&str]| {
        let run = project.run(&[&["revision", "-m", "New", "--json"], arguments].concat()).exits(0);
        run.json()["parents"].clone()
    };
    assert_eq!(parents(&["--head", "billing@head", "--rev-id", "n1"]), serde_json::json!(["bill2"]));
    assert_eq!(parents(&["--head", "base", "--rev-id", "n2", "--branch-label", "shop"]), serde_json::json!([]));
    assert_eq!(parents(&["--head", "shop@head", "--rev-id", "n3"]), serde_json::json!(["n2"]));
    snapshot!(project.run(&["revision", "-m", "x", "--head", "root"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `root` is not a head: `bill1`, `sched1` build on it

      help: say `--splice` to start a new branch there, or name a head; `runner heads` lists them
    ");
    assert_eq!(parents(&["--head", "root", "--splice", "--rev-id", "n4"]), serde_json::json!(["root"]));
    let run = project.run(&["revision", "-m", "New", "--head", "n4", "--rev-id", "n5", "--json"]);
    assert_eq!(run.exits(0).json()["depends_on"], serde_json::json!([]));
    let arguments = ["revision", "-m", "D", "--head", "n5", "--rev-id", "n6", "--json", "--depends-on", "shop"];
    let run = project.run(&[&arguments[..], &["--depends-on", "sche", "--depends-on", "sched1"]].concat());
    run.exits(1);
    let run = project.run(&[&arguments[..], &["--depends-on", "sched2"]].concat()).exits(0);
    assert_eq!(run.json()["depends_on"], serde_json::json!(["shop", "sched2"]));
}

#[test]
fn labels_and_dependencies_that_are_wrong() {
    let project = Project::branched();
    let new = |arguments: &[&str]| {
        project.run(&[&["revision", "-m", "x", "--head", "bill2", "--rev-id", "new1"], arguments].concat())
    };
    snapshot!(new(&["--branch-label", "billing"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the label `billing` is taken by `migrations/bill1.sql`

      help: choose another one
    ");
    snapshot!(new(&["--branch-label", "root"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the label `root` is taken by `migrations/root.sql`

      help: choose another one
    ");
    snapshot!(new(&["--branch-label", "new1"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `new1` can't be the id and a label

      help: choose another one for either
    ");
    snapshot!(new(&["--branch-label", "a@b"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'a@b' for '--branch-label <LABEL>': `a@b` contains `@`, only letters, digits, `_` and `.` are allowed

    For more information, try '--help'.
    ");
    snapshot!(new(&["--depends-on", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    assert_eq!(std::fs::read_dir(project.path("migrations")).unwrap().count(), 5);
}

#[test]
fn branches_are_listed() {
    let project = Project::branched();
    snapshot!(project.run(&["branches"]), @"
    exit: 0
    --- stdout
    <base> -> root (branchpoint), Revision root
        -> bill1 (billing), Revision bill1
        -> sched1 (scheduling), Revision sched1
    --- stderr
    ");
    let branches = project.run(&["branches", "--json"]).exits(0).json();
    assert_eq!(branches["branches"][0]["revision"], "root");
    assert_eq!(branches["branches"][0]["children"][1]["revision"], "sched1");
    snapshot!(Project::linear(2).run(&["branches"]), @"
    exit: 0
    --- stdout
    the chain has no branches
    --- stderr
    ");
}

#[test]
fn heads_that_others_depend_on() {
    let project = Project::branched();
    project.revision("shop1", "base", "Depends On: bill2", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["heads"]), @"
    exit: 0
    --- stdout
    bill1 -> bill2 (effective head), Revision bill2
    sched1 -> sched2 (head), Revision sched2
    <base> -> shop1 (head), Revision shop1
    --- stderr
    ");
    snapshot!(project.run(&["heads", "--resolve-dependencies"]), @"
    exit: 0
    --- stdout
    sched1 -> sched2 (head), Revision sched2
    <base> -> shop1 (head), Revision shop1
    --- stderr
    ");
    project.run(&["upgrade", "shop1"]).exits(0);
    snapshot!(project.run(&["current"]), @"
    exit: 0
    --- stdout
    <base> -> shop1 (head) (current), Revision shop1
    bill1 -> bill2 (effective head), Revision bill2 (needed by `shop1`)
    2 of 6 revisions are pending
    --- stderr
    ");
    snapshot!(project.run(&["current", "--check-heads"]), @"
    exit: 4
    --- stdout
    <base> -> shop1 (head) (current), Revision shop1
    bill1 -> bill2 (effective head), Revision bill2 (needed by `shop1`)
    2 of 6 revisions are pending
    --- stderr
    error: the database is not at all heads: `sched2` is missing
      help: `runner upgrade` applies what is pending
    ");
    project.run(&["upgrade"]).exits(0);
    project.run(&["current", "--check-heads"]).exits(0);
    snapshot!(project.run(&["history", "-i", "-r", "sched1:"]), @"
    exit: 0
    --- stdout
    sched1 -> sched2 (head) (current), Revision sched2
    root -> sched1 (scheduling), Revision sched1
    --- stderr
    ");
}

#[test]
fn revisions_are_edited() {
    let project = Project::branched();
    let editor = "sed -i 1s/Revision/Changed/";
    snapshot!(project.run_with(&[("EDITOR", editor), ("VISUAL", "")], &["edit", "heads"]), @"
    exit: 0
    --- stdout
    --- stderr
    edited ./migrations/bill2.sql
    edited ./migrations/sched2.sql
    ");
    assert_eq!(project.run(&["heads", "--json"]).json()["heads"][0]["message"], "Changed bill2");
    snapshot!(project.run_with(&[("EDITOR", "sed -i s/Revises/Revisse/"), ("VISUAL", "")], &["edit", "root"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: missing key `Revises`
     --> migrations/root.sql:3:17
      |
    3 | -- Revision ID: root
      |                 ^^^^
      |
      = help: add the line `-- Revises: ` with the parent's identifier, or `-- Revises: base` for a root

    error: unknown key `Revisse`
     --> migrations/root.sql:4:4
      |
    4 | -- Revisse: base
      |    ^^^^^^^ did you mean `Revises`?
      |
      = help: write `-- Revises: base`, or word the line differently if it is meant as a remark

    error: the chain has 2 problems; nothing was run
    ");
    project.edit("migrations/root.sql", "Revisse", "Revises");
    snapshot!(project.run_with(&[("VISUAL", ""), ("EDITOR", "")], &["edit", "bill1"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no editor is configured

      help: set `VISUAL` or `EDITOR`, as in `EDITOR=vi runner edit head`
    ");
    project.run_with(&[("VISUAL", "no-such-editor")], &["edit", "bill1"]).exits(1);
    project.run_with(&[("EDITOR", "false"), ("VISUAL", "")], &["edit", "bill1"]).exits(1);
    project.run(&["edit", "base"]).exits(1);
}
