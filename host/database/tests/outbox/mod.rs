//! The outbox, the same for every dialect: whoever includes this has a `support::Target`.

use std::time::Duration;

use runner_database::*;

use crate::support::Target;
use crate::support::info;
use crate::support::run_all;
use crate::support::up;

const LEASE: Duration = Duration::from_secs(60);

fn message(key: &str, channel: &str) -> NewMessage {
    NewMessage {
        key: key.to_owned(),
        channel: channel.to_owned(),
        event: "finished".to_owned(),
        run_id: "run".to_owned(),
        content: r#"{"text":"it's \"é\" \\ ; -- $1 ?"}"#.to_owned(),
        created_at: "2026-11-21T12:00:00.000Z".to_owned(),
        attempts: 0,
        is_dead: false,
        last_error: None,
    }
}

fn keys(messages: &[OutboxMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.key.as_str()).collect()
}

fn claim<'a>(by: &'a str, channels: &'a [&'a str]) -> Claim<'a> {
    Claim { by, lease: LEASE, channels, eager: &[] }
}

fn settled(key: &str, settlement: Settlement) -> SettledMessage {
    SettledMessage { key: key.to_owned(), attempts: 1, settlement }
}

fn waits(after: Duration, is_asked: bool) -> Settlement {
    Settlement::Waits { error: "it's busy".to_owned(), after, is_asked }
}

fn stamp(revision: &str) -> StepScript {
    StepScript { action: Action::Stamp, ..up(revision, None, &[]) }
}

/// A database that is there, because only a run makes one.
async fn target() -> Target {
    let target = Target::new();
    let mut session = target.locked().await;
    run_all(&mut session, &[stamp("first")], TransactionMode::PerRevision).await.unwrap();
    session.close().await.unwrap();
    target
}

#[tokio::test]
async fn messages_are_stored_once_and_read_back() {
    let target = target().await;
    let mut session = target.write().await;
    assert_eq!(session.unsent_messages(10).await.unwrap(), []);
    assert_eq!(session.claim_messages(&claim("me", &["a"])).await.unwrap(), []);
    session.store_messages(&[message("k2", "a"), message("k1", "b")]).await.unwrap();
    let again = NewMessage { content: "{}".to_owned(), ..message("k1", "b") };
    session.store_messages(&[again, message("k3", "a")]).await.unwrap();
    let found = session.unsent_messages(10).await.unwrap();
    assert_eq!(keys(&found), ["k1", "k2", "k3"]);
    assert_eq!(found[0].content, message("k1", "b").content);
    assert_eq!((found[0].attempts, &found[0].last_error, &found[0].failed_at), (0, &None, &None));
    assert_eq!(keys(&session.unsent_messages(2).await.unwrap()), ["k1", "k2"]);
    session.close().await.unwrap();
    assert_eq!(target.read().await.unsent_messages(10).await.unwrap().len(), 3);
    let refused = target.read().await.store_messages(&[message("k4", "a")]).await;
    assert!(matches!(refused, Err(Error::ReadOnly)), "{refused:?}");
}

#[tokio::test]
async fn two_runners_never_have_the_same_message() {
    let target = target().await;
    let (mut one, mut other) = (target.write().await, target.write().await);
    one.store_messages(&[message("k1", "a"), message("k2", "b")]).await.unwrap();
    assert_eq!(keys(&one.claim_messages(&claim("one", &["a"])).await.unwrap()), ["k1"]);
    // What comes later to a channel that somebody sends to waits for him.
    one.store_messages(&[message("k3", "a")]).await.unwrap();
    assert_eq!(keys(&other.claim_messages(&claim("other", &["a", "b", "gone"])).await.unwrap()), ["k2"]);
    assert_eq!(keys(&one.claim_messages(&claim("one", &["a", "b"])).await.unwrap()), ["k1", "k3"]);
    one.settle_messages("one", &[settled("k1", Settlement::Sent)]).await.unwrap();
    assert_eq!(keys(&one.unsent_messages(9).await.unwrap()), ["k2", "k3"]);
    one.release_messages("one").await.unwrap();
    assert_eq!(keys(&other.claim_messages(&claim("other", &["a"])).await.unwrap()), ["k3"]);
}

