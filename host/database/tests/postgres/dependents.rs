//! What depends on what, by the catalogue.

#[path = "../dependents/mod.rs"]
mod shared;

use std::time::Duration;

use sqlx::Connection as _;

use self::shared::*;
use crate::support::*;

const OBJECTS: &str = r#"
    CREATE SCHEMA "Other S";
    CREATE TABLE patient (id int PRIMARY KEY, email text, name text, visits int);
    CREATE TABLE patient_note (id int, patient int CONSTRAINT note_fk REFERENCES patient (id));
    CREATE VIEW mails AS SELECT email FROM patient;
    CREATE VIEW "Other S"."Of mails" AS SELECT email || 'x' AS y FROM mails;
    CREATE MATERIALIZED VIEW "Other S".kept AS SELECT count(*) FROM "Other S"."Of mails";
    CREATE INDEX both_of ON patient (name, email);
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER note AFTER UPDATE OF email ON patient EXECUTE FUNCTION noted();
    CREATE FUNCTION count_patients() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(id) FROM patient; END;
    CREATE FUNCTION shown(patient) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
    CREATE TABLE holds (p patient);
    CREATE SEQUENCE numbers OWNED BY patient.visits;
    CREATE TABLE counted (n int DEFAULT nextval('numbers'));
    CREATE POLICY few ON patient_note USING (EXISTS (SELECT 1 FROM patient WHERE id = patient));
    CREATE VIEW unrelated AS SELECT 1 AS patient;
"#;

#[tokio::test]
async fn the_catalogue_knows_what_depends() {
    let target = Target::new();
    target.sql(OBJECTS);
    let lines = edges(&mut target.read().await, &["patient"]).await;
    let refusing: Vec<&str> = lines.iter().filter(|line| line.contains(" Refuses ")).map(String::as_str).collect();
    assert_eq!(
        refusing,
        [
            "default public.counted.n Refuses sequence public.numbers",
            "foreign key public.patient_note.note_fk Refuses index public.patient_pkey",
            "foreign key public.patient_note.note_fk Refuses table public.patient",
            "function public.count_patients() Refuses table public.patient",
            "function public.shown(public.patient) Refuses internal public.patient",
            "materialized view Other S.kept Refuses view Other S.Of mails",
            "policy public.patient_note.few Refuses table public.patient",
            "table public.holds/p Refuses internal public.patient",
            "trigger public.patient.note Refuses table public.patient",
            "view Other S.Of mails Refuses view public.mails",
            "view public.mails Refuses table public.patient",
        ],
        "{lines:#?}"
    );
    for silent in
        ["index public.both_of GoesAlong", "trigger public.patient.note GoesAlong", "sequence public.numbers GoesAlong"]
    {
        assert!(!about(&lines, silent).is_empty(), "{silent}: {lines:#?}");
    }
    assert!(lines.iter().all(|line| !line.contains("unrelated")));
    // By its columns.
    let found = dependencies(&mut target.read().await, &["patient"], Duration::from_secs(30)).await;
    let of = |name: &str| {
        let edges = found.edges.iter().filter(|edge| found.entities[edge.dependent].name == name);
        edges.flat_map(|edge| edge.columns.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(of("mails"), ["email"]);
    let mut columns = of("both_of");
    columns.sort_unstable();
    assert_eq!(columns, ["email", "name"]);
}

#[tokio::test]
async fn what_is_temporary_elsewhere_counts_too() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a int)");
    let other = target.database.query("SELECT 1");
    assert_eq!(other, ["1"]);
    let mut outsider = sqlx::postgres::PgConnection::connect(&target.database.url()).await.unwrap();
    sqlx::raw_sql("CREATE TEMP VIEW mine AS SELECT a FROM t").execute(&mut outsider).await.unwrap();
    let lines = edges(&mut target.read().await, &["t"]).await;
    let views = about(&lines, "view pg_temp_");
    assert_eq!(views.len(), 1, "{lines:#?}");
    assert!(views[0].ends_with(".mine Refuses table public.t"), "{views:?}");
}

#[tokio::test]
async fn what_takes_too_long_is_unknown() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t");
    let mut session = target.read().await;
    let found = dependencies(&mut session, &["t"], Duration::from_nanos(1)).await;
    if found.edges.is_empty() {
        assert!(found.unknown[0].contains("could not be asked for within"), "{:?}", found.unknown);
    }
    session.close().await.unwrap();
}
