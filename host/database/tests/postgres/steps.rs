//! A step, its version row and its ledger row are committed together or not at all.

use std::time::Duration;

use runner_chain::Checksum;
use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn a_step_moves_the_version_and_leaves_one_row() {
    let target = Target::new();
    let scripts = [
        up("a1", None, &["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)"]),
        up("b2", Some("a1"), &["ALTER TABLE t ADD COLUMN name TEXT"]),
    ];
    let outcomes = target.apply(&scripts).await.unwrap();
    assert_eq!((outcomes[0].status, outcomes[0].statements_run), (RecordedStatus::Applied, 2));
    let state = target.state().await;
    assert_eq!(state.versions, ["b2"]);
    assert_eq!(state.records["a1"].checksum, Some(Checksum::of(b"file-a1")));
    assert_eq!(state.records["b2"].sql_checksum, Some(Checksum::of(b"sql-b2")));
    assert_eq!(state.tail.as_ref().unwrap().id, 3);
    assert_eq!(target.statuses().await, ["run", "applied", "applied"]);
    target.assert_intact().await;
    let scripts = [down("b2", Some("a1"), &["ALTER TABLE t DROP COLUMN name"]), down("a1", None, &["DROP TABLE t"])];
    target.apply(&scripts).await.unwrap();
    assert!(target.state().await.versions.is_empty());
}

#[tokio::test]
async fn the_tables_have_the_shape_that_alembic_gives_them() {
    let target = Target::new();
    target.apply(&[up("a1", None, &[])]).await.unwrap();
    let shape = "SELECT column_name, data_type, character_maximum_length, is_nullable FROM information_schema.columns \
                 WHERE table_name = 'runner_version'";
    assert_eq!(target.query(shape), ["version_num | character varying | 32 | NO"]);
    assert_eq!(
        target.query("SELECT conname FROM pg_constraint WHERE conname LIKE 'runner_v%' AND contype <> 'n'"),
        ["runner_version_pkc"]
    );
}

#[tokio::test]
async fn a_failing_statement_takes_its_step_back_and_is_recorded() {
    let target = Target::new();
    let scripts = [
        up("a1", None, &["CREATE TABLE t (id INTEGER)"]),
        up("b2", Some("a1"), &["INSERT INTO t VALUES (1)", "SELECT 'ü', 1\nFROM missing"]),
    ];
    let error = target.apply(&scripts).await.unwrap_err();
    let failed = statement(&error);
    assert_eq!((failed.index, failed.offset), (1, Some(19)));
    assert_eq!(failed.message, "relation \"missing\" does not exist");
    assert_eq!(failed.code.as_deref(), Some("42P01"));
    let state = target.state().await;
    assert_eq!(state.versions, ["a1"]);
    assert!(state.dirty.is_empty(), "{:?}", state.dirty);
    assert_eq!(target.one("SELECT count(*) FROM t"), "0");
    let rows = target.read().await.ledger(Some(1)).await.unwrap();
    assert_eq!((rows[0].status.as_str(), rows[0].revision.as_deref()), ("failed", Some("b2")));
    assert_eq!(rows[0].error.as_deref(), Some("relation \"missing\" does not exist"));
    target.assert_intact().await;
}

#[tokio::test]
async fn the_first_statement_keeps_its_place_behind_begin() {
    let target = Target::new();
    let error = target.apply(&[up("a1", None, &["CREATE TABLE u (é TEXT, , name TEXT)"])]).await.unwrap_err();
    assert_eq!(statement(&error).offset, Some(24), "{error:?}");
    assert_eq!(target.statuses().await, ["run", "failed"]);
    assert!(target.state().await.exists);
}

#[tokio::test]
async fn the_server_explains_what_it_refuses() {
    let target = Target::new();
    let tables = [
        "CREATE TABLE t (id INTEGER CONSTRAINT t_key PRIMARY KEY)",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (1)",
    ];
    let error = target.apply(&[up("a1", None, &tables)]).await.unwrap_err();
    let failed = statement(&error);
    assert_eq!(failed.code.as_deref(), Some("23505"));
    assert_eq!(failed.detail.as_deref(), Some("Key (id)=(1) already exists.\ntable `public.t`"));
    let error = target.apply(&[up("a1", None, &["SELECT nam FROM (SELECT 1 AS name) x"])]).await.unwrap_err();
    assert!(statement(&error).hint.as_deref().unwrap().contains("x.name"), "{error:?}");
    let body = "DO $$ BEGIN RAISE EXCEPTION 'no' USING HINT = 'try yes'; END $$";
    let error = target.apply(&[up("a1", None, &[body])]).await.unwrap_err();
    assert_eq!(statement(&error).hint.as_deref(), Some("try yes"));
    assert!(statement(&error).detail.as_deref().unwrap().contains("line 1 at RAISE"), "{error:?}");
    let commits = "DO $$ BEGIN COMMIT; END $$";
    let error = target.apply(&[up("a1", None, &[commits])]).await.unwrap_err();
    assert!(statement(&error).hint.as_deref().unwrap().contains("Transaction: off"), "{error:?}");
}

