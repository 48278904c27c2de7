//! Answers that break a rule of the contract, or of the component model, say nothing; foreign text can't steer a terminal.

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use policy_components::bodies;
use policy_components::bodies::Step;
use runner_policy::Decision;
use runner_policy::Outcome;
use runner_policy::Policies;
use runner_policy::data;

use crate::support::Folder;
use crate::support::Log;
use crate::support::ROLES;
use crate::support::applied;
use crate::support::block_on;
use crate::support::consult;
use crate::support::context;
use crate::support::denial;
use crate::support::host;
use crate::support::patient;
use crate::support::refusal;
use crate::support::request;
use crate::support::review;
use crate::support::review_of;
use crate::support::rule;
use crate::support::set;

#[tokio::test]
async fn well_behaved_components_allow() {
    for role in [Role::Environment, Role::Lint, Role::Gate] {
        let review = review_of(&Component::of(&[role])).await;
        assert_eq!(review.outcome, Outcome::Allowed, "{role:?}: {review:#?}");
        assert!(review.verdicts.iter().all(|verdict| verdict.decision == Decision::Allow));
        assert_eq!(review.steps.len(), 3);
    }
    let all = review_of(&Component::of(&Role::ALL)).await;
    assert_eq!(all.outcome, Outcome::Allowed);
    let roles: Vec<_> = all.verdicts.iter().filter_map(|verdict| verdict.role).collect();
    assert_eq!(roles, ROLES, "one verdict a role, in the order in which they are asked");
}

