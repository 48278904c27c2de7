//! `runner current`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn where_the_database_is() {
    let project = Project::linear(3);
    project.run(&["upgrade", "r0002"]).exits(0);
    snapshot!(project.run(&["current"]), @"
    exit: 0
    --- stdout
    r0001 -> r0002 (current), Revision r0002
    1 of 3 revisions are pending
    --- stderr
    ");
    snapshot!(project.run(&["current", "-v"]), @"
    exit: 0
    --- stdout
    Current revisions of sqlite://app.db:

    Rev: r0002 (current)
    Parent: r0001
    Path: migrations/r0002.sql

        Revision r0002

    1 of 3 revisions are pending
    --- stderr
    ");
    snapshot!(project.run(&["current", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "current": [
        "r0002"
      ],
      "heads": [
        "r0003"
      ],
      "up_to_date": false
    }
    --- stderr
    "#);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["current"]), @"
    exit: 0
    --- stdout
    r0002 -> r0003 (head) (current), Revision r0003
    --- stderr
    ");
    assert_eq!(
        project.run(&["current", "--json"]).json(),
        serde_json::json!({ "current": ["r0003"], "heads": ["r0003"], "up_to_date": true })
    );
}

#[test]
fn a_database_that_is_not_there_is_not_created() {
    let project = Project::linear(1);
    snapshot!(project.run(&["current"]), @"
    exit: 0
    --- stdout
    nothing is applied
    1 of 1 revisions are pending
    --- stderr
    ");
    snapshot!(project.run(&["current", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "current": [],
      "heads": [
        "r0001"
      ],
      "up_to_date": false
    }
    --- stderr
    "#);
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn a_database_without_our_tables_gets_none() {
    let project = Project::linear(1);
    project.write("app.db", "");
    project.execute("CREATE TABLE other (id INTEGER)");
    project.run(&["current"]).exits(0);
    project.run(&["check"]).exits(4);
    project.run(&["log"]).exits(0);
    project.run(&["plan"]).exits(0);
    project.run(&["upgrade", "--dry-run"]).exits(0);
    assert_eq!(project.query("SELECT name FROM sqlite_master"), ["other"]);
}

#[test]
fn several_branches() {
    let project = Project::branched();
    project.run(&["upgrade", "bill1", "scheduling@head"]).exits(0);
    snapshot!(project.run(&["current"]), @"
    exit: 0
    --- stdout
    root -> bill1 (billing) (current), Revision bill1
    sched1 -> sched2 (head) (current), Revision sched2
    1 of 5 revisions are pending
    --- stderr
    ");
}
