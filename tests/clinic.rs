//! Patients and their visits, in a database of each kind.

use test_servers::TestDatabase;

use crate::harness::Project;

/// Something with a database in it.
pub(crate) struct Clinic {
    pub(crate) project: Project,
    /// `None`: SQLite.
    pub(crate) database: Option<TestDatabase>,
}

impl Clinic {
    /// A chain whose last revision makes a table and a column, both full of data, in a database of each kind.
    pub(crate) fn all() -> Vec<Self> {
        let on = |database: Option<TestDatabase>| {
            let project = chain();
            if let Some(database) = &database {
                project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
            }
            let clinic = Clinic { project, database };
            clinic.project.run(&["upgrade"]).exits(0);
            clinic.fill();
            clinic
        };
        vec![on(None), on(Some(test_servers::postgres().database())), on(Some(test_servers::mysql().database()))]
    }

    /// The same in SQLite alone.
    pub(crate) fn sqlite() -> Self {
        let clinic = Clinic { project: chain(), database: None };
        clinic.project.run(&["upgrade"]).exits(0);
        clinic.fill();
        clinic
    }

    pub(crate) fn execute(&self, sql: &str) {
        match &self.database {
            Some(database) => database.execute(sql),
            None => self.project.execute(sql),
        }
    }

    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        match &self.database {
            Some(database) => database.query(sql),
            None => self.project.query(sql),
        }
    }

    pub(crate) fn fill(&self) {
        for (id, name, email) in [
            (1, "it''s", "'a@b'"),
            (2, "tab\there", "NULL"),
            (3, "line\nbreak", "''"),
            (4, "漢🦀", "'long'"),
            (5, "back\\\\slash", "'NULL'"),
        ] {
            self.execute(&format!("INSERT INTO patient (id, name, email) VALUES ({id}, '{name}', {email})"));
            self.execute(&format!("INSERT INTO visit (patient_id, notes, cost) VALUES ({id}, '{name}', {id}.25)"));
        }
    }

    /// Everything that is in the two tables, in a form that hides nothing.
    pub(crate) fn content(&self) -> Vec<String> {
        let hex = |column: &str| match &self.database {
            Some(database) if database.server().kind() == test_servers::Kind::Postgres => {
                format!("encode(convert_to({column}, 'UTF8'), 'hex')")
            }
            _ => format!("hex({column})"),
        };
        let text = |sql: String| match &self.database {
            Some(database) if database.server().kind() == test_servers::Kind::Mysql => {
                format!("concat_ws('|', {sql})")
            }
            Some(_) => format!("concat_ws('|', {sql})"),
            None => sql,
        };
        let patient = text(format!("id, {}, coalesce({}, 'NULL')", hex("name"), hex("email")));
        let visit = text(format!("id, patient_id, {}, cost", hex("notes")));
        let mut rows = self.query(&format!("SELECT {patient} FROM patient ORDER BY id"));
        rows.extend(self.query(&format!("SELECT {visit} FROM visit ORDER BY id")));
        rows
    }
}

/// A chain of two revisions, the second of which is worth being undone.
pub(crate) fn chain() -> Project {
    let project = Project::empty();
    project.revision(
        "a1",
        "base",
        "",
        "CREATE TABLE patient (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);",
        "DROP TABLE patient;",
    );
    let down = "DROP TABLE visit;\nALTER TABLE patient DROP COLUMN email;";
    let sections = [
        ("sqlite", "INTEGER PRIMARY KEY AUTOINCREMENT"),
        ("postgres", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        ("mysql", "BIGINT PRIMARY KEY AUTO_INCREMENT"),
    ];
    let mut text = "-- Visits\n--\n-- Revision ID: b2\n-- Revises: a1\n".to_owned();
    for (dialect, id) in sections {
        text.push_str(&format!(
            "\n-- migrate:up {dialect}\nALTER TABLE patient ADD COLUMN email VARCHAR(40);\n\
             CREATE TABLE visit (id {id}, patient_id INTEGER NOT NULL REFERENCES patient (id), notes VARCHAR(40), cost DECIMAL(8,2));\n"
        ));
    }
    text.push_str(&format!("\n-- migrate:down\n{down}\n"));
    project.write("migrations/b2.sql", text);
    project
}
