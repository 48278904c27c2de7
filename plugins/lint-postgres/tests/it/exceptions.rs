//! Where PostgreSQL does otherwise than the engine thinks.

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
