//! `runner revision`

use crate::harness::Project;
use crate::snapshot;

#[test]
fn a_stub_with_everything_filled_in() {
    let project = Project::linear(1);
    snapshot!(project.run(&["revision", "-m", "Add e-mail, at last!", "--rev-id", "a1b2"]), @"
    exit: 0
    --- stdout
    wrote migrations/a1b2_add_e_mail_at_last.sql
    it can run in: development, local, test, qa, staging, production
    --- stderr
    ");
    let text = std::fs::read_to_string(project.path("migrations/a1b2_add_e_mail_at_last.sql")).unwrap();
    snapshot!(text, @"
    -- Add e-mail, at last!
    --
    -- Revision ID: a1b2
    -- Revises: r0001
    -- Create Date: [WHEN]

    -- migrate:up
    -- Write the SQL that applies this revision here.

    -- migrate:down
    -- Write the SQL that takes it back here, or delete this section if that is impossible.
    ");
    project.run(&["upgrade"]).exits(0);
    project.run(&["downgrade", "base"]).exits(0);
}

#[test]
fn a_random_id_on_top_of_the_chain() {
    let project = Project::linear(2);
    let json = project.run(&["revision", "-m", "Add phone", "--json"]).exits(0).json();
    let id = json["revision"].as_str().unwrap();
    assert!(id.len() == 12 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "`{id}`");
    assert_eq!(json["parents"], serde_json::json!(["r0002"]));
    assert_eq!(json["file"], format!("migrations/{id}_add_phone.sql"));
    let next = project.run(&["revision", "-m", "Add fax", "--json"]).exits(0).json();
    assert_eq!(next["parents"], serde_json::json!([id]));
}

#[test]
fn the_first_of_a_chain() {
    let project = Project::empty();
    project.run(&["revision", "-m", "Start", "--rev-id", "first"]).exits(0);
    let text = std::fs::read_to_string(project.path("migrations/first_start.sql")).unwrap();
    assert!(text.contains("-- Revises: base\n"), "{text}");
}

#[test]
fn tags_and_where_it_can_run() {
    let project = Project::linear(1);
    snapshot!(project.run(&["revision", "-m", "Audit", "--env", "staging", "--rev-id", "audit"]), @"
    exit: 0
    --- stdout
    wrote migrations/audit_audit.sql
    it can run in: qa, staging, production
    --- stderr
    ");
    let text = std::fs::read_to_string(project.path("migrations/audit_audit.sql")).unwrap();
    assert!(text.contains("-- Env: staging\n"), "{text}");
    snapshot!(project.run(&["revision", "-m", "Samples", "--env", "=development,=test", "--rev-id", "samples"]), @"
    exit: 0
    --- stdout
    wrote migrations/samples_samples.sql
    it can run in: development, test
    --- stderr
    ");
    snapshot!(project.run(&["revision", "-m", "All", "--rev-id", "all"]), @"
    exit: 0
    --- stdout
    wrote migrations/all_all.sql
    it can run in: development, local, test, qa, staging, production
    --- stderr
    ");
}

#[test]
fn a_tag_that_is_no_environment() {
    let project = Project::linear(1);
    snapshot!(project.run(&["revision", "-m", "Audit", "--env", "stagging"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the revision is tagged `stagging`, which is not an environment

      help: did you mean `staging`?
    ");
    snapshot!(project.run(&["revision", "-m", "Audit", "--env", "a b"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `a b` is no environment tag: `a b` is not the name of an environment

      help: write the lowest environment in which it may run, as in `staging`, or exactly one, as in `=test`
    ");
    assert_eq!(std::fs::read_dir(project.path("migrations")).unwrap().count(), 1);
}

#[test]
fn an_id_that_is_taken_or_none() {
    let project = Project::linear(1);
    snapshot!(project.run(&["revision", "-m", "Again", "--rev-id", "r0001"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: `r0001` is taken by `migrations/r0001.sql`

      help: leave out `--rev-id` to get a new one
    ");
    snapshot!(project.run(&["revision", "-m", "Again", "--rev-id", "a@b"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'a@b' for '--rev-id <ID>': `a@b` contains `@`, only letters, digits, `_` and `.` are allowed

    For more information, try '--help'.
    ");
    assert_eq!(std::fs::read_dir(project.path("migrations")).unwrap().count(), 1);
}

#[test]
fn several_heads_leave_the_parent_open() {
    let project = Project::branched();
    snapshot!(project.run(&["revision", "-m", "Which parent"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: the chain has 2 heads, so the parent is not clear

      help: `bill2`  Revision bill2
      help: `sched2`  Revision sched2
      help: name one of them with `--head`, or join them first: `runner merge heads`
    ");
}

#[test]
fn a_title_is_needed() {
    snapshot!(Project::linear(1).run(&["revision"]), @"
    exit: 2
    --- stdout
    --- stderr
    error: the following required arguments were not provided:
      --message <TITLE>

    Usage: runner revision --message <TITLE>

    For more information, try '--help'.
    ");
}

#[test]
fn a_broken_chain_gets_nothing_on_top() {
    let project = Project::linear(1);
    project.revision("r0003", "r0002", "", "SELECT 1;", "SELECT 1;");
    snapshot!(project.run(&["revision", "-m", "More"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: missing parent `r0002`
     --> migrations/r0003.sql:4:13
      |
    4 | -- Revises: r0002
      |             ^^^^^ no file has this id; did you mean `r0001`?
      |
      = help: restore the file that defines it, or correct the id

    error: the chain has 1 problem; nothing was run
    ");
}
