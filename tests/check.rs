//! `runner check`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn all_is_well() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["check"]), @"
    exit: 0
    --- stdout
    ok      files       2 revisions are valid
    ok      one head    `r0002`
    ok      unchanged   no applied revision was edited or removed
    ok      up to date  every revision is applied
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
    snapshot!(project.run(&["check", "--json"]), @r#"
    exit: 0
    --- stdout
    {
      "ok": true,
      "checks": [
        {
          "name": "files",
          "ok": true,
          "message": "2 revisions are valid"
        },
        {
          "name": "one head",
          "ok": true,
          "message": "`r0002`"
        },
        {
          "name": "unchanged",
          "ok": true,
          "message": "no applied revision was edited or removed"
        },
        {
          "name": "up to date",
          "ok": true,
          "message": "every revision is applied"
        },
        {
          "name": "complete",
          "ok": true,
          "message": "no revision is half-way done"
        },
        {
          "name": "ledger",
          "ok": true,
          "message": "its rows follow from each other"
        }
      ]
    }
    --- stderr
    "#);
}

#[test]
fn pending_revisions() {
    let project = Project::linear(2);
    project.run(&["upgrade", "+1"]).exits(0);
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       2 revisions are valid
    ok      one head    `r0002`
    ok      unchanged   no applied revision was edited or removed
    failed  up to date  1 of 2 revisions are pending
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
    assert_eq!(project.run(&["check", "--json"]).exits(4).json()["ok"], false);
}

#[test]
fn a_database_that_is_not_there_yet_is_not_created() {
    let project = Project::linear(2);
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       2 revisions are valid
    ok      one head    `r0002`
    ok      unchanged   no applied revision was edited or removed
    failed  up to date  2 of 2 revisions are pending
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn an_edited_revision() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.edit("migrations/r0001.sql", "name TEXT", "name VARCHAR");
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       2 revisions are valid
    ok      one head    `r0002`
    failed  unchanged   revision `r0001` is applied here, and the SQL was edited since
    ok      up to date  every revision is applied
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
}

#[test]
fn a_removed_revision() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.remove("migrations/r0002.sql");
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       1 revision is valid
    ok      one head    `r0001`
    failed  unchanged   the database is at `r0002`, which `migrations` does not have
    failed  up to date  the database is ahead of the files
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
}

#[test]
fn an_edited_comment_is_mentioned_and_well() {
    let project = Project::linear(1);
    project.run(&["upgrade"]).exits(0);
    project.edit("migrations/r0001.sql", "-- Revision r0001", "-- Another title");
    snapshot!(project.run(&["check"]), @"
    exit: 0
    --- stdout
    ok      files       1 revision is valid
    ok      one head    `r0001`
    ok      unchanged   comments or header of `r0001` changed since it was applied
    ok      up to date  every revision is applied
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
}

#[test]
fn several_heads() {
    let project = Project::branched();
    project.run(&["upgrade"]).exits(0);
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       5 revisions are valid
    failed  one head    there are 2: `bill2`, `sched2`; a merge is missing: `runner merge heads`
    ok      unchanged   no applied revision was edited or removed
    ok      up to date  every revision is applied
    ok      complete    no revision is half-way done
    ok      ledger      its rows follow from each other
    --- stderr
    ");
}

#[test]
fn broken_files() {
    let project = Project::linear(1);
    project.revision("r0002", "r0009", "", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    failed  files       the chain has 1 problem; nothing was run
    --- stderr
    error: missing parent `r0009`
     --> migrations/r0002.sql:4:13
      |
    4 | -- Revises: r0009
      |             ^^^^^ no file has this id; did you mean `r0001`?
      |
      = help: restore the file that defines it, or correct the id
    ");
    snapshot!(project.run(&["check", "--json"]), @r#"
    exit: 4
    --- stdout
    {
      "ok": false,
      "checks": [
        {
          "name": "files",
          "ok": false,
          "message": "the chain has 1 problem; nothing was run"
        }
      ]
    }
    --- stderr
    error: missing parent `r0009`
     --> migrations/r0002.sql:4:13
      |
    4 | -- Revises: r0009
      |             ^^^^^ no file has this id; did you mean `r0001`?
      |
      = help: restore the file that defines it, or correct the id
    "#);
}

#[test]
fn files_alone_need_no_database() {
    let project = Project::linear(1);
    snapshot!(project.run(&["check", "--files"]), @"
    exit: 0
    --- stdout
    ok      files       1 revision is valid
    ok      one head    `r0001`
    --- stderr
    ");
    project.write("runner.toml", "");
    project.run(&["check", "--files"]).exits(0);
    project.run(&["check"]).exits(2);
}

#[test]
fn a_ledger_that_somebody_has_edited() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.execute("UPDATE runner_ledger SET actor = 'nobody' WHERE revision = 'r0001'");
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       2 revisions are valid
    ok      one head    `r0002`
    ok      unchanged   no applied revision was edited or removed
    ok      up to date  every revision is applied
    ok      complete    no revision is half-way done
    failed  ledger      row 2 is damaged: its columns do not give the stored hash
    --- stderr
    ");
}

#[test]
fn a_ledger_that_lost_a_row() {
    let project = Project::linear(2);
    project.run(&["upgrade"]).exits(0);
    project.execute("DELETE FROM runner_ledger WHERE revision = 'r0001'");
    let run = project.run(&["check"]).exits(4);
    assert!(run.stdout.contains("failed  ledger"), "{run}");
}
