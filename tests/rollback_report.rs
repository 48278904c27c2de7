//! The validation report of `runner rollback`: what depends on what goes, whether the way down was ever rehearsed, and what
//! stands in the way, found before anything runs.

use serde_json::Value;
use test_servers::Kind;
use test_servers::TestDatabase;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// A project whose second revision makes a column and a table, in SQLite or on a server.
struct Clinic {
    project: Project,
    database: Option<TestDatabase>,
}

const DOWN: &str = "DROP TABLE visit;\nALTER TABLE patient DROP COLUMN email;";

impl Clinic {
    fn on(database: Option<TestDatabase>, down: &str) -> Self {
        let project = Project::empty();
        if let Some(database) = &database {
            project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
        }
        let patient = "CREATE TABLE patient (id INTEGER PRIMARY KEY, name VARCHAR(40));";
        project.revision("a1", "base", "", patient, "DROP TABLE patient;");
        let up = "ALTER TABLE patient ADD COLUMN email VARCHAR(40);\nCREATE TABLE visit (id INTEGER PRIMARY KEY, notes VARCHAR(40));";
        project.revision("b2", "a1", "", up, down);
        project.run(&["upgrade"]).exits(0);
        Clinic { project, database }
    }

    fn sqlite(down: &str) -> Self {
        Self::on(None, down)
    }

    fn postgres(down: &str) -> Self {
        Self::on(Some(test_servers::postgres().database()), down)
    }

    fn mysql(down: &str) -> Self {
        Self::on(Some(test_servers::mysql().database()), down)
    }

    fn execute(&self, sql: &str) {
        match &self.database {
            Some(database) => database.execute(sql),
            None => self.project.execute(sql),
        }
    }

    fn query(&self, sql: &str) -> Vec<String> {
        match &self.database {
            Some(database) => database.query(sql),
            None => self.project.query(sql),
        }
    }

    fn validate(&self) -> Run {
        self.project.run(&["rollback", "a1", "--validate-only", "--json"])
    }

    /// Runs the rollback after all, without validation. Gives the exit code.
    fn forced(&self) -> i32 {
        self.project.run(&["rollback", "a1", "--force"]).code
    }
}

