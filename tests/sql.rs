//! `--sql`: scripts for the databases' own clients, which leave what the runner would have left.

use std::process::Output;

use test_servers::TestDatabase;

use crate::harness::Project;
use crate::snapshot;

/// Where a chain is run: a database for the runner, or one for scripts.
enum Target {
    Sqlite(Project),
    Server(Project, TestDatabase),
}

/// What of a ledger row is the same, whoever wrote it and whenever.
const LASTING: &str = "id, command, revision, direction, status, checksum, sql_checksum, statements_done, statements_total, \
                       environment, actor, host, tool_version";

impl Target {
    fn project(&self) -> &Project {
        match self {
            Target::Sqlite(project) | Target::Server(project, _) => project,
        }
    }

    fn client(&self, script: &str) -> Output {
        match self {
            Target::Sqlite(project) => test_servers::sqlite_script(&project.path("app.db"), script),
            Target::Server(_, database) => database.script(script),
        }
    }

    #[track_caller]
    fn runs(&self, script: &str) {
        let output = self.client(script);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("ERROR"), "{said}");
    }

    /// Everything that is in the database, but the ledger.
    fn content(&self) -> String {
        match self {
            Target::Sqlite(project) => {
                let output = test_servers::sqlite_script(&project.path("app.db"), ".dump");
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                // The runner makes its own tables with the first step, a script before it.
                let mut lines: Vec<&str> = text.lines().filter(|line| !line.contains("INTO runner_ledger ")).collect();
                lines.sort_unstable();
                lines.join("\n")
            }
            Target::Server(_, database) => {
                let text = database.dump(&["runner_ledger"]);
                // `pg_dump` guards its own output with a random word.
                let lasts = |line: &&str| !line.contains("restrict ") && !line.contains("runner_ledger VALUES");
                text.lines().filter(lasts).collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn ledger(&self) -> Vec<String> {
        let columns: Vec<String> =
            LASTING.split(", ").map(|column| format!("coalesce(cast({column} AS char(200)), '-')")).collect();
        match self {
            Target::Sqlite(project) => project.query(&format!("SELECT {LASTING} FROM runner_ledger ORDER BY id")),
            Target::Server(_, database) => database
                .query(&format!("SELECT concat_ws(' | ', {}) FROM runner_ledger ORDER BY id", columns.join(", "))),
        }
    }

    /// The rows of the ledger are chained as the runner chains them.
    #[track_caller]
    fn ledger_follows(&self) {
        let checks = self.project().run(&["check", "--database", "--json"]).json();
        let ledger = checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "ledger").cloned();
        assert_eq!(ledger.unwrap()["ok"], true, "{checks}");
    }

    #[track_caller]
    fn holds_what(&self, other: &Target) {
        let (ours, theirs) = (self.content(), other.content());
        for (our, their) in ours.lines().zip(theirs.lines()) {
            assert_eq!(our, their);
        }
        assert_eq!(ours.lines().count(), theirs.lines().count());
        self.ledger_follows();
    }

    #[track_caller]
    fn is_like(&self, other: &Target) {
        self.holds_what(other);
        let (ours, theirs) = (self.ledger(), other.ledger());
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our, their);
        }
        assert_eq!(ours.len(), theirs.len());
    }
}

