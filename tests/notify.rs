//! Notifications: events, channels, the outbox and delivery, with receivers that answer well, badly, slowly or not at all.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use std::time::Instant;

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use test_receivers::Answer;
use test_receivers::Certificate;
use test_receivers::HttpReceiver;
use test_receivers::Manners;
use test_receivers::SmtpReceiver;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

const APPROVED: (&str, &str) = ("ALLOW_PRODUCTION_MIGRATE", "true");
/// Part of every address and every secret in these tests.
const SECRET: &str = "sEcReT";
/// Delivery after a run is limited to 5 s; a command with a dead channel must end long before a person would give up.
const BOUND: Duration = Duration::from_secs(60);

/// A webhook, and a policy that tells everything about every environment.
fn project(receiver: &HttpReceiver) -> Project {
    let project = Project::linear(2);
    project.configure(&format!(
        "[notifications]\ntime = \"2s\"\n[channels.team]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}-of-the-webhook\"\n{TELL_ALL}",
        receiver.url("/hooks/sEcReTpAtH")
    ));
    project
}

const TELL_ALL: &str = "[plugins.notify.settings]\nrules = [{}]\n";

fn upgrade(project: &Project) -> Run {
    project.run(&["upgrade"])
}

fn events(receiver: &HttpReceiver) -> Vec<String> {
    receiver.requests().iter().map(|request| request.header("x-runner-event").unwrap().to_owned()).collect()
}

fn waiting(project: &Project) -> Vec<serde_json::Value> {
    let list = project.run(&["notify", "list", "--json"]).exits(0).json();
    list["messages"].as_array().unwrap().clone()
}

/// What waits for a database that can't be reached.
fn waiting_at(project: &Project, url: &[&str; 2]) -> Vec<serde_json::Value> {
    let list = project.run(&["notify", "list", "--json", url[0], url[1]]).json();
    list["messages"].as_array().unwrap().clone()
}