/// `fate name` of everything that depends.
fn fates(report: &Value) -> Vec<String> {
    let dependents = report["validation"]["dependents"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut fates: Vec<String> = dependents
        .iter()
        .map(|one| format!("{} {} {}", text(&one["fate"]), text(&one["kind"]), text(&one["name"])))
        .collect();
    fates.sort();
    fates
}

#[test]
fn the_report_is_shown_before_the_question_and_kept_with_the_run() {
    let clinic = Clinic::sqlite(DOWN);
    let Clinic { project, .. } = &clinic;
    clinic.execute(
        "CREATE TRIGGER told AFTER INSERT ON visit BEGIN SELECT 1; END; CREATE VIEW names AS SELECT name FROM patient",
    );
    snapshot!(project.run(&["rollback", "a1", "--validate-only"]), @"
    exit: 0
    --- stdout
    Rollback · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      down  b2  Revision b2
      data loss  b2 statement 1  drops `visit` with 0 rows
      data loss  b2 statement 2  drops `patient.email` with 0 values (0 different ones)
      goes back  from b2 to a1
      rehearsal  b2  its way down was never rehearsed (`runner test`)
      dependent  b2 statement 1  trigger `visit.told` is dropped along with `visit`
    Dry run: nothing was changed; the plan's hash is [HASH]
    --- stderr
    ");
    // The same for scripts, with the forecast where it was.
    let report = clinic.validate().exits(0).json();
    let validation = &report["validation"];
    assert_eq!(
        (&validation["ok"], &validation["target"]["to"]),
        (&true.into(), &serde_json::json!(["a1"])),
        "{report:#}"
    );
    assert_eq!(validation["steps"][0]["tested"], "never");
    assert_eq!(validation["steps"][0]["down"], "present");
    assert_eq!(fates(&report), ["goes_along trigger visit.told"]);
    assert_eq!(report["data_loss"][0]["kind"], "drop_table");
    let asked = project.run(&["rollback", "a1"]).exits(3);
    assert!(asked.stdout.contains("never rehearsed") && asked.stderr.contains("undo 1 revision"), "{asked}");

    project.run(&["rollback", "a1", "--yes"]).exits(0);
    let log = project.run(&["log", "--json"]).exits(0).json();
    let entries = log["entries"].as_array().unwrap();
    let run = entries.iter().find(|entry| entry["command"] == "rollback" && entry["revision"].is_null()).unwrap();
    let kept = &run["verdicts"]["validation"];
    assert_eq!((&kept["ok"], &kept["steps"], &kept["dependents"]), (&true.into(), &1.into(), &1.into()), "{run:#}");
    assert!(kept["lines"][0].as_str().unwrap().contains("never rehearsed"), "{run:#}");
}

#[test]
fn rehearsals_are_remembered_as_long_as_the_file_stays() {
    let clinic = Clinic::sqlite(DOWN);
    let Clinic { project, .. } = &clinic;
    let tested = || clinic.validate().json()["validation"]["steps"][0]["tested"].clone();
    assert_eq!(tested(), "never");
    project.run(&["test"]).exits(0);
    let report = clinic.validate().exits(0).json();
    let step = &report["validation"]["steps"][0];
    assert_eq!(step["tested"], "tested", "{report:#}");
    assert!(step["tested_on"].as_str().unwrap().starts_with("SQLite 3."), "{report:#}");
    assert!(step["tested_at"].as_str().unwrap().ends_with('Z') && step["tested_by"].is_string(), "{report:#}");
    assert_eq!(report["validation"]["warnings"], serde_json::json!([]));
    // A checkout is not changed by it.
    assert!(!project.leavings().iter().any(|name| name.contains("rehearsal")), "{:?}", project.leavings());

    // Another file is another matter; and what does not go any more is forgotten.
    project.edit("migrations/b2.sql", "-- Revision b2", "-- Revision b2, edited");
    assert_eq!(tested(), "changed");
    project.run(&["test"]).exits(0);
    assert_eq!(tested(), "tested");
    project.edit("migrations/b2.sql", "DROP TABLE visit;", "");
    project.run(&["test"]).exits(4);
    project.edit("migrations/b2.sql", "\n\nALTER TABLE patient DROP", "\nDROP TABLE visit;\nALTER TABLE patient DROP");
    assert_ne!(tested(), "tested");
}

#[test]
fn a_team_shares_its_rehearsals_in_a_file() {
    let clinic = Clinic::sqlite(DOWN);
    let Clinic { project, .. } = &clinic;
    project.configure("[test]\nrecord = \"migrations/rehearsals.json\"\n");
    project.run(&["test"]).exits(0);
    let file = project.path("migrations/rehearsals.json");
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written.lines().filter(|line| line.contains("\"revision\"")).count(), 2, "{written}");
    // What is known is not written again.
    let before = std::fs::metadata(&file).unwrap().modified().unwrap();
    project.run(&["test"]).exits(0);
    assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), before);
    // Another machine, which has no cache of its own.
    let elsewhere = tempfile::tempdir().unwrap();
    let cache = elsewhere.path().join("cache").display().to_string();
    let run = project.run_with(&[("RUNNER_CACHE_DIR", &cache)], &["rollback", "a1", "--validate-only", "--json"]);
    assert_eq!(run.json()["validation"]["steps"][0]["tested"], "tested", "{run}");
    // Said of another kind of database, it is no proof.
    project.write(
        "migrations/rehearsals.json",
        written.replace("\"sqlite\"", "\"postgres\"").replace("SQLite 3", "PostgreSQL 3"),
    );
    let run = project.run_with(&[("RUNNER_CACHE_DIR", &cache)], &["rollback", "a1", "--validate-only", "--json"]);
    let step = &run.json()["validation"]["steps"][0];
    assert_eq!(step["tested"], "other_dialect", "{run}");
    // A file for this time only, and one that is none.
    project.run(&["test", "--record", "once.json"]).exits(0);
    assert!(project.path("once.json").exists());
    project.write("migrations/rehearsals.json", "{}");
    let broken = project.run(&["rollback", "a1", "--validate-only"]).exits(2);
    assert!(broken.stderr.contains("is no record of rehearsals"), "{broken}");
}

