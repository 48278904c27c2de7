//! Statements of which nobody knows whether they ran.

use runner_database::*;

use crate::support::*;

/// Leaves a step as a crash does in the middle of its second statement.
async fn crashed(target: &Target, before: &str, sql: &str) {
    let script = up("a1", None, &[before, sql]);
    let mut session = target.locked().await;
    let mut run = session.start_run(info("r"), TransactionMode::PerRevision).await.unwrap();
    let mut observe = |progress| {
        if matches!(progress, Progress::Statement { index: 1, .. }) {
            let name = target.database.name();
            for id in target.database.query(&format!(
                "SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()"
            )) {
                target.sql(&format!("KILL {id}"));
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    run.step(&script, &mut observe).await.unwrap_err();
    drop(run);
    drop(session);
    let dirty = &target.state().await.dirty[0];
    assert_eq!((dirty.statements_done, dirty.uncertain), (1, true), "{sql}");
}

#[tokio::test]
async fn what_is_not_there_is_made_and_what_is_there_is_asked_about() {
    const TABLE: &str = "CREATE TABLE t (id INT, old INT, KEY k (id))";
    for (sql, named) in [
        ("CREATE TABLE u (id INT)", "`u` exists"),
        ("CREATE VIEW v AS SELECT 1", "`v` exists"),
        ("CREATE INDEX i ON t (old)", "the index `i` of `t` exists"),
        ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.old = 1", "the trigger `g` exists"),
        ("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "the procedure `p` exists"),
        ("CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1", "the function `f` exists"),
        ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "the event `e` exists"),
        ("ALTER TABLE t ADD COLUMN c INT", "the column `c` of `t` exists"),
        ("ALTER TABLE t ADD UNIQUE INDEX i (old)", "the index `i` of `t` exists"),
        ("ALTER TABLE t DROP COLUMN old", "the column `old` of `t` does not exist"),
        ("DROP INDEX k ON t", "the index `k` of `t` does not exist"),
        ("DROP TABLE t", "`t` does not exist"),
        ("ALTER TABLE t RENAME TO w", "`w` instead of `t` exists"),
        ("RENAME TABLE t TO w", "`w` instead of `t` exists"),
    ] {
        let target = Target::new();
        crashed(&target, TABLE, sql).await;
        target.sql(sql);
        let script = up("a1", None, &[TABLE, sql]);
        let error = target.apply(std::slice::from_ref(&script)).await.unwrap_err();
        assert!(matches!(&error, Error::Dirty { .. }), "{sql}: {error:?}");
        assert!(error.to_string().contains(named), "{sql}: {error}");

        let target = Target::new();
        crashed(&target, TABLE, sql).await;
        target.apply(&[script]).await.unwrap();
        assert_eq!(target.state().await.versions, ["a1"], "{sql}");
    }
}

#[tokio::test]
async fn where_there_are_no_traces_somebody_must_look() {
    let target = Target::new();
    crashed(&target, "CREATE TABLE t (id INT)", "ALTER TABLE t MODIFY id BIGINT").await;
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "ALTER TABLE t MODIFY id BIGINT"]);
    let error = target.apply(&[script]).await.unwrap_err();
    assert!(error.to_string().contains("SHOW CREATE TABLE t"), "{error}");
}

#[tokio::test]
async fn what_may_be_repeated_is() {
    let target = Target::new();
    crashed(&target, "CREATE TABLE t (id INT)", "CREATE TABLE IF NOT EXISTS u (id INT)").await;
    target.sql("CREATE TABLE u (id INT)");
    let script = up("a1", None, &["CREATE TABLE t (id INT)", "CREATE TABLE IF NOT EXISTS u (id INT)"]);
    target.apply(&[script]).await.unwrap();
    // Rows are committed together with their progress, so there is nothing to ask about.
    let target = Target::new();
    crashed(&target, "CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)").await;
    target.apply(&[up("a1", None, &["CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1)"])]).await.unwrap();
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "1");
}
