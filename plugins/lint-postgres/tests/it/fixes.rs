//! Fixes, and what a file is after them.

use runner_policy_sdk::revision_lint::Fix;
use runner_policy_sdk::revision_lint::Span;

use crate::support::FIRST_LINE;
use crate::support::Question;
use crate::support::ask;

/// The fix of a rule's first finding.
fn fix(question: &Question, rule: &str) -> Option<Fix> {
    question.of(rule).into_iter().next().unwrap_or_else(|| panic!("{rule} is quiet")).fix
}

/// The SQL of the up section after a fix.
fn after(sql: &str, fix: &Fix) -> String {
    let offset = |line: u32, column: u32| {
        let start: usize = sql.split_inclusive('\n').take((line - FIRST_LINE) as usize).map(str::len).sum();
        let within = sql[start..].char_indices().nth(column as usize - 1).map_or(sql.len() - start, |(at, _)| at);
        start + within
    };
    let mut text = sql.to_owned();
    for edit in fix.edits.iter().rev() {
        let Span { line, column, end_line, end_column } = edit.span;
        text.replace_range(offset(line, column)..offset(end_line, end_column), &edit.text);
    }
    text
}

#[test]
fn an_index_is_built_concurrently_outside_of_a_transaction() {
    let sql = "/* ä */ CREATE INDEX i ON visit (day);\n";
    let fix = fix(&ask(sql), "require-concurrent-index-creation").unwrap();
    assert!(fix.transaction_off && fix.follow_up.is_none());
    assert_eq!(after(sql, &fix), "/* ä */ CREATE INDEX concurrently i ON visit (day);\n");
}

#[test]
fn other_statements_are_not_taken_out_of_their_transaction() {
    let question = ask("CREATE INDEX i ON visit (day);\nUPDATE visit SET a = 1 WHERE b;\n");
    assert_eq!(fix(&question, "require-concurrent-index-creation"), None);
    let help = question.of("require-concurrent-index-creation")[0].help.clone().unwrap();
    assert!(help.contains("a revision of its own"), "{help}");
    let several = ask("CREATE INDEX i ON visit (day);\nDROP INDEX j;\n");
    assert!(fix(&several, "require-concurrent-index-creation").unwrap().transaction_off);
    assert!(fix(&several, "require-concurrent-index-deletion").unwrap().transaction_off);
}

#[test]
fn a_constraint_is_validated_by_a_revision_that_follows() {
    let sql = "ALTER TABLE clinic.visit ADD CONSTRAINT \"C\" CHECK (n > 0) -- why\n;\n";
    let fix_of_check = fix(&ask(sql), "constraint-missing-not-valid").unwrap();
    assert_eq!(
        after(sql, &fix_of_check),
        "ALTER TABLE clinic.visit ADD CONSTRAINT \"C\" CHECK (n > 0) NOT VALID -- why\n;\n"
    );
    let follow_up = fix_of_check.follow_up.unwrap();
    assert_eq!(follow_up.up, "ALTER TABLE clinic.visit VALIDATE CONSTRAINT \"C\";\n");
    assert!(follow_up.transactional);

    let sql = "ALTER TABLE visit ADD FOREIGN KEY (patient_id) REFERENCES patient (id) ON DELETE CASCADE;\n";
    let fix_of_key = fix(&ask(sql), "constraint-missing-not-valid").unwrap();
    assert_eq!(
        after(sql, &fix_of_key),
        "ALTER TABLE visit ADD CONSTRAINT visit_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES patient (id) ON DELETE CASCADE NOT VALID;\n"
    );
    assert_eq!(fix_of_key.follow_up.unwrap().up, "ALTER TABLE visit VALIDATE CONSTRAINT visit_patient_id_fkey;\n");
}

#[test]
fn what_can_not_be_done_without_thinking_has_no_fix() {
    for (sql, rule) in [
        ("ALTER TABLE visit ADD CHECK (n > 0);\n", "constraint-missing-not-valid"),
        ("ALTER TABLE visit ADD CONSTRAINT u UNIQUE (n);\n", "disallowed-unique-constraint"),
        ("ALTER TYPE state ADD VALUE 'b';\n", "require-enum-value-ordering"),
        ("BEGIN;\nSELECT 1;\n", "ban-uncommitted-transaction"),
    ] {
        assert_eq!(fix(&ask(sql), rule), None, "{sql}");
    }
}

#[test]
fn a_time_out_is_the_business_of_the_runner() {
    let asked = ask("ALTER TABLE visit ADD COLUMN a int;\n").without_timeouts();
    for (rule, setting) in
        [("require-lock-timeout", "`lock-timeout`"), ("require-statement-timeout", "`statement-timeout`")]
    {
        let finding = asked.findings().into_iter().find(|finding| finding.rule == rule).unwrap();
        assert_eq!(finding.fix, None);
        assert!(finding.help.is_some_and(|help| help.contains(setting)), "{rule}");
    }
}

#[test]
fn a_fixed_revision_is_quiet() {
    for (sql, rule) in [
        ("CREATE TABLE t (id bigint PRIMARY KEY, a json);\n", "prefer-jsonb"),
        ("CREATE TABLE t (id bigint PRIMARY KEY, a varchar(9));\n", "prefer-text-field"),
        ("CREATE TABLE t (id bigint PRIMARY KEY, a timestamp);\n", "prefer-timestamp-tz"),
        ("CREATE TABLE t (id bigserial PRIMARY KEY);\n", "prefer-identity"),
        ("ALTER TABLE visit ADD CONSTRAINT c CHECK (n > 0);\n", "constraint-missing-not-valid"),
    ] {
        let fixed = after(sql, &fix(&ask(sql), rule).unwrap());
        assert!(!ask(&fixed).has(rule), "{fixed}");
    }
    let sql = "DROP TABLE t;\n";
    let fixed = after(sql, &fix(&ask(sql).outside_of_transactions(), "prefer-robust-stmts").unwrap());
    assert_eq!(fixed, "DROP TABLE if exists t;\n");
}