#[test]
fn what_postgres_would_refuse_is_refused_before_anything_runs() {
    let clinic = Clinic::postgres(DOWN);
    let Clinic { project, .. } = &clinic;
    for sql in [
        "CREATE SCHEMA \"Other S\"",
        "CREATE VIEW \"Other S\".\"My mails\" AS SELECT email AS e FROM patient",
        "CREATE MATERIALIZED VIEW on_mails AS SELECT e FROM \"Other S\".\"My mails\"",
        "CREATE VIEW visits AS SELECT 'email' AS email, 1 AS patient",
        "CREATE TABLE bill (visit INTEGER CONSTRAINT bill_fk REFERENCES visit (id))",
        "CREATE INDEX by_email ON patient (name, email)",
    ] {
        clinic.execute(sql);
    }
    let report = clinic.validate().exits(3).json();
    let expected = [
        "goes_along index by_email",
        "refuses foreign key bill.bill_fk",
        "refuses materialized view on_mails",
        "refuses view My mails",
    ];
    assert_eq!(fates(&report), expected, "{report:#}");
    assert_eq!((&report["validation"]["ok"], &report["outcome"]), (&false.into(), &"denied".into()));
    let of = |name: &str| {
        let dependents = report["validation"]["dependents"].as_array().unwrap();
        dependents.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(of("My mails")["schema"], "Other S");
    assert_eq!(of("My mails")["message"], "view `Other S.My mails` keeps `patient.email` from being dropped");
    // All of it at once, and nothing has run.
    let refused = project.run(&["rollback", "a1", "--yes"]).exits(3);
    for text in
        ["because of 3 things that depend on what it drops", "bill.bill_fk", "Other S.My mails", "`--force` leaves out"]
    {
        assert!(refused.stderr.contains(text), "no `{text}` in {refused}");
    }
    assert!(!project.path("backups").exists());
    assert_eq!(clinic.query("SELECT version_num FROM runner_version"), ["b2"]);
    // The report is right: without it the database says no.
    assert_eq!(clinic.forced(), 1);
    assert_eq!(clinic.query("SELECT version_num FROM runner_version"), ["b2"]);
    let log = project.run(&["log", "--json"]).json();
    assert!(log.to_string().contains("left out"), "{log:#}");
}

#[test]
fn what_the_way_down_drops_itself_does_not_stand_in_the_way() {
    let down = "DROP MATERIALIZED VIEW on_mails;\nDROP VIEW \"Other S\".\"My mails\";\n\
                DROP TABLE visit CASCADE;\nALTER TABLE patient DROP COLUMN email;";
    let clinic = Clinic::postgres(down);
    for sql in [
        "CREATE SCHEMA \"Other S\"",
        "CREATE VIEW \"Other S\".\"My mails\" AS SELECT email AS e FROM patient",
        "CREATE MATERIALIZED VIEW on_mails AS SELECT e FROM \"Other S\".\"My mails\"",
        "CREATE TABLE bill (visit INTEGER CONSTRAINT bill_fk REFERENCES visit (id))",
    ] {
        clinic.execute(sql);
    }
    let report = clinic.validate().exits(0).json();
    assert_eq!(
        fates(&report),
        [
            "cascade foreign key bill.bill_fk",
            "dropped_before materialized view on_mails",
            "dropped_before view My mails"
        ],
        "{report:#}"
    );
    clinic.project.run(&["rollback", "a1", "--yes"]).exits(0);
}

#[test]
fn a_temporary_view_of_somebody_else_is_seen() {
    let clinic = Clinic::postgres("DROP TABLE visit;\nALTER TABLE patient DROP COLUMN email;");
    let url = clinic.database.as_ref().unwrap().url();
    crate::harness::block_on(async {
        let mut other = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
        sqlx::raw_sql("CREATE TEMP VIEW mine AS SELECT notes FROM visit").execute(&mut other).await.unwrap();
        let report = clinic.validate().exits(3).json();
        assert_eq!(fates(&report), ["refuses view mine"], "{report:#}");
        sqlx::Connection::close(other).await.unwrap();
    });
}

#[test]
fn mysql_refuses_for_keys_and_leaves_views_behind() {
    let clinic = Clinic::mysql(DOWN);
    let far = test_servers::mysql().database();
    let own = clinic.database.as_ref().unwrap().name().to_owned();
    for sql in [
        "CREATE TABLE bill (visit INTEGER, CONSTRAINT `Bill fk` FOREIGN KEY (visit) REFERENCES visit (id))",
        "CREATE TABLE visits (visit INTEGER, patient INTEGER)",
        "CREATE VIEW mails AS SELECT email FROM patient",
        "CREATE VIEW names AS SELECT name FROM patient",
        "CREATE VIEW not_it AS SELECT visit, patient FROM visits",
        "CREATE TRIGGER told AFTER INSERT ON visit FOR EACH ROW SET @x = 1",
        "CREATE INDEX by_email ON patient (email)",
    ] {
        clinic.execute(sql);
    }
    far.execute(&format!("CREATE VIEW spy AS SELECT notes FROM {own}.visit"));
    let report = clinic.validate().exits(3).json();
    assert_eq!(
        fates(&report),
        [
            "breaks view mails",
            "breaks view spy",
            "goes_along index by_email",
            "goes_along trigger visit.told",
            "refuses foreign key bill.Bill fk",
        ],
        "{report:#}"
    );
    let spy = report["validation"]["dependents"].as_array().unwrap().iter().find(|one| one["name"] == "spy").unwrap();
    assert_eq!(spy["schema"], far.name(), "{report:#}");
    clinic.project.run(&["rollback", "a1", "--yes"]).exits(3);
    assert_eq!(clinic.query("SELECT version_num FROM runner_version"), ["b2"]);
    assert_eq!(clinic.database.as_ref().unwrap().server().kind(), Kind::Mysql);
    clinic.execute("ALTER TABLE bill DROP FOREIGN KEY `Bill fk`");
    clinic.project.run(&["rollback", "a1", "--yes"]).exits(0);
}

#[test]
fn sqlite_is_told_of_views_that_hold_a_column_or_break() {
    let clinic = Clinic::sqlite(DOWN);
    let Clinic { project, .. } = &clinic;
    for sql in [
        "CREATE VIEW \"All of it\" AS SELECT * FROM Patient",
        "CREATE VIEW mails AS SELECT [EMAIL] FROM \"All of it\"",
        "CREATE VIEW patients AS SELECT 1 AS email, 'patient' AS patient",
        "CREATE INDEX by_email ON patient (email)",
    ] {
        clinic.execute(sql);
    }
    let report = clinic.validate().exits(3).json();
    assert_eq!(fates(&report), ["refuses index by_email", "refuses view mails"], "{report:#}");
    assert_eq!(clinic.forced(), 1, "the report is right");
    for sql in ["DROP VIEW mails", "DROP INDEX by_email"] {
        clinic.execute(sql);
    }
    assert_eq!(fates(&clinic.validate().exits(0).json()), [""; 0]);
    // A table goes, and what needs it stays; then SQLite changes no table any more.
    clinic.execute("CREATE VIEW notes AS SELECT notes FROM visit");
    let report = clinic.validate().exits(3).json();
    assert_eq!(fates(&report), ["breaks view notes", "refuses view notes"], "{report:#}");
    assert_eq!(clinic.forced(), 1, "the report is right");
    clinic.execute("DROP VIEW notes");
    project.run(&["rollback", "a1", "--yes"]).exits(0);
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let project = Project::linear(2);
    for id in ["r0003", "r0004"] {
        let parent = if id == "r0003" { "r0002" } else { "r0003" };
        let text = format!("-- {id}\n--\n-- Revision ID: {id}\n-- Revises: {parent}\n\n-- migrate:up\nSELECT 1;\n");
        project.write(&format!("migrations/{id}.sql"), text);
    }
    project.run(&["upgrade"]).exits(0);
    let refused = project.run(&["rollback", "r0001", "--validate-only"]);
    assert_ne!(refused.code, 0, "{refused}");
    assert!(refused.stderr.contains("revision `r0004` has no `-- migrate:down` section"), "{refused}");
    assert!(refused.stderr.contains("`r0003`: it has no way down as well"), "{refused}");
    assert!(refused.stdout.contains("r0002") && refused.stdout.contains("never rehearsed"), "{refused}");
    assert_eq!(project.versions(), ["r0004"]);
}

#[test]
fn the_document_for_review_holds_the_report() {
    let clinic = Clinic::sqlite(DOWN);
    let Clinic { project, .. } = &clinic;
    clinic.execute(
        "CREATE VIEW \"a|b\" AS SELECT notes FROM visit; CREATE TRIGGER told AFTER INSERT ON visit BEGIN SELECT 1; END",
    );
    let markdown = project.run(&["preview", "--rollback", "a1", "--format", "markdown"]).exits(0).stdout;
    assert!(markdown.contains("## Rehearsals") && markdown.contains("never rehearsed"), "{markdown}");
    assert!(markdown.contains("view \\`a\\|b\\` stays behind broken"), "{markdown}");
    assert!(markdown.contains("allowed, but the database would refuse it"), "{markdown}");
    let html = project.run(&["preview", "--rollback", "a1", "--format", "html"]).exits(0).stdout;
    assert!(html.contains("<h2>What depends on it</h2>") && html.contains("stays behind broken"), "{html}");
    let text = project.run(&["preview", "--rollback", "a1"]).exits(0);
    assert!(text.stdout.contains("  dependent  b2 statement 1  view `a|b` stays behind broken"), "{text}");
    // An upgrade has none of it.
    let upgrade = project.run(&["preview", "--format", "markdown"]).exits(0).stdout;
    assert!(!upgrade.contains("Rehearsals"), "{upgrade}");
}
