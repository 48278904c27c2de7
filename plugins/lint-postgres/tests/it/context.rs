//! What is new excuses a finding, within a revision and from step to step of a plan.

use runner_policy_sdk::Direction;
use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::revision_lint::Blocked;

use crate::support::ask;
use crate::support::file;

#[test]
fn a_table_of_an_earlier_step_is_new() {
    let first = ask("CREATE TABLE visit (id bigint PRIMARY KEY, day date);\nCREATE INDEX visit_day ON visit (day);\n");
    let notes = first.planned(Direction::Up).notes();
    assert_eq!(notes, ["creates table visit", "creates index visit_day"]);
    let sql = "CREATE INDEX visit_id ON visit (id);\nALTER TABLE visit ALTER COLUMN day SET NOT NULL;\n\
               DROP INDEX visit_day;\nALTER TABLE visit DROP COLUMN day;\nTRUNCATE visit;\nDROP TABLE visit;\n";
    assert_eq!(ask(sql).after(&notes).rules(), Vec::<String>::new());
    assert_eq!(
        ask(sql).rules(),
        [
            "require-concurrent-index-creation",
            "adding-not-nullable-field",
            "require-concurrent-index-deletion",
            "ban-drop-column",
            "truncate-table",
            "ban-drop-table",
        ]
    );
}

#[test]
fn a_column_of_an_earlier_step_may_be_dropped_but_locks_its_table() {
    let notes = ask("ALTER TABLE \"Visit\" ADD COLUMN \"a.b\" text;\n").notes();
    assert_eq!(notes, ["adds column \"Visit\".\"a.b\""]);
    assert!(ask("ALTER TABLE \"Visit\" DROP COLUMN \"a.b\";\n").after(&notes).rules().is_empty());
    let retyped = ask("ALTER TABLE \"Visit\" ALTER COLUMN \"a.b\" TYPE bigint USING 1;\n").after(&notes);
    assert_eq!(retyped.rules(), ["changing-column-type"]);
}

#[test]
fn an_index_of_an_old_table_is_new_itself_but_locks_the_table() {
    let notes = ask("CREATE INDEX visit_day ON visit (day);\n").notes();
    assert_eq!(notes, ["creates index visit_day on visit"]);
    let drop = ask("DROP INDEX visit_day;\n").opting_in("ban-drop-index").after(&notes);
    assert_eq!(drop.rules(), ["require-concurrent-index-deletion"]);
}

#[test]
fn names_are_compared_as_the_server_does() {
    let made = "CREATE TABLE Audit.\"Log\" (id bigint PRIMARY KEY);\n";
    for (drop, is_quiet) in [
        ("DROP TABLE audit.\"Log\";", true),
        ("DROP TABLE \"Log\";", false),
        ("DROP TABLE AUDIT.\"Log\";", true),
        ("DROP TABLE other.\"Log\";", false),
        ("DROP TABLE audit.log;", false),
        ("DROP TABLE audit.\"Log\", visit;", false),
    ] {
        assert_eq!(ask(&format!("{made}{drop}\n")).rules().is_empty(), is_quiet, "{drop}");
    }
}

#[test]
fn what_is_made_later_is_not_new_before() {
    let findings =
        ask("DROP TABLE visit;\nCREATE TABLE visit (id bigint PRIMARY KEY);\nDROP TABLE visit;\n").of("ban-drop-table");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].statement, Some(0));
}

#[test]
fn if_not_exists_is_new_if_the_target_has_none() {
    let sql =
        "CREATE TABLE IF NOT EXISTS visit (id bigint PRIMARY KEY);\nALTER TABLE visit ALTER COLUMN id TYPE text;\n";
    assert_eq!(ask(sql).rules(), ["changing-column-type"]);
    assert!(ask(sql).holding(vec![Relation::table("patient")]).rules().is_empty());
    assert_eq!(ask(sql).holding(vec![Relation::table("visit")]).rules(), ["changing-column-type"]);
}

/// Whether the last of several steps is said to destroy something, with and without facts about a target that has `visit`.
fn destroys(steps: &[&str], has_facts: bool) -> bool {
    let mut notes = Vec::new();
    let (last, before) = steps.split_last().unwrap();
    let asked = |step: &str, notes: &[String]| {
        let question = ask(step).after(notes);
        if has_facts { question.holding(vec![Relation::table("visit")]) } else { question }
    };
    for step in before {
        notes.extend(asked(step, &notes).notes());
    }
    let question = asked(last, &notes);
    let statement = question.findings().into_iter().filter_map(|finding| finding.statement).max();
    let rules = ["ban-drop-table", "ban-drop-column", "ban-drop-schema", "ban-drop-view"];
    let mut found = question.findings().into_iter().filter(|finding| finding.statement == statement);
    let is_last = statement.map(|index| index as usize + 1) == Some(last.matches(';').count());
    is_last && found.any(|finding| rules.contains(&finding.rule.as_str()) && finding.severity == Severity::Error)
}

