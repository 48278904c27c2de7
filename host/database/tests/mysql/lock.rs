//! One runner per target, whatever happens to the others.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use runner_database::*;

use crate::support::*;

const CHILD: &str = "RUNNER_DATABASE_MYSQL_CHILD";

/// Not a test of its own: the body of the child process that other tests start.
#[tokio::test]
async fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, url) = task.split_once(' ').unwrap();
    let mut session = Session::open(&parse(url), &Options::default(), Access::Write).await.unwrap();
    session.lock(Duration::from_secs(10), &holder(task), &mut |_, _| {}).await.unwrap();
    if task == "making" {
        let mut run = session.start_run(info("child"), TransactionMode::PerRevision).await.unwrap();
        let mut observe = |progress| {
            if matches!(progress, Progress::Statement { index: 1, .. }) {
                println!("\nready");
            }
        };
        run.step(&making(), &mut observe).await.unwrap();
    }
    println!("\nready");
    tokio::time::sleep(Duration::from_secs(600)).await;
}

fn making() -> StepScript {
    up("b2", Some("a1"), &["DO 1", "CREATE TABLE u AS SELECT id, SLEEP(1) FROM t", "INSERT INTO t (id) VALUES (3)"])
}

fn start_child(task: &str, target: &Target) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::child_process", "--nocapture"])
        .env(CHILD, format!("{task} {}", target.database.url()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ready = lines.map_while(Result::ok).any(|line| line == "ready");
    assert!(is_ready, "the child ended early: {:?}", child.wait());
    child
}

#[tokio::test]
async fn two_sessions_exclude_each_other() {
    let target = Target::new();
    let mut first = target.locked().await;
    let mut second = target.write().await;
    let mut heard = 0;
    let wait = Duration::from_millis(120);
    let mut on_wait = |holder: Option<&Holder>, _: Duration| heard += usize::from(holder.is_some());
    let error = second.lock(wait, &holder("second"), &mut on_wait).await.unwrap_err();
    let Error::Locked { holder: Some(found), waited } = &error else { panic!("{error:?}") };
    assert!(*waited >= wait && heard >= 2, "{waited:?} {heard}");
    let note = found.note.as_deref().unwrap();
    let id: u64 = note.strip_prefix("connection ").unwrap().split(';').next().unwrap().parse().unwrap();
    assert!(note.contains(&format!("KILL {id}")) && target.sessions().contains(&id.to_string()), "{note}");
    assert!(error.to_string().contains("the target is locked by user "), "{error}");
    assert_eq!(target.sessions().len(), 3, "the second gave up its session for the lock");
    first.unlock().await.unwrap();
    second.lock(Duration::ZERO, &holder("second"), &mut |_, _| {}).await.unwrap();
    second.close().await.unwrap();
    first.close().await.unwrap();
}

#[tokio::test]
async fn other_databases_and_tables_have_other_locks() {
    let mut target = Target::new();
    let other = Target::new();
    let _first = target.locked().await;
    let _second = other.locked().await;
    target.options.version_table = "other_version".to_owned();
    target.options.ledger_table = "other_ledger".to_owned();
    target.locked().await.close().await.unwrap();
    // The same database by another scheme and through its socket.
    let url = parse(&other.database.socket_url().replacen("mysql:", "mariadb:", 1));
    let mut third = Session::open(&url, &Options::default(), Access::Write).await.unwrap();
    let error = third.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error:?}");
}

#[tokio::test]
async fn eight_sessions_take_turns() {
    let target = Target::new();
    target.apply(&[up("v0", None, &["CREATE TABLE t (id INT)"])]).await.unwrap();
    let turn = async |_| {
        let mut session = target.write().await;
        session.lock(Duration::from_secs(60), &holder("turn"), &mut |_, _| {}).await.unwrap();
        let current = session.state().await.unwrap().versions.remove(0);
        let next = format!("v{}", current[1..].parse::<u32>().unwrap() + 1);
        let script = up(&next, Some(&current), &["INSERT INTO t VALUES (1)"]);
        run_all(&mut session, &[script], TransactionMode::PerRevision).await.unwrap();
        session.close().await.unwrap();
    };
    tokio::join!(turn(0), turn(1), turn(2), turn(3), turn(4), turn(5), turn(6), turn(7));
    assert_eq!(target.state().await.versions, ["v8"]);
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "8");
    target.assert_intact().await;
}

