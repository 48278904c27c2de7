//! What a policy writes to the log: under its name, with control characters visible, and not without end.

use policy_components::Component;
use policy_components::Function;
use runner_policy::Limits;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;

use crate::support::Folder;
use crate::support::Line;
use crate::support::Log;
use crate::support::patient;
use crate::support::review;

/// Lines of a gate with this body, which is allowed to take its time.
async fn lines(body: &str, limits: Limits) -> Vec<Line> {
    let folder = Folder::new();
    let component = Component::gate().body(Function::Review, body);
    let plugin = PluginDefinition { limits, ..folder.plugin("chatty", component.bytes()) };
    let (log, _guard) = Log::listen();
    let review = review(plugin).await;
    assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
    log.lines().into_iter().filter(|line| line.plugin == "chatty").collect()
}

#[tokio::test]
async fn a_line_carries_level_and_plugin() {
    let body = r#"(call $log (i32.const 0) (text "detail"))
        (call $log (i32.const 1) (text "news"))
        (call $log (i32.const 2) (text "danger"))"#;
    let lines = lines(body, patient()).await;
    let said: Vec<_> = lines.iter().map(|line| (line.level.as_str(), line.message.as_str())).collect();
    assert_eq!(said, [("DEBUG", "detail"), ("INFO", "news"), ("WARN", "danger")]);
}

#[tokio::test]
async fn escapes_in_a_line_are_visible() {
    let lines = lines(r#"(call $log (i32.const 2) (text "a\1b[2J\0d\0aerror: b"))"#, patient()).await;
    assert_eq!(lines[0].message, "a\\u{1b}[2J\\u{d} error: b");
}

fn flood(text: &str, count: usize) -> String {
    format!(
        "(loop $more
            (call $log (i32.const 2) (text \"{text}\"))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $count) (i32.const {count}))))"
    )
}

#[tokio::test]
async fn a_flood_is_cut_off_and_counted() {
    let lines = lines(&flood(&"x".repeat(100), 2000), Limits { log: 1000, ..patient() }).await;
    // The end of a line counts as well.
    assert_eq!(lines.len(), 10);
    assert!(lines[..9].iter().all(|line| line.message.len() == 100));
    assert!(lines[9].message.contains("1991 log lines"), "{:?}", lines[9]);
}

#[tokio::test]
async fn a_flood_of_empty_lines_is_cut_off_as_well() {
    let limits = Limits { log: 1000, ..patient() };
    let lines = lines(&flood("", 20_000), limits).await;
    assert!(lines.len() <= 1001, "{} lines within a limit of 1000 bytes", lines.len());
}

#[tokio::test]
async fn a_line_that_is_too_long_is_dropped_and_counted() {
    let body = "(drop (memory.grow (i32.const 20)))
        (call $log (i32.const 2) (i32.const 65536) (i32.const 1000000))";
    let lines = lines(body, patient()).await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].message.contains("1 log line"), "{:?}", lines[0]);
}
