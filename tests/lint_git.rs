//! Which revisions are looked at: the newest, the pending, those that git has as new or changed.

use std::path::Path;
use std::process::Command;

use crate::harness::Project;
use crate::lint::found;
use crate::lint::with;
use crate::lint::words;
use crate::snapshot;

/// git in a folder, with nothing of this machine's configuration.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "init.defaultBranch=main"])
        .args(["-c", "commit.gpgSign=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git is missing: install it (`apt-get install git`)");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A project in a repository, with one commit.
pub(crate) fn repository() -> Project {
    let project = words("message = \"a bad word\"", "");
    project.write(".gitignore", "*.wasm\n*.db*\n");
    git(&project.path("."), &["init", "--quiet"]);
    commit(&project);
    project
}

pub(crate) fn commit(project: &Project) {
    git(&project.path("."), &["add", "--all"]);
    git(&project.path("."), &["commit", "--quiet", "--message", "x"]);
}

#[track_caller]
fn of(project: &Project, arguments: &[&str]) -> Vec<String> {
    found(&project.run(&[&["lint", "--json"], arguments].concat()))
}

#[test]
fn the_newest_are_looked_at() {
    let project = words("", "");
    for id in ["b2", "c3", "d4"] {
        with(&project, id, "SELECT 'BAD';");
    }
    assert_eq!(of(&project, &["--recent"]), ["no-such-word d4.sql:7"]);
    assert_eq!(of(&project, &["--recent", "2"]), ["no-such-word c3.sql:7", "no-such-word d4.sql:7"]);
    assert_eq!(of(&project, &["--recent", "99"]).len(), 3);
    assert_eq!(of(&project, &["--recent", "0"]).len(), 0);
    project.run(&["lint", "--recent", "b2"]).exits(2);
    project.run(&["lint", "--recent", "1", "--since", "HEAD"]).exits(2);
}

#[test]
fn files_and_revisions_are_named_as_everywhere() {
    let project = words("", "");
    with(&project, "b2", "SELECT 'BAD';");
    with(&project, "c3", "SELECT 'BAD';");
    let b2 = ["no-such-word b2.sql:7"];
    let absolute = project.path("migrations/b2.sql").display().to_string();
    for name in ["b2", "migrations/b2.sql", "./migrations/b2.sql", absolute.as_str(), "a1:b2"] {
        assert_eq!(of(&project, &[name]), b2, "{name}");
    }
    assert_eq!(of(&project, &["heads"]).len(), 2);
    snapshot!(project.run(&["lint", "b3"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `b3`

      help: did you mean `b2`?
    ");
    snapshot!(project.run(&["lint", "migrations/gone.sql"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no file `migrations/gone.sql`

      help: the revision files are in `migrations`
    ");
    snapshot!(project.run(&["lint", "runner.toml", "../x/y"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: no revision or label `runner.toml`

      help: `runner history` lists all revisions
    ");
    project.run(&["lint", "+1"]).exits(2);
    project.run(&["lint", "head"]).exits(1);
}

#[test]
fn what_is_pending_is_looked_at_as_a_plan() {
    let project = words("", "");
    with(&project, "b2", "SELECT 'BAD';");
    project.run(&["upgrade"]).exits(0);
    with(&project, "c3", "SELECT 'BAD';");
    assert_eq!(of(&project, &["--pending"]), ["no-such-word c3.sql:7"]);
    assert_eq!(of(&project, &[]).len(), 2);
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.run(&["lint", "--pending"]).exits(0).stdout, "Nothing to look at\n");
    project.edit("runner.toml", "url = \"sqlite://app.db\"", "");
    project.run(&["lint", "--pending"]).exits(2);
}

#[test]
fn what_this_environment_skips_is_not_pending() {
    let project = words("", "");
    project.run(&["upgrade"]).exits(0);
    with(&project, "b2", "DROP TABLE patient;");
    project.edit("migrations/b2.sql", "-- Revises", "-- Env: =test\n-- Revises");
    let pending = ["lint", "--pending", "--plugins", "default"];
    assert_eq!(project.run(&pending).exits(0).stdout, "Nothing to look at\n");
    project.run(&[&pending[..], &["--env", "test", "--deny", "warnings"]].concat()).exits(4);
}

#[test]
fn what_git_has_as_changed_is_looked_at() {
    let project = repository();
    with(&project, "b2", "SELECT 'BAD';");
    commit(&project);
    let folder = project.path(".");
    git(&folder, &["switch", "--quiet", "--create", "feature"]);
    with(&project, "c3", "SELECT 'BAD';");
    commit(&project);
    with(&project, "d4", "SELECT 'BAD';");
    git(&folder, &["add", "migrations/d4.sql"]);
    with(&project, "untracked", "SELECT 'BAD';");
    let lines = |names: &[&str]| names.iter().map(|name| format!("no-such-word {name}.sql:7")).collect::<Vec<_>>();
    assert_eq!(of(&project, &["--since", "main"]), lines(&["c3", "d4", "untracked"]));
    assert_eq!(of(&project, &["--since", "HEAD"]), lines(&["d4", "untracked"]));
    // What happened on the other branch meanwhile is not this one's.
    git(&folder, &["stash", "--quiet", "--include-untracked"]);
    git(&folder, &["switch", "--quiet", "main"]);
    project.edit("migrations/a1.sql", "CREATE TABLE t", "CREATE TABLE /* BAD */ t");
    commit(&project);
    git(&folder, &["switch", "--quiet", "feature"]);
    assert_eq!(of(&project, &["--since", "main"]), lines(&["c3"]));
}

#[test]
fn wrong_questions_to_git_are_errors_that_help() {
    let project = repository();
    snapshot!(project.run(&["lint", "--since", "nowhere"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: git knows no commit `nowhere`

      help: `git fetch` brings branches of others; theirs are called `origin/nowhere`
    ");
    snapshot!(project.run(&["lint", "--since=--output=x"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `--output=x` is no git commit
    ");
    let plain = words("", "");
    snapshot!(plain.run_with(&[("GIT_CEILING_DIRECTORIES", "/")], &["lint", "--since", "main"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `./migrations` is not in a git repository

      help: `git init` makes one
    ");
    snapshot!(plain.run_with(&[("PATH", "/nonexistent")], &["lint", "--since", "main"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there is no program `git`

      help: install git, or name files or revisions
    ");
}

#[test]
fn a_shallow_clone_says_what_is_missing() {
    let project = repository();
    with(&project, "b2", "SELECT 1;");
    commit(&project);
    git(&project.path("."), &["switch", "--quiet", "--create", "feature", "HEAD~1"]);
    with(&project, "c3", "SELECT 1;");
    commit(&project);
    let clone = words("", "");
    let origin = format!("file://{}", project.path(".").canonicalize().unwrap().display());
    git(&clone.path("."), &["clone", "--quiet", "--depth=1", "--no-single-branch", &origin, "clone"]);
    clone.write("clone/words.wasm", std::fs::read(clone.path("words.wasm")).unwrap());
    let run = clone.run(&["lint", "--config", "clone/runner.toml", "--since", "origin/main"]).exits(2);
    assert!(run.stderr.contains("have no commit in common") && run.stderr.contains("fetch-depth: 0"), "{run}");
}

#[test]
fn what_is_staged_is_looked_at_as_it_is_staged() {
    let project = repository();
    let folder = project.path(".");
    assert_eq!(project.run(&["lint", "--staged"]).exits(0).stdout, "Nothing to look at\n");
    with(&project, "b2", "SELECT 'BAD';");
    git(&folder, &["add", "--all"]);
    // In the work tree it is mended, and another file is there that nobody has staged.
    project.edit("migrations/b2.sql", "BAD", "good");
    project.write("migrations/c3.sql", "-- broken\n");
    assert_eq!(of(&project, &["--staged"]), ["no-such-word b2.sql:7"]);
    git(&folder, &["add", "migrations/b2.sql"]);
    assert_eq!(of(&project, &["--staged"]), [""; 0]);
}

#[test]
fn a_staged_removal_may_break_the_chain() {
    let project = repository();
    with(&project, "b2", "SELECT 1;");
    commit(&project);
    git(&project.path("."), &["rm", "--quiet", "migrations/a1.sql"]);
    let run = project.run(&["lint", "--staged", "--json"]).exits(4);
    assert_eq!(found(&run), ["missing-parent b2.sql:4"]);
}

#[test]
fn a_project_may_be_a_folder_of_the_repository() {
    let project = words("", "");
    project.write("services/odd name's/runner.toml", std::fs::read(project.path("runner.toml")).unwrap());
    project.write("services/odd name's/words.wasm", std::fs::read(project.path("words.wasm")).unwrap());
    project.write(
        "services/odd name's/migrations/a1.sql",
        "-- T\n-- Revision ID: a1\n-- Revises: base\n-- migrate:up\nSELECT 'BAD';\n",
    );
    let folder = project.path(".");
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "--all"]);
    let config = "services/odd name's/runner.toml";
    let run = project.run(&["lint", "--config", config, "--staged", "--json"]).exits(0);
    assert_eq!(found(&run), ["no-such-word a1.sql:5"]);
    let github = project.run(&["lint", "--config", config, "--format", "github"]).exits(0);
    assert!(github.stdout.contains("file=services/odd name's/migrations/a1.sql,line=5"), "{github}");
    let sarif = project.run(&["lint", "--config", config, "--format", "sarif"]).json();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "services/odd%20name%27s/migrations/a1.sql");
}
