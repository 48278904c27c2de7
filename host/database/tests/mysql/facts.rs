//! What the database holds, as policies see it.

use std::time::Duration;

use runner_database::*;

use crate::support::*;

const LIMIT: Duration = Duration::from_secs(30);

async fn facts(target: &Target) -> Facts {
    target.read().await.facts(LIMIT).await.unwrap()
}

#[tokio::test]
async fn everything_of_the_database_is_seen_but_the_runners_own_tables() {
    let target = Target::new();
    target
        .apply(&[up(
            "a1",
            None,
            &[
                "CREATE TABLE patient (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL DEFAULT 'none', born DATE,
                    seen DATETIME DEFAULT CURRENT_TIMESTAMP, count INT DEFAULT 3,
                    label VARCHAR(81) GENERATED ALWAYS AS (CONCAT(name, '!')) STORED, KEY by_name (name(10), born))",
                "CREATE TABLE `Odd name` (a INT NOT NULL, `b c` VARCHAR(20) NOT NULL, PRIMARY KEY (`b c`, a))",
                "CREATE TABLE visit (id INT PRIMARY KEY, patient BIGINT, a INT, b VARCHAR(20), UNIQUE KEY once (patient, b),
                    KEY odd (b, a), CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES patient (id) ON DELETE CASCADE,
                    CONSTRAINT of_odd FOREIGN KEY (b, a) REFERENCES `Odd name` (`b c`, a))",
                "CREATE VIEW adult AS SELECT name AS n FROM patient",
                "CREATE TRIGGER audit AFTER DELETE ON visit FOR EACH ROW DO SLEEP(0)",
                "CREATE SEQUENCE not_a_table",
            ],
        )])
        .await
        .unwrap();
    let seen = facts(&target).await;
    let expected = "Table Odd name
  a int(11) not null key 2
  b c varchar(20) not null key 1
  primary PRIMARY on b c | a
View adult
  n varchar(80) not null default 'none'
  as select `DATABASE`.`patient`.`name` AS `n` from `DATABASE`.`patient`
Table patient
  id bigint(20) not null key 1
  name varchar(80) not null default 'none'
  born date
  seen datetime default current_timestamp()
  count int(11) default 3
  label varchar(81) generated
  primary PRIMARY on id
  index by_name on name(10) | born
Table visit
  id int(11) not null key 1
  patient bigint(20)
  a int(11)
  b varchar(20)
  primary PRIMARY on id
  index odd on b | a
  unique once on patient | b
  key of_odd on b | a to Odd name b c | a RESTRICT
  key of_patient on patient to patient id CASCADE
  trigger audit: CREATE TRIGGER `audit` AFTER DELETE ON `visit` FOR EACH ROW DO SLEEP(0)
";
    assert_eq!(all_described(&seen).replace(target.database.name(), "DATABASE"), expected);
    assert_eq!(steps(&seen), ["a1 up applied"]);
}

#[tokio::test]
async fn rows_and_sizes_are_what_the_statistics_say() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INT PRIMARY KEY, kind INT, KEY by_kind (kind))");
    target.sql("INSERT INTO t SELECT seq, seq % 10 FROM seq_1_to_2000");
    target.sql("ANALYZE TABLE t");
    let seen = facts(&target).await;
    let table = relation(&seen, "t");
    // The engine estimates even what it has just looked at.
    assert!(table.rows.is_some_and(|rows| (1000..4000).contains(&rows)), "{table:?}");
    assert!(table.bytes.is_some_and(|bytes| bytes >= 16_384), "{table:?}");
    assert!(column(&seen, "t", "kind").distinct_values.is_some_and(|count| (5..50).contains(&count)), "{seen:#?}");
}

#[tokio::test]
async fn a_broken_view_is_no_reason_to_fail() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id INT)");
    target.sql("CREATE VIEW v AS SELECT id FROM t");
    target.sql("CREATE TABLE u (a INT)");
    target.sql("DROP TABLE t");
    let seen = facts(&target).await;
    assert_eq!(described(relation(&seen, "u")), "Table u\n  a int(11)\n");
    assert_eq!(relation(&seen, "v").kind, RelationKind::View);
}

#[tokio::test]
async fn a_session_that_reads_facts_can_go_on() {
    let target = Target::new();
    let mut session = target.locked().await;
    assert_eq!(session.facts(LIMIT).await.unwrap(), Facts::default());
    run_all(&mut session, &[up("a1", None, &["CREATE TABLE t (id INT)"])], TransactionMode::PerRevision).await.unwrap();
    assert_eq!(all_described(&session.facts(LIMIT).await.unwrap()), "Table t\n  id int(11)\n");
    session.close().await.unwrap();
}

#[tokio::test]
async fn hundreds_of_tables_are_collected() {
    let target = Target::new();
    for number in 0..300 {
        target.sql(&format!(
            "CREATE TABLE t{number} (id INT PRIMARY KEY, a INT, b INT, FOREIGN KEY (b) REFERENCES t0 (id))"
        ));
    }
    let seen = facts(&target).await;
    assert_eq!(seen.relations.len(), 300);
    assert!(seen.relations.iter().all(|table| table.columns.len() == 3 && table.foreign_keys.len() == 1));
}