#[track_caller]
fn says_no_secret(run: &Run) {
    let text = run.to_string();
    assert!(!text.contains(SECRET), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn a_webhook_hears_of_a_run_and_can_verify_who_said_it() {
    let receiver = HttpReceiver::start([Answer::status(200)]);
    let project = project(&receiver);
    says_no_secret(&upgrade(&project).exits(0));
    let requests = receiver.requests();
    assert_eq!(events(&receiver), ["finished"]);
    let request = &requests[0];
    assert_eq!(request.line, "POST /hooks/sEcReTpAtH");
    assert_eq!(request.header("content-type"), Some("application/json"));
    let signature = request.header("x-runner-signature").unwrap();
    let (seconds, _) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let key = format!("{SECRET}-of-the-webhook");
    let signed = format!("{seconds}.{}", request.body);
    assert_eq!(signature, format!("t={seconds},v1={}", hmac(key.as_bytes(), signed.as_bytes())));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(seconds.parse().unwrap()) < 300);
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(request.header("idempotency-key"), body["key"].as_str());
    assert_eq!(body["event"], "finished");
    assert_eq!(body["details"]["steps"], 2);
    assert_eq!(body["run"]["environment"], "development");
    assert_eq!(body["message"]["title"], "Upgrade of development is done: 2 steps");
    let runs = project.query("SELECT DISTINCT run_id FROM runner_ledger");
    assert_eq!(body["run"]["id"], runs[0]);
    // Nothing to do is nothing to tell, and what is delivered is not delivered again.
    upgrade(&project).exits(0);
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(waiting(&project).len(), 0);
}

/// HMAC-SHA256 as RFC 2104 writes it, so that the runner's own is not checked against itself.
fn hmac(key: &[u8], text: &[u8]) -> String {
    use sha2::Digest as _;
    let padded = |pad: u8| -> Vec<u8> { (0..64).map(|index| key.get(index).copied().unwrap_or(0) ^ pad).collect() };
    let inner = sha2::Sha256::digest([padded(0x36), text.to_vec()].concat());
    let outer = sha2::Sha256::digest([padded(0x5c), inner.to_vec()].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_dead_channel_neither_fails_nor_delays_a_run_and_loses_nothing() {
    let receiver = HttpReceiver::start([Answer::Hang]);
    let project = project(&receiver);
    let begun = Instant::now();
    let run = upgrade(&project).exits(0);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    says_no_secret(&run);
    assert!(run.stdout.contains("Done: 2 applied"), "{run}");
    assert!(run.stderr.contains("a message to `team` is not delivered yet"), "{run}");
    assert_eq!(project.query("SELECT channel, event, sent_at FROM runner_outbox"), ["team | finished | NULL"]);
    let status = project.run(&["status", "--json"]).exits(0).json();
    assert_eq!((&status["messages"]["waiting"], &status["ok"]), (&1.into(), &true.into()));
    let messages = waiting(&project);
    assert_eq!((&messages[0]["channel"], &messages[0]["event"]), (&"team".into(), &"finished".into()));
    assert!(messages[0]["error"].as_str().unwrap().contains("no answer within"), "{messages:?}");
    says_no_secret(&project.run(&["notify", "flush", "--time", "200ms"]).exits(4));
    receiver.answers_now([Answer::status(204)]);
    let before = receiver.requests().len();
    snapshot!(flush_without_key(&project), @"
    exit: 0
    --- stdout
    delivered  team  [KEY]
    1 delivered, 0 waiting, 0 given up
    --- stderr
    ");
    assert_eq!(receiver.requests().len(), before + 1, "it is delivered exactly once");
    project.run(&["notify", "flush"]).exits(0);
    assert_eq!(receiver.requests().len(), before + 1);
    let keys: std::collections::HashSet<_> =
        receiver.requests().iter().map(|request| request.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 1, "each attempt has the same key");
}

fn flush_without_key(project: &Project) -> String {
    let run = project.run(&["notify", "flush"]).exits(0);
    let key = run.stdout.split_whitespace().find(|word| word.ends_with("-000001")).unwrap().to_owned();
    run.to_string().replace(&key, "[KEY]")
}

#[test]
fn a_failing_receiver_is_tried_again_in_order() {
    let receiver =
        HttpReceiver::start([Answer::with_body(500, "broken"), Answer::CutOff, Answer::HangUp, Answer::status(200)]);
    let project = project(&receiver);
    project.edit("runner.toml", "\"2s\"", "\"20s\"");
    project.edit(
        "runner.toml",
        "rules = [{}]",
        "rules = [{ events = [\"planned\", \"started\", \"step-done\", \"finished\"] }]",
    );
    let run = upgrade(&project).exits(0);
    assert_eq!(run.stderr, "", "{run}");
    let heard = events(&receiver);
    assert_eq!(heard[..3], ["planned", "planned", "planned"], "the first is tried until it is delivered: {heard:?}");
    assert_eq!(heard[3..], ["planned", "started", "step-done", "step-done", "finished"]);
    let done: Vec<serde_json::Value> = receiver
        .requests()
        .iter()
        .filter(|request| request.header("x-runner-event") == Some("step-done"))
        .map(|request| serde_json::from_str::<serde_json::Value>(&request.body).unwrap()["details"]["revision"].clone())
        .collect();
    assert_eq!(done, ["r0001", "r0002"]);
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let receiver = HttpReceiver::start([Answer::with_header(429, "Retry-After", "1"), Answer::status(200)]);
    let project = project(&receiver);
    let begun = Instant::now();
    project.edit("runner.toml", "\"2s\"", "\"20s\"");
    upgrade(&project).exits(0);
    assert_eq!(receiver.requests().len(), 2);
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was not left alone");

    let receiver = HttpReceiver::start([Answer::with_header(503, "Retry-After", "3600")]);
    let project = self::project(&receiver);
    assert!(upgrade(&project).exits(0).stderr.contains("503"));
    // Neither the next run, even with news, nor a flush disturbs it before.
    project.table_revision(3);
    upgrade(&project).exits(0);
    project.run(&["notify", "flush"]).exits(4);
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(waiting(&project).len(), 2);
    assert!(waiting(&project)[0]["next_attempt_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn what_a_receiver_refuses_is_a_dead_letter() {
    let elsewhere = HttpReceiver::start([Answer::status(200)]);
    for (answer, said) in [
        (Answer::with_body(404, "no_team \u{1b}[31m sEcReTpAtH"), "404"),
        (Answer::status(400), "400"),
        (Answer::with_header(302, "Location", &elsewhere.url("/")), "no redirect is followed"),
        (Answer::with_header(307, "Location", &elsewhere.url("/")), "no redirect is followed"),
        (Answer::with_header(302, "Location", "/hooks/other"), "no redirect is followed"),
    ] {
        let receiver = HttpReceiver::start([answer]);
        let project = project(&receiver);
        let run = upgrade(&project).exits(0);
        says_no_secret(&run);
        assert!(run.stderr.contains("can't be delivered, and is kept") && run.stderr.contains(said), "{run}");
        assert!(!run.stderr.contains('\u{1b}'), "{run}");
        upgrade(&project).exits(0);
        project.run(&["notify", "flush"]).exits(4);
        assert_eq!(receiver.requests().len(), 1, "it is not tried again");
        let status = project.run(&["status"]).exits(4);
        says_no_secret(&status);
        assert!(status.stdout.contains("a message was given up"), "{status}");
        receiver.answers_now([Answer::status(200)]);
        project.run(&["notify", "flush", "--dead"]).exits(0);
        assert_eq!(receiver.requests().len(), 2);
        project.run(&["status"]).exits(0);
    }
    assert_eq!(elsewhere.requests().len(), 0, "another host has got a message");
}

#[test]
fn a_redirect_within_the_same_host_that_keeps_the_message_is_followed() {
    let receiver = HttpReceiver::start([Answer::with_header(308, "Location", "/hooks/other"), Answer::status(200)]);
    let project = project(&receiver);
    upgrade(&project).exits(0);
    let requests = receiver.requests();
    assert_eq!(requests[1].line, "POST /hooks/other");
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(waiting(&project).len(), 0);
}

#[test]
fn a_huge_answer_is_not_read() {
    for (answer, is_delivered) in
        [(Answer::Endless(200), true), (Answer::Endless(500), false), (Answer::Nonsense, false)]
    {
        let receiver = HttpReceiver::start([answer]);
        let project = project(&receiver);
        let begun = Instant::now();
        says_no_secret(&upgrade(&project).exits(0));
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        assert_eq!(waiting(&project).is_empty(), is_delivered);
    }
}

#[test]
fn channels_do_not_wait_for_each_other() {
    let (dead, alive) = (HttpReceiver::start([Answer::Hang]), HttpReceiver::start([Answer::status(200)]));
    let project = project(&dead);
    let more = format!("[channels.other]\nkind = \"slack\"\nurl = \"{}\"\n", alive.url("/services/sEcReT"));
    let before = std::fs::read_to_string(project.path("runner.toml")).unwrap();
    project.write("runner.toml", format!("{before}{more}"));
    upgrade(&project).exits(0);
    let requests = alive.requests();
    assert_eq!(requests.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&requests[0].body).unwrap();
    assert_eq!(body["text"], "Upgrade of development is done: 2 steps");
    assert_eq!(body["attachments"][0]["blocks"][0]["type"], "header");
    assert_eq!(waiting(&project).len(), 1);
}

/// What is told of a command, oldest first, as a file channel has it.
fn told(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.path("news.jsonl")).unwrap_or_default();
    let line = |line: &str| {
        let notice: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = notice["occasion"]["event"].as_str().unwrap();
        let title = notice["message"]["title"].as_str().unwrap();
        let text = notice["message"]["text"].as_str().unwrap().lines().next().unwrap_or_default();
        format!("{event}: {title}: {text}")
    };
    text.lines().map(line).collect()
}

fn with_file(project: &Project, settings: &str) {
    project.configure(&format!("[channels.news]\nkind = \"file\"\npath = \"news.jsonl\"\n{settings}"));
}

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

#[test]
fn a_database_that_is_not_there_is_no_reason_to_lose_a_message() {
    let receiver = HttpReceiver::start([Answer::status(500)]);
    let project = project(&receiver);
    let url = ["--database-url", "postgres://someone:hunter2@127.0.0.1:1/app"];
    let run = project.run(&["upgrade", url[0], url[1]]).exits(1);
    says_no_secret(&run);
    assert!(!run.to_string().contains("hunter2"), "{run}");
    let messages = waiting_at(&project, &url);
    assert_eq!(
        (messages.len(), &messages[0]["stored"], &messages[0]["event"]),
        (1, &"file".into(), &"step-failed".into())
    );
    assert!(!receiver.requests().is_empty(), "it is tried from the file");
    let folder = project.path(".local/state/runner/outbox");
    let inner = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
    for file in std::fs::read_dir(&inner).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("hunter2") && !text.contains(SECRET), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // It belongs to that database, and no other run takes it away.
    receiver.answers_now([Answer::status(200)]);
    let before = receiver.requests().len();
    upgrade(&project).exits(0);
    assert_eq!(events(&receiver)[before..], ["finished"]);
    assert_eq!((waiting(&project).len(), waiting_at(&project, &url).len()), (0, 1));
    project.run(&["notify", "flush", "--dead", url[0], url[1]]).exits(4);
    assert_eq!(events(&receiver)[before..], ["finished", "step-failed"]);
    assert_eq!(waiting_at(&project, &url).len(), 0);
}

#[test]
fn a_refusal_does_not_create_a_database() {
    let receiver = HttpReceiver::start([Answer::status(500)]);
    let project = project(&receiver);
    project.run(&["upgrade", "--env", "production"]).exits(3);
    assert!(!project.path("app.db").exists());
    assert_eq!(waiting(&project)[0]["stored"], "file");
    receiver.answers_now([Answer::status(200)]);
    project.run(&["notify", "flush"]).exits(0);
    assert!(!project.path("app.db").exists());
    assert_eq!(waiting(&project).len(), 0);
}

#[test]
fn what_waits_in_a_file_is_taken_over_by_the_next_run() {
    let receiver = HttpReceiver::start([Answer::status(500)]);
    let project = project(&receiver);
    project.run(&["upgrade", "--env", "production"]).exits(3);
    receiver.answers_now([Answer::status(200)]);
    let before = receiver.requests().len();
    upgrade(&project).exits(0);
    assert_eq!(events(&receiver)[before..], ["refused", "finished"]);
    assert_eq!(waiting(&project).len(), 0);
    assert_eq!(project.query("SELECT event FROM runner_outbox ORDER BY message_key"), ["refused", "finished"]);
}

#[test]
fn a_run_waits_for_its_turn_at_a_channel_and_says_when_it_does_not_come() {
    let receiver = HttpReceiver::start([Answer::status(200)]);
    let project = project(&receiver);
    project.run(&["upgrade", "r0001"]).exits(0);
    // As if another runner were sending to the channel, or had died while it did.
    project.execute(
        "INSERT INTO runner_outbox (message_key, channel, event, run_id, message, created_at, attempts, is_asked, claimed_by, \
         claimed_until) SELECT '0', channel, event, run_id, message, created_at, 0, 0, 'another', '2100-01-01T00:00:00.000Z' \
         FROM runner_outbox LIMIT 1",
    );
    let run = upgrade(&project).exits(0);
    assert!(run.stderr.contains("a message to `team` is not delivered yet: another runner sends there"), "{run}");
    assert_eq!(receiver.requests().len(), 1);
    project.execute("UPDATE runner_outbox SET claimed_until = '2020-01-01T00:00:00.000Z' WHERE message_key = '0'");
    project.run(&["notify", "flush"]).exits(0);
    assert_eq!(receiver.requests().len(), 3);
}

#[test]
fn a_runner_that_is_killed_while_it_sends_leaves_the_message_to_the_next() {
    let receiver = HttpReceiver::start([Answer::Hang]);
    let project = project(&receiver);
    project.edit("runner.toml", "\"2s\"", "\"60s\"");
    let mut child = project.spawn(&["upgrade"]);
    while receiver.requests().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it sent anything");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(project.query("SELECT count(*) FROM runner_outbox WHERE claimed_by IS NOT NULL"), ["1"]);
    receiver.answers_now([Answer::status(200)]);
    // Its claim still holds; once that is over, others may.
    project.run(&["notify", "flush"]).exits(4);
    assert_eq!(receiver.requests().len(), 1);
    project.execute("UPDATE runner_outbox SET claimed_until = '2020-01-01T00:00:00.000Z'");
    project.run(&["notify", "flush"]).exits(0);
    let keys: Vec<_> =
        receiver.requests().iter().map(|request| request.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[test]
fn an_interrupt_ends_delivery_at_once_and_loses_nothing() {
    let receiver = HttpReceiver::start([Answer::Hang]);
    let project = project(&receiver);
    project.edit("runner.toml", "\"2s\"", "\"4m\"");
    project.edit("runner.toml", "kind = \"webhook\"", "kind = \"webhook\"\ntimeout = \"4m\"");
    let mut child = project.spawn(&["upgrade"]);
    while receiver.requests().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it sent anything");
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let begun = Instant::now();
    let run = project.ended(child).exits(0);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    assert!(run.stdout.contains("Done: 2 applied"), "people have the outcome before messages are sent: {run}");
    assert!(run.stderr.contains("what is not delivered stays"), "{run}");
    assert_eq!(waiting(&project).len(), 1);
    receiver.answers_now([Answer::status(200)]);
    project.run(&["notify", "flush"]).exits(0);
}

#[test]
fn the_lock_is_free_while_messages_are_sent() {
    let receiver = HttpReceiver::start([Answer::Hang]);
    let project = project(&receiver);
    project.edit("runner.toml", "\"2s\"", "\"4m\"");
    project.edit("runner.toml", "kind = \"webhook\"", "kind = \"webhook\"\ntimeout = \"4m\"");
    let mut child = project.spawn(&["upgrade", "r0001"]);
    while receiver.requests().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it sent anything");
        std::thread::sleep(Duration::from_millis(10));
    }
    project.edit("runner.toml", "\"4m\"", "\"1s\"");
    project.run(&["upgrade", "--lock-wait", "0s"]).exits(0);
    assert_eq!(project.versions(), ["r0002"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn mail(project: &Project, server: &SmtpReceiver, more: &str) {
    project.configure(&format!(
        "[notifications]\ntime = \"2s\"\n[channels.mail]\nkind = \"email\"\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"runner <runner@sEcReT.example>\"\nto = [\"${{TO:-ops@sEcReT.example}}\"]\n{more}{TELL_ALL}",
        server.port()
    ));
}

#[test]
fn a_mail_server_gets_a_text_that_nothing_was_smuggled_into() {
    let server = SmtpReceiver::start(Manners::Polite);
    let project = Project::linear(1);
    mail(&project, &server, "tls = \"none\"\nusername = \"sEcReTuser\"\npassword = \"${MAIL_PASSWORD}\"\n");
    project.edit(
        "runner.toml",
        "rules = [{}]",
        "rules = [{ title = \"Done by {actor}\", text = \"{revisions}\\n.\\nQUIT\\nü\" }]",
    );
    let variables = [
        ("MAIL_PASSWORD", "sEcReTpassword"),
        ("RUNNER_ACTOR", "ann\r\nBcc: evil@example.com"),
        ("TO", "a@example.org, b@example.org"),
    ];
    let run = project.run_with(&variables, &["upgrade"]).exits(0);
    says_no_secret(&run);
    assert_eq!(run.stderr, "");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"]);
    assert!(mails[0].login.starts_with("AUTH PLAIN "), "{}", mails[0].login);
    let (head, body) = mails[0].data.split_once("\n\n").unwrap();
    assert!(head.contains("Subject: Done by ann") && head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{head}");
    assert!(body.contains("QUIT"), "{body}");
    let stored = project.query("SELECT message FROM runner_outbox").join("");
    assert!(!stored.contains(SECRET), "{stored}");
}

#[test]
fn mail_servers_that_misbehave_neither_fail_nor_delay_a_run() {
    for (manners, is_dead) in [
        (Manners::HangsBeforeGreeting, false),
        (Manners::RefusesToGreet, true),
        (Manners::GreetsWithoutEnd, false),
        (Manners::CutsOffInMessage, false),
        (Manners::IsBusy, false),
        (Manners::RefusesRecipient, true),
        (Manners::RefusesLogin, true),
    ] {
        let server = SmtpReceiver::start(manners);
        let project = Project::linear(1);
        mail(&project, &server, "tls = \"none\"\nusername = \"sEcReTuser\"\npassword = \"sEcReTpassword\"\n");
        let begun = Instant::now();
        let run = project.run(&["upgrade"]).exits(0);
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        says_no_secret(&run);
        // Not even as a server writes it back.
        assert!(!run.to_string().contains("c0VjUmVU"), "{run}");
        let messages = waiting(&project);
        assert_eq!((messages.len(), &messages[0]["dead"]), (1, &is_dead.into()), "{manners:?}: {messages:?}");
        let stored = project.query("SELECT last_error FROM runner_outbox").join("");
        assert!(!stored.is_empty() && !stored.contains(SECRET) && !stored.contains("c0VjUmVU"), "{stored}");
        server.behaves_now(Manners::HangsAfterMessage);
        project.run(&["notify", "flush", "--dead"]).exits(0);
        assert_eq!(server.mails().len(), 1, "{manners:?}: a message that was taken is not sent again");
    }
}

#[test]
fn receivers_with_tls() {
    let certificate = Certificate::new();
    let project = Project::linear(1);
    project.write("ca.pem", certificate.pem());
    let trusted = [("SSL_CERT_FILE", project.path("ca.pem"))];
    let trusted: Vec<(&str, &str)> = trusted.iter().map(|(name, path)| (*name, path.to_str().unwrap())).collect();
    let hook = HttpReceiver::start_with_tls([Answer::status(200)], &certificate);
    let starttls = SmtpReceiver::start_with_starttls(Manners::Polite, &certificate);
    let implicit = SmtpReceiver::start_with_tls(Manners::Polite, &certificate);
    let plain = SmtpReceiver::start(Manners::Polite);
    let mail = |name: &str, tls: &str, port: u16| {
        format!(
            "[channels.{name}]\nkind = \"email\"\nhost = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nfrom = \"a@example.org\"\nto = [\"b@example.org\"]\n"
        )
    };
    project.configure(&format!(
        "[channels.hook]\nkind = \"webhook\"\nurl = \"{}\"\n{}{}{}",
        hook.url("/"),
        mail("starttls", "starttls", starttls.port()),
        mail("implicit", "implicit", implicit.port()),
        mail("downgraded", "starttls", plain.port())
    ));
    for channel in ["hook", "starttls", "implicit"] {
        let run = project.run_with(&trusted, &["notify", "test", channel]).exits(0);
        assert!(run.stdout.contains("has the message"), "{run}");
        let run = project.run(&["notify", "test", channel]).exits(1);
        assert!(run.stderr.to_lowercase().contains("certificate"), "a stranger's certificate is not trusted: {run}");
    }
    assert_eq!((hook.requests().len(), starttls.mails().len(), implicit.mails().len()), (1, 1, 1));
    assert!(starttls.mails()[0].is_encrypted && implicit.mails()[0].is_encrypted);
    let run = project.run_with(&trusted, &["notify", "test", "downgraded"]).exits(1);
    assert!(run.stderr.contains("STARTTLS is not supported"), "{run}");
    assert_eq!(plain.mails().len(), 0);
}

#[test]
fn a_test_message() {
    let receiver =
        HttpReceiver::start([Answer::with_body(404, "no_service at /hooks/sEcReTpAtH"), Answer::status(200)]);
    let project = project(&receiver);
    snapshot!(project.run(&["notify", "test", "team"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the channel `team` (webhook) has not got the message: the receiver answered 404 Not Found: no_service at ***

      help: a real message would not be tried again
    ");
    let run = project.run(&["notify", "test", "team", "--json"]).exits(0);
    assert_eq!(run.json()["outcome"], "delivered");
    assert_eq!(events(&receiver), ["test", "test"]);
    snapshot!(project.run(&["notify", "test", "taem"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no channel `taem`

      help: did you mean `team`?
      help: known are `team`
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn messages_can_be_discarded() {
    let receiver = HttpReceiver::start([Answer::status(400), Answer::status(500)]);
    let project = project(&receiver);
    upgrade(&project).exits(0);
    project.table_revision(3);
    upgrade(&project).exits(0);
    project.run(&["notify", "discard", "nothing"]).exits(1);
    project.run(&["notify", "discard"]).exits(2);
    project.run(&["notify", "discard", "--dead"]).exits(0);
    let messages = waiting(&project);
    assert_eq!((messages.len(), &messages[0]["dead"]), (1, &false.into()));
    project.run(&["notify", "discard", messages[0]["key"].as_str().unwrap()]).exits(0);
    snapshot!(project.run(&["notify", "list"]), @"
    exit: 0
    --- stdout
    nothing waits to be delivered
    --- stderr
    ");
}

#[test]
fn nothing_secret_is_said_stored_or_logged() {
    let receiver = HttpReceiver::start([Answer::with_body(500, "no: /hooks/sEcReTpAtH?token=sEcReTtoken")]);
    let project = Project::linear(2);
    project.configure(&format!(
        "[notifications]\ntime = \"1s\"\n[channels.team]\nkind = \"webhook\"\nurl = \"${{HOOK}}\"\nsecret = \"${{KEY}}\"\nheaders = {{ Authorization = \"Bearer ${{TOKEN}}\" }}\n[channels.slack]\nkind = \"slack\"\nurl = \"https://sEcReT.invalid/services/sEcReT\"\n{TELL_ALL}"
    ));
    let hook = receiver.url("/hooks/sEcReTpAtH?token=sEcReTtoken");
    let variables =
        [("HOOK", hook.as_str()), ("KEY", "sEcReTsEcReTsEcReT"), ("TOKEN", "sEcReTbearer"), ("RUNNER_LOG", "trace")];
    for arguments in [
        &["upgrade", "r0001"][..],
        &["upgrade", "--json"],
        &["status"],
        &["status", "--json"],
        &["notify", "list"],
        &["notify", "list", "--json"],
        &["notify", "test", "team"],
        &["notify", "test", "slack", "--json"],
        &["notify", "flush", "--time", "500ms"],
        &["notify", "flush", "--time", "500ms", "--json"],
        &["plugin", "list"],
        &["log", "--json"],
        &["downgrade", "-1", "-vv"],
    ] {
        says_no_secret(&project.run_with(&variables, arguments));
    }
    assert_eq!(receiver.requests()[0].header("authorization"), Some("Bearer sEcReTbearer"));
    for table in ["runner_outbox", "runner_ledger"] {
        let rows = project.query(&format!("SELECT * FROM {table}")).join("\n");
        assert!(!rows.is_empty() && !rows.contains(SECRET), "{rows}");
    }
}

#[test]
fn wrong_channels_are_errors_with_key_and_place_and_without_values() {
    for (channel, words) in [
        ("url = \"https://sEcReT.example\"\n", "`channels.team` in `runner.toml`: `kind` is missing"),
        ("kind = \"slack\"\n", "`channels.team.url` in `runner.toml`: it is missing"),
        ("kind = \"slack\"\nurl = \"sEcReT\"\n", "`channels.team.url` in `runner.toml`: this is not a URL"),
        (
            "kind = \"slack\"\nurl = \"http://sEcReT.example/\"\n",
            "`channels.team.url` in `runner.toml`: `http://` sends",
        ),
        ("kind = \"slack\"\nurl = \"${SLACK_URL}\"\n", "the variable `SLACK_URL` is not set, and `channels.team.url`"),
        (
            "kind = \"slack\"\nsecret = \"sEcReT\"\n",
            "`channels.team.secret` in `runner.toml`: a channel of the kind `slack`",
        ),
        (
            "kind = \"webhook\"\nurl = \"https://h.example\"\nsecret = \"sEcReT\"\n",
            "`channels.team.secret` in `runner.toml`: it is shorter",
        ),
        (
            "kind = \"email\"\nhost = \"sEcReT.example\"\ntls = \"none\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\n",
            "`channels.team.tls` in `runner.toml`: `none` sends",
        ),
        (
            "kind = \"email\"\nhost = \"sEcReT.example\"\nfrom = \"sEcReT\"\nto = [\"a@b.c\"]\n",
            "`channels.team.from` in `runner.toml`: this is not an address",
        ),
        (
            "kind = \"email\"\nhost = \"sEcReT.example\"\nfrom = \"a@b.c\"\n",
            "`channels.team.to` in `runner.toml`: nobody is named",
        ),
        (
            "kind = \"file\"\npath = \"a\"\ntimeout = \"soon\"\n",
            "`channels.team.timeout` in `runner.toml`: `soon` is not a duration",
        ),
        ("kind = \"sEcReT/sEcReT\"\n", "runner.toml:4:8"),
        ("kind = \"slack\"\nurrl = \"sEcReT\"\n", "did you mean `url`?"),
    ] {
        let project = Project::linear(1);
        project.configure(&format!("[channels.team]\n{channel}"));
        let run = project.run(&["upgrade"]).exits(2);
        assert!(run.stderr.contains(words), "{channel}: {run}");
        says_no_secret(&run);
        assert_eq!(project.leavings(), [""; 0]);
    }
    let project = Project::linear(1);
    project.configure("[channels.\"a b\"]\nkind = \"stderr\"\n");
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("the name of a channel"));
    project.configure("[notifications]\ntime = \"0s\"\n");
    assert!(project.run(&["upgrade"]).exits(2).stderr.contains("`notifications.time`"));
}

#[test]
fn a_channel_without_an_address_here_is_off() {
    let project = Project::linear(1);
    project.configure(&format!("[channels.team]\nkind = \"slack\"\nurl = \"${{SLACK_URL:-}}\"\n{TELL_ALL}"));
    assert_eq!(project.run(&["upgrade"]).exits(0).stderr, "");
    let run = project.run(&["notify", "test", "team"]).exits(2);
    assert!(run.stderr.contains("is off here"), "{run}");
}

#[test]
fn on_servers() {
    for server in [test_servers::postgres(), test_servers::mysql()] {
        let database = server.database();
        let receiver = HttpReceiver::start([Answer::status(500)]);
        let project = project(&receiver);
        project.edit("runner.toml", "sqlite://app.db", &database.url());
        project.edit(
            "runner.toml",
            "rules = [{}]",
            "rules = [{ events = [\"step-done\", \"step-failed\", \"finished\"] }]",
        );
        project.revision("r0003", "r0002", "", "INSERT INTO missing VALUES (1);", "SELECT 1;");
        let run = upgrade(&project).exits(1);
        says_no_secret(&run);
        assert_eq!(
            database.query("SELECT event FROM runner_outbox WHERE sent_at IS NULL ORDER BY message_key"),
            ["step-done", "step-done", "step-failed"]
        );
        let status = project.run(&["status", "--json"]).json();
        assert_eq!(status["messages"]["waiting"], 3);
        assert_eq!(status["last_run"]["outcome"], "failed");
        receiver.answers_now([Answer::status(200)]);
        let before = receiver.requests().len();
        project.run(&["notify", "flush"]).exits(0);
        assert_eq!(events(&receiver)[before..], ["step-done", "step-done", "step-failed"]);
        assert_eq!(database.query("SELECT count(*) FROM runner_outbox WHERE sent_at IS NULL"), ["0"]);
        project.run(&["check"]);
    }
}

#[test]
fn two_who_flush_at_once_send_nothing_twice() {
    for server in [test_servers::postgres(), test_servers::mysql()] {
        let database = server.database();
        let receiver = HttpReceiver::start([Answer::status(500)]);
        let project = project(&receiver);
        project.edit("runner.toml", "sqlite://app.db", &database.url());
        project.edit("runner.toml", "rules = [{}]", "rules = [{ events = [\"step-done\"] }]");
        for number in 3..=12 {
            project.table_revision(number);
        }
        upgrade(&project).exits(0);
        receiver.answers_now([Answer::status(200)]);
        let before = receiver.requests().len();
        let children: Vec<_> = (0..4).map(|_| project.spawn(&["notify", "flush"])).collect();
        for child in children {
            project.ended(child);
        }
        let sent: Vec<String> = receiver.requests()[before..]
            .iter()
            .map(|request| request.header("idempotency-key").unwrap().to_owned())
            .collect();
        let mut once = sent.clone();
        once.sort();
        once.dedup();
        assert_eq!((sent.len(), &once), (12, &sent), "each once, and in order");
    }
}
