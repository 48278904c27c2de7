//! What commits together: a revision, a run, or, with `Transaction: off`, a statement.

use crate::harness::Project;
use crate::snapshot;

const PER_RUN: &str = "transaction = \"per-run\"\n";

#[test]
fn a_run_that_is_one_transaction_leaves_all_or_nothing() {
    let project = Project::linear(2);
    project.configure(PER_RUN);
    project.revision(
        "r0003",
        "r0002",
        "",
        "CREATE TABLE t0003 (id INTEGER);\nINSERT INTO nowhere VALUES (1);",
        "DROP TABLE t0003;",
    );
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0003.sql:7:14: `t0003` has no primary key
      warn   lint [VERSION]                   migrations/r0003.sql:8:1: changes rows in a revision that changes tables as well
      warn   lint [VERSION]                   migrations/r0003.sql:8:1: changes rows of `nowhere`, and the down section does not change them back
      applied   r0001  Revision r0001  [TIME]
      applied   r0002  Revision r0002  [TIME]
      failed    r0003  Revision r0003  [TIME]
    --- stderr
    error: no such table: nowhere (SQLITE_ERROR)
     --> migrations/r0003.sql:8:13
      |
    8 | INSERT INTO nowhere VALUES (1);
      |             ^

    error: revision `r0003` failed at statement 2: no such table: nowhere

      help: the whole run was rolled back: the database is as it was before
    ");
    assert_eq!(project.tables(), [""; 0]);
    assert_eq!(project.query("SELECT count(*) FROM runner_ledger WHERE status = 'applied'"), ["0"]);

    project.edit("migrations/r0003.sql", "nowhere", "t0003");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.versions(), ["r0003"]);
    project.run(&["check"]).exits(0);
    project.run(&["downgrade", "base"]).exits(0);
    assert_eq!(project.tables(), [""; 0]);
}

#[test]
fn json_of_a_run_that_was_rolled_back() {
    let project = Project::linear(1);
    project.configure(PER_RUN);
    project.revision("r0002", "r0001", "", "INSERT INTO nowhere VALUES (1);", "SELECT 1;");
    let report = project.run(&["upgrade", "--json"]).exits(1).json();
    assert_eq!(report["outcome"], "failed");
    let statuses: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["rolled_back", "failed"]);
}

#[test]
fn a_run_that_is_one_transaction_takes_no_revision_without_one() {
    let project = Project::linear(1);
    project.configure(PER_RUN);
    project.revision("r0002", "r0001", "Transaction: off", "VACUUM;", "VACUUM;");
    snapshot!(project.run(&["upgrade"]), @r#"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
    --- stderr
    error: the plan can't run as it stands; nothing was run

      help: `r0002`: a step with `Transaction: off` cannot be part of a run that is one transaction; use one transaction per revision: `transaction = "per-revision"` in `[database]`
    "#);
    assert_eq!(project.leavings(), [""; 0], "what can be known beforehand must be found before anything runs");
}

#[test]
fn vacuum_runs_outside_a_transaction_only() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "Transaction: off", "VACUUM;", "VACUUM;");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
      applied   r0001  Revision r0001  [TIME]
      applied   r0002  Revision r0002  [TIME]
    Done: 2 applied in [TIME]
    --- stderr
    ");
    project.run(&["check"]).exits(0);
    project.run(&["downgrade", "-1"]).exits(0);
    assert_eq!(project.versions(), ["r0001"]);

    let inside = Project::linear(1);
    inside.revision("r0002", "r0001", "", "VACUUM;", "VACUUM;");
    snapshot!(inside.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  lint [VERSION]                   no findings
      allow  production-override [VERSION]
    --- stderr
    error: `VACUUM` does not run inside a transaction
     --> migrations/r0002.sql:7:1
      |
    7 | VACUUM;
      | ^^^^^^^
      |
      = help: write `Transaction: off` in the header

    error: the plan can't run as it stands; nothing was run
    ");
}

/// A revision without a transaction whose third statement fails, applied as far as it goes.
fn half_way() -> Project {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "Transaction: off",
        "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (2);\nINSERT INTO a VALUES (3);",
        "DROP TABLE a;",
    );
    project.table_revision(3);
    project
}

