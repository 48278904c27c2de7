//! Small graphs, and the fates of what is in them.

use runner_database::Bond;
use runner_database::Dependency;
use runner_database::Entity;
use runner_database::EntityKind;
use runner_database::Form;
use runner_database::TableColumn;

use super::*;

fn entity(kind: EntityKind, schema: Option<&str>, table: Option<&str>, name: &str) -> Entity {
    Entity { kind, schema: schema.map(str::to_owned), table: table.map(str::to_owned), name: name.to_owned() }
}

fn table(name: &str, columns: &[&str]) -> Table {
    let column = |name: &&str| TableColumn {
        name: (*name).to_owned(),
        kind: "text".to_owned(),
        is_generated: false,
        form: Form::Text,
        default: None,
    };
    Table {
        schema: None,
        name: name.to_owned(),
        columns: columns.iter().map(column).collect(),
        key: Vec::new(),
        children: Vec::new(),
        rows_estimate: None,
        references: Vec::new(),
        has_triggers: false,
        holds_rows: true,
        create: Vec::new(),
        complete: Vec::new(),
        connect: Vec::new(),
        counters: Vec::new(),
    }
}

/// `0` and so on are places; columns are separated by spaces.
fn edge(dependent: usize, on: usize, columns: Option<&str>, bond: Bond, column_bond: Bond) -> Dependency {
    Dependency {
        dependent,
        dependent_column: None,
        on,
        columns: columns.map(|columns| columns.split(' ').map(str::to_owned).collect()),
        takes_all: false,
        bond,
        column_bond,
    }
}

/// Tables `t` and `child`, a view in another schema on `t.a`, a view on that, an index, and the foreign key of the child.
fn postgres() -> Dependencies {
    use Bond::GoesAlong;
    use Bond::Refuses;
    let public = Some("public");
    Dependencies {
        entities: vec![
            entity(EntityKind::Table, public, None, "t"),
            entity(EntityKind::View, Some("Other"), None, "v"),
            entity(EntityKind::View, public, None, "w"),
            entity(EntityKind::Index, public, Some("t"), "by_a"),
            entity(EntityKind::Table, public, None, "child"),
            entity(EntityKind::ForeignKey, public, Some("child"), "fk"),
            entity(EntityKind::Trigger, public, Some("t"), "told"),
            entity(EntityKind::Table, Some("Other"), None, "t"),
        ],
        edges: vec![
            edge(1, 0, Some("a"), Refuses, Refuses),
            edge(2, 1, Some("a"), Refuses, Refuses),
            edge(3, 0, Some("a"), GoesAlong, GoesAlong),
            edge(3, 0, Some("b"), GoesAlong, GoesAlong),
            edge(5, 0, Some("id"), Refuses, Refuses),
            edge(5, 4, None, GoesAlong, GoesAlong),
            edge(6, 0, None, GoesAlong, GoesAlong),
        ],
        unknown: Vec::new(),
    }
}

fn sqlite() -> Dependencies {
    use Bond::Breaks;
    use Bond::GoesAlong;
    use Bond::MayRefuse;
    use Bond::Refuses;
    let mut through_all = edge(2, 1, Some("x"), Breaks, Refuses);
    through_all.takes_all = true;
    Dependencies {
        entities: vec![
            entity(EntityKind::Table, None, None, "T"),
            entity(EntityKind::View, None, None, "v"),
            entity(EntityKind::View, None, None, "w"),
            entity(EntityKind::Trigger, None, Some("T"), "told"),
            entity(EntityKind::Table, None, None, "u"),
            entity(EntityKind::View, None, None, "both"),
            entity(EntityKind::View, None, None, "on_w"),
        ],
        edges: vec![
            edge(1, 0, Some("email v"), Breaks, Refuses),
            through_all,
            edge(3, 0, Some("new"), GoesAlong, MayRefuse),
            edge(5, 0, Some("name id"), Breaks, Refuses),
            edge(5, 4, Some("name id"), Breaks, Refuses),
            edge(6, 2, Some("email"), Breaks, Refuses),
        ],
        unknown: Vec::new(),
    }
}

/// The fates of what depends, a line each.
fn fates(found: &Dependencies, dialect: Dialect, statements: &[&str]) -> Vec<String> {
    let planned: Vec<Planned<'_>> = statements
        .iter()
        .enumerate()
        .map(|(index, text)| Planned { revision: "a1", statement: index + 1, text })
        .collect();
    let tables = [table("T", &["id", "name", "email"]), table("u", &["id", "name"])];
    let schema = (dialect != Dialect::Sqlite).then_some("public");
    let scene = Scene { found, tables: &tables, dialect, schema, keys_act: dialect != Dialect::Sqlite };
    let line = |report: DependentReport| format!("{} {:?} {}", report.statement, report.fate, report.message);
    follow(&planned, scene).into_iter().map(line).collect()
}

#[test]
fn what_keeps_a_table_from_being_dropped_is_told_with_its_schema() {
    let on = |statements: &[&str]| fates(&postgres(), Dialect::Postgres, statements);
    assert_eq!(
        on(&["DROP TABLE t"]),
        [
            "1 Refuses view `Other.v` keeps `t` from being dropped",
            "1 Refuses foreign key `child.fk` keeps `t` from being dropped",
            "1 GoesAlong trigger `t.told` is dropped along with `t`",
            "1 Refuses view `w` keeps `t` from being dropped, because of view `Other.v`",
        ]
    );
    assert_eq!(on(&["DROP TABLE \"Other\".t"]), [""; 0], "another table of that name");
    assert_eq!(on(&["DROP TABLE tt", "DROP TABLE \"T\""]), [""; 0]);
}

