//! What the database holds, as policies see it.

use std::time::Duration;

use runner_database::*;

use crate::support::*;

const LIMIT: Duration = Duration::from_secs(10);

async fn facts(target: &Target) -> Facts {
    target.read().await.facts(LIMIT).await.unwrap()
}

#[tokio::test]
async fn everything_of_the_schema_is_seen_but_the_runners_own_tables() {
    let target = Target::new();
    target
        .apply(&[up(
            "a1",
            None,
            &[
                "CREATE TABLE patient (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE DEFAULT 'none', born DATE,
                    label TEXT GENERATED ALWAYS AS (name || '!') VIRTUAL)",
                "CREATE TABLE \"Odd name\" (a INTEGER, \"b c\" VARCHAR(80) UNIQUE, PRIMARY KEY (\"b c\", a)) WITHOUT ROWID",
                "CREATE TABLE visit (id INTEGER PRIMARY KEY, patient INTEGER REFERENCES patient ON DELETE CASCADE, a INTEGER,
                    b TEXT, FOREIGN KEY (b, a) REFERENCES \"Odd name\" (\"b c\", a))",
                "CREATE INDEX by_name ON patient (lower(name), born DESC) WHERE born > '2000-01-01'",
                "CREATE UNIQUE INDEX visit_once ON visit (patient, b)",
                "CREATE VIEW adult AS SELECT name AS n FROM patient",
                "CREATE TRIGGER audit AFTER DELETE ON visit BEGIN SELECT 1; END",
            ],
        )])
        .await
        .unwrap();
    let seen = facts(&target).await;
    let expected = "Table Odd name
  a INTEGER not null key 2
  b c VARCHAR(80) not null key 1
  unique sqlite_autoindex_Odd name_1 on b c
  primary sqlite_autoindex_Odd name_2 on b c | a
View adult
  n TEXT
  as SELECT name AS n FROM patient
Table patient
  id INTEGER not null key 1
  name TEXT not null default 'none'
  born DATE
  label TEXT generated
  index by_name on lower(name) | born where born > '2000-01-01'
Table visit
  id INTEGER not null key 1
  patient INTEGER
  a INTEGER
  b TEXT
  unique visit_once on patient | b
  key - on patient to patient  CASCADE
  key - on b | a to Odd name b c | a NO ACTION
  trigger audit: CREATE TRIGGER audit AFTER DELETE ON visit BEGIN SELECT 1; END
";
    assert_eq!(all_described(&seen), expected);
    assert_eq!(relation(&seen, "patient").rows, None, "nobody has run ANALYZE");
}

#[tokio::test]
async fn rows_are_what_analyze_has_counted() {
    let target = Target::new();
    target
        .sql(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT); CREATE INDEX by_kind ON t (kind);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
            INSERT INTO t SELECT i, i % 10 FROM n; ANALYZE; DELETE FROM t WHERE id > 500",
        )
        .await;
    let seen = facts(&target).await;
    assert_eq!(relation(&seen, "t").rows, Some(1000), "statistics, not a count");
    assert_eq!(column(&seen, "t", "kind").distinct_values, Some(10));
    assert_eq!(seen.relations.len(), 1, "SQLite's own tables are left out");
}

#[tokio::test]
async fn the_latest_steps_come_first() {
    let target = Target::new();
    let failing = up("c3", Some("b2"), &["CREATE TABLE a (id INTEGER)"]);
    target.apply(&[up("a1", None, &["CREATE TABLE a (id INTEGER)"])]).await.unwrap();
    target.apply(&[up("b2", Some("a1"), &[]), down("b2", Some("a1"), &[])]).await.unwrap();
    target.apply(&[outside("b2", Some("a1"), &["CREATE TABLE b (id INTEGER)"])]).await.unwrap();
    target.apply(&[failing]).await.unwrap_err();
    let seen = facts(&target).await;
    assert_eq!(steps(&seen), ["c3 up failed", "b2 up applied", "b2 down reverted", "b2 up applied", "a1 up applied"]);
    let step = &seen.steps[1];
    assert_eq!((step.environment.as_str(), step.actor.as_str()), ("development", "alice"));
    assert!(step.finished_at.ends_with('Z'), "{step:?}");
}

#[tokio::test]
async fn a_database_without_a_file_holds_nothing_and_stays_without() {
    let target = Target::new();
    assert_eq!(facts(&target).await, Facts::default());
    assert!(files_in(target.folder.path()).is_empty());
}

#[tokio::test]
async fn a_view_of_a_table_that_is_gone_is_no_reason_to_fail() {
    let target = Target::new();
    target
        .sql("CREATE TABLE t (id INTEGER); CREATE VIEW v AS SELECT id FROM t; CREATE TABLE u (a TEXT); DROP TABLE t")
        .await;
    assert_eq!(all_described(&facts(&target).await), "Table u\n  a TEXT\nView v\n  as SELECT id FROM t\n");
}

#[tokio::test]
async fn names_are_no_sql() {
    let target = Target::new();
    target.sql("CREATE TABLE \"it's \"\"x\"\"; --\" (\"a'b\" INTEGER); CREATE VIEW broken AS SELECT 1 FROM gone").await;
    let seen = facts(&target).await;
    assert_eq!(column(&seen, "it's \"x\"; --", "a'b").data_type, "INTEGER");
}

#[tokio::test]
async fn a_session_that_reads_facts_can_go_on() {
    let target = Target::new();
    let mut session = target.locked().await;
    session.facts(LIMIT).await.unwrap();
    run_all(&mut session, &[up("a1", None, &["CREATE TABLE t (id INTEGER)"])], TransactionMode::PerRevision)
        .await
        .unwrap();
    assert_eq!(all_described(&session.facts(LIMIT).await.unwrap()), "Table t\n  id INTEGER\n");
    session.close().await.unwrap();
}

/// Twice the tables must not take four times as long; with thousands nothing may be slow.
#[tokio::test]
async fn thousands_of_tables_are_collected() {
    let target = Target::new();
    let mut outsider = target.outsider().await;
    let tables: Vec<String> = (0..3000)
        .map(|number| {
            format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INTEGER REFERENCES t0 (id));")
        })
        .collect();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("BEGIN; {} COMMIT;", tables.concat())))
        .execute(&mut outsider)
        .await
        .unwrap();
    let seen = facts(&target).await;
    assert_eq!(seen.relations.len(), 3000);
    assert!(seen.relations.iter().all(|table| table.columns.len() == 3 && table.foreign_keys.len() == 1));
}
