//! `runner.toml`, variables and flags.

use crate::harness::Project;
use crate::snapshot;

fn configured(text: &str) -> Project {
    let project = Project::linear(1);
    project.write("runner.toml", text);
    project
}

#[test]
fn none() {
    let project = Project::linear(1);
    project.remove("runner.toml");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no configuration `runner.toml`

      help: `runner init` starts a project here; `--config` names a file elsewhere
    ");
    snapshot!(project.run(&["upgrade", "--json"]), @r#"
    exit: 2
    --- stdout
    {
      "error": {
        "help": "`runner init` starts a project here; `--config` names a file elsewhere",
        "kind": "configuration",
        "message": "there is no configuration `runner.toml`"
      }
    }
    --- stderr
    error: there is no configuration `runner.toml`

      help: `runner init` starts a project here; `--config` names a file elsewhere
    "#);
    snapshot!(project.run(&["upgrade", "-c", "other.toml"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no configuration `other.toml`

      help: `runner init` starts a project here; `--config` names a file elsewhere
    ");
}

#[test]
fn an_unknown_key_and_what_was_probably_meant() {
    snapshot!(configured("[database]\nurll = \"sqlite://app.db\"\n").run(&["upgrade"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: unknown field `urll`, expected one of `url`, `version-table`, `ledger-table`, `foreign-keys`, `transaction`, `lock-wait`, `lock-timeout`, `statement-timeout`, `retries`
     --> runner.toml:2:1
      |
    2 | urll = "sqlite://app.db"
      | ^^^^
      |
      = help: did you mean `url`?

    error: `runner.toml` is not a valid configuration
    "#);
    snapshot!(configured("[databse]\nurl = \"sqlite://app.db\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unknown field `databse`, expected one of `environment`, `plugin-set`, `migrations`, `database`, `plugins`, `plugin-sets`, `channels`, `notifications`, `trust`, `lint`, `backup`, `test`
     --> runner.toml:1:2
      |
    1 | [databse]
      |  ^^^^^^^
      |
      = help: did you mean `database`?

    error: `runner.toml` is not a valid configuration
    ");
    snapshot!(configured("[plugins.environment-hierarchy]\nsetings = { }\n").run(&["upgrade", "--json"]), @r#"
    exit: 2
    --- stdout
    {
      "error": {
        "help": null,
        "kind": "configuration",
        "message": "`runner.toml` is not a valid configuration",
        "problems": [
          {
            "column": 1,
            "file": "runner.toml",
            "help": "did you mean `settings`?",
            "line": 2,
            "message": "unknown field `setings`, expected one of `source`, `settings`, `grants`, `limits`, `mode`"
          }
        ]
      }
    }
    --- stderr
    error: unknown field `setings`, expected one of `source`, `settings`, `grants`, `limits`, `mode`
     --> runner.toml:2:1
      |
    2 | setings = { }
      | ^^^^^^^
      |
      = help: did you mean `settings`?

    error: `runner.toml` is not a valid configuration
    "#);
}

#[test]
fn a_value_of_the_wrong_kind() {
    snapshot!(configured("[database]\nurl = 5\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid type: integer `5`, expected a string
     --> runner.toml:2:7
      |
    2 | url = 5
      |       ^

    error: `runner.toml` is not a valid configuration
    ");
    snapshot!(configured("[database]\nurl = \"sqlite://app.db\"\ntransaction = \"per-runn\"\n").run(&["upgrade"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: unknown variant `per-runn`, expected `per-revision` or `per-run`
     --> runner.toml:3:15
      |
    3 | transaction = "per-runn"
      |               ^^^^^^^^^^
      |
      = help: did you mean `per-run`?

    error: `runner.toml` is not a valid configuration
    "#);
    snapshot!(configured("[database]\nurl = \"sqlite://app.db\"\nlock-wait = \"soon\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `database.lock-wait` in `runner.toml`: `soon` is not a duration such as `60s` or `500ms`
    ");
    snapshot!(configured("[database]\nurl = \"sqlite://app.db\"\nversion-table = \"a b\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `database` in `runner.toml`: invalid `version_table`: `a b` is not a table name: use letters, digits and `_`, not starting with a digit, and at most one `.`
    ");
}

#[test]
fn no_toml() {
    snapshot!(configured("[database\nurl = \"sqlite://app.db\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unclosed table, expected `]`
     --> runner.toml:1:10
      |
    1 | [database
      |          ^

    error: `runner.toml` is not a valid configuration
    ");
}

#[test]
fn not_even_text() {
    let project = Project::linear(1);
    project.write("runner.toml", b"\xff\xfe[database]");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the configuration `runner.toml` is not UTF-8 text
    ");
}

#[test]
fn a_variable_that_is_not_set() {
    let project = configured("[database]\nurl = \"${APP_DATABASE}\"\n");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the variable `APP_DATABASE` is not set, and `database.url` in `runner.toml` needs it

      help: set it, or write a default as in `${NAME:-default}`
    ");
    project.run_with(&[("APP_DATABASE", "sqlite://app.db")], &["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["r0001"]);
}

#[test]
fn no_database() {
    snapshot!(configured("").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: no database is configured

      help: set `url` in `[database]` of `runner.toml`, `DATABASE_URL` or `--database-url`
      help: for example `sqlite://runner.db`
    ");
}

#[test]
fn a_url_that_is_none() {
    snapshot!(configured("[database]\nurl = \"app.db\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: a database URL begins with a scheme such as `sqlite:`

      help: for a SQLite file write `sqlite://path/to/file.db`
    ");
    snapshot!(configured("[database]\nurl = \"oracle://db/app\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unknown database scheme `oracle`

      help: use one of `sqlite`, `postgres`, `mysql` and `mariadb`
    ");
    snapshot!(configured("[database]\nurl = \"sqlite://app.db?mood=rw\"\n").run(&["upgrade"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: unknown parameter `mood` in the SQLite URL

      help: did you mean `mode`?
    ");
}

#[test]
fn a_parameter_that_a_server_does_not_know() {
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://someone:hunter2@127.0.0.1:1/app?conect_timeout=1");
        let run = configured(&format!("[database]\nurl = \"{url}\"\n")).run(&["upgrade"]);
        assert_ne!(run.code, 0, "{run}");
        assert!(run.stderr.contains("conect_timeout") && !run.to_string().contains("hunter2"), "{run}");
    }
}

#[test]
fn an_unknown_plugin_set() {
    snapshot!(Project::linear(1).run(&["upgrade", "--plugins", "strict-prd"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no plugin set `strict-prd`

      help: did you mean `strict-prod`?
      help: known are `default`, `strict-prod`
    ");
}

#[test]
fn plugin_sets_of_the_project() {
    let sets = "[plugin-sets.team]\nextends = \"default\"\nplugins = [\"missing\"]\n\n\
                [plugin-sets.one]\nextends = \"two\"\n[plugin-sets.two]\nextends = \"one\"\n";
    let project = Project::linear(1);
    project.configure(sets);
    snapshot!(project.run(&["upgrade", "--plugins", "team"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the plugin set `team` names `missing`, which is not configured

      help: configure it in `[plugins.missing]`; known are `change-window`, `environment-hierarchy`, `lint`, `lint-postgres`, `notify`, `production-override`
    ");
    snapshot!(project.run(&["upgrade", "--plugins", "one"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: plugin sets extend each other in a circle: one -> two -> one
    ");
    project.configure("[plugin-sets.default]\nplugins = []\n");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: `plugin-sets.default` in `runner.toml`: this set is built in and can't be redefined

      help: give yours another name and `extends = "default"`
    "#);
}

#[test]
fn a_set_without_plugins_refuses_production_nothing_else() {
    let project = Project::linear(1);
    project.configure("[plugin-sets.none]\nplugins = []\n");
    snapshot!(project.run(&["upgrade", "--plugins", "none"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db              SQLite [VERSION]
      environment  development (level unknown)
      plan         1 step, [HASH]
      applied   r0001  Revision r0001  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    ");
}

#[test]
fn flags_win_over_variables_and_those_over_the_file() {
    let project = Project::linear(1);
    let target = |variables: &[(&str, &str)], arguments: &[&str]| {
        let arguments: Vec<&str> = ["plan", "--json"].iter().chain(arguments).copied().collect();
        project.run_with(variables, &arguments).exits(0).json()["target"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(target(&[], &[]), "sqlite://app.db");
    let variable = [("DATABASE_URL", "sqlite://variable.db")];
    assert_eq!(target(&variable, &[]), "sqlite://variable.db");
    assert_eq!(target(&variable, &["--database-url", "sqlite://flag.db"]), "sqlite://flag.db");
}

#[test]
fn paths_start_at_the_configuration_file() {
    let project = Project::linear(1);
    std::fs::create_dir(project.path("deep")).unwrap();
    let output =
        project.command(&["upgrade", "-c", "../runner.toml"]).current_dir(project.path("deep")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(project.versions(), ["r0001"]);
}

#[test]
fn the_version_table_may_have_another_name() {
    let project = Project::linear(1);
    project.configure("version-table = \"alembic_version\"\nledger-table = \"book\"\n");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT version_num FROM alembic_version"), ["r0001"]);
    assert_eq!(project.tables(), ["alembic_version", "book", "t0001"]);
}

/// Whatever it was meant to say, it must not count as not said: `ENVIRONMENT` might have said production.
#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let garbled = std::ffi::OsStr::from_bytes(b"production\xff");
    let run = |project: &Project, name: &str, arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env(name, garbled).stdin(std::process::Stdio::null());
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        project.ended(child)
    };
    let project = Project::linear(1);
    for name in ["ENVIRONMENT", "ENV", "DATABASE_URL"] {
        let run = run(&project, name, &["upgrade"]).exits(2);
        assert!(run.stderr.contains(&format!("error: the variable `{name}` is not UTF-8 text")), "{run}");
    }
    project.edit("runner.toml", "[database]", "environment = \"${STAGE:-development}\"\n[database]");
    let staged = run(&project, "STAGE", &["upgrade"]).exits(2);
    assert!(staged.stderr.contains("the variable `STAGE` is not UTF-8 text, and `environment` in"), "{staged}");
    // What the command line says needs no variable.
    run(&project, "ENVIRONMENT", &["upgrade", "--dry-run", "--env", "test"]).exits(0);
    run(&project, "DATABASE_URL", &["upgrade", "--dry-run", "--database-url", "sqlite://other.db"]).exits(0);
    // One that a policy is granted.
    snapshot!(run(&project, "RUNNER_STRICT_ENV", &["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db              SQLite [VERSION]
      environment  development (level unknown)
      plan         1 step, [HASH]
      *** PRODUCTION DATABASE, proceed with caution ***
      allow  lint [VERSION]                 no findings
      deny   environment-hierarchy ?    the plugin is granted the variable `RUNNER_STRICT_ENV`, which is not UTF-8 text
      deny   production-override [VERSION]  Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed. (no policy says that this is not production)
    --- stderr
    error: refused by `environment-hierarchy`: the plugin is granted the variable `RUNNER_STRICT_ENV`, which is not UTF-8 text
           refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed. (no policy says that this is not production)

      help: set it anew, or unset it
      help: nothing was changed
    ");
    run(&project, "ALLOW_PRODUCTION_MIGRATE", &["upgrade"]).exits(3);
    assert!(!project.path("app.db").exists(), "nothing was run");
}
