//! `runner init`

use crate::harness::Project;
use crate::harness::Run;
use crate::snapshot;

/// With the random id of the first revision replaced.
fn anonymous(mut run: Run, project: &Project, folder: &str) -> Run {
    for entry in std::fs::read_dir(project.path(folder)).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "chain.lock" {
            continue;
        }
        let id = name.split('_').next().unwrap();
        run.stdout = run.stdout.replace(id, "[ID]");
        run.stderr = run.stderr.replace(id, "[ID]");
    }
    run
}

fn bare() -> Project {
    let project = Project::empty();
    project.remove("runner.toml");
    std::fs::remove_dir(project.path("migrations")).unwrap();
    project
}

#[test]
fn a_project_that_works_at_once() {
    let project = bare();
    snapshot!(anonymous(project.run(&["init"]), &project, "migrations"), @"
    exit: 0
    --- stdout
    wrote ./runner.toml
    wrote ./migrations/[ID]_start_of_the_chain.sql
    wrote ./migrations/chain.lock
    Next: `runner upgrade` creates the database, `runner revision -m …` writes a revision
    --- stderr
    ");
    snapshot!(anonymous(project.run(&["upgrade"]), &project, "migrations"), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://runner.db      SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/[ID]_start_of_the_chain.sql:9:1: the up section does nothing
      applied   [ID]  Start of the chain  [TIME]
    Done: 1 applied in [TIME]
    --- stderr
    ");
    project.run(&["check"]).exits(0);
    project.run(&["downgrade", "base"]).exits(0);
    assert_eq!(project.leavings(), ["runner.db"]);
}

#[test]
fn in_another_folder() {
    let project = bare();
    snapshot!(anonymous(project.run(&["init", "services/billing"]), &project, "services/billing/migrations"), @"
    exit: 0
    --- stdout
    wrote services/billing/runner.toml
    wrote services/billing/migrations/[ID]_start_of_the_chain.sql
    wrote services/billing/migrations/chain.lock
    Next: `cd services/billing`, then `runner upgrade` creates the database
    --- stderr
    ");
    let upgrade = project.command(&["upgrade"]).current_dir(project.path("services/billing")).output().unwrap();
    assert!(upgrade.status.success());
}

#[test]
fn nothing_is_overwritten() {
    let project = Project::linear(1);
    let before = std::fs::read_to_string(project.path("runner.toml")).unwrap();
    snapshot!(project.run(&["init"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `./runner.toml` exists already

      help: this is a project; `runner upgrade` applies its revisions
    ");
    assert_eq!(std::fs::read_to_string(project.path("runner.toml")).unwrap(), before);
}

#[test]
fn a_chain_that_exists_is_taken_over() {
    let project = Project::linear(2);
    project.remove("runner.toml");
    snapshot!(project.run(&["init"]), @"
    exit: 0
    --- stdout
    wrote ./runner.toml
    Next: `runner upgrade` creates the database, `runner revision -m …` writes a revision
    --- stderr
    ");
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn json_names_the_files() {
    let project = bare();
    snapshot!(anonymous(project.run(&["init", "--json"]), &project, "migrations"), @r#"
    exit: 0
    --- stdout
    {
      "files": [
        "./runner.toml",
        "./migrations/[ID]_start_of_the_chain.sql",
        "./migrations/chain.lock"
      ]
    }
    --- stderr
    "#);
}

#[test]
fn a_folder_that_cannot_be() {
    let project = bare();
    project.write("occupied", "");
    snapshot!(project.run(&["init", "occupied"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: failed to create `occupied/migrations`: Not a directory (os error 20)
    ");
}