/// A chain with everything that makes a script difficult.
fn chain(project: &Project) {
    let revision = |id: &str, parents: &str, header: &str, body: &str| {
        let text = format!(
            "-- It's {id}; with a semicolon\n--\n-- Revision ID: {id}\n-- Revises: {parents}\n{header}\n{body}"
        );
        project.write(&format!("migrations/{id}.sql"), text);
    };
    revision(
        "people",
        "base",
        "",
        "-- migrate:up\n-- a comment; with a semicolon\nCREATE TABLE person (id INTEGER PRIMARY KEY, name VARCHAR(99), note VARCHAR(99));\n\
         INSERT INTO person VALUES (1, 'O''Neill; -- no comment', 'ünïcode'), (2, '/* nor this */', NULL) -- a comment\n;\n\
         -- migrate:down\nDROP TABLE person;\n",
    );
    revision(
        "bills",
        "people",
        "-- Branch Labels: billing\n",
        "-- migrate:up\nCREATE TABLE bill (id INTEGER PRIMARY KEY, person INTEGER, total INTEGER);\n\
         -- migrate:down\nDROP TABLE bill;\n",
    );
    revision(
        "guards",
        "people",
        "-- Depends On: billing\n",
        "-- migrate:up sqlite\nCREATE TRIGGER guard AFTER INSERT ON bill BEGIN\n  UPDATE bill SET total = 0 WHERE total IS NULL;\n  \
           DELETE FROM bill WHERE person IS NULL;\nEND;\n\
         -- migrate:up mysql\nDELIMITER //\nCREATE TRIGGER guard BEFORE INSERT ON bill FOR EACH ROW BEGIN\n  \
           SET NEW.total = COALESCE(NEW.total, 0);\n  SET NEW.person = COALESCE(NEW.person, 1);\nEND//\nDELIMITER ;\n\
         -- migrate:up postgres\nCREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n  \
           NEW.total := coalesce(NEW.total, 0); -- $runner$\n  RETURN NEW;\nEND $$;\n\
         CREATE TRIGGER guard BEFORE INSERT ON bill FOR EACH ROW EXECUTE FUNCTION guard();\n\
         -- migrate:down\nDROP TRIGGER guard;\n\
         -- migrate:down postgres\nDROP TRIGGER guard ON bill;\nDROP FUNCTION guard();\n",
    );
    revision(
        "samples",
        "guards",
        "-- Env: =development\n",
        "-- migrate:up\nINSERT INTO bill VALUES (99, 99, 99);\n-- migrate:down\nDELETE FROM bill WHERE id = 99;\n",
    );
    revision(
        "indexes",
        "samples",
        "-- Transaction: off\n",
        "-- migrate:up\nCREATE INDEX bill_person ON bill (person);\nINSERT INTO bill VALUES (1, 1, NULL);\n\
         -- migrate:up sqlite\nCREATE INDEX bill_person ON bill (person);\nBEGIN;\nINSERT INTO bill VALUES (1, 1, NULL);\nCOMMIT;\nVACUUM;\n\
         -- migrate:up postgres\nCREATE INDEX CONCURRENTLY bill_person ON bill (person);\nBEGIN;\n\
         INSERT INTO bill VALUES (1, 1, NULL);\nCOMMIT;\n\
         -- migrate:down\nDROP INDEX bill_person;\nDELETE FROM bill;\n\
         -- migrate:down mysql\nDROP INDEX bill_person ON bill;\nDELETE FROM bill;\n",
    );
    revision(
        "session",
        "indexes",
        "",
        "-- migrate:up\nINSERT INTO bill VALUES (2, 2, 2);\n\
         -- migrate:up mysql\nSET SESSION sql_mode = 'ANSI_QUOTES';\nINSERT INTO \"bill\" VALUES (2, 2, 2);\n\
         -- migrate:up postgres\nCREATE SCHEMA other;\nSET search_path TO other;\nCREATE TABLE elsewhere (id integer);\n\
         INSERT INTO public.bill VALUES (2, 2, 2);\n\
         -- migrate:down\nDELETE FROM bill WHERE id = 2;\n\
         -- migrate:down postgres\nDROP TABLE other.elsewhere;\nDROP SCHEMA other;\nDELETE FROM bill WHERE id = 2;\n",
    );
    revision(
        "joined",
        "bills, session",
        "",
        "-- migrate:up\nUPDATE bill SET total = 3 WHERE id = 2;\n-- migrate:down\nUPDATE bill SET total = 2 WHERE id = 2;\n",
    );
}

/// Two targets of each kind with the same chain.
fn pairs() -> Vec<[Target; 2]> {
    let mut pairs = vec![[0, 1].map(|_| {
        let project = Project::empty();
        chain(&project);
        Target::Sqlite(project)
    })];
    for server in [test_servers::postgres(), test_servers::mysql()] {
        pairs.push([0, 1].map(|_| {
            let (project, database) = (Project::empty(), server.database());
            project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
            chain(&project);
            Target::Server(project, database)
        }));
    }
    pairs
}

/// The chain writes foreign things on purpose, and lint would have its say.
const LOOSE: [&str; 4] = ["--env", "staging", "--plugins", "loose"];
const LOOSE_SET: &str = "\n[plugin-sets.loose]\nplugins = [\"environment-hierarchy\"]\n";

