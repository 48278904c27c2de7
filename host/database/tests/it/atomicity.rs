//! A step, its version row and its ledger row are committed together or not at all.

use std::time::Duration;

use runner_chain::Checksum;
use runner_database::*;
use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::support::*;

#[tokio::test]
async fn a_step_moves_the_version_and_leaves_one_row() {
    let target = Target::new();
    let scripts = [
        up("a1", None, &["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)"]),
        up("b2", Some("a1"), &["ALTER TABLE t ADD COLUMN name TEXT"]),
    ];
    let outcomes = target.apply(&scripts).await.unwrap();
    assert_eq!(outcomes[0].status, RecordedStatus::Applied);
    assert_eq!(outcomes[0].statements_run, 2);
    let state = target.state().await;
    assert_eq!(state.versions, ["b2"]);
    assert_eq!(state.records["a1"].checksum, Some(Checksum::of(b"file-a1")));
    assert_eq!(state.records["b2"].sql_checksum, Some(Checksum::of(b"sql-b2")));
    assert_eq!(state.tail.as_ref().unwrap().id, 3);
    assert_eq!(target.statuses().await, ["run", "applied", "applied"]);
    target.assert_intact().await;
    assert_eq!(files_in(target.folder.path()), ["app.db"]);
}

#[tokio::test]
async fn a_failing_statement_takes_its_step_back_and_is_recorded() {
    let target = Target::new();
    let scripts = [
        up("a1", None, &["CREATE TABLE t (id INTEGER)"]),
        up("b2", Some("a1"), &["INSERT INTO t VALUES (1)", "INSERT INTO missing VALUES (1)"]),
    ];
    let error = target.apply(&scripts).await.unwrap_err();
    let Error::Statement(statement) = &error else { panic!("{error:?}") };
    assert_eq!((statement.index, statement.offset), (1, Some(12)));
    assert_eq!(statement.message, "no such table: missing");
    assert_eq!(statement.code.as_deref(), Some("SQLITE_ERROR"));
    let state = target.state().await;
    assert_eq!(state.versions, ["a1"]);
    assert!(state.dirty.is_empty(), "{:?}", state.dirty);
    assert_eq!(target.count("SELECT count(*) FROM t").await, 0);
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!((rows[0].status.as_str(), rows[0].revision.as_deref()), ("failed", Some("b2")));
    assert_eq!(rows[0].error.as_deref(), Some("no such table: missing"));
    target.assert_intact().await;
}

#[tokio::test]
async fn a_failing_first_step_is_recorded_with_its_run() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INTEGER)", "nonsense"])]).await.unwrap_err();
    assert_eq!(target.statuses().await, ["run", "failed"]);
    let state = target.state().await;
    assert!(state.versions.is_empty() && state.exists);
    assert_eq!(target.count("SELECT count(*) FROM sqlite_master WHERE name = 't'").await, 0);
}

#[tokio::test]
async fn the_place_of_a_syntax_error_is_found() {
    let target = Target::new();
    let sql = "CREATE TABLE u (é TEXT, , name TEXT)";
    let error = target.apply(&[up("a1", None, &[sql])]).await.unwrap_err();
    let Error::Statement(statement) = &error else { panic!("{error:?}") };
    assert_eq!(statement.message, "near \",\": syntax error");
    assert_eq!(statement.offset, Some(24));
}

#[tokio::test]
async fn one_transaction_for_the_whole_run() {
    let target = Target::new();
    let mut session = target.locked().await;
    let good = up("a1", None, &["CREATE TABLE t (id INTEGER)"]);
    let bad = up("b2", Some("a1"), &["INSERT INTO missing VALUES (1)"]);
    let error = run_all(&mut session, &[good.clone(), bad], TransactionMode::PerRun).await.unwrap_err();
    assert!(matches!(error, Error::Statement(_)), "{error:?}");
    session.close().await.unwrap();
    assert!(target.state().await.versions.is_empty());
    assert_eq!(target.statuses().await, ["run", "failed"]);
    let mut session = target.locked().await;
    let next = up("b2", Some("a1"), &["INSERT INTO t VALUES (1)"]);
    run_all(&mut session, &[good, next], TransactionMode::PerRun).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(target.state().await.versions, ["b2"]);
    assert_eq!(target.statuses().await, ["run", "failed", "run", "applied", "applied"]);
    target.assert_intact().await;
}

