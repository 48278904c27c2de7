//! Webhooks: what they get, how it is verified, and receivers that refuse, ask for time, redirect or hang.

use std::time::Duration;
use std::time::Instant;

use test_receivers::Answer;
use test_receivers::HttpReceiver;

use crate::harness::Project;
use crate::snapshot;

use super::BOUND;
use super::SECRET;
use super::events;
use super::project;
use super::says_no_secret;
use super::upgrade;
use super::waiting;

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