#[tokio::test]
async fn a_deferred_constraint_speaks_up_at_the_commit() {
    let target = Target::new();
    let tables = [
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO child VALUES (7)",
    ];
    let error = target.apply(&[up("a1", None, &tables)]).await.unwrap_err();
    assert!(error.to_string().contains("Key (parent)=(7) is not present"), "{error}");
    assert!(target.state().await.versions.is_empty());
    assert_eq!(target.statuses().await, ["run", "failed"]);
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
async fn one_transaction_finds_faults_where_they_are() {
    let target = Target::new();
    let good = up("ä1", None, &["CREATE TABLE t (id INTEGER)"]);
    let misspelt = up("b2", Some("ä1"), &["SELECT nothing FROM t"]);
    let mut session = target.locked().await;
    let error = run_all(&mut session, &[good.clone(), misspelt], TransactionMode::PerRun).await.unwrap_err();
    assert_eq!(statement(&error).offset, Some(7));
    // The bookkeeping of one step is sent together with the next statement, or with the commit.
    for next in
        [vec![up("b2", Some("other"), &[]), up("c3", Some("b2"), &["SELECT 1"])], vec![up("b2", Some("x"), &[])]]
    {
        let scripts: Vec<StepScript> = std::iter::once(good.clone()).chain(next).collect();
        let error = run_all(&mut session, &scripts, TransactionMode::PerRun).await.unwrap_err();
        assert!(matches!(error, Error::Concurrent { .. }), "{error:?}");
    }
    session.close().await.unwrap();
    assert!(target.state().await.versions.is_empty());
    target.assert_intact().await;
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
        assert_eq!(target.one("SELECT count(*) FROM t"), "0");
    }
    target.assert_intact().await;
}

#[tokio::test]
async fn rows_written_by_somebody_else_are_noticed() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    target.sql(
        "INSERT INTO runner_ledger SELECT 3, run_id, command, revision, direction, status, checksum, sql_checksum, \
                statements_done, statements_total, started_at, finished_at, duration_ms, environment, actor, host, \
                tool_version, plugins, verdicts, error, previous_hash, hash FROM runner_ledger WHERE id = 2",
    );
    let error = run.step(&up("b2", Some("a1"), &["INSERT INTO t VALUES (1)"]), &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::Concurrent { message } if message.contains("ledger")), "{error:?}");
    drop(run);
    assert_eq!(session.state().await.unwrap().versions, ["a1"]);
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
    target.sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, \
         CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)); INSERT INTO alembic_version VALUES ('a1')",
    );
    target.options.version_table = "alembic_version".to_owned();
    assert_eq!(target.state().await.versions, ["a1"]);
    target.apply(&[up("b2", Some("a1"), &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
    assert_eq!(target.state().await.versions, ["b2"]);
    assert_eq!(target.one("SELECT to_regclass('runner_version') IS NULL"), "t");
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
}

#[tokio::test]
async fn a_lock_time_out_is_tried_again() {
    let mut target = Target::new();
    target.options.lock_timeout = Some(Duration::from_millis(50));
    target.options.retries = 20;
    target.sql("CREATE TABLE t (id INTEGER)");
    let blocker = target.database.url();
    let (is_locked, locked) = std::sync::mpsc::channel();
    let blocking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use sqlx::Connection as _;
            let mut connection = sqlx::PgConnection::connect(&blocker).await.unwrap();
            sqlx::raw_sql("BEGIN; LOCK TABLE t").execute(&mut connection).await.unwrap();
            is_locked.send(()).unwrap();
            tokio::time::sleep(Duration::from_millis(400)).await;
            sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
        });
    });
    locked.recv().unwrap();
    let mut heard = Vec::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let script = up("a1", None, &["CREATE TABLE u (id INTEGER)", "ALTER TABLE t ADD COLUMN name TEXT"]);
    run.step(&script, &mut |progress| heard.push(progress)).await.unwrap();
    run.finish().await.unwrap();
    blocking.join().unwrap();
    assert!(
        heard.iter().any(|progress| matches!(progress, Progress::Retrying { attempt: 2, of: 21, .. })),
        "{heard:?}"
    );
    assert_eq!(target.statuses().await, ["run", "applied"]);
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    use sqlx::Connection as _;
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER); CREATE TABLE u (id INTEGER)");
    let mut other = sqlx::PgConnection::connect(&target.database.url()).await.unwrap();
    // The other one is patient, so that the deadlock is found in the step.
    sqlx::raw_sql("SET deadlock_timeout = '60s'; BEGIN; LOCK TABLE u").execute(&mut other).await.unwrap();
    let mut other = Some(other);
    let mut waiting = None;
    let mut retries = 0;
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let mut observe = |progress| match progress {
        Progress::Statement { index: 1, .. } => {
            if let Some(mut other) = other.take() {
                waiting = Some(tokio::spawn(async move {
                    sqlx::raw_sql("LOCK TABLE t; COMMIT").execute(&mut other).await.map(drop)
                }));
            }
        }
        Progress::Retrying { .. } => retries += 1,
        _ => {}
    };
    run.step(&up("a1", None, &["LOCK TABLE t", "SELECT pg_sleep(0.3)", "LOCK TABLE u"]), &mut observe).await.unwrap();
    run.finish().await.unwrap();
    assert_eq!(retries, 1);
    waiting.unwrap().await.unwrap().unwrap();
    assert_eq!(target.statuses().await, ["run", "applied"]);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_explained() {
    let mut target = Target::new();
    target.options.statement_timeout = Some(Duration::from_millis(50));
    let error = target.apply(&[up("a1", None, &["SELECT pg_sleep(10)"])]).await.unwrap_err();
    assert_eq!(statement(&error).code.as_deref(), Some("57014"));
    assert!(statement(&error).hint.as_deref().unwrap().contains("statement-timeout"), "{error:?}");
}

#[tokio::test]
async fn rows_of_a_statement_are_thrown_away() {
    let target = Target::new();
    let queries =
        ["CREATE TYPE mood AS ENUM ('ok')", "SELECT 'ok'::mood, repeat('x', 100000) FROM generate_series(1, 2000)"];
    target.apply(&[up("a1", None, &queries)]).await.unwrap();
}