#[test]
fn only_what_is_surely_new_may_be_dropped() {
    for (sql, without_facts, with_facts) in [
        ("CREATE TABLE fresh (id bigint); DROP TABLE fresh;", false, false),
        ("CREATE TABLE app.fresh (id bigint); DROP TABLE APP.fresh;", false, false),
        ("CREATE SCHEMA app; CREATE TABLE IF NOT EXISTS app.fresh (id bigint); DROP TABLE app.fresh;", false, false),
        ("CREATE TABLE archive.visit AS SELECT * FROM visit; DROP TABLE visit;", true, true),
        ("CREATE TABLE fresh (id bigint); DROP TABLE archive.fresh;", true, true),
        ("CREATE TABLE archive.fresh (id bigint); DROP TABLE fresh;", true, false),
        ("CREATE TABLE IF NOT EXISTS visit (id bigint); DROP TABLE visit;", true, true),
        ("CREATE TABLE IF NOT EXISTS fresh (id bigint); DROP TABLE fresh;", true, false),
        ("CREATE TABLE IF NOT EXISTS app.fresh (id bigint); DROP TABLE app.fresh;", true, true),
        ("CREATE TEMPORARY TABLE visit (id bigint); DROP TABLE visit;", true, true),
        ("CREATE TEMP TABLE fresh AS SELECT 1; DROP TABLE fresh;", true, true),
        ("SELECT 1 AS a INTO TEMP fresh; DROP TABLE fresh;", true, true),
        ("SELECT 1 AS a INTO fresh; DROP TABLE fresh;", false, false),
        (
            "ALTER TABLE visit RENAME TO fresh; CREATE TABLE IF NOT EXISTS fresh (id bigint); DROP TABLE fresh;",
            true,
            true,
        ),
        (
            "CREATE TABLE IF NOT EXISTS visit (id bigint); ALTER TABLE visit RENAME TO fresh; DROP TABLE fresh;",
            true,
            true,
        ),
        ("CREATE TABLE a (id bigint); DROP TABLE a; ALTER TABLE visit RENAME TO a; DROP TABLE a;", true, true),
        ("CREATE SCHEMA app; ALTER TABLE visit SET SCHEMA app; DROP TABLE app.visit;", true, true),
        ("CREATE TABLE a (id bigint); SET search_path = other; DROP TABLE a;", true, true),
        ("SET LOCAL search_path = other; CREATE TABLE IF NOT EXISTS a (id bigint); DROP TABLE a;", true, true),
        ("CREATE SCHEMA IF NOT EXISTS app; DROP SCHEMA app;", true, true),
        ("CREATE SCHEMA app; DROP SCHEMA app;", false, false),
        ("CREATE SCHEMA app; DROP SCHEMA app; ALTER SCHEMA clinic RENAME TO app; DROP TABLE app.visit;", true, true),
        ("ALTER TABLE v ADD COLUMN a text; ALTER TABLE v DROP COLUMN a;", false, false),
        ("ALTER TABLE archive.v ADD COLUMN a text; ALTER TABLE v DROP COLUMN a;", true, true),
        (
            "ALTER TABLE v ADD COLUMN a text; ALTER TABLE v DROP COLUMN a; ALTER TABLE v RENAME COLUMN b TO a; \
             ALTER TABLE v DROP COLUMN a;",
            true,
            true,
        ),
    ] {
        assert_eq!(destroys(&[sql], false), without_facts, "no facts: {sql}");
        assert_eq!(destroys(&[sql], true), with_facts, "facts: {sql}");
    }
}

#[test]
fn later_steps_know_what_earlier_ones_have_taken_back() {
    for (steps, is_found) in [
        (&["CREATE TABLE staging (id bigint);", "DROP TABLE staging;"][..], false),
        (&["CREATE TABLE app.staging (id bigint);", "DROP TABLE app.staging;"], false),
        (&["CREATE TABLE app.visit (id bigint);", "DROP TABLE visit;"], true),
        (&["CREATE TABLE IF NOT EXISTS staging (id bigint);", "DROP TABLE staging;"], false),
        (&["CREATE TABLE IF NOT EXISTS app.visit (id bigint);", "ALTER TABLE app.visit DROP COLUMN note;"], true),
        (
            &[
                "CREATE TABLE IF NOT EXISTS app.visit (id bigint);",
                "ALTER TABLE app.visit DROP COLUMN note; DROP TABLE app.visit;",
            ],
            true,
        ),
        (&["CREATE TEMPORARY TABLE visit (id bigint);", "DROP TABLE visit;"], true),
        (
            &[
                "CREATE TABLE staging (id bigint);",
                "DROP TABLE staging; ALTER TABLE visit RENAME TO staging;",
                "DROP TABLE staging;",
            ],
            true,
        ),
        (
            &[
                "ALTER TABLE visit RENAME TO staging;",
                "CREATE TABLE IF NOT EXISTS staging (id bigint);",
                "DROP TABLE staging;",
            ],
            true,
        ),
        (&["CREATE TABLE a (id bigint);", "ALTER TABLE a RENAME TO b;", "DROP TABLE b;"], false),
        (
            &[
                "CREATE TABLE a (id bigint);",
                "ALTER TABLE a RENAME TO b; ALTER TABLE visit RENAME TO a;",
                "DROP TABLE a;",
            ],
            true,
        ),
        (&["CREATE SCHEMA app;", "DROP SCHEMA app; ALTER SCHEMA clinic RENAME TO app;", "DROP TABLE app.visit;"], true),
        (&["SET search_path = other; CREATE TABLE visit (id bigint);", "DROP TABLE visit;"], true),
        (&["ALTER TABLE v ADD COLUMN a text;", "ALTER TABLE v DROP COLUMN a;"], false),
        (
            &[
                "ALTER TABLE v ADD COLUMN a text;",
                "ALTER TABLE v DROP COLUMN a; ALTER TABLE v RENAME COLUMN b TO a;",
                "ALTER TABLE v DROP COLUMN a;",
            ],
            true,
        ),
    ] {
        assert_eq!(destroys(steps, true), is_found, "{steps:?}");
    }
}

