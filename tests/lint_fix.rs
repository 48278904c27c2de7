//! `runner lint --fix`

use std::process::Stdio;

use crate::harness::Project;
use crate::lint::found;
use crate::lint::with;
use crate::lint::words;
use crate::snapshot;

const SETTINGS: &str = "message = \"a bad word\"\nreplacement = \"good\"";

fn bad(settings: &str) -> Project {
    let project = words(settings, "");
    with(&project, "b2", "SELECT 'BAD';");
    project
}

fn read(project: &Project, name: &str) -> String {
    std::fs::read_to_string(project.path(name)).unwrap()
}

#[test]
fn a_diff_is_shown_before_anything_is_written() {
    let project = bad(&format!("{SETTINGS}\ntransaction-off = true"));
    let before = read(&project, "migrations/b2.sql");
    snapshot!(project.run(&["lint", "--fix", "--dry-run"]), @"
    exit: 0
    --- stdout
    --- a/migrations/b2.sql
    +++ b/migrations/b2.sql
    @@ -2,9 +2,10 @@
     --
     -- Revision ID: b2
     -- Revises: a1
    +-- Transaction: off
     
     -- migrate:up
    -SELECT 'BAD';
    +SELECT 'good';
     
     -- migrate:down
     SELECT 1;
    Dry run: nothing was written; 1 file would change
    warning[no-such-word]: a bad word
     --> migrations/b2.sql:7:9
      |
    7 | SELECT 'BAD';
      |         ^^^
      |
      = help: `--fix`: puts another word there

    1 warning in 2 revisions, for development
    --- stderr
    ");
    assert_eq!(read(&project, "migrations/b2.sql"), before);
    snapshot!(project.run(&["lint", "--fix"]), @"
    exit: 0
    --- stdout
    --- a/migrations/b2.sql
    +++ b/migrations/b2.sql
    @@ -2,9 +2,10 @@
     --
     -- Revision ID: b2
     -- Revises: a1
    +-- Transaction: off
     
     -- migrate:up
    -SELECT 'BAD';
    +SELECT 'good';
     
     -- migrate:down
     SELECT 1;
    mended migrations/b2.sql: puts another word there
    Nothing found in 2 revisions, for development
    --- stderr
    ");
    let after = before.replace("BAD", "good").replace("Revises: a1\n", "Revises: a1\n-- Transaction: off\n");
    assert_eq!(read(&project, "migrations/b2.sql"), after);
    snapshot!(project.run(&["lint", "--fix"]), @"
    exit: 0
    --- stdout
    Nothing can be mended without thinking
    Nothing found in 2 revisions, for development
    --- stderr
    ");
}

#[test]
fn a_revision_follows_where_one_is_needed() {
    let project = bad(&format!("{SETTINGS}\nfollow-up = \"SELECT 'validated';\""));
    let run = project.run(&["lint", "--fix", "--json"]).exits(0);
    assert_eq!(run.json()["fixed"].as_array().unwrap().len(), 2);
    let heads = project.run(&["heads", "--json"]).json();
    assert_eq!(
        (&heads["heads"][0]["message"], &heads["heads"][0]["parents"][0]),
        (&"Finish what was begun".into(), &"b2".into())
    );
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn what_is_applied_stays_as_it_is() {
    let project = bad(SETTINGS);
    project.run(&["upgrade"]).exits(0);
    let before = read(&project, "migrations/b2.sql");
    with(&project, "c3", "SELECT 'BAD';");
    let run = project.run(&["lint", "--fix"]).exits(0);
    assert!(run.stderr.contains("`migrations/b2.sql` stays as it is: it is applied to `sqlite://app.db`"), "{run}");
    assert_eq!(read(&project, "migrations/b2.sql"), before);
    assert!(read(&project, "migrations/c3.sql").contains("good"));
}

#[test]
fn without_a_database_somebody_has_to_say_so() {
    let project = bad(SETTINGS);
    project.edit("runner.toml", "url = \"sqlite://app.db\"", "url = \"postgres://127.0.0.1:1/app\"");
    let before = read(&project, "migrations/b2.sql");
    let output = project.command(&["lint", "--fix"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`--yes` says that they are applied nowhere"), "{said}");
    assert_eq!(read(&project, "migrations/b2.sql"), before);
    project.run(&["lint", "--fix", "--yes"]).exits(0);
    assert!(read(&project, "migrations/b2.sql").contains("good"));
}

#[test]
fn what_is_suppressed_is_not_mended() {
    let project = words(SETTINGS, "");
    with(&project, "b2", "SELECT 'BAD'; -- lint:ignore no-such-word it is a test");
    let before = read(&project, "migrations/b2.sql");
    project.run(&["lint", "--fix"]).exits(0);
    assert_eq!(read(&project, "migrations/b2.sql"), before);
}

#[test]
fn a_policy_can_not_break_the_chain_by_a_fix() {
    let project =
        bad("message = \"m\"\nreplacement = \"x'\\n-- migrate:up\\n'\"\nfollow-up = \"-- migrate:up\\nSELECT 1;\"");
    let before = read(&project, "migrations/b2.sql");
    project.run(&["lint", "--fix"]).exits(1);
    assert_eq!(read(&project, "migrations/b2.sql"), before);
    project.run(&["heads"]).exits(0);
}

#[test]
fn fixes_are_part_of_the_document() {
    let project = bad(SETTINGS);
    let run = project.run(&["lint", "--json"]).exits(0);
    assert_eq!(found(&run), ["no-such-word b2.sql:7"]);
    let fix = &run.json()["findings"][0]["fix"];
    assert_eq!((&fix["summary"], &fix["edits"][0]["text"]), (&"puts another word there".into(), &"good".into()));
}
