//! `runner backup create` of a whole database, and its way back.

use test_servers::Kind;

use crate::clinic::Clinic;
use crate::harness::Project;

/// Makes what only a backup of everything holds.
fn furnish(clinic: &Clinic) {
    let kind = clinic.database.as_ref().map(|database| database.server().kind());
    let statements: &[&str] = match kind {
        None => &[
            "CREATE VIEW open_visit AS SELECT id, notes FROM visit",
            "CREATE TABLE audit (note TEXT)",
            "CREATE TRIGGER noted AFTER INSERT ON patient BEGIN INSERT INTO audit VALUES (new.name); END",
        ],
        Some(Kind::Postgres) => &[
            "CREATE SCHEMA \"Old Stuff\"",
            "CREATE TYPE mood AS ENUM ('fine', 'not so fine')",
            "CREATE TABLE \"Old Stuff\".\"Log;\" (id serial PRIMARY KEY, mood public.mood, amount double precision, raw bytea, tags text[])",
            "INSERT INTO \"Old Stuff\".\"Log;\" (mood, amount, raw, tags) VALUES ('fine', 'NaN', '\\x00ff', '{a,NULL,\"b c\"}'), (NULL, '-0', NULL, NULL)",
            "CREATE VIEW open_visit AS SELECT id, notes FROM visit",
            "CREATE TABLE audit (note TEXT)",
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit VALUES (new.name); RETURN new; END $$",
            "CREATE TRIGGER noted AFTER INSERT ON patient FOR EACH ROW EXECUTE FUNCTION note()",
            "CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM visit",
            "CREATE SEQUENCE alone START 41",
            "SELECT nextval('alone')",
            "SELECT lo_from_bytea(4711, '\\x0102')",
        ],
        Some(Kind::Mysql) => &[
            "CREATE VIEW open_visit AS SELECT id, notes FROM visit",
            "CREATE TABLE audit (note TEXT, raw BLOB, exact DOUBLE)",
            "INSERT INTO audit VALUES ('x', x'00ff0a', 1e-300)",
            "CREATE TRIGGER noted AFTER INSERT ON patient FOR EACH ROW INSERT INTO audit VALUES (new.name, NULL, NULL)",
            "CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x",
        ],
    };
    for statement in statements {
        clinic.execute(statement);
    }
}

/// What there is besides patients and visits, as far as it can be seen.
fn furniture(clinic: &Clinic) -> Vec<String> {
    let questions: &[&str] = match clinic.database.as_ref().map(|database| database.server().kind()) {
        None => &[
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'runner%' ORDER BY 1",
        ],
        Some(Kind::Postgres) => &[
            "SELECT concat_ws('|', id, mood, amount, raw, tags) FROM \"Old Stuff\".\"Log;\" ORDER BY id",
            "SELECT nextval('alone')::text || nextval('\"Old Stuff\".\"Log;_id_seq\"')",
            "SELECT encode(lo_get(4711), 'hex')",
            "SELECT count::text FROM counted",
            "SELECT pg_get_viewdef('open_visit'::regclass)",
            "SELECT prosrc FROM pg_proc WHERE proname = 'note'",
        ],
        Some(Kind::Mysql) => &[
            "SELECT CONCAT_WS('|', note, HEX(raw), exact) FROM audit",
            "SELECT CONCAT(twice(21), '')",
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
        ],
    };
    let mut seen: Vec<String> = questions.iter().flat_map(|question| clinic.query(question)).collect();
    seen.extend(clinic.query("SELECT notes FROM open_visit ORDER BY id"));
    seen
}

