//! A database and files that contradict each other.

use crate::harness::Project;
use crate::snapshot;

fn applied(count: usize) -> Project {
    let project = Project::linear(count);
    project.run(&["upgrade"]).exits(0);
    project
}

#[test]
fn the_database_is_ahead_of_the_files() {
    let project = applied(2);
    project.remove("migrations/r0002.sql");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the database is at `r0002`, which `migrations` does not have

      help: the database is ahead of the files: update your checkout, or check that this is the right database
      help: if a file is gone for good, `runner stamp --purge REVISION` says where the database really is
    ");
    snapshot!(project.run(&["current"]), @"
    exit: 1
    --- stdout
    r0002 (there is no such file)
    --- stderr
    error: the database is at `r0002`, which `migrations` does not have

      help: the database is ahead of the files: update your checkout, or check that this is the right database
      help: if a file is gone for good, `runner stamp --purge REVISION` says where the database really is
    ");
    for arguments in [&["downgrade", "base"][..], &["plan"], &["stamp", "r0001"]] {
        project.run(arguments).exits(1);
    }
    assert_eq!(project.versions(), ["r0002"]);
}

#[test]
fn an_applied_revision_was_edited() {
    let project = applied(2);
    project.edit("migrations/r0001.sql", "name TEXT", "name VARCHAR");
    project.table_revision(3);
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: revision `r0001` is applied here, and the SQL was edited since

      help: put `migrations/r0001.sql` back as it was applied, and make the change in a new revision
      help: if what runs is the same, accept the edit with `runner repair r0001 --accept-edit --reason "…"`
    "#);
    assert_eq!(project.versions(), ["r0002"]);
    snapshot!(project.run(&["upgrade", "--json"]), @r#"
    exit: 1
    --- stdout
    {
      "error": {
        "help": "put `migrations/r0001.sql` back as it was applied, and make the change in a new revision\nif what runs is the same, accept the edit with `runner repair r0001 --accept-edit --reason \"…\"`",
        "kind": "drift",
        "message": "revision `r0001` is applied here, and the SQL was edited since"
      }
    }
    --- stderr
    error: revision `r0001` is applied here, and the SQL was edited since

      help: put `migrations/r0001.sql` back as it was applied, and make the change in a new revision
      help: if what runs is the same, accept the edit with `runner repair r0001 --accept-edit --reason "…"`
    "#);
    project.edit("migrations/r0001.sql", "name VARCHAR", "name TEXT");
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn only_its_way_down_was_edited() {
    let project = applied(2);
    project.edit("migrations/r0001.sql", "DROP TABLE t0001;", "DROP TABLE IF EXISTS t0001;");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: revision `r0001` is applied here, and the SQL was edited since

      help: put `migrations/r0001.sql` back as it was applied, and make the change in a new revision
      help: if what runs is the same, accept the edit with `runner repair r0001 --accept-edit --reason "…"`
    "#);
}

#[test]
fn a_comment_of_an_applied_revision_was_edited() {
    let project = applied(2);
    project.edit("migrations/r0001.sql", "CREATE TABLE", "-- Explained later.\nCREATE TABLE");
    project.table_revision(3);
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      applied   r0003  Revision r0003  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    warning: comments or header of `r0001` changed since it was applied
    ");
    assert_eq!(project.versions(), ["r0003"]);
}

#[test]
fn an_applied_revision_in_the_middle_is_gone() {
    let project = applied(3);
    project.remove("migrations/r0002.sql");
    project.edit("migrations/r0003.sql", "Revises: r0002", "Revises: r0001");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: revision `r0002` is applied here, but the files are gone from `migrations`

      help: put the files back from version control; history that is applied can't be rewritten
      help: if a file is gone for good, say so with `runner repair r0002 --forget --reason "…"`
    "#);
}

#[test]
fn what_was_undone_may_be_edited() {
    let project = applied(2);
    project.run(&["downgrade", "-1"]).exits(0);
    project.edit("migrations/r0002.sql", "name TEXT", "name VARCHAR");
    project.run(&["upgrade"]).exits(0);
    project.run(&["check"]).exits(0);
}

#[test]
fn a_revision_put_below_an_applied_one_is_refused() {
    let project = Project::linear(1);
    project.revision("r0003", "r0001", "", "CREATE TABLE c (id INTEGER);", "DROP TABLE c;");
    project.run(&["upgrade"]).exits(0);
    project.revision("r0002", "r0001", "", "CREATE TABLE b (id INTEGER);", "DROP TABLE b;");
    project.revision("r0003", "r0002", "", "CREATE TABLE c (id INTEGER);", "DROP TABLE c;");
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("`r0002` was put below a revision that is applied here, and has never run"), "{run}");
    project.run(&["check"]).exits(4);
}

#[test]
fn a_version_row_that_was_lost_runs_nothing_again() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    project.execute("DELETE FROM runner_version");
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("the ledger has `r0001` as applied, and the version table does not"), "{run}");
    project.run(&["check"]).exits(4);
    project.run(&["stamp", "heads"]).exits(0);
    project.run(&["check"]).exits(0);
}

#[test]
fn a_dry_run_does_not_promise_what_can_not_run() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "COMMIT;", "");
    // Linting finds it as well, and refuses before.
    project.configure("\n[plugin-sets.unlinted]\nplugins = [\"environment-hierarchy\"]\n");
    project.run(&["--plugins", "unlinted", "upgrade", "--dry-run"]).exits(1);
    project.run(&["--plugins", "unlinted", "plan"]).exits(1);
    project.run(&["upgrade", "--dry-run"]).exits(3);
}
