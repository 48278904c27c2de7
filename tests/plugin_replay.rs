//! `runner plugin replay`

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use policy_components::bodies::Step;

use crate::harness::Project;
use crate::snapshot;

/// A project with three runs: up to the first revision, up to the third, and down to the second.
fn project_with_history() -> Project {
    let project = Project::linear(3);
    project.run(&["upgrade", "r0001"]).exits(0);
    project.run(&["upgrade"]).exits(0);
    project.run(&["downgrade", "-1"]).exits(0);
    project
}

fn reads_only(project: &Project, arguments: &[&str]) -> crate::harness::Run {
    let before = std::fs::read(project.path("app.db")).unwrap();
    let run = project.run(&[&["plugin", "replay"], arguments].concat());
    assert!(std::fs::read(project.path("app.db")).unwrap() == before, "the database was changed: {run}");
    run
}

#[test]
fn nothing_differs_from_itself() {
    let project = project_with_history();
    snapshot!(reads_only(&project, &[]), @"
    exit: 0
    --- stdout
    [WHEN]  upgrade  development  tester@[HOST]  [RUN]  the same
    [WHEN]  upgrade  development  tester@[HOST]  [RUN]  the same
    [WHEN]  downgrade  development  tester@[HOST]  [RUN]  the same
    3 runs: 3 the same, 0 different
    --- stderr
    warning: variables are not recorded, so `environment-hierarchy` sees those of now: RUNNER_VALIDATE_ENV, RUNNER_STRICT_ENV, ALEMBIC_VALIDATE_ENV, ALEMBIC_STRICT_ENV
    warning: variables are not recorded, so `production-override` sees those of now: ALLOW_PRODUCTION_MIGRATE
    ");
    let json = reads_only(&project, &["--json"]).exits(0).json();
    assert_eq!((json["same"].as_u64(), json["not_replayed"].as_u64()), (Some(3), Some(0)), "{json:#}");
}

/// Every kind of run leaves enough to be asked again exactly: skipped, stamped, repaired, in production with an approval, and
/// on a database that was adopted.
#[test]
fn every_kind_of_run_can_be_replayed() {
    let project = Project::empty();
    project.revision("a1", "base", "", "CREATE TABLE a (id INTEGER);", "DROP TABLE a;");
    project.revision("b2", "a1", "Env: =test", "CREATE TABLE b (id INTEGER);", "DROP TABLE b;");
    project.revision("c3", "b2", "Env: production\nTransaction: off", "CREATE TABLE c (id INTEGER);", "DROP TABLE c;");
    project.revision(
        "d4",
        "c3",
        "Depends On: a1\nBranch Labels: late",
        "CREATE TABLE d (id INTEGER);",
        "DROP TABLE d;",
    );
    project.run(&["stamp", "a1"]).exits(0);
    project.run(&["upgrade", "c3"]).exits(0);
    project.run(&["repair", "c3", "--undone", "--reason", "for the test"]).exits(0);
    project.run(&["repair", "c3", "--done", "--reason", "for the test"]).exits(0);
    project.run(&["upgrade"]).exits(0);
    project.run(&["downgrade", "a1"]).exits(0);
    let approved = [("ALLOW_PRODUCTION_MIGRATE", "true")];
    project.run_with(&approved, &["upgrade", "--env", "prod", "b2"]).exits(0);
    let output = project.command(&["plugin", "replay", "--json"]).envs(approved).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["not_replayed"], 0, "{json:#}");
    assert_eq!(json["different"], 0, "{json:#}");
    assert_eq!(json["same"], 7, "{json:#}");
    // Without the approval of then, the run in production is refused.
    let json = reads_only(&project, &["--json"]).exits(4).json();
    assert_eq!(json["would_have_been_denied"], 1, "{json:#}");
}

