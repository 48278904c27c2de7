//! What is known of the target.

use runner_policy_sdk::Severity;
use runner_policy_sdk::facts::Column;
use runner_policy_sdk::facts::ForeignKey;
use runner_policy_sdk::facts::Index;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::facts::RelationKind;
use runner_policy_sdk::facts::Trigger;

use crate::support::ask;

fn visit() -> Relation {
    let mut notes = Column::new("notes", "text");
    notes.null_fraction = Some(0.88);
    Relation::table("visit").rows(48_213).bytes(2_100_000_000).column(notes).column(Column::new("number", "integer"))
}

fn view(name: &str, definition: &str) -> Relation {
    Relation { kind: RelationKind::View, definition: Some(definition.to_owned()), ..Relation::table(name) }
}

#[test]
fn what_is_lost_is_counted() {
    let column = ask("ALTER TABLE visit DROP COLUMN notes;\n").holding(vec![visit()]).findings();
    assert_eq!(
        column[0].message,
        "Dropping a column may break existing clients. `visit.notes`: 48 213 rows, 12 % not null"
    );
    let table = ask("DROP TABLE visit;\n").holding(vec![visit()]).findings();
    assert_eq!(table[0].message, "Dropping a table may break existing clients. `visit`: 48 213 rows, 2.1 GB");
    let rows = ask("DELETE FROM visit;\n").holding(vec![visit()]).findings();
    assert_eq!(rows[0].message, "all rows of `visit` are deleted; `visit`: 48 213 rows, 2.1 GB");
}

