//! The interface `revision-lint`: one revision a call, answers that are remembered, and answers against the rules.

use std::path::Path;
use std::sync::OnceLock;

use runner_policy::AsTheyAre;
use runner_policy::Assess;
use runner_policy::Cache;
use runner_policy::Decision;
use runner_policy::Facts;
use runner_policy::FactsSource;
use runner_policy::Grants;
use runner_policy::Host;
use runner_policy::Identity;
use runner_policy::Limits;
use runner_policy::LintFinding;
use runner_policy::LintMatter;
use runner_policy::Linted;
use runner_policy::Linting;
use runner_policy::PluginDefinition;
use runner_policy::PluginRules;
use runner_policy::Policies;
use runner_policy::Review;
use runner_policy::Role;
use runner_policy::Severity;
use runner_policy::Subject;
use runner_policy::data;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::support::Folder;
use crate::support::ROLES;
use crate::support::context;
use crate::support::host;
use crate::support::patient;
use crate::support::request;
use crate::support::revision;
use crate::support::rule;
use crate::support::set;

fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| policy_components::guest("word-lint"))
}

fn plugin(folder: &Folder, settings: &Value) -> PluginDefinition {
    let settings = settings.as_object().cloned().unwrap_or_else(Map::new);
    let grants = Grants { facts: true, ..Grants::default() };
    PluginDefinition { settings, grants, ..folder.plugin("word-lint", component()) }
}

/// Revisions that each hold the word `bad` in their second line.
fn subjects(ids: &[&str], planned: bool) -> Vec<Subject> {
    ids.iter()
        .map(|id| {
            let text = format!("-- {id}\nä bad word\n");
            let planned = planned.then_some(data::Direction::Up);
            let revision = revision(id, "");
            Subject {
                revision: (*id).to_owned(),
                file: revision.file.clone(),
                digest: sha2::Digest::finalize(sha2::Digest::chain_update(
                    <sha2::Sha256 as sha2::Digest>::new(),
                    &text,
                ))
                .into(),
                surroundings: data::Surroundings {
                    sections: Vec::new(),
                    parents: Vec::new(),
                    siblings: Vec::new(),
                    other_heads: Vec::new(),
                    applied: None,
                    notes: Vec::new(),
                },
                planned,
                source: Box::new(move || data::RevisionSource {
                    revision: revision.clone(),
                    text: text.clone(),
                    up: Some(vec![data::Statement { text: "bad word".to_owned(), line: 2, column: 3 }]),
                    down: None,
                    planned,
                }),
            }
        })
        .collect()
}

struct Asked<'a> {
    host: Host,
    definition: PluginDefinition,
    facts: Option<Facts>,
    context: data::Context,
    subjects: &'a dyn Fn() -> Vec<Subject>,
}

async fn ask(asked: &Asked<'_>) -> Linted {
    let mut policies = Policies::load(&asked.host, &set([asked.definition.clone()]), &ROLES).await;
    if let Some(facts) = &asked.facts {
        policies.offer_facts(&FactsSource::given(facts.clone()));
    }
    let memory = asked.host.memory("project");
    policies.lint(&asked.context, &LintMatter::default(), (asked.subjects)(), &memory, false).await
}

fn cached(folder: &Path) -> Host {
    Host::new(Cache::Folder(folder.join("cache"))).with_variables(|_| None)
}

fn messages(linted: &Linted) -> Vec<&str> {
    assert!(linted.refusals.is_empty(), "{:#?}", linted.refusals);
    linted.findings.iter().map(|finding| finding.verdict.message.as_str()).collect()
}

#[tokio::test]
async fn a_finding_has_a_place_with_an_end_and_the_severity_of_the_environment() {
    let folder = Folder::new();
    let mut asked = Asked {
        host: host(),
        definition: plugin(&folder, &json!({ "word": "bad" })),
        facts: None,
        context: context("development"),
        subjects: &|| subjects(&["a1"], false),
    };
    let linted = ask(&asked).await;
    let [finding] = linted.findings.as_slice() else { panic!("{linted:#?}") };
    assert_eq!(
        (finding.verdict.line, finding.verdict.column, finding.end),
        (Some(2), Some(3), Some((2, 6))),
        "characters, not bytes"
    );
    assert_eq!(finding.verdict.file.as_deref(), Some("migrations/a1.sql"));
    assert_eq!(rule(&finding.verdict), "no-such-word");
    assert_eq!(finding.verdict.severity, Some(Severity::Error), "nobody knows that it is not production");
    assert_eq!(finding.verdict.decision, Decision::Deny);
    assert_eq!(linted.locks, [], "they are told of plans");
    assert_eq!(linted.rules[0].rules[0].aliases, ["W1"]);
    asked.context.environment.production = Some(false);
    assert_eq!(ask(&asked).await.findings[0].verdict.decision, Decision::Warn);
}

