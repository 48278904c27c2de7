//! What facts about the target change: findings that need them, numbers in messages, and severities.

use runner_policy_sdk::Failure;
use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::Column;
use runner_policy_sdk::facts::ForeignKey;
use runner_policy_sdk::facts::Index;
use runner_policy_sdk::facts::RelationKind;
use runner_policy_sdk::facts::Trigger;

use super::*;

use Dialect::Mysql;
use Dialect::Sqlite;

pub(super) fn column(name: &str, data_type: &str, nullable: bool) -> Column {
    Column { nullable, ..Column::new(name, data_type) }
}

/// Visits of patients: 48 213 of them, with all that may use a table.
pub(super) fn clinic() -> Vec<Relation> {
    let key = Column { primary_key: Some(1), ..column("id", "bigint", false) };
    let notes = Column { null_fraction: Some(0.88), ..column("notes", "varchar(40)", true) };
    let mut visit = Relation::table("visit").rows(48_213).bytes(2_100_000_000);
    visit.columns = vec![
        key.clone(),
        notes,
        column("number", "int", false),
        column("room", "varchar(20)", true),
        column("patient_id", "bigint", false),
        column("state", "enum('open','closed','lost')", false),
        column("tags", "set('a','b','c','d','e','f','g','h')", false),
    ];
    visit.indexes = vec![
        Index { unique: true, primary: true, ..Index::new("PRIMARY", &["id"]) },
        Index { unique: true, ..Index::new("visit_number", &["number"]) },
        Index::new("visit_patient", &["patient_id", "room"]),
    ];
    visit.foreign_keys = vec![ForeignKey {
        name: Some("fk_patient".to_owned()),
        columns: vec!["patient_id".to_owned()],
        referenced_schema: None,
        referenced_table: "patient".to_owned(),
        referenced_columns: vec!["id".to_owned()],
        on_delete: "NO ACTION".to_owned(),
    }];
    visit.triggers = vec![Trigger {
        name: "visit_log".to_owned(),
        definition: "CREATE TRIGGER visit_log AFTER UPDATE ON visit BEGIN SELECT NEW.room; END".to_owned(),
    }];
    let mut patient = Relation::table("patient").rows(200);
    patient.columns = vec![key, column("name", "text", true)];
    let mut open = Relation::table("open_visit");
    open.kind = RelationKind::View;
    open.definition = Some("SELECT id, notes FROM visit WHERE closed IS NULL".to_owned());
    vec![open, patient, Relation::table("empty").rows(0).column(column("a", "int", true)), visit]
}

pub(super) fn known(dialect: Dialect, up: &str) -> Trial {
    revision(dialect, up).knowing(clinic())
}

