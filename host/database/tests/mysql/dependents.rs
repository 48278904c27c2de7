//! What depends on what, by the catalogue and by texts.

#[path = "../dependents/mod.rs"]
mod shared;

use self::shared::*;
use crate::support::*;

#[tokio::test]
async fn views_triggers_and_keys_are_found_in_all_databases() {
    let (target, other) = (Target::new(), Target::new());
    let (own, elsewhere) = (target.database.name().to_owned(), other.database.name().to_owned());
    for sql in [
        "CREATE TABLE patient (id int PRIMARY KEY, email varchar(40), name varchar(40), size int AS (length(email)), KEY both_of (name, email))",
        "CREATE TABLE note (id int, patient int, CONSTRAINT note_fk FOREIGN KEY (patient) REFERENCES patient (id))",
        "CREATE TABLE patients (patient int)",
        "CREATE VIEW `My mails` AS SELECT p.email FROM patient AS p",
        "CREATE VIEW of_mails AS SELECT * FROM `My mails`",
        "CREATE VIEW unrelated AS SELECT patient FROM patients",
        "CREATE TRIGGER note_t AFTER INSERT ON note FOR EACH ROW UPDATE patient SET name = 'x'",
        "CREATE TRIGGER own_t AFTER INSERT ON patient FOR EACH ROW SET @x = NEW.email",
        "CREATE PROCEDURE count_them() SELECT count(*) FROM patient",
    ] {
        target.sql(sql);
    }
    other.sql(&format!("CREATE VIEW spy AS SELECT name FROM {own}.patient"));
    other.sql(&format!("CREATE TABLE child (p int, CONSTRAINT far_fk FOREIGN KEY (p) REFERENCES {own}.patient (id))"));
    let lines: Vec<String> = edges(&mut target.read().await, &["patient"]).await;
    let mut lines: Vec<String> = lines
        .iter()
        .filter(|line| line.contains(own.as_str()) || line.contains(elsewhere.as_str()))
        .map(|line| line.replace(&own, "own").replace(&elsewhere, "elsewhere"))
        .collect();
    lines.sort();
    let expected = [
        "column own.patient.size GoesAlong/Refuses table own.patient",
        "foreign key elsewhere.child.far_fk GoesAlong/Refuses table elsewhere.child",
        "foreign key elsewhere.child.far_fk Refuses table own.patient",
        "foreign key own.note.note_fk GoesAlong/Refuses table own.note",
        "foreign key own.note.note_fk Refuses table own.patient",
        "function own.count_them Breaks table own.patient",
        "index own.PRIMARY GoesAlong table own.patient",
        "index own.both_of GoesAlong table own.patient",
        "trigger own.note.note_t Breaks table own.patient",
        "trigger own.note.note_t GoesAlong/Breaks table own.note",
        "trigger own.patient.own_t GoesAlong/Breaks table own.patient",
        "view elsewhere.spy Breaks table own.patient",
        "view own.My mails Breaks table own.patient",
        "view own.of_mails Breaks view own.My mails",
        "view own.unrelated Breaks table own.patients",
    ];
    assert_eq!(lines, expected, "{lines:#?}");
    assert_eq!(about(&lines, "index").len(), 2);
}
