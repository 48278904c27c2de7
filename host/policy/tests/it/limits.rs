//! Whatever a policy does to use too much ends its call, counts as a denial and names it.

use std::time::Duration;

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use policy_components::bodies;
use runner_policy::Limits;
use runner_policy::Outcome;

use crate::support::Folder;
use crate::support::denial;
use crate::support::patient;
use crate::support::refusal;
use crate::support::review;
use crate::support::review_of;
use crate::support::rule;

/// So much fuel that the clock strikes first.
const ENDLESS_FUEL: u64 = u64::MAX / 2;

async fn each_role(body: &str, fields: &str, limits: Limits, expected: &str, message: &str) {
    for role in Role::ALL {
        let component = Component::of(&[role]).body(role.question(), body).fields(fields);
        let verdict = refusal(role, &component, limits.clone()).await;
        assert_eq!(rule(&verdict), expected, "{role:?}: {verdict:#?}");
        assert_eq!(verdict.role.map(runner_policy::Role::name), Some(role.name()));
        assert_eq!(verdict.version.as_deref(), Some("1.0.0"));
        assert!(verdict.message.contains(message), "{role:?}: {}", verdict.message);
        assert!(verdict.help.is_some());
    }
}

#[tokio::test]
async fn a_trap_denies() {
    each_role(bodies::TRAP, "", patient(), "plugin-trap", " failed: ").await;
}

#[tokio::test]
async fn an_endless_loop_runs_out_of_fuel() {
    let limits = Limits { fuel: 3_000_000, time: Duration::from_secs(60), ..patient() };
    each_role(bodies::ENDLESS, "", limits, "limit-fuel", "used up its fuel of 3000000").await;
}

#[tokio::test]
async fn an_endless_loop_runs_out_of_time() {
    let limits = Limits { fuel: ENDLESS_FUEL, time: Duration::from_millis(200), ..patient() };
    each_role(bodies::ENDLESS, "", limits, "limit-time", "gave no answer within 200ms").await;
}

#[tokio::test]
async fn endless_recursion_runs_out_of_stack() {
    let deep = "(func $deep (param $depth i32) (result i32)
        (i32.add (i32.const 1) (call $deep (i32.add (local.get $depth) (i32.const 1)))))";
    each_role("(drop (call $deep (i32.const 0)))", deep, patient(), "limit-stack", "used up its stack").await;
}

#[tokio::test]
async fn memory_taken_at_once_is_refused() {
    let limits = Limits { memory: 8 << 20, ..patient() };
    let grow = "(drop (memory.grow (i32.const 40000)))";
    each_role(grow, "", limits, "limit-memory", "of memory, its limit is 8.0 MiB").await;
}

#[tokio::test]
async fn memory_taken_in_small_steps_is_refused() {
    let grow = "(loop $more (drop (memory.grow (i32.const 1))) (br $more))";
    each_role(grow, "", patient(), "limit-memory", "its limit is 64.0 MiB").await;
}

#[tokio::test]
async fn tables_count_as_memory() {
    let table = "(table $table 1 funcref)";
    let grow = "(loop $more (drop (table.grow $table (ref.null func) (i32.const 100000))) (br $more))";
    each_role(grow, table, patient(), "limit-memory", "its limit is 64.0 MiB").await;
}

#[tokio::test]
async fn several_memories_share_one_limit() {
    let component = Component::gate().fields("(memory $second 0) (memory $third 0)").body(
        Function::Review,
        "(drop (memory.grow $second (i32.const 90))) (drop (memory.grow $third (i32.const 90)))",
    );
    let limits = Limits { memory: 8 << 20, ..patient() };
    assert_eq!(rule(&refusal(Role::Gate, &component, limits).await), "limit-memory");
    let review = review_of(&component).await;
    assert_eq!(review.outcome, Outcome::Allowed, "64 MiB are enough for both");
}

#[tokio::test]
async fn memory_asked_for_at_the_start_is_refused() {
    for fields in ["(memory $huge 60000)", "(table $huge 9000000 funcref)"] {
        let verdict = refusal(Role::Gate, &Component::gate().fields(fields), patient()).await;
        assert_eq!(rule(&verdict), "limit-memory", "{fields}: {verdict:#?}");
        assert_eq!(verdict.role, None, "it can't even say who it is");
    }
}