/// A rule that needs facts: dialect, SQL that fires, SQL that does not.
const CASES: &[(&str, Dialect, &str, &str)] = &[
    (
        "backfill-in-migration",
        Mysql,
        "DELETE v, p FROM patient AS p JOIN visit v ON v.patient_id = p.id",
        "DELETE p, v FROM visit v JOIN patient p ON v.patient_id = p.id",
    ),
    ("changing-column-type", Sqlite, REBUILD_OTHER_TYPE, REBUILD_SAME_AFFINITY),
    (
        "backfill-in-migration",
        Sqlite,
        "UPDATE visit SET room = 'x' WHERE id = 1 OR room = 'y'",
        "UPDATE visit SET room = 'x' WHERE visit.id = 1 AND room = 'y'",
    ),
    ("backfill-in-migration", Mysql, "DELETE FROM visit WHERE id > 5", "DELETE FROM visit WHERE number IN (1, 2, -3)"),
    (
        "backfill-in-migration",
        Mysql,
        "DELETE FROM visit WHERE id IN (SELECT id FROM patient)",
        "DELETE FROM visit WHERE `id` = 5",
    ),
    (
        "backfill-in-migration",
        Sqlite,
        "UPDATE visit SET room = 'x' WHERE room IS NULL",
        "UPDATE patient SET name = 'x' WHERE name IS NULL",
    ),
    (
        "backfill-in-migration",
        Mysql,
        "DELETE FROM visit WHERE room IS NULL",
        "DELETE FROM visit WHERE room IS NULL LIMIT 1000",
    ),
    (
        "dropping-what-is-used",
        Sqlite,
        "ALTER TABLE visit DROP COLUMN notes",
        "DROP VIEW open_visit; ALTER TABLE visit DROP COLUMN notes",
    ),
    (
        "dropping-what-is-used",
        Sqlite,
        "ALTER TABLE visit DROP COLUMN room",
        "DROP TRIGGER visit_log; ALTER TABLE visit DROP COLUMN room",
    ),
    ("dropping-what-is-used", Mysql, "DROP TABLE patient", "DROP TABLE empty"),
    ("changing-column-type", Sqlite, REBUILD_OTHER_TYPE, REBUILD),
    (
        "changing-column-type",
        Mysql,
        "ALTER TABLE visit MODIFY notes VARCHAR(30)",
        "ALTER TABLE visit MODIFY notes VARCHAR(60)",
    ),
    ("adding-not-nullable-field", Sqlite, REBUILD_NOT_NULL, REBUILD),
    ("ban-drop-column", Sqlite, REBUILD_WITHOUT_NOTES, REBUILD),
    ("incomplete-table-rebuild", Sqlite, REBUILD_BARE, REBUILD),
    ("duplicate-index", Sqlite, "CREATE INDEX i ON visit (patient_id)", "CREATE INDEX i ON visit (room)"),
    ("duplicate-index", Mysql, "ALTER TABLE visit ADD INDEX i (number)", "CREATE INDEX i ON visit (room)"),
    (
        "removing-enum-value",
        Mysql,
        "ALTER TABLE visit MODIFY state ENUM('open','closed') NOT NULL",
        "ALTER TABLE visit MODIFY state ENUM('open','closed','lost','new') NOT NULL",
    ),
    (
        "removing-enum-value",
        Mysql,
        "ALTER TABLE visit MODIFY state SET('open','closed','lost') NOT NULL",
        "ALTER TABLE visit MODIFY room VARCHAR(20)",
    ),
    (
        "reordering-enum-values",
        Mysql,
        "ALTER TABLE visit MODIFY state ENUM('new','open','closed','lost') NOT NULL",
        "ALTER TABLE visit MODIFY state ENUM('open','closed','lost','new') NOT NULL",
    ),
    (
        "growing-enum-storage",
        Mysql,
        "ALTER TABLE visit MODIFY tags SET('a','b','c','d','e','f','g','h','i') NOT NULL",
        "ALTER TABLE visit MODIFY state ENUM('open','closed','lost','new') NOT NULL",
    ),
    ("ban-drop-not-null", Mysql, "ALTER TABLE visit MODIFY number INT", "ALTER TABLE visit MODIFY number INT NOT NULL"),
    (
        "adding-not-nullable-field",
        Mysql,
        "ALTER TABLE visit MODIFY notes VARCHAR(40) NOT NULL",
        "ALTER TABLE visit MODIFY number INT NOT NULL",
    ),
    (
        "unsupported-drop-column",
        Sqlite,
        "ALTER TABLE visit DROP COLUMN number",
        "DROP INDEX visit_number; ALTER TABLE visit DROP COLUMN number",
    ),
    ("unsupported-drop-column", Sqlite, "ALTER TABLE empty DROP COLUMN a", "ALTER TABLE visit DROP COLUMN state"),
    ("unsupported-drop-column", Sqlite, "ALTER TABLE visit DROP COLUMN id", "ALTER TABLE patient DROP COLUMN name"),
    (
        "unsupported-add-column",
        Sqlite,
        "ALTER TABLE visit ADD a TEXT DEFAULT CURRENT_TIMESTAMP",
        "ALTER TABLE empty ADD b TEXT DEFAULT CURRENT_TIMESTAMP",
    ),
    ("prefer-online-ddl", Mysql, "ALTER TABLE visit ADD INDEX i (room)", "ALTER TABLE patient ADD INDEX i (name)"),
    (
        "ban-drop-table",
        Mysql,
        "CREATE OR REPLACE TABLE visit (id INT PRIMARY KEY)",
        "CREATE OR REPLACE TABLE unheard_of (id INT PRIMARY KEY)",
    ),
];

pub(super) const REBUILD: &str = "CREATE TABLE new_visit (id BIGINT PRIMARY KEY, notes VARCHAR(40), number INT NOT NULL, room VARCHAR(20), \
    patient_id BIGINT NOT NULL REFERENCES patient (id), state ENUM NOT NULL, tags SET NOT NULL); \
    INSERT INTO new_visit SELECT * FROM visit; DROP TABLE visit; ALTER TABLE new_visit RENAME TO visit; \
    CREATE UNIQUE INDEX visit_number ON visit (number); CREATE INDEX other_name ON visit (patient_id, room); \
    CREATE TRIGGER visit_log AFTER UPDATE ON visit BEGIN SELECT NEW.room END";
