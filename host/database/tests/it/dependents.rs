//! What depends on what, by the texts of views and triggers.

#[path = "../dependents/mod.rs"]
mod shared;

use self::shared::*;
use crate::support::*;

#[tokio::test]
async fn views_triggers_and_keys_are_found_by_names_and_not_by_letters() {
    let target = Target::new();
    target
        .sql(
            "CREATE TABLE \"My T\" (id INTEGER PRIMARY KEY, email TEXT, size INT AS (length(email))); \
             CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE tt (t TEXT, x INT REFERENCES \"my t\"); \
             CREATE VIEW v AS SELECT EMAIL, 't' AS t FROM [MY T] /* FROM tt */; CREATE VIEW w AS SELECT * FROM V; \
             CREATE VIEW other AS SELECT t FROM tt; CREATE INDEX i ON \"My T\" (email) WHERE id > 1; \
             CREATE TRIGGER noted AFTER INSERT ON tt BEGIN INSERT INTO t VALUES (NEW.x); END; \
             CREATE TRIGGER own AFTER DELETE ON \"My T\" BEGIN SELECT 1; END; CREATE TRIGGER instead INSTEAD OF INSERT ON w BEGIN SELECT 1; END",
        )
        .await;
    let lines = edges(&mut target.read().await, &["My T"]).await;
    assert_eq!(
        lines,
        [
            "column My T.size GoesAlong/Refuses table My T",
            "foreign key tt.(x) REFERENCES my t Breaks table My T",
            "index i GoesAlong/Refuses table My T",
            "trigger My T.own GoesAlong/MayRefuse table My T",
            "trigger tt.noted Breaks/MayRefuse table t",
            "trigger tt.noted GoesAlong/MayRefuse table tt",
            "trigger w.instead GoesAlong/MayRefuse view w",
            "view other Breaks/Refuses table tt",
            "view v Breaks/Refuses table My T",
            "view w Breaks/Refuses view v",
        ]
    );
    let found = dependencies(&mut target.read().await, &["My T"], std::time::Duration::from_secs(9)).await;
    assert_eq!(about(&lines, "view other"), ["view other Breaks/Refuses table tt"]);
    let columns = |name: &str| {
        let is_it = |edge: &&runner_database::Dependency| found.entities[edge.dependent].name == name;
        found.edges.iter().find(is_it).unwrap().columns.clone().unwrap()
    };
    assert!(columns("v").contains(&"email".to_owned()) && !columns("v").contains(&"t".to_owned()));
    assert!(columns("i").contains(&"id".to_owned()));
    assert_eq!(columns("size").iter().filter(|name| *name == "email").count(), 1);
}
