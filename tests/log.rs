//! `runner log`

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// Column widths depend on how long things took, so runs of spaces count as one.
fn squeezed(mut run: Run) -> Run {
    run.stdout = run.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect();
    for part in run.stdout.clone().split_whitespace().filter(|word| word.len() == 28 && word.contains("Z-")) {
        run.stdout = run.stdout.replace(part, "[RUN]");
    }
    run
}

#[test]
fn what_was_done_newest_first() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.run(&["downgrade", "-1", "--env", "test"]).exits(0);
    project.revision("r0002", "r0001", "", "INSERT INTO nowhere VALUES (1);", "SELECT 1;");
    project.run_with(&[("RUNNER_ACTOR", "pipeline")], &["upgrade"]).exits(1);
    snapshot!(squeezed(project.run(&["log"])), @"
    exit: 0
    --- stdout
    [WHEN] upgrade development failed r0002 [TIME] pipeline@[HOST] no such table: nowhere
    [WHEN] upgrade development run run [RUN] pipeline@[HOST]
    [WHEN] downgrade test reverted r0002 [TIME] tester@[HOST]
    [WHEN] downgrade test run run [RUN] tester@[HOST]
    [WHEN] upgrade development applied r0002 [TIME] tester@[HOST]
    [WHEN] upgrade development applied r0001 [TIME] tester@[HOST]
    [WHEN] upgrade development run run [RUN] tester@[HOST]
    --- stderr
    ");
}

#[test]
fn as_many_as_asked_for() {
    let project = Project::linear(30);
    project.run(&["upgrade"]).exits(0);
    let lines = |arguments: &[&str]| project.run(arguments).exits(0).stdout.lines().count();
    assert_eq!(lines(&["log"]), 20);
    assert_eq!(lines(&["log", "-n", "5"]), 5);
    assert_eq!(lines(&["log", "-n", "0"]), 31);
}

#[test]
fn json_holds_every_column() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    let entries = project.run(&["log", "--json"]).exits(0).json()["entries"].as_array().unwrap().clone();
    let (step, run) = (&entries[0], &entries[1]);
    assert_eq!(
        (&step["revision"], &step["direction"], &step["status"]),
        (&"r0001".into(), &"up".into(), &"applied".into())
    );
    assert_eq!(
        (&step["actor"], &step["command"], &step["environment"]),
        (&"tester".into(), &"upgrade".into(), &"development".into())
    );
    assert_eq!((&step["statements_done"], &step["statements_total"]), (&1.into(), &1.into()));
    assert_eq!(step["previous_hash"], run["hash"]);
    assert_eq!(run["verdicts"]["plugin_set"], "default");
    assert_eq!(run["plugins"][0]["name"], "environment-hierarchy");
    for key in ["hash", "checksum", "sql_checksum"] {
        assert_eq!(step[key].as_str().unwrap().len(), 64, "{key}");
    }
}

#[test]
fn an_empty_ledger() {
    let project = Project::linear(1);
    snapshot!(project.run(&["log"]), @"
    exit: 0
    --- stdout
    the ledger is empty
    --- stderr
    ");
    snapshot!(project.run(&["log", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "entries": []
    }
    --- stderr
    "#);
    assert_eq!(project.leavings(), [""; 0]);
}
