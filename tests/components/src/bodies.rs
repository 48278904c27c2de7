//! Bodies of functions, in WebAssembly text.

use std::fmt::Write as _;

use crate::layout::arguments;
use crate::layout::description;
use crate::layout::failure;
use crate::layout::finding;
use crate::layout::judgement;
use crate::layout::level;
use crate::layout::message;
use crate::layout::need;
use crate::layout::reason;
use crate::layout::rule;
use crate::layout::ruling;
use crate::layout::setting_problem;
use crate::layout::step_ruling;
use crate::text::quoted;

/// Traps.
pub const TRAP: &str = "unreachable";

/// Never ends.
pub const ENDLESS: &str = "(loop $forever (br $forever))";

/// A decision on a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It runs.
    Allow,
    /// It runs, with a warning.
    Warn,
    /// It is skipped.
    Skip,
    /// The plan is refused.
    Deny,
}

/// Something that a policy asks for.
#[derive(Clone, Copy, Debug)]
pub enum Grant<'a> {
    /// A variable, by name.
    Variable(&'a str),
    /// A folder, and what is looked for in it.
    Folder(&'a str),
    /// Facts about the target.
    Facts,
}

/// A grant, and whether the policy can do without.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// What.
    pub grant: Grant<'a>,
    /// Whether the policy can't do without.
    pub required: bool,
}

/// Puts a text at an offset from a local.
fn put(base: &str, offset: usize, text: &str) -> String {
    format!("(call $put (i32.add (local.get {base}) (i32.const {offset})) (text \"{}\"))\n", quoted(text))
}

/// Allocates a list, leaves its address in `$at`, and puts it at an offset of the answer.
fn list(offset: usize, count: usize, size: usize) -> String {
    format!(
        "(local.set $at (call $allocate (i32.const {})))
        (call $put (i32.add (local.get $answer) (i32.const {offset})) (local.get $at) (i32.const {count}))\n",
        count * size
    )
}