#[tokio::test]
async fn a_failed_transaction_takes_no_further_steps() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRun).await.unwrap();
    run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap();
    run.step(&up("b2", None, &["nonsense"]), &mut |_| {}).await.unwrap_err();
    let error = run.step(&up("c3", None, &[]), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error:?}");
    drop(run);
    assert!(session.state().await.unwrap().versions.is_empty());
}

#[tokio::test]
async fn a_run_does_not_go_on_after_a_dropped_step() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INTEGER)", ENDLESS]);
    let mut observe = |_| {};
    assert!(tokio::time::timeout(Duration::from_millis(100), run.step(&script, &mut observe)).await.is_err());
    let error = run.step(&up("b2", None, &[]), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error:?}");
    assert!(matches!(run.finish().await.unwrap_err(), Error::Interrupted));
    assert!(!session.state().await.unwrap().exists);
}

#[tokio::test]
async fn nobody_sees_the_database_while_a_run_lasts() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)").await;
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRun).await.unwrap();
    run.step(&up("a1", None, &["INSERT INTO t VALUES (1)"]), &mut |_| {}).await.unwrap();
    run.finish().await.unwrap();
    let mut outsider = SqliteConnectOptions::new()
        .filename(target.file())
        .busy_timeout(Duration::from_millis(10))
        .connect()
        .await
        .unwrap();
    let error = sqlx::query("SELECT count(*) FROM t").fetch_one(&mut outsider).await.unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    let error = Session::open(&target.url, &target.options, Access::Read).await.unwrap_err();
    assert!(matches!(&error, Error::Locked { holder: Some(holder), .. } if holder.command == "test"), "{error:?}");
    session.unlock().await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
    assert_eq!(target.count("SELECT count(*) FROM t").await, 1);
    session.close().await.unwrap();
    target.sql("INSERT INTO t VALUES (2)").await;
}

#[tokio::test]
async fn version_rows_must_be_as_expected() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    for script in [
        up("c3", Some("other"), &["INSERT INTO t VALUES (1)"]),
        up("a1", None, &["INSERT INTO t VALUES (1)"]),
        StepScript {
            change: VersionChange { delete: vec!["a1".into(), "b2".into()], insert: vec!["m".into()] },
            ..up("m", None, &["INSERT INTO t VALUES (1)"])
        },
        StepScript {
            change: VersionChange { delete: vec!["x".into()], insert: vec![] },
            ..down("x", None, &["INSERT INTO t VALUES (1)"])
        },
    ] {
        let error = target.apply(std::slice::from_ref(&script)).await.unwrap_err();
        assert!(matches!(error, Error::Concurrent { .. }), "{error:?}");
        assert_eq!(target.state().await.versions, ["a1"]);
        assert_eq!(target.count("SELECT count(*) FROM t").await, 0);
    }
    target.assert_intact().await;
}

#[tokio::test]
async fn branches_and_merges_change_several_rows() {
    let target = Target::new();
    let change = |delete: &[&str], insert: &[&str]| VersionChange {
        delete: delete.iter().map(ToString::to_string).collect(),
        insert: insert.iter().map(ToString::to_string).collect(),
    };
    let merge = StepScript { change: change(&["a1", "b2"], &["m3"]), ..up("m3", None, &[]) };
    let unmerge = StepScript { change: change(&["m3"], &["a1", "b2"]), ..down("m3", None, &[]) };
    target.apply(&[up("a1", None, &[]), up("b2", None, &[]), merge]).await.unwrap();
    assert_eq!(target.state().await.versions, ["m3"]);
    target.apply(&[unmerge]).await.unwrap();
    assert_eq!(target.state().await.versions, ["a1", "b2"]);
}