#[test]
fn another_plugin_shows_what_it_would_have_refused() {
    let project = project_with_history();
    project.write("acme.wasm", Component::gate().body(Function::Review, &bodies::deny("not on a Friday")).bytes());
    snapshot!(reads_only(&project, &["--with", "acme.wasm"]), @"
    exit: 4
    --- stdout
    [WHEN]  upgrade  development  tester@[HOST]  [RUN]  would have been denied
      + deny  acme 1.0.0  tested  not on a Friday
      `acme` was not asked then
    [WHEN]  upgrade  development  tester@[HOST]  [RUN]  would have been denied
      + deny  acme 1.0.0  tested  not on a Friday
      `acme` was not asked then
    [WHEN]  downgrade  development  tester@[HOST]  [RUN]  would have been denied
      + deny  acme 1.0.0  tested  not on a Friday
      `acme` was not asked then
    3 runs: 0 the same, 3 different (3 would have been denied)
    --- stderr
    ");
    let json = reads_only(&project, &["--with", "acme.wasm", "--json"]).exits(4).json();
    assert_eq!(json["would_have_been_denied"], 3);
    assert_eq!(json["runs"][0]["outcome_then"], "allowed");
    assert_eq!(json["runs"][0]["outcome_now"], "denied");
    assert_eq!(json["runs"][0]["added"][0]["message"], "not on a Friday");
    // One that finds fault with one revision finds it in the runs that had it.
    project.write("acme.wasm", Component::lint().body(Function::Check, &bodies::find(2, "r0003", "no index")).bytes());
    let json = reads_only(&project, &["--with", "acme.wasm", "--json"]).exits(4).json();
    let first = &json["runs"][0]["added"][0];
    assert_eq!(first["rule"], "plugin-answer", "it speaks of what it was not asked about: {json:#}");
    assert_eq!(json["runs"][1]["added"][0]["rule"], "tested");
}

#[test]
fn the_set_in_force_and_a_plugin_of_it() {
    let project = project_with_history();
    project.write("acme.wasm", Component::gate().bytes());
    project.write(
        "runner.toml",
        r#"plugin-set = "team"
[database]
url = "sqlite://app.db"
[plugins.acme]
source = "acme.wasm"
[plugin-sets.team]
extends = "default"
plugins = ["acme"]
"#,
    );
    project.table_revision(4);
    project.run(&["upgrade", "r0003"]).exits(0);
    project.write("acme.wasm", Component::gate().body(Function::Review, &bodies::deny("no more")).bytes());
    let json = reads_only(&project, &["--plugin", "acme", "--json"]).exits(4).json();
    assert_eq!(json["different"], 4, "{json:#}");
    assert_eq!(json["runs"][0]["notes"][0], "`acme` was not asked then");
    assert_eq!(json["runs"][3]["notes"][0], "`acme` is another component than then");
    let set = reads_only(&project, &["--json"]).exits(4).json();
    assert_eq!(set["would_have_been_denied"], 4, "{set:#}");
    let run = reads_only(&project, &["--plugin", "acne"]).exits(2);
    assert!(run.stderr.contains("did you mean `acme`?"), "{run}");
    // The environment policy alone is asked about the same steps.
    reads_only(&project, &["--plugin", "environment-hierarchy"]).exits(0);
}

/// Skipped steps are seen as skipped by a gate that is replayed alone, and decided on anew by an environment policy.
#[test]
fn what_was_skipped_is_seen_as_skipped() {
    let project = Project::empty();
    project.revision("a1", "base", "Env: =test", "CREATE TABLE a (id INTEGER);", "DROP TABLE a;");
    project.run(&["upgrade"]).exits(0);
    reads_only(&project, &["--plugin", "production-override"]).exits(0);
    project.write(
        "levels.wasm",
        Component::environment().body(Function::Judge, &bodies::judge_each(Step::Deny, "never")).bytes(),
    );
    let arguments = ["--with", "levels.wasm", "--plugin", "environment-hierarchy", "--json"];
    let json = reads_only(&project, &arguments).exits(4).json();
    assert_eq!(json["runs"][0]["removed"][0]["decision"], "skip", "{json:#}");
    assert_eq!(json["runs"][0]["added"][0]["decision"], "deny", "{json:#}");
}

#[test]
fn what_can_not_be_replayed_is_said() {
    let project = project_with_history();
    project.edit("migrations/r0001.sql", "name TEXT", "name TEXT NOT NULL");
    project.edit("migrations/r0003.sql", "-- Revision r0003", "-- Another title");
    snapshot!(reads_only(&project, &[]), @"
    exit: 0
    --- stdout
    [WHEN]  upgrade  development  tester@[HOST]  [RUN]  not replayed
      `migrations/r0001.sql` changed since
    [WHEN]  upgrade  development  tester@[HOST]  [RUN]  not replayed
      comments or the header of `migrations/r0003.sql` changed since
    [WHEN]  downgrade  development  tester@[HOST]  [RUN]  not replayed
      comments or the header of `migrations/r0003.sql` changed since
    3 runs: 0 the same, 0 different, 3 not replayed
    --- stderr
    warning: variables are not recorded, so `environment-hierarchy` sees those of now: RUNNER_VALIDATE_ENV, RUNNER_STRICT_ENV, ALEMBIC_VALIDATE_ENV, ALEMBIC_STRICT_ENV
    warning: variables are not recorded, so `production-override` sees those of now: ALLOW_PRODUCTION_MIGRATE
    ");
    project.remove("migrations/r0003.sql");
    let run = reads_only(&project, &[]).exits(0);
    assert!(run.stdout.contains("the file of `r0003` is gone"), "{run}");
    // Evidence of a runner that did not keep the request.
    project.execute("UPDATE runner_ledger SET verdicts = json_remove(verdicts, '$.request') WHERE status = 'run'");
    let run = reads_only(&project, &[]).exits(0);
    assert!(run.stdout.contains("its evidence lacks what a replay needs"), "{run}");
    assert!(run.stderr.contains("the ledger was changed by somebody"), "{run}");
    project.execute("UPDATE runner_ledger SET verdicts = 'nonsense' WHERE status = 'run'");
    let json = reads_only(&project, &["--json"]).exits(0).json();
    assert_eq!(json["not_replayed"], 3, "{json:#}");
}

/// An earlier revision whose tags were edited would show the policies another database than it was.
#[test]
fn an_edit_of_an_earlier_revision_is_noticed() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    project.table_revision(2);
    project.run(&["upgrade"]).exits(0);
    project.edit("migrations/r0001.sql", "-- Revises: base\n", "-- Revises: base\n-- Env: production\n");
    let json = reads_only(&project, &["--json", "--since", "r0002"]).json();
    assert_eq!(json["runs"][0]["status"], "not_replayed", "{json:#}");
    assert!(json["runs"][0]["reason"].as_str().unwrap().contains("can't be made again exactly"), "{json:#}");
}

#[test]
fn from_a_date_a_run_or_a_revision_on() {
    let project = project_with_history();
    let count = |since: &str| {
        reads_only(&project, &["--since", since, "--json"]).exits(0).json()["runs"].as_array().unwrap().len()
    };
    assert_eq!((count("2020-01-01"), count("2999-12-31"), count("2020-01-01T00:00:00Z")), (3, 0, 3));
    assert_eq!((count("r0001"), count("r0002"), count("r0003")), (3, 2, 2));
    let run = project.query("SELECT run_id FROM runner_ledger WHERE status = 'run' ORDER BY id DESC LIMIT 1");
    assert_eq!((count(&run[0]), count(&run[0][..26])), (1, 1));
    for (since, words) in [("r000", "the beginning of several"), ("yesterday", "neither a date nor a run or revision")]
    {
        let run = reads_only(&project, &["--since", since]);
        assert!(run.code != 0 && run.stderr.contains(words), "{run}");
    }
}

#[test]
fn an_empty_ledger() {
    let project = Project::linear(1);
    let run = project.run(&["plugin", "replay"]).exits(0);
    assert!(run.stdout.contains("0 runs: 0 the same, 0 different"), "{run}");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn hostile_components_are_refused_by_name() {
    let project = project_with_history();
    for (body, rule) in [(bodies::TRAP, "plugin-trap"), (bodies::ENDLESS, "limit-fuel")] {
        project.write("evil.wasm", Component::gate().body(Function::Review, body).bytes());
        let run = reads_only(&project, &["--with", "evil.wasm"]).exits(4);
        assert!(run.stdout.contains(rule), "{run}");
    }
    project.write("evil.wasm", "nothing of the kind");
    let run = reads_only(&project, &["--with", "evil.wasm"]).exits(4);
    assert!(run.stdout.contains("plugin-not-a-component"), "{run}");
}
