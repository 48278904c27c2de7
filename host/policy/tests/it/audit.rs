//! In audit mode a plugin is heard and not obeyed.

use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use policy_components::bodies::Step;
use runner_policy::Decision;
use runner_policy::Identity;
use runner_policy::Mode;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Review;
use runner_policy::StepFate;
use runner_policy::builtin_definition;

use crate::support::Folder;
use crate::support::consult;
use crate::support::host;
use crate::support::host_with_shared_cache;
use crate::support::patient;
use crate::support::request;
use crate::support::request_for;
use crate::support::review;
use crate::support::rule;
use crate::support::set;

async fn audited(component: &Component) -> Review {
    let folder = Folder::new();
    let plugin = PluginDefinition { mode: Mode::Audit, ..folder.plugin("heard", component.bytes()) };
    review(plugin).await
}

#[track_caller]
fn would(review: &Review, decision: &str, message: &str) {
    assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
    let warning = review.verdicts.iter().find(|verdict| verdict.decision == Decision::Warn).unwrap();
    assert_eq!(warning.plugin, "heard");
    assert!(warning.message.contains(&format!("would {decision}")), "{}", warning.message);
    assert!(warning.message.contains(message), "{}", warning.message);
}

#[tokio::test]
async fn a_denial_is_a_warning() {
    let review = audited(&Component::gate().body(Function::Review, &bodies::deny("not on a Friday"))).await;
    would(&review, "deny", "not on a Friday");
}

#[tokio::test]
async fn a_question_is_not_asked() {
    let review = audited(&Component::gate().body(Function::Review, &bodies::confirm("Really?"))).await;
    would(&review, "confirm", "Really?");
    assert_eq!(review.prompts, []);
}

#[tokio::test]
async fn nothing_is_skipped() {
    let skip = bodies::judge_each(Step::Skip, "not here");
    let review = audited(&Component::environment().body(Function::Judge, &skip)).await;
    would(&review, "skip", "not here");
    assert_eq!(review.steps, vec![StepFate::Run; 3]);
}

#[tokio::test]
async fn an_error_of_a_lint_is_a_warning() {
    let review = audited(&Component::lint().body(Function::Check, &bodies::find(2, "a1", "drops a column"))).await;
    would(&review, "deny", "drops a column");
}

#[tokio::test]
async fn a_failure_is_a_warning() {
    for (component, expected) in [
        (Component::gate().body(Function::Review, bodies::TRAP), "plugin-trap"),
        (Component::gate().body(Function::Describe, bodies::TRAP), "plugin-trap"),
        (Component::gate().body(Function::Review, bodies::ENDLESS), "limit-fuel"),
        (Component::environment().body(Function::Identify, bodies::TRAP), "plugin-trap"),
        (Component::gate().version("0.2.0"), "plugin-other-world"),
    ] {
        let review = audited(&component).await;
        would(&review, "deny", "");
        assert_eq!(review.verdicts.iter().filter(|verdict| rule(verdict) == expected).count(), 1, "{review:#?}");
    }
}

#[tokio::test]
async fn another_plugin_still_denies() {
    let folder = Folder::new();
    let bytes = Component::gate().body(Function::Review, &bodies::deny("no")).bytes();
    let heard = PluginDefinition { mode: Mode::Audit, ..folder.plugin("heard", &bytes) };
    let (_, review) = consult(&host(), &set([heard, folder.plugin("obeyed", &bytes)]), request()).await;
    assert_eq!(review.outcome, Outcome::Denied);
    let decisions: Vec<_> = review.verdicts.iter().map(|verdict| (verdict.plugin.as_str(), verdict.decision)).collect();
    assert_eq!(decisions, [("heard", Decision::Warn), ("obeyed", Decision::Deny)]);
}

/// What an environment policy in audit mode says of `staging`, and what `production-override` makes of it.
async fn heard(mode: Mode, level: u32, production: bool) -> (Identity, Review) {
    let folder = Folder::new();
    let body = bodies::identify_level("elsewhere", level, production);
    let bytes = Component::environment().body(Function::Identify, &body).bytes();
    let heard = PluginDefinition { mode, ..folder.plugin("heard", bytes) };
    let gate = builtin_definition("production-override").unwrap();
    let gate = PluginDefinition { limits: patient(), ..gate };
    consult(&host_with_shared_cache(), &set([heard, gate]), request_for("staging", &[("a1", "")])).await
}

#[tokio::test]
async fn it_does_not_say_that_this_is_no_production() {
    let (identity, review) = heard(Mode::Enforce, 10, false).await;
    assert_eq!((identity.name.as_str(), identity.level, identity.production), ("elsewhere", Some(10), Some(false)));
    assert_eq!(review.outcome, Outcome::Allowed);

    let (identity, review) = heard(Mode::Audit, 10, false).await;
    assert_eq!((identity.name.as_str(), identity.level, identity.production), ("staging", None, None));
    assert_eq!(review.outcome, Outcome::Denied, "nobody who is obeyed knows: {review:#?}");
}

#[tokio::test]
async fn its_word_that_this_is_production_counts() {
    let (identity, review) = heard(Mode::Audit, 100, true).await;
    assert_eq!((identity.name.as_str(), identity.level, identity.production), ("staging", Some(100), Some(true)));
    assert_eq!(review.outcome, Outcome::Denied);
}
