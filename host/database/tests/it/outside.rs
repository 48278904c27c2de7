//! Steps with `Transaction: off`: it is always known what ran.

use runner_database::*;

use crate::lock::start_child;
use crate::support::*;

pub(crate) fn three_statements() -> StepScript {
    outside("a1", None, &["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"])
}

/// Two statements succeed, then one fails.
fn failing() -> StepScript {
    outside("a1", None, &["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (2)"])
}

#[tokio::test]
async fn progress_is_recorded_after_each_statement() {
    let target = Target::new();
    let script = outside("a1", None, &["CREATE TABLE t (id INTEGER)", "VACUUM", "PRAGMA foreign_keys = ON"]);
    let outcomes = target.apply(&[script]).await.unwrap();
    assert_eq!(outcomes[0].statements_run, 3);
    assert_eq!(target.statuses().await, ["run", "started", "progress", "progress", "progress", "applied"]);
    let state = target.state().await;
    assert_eq!(state.versions, ["a1"]);
    assert!(state.dirty.is_empty());
    target.assert_intact().await;
}

#[tokio::test]
async fn a_failed_step_is_dirty_and_resumes() {
    let target = Target::new();
    let error = target.apply(&[failing()]).await.unwrap_err();
    assert!(matches!(&error, Error::Statement(statement) if statement.index == 2), "{error:?}");
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.statements_total), (2, 3));
    assert_eq!(dirty.error.as_deref(), Some("no such table: u"));
    assert!(!dirty.uncertain);
    // The statement that failed may be corrected, and comments may change anywhere.
    let corrected = outside(
        "a1",
        None,
        &["CREATE TABLE t (id INTEGER) -- t", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"],
    );
    let outcomes = target.apply(&[corrected]).await.unwrap();
    assert_eq!((outcomes[0].statements_run, outcomes[0].statements_resumed), (1, 2));
    assert_eq!(target.count("SELECT count(*) FROM t").await, 2);
    let state = target.state().await;
    assert!(state.dirty.is_empty());
    assert_eq!(state.versions, ["a1"]);
    target.assert_intact().await;
}

#[tokio::test]
async fn a_step_resumes_within_the_same_run() {
    let target = Target::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    run.step(&failing(), &mut |_| {}).await.unwrap_err();
    let outcome = run.step(&three_statements(), &mut |_| {}).await.unwrap();
    assert_eq!(outcome.statements_resumed, 2);
}

#[tokio::test]
async fn a_killed_step_is_dirty_and_resumes() {
    let target = Target::new();
    let mut child = start_child("half-way", target.folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.error.as_deref(), dirty.uncertain), (2, None, false));
    let mut heard = Vec::new();
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    run.step(&three_statements(), &mut |progress| heard.push(progress)).await.unwrap();
    let expected =
        [Progress::Resuming { statements_done: 2 }, Progress::Statement { index: 2, total: 3 }, Progress::Recording];
    assert_eq!(heard, expected);
    drop(run);
    session.close().await.unwrap();
    assert_eq!(target.count("SELECT count(*) FROM t").await, 2);
}