fn with<'a>(words: &[&'a str]) -> Vec<&'a str> {
    words.iter().copied().chain(LOOSE).collect()
}

#[test]
fn a_script_leaves_what_the_runner_would() {
    for [online, scripted] in pairs() {
        for target in [&online, &scripted] {
            let text = std::fs::read_to_string(target.project().path("runner.toml")).unwrap();
            target.project().write("runner.toml", text + LOOSE_SET);
        }
        // As the database is, and as a range that needs none; up and down, all at once and in pieces.
        for words in [
            &["upgrade", "heads"][..],
            &["downgrade", "joined:base"],
            &["upgrade", "base:guards"],
            &["upgrade", "guards:session"],
            &["downgrade", "indexes"],
            &["upgrade", "indexes:joined"],
            &["downgrade", "current:bills"],
            &["upgrade", "+1"],
            &["stamp", "heads"],
            &["stamp", "joined:base"],
        ] {
            let target = words[1].rsplit(':').next().unwrap();
            online.project().run(&with(&[words[0], target])).exits(0);
            let written = scripted.project().run(&with(&[words[0], words[1], "--sql"])).exits(0);
            scripted.runs(&written.stdout);
            scripted.is_like(&online);
        }
    }
}

#[test]
fn writing_a_script_changes_nothing() {
    let project = Project::linear(2);
    project.run(&["upgrade", "--sql"]).exits(0);
    assert_eq!(project.leavings(), [""; 0]);
    for server in [test_servers::postgres(), test_servers::mysql()] {
        let database = server.database();
        project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
        let before = database.dump(&[]);
        project.run(&["upgrade", "--sql"]).exits(0);
        project.run(&["downgrade", "r0002:base", "--sql"]).exits(0);
        assert_eq!(database.dump(&[]).lines().count(), before.lines().count());
    }
}

#[test]
fn a_script_runs_only_where_it_begins_and_only_once() {
    for [online, scripted] in pairs() {
        let project = scripted.project();
        let script = project.run(&["upgrade", "bills", "--sql"]).exits(0).stdout;
        scripted.runs(&script);
        let before = scripted.content();
        let again = scripted.client(&script);
        assert!(!again.status.success());
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(said.contains("the database is not where this script begins"), "{said}");
        assert_eq!(scripted.content(), before);
        // A range asks for the version rows alone, so it runs wherever they are as it says.
        let later = project.run(&["upgrade", "bills:guards", "--sql"]).exits(0).stdout;
        assert!(!online.client(&later).status.success());
        online.project().run(&["upgrade", "bills"]).exits(0);
        online.runs(&later);
        online.ledger_follows();
    }
}

#[test]
fn what_policies_refuse_is_not_written() {
    let project = Project::linear(1);
    let refused = project.run(&["upgrade", "--sql", "--env", "production"]).exits(3);
    assert_eq!(refused.stdout, "");
    project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["upgrade", "--sql", "--env", "production"]).exits(0);
}

#[test]
fn the_script_alone_is_on_stdout() {
    let project = Project::linear(1);
    let run = project.run(&["upgrade", "--sql"]).exits(0);
    assert!(run.stdout.starts_with("-- upgrade heads, written by runner"), "{}", run.stdout);
    assert!(run.stderr.contains("The script is written"), "{}", run.stderr);
    let json = project.run(&["upgrade", "--sql", "--json"]).exits(0).json();
    assert_eq!(json["outcome"], "allowed");
    let hash = json["plan_hash"].as_str().unwrap();
    assert!(json["sql"].as_str().unwrap().contains(&format!("1 step, {hash}")));
    assert_eq!(project.run(&["plan", "--json"]).exits(0).json()["plan_hash"], hash);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["upgrade", "--sql", "-q"]), @"
    exit: 0
    --- stdout
    -- nothing to do: the database is where it should be
    --- stderr
    ");
}

