//! What the plan has made, dropped and renamed: what is new and empty, and what is surely gone.

use runner_policy_sdk::Severity;

use super::facts::REBUILD;
use super::facts::known;
use super::*;

use Dialect::Mysql;
use Dialect::Sqlite;

#[test]
fn what_the_plan_has_made_is_empty() {
    for (notes, is_found) in [
        (&[][..], true),
        (&["creates table visit"], false),
        (&["creates table visit", "drops table visit"], true),
        (&["drops table visit", "creates table visit"], false),
        (&["something else"], true),
        (&["creates if missing table visit"], true),
        (&["drops table visit", "creates if missing table visit"], true),
    ] {
        let rules = known(Mysql, "DROP TABLE visit").noted(notes).rules();
        assert_eq!(rules.contains(&"ban-drop-table".to_owned()), is_found, "{notes:?}");
    }
    let notes =
        |sql: &str| -> Vec<String> { revision(Sqlite, sql).report().notes.into_iter().map(|note| note.text).collect() };
    assert_eq!(
        notes("CREATE TABLE Visit (id INTEGER PRIMARY KEY); CREATE TABLE b (c INT)"),
        ["creates table b", "creates table visit"]
    );
    assert_eq!(
        notes("CREATE TABLE a (id INTEGER PRIMARY KEY); ALTER TABLE a RENAME TO b"),
        ["drops table a", "creates table b"]
    );
    assert_eq!(notes("DROP TABLE a"), ["drops table a"]);
    assert_eq!(
        notes(REBUILD),
        ["drops table new_visit", "drops table visit", "keeps rows in table visit"],
        "the new one holds the rows of the old one"
    );
}

/// Whether the last statement is said to drop a table, in production.
fn drops(trial: Trial) -> bool {
    let trial = trial.in_production();
    let last = u32::try_from(trial.source.up.as_ref().map_or(0, Vec::len)).unwrap().checked_sub(1);
    let mut found = trial.findings().into_iter().filter(|finding| finding.statement == last);
    found.any(|finding| finding.rule == "ban-drop-table" && finding.severity == Severity::Error)
}

#[test]
fn only_what_is_surely_new_may_be_dropped() {
    for (sql, without_facts, with_facts) in [
        ("CREATE TABLE fresh (id INT PRIMARY KEY); DROP TABLE fresh", false, false),
        ("CREATE TABLE app.fresh (id INT PRIMARY KEY); DROP TABLE App.Fresh", false, false),
        (
            "CREATE TABLE fresh (id INT PRIMARY KEY); CREATE TABLE IF NOT EXISTS fresh (id INT); DROP TABLE fresh",
            false,
            false,
        ),
        ("CREATE TABLE archive.visit AS SELECT * FROM visit; DROP TABLE visit", true, true),
        ("CREATE TABLE visit2 AS SELECT * FROM visit; DROP TABLE visit", true, true),
        ("CREATE TABLE fresh (id INT PRIMARY KEY); DROP TABLE archive.fresh", true, true),
        ("CREATE TABLE `app.fresh` (id INT PRIMARY KEY); DROP TABLE app.fresh", true, true),
        ("CREATE TABLE IF NOT EXISTS visit (id INT PRIMARY KEY); DROP TABLE visit", true, true),
        ("CREATE TABLE IF NOT EXISTS fresh (id INT PRIMARY KEY); DROP TABLE fresh", true, false),
        ("CREATE TABLE IF NOT EXISTS app.fresh (id INT PRIMARY KEY); DROP TABLE app.fresh", true, true),
        ("CREATE TEMPORARY TABLE visit (id INT PRIMARY KEY); DROP TABLE visit", true, true),
        ("CREATE TEMPORARY TABLE fresh (id INT PRIMARY KEY); DROP TABLE fresh", true, true),
        (
            "CREATE TEMPORARY TABLE a (id INT); DROP TABLE a; CREATE TABLE IF NOT EXISTS a (id INT); DROP TABLE a",
            true,
            false,
        ),
        ("DROP TABLE visit; CREATE TABLE IF NOT EXISTS visit (id INT PRIMARY KEY); DROP TABLE visit", false, false),
        ("DROP TRIGGER visit; CREATE TABLE IF NOT EXISTS visit (id INT PRIMARY KEY); DROP TABLE visit", true, true),
        ("ALTER TABLE visit RENAME TO fresh; CREATE TABLE IF NOT EXISTS fresh (id INT); DROP TABLE fresh", true, true),
        ("CREATE TABLE IF NOT EXISTS visit (id INT); ALTER TABLE visit RENAME TO fresh; DROP TABLE fresh", true, true),
        ("CREATE TABLE a (id INT); DROP TABLE a; ALTER TABLE visit RENAME TO a; DROP TABLE a", true, true),
        ("CREATE TABLE a (id INT); ALTER TABLE a RENAME TO b; DROP TABLE b", false, false),
    ] {
        for dialect in [Mysql, Sqlite] {
            assert_eq!(drops(revision(dialect, sql)), without_facts, "{dialect:?}, no facts: {sql}");
            assert_eq!(drops(known(dialect, sql)), with_facts, "{dialect:?}, facts: {sql}");
        }
    }
    let temporary = "CREATE TEMPORARY TABLE visit (id INT PRIMARY KEY); DROP TEMPORARY TABLE visit";
    assert!(!drops(revision(Mysql, temporary)));
    let real = format!("{temporary}; CREATE TABLE IF NOT EXISTS visit (id INT PRIMARY KEY); DROP TABLE visit");
    assert!(drops(known(Mysql, &real)), "what was dropped was the temporary one");
    let other = "CREATE TABLE fresh (id INT PRIMARY KEY); USE other; DROP TABLE fresh";
    assert!(drops(revision(Mysql, other)), "the name means a table of another database");
}

