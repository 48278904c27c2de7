//! Several runners at once on one database.

use crate::harness::Project;

#[test]
fn eight_upgrades_at_once_apply_each_revision_once() {
    const REVISIONS: usize = 12;
    let project = Project::linear(REVISIONS);
    let children: Vec<_> = (0..8).map(|_| project.spawn(&["upgrade"])).collect();
    for child in children {
        project.ended(child).exits(0);
    }
    let expected: Vec<String> = (1..=REVISIONS).map(|number| format!("r{number:04} | up | applied")).collect();
    assert_eq!(project.ledger(), expected);
    assert_eq!(project.versions(), [format!("r{REVISIONS:04}")]);
    project.run(&["check"]).exits(0);
    assert_eq!(project.leavings(), ["app.db"]);
}

#[test]
fn upgrades_and_downgrades_at_once_keep_the_books_straight() {
    let project = Project::linear(6);
    project.run(&["upgrade", "r0003"]).exits(0);
    let children: Vec<_> = (0..6)
        .map(|number| project.spawn(if number % 2 == 0 { &["upgrade"] } else { &["downgrade", "r0002"] }))
        .collect();
    for child in children {
        project.ended(child).exits(0);
    }
    project.run(&["upgrade"]).exits(0);
    project.run(&["check"]).exits(0);
    assert_eq!(project.tables().len(), 6);
}

#[test]
fn readers_get_their_answer_during_an_upgrade() {
    let project = Project::linear(40);
    project.run(&["upgrade", "+1"]).exits(0);
    let upgrade = project.spawn(&["upgrade"]);
    for _ in 0..5 {
        project.run(&["current"]).exits(0);
        project.run(&["plan"]).exits(0);
        project.run(&["log"]).exits(0);
    }
    project.ended(upgrade).exits(0);
}
