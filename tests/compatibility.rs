//! A policy that was built against the first released version of the contract keeps working.

use runner_policy::Cache;
use runner_policy::Grants;
use runner_policy::Host;
use runner_policy::Limits;
use runner_policy::Mode;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Question;
use runner_policy::Role;
use runner_policy::Source;
use runner_policy::Trial;
use runner_policy::data;

use crate::building::component;
use crate::building::repository;
use crate::harness::Project;
use crate::harness::block_on;
use crate::harness::cache;

#[test]
fn the_first_contract_is_served_in_every_role() {
    let component = component(&repository("tests/fixtures/policy-0.1.0"));
    let inspection =
        Project::empty().run(&["plugin", "inspect", component.to_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!(inspection["contract"], "0.1.0");
    assert_eq!(inspection["roles"], serde_json::json!(["environment", "lint", "gate", "notify"]));

    let project = Project::linear(2);
    let plan = project.run(&["plan", "--json"]).exits(0).json();
    let mut request: runner_policy::Request = serde_json::from_value(plan["request"].clone()).unwrap();
    request.context.environment.name = "here".to_owned();
    request.context.actor.name = "ada".to_owned();
    request.sources[1].up[0].text.push('!');
    request.applied.push(data::AppliedRevision {
        id: "z9".to_owned(),
        environments: Vec::new(),
        recorded: data::Recorded::Applied,
    });
    let definition = PluginDefinition {
        name: "first".to_owned(),
        source: Source::File { path: component, shown: "first.wasm".to_owned() },
        settings: serde_json::Map::new(),
        grants: Grants::default(),
        limits: Limits { time: std::time::Duration::from_secs(60), ..Limits::default() },
        mode: Mode::Enforce,
        trust: runner_policy::Trust::default(),
    };
    let finished = data::Event::Finished(data::RunResult { steps: 2, skipped: 0, duration_ms: 5 });
    let answer = block_on(async {
        let trial = Trial::load(&Host::new(Cache::Folder(cache())), definition.clone()).await;
        trial.ask(request, Question { roles: &Role::ALL, event: Some(&finished) }).await
    });
    assert_eq!((answer.identity.name.as_str(), answer.identity.level), ("here", Some(1)));
    assert_eq!(answer.review.outcome, Outcome::Confirm, "{answer:#?}");
    assert_eq!(answer.review.prompts[0].text, "2 steps by ada?");
    let messages: Vec<&str> = answer.review.verdicts.iter().map(|verdict| verdict.message.as_str()).collect();
    assert!(messages.contains(&"was there before"), "{messages:?}");
    assert!(messages.iter().any(|message| message.ends_with("!` shouts")), "{messages:?}");
    assert_eq!(answer.messages[0].title, "2 steps");

    let settings = serde_json::json!({ "any": 1 }).as_object().unwrap().clone();
    let refused =
        block_on(Trial::load(&Host::new(Cache::Folder(cache())), PluginDefinition { settings, ..definition }));
    assert_eq!(refused.refusal().unwrap().rule.as_deref(), Some("plugin-settings"));
}