#[tokio::test]
async fn an_alembic_database_is_adopted_in_place() {
    let mut target = Target::new();
    target
        .sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, \
             CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)); INSERT INTO alembic_version VALUES ('a1')",
        )
        .await;
    target.options.version_table = "alembic_version".to_owned();
    assert_eq!(target.state().await.versions, ["a1"]);
    target.apply(&[up("b2", Some("a1"), &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    assert_eq!(target.state().await.versions, ["b2"]);
    assert_eq!(target.count("SELECT count(*) FROM sqlite_master WHERE name LIKE 'runner_version%'").await, 0);
}

#[tokio::test]
async fn skipping_and_stamping_run_nothing() {
    let target = Target::new();
    let skip =
        StepScript { action: Action::Skip { reason: "only for tests".to_owned() }, ..up("a1", None, &["nonsense"]) };
    let stamp = StepScript { action: Action::Stamp, ..up("b2", Some("a1"), &["nonsense"]) };
    target.apply(&[skip, stamp]).await.unwrap();
    let state = target.state().await;
    assert_eq!(state.versions, ["b2"]);
    assert_eq!(state.records["a1"].status, RecordedStatus::Skipped);
    assert_eq!(state.records["b2"].status, RecordedStatus::Stamped);
    let rows = target.read().await.ledger(None).await.unwrap();
    assert_eq!(rows[1].error.as_deref(), Some("only for tests"));
}

#[tokio::test]
async fn a_run_without_steps_leaves_nothing() {
    let target = Target::new();
    target.apply(&[]).await.unwrap();
    assert!(files_in(target.folder.path()).is_empty());
    let mut session = target.locked().await;
    let run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    run.abort("refused").await.unwrap();
    session.close().await.unwrap();
    assert!(files_in(target.folder.path()).is_empty());
}

#[tokio::test]
async fn an_aborted_run_is_recorded_and_rolled_back() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRun).await.unwrap();
    run.step(&up("a1", None, &["CREATE TABLE t (id INTEGER)"]), &mut |_| {}).await.unwrap();
    run.abort("interrupted").await.unwrap();
    session.close().await.unwrap();
    assert!(target.state().await.versions.is_empty());
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!(rows[0].error.as_deref(), Some("interrupted"));
}

const ENDLESS: &str = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

#[tokio::test]
async fn a_running_statement_is_stopped_when_its_step_is_dropped() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INTEGER)", ENDLESS]);
    let mut observe = |_| {};
    let step = run.step(&script, &mut observe);
    assert!(tokio::time::timeout(Duration::from_millis(100), step).await.is_err());
    run.abort("interrupted").await.unwrap();
    session.close().await.unwrap();
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!(rows[0].error.as_deref(), Some("interrupted (in the middle of `a1`, up)"));
    assert_eq!(target.count("SELECT count(*) FROM sqlite_master WHERE name = 't'").await, 0);
}

#[tokio::test]
async fn a_dropped_run_rolls_back_and_the_session_goes_on() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE t (id INTEGER)", ENDLESS]);
    let mut observe = |_| {};
    assert!(tokio::time::timeout(Duration::from_millis(100), run.step(&script, &mut observe)).await.is_err());
    drop(run);
    run_all(&mut session, &[up("a1", None, &["CREATE TABLE t (id INTEGER)"])], TransactionMode::PerRevision)
        .await
        .unwrap();
    session.close().await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
}

#[tokio::test]
async fn a_commit_that_stays_busy_is_rolled_back() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1)").await;
    let mut reader = target.outsider().await;
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("SELECT * FROM t").fetch_all(&mut *reading).await.unwrap();
    let error = target.apply(&[up("a1", None, &["INSERT INTO t VALUES (2)"])]).await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
    reading.rollback().await.unwrap();
    assert_eq!(target.count("SELECT count(*) FROM t").await, 1);
    target.apply(&[up("a1", None, &["INSERT INTO t VALUES (2)"])]).await.unwrap();
}

#[tokio::test]
async fn a_database_in_memory_works_for_one_session() {
    let target = Target::new();
    let url = DatabaseUrl::parse("sqlite::memory:", target.folder.path()).unwrap();
    let mut session = Session::open(&url, &target.options, Access::Write).await.unwrap();
    session.lock(Duration::ZERO, &holder("test"), &mut |_, _| {}).await.unwrap();
    let scripts =
        [up("a1", None, &["CREATE TABLE t (id INTEGER)"]), outside("b2", Some("a1"), &["PRAGMA foreign_keys = ON"])];
    run_all(&mut session, &scripts, TransactionMode::PerRevision).await.unwrap();
    assert_eq!(session.state().await.unwrap().versions, ["b2"]);
    session.close().await.unwrap();
    assert!(files_in(target.folder.path()).is_empty());
}

#[tokio::test]
async fn foreign_keys_are_off_unless_asked_for() {
    let broken: &[&str] = &[
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (parent INTEGER REFERENCES parent (id))",
        "INSERT INTO child VALUES (1)",
    ];
    let target = Target::new();
    target.apply(&[up("a1", None, broken)]).await.unwrap();
    let mut target = Target::new();
    target.options.foreign_keys = true;
    let error = target.apply(&[up("a1", None, broken)]).await.unwrap_err();
    assert!(error.to_string().contains("FOREIGN KEY"), "{error}");
}
