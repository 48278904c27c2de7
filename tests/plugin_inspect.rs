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
    size      119.0 KiB
    digest    sha256:[DIGEST]
    contract  runner:policy@0.1.1
    roles     gate
    limits    fuel 200000000, time 1s, memory 64.0 MiB, stack 512.0 KiB, answer 16.0 MiB, host-calls 100000, log 64.0 KiB, log-lines 256
    cached    yes

    Imports
      runner:policy/types@0.1.1  given to every policy

    Grants that it asks for
      env = ["ALLOW_PRODUCTION_MIGRATE"]  optional  the approval: `true`, or the hash of the plan

    Settings
      approval  "true" | "plan-hash"  default "true"                      What counts as an approval.
      variable  string                default "ALLOW_PRODUCTION_MIGRATE"  The variable that holds the approval. It must be granted.
    --- stderr
    "#);
    let json = project.run(&["plugin", "inspect", "builtin:environment-hierarchy", "--json"]).exits(0).json();
    assert_eq!(json["settings_schema"]["properties"]["production-level"]["default"], 100);
    assert_eq!(json["contract"], "0.1.1");
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
    cached    no, its native code was compiled just now
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
    cached    no, its native code was compiled just now
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
