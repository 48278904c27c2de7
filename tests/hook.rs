//! `runner hook`: the hook is run by git itself.

use std::path::Path;
use std::process::Command;
use std::process::Output;

use crate::harness::Project;
use crate::harness::cache;
use crate::lint::with;
use crate::lint_git::commit;
use crate::lint_git::git;
use crate::lint_git::repository;
use crate::snapshot;

/// A commit as a developer makes it, with the program in `PATH`.
fn try_commit(project: &Project, arguments: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_runner")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("git")
        .args(["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgSign=false"])
        .args(["commit", "--message", "x"])
        .args(arguments)
        .current_dir(project.path("."))
        .env_clear()
        .env("PATH", format!("{}:{path}", program.display()))
        .env("HOME", project.path("."))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("RUNNER_CACHE_DIR", cache())
        .output()
        .unwrap()
}

#[track_caller]
fn refused(project: &Project, expected: &str) {
    let output = try_commit(project, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(expected), "{output:?}");
}

#[track_caller]
fn accepted(project: &Project, arguments: &[&str]) -> String {
    let output = try_commit(project, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn stage(project: &Project) {
    git(&project.path("."), &["add", "--all"]);
}

#[test]
fn a_commit_is_linted() {
    let project = repository();
    snapshot!(project.run(&["hook", "install"]), @"
    exit: 0
    --- stdout
    wrote [PROJECT]/.git/hooks/pre-commit
    --- stderr
    ");
    with(&project, "b2", "SELECT 'BAD';");
    stage(&project);
    let said = accepted(&project, &[]);
    assert!(said.contains("warning[no-such-word]"), "{said}");
    // An id that is used twice, and a revision that builds on nothing.
    let text = std::fs::read_to_string(project.path("migrations/b2.sql")).unwrap();
    project.write("migrations/c3.sql", &text);
    stage(&project);
    refused(&project, "error[duplicate-id]");
    project.write("migrations/c3.sql", text.replace("ID: b2", "ID: c3").replace("-- Revises: a1\n", ""));
    stage(&project);
    refused(&project, "error[missing-revises]");
    accepted(&project, &["--no-verify"]);
}

#[test]
fn the_built_in_policies_are_asked() {
    let project = repository();
    project.configure("");
    project.run(&["hook", "install"]).exits(0);
    with(&project, "b2", "-- TODO: ask Ada\nCREATE TABLE u (id INTEGER PRIMARY KEY);");
    stage(&project);
    refused(&project, "[todo-fixme]");
    refused(&project, "it refuses here");
    project.edit("migrations/b2.sql", "TODO: ask Ada", "as Ada says");
    with(&project, "c3", "CREATE TABLE v (id INTEGER PRIMARY KEY);");
    stage(&project);
    let said = accepted(&project, &[]);
    assert!(said.contains("warning[multiple-heads]"), "{said}");
}

#[test]
fn what_is_not_staged_and_what_is_no_revision_is_no_business_of_the_hook() {
    let project = repository();
    project.run(&["hook", "install"]).exits(0);
    project.write("migrations/broken.sql", "-- broken\n");
    project.write("README.md", "hello\n");
    git(&project.path("."), &["add", "README.md"]);
    let said = accepted(&project, &[]);
    assert!(!said.contains("error"), "{said}");
    // `git commit --all` has an index of its own.
    git(&project.path("."), &["add", "--intent-to-add", "migrations/broken.sql"]);
    let output = try_commit(&project, &["--all"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("error[missing-revision-id]"), "{output:?}");
}

#[test]
fn another_hook_is_never_lost() {
    let project = repository();
    let hook = project.path(".git/hooks/pre-commit");
    project.write(".git/hooks/pre-commit", "#!/bin/sh\necho the other one >&2\n[ ! -e refuse ]\n");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    snapshot!(project.run(&["hook", "install"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is another hook `[PROJECT]/.git/hooks/pre-commit`

      help: `--chain` keeps it and runs it first
      help: `--force` puts ours in its place
    ");
    snapshot!(project.run(&["hook", "uninstall"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the hook `[PROJECT]/.git/hooks/pre-commit` is not ours

      help: it is left alone
    ");
    snapshot!(project.run(&["hook", "install", "--chain"]), @"
    exit: 0
    --- stdout
    kept the other hook as [PROJECT]/.git/hooks/pre-commit.before-runner
    wrote [PROJECT]/.git/hooks/pre-commit
    --- stderr
    ");
    with(&project, "b2", "SELECT 1;");
    stage(&project);
    project.write("refuse", "");
    refused(&project, "the other one");
    project.remove("refuse");
    assert!(accepted(&project, &[]).contains("the other one"));
    // Again changes nothing.
    project.run(&["hook", "install", "--chain"]).exits(0);
    project.run(&["hook", "install"]).exits(0);
    snapshot!(project.run(&["hook", "uninstall"]), @"
    exit: 0
    --- stdout
    put the other hook back as [PROJECT]/.git/hooks/pre-commit
    --- stderr
    ");
    assert!(std::fs::read_to_string(&hook).unwrap().contains("the other one"));
    project.run(&["hook", "install", "--force"]).exits(0);
    let replaced = std::fs::read_to_string(project.path(".git/hooks/pre-commit.replaced")).unwrap();
    assert!(replaced.contains("the other one"));
    project.run(&["hook", "uninstall"]).exits(0);
    assert!(!hook.exists());
    project.run(&["hook", "uninstall"]).exits(0);
}

#[test]
fn hooks_are_where_git_looks_for_them() {
    let project = repository();
    git(&project.path("."), &["config", "core.hooksPath", "my hooks"]);
    project.run(&["hook", "install"]).exits(0);
    assert!(project.path("my hooks/pre-commit").exists() && !project.path(".git/hooks/pre-commit").exists());
    // A work tree of its own has the hooks of its repository.
    git(&project.path("."), &["config", "--unset", "core.hooksPath"]);
    commit(&project);
    git(&project.path("."), &["worktree", "add", "--quiet", "other", "-b", "other"]);
    project.write("other/words.wasm", std::fs::read(project.path("words.wasm")).unwrap());
    project.run(&["hook", "install", "--config", "other/runner.toml"]).exits(0);
    assert!(project.path(".git/hooks/pre-commit").exists());
    project.write("other/migrations/b2.sql", "-- T\n-- Revision ID: a1\n-- Revises: base\n-- migrate:up\nSELECT 1;\n");
    git(&project.path("other"), &["add", "migrations"]);
    let program = Path::new(env!("CARGO_BIN_EXE_runner")).parent().unwrap();
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--message", "x"])
        .current_dir(project.path("other"))
        .env_clear()
        .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default()))
        .env("HOME", project.path("."))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("error[duplicate-id]"), "{output:?}");
}

#[test]
fn hooks_of_others_are_left_alone() {
    let project = repository();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().canonicalize().unwrap();
    git(&project.path("."), &["config", "core.hooksPath", folder.to_str().unwrap()]);
    let run = project.run(&["hook", "install"]).exits(2);
    assert!(run.stderr.contains("which other repositories may share"), "{run}");
    assert!(!folder.join("pre-commit").exists());
    project.run(&["hook", "install", "--force"]).exits(0);
    assert!(folder.join("pre-commit").exists());
}

#[test]
fn without_a_repository_there_is_no_hook() {
    let project = Project::linear(1);
    let run = project.run_with(&[("GIT_CEILING_DIRECTORIES", "/")], &["hook", "install"]).exits(2);
    assert!(run.stderr.contains("is not in a git repository"), "{run}");
}
