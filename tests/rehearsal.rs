//! `runner test`: up, down and up again on a scratch database, which the target never notices.

use std::time::Duration;
use std::time::Instant;

use test_servers::TestDatabase;

use crate::harness::Project;
use crate::interrupt::signal;
use crate::snapshot;

/// Adds a revision on top of `r0002`.
fn third(project: &Project, up: &str, down: &str) {
    project.revision("r0003", "r0002", "", up, down);
}

fn on_server(server: &test_servers::Server, project: &Project) -> TestDatabase {
    let database = server.database();
    project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
    database
}

fn scratch_databases(database: &TestDatabase) -> Vec<String> {
    let table = match database.server().kind() {
        test_servers::Kind::Postgres => "SELECT datname FROM pg_database WHERE datname",
        test_servers::Kind::Mysql => "SELECT schema_name FROM information_schema.schemata WHERE schema_name",
    };
    database.query(&format!("{table} LIKE 'runner_scratch_%'"))
}

#[test]
fn the_demo_chain_passes_everywhere_and_leaves_no_trace() {
    let project = Project::demo();
    project.run(&["test"]).exits(0);
    assert_eq!(project.leavings(), [""; 0]);
    for server in [test_servers::postgres(), test_servers::mysql()] {
        let database = on_server(server, &project);
        let run = project.run(&["test", "--json"]).exits(0).json();
        assert_eq!(run["base_and_back"]["outcome"], "passed", "{run:#}");
        assert_eq!(run["revisions"].as_array().unwrap().len(), 17);
        assert_eq!(database.dump(&[]).matches("CREATE").count(), 0, "the target was touched");

        // What a way down forgets is found, whatever it is.
        let broken = Project::linear(2);
        let database = on_server(server, &broken);
        let (up, kind) = match server.kind() {
            test_servers::Kind::Postgres => (
                "CREATE TYPE mood AS ENUM ('sad', 'ok');\nCOMMENT ON TABLE t0001 IS 'commented';\n\
                 CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nALTER TABLE t0001 ADD CHECK (id > 0) NOT VALID;\n\
                 CREATE SEQUENCE s;\nALTER TABLE t0001 ENABLE ROW LEVEL SECURITY;\nALTER TABLE t0002 ALTER name SET NOT NULL;",
                &["type", "comment", "function", "constraint", "sequence", "table", "column"][..],
            ),
            test_servers::Kind::Mysql => (
                "CREATE VIEW v AS SELECT 1 AS one;\nCREATE INDEX i ON t0001 (id);\nALTER TABLE t0002 MODIFY name text NOT NULL;\n\
                 CREATE PROCEDURE p() SELECT 1;",
                &["view", "table", "procedure"][..],
            ),
        };
        third(&broken, up, "");
        let run = broken.run(&["test", "--json"]).exits(4).json();
        assert_eq!(run["revisions"][2]["outcome"], "failed");
        let trouble = &run["revisions"][2]["problems"][0];
        assert_eq!(trouble["when"], "after-down", "{run:#}");
        let found: Vec<&str> =
            trouble["differences"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
        for kind in kind {
            assert!(found.contains(kind), "{kind} is not in {found:?}");
        }
        assert_eq!(scratch_databases(&database), [""; 0]);

        // Nothing that would change more than the scratch database is run.
        let (outside, message) = match server.kind() {
            test_servers::Kind::Postgres => ("CREATE ROLE runner_rehearsal".to_owned(), "accounts"),
            test_servers::Kind::Mysql => {
                (format!("CREATE TABLE {}.gotcha (id INT)", database.name()), "another database")
            }
        };
        third(&broken, &format!("{outside};"), "");
        let run = broken.run(&["test", "r0003"]).exits(4);
        assert!(run.stderr.contains(&format!("the statement may change {message}")), "{}", run.stderr);
        assert!(run.stderr.contains("--server"), "{}", run.stderr);
        assert_eq!(database.dump(&[]).matches("CREATE").count(), 0, "the target was touched");

        // Interrupted, it removes what it has made.
        let wait = match server.kind() {
            test_servers::Kind::Postgres => "SELECT pg_sleep(60)",
            test_servers::Kind::Mysql => "DO SLEEP(60)",
        };
        third(&broken, &format!("{wait};"), "");
        let child = broken.spawn(&["test"]);
        let began = Instant::now();
        while scratch_databases(&database).is_empty() && began.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        signal("INT", child.id());
        broken.ended(child).exits(130);
        assert_eq!(scratch_databases(&database), [""; 0]);
    }
}

#[test]
fn what_a_way_down_leaves_behind_is_shown() {
    let project = Project::linear(2);
    third(
        &project,
        "ALTER TABLE t0001 ADD COLUMN email TEXT;\nCREATE INDEX by_email ON t0001 (email) WHERE email <> '';\nCREATE VIEW v AS SELECT 1;",
        "DROP INDEX by_email;\nDROP VIEW v;",
    );
    snapshot!(project.run(&["test"]), @"
    exit: 4
    --- stdout
    ok      r0001  Revision r0001  [TIME]
    ok      r0002  Revision r0002  [TIME]
    failed  r0003  Revision r0003  [TIME]
            the way down leaves another schema than there was before the way up
              + column t0001.email: 2. TEXT
            the way up fails after the way down: revision `r0003` failed at statement 1: duplicate column name: email
    -       down to the beginning and back: revisions fail by themselves
    On sqlite: 2 passed, 1 failed
    --- stderr
    error: duplicate column name: email (SQLITE_ERROR)
     --> migrations/r0003.sql:7:30
      |
    7 | ALTER TABLE t0001 ADD COLUMN email TEXT;
      |                              ^
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn another_layout_of_the_same_table_is_no_difference() {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "",
        "ALTER TABLE t0001 ADD COLUMN email TEXT;",
        "CREATE TABLE rebuilt (\"id\" INTEGER NOT NULL PRIMARY KEY, [name] text);\nDROP TABLE t0001;\nALTER TABLE rebuilt RENAME TO t0001;",
    );
    // `NOT NULL` is new, and nothing else.
    let run = project.run(&["test"]).exits(4);
    assert!(run.stdout.contains("- column t0001.id: 0. INTEGER PRIMARY KEY 1\n"), "{}", run.stdout);
    assert_eq!(run.stdout.matches("          +").count(), 1, "{}", run.stdout);
    project.edit("migrations/r0002.sql", " NOT NULL PRIMARY", " PRIMARY");
    project.run(&["test"]).exits(0);
}

#[test]
fn revisions_without_a_way_down_and_after_a_failure() {
    let project = Project::linear(1);
    project.write(
        "migrations/r0002.sql",
        "-- One way\n--\n-- Revision ID: r0002\n-- Revises: r0001\n\n-- migrate:up\nCREATE TABLE one_way (id INTEGER);\n",
    );
    third(&project, "CREATE TABLE one_way (id INTEGER);", "DROP TABLE one_way;");
    project.revision("r0004", "r0003", "", "CREATE TABLE never (id INTEGER);", "DROP TABLE never;");
    snapshot!(project.run(&["test"]), @"
    exit: 4
    --- stdout
    ok      r0001  Revision r0001  [TIME]
    up      r0002  One way  it has no `-- migrate:down` section for this database
    failed  r0003  Revision r0003  [TIME]
            the way up fails: revision `r0003` failed at statement 1: table one_way already exists
    -       r0004  Revision r0004
    On sqlite: 1 passed, 1 failed, 1 without a way down, 1 not run
    --- stderr
    error: table one_way already exists (SQLITE_ERROR)
     --> migrations/r0003.sql:7:14
      |
    7 | CREATE TABLE one_way (id INTEGER);
      |              ^
    ");
    let report = project.path("report.xml");
    project.run(&["test", "--junit", report.to_str().unwrap()]).exits(4);
    let text = std::fs::read_to_string(report).unwrap();
    for part in [
        "tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\"",
        "<system-out>no way down",
        "<skipped/>",
        "<failure message=\"the way up fails",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_part_of_the_chain() {
    let project = Project::branched();
    let tested = |words: &[&str]| -> Vec<String> {
        let run = project.run(&[&["test", "--json"], words].concat()).exits(0).json();
        run["revisions"].as_array().unwrap().iter().map(|one| one["revision"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(tested(&["bill2"]), ["bill2"]);
    assert_eq!(tested(&["root", "billing@head"]), ["root", "bill2"]);
    assert_eq!(tested(&["sched1:"]), ["sched1", "sched2"]);
    assert_eq!(tested(&["--pending"]).len(), 5);
    project.run(&["upgrade", "bill1", "sched2"]).exits(0);
    let before = project.schema();
    assert_eq!(tested(&["--pending"]), ["bill2"]);
    assert_eq!(project.schema(), before);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["test", "--pending"]), @"
    exit: 0
    --- stdout
    On sqlite: nothing to test
    --- stderr
    ");
}

#[test]
fn rows_are_added_as_soon_as_they_can_be() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "CREATE UNIQUE INDEX by_name ON t0001 (name);", "DROP INDEX by_name;");
    project.run(&["test"]).exits(0);
    project.write("rows/r0001.sql", "INSERT INTO t0001 VALUES (1, 'same'), (2, 'same');\n");
    let run = project.run(&["test", "--seeds", "rows"]).exits(4);
    assert!(run.stderr.contains("UNIQUE constraint failed"), "{}", run.stderr);
    project.write("rows/r0001.sql", "INSERT INTO t0001 VALUES (1, 'one'), (2, 'other');\n");
    project.run(&["test", "--seeds", "rows"]).exits(0);
    project.write("setup.sql", "CREATE TABLE given (id INTEGER);");
    third(&project, "ALTER TABLE given ADD COLUMN name TEXT;", "ALTER TABLE given DROP COLUMN name;");
    project.run(&["test", "--setup", "setup.sql"]).exits(0);
}

#[test]
fn what_can_not_be_tested() {
    let project = Project::linear(2);
    snapshot!(project.run(&["test", "--server", "postgres://localhost/x"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `--server` is for databases in servers; SQLite's scratch database is in memory

      help: leave `--server` out
    ");
    project.write("rows/r9.sql", "SELECT 1;");
    snapshot!(project.run(&["test", "--seeds", "rows"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `rows/r9.sql` belongs to no revision: there is none called `r9`

      help: a file of seeds is called like the id of the revision after which its rows can be added
    ");
    snapshot!(project.run(&["test", "--seeds", "nowhere"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: cannot read `nowhere`: No such file or directory (os error 2)
    ");
    snapshot!(project.run(&["test", "nope"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nope`

      help: `runner history` lists all revisions
    ");
    project.write("setup.sql", "SELECT 'open");
    snapshot!(project.run(&["test", "--setup", "setup.sql"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: setup.sql:1:8: the string that begins at line 1, column 8 is never closed

      help: close it with the same quote; a quote inside of it is written twice
    ");
    third(&project, "ATTACH 'app.db' AS target;\nDROP TABLE target.t0001;", "");
    project.edit("migrations/r0003.sql", "-- Revises", "-- Transaction: off\n-- Revises");
    snapshot!(project.run(&["test", "r0003"]), @"
    exit: 4
    --- stdout
    failed  r0003  Revision r0003  [TIME]
            the way up fails: revision `r0003` can't be tried
    On sqlite: 1 failed
    --- stderr
    error: the statement may change other files, not only the database it runs in
     --> migrations/r0003.sql:8:1
      |
    8 | ATTACH 'app.db' AS target;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a trial touches nothing but its own database, so this can't be tried
    ");
}

#[test]
fn another_name_of_the_targets_server_changes_nothing() {
    for server in [test_servers::postgres(), test_servers::mysql()] {
        let project = Project::linear(2);
        let database = on_server(server, &project);
        let outside = match server.kind() {
            test_servers::Kind::Postgres => "DO $$ BEGIN CREATE ROLE runner_rehearsal; END $$;".to_owned(),
            test_servers::Kind::Mysql => format!("/*!40000 DROP DATABASE IF EXISTS {} */;", database.name()),
        };
        third(&project, &outside, "");
        let socket = database.socket_url();
        let run = project.run(&["test", "--server", &socket, "--junit", "report.xml"]).exits(4);
        assert!(run.stderr.contains("the statement may change"), "{run}");
        assert!(project.path("report.xml").exists());
        // Neither rows nor a set-up lead elsewhere.
        let away = match server.kind() {
            test_servers::Kind::Postgres => "CREATE ROLE runner_rehearsal;".to_owned(),
            test_servers::Kind::Mysql => format!("USE {}; CREATE TABLE gotcha (id INT);", database.name()),
        };
        project.write("rows/r0001.sql", &away);
        let run = project.run(&["test", "r0001", "--seeds", "rows"]).exits(4);
        assert!(run.stdout.contains("its rows can't be added"), "{run}");
        project.write("setup.sql", &away);
        let run = project.run(&["test", "--setup", "setup.sql"]).exits(1);
        assert!(run.stderr.contains("can't be tried"), "{run}");
        assert_eq!(database.dump(&[]).matches("CREATE").count(), 0, "the target was touched");
    }
}

#[test]
fn what_the_databases_do_by_themselves_is_no_difference() {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);\nANALYZE;",
        "DROP TABLE counted;",
    );
    project.revision("r0003", "r0002", "Transaction: off", "ATTACH ':memory:' AS aside;", "");
    project.run(&["test"]).exits(0);
    let project = Project::linear(1);
    let _database = on_server(test_servers::postgres(), &project);
    project.revision(
        "r0002",
        "r0001",
        "",
        "GRANT SELECT ON t0001 TO PUBLIC;\nCREATE SEQUENCE s;\nALTER TABLE t0001 ADD COLUMN kept int;",
        "REVOKE SELECT ON t0001 FROM PUBLIC;\nDROP SEQUENCE s;\nALTER TABLE t0001 DROP COLUMN kept;",
    );
    project.run(&["test"]).exits(0);
    project.revision("r0003", "r0002", "", "ALTER SEQUENCE s OWNED BY t0001.kept;", "");
    let run = project.run(&["test", "r0003"]).exits(4);
    assert!(run.stdout.contains("OWNED BY public.t0001.kept"), "{run}");
}