#[tokio::test]
async fn notes_reach_the_later_steps_of_a_plan_and_no_others() {
    let folder = Folder::new();
    for (planned, about, expected) in [
        (true, "Word", ["0 tables, 0 notes, 0", "0 tables, 1 notes, 0", "0 tables, 2 notes, 0"]),
        (true, "other", ["0 tables, 0 notes, 0"; 3]),
        (false, "Word", ["0 tables, 0 notes, 0"; 3]),
    ] {
        let linted = ask(&Asked {
            host: host(),
            definition: plugin(&folder, &json!({ "word": "bad", "about": about })),
            facts: None,
            context: context("development"),
            subjects: &|| subjects(&["a1", "b2", "c3"], planned),
        })
        .await;
        assert_eq!(messages(&linted), expected);
    }
}

#[tokio::test]
async fn what_is_asked_again_is_remembered_and_what_is_new_is_not() {
    /// Enough to be loaded, not enough to do the work.
    const SCARCE: u64 = 2_000_000;
    let folder = Folder::new();
    let cache = folder.path("");
    let generous = plugin(&folder, &json!({ "word": "bad", "work": 10_000_000u64 }));
    let scarce = PluginDefinition { limits: Limits { fuel: SCARCE, ..patient() }, ..generous.clone() };
    let three: &dyn Fn() -> Vec<Subject> = &|| subjects(&["a1", "b2", "c3"], false);
    let asked = |definition: &PluginDefinition, subjects| Asked {
        host: cached(&cache),
        definition: definition.clone(),
        facts: None,
        context: context("development"),
        subjects,
    };
    let fresh = ask(&asked(&scarce, three)).await;
    assert_eq!(fresh.refusals.len(), 3, "{fresh:#?}");
    assert_eq!(rule(&fresh.refusals[0]), "limit-fuel");
    assert_eq!(fresh.refusals[0].revision.as_deref(), Some("a1"));
    let first = ask(&asked(&generous, three)).await;
    assert_eq!(messages(&first).len(), 3);
    let again = ask(&asked(&scarce, three)).await;
    assert_eq!(again.findings, first.findings, "a refusal is not remembered, an answer is");
    assert_eq!(again.locks, first.locks);

    // Anything that the policy is told makes it another question.
    let others: [&dyn Fn() -> Vec<Subject>; 3] = [&|| subjects(&["d4"], false), &|| subjects(&["a1"], true), &|| {
        let mut subjects = subjects(&["a1"], false);
        subjects[0].surroundings.notes.push("something".to_owned());
        subjects
    }];
    for other in others {
        assert_eq!(ask(&asked(&scarce, other)).await.refusals.len(), 1);
    }
    let mut elsewhere = asked(&scarce, three);
    elsewhere.context.environment.name = "production".to_owned();
    assert_eq!(ask(&elsewhere).await.refusals.len(), 3);
    let mut told_otherwise = asked(&scarce, three);
    told_otherwise.definition.settings.insert("word".to_owned(), json!("word"));
    assert_eq!(ask(&told_otherwise).await.refusals.len(), 3);
}

#[tokio::test]
async fn an_answer_that_rests_on_facts_is_remembered_as_long_as_they_are_the_same() {
    let folder = Folder::new();
    let cache = folder.path("");
    let definition = plugin(&folder, &json!({ "word": "bad", "facts": true, "work": 10_000_000u64 }));
    let scarce = PluginDefinition { limits: Limits { fuel: 2_000_000, ..patient() }, ..definition.clone() };
    let table = |name: &str| data::Relation {
        schema: None,
        name: name.to_owned(),
        kind: data::RelationKind::Table,
        rows: Some(5),
        bytes: None,
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        definition: None,
    };
    let one = Facts { relations: vec![table("a")], ledger: Vec::new() };
    let two = Facts { relations: vec![table("a"), table("b")], ledger: Vec::new() };
    let asked = |definition: &PluginDefinition, facts: &Facts| Asked {
        host: cached(&cache),
        definition: definition.clone(),
        facts: Some(facts.clone()),
        context: context("development"),
        subjects: &|| subjects(&["a1"], false),
    };
    assert_eq!(messages(&ask(&asked(&definition, &one)).await)[0].split(',').next(), Some("1 tables"));
    assert_eq!(messages(&ask(&asked(&scarce, &one)).await).len(), 1, "the same facts");
    assert_eq!(ask(&asked(&scarce, &two)).await.refusals.len(), 1, "other facts");
    assert_eq!(messages(&ask(&asked(&definition, &two)).await)[0].split(',').next(), Some("2 tables"));
}