const REBUILD_BARE: &str = "CREATE TABLE new_visit (id BIGINT PRIMARY KEY, notes VARCHAR(40), number INT NOT NULL, room VARCHAR(20), \
    patient_id BIGINT NOT NULL, state ENUM NOT NULL, tags SET NOT NULL); \
    INSERT INTO new_visit SELECT * FROM visit; DROP TABLE visit; ALTER TABLE new_visit RENAME TO visit";
const REBUILD_OTHER_TYPE: &str = "CREATE TABLE new_visit (id BIGINT PRIMARY KEY, number TEXT NOT NULL); \
    INSERT INTO new_visit SELECT id, number FROM visit; DROP TABLE visit; ALTER TABLE new_visit RENAME TO visit";
const REBUILD_SAME_AFFINITY: &str = "CREATE TABLE n (id INTEGER PRIMARY KEY, name VARCHAR(255)); \
    INSERT INTO n SELECT * FROM patient; DROP TABLE patient; ALTER TABLE n RENAME TO patient";
const REBUILD_NOT_NULL: &str = "CREATE TABLE new_visit (id BIGINT PRIMARY KEY, room VARCHAR(20) NOT NULL); \
    INSERT INTO new_visit SELECT id, room FROM visit; DROP TABLE visit; ALTER TABLE new_visit RENAME TO visit";
const REBUILD_WITHOUT_NOTES: &str = REBUILD_NOT_NULL;

/// Rule, dialect, and whether it fires, for each case.
pub(super) fn told() -> Vec<(String, String, bool)> {
    let each = CASES.iter().flat_map(|(rule, dialect, _, _)| {
        [true, false].map(|fires| ((*rule).to_owned(), format!("{dialect:?}"), fires))
    });
    each.collect()
}

#[test]
fn rules_that_need_facts_find_what_they_are_about() {
    for (rule, dialect, fires, quiet) in CASES {
        let rules = known(*dialect, fires).rules();
        assert!(rules.contains(&(*rule).to_owned()), "{rule} misses: {fires}\n{rules:?}");
        let found = known(*dialect, quiet).findings();
        let finding = found.iter().find(|finding| finding.rule == *rule || finding.rule == "unparsed-statement");
        assert!(finding.is_none(), "{rule} finds: {quiet}\n{finding:?}");
    }
}

#[test]
fn messages_tell_how_much_it_is_about() {
    for (dialect, sql, rule, expected) in [
        (Sqlite, "DROP TABLE visit", "ban-drop-table", "drops `visit` (48 213 rows, 2.1 GB)"),
        (
            Sqlite,
            "ALTER TABLE visit DROP COLUMN notes",
            "ban-drop-column",
            "drops `visit.notes` (48 213 rows, 2.1 GB, 12 % not null)",
        ),
        (
            Mysql,
            "ALTER TABLE visit ENGINE=InnoDB",
            "rewriting-table",
            "`ENGINE=InnoDB` writes `visit` anew (48 213 rows, 2.1 GB)",
        ),
        (
            Mysql,
            "ALTER TABLE visit MODIFY notes VARCHAR(40) NOT NULL",
            "adding-not-nullable-field",
            "`visit.notes` becomes NOT NULL (48 213 rows, 2.1 GB, 88 % null)",
        ),
        (
            Mysql,
            "ALTER TABLE visit MODIFY notes VARCHAR(30)",
            "changing-column-type",
            "`visit.notes` narrows from varchar(40) to VARCHAR(30): values may not fit, and the table is rewritten (48 213 rows, 2.1 GB)",
        ),
        (
            Mysql,
            "ALTER TABLE visit MODIFY state ENUM('lost') NOT NULL",
            "removing-enum-value",
            "takes `open` and 1 more from the values of `visit.state` (48 213 rows, 2.1 GB)",
        ),
        (
            Mysql,
            "DROP INDEX visit_patient ON visit",
            "ban-drop-index",
            "drops the index `visit_patient` of `visit` (48 213 rows, 2.1 GB), which the foreign key to `patient` needs",
        ),
        (
            Sqlite,
            "DROP TABLE unheard_of",
            "ban-drop-table",
            "drops `unheard_of` (size unknown: the database has no such table yet)",
        ),
        (
            Sqlite,
            REBUILD_BARE,
            "incomplete-table-rebuild",
            "rebuilds `visit` without the index `visit_number`, the index `visit_patient`, the trigger `visit_log`, the foreign key to `patient`",
        ),
    ] {
        assert_eq!(known(dialect, sql).message(rule), expected);
    }
    let blind = revision(Sqlite, "DROP TABLE visit").message("ban-drop-table");
    assert_eq!(blind, "drops `visit` (size unknown: no connection to the database)");
    let users: Vec<String> =
        known(Sqlite, "DROP TABLE visit").findings().into_iter().map(|finding| finding.message).collect();
    assert!(users.contains(&"drops `visit`, which the view `open_visit` uses".to_owned()), "{users:?}");
    let users: Vec<String> =
        known(Sqlite, "DROP TABLE patient").findings().into_iter().map(|finding| finding.message).collect();
    assert!(
        users.contains(&"drops `patient`, which the foreign key `fk_patient` of `visit` uses".to_owned()),
        "{users:?}"
    );
}

