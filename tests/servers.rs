//! PostgreSQL and MariaDB: the demo chain, errors, locks, waiting. What is the same on both is tested on both.

use std::time::Duration;

use test_servers::Server;
use test_servers::TestDatabase;

use crate::harness::Project;
use crate::snapshot;

fn servers() -> [&'static Server; 2] {
    [test_servers::postgres(), test_servers::mysql()]
}

/// A project whose database is in a server.
fn project(server: &Server, project: Project) -> (Project, TestDatabase) {
    let database = server.database();
    project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
    (project, database)
}

/// The tables of a database, the runner's own among them.
fn everything(database: &TestDatabase) -> Vec<String> {
    let schema = if is_mysql(database.server()) { "database()" } else { "current_schema()" };
    database.query(&format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema} ORDER BY table_name"
    ))
}

fn tables(database: &TestDatabase) -> Vec<String> {
    everything(database).into_iter().filter(|name| !name.starts_with("runner_")).collect()
}

fn is_mysql(server: &Server) -> bool {
    server.kind() == test_servers::Kind::Mysql
}

#[test]
fn the_demo_chain_goes_up_and_down() {
    for server in servers() {
        let (project, database) = project(server, Project::demo());
        for environment in ["development", "test", "staging"] {
            project.run(&["upgrade", "--env", environment]).exits(0);
            project.run(&["check"]).exits(0);
            let up = project.run(&["upgrade", "--env", environment, "--json"]).exits(0).json();
            assert_eq!(up["outcome"], "nothing_to_do");
            assert!(!tables(&database).is_empty());
            project.run(&["downgrade", "base", "--env", environment]).exits(0);
            assert_eq!(tables(&database), [""; 0], "{} {environment}", server.version());
        }
        project.run(&["upgrade", "--env", "production"]).exits(3);
        let approved = [("ALLOW_PRODUCTION_MIGRATE", "true")];
        project.run_with(&approved, &["upgrade", "--env", "production"]).exits(0);
        project.run_with(&approved, &["downgrade", "base", "--env", "production"]).exits(0);
        assert_eq!(tables(&database), [""; 0]);
    }
}

#[test]
fn reading_writes_nothing() {
    for server in servers() {
        let (project, database) = project(server, Project::demo());
        for arguments in [
            &["current"][..],
            &["history"],
            &["plan"],
            &["upgrade", "--dry-run"],
            &["log"],
            &["show", "head"],
            &["wait"],
        ] {
            project.run(arguments).exits(0);
        }
        project.run(&["check"]).exits(4);
        assert_eq!(everything(&database), [""; 0]);
    }
}

#[test]
fn the_banner_names_the_server_and_no_password() {
    for server in servers() {
        let (project, database) = project(server, Project::linear(1));
        let run = project.run(&["upgrade", "-v"]).exits(0);
        let version = server.version();
        assert!(run.stdout.contains(version.split('-').next().unwrap()), "{version}\n{run}");
        let url = database.url();
        let password = url.split_once("://").unwrap().1.split_once('@').unwrap().0.split_once(':').unwrap().1;
        assert!(!run.to_string().contains(password), "{run}");
        assert!(run.stdout.contains(database.name()), "{run}");
    }
}

#[test]
fn a_failing_statement_is_shown_where_the_server_points() {
    let (project, database) = project(test_servers::postgres(), Project::linear(1));
    project.revision(
        "r0002",
        "r0001",
        "",
        "CREATE TABLE a (id INTEGER);\nINSERT INTO a\n  VALUES (1, nothing);",
        "SELECT 1;",
    );
    let run = project.run(&["upgrade"]).exits(1);
    for words in ["migrations/r0002.sql:9:14", "column \"nothing\" does not exist", "42703", "was rolled back"] {
        assert!(run.stderr.contains(words), "{words}\n{run}");
    }
    assert_eq!(tables(&database), ["t0001"]);
    assert_eq!(database.query("SELECT version_num FROM runner_version"), ["r0001"]);
    assert_eq!(database.query("SELECT count(*) FROM runner_ledger WHERE status = 'failed'"), ["1"]);
}

