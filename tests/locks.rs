//! A database that somebody else holds.

use std::io::Read as _;
use std::process::Child;

use sqlx::Connection as _;
use sqlx::Executor as _;

use crate::harness::Project;
use crate::harness::block_on;
use crate::snapshot;

/// Seconds of work for SQLite, in one statement.
const SLOW: &str = "INSERT INTO slow SELECT count(*) FROM \
    (WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000000) SELECT n FROM numbers);";

/// `r0001` is quick, `r0002` takes seconds, `r0003` is quick again.
pub(crate) fn slow_project() -> Project {
    let project = Project::empty();
    project.revision("r0001", "base", "", "CREATE TABLE slow (n INTEGER);", "DROP TABLE slow;");
    project.revision("r0002", "r0001", "", SLOW, "DELETE FROM slow;");
    project.revision("r0003", "r0002", "", "CREATE TABLE t0003 (id INTEGER);", "DROP TABLE t0003;");
    project
}

/// Reads what a process says until a line holds `text`, and nothing beyond that line.
pub(crate) fn wait_for(child: &mut Child, text: &str) {
    let (mut said, mut byte) = (Vec::new(), [0]);
    let stdout = child.stdout.as_mut().unwrap();
    while stdout.read(&mut byte).unwrap() == 1 {
        said.push(byte[0]);
        if byte[0] == b'\n' {
            if String::from_utf8_lossy(&said).contains(text) {
                return;
            }
            said.clear();
        }
    }
    panic!("the process ended without saying `{text}`");
}

#[test]
fn a_write_transaction_of_another_program() {
    let project = Project::linear(2);
    project.run(&["upgrade", "+1"]).exits(0);
    let run = block_on(async {
        let mut other = project.connect().await;
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let run = project.run(&["upgrade", "--lock-wait", "300ms"]);
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
        run
    });
    snapshot!(run, @"
    exit: 5
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
    --- stderr
    waiting for the lock held by another program
    error: the target is locked by another connection (waited [TIME])

      help: close what else works on this database: on SQLite a program with a write transaction, on a server a session that this user cannot see; `--lock-wait` allows a run more time
    ");
    assert_eq!(project.versions(), ["r0001"]);
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn the_wait_ends_when_the_other_program_does() {
    let project = Project::linear(2);
    project.run(&["upgrade", "+1"]).exits(0);
    block_on(async {
        let mut other = project.connect().await;
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let child = project.spawn(&["upgrade", "--lock-wait", "60s"]);
        std::thread::sleep(std::time::Duration::from_millis(200));
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
        project.ended(child).exits(0);
    });
    assert_eq!(project.versions(), ["r0002"]);
}

#[test]
fn another_runner_is_named() {
    let project = slow_project();
    let mut holder = project.spawn(&["upgrade"]);
    let pid = holder.id();
    wait_for(&mut holder, "applied   r0001");
    let run = project.run(&["upgrade", "--lock-wait", "100ms"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(run.stderr.contains(&format!("process {pid} on ")), "{run}");
    snapshot!(run, @"
    exit: 5
    --- stdout
    --- stderr
    waiting for the lock held by `upgrade` of tester (process [PID] on [HOST], since [WHEN])
    error: the target is locked by `upgrade` of tester (process [PID] on [HOST], since [WHEN]) (waited [TIME])

      help: wait until it has finished; `--lock-wait` allows a run more time, and the lock ends with the process that holds it
    ");
}

/// Who somebody says they are is foreign text.
#[test]
fn the_name_of_a_holder_does_not_steer_the_terminal() {
    let project = slow_project();
    let mut command = project.command(&["upgrade"]);
    command.env("USER", "ada\u{1b}[2J\u{202e}").stdin(std::process::Stdio::null());
    let mut holder = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for(&mut holder, "applied   r0001");
    let run = project.run(&["upgrade", "--lock-wait", "100ms"]).exits(5);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(run.stderr.matches("ada\\u{1b}[2J\\u{202e}").count(), 2, "{run}");
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}']), "{run}");
}

#[test]
fn json_of_a_lock_that_is_held() {
    let project = slow_project();
    let mut holder = project.spawn(&["upgrade"]);
    wait_for(&mut holder, "applied   r0001");
    let run = project.run(&["upgrade", "--json", "--lock-wait", "100ms"]).exits(5);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(run.json()["error"]["kind"], "locked");
}

#[test]
fn what_a_killed_holder_leaves_behind_holds_nobody_up() {
    let project = slow_project();
    let mut holder = project.spawn(&["upgrade"]);
    wait_for(&mut holder, "applied   r0001");
    holder.kill().unwrap();
    holder.wait().unwrap();
    project.edit("migrations/r0002.sql", "20000000", "2");
    project.run(&["upgrade", "--lock-wait", "0s"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
    assert_eq!(project.leavings(), ["app.db"]);
}

/// Killed between its last commit and its end, a run leaves the file, and the next one has nothing to do.
#[test]
fn a_lock_file_that_is_left_over_goes_even_if_there_is_nothing_to_do() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    project.write("app.db-runner-lock", "{}");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.leavings(), ["app.db"]);
}

#[test]
fn a_wait_that_is_no_duration() {
    snapshot!(Project::linear(1).run(&["upgrade", "--lock-wait", "soon"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'soon' for '--lock-wait <DURATION>': `soon` is not a duration such as `60s` or `500ms`

    For more information, try '--help'.
    ");
}