#[test]
fn small_tables_are_locked_without_an_error() {
    let severity = |sql: &str, rule: &str| known(Mysql, sql).in_production().finding(rule).severity;
    assert_eq!(severity("ALTER TABLE visit ENGINE=InnoDB", "rewriting-table"), Severity::Error);
    assert_eq!(severity("ALTER TABLE patient ENGINE=InnoDB", "rewriting-table"), Severity::Warning);
    assert_eq!(severity("ALTER TABLE unheard_of ENGINE=InnoDB", "rewriting-table"), Severity::Error);
    assert_eq!(severity("DROP TABLE patient", "ban-drop-table"), Severity::Error, "few rows are lost as well");
    assert_eq!(severity("DROP TABLE empty", "ban-drop-table"), Severity::Warning);
    assert_eq!(severity("DELETE FROM visit WHERE id > 5", "backfill-in-migration"), Severity::Warning);
    assert_eq!(severity("DELETE FROM visit", "delete-without-where"), Severity::Error);
    let blind = revision(Mysql, "ALTER TABLE patient ENGINE=InnoDB");
    assert_eq!(blind.finding("rewriting-table").severity, Severity::Warning);
    assert_eq!(blind.in_production().finding("rewriting-table").severity, Severity::Error);
}

#[test]
fn what_sqlite_refuses_for_rows_is_an_error_where_there_are_rows_or_may_be_in_production() {
    let sql = |what: &str| format!("ALTER TABLE visit ADD COLUMN at TEXT {what}");
    let severity = |trial: Trial| trial.finding("unsupported-add-column").severity;
    let now = sql("DEFAULT CURRENT_TIMESTAMP");
    assert_eq!(severity(revision(Sqlite, &now)), Severity::Warning);
    assert_eq!(severity(revision(Sqlite, &now).in_production()), Severity::Error);
    assert_eq!(severity(known(Sqlite, &now)), Severity::Error);
    assert_eq!(severity(revision(Sqlite, &sql("UNIQUE"))), Severity::Error, "no table takes that");
}

