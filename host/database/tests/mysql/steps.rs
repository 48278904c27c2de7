//! Steps, statement by statement: what fails, what goes on, and what is refused before.

use std::time::Duration;

use runner_database::*;

use crate::support::*;

/// Three statements succeed, then one fails.
fn failing() -> StepScript {
    up("a1", None, &["SET @n = 7", "CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (@n)"])
}

fn corrected() -> StepScript {
    up(
        "a1",
        None,
        &["SET @n = 7", "CREATE TABLE t (id INT) -- t", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (@n)"],
    )
}

#[tokio::test]
async fn a_failing_statement_says_where_and_why() {
    let target = Target::new();
    let sql = "CREATE TABLE u (\n  é TEXT,\n  , name TEXT)";
    let error = target.apply(&[up("a1", None, &["CREATE TABLE t (id INT PRIMARY KEY)", sql])]).await.unwrap_err();
    let found = statement(&error);
    assert_eq!(
        (found.index, found.code.as_deref(), found.detail.as_deref()),
        (1, Some("1064"), Some("SQLSTATE 42000"))
    );
    assert_eq!(found.offset, Some(29), "{}", found.message);
    assert_eq!(found.hint, None);

    let insert = "INSERT INTO t VALUES (1), (1)";
    let error = target.apply(&[up("a1", None, &["CREATE TABLE t (id INT PRIMARY KEY)", insert])]).await.unwrap_err();
    assert_eq!(statement(&error).code.as_deref(), Some("1062"));
    assert!(statement(&error).message.contains("PRIMARY'"), "{error}");

    let error = target.apply(&[up("b2", Some("a1"), &["SELECT id,\n nme FROM t"])]).await.unwrap_err();
    assert_eq!(statement(&error).offset, Some(12), "{error}");
    let error = target.apply(&[up("b2", Some("a1"), &["\nINSERT INTO missing VALUES (1)"])]).await.unwrap_err();
    assert_eq!(statement(&error).offset, Some(13), "{error}");
    let error = target.apply(&[up("b2", Some("a1"), &["INSERT INTO t\nVALUES (1"])]).await.unwrap_err();
    assert_eq!(statement(&error).offset, Some(23), "{error}");
    let long = format!("INSERT INTO t VALUES\n{}\n(8 9),\n{}", "(1),\n".repeat(40), "(1),\n".repeat(40));
    let error = target.apply(&[up("b2", Some("a1"), &[&long])]).await.unwrap_err();
    assert_eq!(statement(&error).offset, long.find("9)"), "{error}");
    target.assert_intact().await;
}

#[tokio::test]
async fn a_failed_step_is_dirty_and_resumes_with_its_variables() {
    let target = Target::new();
    let error = target.apply(&[failing()]).await.unwrap_err();
    assert_eq!(statement(&error).index, 3);
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.statements_total, dirty.uncertain), (3, 4, false));
    assert!(dirty.error.as_deref().unwrap().contains("doesn't exist"), "{dirty:?}");
    let outcomes = target.apply(&[corrected()]).await.unwrap();
    assert_eq!((outcomes[0].statements_run, outcomes[0].statements_resumed), (1, 3));
    assert_eq!(target.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "1,7");
    assert!(target.state().await.dirty.is_empty());
    target.assert_intact().await;
}

#[tokio::test]
async fn an_edited_script_is_refused() {
    let target = Target::new();
    target.apply(&[failing()]).await.unwrap_err();
    let mut edited = corrected();
    edited.statements[2] = ScriptStatement::new("INSERT INTO t VALUES (5)", Dialect::Mysql);
    let error = target.apply(&[edited]).await.unwrap_err();
    assert!(error.to_string().ends_with("statement 3 was edited after it had run"), "{error}");
}

#[tokio::test]
async fn a_failing_change_of_rows_leaves_nothing() {
    let target = Target::new();
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT PRIMARY KEY)"])]).await.unwrap();
    target.apply(&[up("b2", Some("a1"), &["INSERT INTO t VALUES (1), (2), (1)"])]).await.unwrap_err();
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "0");
    assert!(target.state().await.dirty.is_empty());
}

