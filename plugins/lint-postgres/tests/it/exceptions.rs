//! Where PostgreSQL does otherwise than the engine thinks.

use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::Column;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::facts::RelationKind;

use crate::support::ask;

#[test]
fn going_back_to_a_savepoint_ends_no_transaction() {
    let sql = "SAVEPOINT a;\nDELETE FROM visit WHERE id = 1;\nROLLBACK TO SAVEPOINT a;\n";
    assert!(!ask(sql).has("transaction-nesting"));
    assert!(ask("SAVEPOINT a;\nROLLBACK;\n").has("transaction-nesting"));
    let own = "BEGIN;\nSAVEPOINT a;\nROLLBACK TO a;\nCOMMIT;\n";
    assert!(!ask(own).outside_of_transactions().has("transaction-nesting"));
    let twice = "BEGIN;\nSAVEPOINT a;\nROLLBACK TO a;\nCOMMIT;\nCOMMIT;\n";
    assert_eq!(ask(twice).outside_of_transactions().of("transaction-nesting").len(), 1);
}

#[test]
fn a_default_that_is_computed_once_rewrites_nothing() {
    let stable = [
        "CURRENT_DATE",
        "-1",
        "(0.5*2)",
        "('a'||'b')",
        "current_user",
        "CURRENT_TIMESTAMP(3)",
        "(now() + interval '1 day')",
        "(now() AT TIME ZONE 'utc')",
        "jsonb_build_object()",
        "jsonb_build_object('a', now())",
        "pg_catalog.now()",
        "coalesce(NULL, lower('A'))",
        "ARRAY['a', 'b']::text[]",
        "'{}'::jsonb",
        "CAST('1' AS bigint)",
        "extract(year FROM now())",
        "nullif(current_setting('a.b', true), '')::bigint",
        "statement_timestamp()",
        "CASE WHEN true THEN 1 ELSE 2 END",
    ];
    for default in stable {
        let question = ask(&format!("ALTER TABLE visit ADD COLUMN c text DEFAULT {default};\n"));
        assert!(!question.has("adding-field-with-default"), "{default}");
        assert!(!question.report().locks[0].rewrites, "{default}");
    }
    for default in
        ["random()", "clock_timestamp()", "gen_random_uuid()", "my_function()", "lower(own.f())", "(1 + nextval('s'))"]
    {
        let question = ask(&format!("ALTER TABLE visit ADD COLUMN c text DEFAULT {default};\n"));
        assert!(question.has("adding-field-with-default"), "{default}");
        assert!(question.report().locks[0].rewrites, "{default}");
    }
    let old = ask("ALTER TABLE visit ADD COLUMN c date DEFAULT CURRENT_DATE;\n").on("10.3");
    assert!(old.has("adding-field-with-default") && old.report().locks[0].rewrites);
}

#[test]
fn a_check_that_comes_with_its_column_reads_the_table() {
    let question = ask("ALTER TABLE visit ADD COLUMN rating int DEFAULT 3 CHECK (rating > 0);\n");
    let found = question.of("constraint-missing-not-valid");
    assert_eq!(found.len(), 1);
    assert!(found[0].fix.is_none());
    assert!(question.report().locks[0].scans);
    let new = "CREATE TABLE t (id bigint PRIMARY KEY);\nALTER TABLE t ADD COLUMN a int DEFAULT 1 CHECK (a > 0);\n";
    assert!(!ask(new).has("constraint-missing-not-valid"));
}

#[test]
fn not_valid_is_asked_for_only_where_it_can_be_written() {
    let cases = [
        ("UNIQUE (number)", "disallowed-unique-constraint"),
        ("PRIMARY KEY (id)", "adding-serial-primary-key-field"),
        ("EXCLUDE USING gist (span WITH &&)", "adding-exclusion-constraint"),
    ];
    for (constraint, rule) in cases {
        let question = ask(&format!("ALTER TABLE visit ADD CONSTRAINT c {constraint};\n"));
        assert!(!question.has("constraint-missing-not-valid"), "{constraint}");
        assert!(question.has(rule), "{constraint}: {:?}", question.rules());
    }
    assert!(ask("ALTER TABLE visit ADD CONSTRAINT c CHECK (a > 0);\n").has("constraint-missing-not-valid"));
}

#[test]
fn a_foreign_key_of_an_empty_column_checks_no_row() {
    let rule = "adding-foreign-key-constraint";
    let empty = ask("ALTER TABLE visit ADD COLUMN country_id bigint REFERENCES country (id);\n");
    let found = empty.of(rule);
    assert_eq!(found[0].severity, Severity::Warning);
    assert!(found[0].message.contains("no row is checked"), "{}", found[0].message);
    assert!(empty.report().locks.iter().all(|lock| !lock.scans));
    let filled = ask("ALTER TABLE visit ADD COLUMN country_id bigint DEFAULT 1 REFERENCES country (id);\n").of(rule);
    assert_eq!(filled[0].severity, Severity::Error);
    assert!(filled[0].message.contains("table scan"), "{}", filled[0].message);
}

#[test]
fn the_internal_type_char_is_one_byte() {
    assert!(!ask("ALTER TABLE visit ADD COLUMN kind \"char\";\n").has("ban-char-field"));
    assert!(ask("ALTER TABLE visit ADD COLUMN kind char;\n").has("ban-char-field"));
    assert!(ask("ALTER TABLE visit ADD COLUMN kind char(2);\n").has("ban-char-field"));
}

