//! Messages that wait: in the target or in a file, claimed by one runner, lost by none.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use std::time::Instant;

use test_receivers::Answer;
use test_receivers::HttpReceiver;

use super::BOUND;
use super::SECRET;
use super::events;
use super::project;
use super::says_no_secret;
use super::upgrade;
use super::waiting;
use super::waiting_at;

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
