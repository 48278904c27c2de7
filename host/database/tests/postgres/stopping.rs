//! Steps that are dropped, sessions and servers that die.

use std::time::Duration;
use std::time::Instant;

use runner_database::*;
use test_servers::Server;
use test_servers::ServerOptions;

use crate::support::*;

const ENDLESS: &str = "SELECT pg_sleep(600)";

#[tokio::test]
async fn a_running_statement_is_stopped_when_its_step_is_dropped() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INTEGER)", ENDLESS]);
    let mut observe = |_| {};
    assert!(tokio::time::timeout(Duration::from_millis(200), run.step(&script, &mut observe)).await.is_err());
    let begun = Instant::now();
    run.abort("interrupted").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    session.close().await.unwrap();
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!(rows[0].error.as_deref(), Some("interrupted (in the middle of `a1`, up)"));
    assert_eq!(target.one("SELECT to_regclass('t') IS NULL"), "t");
}

#[tokio::test]
async fn a_run_does_not_go_on_after_a_dropped_step() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INTEGER)", ENDLESS]);
    let mut observe = |_| {};
    assert!(tokio::time::timeout(Duration::from_millis(200), run.step(&script, &mut observe)).await.is_err());
    let error = run.step(&up("b2", None, &[]), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error:?}");
    drop(run);
    assert!(!session.state().await.unwrap().exists);
}

#[tokio::test]
async fn a_dropped_run_rolls_back_and_the_session_goes_on() {
    let target = Target::new();
    let mut session = target.locked().await;
    for pause in [0, 1, 3, 10, 200] {
        let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
        let script = up("a1", None, &["CREATE TABLE t (id INTEGER)", ENDLESS]);
        let mut observe = |_| {};
        let step = run.step(&script, &mut observe);
        assert!(tokio::time::timeout(Duration::from_millis(pause), step).await.is_err());
        drop(run);
    }
    let script = up("a1", None, &["CREATE TABLE t (id INTEGER)"]);
    run_all(&mut session, &[script], TransactionMode::PerRevision).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
    target.assert_intact().await;
}

#[tokio::test]
async fn a_dropped_reading_leaves_the_session_usable() {
    let target = Target::new();
    target.sql("CREATE TABLE runner_version (something TEXT)");
    let mut session = target.read().await;
    for pause in [0, 100, 200, 400, 800] {
        let _ = tokio::time::timeout(Duration::from_micros(pause), session.state()).await;
        let error = session.state().await.unwrap_err();
        assert!(error.to_string().contains("is a table of something else"), "{error}");
    }
}

#[tokio::test]
async fn a_killed_working_session_fails_its_step_and_is_replaced() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let kill = "SELECT pg_terminate_backend(pg_backend_pid())";
    let error = run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)", kill]), &mut |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("the server ended the connection"), "{error}");
    run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap();
    run.finish().await.unwrap();
    session.close().await.unwrap();
    assert_eq!(target.statuses().await, ["run", "failed", "applied"]);
    target.assert_intact().await;
}

#[tokio::test]
async fn a_killed_server_leaves_the_step_undone() {
    let (server, database) = tokio::task::spawn_blocking(|| {
        let server = Server::start(ServerOptions::postgres());
        let database = server.database();
        (server, database)
    })
    .await
    .unwrap();
    let target = url(&database.url());
    let mut session = Session::open(&target, &Options::default(), Access::Write).await.unwrap();
    session.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap();
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap();
    let mut observe = |progress| {
        if progress == Progress::Recording {
            server.kill();
        }
    };
    let error = run.step(&up("b2", Some("a1"), &["INSERT INTO t VALUES (1)"]), &mut observe).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. } | Error::LockLost { .. }), "{error:?}");
    drop(run);
    drop(session);
    let error = Session::open(&target, &Options::default(), Access::Read).await.unwrap_err();
    assert!(matches!(error, Error::Connect { is_transient: true, .. }), "{error:?}");
    std::thread::scope(|scope| scope.spawn(|| server.restart()).join().unwrap());
    let mut session = Session::open(&target, &Options::default(), Access::Write).await.unwrap();
    assert_eq!(session.state().await.unwrap().versions, ["a1"]);
    session.lock(Duration::from_secs(10), &holder("x"), &mut |_, _| {}).await.unwrap();
    run_all(&mut session, &[up("b2", Some("a1"), &["INSERT INTO t VALUES (1)"])], TransactionMode::PerRevision)
        .await
        .unwrap();
    session.close().await.unwrap();
    std::thread::scope(|scope| scope.spawn(move || drop((database, server))).join().unwrap());
}
