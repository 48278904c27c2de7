//! One runner per target, whatever happens to the others.

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use runner_database::*;

use crate::support::*;

const CHILD: &str = "RUNNER_DATABASE_TEST_POSTGRES_CHILD";

/// Not a test of its own: the body of the child process that other tests start.
#[tokio::test]
async fn child_process() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (task, address) = task.split_once(' ').unwrap();
    let mut session = Session::open(&url(address), &Options::default(), Access::Write).await.unwrap();
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
    if task == "sleeping" {
        let script = StepScript { transactional: false, ..up("a1", None, &["SELECT 1", "SELECT pg_sleep(25)"]) };
        run_all(&mut session, &[script], TransactionMode::PerRevision).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
}

/// Starts the child and waits until it has done its task.
pub(crate) fn start_child(task: &str, address: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::child_process", "--nocapture"])
        .env(CHILD, format!("{task} {address}"))
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
    let wait = Duration::from_secs(2);
    let error = second.lock(wait, &holder("second"), &mut on_wait).await.unwrap_err();
    let Error::Locked { holder: Some(found), waited } = &error else { panic!("{error:?}") };
    let expected = Holder { since: "2026-11-20T12:00:00Z".to_owned(), note: found.note.clone(), ..holder("test") };
    assert_eq!(**found, expected);
    assert!(found.note.as_deref().unwrap().contains("`SELECT pg_terminate_backend("), "{found:?}");
    assert!(*waited >= wait && !heard.is_empty(), "{waited:?} {heard:?}");
    for _ in 0..100 {
        if target.sessions("runner second").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(target.sessions("runner second").is_empty(), "whoever waited in vain leaves nothing");
    first.unlock().await.unwrap();
    second.lock(Duration::ZERO, &holder("second"), &mut |_, _| {}).await.unwrap();
    second.close().await.unwrap();
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
    tokio::join!(turn(0), turn(1), turn(2), turn(3), turn(4), turn(5), turn(6), turn(7));
    assert_eq!(target.state().await.versions, ["v8"]);
    assert_eq!(target.one("SELECT count(*) FROM t"), "8");
}

#[tokio::test]
async fn a_dropped_session_gives_the_lock_back() {
    let target = Target::new();
    drop(target.locked().await);
    target.locked().await.close().await.unwrap();
}

#[tokio::test]
async fn a_wait_that_is_given_up_leaves_the_session_usable() {
    let target = Target::new();
    let first = target.locked().await;
    let mut second = target.write().await;
    let me = holder("second");
    for pause in [0, 1, 2, 4, 8, 16] {
        let mut on_wait = |_: Option<&Holder>, _: Duration| {};
        let waiting = second.lock(Duration::from_secs(30), &me, &mut on_wait);
        assert!(tokio::time::timeout(Duration::from_millis(pause), waiting).await.is_err());
    }
    first.close().await.unwrap();
    second.lock(Duration::from_secs(10), &me, &mut |_, _| {}).await.unwrap();
    run_all(&mut second, &[up("a1", None, &[])], TransactionMode::PerRevision).await.unwrap();
}

#[tokio::test]
async fn tables_in_different_schemas_have_different_locks() {
    let target = Target::new();
    target.sql("CREATE SCHEMA app");
    let _first = target.locked().await;
    let mut second =
        Session::open(&url(&format!("{}?schema=app", target.database.url())), &target.options, Access::Write)
            .await
            .unwrap();
    second.lock(Duration::ZERO, &holder("second"), &mut |_, _| {}).await.unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_no_lock() {
    let target = Target::new();
    let mut child = start_child("elsewhere", &target.database.url());
    let mut session = target.write().await;
    let error = session.lock(Duration::ZERO, &holder("here"), &mut |_, _| {}).await.unwrap_err();
    let Error::Locked { holder: Some(found), .. } = &error else { panic!("{error:?}") };
    assert_eq!((found.command.as_str(), found.pid), ("elsewhere", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    session.lock(Duration::from_secs(10), &holder("here"), &mut |_, _| {}).await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn the_session_of_the_lock_is_idle_outside_of_a_transaction() {
    let target = Target::new();
    let _session = target.locked().await;
    let sql = "SELECT state, backend_xmin IS NULL FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'runner%'";
    assert_eq!(target.query(sql), ["idle | t", "idle | t"]);
}

#[tokio::test]
async fn a_lock_that_is_lost_between_steps_stops_the_run() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap();
    target.kill_lock();
    let error = run.step(&up("b2", Some("a1"), &["INSERT INTO t VALUES (1)"]), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::LockLost { .. }), "{error:?}");
    drop(run);
    assert_eq!(target.state().await.versions, ["a1"]);
    assert_eq!(target.one("SELECT count(*) FROM t"), "0");
    assert_eq!(target.statuses().await, ["run", "applied"]);
}

#[tokio::test]
async fn nothing_is_committed_once_the_lock_is_lost() {
    for (transactional, mode) in
        [(true, TransactionMode::PerRevision), (true, TransactionMode::PerRun), (false, TransactionMode::PerRevision)]
    {
        let target = Target::new();
        target.apply(&[up("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
        let mut session = target.locked().await;
        let mut run = session.start_run(info("r"), mode).await.unwrap();
        let mut observe = |progress| {
            if matches!(progress, Progress::Statement { index: 1, .. }) {
                target.kill_lock();
            }
        };
        let script = StepScript { transactional, ..up("b2", Some("a1"), &["SELECT 1", "INSERT INTO t VALUES (1)"]) };
        let error = match run.step(&script, &mut observe).await {
            Err(error) => error,
            Ok(_) => run.finish().await.unwrap_err(),
        };
        assert!(matches!(error, Error::LockLost { .. }), "{transactional} {mode:?} {error:?}");
        assert_eq!(target.state().await.versions, ["a1"]);
        assert_eq!(target.one("SELECT count(*) FROM t"), "0");
        target.assert_intact().await;
    }
}

#[tokio::test]
async fn a_stranger_with_the_lock_is_named() {
    let target = Target::new();
    let first = target.locked().await;
    let take = target.one(
        "SELECT string_agg('pg_advisory_lock(' || (classid::bigint << 32 | objid::bigint) || ')', ', ') FROM pg_locks \
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    first.close().await.unwrap();
    use sqlx::Connection as _;
    let mut stranger = sqlx::PgConnection::connect(&target.database.url()).await.unwrap();
    let sql = format!("SET application_name = 'psql'; SELECT {take}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut stranger).await.unwrap();
    let mut session = target.write().await;
    let error = session.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("application name `psql` (on ") && text.contains("pg_terminate_backend("), "{text}");
}

#[tokio::test]
async fn a_statement_that_outlives_its_runner_is_waited_for() {
    let target = Target::new();
    let worker = |target: &Target| {
        target
            .one("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(25)%' AND pid <> pg_backend_pid()")
    };
    let mut child = start_child("sleeping", &target.database.url());
    while worker(&target) == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut session = target.write().await;
    let mut notes = Vec::new();
    let mut on_wait =
        |holder: Option<&Holder>, _: Duration| notes.extend(holder.and_then(|holder| holder.note.clone()));
    session.lock(Duration::from_secs(60), &holder("here"), &mut on_wait).await.unwrap();
    assert_eq!(worker(&target), "0", "it began beside a statement of the one before");
    let heard =
        notes.iter().any(|note| note.contains("still runs a statement") && note.contains("pg_terminate_backend"));
    assert!(heard, "{notes:?}");
    assert_eq!(session.state().await.unwrap().dirty.len(), 1);
    session.close().await.unwrap();
    // Nothing is left, so the next one need not wait.
    let mut session = target.write().await;
    session.lock(Duration::ZERO, &holder("next"), &mut |_, _| {}).await.unwrap();
    session.close().await.unwrap();
}