#[test]
fn a_failure_without_a_transaction_is_resumed_where_it_stopped() {
    let project = half_way();
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         3 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:8:14: `a` has no primary key
      warn   lint [VERSION]                   migrations/r0002.sql:10:1: changes rows in a revision that changes tables as well
      warn   lint [VERSION]                   migrations/r0002.sql:10:1: changes rows of `b`, and the down section does not change them back
      applied   r0001  Revision r0001  [TIME]
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    error: no such table: b (SQLITE_ERROR)
      --> migrations/r0002.sql:10:13
       |
    10 | INSERT INTO b VALUES (2);
       |             ^

    error: revision `r0002` failed at statement 3: no such table: b

      help: revision `r0002` runs without a transaction: what is recorded as done stays done; mend the rest and run the same command again, it goes on there
    ");
    assert_eq!(project.query("SELECT id FROM a"), ["1"]);
    assert_eq!(project.versions(), ["r0001"]);
    snapshot!(project.run(&["current"]), @"
    exit: 0
    --- stdout
    <base> -> r0001 (current), Revision r0001
    2 of 3 revisions are pending
    --- stderr
    warning: `r0002` is half-way up: 2 of 4 statements are done, the next run goes on there
    ");
    snapshot!(project.run(&["check"]), @"
    exit: 4
    --- stdout
    ok      files       3 revisions are valid
    ok      one head    `r0003`
    ok      unchanged   no applied revision was edited or removed
    failed  up to date  2 of 3 revisions are pending
    failed  complete    `r0002` is half-way up: 2 of 4 statements are done
    ok      ledger      its rows follow from each other
    --- stderr
    ");

    project.execute("CREATE TABLE b (id INTEGER)");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:8:14: `a` has no primary key
      warn   lint [VERSION]                   migrations/r0002.sql:10:1: changes rows in a revision that changes tables as well
      warn   lint [VERSION]                   migrations/r0002.sql:10:1: changes rows of `b`, and the down section does not change them back
      applied   r0002  Revision r0002  [TIME]
      applied   r0003  Revision r0003  [TIME]
    Done: 2 applied in [TIME]
    --- stderr
    ");
    assert_eq!(project.query("SELECT id FROM a ORDER BY id"), ["1", "3"], "a statement ran twice or not at all");
    assert_eq!(project.query("SELECT id FROM b"), ["2"]);
    assert_eq!(project.versions(), ["r0003"]);
    project.run(&["check"]).exits(0);
}

#[test]
fn the_statement_that_failed_may_be_edited_before_resuming() {
    let project = half_way();
    project.run(&["upgrade"]).exits(1);
    project.edit("migrations/r0002.sql", "INTO b", "INTO a");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT id FROM a ORDER BY id"), ["1", "2", "3"]);
}

#[test]
fn a_statement_that_is_applied_must_not_be_edited_before_resuming() {
    let project = half_way();
    project.run(&["upgrade"]).exits(1);
    project.edit("migrations/r0002.sql", "VALUES (1)", "VALUES (11)");
    project.execute("CREATE TABLE b (id INTEGER)");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:8:14: `a` has no primary key
      warn   lint [VERSION]                   migrations/r0002.sql:10:1: changes rows in a revision that changes tables as well
      warn   lint [VERSION]                   migrations/r0002.sql:10:1: changes rows of `b`, and the down section does not change them back
      failed    r0002  Revision r0002  [TIME]
    --- stderr
    error: revision `r0002` is half-way up (2 of 4 statements done): statement 2 was edited after it had run

      help: restore the statements as they were applied and run the same command again, or settle it by hand and say so with `runner repair`
    ");
    assert_eq!(project.query("SELECT id FROM a"), ["1"]);
    project.edit("migrations/r0002.sql", "VALUES (11)", "VALUES (1)");
    project.run(&["upgrade"]).exits(0);
}

#[test]
fn what_is_half_way_up_cannot_be_ignored() {
    let project = half_way();
    project.run(&["upgrade"]).exits(1);
    snapshot!(project.run(&["downgrade", "base"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: revision `r0002` is half-way up: 2 of 4 statements are done

      help: finish it first with `runner upgrade r0002`, or settle it by hand and say so with `runner repair`
    ");
    snapshot!(project.run(&["upgrade", "r0001"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: revision `r0002` is half-way up: 2 of 4 statements are done

      help: finish it first with `runner upgrade r0002`, or settle it by hand and say so with `runner repair`
    ");
    assert_eq!(project.versions(), ["r0001"]);
}

#[test]
fn a_revision_must_not_end_the_transaction_that_it_runs_in() {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "",
        "CREATE TABLE a (id INTEGER);\nCOMMIT;\nCREATE TABLE b (id INTEGER);",
        "SELECT 1;",
    );
    snapshot!(project.run(&["upgrade"]), @"
    exit: 3
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:7:14: `a` has no primary key
      warn   lint [VERSION]                   migrations/r0002.sql:9:14: `b` has no primary key
      deny   lint [VERSION]                   migrations/r0002.sql:8:1: ends or begins a transaction inside of the one that the runner makes
    --- stderr
    error: refused by `lint`: migrations/r0002.sql:8:1: ends or begins a transaction inside of the one that the runner makes

      help: leave it out, or say `Transaction: off` in the header
      help: nothing was changed
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn a_revision_must_not_change_the_runners_own_tables() {
    let project = Project::linear(1);
    project.revision("r0002", "r0001", "", "DELETE FROM runner_ledger;", "SELECT 1;");
    snapshot!(project.run(&["upgrade"]), @"
    exit: 1
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         2 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   lint [VERSION]                   migrations/r0002.sql:7:1: removes every row of `runner_ledger` (size unknown: the database has no such table yet)
      warn   lint [VERSION]                   migrations/r0002.sql:7:1: changes rows of `runner_ledger`, and the down section does not change them back
    --- stderr
    error: the statement changes `runner_ledger`, which belongs to the runner
     --> migrations/r0002.sql:7:1
      |
    7 | DELETE FROM runner_ledger;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: leave it out: the runner keeps its own tables; to correct them use `runner stamp`

    error: the plan can't run as it stands; nothing was run
    ");
    assert_eq!(project.leavings(), [""; 0]);
}

#[test]
fn a_trigger_is_one_statement() {
    let project = Project::linear(1);
    project.revision(
        "r0002",
        "r0001",
        "",
        "CREATE TRIGGER g AFTER INSERT ON t0001 BEGIN\n  UPDATE t0001 SET name = 'a;b' WHERE id = NEW.id; -- c;d\n  SELECT CASE WHEN 1 THEN 2 END;\nEND;\nINSERT INTO t0001 (id) VALUES (7);",
        "DROP TRIGGER g;",
    );
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT id, name FROM t0001"), ["7 | a;b"]);
}

#[test]
fn no_other_table_takes_the_place_of_the_runners_own() {
    for statement in [
        "CREATE TEMP TABLE runner_ledger (id INTEGER);",
        "CREATE TEMP VIEW 'runner_version' AS SELECT 'r0009' AS version_num;",
        "INSERT INTO 'runner_version' VALUES ('r0009');",
        "CREATE UNIQUE INDEX one ON runner_ledger (command);",
        "CREATE TABLE x (id INTEGER); ALTER TABLE x RENAME TO runner_ledger;",
    ] {
        let project = Project::linear(1);
        project.revision("r0002", "r0001", "", statement, "SELECT 1;");
        let run = project.run(&["upgrade"]).exits(1);
        assert!(run.stderr.contains("which belongs to the runner"), "{statement}\n{run}");
        assert_eq!(project.leavings(), [""; 0], "{statement}");
    }
}

#[test]
fn a_stamp_settles_a_revision_that_was_undone_by_hand() {
    let project = half_way();
    project.run(&["upgrade"]).exits(1);
    project.execute("DROP TABLE a");
    snapshot!(project.run(&["stamp", "r0001"]), @"
    exit: 0
    --- stdout
    Stamp · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         1 step, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      unstamped  r0002  Revision r0002  [TIME]
    Done: 1 unstamped in [TIME]
    --- stderr
    ");
    assert_eq!(project.versions(), ["r0001"]);
    assert!(project.run(&["check"]).exits(4).stdout.contains("no revision is half-way done"));
    project.execute("CREATE TABLE b (id INTEGER)");
    project.run(&["upgrade"]).exits(0);
    assert_eq!(project.query("SELECT id FROM a"), ["1", "3"]);
}