fn backups(project: &Project) -> Vec<String> {
    let list = project.run(&["backup", "list", "--json"]).exits(0).json();
    list["backups"].as_array().unwrap().iter().map(|backup| backup["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn everything_comes_back_in_the_place_of_what_is_there() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        furnish(&clinic);
        let before = clinic.content();
        project.run(&["backup", "create", "--name", "whole"]).exits(0);
        let shown = project.run(&["backup", "show", "whole", "--json"]).exits(0).json();
        assert_eq!(shown["manifest"]["scope"], "full", "{shown:#}");
        project.run(&["backup", "verify", "whole"]).exits(0);
        let furniture_before = furniture(&clinic);

        // Not over what is there, unless that is said.
        let refused = project.run(&["backup", "restore", "whole"]).exits(1);
        assert!(refused.stderr.contains("the target is not empty"), "{}", refused.stderr);
        assert_eq!(clinic.content(), before);

        clinic.execute("DROP VIEW open_visit");
        if clinic.database.as_ref().is_some_and(|database| database.server().kind() == Kind::Postgres) {
            clinic.execute("DROP MATERIALIZED VIEW counted");
        }
        project.run(&["downgrade", "base"]).exits(0);
        clinic.execute("CREATE TABLE later (id INTEGER)");
        let log = project.run(&["log", "--json"]).exits(0).json();
        let back = project.run(&["backup", "restore", "whole", "--replace", "--json"]).exits(0).json();
        assert_eq!(back["outcome"], "applied", "{back:#}");
        assert!(back["backup"]["name"].is_string(), "{back:#}");
        assert_eq!(clinic.content(), before);
        // The counters go on where they were when the backup was made.
        assert_eq!(furniture(&clinic), furniture_before);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["b2"]));
        project.run(&["check", "--database"]).exits(0);
        let later = project.run(&["log", "--json"]).exits(0).json();
        let runs = |log: &serde_json::Value| log["entries"].as_array().unwrap().len();
        assert!(runs(&later) > runs(&log), "{later:#}");
        // What was replaced is a backup as well, and that can be put back too.
        let replaced = back["backup"]["name"].as_str().unwrap().to_owned();
        assert_eq!(backups(project).len(), 2);
        project.run(&["backup", "restore", &replaced, "--replace"]).exits(0);
        assert_eq!(clinic.query("SELECT count(*) FROM later"), ["0"]);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!([]));
        project.run(&["upgrade"]).exits(0);
    }
}

#[test]
fn everything_goes_to_another_database() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        furnish(&clinic);
        let before = clinic.content();
        project.run(&["backup", "create", "--name", "whole"]).exits(0);
        let other = clinic.database.as_ref().map(|database| database.server().database());
        let url = other.as_ref().map_or_else(|| "sqlite://other.db".to_owned(), test_servers::TestDatabase::url);
        project.run(&["backup", "restore", "whole", "--to", &url]).exits(0);
        let at_url = ["--database-url", &url];
        assert_eq!(
            project.run(&[&["current", "--json"][..], &at_url].concat()).json()["current"],
            serde_json::json!(["b2"])
        );
        project.run(&[&["check", "--database"][..], &at_url].concat()).exits(0);
        // Its ledger is the one of the database that was saved, and goes on.
        let log = project.run(&[&["log", "--json"][..], &at_url].concat()).exits(0).stdout;
        assert!(log.contains("\"upgrade\"") && log.contains("\"restore\""), "{log}");
        let copy = Clinic { project: Project::empty(), database: other };
        if copy.database.is_none() {
            std::fs::copy(project.path("other.db"), copy.project.path("app.db")).unwrap();
        }
        assert_eq!(copy.content(), before);
    }
}

