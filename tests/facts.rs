//! A policy that looks at the target: compiled from source, it denies because of a row count, on every database.

use policy_components::Component;
use policy_components::Function;
use policy_components::Granted;
use policy_components::bodies;
use test_servers::TestDatabase;

use crate::harness::Project;
use crate::snapshot;

/// A project whose chain makes a table, and then changes it.
fn project(url: &str, grants: &str, settings: &str) -> Project {
    let project = Project::empty();
    project.revision("a1", "base", "", "CREATE TABLE patient (id INTEGER PRIMARY KEY, name VARCHAR(80));", "");
    project.revision("b2", "a1", "", "ALTER TABLE patient ADD COLUMN email VARCHAR(80);", "");
    project.write("large_tables.wasm", policy_components::guest("large-tables"));
    project.write("policies/data/exempt.txt", "patient\n");
    let configuration = format!(
        "plugin-set = \"team\"

[database]
url = \"{url}\"

[plugins.large-tables]
source = \"large_tables.wasm\"
settings = {{ max-rows = 1000{settings} }}
{grants}

[plugin-sets.team]
extends = \"default\"
plugins = [\"large-tables\"]
"
    );
    project.write("runner.toml", configuration);
    project
}

const FACTS: &str = "grants = { facts = true }";
const BOTH: &str = "grants = { facts = true, read = [\"policies/data\"] }";
const EXEMPT: &str = ", exempt = \"policies/data/exempt.txt\"";

/// Rows, and what the server has counted of them.
const ROWS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO patient SELECT i, 'somebody' FROM n; ANALYZE";

#[test]
fn a_policy_denies_because_of_a_row_count() {
    let project = project("sqlite://app.db", BOTH, "");
    // Nobody has counted, and there is nothing to count.
    project.run(&["upgrade", "a1"]).exits(0);
    project.execute(ROWS);
    let before = std::fs::read(project.path("app.db")).unwrap();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      *** the last step was `a1` by tester ***
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/b2.sql:9:1: the down section does nothing, and nothing says that this is meant
      deny   large-tables 0.1.0           b2 `patient` has 5000 rows, more than 1000
    --- stderr
    error: refused by `large-tables`: `b2` `patient` has 5000 rows, more than 1000

      help: nothing was changed
    ");
    let plan = project.run(&["plan", "--json"]).exits(0).json();
    assert_eq!(plan["outcome"], "denied");
    assert!(std::fs::read(project.path("app.db")).unwrap() == before, "reading facts writes nothing");
    project.execute("DELETE FROM patient; ANALYZE");
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn a_file_of_the_operator_makes_an_exception() {
    let project = project("sqlite://app.db", BOTH, EXEMPT);
    project.run(&["upgrade", "a1"]).exits(0);
    project.execute(ROWS);
    project.write("policies/data/exempt.txt", "");
    project.run(&["upgrade"]).exits(3);
    project.remove("policies/data/exempt.txt");
    let run = project.run(&["upgrade"]).exits(3);
    assert!(run.stderr.contains("`policies/data/exempt.txt` can't be read: there is no such file"), "{run}");
    project.write("policies/data/exempt.txt", "patient\n");
    let run = project.run(&["upgrade"]).exits(0);
    assert!(run.stdout.contains("the last step was `a1` by "), "{run}");
}

#[test]
fn imports_without_a_grant_are_refused_with_the_line_to_add() {
    let project = project("sqlite://app.db", FACTS, "");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/a1.sql:9:1: the down section does nothing, and nothing says that this is meant
      warn   lint [VERSION]                   migrations/b2.sql:9:1: the down section does nothing, and nothing says that this is meant
      deny   large-tables ?               the plugin imports `runner:policy/files@0.1.2`, which is not granted
    --- stderr
    error: refused by `large-tables`: the plugin imports `runner:policy/files@0.1.2`, which is not granted

      help: add `grants = { read = ["…"], facts = true }` to `[plugins.large-tables]` if it shall have it
      help: nothing was changed
    "#);
    project.edit("runner.toml", FACTS, "grants = { read = [\"policies/data\"] }");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/a1.sql:9:1: the down section does nothing, and nothing says that this is meant
      warn   lint [VERSION]                   migrations/b2.sql:9:1: the down section does nothing, and nothing says that this is meant
      deny   large-tables ?               the plugin imports `runner:policy/facts@0.1.2`, which is not granted
    --- stderr
    error: refused by `large-tables`: the plugin imports `runner:policy/facts@0.1.2`, which is not granted

      help: add `grants = { read = ["policies/data"], facts = true }` to `[plugins.large-tables]` if it shall have it
      help: nothing was changed
    "#);
    project.edit("runner.toml", "read =", "facts = true, read =");
    project.run(&["upgrade", "a1"]).exits(0);
    snapshot!(project.run(&["plugin", "list"]), @"
    exit: 0
    --- stdout
    Plugin set team

    environment-hierarchy [VERSION]
      about    A revision runs from the environment it is tagged with upwards
      set      default, extended by team
      source   builtin:environment-hierarchy
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    environment
      mode     enforce
      env      RUNNER_VALIDATE_ENV, RUNNER_STRICT_ENV, ALEMBIC_VALIDATE_ENV, ALEMBIC_STRICT_ENV
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    lint [VERSION]
      about    Finds what is wrong with a revision, its place in the chain and its statements
      set      default, extended by team
      source   builtin:lint
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    lint
      mode     enforce
      facts    of the target
      imports  runner:policy/facts@0.1.2
      limits   fuel 50000000000, time 60s, memory 1.0 GiB, stack 512.0 KiB, answer 128.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    lint-postgres [VERSION]
      about    Finds what is dangerous in revisions for PostgreSQL, and tells which locks they take
      set      default, extended by team
      source   builtin:lint-postgres
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    lint
      mode     enforce
      facts    of the target
      imports  runner:policy/facts@0.1.2
      limits   fuel 50000000000, time 60s, memory 1.0 GiB, stack 512.0 KiB, answer 128.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    production-override [VERSION]
      about    Production is changed only with an explicit approval
      set      default, extended by team
      source   builtin:production-override
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    gate
      mode     enforce
      env      ALLOW_PRODUCTION_MIGRATE
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    notify [VERSION]
      about    Tells channels of what matters, by event, environment and severity
      set      default, extended by team
      source   builtin:notify
      digest   sha256:[DIGEST]
      pinned   by this runner, which it ships with
      roles    notify
      mode     enforce
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256

    large-tables 0.1.0
      about    Large tables are not changed
      set      team
      source   large_tables.wasm    (`plugins.large-tables` in `runner.toml`)
      digest   sha256:[DIGEST]
      pinned   no
      signed   not looked at, because no key is trusted
      roles    gate
      mode     enforce
      settings max-rows
      read     policies/data
      facts    of the target
      imports  runner:policy/facts@0.1.2, runner:policy/files@0.1.2
      limits   fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    --- stderr
    ");
}

/// The rows of a server's table, and what it has counted of them.
fn fill(database: &TestDatabase, rows: &str, analyze: &str) {
    database.execute(&format!("INSERT INTO patient {rows}"));
    database.execute(analyze);
}

#[test]
fn servers_tell_as_well() {
    let postgres = test_servers::postgres().database();
    let mysql = test_servers::mysql().database();
    let databases = [
        (&postgres, "SELECT i, 'somebody' FROM generate_series(1, 5000) AS i", "ANALYZE patient"),
        (&mysql, "SELECT seq, 'somebody' FROM seq_1_to_5000", "ANALYZE TABLE patient"),
    ];
    for (database, rows, analyze) in databases {
        let project = project(&database.url(), BOTH, "");
        project.run(&["upgrade", "a1"]).exits(0);
        fill(database, rows, analyze);
        let run = project.run(&["upgrade"]).exits(3);
        assert!(run.stderr.contains("refused by `large-tables`: `b2` `patient` has "), "{run}");
        assert!(run.stderr.contains(" rows, more than 1000"), "{run}");
        project.edit("runner.toml", "max-rows = 1000", "max-rows = 100000");
        project.run(&["upgrade"]).exits(0);
    }
}

/// What leads out of the folder is no way to a secret, and an attempt is no failure of the run.
#[test]
fn no_path_leads_out_of_a_granted_folder() {
    let secret = Project::empty();
    secret.write("secret.txt", "hunter2");
    let secret = secret.path("secret.txt");
    for (path, seen) in [
        ("policies/data/../../secret.txt", "OUTSIDE"),
        ("policies/data/link.txt", "OUTSIDE"),
        (secret.to_str().unwrap(), "OUTSIDE"),
        ("/etc/passwd", "OUTSIDE"),
        ("runner.toml", "OUTSIDE"),
        ("policies/data/mine.txt", "mine"),
    ] {
        let project = Project::linear(1);
        let reader = Component::gate().import_granted(Granted::Read).body(Function::Review, &bodies::show_file(path));
        project.write("reader.wasm", reader.bytes());
        project.write("policies/data/mine.txt", "mine");
        project.write("secret.txt", "hunter2");
        std::os::unix::fs::symlink(&secret, project.path("policies/data/link.txt")).unwrap();
        project.configure(
            "[plugins.reader]\nsource = \"reader.wasm\"\ngrants = { read = [\"policies/data\"] }\n\
             [plugin-sets.team]\nplugins = [\"reader\"]\n",
        );
        let run = project.run(&["plan", "--plugins", "team"]).exits(0);
        assert!(run.stdout.contains(seen), "{path}: {run}");
        assert!(!run.stdout.contains("hunter2"), "{path}: {run}");
    }
}

#[test]
fn every_limit_is_a_key_and_a_wrong_one_is_named() {
    let project = Project::linear(1);
    let limits = "fuel = 100000000, time = \"2s\", memory = \"32 MiB\", stack = \"1 MiB\", answer = \"1 MiB\", \
                  host-calls = 50, log = \"1 KiB\", log-lines = 5";
    project.configure(&format!("[plugins.production-override]\nlimits = {{ {limits} }}\n"));
    let run = project.run(&["plugin", "list"]).exits(0);
    let shown = "fuel 100000000, time 2s, memory 32.0 MiB, stack 1.0 MiB, answer 1.0 MiB, host-calls 50, log 1.0 KiB, log-lines 5";
    assert!(run.stdout.contains(shown), "{run}");
    for (wrong, words) in [
        ("stack = \"1 KiB\"", "a stack is between 16.0 KiB and 64.0 MiB"),
        ("stack = \"1 GiB\"", "a stack is between 16.0 KiB and 64.0 MiB"),
        ("stack = 65536", "invalid type: integer"),
        ("host-calls = -1", "host-calls"),
        ("hostcalls = 5", "host-calls"),
        ("fuel = 0", "a limit of zero lets the plugin do nothing"),
    ] {
        project.configure(&format!("[plugins.production-override]\nlimits = {{ {wrong} }}\n"));
        let run = project.run(&["plugin", "list"]).exits(2);
        assert!(run.stderr.contains(words), "{wrong}: {run}");
    }
}
