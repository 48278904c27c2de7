//! One plugin, tried out.

use std::time::Duration;

use policy_components as made;
use policy_components::Component;
use policy_components::Function;
use policy_components::bodies;
use runner_policy::Answer;
use runner_policy::Call;
use runner_policy::Decision;
use runner_policy::Limits;
use runner_policy::Mode;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Question;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::Trial;
use runner_policy::data;

use crate::support::Folder;
use crate::support::host;
use crate::support::request;

async fn ask(component: &Component, roles: &[Role], event: Option<&data::Event>) -> (Trial, Answer) {
    let folder = Folder::new();
    let trial = Trial::load(&host(), folder.plugin("tested", component.bytes())).await;
    let answer = trial.ask(request(), Question { roles, event }).await;
    (trial, answer)
}

fn functions(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.function).collect()
}

#[tokio::test]
async fn every_call_says_what_it_used() {
    let component = Component::of(&made::Role::ALL)
        .body(Function::Check, &bodies::find(1, "a1", "no index"))
        .body(Function::Review, "(drop (memory.grow (i32.const 10)))");
    let (trial, answer) = ask(&component, &Role::ALL, Some(&data::Event::Planned)).await;
    assert_eq!(functions(trial.loading()), ["plugin.describe, plugin.check-settings"]);
    assert_eq!(
        functions(&answer.calls),
        ["environment.identify", "environment.judge", "lint.check", "lint.rules", "gate.review", "notify.announce"]
    );
    assert!(answer.calls.iter().all(|call| call.fuel > 0 && call.time >= call.instantiation), "{answer:#?}");
    let memory = |function: &str| answer.calls.iter().find(|call| call.function == function).unwrap().memory;
    assert_eq!(memory("gate.review") - memory("environment.judge"), 10 * 65536);
    let again = ask(&component, &Role::ALL, Some(&data::Event::Planned)).await.1;
    let fuel = |answer: &Answer| answer.calls.iter().map(|call| call.fuel).collect::<Vec<_>>();
    assert_eq!(fuel(&answer), fuel(&again));
}

#[tokio::test]
async fn a_call_that_ends_in_a_refusal_is_told_as_well() {
    let folder = Folder::new();
    let component = Component::gate().body(Function::Review, bodies::ENDLESS);
    let limits = Limits { fuel: 1_000_000, time: Duration::from_secs(60), ..Limits::default() };
    let definition = PluginDefinition { limits, ..folder.plugin("tested", component.bytes()) };
    let trial = Trial::load(&host(), definition).await;
    let answer = trial.ask(request(), Question { roles: &Role::ALL, event: None }).await;
    assert_eq!(functions(&answer.calls), ["gate.review"]);
    assert_eq!(answer.calls[0].fuel, 1_000_000);
    assert!(answer.review.verdicts[0].refusal);
    assert_eq!(answer.review.outcome, Outcome::Denied);
    let (_, denied) = ask(&Component::gate().body(Function::Review, &bodies::deny("no")), &Role::ALL, None).await;
    assert!(!denied.review.verdicts[0].refusal);
}

#[tokio::test]
async fn only_the_roles_that_are_named_are_asked() {
    let component = Component::of(&made::Role::ALL).body(Function::Review, &bodies::deny("no"));
    let (_, answer) = ask(&component, &[Role::Lint], Some(&data::Event::Planned)).await;
    assert_eq!(functions(&answer.calls), ["lint.check"]);
    assert_eq!(answer.review.outcome, Outcome::Allowed);
    assert_eq!(answer.identity.name, "development");
    assert_eq!(answer.identity.level, None, "nobody was asked");
}

#[tokio::test]
async fn a_plugin_that_can_not_be_loaded_denies() {
    let folder = Folder::new();
    let trial = Trial::load(&host(), folder.missing("gone")).await;
    assert_eq!(trial.refusal().unwrap().rule.as_deref(), Some("plugin-unreadable"));
    let answer = trial.ask(request(), Question { roles: &Role::ALL, event: None }).await;
    assert_eq!(answer.review.outcome, Outcome::Denied);
    assert!(answer.calls.is_empty());
}

/// What a plugin says is looked at, whether it counts in a run or not.
#[tokio::test]
async fn audit_mode_does_not_soften_an_answer() {
    let folder = Folder::new();
    let component = Component::gate().body(Function::Review, &bodies::deny("no"));
    let definition = PluginDefinition { mode: Mode::Audit, ..folder.plugin("tested", component.bytes()) };
    let answer =
        Trial::load(&host(), definition).await.ask(request(), Question { roles: &Role::ALL, event: None }).await;
    assert_eq!(answer.review.verdicts[0].decision, Decision::Deny);
}

#[test]
fn a_request_is_the_same_after_it_was_written_down() {
    let written = serde_json::to_string(&request()).unwrap();
    let read: Request = serde_json::from_str(&written).unwrap();
    assert_eq!(read, request());
}
