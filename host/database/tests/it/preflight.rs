//! What is refused before anything runs.

use runner_database::*;

use crate::support::*;

#[tokio::test]
async fn statements_that_a_transaction_refuses_are_found() {
    let target = Target::new();
    let session = target.read().await;
    let sql: &[&str] = &["CREATE TABLE t (id INTEGER)", "VACUUM", "COMMIT", "DELETE FROM runner_version"];
    let problems = session.preflight(&[up("a1", None, sql)], TransactionMode::PerRevision);
    let found: Vec<_> = problems.iter().map(|problem| (problem.statement, problem.message.as_str())).collect();
    assert_eq!(
        found,
        [
            (Some(1), "`VACUUM` does not run inside a transaction"),
            (Some(2), "`COMMIT` inside the transaction that the runner opens for the revision"),
            (Some(3), "the statement changes `runner_version`, which belongs to the runner"),
        ]
    );
    assert!(problems[0].help.contains("Transaction: off"));
    let problems = session.preflight(&[outside("a1", None, sql)], TransactionMode::PerRevision);
    assert_eq!(problems.iter().map(|problem| problem.statement).collect::<Vec<_>>(), [Some(3)]);
}

#[tokio::test]
async fn a_step_outside_does_not_fit_into_one_transaction() {
    let target = Target::new();
    let script = outside("a1", None, &["VACUUM"]);
    let problems = target.read().await.preflight(std::slice::from_ref(&script), TransactionMode::PerRun);
    assert_eq!(problems[0].statement, None);
    let mut session = target.locked().await;
    let error = run_all(&mut session, &[script], TransactionMode::PerRun).await.unwrap_err();
    assert!(matches!(error, Error::NotTransactional { .. }), "{error:?}");
    assert!(files_in(target.folder.path()) == ["app.db-runner-lock"]);
}

#[tokio::test]
async fn what_is_not_run_is_not_checked() {
    let target = Target::new();
    let stamp = StepScript { action: Action::Stamp, ..up("a1", None, &["VACUUM"]) };
    assert!(target.read().await.preflight(&[stamp], TransactionMode::PerRevision).is_empty());
}
