//! Answers that are too large, malformed, or about something else.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;

use crate::attack::Attack;

/// It takes the screen, changes the title, hides what follows, and writes a line of its own that looks like ours.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\rallow\u{202e}\u{9b}31m\n  allow  evil 1.0.0  all is well";

pub(crate) fn all() -> Vec<Attack> {
    let check = |body: &str| Component::lint().body(Function::Check, body).bytes();
    let text_at = |offset: usize, address: u32, length: u32| {
        format!(
            "(drop (memory.grow (i32.const 400)))
            (call $put (local.tee $at (call $allocate (i32.const 8))) (i32.const {address}) (i32.const {length}))
            (call $put (i32.add (local.get $answer) (i32.const {offset})) (local.get $at) (i32.const 1))"
        )
    };
    let notices = |count: u32| {
        format!(
            "(drop (memory.grow (i32.const 200)))
            (call $put (i32.add (local.get $answer) (i32.const 24)) (i32.const 65536) (i32.const {count}))"
        )
    };
    let not_utf_8 = "(local.set $at (call $allocate (i32.const 16)))
        (i32.store8 offset=8 (local.get $at) (i32.const 0xff))
        (call $put (local.get $at) (i32.add (local.get $at) (i32.const 8)) (i32.const 1))
        (call $put (i32.add (local.get $answer) (i32.const 24)) (local.get $at) (i32.const 1))";
    vec![
        Attack::gate("an answer of 20 MB", &text_at(24, 65_536, 20_000_000), &["limit-answer"], "16.0 MiB"),
        Attack::gate("a list of 700 000 notices", &notices(700_000), &["limit-answer"], "16.0 MiB"),
        Attack::gate("a flood of 10 001 notices", &notices(10_001), &["plugin-answer"], "at most 10000"),
        Attack::gate("240 notices of 20 000 beginnings of a URL each", &urls(), &[], "").harmless(""),
        Attack::with(
            "ten thousand problems of its settings",
            Component::gate().body(Function::CheckSettings, &problems(10_000)).bytes(),
            &["plugin-settings"],
            "and 9990 more",
        ),
        Attack::with(
            "a rule with a name of 70 kB",
            check(&bodies::find_by(&"x".repeat(70_000), "r2")),
            &["plugin-answer"],
            "at most 65536",
        ),
        Attack::with(
            "a variable with a name of 70 kB that it needs",
            Component::gate().body(Function::Describe, &needs(&"x".repeat(70_000))).bytes(),
            &["plugin-answer"],
            "at most 65536",
        ),
        Attack::gate("a notice of 70 kB", &text_at(24, 65_536, 70_000), &["plugin-answer"], "at most 65536"),
        Attack::with("a flood of 20 000 findings", check(&findings(20_000)), &["plugin-answer"], "at most 10000"),
        Attack::gate("a text that lies outside of its memory", &text_at(24, 4_000_000_000, 100), &["plugin-trap"], ""),
        Attack::gate("a list as long as numbers go", &notices(u32::MAX), &["plugin-trap", "limit-answer"], ""),
        Attack::gate("a text that is not UTF-8", not_utf_8, &["plugin-trap"], ""),
        Attack::gate(
            "a decision that does not exist",
            "(i32.store8 offset=4 (local.get $answer) (i32.const 77))",
            &["plugin-trap"],
            "",
        ),
        Attack::gate(
            "a denial of a revision it was not asked about",
            &bodies::deny_revision("zz", "no"),
            &["plugin-answer"],
            "`zz`",
        ),
        Attack::with(
            "a finding about a revision it was not asked about",
            check(&bodies::find(1, "zz", "no")),
            &["plugin-answer"],
            "`zz`",
        ),
        Attack::gate("a denial without a reason", &bodies::deny_silently(), &[""], "without a reason"),
        Attack::gate("escapes and a fake verdict in a reason", &bodies::deny(ESCAPES), &["tested"], "\\u{1b}[2J"),
        Attack::gate("escapes in a failure", &bodies::fail(ESCAPES, ESCAPES), &["plugin-failure"], "\\u{1b}[2J"),
        Attack::gate("escapes in a line for the banner", &bodies::notice(ESCAPES), &[], "").harmless(""),
        Attack::gate("escapes in the log", &format!("(call $log (i32.const 2) (text \"{}\"))", escaped()), &[], "")
            .harmless("\\u{1b}[2J"),
        Attack::with(
            "escapes in its version",
            Component::gate()
                .body(Function::Describe, &bodies::describe("x", ESCAPES, ESCAPES, &[]))
                .body(Function::Review, &bodies::deny("no"))
                .bytes(),
            &["tested"],
            "no",
        ),
        Attack::with(
            "escapes in a problem of its settings",
            Component::gate().body(Function::CheckSettings, &bodies::wrong_settings(ESCAPES, ESCAPES)).bytes(),
            &["plugin-settings"],
            "\\u{1b}[2J",
        ),
    ]
}

fn escaped() -> String {
    r"\1b[2J\1b]0;owned\07\0a  allow  evil".to_owned()
}

/// So many findings of the same empty text, all of them zeros in fresh memory.
fn findings(count: u32) -> String {
    format!(
        "(drop (memory.grow (i32.const 200)))
        (call $put (i32.add (local.get $answer) (i32.const 4)) (i32.const 65536) (i32.const {count}))"
    )
}

/// So many problems without a word.
fn problems(count: u32) -> String {
    format!(
        "(drop (memory.grow (i32.const 200)))
        (i32.store8 (local.get $answer) (i32.const 1))
        (call $put (i32.add (local.get $answer) (i32.const 4)) (i32.const 65536) (i32.const {count}))"
    )
}

fn needs(variable: &str) -> String {
    bodies::describe("x", "1.0.0", "", &[bodies::Need { grant: bodies::Grant::Variable(variable), required: true }])
}

/// The same text as every notice: whoever looks for passwords in it finds the beginning of a URL at every third byte.
fn urls() -> String {
    "(drop (memory.grow (i32.const 10)))
    (local.set $at (i32.const 131072))
    (loop $more
      (i32.store (local.get $at) (i32.const 0x2f2f3a))
      (local.set $at (i32.add (local.get $at) (i32.const 3)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 196607))))
    (local.set $at (i32.const 262144))
    (loop $more
      (call $put (local.get $at) (i32.const 131072) (i32.const 65535))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 264064))))
    (call $put (i32.add (local.get $answer) (i32.const 24)) (i32.const 262144) (i32.const 240))"
        .to_owned()
}
