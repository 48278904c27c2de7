//! The version rows, the ledger, and reading both.

use runner_chain::Checksum;
use runner_database::*;

use crate::support::*;

fn change(delete: &[&str], insert: &[&str]) -> VersionChange {
    VersionChange {
        delete: delete.iter().map(ToString::to_string).collect(),
        insert: insert.iter().map(ToString::to_string).collect(),
    }
}

#[tokio::test]
async fn a_database_that_was_never_migrated_stays_as_it_is() {
    let target = Target::new();
    let mut session = target.read().await;
    let state = session.state().await.unwrap();
    assert_eq!(state, State::default());
    assert!(session.ledger(None).await.unwrap().is_empty());
    assert_eq!(session.verify_ledger().await.unwrap(), LedgerCheck::Intact { rows: 0, last_hash: None });
    let mut session = target.locked().await;
    run_all(&mut session, &[], TransactionMode::PerRevision).await.unwrap();
    session.close().await.unwrap();
    assert!(target.database.query("SHOW TABLES").is_empty());
}

#[tokio::test]
async fn steps_move_the_version_and_chain_their_rows() {
    let target = Target::new();
    let scripts = [
        up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)"]),
        up("b2", Some("a1"), &["ALTER TABLE t ADD COLUMN name TEXT"]),
        down("b2", Some("a1"), &["ALTER TABLE t DROP COLUMN name"]),
    ];
    target.apply(&scripts).await.unwrap();
    let state = target.state().await;
    assert_eq!(state.versions, ["a1"]);
    assert!(state.dirty.is_empty() && state.exists);
    assert_eq!(state.records["a1"].checksum, Some(Checksum::of(b"file-a1")));
    assert_eq!(state.records["b2"].status, RecordedStatus::Reverted);
    let expected = [
        "run", "started", "progress", "progress", "applied", "started", "progress", "applied", "started", "progress",
        "reverted",
    ];
    assert_eq!(target.statuses().await, expected);
    let check = target.read().await.verify_ledger().await.unwrap();
    assert!(matches!(check, LedgerCheck::Intact { rows: 11, last_hash: Some(_) }), "{check:?}");
    target.sql("UPDATE runner_ledger SET actor = 'mallory' WHERE id = 3");
    let check = target.read().await.verify_ledger().await.unwrap();
    assert!(matches!(check, LedgerCheck::Damaged { id: 3, .. }), "{check:?}");
    target.sql("DELETE FROM runner_ledger WHERE id = 2");
    let check = target.read().await.verify_ledger().await.unwrap();
    assert!(matches!(check, LedgerCheck::Damaged { id: 2, .. }), "{check:?}");
}

#[tokio::test]
async fn branches_and_merges_change_several_rows() {
    let target = Target::new();
    let merge = StepScript { change: change(&["a1", "b2"], &["m3"]), ..up("m3", None, &[]) };
    let unmerge = StepScript { change: change(&["m3"], &["a1", "b2"]), ..down("m3", None, &[]) };
    target.apply(&[up("a1", None, &[]), up("b2", None, &[]), merge]).await.unwrap();
    assert_eq!(target.state().await.versions, ["m3"]);
    target.apply(&[unmerge]).await.unwrap();
    assert_eq!(target.state().await.versions, ["a1", "b2"]);
}

#[tokio::test]
async fn version_rows_must_be_as_expected() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT)"])]).await.unwrap();
    for (expected, script) in [
        ("does not hold the rows", up("c3", Some("other"), &[])),
        ("already holds", up("a1", None, &[])),
        ("does not hold the rows", StepScript { change: change(&["a1", "b2"], &["m"]), ..up("m", None, &[]) }),
        ("does not hold the rows", StepScript { change: change(&["x"], &[]), ..down("x", None, &[]) }),
    ] {
        let error = target.apply(std::slice::from_ref(&script)).await.unwrap_err();
        assert!(matches!(&error, Error::Concurrent { message } if message.contains(expected)), "{error:?}");
        assert_eq!(target.state().await.versions, ["a1"]);
    }
    target.assert_intact().await;
}

