//! Steps that are dropped, sessions and servers that die.

use std::time::Duration;
use std::time::Instant;

use runner_database::*;
use test_servers::OwnedServer;
use test_servers::Server;
use test_servers::ServerOptions;
use test_servers::TestDatabase;

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
    assert!(error.to_string().contains("lost while running a statement: terminating"), "{error}");
    run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap();
    run.finish().await.unwrap();
    session.close().await.unwrap();
    assert_eq!(target.statuses().await, ["run", "failed", "applied"]);
    target.assert_intact().await;
}

/// A server that may be killed, with a database in it.
async fn own_server() -> (OwnedServer, TestDatabase) {
    let start = || {
        let server = Server::start(ServerOptions::postgres());
        let database = server.database();
        (server, database)
    };
    tokio::task::spawn_blocking(start).await.unwrap()
}

#[tokio::test]
async fn a_killed_server_leaves_the_step_undone() {
    let (server, database) = own_server().await;
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
    assert!(matches!(error, Error::CommitUnknown { .. } | Error::LockLost { .. }), "{error:?}");
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

#[tokio::test]
async fn a_connection_lost_in_a_commit_that_fails_leaves_nothing() {
    let target = Target::new();
    target.sql(
        "CREATE TABLE t (id INTEGER); \
         CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
    );
    for (transactional, statements) in
        [(true, vec!["INSERT INTO t VALUES (1)"]), (false, vec!["BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"])]
    {
        let script = StepScript { transactional, ..up("a1", None, &statements) };
        let error = target.apply(&[script]).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        assert_eq!(target.one("SELECT count(*) FROM t"), "0");
        assert!(target.state().await.versions.is_empty());
    }
    target.assert_intact().await;
}

#[tokio::test]
async fn a_connection_lost_in_a_commit_that_went_through_is_no_failure() {
    let (server, database) = own_server().await;
    let target = Target { url: url(&database.url()), database, options: Options::default() };
    target.sql("CREATE TABLE t (id INTEGER)");
    let settings = |sql: &str| {
        target.sql(sql);
        target.sql("SELECT pg_reload_conf()");
    };
    let in_own = ["BEGIN", "INSERT INTO t VALUES (2)", "COMMIT", "INSERT INTO t VALUES (3)"];
    let scripts = [
        up("a1", None, &["INSERT INTO t VALUES (1)"]),
        StepScript { transactional: false, ..up("b2", Some("a1"), &in_own) },
    ];
    for script in scripts {
        let mut session = target.locked().await;
        // The commit is done, and waits for a standby that never comes.
        settings("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        let has_ended = std::cell::Cell::new(false);
        let run = async {
            let outcome = run_all(&mut session, std::slice::from_ref(&script), TransactionMode::PerRevision).await;
            has_ended.set(true);
            outcome
        };
        let cut = async {
            while !has_ended.get() {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let waiting = "SELECT pid::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
                if let Some(pid) = target.query(waiting).pop() {
                    target.sql(&format!("SET synchronous_commit = local; SELECT pg_terminate_backend({pid})"));
                    while !target.query(&format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid}")).is_empty() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
            }
            settings("ALTER SYSTEM RESET synchronous_standby_names");
        };
        let (outcome, ()) = tokio::join!(run, cut);
        if script.transactional {
            outcome.unwrap();
        } else {
            // What the session was is gone, so the statements that follow are for another run.
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
            assert_eq!(target.state().await.dirty[0].statements_done, 3);
            run_all(&mut session, std::slice::from_ref(&script), TransactionMode::PerRevision).await.unwrap();
        }
        session.close().await.unwrap();
        assert_eq!(target.state().await.versions, std::slice::from_ref(&script.revision));
    }
    assert_eq!(target.query("SELECT id::text FROM t ORDER BY id"), ["1", "2", "3"]);
    target.assert_intact().await;
    std::thread::scope(|scope| scope.spawn(move || drop((target, server))).join().unwrap());
}