#[test]
fn ranges_that_are_none() {
    let project = Project::linear(2);
    snapshot!(project.run(&["upgrade", "base:r0001"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `base:r0001` does not name a revision: it is a range

      help: name one revision; ranges are for `history` and for `--sql`
    ");
    snapshot!(project.run(&["downgrade", "r0002:", "--sql"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `r0002:` does not say where to go back to

      help: write `r0002:base`, or a revision after the `:`
    ");
    snapshot!(project.run(&["upgrade", "r0001:r0002", "r0002", "--sql"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: a range stands alone

      help: write one range, as in `a1b2c3d4:heads`, or leave the start out
    ");
    snapshot!(project.run(&["upgrade", "nope:heads", "--sql"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `nope`

      help: `runner history` lists all revisions
    ");
    snapshot!(project.run(&["upgrade", "base:current", "--sql"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `base:current` ends where the database is, which a script leaves

      help: name the revision that the script leads to
    ");
    snapshot!(project.run(&["upgrade", "--sql", "--dry-run"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the argument '--sql' cannot be used with '--dry-run'

    Usage: runner upgrade --sql [REVISION]...

    For more information, try '--help'.
    ");
}

#[test]
fn a_run_that_is_one_transaction_is_one_in_the_script() {
    let server = test_servers::postgres();
    let on_server = |database: &TestDatabase| {
        let project = Project::linear(3);
        let url = database.url();
        project.write("runner.toml", format!("[database]\nurl = \"{url}\"\ntransaction = \"per-run\"\n"));
        project
    };
    let on_sqlite = || {
        let project = Project::linear(3);
        project.configure("transaction = \"per-run\"\n");
        Target::Sqlite(project)
    };
    let databases = [server.database(), server.database()];
    let servers = databases.map(|database| Target::Server(on_server(&database), database));
    for [online, scripted] in [[on_sqlite(), on_sqlite()], servers] {
        online.project().run(&["upgrade"]).exits(0);
        let script = scripted.project().run(&["upgrade", "--sql"]).exits(0).stdout;
        // One for the runner's tables, and one for everything else.
        assert_eq!(script.matches("\nCOMMIT;").count(), 2, "{script}");
        // A statement that fails takes everything back.
        let broken = script.replace("CREATE TABLE t0003", "CREATE TABLE t0003 (id INTEGER); CREATE TABLE t0003");
        assert!(!scripted.client(&broken).status.success());
        scripted.runs(&script);
        scripted.is_like(&online);
    }
}

#[test]
fn a_half_done_revision_is_finished_by_a_script() {
    for [online, scripted] in pairs() {
        for target in [&online, &scripted] {
            let project = target.project();
            for name in std::fs::read_dir(project.path("migrations")).unwrap() {
                std::fs::remove_file(name.unwrap().path()).unwrap();
            }
            project.revision(
                "half",
                "base",
                "Transaction: off",
                "CREATE TABLE one (id INTEGER);\nBROKEN;",
                "DROP TABLE one;",
            );
            project.run(&["upgrade"]).exits(1);
            project.edit("migrations/half.sql", "BROKEN", "CREATE TABLE other (id INTEGER)");
        }
        online.project().run(&["upgrade"]).exits(0);
        let script = scripted.project().run(&["upgrade", "--sql"]).exits(0).stdout;
        assert!(!script.contains("CREATE TABLE one"), "{script}");
        scripted.runs(&script);
        scripted.is_like(&online);
    }
}

#[test]
fn a_range_does_not_run_what_is_half_done_again() {
    for [_, scripted] in pairs() {
        let project = scripted.project();
        for name in std::fs::read_dir(project.path("migrations")).unwrap() {
            std::fs::remove_file(name.unwrap().path()).unwrap();
        }
        project.revision(
            "half",
            "base",
            "Transaction: off",
            "CREATE TABLE acc (v INTEGER);\nINSERT INTO acc VALUES (1);\nALTER TABLE nope ADD COLUMN x INTEGER;",
            "DROP TABLE acc;",
        );
        let script = project.run(&["upgrade", "base:half", "--sql"]).exits(0).stdout;
        assert!(!scripted.client(&script).status.success());
        let again = scripted.client(&script);
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(said.contains("the database is not where this script begins"), "{said}");
        project.edit("migrations/half.sql", "ALTER TABLE nope ADD", "ALTER TABLE acc ADD");
        project.run(&["upgrade"]).exits(0);
    }
}

#[test]
fn sessions_are_those_of_a_run() {
    let server = test_servers::postgres();
    let project_in = |database: &TestDatabase| {
        let project = Project::empty();
        database.execute("CREATE SCHEMA app; CREATE SCHEMA other");
        let url = format!("{}?options=-c%20search_path%3Dapp", database.url());
        let configuration = format!("[database]\nurl = \"{url}\"\ntransaction = \"per-run\"\n{LOOSE_SET}");
        project.write("runner.toml", configuration.replace("[plugin-sets", "\n[plugin-sets"));
        project.revision("r1", "base", "", "SET search_path = other;\nCREATE TABLE a (id int);", "DROP TABLE other.a;");
        project.revision("r2", "r1", "", "RESET ALL;\nCREATE TABLE b (id int);", "DROP TABLE app.b;");
        project.revision("r3", "r2", "", "CREATE TABLE c (id int);\nDISCARD TEMP;", "DROP TABLE app.c;");
        project.revision("r4", "r3", "", "CREATE TABLE d (id int);", "DROP TABLE app.d;");
        project
    };
    let [online, scripted] = [server.database(), server.database()].map(|database| {
        let project = project_in(&database);
        Target::Server(project, database)
    });
    online.project().run(&with(&["upgrade"])).exits(0);
    let script = scripted.project().run(&with(&["upgrade", "--sql"])).exits(0).stdout;
    scripted.runs(&script);
    scripted.holds_what(&online);
}

#[test]
fn half_a_script_is_no_script() {
    let project = Project::linear(1);
    let script = project.run(&["upgrade", "--sql"]).exits(0).stdout;
    assert!(script.ends_with("-- End of the script.\n"));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = project.command(&["upgrade", "--sql"]);
    let output = command.stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("failed to write the script"));
}

/// Two databases of one server with a chain of one revision, upgraded online and by a script.
#[track_caller]
fn both_ways(server: &test_servers::Server, prepare: &dyn Fn(&TestDatabase), up: &str) -> [TestDatabase; 2] {
    [false, true].map(|is_scripted| {
        let (project, database) = (Project::empty(), server.database());
        prepare(&database);
        project.write("runner.toml", format!("[database]\nurl = \"{}\"\n", database.url()));
        project.revision("one", "base", "", up, "");
        if is_scripted {
            let script = project.run(&["upgrade", "--sql"]).exits(0).stdout;
            let output = database.script(&script);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("ERROR"), "{said}");
        } else {
            project.run(&["upgrade"]).exits(0);
        }
        database
    })
}

#[test]
fn times_and_dates_mean_the_same_whatever_the_database_says() {
    let prepare = |database: &TestDatabase| {
        let name = database.name();
        database.execute(&format!("ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'"));
        database.execute(&format!("ALTER DATABASE {name} SET datestyle = 'ISO, DMY'"));
    };
    let up = "CREATE TABLE t (at timestamptz, day date);\nINSERT INTO t VALUES ('2020-01-02 00:00', '02/01/2020');";
    let databases = both_ways(test_servers::postgres(), &prepare, up);
    for database in databases {
        assert_eq!(
            database.query("SELECT extract(epoch FROM at)::bigint || ' ' || to_char(day, 'YYYY-MM-DD') FROM t"),
            ["1577923200 2020-02-01"]
        );
    }
}

#[test]
fn psql_takes_no_part_of_a_statement_for_a_variable() {
    let up = "CREATE TABLE t AS SELECT x[1:ROW_COUNT] AS z FROM (SELECT ARRAY[1,2,3] AS x, 2 AS row_count) AS q;";
    for database in both_ways(test_servers::postgres(), &|_| {}, up) {
        assert_eq!(database.query("SELECT z::text FROM t"), ["{1,2}"]);
    }
}

#[test]
fn a_statement_may_end_with_an_executable_comment() {
    let up = "CREATE TABLE t (a varchar(9) DEFAULT 'x;') /*!40101 ENGINE=InnoDB */;\n\
              CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = ';'; END /*! */;";
    let up = format!("DELIMITER $$\n{}\nDELIMITER ;", up.replace("*/;", "*/$$"));
    for database in both_ways(test_servers::mysql(), &|_| {}, &up) {
        database.execute("INSERT INTO t VALUES ('y')");
        assert_eq!(database.query("SELECT a FROM t"), [";"]);
    }
}

#[test]
fn what_a_client_takes_for_itself_is_not_written() {
    let project = Project::empty();
    project.revision("one", "base", "", "CREATE TABLE t (a INTEGER);\n.shell touch pwned\n;", "");
    snapshot!(project.run(&["upgrade", "--sql"]), @"
    exit: 1
    --- stdout
    --- stderr
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/one.sql:7:14: `t` has no primary key
      warn   lint [VERSION]                   migrations/one.sql:8:1: not understood: expected a statement
      warn   lint [VERSION]                   migrations/one.sql:11:1: the down section does nothing, and nothing says that this is meant
      up  one  Revision one
    error: the `sqlite3` shell takes a line that begins like this for a command or a comment of its own
     --> migrations/one.sql:8:1
      |
    8 | .shell touch pwned
      | ^^^^^^^^^^^^^^^^^^
      |
      = help: leave it out: SQLite itself does not know it

    error: the plan can't run as it stands; nothing was run
    ");
    project.revision("one", "base", "", "CREATE TABLE t (a INTEGER);\nINSERT INTO t SELECT 10\n/\n2;", "");
    snapshot!(project.run(&["upgrade", "base:one", "--sql"]), @"
    exit: 1
    --- stdout
    --- stderr
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/one.sql:7:14: `t` has no primary key
      warn   lint [VERSION]                   migrations/one.sql:12:1: the down section does nothing, and nothing says that this is meant
      up  one  Revision one
    error: the `sqlite3` shell takes `/` or `go` alone on a line for the end of the statement
     --> migrations/one.sql:8:1
      |
    8 | INSERT INTO t SELECT 10
      | ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: put it on the line before or after

    error: the plan can't run as it stands; nothing was run
    ");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT a FROM t"), ["5"]);
}

#[test]
fn a_range_does_not_undo_what_was_skipped() {
    for [online, scripted] in pairs() {
        for target in [&online, &scripted] {
            let project = target.project();
            for name in std::fs::read_dir(project.path("migrations")).unwrap() {
                std::fs::remove_file(name.unwrap().path()).unwrap();
            }
            project.revision(
                "first",
                "base",
                "",
                "CREATE TABLE t (a INTEGER);\nINSERT INTO t VALUES (1);",
                "DROP TABLE t;",
            );
            project.revision("second", "first", "Env: =production", "INSERT INTO t VALUES (2);", "DELETE FROM t;");
            project.run(&["upgrade"]).exits(0);
        }
        // For production it is written, and the database knows better.
        let variables = [("ALLOW_PRODUCTION_MIGRATE", "true")];
        let arguments = ["--env", "production", "downgrade", "second:first", "--sql"];
        let script = scripted.project().run_with(&variables, &arguments).exits(0).stdout;
        assert!(script.contains("DELETE FROM t"), "{script}");
        assert!(!scripted.client(&script).status.success());
        scripted.is_like(&online);
    }
}

#[test]
fn a_script_that_is_overtaken_stops() {
    let project = Project::empty();
    project.revision("one", "base", "", "CREATE TABLE t (a INTEGER);", "");
    project.run(&["upgrade"]).exits(0);
    let values = "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\nINSERT INTO t VALUES (3);";
    project.revision("two", "one", "Transaction: off", values, "");
    let script = project.run(&["upgrade", "--sql"]).exits(0).stdout;
    // Another runner does the rest behind the first statement.
    let at = script.find("COMMIT;\nBEGIN IMMEDIATE;\nINSERT INTO t VALUES (2)").unwrap() + "COMMIT;\n".len();
    let runner = env!("CARGO_BIN_EXE_runner");
    let cache = crate::harness::cache();
    let shell = format!(
        ".shell cd '{}' && RUNNER_CACHE_DIR='{}' '{runner}' upgrade\n",
        project.path("").display(),
        cache.display()
    );
    let overtaken = format!("{}{shell}{}", &script[..at], &script[at..]);
    let output = test_servers::sqlite_script(&project.path("app.db"), &overtaken);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("another runner has begun"), "{said}");
    assert_eq!(project.query("SELECT a FROM t ORDER BY a"), ["1", "2", "3"]);
    project.run(&["check", "--database"]).exits(0);
}
