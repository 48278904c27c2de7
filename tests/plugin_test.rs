//! `runner plugin test`

use policy_components::Component;
use policy_components::Function;
use policy_components::Granted;
use policy_components::Role;
use policy_components::bodies;
use policy_components::bodies::Step;
use policy_components::layout::relation;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// A folder with a component in `acme.wasm` and nothing else of a project.
fn folder_with(component: &Component) -> Project {
    let project = Project::empty();
    project.remove("runner.toml");
    project.write("acme.wasm", component.bytes());
    project
}

fn denying() -> Component {
    Component::gate().body(Function::Review, &bodies::deny("not on a Friday"))
}

fn test(project: &Project, arguments: &[&str]) -> Run {
    project.run(&[&["plugin", "test", "acme.wasm"], arguments].concat())
}

/// A role that is not there says nothing, which must not pass for "allowed".
#[test]
fn a_role_that_the_plugin_does_not_have_is_an_error() {
    let project = folder_with(&denying());
    project.write("cases/a.toml", "roles = [\"lint\"]\nup = \"SELECT 1;\"\n[expect]\noutcome = \"allowed\"\n");
    snapshot!(test(&project, &[]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the plugin has no role `lint`, so it would not be asked; it has gate
     --> cases/a.toml:1:1
      |
    1 | roles = ["lint"]
      | ^^^^^^^^^^^^^^^^

    error: the case `a` can't be asked
    "#);
    let json = project.run(&["plugin", "test", "acme.wasm", "--json"]).exits(2).json();
    assert!(json["error"].to_string().contains("can't be asked"), "{json}");
}

#[test]
fn the_shortest_case_passes_and_another_does_not() {
    let project = folder_with(&denying());
    project.write("cases/friday.toml", "up = \"DROP TABLE patient;\"\n\n[expect]\noutcome = \"denied\"\n");
    snapshot!(test(&project, &[]), @"
    exit: 0
    --- stdout
    acme 1.0.0  acme.wasm  gate
      ✓ friday  [FUEL] fuel
    1 case passed
    --- stderr
    ");
    project.write(
        "cases/monday.toml",
        "up = \"DROP TABLE patient;\"\n\n[expect]\noutcome = \"allowed\"\nverdicts = [{ rule = \"closed\" }]\nnotices = [\"CLOSED\"]\n",
    );
    snapshot!(test(&project, &[]), @r#"
    exit: 4
    --- stdout
    acme 1.0.0  acme.wasm  gate
      ✓ friday  [FUEL] fuel
      ✗ monday  [FUEL] fuel
          outcome
            - allowed
            + denied
          verdicts
            - { rule = "closed" }
            + { decision = "deny", rule = "tested", message = "not on a Friday" }
          notices
            - "CLOSED"
            + (none)
    2 cases: 1 passed, 1 differs
    --- stderr
    "#);
    let json = test(&project, &["--json"]).exits(4).json();
    assert_eq!((json["passed"].as_u64(), json["differ"].as_u64()), (Some(1), Some(1)), "{json:#}");
    assert_eq!(json["cases"][1]["differences"][0]["what"], "outcome");
    assert_eq!(json["cases"][1]["differences"][0]["expected"][0], "allowed");
    assert_eq!(json["cases"][1]["differences"][0]["got"][0], "denied");
    test(&project, &["cases/friday.toml"]).exits(0);
}

#[test]
fn several_cases_share_what_stands_above_them() {
    let project = Project::empty();
    project.write(
        "cases/override.toml",
        r#"environment = "prod"
up = "CREATE TABLE t (id INTEGER);"

[[case]]
name = "nothing is approved"
expect = { outcome = "denied", verdicts = [{ decision = "deny" }] }

[[case]]
name = "approved"
variables = { ALLOW_PRODUCTION_MIGRATE = "true" }
expect = { outcome = "allowed", verdicts = [{ decision = "allow", message-contains = "overrides" }] }

[[case]]
name = "approved by its hash"
plan-hash = "abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabca"
variables = { ALLOW_PRODUCTION_MIGRATE = "abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabca" }
settings = { approval = "plan-hash" }
expect = { outcome = "allowed" }

[[case]]
name = "an environment of its own"
environment = { name = "eu", level = 5, production = false }
expect = { outcome = "allowed" }

[[case]]
name = "wrong settings"
settings = { aproval = "true" }
expect = { refusal = "plugin-settings" }
"#,
    );
    // No variable of the machine reaches a case.
    let run = project
        .run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &["plugin", "test", "builtin:production-override"])
        .exits(0);
    snapshot!(run, @"
    exit: 0
    --- stdout
    production-override [VERSION]  builtin:production-override  gate
      ✓ override: nothing is approved  [FUEL] fuel
      ✓ override: approved  [FUEL] fuel
      ✓ override: approved by its hash  [FUEL] fuel
      ✓ override: an environment of its own  [FUEL] fuel
      ✓ override: wrong settings  [FUEL] fuel
    5 cases passed
    --- stderr
    ");
}

#[test]
fn an_environment_policy_says_itself_where_it_is() {
    let project = Project::empty();
    project.write(
        "migrations/a1.sql",
        "-- A\n-- Revision ID: a1\n-- Revises: base\n-- Env: production\n\n-- migrate:up\nSELECT 1;\n",
    );
    project.write(
        "cases/levels.toml",
        r#"environment = "stage"
revisions = ["../migrations/a1.sql", { id = "b2", up = "SELECT 2;", env = "=test" }, { up = "SELECT 3;" }]
applied = ["z1", { id = "z2", env = "production", recorded = "stamped" }]

[[case]]
name = "a warning"
[case.expect]
outcome = "allowed"
environment = { name = "staging", level = 30, production = false }
steps = ["run", "skip", "run"]
verdicts = [
    { decision = "warn", revision = "a1" },
    { decision = "skip", revision = "b2", message-contains = "test" },
    { decision = "warn", revision = "z2" },
]

[[case]]
name = "strict"
settings = { mode = "strict" }
expect = { outcome = "denied" }

[[case]]
name = "an unknown environment"
environment = "mars"
expect = { refusal = { rule = "plugin-failure", message-contains = "mars" } }
"#,
    );
    let run = project.run(&["plugin", "test", "builtin:environment-hierarchy"]);
    snapshot!(run, @"
    exit: 0
    --- stdout
    environment-hierarchy [VERSION]  builtin:environment-hierarchy  environment
      ✓ levels: a warning  [FUEL] fuel
      ✓ levels: strict  [FUEL] fuel
      ✓ levels: an unknown environment  [FUEL] fuel
    3 cases passed
    --- stderr
    ");
    assert_eq!(run.code, 0);
}

/// Lines of findings are those of the revision: the SQL of the short form begins on line 10, a file has lines of its own.
#[test]
fn lines_are_those_of_the_revision() {
    // It complains about line 3 whatever there is, so the statements are what is looked at.
    let project = folder_with(&Component::lint().body(Function::Check, &bodies::find(2, "r0001", "no index")));
    project.write(
        "cases/lint.toml",
        "up = \"SELECT 1;\"\nexpect = { outcome = \"denied\", verdicts = [{ line = 3, file = \"migrations/r0001.sql\", severity = \"error\" }] }\n",
    );
    test(&project, &[]).exits(0);
    project.write("cases/broken.toml", "up = \"SELECT 'a\"\nexpect = { outcome = \"denied\" }\n");
    let run = test(&project, &["cases/broken.toml"]).exits(2);
    assert!(run.stderr.contains("migrations/r0001.sql:10:8"), "{run}");
}

#[test]
fn a_refusal_must_be_expected_by_its_name() {
    let project = folder_with(&Component::gate().body(Function::Review, bodies::ENDLESS));
    let limits = "limits = { fuel = 1000000, time = \"60s\" }\n";
    project.write("cases/loop.toml", format!("{limits}[expect]\nrefusal = \"limit-fuel\"\n"));
    test(&project, &[]).exits(0);
    project.write("cases/loop.toml", format!("{limits}[expect]\noutcome = \"denied\"\n"));
    let run = test(&project, &[]).exits(4);
    assert!(run.stdout.contains("refusal") && run.stdout.contains("limit-fuel"), "{run}");
    project.write("cases/loop.toml", format!("{limits}[expect]\nrefusal = \"plugin-trap\"\n"));
    test(&project, &[]).exits(4);
    project.write("acme.wasm", Component::gate().bytes());
    let run = test(&project, &[]).exits(4);
    assert!(run.stdout.contains("- { rule = \"plugin-trap\" }") && run.stdout.contains("+ (none)"), "{run}");
}

#[test]
fn messages_prompts_notices_and_fuel() {
    let component = Component::of(&[Role::Gate, Role::Notify])
        .body(Function::Review, &bodies::confirm("Are you sure?"))
        .body(Function::Announce, &bodies::announce("it is done"));
    let project = folder_with(&component);
    project.write(
        "cases/all.toml",
        r#"event = { finished = { steps = 3, duration-ms = 40 } }
[expect]
outcome = "confirm"
prompts = ["Are you sure?"]
notices = []
messages = [{ channel = "team", title = "it is done", severity = "info" }]
fuel-at-most = 1000000
"#,
    );
    test(&project, &[]).exits(0);
    project.edit("cases/all.toml", "fuel-at-most = 1000000", "fuel-at-most = 1");
    let run = test(&project, &[]).exits(4);
    assert!(run.stdout.contains("fuel-at-most\n        - 1\n"), "{run}");
    project.write("cases/all.toml", "roles = [\"gate\"]\nevent = \"started\"\n[expect]\nmessages = []\n");
    test(&project, &[]).exits(0);
}

/// A plan down, with what the ledger says of its revisions.
#[test]
fn a_downgrade() {
    let project =
        folder_with(&Component::environment().body(Function::Judge, &bodies::judge_each(Step::Deny, "no way back")));
    project.write(
        "cases/down.toml",
        r#"operation = "downgrade"
dialect = "postgres"
now = 2026-11-20T17:00:00.5+01:00
actor = { name = "ada", host = "ci-7" }
revisions = [{ id = "b2", up = "SELECT 1;", down = "SELECT 2; SELECT 3;", recorded = "stamped", parents = ["a1"], labels = ["billing"] }]
expect = { outcome = "denied", verdicts = [{ revision = "b2", message = "no way back" }], steps = ["run"] }
"#,
    );
    test(&project, &[]).exits(0);
}

#[test]
fn update_writes_what_is_now_and_keeps_the_rest() {
    let project = folder_with(&denying());
    project.write(
        "cases/one.toml",
        r#"# Why this case is here.
up = "DROP TABLE patient;" # a comment

[expect]
outcome = "allowed" # once
verdicts = []
"#,
    );
    project.write(
        "cases/two.toml",
        r#"up = "DROP TABLE patient;"

[[case]]
name = "as it is"
expect = { outcome = "denied" }

# About the second.
[[case]]
name = "not as it is"
[case.expect]
refusal = "plugin-trap"
verdicts = [
    { rule = "gone" },
    { rule = "tested", message-contains = "Friday" },
]
"#,
    );
    let run = test(&project, &["--update"]).exits(0);
    assert!(run.stdout.contains("3 cases: 1 passed, 2 rewritten as it is now"), "{run}");
    let one = std::fs::read_to_string(project.path("cases/one.toml")).unwrap();
    let two = std::fs::read_to_string(project.path("cases/two.toml")).unwrap();
    insta::assert_snapshot!(format!("{one}=====\n{two}"), @r#"
    # Why this case is here.
    up = "DROP TABLE patient;" # a comment

    [expect]
    outcome = "denied" # once
    verdicts = [
        { decision = "deny", rule = "tested", message = "not on a Friday" },
    ]
    =====
    up = "DROP TABLE patient;"

    [[case]]
    name = "as it is"
    expect = { outcome = "denied" }

    # About the second.
    [[case]]
    name = "not as it is"
    [case.expect]
    verdicts = [
        { rule = "tested", message-contains = "Friday" },
    ]
    outcome = "denied"
    "#);
    test(&project, &[]).exits(0);
    let before = std::fs::metadata(project.path("cases/one.toml")).unwrap().modified().unwrap();
    test(&project, &["--update"]).exits(0);
    assert_eq!(std::fs::metadata(project.path("cases/one.toml")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_case_recorded_from_the_project() {
    let project = Project::linear(2);
    project.run(&["upgrade", "+1"]).exits(0);
    let record = ["plugin", "test", "production-override", "--env", "production", "--record", "before-release"];
    let run = project.run_with(&[("ALLOW_PRODUCTION_MIGRATE", "true")], &record).exits(0);
    snapshot!(run, @"
    exit: 0
    --- stdout
    Recorded cases/before-release.toml as it is now
    --- stderr
    warning: `ALLOW_PRODUCTION_MIGRATE` is set here, and its value is not recorded; write it into `variables` of the case if it shall have it
    ");
    let case = std::fs::read_to_string(project.path("cases/before-release.toml")).unwrap();
    insta::assert_snapshot!(case, @r#"
    request = "recorded/before-release.json"

    [expect]
    outcome = "denied"
    verdicts = [
        { decision = "deny", rule = "production-override", message = "Refusing to migrate production database. Set ALLOW_PRODUCTION_MIGRATE=true to proceed." },
    ]
    notices = [
        "PRODUCTION DATABASE, proceed with caution",
    ]
    "#);
    project.run(&["plugin", "test", "production-override"]).exits(0);
    let again = project.run(&record).exits(2);
    assert!(again.stderr.contains("`cases/before-release.toml` exists already"), "{again}");
    for name in ["../evil", "a/b", "", ".hidden"] {
        let run = project.run(&["plugin", "test", "production-override", "--record", name]).exits(2);
        assert!(run.stderr.contains("can't be the name of a case file"), "{run}");
    }
    // What was recorded can be asked under other circumstances.
    project.write(
        "cases/later.toml",
        "request = \"recorded/before-release.json\"\nenvironment = \"development\"\nnow = 2030-01-01T00:00:00Z\nexpect = { outcome = \"allowed\" }\n",
    );
    project.run(&["plugin", "test", "production-override", "cases/later.toml"]).exits(0);
    project.run(&["plugin", "test", "environment-hierarchy", "--record", "levels", "r0002"]).exits(0);
    project.run(&["plugin", "test", "environment-hierarchy", "cases/levels.toml"]).exits(0);
}

#[track_caller]
fn wrong(project: &Project, text: &str, words: &[&str]) -> Run {
    project.write("cases/wrong.toml", text);
    let run = test(project, &["cases/wrong.toml"]).exits(2);
    for word in words {
        assert!(run.stderr.contains(word), "`{word}` is missing: {run}");
    }
    run
}

#[test]
fn wrong_case_files() {
    let project = folder_with(&denying());
    let run = wrong(&project, "up = \"SELECT 1;\"\n\n[expect]\noutcom = \"denied\"\n", &[]);
    snapshot!(run, @r#"
    exit: 2
    --- stdout
    --- stderr
    error: unknown field `outcom`, expected one of `outcome`, `verdicts`, `notices`, `prompts`, `steps`, `environment`, `messages`, `refusal`, `fuel-at-most`
     --> cases/wrong.toml:4:1
      |
    4 | outcom = "denied"
      | ^^^^^^
      |
      = help: did you mean `outcome`?

    error: `cases/wrong.toml` is not a valid case file
    "#);
    let nothing = wrong(&project, "up = \"SELECT 1;\"\n", &["expects nothing, so it can't fail"]);
    snapshot!(nothing, @r#"
    exit: 2
    --- stdout
    --- stderr
    error: the case expects nothing, so it can't fail
     --> cases/wrong.toml:1:1
      |
    1 | up = "SELECT 1;"
      | ^^^^^^^^^^^^^^^^
      |
      = help: add `[expect]` with `outcome = "allowed"`, or `refusal`, `verdicts`, `notices`, `messages` …

    error: `cases/wrong.toml` is not a valid case file
    "#);
    let expect = "expect = { outcome = \"denied\" }\n";
    for (text, words) in [
        ("enviroment = \"x\"\n", &["cases/wrong.toml:1:1", "did you mean `environment`?"][..]),
        ("environment = { nam = \"x\" }\n", &["1:17", "did you mean `name`?"]),
        ("operation = \"upgrad\"\n", &["did you mean `upgrade`?"]),
        ("revisions = [{ upp = \"x\" }]\n", &["did you mean `up`?"]),
        ("revisions = [7]\n", &["a text or a table"]),
        ("event = \"finish\"\n", &["unknown variant `finish`"]),
        ("up = \"x\"\nrevisions = []\n", &["exclude each other"]),
        ("request = \"x.json\"\napplied = []\n", &["part of the recorded request"]),
        ("request = \"x.json\"\n", &["there is no recorded request", "runner plan --json"]),
        ("revisions = [\"gone.sql\"]\n", &["the revision file `gone.sql` can't be read"]),
        ("revisions = [{ up = \"x\", path = \"y\" }]\n", &["entry 1 of `revisions`", "exclude each other"]),
        ("revisions = [{ text = \"x\", id = \"y\" }]\n", &["the header of the file says the rest"]),
        ("revisions = [{ text = \"SELECT 1;\" }]\n", &["entry 1 of `revisions` is wrong", "missing key `Revision ID`"]),
        ("revisions = [{ up = \"x\", id = \"a b\" }]\n", &["entry 1 of `revisions` is wrong"]),
        ("now = 2026-01-01\n", &["`now = 2026-01-01` is no point in time", "offset from UTC"]),
        ("limits = { fule = 1 }\n", &["did you mean `fuel`?"]),
        ("settings = 1\n", &["1:12"]),
        ("up = \"\n", &["1:7"]),
    ] {
        wrong(&project, &format!("{text}{expect}"), words);
    }
    wrong(&project, "name = \"x\"\n[[case]]\nname = \"y\"\nexpect = { steps = [] }\n", &["has no name of its own"]);
    wrong(&project, "[[case]]\nexpect = { steps = [] }\n", &["cases/wrong.toml:1:1", "the case has no name"]);
    wrong(
        &project,
        "[[case]]\nname = \"y\"\nexpect = { steps = [] }\n[[case]]\nname = \"y\"\nexpect = { steps = [] }\n",
        &["cases/wrong.toml:5:8", "has the same name"],
    );
    wrong(&project, "[expect]\nmessages = []\n", &["there is no event to word"]);
    wrong(&project, "\u{0}", &["cases/wrong.toml"]);
}

#[test]
fn no_cases() {
    let project = folder_with(&denying());
    snapshot!(test(&project, &[]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: there are no cases: `cases` is no folder

      help: the shortest one is `cases/first.toml` with `up = "DROP TABLE t;"`, `[expect]` and `outcome = "denied"`
      help: `--record NAME` makes one from the project
    "#);
    std::fs::create_dir(project.path("cases")).unwrap();
    let run = test(&project, &[]).exits(2);
    assert!(run.stderr.contains("`cases` holds no case file"), "{run}");
    let run = test(&project, &["cases/gone.toml"]).exits(2);
    assert!(run.stderr.contains("there is no such file"), "{run}");
    std::fs::create_dir(project.path("cases/folder.toml")).unwrap();
    let run = test(&project, &[]).exits(2);
    assert!(run.stderr.contains("it is not a regular file"), "{run}");
}

/// Cases stand beside the component, wherever the command is run.
#[test]
fn cases_beside_the_component() {
    let project = folder_with(&denying());
    project.write("policies/acme.wasm", denying().bytes());
    project.write("policies/cases/one.toml", "[expect]\noutcome = \"denied\"\n");
    project.run(&["plugin", "test", "policies/acme.wasm"]).exits(0);
}

#[test]
fn folders_that_a_case_grants() {
    let project = folder_with(&Component::gate().body(
        Function::Describe,
        &bodies::describe(
            "needy",
            "1.0.0",
            "Needs.",
            &[
                bodies::Need { grant: bodies::Grant::Variable("TEAM"), required: true },
                bodies::Need { grant: bodies::Grant::Folder("owners"), required: true },
            ],
        ),
    ));
    project.write("cases/data/owners.json", "{}");
    project.write("cases/none.toml", "[expect]\nrefusal = { rule = \"plugin-grant\", message-contains = \"TEAM\" }\n");
    project.write(
        "cases/some.toml",
        "granted = [\"TEAM\"]\n[expect]\nrefusal = { rule = \"plugin-grant\", message-contains = \"folder\" }\n",
    );
    project.write("cases/all.toml", "granted = [\"TEAM\"]\nread = [\"data\"]\n[expect]\noutcome = \"allowed\"\n");
    test(&project, &[]).exits(0);
}

/// Shows the names of the tables in the banner.
fn showing_tables() -> Component {
    Component::gate().import_granted(Granted::Relations).body(
        Function::Review,
        &format!(
            "(local.set $from (call $allocate (i32.const 24))) (call $relations (local.get $from)) {}",
            bodies::show_each(relation::NAME, relation::SIZE)
        ),
    )
}

#[test]
fn facts_of_a_case() {
    let project = folder_with(&showing_tables());
    project.write(
        "cases/facts.toml",
        r#"[[facts.relations]]
name = "patient"
rows = 2_000_000
columns = ["name", { name = "id", type = "bigint", nullable = false, primary-key = 1 }]
indexes = [{ name = "patient_pkey", columns = ["id"], unique = true, primary = true }]
foreign-keys = [{ columns = ["clinic"], referenced-table = "clinic" }]
triggers = [{ name = "stamp" }]

[[facts.relations]]
name = "report"
kind = "view"

[[facts.ledger]]
revision = "a1"
finished = 2026-11-01T08:00:00Z

[expect]
outcome = "allowed"
notices = ["patient", "report"]
"#,
    );
    test(&project, &[]).exits(0);
    project
        .write("cases/facts.toml", "[expect]\nrefusal = { rule = \"plugin-grant\", message-contains = \"facts\" }\n");
    test(&project, &[]).exits(0);
    let run = wrong(&project, "[[facts.relations]]\nnam = \"x\"\n[expect]\nnotices = []\n", &["2:1"]);
    assert!(run.stderr.contains("did you mean `name`?"), "{run}");
    wrong(
        &project,
        "[[facts.ledger]]\nrevision = \"x\"\nfinished = 08:00:00\n[expect]\nnotices = []\n",
        &["`finished = 08:00:00` is no point in time"],
    );
}

/// Facts that a policy asks for belong to the plan; what is recorded is told again, and what is not is not made up.
#[test]
fn recorded_facts() {
    let project = Project::linear(2);
    project.write("acme.wasm", showing_tables().bytes());
    project.write(
        "runner.toml",
        r#"plugin-set = "team"
[database]
url = "sqlite://app.db"
[plugins.acme]
source = "acme.wasm"
grants = { facts = true }
[plugin-sets.team]
extends = "default"
plugins = ["acme"]
"#,
    );
    project.run(&["upgrade", "+1"]).exits(0);
    let plan = project.run(&["plan", "--json"]).exits(0);
    assert_eq!(plan.json()["facts"]["relations"][0]["name"], "t0001", "{plan}");
    project.write("plan.json", &plan.stdout);
    let run = ["plugin", "run", "acme.wasm", "--plan", "plan.json"];
    let granted = project.run(&[&run[..], &["--grant-facts"]].concat()).exits(0);
    assert!(granted.stdout.contains("notice  t0001"), "{granted}");
    let refused = project.run(&run).exits(3);
    assert!(refused.stdout.contains("facts"), "{refused}");

    let without = project.run(&["plan", "--json", "--plugins", "default"]).exits(0);
    assert!(without.json().get("facts").is_none());
    project.write("plan.json", &without.stdout);
    let none = project.run(&[&run[..], &["--grant-facts"]].concat()).exits(0);
    assert!(none.stderr.contains("no facts are recorded with the plan"), "{none}");
    assert!(none.stdout.contains("can't be had here"), "{none}");

    project.run(&["plugin", "test", "acme", "--plugins", "default", "--record", "now"]).exits(0);
    let case = std::fs::read_to_string(project.path("cases/now.toml")).unwrap();
    assert!(case.contains("\"t0001\""), "{case}");
    project.run(&["upgrade", "--plugins", "default"]).exits(0);
    project.run(&["plugin", "test", "acme.wasm"]).exits(0);

    let replay = project.run(&["plugin", "replay"]).exits(0);
    assert!(replay.stdout.contains("those of then are not recorded"), "{replay}");
    assert!(replay.stdout.contains("0 different, 2 not replayed"), "{replay}");
}