#[tokio::test]
async fn the_scripts_own_transaction_counts_as_one() {
    let target = Target::new();
    let script = |last: &str| {
        up(
            "a1",
            None,
            &[
                "CREATE TABLE t (id INT)",
                "START TRANSACTION",
                "INSERT INTO t VALUES (1)",
                "SAVEPOINT s",
                "INSERT INTO t VALUES (9)",
                "ROLLBACK TO s",
                "RELEASE SAVEPOINT s",
                last,
                "COMMIT",
                "BEGIN",
                "INSERT INTO t VALUES (3)",
                "ROLLBACK",
                "ANALYZE TABLE t",
            ],
        )
    };
    target.apply(&[script("INSERT INTO u VALUES (2)")]).await.unwrap_err();
    assert_eq!(target.state().await.dirty[0].statements_done, 1);
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "0");
    let outcomes = target.apply(&[script("INSERT INTO t VALUES (2)")]).await.unwrap();
    assert_eq!(outcomes[0].statements_resumed, 1);
    assert_eq!(target.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "1,2");
    target.assert_intact().await;
}

#[tokio::test]
async fn an_open_transaction_at_the_end_is_an_error() {
    let target = Target::new();
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "BEGIN", "INSERT INTO t VALUES (1)"]);
    let error = target.apply(&[script]).await.unwrap_err();
    assert!(matches!(error, Error::OpenTransaction { .. }), "{error:?}");
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "0");
}

#[tokio::test]
async fn routines_and_several_statements_at_once_run() {
    let target = Target::new();
    let script = up(
        "a1",
        None,
        &[
            "CREATE TABLE t (id INT)",
            "CREATE PROCEDURE p(n INT) BEGIN INSERT INTO t VALUES (n); INSERT INTO t VALUES (n + 1); SELECT * FROM t; END",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id * 10",
            "CALL p(1)",
            "INSERT INTO t VALUES (5); ALTER TABLE t ADD a INT; SELECT * FROM t",
            "SET @s = 'ALTER TABLE t ADD b INT'",
            "PREPARE s FROM @s",
            "EXECUTE s",
            "DEALLOCATE PREPARE s",
            "LOCK TABLES t WRITE",
            "/*!40000 ALTER TABLE `t` DISABLE KEYS */",
            "INSERT INTO t (id) VALUES (6)",
            "UNLOCK TABLES",
        ],
    );
    target.apply(&[script]).await.unwrap();
    assert_eq!(target.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "10,20,50,60");
    assert_eq!(
        target.one(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't'"
        ),
        "3"
    );
}

#[tokio::test]
async fn settings_of_one_step_do_not_reach_the_next() {
    let target = Target::new();
    let scripts = [
        up("a1", None, &["SET foreign_key_checks = 0, @x = 1", "SET sql_mode = 'ANSI_QUOTES'"]),
        up("b2", Some("a1"), &["CREATE TABLE seen AS SELECT @@foreign_key_checks AS f, @x IS NULL AS x, \"a\" AS q"]),
    ];
    target.apply(&scripts).await.unwrap();
    assert_eq!(target.one("SELECT CONCAT(f, x, q) FROM seen"), "11a");
    assert!(target.sessions().is_empty(), "{:?}", target.sessions());
}

#[tokio::test]
async fn what_must_not_run_is_found_before() {
    let target = Target::new();
    let session = target.locked().await;
    let script = up("a1", None, &["USE mysql", "BEGIN", "DROP TABLE t", "TRUNCATE runner_ledger"]);
    let problems = session.preflight(&[script], TransactionMode::PerRevision);
    let found: Vec<_> = problems.iter().map(|problem| problem.statement).collect();
    assert_eq!(found, [Some(0), Some(2), Some(3), Some(3)], "{problems:?}");
    assert!(problems.iter().all(|problem| !problem.help.is_empty()));
}

#[tokio::test]
async fn reading_writes_nothing() {
    let target = Target::new();
    let mut session = target.read().await;
    session.state().await.unwrap();
    let error = session.lock(Duration::ZERO, &holder("x"), &mut |_, _| {}).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly), "{error:?}");
    assert!(target.database.query("SHOW TABLES").is_empty());
}

