//! Several migrations folders, which form one chain, and the chain file.

use crate::harness::Project;
use crate::lint_git::git;
use crate::snapshot;

const TWO: &str =
    "[database]\nurl = \"sqlite://app.db\"\n[migrations]\ndir = [\"migrations\", \"shared/migrations/\"]\n";

fn file(id: &str, parents: &str) -> String {
    format!(
        "-- Revision {id}\n--\n-- Revision ID: {id}\n-- Revises: {parents}\n\n-- migrate:up\nCREATE TABLE t_{id} (id INTEGER);\n\n-- migrate:down\nDROP TABLE t_{id};\n"
    )
}

/// `aaaa -> cccc` in one folder, `bbbb` between them in another.
fn two_folders() -> Project {
    let project = Project::empty();
    project.write("runner.toml", TWO);
    project.write("migrations/aaaa.sql", file("aaaa", "base"));
    project.write("shared/migrations/bbbb.sql", file("bbbb", "aaaa"));
    project.write("migrations/cccc.sql", file("cccc", "bbbb"));
    project
}

#[test]
fn two_folders_form_one_chain() {
    let project = two_folders();
    snapshot!(project.run(&["history", "-v"]), @"
    exit: 0
    --- stdout
    Rev: cccc (head)
    Parent: bbbb
    Path: migrations/cccc.sql

        Revision cccc

    Rev: bbbb
    Parent: aaaa
    Path: shared/migrations/bbbb.sql

        Revision bbbb

    Rev: aaaa
    Parent: <base>
    Path: migrations/aaaa.sql

        Revision aaaa

    --- stderr
    ");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["cccc"]);
    project.run(&["check"]).exits(0);
    project.run(&["test"]).exits(0);
    project.run(&["downgrade", "base"]).exits(0);
    // The same name in both folders is no problem, the same id is.
    project.write("shared/migrations/aaaa.sql", file("dddd", "cccc"));
    project.run(&["upgrade"]).exits(0);
    project.write("shared/migrations/eeee.sql", file("cccc", "dddd"));
    snapshot!(project.run(&["heads"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: revision id `cccc` is used by two files
     --> shared/migrations/eeee.sql:3:17
      |
    3 | -- Revision ID: cccc
      |                 ^^^^ also in `migrations/cccc.sql`, line 3
      |
      = help: give one of the files another `Revision ID`, and correct what revises it

    error: the chain has 1 problem; nothing was run
    ");
}

#[test]
fn new_files_go_next_to_their_parent_or_where_they_are_told() {
    let project = two_folders();
    let written = |words: &[&str]| -> String {
        let run = project.run(&[&["revision", "--json", "-m", "new", "--rev-id"], words].concat()).exits(0).json();
        run["file"].as_str().unwrap().to_owned()
    };
    assert_eq!(written(&["r1"]), "migrations/r1_new.sql");
    assert_eq!(written(&["r2", "--head", "bbbb", "--splice"]), "shared/migrations/r2_new.sql");
    assert_eq!(written(&["r3", "--head", "r1", "--version-path", "shared/migrations"]), "shared/migrations/r3_new.sql");
    assert_eq!(
        written(&["r4", "--head", "base", "--splice", "--version-path", "./migrations"]),
        "migrations/r4_new.sql"
    );
    snapshot!(project.run(&["revision", "-m", "x", "--head", "base", "--splice"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: there are several migrations folders, and no parent that is in one of them

      help: say which with `--version-path`; `dir` in `[migrations]` names `migrations`, `shared/migrations`
    ");
    snapshot!(project.run(&["revision", "-m", "x", "--head", "r3", "--version-path", "elsewhere"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `elsewhere` is no migrations folder of this project

      help: `dir` in `[migrations]` names `migrations`, `shared/migrations`
    ");
    project.run(&["rebase", "r2", "--onto", "r3"]).exits(0);
    assert!(std::fs::read_to_string(project.path("shared/migrations/r2_new.sql")).unwrap().contains("Revises: r3"));
}

#[test]
fn git_and_lint_look_into_both() {
    let project = two_folders();
    git(&project.path("."), &["init", "-q", "-b", "main"]);
    git(&project.path("."), &["add", "."]);
    git(&project.path("."), &["commit", "-q", "-m", "first"]);
    project.write("shared/migrations/dddd.sql", file("dddd", "cccc"));
    project.write("migrations/eeee.sql", file("eeee", "dddd"));
    let looked_at = |words: &[&str]| project.run(&[&["lint"], words].concat()).stdout;
    assert!(looked_at(&["--since", "main"]).contains("2 revisions"), "{}", looked_at(&["--since", "main"]));
    git(&project.path("."), &["add", "shared"]);
    assert!(looked_at(&["--staged"]).contains("1 revision"), "{}", looked_at(&["--staged"]));
    assert!(looked_at(&["shared/migrations/dddd.sql"]).contains("1 revision"));
    project.run(&["check", "--files", "--against", "main"]).exits(0);
}

#[test]
fn folders_that_are_none() {
    let project = two_folders();
    let with = |dir: &str| {
        project.write("runner.toml", TWO.replace("[\"migrations\", \"shared/migrations/\"]", dir));
        project.run(&["heads"])
    };
    snapshot!(with("[]"), @"
    exit: 2
    --- stdout
    --- stderr
    error: `migrations.dir` in `runner.toml`: it names no folder
    ");
    snapshot!(with("[\"migrations\", \"migrations/\"]"), @"
    exit: 2
    --- stdout
    --- stderr
    error: `migrations.dir` in `runner.toml`: `migrations` is there twice
    ");
    snapshot!(with("7"), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid type: integer `7`, expected a folder or a list of folders
     --> runner.toml:4:7
      |
    4 | dir = 7
      |       ^

    error: `runner.toml` is not a valid configuration
    ");
    snapshot!(with("[\"migrations\", \"gone\"]"), @"
    exit: 2
    --- stdout
    --- stderr
    error: the migrations folder `./gone` does not exist

      help: run `init`, or set `dir` under `[migrations]` to the folder of the revision files
    ");
}

#[test]
fn parallel_additions_are_in_conflict_for_git() {
    let project = Project::empty();
    project.remove("runner.toml");
    project.run(&["init"]).exits(0);
    git(&project.path("."), &["init", "-q", "-b", "main"]);
    git(&project.path("."), &["add", "."]);
    git(&project.path("."), &["commit", "-q", "-m", "first"]);
    git(&project.path("."), &["checkout", "-q", "-b", "mine"]);
    project.run(&["revision", "-m", "mine", "--rev-id", "mine"]).exits(0);
    git(&project.path("."), &["add", "."]);
    git(&project.path("."), &["commit", "-q", "-m", "mine"]);
    git(&project.path("."), &["checkout", "-q", "main"]);
    project.run(&["revision", "-m", "theirs", "--rev-id", "theirs"]).exits(0);
    git(&project.path("."), &["add", "."]);
    git(&project.path("."), &["commit", "-q", "-m", "theirs"]);
    let merged = std::process::Command::new("git")
        .current_dir(project.path("."))
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "merge", "mine"])
        .output()
        .unwrap();
    assert!(!merged.status.success());
    assert!(String::from_utf8_lossy(&merged.stdout).contains("migrations/chain.lock"), "{merged:?}");

    let run = project.run(&["check", "--files"]).exits(4);
    assert!(run.stdout.contains("is in conflict: two branches have added revisions"), "{}", run.stdout);
    assert!(run.stdout.contains("`runner rebase"), "{}", run.stdout);
    project.run(&["rebase", "mine", "--onto", "theirs", "--no-database"]).exits(0);
    project.run(&["check", "--files"]).exits(0);
    let lines = std::fs::read_to_string(project.path("migrations/chain.lock")).unwrap();
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with('#')).skip(1).collect();
    assert!(lines.contains(&"mine theirs") && lines.len() == 2, "{lines:?}");
}

#[test]
fn the_chain_file_is_kept_where_it_is_and_only_there() {
    let project = Project::linear(2);
    project.run(&["revision", "-m", "x", "--rev-id", "x1"]).exits(0);
    assert!(!project.path("migrations/chain.lock").exists());
    snapshot!(project.run(&["lock"]), @"
    exit: 0
    --- stdout
    wrote migrations/chain.lock
    --- stderr
    ");
    snapshot!(project.run(&["lock"]), @"
    exit: 0
    --- stdout
    migrations/chain.lock is up to date
    --- stderr
    ");
    project.run(&["revision", "-m", "y", "--rev-id", "a0"]).exits(0);
    project.run(&["revision", "-m", "z", "--rev-id", "a1", "--head", "x1", "--splice"]).exits(0);
    project.run(&["merge", "heads", "--rev-id", "a2"]).exits(0);
    snapshot!(std::fs::read_to_string(project.path("migrations/chain.lock")).unwrap(), @"
    # One line a revision, with its parents; new ones come last. Written by `runner`, for git: where two branches add revisions, this
    # file is in conflict. Then put one on top of the other with `runner rebase`, or join them with `runner merge heads`; `runner lock`
    # writes this file anew.
    r0001 base
    r0002 r0001
    x1 r0002
    a0 x1
    a1 x1
    a2 a0, a1
    ");
    project.run(&["check", "--files"]).exits(0);
    project.revision("byhand", "a2", "", "SELECT 1;", "SELECT 1;");
    project.remove("migrations/r0001.sql");
    project.edit("migrations/r0002.sql", "Revises: r0001", "Revises: base");
    snapshot!(project.run(&["check", "--files"]), @"
    exit: 4
    --- stdout
    ok      files       6 revisions are valid
    ok      one head    `byhand`
    failed  chain file  the file of `r0001` is gone; `r0002` builds on `base`, and on `r0001` according to it; `byhand` is not in it; `runner lock` writes it anew
    --- stderr
    ");
    project.run(&["lock"]).exits(0);
    project.run(&["check", "--files"]).exits(0);
}