#[test]
fn later_steps_know_what_earlier_ones_have_taken_back() {
    for (steps, is_found) in [
        (&["CREATE TABLE staging (id INT PRIMARY KEY)", "DROP TABLE staging"][..], false),
        (&["CREATE TABLE app.staging (id INT PRIMARY KEY)", "DROP TABLE app.staging"], false),
        (&["CREATE TABLE app.staging (id INT PRIMARY KEY)", "DROP TABLE staging"], true),
        (&["CREATE TABLE IF NOT EXISTS staging (id INT PRIMARY KEY)", "DROP TABLE staging"], false),
        (
            &[
                "CREATE TABLE IF NOT EXISTS app.visit (id INT)",
                "ALTER TABLE app.visit DROP COLUMN note; DROP TABLE app.visit",
            ],
            true,
        ),
        (&["CREATE TEMPORARY TABLE visit (id INT)", "DROP TABLE visit"], true),
        (
            &[
                "CREATE TABLE staging (id INT PRIMARY KEY)",
                "DROP TABLE staging; ALTER TABLE visit RENAME TO staging",
                "DROP TABLE staging",
            ],
            true,
        ),
        (
            &[
                "CREATE TABLE staging (id INT PRIMARY KEY)",
                "DROP TABLE staging; ALTER TABLE visit RENAME TO staging; CREATE TRIGGER staging AFTER INSERT ON patient FOR EACH ROW BEGIN SELECT 1; END",
                "DROP TABLE staging",
            ],
            true,
        ),
        (
            &[
                "ALTER TABLE visit RENAME TO staging",
                "CREATE TABLE IF NOT EXISTS staging (id INT)",
                "DROP TABLE staging",
            ],
            true,
        ),
        (&["CREATE TABLE a (id INT)", "ALTER TABLE a RENAME TO b", "DROP TABLE b"], false),
        (
            &["CREATE TABLE a (id INT)", "ALTER TABLE a RENAME TO b; ALTER TABLE visit RENAME TO a", "DROP TABLE a"],
            true,
        ),
    ] {
        for dialect in [Mysql, Sqlite] {
            let mut notes: Vec<String> = Vec::new();
            let (last, before) = steps.split_last().unwrap();
            for step in before {
                let told: Vec<&str> = notes.iter().map(String::as_str).collect();
                let trial = known(dialect, step).noted(&told);
                notes.extend(trial.report().notes.into_iter().map(|note| note.text));
            }
            let told: Vec<&str> = notes.iter().map(String::as_str).collect();
            assert_eq!(drops(known(dialect, last).noted(&told)), is_found, "{dialect:?}: {steps:?} {notes:?}");
        }
    }
    let notes = ["creates if missing table app.visit"];
    assert!(
        known(Mysql, "ALTER TABLE app.visit DROP COLUMN note")
            .noted(&notes)
            .rules()
            .contains(&"ban-drop-column".to_owned())
    );
}

#[test]
fn an_added_column_may_be_dropped_and_no_other_of_its_name() {
    for (sql, is_found) in [
        ("ALTER TABLE v ADD COLUMN a INT; ALTER TABLE v DROP COLUMN a", false),
        ("ALTER TABLE archive.v ADD COLUMN a INT; ALTER TABLE v DROP COLUMN a", true),
        ("ALTER TABLE v ADD COLUMN a INT; ALTER TABLE v RENAME COLUMN a TO b; ALTER TABLE v DROP COLUMN b", false),
        (
            "ALTER TABLE v ADD COLUMN a INT; ALTER TABLE v DROP COLUMN a; ALTER TABLE v RENAME COLUMN b TO a; ALTER TABLE v DROP COLUMN a",
            true,
        ),
        (
            "ALTER TABLE v ADD COLUMN a INT; ALTER TABLE v RENAME TO w; ALTER TABLE x RENAME TO v; ALTER TABLE v DROP COLUMN a",
            true,
        ),
    ] {
        for dialect in [Mysql, Sqlite] {
            let rules = revision(dialect, sql).rules();
            assert_eq!(rules.contains(&"ban-drop-column".to_owned()), is_found, "{dialect:?}: {sql}");
        }
    }
}

#[test]
fn what_an_earlier_step_has_dropped_uses_nothing() {
    let has = |trial: Trial, rule: &str| trial.rules().contains(&rule.to_owned());
    let notes = |sql: &str| revision(Sqlite, sql).report().notes.into_iter().map(|note| note.text).collect::<Vec<_>>();
    assert!(notes("DROP INDEX ix").contains(&"drops index ix".to_owned()));
    assert!(notes("DROP VIEW v").contains(&"drops view v".to_owned()));
    assert!(!notes("DROP VIEW v; CREATE VIEW v AS SELECT 1").contains(&"drops view v".to_owned()));
    let column = |notes: &[&str]| known(Sqlite, "ALTER TABLE visit DROP COLUMN notes").noted(notes);
    assert!(has(column(&[]), "dropping-what-is-used"));
    assert!(!has(column(&["drops view open_visit"]), "dropping-what-is-used"));
    let number = |notes: &[&str]| known(Sqlite, "ALTER TABLE visit DROP COLUMN number").noted(notes);
    assert!(has(number(&[]), "unsupported-drop-column"));
    assert!(!has(number(&["drops index visit_number"]), "unsupported-drop-column"));
}
