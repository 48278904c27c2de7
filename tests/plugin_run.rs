//! `runner plan --json` with its request, and `runner plugin run`.

use std::io::Write as _;
use std::process::Stdio;

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use policy_components::bodies;
use policy_components::bodies::Step;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// A project of two revisions with the plan recorded in `plan.json`, and a component in `acme.wasm`.
fn project_with(component: &Component) -> Project {
    let project = Project::linear(2);
    record(&project, &[]);
    project.write("acme.wasm", component.bytes());
    project
}

fn record(project: &Project, further: &[&str]) {
    let plan = project.run(&[&["plan", "--json"], further].concat()).exits(0);
    project.write("plan.json", &plan.stdout);
}

#[test]
fn a_plan_holds_what_the_policies_were_asked() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    project.table_revision(2);
    let json = project.run(&["plan", "--json"]).exits(0).json();
    let request = &json["request"];
    assert_eq!(request["context"]["operation"], "Upgrade");
    assert_eq!(request["context"]["environment"]["level"], 10);
    assert_eq!(request["context"]["actor"]["name"], "tester");
    assert_eq!(request["context"]["settings"], "{}");
    assert_eq!(request["context"]["variables"], serde_json::json!([]));
    assert_eq!(request["plan"]["hash"], json["plan_hash"]);
    assert_eq!(request["plan"]["steps"][0]["revision"]["id"], "r0002");
    assert!(request["plan"]["steps"][0]["statements"][0]["text"].as_str().unwrap().contains("CREATE TABLE t0002"));
    assert_eq!(request["applied"][0]["id"], "r0001");
    assert_eq!(request["sources"][0]["down"][0]["text"], "DROP TABLE t0002");
    let dry = project.run(&["upgrade", "--dry-run", "--json"]).exits(0).json();
    assert!(dry.get("request").is_none(), "{dry:#}");
}

/// No password of a URL and no value of a variable is written; the SQL of revisions stays as it is.
#[test]
fn a_recorded_request_holds_no_secret() {
    let project = Project::empty();
    project.revision("a1", "base", "", "INSERT INTO t VALUES ('password=\"x\\y\"');", "SELECT 'password=abc';");
    let url = format!("sqlite://{}?password=hunter2", project.path("app.db").display());
    let variables = [("ALLOW_PRODUCTION_MIGRATE", "hunter3"), ("DATABASE_URL", url.as_str())];
    let run = project.run_with(&variables, &["plan", "--json", "--env", "production"]);
    assert!(!run.stdout.contains("hunter"), "{run}");
    let run = project.run_with(&variables[..1], &["plan", "--json", "--env", "production"]).exits(0);
    assert!(!run.stdout.contains("hunter"), "{run}");
    let json = run.json();
    assert_eq!(json["request"]["sources"][0]["up"][0]["text"], "INSERT INTO t VALUES ('password=\"x\\y\"')");
    project.write("plan.json", &run.stdout);
    project.run(&["plugin", "run", "builtin:production-override", "--plan", "plan.json"]).exits(3);
}

