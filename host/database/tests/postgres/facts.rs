//! What the schema holds, as policies see it.

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
    target.sql("CREATE SCHEMA other; CREATE TABLE other.clinic (id integer PRIMARY KEY)");
    target
        .apply(&[up(
            "a1",
            None,
            &[
                "CREATE TABLE patient (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(80) NOT NULL DEFAULT 'none',
                    born date, label text GENERATED ALWAYS AS (name || '!') STORED)",
                "CREATE TABLE \"Odd name\" (a integer, \"b c\" text, gone integer, PRIMARY KEY (\"b c\", a))",
                "ALTER TABLE \"Odd name\" DROP COLUMN gone",
                "CREATE TABLE visit (id integer PRIMARY KEY, patient bigint, a integer, b text, clinic integer REFERENCES other.clinic,
                    CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES patient ON DELETE CASCADE,
                    CONSTRAINT of_odd FOREIGN KEY (b, a) REFERENCES \"Odd name\")",
                "CREATE INDEX by_name ON patient (lower(name), born DESC) WHERE born > '2000-01-01'",
                "CREATE UNIQUE INDEX visit_once ON visit (patient, \"b\") INCLUDE (a)",
                "CREATE VIEW adult AS SELECT name AS n FROM patient",
                "CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM visit",
                "CREATE TABLE measurement (at date NOT NULL, value integer) PARTITION BY RANGE (at)",
                "CREATE TABLE measurement_old PARTITION OF measurement FOR VALUES FROM ('2000-01-01') TO ('2020-01-01')",
                "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                "CREATE TRIGGER audit AFTER DELETE ON visit FOR EACH ROW EXECUTE FUNCTION nothing()",
                "CREATE SEQUENCE not_a_table",
            ],
        )])
        .await
        .unwrap();
    let seen = facts(&target).await;
    let expected = "Table Odd name
  a integer not null key 2
  b c text not null key 1
  primary Odd name_pkey on b c | a
View adult
  n character varying(80)
  as SELECT name AS n FROM patient;
MaterializedView counted
  n bigint
  as SELECT count(*) AS n FROM visit;
PartitionedTable measurement
  at date not null
  value integer
Table measurement_old
  at date not null
  value integer
Table patient
  id bigint not null key 1
  name character varying(80) not null default 'none'::character varying
  born date
  label text generated
  index by_name on lower((name)::text) | born where (born > '2000-01-01'::date)
  primary patient_pkey on id
Table visit
  id integer not null key 1
  patient bigint
  a integer
  b text
  clinic integer
  unique visit_once on patient | b
  primary visit_pkey on id
  key of_odd on b | a to Odd name b c | a NO ACTION
  key of_patient on patient to patient id CASCADE
  key visit_clinic_fkey on clinic to other.clinic id NO ACTION
  trigger audit: CREATE TRIGGER audit AFTER DELETE ON public.visit FOR EACH ROW EXECUTE FUNCTION nothing()
";
    // Older servers name the table as well.
    let shown = all_described(&seen).replace("SELECT patient.name", "SELECT name");
    assert_eq!(shown, expected);
    assert_eq!(steps(&seen), ["a1 up applied"]);
}

#[tokio::test]
async fn rows_and_sizes_are_what_the_statistics_say() {
    let target = Target::new();
    target.sql(
        "CREATE TABLE t (id integer PRIMARY KEY, kind text, seldom text);
        CREATE TABLE never (id integer);
        CREATE TABLE empty (id integer);
        INSERT INTO t SELECT i, 'k' || i % 10, CASE WHEN i % 4 = 0 THEN 'x' END FROM generate_series(1, 1000) AS i",
    );
    target.sql("VACUUM ANALYZE t");
    target.sql("ANALYZE empty");
    target.sql("DELETE FROM t");
    let seen = facts(&target).await;
    let table = relation(&seen, "t");
    assert_eq!(table.rows, Some(1000), "statistics, not a count");
    assert!(table.bytes.is_some_and(|bytes| bytes >= 8192 * 4 && bytes % 8192 == 0), "{table:?}");
    assert!(table.indexes[0].bytes.is_some_and(|bytes| bytes >= 8192), "{table:?}");
    assert_eq!(column(&seen, "t", "kind").distinct_values, Some(10));
    assert_eq!(column(&seen, "t", "id").distinct_values, Some(1000));
    assert_eq!(column(&seen, "t", "kind").null_fraction, Some(0.0));
    assert_eq!(column(&seen, "t", "seldom").null_fraction, Some(0.75));
    assert_eq!((relation(&seen, "never").rows, relation(&seen, "never").bytes), (None, None));
    assert_eq!(relation(&seen, "empty").rows, Some(0));
}