/// Garbage-collected objects live outside linear memory; they are either not there or counted.
#[tokio::test]
async fn objects_of_the_collector_are_no_way_around_the_limit() {
    let component =
        Component::gate().fields("(type $bytes (array (mut i8))) (table $kept 1000 (ref null $bytes))").body(
            Function::Review,
            "(loop $more
                (table.set $kept (local.get $count) (array.new $bytes (i32.const 1) (i32.const 1000000)))
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $count) (i32.const 1000))))",
        );
    let limits = Limits { fuel: ENDLESS_FUEL, time: Duration::from_secs(20), ..patient() };
    let verdict = refusal(Role::Gate, &component, limits).await;
    assert!(["limit-memory", "plugin-not-a-component"].contains(&rule(&verdict)), "{verdict:#?}");
}

/// Waiting on a shared memory would block the host's thread, where neither fuel nor clock reach.
#[tokio::test]
async fn shared_memory_is_not_offered() {
    let component = Component::gate()
        .fields("(memory $shared 1 1 shared)")
        .body(Function::Review, "(drop (memory.atomic.wait32 $shared (i32.const 0) (i32.const 0) (i64.const -1)))");
    let folder = Folder::new();
    let verdict = denial(&review(folder.plugin("evil", component.bytes())).await, "evil");
    assert_eq!(rule(&verdict), "plugin-not-a-component", "{verdict:#?}");
}

/// One instruction that does the work of millions must cost as much, or be interrupted.
#[tokio::test]
async fn filling_memory_again_and_again_ends_in_time() {
    let component = Component::gate().body(
        Function::Review,
        "(drop (memory.grow (i32.const 500)))
        (loop $more
            (memory.fill (i32.const 65536) (local.get $count) (i32.const 30000000))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $count) (i32.const 3000))))",
    );
    let limits = Limits { time: Duration::from_millis(200), ..patient() };
    let verdict = refusal(Role::Gate, &component, limits).await;
    assert!(["limit-time", "limit-fuel"].contains(&rule(&verdict)), "{verdict:#?}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_taken() {
    // "I can't decide" in 20 MB, which fit into the guest's memory.
    let long = "(drop (memory.grow (i32.const 400)))
        (i32.store8 (local.get $answer) (i32.const 1))
        (call $put (i32.add (local.get $answer) (i32.const 4)) (i32.const 65536) (i32.const 20000000))";
    each_role(long, "", patient(), "limit-answer", "gave an answer larger than 16.0 MiB").await;
}

#[tokio::test]
async fn a_long_list_is_too_large_as_well() {
    // 700 000 notices, all of them the same empty text: small in the guest, large in the host.
    let component = Component::gate().body(
        Function::Review,
        "(drop (memory.grow (i32.const 100)))
        (call $put (i32.add (local.get $answer) (i32.const 24)) (i32.const 65536) (i32.const 700000))",
    );
    assert_eq!(rule(&refusal(Role::Gate, &component, patient()).await), "limit-answer");
    let small = Limits { answer: 1000, ..patient() };
    let allowed = Component::gate().body(Function::Review, &bodies::notice(&"x".repeat(2000)));
    let verdict = refusal(Role::Gate, &allowed, small).await;
    assert!(verdict.message.ends_with("gave an answer larger than 1000 B"), "{}", verdict.message);
}

#[tokio::test]
async fn the_stack_is_as_deep_as_configured() {
    let body = |depth: u32| format!("(drop (call $deep (i32.const {depth})))");
    let deep = "(func $deep (param $depth i32) (result i32)
        (if (i32.eqz (local.get $depth)) (then (return (i32.const 0))))
        (i32.add (i32.const 1) (call $deep (i32.sub (local.get $depth) (i32.const 1)))))";
    let component = Component::gate().fields(deep).body(Function::Review, &body(40_000));
    let folder = Folder::new();
    let plugin = |stack| {
        let limits = Limits { stack, ..patient() };
        runner_policy::PluginDefinition { limits, ..folder.plugin("evil", component.bytes()) }
    };
    let verdict = denial(&review(plugin(64 << 10)).await, "evil");
    assert_eq!(rule(&verdict), "limit-stack");
    assert!(verdict.message.contains("used up its stack of 64.0 KiB"), "{}", verdict.message);
    assert!(verdict.help.unwrap().contains("`limits = { stack = … }` in `[plugins.evil]`"));
    assert_eq!(review(plugin(16 << 20)).await.outcome, Outcome::Allowed, "the same code on a larger stack");
}