#[test]
fn a_failing_statement_leaves_a_revision_half_way_without_transactional_ddl() {
    let (project, database) = project(test_servers::mysql(), Project::linear(1));
    project.revision("r0002", "r0001", "", "CREATE TABLE a (id INTEGER);\nINSERT INTO b VALUES (1);", "DROP TABLE a;");
    let run = project.run(&["upgrade"]).exits(1);
    for words in ["migrations/r0002.sql:8:1", "1146", "what is recorded as done stays done"] {
        assert!(run.stderr.contains(words), "{words}\n{run}");
    }
    assert_eq!(tables(&database), ["a", "t0001"]);
    assert_eq!(database.query("SELECT version_num FROM runner_version"), ["r0001"]);
    project.run(&["check"]).exits(4);
    database.execute("CREATE TABLE b (id INTEGER)");
    project.run(&["upgrade"]).exits(0);
    project.run(&["check"]).exits(0);
    assert_eq!(database.query("SELECT version_num FROM runner_version"), ["r0002"]);
}

#[test]
fn a_second_runner_hears_whom_it_waits_for() {
    for server in servers() {
        let (project, database) = project(server, Project::linear(1));
        let sleep = if is_mysql(server) { "DO SLEEP(3);" } else { "SELECT pg_sleep(3);" };
        project.revision("r0002", "r0001", "", sleep, "SELECT 1;");
        let first = project.spawn(&["upgrade"]);
        let pid = first.id();
        let begun = std::time::Instant::now();
        while tables(&database).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the first runner does not come to its work");
            std::thread::sleep(Duration::from_millis(20));
        }
        let refused = project.run(&["upgrade", "--lock-wait", "0s"]);
        assert_eq!(refused.code, 5, "{refused}");
        if !is_mysql(server) {
            assert!(refused.stderr.contains(&format!("process {pid} on")), "{refused}");
        }
        project.ended(first).exits(0);
        project.run(&["upgrade", "--lock-wait", "0s"]).exits(0);
    }
}

#[test]
fn one_transaction_for_the_run_is_all_or_nothing_where_that_is_possible() {
    let (project, database) = project(test_servers::postgres(), Project::linear(3));
    let url = database.url();
    project.write("runner.toml", format!("[database]\nurl = \"{url}\"\ntransaction = \"per-run\"\n"));
    project.revision("r0004", "r0003", "", "SELECT nothing;", "SELECT 1;");
    project.run(&["upgrade"]).exits(1);
    assert_eq!(tables(&database), [""; 0]);
    project.run(&["upgrade", "r0003"]).exits(0);
    assert_eq!(tables(&database), ["t0001", "t0002", "t0003"]);

    let (project, database) = self::project(test_servers::mysql(), Project::linear(3));
    let url = database.url();
    project.write("runner.toml", format!("[database]\nurl = \"{url}\"\ntransaction = \"per-run\"\n"));
    let refused = project.run(&["upgrade"]);
    assert_ne!(refused.code, 0, "{refused}");
    assert_eq!(tables(&database), [""; 0]);
}

#[test]
fn an_index_is_built_concurrently_while_another_runner_waits() {
    let (project, database) = project(test_servers::postgres(), Project::linear(1));
    project.revision(
        "r0002",
        "r0001",
        "Transaction: off",
        "INSERT INTO t0001 SELECT i, 'x' FROM generate_series(1, 300000) i;\nCREATE INDEX CONCURRENTLY by_name ON t0001 (name);",
        "DROP INDEX by_name;",
    );
    let runners: Vec<_> = (0..3).map(|_| project.spawn(&["upgrade"])).collect();
    for runner in runners {
        project.ended(runner).exits(0);
    }
    assert_eq!(database.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), ["0"]);
    assert_eq!(database.query("SELECT count(*) FROM runner_ledger WHERE status = 'applied'"), ["2"]);
}

