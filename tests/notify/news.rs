//! Which events are told to whom, and what becomes of policies and channels that can't.

use std::os::unix::fs::PermissionsExt as _;

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use test_receivers::Answer;
use test_receivers::HttpReceiver;

use crate::harness::Project;
use crate::snapshot;

use super::APPROVED;
use super::TELL_ALL;
use super::project;
use super::told;
use super::with_file;

#[test]
fn production_is_told_of_without_settings() {
    let project = Project::linear(2);
    with_file(&project, "");
    project.run(&["upgrade"]).exits(0);
    project.run(&["upgrade", "--env", "production", "--dry-run"]).exits(0);
    assert_eq!(told(&project), [""; 0], "development is quiet, and so is a dry run");
    project.table_revision(3);
    project.run(&["upgrade", "--env", "production"]).exits(3);
    project.run_with(&[APPROVED], &["upgrade", "--env", "production"]).exits(0);
    project.run_with(&[APPROVED], &["upgrade", "--env", "production"]).exits(0);
    project.run_with(&[APPROVED], &["downgrade", "-1", "--env", "production"]).exits(0);
    project.revision("r0003", "r0002", "", "INSERT INTO missing VALUES (1);", "SELECT 1;");
    project.run_with(&[APPROVED], &["upgrade", "--env", "production"]).exits(1);
    snapshot!(told(&project).join("\n"), @"
    refused: Upgrade of production was refused: refused by `production-override`: Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed.
    overridden: A protection of production was overridden by tester: production-override: ALLOW_PRODUCTION_MIGRATE=true overrides the protection of production
    finished: Upgrade of production is done: 1 step: r0003 Revision r0003
    overridden: A protection of production was overridden by tester: production-override: ALLOW_PRODUCTION_MIGRATE=true overrides the protection of production
    rolled-back: 1 revision was undone in production: r0003 Revision r0003
    overridden: A protection of production was overridden by tester: production-override: ALLOW_PRODUCTION_MIGRATE=true overrides the protection of production
    step-failed: Upgrade of production failed at r0003: revision `r0003` failed at statement 1: no such table: missing
    ");
    let mode = std::fs::metadata(project.path("news.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the file is for its user alone");
}

#[test]
fn an_answer_of_a_person_is_an_override() {
    let project = Project::linear(1);
    let gate = Component::gate().body(Function::Review, &bodies::confirm("Really?")).bytes();
    project.write("gate.wasm", gate);
    with_file(
        &project,
        &format!(
            "[plugins.gate]\nsource = \"gate.wasm\"\n[plugin-sets.team]\nextends = \"default\"\nplugins = [\"gate\"]\n{TELL_ALL}"
        ),
    );
    project.run(&["upgrade", "--plugins", "team"]).exits(3);
    project.run(&["upgrade", "--plugins", "team", "--yes"]).exits(0);
    snapshot!(told(&project).join("\n"), @"
    refused: Upgrade of development was refused: refused: a policy wanted a confirmation that was not given
    overridden: A protection of development was overridden by tester: gate: confirmed: Really?
    finished: Upgrade of development is done: 1 step: r0001 Revision r0001
    ");
}

#[test]
fn steps_of_a_run_that_is_one_transaction_are_told_when_it_is_committed() {
    let project = Project::linear(2);
    project.revision("r0003", "r0002", "", "INSERT INTO missing VALUES (1);", "SELECT 1;");
    let all = "rules = [{ events = [\"started\", \"step-done\", \"step-failed\", \"finished\"], title = \"{revision}\", text = \"{error}\" }]\n";
    let configuration = format!(
        "transaction = \"per-run\"\n[channels.news]\nkind = \"file\"\npath = \"news.jsonl\"\n[plugins.notify.settings]\n{all}"
    );
    project.configure(&configuration);
    project.run(&["upgrade"]).exits(1);
    assert_eq!(told(&project).len(), 2, "{:?}", told(&project));
    assert!(told(&project)[1].starts_with("step-failed: r0003: revision `r0003` failed"), "{:?}", told(&project));
    assert_eq!(project.tables(), [""; 0]);
    project.remove("migrations/r0003.sql");
    project.remove("news.jsonl");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(told(&project), ["started: : ", "step-done: r0001: ", "step-done: r0002: ", "finished: : "]);
}

#[test]
fn a_line_on_stderr_is_said_at_once_and_not_stored() {
    let project = Project::linear(1);
    project.configure(&format!("[channels.people]\nkind = \"stderr\"\n{TELL_ALL}"));
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      applied   r0001  Revision r0001  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    notice: Upgrade of development is done: 1 step
      r0001 Revision r0001
    ");
    assert_eq!(project.query("SELECT count(*) FROM sqlite_master WHERE name = 'runner_outbox'"), ["0"]);
}

#[test]
fn without_channels_nothing_of_this_exists() {
    let project = Project::linear(1);
    project.configure("[plugins.notify.settings]\nrules = \"wrong, and never looked at\"\n");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT count(*) FROM sqlite_master WHERE name = 'runner_outbox'"), ["0"]);
    let plugins = project.query("SELECT plugins FROM runner_ledger WHERE revision IS NULL");
    assert!(!plugins[0].contains("\"notify\""), "{plugins:?}");
    assert!(!project.path(".local").exists());
}

#[test]
fn a_policy_that_fails_is_reported_and_stops_nothing() {
    let receiver = HttpReceiver::start([Answer::status(200)]);
    for body in [bodies::TRAP.to_owned(), bodies::ENDLESS.to_owned(), bodies::fail("no words", "none")] {
        let project = project(&receiver);
        project.write("mute.wasm", Component::notify().body(Function::Announce, &body).bytes());
        let before = std::fs::read_to_string(project.path("runner.toml")).unwrap();
        project.write(
            "runner.toml",
            format!("{before}[plugins.mute]\nsource = \"mute.wasm\"\nlimits = {{ fuel = 1000000 }}\n[plugin-sets.team]\nextends = \"default\"\nplugins = [\"mute\"]\n"),
        );
        let run = project.run(&["upgrade", "--plugins", "team"]).exits(0);
        let said = run.stderr.matches("the policy `mute` could not word a message about").count();
        assert_eq!(said, 3, "it is asked until it has failed three times: {run}");
        assert!(run.stderr.contains("it is not asked again in this run"), "{run}");
        assert!(run.stdout.contains("Done: 2 applied"), "{run}");
    }
    assert_eq!(receiver.requests().len(), 3, "the other policy is heard");
}

#[test]
fn wrong_settings_of_the_policy_are_a_warning_with_their_path() {
    let project = Project::linear(1);
    with_file(&project, "[plugins.notify.settings]\nrules = [{}, { title = \"{nobody}\" }]\n");
    let run = project.run(&["upgrade"]).exits(0);
    assert!(
        run.stderr.contains("rules[1].title") && run.stderr.contains("there is no placeholder `{nobody}`"),
        "{run}"
    );
    let list = project.run(&["plugin", "list"]).exits(3);
    assert!(list.stdout.contains("rules[1].title"), "{list}");
    with_file(&project, "[plugins.notify.settings]\nrules = [{ events = [\"finnished\"] }]\n");
    project.table_revision(2);
    let run = project.run(&["upgrade"]).exits(0);
    assert!(run.stderr.contains("rules[0].events[0]") && run.stderr.contains("finnished"), "{run}");
}

#[test]
fn a_channel_that_nobody_configured_is_named_once() {
    let project = Project::linear(2);
    with_file(
        &project,
        "[plugins.notify.settings]\nchannels = [\"gone\"]\nrules = [{ events = [\"started\", \"step-done\"] }]\n",
    );
    let run = project.run(&["upgrade"]).exits(0);
    assert_eq!(run.stderr.matches("`gone`, which is not configured").count(), 1, "{run}");
}

#[test]
fn channels_that_no_policy_writes_to_are_said() {
    let project = Project::linear(1);
    with_file(&project, "[plugin-sets.bare]\nplugins = [\"environment-hierarchy\"]\n");
    let run = project.run(&["upgrade", "--plugins", "bare"]).exits(0);
    assert!(run.stderr.contains("no policy of the set `bare` has the role `notify`"), "{run}");
}

#[test]
fn an_audited_policy_tells_nobody() {
    let project = Project::linear(1);
    with_file(&project, &format!("[plugins.notify]\nmode = \"audit\"\n{TELL_ALL}"));
    let run = project.run(&["upgrade", "-v"]).exits(0);
    assert!(run.stderr.contains("audit only, `notify` would tell `*`: Upgrade of development is done"), "{run}");
    assert!(!project.path("news.jsonl").exists());
}