#[test]
fn versions_of_servers_are_told_apart() {
    let rules = |version: &str, sql: &str| revision(Mysql, sql).server(version).rules();
    let has = |version: &str, sql: &str, rule: &str| rules(version, sql).contains(&rule.to_owned());
    for (version, at_end, anywhere, dropped) in [
        ("5.7.44-log", true, true, true),
        ("8.0.11", true, true, true),
        ("8.0.12", false, true, true),
        ("8.0.29", false, false, false),
        ("8.4.3", false, false, false),
        ("10.2.44-MariaDB", true, true, true),
        ("10.3.39-MariaDB-1:10.3.39", false, true, true),
        ("5.5.5-10.6.12-MariaDB", false, false, false),
        ("11.4.2-MariaDB", false, false, false),
        ("10.2.44", true, true, true),
        ("10.11.14", false, false, false),
        ("12.1.2", false, false, false),
        ("9.1.0", false, false, false),
        ("", false, false, false),
        ("not a version", false, false, false),
    ] {
        assert_eq!(has(version, "ALTER TABLE v ADD a INT", "rewriting-table"), at_end, "{version}");
        assert_eq!(has(version, "ALTER TABLE v ADD a INT FIRST", "rewriting-table"), anywhere, "{version}");
        assert_eq!(has(version, "ALTER TABLE v DROP a", "rewriting-table"), dropped, "{version}");
    }
    let inline = "CREATE TABLE v (id INT PRIMARY KEY REFERENCES p (id))";
    for (version, is_ignored) in
        [("8.4.3", true), ("9.0.0", false), ("10.4.1-MariaDB", true), ("10.5.1-MariaDB", false), ("", true)]
    {
        assert_eq!(has(version, inline, "ignored-references"), is_ignored, "{version}");
    }
    for sql in [
        "ALTER TABLE v ADD COLUMN IF NOT EXISTS a INT",
        "ALTER TABLE v DROP COLUMN IF EXISTS a",
        "ALTER TABLE IF EXISTS v ADD a INT",
        "CREATE INDEX IF NOT EXISTS i ON v (a)",
        "DROP INDEX IF EXISTS i ON v",
        "CREATE OR REPLACE TABLE v (id INT PRIMARY KEY)",
    ] {
        assert!(has("8.4.3", sql, "unsupported-statement"), "{sql}");
        assert!(has("9.1.0", sql, "unsupported-statement"), "{sql}");
        for version in ["11.4.2-MariaDB", "10.11.14", "11.8.1", "12.0.2", "10.6.18-MariaDB-log"] {
            assert!(!has(version, sql, "unsupported-statement"), "{version}: {sql}");
        }
        assert!(!has("", sql, "unsupported-statement"), "{sql}");
    }
    assert!(has("11.4.2-MariaDB", "CREATE TABLE v (id INT PRIMARY KEY, t TIMESTAMP)", "timestamp-2038"));
    assert!(!has("11.5.1-MariaDB", "CREATE TABLE v (id INT PRIMARY KEY, t TIMESTAMP)", "timestamp-2038"));
}

#[test]
fn facts_are_asked_for_only_when_they_matter() {
    let failing = |sql: &str| {
        let mut trial = revision(Sqlite, sql).down("SELECT 1");
        trial.circumstances.has_facts = true;
        let facts = Facts { failure: Some(Failure::new("gone")), ..Facts::default() };
        runner_policy_sdk::facts::with(facts, || {
            Lint::check(&trial.settings, &trial.circumstances, &trial.source, &trial.surroundings).map(|_| ())
        })
    };
    assert_eq!(failing("DROP TABLE visit").unwrap_err().message, "gone");
    assert_eq!(failing("CREATE TABLE IF NOT EXISTS visit (id INTEGER PRIMARY KEY)"), Ok(()));
    assert_eq!(failing("CREATE TABLE visit (id INTEGER PRIMARY KEY); INSERT INTO visit (id) VALUES (1)"), Ok(()));
}

#[test]
fn rebuilds_that_lose_rows_or_values_are_no_whole() {
    const NEW: &str = "CREATE TABLE n (id BIGINT PRIMARY KEY, name TEXT)";
    const SWAP: &str = "DROP TABLE patient; ALTER TABLE n RENAME TO patient";
    for (created, copied, is_lossy) in [
        (NEW, "INSERT INTO n SELECT * FROM patient", false),
        (NEW, "INSERT INTO n SELECT p.* FROM patient AS p ORDER BY id, name", false),
        (NEW, "INSERT INTO n (name, id) SELECT name, id FROM patient", false),
        (NEW, "INSERT INTO n (id, name) SELECT p.id, COALESCE(name, '') AS name FROM patient p", false),
        (NEW, "INSERT INTO n (id, name) SELECT id, (SELECT a FROM empty WHERE a = 1) FROM patient", false),
        (NEW, "INSERT INTO n SELECT patient.* FROM patient LEFT JOIN empty ON a = id", false),
        (NEW, "INSERT INTO n SELECT * FROM patient WHERE true", false),
        ("CREATE TABLE n (id BIGINT, title TEXT)", "INSERT INTO n (id, title) SELECT id, name FROM patient", false),
        (
            "CREATE TABLE n (id BIGINT, name TEXT, added INT)",
            "INSERT INTO n (id, name) SELECT id, name FROM patient",
            false,
        ),
        (NEW, "INSERT INTO n SELECT * FROM patient WHERE id > 5", true),
        (NEW, "INSERT INTO n SELECT * FROM patient LIMIT 10", true),
        (NEW, "INSERT INTO n SELECT DISTINCT * FROM patient", true),
        (NEW, "INSERT INTO n SELECT id, name FROM patient GROUP BY name", true),
        (NEW, "INSERT INTO n SELECT id, name FROM patient JOIN empty ON a = id", true),
        (NEW, "INSERT INTO n SELECT id, name FROM patient, empty", true),
        (NEW, "INSERT INTO n SELECT id, (SELECT name FROM patient) FROM empty", true),
        (NEW, "INSERT INTO n SELECT id, name FROM (SELECT * FROM patient LIMIT 1)", true),
        (NEW, "INSERT OR IGNORE INTO n SELECT * FROM patient", true),
        (NEW, "INSERT INTO n (id) SELECT id FROM patient", true),
        (NEW, "INSERT INTO n SELECT name, id FROM patient", true),
        ("CREATE TABLE n (name TEXT, id BIGINT)", "INSERT INTO n SELECT * FROM patient", true),
    ] {
        let sql = format!("{created}; {copied}; {SWAP}");
        let trial = known(Sqlite, &sql);
        let rules = trial.rules();
        for rule in ["incomplete-table-rebuild", "ban-drop-table"] {
            assert_eq!(rules.contains(&rule.to_owned()), is_lossy, "{rule}: {sql}\n{rules:?}");
        }
        if is_lossy {
            assert_eq!(trial.in_production().finding("incomplete-table-rebuild").severity, Severity::Error);
        }
    }
    let blind = |copied: &str| revision(Sqlite, &format!("{NEW}; {copied}; {SWAP}")).rules();
    assert!(blind("INSERT INTO n (id) SELECT id FROM patient").contains(&"ban-drop-table".to_owned()));
    assert!(!blind("INSERT INTO n (id, name) SELECT id, name FROM patient").contains(&"ban-drop-table".to_owned()));
    let message = known(Sqlite, &format!("{NEW}; INSERT INTO n SELECT * FROM patient WHERE id > 5; {SWAP}"));
    let expected = "copies only some rows of `patient`: `WHERE` leaves out the others";
    assert_eq!(message.message("incomplete-table-rebuild"), expected);
}