/// Neither fuel nor the timer notices a guest that calls and calls.
#[tokio::test]
async fn calls_of_the_host_are_counted() {
    let flood = "(loop $more (call $log (i32.const 0) (text \"x\")) (br $more))";
    let limits = Limits { host_calls: 500, ..patient() };
    each_role(flood, "", limits, "limit-host-calls", "called the host 501 times, its limit is 500").await;
    let component = |count: u32| {
        Component::gate().body(
            Function::Review,
            &format!(
                "(local.set $count (i32.const {count}))
                (loop $more
                  (call $log (i32.const 0) (text \"x\"))
                  (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                  (br_if $more (local.get $count)))"
            ),
        )
    };
    assert_eq!(review_of(&component(100_000)).await.outcome, Outcome::Allowed, "the default");
    let verdict = refusal(Role::Gate, &component(100_001), patient()).await;
    assert_eq!(rule(&verdict), "limit-host-calls");
    assert!(verdict.help.unwrap().contains("`limits = { host-calls = … }` in `[plugins.evil]`"));
}

#[tokio::test]
async fn calls_of_wasi_count_as_well() {
    let component = Component::gate()
        .import("wasi:random/random@0.2.0", "get-random-u64: func() -> u64;", "(result i64)")
        .body(Function::Review, "(loop $more (drop (call $get-random-u64)) (br $more))");
    let limits = Limits { host_calls: 1000, ..patient() };
    let verdict = refusal(Role::Gate, &component, limits).await;
    assert_eq!(rule(&verdict), "limit-host-calls");
    assert!(verdict.message.contains("called the host 1001 times"), "{}", verdict.message);
}

/// What the engine does by itself is no call of the host.
#[tokio::test]
async fn memory_that_grows_is_no_call() {
    let component = Component::gate().fields("(table $table 1 funcref)").body(
        Function::Review,
        "(loop $more
            (drop (memory.grow (i32.const 0)))
            (drop (table.grow $table (ref.null func) (i32.const 0)))
            (memory.copy (i32.const 65000) (i32.const 64000) (i32.const 500))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $count) (i32.const 5000))))",
    );
    let folder = Folder::new();
    let limits = Limits { host_calls: 0, ..patient() };
    let plugin = runner_policy::PluginDefinition { limits, ..folder.plugin("quiet", component.bytes()) };
    assert_eq!(review(plugin).await.outcome, Outcome::Allowed);
}

/// A call that hands over much burns little fuel, so the clock is looked at after each.
#[tokio::test]
async fn a_flood_of_large_calls_ends_in_time() {
    let flood = "(drop (memory.grow (i32.const 200)))
        (loop $more (call $log (i32.const 0) (i32.const 65536) (i32.const 12000000)) (br $more))";
    let limits =
        Limits { host_calls: u64::MAX, fuel: ENDLESS_FUEL, time: Duration::from_millis(300), ..Limits::default() };
    each_role(flood, "", limits, "limit-time", "gave no answer within 300ms, and was stopped after ").await;
}

#[tokio::test]
async fn loading_is_limited_as_well() {
    let limits = || Limits { fuel: 3_000_000, ..patient() };
    for function in [Function::Describe, Function::CheckSettings] {
        for (body, expected) in [(bodies::TRAP, "plugin-trap"), (bodies::ENDLESS, "limit-fuel")] {
            let component = Component::gate().body(function, body);
            let verdict = refusal(Role::Gate, &component, limits()).await;
            assert_eq!(rule(&verdict), expected, "{function:?}");
            assert_eq!((verdict.role, verdict.version), (None, None), "{function:?}");
        }
    }
    let start = Component::gate().fields("(func $start (loop $forever (br $forever))) (start $start)");
    assert_eq!(rule(&refusal(Role::Gate, &start, limits()).await), "limit-fuel");
    let allocator = Component::gate().allocator("(loop $forever (br $forever)) (unreachable)");
    assert_eq!(rule(&refusal(Role::Gate, &allocator, limits()).await), "limit-fuel");
}

#[tokio::test]
async fn an_environment_policy_that_can_not_identify_denies() {
    for (body, expected) in [(bodies::TRAP, "plugin-trap"), (bodies::ENDLESS, "limit-fuel")] {
        let component = Component::environment().body(Function::Identify, body);
        let verdict = refusal(Role::Environment, &component, patient()).await;
        assert_eq!(rule(&verdict), expected);
        assert_eq!(verdict.role, Some(runner_policy::Role::Environment));
    }
}

#[tokio::test]
async fn the_help_names_the_limit_and_the_plugin() {
    let component = Component::gate().body(Function::Review, bodies::ENDLESS);
    let verdict = refusal(Role::Gate, &component, Limits { fuel: 1000, ..patient() }).await;
    // 1000 is too little for `describe` even.
    let help = verdict.help.unwrap();
    assert_eq!(help, "if the plugin is to be trusted with more, set `limits = { fuel = … }` in `[plugins.evil]`");
}