/// Holds rows until the returned connection commits or is dropped.
async fn holding(target: &Target, sql: &'static str) -> sqlx::MySqlConnection {
    use sqlx::Connection as _;
    let mut other = sqlx::MySqlConnection::connect(&target.database.url()).await.unwrap();
    sqlx::raw_sql("START TRANSACTION").execute(&mut other).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
    other
}

#[tokio::test]
async fn a_lock_time_out_is_tried_again() {
    let mut target = Target::new();
    target.options.lock_timeout = Some(Duration::from_millis(300));
    target
        .apply(&[up("a1", None, &["CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"])])
        .await
        .unwrap();
    for sql in ["UPDATE t SET id = 2 WHERE id = 1", "ALTER TABLE t ADD a INT, ADD b INT"] {
        let other = holding(&target, "SELECT * FROM t WHERE id = 1 FOR UPDATE").await;
        let mut other = Some(other);
        let mut session = target.locked().await;
        let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
        let mut retries = 0;
        let script = StepScript { change: VersionChange::default(), ..up("b2", None, &[sql]) };
        let mut observe = |progress| {
            if matches!(progress, Progress::Retrying { .. }) {
                retries += 1;
                drop(other.take());
            }
        };
        run.step(&script, &mut observe).await.unwrap();
        assert!(retries >= 1, "{sql}");
        drop(run);
        session.close().await.unwrap();
    }
    assert_eq!(target.one("SELECT id FROM t"), "2");
}

#[tokio::test]
async fn a_lock_time_out_that_stays_is_an_error() {
    let mut target = Target::new();
    target.options.lock_timeout = Some(Duration::from_secs(1));
    target.options.retries = 0;
    target
        .apply(&[up("a1", None, &["CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"])])
        .await
        .unwrap();
    let _other = holding(&target, "SELECT * FROM t WHERE id = 1 FOR UPDATE").await;
    let error = target.apply(&[up("b2", Some("a1"), &["DELETE FROM t"])]).await.unwrap_err();
    let found = statement(&error);
    assert!(found.is_retryable && found.hint.as_deref().unwrap().contains("PROCESSLIST"), "{found:?}");
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let target = Target::new();
    let tables = [
        "CREATE TABLE t (id INT PRIMARY KEY, a INT)",
        "INSERT INTO t VALUES (1, 0), (2, 0)",
        "CREATE TABLE heavy (id INT PRIMARY KEY, a INT)",
        "INSERT INTO heavy VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0)",
    ];
    target.apply(&[up("a1", None, &tables)]).await.unwrap();
    // The server ends the transaction that did less.
    let mut other = holding(&target, "UPDATE heavy SET a = 1; UPDATE t SET a = a + 1 WHERE id = 2").await;
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let mut retries = 0;
    let mut observe = |progress| retries += usize::from(matches!(progress, Progress::Retrying { .. }));
    let script = up("b2", Some("a1"), &["UPDATE t SET a = a + 10 ORDER BY id"]);
    let deadlock = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sqlx::raw_sql("UPDATE t SET a = a + 1 WHERE id = 1; COMMIT").execute(&mut other).await.unwrap();
    };
    let (result, ()) = tokio::join!(run.step(&script, &mut observe), deadlock);
    result.unwrap();
    assert!(retries >= 1);
    assert_eq!(target.one("SELECT GROUP_CONCAT(a) FROM t"), "11,11");
}

#[tokio::test]
async fn a_statement_may_take_too_long() {
    let mut target = Target::new();
    target.options.statement_timeout = Some(Duration::from_millis(300));
    target.sql(
        "CREATE TABLE t (id INT) AS WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < 900) \
         SELECT id FROM n",
    );
    // MySQL itself would stop only the first of them.
    for slow in [
        "SELECT SUM(a.id + b.id + c.id) FROM t a, t b, t c",
        "INSERT INTO t SELECT SUM(a.id + b.id + c.id) FROM t a, t b, t c",
    ] {
        let error = target.apply(&[up("a1", None, &["SELECT 1", slow])]).await.unwrap_err();
        assert!(
            statement(&error).hint.as_deref().is_some_and(|hint| hint.contains("longer than the time-out")),
            "{error:?}"
        );
    }
}