#[tokio::test]
async fn rows_of_somebody_else_are_noticed() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    run.step(&up("a1", None, &[]), &mut |_| {}).await.unwrap();
    target.sql("CREATE TEMPORARY TABLE copy SELECT * FROM runner_ledger WHERE id = 3; UPDATE copy SET id = 4; INSERT INTO runner_ledger SELECT * FROM copy");
    let error = run.step(&up("b2", Some("a1"), &["DO 1"]), &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::Concurrent { message } if message.contains("ledger")), "{error:?}");
}

#[tokio::test]
async fn skipping_and_stamping_run_nothing() {
    let target = Target::new();
    let skip = StepScript { action: Action::Skip { reason: "only for tests".to_owned() }, ..up("a1", None, &["x"]) };
    let stamp = StepScript { action: Action::Stamp, ..up("b2", Some("a1"), &["x"]) };
    // Nothing of it is a statement of a script, so it may be one transaction.
    let mut session = target.locked().await;
    run_all(&mut session, &[skip, stamp], TransactionMode::PerRun).await.unwrap();
    session.close().await.unwrap();
    let state = target.state().await;
    assert_eq!(state.versions, ["b2"]);
    assert_eq!(state.records["a1"].status, RecordedStatus::Skipped);
    assert_eq!(target.statuses().await, ["run", "skipped", "stamped"]);
}

#[tokio::test]
async fn an_alembic_database_is_adopted_in_place() {
    let mut target = Target::new();
    target.sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)); INSERT INTO alembic_version VALUES ('a1')");
    target.options.version_table = "alembic_version".to_owned();
    assert_eq!(target.state().await.versions, ["a1"]);
    target.apply(&[up("b2", Some("a1"), &["CREATE TABLE t (id INT)"])]).await.unwrap();
    assert_eq!(target.state().await.versions, ["b2"]);
    assert_eq!(target.database.query("SHOW TABLES"), ["alembic_version", "runner_ledger", "t"]);
}

#[tokio::test]
async fn tables_of_something_else_are_left_alone() {
    let target = Target::new();
    target.sql("CREATE TABLE runner_version (id INT)");
    let error = target.read().await.state().await.unwrap_err();
    assert!(matches!(&error, Error::Unreadable { message, .. } if message.contains("something else")), "{error:?}");
}

#[tokio::test]
async fn odd_types_do_not_confuse_the_reader() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT)"])]).await.unwrap();
    target.sql("ALTER TABLE runner_ledger MODIFY statements_done DOUBLE, MODIFY id DECIMAL(20), MODIFY error LONGBLOB, MODIFY hash VARBINARY(64), MODIFY started_at TEXT CHARACTER SET latin1");
    assert_eq!(target.state().await.versions, ["a1"]);
    assert_eq!(target.state().await.records["a1"].status, RecordedStatus::Applied);
    target.assert_intact().await;
}

#[tokio::test]
async fn per_run_is_refused_before_anything_runs() {
    let target = Target::new();
    let mut session = target.locked().await;
    let script = up("a1", None, &["CREATE TABLE t (id INT)"]);
    let problems = session.preflight(std::slice::from_ref(&script), TransactionMode::PerRun);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("cannot be one transaction on M"), "{problems:?}");
    assert!(problems[0].help.contains("per-revision"), "{problems:?}");
    assert!(session.preflight(std::slice::from_ref(&script), TransactionMode::PerRevision).is_empty());
    let error = run_all(&mut session, &[script], TransactionMode::PerRun).await.unwrap_err();
    assert!(matches!(error, Error::NotTransactional { .. }), "{error:?}");
    assert!(target.database.query("SHOW TABLES").is_empty());
}