#[test]
fn a_log_of_sqlite_is_part_of_it() {
    let clinic = Clinic::sqlite();
    let project = &clinic.project;
    clinic.execute("PRAGMA journal_mode = WAL");
    clinic.execute("INSERT INTO patient (id, name) VALUES (9, 'in the log')");
    let before = clinic.content();
    project.run(&["backup", "create", "--name", "whole"]).exits(0);
    clinic.execute("DELETE FROM visit");
    project.run(&["backup", "restore", "whole", "--replace"]).exits(0);
    assert_eq!(clinic.content(), before);
    assert_eq!(clinic.query("PRAGMA journal_mode"), ["wal"]);
    assert_eq!(clinic.query("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn without_the_programs_nothing_is_begun() {
    for clinic in Clinic::all() {
        let Some(database) = &clinic.database else { continue };
        let project = &clinic.project;
        project.run(&["backup", "create", "--name", "whole"]).exits(0);
        std::fs::create_dir(project.path("empty")).unwrap();
        let configuration = format!("[database]\nurl = \"{}\"\n[backup]\nclients = \"empty\"\n", database.url());
        project.write("runner.toml", &configuration);
        for arguments in
            [&["backup", "create"][..], &["backup", "verify", "whole"], &["backup", "restore", "whole", "--replace"]]
        {
            // The statements of a dump are run without one.
            if arguments[1] == "verify" && database.server().kind() == Kind::Mysql {
                project.run(arguments).exits(0);
                continue;
            }
            let refused = project.run(arguments).exits(1);
            assert!(refused.stderr.contains("and there is none in the folders that `clients`"), "{}", refused.stderr);
            assert!(refused.stderr.contains("install the client programs"), "{}", refused.stderr);
        }
        assert_eq!(backups(project), ["whole"]);
        assert_eq!(clinic.content().len(), 10);
    }
}

#[cfg(unix)]
#[test]
fn programs_of_another_version_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    for clinic in Clinic::all() {
        let Some(database) = &clinic.database else { continue };
        let project = &clinic.project;
        for (name, version) in [
            ("pg_dump", "pg_dump (PostgreSQL) 9.6.24"),
            ("mariadb-dump", "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"),
        ] {
            project.write(name, format!("#!/bin/sh\necho '{version}'\n"));
            std::fs::set_permissions(project.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let configuration = format!("[database]\nurl = \"{}\"\n[backup]\nclients = \".\"\n", database.url());
        project.write("runner.toml", &configuration);
        let refused = project.run(&["backup", "create"]).exits(1);
        assert!(refused.stderr.contains("fits the server, which is"), "{}", refused.stderr);
        assert!(backups(project).is_empty());
    }
}

#[test]
fn what_a_rollback_would_destroy_is_saved_beforehand() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        let before = clinic.content();
        let made =
            project.run(&["backup", "create", "--scope", "affected", "--name", "first", "--json"]).exits(0).json();
        assert_eq!((&made["backup"]["tables"], &made["backup"]["rows"]), (&2.into(), &10.into()), "{made:#}");
        let asked = project.run(&["backup", "create", "--scope", "affected", "--rollback", "base"]).exits(0);
        assert!(asked.stdout.contains("Saved 2 tables"), "{}", asked.stdout);
        project.run(&["downgrade", "-1"]).exits(0);
        project.run(&["backup", "restore", "first"]).exits(0);
        assert_eq!(clinic.content(), before);
        project.run(&["backup", "create", "--rollback", "-1"]).exits(2);
    }
}

#[test]
fn what_rows_replace_is_saved_first() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        let before = clinic.content();
        project.run(&["backup", "create", "--name", "first", "--tables", "visit"]).exits(0);
        clinic.execute("UPDATE visit SET notes = 'changed'");
        let changed = clinic.content();
        let back = project.run(&["backup", "restore", "first", "--replace", "--json"]).exits(0).json();
        assert_eq!(clinic.content(), before);
        let replaced = back["backup"]["name"].as_str().unwrap().to_owned();
        project.run(&["backup", "restore", &replaced, "--replace", "--no-backup"]).exits(0);
        assert_eq!(clinic.content(), changed);
        assert_eq!(backups(project).len(), 2);
    }
}

#[test]
fn a_drill_restores_the_newest_backup_and_goes_on_to_the_heads() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        let none = project.run(&["backup", "drill"]).exits(1);
        assert!(none.stderr.contains("there is no backup of all of"), "{}", none.stderr);
        project.run(&["backup", "create", "--name", "whole"]).exits(0);
        project.run(&["backup", "create", "--name", "part", "--tables", "visit"]).exits(0);
        project.revision("c3", "b2", "", "CREATE TABLE room (id INTEGER PRIMARY KEY);", "DROP TABLE room;");
        let before = clinic.content();
        let drilled = project.run(&["backup", "drill", "--json"]).exits(0).json();
        assert_eq!(drilled["backup"], "whole", "{drilled:#}");
        assert_eq!((&drilled["tables"], &drilled["rows"]), (&2.into(), &10.into()));
        assert_eq!(drilled["applied"], serde_json::json!(["c3"]));
        assert_eq!(drilled["current"], serde_json::json!(["c3"]));
        // The target knows nothing of it, and nothing is left.
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["b2"]));
        assert_eq!(clinic.content(), before);
        let listed = project.run(&["backup", "list", "--json"]).json();
        let whole = listed["backups"].as_array().unwrap().iter().find(|backup| backup["name"] == "whole").unwrap();
        assert!(whole["verified"].is_string(), "{whole:#}");
        // What would not go through is told.
        project.revision("d4", "c3", "", "INSERT INTO patient (id, name) VALUES (1, 'again');", "SELECT 1;");
        let failed = project.run(&["backup", "drill"]).exits(1);
        assert!(failed.stderr.contains("what failed is the upgrade after it"), "{}", failed.stderr);
    }
}

