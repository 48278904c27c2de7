//! Ctrl-C: the first lets the current step finish, the second rolls it back.

use std::process::Command;
use std::time::Duration;

use crate::harness::Project;
use crate::locks::slow_project;
use crate::locks::wait_for;
use crate::snapshot;

pub(crate) fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

/// Starts an upgrade, and sends signals once the slow step is running.
fn interrupted(project: &Project, signals: &[&str]) -> crate::harness::Run {
    let mut child = project.spawn(&["upgrade"]);
    wait_for(&mut child, "applied   r0001");
    for name in signals {
        std::thread::sleep(Duration::from_millis(300));
        signal(name, child.id());
    }
    project.ended(child)
}

#[test]
fn the_first_lets_the_step_finish() {
    let project = slow_project();
    let run = interrupted(&project, &["INT"]).exits(130);
    assert!(run.stdout.contains("applied   r0002"), "{run}");
    assert!(run.stderr.contains("interrupted after `r0002`"), "it is not said where the run stopped: {run}");
    assert_eq!(project.versions(), ["r0002"]);
    assert_eq!(project.leavings(), ["app.db"]);
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0003.sql:7:14: `t0003` has no primary key
      applied   r0003  Revision r0003  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    ");
    project.run(&["check"]).exits(0);
}

#[test]
fn json_says_so_too() {
    let project = slow_project();
    project.run(&["upgrade", "+1"]).exits(0);
    let mut child = project.spawn(&["upgrade", "--json"]);
    while !project.path("app.db-runner-lock").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it took the lock");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(300));
    signal("INT", child.id());
    let report = project.ended(child).exits(130).json();
    assert_eq!((&report["outcome"], &report["error"]["kind"]), (&"failed".into(), &"interrupted".into()));
    let statuses: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["applied", "pending"]);
}

#[test]
fn a_request_to_terminate_counts_as_well() {
    let project = slow_project();
    let run = interrupted(&project, &["TERM"]);
    assert_eq!((run.code, project.versions()), (130, vec!["r0002".to_owned()]), "{run}");
}

#[test]
fn the_second_rolls_the_step_back() {
    let project = slow_project();
    snapshot!(interrupted(&project, &["INT", "INT"]), @"
    exit: 130
    --- stdout
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    warning: interrupted: the current step is finished first; interrupt again to stop it
    error: interrupted in the middle of `r0002`

      help: revision `r0002` was rolled back; everything before it stays applied
      help: run the command again to go on from there
    ");
    assert_eq!(project.versions(), ["r0001"]);
    assert_eq!(project.query("SELECT count(*) FROM slow"), ["0"]);
    project.edit("migrations/r0002.sql", "20000000", "2");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
    project.run(&["check"]).exits(0);
}

#[test]
fn a_run_that_is_one_transaction_is_rolled_back_whole() {
    let project = slow_project();
    project.configure("transaction = \"per-run\"\n");
    let run = interrupted(&project, &["INT"]).exits(130);
    assert!(run.stderr.contains("rolled back"), "nobody hears that `r0001` was undone: {run}");
    assert_eq!(project.tables(), [""; 0]);
    project.edit("migrations/r0002.sql", "20000000", "2");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
}