#[tokio::test]
async fn a_policy_that_can_not_decide_denies_in_its_own_words() {
    for role in Role::ALL {
        let component = Component::of(&[role]).body(role.question(), &bodies::fail("the moon is wrong", "wait a week"));
        let verdict = refusal(role, &component, patient()).await;
        assert_eq!(rule(&verdict), "plugin-failure");
        assert!(verdict.message.contains("the moon is wrong"), "{}", verdict.message);
        assert_eq!(verdict.help.as_deref(), Some("wait a week"));
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_not_taken() {
    let broken = "(i32.store8 (local.get $answer) (i32.const 1))
        (call $put (i32.add (local.get $answer) (i32.const 4)) (text \"a\\ff\\feb\"))";
    for role in Role::ALL {
        let verdict = refusal(role, &Component::of(&[role]).body(role.question(), broken), patient()).await;
        assert_eq!(rule(&verdict), "plugin-trap", "{verdict:#?}");
        assert!(verdict.message.to_lowercase().contains("utf-8"), "{}", verdict.message);
    }
}

#[tokio::test]
async fn a_case_that_does_not_exist_is_not_taken() {
    let case = |offset: usize| format!("(i32.store8 offset={offset} (local.get $answer) (i32.const 9))");
    for role in Role::ALL {
        // Neither `ok` nor a failure.
        let component = Component::of(&[role]).body(role.question(), &case(0));
        assert_eq!(rule(&refusal(role, &component, patient()).await), "plugin-trap");
    }
    // A decision of a gate, of a step, and a severity.
    let gate = Component::gate().body(Function::Review, &case(4));
    assert_eq!(rule(&refusal(Role::Gate, &gate, patient()).await), "plugin-trap");
    let judge = bodies::judge_each(Step::Deny, "").replace("(i32.const 3))\n", "(i32.const 99))\n");
    let environment = Component::environment().body(Function::Judge, &judge);
    assert_eq!(rule(&refusal(Role::Environment, &environment, patient()).await), "plugin-trap");
    let lint = Component::lint().body(Function::Check, &bodies::find(7, "a1", "x"));
    assert_eq!(rule(&refusal(Role::Lint, &lint, patient()).await), "plugin-trap");
}

#[tokio::test]
async fn an_answer_outside_the_memory_is_not_taken() {
    for role in Role::ALL {
        for (address, length) in [(-1, 1), (1024, -1), (-16, 64), (3, 1)] {
            let body = format!(
                "(call $put (i32.add (local.get $answer) (i32.const 4)) (i32.const {address}) (i32.const {length}))
                (i32.store8 (local.get $answer) (i32.const 1))"
            );
            // For a failure these are address and length of its message. (3, 1) is a text of one zero byte, and well-formed.
            let component = Component::of(&[role]).body(role.question(), &body);
            let verdict = refusal(role, &component, patient()).await;
            let expected: &[&str] = if address == 3 { &["plugin-failure"] } else { &["plugin-trap", "limit-answer"] };
            assert!(expected.contains(&rule(&verdict)), "{role:?} {address} {length}: {verdict:#?}");
        }
        // The answer itself lies outside.
        let component = Component::of(&[role]).body(role.question(), "(return (i32.const -4))");
        assert_eq!(rule(&refusal(role, &component, patient()).await), "plugin-trap");
        let component = Component::of(&[role]).body(role.question(), "(return (i32.const 1025))");
        assert_eq!(rule(&refusal(role, &component, patient()).await), "plugin-trap", "not aligned");
    }
    let component = Component::gate().allocator("(i32.const -8)");
    assert_eq!(rule(&refusal(Role::Gate, &component, patient()).await), "plugin-trap");
}

#[tokio::test]
async fn every_step_gets_exactly_one_ruling() {
    for (body, message) in [
        (String::new(), "it rules on 0 steps, the plan has 3"),
        (bodies::judge_some("(i32.const 2)", Step::Allow, ""), "it rules on 2 steps, the plan has 3"),
        (bodies::judge_named("a1"), "it rules on 1 steps, the plan has 3"),
    ] {
        let component = Component::environment().body(Function::Judge, &body);
        let verdict = refusal(Role::Environment, &component, patient()).await;
        assert_eq!(rule(&verdict), "plugin-answer");
        assert!(verdict.message.contains(message), "{}", verdict.message);
    }
}

#[tokio::test]
async fn rulings_come_in_the_order_of_the_plan() {
    let folder = Folder::new();
    let plugin =
        folder.plugin("evil", Component::environment().body(Function::Judge, &bodies::judge_named("b2")).bytes());
    let mut request = request();
    request.plan.steps.truncate(1);
    let (_, review) = consult(&host(), &set([plugin]), request).await;
    let verdict = denial(&review, "evil");
    assert_eq!(rule(&verdict), "plugin-answer");
    assert!(verdict.message.contains("it rules on `b2` where the plan has `a1`"), "{}", verdict.message);
}

#[tokio::test]
async fn a_policy_speaks_of_revisions_it_was_asked_about_alone() {
    for (role, function, body) in [
        (Role::Gate, Function::Review, bodies::deny_revision("zz\u{1b}[2J", "wrong")),
        (Role::Lint, Function::Check, bodies::find(0, "zz\u{1b}[2J", "wrong")),
        (Role::Environment, Function::Judge, bodies::remark("zz\u{1b}[2J", "wrong")),
    ] {
        let verdict = refusal(role, &Component::of(&[role]).body(function, &body), patient()).await;
        assert_eq!(rule(&verdict), "plugin-answer");
        assert!(verdict.message.contains("it speaks of `zz\\u{1b}[2J`, which it was not asked about"), "{verdict:#?}");
        assert_eq!(verdict.revision, None);
    }
}

#[tokio::test]
async fn a_finding_names_a_rule_of_its_policy() {
    let component = Component::lint().body(Function::Rules, "").body(Function::Check, &bodies::find(0, "a1", "wrong"));
    let verdict = refusal(Role::Lint, &component, patient()).await;
    assert_eq!(rule(&verdict), "plugin-answer");
    assert!(verdict.message.contains("`tested`"), "{}", verdict.message);
}

#[tokio::test]
async fn remarks_on_what_is_applied_are_warnings() {
    let folder = Folder::new();
    let body = bodies::remark("old", "should not be here");
    let plugin = folder.plugin("tested", Component::environment().body(Function::Judge, &body).bytes());
    let mut request = request();
    request.applied.push(applied("old", ""));
    let (_, review) = consult(&host(), &set([plugin]), request).await;
    assert_eq!(review.outcome, Outcome::Allowed);
    let remark = review.verdicts.last().unwrap();
    assert_eq!((remark.decision, remark.revision.as_deref()), (Decision::Warn, Some("old")));
}

#[tokio::test]
async fn levels_are_there_and_named_once() {
    let folder = Folder::new();
    for (body, message) in [
        (String::new(), "it knows no environment"),
        (bodies::levels_named(&["test", "qa", "test"]), "it lists `test` twice"),
    ] {
        let plugin = folder.plugin("evil", Component::environment().body(Function::Levels, &body).bytes());
        let policies = Policies::load(&host(), &set([plugin]), &ROLES).await;
        let verdict = policies.levels(&context("development")).await.unwrap_err().unwrap();
        assert_eq!((verdict.plugin.as_str(), rule(&verdict)), ("evil", "plugin-answer"));
        assert!(verdict.message.contains(message), "{}", verdict.message);
    }
}

/// Takes the screen, changes the title, goes back to the start of the line, hides what follows.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\rallowed\u{202e}\u{9b}31m\nnext";
const VISIBLE: &str = "\\u{1b}[2J\\u{1b}]0;owned\\u{7}\\u{d}allowed\\u{202e}\\u{9b}31m next";

#[tokio::test]
async fn escapes_in_what_a_policy_says_are_visible() {
    for (role, function, body) in [
        (Role::Gate, Function::Review, bodies::deny(ESCAPES)),
        (Role::Gate, Function::Review, bodies::allow_because(ESCAPES)),
        (Role::Gate, Function::Review, bodies::confirm(ESCAPES)),
        (Role::Gate, Function::Review, bodies::notice(ESCAPES)),
        (Role::Gate, Function::Review, bodies::fail(ESCAPES, ESCAPES)),
        (Role::Environment, Function::Judge, bodies::judge_each(Step::Skip, ESCAPES)),
        (Role::Environment, Function::Identify, bodies::identify_as(ESCAPES)),
        (Role::Lint, Function::Check, bodies::find(1, "a1", ESCAPES)),
        (Role::Gate, Function::CheckSettings, bodies::wrong_settings(ESCAPES, ESCAPES)),
        (Role::Gate, Function::Describe, bodies::describe("x", ESCAPES, ESCAPES, &[])),
    ] {
        let folder = Folder::new();
        let plugin = folder.plugin("evil", Component::of(&[role]).body(function, &body).bytes());
        let set = set([plugin]);
        let policies = Policies::load(&host(), &set, &ROLES).await;
        let request = request();
        let identity = policies.identify(&request.context).await;
        let review = policies.review(request, &identity).await;
        let said = format!(
            "{} {} {} {} {} {} {}",
            serde_json::to_string(&review.verdicts).unwrap(),
            review.verdicts.iter().filter_map(|verdict| verdict.help.as_deref()).collect::<String>(),
            review.notices.iter().map(|notice| notice.text.as_str()).collect::<String>(),
            review.prompts.iter().map(|prompt| prompt.text.as_str()).collect::<String>(),
            identity.name,
            review.steps.iter().map(|step| format!("{step:?}")).collect::<String>(),
            policies
                .reports()
                .iter()
                .map(|report| format!("{:?}{:?}", report.version, report.summary))
                .collect::<String>(),
        );
        // JSON and `Debug` write a backslash twice.
        let plain = said.replace("\\\\", "\\");
        assert!(plain.contains(VISIBLE), "{function:?}: {said}");
        assert!(
            !said.contains("\\u001b") && !said.contains("\\u0007") && !said.contains("\\r"),
            "{function:?}: {said}"
        );
        let hidden = ['\u{1b}', '\u{7}', '\r', '\u{202e}', '\u{9b}'];
        assert!(!said.contains(hidden), "{function:?}: {said}");
    }
}

/// What `plugin list` shows of a refused plugin is foreign text too.
#[tokio::test]
async fn escapes_in_the_report_of_a_refused_plugin_are_visible() {
    let folder = Folder::new();
    let component = Component::gate().body(Function::CheckSettings, &bodies::wrong_settings("path", ESCAPES));
    let policies = Policies::load(&host(), &set([folder.plugin("evil", component.bytes())]), &ROLES).await;
    let error = policies.reports().remove(0).error.unwrap();
    assert!(error.contains(VISIBLE), "{error:?}");
}

/// What `environments` shows of levels is foreign text too.
#[tokio::test]
async fn escapes_in_names_of_levels_are_visible_or_refused() {
    let folder = Folder::new();
    let component = Component::environment().body(Function::Levels, &bodies::levels_named(&[ESCAPES]));
    let policies = Policies::load(&host(), &set([folder.plugin("evil", component.bytes())]), &ROLES).await;
    match policies.levels(&context("development")).await {
        Ok(levels) => assert!(!levels[0].name.contains('\u{1b}'), "{levels:?}"),
        Err(verdict) => assert_eq!(rule(&verdict.unwrap()), "plugin-answer"),
    }
}

#[tokio::test]
async fn a_silent_denial_is_a_denial() {
    let review = review_of(&Component::gate().body(Function::Review, &bodies::deny_silently())).await;
    assert_eq!(review.outcome, Outcome::Denied);
    assert_eq!(review.verdicts[0].message, "denies without a reason");
    let silent = bodies::judge_each(Step::Deny, "");
    let review = review_of(&Component::environment().body(Function::Judge, &silent)).await;
    assert_eq!(review.outcome, Outcome::Denied);
    assert_eq!(review.verdicts.iter().filter(|verdict| verdict.decision == Decision::Deny).count(), 3);
}

#[tokio::test]
async fn a_question_waits_for_its_answer() {
    let folder = Folder::new();
    let component = Component::gate().body(Function::Review, &bodies::confirm("Really?"));
    let review = review(folder.plugin("asker", component.bytes())).await;
    assert_eq!(review.outcome, Outcome::Confirm);
    assert_eq!(review.prompts.len(), 1);
    assert_eq!((review.prompts[0].plugin.as_str(), review.prompts[0].text.as_str()), ("asker", "Really?"));
}

#[tokio::test]
async fn a_notifier_words_messages() {
    let folder = Folder::new();
    let component = Component::notify().body(Function::Announce, &bodies::announce("Up we go"));
    let request = request();
    let policies =
        Policies::load(&host(), &set([folder.plugin("teller", component.bytes())]), &[runner_policy::Role::Notify])
            .await;
    let (messages, failed) = policies.announce(&request.context, &request.plan, &data::Event::Started).await;
    assert_eq!(failed, []);
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].channel.as_str(), messages[0].title.as_str()), ("team", "Up we go"));
}

/// Gives the same empty text so many times as a notice.
fn notices(count: usize) -> Component {
    Component::gate().body(
        Function::Review,
        &format!(
            "(drop (memory.grow (i32.const 10)))
            (call $put (i32.add (local.get $answer) (i32.const 24)) (i32.const 65536) (i32.const {count}))"
        ),
    )
}

#[tokio::test]
async fn a_flood_within_the_limit_of_an_answer_is_not_taken() {
    assert_eq!(review_of(&notices(10_000)).await.outcome, Outcome::Allowed);
    let verdict = denial(&review_of(&notices(10_001)).await, "tested");
    assert_eq!(rule(&verdict), "plugin-answer");
    assert!(verdict.message.contains("it gives 10001 notices, and at most 10000 are taken"), "{}", verdict.message);
}

#[tokio::test]
async fn a_text_that_nobody_can_read_is_not_taken() {
    let long = "x".repeat(65_537);
    let need = |grant| bodies::describe("x", "1.0.0", "", &[bodies::Need { grant, required: true }]);
    for component in [
        Component::gate().body(Function::Review, &bodies::notice(&long)),
        Component::gate().body(Function::Review, &bodies::deny(&long)),
        Component::gate().body(Function::Review, &bodies::allow_because(&long)),
        Component::gate().body(Function::Review, &bodies::confirm(&long)),
        Component::gate().body(Function::Review, &bodies::fail(&long, "")),
        Component::gate().body(Function::Review, &bodies::fail("", &long)),
        Component::gate().body(Function::Describe, &bodies::describe("x", "1.0.0", &long, &[])),
        Component::gate().body(Function::CheckSettings, &bodies::wrong_settings("", &long)),
        Component::lint().body(Function::Check, &bodies::find(0, "a1", &long)),
        Component::environment().body(Function::Judge, &bodies::judge_each(bodies::Step::Warn, &long)),
        Component::environment().body(Function::Judge, &bodies::remark("a1", &long)),
        // What is repeated in the words of the host is no shorter.
        Component::environment().body(Function::Identify, &bodies::identify_as(&long)),
        Component::environment().body(Function::Judge, &bodies::remark(&long, "wrong")),
        Component::gate().body(Function::Review, &bodies::deny_revision(&long, "wrong")),
        Component::gate().body(Function::Describe, &need(bodies::Grant::Variable(&long))),
        Component::gate().body(Function::Describe, &need(bodies::Grant::Folder(&long))),
        Component::lint().body(Function::Check, &bodies::find(0, &long, "wrong")),
        Component::lint().body(Function::Check, &bodies::find_by(&long, "a1")),
        Component::lint()
            .body(Function::Check, &bodies::find(0, "a1", "wrong"))
            .body(Function::Rules, &bodies::rule_named(&long)),
    ] {
        let verdict = denial(&review_of(&component).await, "tested");
        assert_eq!(rule(&verdict), "plugin-answer", "{}", verdict.message);
        assert!(verdict.message.ends_with("has 65537 bytes, and at most 65536 are taken"), "{}", verdict.message);
    }
}

#[tokio::test]
async fn a_long_name_of_a_revision_in_a_ruling_is_not_repeated() {
    let folder = Folder::new();
    let body = bodies::judge_named(&"x".repeat(65_537));
    let plugin = folder.plugin("evil", Component::environment().body(Function::Judge, &body).bytes());
    let mut request = request();
    request.plan.steps.truncate(1);
    let (_, review) = consult(&host(), &set([plugin]), request).await;
    let verdict = denial(&review, "evil");
    assert!(verdict.message.len() < 200, "{}", verdict.message.len());
}

#[tokio::test]
async fn of_many_wrong_settings_some_are_told() {
    let problems = |count: usize| {
        let body = format!(
            "(drop (memory.grow (i32.const 10)))
            (i32.store8 (local.get $answer) (i32.const 1))
            (call $put (i32.add (local.get $answer) (i32.const 4)) (i32.const 65536) (i32.const {count}))"
        );
        Component::gate().body(Function::CheckSettings, &body)
    };
    let verdict = denial(&review_of(&problems(10_000)).await, "tested");
    assert_eq!(rule(&verdict), "plugin-settings");
    assert!(verdict.message.ends_with("; and 9990 more"), "{}", verdict.message);
    assert!(verdict.message.len() < 200, "{}", verdict.message);
    let verdict = denial(&review_of(&problems(11)).await, "tested");
    assert!(verdict.message.ends_with("; and 1 more"), "{}", verdict.message);
    let verdict = denial(&review_of(&problems(10)).await, "tested");
    assert!(!verdict.message.contains("more"), "{}", verdict.message);
}

#[tokio::test]
async fn a_flood_of_rules_is_not_taken() {
    let rules = "(drop (memory.grow (i32.const 10)))
        (call $put (local.get $answer) (i32.const 65536) (i32.const 10001))";
    let component = Component::lint().body(Function::Check, &bodies::find_by("", "a1")).body(Function::Rules, rules);
    let verdict = denial(&review_of(&component).await, "tested");
    assert_eq!(rule(&verdict), "plugin-answer");
    assert!(verdict.message.contains("it gives 10001 rules, and at most 10000 are taken"), "{}", verdict.message);
}

/// Names of functions come from the component, and stand in the backtrace that the log shows its authors.
#[test]
fn escapes_in_names_of_functions_are_visible() {
    let folder = Folder::new();
    let component = Component::gate()
        .fields(r#"(func $"a\1b[2J\0aforged" unreachable)"#)
        .body(Function::Review, r#"(call $"a\1b[2J\0aforged")"#);
    let plugin = folder.plugin("evil", component.bytes());
    let (log, _guard) = Log::listen();
    let review = block_on(review(plugin));
    assert_eq!(rule(&denial(&review, "evil")), "plugin-trap");
    let lines = log.lines();
    let backtrace = lines.iter().find(|line| line.message.contains("forged")).unwrap();
    assert!(backtrace.message.contains("a\\u{1b}[2J forged"), "{backtrace:?}");
    assert!(!backtrace.message.contains(['\u{1b}', '\n']), "{backtrace:?}");
}
