use runner_database::Form;
use runner_database::Reference;
use runner_database::TableColumn;
use runner_database::TableName;

use super::*;

fn table(schema: Option<&str>, name: &str, columns: &[&str], key: &[&str]) -> Table {
    let column = |name: &&str| TableColumn {
        name: (*name).to_owned(),
        kind: "text".to_owned(),
        is_generated: false,
        form: Form::Text,
        default: None,
    };
    Table {
        schema: schema.map(str::to_owned),
        name: name.to_owned(),
        columns: columns.iter().map(column).collect(),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        children: Vec::new(),
        rows_estimate: None,
        references: Vec::new(),
        has_triggers: false,
        holds_rows: true,
        create: Vec::new(),
        complete: Vec::new(),
        connect: Vec::new(),
        counters: Vec::new(),
    }
}

fn clinic() -> Vec<Table> {
    let mut visit = table(Some("public"), "visit", &["id", "patient_id", "notes"], &["id"]);
    visit.references.push(Reference {
        table: TableName { schema: Some("public".to_owned()), name: "patient".to_owned() },
        columns: vec!["patient_id".to_owned()],
        on_delete: "CASCADE".to_owned(),
    });
    let mut log = table(Some("public"), "log", &["line"], &[]);
    log.has_triggers = true;
    vec![
        table(Some("public"), "patient", &["id", "name", "email"], &["id"]),
        visit,
        log,
        table(Some("other"), "patient", &["id"], &["id"]),
    ]
}

/// What statements of PostgreSQL make necessary to save, as text.
fn saved(statements: &[&str]) -> String {
    let tables = clinic();
    let planned: Vec<Planned<'_>> = statements
        .iter()
        .enumerate()
        .map(|(index, text)| Planned { revision: "a1", statement: index + 1, text })
        .collect();
    let live = Live { tables: &tables, dialect: Dialect::Postgres, schema: Some("public"), cascades: true };
    let losses = losses(&planned, &live);
    let extents = extents(&losses, &tables);
    let parts: Vec<String> = extents
        .iter()
        .map(|(index, extent)| match extent {
            Extent::Whole => tables[*index].full_name().to_string(),
            Extent::Columns(columns) => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                format!("{}({})", tables[*index].full_name(), columns.join(","))
            }
        })
        .collect();
    parts.join(" ")
}

#[test]
fn what_is_dropped_is_saved() {
    assert_eq!(saved(&["DROP TABLE patient"]), "public.patient");
    assert_eq!(saved(&["drop table if exists other.\"patient\" cascade"]), "other.patient");
    assert_eq!(saved(&["ALTER TABLE patient DROP COLUMN email"]), "public.patient(email)");
    assert_eq!(saved(&["ALTER TABLE patient DROP email, DROP COLUMN name"]), "public.patient(email,name)");
    assert_eq!(saved(&["ALTER TABLE patient ALTER name TYPE varchar(5)"]), "public.patient(name)");
    assert_eq!(saved(&["CREATE INDEX i ON patient (name)", "DROP INDEX i", "ALTER TABLE patient ADD x int"]), "");
}

#[test]
fn a_key_that_goes_or_is_not_there_makes_it_the_whole_table() {
    assert_eq!(saved(&["ALTER TABLE patient DROP COLUMN id"]), "public.patient");
    assert_eq!(saved(&["ALTER TABLE log DROP COLUMN line"]), "public.log");
    assert_eq!(saved(&["ALTER TABLE patient DROP COLUMN unknown"]), "public.patient");
}

#[test]
fn names_are_followed_through_renames() {
    assert_eq!(saved(&["ALTER TABLE patient RENAME TO person", "DROP TABLE person"]), "public.patient");
    assert_eq!(
        saved(&["ALTER TABLE patient RENAME email TO mail", "ALTER TABLE patient DROP mail"]),
        "public.patient(email)"
    );
    assert_eq!(saved(&["CREATE TABLE fresh (a int)", "DROP TABLE fresh"]), "");
    assert_eq!(saved(&["DROP TABLE patient", "CREATE TABLE patient (a int)", "DROP TABLE patient"]), "public.patient");
}

#[test]
fn rows_that_go_take_others_with_them() {
    assert_eq!(saved(&["DELETE FROM patient WHERE id = 1"]), "public.patient public.visit");
    assert_eq!(saved(&["DELETE FROM visit"]), "public.visit");
    assert_eq!(saved(&["UPDATE patient SET email = NULL"]), "public.patient(email)");
    assert_eq!(saved(&["UPDATE visit SET id = 2"]), "public.visit");
    assert_eq!(saved(&["TRUNCATE visit"]), "public.visit");
}

