//! One runner per target, whatever happens to the others.

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use runner_database::*;
use sqlx::Connection as _;

use crate::support::*;

const CHILD: &str = "RUNNER_DATABASE_TEST_CHILD";

/// Not a test of its own: the body of the child process that other tests start.
#[tokio::test]
async fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, folder) = task.split_once(':').unwrap();
    let url = DatabaseUrl::parse("sqlite://app.db", Path::new(folder)).unwrap();
    let mut session = Session::open(&url, &Options::default(), Access::Write).await.unwrap();
    session.lock(Duration::from_secs(10), &holder(task), &mut |_, _| {}).await.unwrap();
    if task == "half-way" {
        let script = crate::outside::three_statements();
        let mut run = session.start_run(info("child"), TransactionMode::PerRevision).await.unwrap();
        let mut observe = |progress| {
            if matches!(progress, Progress::Statement { index: 2, .. }) {
                println!("\nready");
                std::thread::sleep(Duration::from_secs(600));
            }
        };
        run.step(&script, &mut observe).await.unwrap();
    }
    println!("\nready");
    tokio::time::sleep(Duration::from_secs(600)).await;
}

/// Starts the child and waits until it has done its task.
pub(crate) fn start_child(task: &str, folder: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::child_process", "--nocapture"])
        .env(CHILD, format!("{task}:{}", folder.display()))
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
    let mut heard = Vec::new();
    let mut on_wait = |holder: Option<&Holder>, waited: Duration| heard.push((holder.cloned(), waited));
    let wait = Duration::from_millis(120);
    let error = second.lock(wait, &holder("second"), &mut on_wait).await.unwrap_err();
    let Error::Locked { holder: Some(found), waited } = &error else { panic!("{error:?}") };
    assert_eq!(**found, holder("test"));
    assert!(*waited >= wait, "{waited:?}");
    assert!(error.to_string().contains("`test` of alice (process"), "{error}");
    assert!(heard.len() >= 2 && heard.iter().all(|(found, _)| found.as_ref() == Some(&holder("test"))), "{heard:?}");
    first.unlock().await.unwrap();
    assert!(!target.lock_file().exists());
    second.lock(Duration::ZERO, &holder("second"), &mut |_, _| {}).await.unwrap();
    second.close().await.unwrap();
    assert!(!target.lock_file().exists());
}

#[tokio::test]
async fn a_waiting_session_gets_the_lock() {
    let target = Target::new();
    let mut first = target.locked().await;
    let mut second = target.write().await;
    let me = holder("second");
    let mut on_wait = |_: Option<&Holder>, _: Duration| {};
    let waiting = second.lock(Duration::from_secs(30), &me, &mut on_wait);
    let work = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        run_all(&mut first, &[up("a1", None, &[])], TransactionMode::PerRevision).await.unwrap();
        first.unlock().await.unwrap();
    };
    let (locked, ()) = tokio::join!(waiting, work);
    locked.unwrap();
    assert_eq!(second.state().await.unwrap().versions, ["a1"]);
}

#[tokio::test]
async fn many_sessions_take_turns() {
    let target = Target::new();
    target.apply(&[up("v0", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    let turn = async |_| {
        let mut session = target.write().await;
        session.lock(Duration::from_secs(60), &holder("turn"), &mut |_, _| {}).await.unwrap();
        let current = session.state().await.unwrap().versions.remove(0);
        let next = format!("v{}", current[1..].parse::<u32>().unwrap() + 1);
        let script = up(&next, Some(&current), &["INSERT INTO t VALUES (1)"]);
        run_all(&mut session, &[script], TransactionMode::PerRevision).await.unwrap();
        session.close().await.unwrap();
    };
    tokio::join!(turn(0), turn(1), turn(2), turn(3), turn(4), turn(5));
    assert_eq!(target.state().await.versions, ["v6"]);
    assert_eq!(target.count("SELECT count(*) FROM t").await, 6);
    assert_eq!(files_in(target.folder.path()), ["app.db"]);
}

#[tokio::test]
async fn a_dropped_session_gives_the_lock_back() {
    let target = Target::new();
    drop(target.locked().await);
    assert!(!target.lock_file().exists());
    target.locked().await.close().await.unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_no_lock() {
    let target = Target::new();
    let mut child = start_child("elsewhere", target.folder.path());
    let mut session = target.write().await;
    let error = session.lock(Duration::ZERO, &holder("here"), &mut |_, _| {}).await.unwrap_err();
    let Error::Locked { holder: Some(found), .. } = &error else { panic!("{error:?}") };
    assert_eq!((found.command.as_str(), found.pid), ("elsewhere", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(target.lock_file().exists(), "the stale file stays behind");
    session.lock(Duration::ZERO, &holder("here"), &mut |_, _| {}).await.unwrap();
    session.close().await.unwrap();
    assert!(!target.lock_file().exists());
}

#[tokio::test]
async fn another_program_in_a_write_transaction_is_waited_for() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)").await;
    let mut program = target.outsider().await;
    let writing = program.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mut session = target.write().await;
    let mut heard = 0;
    let mut on_wait = |holder: Option<&Holder>, _| {
        assert_eq!(holder, None);
        heard += 1;
    };
    let error = session.lock(Duration::from_millis(60), &holder("x"), &mut on_wait).await.unwrap_err();
    assert!(matches!(error, Error::Locked { holder: None, .. }), "{error:?}");
    assert!(heard >= 1);
    assert!(!target.lock_file().exists());
    writing.rollback().await.unwrap();
    session.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap();
}

#[tokio::test]
async fn a_run_needs_the_lock() {
    let target = Target::new();
    let mut session = target.write().await;
    let error = session.start_run(info("r"), TransactionMode::PerRun).await.unwrap_err();
    assert!(matches!(error, Error::NotLocked), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_to_the_same_lock() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)").await;
    std::os::unix::fs::symlink("app.db", target.folder.path().join("link.db")).unwrap();
    let url = DatabaseUrl::parse("sqlite://link.db", target.folder.path()).unwrap();
    assert_eq!(url.identity(), target.url.identity());
    let _first = target.locked().await;
    let mut second = Session::open(&url, &target.options, Access::Write).await.unwrap();
    let error = second.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error:?}");
}