/// `describe`: name, version, summary and needs.
pub fn describe(name: &str, version: &str, summary: &str, needs: &[Need<'_>]) -> String {
    let mut body = put("$answer", description::NAME, name);
    body += &put("$answer", description::VERSION, version);
    body += &put("$answer", description::SUMMARY, summary);
    body += &list(description::NEEDS, needs.len(), need::SIZE);
    for need in needs {
        let (grant, text) = match need.grant {
            Grant::Variable(name) => (0, name),
            Grant::Folder(what) => (1, what),
            Grant::Facts => (2, ""),
        };
        writeln!(body, "(i32.store8 offset={} (local.get $at) (i32.const {grant}))", need::GRANT).unwrap();
        body += &put("$at", need::GRANT_TEXT, text);
        let required = u8::from(need.required);
        writeln!(body, "(i32.store8 offset={} (local.get $at) (i32.const {required}))", need::REQUIRED).unwrap();
        body += &put("$at", need::WHY, "the test wants it");
        writeln!(body, "(local.set $at (i32.add (local.get $at) (i32.const {})))", need::SIZE).unwrap();
    }
    body
}

/// `check-settings`: one problem.
pub fn wrong_settings(path: &str, problem: &str) -> String {
    let mut body = String::from("(i32.store8 (local.get $answer) (i32.const 1))\n");
    body += &list(4, 1, setting_problem::SIZE);
    body += &put("$at", setting_problem::PATH, path);
    body + &put("$at", setting_problem::MESSAGE, problem)
}

/// Any question: "I can't decide".
pub fn fail(message: &str, help: &str) -> String {
    let mut body = String::from("(i32.store8 (local.get $answer) (i32.const 1))\n");
    body += &put("$answer", failure::MESSAGE, message);
    writeln!(body, "(i32.store8 offset={} (local.get $answer) (i32.const 1))", failure::HELP).unwrap();
    body + &put("$answer", failure::HELP_TEXT, help)
}

/// `review`: deny, with the rule `tested` and this reason.
pub fn deny(message: &str) -> String {
    decide(2, &[("tested", None, message)])
}

/// `review`: deny, about a revision.
pub fn deny_revision(revision: &str, message: &str) -> String {
    decide(2, &[("tested", Some(revision), message)])
}

/// `review`: deny, without a reason.
pub fn deny_silently() -> String {
    decide(2, &[])
}

/// `review`: allow, with a reason.
pub fn allow_because(message: &str) -> String {
    decide(0, &[("tested", None, message)])
}

/// `review`: ask this question first.
pub fn confirm(question: &str) -> String {
    decide(1, &[]) + &put("$answer", ruling::QUESTION, question)
}

/// `review`: allow, with a line for the banner.
pub fn notice(text: &str) -> String {
    list(ruling::NOTICES, 1, 8) + &put("$at", 0, text)
}

/// `review`: reads a file through `files.read`, and shows as a notice its content or what is wrong.
pub fn show_file(path: &str) -> String {
    use crate::layout::file_answer;
    let shown = |text: &str| format!("(then (call $put (local.get $at) (text \"{text}\")))");
    let problem = |number: u8, text: &str| {
        format!(
            "(if (i32.eq (i32.load8_u offset={} (local.get $from)) (i32.const {number})) {})\n",
            file_answer::PROBLEM,
            shown(text)
        )
    };
    let copy =
        |from: usize| format!("(i64.store align=4 (local.get $at) (i64.load offset={from} align=4 (local.get $from)))");
    format!(
        "(local.set $from (call $allocate (i32.const 24)))
        (call $read (text \"{path}\") (local.get $from))
        {notice}
        (if (i32.eqz (i32.load8_u (local.get $from)))
          (then {content})
          (else {other} {missing} {outside} {large}))",
        path = quoted(path),
        notice = list(ruling::NOTICES, 1, 8),
        content = copy(file_answer::CONTENT),
        other = copy(file_answer::OTHER),
        missing = problem(0, "MISSING"),
        outside = problem(1, "OUTSIDE"),
        large = problem(2, "TOO LARGE"),
    )
}

/// `review`: shows the first texts of the records of a list as notices; the answer of a granted function is at `$from`. A
/// failure is shown by its message.
pub fn show_each(offset: usize, size: usize) -> String {
    format!(
        "(if (i32.load8_u (local.get $from))
          (then {failed} (i64.store align=4 (local.get $at) (i64.load offset=4 align=4 (local.get $from))))
          (else
            (local.set $count (i32.load offset=8 (local.get $from)))
            (local.set $from (i32.load offset=4 (local.get $from)))
            (local.set $at (call $allocate (i32.mul (local.get $count) (i32.const 8))))
            (call $put (i32.add (local.get $answer) (i32.const {notices})) (local.get $at) (local.get $count))
            (block $done
              (loop $next
                (br_if $done (i32.eqz (local.get $count)))
                (i64.store align=4 (local.get $at) (i64.load offset={offset} align=4 (local.get $from)))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (local.set $from (i32.add (local.get $from) (i32.const {size})))
                (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                (br $next)))))",
        failed = list(ruling::NOTICES, 1, 8),
        notices = ruling::NOTICES,
    )
}

fn decide(decision: u8, reasons: &[(&str, Option<&str>, &str)]) -> String {
    let mut body = format!("(i32.store8 offset={} (local.get $answer) (i32.const {decision}))\n", ruling::DECISION);
    body += &list(ruling::REASONS, reasons.len(), reason::SIZE);
    for (rule, revision, message) in reasons {
        body += &reason_at(0, rule, *revision, message);
        writeln!(body, "(local.set $at (i32.add (local.get $at) (i32.const {})))", reason::SIZE).unwrap();
    }
    body
}

/// A reason at an offset from `$at`.
fn reason_at(offset: usize, rule: &str, revision: Option<&str>, message: &str) -> String {
    let mut body = format!("(i32.store8 offset={} (local.get $at) (i32.const 1))\n", offset + reason::RULE);
    body += &put("$at", offset + reason::RULE_TEXT, rule);
    if let Some(revision) = revision {
        writeln!(body, "(i32.store8 offset={} (local.get $at) (i32.const 1))", offset + reason::REVISION).unwrap();
        body += &put("$at", offset + reason::REVISION_TEXT, revision);
    }
    body + &put("$at", offset + reason::MESSAGE, message)
}

/// `levels`: development and production.
pub fn levels() -> String {
    let mut body = list(4, 2, level::SIZE);
    body += &level_at("$at", 0, "development", 10, false);
    body + &level_at("$at", level::SIZE, "production", 100, true)
}

/// `levels`: these names, all at level 10.
pub fn levels_named(names: &[&str]) -> String {
    let mut body = list(4, names.len(), level::SIZE);
    for (index, name) in names.iter().enumerate() {
        body += &level_at("$at", index * level::SIZE, name, 10, false);
    }
    body
}

/// `identify`: development and production, a failure for everything else.
pub fn identify() -> String {
    let is = |name: &str| {
        format!(
            "(call $same (i32.load offset={} (local.get $arguments)) (i32.load offset={} (local.get $arguments)) (text \"{name}\"))",
            arguments::ENVIRONMENT_NAME,
            arguments::ENVIRONMENT_NAME + 4
        )
    };
    format!(
        "(if {} (then {}) (else (if {} (then {}) (else {}))))",
        is("development"),
        level_at("$answer", 4, "development", 10, false),
        is("production"),
        level_at("$answer", 4, "production", 100, true),
        fail("knows no such environment", "take development or production")
    )
}

/// `identify`: always this name, at level 10.
pub fn identify_as(name: &str) -> String {
    level_at("$answer", 4, name, 10, false)
}

fn level_at(base: &str, offset: usize, name: &str, number: u32, production: bool) -> String {
    let mut body = put(base, offset + level::NAME, name);
    writeln!(body, "(i32.store offset={} (local.get {base}) (i32.const {number}))", offset + level::LEVEL).unwrap();
    let (at, production) = (offset + level::PRODUCTION, u8::from(production));
    writeln!(body, "(i32.store8 offset={at} (local.get {base}) (i32.const {production}))").unwrap();
    body
}

/// `judge`: the same decision on every step of the plan, with this reason unless it is empty.
pub fn judge_each(decision: Step, reason: &str) -> String {
    let steps = arguments::PLAN_STEPS;
    let count = format!("(i32.load offset={} (local.get $arguments))", steps + 4);
    judge_some(&count, decision, reason)
}

/// `judge`: rules on the first steps of the plan alone. `count` is an expression.
pub fn judge_some(count: &str, decision: Step, reason: &str) -> String {
    let (decision, size, stride) = (decision as u8, step_ruling::SIZE, arguments::STEP_SIZE);
    let why = if reason.is_empty() {
        String::new()
    } else {
        format!("(i32.store8 offset={} (local.get $at) (i32.const 1))\n", step_ruling::REASON)
            + &reason_at(step_ruling::REASON_BODY, "tested", None, reason)
    };
    format!(
        "(local.set $count {count})
        (local.set $from (i32.load offset={steps} (local.get $arguments)))
        (local.set $at (call $allocate (i32.mul (local.get $count) (i32.const {size}))))
        (call $put (i32.add (local.get $answer) (i32.const {rulings})) (local.get $at) (local.get $count))
        (block $done
          (loop $next
            (br_if $done (i32.eqz (local.get $count)))
            (i64.store align=4 (local.get $at) (i64.load align=4 (local.get $from)))
            (i32.store8 offset={at_decision} (local.get $at) (i32.const {decision}))
            {why}
            (local.set $at (i32.add (local.get $at) (i32.const {size})))
            (local.set $from (i32.add (local.get $from) (i32.const {stride})))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br $next)))",
        steps = arguments::PLAN_STEPS,
        rulings = judgement::STEPS,
        at_decision = step_ruling::DECISION,
    )
}

/// `judge`: one ruling, on this revision, whatever the plan holds.
pub fn judge_named(revision: &str) -> String {
    list(judgement::STEPS, 1, step_ruling::SIZE) + &put("$at", step_ruling::REVISION, revision)
}

/// `judge`: allows every step, with a remark about this revision.
pub fn remark(revision: &str, message: &str) -> String {
    let mut body = judge_each(Step::Allow, "");
    body += &list(judgement::REMARKS, 1, reason::SIZE);
    body + &reason_at(0, "tested", Some(revision), message)
}

/// `identify`: always this name and number, production or not.
pub fn identify_level(name: &str, number: u32, production: bool) -> String {
    level_at("$answer", 4, name, number, production)
}

/// `rules`: one rule of this name.
pub fn rule_named(name: &str) -> String {
    list(0, 1, rule::SIZE) + &put("$at", rule::NAME, name)
}

/// `rules`: one rule, `tested`.
pub fn rules() -> String {
    list(0, 1, rule::SIZE) + &put("$at", rule::NAME, "tested") + &put("$at", rule::SUMMARY, "A rule for tests.")
}

/// `check`: one finding of the rule `tested` about this revision. Severity: 0 info, 1 warning, 2 error.
pub fn find(severity: u8, revision: &str, message: &str) -> String {
    let mut body = list(4, 1, finding::SIZE);
    body += &put("$at", finding::RULE, "tested");
    writeln!(body, "(i32.store8 offset={} (local.get $at) (i32.const {severity}))", finding::SEVERITY).unwrap();
    body += &put("$at", finding::REVISION, revision);
    body += &put("$at", finding::MESSAGE, message);
    writeln!(body, "(i32.store8 offset={} (local.get $at) (i32.const 1))", finding::LINE).unwrap();
    writeln!(body, "(i32.store offset={} (local.get $at) (i32.const 3))", finding::LINE_NUMBER).unwrap();
    body
}

/// `check`: one finding of a rule of this name about a revision.
pub fn find_by(rule: &str, revision: &str) -> String {
    find(0, revision, "found") + &put("$at", finding::RULE, rule)
}

/// `announce`: one message to the channel `team`.
pub fn announce(title: &str) -> String {
    list(4, 1, message::SIZE) + &put("$at", message::CHANNEL, "team") + &put("$at", message::TITLE, title)
}
