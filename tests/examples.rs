//! The example policy in four languages: one behaviour.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use runner_policy::Cache;
use runner_policy::Decision;
use runner_policy::Grants;
use runner_policy::Host;
use runner_policy::Limits;
use runner_policy::Mode;
use runner_policy::PluginDefinition;
use runner_policy::Question;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::Source;
use runner_policy::Trial;
use runner_policy::data;
use serde_json::Value;
use serde_json::json;

use crate::building::component;
use crate::building::repository;
use crate::harness::Project;
use crate::harness::block_on;
use crate::harness::cache;

const LANGUAGES: [&str; 4] = ["rust", "javascript", "python", "c"];

/// The component of the example in a language.
fn example(language: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let source = repository(&format!("plugins/examples/{language}"));
    match language {
        "javascript" => {
            // Node looks for packages in the folders above.
            let copy = test_toolchains::javascript().unwrap_or_else(|error| panic!("{error}")).join("team-rules");
            copy_folder(&source, &copy);
            component(&copy)
        }
        "python" => {
            test_toolchains::python().unwrap_or_else(|error| panic!("{error}"));
            component(&source)
        }
        "c" => {
            test_toolchains::c().unwrap_or_else(|error| panic!("{error}"));
            component(&source)
        }
        _ => component(&source),
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::write(target, std::fs::read(path).unwrap()).unwrap();
        }
    }
}

#[test]
fn all_four_pass_the_same_cases() {
    let cases = repository("plugins/examples/cases");
    for language in LANGUAGES {
        let project = Project::empty();
        let component = example(language);
        let run =
            project.run(&["plugin", "test", component.to_str().unwrap(), cases.to_str().unwrap(), "--json"]).exits(0);
        let json = run.json();
        assert_eq!(json["differ"], 0, "{language}: {run}");
        assert!(json["passed"].as_u64().unwrap() >= 10, "{language}: {run}");
    }
}

/// A request as `runner plan --json` leaves it.
fn recorded() -> Request {
    let project = Project::empty();
    let revisions =
        [("a1", "base", "Add email (OPS-12)"), ("b2", "a1", "Füge Straße 🦷 hinzu – WEB-7"), ("c3", "b2", "Tidy up")];
    for (id, parent, title) in revisions {
        let text = format!(
            "-- {title}\n--\n-- Für alle: siehe Utf-8.\n-- Revision ID: {id}\n-- Revises: {parent}\n\n-- migrate:up\nCREATE TABLE {id} (i INTEGER);\n\n-- migrate:down\nDROP TABLE {id};\n"
        );
        project.write(&format!("migrations/{id}.sql"), text);
    }
    let plan = project.run(&["plan", "--env", "production", "--json"]).exits(0).json();
    serde_json::from_value(plan["request"].clone()).unwrap()
}

/// Requests with their settings, each under a name.
fn requests() -> Vec<(&'static str, Value, Request)> {
    let friday = 1_795_192_200; // 2026-11-20T16:30:00Z
    let at = |seconds: i64, production: Option<bool>| {
        let mut request = recorded();
        request.context.now = data::Timestamp { seconds, nanoseconds: 7 };
        request.context.environment.production = production;
        request
    };
    let production = at(friday, Some(true));
    let mut many = production.clone();
    for number in 0..100 {
        let mut step = many.plan.steps[number % 3].clone();
        step.revision.id = format!("m{number}");
        many.plan.steps.push(step);
    }
    let mut down = production.clone();
    for step in &mut down.plan.steps {
        step.direction = data::Direction::Down;
        step.recorded = Some(data::Recorded::Applied);
    }
    let mut mixed = down.clone();
    mixed.plan.steps[1].direction = data::Direction::Up;
    let mut skipped = production.clone();
    skipped.plan.steps[0].skipped = true;
    let mut nothing = production.clone();
    nothing.plan.steps.clear();
    nothing.sources.clear();
    let mut bare = production.clone();
    for source in &mut bare.sources {
        source.revision.title.clear();
        source.revision.description.clear();
    }
    let none = json!({});
    let mut requests = vec![
        ("development", none.clone(), at(friday, Some(false))),
        ("production on Friday", none.clone(), production.clone()),
        ("an unknown environment", none.clone(), at(friday, None)),
        ("the hour before", none.clone(), at(friday - 6_061, Some(true))),
        ("Sunday night", none.clone(), at(1_795_391_999, Some(true))),
        ("Monday morning", none.clone(), at(1_795_392_000, Some(true))),
        ("a Saturday before 1970", none.clone(), at(-432_001, Some(true))),
        ("a hundred steps", json!({ "ticket-prefix": "OPS" }), many),
        ("steps down", none.clone(), down),
        ("a step up among them", none.clone(), mixed),
        ("a step that is skipped", none.clone(), skipped),
        ("nothing to do", none.clone(), nothing),
        ("no titles", none.clone(), bare),
        ("a prefix", json!({ "ticket-prefix": "WEB", "freeze-from": 18 }), production.clone()),
    ];
    for settings in [
        json!({ "ticket-prefix": "ops", "freeze-from": 24 }),
        json!({ "freeze-from": "noon" }),
        json!({ "freeze-from": -1 }),
        json!({ "freeze-from": 5_000_000_000_i64 }),
        json!({ "freeze-from": 1.5 }),
        json!({ "freeze-from": true }),
        json!({ "freeze-from": null }),
        json!({ "ticket-prefix": ["OPS"] }),
        json!({ "ticket-prefix": { "is": "OPS" } }),
        json!({ "ticket-prefix": 12 }),
        json!({ "ticket-prefix": "ÄÖ\u{1F9B7}\"\\\n" }),
        json!({ "frieze-from": 12 }),
    ] {
        requests.push(("wrong settings", settings, production.clone()));
    }
    requests
}

