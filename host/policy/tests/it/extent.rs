//! What a component costs before anything of it runs is bounded by what is written in its file.

use policy_components::Component;
use policy_components::encoded;
use runner_policy::Outcome;

use crate::support::Folder;
use crate::support::block_on;
use crate::support::denial;
use crate::support::review;
use crate::support::review_of;
use crate::support::rule;

#[track_caller]
fn too_large(bytes: &[u8], message: &str) {
    let folder = Folder::new();
    let verdict = denial(&block_on(review(folder.plugin("evil", bytes))), "evil");
    assert_eq!(rule(&verdict), "plugin-too-large", "{verdict:#?}");
    assert!(verdict.message.contains(message), "{}", verdict.message);
    assert!(verdict.help.is_some() && verdict.version.is_none(), "{verdict:#?}");
}

#[track_caller]
fn refused(fields: &str, message: &str) {
    too_large(&Component::gate().fields(fields).bytes(), message);
}

fn globals(count: usize) -> String {
    "(global i32 (i32.const 0))".repeat(count)
}

fn elements(count: usize) -> String {
    format!("(func $element) (elem func {})", "$element ".repeat(count))
}

#[test]
fn globals_and_elements_of_a_module_are_counted() {
    // One global is the component's own.
    let most = Component::gate().fields(&globals(9_999)).fields(&elements(100_000));
    assert_eq!(block_on(review_of(&most)).outcome, Outcome::Allowed);
    refused(
        &globals(10_000),
        "is too large: the number of globals of a module is 10001, and at most 10000 are compiled",
    );
    refused(&elements(100_001), "the number of elements of a module is 100001, and at most 100000");
    let expressions = format!("(elem funcref {})", "(ref.null func)".repeat(100_001));
    refused(&expressions, "the number of elements of a module is 100001");
}

#[test]
fn functions_and_what_is_in_them_are_counted() {
    refused(&"(func)".repeat(100_001), "the number of its functions is 1000");
    refused(&format!("(func {})", "nop ".repeat(1 << 20)), "the number of bytes of a function is 10485");
    let locals = |count: usize| format!("(local {})", "i64 f32 ".repeat(count / 2));
    refused(&format!("(func {} (local i32))", locals(5_000)), "the number of locals of a function is 5001");
    let work = |bytes: usize| format!("(func {} {})", locals(4_000), "nop ".repeat(bytes));
    refused(&work(20_000), "the number of bytes of a function times that of its locals is 112");
    refused(&work(10_000).repeat(14), "the number of bytes of all its functions, each times its locals, is 10");
    let loops = |depth: usize, count: usize| {
        format!("(func {} {} {})", locals(count), "(loop (block ".repeat(depth), "))".repeat(depth))
    };
    refused(&loops(51, 0), "the number of loops within each other is 51, and at most 50");
    refused(&loops(50, 402), "the number of loops within each other times that of locals is 20100");
    refused(
        &format!("(func {})", "(block)".repeat(15_001)),
        "the number of blocks and branches of a function is 15001",
    );
    let branches = format!("(func {})", "(if (i32.const 1) (then (br 0)))".repeat(7_000));
    refused(&branches.repeat(11), "the squares of the numbers of branches of all its functions are 2156000");
    refused(&format!("(func (param {}))", "i32 ".repeat(65)), "the number of parameters of a function is 65");
    refused("(func (result i32 i32 i32 i32 i32) unreachable)", "the number of results of a function is 5");
    let beside = format!("{}{}", loops(50, 400), "(func (loop) (loop))");
    assert_eq!(block_on(review_of(&Component::gate().fields(&beside))).outcome, Outcome::Allowed);
    // Written in a few bytes each.
    let function = format!("(func (local {}))", "i64 ".repeat(5_000));
    refused(&function.repeat(401), "the number of locals of all its functions is 200");
}

/// A module of which each instance takes 1.7 MiB.
fn large() -> String {
    format!("(core module $large {} {})", globals(10_000), elements(100_000))
}

#[test]
fn what_instances_take_is_added_up() {
    const INSTANCE: &str = "(core instance (instantiate $large))";
    let large = large();
    let component = |rest: &str| encoded(&format!("(component {large} {rest})"));
    too_large(
        &component(&INSTANCE.repeat(10)),
        "its instances take 16.8 MiB beside their memories, and at most 16.0 MiB",
    );
    // Components in it, and modules that they have from further out.
    let twice = INSTANCE.repeat(2);
    let nested = |alias: &str, times: usize| {
        component(&format!("(component $nested {alias} {twice}) {}", "(instance (instantiate $nested))".repeat(times)))
    };
    too_large(&nested("(alias outer 1 $large (core module $large))", 5), "its instances take 16.8 MiB");
    let deeper = encoded(&format!(
        "(component (component $nested {large} {twice}) (component $further
            (alias outer 1 $nested (component $nested)) (instance (instantiate $nested)) (instance (instantiate $nested)))
            (instance (instantiate $further)) (instance (instantiate $further)) (instance (instantiate $further)))"
    ));
    too_large(&deeper, "its instances take 20.1 MiB");
    // Fewer are none of this: the component exports nothing.
    let folder = Folder::new();
    let fewer = folder.plugin("evil", component(&INSTANCE.repeat(9)));
    assert_eq!(rule(&denial(&block_on(review(fewer)), "evil")), "plugin-other-world");
}

#[test]
fn what_is_instantiated_is_in_the_file() {
    for text in [
        r#"(component (import "m" (core module $m)) (core instance (instantiate $m)))"#,
        r#"(component (import "c" (component $c)) (instance (instantiate $c)))"#,
        r#"(component (import "i" (instance $i (export "m" (core module)))) (alias export $i "m" (core module $m))
            (core instance (instantiate $m)))"#,
    ] {
        too_large(&encoded(text), "it instantiates a module or component that is not its own");
    }
}
