//! `runner stamp`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn up_runs_no_sql() {
    let project = Project::linear(3);
    snapshot!(project.run(&["stamp", "r0002"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      stamped   r0001  Revision r0001  [TIME]
      stamped   r0002  Revision r0002  [TIME]
    Done: 2 stamped in [TIME]
    --- stderr
    ");
    assert_eq!((project.versions(), project.tables()), (vec!["r0002".to_owned()], vec![]));
    assert_eq!(project.ledger(), ["r0001 | up | stamped", "r0002 | up | stamped"]);
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.tables(), ["t0003"]);
    project.run(&["check"]).exits(0);
}

#[test]
fn down_runs_no_sql() {
    let project = Project::linear(3);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["stamp", "r0001"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      unstamped  r0003  Revision r0003  [TIME]
      unstamped  r0002  Revision r0002  [TIME]
    Done: 2 unstamped in [TIME]
    --- stderr
    ");
    assert_eq!((project.versions(), project.tables().len()), (vec!["r0001".to_owned()], 3));
    snapshot!(project.run(&["stamp", "base"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      unstamped  r0001  Revision r0001  [TIME]
    Done: 1 unstamped in [TIME]
    --- stderr
    ");
    assert_eq!(project.versions(), [""; 0]);
    snapshot!(project.run(&["stamp", "base"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         0 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
    Nothing to do: the database is where it should be
    --- stderr
    ");
}

#[test]
fn all_heads_and_single_branches() {
    let project = Project::branched();
    project.run(&["stamp", "heads"]).exits(0);
    assert_eq!(project.versions(), ["bill2", "sched2"]);
    project.run(&["stamp", "bill1", "sched1"]).exits(0);
    assert_eq!(project.versions(), ["bill1", "sched1"]);
    project.run(&["check"]).exits(4);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = Project::linear(1);
    snapshot!(project.run(&["stamp", "--dry-run", "head"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      up  r0001  Revision r0001
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn json() {
    let json = Project::linear(1).run(&["stamp", "--json", "head"]).exits(0).json();
    assert_eq!((&json["outcome"], &json["steps"][0]["status"]), (&"applied".into(), &"stamped".into()));
}

#[test]
fn wrong_targets() {
    let project = Project::branched();
    snapshot!(project.run(&["stamp", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    snapshot!(project.run(&["stamp", "head"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `head` is ambiguous, there are several heads: `bill2`, `sched2`

      help: `bill2`  Revision bill2
      help: `sched2`  Revision sched2
      help: name one of them (such as `bill2`), narrow it down with `<label>@head`, or type `heads` for all; a revision whose `Revises:` names them all joins them
    ");
    snapshot!(project.run(&["stamp"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      <REVISION>...

    Usage: runner stamp <REVISION>...

    For more information, try '--help'.
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn what_was_stamped_is_compared_with_its_file_like_what_was_applied() {
    let project = Project::linear(2);
    project.run(&["stamp", "head"]).exits(0);
    project.edit("migrations/r0001.sql", "name TEXT", "name VARCHAR");
    project.run(&["upgrade"]).exits(1);
}

#[test]
fn revisions_that_no_file_has_are_purged() {
    let project = Project::linear(4);
    project.run(&["upgrade"]).exits(0);
    for id in ["r0003", "r0004"] {
        project.remove(&format!("migrations/{id}.sql"));
    }
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the database is at `r0004`, which `migrations` does not have

      help: the database is ahead of the files: update your checkout, or check that this is the right database
      help: if a file is gone for good, `runner stamp --purge REVISION` says where the database really is
    ");
    project.run(&["stamp", "r0002"]).exits(1);
    snapshot!(project.run(&["stamp", "--purge", "r0002"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      unstamped  r0003  (its file is gone)  [TIME]
      unstamped  r0004  (its file is gone)  [TIME]
    Done: 2 unstamped in [TIME]
    --- stderr
    ");
    assert_eq!(project.versions(), ["r0002"]);
    project.run(&["check"]).exits(0);
    assert_eq!(project.ledger()[4..], ["r0003 | down | unstamped", "r0004 | down | unstamped"]);
    assert_eq!(project.tables().len(), 4, "no SQL is run");
    // Once more there is nothing to do.
    assert_eq!(project.run(&["stamp", "--purge", "r0002", "--json"]).exits(0).json()["outcome"], "nothing_to_do");
}

#[test]
fn a_purge_puts_everything_right_that_is_recorded() {
    let project = Project::linear(4);
    project.run(&["upgrade"]).exits(0);
    // Edited, a row of nobody, and one that is lost.
    project.edit("migrations/r0001.sql", "name TEXT", "name VARCHAR");
    project.execute("DELETE FROM runner_version; INSERT INTO runner_version VALUES ('r0002'), ('nobody')");
    project.run(&["upgrade"]).exits(1);
    project.run(&["stamp", "--purge", "base", "--dry-run"]).exits(0);
    project.run(&["stamp", "--purge", "heads"]).exits(0);
    assert_eq!(project.versions(), ["r0004"]);
    project.run(&["check"]).exits(0);
    project.run(&["downgrade", "r0003"]).exits(0);
    project.execute("INSERT INTO runner_version VALUES ('r0001')");
    project.run(&["stamp", "--purge", "r0003"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
    project.run(&["stamp", "--purge", "base"]).exits(0);
    assert_eq!(project.versions(), [""; 0]);
    project.run(&["stamp", "--purge", "heads", "--sql"]).exits(2);
}

#[test]
fn a_database_of_alembic_with_lost_files_is_taken_over() {
    let project = Project::linear(2);
    project.configure("version-table = \"alembic_version\"\n");
    std::fs::write(project.path("app.db"), "").unwrap();
    project.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL); INSERT INTO alembic_version VALUES ('1975ea83b712')");
    project.run(&["current"]).exits(1);
    project.run(&["stamp", "--purge", "heads"]).exits(0);
    assert_eq!(project.query("SELECT version_num FROM alembic_version"), ["r0002"]);
    project.run(&["check"]).exits(0);
}