/// What a component says of a request, without what tells one component from another; and the fuel that it used.
fn answer(component: &Path, settings: &Value, request: Request) -> (Value, u64) {
    let definition = PluginDefinition {
        name: "team-rules".to_owned(),
        source: Source::File { path: component.to_path_buf(), shown: "team-rules.wasm".to_owned() },
        settings: settings.as_object().unwrap().clone(),
        grants: Grants::default(),
        limits: Limits { time: std::time::Duration::from_secs(60), ..Limits::default() },
        mode: Mode::Enforce,
        trust: runner_policy::Trust::default(),
    };
    block_on(async {
        let trial = Trial::load(&Host::new(Cache::Folder(cache())), definition).await;
        let answer = trial.ask(request, Question { roles: &Role::ALL, event: None }).await;
        let mut verdicts = serde_json::to_value(&answer.review.verdicts).unwrap();
        for verdict in verdicts.as_array_mut().unwrap() {
            verdict.as_object_mut().unwrap().remove("digest").unwrap();
        }
        let prompts: Vec<&str> = answer.review.prompts.iter().map(|prompt| prompt.text.as_str()).collect();
        let notices: Vec<&str> = answer.review.notices.iter().map(|notice| notice.text.as_str()).collect();
        let said =
            json!({ "outcome": answer.review.outcome, "verdicts": verdicts, "prompts": prompts, "notices": notices });
        (said, answer.calls.iter().map(|call| call.fuel).sum())
    })
}

#[test]
#[expect(clippy::print_stdout, reason = "the fuel that each language needs, for whoever looks at what a test prints")]
fn all_four_say_the_same_of_recorded_requests() {
    let components = LANGUAGES.map(example);
    let mut denied = 0;
    println!("{:<24} {LANGUAGES:>12?}   fuel", "request");
    for (name, settings, request) in requests() {
        let answers = components.each_ref().map(|component| answer(component, &settings, request.clone()));
        let (expected, _) = &answers[0];
        for (language, (said, _)) in LANGUAGES.iter().zip(&answers) {
            assert_eq!(said, expected, "{language} differs from Rust on `{name}` with {settings}");
        }
        denied += usize::from(expected["outcome"] == "denied");
        println!("{name:<24} {:>12?}", answers.each_ref().map(|(_, fuel)| fuel));
    }
    assert!(denied >= 20, "{denied}");
}

#[test]
fn none_of_them_imports_anything_of_wasi() {
    for language in LANGUAGES {
        let run = Project::empty().run(&["plugin", "inspect", example(language).to_str().unwrap(), "--json"]).exits(0);
        let json = run.json();
        assert_eq!(json["roles"], json!(["lint", "gate"]), "{language}");
        let kinds: Vec<&Value> = json["imports"].as_array().unwrap().iter().map(|import| &import["kind"]).collect();
        assert!(kinds.iter().all(|kind| **kind == "contract"), "{language}: {run}");
        assert_eq!(json["settings_schema"]["properties"]["freeze-from"]["default"], 15, "{language}");
    }
}

#[test]
fn what_is_denied_is_denied_by_its_rule() {
    let component = example("rust");
    let (_, settings, request) = requests().swap_remove(1);
    let definition = answer(&component, &settings, request).0;
    let rules: Vec<&str> = definition["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|verdict| verdict["decision"] == json!(Decision::Deny))
        .map(|verdict| verdict["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["ticket", "weekend-freeze", "weekend-freeze", "weekend-freeze", "weekend-freeze"]);
}
