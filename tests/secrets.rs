//! Passwords are never shown, however they are given and whatever goes wrong.

use crate::harness::Project;
use crate::harness::Run;

const PASSWORD: &str = "hunter2";
const URLS: [&str; 4] = [
    "postgres://app:hunter2@db.example/app",
    "postgres://db.example/app?user=app&password=hunter2",
    "mysql://app:hunter2@db.example/app",
    "postgress://app:hunter2@db.example/app",
];
const COMMANDS: [&[&str]; 8] = [
    &["upgrade"],
    &["plan"],
    &["current"],
    &["check"],
    &["log"],
    &["environments"],
    &["stamp", "head"],
    &["revision", "-m", "x"],
];

#[track_caller]
fn is_clean(run: &Run) {
    assert!(!run.stdout.contains(PASSWORD) && !run.stderr.contains(PASSWORD), "the password is shown: {run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
}

/// Every command, in text, JSON and with everything that debugging says.
fn in_every_form(project: &Project, variables: &[(&str, &str)], flags: &[&str]) {
    for command in COMMANDS {
        for form in [&[][..], &["--json"], &["-vv"], &["-vv", "--log-format", "json"]] {
            let arguments: Vec<&str> = command.iter().chain(flags).chain(form).copied().collect();
            is_clean(&project.run_with(variables, &arguments));
        }
    }
}

#[test]
fn given_as_a_flag() {
    for url in URLS {
        in_every_form(&Project::linear(1), &[], &["--database-url", url]);
    }
}

#[test]
fn given_as_a_variable() {
    for url in URLS {
        in_every_form(&Project::linear(1), &[("DATABASE_URL", url)], &[]);
    }
}

#[test]
fn given_in_the_file() {
    for url in URLS {
        let project = Project::linear(1);
        project.write("runner.toml", format!("[database]\nurl = \"{url}\"\n"));
        in_every_form(&project, &[], &[]);
    }
}

#[test]
fn given_as_a_part_of_the_url() {
    let project = Project::linear(1);
    project.write("runner.toml", "[database]\nurl = \"postgres://app:${DB_PASSWORD}@db.example/app\"\n");
    in_every_form(&project, &[("DB_PASSWORD", PASSWORD)], &[]);
}

#[test]
fn in_a_file_that_is_wrong() {
    for text in [
        "[database]\nurl = \"postgres://app:hunter2@db/app\n",
        "[database]\nurl = postgres://app:hunter2@db/app\n",
        "[database]\nurll = \"postgres://app:hunter2@db/app\"\n",
        "[database]\nurl = [\"postgres://app:hunter2@db/app\"]\n",
        "[database]\nlock-wait = \"postgres://app:hunter2@db/app\"\n",
        "[database]\nurl = \"postgres://app:hunter2@db:port/app\"\n",
        "[database]\nurl = \"postgres://app:hunter2@[::1/app\"\n",
        "[database]\nurl = \"postgres://app:hun%ter2hunter2@db/app\"\n",
    ] {
        let project = Project::linear(1);
        project.write("runner.toml", text);
        for form in [&["upgrade"][..], &["upgrade", "--json"], &["upgrade", "-vv"]] {
            is_clean(&project.run(form));
        }
    }
}

#[test]
fn in_a_command_line_that_is_wrong() {
    let project = Project::linear(1);
    let url = URLS[0];
    for arguments in [
        &["upgrade", "--databse-url", url][..],
        &["upgrade", "--database-url", url, "--database-url", url],
        &["--database-url", url],
        &["upgrade", url],
        &["upgrade", "--json", url],
        &["upgrade", "--plugins", url],
        &["-c", url, "upgrade"],
    ] {
        is_clean(&project.run(arguments));
    }
}

#[test]
fn given_as_the_environment_by_mistake() {
    let project = Project::linear(1);
    for form in [&[][..], &["--json"], &["-vv"]] {
        let arguments: Vec<&str> = ["upgrade", "--env", URLS[0]].iter().chain(form).copied().collect();
        is_clean(&project.run(&arguments));
    }
}

#[test]
fn in_the_ledger() {
    let project = Project::linear(1);
    let url = "sqlite://app.db";
    let variables = [("DATABASE_PASSWORD", PASSWORD), ("PGPASSWORD", PASSWORD)];
    project.run_with(&variables, &["upgrade", "--database-url", url]).exits(0);
    for row in project.query("SELECT * FROM runner_ledger") {
        assert!(!row.contains(PASSWORD), "{row}");
    }
}