#[tokio::test]
async fn what_a_failed_build_has_left_is_not_valid() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (1)");
    assert!(target.database.server().version().len() > 1);
    std::thread::scope(|scope| {
        scope
            .spawn(|| target.database.try_execute("CREATE UNIQUE INDEX CONCURRENTLY twice ON t (id)").unwrap_err())
            .join()
            .unwrap()
    });
    assert_eq!(all_described(&facts(&target).await), "Table t\n  id integer\n  unique twice on id INVALID\n");
}

#[tokio::test]
async fn it_is_the_schema_of_the_session() {
    let target = Target::new();
    target.sql("CREATE SCHEMA \"My-app\"; CREATE TABLE \"My-app\".mine (id integer); CREATE TABLE theirs (id integer)");
    let target = target.with("schema=My-app");
    assert_eq!(all_described(&facts(&target).await), "Table mine\n  id integer\n");
}

/// A table that somebody has locked is described all the same; only the query of a view waits for it, and not for long.
#[tokio::test]
async fn a_locked_table_keeps_nobody_waiting() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id integer); CREATE TABLE u (id integer)");
    let mut holder = target.locked().await;
    let script = up("a1", None, &["LOCK TABLE t IN ACCESS EXCLUSIVE MODE", "SELECT pg_sleep(30)"]);
    let mut reader = target.read().await;
    let holding = async { run_all(&mut holder, &[script], TransactionMode::PerRevision).await };
    let reading = async {
        let locked =
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass AND granted";
        while target.one(locked) == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        reader.facts(LIMIT).await
    };
    let seen = tokio::select! {
        seen = reading => seen.unwrap(),
        ended = holding => panic!("{ended:?}"),
    };
    assert_eq!(all_described(&seen), "Table t\n  id integer\nTable u\n  id integer\n");
}

#[tokio::test]
async fn a_collection_that_takes_too_long_is_an_error_and_the_session_goes_on() {
    let target = Target::new();
    target.sql("CREATE TABLE t (id integer); CREATE VIEW v AS SELECT id FROM t");
    let mut holder = target.locked().await;
    let script = up("a1", None, &["LOCK TABLE t IN ACCESS EXCLUSIVE MODE", "SELECT pg_sleep(30)"]);
    let mut reader = target.read().await;
    let holding = async { run_all(&mut holder, &[script], TransactionMode::PerRevision).await };
    let reading = async {
        let locked =
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 't'::regclass AND granted";
        while target.one(locked) == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let error = reader.facts(Duration::from_millis(300)).await.unwrap_err();
        assert!(error.to_string().contains("while collecting facts about the target"), "{error}");
        assert_eq!(reader.state().await.unwrap(), State::default());
    };
    tokio::select! {
        () = reading => {}
        ended = holding => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn thousands_of_tables_are_collected() {
    let target = Target::new();
    target.sql(
        "DO $$ BEGIN FOR i IN 0..1999 LOOP
            EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, a text, b integer REFERENCES t0)', i);
        END LOOP; END $$",
    );
    let seen = facts(&target).await;
    assert_eq!(seen.relations.len(), 2000);
    assert!(seen.relations.iter().all(|table| table.columns.len() == 3 && table.foreign_keys.len() == 1));
}

#[tokio::test]
async fn a_session_that_reads_facts_can_go_on() {
    let target = Target::new();
    let mut session = target.locked().await;
    assert_eq!(session.facts(LIMIT).await.unwrap(), Facts::default());
    run_all(&mut session, &[up("a1", None, &["CREATE TABLE t (id integer)"])], TransactionMode::PerRevision)
        .await
        .unwrap();
    assert_eq!(all_described(&session.facts(LIMIT).await.unwrap()), "Table t\n  id integer\n");
    session.close().await.unwrap();
}
