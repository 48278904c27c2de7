//! What a script does to its session does not reach the next step.

use runner_database::*;

use crate::support::*;

async fn next_step_is_fresh(first: StepScript, mode: TransactionMode) {
    let target = Target::new();
    target.sql("CREATE SCHEMA other; CREATE ROLE guest_of_tests");
    let mut session = target.locked().await;
    let check = "DO $$ BEGIN ASSERT current_setting('search_path') NOT LIKE '%other%', 'search_path'; \
                 ASSERT current_user <> 'guest_of_tests', 'role'; ASSERT current_setting('work_mem') <> '1234kB', 'work_mem'; \
                 ASSERT to_regclass('temporary') IS NULL, 'temporary'; END $$";
    let result = run_all(&mut session, &[first, up("b2", Some("a1"), &[check])], mode).await;
    session.close().await.unwrap();
    target.sql("DROP ROLE guest_of_tests");
    result.unwrap();
    assert_eq!(target.one("SELECT version_num FROM public.runner_version"), "b2");
    target.assert_intact().await;
}

#[tokio::test]
async fn settings_roles_and_temporary_tables_end_with_their_step() {
    // Roles belong to the whole server, so this is one test.
    let sql = [
        "SET search_path = other",
        "SET work_mem = '1234kB'",
        "SELECT pg_catalog.set_config('search_path', 'other', false)",
        "CREATE TEMP TABLE temporary (id INTEGER)",
        "SET ROLE guest_of_tests",
    ];
    next_step_is_fresh(up("a1", None, &sql), TransactionMode::PerRevision).await;
    next_step_is_fresh(up("a1", None, &sql), TransactionMode::PerRun).await;
    next_step_is_fresh(outside("a1", None, &sql), TransactionMode::PerRevision).await;
}

#[tokio::test]
async fn an_empty_search_path_hides_nothing_from_the_runner() {
    let target = Target::new();
    let dump = "SELECT pg_catalog.set_config('search_path', '', false)";
    target.apply(&[up("a1", None, &[dump, "CREATE TABLE public.t (id INTEGER)"])]).await.unwrap();
    assert_eq!(target.state().await.versions, ["a1"]);
}

#[tokio::test]
async fn the_time_outs_are_back_after_a_reset() {
    let mut target = Target::new();
    target.options.lock_timeout = Some(std::time::Duration::from_millis(1234));
    let check =
        "DO $$ BEGIN ASSERT current_setting('lock_timeout') = '1234ms', current_setting('lock_timeout'); END $$";
    let scripts = [up("a1", None, &[check, "SET lock_timeout = 0"]), up("b2", Some("a1"), &[check])];
    target.apply(&scripts).await.unwrap();
}

#[tokio::test]
async fn session_statements_are_repeated_when_a_step_resumes() {
    let target = Target::new();
    target.sql("CREATE SCHEMA other");
    let script = |last: &str| outside("a1", None, &["SET search_path = other", "CREATE TABLE t (id INTEGER)", last]);
    target.apply(&[script("INSERT INTO u VALUES (1)")]).await.unwrap_err();
    assert_eq!(target.state().await.dirty[0].statements_done, 2);
    target.apply(&[script("INSERT INTO t VALUES (1)")]).await.unwrap();
    assert_eq!(target.one("SELECT count(*) FROM other.t"), "1");
}