#[test]
fn a_new_table_under_another_name_is_new() {
    let sql = "CREATE TABLE a (id bigint PRIMARY KEY);\nALTER TABLE a RENAME TO b;\nCREATE INDEX i ON b (id);\nDROP TABLE b;\n";
    assert!(ask(sql).rules().is_empty(), "{:?}", ask(sql).rules());
}

#[test]
fn notes_that_others_wrote_are_no_matter() {
    let notes = [
        "",
        "creates",
        "creates table",
        "creates table a\"",
        "creates table a.b.c",
        "creates index x on",
        "adds column",
        "adds column a",
        "drops table visit",
    ];
    let notes: Vec<String> = notes.into_iter().map(str::to_owned).collect();
    assert_eq!(ask("DROP TABLE visit;\n").after(&notes).rules(), ["ban-drop-table"]);
}

#[test]
fn a_plan_downwards_is_only_told_its_locks() {
    let text = "-- A title\n--\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up\nCREATE TABLE visit (id int);\n\n\
                -- migrate:down\nDROP TABLE visit;\n";
    let report = file(text).planned(Direction::Down).report();
    assert!(report.findings.is_empty());
    let notes: Vec<&str> = report.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["drops table visit"], "a later step must not take it for new");
    let lock = &report.locks[0];
    assert_eq!((lock.statement, lock.object.as_str(), lock.level.as_str()), (0, "visit", "ACCESS EXCLUSIVE"));
    assert_eq!(lock.blocked, Blocked::ReadsAndWrites);
}

#[test]
fn a_revision_without_a_section_for_postgres_is_not_looked_at() {
    let text = "-- A title\n--\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up sqlite\nDROP TABLE visit;\n";
    let report = file(text).report();
    assert!(report.findings.is_empty() && report.locks.is_empty());
}

#[test]
fn locks_on_what_is_new_block_nobody() {
    let locks = ask("CREATE TABLE a (id bigint PRIMARY KEY, p bigint REFERENCES patient (id));\nDROP TABLE a;\n")
        .report()
        .locks;
    let told: Vec<(u32, &str, Blocked, Option<&str>)> =
        locks.iter().map(|lock| (lock.statement, lock.object.as_str(), lock.blocked, lock.remark.as_deref())).collect();
    assert_eq!(
        told,
        [(0, "patient", Blocked::Writes, None), (1, "a", Blocked::Nothing, Some("made by this plan, so nobody waits")),]
    );
}

#[test]
fn the_runners_transaction_is_known() {
    let sql = "CREATE TABLE a (id bigint PRIMARY KEY);\n";
    assert!(ask(sql).rules().is_empty());
    assert_eq!(ask(sql).outside_of_transactions().rules(), ["prefer-robust-stmts"]);
}

#[test]
fn the_servers_version_is_known() {
    let sql = "ALTER TABLE visit ADD COLUMN a bigint DEFAULT 1;\n";
    assert!(ask(sql).rules().is_empty());
    assert_eq!(ask(sql).on("10.23 (Debian 10.23-1)").rules(), ["adding-field-with-default"]);
    assert!(ask(sql).on("who knows").rules().is_empty());
    assert!(ask(sql).on("17beta1").rules().is_empty());
}

#[test]
fn time_outs_are_only_asked_for_where_somebody_waits() {
    let timeouts = |sql: &str| ask(sql).without_timeouts().rules();
    assert!(
        timeouts("CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE INDEX i ON a (id);\nCREATE EXTENSION x;\n")
            .is_empty()
    );
    let both = ["require-lock-timeout", "require-statement-timeout"];
    assert_eq!(
        timeouts("CREATE TABLE a (id bigint PRIMARY KEY);\nCOMMENT ON TABLE a IS '';\nCOMMENT ON TABLE b IS '';\n"),
        both
    );
    assert_eq!(timeouts("CREATE EXTENSION x;\nCOMMENT ON TABLE b IS '';\n"), both);
}
