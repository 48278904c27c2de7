//! `runner plugin inspect`

use policy_components::Component;
use policy_components::Function;

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

fn inspect(project: &Project, file: &str) -> Run {
    project.run(&["plugin", "inspect", file])
}

#[test]
fn a_built_in_policy() {
    let project = Project::empty();
    project.remove("runner.toml");
    // The first run may compile it.
    inspect(&project, "builtin:production-override").exits(0);
    snapshot!(inspect(&project, "builtin:production-override"), @r#"
    exit: 0
    --- stdout
    production-override [VERSION]
    Production is changed only with an explicit approval

    source    builtin:production-override
    size      119.2 KiB
    digest    sha256:[DIGEST]
    contract  runner:policy@0.1.2
    roles     gate
    limits    fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    cached    yes

    Imports
      runner:policy/types@0.1.2  given to every policy

    Grants that it asks for
      env = ["ALLOW_PRODUCTION_MIGRATE"]  optional  the approval: `true`, or the hash of the plan

    Settings
      approval  "true" | "plan-hash"  default "true"                      What counts as an approval.
      variable  string                default "ALLOW_PRODUCTION_MIGRATE"  The variable that holds the approval. It must be granted.
    --- stderr
    "#);
    let json = project.run(&["plugin", "inspect", "builtin:environment-hierarchy", "--json"]).exits(0).json();
    assert_eq!(json["settings_schema"]["properties"]["production-level"]["default"], 100);
    assert_eq!(json["contract"], "0.1.2");
    assert_eq!((&json["cached"], &json["error"]), (&true.into(), &serde_json::Value::Null));
}

#[test]
fn a_file_that_holds_something_else() {
    let project = Project::empty();
    project.write("text.wasm", "(component)");
    snapshot!(inspect(&project, "text.wasm"), @"
    exit: 3
    --- stdout
    text

    source    text.wasm
    size      0.0 KiB
    digest    sha256:[DIGEST]
    limits    fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    --- stderr
    can't be used: it is not a WebAssembly component: it is text

      help: give the binary form, for example from `wasm-tools parse`
    ");
    project.write("core.wasm", b"\0asm\x01\0\0\0");
    snapshot!(inspect(&project, "core.wasm"), @"
    exit: 3
    --- stdout
    core

    source    core.wasm
    size      0.0 KiB
    digest    sha256:[DIGEST]
    limits    fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    --- stderr
    can't be used: it is not a WebAssembly component: it is a core module

      help: encode it as a component, for example with `wasm-tools component new`
    ");
    project.write("empty.wasm", "");
    inspect(&project, "empty.wasm").exits(3);
    project.write("cut.wasm", &Component::gate().bytes()[..200]);
    inspect(&project, "cut.wasm").exits(3);
    snapshot!(inspect(&project, "nothing.wasm"), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no file `nothing.wasm`

      help: give the path of a component, `builtin:NAME`, or the name of a plugin in `runner.toml`
    ");
    inspect(&project, "nobody").exits(2);
    inspect(&project, "builtin:nobody").exits(2);
    inspect(&project, ".").exits(2);
}

#[test]
fn a_component_of_another_world() {
    let project = Project::empty();
    project.write(
        "other.wasm",
        wat::parse_str(
            r#"(component
                (import "acme:kitchen/sink@2.0.0" (instance (export "wash" (func))))
                (import "wasi:http/types@0.2.0" (instance))
                (import "wasi:clocks/wall-clock@0.2.0" (instance))
                (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func (export "cook") (canon lift (core func $i "f"))))"#,
        )
        .unwrap(),
    );
    // The first run may compile it.
    inspect(&project, "other.wasm").exits(3);
    snapshot!(inspect(&project, "other.wasm"), @"
    exit: 3
    --- stdout
    other

    source    other.wasm
    size      0.2 KiB
    digest    sha256:[DIGEST]
    exports   cook
    limits    fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    cached    yes

    Imports
      acme:kitchen/sink@2.0.0       refused: no policy is given this
      wasi:http/types@0.2.0         refused: no policy is given this
      wasi:clocks/wall-clock@0.2.0  ambient: there, but empty; nothing is given by it
    --- stderr
    can't be used: it imports `acme:kitchen/sink@2.0.0`, which no policy is given

      help: a policy gets everything as data; network, processes and other components are not offered
    ");
}

#[test]
fn a_component_that_traps_when_it_is_asked_who_it_is() {
    let project = Project::empty();
    project.write("trap.wasm", Component::gate().body(Function::Describe, "unreachable").bytes());
    let run = inspect(&project, "trap.wasm").exits(3);
    assert!(run.stdout.contains("roles     gate"), "{run}");
    assert!(run.stderr.contains("can't be used: it failed"), "{run}");
}

#[test]
fn a_configured_plugin_is_shown_as_it_is_configured() {
    let project = Project::empty();
    project.write("acme.wasm", Component::gate().bytes());
    project.configure(
        "[plugins.acme]\nsource = \"acme.wasm\"\nmode = \"audit\"\nlimits = { memory = \"1 MiB\", time = \"3s\" }\n",
    );
    let run = inspect(&project, "acme").exits(0);
    assert!(run.stdout.contains("mode      audit"), "{run}");
    assert!(run.stdout.contains("time 3s, memory 1.0 MiB"), "{run}");
    project.configure("[plugins.production-override]\nsettings = { aproval = \"true\" }\n");
    let run = inspect(&project, "production-override").exits(3);
    assert!(run.stderr.contains("`aproval`"), "{run}");
}

/// What a project does not trust is neither compiled nor asked who it is.
#[test]
fn a_configured_plugin_that_is_not_the_pinned_one_is_not_run() {
    let project = Project::linear(1);
    project.write("acme.wasm", Component::gate().bytes());
    project.write(
        "runner.toml",
        "plugin-set = \"team\"\n[database]\nurl = \"sqlite://app.db\"\n[plugins.acme]\nsource = \"acme.wasm\"\n\
         [plugin-sets.team]\nextends = \"default\"\nplugins = [\"acme\"]\n",
    );
    project.run(&["plugin", "lock"]).exits(0);
    let run = inspect(&project, "acme").exits(0);
    assert!(run.stdout.contains("A policy for tests."), "{run}");
    let other = Component::gate().body(Function::Describe, "(loop $forever (br $forever))").bytes();
    project.write("acme.wasm", other);
    snapshot!(inspect(&project, "acme"), @"
    exit: 3
    --- stdout
    acme

    source    acme.wasm
    size      6.9 KiB
    digest    sha256:[DIGEST]
    mode      enforce
    limits    fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    --- stderr
    can't be used: it has the digest sha256:[DIGEST], and `runner.lock` pins sha256:[DIGEST]

      help: if it was changed on purpose, `runner plugin lock` accepts it; then `runner.lock` shows the change
    ");
    let json = project.run(&["plugin", "inspect", "acme", "--json"]).exits(3).json();
    assert_eq!((&json["cached"], &json["roles"]), (&serde_json::Value::Null, &serde_json::json!([])));
    // A file is taken as it comes.
    assert!(inspect(&project, "acme.wasm").exits(3).stderr.contains("fuel"));
    // One that may not be loaded at all.
    project.write("acme.wasm", Component::gate().bytes());
    project.edit("runner.lock", "name = \"acme\"", "name = \"other\"");
    let run = project.run(&["plugin", "inspect", "acme", "--locked"]).exits(3);
    assert!(run.stderr.contains("is not in `runner.lock`"), "{run}");
}

#[test]
fn a_configured_plugin_that_nobody_trusted_has_signed_is_not_run() {
    let project = Project::linear(1);
    project.write("acme.wasm", Component::gate().bytes());
    project.run(&["plugin", "keygen", "acme.key"]).exits(0);
    let key = project.run(&["plugin", "keygen", "other.key", "--json"]).exits(0).json();
    let key = key["key"].as_str().unwrap().to_owned();
    project.configure(&format!("[plugins.acme]\nsource = \"acme.wasm\"\n[trust]\nkeys = [\"{key}\"]\n"));
    project.run(&["plugin", "sign", "acme.wasm", "--key", "acme.key"]).exits(0);
    let run = inspect(&project, "acme").exits(3);
    assert!(run.stderr.contains("is not signed by a trusted key"), "{run}");
    assert!(!run.stdout.contains("A policy for tests.") && !run.stdout.contains("cached"), "{run}");
    project.run(&["plugin", "sign", "acme.wasm", "--key", "other.key"]).exits(0);
    inspect(&project, "acme").exits(0);
}

#[test]
fn an_interface_of_the_contract_that_is_not_known_is_shown_and_refused() {
    let project = Project::empty();
    let bytes = Component::gate().exporting_again("runner:policy/gate@0.1.0", "runner:policy/approval@0.1.9");
    project.write("later.wasm", bytes);
    let run = inspect(&project, "later.wasm").exits(3);
    assert!(run.stdout.contains("exports   runner:policy/approval@0.1.9"), "{run}");
    assert!(run.stderr.contains("exports `runner:policy/approval@0.1.9`, which this runner does not know"), "{run}");
}
