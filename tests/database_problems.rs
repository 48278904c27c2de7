//! Databases that cannot be used.

use crate::harness::Project;
use crate::snapshot;

#[test]
fn not_a_database() {
    let project = Project::linear(1);
    project.write("app.db", "This is a letter to my dentist, and a long one. ".repeat(100));
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot use the database `sqlite://app.db`: the file is not a SQLite database (file is not a database)

      help: check the path in the URL: another program wrote this file
    ");
    snapshot!(project.run(&["current", "--json"]), @r#"
    exit: 1
    --- stdout
    {
      "error": {
        "help": "check the path in the URL: another program wrote this file",
        "kind": "database",
        "message": "cannot use the database `sqlite://app.db`: the file is not a SQLite database (file is not a database)"
      }
    }
    --- stderr
    error: cannot use the database `sqlite://app.db`: the file is not a SQLite database (file is not a database)

      help: check the path in the URL: another program wrote this file
    "#);
    project.run(&["check"]).exits(1);
}

#[test]
fn a_folder() {
    let project = Project::linear(1);
    std::fs::create_dir(project.path("app.db")).unwrap();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot open the database `sqlite://app.db`: it is a folder

      help: name a file inside it, for example `sqlite://folder/runner.db`
    ");
    snapshot!(project.run(&["current"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot open the database `sqlite://app.db`: it is a folder

      help: name a file inside it, for example `sqlite://folder/runner.db`
    ");
}

#[test]
fn in_a_folder_that_is_not_there() {
    let project = Project::linear(1);
    snapshot!(project.run(&["upgrade", "--database-url", "sqlite://no/such/folder/app.db"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot open the database `sqlite://no/such/folder/app.db`: the folder `no/such/folder` does not exist

      help: create the folder, or check the path in the URL
    ");
}

#[test]
fn damaged() {
    let project = Project::linear(20);
    project.run(&["upgrade"]).exits(0);
    let mut bytes = std::fs::read(project.path("app.db")).unwrap();
    for byte in bytes.iter_mut().skip(4096) {
        *byte = 0xa5;
    }
    project.write("app.db", bytes);
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("sqlite://app.db"), "the message does not name the database: {run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
}

#[test]
fn a_version_table_of_another_tool() {
    let project = Project::linear(1);
    project.write("app.db", "");
    project.execute("CREATE TABLE runner_version (installed_rank INTEGER, script TEXT)");
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("runner_version"), "{run}");
    assert_eq!(project.tables(), [""; 0]);
}

#[test]
fn a_version_that_is_no_revision_id() {
    let project = Project::linear(1);
    project.write("app.db", "");
    project.execute(
        "CREATE TABLE runner_version (version_num VARCHAR(32) PRIMARY KEY); INSERT INTO runner_version VALUES ('a@b')",
    );
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the version table holds `a@b`, which is no revision id

      help: is it the version table of another tool? `version-table` in `[database]` names ours
    ");
}

#[test]
fn read_only() {
    let project = Project::linear(2);
    project.run(&["upgrade", "+1"]).exits(0);
    let url = ["--database-url", "sqlite://app.db?mode=ro"];
    project.run(&["current", url[0], url[1]]).exits(0);
    let run = project.run(&["upgrade", url[0], url[1]]).exits(1);
    assert!(run.stderr.contains("help:"), "{run}");
    assert_eq!(project.versions(), ["r0001"]);
}