#[test]
fn without_facts_it_is_said_once_that_the_worst_is_assumed() {
    let findings = ask("ALTER TABLE visit DROP COLUMN a;\nALTER TABLE visit DROP COLUMN b;\n").findings();
    let told: Vec<bool> = findings
        .iter()
        .map(|finding| finding.help.as_deref().is_some_and(|help| help.contains("the worst is assumed")))
        .collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn small_tables_make_locks_a_warning() {
    let sql = "CREATE INDEX i ON visit (number);\n";
    let severity = |relation| ask(sql).holding(vec![relation]).of("require-concurrent-index-creation")[0].severity;
    assert_eq!(severity(visit()), Severity::Error);
    assert_eq!(severity(Relation::table("visit").rows(9_999)), Severity::Warning);
    assert_eq!(severity(Relation::table("visit").rows(10_000)), Severity::Error);
    assert_eq!(severity(Relation::table("visit")), Severity::Error);
    let partitioned = Relation { kind: RelationKind::PartitionedTable, ..Relation::table("visit").rows(0) };
    assert_eq!(severity(partitioned), Severity::Error);
}

#[test]
fn a_type_that_only_gets_wider_is_a_warning() {
    let relation = || {
        let name = Column::new("name", "character varying(80)");
        Relation::table("patient").rows(1_000_000).column(name).column(Column::new("n", "integer"))
    };
    let finding = |sql: &str| ask(sql).holding(vec![relation()]).of("changing-column-type").remove(0);
    let wider = finding("ALTER TABLE patient ALTER COLUMN name TYPE varchar(120);\n");
    assert_eq!(wider.severity, Severity::Warning);
    assert!(wider.message.contains("Here the rows stay as they are."), "{}", wider.message);
    assert_eq!(finding("ALTER TABLE patient ALTER COLUMN n TYPE bigint;\n").severity, Severity::Error);
}

#[test]
fn users_of_what_is_dropped_are_named() {
    let mut invoice = Relation::table("invoice");
    invoice.foreign_keys.push(ForeignKey {
        name: Some("invoice_visit_fkey".to_owned()),
        columns: vec!["visit_id".to_owned()],
        referenced_schema: None,
        referenced_table: "visit".to_owned(),
        referenced_columns: vec!["id".to_owned()],
        on_delete: "NO ACTION".to_owned(),
    });
    let mut visit = visit();
    visit.triggers.push(Trigger {
        name: "visit_touched".to_owned(),
        definition:
            "CREATE TRIGGER visit_touched BEFORE UPDATE OF notes ON visit FOR EACH ROW EXECUTE FUNCTION touched()"
                .to_owned(),
    });
    let holding = vec![invoice, visit, view("visits", "SELECT v.id, v.notes FROM visit v WHERE 'number' <> '';")];
    let message = |sql: &str| {
        let found = ask(sql).holding(holding.clone()).of("dropping-what-is-used");
        found.first().map(|finding| finding.message.clone())
    };
    assert_eq!(
        message("DROP TABLE visit;\n").as_deref(),
        Some("`visit` is used by the foreign key `invoice_visit_fkey` of `invoice`, the view `visits`")
    );
    assert_eq!(
        message("ALTER TABLE visit DROP COLUMN notes;\n").as_deref(),
        Some("`visit.notes` is used by the view `visits`, the trigger `visit_touched`")
    );
    assert_eq!(message("ALTER TABLE visit DROP COLUMN number;\n"), None);
    assert_eq!(
        message("DROP FUNCTION touched();\n").as_deref(),
        Some("`touched` is used by the trigger `visit_touched` of `visit`")
    );
    assert_eq!(
        message("DROP VIEW visits;\nALTER TABLE invoice DROP CONSTRAINT invoice_visit_fkey;\nDROP TABLE visit;\n"),
        None
    );
}

#[test]
fn a_primary_key_of_nullable_columns_is_known() {
    let relation = |nullable| {
        let id = Column { nullable, ..Column::new("id", "bigint") };
        Relation::table("visit").column(id).index(Index { unique: true, ..Index::new("visit_id", &["id"]) })
    };
    for sql in [
        "ALTER TABLE visit ADD CONSTRAINT p PRIMARY KEY USING INDEX visit_id;\n",
        "ALTER TABLE visit ADD PRIMARY KEY (id);\n",
        "CREATE UNIQUE INDEX CONCURRENTLY made ON visit (id);\nALTER TABLE visit ADD PRIMARY KEY USING INDEX made;\n",
    ] {
        assert!(ask(sql).holding(vec![relation(true)]).has("primary-key-with-nullable-columns"), "{sql}");
        assert!(!ask(sql).holding(vec![relation(false)]).has("primary-key-with-nullable-columns"), "{sql}");
    }
}

#[test]
fn facts_are_asked_for_when_they_are_needed_and_not_before() {
    // Without facts given, natively asking for them fails.
    let question = ask("CREATE TABLE a (id bigint PRIMARY KEY);\nINSERT INTO a VALUES (1);\nSELECT 1;\n");
    assert!(question.that_has_facts().rules().is_empty());
}

#[test]
fn an_index_of_a_partitioned_table_can_not_be_built_concurrently() {
    let rule = "concurrent-index-on-partitioned-table";
    let sql = "CREATE INDEX CONCURRENTLY i ON log (day);\n";
    let parent = Relation { kind: RelationKind::PartitionedTable, ..Relation::table("log") };
    assert!(ask(sql).outside_of_transactions().holding(vec![parent]).has(rule));
    assert!(!ask(sql).outside_of_transactions().holding(vec![Relation::table("log")]).has(rule));
}

#[test]
fn many_rows_of_a_large_table_are_changed_in_batches() {
    let rule = "backfill-in-migration";
    let table = |rows| {
        let mut id = Column::new("id", "bigint");
        id.primary_key = Some(1);
        vec![Relation::table("visit").rows(rows).column(id).column(Column::new("state", "text"))]
    };
    let found = |condition: &str| {
        ask(&format!("UPDATE visit SET state = 'a' WHERE {condition};\n")).holding(table(50_000)).of(rule)
    };
    for condition in ["state IS NULL", "state = 'b' OR id = 1", "id > 7", "NOT id = 1", "id NOT BETWEEN 1 AND 2"] {
        let found = found(condition);
        assert_eq!(found.len(), 1, "{condition}");
        assert_eq!(found[0].severity, Severity::Warning);
    }
    for condition in ["id = 1", "state IS NULL AND id <= 5", "(visit.id IN (1, 2))", "id BETWEEN 1 AND 9", "9 > id"] {
        assert!(found(condition).is_empty(), "{condition}");
    }
    assert!(ask("DELETE FROM visit WHERE state = 'a';\n").holding(table(50_000)).has(rule));
    assert!(!ask("DELETE FROM visit WHERE state = 'a';\n").holding(table(50)).has(rule));
    assert!(!ask("DELETE FROM visit WHERE state = 'a';\n").has(rule));
}
