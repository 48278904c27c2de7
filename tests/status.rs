//! `runner status`

use crate::harness::Project;
use crate::locks::slow_project;
use crate::snapshot;

#[test]
fn of_a_database_that_is_not_there() {
    let project = Project::linear(2);
    snapshot!(project.run(&["status"]), @"
    exit: 0
    --- stdout
    target       sqlite://app.db
    server       SQLite [VERSION]
    environment  development (level 10)
    current      none
    heads        r0002
    pending      2 revisions
    last run     none
    lock         free
    messages     none waiting
    --- stderr
    ");
    assert_eq!(project.leavings(), [""; 0], "looking leaves nothing behind");
}

#[test]
fn of_a_database_that_is_behind() {
    let project = Project::linear(2);
    project.run(&["upgrade", "+1"]).exits(0);
    snapshot!(project.run(&["status"]), @"
    exit: 0
    --- stdout
    target       sqlite://app.db
    server       SQLite [VERSION]
    environment  development (level 10)
    current      r0001
    heads        r0002
    pending      1 revision
    last run     upgrade done in development, [WHEN], by tester@[HOST]
    lock         free
    messages     none waiting
    --- stderr
    ");
    let status = project.run(&["status", "--json"]).exits(0).json();
    assert_eq!(status["current"], serde_json::json!(["r0001"]));
    assert_eq!(status["pending"], 1);
    assert_eq!(status["last_run"]["outcome"], "done");
    assert_eq!(status["messages"]["waiting"], 0);
    assert_eq!(status["lock"], serde_json::Value::Null);
    assert_eq!(status["ok"], true);
}

#[test]
fn half_done_revisions_and_edited_files_are_problems() {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "Transaction: off",
        "CREATE TABLE a (id INTEGER);\nINSERT INTO missing VALUES (1);",
        "DROP TABLE a;",
    );
    project.run(&["upgrade"]).exits(1);
    let run = project.run(&["status"]).exits(4);
    assert!(run.stdout.contains("revision `r0002` is half-way up: 1 of 2 statements are done"), "{run}");
    assert!(run.stdout.contains("upgrade failed in development"), "{run}");
    let status = project.run(&["status", "--json"]).exits(4).json();
    assert_eq!(status["half_done"][0]["statements_done"], 1);
    assert_eq!(status["ok"], false);

    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    project.edit("migrations/r0001.sql", "name TEXT", "title TEXT");
    let run = project.run(&["status"]).exits(4);
    assert!(run.stdout.contains("problem") && run.stdout.contains("r0001"), "{run}");
}

#[test]
fn a_lock_that_is_held_is_shown() {
    let project = slow_project();
    // SQLite keeps readers out as well while it is written to; in WAL mode they may look.
    project.run(&["upgrade", "+1"]).exits(0);
    project.query("PRAGMA journal_mode = WAL");
    let mut child = project.spawn(&["upgrade"]);
    while !project.path("app.db-runner-lock").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it took the lock");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let run = project.run(&["status"]).exits(0);
    assert!(run.stdout.contains("held by `upgrade` of tester"), "{run}");
    child.kill().unwrap();
    child.wait().unwrap();
}