#[tokio::test]
async fn a_damaged_memory_counts_as_empty() {
    let folder = Folder::new();
    let cache = folder.path("");
    let definition = plugin(&folder, &json!({ "word": "bad" }));
    let asked = Asked {
        host: cached(&cache),
        definition,
        facts: None,
        context: context("development"),
        subjects: &|| subjects(&["a1", "b2"], false),
    };
    let first = ask(&asked).await;
    let answers = std::fs::read_dir(cache.join("cache")).unwrap().map(|entry| entry.unwrap().path());
    let file = answers.into_iter().find(|path| path.extension().is_some_and(|end| end == "answers")).unwrap();
    let whole = std::fs::read(&file).unwrap();
    for damage in 0..8 {
        let mut bytes = whole.clone();
        match damage {
            0 => bytes.clear(),
            1 => bytes.truncate(bytes.len() / 2),
            place => {
                let place = bytes.len() * place / 8 - 1;
                bytes[place] ^= 1;
            }
        }
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(ask(&asked).await.findings, first.findings);
    }
    assert_eq!(std::fs::read(&file).unwrap().len(), whole.len(), "it is written anew");
}

#[tokio::test]
async fn an_answer_against_the_rules_denies_and_names_the_revision() {
    for (manner, expected) in [
        ("wrong-place", "line 1000"),
        ("backwards-place", "from (2, 9) to (2, 3)"),
        ("unknown-rule", "`made-up`"),
        ("wrong-statement", "statement 99"),
        ("wrong-lock", "statement 99"),
        ("fail", "no idea"),
    ] {
        let folder = Folder::new();
        let linted = ask(&Asked {
            host: host(),
            definition: plugin(&folder, &json!({ "word": "bad", "manner": manner })),
            facts: None,
            context: context("development"),
            subjects: &|| subjects(&["a1"], false),
        })
        .await;
        assert!(linted.findings.is_empty(), "{manner}: {linted:#?}");
        let [refusal] = linted.refusals.as_slice() else { panic!("{manner}: {linted:#?}") };
        assert_eq!(refusal.decision, Decision::Deny, "{manner}");
        assert!(refusal.message.contains(expected), "{manner}: {}", refusal.message);
    }
}

#[tokio::test]
async fn a_policy_that_can_say_nothing_is_not_asked_for_ever() {
    let folder = Folder::new();
    let ids: Vec<String> = (0..200).map(|number| format!("r{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for planned in [true, false] {
        let linted = ask(&Asked {
            host: host(),
            definition: plugin(&folder, &json!({ "manner": "fail" })),
            facts: None,
            context: context("development"),
            subjects: &|| subjects(&ids, planned),
        })
        .await;
        let count = linted.refusals.len();
        assert!((10..200).contains(&count), "{count}");
    }
}

/// Suppresses everything in one revision.
struct Lenient;

impl Assess for Lenient {
    fn wants_rules(&self) -> bool {
        true
    }

    fn assess(&self, findings: Vec<LintFinding>, rules: &[PluginRules]) -> Vec<LintFinding> {
        assert_eq!(rules.len(), 1);
        findings.into_iter().filter(|finding| finding.verdict.revision.as_deref() != Some("b2")).collect()
    }
}

async fn planned(assess: &dyn Assess, skipped: Option<usize>) -> Review {
    let folder = Folder::new();
    let host = host();
    let policies = Policies::load(&host, &set([plugin(&folder, &json!({ "word": "Revises" }))]), &[Role::Lint]).await;
    let mut request = request();
    if let Some(skipped) = skipped {
        request.plan.steps[skipped].skipped = true;
    }
    let identity = Identity::of(&request.context.environment);
    let hash = request.plan.hash.clone();
    let memory = host.memory("project");
    policies.review_with(request, &identity, |_| hash, Linting { memory: &memory, assess }).await
}

#[tokio::test]
async fn what_remains_of_the_findings_decides_on_the_plan() {
    let revisions = |review: &Review| -> Vec<String> {
        review.verdicts.iter().filter_map(|verdict| verdict.revision.clone()).collect()
    };
    let review = planned(&AsTheyAre, None).await;
    assert_eq!(revisions(&review), ["a1", "b2", "c3"]);
    assert_eq!(review.outcome, runner_policy::Outcome::Denied);
    assert_eq!(review.locks.len(), 3);
    assert_eq!(revisions(&planned(&Lenient, None).await), ["a1", "c3"]);
    let skipped = planned(&AsTheyAre, Some(0)).await;
    assert_eq!(revisions(&skipped), ["b2", "c3"], "what does not run here is not looked at");
}
