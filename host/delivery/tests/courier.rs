//! The courier with real receivers on loopback.

#![expect(clippy::unwrap_used, reason = "what a test sets up must work")]

use std::time::Duration;

use runner_delivery::Attempt;
use runner_delivery::Channel;
use runner_delivery::Channels;
use runner_delivery::Courier;
use runner_delivery::Fate;
use runner_delivery::Letter;
use runner_delivery::Notice;
use runner_delivery::Occasion;
use runner_delivery::Secret;
use runner_delivery::Settled;
use runner_delivery::Severity;
use runner_delivery::Wording;
use test_receivers::Answer;
use test_receivers::HttpReceiver;

fn notice(key: &str, channel: &str) -> Notice {
    Notice {
        key: key.to_owned(),
        created_at: jiff::Timestamp::now().to_string(),
        channel: channel.to_owned(),
        message: Wording {
            severity: Severity::Info,
            title: "Done".to_owned(),
            text: String::new(),
            fields: Vec::new(),
        },
        occasion: Occasion {
            event: "finished".to_owned(),
            details: serde_json::Map::new(),
            run_id: "r".to_owned(),
            operation: "upgrade".to_owned(),
            environment: "test".to_owned(),
            production: None,
            target: "sqlite://a.db".to_owned(),
            actor: "ann".to_owned(),
            host: "h".to_owned(),
            plan_hash: String::new(),
        },
    }
}

fn webhook(name: &str, receiver: &HttpReceiver) -> Channel {
    Channel::webhook(name, &Secret::new(receiver.url("/hook")), None, Vec::new(), false).unwrap()
}

async fn deliver(channels: &Channels, keys: &[(&str, &str)], time: Duration) -> Vec<Settled> {
    let letters = keys.iter().map(|(key, channel)| Letter { notice: notice(key, channel), attempts: 3 }).collect();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    Courier::with(time).deliver(channels, letters, &sender).await;
    drop(sender);
    let mut settled = Vec::new();
    while let Some(one) = receiver.recv().await {
        settled.push(one);
    }
    settled
}

fn fates(settled: &[Settled]) -> Vec<String> {
    let word = |fate: &Fate| match fate {
        Fate::Delivered => "delivered",
        Fate::Dead { .. } => "dead",
        Fate::Waits { is_asked: true, .. } => "asked to wait",
        Fate::Waits { .. } => "waits",
    };
    settled.iter().map(|one| format!("{} {} {}", one.key, word(&one.fate), one.attempts)).collect()
}