#[test]
fn what_is_recorded_fits_what_was_restored() {
    for clinic in Clinic::all() {
        let project = &clinic.project;
        project.run(&["backup", "create", "--name", "whole"]).exits(0);
        // At the same revision.
        clinic.execute("DELETE FROM visit");
        project.run(&["backup", "restore", "whole", "--replace"]).exits(0);
        assert_eq!(clinic.content().len(), 10);
        project.run(&["upgrade"]).exits(0);
        project.run(&["check", "--database"]).exits(0);
        // With a branch that was not there.
        project.revision("x1", "base", "", "CREATE TABLE branch (id INTEGER);", "DROP TABLE branch;");
        project.run(&["upgrade", "heads"]).exits(0);
        project.run(&["backup", "restore", "whole", "--replace"]).exits(0);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!(["b2"]));
        project.run(&["upgrade", "heads"]).exits(0);
        clinic.query("SELECT count(*) FROM branch");
        project.run(&["downgrade", "x1@base"]).exits(0);
        project.remove("migrations/x1.sql");
        // A file that was changed since is told apart from what is in the database.
        project.run(&["downgrade", "a1"]).exits(0);
        project.edit("migrations/b2.sql", "cost DECIMAL(8,2)", "cost DECIMAL(9,2)");
        project.run(&["upgrade"]).exits(0);
        project.run(&["check", "--database"]).exits(0);
        project.run(&["backup", "restore", "whole", "--replace"]).exits(0);
        let drifted = project.run(&["check", "--database"]);
        assert_ne!(drifted.code, 0, "{}", drifted.stdout);
        // Back to nothing, and again.
        project.edit("migrations/b2.sql", "cost DECIMAL(9,2)", "cost DECIMAL(8,2)");
        project.run(&["downgrade", "base"]).exits(0);
        project.run(&["backup", "create", "--name", "bottom"]).exits(0);
        project.run(&["upgrade"]).exits(0);
        project.run(&["backup", "restore", "bottom", "--replace"]).exits(0);
        assert_eq!(project.run(&["current", "--json"]).json()["current"], serde_json::json!([]));
        project.run(&["upgrade"]).exits(0);
        project.run(&["check", "--database"]).exits(0);
    }
}

#[test]
fn whoever_has_the_file_open_sees_what_was_restored() {
    use std::io::BufRead as _;
    use std::io::Write as _;

    let clinic = Clinic::sqlite();
    let project = &clinic.project;
    project.run(&["backup", "create", "--name", "whole"]).exits(0);
    // One change of the schema later, as the backup itself may be one ahead.
    for round in 0..4 {
        for change in 0..round {
            clinic.execute(&format!("CREATE TABLE later{change} (id INTEGER)"));
        }
        clinic.execute("ALTER TABLE patient RENAME TO person");
        let mut app = std::process::Command::new("sqlite3")
            .arg(project.path("app.db"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("install `sqlite3`");
        let mut ask = app.stdin.take().unwrap();
        let mut said = std::io::BufReader::new(app.stdout.take().unwrap());
        let mut line = String::new();
        writeln!(ask, "SELECT count(*) FROM person;").unwrap();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "5\n");
        project.run(&["backup", "restore", "whole", "--replace"]).exits(0);
        line.clear();
        writeln!(ask, "INSERT INTO person (id, name) VALUES (77, 'lost');\nSELECT count(*) FROM patient;").unwrap();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "5\n", "round {round}");
        drop(ask);
        app.wait().unwrap();
        assert_eq!(clinic.query("PRAGMA integrity_check"), ["ok"]);
    }
}