#[tokio::test]
async fn claims_of_a_dead_runner_expire() {
    let target = target().await;
    let (mut dead, mut other) = (target.write().await, target.write().await);
    dead.store_messages(&[message("k1", "a")]).await.unwrap();
    let short = Claim { lease: Duration::from_millis(1500), ..claim("dead", &["a"]) };
    assert_eq!(dead.claim_messages(&short).await.unwrap().len(), 1);
    assert_eq!(other.claim_messages(&claim("other", &["a"])).await.unwrap(), []);
    while other.claim_messages(&claim("other", &["a"])).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // He has sent it after all, and says so too late; it must not be sent once more. A failure he may not report.
    dead.settle_messages("dead", &[settled("k1", Settlement::Dead { error: "no".to_owned() })]).await.unwrap();
    assert_eq!(other.unsent_messages(9).await.unwrap()[0].failed_at, None);
    dead.settle_messages("dead", &[settled("k1", Settlement::Sent)]).await.unwrap();
    assert_eq!(other.unsent_messages(9).await.unwrap(), []);
}

#[tokio::test]
async fn a_message_waits_until_it_is_due() {
    let target = target().await;
    let mut session = target.write().await;
    session.store_messages(&[message("k1", "a"), message("k2", "a"), message("k3", "b")]).await.unwrap();
    assert_eq!(session.claim_messages(&claim("me", &["a", "b"])).await.unwrap().len(), 3);
    let an_hour = Duration::from_secs(3600);
    session
        .settle_messages("me", &[settled("k1", waits(an_hour, false)), settled("k3", waits(an_hour, true))])
        .await
        .unwrap();
    session.release_messages("me").await.unwrap();
    let found = session.unsent_messages(9).await.unwrap();
    assert_eq!((found[0].attempts, found[0].last_error.as_deref()), (1, Some("it's busy")));
    let next = found[0].next_attempt_at.as_deref().unwrap();
    assert!(next.len() == 24 && next.ends_with('Z') && next > "2026-11-21T12:00:00.000Z", "{next}");
    assert_eq!(session.claim_messages(&claim("me", &["a", "b"])).await.unwrap(), []);
    // Whoever has news for a channel tries it, unless the receiver has asked to be left alone.
    let eager = Claim { eager: &["a", "b"], ..claim("me", &["a", "b"]) };
    assert_eq!(keys(&session.claim_messages(&eager).await.unwrap()), ["k1", "k2"]);
}

#[tokio::test]
async fn a_channel_that_nobody_answers_hides_no_other() {
    let target = target().await;
    let mut session = target.write().await;
    let many: Vec<NewMessage> = (0..300).map(|number| message(&format!("a{number:03}"), "a")).collect();
    session.store_messages(&many).await.unwrap();
    session.store_messages(&[message("z1", "b")]).await.unwrap();
    let tried = session.claim_messages(&claim("me", &["a"])).await.unwrap();
    let later: Vec<_> = tried.iter().map(|one| settled(&one.key, waits(LEASE, true))).collect();
    session.settle_messages("me", &later).await.unwrap();
    assert_eq!(keys(&session.claim_messages(&claim("me", &["a", "b"])).await.unwrap()), ["z1"]);
}

/// Somebody has locked the table: the message is not stored now, and the session goes on as before.
#[tokio::test]
async fn a_message_waits_for_nobody() {
    let target = target().await;
    let mut session = target.locked().await;
    session.store_messages(&[message("k1", "a")]).await.unwrap();
    let holding = target.holding("runner_outbox").await;
    let error = session.store_messages(&[message("k2", "a")]).await.unwrap_err();
    assert!(!matches!(error, Error::ConnectionLost { .. }), "{error:?}");
    drop(holding);
    run_all(&mut session, &[stamp("second")], TransactionMode::PerRevision).await.unwrap();
    session.store_messages(&[message("k2", "a")]).await.unwrap();
    assert_eq!(keys(&session.unsent_messages(9).await.unwrap()), ["k1", "k2"]);
}