#[tokio::test]
async fn a_channel_keeps_its_order_whatever_happens() {
    let receiver =
        HttpReceiver::start([Answer::status(500), Answer::status(200), Answer::status(410), Answer::status(200)]);
    let mut channels = Channels::default();
    channels.add(webhook("a", &receiver));
    let keys = [("1", "a"), ("2", "a"), ("3", "a"), ("4", "gone")];
    let settled = deliver(&channels, &keys, Duration::from_secs(30)).await;
    assert_eq!(fates(&settled), ["1 delivered 5", "2 dead 4", "3 delivered 4"]);
    let heard: Vec<_> =
        receiver.requests().iter().map(|request| request.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!(heard, ["1", "1", "2", "3"]);
}

#[tokio::test]
async fn what_has_to_wait_keeps_the_rest_of_its_channel_waiting_and_nobody_else() {
    let (busy, free) = (
        HttpReceiver::start([Answer::with_header(503, "Retry-After", "600")]),
        HttpReceiver::start([Answer::status(200)]),
    );
    let mut channels = Channels::default();
    channels.add(webhook("busy", &busy));
    channels.add(webhook("free", &free));
    let keys = [("1", "busy"), ("2", "busy"), ("3", "free")];
    let mut settled = deliver(&channels, &keys, Duration::from_secs(30)).await;
    settled.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(fates(&settled), ["1 asked to wait 4", "3 delivered 4"]);
    assert!(matches!(settled[0].fate, Fate::Waits { after, .. } if after == Duration::from_secs(600)));
    assert_eq!(busy.requests().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_asks_for_no_time_is_not_hurried() {
    let receiver = HttpReceiver::start([Answer::with_header(429, "Retry-After", "0")]);
    let mut channels = Channels::default();
    channels.add(webhook("a", &receiver));
    let settled = deliver(&channels, &[("1", "a")], Duration::from_secs(1)).await;
    assert_eq!(settled.len(), 1);
    // 0, 0.125 to 0.25 and 0.375 to 0.75 s after the first.
    assert!(receiver.requests().len() <= 4, "{}", receiver.requests().len());
}

#[tokio::test]
async fn a_message_that_nobody_takes_for_a_week_is_given_up() {
    let receiver = HttpReceiver::start([Answer::status(500)]);
    let channel = webhook("a", &receiver);
    let mut channels = Channels::default();
    channels.add(channel);
    let week = Duration::from_secs(8 * 24 * 60 * 60);
    let old = Notice { created_at: (jiff::Timestamp::now() - week).to_string(), ..notice("1", "a") };
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let letters = vec![Letter { notice: old, attempts: 3 }];
    Courier::with(Duration::from_millis(200)).deliver(&channels, letters, &sender).await;
    let settled = receiver.recv().await.unwrap();
    assert!(matches!(&settled.fate, Fate::Dead { why } if why.ends_with("(tried for a week)")), "{settled:?}");
}

#[tokio::test]
async fn a_part_of_a_secret_is_one() {
    let said = format!("{} Bearer sEcReT88sEcReT88", "x".repeat(4 * 1024 - 20));
    let receiver = HttpReceiver::start([Answer::with_body(400, &said), Answer::with_body(400, &said[3880..])]);
    let headers = vec![("Authorization".to_owned(), Secret::new("Bearer sEcReT88sEcReT88"))];
    let channel = Channel::webhook("a", &Secret::new(receiver.url("/hook")), None, headers, false).unwrap();
    for _ in 0..2 {
        let Attempt::Never { why } = channel.attempt(&notice("1", "a"), Duration::from_secs(10)).await else {
            panic!("it was not refused");
        };
        assert!(!why.contains("sEcReT"), "{why}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_no_more_than_there_is() {
    let receiver = HttpReceiver::start([Answer::Hang]);
    let mut channels = Channels::default();
    channels.add(webhook("a", &receiver));
    let settled = deliver(&channels, &[("1", "a"), ("2", "a")], Duration::from_millis(300)).await;
    assert_eq!(fates(&settled), ["1 waits 4"]);
}

#[tokio::test]
async fn nothing_that_a_receiver_says_gives_an_address_away() {
    let receiver = HttpReceiver::start([Answer::with_body(400, "no /services/sEcReT99 for Bearer sEcReT88 here")]);
    let headers = vec![("Authorization".to_owned(), Secret::new("Bearer sEcReT88"))];
    let channel =
        Channel::webhook("a", &Secret::new(receiver.url("/services/sEcReT99")), None, headers, false).unwrap();
    let Attempt::Never { why } = channel.attempt(&notice("1", "a"), Duration::from_secs(10)).await else {
        panic!("it was not refused");
    };
    assert_eq!(why, "the receiver answered 400 Bad Request: no *** for *** here");
}

#[tokio::test]
async fn a_file_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_secs(10);
    let channel = Channel::file("a", folder.path().join("news.jsonl")).unwrap();
    for key in ["1", "2"] {
        assert_eq!(channel.attempt(&notice(key, "a"), limit).await, Attempt::Delivered);
    }
    let text = std::fs::read_to_string(folder.path().join("news.jsonl")).unwrap();
    let keys: Vec<String> = text.lines().map(|line| serde_json::from_str::<Notice>(line).unwrap().key).collect();
    assert_eq!(keys, ["1", "2"]);
    for (path, reason) in
        [(folder.path().to_owned(), "not a regular file"), (folder.path().join("no/such"), "No such file")]
    {
        let attempt = Channel::file("a", path).unwrap().attempt(&notice("1", "a"), limit).await;
        assert!(matches!(&attempt, Attempt::Again { why, .. } if why.contains(reason)), "{attempt:?}");
    }
}