#[test]
fn an_index_of_the_parent_alone_is_over_at_once() {
    let rule = "require-concurrent-index-creation";
    let sql = "CREATE INDEX i ON ONLY log (day);\n";
    assert!(!ask(sql).has(rule));
    let parent = Relation { kind: RelationKind::PartitionedTable, ..Relation::table("log") };
    assert!(!ask(sql).holding(vec![parent.clone()]).has(rule));
    assert!(ask("CREATE INDEX i ON log (day);\n").holding(vec![parent]).has(rule));
    // A table without partitions is read all the same.
    assert!(ask(sql).holding(vec![Relation::table("log").rows(1_000_000)]).has(rule));
}

/// The three steps by which a column becomes NOT NULL without a scan under the strong lock.
const STEPS: [&str; 3] = [
    "ALTER TABLE visit ADD CONSTRAINT nn CHECK (note IS NOT NULL) NOT VALID;\n",
    "ALTER TABLE visit VALIDATE CONSTRAINT nn;\n",
    "ALTER TABLE visit ALTER COLUMN note SET NOT NULL;\n",
];

#[test]
fn not_null_is_trusted_to_a_valid_check_of_an_earlier_step() {
    let rule = "adding-not-nullable-field";
    let added = ask(STEPS[0]).notes();
    let mut validated = added.clone();
    validated.extend(ask(STEPS[1]).after(&added).notes());
    let last = ask(STEPS[2]).after(&validated);
    assert!(!last.has(rule), "{validated:?}");
    assert!(!last.report().locks[0].scans);
    // A check that is not validated, or of another column or table, proves nothing; nor does one that was dropped.
    assert!(ask(STEPS[2]).after(&added).has(rule));
    assert!(ask("ALTER TABLE visit ALTER COLUMN other SET NOT NULL;\n").after(&validated).has(rule));
    assert!(ask("ALTER TABLE patient ALTER COLUMN note SET NOT NULL;\n").after(&validated).has(rule));
    let mut dropped = validated.clone();
    dropped.extend(ask("ALTER TABLE visit DROP CONSTRAINT nn;\n").after(&validated).notes());
    assert!(ask(STEPS[2]).after(&dropped).has(rule), "{dropped:?}");
    assert!(ask(STEPS[2]).after(&validated).on("11.2").has(rule));
}

#[test]
fn not_null_fails_where_there_are_nulls() {
    let mut note = Column::new("note", "text");
    note.null_fraction = Some(0.2);
    let relation = Relation::table("visit").rows(50_000).column(note);
    let found = ask(STEPS[2]).holding(vec![relation]).of("adding-not-nullable-field");
    assert!(found[0].message.contains("while there are it fails"), "{}", found[0].message);
}

fn severity(sql: &str, rule: &str) -> Severity {
    ask(sql).of(rule)[0].severity
}

#[test]
fn what_is_made_again_under_its_name_is_a_warning() {
    let renamed = "ALTER TABLE o RENAME TO p;\n";
    assert_eq!(severity(renamed, "renaming-table"), Severity::Error);
    assert_eq!(severity(&format!("{renamed}CREATE VIEW o AS SELECT * FROM p;\n"), "renaming-table"), Severity::Warning);
    assert_eq!(severity(&format!("{renamed}CREATE VIEW q AS SELECT * FROM p;\n"), "renaming-table"), Severity::Error);
    assert_eq!(severity("DROP VIEW v;\nCREATE VIEW v AS SELECT 1;\n", "ban-drop-view"), Severity::Warning);
    assert_eq!(severity("DROP VIEW v;\nCREATE VIEW w AS SELECT 1;\n", "ban-drop-view"), Severity::Error);
    let function = "DROP FUNCTION f(int);\nCREATE FUNCTION f(a bigint) RETURNS int LANGUAGE sql AS 'SELECT 1';\n";
    assert_eq!(severity(function, "ban-drop-function"), Severity::Warning);
}

#[test]
fn names_that_no_client_uses_are_worth_knowing() {
    assert_eq!(severity("ALTER INDEX a RENAME TO b;\n", "renaming-object"), Severity::Info);
    assert_eq!(severity("ALTER TABLE t RENAME CONSTRAINT a TO b;\n", "renaming-object"), Severity::Info);
    assert_eq!(severity("ALTER SCHEMA a RENAME TO b;\n", "renaming-object"), Severity::Error);
}

#[test]
fn a_default_that_is_dropped_at_once_makes_the_column_required() {
    let added = "ALTER TABLE visit ADD COLUMN flag boolean DEFAULT false NOT NULL;\n";
    let rule = "adding-required-field";
    assert!(!ask(added).has(rule));
    let found = ask(&format!("{added}ALTER TABLE visit ALTER COLUMN flag DROP DEFAULT;\n")).of(rule);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("loses its default"), "{}", found[0].message);
    assert!(!ask(&format!("{added}ALTER TABLE visit ALTER COLUMN other DROP DEFAULT;\n")).has(rule));
    assert!(
        !ask(&format!("CREATE TABLE visit (id int PRIMARY KEY);\n{added}ALTER TABLE visit ALTER flag DROP DEFAULT;\n"))
            .has(rule)
    );
}

#[test]
fn facts_of_the_sessions_schema_are_not_those_of_another() {
    let message = |sql: &str| {
        ask(sql).holding(vec![Relation::table("orders").rows(50_000)]).of("ban-drop-table")[0].message.clone()
    };
    assert!(message("DROP TABLE orders;\n").contains("50 000"));
    assert!(message("DROP TABLE public.orders;\n").contains("50 000"));
    assert!(!message("DROP TABLE other.orders;\n").contains("50 000"));
    let small = || vec![Relation::table("orders").rows(5)];
    let rule = "require-concurrent-index-creation";
    assert_eq!(ask("CREATE INDEX i ON orders (a);\n").holding(small()).of(rule)[0].severity, Severity::Warning);
    assert_eq!(ask("CREATE INDEX i ON other.orders (a);\n").holding(small()).of(rule)[0].severity, Severity::Error);
}
