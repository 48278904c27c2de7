//! Nothing that a policy does is left for the next call, of itself or of another policy.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use runner_policy::Outcome;
use runner_policy::Policies;

use crate::support::Folder;
use crate::support::ROLES;
use crate::support::consult;
use crate::support::denial;
use crate::support::host;
use crate::support::request;
use crate::support::rule;
use crate::support::set;

/// Counts its calls in a global and in memory, and says how many it has seen of either.
fn counting() -> Component {
    let count = "
        (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
        (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))";
    Component::gate().fields("(global $calls (mut i64) (i64.const 0))").body(
        Function::Review,
        &format!(
            "{count}
            (local.set $at (call $allocate (i32.const 16)))
            (call $hex (local.get $at) (global.get $calls))
            (call $hex (i32.add (local.get $at) (i32.const 8)) (i64.load (i32.const 8)))
            (call $put (i32.add (local.get $answer) (i32.const 24)) (local.get $at) (i32.const 2))"
        ),
    )
}

#[tokio::test]
async fn every_call_is_the_first() {
    let folder = Folder::new();
    let policies = Policies::load(&host(), &set([folder.plugin("counter", counting().bytes())]), &ROLES).await;
    for call in 1..=5 {
        let request = request();
        let identity = policies.identify(&request.context).await;
        let review = policies.review(request, &identity).await;
        assert_eq!(review.outcome, Outcome::Allowed);
        let seen: Vec<_> = review.notices.iter().map(|notice| notice.text.as_str()).collect();
        assert_eq!(seen, ["0000000000000001", "0000000000000001"], "call {call}");
    }
}

#[tokio::test]
async fn two_plugins_of_one_file_share_nothing() {
    let folder = Folder::new();
    let bytes = counting().bytes();
    let set = set([folder.plugin("first", &bytes), folder.plugin("second", &bytes)]);
    let (_, review) = consult(&host(), &set, request()).await;
    let seen: Vec<_> = review.notices.iter().map(|notice| (notice.plugin.as_str(), notice.text.as_str())).collect();
    let once = "0000000000000001";
    assert_eq!(seen, [("first", once), ("first", once), ("second", once), ("second", once)]);
}

/// Fuel and memory of a call are its own: a policy that uses nearly all of them can do so in every call.
#[tokio::test]
async fn limits_start_anew_with_every_call() {
    let folder = Folder::new();
    let greedy = Component::gate().body(
        Function::Review,
        "(if (i32.eq (memory.grow (i32.const 900)) (i32.const -1)) (then unreachable))
        (local.set $count (i32.const 15000000))
        (loop $more
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $more (local.get $count)))",
    );
    let policies = Policies::load(&host(), &set([folder.plugin("greedy", greedy.bytes())]), &ROLES).await;
    for call in 1..=4 {
        let request = request();
        let identity = policies.identify(&request.context).await;
        let review = policies.review(request, &identity).await;
        assert_eq!(review.outcome, Outcome::Allowed, "call {call}: {review:#?}");
    }
}

#[tokio::test]
async fn a_policy_that_fails_does_not_disturb_the_others() {
    let folder = Folder::new();
    let good = Component::gate().body(Function::Review, &bodies::notice("still here"));
    for (body, expected) in [
        (bodies::TRAP, "plugin-trap"),
        (bodies::ENDLESS, "limit-fuel"),
        ("(drop (memory.grow (i32.const 60000)))", "limit-memory"),
    ] {
        let evil = Component::gate().body(Function::Review, body);
        let set = set([folder.plugin("evil", evil.bytes()), folder.plugin("good", good.bytes())]);
        let policies = Policies::load(&host(), &set, &ROLES).await;
        for _ in 0..2 {
            let request = request();
            let identity = policies.identify(&request.context).await;
            let review = policies.review(request, &identity).await;
            assert_eq!(rule(&denial(&review, "evil")), expected);
            assert_eq!(review.notices.len(), 1);
            assert_eq!(review.notices[0].text, "still here");
        }
    }
}

/// Settings and variables of one plugin are never in the context of another.
#[tokio::test]
async fn a_plugin_sees_its_own_settings_alone() {
    let folder = Folder::new();
    // Shows its settings as a notice.
    let show = Component::gate().body(
        Function::Review,
        "(call $put (i32.add (local.get $answer) (i32.const 24))
            (i32.add (local.get $arguments) (i32.const 80)) (i32.const 1))",
    );
    let mut first = folder.plugin("first", show.bytes());
    first.settings.insert("colour".to_owned(), "red".into());
    let second = folder.plugin("second", show.bytes());
    let (_, review) = consult(&host(), &set([first, second]), request()).await;
    let seen: Vec<_> = review.notices.iter().map(|notice| (notice.plugin.as_str(), notice.text.as_str())).collect();
    assert_eq!(seen, [("first", r#"{"colour":"red"}"#), ("second", "{}")]);
}