#[test]
fn a_gate_that_denies() {
    let project = project_with(&Component::gate().body(Function::Review, &bodies::deny("not on a Friday")));
    snapshot!(project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json"]), @"
    exit: 3
    --- stdout
    acme 1.0.0  acme.wasm  gate
      environment  development (level 10)
      plan         2 steps, [HASH]
      deny  acme 1.0.0  not on a Friday
      gate.review  [FUEL] fuel  [SIZE]  [TIME]
    Denied
    --- stderr
    ");
    let json = project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json", "--json"]).exits(3).json();
    assert_eq!(json["outcome"], "denied");
    assert_eq!(json["verdicts"][0]["message"], "not on a Friday");
    assert_eq!(json["verdicts"][0]["rule"], "tested");
    assert_eq!(json["calls"][0]["function"], "gate.review");
    assert!(json["fuel"].as_u64().unwrap() > 0);
    assert_eq!(json["plugin"]["name"], "acme");
    assert_eq!(json["steps"][1]["fate"], "run");
}

#[test]
fn a_gate_that_asks_and_one_that_has_something_to_say() {
    let project = project_with(&Component::gate().body(Function::Review, &bodies::confirm("Are you sure?")));
    snapshot!(project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json"]), @"
    exit: 0
    --- stdout
    acme 1.0.0  acme.wasm  gate
      environment  development (level 10)
      plan         2 steps, [HASH]
      confirm  acme 1.0.0  Are you sure?
      gate.review  [FUEL] fuel  [SIZE]  [TIME]
    Allowed once somebody has said yes
    --- stderr
    ");
    project.write("acme.wasm", Component::gate().body(Function::Review, &bodies::notice("HANDLE WITH CARE")).bytes());
    let run = project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json"]).exits(0);
    assert!(run.stdout.contains("notice  HANDLE WITH CARE"), "{run}");
}

#[test]
fn every_role_is_asked_or_those_that_are_named() {
    let component = Component::of(&Role::ALL)
        .body(Function::Judge, &bodies::judge_each(Step::Warn, "not here"))
        .body(Function::Check, &bodies::find(2, "r0001", "no index"))
        .body(Function::Announce, &bodies::announce("it is done"));
    let project = project_with(&component);
    let all = ["plugin", "run", "acme.wasm", "--plan", "plan.json", "--event", "finished"];
    snapshot!(project.run(&all), @"
    exit: 3
    --- stdout
    acme 1.0.0  acme.wasm  environment, lint, gate, notify
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  acme 1.0.0  development (level 10)
      allow  acme 1.0.0
      warn   acme 1.0.0  r0001 not here
      warn   acme 1.0.0  r0002 not here
      deny   acme 1.0.0  migrations/r0001.sql:3: no index
      message to team  it is done
      environment.identify  [FUEL] fuel    [SIZE]  [TIME]
      environment.judge     [FUEL] fuel  [SIZE]  [TIME]
      lint.check            [FUEL] fuel  [SIZE]  [TIME]
      lint.rules            [FUEL] fuel     [SIZE]  [TIME]
      gate.review           [FUEL] fuel  [SIZE]  [TIME]
      notify.announce       [FUEL] fuel  [SIZE]  [TIME]
    Denied
    --- stderr
    ");
    let json = project.run(&[&all[..], &["--json"]].concat()).exits(3).json();
    let functions: Vec<&str> =
        json["calls"].as_array().unwrap().iter().map(|call| call["function"].as_str().unwrap()).collect();
    assert_eq!(
        functions,
        ["environment.identify", "environment.judge", "lint.check", "lint.rules", "gate.review", "notify.announce"]
    );
    assert_eq!(json["steps"][0]["fate"], "run");
    assert_eq!(json["messages"][0]["channel"], "team");
    let gate = project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json", "--role", "gate"]).exits(0);
    assert!(!gate.stdout.contains("no index") && !gate.stdout.contains("not here"), "{gate}");
    let unheard = project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json"]).exits(3);
    assert!(unheard.stderr.contains("`--event` says what it is told"), "{unheard}");
}

#[test]
fn the_same_request_uses_the_same_fuel() {
    let project = project_with(&Component::gate().body(Function::Review, &bodies::deny("no")));
    let fuel = || {
        let json = project.run(&["plugin", "run", "acme.wasm", "--plan", "plan.json", "--json"]).json();
        json["fuel"].as_u64().unwrap()
    };
    assert_eq!(fuel(), fuel());
}

#[test]
fn a_plan_through_a_pipe_and_without_a_project() {
    let project = project_with(&Component::gate());
    let plan = std::fs::read(project.path("plan.json")).unwrap();
    project.remove("runner.toml");
    let mut child = project
        .command(&["plugin", "run", "acme.wasm", "--plan", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&plan).unwrap();
    project.ended(child).exits(0);
    let bare: serde_json::Value = serde_json::from_slice(&plan).unwrap();
    project.write("request.json", bare["request"].to_string());
    project.run(&["plugin", "run", "acme.wasm", "--plan", "request.json"]).exits(0);
}

#[test]
fn a_plugin_by_its_name_comes_with_settings_and_grants() {
    let project = Project::linear(1);
    project.configure("[plugins.production-override]\nsettings = { variable = \"GO\" }\ngrants = { env = [\"GO\"] }\n");
    record(&project, &["--env", "production"]);
    let named = ["plugin", "run", "production-override", "--plan", "plan.json"];
    project.run(&named).exits(3);
    project.run_with(&[("GO", "true")], &named).exits(0);
    // The built-in one looks elsewhere, unless it is told.
    let built_in = ["plugin", "run", "builtin:production-override", "--plan", "plan.json"];
    project.run_with(&[("GO", "true")], &built_in).exits(3);
    project.write("settings.json", "{\"variable\": \"GO\"}");
    for settings in ["{\"variable\": \"GO\"}", "@settings.json"] {
        let told = [&built_in[..], &["--settings", settings, "--grant-env", "GO"]].concat();
        project.run_with(&[("GO", "true")], &told).exits(0);
        project.run(&told).exits(3);
    }
}

#[track_caller]
fn wrong(project: &Project, arguments: &[&str], words: &[&str]) -> Run {
    let run = project.run(&[&["plugin", "run"], arguments].concat()).exits(2);
    for word in words {
        assert!(run.stderr.contains(word), "`{word}` is missing: {run}");
    }
    assert!(!run.stderr.contains("panicked"), "{run}");
    run
}

#[test]
fn wrong_requests() {
    let project = project_with(&Component::gate());
    project.write("broken.json", "{\n  \"request\": {\n    oops\n");
    wrong(
        &project,
        &["acme.wasm", "--plan", "broken.json"],
        &["`broken.json` is not a recorded request", "line 3 column 5"],
    );
    let plan = project.run(&["upgrade", "--dry-run", "--json"]).stdout;
    project.write("dry.json", plan);
    snapshot!(wrong(&project, &["acme.wasm", "--plan", "dry.json"], &[]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `dry.json` holds a plan without its request

      help: `runner plan --json > plan.json` records one
    ");
    project.write("other.json", "[1, 2]");
    wrong(&project, &["acme.wasm", "--plan", "other.json"], &["holds no recorded request", "runner plan --json"]);
    wrong(&project, &["acme.wasm", "--plan", "gone.json"], &["there is no recorded request `gone.json`"]);
    wrong(&project, &["acme.wasm", "--plan", "migrations"], &["can't be read"]);
    project.edit("plan.json", "\"Upgrade\"", "\"Sidegrade\"");
    wrong(&project, &["acme.wasm", "--plan", "plan.json"], &["unknown variant `Sidegrade`", "line "]);
    project.write("binary.json", b"\xff\xfe\x00");
    wrong(&project, &["acme.wasm", "--plan", "binary.json"], &["is not UTF-8 text"]);
}

#[test]
fn plugins_that_are_not_there() {
    let project = project_with(&Component::gate());
    wrong(&project, &["gone.wasm", "--plan", "plan.json"], &["there is no file `gone.wasm`"]);
    wrong(
        &project,
        &["builtin:production-overide", "--plan", "plan.json"],
        &["did you mean `builtin:production-override`?"],
    );
    wrong(&project, &["production-overide", "--plan", "plan.json"], &["did you mean `production-override`?"]);
    wrong(
        &project,
        &["acme.wasm", "--plan", "plan.json", "--settings", "{"],
        &["`--settings` is not JSON", "line 1 column 1"],
    );
    wrong(&project, &["acme.wasm", "--plan", "plan.json", "--settings", "[]"], &["holds no JSON object"]);
    wrong(&project, &["acme.wasm", "--plan", "plan.json", "--settings", "@gone.json"], &["`gone.json` can't be read"]);
}

/// Hostile components end in a refusal with a name; nothing crashes.
#[test]
fn hostile_components() {
    let project = project_with(&Component::gate());
    let whole = Component::gate().bytes();
    let deep = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))";
    let hostile: [(Vec<u8>, &str); 9] = [
        (Component::gate().body(Function::Review, bodies::TRAP).bytes(), "plugin-trap"),
        (Component::gate().body(Function::Review, bodies::ENDLESS).bytes(), "limit-fuel"),
        (Component::gate().body(Function::Describe, bodies::ENDLESS).bytes(), "limit-fuel"),
        (
            Component::gate().fields(deep).body(Function::Review, "(drop (call $deep (i32.const 0)))").bytes(),
            "limit-stack",
        ),
        (
            Component::gate()
                .body(Function::Review, "(loop $more (drop (memory.grow (i32.const 16))) (br $more))")
                .bytes(),
            "limit-memory",
        ),
        (Component::gate().body(Function::Review, &bodies::deny_revision("zz", "wrong")).bytes(), "plugin-answer"),
        (Component::gate().core_module(), "plugin-not-a-component"),
        (whole[..whole.len() / 2].to_vec(), "plugin-not-a-component"),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), "plugin-not-a-component"),
    ];
    project.write("cases/one.toml", "up = \"SELECT 1;\"\nexpect = { outcome = \"denied\" }\n");
    // On a busy machine time must not run out before fuel does.
    project.configure("[plugins.acme]\nsource = \"acme.wasm\"\nlimits = { fuel = 10000000, time = \"60s\" }\n");
    for (bytes, rule) in hostile {
        project.write("acme.wasm", bytes);
        let json = project.run(&["plugin", "run", "acme", "--plan", "plan.json", "--json"]).exits(3).json();
        assert_eq!(json["verdicts"][0]["rule"], rule, "{json:#}");
        // A refusal is no answer, so it does not pass for a denial.
        let test = project.run(&["plugin", "test", "acme"]).exits(4);
        assert!(test.stdout.contains(rule), "{test}");
        let bench = project.run(&["plugin", "bench", "acme", "--rounds", "2", "--steps", "2"]).exits(3);
        assert!(bench.stderr.contains(rule), "{bench}");
        assert!(!bench.stderr.contains("panicked"), "{bench}");
    }
}

#[test]
fn escapes_do_not_reach_the_terminal() {
    let escapes = "\u{1b}[2J\u{1b}]0;owned\u{7}\rallow\u{202e}\nhelp: all is well";
    let component = Component::of(&[Role::Gate, Role::Notify])
        .body(Function::Review, &bodies::deny(escapes))
        .body(Function::Announce, &bodies::announce(escapes));
    let project = project_with(&component);
    project.write("cases/one.toml", "up = \"SELECT 1;\"\n[expect]\nverdicts = []\n");
    for arguments in [
        &["plugin", "run", "acme.wasm", "--plan", "plan.json", "--event", "started", "--color", "always"][..],
        &["plugin", "test", "acme.wasm", "--color", "always"],
    ] {
        let run = project.run(arguments);
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains(['\u{7}', '\r', '\u{202e}']), "{text:?}");
            assert!(!text.contains("\u{1b}[2J") && !text.contains("\u{1b}]0"), "{text:?}");
            assert!(!text.lines().any(|line| line.starts_with("help: all is well")), "{text:?}");
        }
    }
}
