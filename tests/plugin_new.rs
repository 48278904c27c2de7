//! `runner plugin new`, and what becomes of what it writes.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::building::component;
use crate::building::with_tools;
use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

const ROLES: &str = "environment,lint,gate,notify";

#[test]
fn a_project_in_rust() {
    let project = Project::empty();
    snapshot!(project.run(&["plugin", "new", "acme-lint", "--role", "lint", "--lang", "rust"]), @"
    exit: 0
    --- stdout
    wrote acme-lint/README.md
    wrote acme-lint/.gitignore
    wrote acme-lint/Cargo.toml
    wrote acme-lint/src/lib.rs
    wrote acme-lint/cases/lint.toml
    wrote acme-lint/sdk (26 files)
    Next: `runner plugin build acme-lint`
    --- stderr
    ");
    snapshot!(project.run(&["plugin", "new", "acme-lint", "--role", "lint", "--lang", "c"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `acme-lint` exists already

      help: take another name; nothing was written
    ");
}

#[test]
fn a_project_in_another_language() {
    let project = Project::empty();
    snapshot!(project.run(&["plugin", "new", "policies/acme-rules", "--role", "gate,lint,gate", "--lang", "python"]), @"
    exit: 0
    --- stdout
    wrote policies/acme-rules/README.md
    wrote policies/acme-rules/.gitignore
    wrote policies/acme-rules/pyproject.toml
    wrote policies/acme-rules/policy.py
    wrote policies/acme-rules/cases/lint.toml
    wrote policies/acme-rules/cases/gate.toml
    wrote policies/acme-rules/wit/world.wit
    wrote policies/acme-rules/wit/deps (11 files)
    Next: `python3 -m venv policies/acme-rules/.venv && policies/acme-rules/.venv/bin/pip install componentize-py`, then `runner plugin build policies/acme-rules`
    --- stderr
    ");
    let world = std::fs::read_to_string(project.path("policies/acme-rules/wit/world.wit")).unwrap();
    assert!(world.contains("export runner:policy/gate@0.1.2;\n    export runner:policy/lint@0.1.2;\n}"), "{world}");
    let json = project.run(&["plugin", "new", "x", "--role", "notify", "--lang", "js", "--json"]).exits(0).json();
    assert!(json["files"].as_array().unwrap().contains(&"policy.js".into()), "{json:#}");
}

#[test]
fn what_is_refused_writes_nothing() {
    let project = Project::empty();
    let new = |name: &str| project.run(&["plugin", "new", name, "--role", "lint", "--lang", "rust"]).exits(2);
    snapshot!(new("Acme_Lint"), @"
    exit: 2
    --- stdout
    --- stderr
    error: `Acme_Lint` does not end with the name of a policy

      help: a name is made of lower-case words with dashes between them, as in `acme-lint`
    ");
    snapshot!(new("match"), @"
    exit: 2
    --- stdout
    --- stderr
    error: `match` has a meaning of its own

      help: take another name, for example `acme-match`
    ");
    for name in ["", "..", ".", "a/..", "ä", "a b", "-", "2x"] {
        let run = project.run(&["plugin", "new", "--role", "lint", "--lang", "rust", "--", name]);
        assert_eq!(run.code, 2, "`{name}`: {run}");
    }
    let run = project.run(&["plugin", "new", "acme", "--role", "linter", "--lang", "rust"]).exits(2);
    assert!(run.stderr.contains("roles are environment, lint, gate, notify"), "{run}");
    let run = project.run(&["plugin", "new", "acme", "--role", "lint", "--lang", "cobol"]).exits(2);
    assert!(run.stderr.contains("rust, javascript, python, c"), "{run}");
    project.write("taken", "a file");
    new("taken");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", project.path("dangling")).unwrap();
        new("dangling");
    }
    assert_eq!(project.leavings(), if cfg!(unix) { vec!["dangling", "taken"] } else { vec!["taken"] });
}

/// A new project of a language, in a folder where its tools are found, with a runner that has no other project.
fn new_project(language: &str, roles: &str) -> (TempDir, PathBuf, Project) {
    let outside = Project::empty();
    outside.remove("runner.toml");
    let parent = match language {
        "javascript" => tempfile::tempdir_in(test_toolchains::javascript().unwrap_or_else(|error| panic!("{error}"))),
        _ => tempfile::tempdir(),
    }
    .unwrap();
    let folder = parent.path().join("acme-rules");
    outside.run(&["plugin", "new", folder.to_str().unwrap(), "--role", roles, "--lang", language]).exits(0);
    (parent, folder, outside)
}

/// Builds a new project and runs its cases.
fn builds_and_passes(language: &str, roles: &str) -> Run {
    let (_parent, folder, outside) = new_project(language, roles);
    let made = component(&folder);
    let cases = folder.join("cases");
    let run = outside.run(&["plugin", "test", made.to_str().unwrap(), cases.to_str().unwrap(), "--json"]);
    assert_eq!(run.code, 0, "{language} {roles}: {run}");
    let inspection = outside.run(&["plugin", "inspect", made.to_str().unwrap(), "--json"]).exits(0).json();
    let found: Vec<&str> = inspection["roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
    assert_eq!(found.join(","), roles, "{language}");
    assert_eq!(inspection["name"], "acme-rules");
    assert!(inspection["settings_schema"]["properties"].is_object() || roles == "environment", "{inspection:#}");
    run
}

#[test]
fn rust_builds_in_every_role_and_passes_its_own_tests() {
    for role in ROLES.split(',') {
        builds_and_passes("rust", role);
    }
    let passed = builds_and_passes("rust", ROLES).json()["passed"].as_u64().unwrap();
    assert!(passed >= 12, "{passed}");
    let (_parent, folder, _outside) = new_project("rust", ROLES);
    let mut cargo = Command::new("cargo");
    let output = with_tools(cargo.args(["test", "--quiet"]).current_dir(&folder)).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("4 passed") && !said.contains("warning"), "{said}");
}

#[test]
fn c_builds_in_every_role() {
    test_toolchains::c().unwrap_or_else(|error| panic!("{error}"));
    for roles in ROLES.split(',').chain([ROLES, "lint,gate", "gate,notify"]) {
        builds_and_passes("c", roles);
    }
}

#[test]
fn javascript_builds() {
    builds_and_passes("javascript", ROLES);
}

#[test]
fn python_builds() {
    test_toolchains::python().unwrap_or_else(|error| panic!("{error}"));
    builds_and_passes("python", ROLES);
}

#[test]
fn no_path_of_this_machine_is_written() {
    let (_parent, folder, _outside) = new_project("rust", ROLES);
    let mut folders = vec![folder];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains(root.to_str().unwrap()) && !text.contains("../.."), "{}", path.display());
            }
        }
    }
}
