//! The interface `facts`: given or collected on demand, at most once, and not in the plugin's time.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use policy_components::Component;
use policy_components::Function;
use policy_components::Granted;
use policy_components::Role;
use policy_components::bodies;
use policy_components::layout::ledger_entry;
use policy_components::layout::relation;
use runner_policy::Facts;
use runner_policy::FactsSource;
use runner_policy::Limits;
use runner_policy::Outcome;
use runner_policy::PluginDefinition;
use runner_policy::Policies;
use runner_policy::Review;
use runner_policy::data;

use crate::support::Folder;
use crate::support::ROLES;
use crate::support::denial;
use crate::support::host;
use crate::support::request;
use crate::support::review;
use crate::support::rule;
use crate::support::set;

/// Shows the names of the relations.
fn showing() -> Component {
    Component::gate().import_granted(Granted::Relations).body(
        Function::Review,
        &format!(
            "(local.set $from (call $allocate (i32.const 24))) (call $relations (local.get $from)) {}",
            bodies::show_each(relation::NAME, relation::SIZE)
        ),
    )
}

/// Shows the revisions of the latest steps.
fn recalling(limit: u32) -> Component {
    Component::gate().import_granted(Granted::Recent).body(
        Function::Review,
        &format!(
            "(local.set $from (call $allocate (i32.const 24))) (call $recent (i32.const {limit}) (local.get $from)) {}",
            bodies::show_each(0, ledger_entry::SIZE)
        ),
    )
}

fn table(name: &str, rows: Option<u64>) -> data::Relation {
    data::Relation {
        schema: None,
        name: name.to_owned(),
        kind: data::RelationKind::Table,
        rows,
        bytes: None,
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        definition: None,
    }
}

fn entry(revision: &str) -> data::LedgerEntry {
    data::LedgerEntry {
        revision: revision.to_owned(),
        direction: data::Direction::Up,
        outcome: data::LedgerOutcome::Applied,
        finished: data::Timestamp { seconds: 1_700_000_000, nanoseconds: 0 },
        duration_ms: 5,
        environment: "production".to_owned(),
        actor: "ada".to_owned(),
    }
}

fn facts() -> Facts {
    Facts {
        relations: vec![table("patient", Some(5000)), table("visit", None)],
        ledger: (0..2000).map(|number| entry(&format!("r{number}"))).collect(),
    }
}

fn granted(folder: &Folder, name: &str, component: &Component) -> PluginDefinition {
    let mut plugin = folder.plugin(name, component.bytes());
    plugin.grants.facts = true;
    plugin
}

async fn load(plugins: impl IntoIterator<Item = PluginDefinition>) -> Policies {
    Policies::load(&host(), &set(plugins), &ROLES).await
}

async fn ask(policies: &Policies) -> Review {
    let request = request();
    let identity = policies.identify(&request.context).await;
    policies.review(request, &identity).await
}

#[track_caller]
fn notices(review: &Review) -> Vec<&str> {
    assert_eq!(review.outcome, Outcome::Allowed, "{review:#?}");
    review.notices.iter().map(|notice| notice.text.as_str()).collect()
}

#[tokio::test]
async fn given_facts_are_seen() {
    let folder = Folder::new();
    let mut policies = load([granted(&folder, "tables", &showing())]).await;
    policies.offer_facts(&FactsSource::given(facts()));
    assert_eq!(notices(&ask(&policies).await), ["patient", "visit"]);
}

#[tokio::test]
async fn the_latest_steps_come_first_and_are_never_more_than_a_thousand() {
    let folder = Folder::new();
    for (limit, count) in [(0, 0), (2, 2), (1000, 1000), (u32::MAX, 1000)] {
        let mut policies = load([granted(&folder, "steps", &recalling(limit))]).await;
        policies.offer_facts(&FactsSource::given(facts()));
        let review = ask(&policies).await;
        let seen = notices(&review);
        assert_eq!(seen.len(), count);
        assert!(seen.first().is_none_or(|first| *first == "r0"));
    }
}

#[tokio::test]
async fn facts_are_collected_once_for_all_policies_and_only_when_one_asks() {
    let folder = Folder::new();
    let collected = AtomicUsize::new(0);
    let collect = async || {
        collected.fetch_add(1, Ordering::Relaxed);
        Ok(facts())
    };
    let mut idle = load([folder.plugin("idle", Component::gate().bytes())]).await;
    let (source, requests) = FactsSource::asked();
    idle.offer_facts(&source);
    assert_eq!(requests.serve(ask(&idle), collect).await.outcome, Outcome::Allowed);
    assert_eq!(collected.load(Ordering::Relaxed), 0);
    assert!(source.collected().is_none());

    let plugins = ["one", "two", "three"].map(|name| granted(&folder, name, &showing()));
    let mut policies = load(plugins).await;
    let (source, requests) = FactsSource::asked();
    policies.offer_facts(&source);
    let review = requests.serve(ask(&policies), collect).await;
    assert_eq!(notices(&review).len(), 6);
    assert_eq!(collected.load(Ordering::Relaxed), 1);
    assert_eq!(source.collected(), Some(&Ok(facts())));
}

