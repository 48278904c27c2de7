//! Using too much of something.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::attack::Attack;

pub(crate) fn all() -> Vec<Attack> {
    let recursion = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))";
    let deep = Component::gate().fields(recursion).body(Function::Review, "(drop (call $deep (i32.const 0)))");
    let table = Component::gate().fields("(table $table 1 funcref)").body(
        Function::Review,
        "(loop $more (drop (table.grow $table (ref.null func) (i32.const 100000))) (br $more))",
    );
    let starting = Component::gate().fields("(func $spin (loop $forever (br $forever))) (start $spin)");
    let filling = "(drop (memory.grow (i32.const 500)))
        (loop $more (memory.fill (i32.const 65536) (local.get $count) (i32.const 30000000)) (br $more))";
    let logging = "(loop $more (call $log (i32.const 2) (text \"all is well\")) (br $more))";
    let long_line = format!("(call $log (i32.const 2) (text \"{}\"))", "x".repeat(60_000));
    let mut all = Attack::each("an endless loop", bodies::ENDLESS, &["limit-fuel"], "used up its fuel of 200000000");
    all.extend(Attack::each("a trap", bodies::TRAP, &["plugin-trap"], "failed: "));
    all.extend([
        Attack::gate("an endless loop with endless fuel", bodies::ENDLESS, &["limit-time"], "within 300ms")
            .further("limits = { fuel = 9000000000000000000, time = \"300ms\" }"),
        Attack::with("an endless loop in its start function", starting.bytes(), &["limit-fuel"], "used up its fuel"),
        Attack::with("endless recursion", deep.bytes(), &["limit-stack"], "used up its stack"),
        Attack::gate(
            "a memory bomb",
            "(drop (memory.grow (i32.const 60000)))",
            &["limit-memory"],
            "its limit is 64.0 MiB",
        ),
        Attack::gate(
            "a memory bomb in small steps",
            "(loop $more (drop (memory.grow (i32.const 1))) (br $more))",
            &["limit-memory"],
            "its limit is 64.0 MiB",
        ),
        Attack::with("a table bomb", table.bytes(), &["limit-memory"], "its limit is 64.0 MiB"),
        Attack::with(
            "a memory that is huge from the start",
            Component::gate().fields("(memory $huge 60000)").bytes(),
            &["limit-memory"],
            "its limit is 64.0 MiB",
        ),
        Attack::with(
            "many memories that share one limit",
            Component::gate()
                .fields(&(0..20).map(|number| format!("(memory $m{number} 100)")).collect::<String>())
                .bytes(),
            &["limit-memory"],
            "its limit is 64.0 MiB",
        ),
        Attack::gate("one instruction that does the work of millions", filling, &["limit-time", "limit-fuel"], "")
            .further(""),
        Attack::gate("an endless flood of log lines", logging, &["limit-fuel", "limit-host-calls"], ""),
        Attack::gate("a log line of 60 kB, twice", &format!("{long_line}{long_line}"), &[], "").harmless("1 log line"),
        Attack::with("a guest that sleeps for an hour", sleeping().bytes(), &["limit-time"], "within 1s").further(""),
        Attack::with(
            "a terabyte of randomness",
            Component::gate()
                .import("wasi:random/random@0.2.0", "get-random-bytes: func(len: u64) -> list<u8>;", "(param i64 i32)")
                .body(Function::Review, "(call $get-random-bytes (i64.const 1000000000000) (local.get $answer))")
                .bytes(),
            &["plugin-trap", "limit-memory"],
            "",
        ),
    ]);
    all.extend(before_it_runs());
    for function in [Function::Describe, Function::CheckSettings] {
        let name = format!("{function:?}").to_lowercase();
        let component = |body| Component::gate().body(function, body).bytes();
        all.push(Attack::with(&format!("a trap in {name}"), component(bodies::TRAP), &["plugin-trap"], "failed: "));
        all.push(Attack::with(
            &format!("an endless loop in {name}"),
            component(bodies::ENDLESS),
            &["limit-fuel"],
            "used up its fuel",
        ));
    }
    let rules =
        Component::lint().body(Function::Check, &bodies::find(1, "r2", "x")).body(Function::Rules, bodies::TRAP);
    all.push(Attack::with("a trap in rules", rules.bytes(), &["plugin-trap"], "failed: "));
    all
}

/// What no limit of a call covers.
fn before_it_runs() -> Vec<Attack> {
    let attack = |name: &str, fields: &str, words| {
        Attack::with(name, Component::gate().fields(fields).bytes(), &["plugin-too-large"], words)
    };
    let many_locals = format!("(func (local {}))", "i64 ".repeat(5_000)).repeat(1_000);
    let deep = format!(
        "(func (local {}) {} {} {})",
        "i64 ".repeat(4_000),
        "(loop ".repeat(1_000),
        "(local.set 0 (i64.const 1)) ".repeat(1_000),
        ")".repeat(1_000)
    );
    let conditions = format!("(func {})", "(if (i32.const 1) (then))".repeat(100_000));
    let large = format!("(core module $large {})", "(global i64 (i64.const 0))".repeat(10_000));
    let instances = policy_components::encoded(&format!(
        "(component {large} (component $hundred (alias outer 1 $large (core module $large)) {}) {})",
        "(core instance (instantiate $large))".repeat(100),
        "(instance (instantiate $hundred))".repeat(100),
    ));
    vec![
        attack("a hundred thousand globals", &"(global i64 (i64.const 0))".repeat(100_000), "at most 10000"),
        attack("a million elements", &format!("(elem func {})", "0 ".repeat(1_000_000)), "at most 100000"),
        attack("two hundred thousand functions", &"(func)".repeat(200_000), "at most 100000"),
        attack("a function of 2 MB", &format!("(func {})", "nop ".repeat(2_000_000)), "at most 1048576"),
        attack("five million locals in 16 KB", &many_locals, "at most 2000000"),
        attack("a hundred thousand conditions", &conditions, "at most 15000"),
        attack("a thousand loops around four thousand locals", &deep, "at most 50 are"),
        Attack::with(
            "ten thousand instances with ten thousand globals each",
            instances,
            &["plugin-too-large"],
            "at most 16.0 MiB",
        ),
    ]
}

fn sleeping() -> Component {
    Component::gate()
        .import_as(
            "wasi:io/poll@0.2.0",
            "resource pollable { block: func(); }",
            "[method]pollable.block",
            "(param i32)",
        )
        .import(
            "wasi:clocks/monotonic-clock@0.2.0",
            "subscribe-duration: func(when: u64) -> pollable; use wasi:io/poll@0.2.0.{pollable};",
            "(param i64) (result i32)",
        )
        .body(Function::Review, "(call $block (call $subscribe-duration (i64.const 3600000000000)))")
}
