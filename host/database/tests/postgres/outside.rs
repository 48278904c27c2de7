//! Steps with `Transaction: off`: it is always known what ran.

use std::time::Duration;

use runner_database::*;

use crate::lock::start_child;
use crate::support::*;

pub(crate) fn three_statements() -> StepScript {
    outside("a1", None, &["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"])
}

fn failing() -> StepScript {
    outside("a1", None, &["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (2)"])
}

#[tokio::test]
async fn progress_is_recorded_after_each_statement() {
    let target = Target::new();
    let sql = [
        "CREATE TABLE t (id INTEGER)",
        "VACUUM t",
        "CREATE INDEX CONCURRENTLY i ON t (id)",
        "DROP INDEX CONCURRENTLY i",
    ];
    let outcomes = target.apply(&[outside("a1", None, &sql)]).await.unwrap();
    assert_eq!(outcomes[0].statements_run, 4);
    let statuses = ["run", "started", "progress", "progress", "progress", "progress", "applied"];
    assert_eq!(target.statuses().await, statuses);
    let state = target.state().await;
    assert_eq!(state.versions, ["a1"]);
    assert!(state.dirty.is_empty());
    target.assert_intact().await;
}

#[tokio::test]
async fn a_failed_step_is_dirty_and_resumes() {
    let target = Target::new();
    let error = target.apply(&[failing()]).await.unwrap_err();
    assert_eq!(statement(&error).index, 2);
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.statements_total, dirty.uncertain), (2, 3, false));
    assert_eq!(dirty.error.as_deref(), Some("relation \"u\" does not exist"));
    let mut edited = three_statements();
    edited.statements[1] = ScriptStatement::new("INSERT INTO t VALUES (7)", Dialect::Postgres);
    let error = target.apply(&[edited]).await.unwrap_err();
    assert!(error.to_string().ends_with("statement 2 was edited after it had run"), "{error}");
    let outcomes = target.apply(&[three_statements()]).await.unwrap();
    assert_eq!((outcomes[0].statements_run, outcomes[0].statements_resumed), (1, 2));
    assert_eq!(target.one("SELECT count(*) FROM t"), "2");
    assert!(target.state().await.dirty.is_empty());
    target.assert_intact().await;
}

#[tokio::test]
async fn a_killed_step_is_dirty_and_resumes() {
    let target = Target::new();
    let mut child = start_child("half-way", &target.database.url());
    child.kill().unwrap();
    child.wait().unwrap();
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.error.as_deref()), (2, None));
    target.apply(&[three_statements()]).await.unwrap();
    assert_eq!(target.one("SELECT count(*) FROM t"), "2");
}

#[tokio::test]
async fn the_scripts_own_transactions_count_as_one() {
    let target = Target::new();
    let script = |last: &str| {
        let sql = [
            "CREATE TABLE t (id INTEGER)",
            "BEGIN",
            "INSERT INTO t VALUES (1)",
            "SAVEPOINT a",
            "INSERT INTO t VALUES (2)",
            "ROLLBACK TO a",
            last,
            "COMMIT",
            "BEGIN",
            "INSERT INTO t VALUES (4)",
            "ROLLBACK",
            "VACUUM t",
        ];
        outside("a1", None, &sql)
    };
    target.apply(&[script("INSERT INTO u VALUES (2)")]).await.unwrap_err();
    assert_eq!(target.state().await.dirty[0].statements_done, 1);
    assert_eq!(target.one("SELECT count(*) FROM t"), "0");
    let outcomes = target.apply(&[script("INSERT INTO t VALUES (3)")]).await.unwrap();
    assert_eq!(outcomes[0].statements_resumed, 1);
    assert_eq!(target.one("SELECT sum(id) FROM t"), "4");
    target.assert_intact().await;
    let open = outside("b2", Some("a1"), &["BEGIN", "INSERT INTO t VALUES (5)"]);
    let error = target.apply(&[open]).await.unwrap_err();
    assert!(matches!(error, Error::OpenTransaction { .. }), "{error:?}");
    assert_eq!(target.one("SELECT sum(id) FROM t"), "4");
}

