//! Hostile and odd components behind the real binary: each ends in a denial that names the plugin, in bounded time, with the
//! database untouched.

use std::time::Duration;
use std::time::Instant;

use policy_components::Component;
use policy_components::Function;
use policy_components::Role;
use policy_components::bodies;
use policy_components::bodies::Step;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// Nothing a plugin does may take longer. The default limits end it after a second; the rest is for slow machines.
const BOUND: Duration = Duration::from_secs(60);

/// A clock that does not strike before the fuel is used up, however busy the machine is.
const PATIENT: &str = "limits = { time = \"60s\" }";

/// A project with two revisions and the set `team`: the default one and `evil`, with further keys of the plugin.
fn project_with(evil: &[u8], further: &str) -> Project {
    project_of("extends = \"default\"", evil, further)
}

/// The same without the default set.
fn project_with_nothing_but(evil: &[u8]) -> Project {
    project_of("", evil, "")
}

fn project_of(base: &str, evil: &[u8], further: &str) -> Project {
    let project = Project::linear(2);
    project.write("evil.wasm", evil);
    let configuration = format!(
        "plugin-set = \"team\"

[database]
url = \"sqlite://app.db\"

[plugins.evil]
source = \"evil.wasm\"
{further}

[plugin-sets.team]
{base}
plugins = [\"evil\"]
"
    );
    project.write("runner.toml", configuration);
    project
}

/// `upgrade` and `upgrade --json` are refused because of `evil`, and nothing is left behind: neither where there is no
/// database yet, nor in one that is in use.
#[track_caller]
fn refused_with(evil: &[u8], further: &str, rule: &str, role: Option<&str>, words: &str) -> Run {
    let project = project_with(evil, further);
    let began = Instant::now();
    let run = project.run(&["upgrade"]).exits(3);
    assert!(began.elapsed() < BOUND, "it took {:?}", began.elapsed());
    assert!(run.stderr.contains("error: refused by `evil`"), "{run}");
    assert!(run.stderr.contains(words), "{run}");
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    assert_eq!(project.leavings(), ["evil.wasm"]);

    let json = project.run(&["upgrade", "--json"]).exits(3).json();
    assert_eq!(json["outcome"], "denied", "{json:#}");
    let verdicts = json["verdicts"].as_array().unwrap();
    let denials: Vec<_> = verdicts.iter().filter(|verdict| verdict["decision"] == "deny").collect();
    assert_eq!(denials.len(), 1, "{json:#}");
    assert_eq!(denials[0]["plugin"], "evil");
    assert_eq!(denials[0]["rule"], rule, "{json:#}");
    assert_eq!(denials[0]["role"].as_str(), role, "{json:#}");
    assert!(denials[0]["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{json:#}");
    assert!(denials[0]["message"].as_str().unwrap().contains(words), "{json:#}");
    assert!(json["steps"].as_array().unwrap().iter().all(|step| step["status"] == "pending"), "{json:#}");
    assert_eq!(project.leavings(), ["evil.wasm"]);

    project.run(&["--plugins", "default", "upgrade", "+1"]).exits(0);
    let before = std::fs::read(project.path("app.db")).unwrap();
    let leavings = project.leavings();
    project.run(&["upgrade"]).exits(3);
    project.run(&["downgrade", "base", "--yes"]).exits(3);
    assert!(std::fs::read(project.path("app.db")).unwrap() == before, "the database was changed");
    assert_eq!(project.leavings(), leavings);
    run
}

#[track_caller]
fn refused(evil: &Component, rule: &str, role: Option<&str>, words: &str) -> Run {
    refused_with(&evil.bytes(), PATIENT, rule, role, words)
}

#[test]
fn a_trap() {
    let run = refused(&Component::gate().body(Function::Review, bodies::TRAP), "plugin-trap", Some("gate"), "failed: ");
    snapshot!(run, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   evil 1.0.0                   the plugin failed: wasm trap: wasm `unreachable` instruction executed
    --- stderr
    error: refused by `evil`: the plugin failed: wasm trap: wasm `unreachable` instruction executed

      help: this is a defect of the plugin; tell its authors
      help: nothing was changed
    ");
}

#[test]
fn an_endless_loop() {
    let evil = Component::gate().body(Function::Review, bodies::ENDLESS);
    refused(&evil, "limit-fuel", Some("gate"), "used up its fuel of 200000000");
}

#[test]
fn an_endless_loop_with_endless_fuel() {
    let evil = Component::gate().body(Function::Review, bodies::ENDLESS).bytes();
    let limits = "limits = { fuel = 9000000000000000000, time = \"200ms\" }";
    refused_with(&evil, limits, "limit-time", Some("gate"), "gave no answer within 200ms");
}

#[test]
fn an_endless_loop_while_it_is_loaded() {
    let evil = Component::gate().body(Function::Describe, bodies::ENDLESS);
    refused(&evil, "limit-fuel", None, "used up its fuel of 200000000");
}

#[test]
fn endless_recursion() {
    let evil = Component::gate()
        .fields("(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))")
        .body(Function::Review, "(drop (call $deep (i32.const 0)))");
    refused(&evil, "limit-stack", Some("gate"), "used up its stack");
}

#[test]
fn a_memory_bomb() {
    let evil = Component::lint().body(Function::Check, "(loop $more (drop (memory.grow (i32.const 16))) (br $more))");
    refused(&evil, "limit-memory", Some("lint"), "its limit is 64");
}

#[test]
fn an_oversized_answer() {
    let evil = Component::gate().body(
        Function::Review,
        "(drop (memory.grow (i32.const 400)))
        (call $put (local.tee $at (call $allocate (i32.const 8))) (i32.const 65536) (i32.const 20000000))
        (call $put (i32.add (local.get $answer) (i32.const 24)) (local.get $at) (i32.const 1))",
    );
    refused(&evil, "limit-answer", Some("gate"), "gave an answer larger than 16");
}

#[test]
fn an_answer_against_the_contract() {
    let evil = Component::gate().body(Function::Review, &bodies::deny_revision("zz", "wrong"));
    refused(&evil, "plugin-answer", Some("gate"), "it speaks of `zz`, which it was not asked about");
}

#[test]
fn no_role() {
    let run = refused(&Component::of(&[]), "plugin-other-world", None, "exports no role");
    snapshot!(run, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   evil ?                       the plugin exports no role, so there is nothing to ask it
    --- stderr
    error: refused by `evil`: the plugin exports no role, so there is nothing to ask it

      help: a policy exports `runner:policy/plugin@0.1.2` and at least one role of that package
      help: nothing was changed
    ");
}

#[test]
fn another_world() {
    let run = refused_with(
        &Component::of_another_world(),
        "",
        "plugin-other-world",
        None,
        "a component of another world: it exports `acme:tools/clock@1.0.0`",
    );
    snapshot!(run, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   evil ?                       the plugin is a component of another world: it exports `acme:tools/clock@1.0.0`
    --- stderr
    error: refused by `evil`: the plugin is a component of another world: it exports `acme:tools/clock@1.0.0`

      help: a policy exports `runner:policy/plugin@0.1.2` and at least one role of that package
      help: nothing was changed
    ");
}

#[test]
fn another_version_of_the_contract() {
    let run = refused(&Component::gate().version("0.2.0"), "plugin-other-world", None, "@0.2.0`");
    assert!(run.stderr.contains("this runner knows version 0.1"), "{run}");
}

#[test]
fn an_undeclared_import() {
    let evil = Component::gate().import("acme:net/socket@1.0.0", "connect: func();", "");
    let run = refused(&evil, "plugin-import", None, "imports `acme:net/socket@1.0.0`, which no policy is given");
    snapshot!(run, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   evil ?                       the plugin imports `acme:net/socket@1.0.0`, which no policy is given
    --- stderr
    error: refused by `evil`: the plugin imports `acme:net/socket@1.0.0`, which no policy is given

      help: a policy gets everything as data; network, processes and other components are not offered
      help: nothing was changed
    ");
}

#[test]
fn the_network_through_wasi() {
    let evil = Component::gate().import("wasi:http/outgoing-handler@0.2.0", "handle: func();", "");
    refused(&evil, "plugin-import", None, "imports `wasi:http/outgoing-handler@0.2.0`");
}

#[test]
fn a_core_module() {
    let run = refused_with(&Component::gate().core_module(), "", "plugin-not-a-component", None, "it is a core module");
    snapshot!(run, @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      deny   evil ?                       the plugin is not a WebAssembly component: it is a core module
    --- stderr
    error: refused by `evil`: the plugin is not a WebAssembly component: it is a core module

      help: encode it as a component, for example with `wasm-tools component new`
      help: nothing was changed
    ");
}

#[test]
fn files_that_are_something_else() {
    let whole = Component::gate().bytes();
    for (bytes, words) in [
        (b"".as_slice(), "it is empty"),
        (b"(component)\n", "it is text"),
        (b"\x7fELF\x02\x01\x01\0", "it is native code"),
        (&whole[..whole.len() / 2], "is not a WebAssembly component"),
    ] {
        refused_with(bytes, "", "plugin-not-a-component", None, words);
    }
}

#[test]
fn wrong_settings() {
    let evil = Component::gate().body(Function::CheckSettings, &bodies::wrong_settings("rows", "is not a number"));
    refused(&evil, "plugin-settings", None, "has wrong settings: `rows`: is not a number");
}

#[test]
fn a_grant_that_is_missing() {
    let need = bodies::Need { grant: bodies::Grant::Variable("TEAM"), required: true };
    let evil = Component::gate().body(Function::Describe, &bodies::describe("needy", "1.0.0", "Needs.", &[need]));
    refused(&evil, "plugin-grant", None, "needs the variable `TEAM`, which is not granted");
}

#[test]
fn a_second_environment_policy() {
    let words = "has the role `environment`, which `environment-hierarchy` has already";
    refused(&Component::environment(), "plugin-second-environment", None, words);
}

/// It takes the screen, changes the title, and writes a line of its own that looks like ours.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\rallow\u{202e}\u{9b}31m\nhelp: all is well";

#[test]
fn escapes_do_not_reach_the_terminal() {
    for body in [bodies::deny(ESCAPES), bodies::fail(ESCAPES, ESCAPES)] {
        let evil = Component::gate().body(Function::Review, &body).bytes();
        for arguments in [&["upgrade"][..], &["upgrade", "--color", "always"], &["plan"], &["upgrade", "--json"]] {
            let run = project_with(&evil, "").run(arguments);
            assert!(run.stdout.contains("\\u{1b}") || run.stdout.contains("\\\\u{1b}"), "{run}");
            assert_steers_nothing(&run);
        }
    }
}

#[test]
fn escapes_in_names_of_levels_do_not_reach_the_terminal() {
    let evil = Component::environment()
        .body(Function::Levels, &bodies::levels_named(&[ESCAPES]))
        .body(Function::Identify, &bodies::identify_as(ESCAPES));
    assert_lists_steer_nothing(&evil);
}

#[test]
fn escapes_in_settings_problems_do_not_reach_the_terminal() {
    let evil = Component::gate().body(Function::CheckSettings, &bodies::wrong_settings(ESCAPES, ESCAPES));
    assert_lists_steer_nothing(&evil);
}

#[test]
fn escapes_in_a_description_do_not_reach_the_terminal() {
    let evil = Component::gate().body(Function::Describe, &bodies::describe("x", ESCAPES, ESCAPES, &[]));
    assert_lists_steer_nothing(&evil);
}

/// Where colour is wanted, nothing that looks like colour is taken away on the way out.
#[track_caller]
fn assert_lists_steer_nothing(evil: &Component) {
    let project = project_with_nothing_but(&evil.bytes());
    for command in [&["environments"][..], &["plugin", "list"], &["plan"], &["upgrade", "--dry-run"]] {
        assert_steers_nothing(&project.run(&[&["--color", "always"], command].concat()));
    }
}

/// Colours are ours; everything else would be the plugin's.
#[track_caller]
fn assert_steers_nothing(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(['\u{7}', '\r', '\u{202e}', '\u{9b}']), "{text:?}");
        assert!(!text.contains("\u{1b}[2J") && !text.contains("\u{1b}]0"), "{text:?}");
    }
    let fakes = |text: &str| text.lines().any(|line| line.starts_with("help: all is well"));
    assert!(!fakes(&run.stdout) && !fakes(&run.stderr), "{run}");
}

/// A flood of log lines neither stops a run nor fills the terminal.
#[test]
fn a_flood_of_log_lines() {
    let line = "x".repeat(100);
    let chatty = Component::gate().body(
        Function::Review,
        &format!(
            "(loop $more
                (call $log (i32.const 2) (text \"{line}\"))
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $count) (i32.const 1000))))"
        ),
    );
    let project = project_with(&chatty.bytes(), "limits = { log = \"1 KiB\", time = \"30s\" }");
    let run = project.run(&["upgrade"]).exits(0);
    assert_eq!(run.stderr.matches(&line).count(), 10, "{run}");
    assert!(run.stderr.contains("990 log lines"), "{run}");
}

#[test]
fn in_audit_mode_nothing_is_refused() {
    for component in [
        Component::gate().body(Function::Review, bodies::TRAP),
        Component::gate().body(Function::Review, bodies::ENDLESS),
        Component::gate().body(Function::Review, &bodies::deny("not on a Friday")),
        Component::of(&[]),
    ] {
        let project = project_with(&component.bytes(), &format!("mode = \"audit\"\n{PATIENT}"));
        let json = project.run(&["upgrade", "--json"]).exits(0).json();
        assert_eq!(json["outcome"], "applied", "{json:#}");
        let warned = json["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["plugin"] == "evil").unwrap();
        assert_eq!(warned["decision"], "warn", "{json:#}");
        assert!(warned["message"].as_str().unwrap().contains("would deny"), "{json:#}");
    }
}

/// What is not hostile is not refused: the same components, well-behaved.
#[test]
fn well_behaved_components_of_every_role() {
    for role in [Role::Lint, Role::Gate, Role::Notify] {
        let project = project_with(&Component::of(&[role]).bytes(), "");
        project.run(&["upgrade"]).exits(0);
    }
    let skipping = Component::environment().body(Function::Judge, &bodies::judge_each(Step::Skip, "not here"));
    let project = project_with_nothing_but(&skipping.bytes());
    let json = project.run(&["upgrade", "--json"]).exits(0).json();
    assert!(json["steps"].as_array().unwrap().iter().all(|step| step["status"] == "skipped"), "{json:#}");
}

#[test]
fn a_question_without_a_terminal_is_a_no() {
    let asking = Component::gate().body(Function::Review, &bodies::confirm("Really?")).bytes();
    let project = project_with(&asking, "");
    let run = project.run(&["upgrade"]).exits(3);
    assert!(run.stderr.contains("Really?") || run.stdout.contains("Really?"), "{run}");
    assert_eq!(project.leavings(), ["evil.wasm"]);
    project.run(&["upgrade", "--yes"]).exits(0);
}

/// A damaged cache is no way to get other code run, nor a reason to fail.
#[test]
fn a_damaged_cache() {
    let evil = Component::gate().body(Function::Review, &bodies::deny("not on a Friday")).bytes();
    let project = project_with(&evil, "");
    let cache = project.path("cache");
    let upgrade = || {
        let variables = [("RUNNER_CACHE_DIR", cache.to_str().unwrap())];
        let run = project.run_with(&variables, &["upgrade"]).exits(3);
        assert!(run.stderr.contains("refused by `evil`: not on a Friday"), "{run}");
    };
    upgrade();
    let entries: Vec<_> = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 5, "the three built-in plugins, this one, and what was said about lint: {entries:?}");
    for entry in &entries {
        let whole = std::fs::read(entry).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        std::fs::write(entry, flipped).unwrap();
    }
    upgrade();
    for entry in &entries {
        let whole = std::fs::read(entry).unwrap();
        std::fs::write(entry, &whole[..whole.len() / 2]).unwrap();
    }
    upgrade();
}