#[tokio::test]
async fn a_failure_at_the_first_statement_leaves_nothing_to_resume() {
    let target = Target::new();
    target.apply(&[outside("a1", None, &["INSERT INTO u VALUES (2)"])]).await.unwrap_err();
    assert!(target.state().await.dirty.is_empty());
    target.apply(&[outside("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap();
}

#[tokio::test]
async fn an_edited_or_shrunken_script_is_refused() {
    let target = Target::new();
    target.apply(&[failing()]).await.unwrap_err();
    let before = target.statuses().await;
    let mut edited = three_statements();
    edited.statements[1] = ScriptStatement::new("INSERT INTO t VALUES (7)", Dialect::Sqlite);
    let error = target.apply(&[edited]).await.unwrap_err();
    assert!(matches!(error, Error::Dirty { .. }), "{error:?}");
    assert!(error.to_string().ends_with("statement 2 was edited after it had run"), "{error}");
    let error = target.apply(&[outside("a1", None, &["CREATE TABLE t (id INTEGER)"])]).await.unwrap_err();
    assert!(error.to_string().contains("only 1 statements"), "{error}");
    assert_eq!(target.statuses().await, before, "a refusal is not recorded as a failure");
}

#[tokio::test]
async fn a_half_applied_step_blocks_the_other_way() {
    let target = Target::new();
    target.apply(&[up("z0", None, &["CREATE TABLE z (id INTEGER)"])]).await.unwrap();
    target.apply(&[failing()]).await.unwrap_err();
    let error = target.apply(&[down("z0", None, &["DROP TABLE z"])]).await.unwrap_err();
    assert!(matches!(&error, Error::Dirty { revision, .. } if revision == "a1"), "{error:?}");
    let skip = StepScript { action: Action::Skip { reason: String::new() }, ..three_statements() };
    assert!(matches!(target.apply(&[skip]).await.unwrap_err(), Error::Dirty { .. }));
}

#[tokio::test]
async fn a_stamp_settles_a_half_applied_step() {
    let target = Target::new();
    target.apply(&[failing()]).await.unwrap_err();
    let stamp = StepScript { action: Action::Stamp, change: VersionChange::default(), ..down("a1", None, &[]) };
    target.apply(&[stamp]).await.unwrap();
    let state = target.state().await;
    assert!(state.dirty.is_empty() && state.versions.is_empty());
    assert_eq!(state.records["a1"].status, RecordedStatus::Unstamped);
}

#[tokio::test]
async fn the_scripts_own_transaction_counts_as_one() {
    let target = Target::new();
    let script = |last: &str| {
        outside(
            "a1",
            None,
            &["CREATE TABLE t (id INTEGER)", "BEGIN", "INSERT INTO t VALUES (1)", last, "COMMIT", "VACUUM"],
        )
    };
    target.apply(&[script("INSERT INTO u VALUES (2)")]).await.unwrap_err();
    assert_eq!(target.state().await.dirty[0].statements_done, 1);
    assert_eq!(target.count("SELECT count(*) FROM t").await, 0);
    let outcomes = target.apply(&[script("INSERT INTO t VALUES (2)")]).await.unwrap();
    assert_eq!(outcomes[0].statements_resumed, 1);
    assert_eq!(target.count("SELECT count(*) FROM t").await, 2);
    target.assert_intact().await;
}

#[tokio::test]
async fn the_script_may_roll_back_and_use_savepoints() {
    let target = Target::new();
    let script = outside(
        "a1",
        None,
        &[
            "CREATE TABLE t (id INTEGER)",
            "BEGIN",
            "INSERT INTO t VALUES (1)",
            "ROLLBACK",
            "SAVEPOINT a",
            "INSERT INTO t VALUES (2)",
            "SAVEPOINT b",
            "INSERT INTO t VALUES (3)",
            "ROLLBACK TO b",
            "RELEASE b",
            "RELEASE a",
            "INSERT INTO u VALUES (4)",
        ],
    );
    target.apply(&[script]).await.unwrap_err();
    assert_eq!(target.count("SELECT sum(id) FROM t").await, 2);
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.statement_checksums.len()), (11, 11));
    target.assert_intact().await;
}

#[tokio::test]
async fn an_open_transaction_at_the_end_is_an_error() {
    let target = Target::new();
    let script = outside("a1", None, &["CREATE TABLE t (id INTEGER)", "BEGIN", "INSERT INTO t VALUES (1)"]);
    let error = target.apply(&[script]).await.unwrap_err();
    assert!(matches!(error, Error::OpenTransaction { .. }), "{error:?}");
    assert_eq!(target.count("SELECT count(*) FROM t").await, 0);
    assert_eq!(target.state().await.dirty[0].statements_done, 1);
}

#[tokio::test]
async fn session_statements_are_repeated_when_a_step_resumes() {
    let target = Target::new();
    let attach = format!("ATTACH '{}' AS other", target.folder.path().join("other.db").display());
    let script = |last: &str| outside("a1", None, &[&attach, "CREATE TABLE other.t (id INTEGER)", last]);
    target.apply(&[script("INSERT INTO u VALUES (1)")]).await.unwrap_err();
    assert_eq!(target.state().await.dirty[0].statements_done, 2);
    target.apply(&[script("INSERT INTO other.t VALUES (1)")]).await.unwrap();
}

#[tokio::test]
async fn settings_of_one_step_do_not_reach_the_next() {
    let target = Target::new();
    let tables: &[&str] = &[
        "PRAGMA foreign_keys = ON",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (parent INTEGER REFERENCES parent (id))",
    ];
    let scripts = [outside("a1", None, tables), up("b2", Some("a1"), &["INSERT INTO child VALUES (1)"])];
    target.apply(&scripts).await.unwrap();
}

#[tokio::test]
async fn tables_can_be_rebuilt_with_foreign_keys_off() {
    let target = Target::new();
    let script = outside(
        "a1",
        None,
        &[
            "PRAGMA foreign_keys = OFF",
            "BEGIN",
            "CREATE TABLE t (id INTEGER PRIMARY KEY)",
            "CREATE TABLE new_t (id INTEGER PRIMARY KEY, name TEXT)",
            "DROP TABLE t",
            "ALTER TABLE new_t RENAME TO t",
            "PRAGMA foreign_key_check",
            "COMMIT",
            "PRAGMA foreign_keys = ON",
        ],
    );
    target.apply(&[script]).await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
}