#[tokio::test]
async fn a_dropped_session_gives_the_lock_back() {
    let target = Target::new();
    drop(target.locked().await);
    target.locked().await.close().await.unwrap();
}

#[tokio::test]
async fn a_lock_lost_in_the_middle_stops_the_run() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT)"])]).await.unwrap();
    let before: Vec<_> = target.statuses().await;
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let lock = lock_session(&target);
    let mut observe = |progress| {
        if matches!(progress, Progress::Statement { index: 1, .. }) {
            target.sql(&format!("KILL {lock}"));
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let script = up("b2", Some("a1"), &["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"]);
    let error = run.step(&script, &mut observe).await.unwrap_err();
    assert!(matches!(error, Error::LockLost { .. }), "{error:?}");
    let error = run.step(&script, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::LockLost { .. }), "{error:?}");
    drop(run);
    assert_eq!(target.one("SELECT GROUP_CONCAT(id) FROM t"), "1", "what was committed before");
    assert_eq!(target.statuses().await.len(), before.len() + 3, "run, started, progress");
    assert_eq!(target.state().await.versions, ["a1"]);
}

#[tokio::test]
async fn a_lock_lost_during_a_statement_is_noticed_before_the_commit() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT)"])]).await.unwrap();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let lock = lock_session(&target);
    let script = up("b2", Some("a1"), &["INSERT INTO t SELECT SLEEP(1)"]);
    let mut observe = |_| {};
    let kill = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        target.sql(&format!("KILL {lock}"));
    };
    let (result, ()) = tokio::join!(run.step(&script, &mut observe), kill);
    assert!(matches!(result, Err(Error::LockLost { .. })), "{result:?}");
    drop(run);
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "0");
    assert_eq!(target.state().await.versions, ["a1"]);
}

/// The session that holds the lock: the one that is not told to run scripts, and thus knows of no database of its own.
fn lock_session(target: &Target) -> String {
    let holder = "SELECT MAX(id) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE()";
    target.one(holder)
}

#[tokio::test]
async fn a_killed_process_leaves_no_lock() {
    let target = Target::new();
    let mut child = start_child("elsewhere", &target);
    let mut session = target.write().await;
    let error = session.lock(Duration::ZERO, &holder("here"), &mut |_, _| {}).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    session.lock(Duration::from_secs(5), &holder("here"), &mut |_, _| {}).await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_outlives_its_runner_is_waited_for() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1), (2)"])]).await.unwrap();
    let mut child = start_child("making", &target);
    target.session_running("SLEEP");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut session = target.write().await;
    let mut notes = Vec::new();
    let mut on_wait =
        |holder: Option<&Holder>, _: Duration| notes.extend(holder.and_then(|holder| holder.note.clone()));
    session.lock(Duration::from_secs(30), &holder("here"), &mut on_wait).await.unwrap();
    assert!(notes.iter().any(|note| note.contains("still runs a statement")), "{notes:?}");
    let dirty = &session.state().await.unwrap().dirty[0];
    assert_eq!((dirty.statements_done, dirty.uncertain), (1, true));
    // It has run by now, which nobody may claim.
    let error = run_all(&mut session, &[making()], TransactionMode::PerRevision).await.unwrap_err();
    assert!(error.to_string().contains("`u` exists"), "{error}");
    target.sql("DROP TABLE u");
    run_all(&mut session, &[making()], TransactionMode::PerRevision).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(target.state().await.versions, ["b2"]);
    target.assert_intact().await;
}