#[tokio::test]
async fn the_time_it_takes_to_collect_is_not_the_plugins() {
    let folder = Folder::new();
    let mut plugin = granted(&folder, "tables", &showing());
    plugin.limits = Limits { time: Duration::from_millis(150), ..Limits::default() };
    let mut policies = load([plugin]).await;
    let (source, requests) = FactsSource::asked();
    policies.offer_facts(&source);
    let slowly = async || {
        tokio::time::sleep(Duration::from_millis(600)).await;
        Ok(facts())
    };
    assert_eq!(notices(&requests.serve(ask(&policies), slowly).await), ["patient", "visit"]);
}

#[tokio::test]
async fn a_failed_collection_is_a_failure_that_the_guest_sees() {
    let folder = Folder::new();
    let mut policies = load([granted(&folder, "tables", &showing())]).await;
    let (source, requests) = FactsSource::asked();
    policies.offer_facts(&source);
    let fail = async || Err(data::Failure { message: "the server is gone".to_owned(), help: None });
    assert_eq!(notices(&requests.serve(ask(&policies), fail).await), ["the server is gone"]);
}

#[tokio::test]
async fn where_there_is_no_target_there_are_no_facts() {
    let folder = Folder::new();
    let policies = load([granted(&folder, "tables", &showing())]).await;
    assert_eq!(notices(&ask(&policies).await), ["facts about the target can't be had here"]);
    // Nobody listens any more, or nobody answers.
    let mut policies = load([granted(&folder, "tables", &showing())]).await;
    let (source, requests) = FactsSource::asked();
    drop(requests);
    policies.offer_facts(&source);
    assert_eq!(notices(&ask(&policies).await), ["facts about the target can't be had here"]);
}

/// Thousands of tables, again and again: each answer is a copy, and copying is the plugin's time.
#[tokio::test]
async fn to_ask_again_and_again_ends_in_time() {
    let folder = Folder::new();
    let component = Component::gate().import_granted(Granted::Relations).allocator("(if (i32.lt_u (memory.size) (i32.const 500)) (then (drop (memory.grow (i32.const 500))))) (i32.const 65536)")
    .body(
        Function::Review,
        "(local.set $from (call $allocate (i32.const 24)))
        (loop $more (call $relations (local.get $from)) (br $more))",
    );
    let mut plugin = granted(&folder, "greedy", &component);
    plugin.limits =
        Limits { fuel: u64::MAX / 2, host_calls: u64::MAX, time: Duration::from_millis(300), ..Limits::default() };
    let mut policies = load([plugin]).await;
    let relations = (0..2000).map(|number| table(&format!("t{number}"), None)).collect();
    policies.offer_facts(&FactsSource::given(Facts { relations, ledger: Vec::new() }));
    let verdict = denial(&ask(&policies).await, "greedy");
    assert_eq!(rule(&verdict), "limit-time", "{verdict:#?}");
}

#[tokio::test]
async fn without_the_grant_the_import_is_refused_with_the_line_to_add() {
    let folder = Folder::new();
    let verdict = denial(&review(folder.plugin("tables", showing().bytes())).await, "tables");
    assert_eq!(rule(&verdict), "plugin-grant");
    assert!(
        verdict.message.contains("imports `runner:policy/facts@0.1.2`, which is not granted"),
        "{}",
        verdict.message
    );
    let help = "add `grants = { facts = true }` to `[plugins.tables]` if it shall have it";
    assert_eq!(verdict.help.as_deref(), Some(help));
}

/// The grant is what gives facts, not the interest in them: in every role.
#[tokio::test]
async fn every_role_may_be_granted_facts() {
    let folder = Folder::new();
    for role in [Role::Environment, Role::Lint, Role::Gate] {
        let component = Component::of(&[role]).import_granted(Granted::Relations);
        assert_eq!(review(granted(&folder, "tables", &component)).await.outcome, Outcome::Allowed, "{role:?}");
    }
}

#[test]
fn facts_can_be_recorded() {
    let facts = facts();
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    assert_eq!(serde_json::from_str::<Facts>("{}").unwrap(), Facts::default());
    assert!(serde_json::from_str::<Facts>("{\"tables\": []}").is_err());
}
