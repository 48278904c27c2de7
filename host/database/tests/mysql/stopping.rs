//! Runs that are stopped, and connections that are lost.

use std::time::Duration;

use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn a_running_statement_is_stopped_when_its_step_is_dropped() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t SELECT SLEEP(60)", "DO 1"]);
    let mut observe = |_| {};
    let step = run.step(&script, &mut observe);
    assert!(tokio::time::timeout(Duration::from_millis(700), step).await.is_err());
    let begun = std::time::Instant::now();
    run.abort("interrupted").await.unwrap();
    session.close().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!(rows[0].error.as_deref(), Some("interrupted (in the middle of `a1`, up)"));
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "0");
    assert_eq!(target.state().await.dirty[0].statements_done, 1);
    target.assert_intact().await;
}

#[tokio::test]
async fn a_dropped_run_rolls_back_and_the_session_goes_on() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t SELECT SLEEP(60)"]);
    let mut observe = |_| {};
    assert!(tokio::time::timeout(Duration::from_millis(700), run.step(&script, &mut observe)).await.is_err());
    drop(run);
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t SELECT 5"]);
    let outcomes = run_all(&mut session, &[script], TransactionMode::PerRevision).await.unwrap();
    assert_eq!(outcomes[0].statements_resumed, 1);
    session.close().await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
    assert_eq!(target.one("SELECT id FROM t"), "5");
}

#[tokio::test]
async fn a_step_dropped_at_any_moment_leaves_a_state_that_goes_on() {
    let target = Target::new();
    let statements: Vec<String> = (0..12).map(|index| format!("INSERT INTO t VALUES ({index})")).collect();
    let mut all = vec!["CREATE TABLE IF NOT EXISTS t (id INT)"];
    all.extend(statements.iter().map(String::as_str));
    let script = up("a1", None, &all);
    for milliseconds in (1..60).step_by(3) {
        let mut session = target.locked().await;
        let mut observe = |_| {};
        let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
        let step = run.step(&script, &mut observe);
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), step).await;
        drop(run);
        session.close().await.unwrap();
        // It may have been dropped after its commit.
        if !target.state().await.versions.is_empty() {
            break;
        }
    }
    if target.state().await.versions.is_empty() {
        target.apply(&[script]).await.unwrap();
    }
    assert_eq!(target.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "0,1,2,3,4,5,6,7,8,9,10,11");
    target.assert_intact().await;
}

#[tokio::test]
async fn nothing_is_recorded_about_a_statement_whose_fate_is_unknown() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t SELECT SLEEP(60)"]);
    let mut observe = |_| {};
    let kill = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        target.sql(&format!("KILL {}", target.session_running("SLEEP")));
    };
    let (result, ()) = tokio::join!(run.step(&script, &mut observe), kill);
    assert!(matches!(result, Err(Error::Statement(_))), "{result:?}");
    drop(run);
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.error.as_deref(), dirty.uncertain), (1, None, true));
    // The session itself goes on once it has read the state again.
    assert_eq!(session.state().await.unwrap().dirty.len(), 1);
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t SELECT 1"]);
    run_all(&mut session, &[script], TransactionMode::PerRevision).await.unwrap();
    session.close().await.unwrap();
    target.assert_intact().await;
}

#[tokio::test]
async fn a_server_that_dies_leaves_a_step_that_resumes() {
    let server = test_servers::Server::start(test_servers::ServerOptions {
        durable: true,
        ..test_servers::ServerOptions::mysql()
    });
    let database = server.database();
    let url = parse(&database.url());
    let open = async || Session::open(&url, &Options::default(), Access::Write).await;
    let mut session = open().await.unwrap();
    session.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap();
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = |sql| up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)", sql]);
    let mut observe = |progress| {
        if matches!(progress, Progress::Statement { index: 2, .. }) {
            server.kill();
        }
    };
    run.step(&script("INSERT INTO t VALUES (2)"), &mut observe).await.unwrap_err();
    drop(run);
    let error = open().await.unwrap_err();
    assert!(matches!(error, Error::Connect { is_transient: true, .. }), "{error:?}");
    server.restart();
    let mut session = open().await.unwrap();
    session.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap();
    let outcomes =
        run_all(&mut session, &[script("INSERT INTO t VALUES (2)")], TransactionMode::PerRevision).await.unwrap();
    assert_eq!(outcomes[0].statements_resumed, 2);
    assert_eq!(database.query("SELECT id FROM t ORDER BY id"), ["1", "2"]);
}