#[test]
fn an_invalid_index_is_found_with_the_way_out() {
    let (project, database) = project(test_servers::postgres(), Project::linear(1));
    project.run(&["upgrade"]).exits(0);
    database.execute("INSERT INTO t0001 VALUES (1, 'same'), (2, 'same')");
    let up = "CREATE UNIQUE INDEX CONCURRENTLY one_name ON t0001 (name);";
    project.revision("r0002", "r0001", "Transaction: off", up, "DROP INDEX one_name;");
    let run = project.run(&["upgrade"]).exits(1);
    assert!(run.stderr.contains("DROP INDEX CONCURRENTLY public.one_name;"), "{run}");
    let again = project.run(&["upgrade"]).exits(1);
    assert!(again.stderr.contains("DROP INDEX CONCURRENTLY public.one_name;"), "{again}");
    database.execute("DELETE FROM t0001 WHERE id = 2");
    database.execute("DROP INDEX CONCURRENTLY public.one_name");
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn what_refuses_a_transaction_is_found_before_anything_runs() {
    let (project, database) = project(test_servers::postgres(), Project::linear(1));
    project.revision("r0002", "r0001", "", "CREATE INDEX CONCURRENTLY i ON t0001 (name);", "DROP INDEX i;");
    let lint = project.run(&["upgrade"]).exits(3);
    project.configure("\n[plugin-sets.unlinted]\nplugins = [\"environment-hierarchy\"]\n");
    let database_url = ["--database-url", &database.url()];
    let preflight = project.run(&[&["--plugins", "unlinted", "upgrade"], &database_url[..]].concat()).exits(1);
    for run in [lint, preflight] {
        assert!(run.stderr.contains("Transaction: off") && run.stderr.contains("migrations/r0002.sql:7:1"), "{run}");
    }
    assert_eq!(tables(&database), [""; 0]);
}

#[test]
fn what_no_waiting_helps_against_is_not_waited_for() {
    for server in servers() {
        let (project, database) = project(server, Project::linear(1));
        let url = database.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, address) = rest.split_once('@').unwrap();
        let wrong = format!("{scheme}://nobody:wrong-password@{address}");
        let run = project.run(&["wait", "--database-url", &wrong]);
        assert_eq!(run.code, 1, "{run}");
        assert!(!run.to_string().contains("wrong-password"), "{run}");
        let unknown = url.replace(database.name(), "no_such_database");
        let run = project.run(&["upgrade", "--wait", "--database-url", &unknown]);
        assert_eq!(run.code, 1, "{run}");
    }
}

#[test]
fn a_server_that_is_not_there_is_waited_for_as_long_as_asked() {
    let project = Project::linear(1);
    for scheme in ["postgres", "mysql"] {
        // Nothing listens on port 1.
        let url = format!("{scheme}://someone:secret@127.0.0.1:1/app");
        let run = project.run(&["wait", "--timeout", "600ms", "--database-url", &url]).exits(1);
        assert!(run.stderr.contains("waiting for"), "{run}");
        assert!(!run.to_string().contains("secret"), "{run}");
        let run = project.run(&["current", "--wait=300ms", "--database-url", &url]).exits(1);
        assert!(run.stderr.contains("waiting for"), "{run}");
    }
}

#[test]
fn statements_of_client_programs_are_refused_with_what_to_write() {
    let (project, _database) = project(test_servers::postgres(), Project::linear(1));
    project.revision("r0002", "r0001", "", "COPY t0001 FROM STDIN;\n1\ta\n\\.", "SELECT 1;");
    snapshot!(project.run(&["upgrade"]).stderr, @"
    error: the `COPY` at line 7, column 1 reads its rows from the client, which has none to send
     --> migrations/r0002.sql:7:1
      |
    7 | COPY t0001 FROM STDIN;
      | ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write the rows as `INSERT`, or let the server read them: `COPY … FROM '/a/file'`

    error: the SQL of the plan can't be read; nothing was run
    ");
}

#[test]
fn a_second_interrupt_stops_the_statement_on_the_server() {
    for server in servers() {
        let (project, database) = project(server, Project::linear(1));
        let sleep = if is_mysql(server) { "DO SLEEP(60);" } else { "SELECT pg_sleep(60);" };
        project.revision("r0002", "r0001", "", sleep, "SELECT 1;");
        let child = project.spawn(&["upgrade"]);
        let begun = std::time::Instant::now();
        while tables(&database).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the runner does not come to its work");
            std::thread::sleep(Duration::from_millis(20));
        }
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(500));
            let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            assert!(kill.unwrap().success());
        }
        let run = project.ended(child).exits(130);
        assert!(run.stderr.contains("interrupted in the middle of `r0002`"), "{run}");
        assert!(begun.elapsed() < Duration::from_secs(50), "the statement was waited for");
        let sleeping = if is_mysql(server) {
            "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP(60)%'"
        } else {
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()"
        };
        assert_eq!(database.query(sleeping), ["0"], "the statement still runs on {}", server.version());
        project.edit("migrations/r0002.sql", "(60)", "(0)");
        project.run(&["upgrade", "--lock-wait", "0s"]).exits(0);
        project.run(&["check"]).exits(0);
    }
}