#[test]
fn a_default_that_an_empty_table_takes_is_a_warning_below_production() {
    let trial = revision(Sqlite, "ALTER TABLE a ADD at TEXT DEFAULT CURRENT_TIMESTAMP");
    assert_eq!(trial.finding("unsupported-add-column").severity, Severity::Warning);
    assert_eq!(trial.in_production().finding("unsupported-add-column").severity, Severity::Error);
    let full = known(Sqlite, "ALTER TABLE visit ADD at TEXT DEFAULT CURRENT_TIMESTAMP");
    assert_eq!(full.finding("unsupported-add-column").severity, Severity::Error);
}

#[test]
fn valid_statements_are_read_and_partitions_told_apart() {
    for (dialect, sql) in [
        (Mysql, "CREATE VIEW v AS SELECT id FROM visit WHERE id > 1 WITH CASCADED CHECK OPTION"),
        (Mysql, "CREATE VIEW v AS SELECT id FROM visit WHERE id > 1 WITH CHECK OPTION"),
        (Mysql, "SELECT id FROM visit LOCK IN SHARE MODE"),
        (Mysql, "SELECT NEXT VALUE FOR s"),
        (Mysql, "CREATE INDEX i ON visit (a) WAIT 5"),
        (Sqlite, "WITH r AS MATERIALIZED (SELECT 1 AS a) SELECT a FROM r"),
        (Sqlite, "INSERT INTO t AS c (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = c.a + 1"),
        (Mysql, "ALTER TABLE visit EXCHANGE PARTITION p WITH TABLE old"),
        (Mysql, "ALTER TABLE visit ANALYZE PARTITION p, q"),
    ] {
        let rules = revision(dialect, sql).rules();
        let is_bad = rules.iter().any(|rule| rule == "unparsed-statement" || rule == "rewriting-table");
        assert!(!is_bad, "{sql}: {rules:?}");
    }
    let message = revision(Mysql, "ALTER TABLE visit DROP PARTITION p1, p2").message("ban-drop-partition");
    assert_eq!(message, "drops partition `p1`, `p2` of `visit` with its rows");
}

#[test]
fn statements_that_run_others_are_told_to_be_unread() {
    for sql in ["EXECUTE IMMEDIATE 'DROP TABLE visit'", "PREPARE s FROM 'DROP TABLE visit'", "EXECUTE s"] {
        assert!(revision(Mysql, sql).rules().contains(&"unparsed-statement".to_owned()), "{sql}");
    }
    let block = revision(Mysql, "BEGIN NOT ATOMIC SELECT 1; END").whole();
    assert!(block.rules().contains(&"unparsed-statement".to_owned()));
}
