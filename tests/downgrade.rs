//! `runner downgrade`

use crate::harness::Project;
use crate::snapshot;

fn applied(project: Project) -> Project {
    project.run(&["upgrade"]).exits(0);
    project
}

#[test]
fn steps_a_revision_and_everything() {
    let project = applied(Project::linear(5));
    snapshot!(project.run(&["downgrade", "-1"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      reverted  r0005  Revision r0005  [TIME]
    Done: 1 reverted in [TIME]
    --- stderr
    ");
    assert_eq!(project.versions(), ["r0004"]);
    project.run(&["downgrade", "r0002"]).exits(0);
    assert_eq!(project.tables(), ["t0001", "t0002"]);
    snapshot!(project.run(&["downgrade", "base"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      reverted  r0002  Revision r0002  [TIME]
      reverted  r0001  Revision r0001  [TIME]
    Done: 2 reverted in [TIME]
    --- stderr
    ");
    assert_eq!((project.tables(), project.versions()), (vec![], vec![]));
    snapshot!(project.run(&["downgrade", "base"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         0 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
    Nothing to do: the database is where it should be
    --- stderr
    ");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["r0005"]);
    snapshot!(project.run(&["check"]), @"
    exit: 0
    --- stdout
    ok      files       5 revisions are valid
    ok      one head    `r0005`
    ok      unchanged   no applied revision was edited or removed
    ok      up to date  every revision is applied
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
}

#[test]
fn a_dry_run_changes_nothing() {
    let project = applied(Project::linear(2));
    let before = std::fs::read(project.path("app.db")).unwrap();
    snapshot!(project.run(&["downgrade", "-1", "--dry-run"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      down  r0002  Revision r0002
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    let json = project.run(&["downgrade", "base", "--dry-run", "--json"]).exits(0).json();
    let steps: Vec<_> =
        json["steps"].as_array().unwrap().iter().map(|step| (&step["revision"], &step["direction"])).collect();
    assert_eq!(format!("{steps:?}"), r#"[(String("r0002"), String("down")), (String("r0001"), String("down"))]"#);
    assert_eq!(json["outcome"], "allowed");
    assert!(std::fs::read(project.path("app.db")).unwrap() == before, "a dry run changed the database file");
}

#[test]
fn a_revision_without_a_way_down_is_found_before_anything_runs() {
    let project = Project::linear(1);
    project.write(
        "migrations/r0002.sql",
        "-- Drop a table for good\n-- Revision ID: r0002\n-- Revises: r0001\n\n-- migrate:up\nDROP TABLE t0001;\n",
    );
    project.table_revision(3);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["downgrade", "base"]), @"
    exit: 1
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
    --- stderr
    error: revision `r0002` has no `-- migrate:down` section, so it can't be undone; nothing was run

      help: add `-- migrate:down` or `-- migrate:down sqlite` to `migrations/r0002.sql`
    ");
    assert_eq!(project.versions(), ["r0003"]);
    project.run(&["downgrade", "-1"]).exits(0);
    assert_eq!(project.versions(), ["r0002"]);
}

#[test]
fn targets_that_cannot_be() {
    let project = Project::linear(3);
    project.run(&["upgrade", "r0002"]).exits(0);
    snapshot!(project.run(&["downgrade", "r0003"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `r0003` is not a valid downgrade target, the database is at r0002

      help: name a revision that is applied; `runner current` shows them
    ");
    snapshot!(project.run(&["downgrade", "-5"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `-5` goes too far, only 2 of 5 steps are there

      help: take fewer steps, or type `head` or `base`
    ");
    snapshot!(project.run(&["downgrade", "+1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `+1` leads up from where the database is

      help: use `upgrade` to go up, or `-N` to go down
    ");
    snapshot!(project.run(&["downgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      <REVISION>

    Usage: runner downgrade <REVISION>

    For more information, try '--help'.
    ");
    snapshot!(project.run(&["downgrade", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nowhere`

      help: `runner history` lists all revisions
    ");
    assert_eq!(project.versions(), ["r0002"]);
}

#[test]
fn several_branches_make_a_step_back_ambiguous() {
    let project = applied(Project::branched());
    snapshot!(project.run(&["downgrade", "-1"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `-1` is ambiguous, the database is at several revisions: `bill2`, `sched2`

      help: `bill2`  Revision bill2
      help: `sched2`  Revision sched2
      help: start from one of them (such as `bill2+1` or `bill2-1`), or name a branch: `<label>@+1`
    ");
    assert_eq!(project.versions(), ["bill2", "sched2"]);
}

#[test]
fn one_branch_goes_and_the_other_stays() {
    let project = applied(Project::branched());
    project.run(&["downgrade", "bill1"]).exits(0);
    assert_eq!(project.versions(), ["bill1", "sched2"]);
    snapshot!(project.run(&["downgrade", "billing@-1"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      reverted  bill1  Revision bill1  [TIME]
    Done: 1 reverted in [TIME]
    --- stderr
    ");
    snapshot!(project.run(&["downgrade", "root"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      reverted  sched2  Revision sched2  [TIME]
      reverted  sched1  Revision sched1  [TIME]
    Done: 2 reverted in [TIME]
    --- stderr
    ");
    assert_eq!((project.tables(), project.versions()), (vec!["t_root".to_owned()], vec!["root".to_owned()]));
}

#[test]
fn what_depends_on_a_removed_revision_is_removed_as_well() {
    let project = Project::branched();
    project.revision("late", "bill2", "Depends On: sched1", "CREATE TABLE t_late (id INTEGER);", "DROP TABLE t_late;");
    let project = applied(project);
    snapshot!(project.run(&["downgrade", "root", "--dry-run"]), @"
    exit: 0
    --- stdout
    Downgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         5 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      down  sched2  Revision sched2
      down  late    Revision late
      down  sched1  Revision sched1
      down  bill2   Revision bill2
      down  bill1   Revision bill1
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    project.run(&["downgrade", "scheduling@base"]).exits(0);
    assert!(!project.tables().contains(&"t_late".to_owned()));
}