#[test]
fn a_lock_time_out_is_tried_again_and_said() {
    let (project, database) = project(test_servers::postgres(), Project::linear(1));
    project.run(&["upgrade"]).exits(0);
    let url = database.url();
    let configuration = format!("[database]\nurl = \"{url}\"\nlock-timeout = \"200ms\"\nretries = 20\n");
    project.write("runner.toml", configuration);
    project.revision("r0002", "r0001", "", "ALTER TABLE t0001 ADD COLUMN note TEXT;", "SELECT 1;");
    let run = std::thread::scope(|scope| {
        let application = scope.spawn(|| database.execute("BEGIN; LOCK TABLE t0001; SELECT pg_sleep(1.5); COMMIT"));
        std::thread::sleep(Duration::from_millis(300));
        let run = project.run(&["upgrade"]);
        application.join().unwrap();
        run
    });
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("met a lock or a deadlock; try 2 of 21"), "{run}");
    assert_eq!(database.query("SELECT count(*) FROM runner_ledger WHERE revision = 'r0002'"), ["1"]);
}

/// `r0002` stops at its third statement, because table `b` is missing.
fn half_way(server: &Server) -> (Project, TestDatabase) {
    let (project, database) = project(server, Project::linear(1));
    project.revision(
        "r0002",
        "r0001",
        "Transaction: off",
        "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2);\nINSERT INTO a VALUES (3);",
        "DROP TABLE a;",
    );
    project.run(&["upgrade"]).exits(1);
    (project, database)
}

#[test]
fn a_half_done_revision_is_settled_by_hand_with_a_reason() {
    for server in servers() {
        let reasons = "SELECT error FROM runner_ledger WHERE command = 'repair' AND error IS NOT NULL";
        let (project, database) = half_way(server);
        project.run(&["repair", "r0002", "--resume-at", "4"]).exits(2);
        project.run(&["repair", "r0002", "--resume-at", "4", "--reason", "b is not needed"]).exits(0);
        assert_eq!(database.query(reasons), ["b is not needed"]);
        project.run(&["upgrade"]).exits(0);
        assert_eq!(database.query("SELECT id FROM a ORDER BY id"), ["1", "3"]);
        project.run(&["check"]).exits(0);

        let (project, database) = half_way(server);
        project.run(&["repair", "r0002", "--done", "--reason", "finished by hand"]).exits(0);
        assert_eq!(database.query("SELECT version_num FROM runner_version"), ["r0002"]);
        assert_eq!(database.query(reasons), ["finished by hand"]);
        project.run(&["check"]).exits(0);

        let (project, database) = half_way(server);
        database.execute("DROP TABLE a");
        database.execute("CREATE TABLE b (id INTEGER)");
        project.run(&["repair", "r0002", "--undone", "--reason", "dropped a"]).exits(0);
        assert_eq!(database.query("SELECT version_num FROM runner_version"), ["r0001"]);
        project.run(&["upgrade"]).exits(0);
        assert_eq!(database.query("SELECT id FROM a ORDER BY id"), ["1", "3"]);
    }
}

#[test]
fn edited_and_removed_revisions_are_settled_by_hand_with_a_reason() {
    for server in servers() {
        let (project, _database) = project(server, Project::linear(3));
        project.run(&["upgrade"]).exits(0);
        project.revision("r0003", "r0002", "", "CREATE TABLE other (id INTEGER);", "DROP TABLE other;");
        project.run(&["upgrade"]).exits(1);
        project.run(&["repair", "r0003", "--accept-edit", "--reason", "a name only"]).exits(0);
        project.run(&["upgrade"]).exits(0);
        project.remove("migrations/r0002.sql");
        project.edit("migrations/r0003.sql", "Revises: r0002", "Revises: r0001");
        project.run(&["upgrade"]).exits(1);
        project.run(&["repair", "r0002", "--forget", "--reason", "never shipped"]).exits(0);
        project.run(&["upgrade"]).exits(0);
        project.run(&["check"]).exits(0);
    }
}