#[test]
fn doubt_means_everything() {
    let everything = "public.patient public.visit public.log other.patient";
    for statement in [
        "DO $$ BEGIN DROP TABLE patient; END $$",
        "SELECT purge_everything()",
        "DELETE FROM log",
        "UPDATE log SET line = ''",
        "DELETE FROM a_view",
        "TRUNCATE patient CASCADE",
        "ALTER SCHEMA other RENAME TO more",
        "DROP SCHEMA other CASCADE",
        "INSERT INTO log VALUES ('x')",
        "UPDATE patient SET id = 2",
        "CREATE TEMPORARY TABLE patient (a int)",
        "this is no SQL",
    ] {
        assert_eq!(saved(&[statement]), everything, "{statement}");
    }
}

#[test]
fn a_name_without_a_schema_may_be_found_in_another_one() {
    let mut tables = clinic();
    tables.remove(0);
    let planned = [Planned { revision: "a1", statement: 1, text: "DROP TABLE patient" }];
    let live = Live { tables: &tables, dialect: Dialect::Postgres, schema: Some("public"), cascades: true };
    assert_eq!(losses(&planned, &live)[0].table, Some(2));
}

#[test]
fn partitions_go_with_their_table() {
    let mut tables = vec![
        table(Some("public"), "p", &["id"], &["id"]),
        table(Some("public"), "p_1", &["id"], &["id"]),
        table(Some("public"), "p_1_a", &["id"], &["id"]),
    ];
    let names: Vec<TableName> = tables.iter().map(Table::full_name).collect();
    tables[0].children.push(names[1].clone());
    tables[1].children.push(names[2].clone());
    let planned = [Planned { revision: "a1", statement: 1, text: "DROP TABLE p" }];
    let live = Live { tables: &tables, dialect: Dialect::Postgres, schema: None, cascades: true };
    assert_eq!(extents(&losses(&planned, &live), &tables).len(), 3);
}

#[test]
fn elsewhere_case_does_not_count() {
    let tables = [table(None, "Patient", &["id", "Email"], &["id"])];
    for dialect in [Dialect::Sqlite, Dialect::Mysql] {
        let planned = [Planned { revision: "a1", statement: 1, text: "ALTER TABLE patient DROP COLUMN EMAIL" }];
        let live = Live { tables: &tables, dialect, schema: None, cascades: false };
        assert_eq!(losses(&planned, &live)[0].what, Lost::Column("Email".to_owned()));
    }
}

#[test]
fn what_a_plan_makes_counts_before_it_is_there() {
    let everything = saved(&["SELECT unknown()"]);
    for statement in [
        "CREATE TRIGGER g AFTER DELETE ON patient FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE patient ATTACH PARTITION visit DEFAULT",
        "ALTER TABLE visit ADD FOREIGN KEY (notes) REFERENCES patient ON DELETE CASCADE",
    ] {
        assert_eq!(saved(&[statement, "DROP TABLE visit"]), everything, "{statement}");
        assert_eq!(saved(&[statement]), "", "{statement}");
    }
}

#[test]
fn a_table_of_that_name_elsewhere_is_another_one() {
    let tables = [table(None, "patient", &["id"], &["id"])];
    for (dialect, schema) in [(Dialect::Sqlite, None), (Dialect::Mysql, Some("app"))] {
        let lost = |statements: &[&str]| {
            let planned: Vec<Planned<'_>> =
                statements.iter().map(|text| Planned { revision: "a1", statement: 1, text }).collect();
            let live = Live { tables: &tables, dialect, schema, cascades: true };
            losses(&planned, &live).into_iter().map(|loss| loss.what).collect::<Vec<_>>()
        };
        assert_eq!(lost(&["CREATE TABLE archive.patient (id int)", "DROP TABLE patient"]), [Lost::Table]);
        assert_eq!(lost(&["DROP TABLE archive.patient"]), [Lost::Elsewhere("archive.patient".to_owned())]);
        assert_eq!(lost(&["DELETE FROM archive.patient"]), [Lost::Elsewhere("archive.patient".to_owned())]);
        let own = if dialect == Dialect::Sqlite { "main" } else { "App" };
        assert_eq!(lost(&[&format!("DROP TABLE {own}.patient")]), [Lost::Table]);
        // What is there was not made by a rename of what is not.
        let renamed = lost(&["ALTER TABLE gone RENAME TO patient", "DROP TABLE patient"]);
        assert!(matches!(renamed.as_slice(), [Lost::Unknown(_), Lost::Table]), "{renamed:?}");
    }
}
