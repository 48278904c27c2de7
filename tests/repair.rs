//! `runner repair`: saying by hand what the runner can't know.

use crate::harness::Project;
use crate::snapshot;

/// `r0002` stops at its third statement, because table `b` is missing.
fn half_way() -> Project {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "Transaction: off",
        "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2);\nINSERT INTO a VALUES (3);",
        "DROP TABLE a;",
    );
    project.run(&["upgrade"]).exits(1);
    project
}

#[test]
fn a_half_done_revision_goes_on_where_somebody_says() {
    let project = half_way();
    snapshot!(project.run(&["repair", "r0002", "--resume-at", "4", "--reason", "b is not needed here"]), @"
    exit: 0
    --- stdout
    Repair · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      repaired  r0002  Revision r0002  [TIME]
    Done: 1 repaired in [TIME]
    --- stderr
    ");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT id FROM a"), ["1", "3"]);
    assert_eq!(project.versions(), ["r0002"]);
    let reasons = project.query("SELECT error FROM runner_ledger WHERE command = 'repair' AND error IS NOT NULL");
    assert_eq!(reasons, ["b is not needed here"]);
    let log = project.run(&["log"]).exits(0).stdout;
    assert!(log.lines().any(|line| line.contains("repaired") && line.contains("b is not needed here")), "{log}");
    project.run(&["check"]).exits(0);
}

#[test]
fn a_half_done_revision_may_begin_anew() {
    let project = half_way();
    project.execute("DROP TABLE a");
    project.execute("CREATE TABLE b (id INTEGER)");
    project.run(&["repair", "r0002", "--resume-at", "1", "--reason", "dropped a"]).exits(0);
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT id FROM a"), ["1", "3"]);
}

#[test]
fn a_half_done_revision_is_done_or_undone() {
    let project = half_way();
    project.run(&["repair", "r0002", "--done", "--reason", "finished by hand"]).exits(0);
    assert_eq!(project.versions(), ["r0002"]);
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
    project.run(&["repair", "r0002", "--undone", "--reason", "taken back by hand"]).exits(0);
    assert_eq!(project.versions(), ["r0001"]);

    let project = half_way();
    project.execute("DROP TABLE a");
    project.execute("CREATE TABLE b (id INTEGER)");
    project.run(&["repair", "r0002", "--undone", "--reason", "dropped a"]).exits(0);
    assert_eq!(project.versions(), ["r0001"]);
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn an_edit_is_accepted_with_a_reason() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.edit("migrations/r0001.sql", "name TEXT", "name VARCHAR");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: revision `r0001` is applied here, and the SQL was edited since

      help: put `migrations/r0001.sql` back as it was applied, and make the change in a new revision
      help: if what runs is the same, accept the edit with `runner repair r0001 --accept-edit --reason "…"`
    "#);
    project.run(&["repair", "r0001", "--accept-edit", "--reason", "the same for SQLite"]).exits(0);
    project.run(&["upgrade"]).exits(0);
    project.run(&["check"]).exits(0);
    assert_eq!(project.versions(), ["r0002"]);
    snapshot!(project.run(&["repair", "r0001", "--accept-edit", "--reason", "once more"]), @"
    exit: 0
    --- stdout
    Repair · runner [VERSION]
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
fn a_removed_file_is_forgotten_with_a_reason() {
    let project = Project::linear(3);
    project.run(&["upgrade"]).exits(0);
    // Somebody squashed the second revision into the first.
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
    project.run(&["repair", "r0002", "--forget", "--reason", "squashed into r0001"]).exits(0);
    project.run(&["upgrade"]).exits(0);
    project.run(&["check"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let project = Project::linear(3);
    project.run(&["upgrade", "r0001"]).exits(0);
    let before = project.ledger();
    for (arguments, code, words) in [
        (&["repair", "r0001", "--done"][..], 2, "--reason"),
        (&["repair", "r0001", "--reason", "x"], 2, "--done"),
        (&["repair", "r0001", "--done", "--undone", "--reason", "x"], 2, "cannot be used"),
        (&["repair", "r0001", "--done", "--reason", "  "], 2, "says nothing"),
        (&["repair", "r0003", "--done", "--reason", "x"], 1, "`r0002` is not applied, and comes before it"),
        (&["repair", "r0001", "--resume-at", "1", "--reason", "x"], 1, "is not half-way"),
        (&["repair", "r0002", "--accept-edit", "--reason", "x"], 1, "is not applied"),
        (&["repair", "r0001", "--forget", "--reason", "x"], 1, "has a file"),
        (&["repair", "r0009", "--forget", "--reason", "x"], 1, "the ledger knows no revision"),
        (&["repair", "nowhere", "--done", "--reason", "x"], 1, "no revision or label"),
    ] {
        let run = project.run(arguments).exits(code);
        assert!(run.stderr.contains(words), "{arguments:?}\n{run}");
    }
    assert_eq!(project.ledger(), before);

    let project = half_way();
    let run = project.run(&["repair", "r0002", "--resume-at", "6", "--reason", "x"]).exits(2);
    assert!(run.stderr.contains("has 4 statements"), "{run}");
}

#[test]
fn policies_are_asked() {
    let project = half_way();
    let run = project.run(&["repair", "r0002", "--done", "--reason", "x", "--env", "production"]).exits(3);
    assert!(run.stderr.contains("Refusing to migrate production database"), "{run}");
}

#[test]
fn a_half_undone_revision_can_be_mended_and_goes_on() {
    let project = Project::linear(1);
    let down = "UPDATE t0001 SET id = id - 10;\nDROP TABLE nothing;";
    project.revision("r0002", "r0001", "Transaction: off", "UPDATE t0001 SET id = id + 10;", down);
    project.run(&["upgrade", "r0001"]).exits(0);
    project.execute("INSERT INTO t0001 (id, name) VALUES (100, 'x')");
    project.run(&["upgrade"]).exits(0);
    project.run(&["downgrade", "-1"]).exits(1);
    assert_eq!(project.query("SELECT id FROM t0001"), ["100"]);
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("finish it first with `runner downgrade r0001`"), "{run}");
    project.edit("migrations/r0002.sql", "DROP TABLE nothing;", "");
    let run = project.run(&["repair", "r0002", "--accept-edit", "--reason", "removed a wrong statement"]).exits(1);
    assert!(run.stderr.contains("is half-way, so there is no edit to accept yet"), "{run}");
    project.run(&["downgrade", "r0001"]).exits(0);
    assert_eq!(project.query("SELECT id FROM t0001"), ["100"]);
    assert_eq!(project.versions(), ["r0001"]);
    project.run(&["check"]).exits(4);
}

#[test]
fn where_the_database_is_shows_whatever_contradicts_it() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.edit("migrations/r0001.sql", "TEXT", "VARCHAR(9)");
    let run = project.run(&["current"]).exits(1);
    assert!(run.stdout.contains("r0002") && run.stderr.contains("edited since"), "{run}");
    project.remove("migrations/r0002.sql");
    let run = project.run(&["current"]).exits(1);
    assert!(run.stdout.contains("r0002 (there is no such file)"), "{run}");
}

#[test]
fn a_newest_revision_without_a_file_is_settled_with_one_in_its_place() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.remove("migrations/r0002.sql");
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("`runner stamp --purge"), "{run}");
    project.revision("r0002", "r0001", "", "SELECT 1;", "SELECT 1;");
    project.run(&["repair", "r0002", "--undone", "--reason", "its file was deleted"]).exits(0);
    project.remove("migrations/r0002.sql");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["r0001"]);
    project.run(&["check"]).exits(0);
}
