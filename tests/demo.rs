//! The demo chain of this repository: it must apply and roll back completely in every environment.

use crate::harness::Project;
use crate::snapshot;

const APPROVED: [(&str, &str); 1] = [("ALLOW_PRODUCTION_MIGRATE", "true")];

fn up_and_down(environment: &str) {
    let project = Project::demo();
    let first = project.run_with(&APPROVED, &["upgrade", "--env", environment]).exits(0);
    assert!(first.stdout.contains("Done:"), "{first}");
    assert_eq!(project.versions().len(), 1, "the chain has one head");
    project.run_with(&APPROVED, &["check", "--env", environment]).exits(0);
    let schema = project.schema();
    let again = project.run_with(&APPROVED, &["upgrade", "--env", environment]).exits(0);
    assert!(again.stdout.contains("Nothing to do"), "{again}");

    project.run_with(&APPROVED, &["downgrade", "base", "--env", environment]).exits(0);
    let left =
        project.query("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND tbl_name NOT LIKE 'runner%'");
    assert_eq!(left, [""; 0], "left over in {environment}");
    assert_eq!(project.versions(), [""; 0]);

    project.run_with(&APPROVED, &["upgrade", "--env", environment]).exits(0);
    assert_eq!(project.schema(), schema, "the second way up leads elsewhere in {environment}");
}

#[test]
fn applies_and_rolls_back_in_development() {
    up_and_down("development");
}

#[test]
fn applies_and_rolls_back_in_test() {
    up_and_down("test");
}

#[test]
fn applies_and_rolls_back_in_staging() {
    up_and_down("staging");
}

#[test]
fn applies_and_rolls_back_in_production() {
    up_and_down("production");
}

#[test]
fn a_newcomers_first_upgrade() {
    snapshot!(Project::demo().run(&["upgrade"]), @"
    exit: 0
    --- stdout
    Upgrade · runner [VERSION]
      target       sqlite://app.db         SQLite [VERSION]
      environment  development (level 10)
      plan         17 steps, [HASH]
      allow  environment-hierarchy [VERSION]  development (level 10)
      allow  production-override [VERSION]
      warn   environment-hierarchy [VERSION]  0c907eda6bb9 is for staging (level 30) and above, this is development (level 10)
      warn   environment-hierarchy [VERSION]  b0878a5ba93e is for production (level 100) and above, this is development (level 10)
      applied   cc83c9d939f7  Create patient register       [TIME]
      applied   bf7262bdae44  Create staff and treatments   [TIME]
      applied   d80a33b972a2  Fill treatment catalogue      [TIME]
      applied   12d2cb8bef21  Seed sample people            [TIME]
      applied   d7482e186bc9  Normalise phone numbers       [TIME]
      applied   5468b6880842  Split patient names           [TIME]
      applied   3c8e6527cae1  Create appointments           [TIME]
      applied   0de5b3322697  Forbid double bookings        [TIME]
      applied   5a16e14644a6  Stamp changed appointments    [TIME]
      applied   ffcae4d8988f  Create invoices               [TIME]
      applied   352c08a1e0b3  Record payments               [TIME]
      applied   22b81ef8e706  Charge missed appointments    [TIME]
      applied   dddbcdd99e41  Merge billing and scheduling  [TIME]
      applied   ef870d8a9832  Add tooth to invoice lines    [TIME]
      applied   0c907eda6bb9  Report takings by day         [TIME]
      applied   b0878a5ba93e  Archive closed patient files  [TIME]
      applied   fc6c0914310f  Create recalls                [TIME]
    Done: 17 applied in [TIME]
    --- stderr
    ");
}

#[test]
fn sample_people_never_reach_production() {
    let project = Project::demo();
    let run = project.run_with(&APPROVED, &["upgrade", "--env", "production"]).exits(0);
    assert!(run.stdout.contains("skipped   12d2cb8bef21"), "{run}");
    assert_eq!(project.query("SELECT count(*) FROM patient"), ["0"]);
    assert_eq!(project.query("SELECT count(*) FROM treatment"), ["8"]);
    assert!(project.tables().contains(&"patient_archive".to_owned()));
}

#[test]
fn every_step_of_the_chain_can_be_undone_and_done_again() {
    let project = Project::demo();
    let heads = project.run(&["history", "--json"]).exits(0).json();
    let count = heads["revisions"].as_array().unwrap().len();
    assert!(count >= 12, "the demo chain has only {count} revisions");
    project.run(&["upgrade"]).exits(0);
    let complete = project.schema();
    for revision in heads["revisions"].as_array().unwrap() {
        let id = revision["revision"].as_str().unwrap();
        project.run(&["downgrade", id]).exits(0);
        project.run(&["upgrade"]).exits(0);
        assert_eq!(project.schema(), complete, "after going down to {id} and up again");
    }
}