#[tokio::test]
async fn a_procedure_may_commit_as_it_goes() {
    let target = Target::new();
    let sql = [
        "CREATE TABLE t (id INTEGER)",
        "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); END $$",
        "CALL fill()",
        "DO $$ BEGIN INSERT INTO t VALUES (3); COMMIT; END $$",
    ];
    target.apply(&[outside("a1", None, &sql)]).await.unwrap();
    assert_eq!(target.one("SELECT count(*) FROM t"), "3");
}

#[tokio::test]
async fn an_invalid_index_is_named_and_never_taken_for_a_good_one() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (1)");
    let script =
        |name: &str| outside("a1", None, &["SELECT 1", &format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON t (id)")]);
    let drop_it = "the index is there, but invalid: run `DROP INDEX CONCURRENTLY public.i;` before you go on";
    let error = target.apply(&[script("i")]).await.unwrap_err();
    assert_eq!(statement(&error).code.as_deref(), Some("23505"));
    assert_eq!(statement(&error).hint.as_deref(), Some(drop_it));
    target.sql("DELETE FROM t");
    let error = target.apply(&[script("IF NOT EXISTS i")]).await.unwrap_err();
    assert_eq!(statement(&error).message, "an earlier attempt left the index `public.i` invalid");
    assert_eq!(statement(&error).hint.as_deref(), Some(drop_it));
    target.sql("DROP INDEX CONCURRENTLY i");
    target.apply(&[script("IF NOT EXISTS i")]).await.unwrap();
    assert_eq!(target.one("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"), "t");
}

/// What a crash between a statement and its progress row leaves behind.
async fn crashed_before(target: &Target, statements: &[&str]) -> Result<Vec<StepOutcome>> {
    let script = outside("a1", None, statements);
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let mut observe = |progress| {
        if matches!(progress, Progress::Statement { index: 1, .. }) {
            // From here on neither progress nor failure can be recorded.
            target.sql("ALTER TABLE runner_ledger ADD CONSTRAINT closed CHECK (status <> 'failed' AND statements_done < 2) NOT VALID");
        }
    };
    run.step(&script, &mut observe).await.unwrap_err();
    drop(run);
    session.close().await.unwrap();
    target.sql("ALTER TABLE runner_ledger DROP CONSTRAINT closed");
    assert!(target.state().await.dirty[0].uncertain);
    target.apply(&[script]).await
}

#[tokio::test]
async fn the_catalogs_tell_whether_a_statement_ran() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)");
    let error = crashed_before(&target, &["SELECT 1", "CREATE INDEX CONCURRENTLY i ON t (id)"]).await.unwrap_err();
    assert!(matches!(error, Error::Dirty { .. }), "{error:?}");
    assert!(error.to_string().contains("the index `public.i` is there and valid"), "{error}");
    target.sql("DROP INDEX i");
    let outcomes =
        target.apply(&[outside("a1", None, &["SELECT 1", "CREATE INDEX CONCURRENTLY i ON t (id)"])]).await.unwrap();
    assert_eq!(outcomes[0].statements_resumed, 1);

    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER); CREATE INDEX i ON t (id)");
    let error = crashed_before(&target, &["SELECT 1", "DROP INDEX CONCURRENTLY i"]).await.unwrap_err();
    assert!(error.to_string().contains("it has probably run"), "{error}");

    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)");
    crashed_before(&target, &["SELECT 1", "VACUUM t"]).await.unwrap();
}

#[tokio::test]
async fn an_index_is_built_while_others_wait_for_the_lock() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER)");
    let mut first = target.locked().await;
    let mut second = target.write().await;
    let me = holder("second");
    let scripts = [outside("a1", None, &["SELECT pg_sleep(2)", "CREATE INDEX CONCURRENTLY i ON t (id)"])];
    let build = async {
        run_all(&mut first, &scripts, TransactionMode::PerRevision).await.unwrap();
        first.close().await.unwrap();
    };
    let mut heard = 0;
    let mut on_wait = |_: Option<&Holder>, _: Duration| heard += 1;
    let ((), locked) = tokio::join!(build, second.lock(Duration::from_secs(30), &me, &mut on_wait));
    locked.unwrap();
    assert!(heard > 0);
}
