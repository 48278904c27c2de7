//! The one role that fails open: what goes wrong is reported, and denies nothing.

use policy_components::Component;
use policy_components::Function;
use policy_components::Role as MadeRole;
use policy_components::bodies;
use runner_policy::Decision;
use runner_policy::Mode;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Policies;
use runner_policy::Role;
use runner_policy::builtin_definition;
use runner_policy::data::Event;

use crate::support::*;

async fn loaded(plugins: impl IntoIterator<Item = PluginDefinition>) -> Policies {
    Policies::load(&host_with_shared_cache(), &set(plugins), &Role::ALL).await
}

/// What a review says with these plugins loaded in every role.
async fn outcome(policies: &Policies) -> Outcome {
    let identity = policies.identify(&request().context).await;
    policies.review(request(), &identity).await.outcome
}

#[tokio::test]
async fn a_notifier_that_can_not_be_used_is_a_warning() {
    let folder = Folder::new();
    let broken = Component::notify().body(Function::Describe, bodies::TRAP);
    let wrong = Component::notify().body(Function::CheckSettings, &bodies::wrong_settings("who", "nobody"));
    for component in [broken, wrong] {
        let policies = loaded([folder.plugin("teller", component.bytes())]).await;
        assert_eq!(outcome(&policies).await, Outcome::Allowed);
        let warnings: Vec<_> = policies.mute().collect();
        assert_eq!(warnings.len(), 1);
        assert_eq!((warnings[0].plugin.as_str(), warnings[0].decision), ("teller", Decision::Warn));
        let report = policies.reports().remove(0);
        assert!(report.error.is_some() && report.roles == [Role::Notify], "{report:?}");
        let (messages, failed) = policies.announce(&request().context, &request().plan, &Event::Started).await;
        assert!(messages.is_empty() && failed.is_empty());
    }
}

#[tokio::test]
async fn one_that_has_another_role_as_well_denies() {
    let folder = Folder::new();
    let both = Component::of(&[MadeRole::Gate, MadeRole::Notify]).body(Function::Describe, bodies::TRAP);
    let policies = loaded([folder.plugin("both", both.bytes())]).await;
    assert_eq!(outcome(&policies).await, Outcome::Denied);
    assert_eq!(policies.mute().count(), 0);
}

#[tokio::test]
async fn unknown_settings_of_the_built_in_one_are_named() {
    let mut definition = builtin_definition("notify").unwrap();
    definition.settings.insert("colour".to_owned(), "red".into());
    let warnings: Vec<_> = loaded([definition]).await.mute().collect();
    assert_eq!(rule(&warnings[0]), "plugin-settings");
    assert!(warnings[0].message.contains("colour"), "{}", warnings[0].message);
}

#[tokio::test]
async fn one_that_is_muted_is_not_asked() {
    let folder = Folder::new();
    let trap = Component::notify().body(Function::Announce, bodies::TRAP);
    let good = Component::notify().body(Function::Announce, &bodies::announce("Up we go"));
    let policies = loaded([folder.plugin("trap", trap.bytes()), folder.plugin("good", good.bytes())]).await;
    let (context, plan) = (request().context, request().plan);
    let (messages, failed) = policies.announce(&context, &plan, &Event::Started).await;
    assert_eq!((messages.len(), failed.len()), (1, 1), "one that fails keeps the others from nothing");
    let (messages, failed) = policies.announce_except(&["trap".to_owned()], &context, &plan, &Event::Started).await;
    assert_eq!((messages.len(), failed.len()), (1, 0));
}

#[tokio::test]
async fn an_audited_one_tells_nobody() {
    let folder = Folder::new();
    let component = Component::notify().body(Function::Announce, &bodies::announce("Up we go"));
    let plugin = PluginDefinition { mode: Mode::Audit, ..folder.plugin("teller", component.bytes()) };
    let (messages, failed) =
        loaded([plugin]).await.announce(&request().context, &request().plan, &Event::Started).await;
    assert!(messages.is_empty() && failed.is_empty());
}