#[tokio::test]
async fn policies_do_not_see_the_table() {
    let target = target().await;
    target.write().await.store_messages(&[message("k1", "a")]).await.unwrap();
    let facts = target.read().await.facts(Duration::from_secs(10)).await.unwrap();
    assert!(facts.relations.is_empty(), "{:?}", facts.relations);
}

#[tokio::test]
async fn what_was_delivered_is_forgotten_after_a_month() {
    let target = target().await;
    let mut session = target.write().await;
    session.store_messages(&[message("k1", "a"), message("k2", "a")]).await.unwrap();
    session.claim_messages(&claim("me", &["a"])).await.unwrap();
    session.settle_messages("me", &[settled("k2", Settlement::Sent), settled("k1", Settlement::Sent)]).await.unwrap();
    target.change("UPDATE runner_outbox SET sent_at = '2026-01-01T00:00:00.000Z' WHERE message_key = 'k1'").await;
    session.prune_messages().await.unwrap();
    // A key that is known is not stored again.
    session.store_messages(&[message("k1", "a"), message("k2", "a")]).await.unwrap();
    assert_eq!(keys(&session.unsent_messages(9).await.unwrap()), ["k1"]);
}

#[tokio::test]
async fn dead_letters_are_kept_until_somebody_decides() {
    let target = target().await;
    let mut session = target.write().await;
    let dead = NewMessage { is_dead: true, last_error: Some("404".to_owned()), ..message("k2", "a") };
    session.store_messages(&[message("k1", "a"), dead, message("k3", "a")]).await.unwrap();
    assert_eq!(keys(&session.claim_messages(&claim("me", &["a"])).await.unwrap()), ["k1", "k3"]);
    session.settle_messages("me", &[settled("k1", Settlement::Dead { error: "gone".to_owned() })]).await.unwrap();
    session.release_messages("me").await.unwrap();
    let dead: Vec<_> =
        session.unsent_messages(9).await.unwrap().into_iter().filter(|one| one.failed_at.is_some()).collect();
    assert_eq!(keys(&dead), ["k1", "k2"]);
    session.revive_messages(Some(&["k2"])).await.unwrap();
    assert_eq!(keys(&session.claim_messages(&claim("me", &["a"])).await.unwrap()), ["k2", "k3"]);
    session.revive_messages(None).await.unwrap();
    assert_eq!(session.claim_messages(&claim("me", &["a"])).await.unwrap().len(), 3);
    session.discard_messages(&["k1", "k3"]).await.unwrap();
    assert_eq!(keys(&session.unsent_messages(9).await.unwrap()), ["k2"]);
}

#[tokio::test]
async fn a_run_stores_between_its_steps() {
    let target = target().await;
    let mut session = target.locked().await;
    let mut run = session.start_run(info("second"), TransactionMode::PerRevision).await.unwrap();
    run.step(&stamp("second"), &mut |_| {}).await.unwrap();
    assert!(run.store_messages(&[message("k1", "a")]).await.unwrap());
    run.step(&stamp("third"), &mut |_| {}).await.unwrap();
    run.abort("the process was killed").await.unwrap();
    session.store_messages(&[message("k2", "a")]).await.unwrap();
    drop(session);
    assert_eq!(keys(&target.read().await.unsent_messages(9).await.unwrap()), ["k1", "k2"]);
}

#[tokio::test]
async fn the_table_is_named_after_the_ledger() {
    let mut target = target().await;
    target.options.ledger_table = "acme_ledger".to_owned();
    let mut session = target.locked().await;
    run_all(&mut session, &[stamp("x")], TransactionMode::PerRevision).await.unwrap();
    session.store_messages(&[message("k1", "a")]).await.unwrap();
    session.close().await.unwrap();
    target.options.ledger_table = "runner_ledger".to_owned();
    assert_eq!(target.read().await.unsent_messages(9).await.unwrap(), []);
    target.options.ledger_table = "acme_ledger".to_owned();
    assert_eq!(target.read().await.unsent_messages(9).await.unwrap().len(), 1);
}
