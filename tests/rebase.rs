//! `runner rebase`, and `runner check --against`: two branches of a repository that add to the same chain.

use crate::harness::Project;
use crate::lint_git::git;
use crate::snapshot;

/// A repository in which `main` has got `there1` on `r0001` meanwhile, and this branch `here1` and `here2`.
fn parted() -> Project {
    let project = Project::linear(1);
    project.write(".gitignore", "*.db*\n");
    let folder = project.path(".");
    let commit = || {
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message", "x"]);
    };
    git(&folder, &["init", "--quiet"]);
    commit();
    project.revision("there1", "r0001", "", "CREATE TABLE there (id INTEGER);", "DROP TABLE there;");
    commit();
    git(&folder, &["checkout", "--quiet", "-b", "mine", "HEAD~1"]);
    project.revision("here1", "r0001", "", "CREATE TABLE here (id INTEGER);", "DROP TABLE here;");
    project.revision("here2", "here1", "", "CREATE TABLE more (id INTEGER);", "DROP TABLE more;");
    project
}

#[test]
fn the_second_of_two_branches_learns_it_before_it_is_merged() {
    let project = parted();
    snapshot!(project.run(&["check", "--files", "--against", "main"]), @"
    exit: 4
    --- stdout
    ok      files       3 revisions are valid
    ok      one head    `here2`
    failed  mergeable   `here1` and `there1` of `main` build on the same revision; merge `main` into this branch, then `runner rebase here1 --onto there1`
    --- stderr
    ");
    let json = project.run(&["check", "--files", "--against", "main", "--json"]).exits(4).json();
    assert_eq!((&json["ok"], &json["checks"][2]["name"]), (&false.into(), &"mergeable".into()));
    git(&project.path("."), &["add", "--all"]);
    git(&project.path("."), &["commit", "--quiet", "--message", "y"]);
    git(&project.path("."), &["merge", "--quiet", "main", "--message", "z"]);
    snapshot!(project.run(&["check", "--files"]), @"
    exit: 4
    --- stdout
    ok      files       4 revisions are valid
    failed  one head    there are 2: `here2`, `there1`; a merge is missing: `runner merge heads`
    --- stderr
    ");
    snapshot!(project.run(&["rebase", "here1"]), @"
    exit: 0
    --- stdout
    `here1` now builds on `there1` instead of `r0001`
    --- stderr
    ");
    snapshot!(project.run(&["check", "--files", "--against", "main"]), @"
    exit: 0
    --- stdout
    ok      files       4 revisions are valid
    ok      one head    `here2`
    ok      mergeable   nothing here is at odds with `main`
    --- stderr
    ");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["here2"]);
}

#[test]
fn what_was_there_when_the_branches_parted_stays_as_it_was() {
    let project = parted();
    project.edit("migrations/r0001.sql", "CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
    project.revision("front", "base", "", "SELECT 1;", "SELECT 1;");
    project.edit("migrations/r0001.sql", "Revises: base", "Revises: front");
    project.revision("there1", "here2", "", "SELECT 2;", "SELECT 2;");
    snapshot!(project.run(&["check", "--files", "--against", "main"]), @"
    exit: 4
    --- stdout
    ok      files       5 revisions are valid
    ok      one head    `there1`
    failed  mergeable   the SQL of `r0001` was changed in `migrations/r0001.sql`, and who has `main` may have applied it; undo that, and write a new revision
    failed  mergeable   `front` is new and put in front of `r0001`, and who has `main` may have applied that; undo the change of `Revises` in `migrations/r0001.sql`, then `runner rebase front`
    failed  mergeable   `there1` is another revision in `migrations/there1.sql` of `main`; give the one in `migrations/there1.sql` another id
    --- stderr
    ");
    project.remove("migrations/front.sql");
    project.remove("migrations/r0001.sql");
    project.edit("migrations/here1.sql", "Revises: r0001", "Revises: base");
    snapshot!(project.run(&["check", "--files", "--against", "main"]), @"
    exit: 4
    --- stdout
    ok      files       3 revisions are valid
    ok      one head    `there1`
    failed  mergeable   `there1` is another revision in `migrations/there1.sql` of `main`; give the one in `migrations/there1.sql` another id
    failed  mergeable   `r0001` (`migrations/r0001.sql`) is gone, and who has `main` may have applied it; restore the file
    --- stderr
    ");
    project.run(&["check", "--files", "--against", "nowhere"]).exits(2);
}

#[test]
fn what_is_applied_stays_where_it_is() {
    let project = parted();
    project.run(&["upgrade"]).exits(0);
    project.revision("there1", "r0001", "", "CREATE TABLE there (id INTEGER);", "DROP TABLE there;");
    snapshot!(project.run(&["rebase", "here1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `here1` is applied to sqlite://app.db, so it stays where it is

      help: join the branches instead: `runner merge heads`
      help: or undo it there first: `runner downgrade here1@-1`
    ");
    snapshot!(project.run(&["rebase", "there1", "--dry-run"]), @"
    exit: 0
    --- stdout
    `there1` would build on `here2` instead of `r0001`
    --- stderr
    ");
    snapshot!(project.run(&["rebase", "there1", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "branch_labels": [],
      "changed": true,
      "created": null,
      "depends_on": [],
      "environments": [],
      "file": "migrations/there1.sql",
      "is_base": false,
      "is_branch_point": false,
      "is_head": true,
      "is_merge": false,
      "message": "Revision there1",
      "parents": [
        "here2"
      ],
      "revision": "there1"
    }
    --- stderr
    "#);
    snapshot!(project.run(&["rebase", "there1"]), @"
    exit: 0
    --- stdout
    `there1` builds on `here2` already
    --- stderr
    ");
    snapshot!(project.run(&["--database-url", "sqlite://nowhere/x.db", "rebase", "there1"]), @"
    exit: 0
    --- stdout
    `there1` builds on `here2` already
    --- stderr
    ");
    project.run(&["--database-url", "sqlite://nowhere/x.db", "rebase", "there1", "--no-database"]).exits(0);
}

#[test]
fn where_a_revision_can_not_go() {
    let project = parted();
    snapshot!(project.run(&["rebase", "here1", "--onto", "here2"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `here2` itself builds on `here1`

      help: name a revision that stays where it is
    ");
    project.revision("there1", "r0001", "", "SELECT 1;", "SELECT 1;");
    project.revision("other", "r0001", "", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["rebase", "here1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: there are 2 other heads, so where it should go is not clear

      help: `other`  Revision other
      help: `there1`  Revision there1
      help: name one of them with `--onto`
    ");
    project.revision("joined", "here2, other", "", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["rebase", "joined", "--onto", "r0001"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `joined` is a merge, so which of its parents gives way is not clear

      help: edit `Revises` in `migrations/joined.sql`
    ");
    project.run(&["rebase", "base"]).exits(1);
    project.run(&["rebase", "r0001", "--onto", "base"]).exits(0);
    for id in ["joined", "there1", "here2"] {
        project.remove(&format!("migrations/{id}.sql"));
    }
    snapshot!(project.run(&["check", "--files"]), @"
    exit: 4
    --- stdout
    ok      files       3 revisions are valid
    failed  one head    there are 2: `here1`, `other`, both on `r0001`; `runner rebase other --onto here1` puts one on top of the other, and `runner merge heads` joins them
    --- stderr
    ");
    snapshot!(project.run(&["rebase", "other", "--onto", "base"]), @"
    exit: 0
    --- stdout
    `other` now builds on `base` instead of `r0001`
    --- stderr
    ");
}

#[test]
fn a_check_lints_and_allows_heads() {
    let project = Project::branched();
    snapshot!(project.run(&["check", "--files"]), @"
    exit: 4
    --- stdout
    ok      files       5 revisions are valid
    failed  one head    there are 2: `bill2`, `sched2`; a merge is missing: `runner merge heads`
    --- stderr
    ");
    project.run(&["check", "--files", "--allow-head", "billing@head"]).exits(0);
    project.run(&["check", "--files", "--allow-head", "nowhere"]).exits(1);
    project.run(&["check", "--files", "--database"]).exits(2);
    snapshot!(project.run(&["check", "--files", "--allow-head", "bill2", "--lint"]), @"
    exit: 0
    --- stdout
    ok      files       5 revisions are valid
    ok      one head    `bill2`, `sched2`
    ok      lint        0 errors, 5 warnings
    --- stderr
    ");
    project.edit("migrations/bill2.sql", "-- migrate:up", "-- migrate:up\nDELETE FROM bill1;");
    snapshot!(project.run(&["check", "--files", "--allow-head", "bill2", "--lint"]), @"
    exit: 0
    --- stdout
    ok      files       5 revisions are valid
    ok      one head    `bill2`, `sched2`
    ok      lint        0 errors, 8 warnings
    --- stderr
    ");
}

#[test]
fn new_revisions_that_would_run_before_old_ones() {
    let project = parted();
    project.remove("migrations/here1.sql");
    project.remove("migrations/here2.sql");
    project.revision("0early", "base", "", "SELECT 1;", "SELECT 1;");
    project.revision("joined", "0early, r0001", "", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["check", "--files", "--against", "main"]), @"
    exit: 4
    --- stdout
    ok      files       3 revisions are valid
    ok      one head    `joined`
    failed  mergeable   `0early` is new and would run before `r0001` in a new database, but after it where that is applied; `runner rebase 0early --onto r0001` puts it behind
    failed  mergeable   `joined` and `there1` of `main` build on the same revision; merge `main` into this branch, then `runner rebase joined --onto there1`
    --- stderr
    ");
    project.run(&["rebase", "0early", "--onto", "r0001"]).exits(0);
    project.remove("migrations/joined.sql");
    project.run(&["check", "--files"]).exits(0);
    // Branches with labels are independent by design.
    project.remove("migrations/0early.sql");
    project.revision("0other", "base", "Branch Labels: other", "SELECT 1;", "SELECT 1;");
    project.run(&["check", "--files", "--against", "main", "--allow-head", "0other"]).exits(0);
}
