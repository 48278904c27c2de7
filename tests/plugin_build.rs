//! `runner plugin build`

use crate::building::build;
use crate::building::repository;
use crate::building::with_tools;
use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

fn new(project: &Project, name: &str, language: &str) {
    project.run(&["plugin", "new", name, "--role", "gate", "--lang", language]).exits(0);
}

/// Builds with a path on which no tool is found.
fn without_tools(project: &Project, folder: &str) -> Run {
    let mut command = project.command(&["plugin", "build", folder]);
    let output = command.env("PATH", project.path("nothing")).stdout(std::process::Stdio::piped());
    project.ended(output.stderr(std::process::Stdio::piped()).spawn().unwrap())
}

#[test]
fn a_component_is_made_and_shown() {
    let project = Project::empty();
    new(&project, "acme-gate", "c");
    let folder = project.path("acme-gate");
    let run = build(&project, &folder, &["--json"]).exits(0);
    let json = run.json();
    assert_eq!((json["name"].as_str(), json["language"].as_str()), (Some("acme-gate"), Some("c")));
    assert_eq!(json["roles"], serde_json::json!(["gate"]));
    assert!(json["digest"].as_str().unwrap().starts_with("sha256:"), "{json:#}");
    let size = std::fs::metadata(folder.join("acme-gate.wasm")).unwrap().len();
    assert_eq!(json["size"], size);
    // The same source makes the same bytes, and from within the folder it needs no words.
    let mut command = project.command(&["plugin", "build"]);
    command.current_dir(&folder).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let again = project.ended(with_tools(&mut command).spawn().unwrap()).exits(0);
    assert!(again.stdout.contains(json["digest"].as_str().unwrap()), "{again}");
    assert!(again.stdout.starts_with("acme-gate.wasm is a policy\n"), "{again}");
    assert!(again.stdout.ends_with("Next: `runner plugin test acme-gate.wasm`\n"), "{again}");
    assert_eq!(again.stderr, "");
}

