//! What is refused before anything runs.

use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn statements_that_must_not_run_as_they_stand_are_found() {
    let target = Target::new();
    let session = target.read().await;
    let sql: &[&str] = &[
        "CREATE TABLE t (id INTEGER)",
        "CREATE INDEX CONCURRENTLY i ON t (id)",
        "COMMIT",
        "DELETE FROM public.runner_version",
        "TRUNCATE runner_ledger",
        "ALTER TABLE ONLY runner_ledger ADD COLUMN x INTEGER",
        "DROP SCHEMA IF EXISTS public CASCADE",
    ];
    let problems = session.preflight(&[up("a1", None, sql)], TransactionMode::PerRevision);
    let found: Vec<_> = problems.iter().map(|problem| (problem.statement, problem.message.as_str())).collect();
    assert_eq!(
        found,
        [
            (Some(1), "`CREATE INDEX CONCURRENTLY` does not run inside a transaction"),
            (Some(2), "`COMMIT` inside the transaction that the runner opens for the revision"),
            (Some(3), "the statement changes `runner_version`, which belongs to the runner"),
            (Some(4), "the statement changes `runner_ledger`, which belongs to the runner"),
            (Some(5), "the statement changes `runner_ledger`, which belongs to the runner"),
            (Some(6), "the schema `public` holds the runner's own tables"),
        ]
    );
    assert!(problems[0].help.contains("Transaction: off"));
    let problems = session.preflight(&[outside("a1", None, sql)], TransactionMode::PerRevision);
    assert_eq!(
        problems.iter().map(|problem| problem.statement).collect::<Vec<_>>(),
        [Some(3), Some(4), Some(5), Some(6)]
    );
}

#[tokio::test]
async fn the_server_agrees_about_what_a_transaction_refuses() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INTEGER); CREATE INDEX i ON t (id)");
    let session = target.read().await;
    for sql in [
        "VACUUM t",
        "CREATE INDEX CONCURRENTLY j ON t (id)",
        "DROP INDEX CONCURRENTLY i",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE) SCHEMA public",
        "CREATE DATABASE d",
        "DROP DATABASE nowhere",
        "CREATE TABLESPACE s LOCATION '/nowhere'",
        "DROP TABLESPACE s",
        "ALTER SYSTEM SET work_mem = '4MB'",
        "CLUSTER",
        "DISCARD ALL",
        "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION p",
        "COMMIT PREPARED 'x'",
    ] {
        let script = up("a1", None, &[sql]);
        assert_eq!(session.preflight(std::slice::from_ref(&script), TransactionMode::PerRevision).len(), 1, "{sql}");
        let error = target.apply(&[script]).await.unwrap_err();
        assert_eq!(statement(&error).code.as_deref(), Some("25001"), "{sql}: {error:?}");
        assert!(statement(&error).hint.as_deref().unwrap().contains("Transaction: off"), "{error:?}");
    }
    for sql in [
        "ANALYZE t",
        "REINDEX TABLE t",
        "CLUSTER t USING i",
        "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a; CREATE UNIQUE INDEX v_a ON v (a)",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "CREATE TYPE e AS ENUM ('a')",
        "ALTER TYPE e ADD VALUE 'b'",
        "SAVEPOINT a",
    ] {
        let script = StepScript { change: VersionChange::default(), ..up("a1", None, &[sql]) };
        assert!(session.preflight(std::slice::from_ref(&script), TransactionMode::PerRevision).is_empty(), "{sql}");
        target.apply(&[script]).await.unwrap();
    }
}