#[test]
fn what_the_plan_drops_itself_is_told_apart() {
    let on = |statements: &[&str]| fates(&postgres(), Dialect::Postgres, statements);
    assert_eq!(
        on(&["DROP VIEW w, \"Other\".v", "ALTER TABLE child DROP CONSTRAINT fk", "DROP TABLE t"]),
        [
            "3 DroppedBefore view `Other.v` is dropped before, by `a1` statement 1",
            "3 DroppedBefore foreign key `child.fk` is dropped before, by `a1` statement 2",
            "3 GoesAlong trigger `t.told` is dropped along with `t`",
        ]
    );
    let cascade = on(&["DROP TABLE t CASCADE", "DROP TABLE child"]);
    assert_eq!(cascade.iter().filter(|line| line.starts_with("1 Cascade")).count(), 3, "{cascade:?}");
    // In the same statement, and too late.
    let together = on(&["DROP TABLE child, t", "DROP VIEW \"Other\".v"]);
    assert_eq!(together.iter().filter(|line| line.contains("foreign key")).count(), 0, "{together:?}");
    let parent_first = on(&["DROP TABLE t, child"]);
    assert_eq!(parent_first.iter().filter(|line| line.contains("foreign key")).count(), 0, "{parent_first:?}");
    assert!(together[0].ends_with("keeps `t` from being dropped; `a1` statement 2 drops it too late"), "{together:?}");
}

#[test]
fn a_column_is_not_the_whole_table() {
    let on = |statements: &[&str]| fates(&postgres(), Dialect::Postgres, statements);
    assert_eq!(on(&["ALTER TABLE t DROP COLUMN b"]), ["1 GoesAlong index `by_a` is dropped along with `t.b`"]);
    assert_eq!(
        on(&["ALTER TABLE t RENAME a TO z", "ALTER TABLE t ALTER z TYPE int"]),
        ["2 Refuses view `Other.v` keeps `t.z` from getting another type"]
    );
    assert_eq!(on(&["TRUNCATE t"]), ["1 Refuses foreign key `child.fk` keeps `t` from being emptied"]);
    assert_eq!(on(&["TRUNCATE t, child"]), [""; 0]);
}

#[test]
fn after_what_nobody_understands_nothing_is_sure() {
    let on = |statements: &[&str]| fates(&postgres(), Dialect::Postgres, statements);
    let doubt = on(&["DO $$ BEGIN DROP VIEW \"Other\".v; END $$", "ALTER TABLE t DROP COLUMN a"]);
    assert!(doubt[0].starts_with("2 MayRefuse view `Other.v` may keep"), "{doubt:?}");
    let changed = on(&["CREATE OR REPLACE VIEW \"Other\".v AS SELECT 1", "ALTER TABLE t DROP COLUMN a"]);
    assert!(changed[0].starts_with("2 MayRefuse"), "{changed:?}");
    let planned = Planned { revision: "a1", statement: 1, text: "DO $$ BEGIN NULL; END $$" };
    assert_eq!(unseen(&[planned], Dialect::Postgres).len(), 1);
}

#[test]
fn sqlite_leaves_views_behind_and_then_changes_nothing() {
    let on = |statements: &[&str]| fates(&sqlite(), Dialect::Sqlite, statements);
    assert_eq!(
        on(&["DROP TABLE t"]),
        [
            "1 Breaks view `v` stays behind broken: it needs `t`",
            "1 GoesAlong trigger `T.told` is dropped along with `t`",
            "1 Breaks view `both` stays behind broken: it needs `t`",
            "1 Breaks view `w` stays behind broken: it needs `t`, because of view `v`",
            "1 Breaks view `on_w` stays behind broken: it needs `t`, because of view `w`",
        ]
    );
    let later = on(&["DROP TABLE t", "DROP VIEW both", "ALTER TABLE u RENAME TO x"]);
    assert!(
        later.contains(&"1 DroppedLater view `both` is dropped as well, by `a1` statement 2".to_owned()),
        "{later:?}"
    );
    let refusing: Vec<&String> = later.iter().filter(|line| line.starts_with("3 Refuses")).collect();
    assert_eq!(
        refusing,
        ["3 Refuses view `v` needs `T`, which is gone by then, and SQLite changes no table while that is so"]
    );
    // The same name again, by a new table.
    let anew = on(&["DROP TABLE t", "CREATE TABLE t (id INT)", "ALTER TABLE u ADD COLUMN y"]);
    assert_eq!(anew.iter().filter(|line| line.starts_with("1 Restored")).count(), 4, "{anew:?}");
    assert!(!anew.iter().any(|line| line.starts_with('3')), "{anew:?}");
}

#[test]
fn a_column_of_sqlite_is_held_by_views_that_name_it() {
    let on = |statements: &[&str]| fates(&sqlite(), Dialect::Sqlite, statements);
    assert_eq!(on(&["ALTER TABLE t DROP COLUMN email"]), ["1 Refuses view `v` keeps `t.email` from being dropped",]);
    assert_eq!(
        on(&["ALTER TABLE t DROP COLUMN name"]),
        ["1 MayRefuse view `both` may keep `t.name` from being dropped"],
        "the other table has a column of that name"
    );
    assert_eq!(on(&["ALTER TABLE t DROP COLUMN unused"]), [""; 0]);
}