#[test]
fn a_tool_that_is_missing_is_named_with_the_way_to_get_it() {
    let project = Project::empty();
    for language in ["rust", "javascript", "python", "c"] {
        new(&project, &format!("acme-{language}"), language);
    }
    snapshot!(without_tools(&project, "acme-rust"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `cargo` is missing

      help: install it: https://rustup.rs installs Rust
    ");
    snapshot!(without_tools(&project, "acme-javascript"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `node` is missing

      help: install it: https://nodejs.org, version 20 or newer; on Debian `apt-get install nodejs npm`
    ");
    snapshot!(without_tools(&project, "acme-python"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `componentize-py` is missing

      help: install it: `python3 -m venv .venv && .venv/bin/pip install componentize-py` in the project's folder
    ");
    snapshot!(without_tools(&project, "acme-c"), @"
    exit: 1
    --- stdout
    --- stderr
    error: `clang` is missing

      help: install it: on Debian `apt-get install clang lld wasi-libc libclang-rt-dev-wasm32`; elsewhere unpack wasi-sdk and set WASI_SDK_PATH
    ");
    // Node is there, the package is not.
    snapshot!(build(&project, &project.path("acme-javascript"), &[]), @"
    exit: 1
    --- stdout
    --- stderr
    error: `@bytecodealliance/componentize-js` is missing

      help: install it: `npm install --save-dev @bytecodealliance/componentize-js` in the project's folder
    ");
}

#[test]
fn a_folder_that_is_no_policy() {
    let project = Project::empty();
    snapshot!(project.run(&["plugin", "build"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `.` holds no policy

      help: looked for `Cargo.toml` (Rust), `package.json` (JavaScript), `pyproject.toml` (Python), `*.c` (C)
      help: `runner plugin new NAME --role lint --lang rust` starts a project
    ");
    snapshot!(project.run(&["plugin", "build", "nowhere"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no folder `nowhere`

      help: `runner plugin new NAME --role lint --lang rust` starts a project
    ");
    project.write("both/package.json", "{}");
    project.write("both/policy.py", "");
    snapshot!(project.run(&["plugin", "build", "both"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `both` may be a project in JavaScript or Python

      help: say which with `--lang`
    ");
    project.write("bare/main.c", "");
    snapshot!(project.run(&["plugin", "build", "bare"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: there is no folder `bare/wit`

      help: its `world.wit` says what the component exports; `runner plugin new` writes one
    ");
    project.write("workspace/Cargo.toml", "[workspace]\n");
    let run = build(&project, &project.path("workspace"), &[]).exits(1);
    assert!(run.stderr.contains("is a workspace without a package of its own"), "{run}");
}

#[test]
fn what_does_not_compile_is_shown_as_the_compiler_says_it() {
    let project = Project::empty();
    new(&project, "acme-gate", "c");
    project.edit("acme-gate/plugin.c", "ret->reasons.len = 1;", "ret->reasons.length = 1;");
    let run = build(&project, &project.path("acme-gate"), &[]).exits(1);
    assert!(run.stderr.contains("no member named 'length'"), "{run}");
    assert!(run.stderr.contains("error: `clang` ended with 1"), "{run}");
    assert!(!project.path("acme-gate/acme-gate.wasm").exists());
}

#[test]
fn a_component_that_is_no_policy_replaces_none_that_works() {
    let project = Project::empty();
    new(&project, "acme-gate", "c");
    project.write("acme-gate/acme-gate.wasm", "what works");
    project.edit("acme-gate/wit/world.wit", "    export runner:policy/gate@0.1.2;\n", "");
    // Without the role its functions have no declaration.
    project.edit(
        "acme-gate/plugin.c",
        "bool exports_runner_policy_gate_review",
        "#if 0\nbool exports_runner_policy_gate_review",
    );
    let text = std::fs::read_to_string(project.path("acme-gate/plugin.c")).unwrap();
    project.write("acme-gate/plugin.c", format!("{text}#endif\n"));
    let run = build(&project, &project.path("acme-gate"), &[]).exits(3);
    assert!(run.stderr.contains("exports no role"), "{run}");
    assert_eq!(std::fs::read_to_string(project.path("acme-gate/acme-gate.wasm")).unwrap(), "what works");
    assert_eq!(
        std::fs::read_dir(project.path("acme-gate"))
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".new-") })
            .count(),
        0
    );
}

#[test]
fn a_world_that_can_not_be_understood() {
    let project = Project::empty();
    new(&project, "acme-gate", "c");
    project.edit("acme-gate/wit/world.wit", "gate@0.1.2;", "gat@0.1.2;");
    let run = build(&project, &project.path("acme-gate"), &[]).exits(1);
    assert!(run.stderr.contains("acme-gate/wit") && run.stderr.contains("'gat'"), "{run}");
}

#[test]
fn the_clock_of_c_is_refused_with_what_to_use_instead() {
    let project = Project::empty();
    new(&project, "acme-gate", "c");
    project.edit("acme-gate/plugin.c", "#include <stdlib.h>", "#include <stdlib.h>\n#include <time.h>");
    project.edit("acme-gate/plugin.c", "  long long steps = 0;", "  long long steps = time(NULL);");
    let run = build(&project, &project.path("acme-gate"), &[]).exits(1);
    assert!(run.stderr.contains("context->now"), "{run}");
}

#[test]
fn components_hold_no_path_of_this_machine() {
    let component = crate::building::component(&repository("plugins/examples/rust"));
    let bytes = std::fs::read(component).unwrap();
    for path in [repository("."), std::env::home_dir().unwrap().join(".cargo")] {
        let path = path.to_str().unwrap().as_bytes().to_vec();
        assert!(!bytes.windows(path.len()).any(|window| window == path), "{}", String::from_utf8_lossy(&path));
    }
}
