//! Rows out of a database and into one.

#[path = "../contents/mod.rs"]
mod shared;

use runner_database::*;

use self::shared::*;
use crate::support::*;

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_was() {
    let (source, target) = (Target::new(), Target::new());
    source
        .sql(
            r#"CREATE TABLE "a ""b'" (id INTEGER PRIMARY KEY AUTOINCREMENT, "x ""y" ANY, t TEXT, r REAL, b BLOB, n NUMERIC, s INT AS (id * 2) STORED);
            CREATE INDEX i ON "a ""b'" (t DESC);
            INSERT INTO "a ""b'" (id, "x ""y", t, r, b, n) VALUES
            (1, 1, 'it''s' || char(9, 10, 13, 92) || 'N', 0.1, x'00ff0a', 12), (2, 1.0, '', -0.0, x'', '1e3'), (3, '1', NULL, 9e999, zeroblob(3), NULL),
            (4, x'31', 'é漢🦀', -9e999, 'text in a blob', 'text'), (5, NULL, CAST(x'610062' AS TEXT), 5e-324, NULL, -9223372036854775808),
            (6, CAST(x'ff' AS TEXT), '\N', 1.7976931348623157e308, 1, 9223372036854775807), (7, 'NULL', 'CAST(x''00'' AS TEXT)', 3, 2.5, 0.30000000000000004);
            DELETE FROM "a ""b'" WHERE id = 7; INSERT INTO "a ""b'" (t) VALUES (hex(zeroblob(100000)));
            CREATE TRIGGER later AFTER DELETE ON "a ""b'" BEGIN SELECT 1; END"#,
        )
        .await;
    let mut session = source.read().await;
    let it = table(&mut session, "a \"b'").await;
    assert_eq!((it.key.clone(), it.column("s").unwrap().is_generated), (vec!["id".to_owned()], true));
    let saved = rows(&mut session, &it).await;
    let mut other = target.locked().await;
    make(&mut other, &it, &saved).await;
    let made = tables(&mut other).await;
    assert_eq!(made, [it]);
    assert_eq!(text(&rows(&mut other, &made[0]).await), text(&saved));
    other.close().await.unwrap();
    let of = |target: &Target| {
        let file = target.file();
        let sql = r#"SELECT id, quote("x ""y"), typeof("x ""y"), hex(t), typeof(t), quote(r), quote(b), typeof(b), quote(n), typeof(n), s FROM "a ""b'""#;
        std::process::Command::new("sqlite3").arg(file).arg(sql).output().unwrap().stdout
    };
    assert!(of(&source).len() > 1000);
    assert_eq!(of(&target), of(&source));
}

#[tokio::test]
async fn triggers_do_not_act_on_what_is_put_back() {
    let target = Target::new();
    target
        .sql(
            "CREATE TABLE log (what TEXT); CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); \
             CREATE TRIGGER noted AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.b); END; \
             INSERT INTO t VALUES (1, 'one'), (2, 'two'); DELETE FROM log",
        )
        .await;
    let mut session = target.locked().await;
    let it = table(&mut session, "t").await;
    let saved = rows(&mut session, &it).await;
    replace(&mut session, &it, &saved).await;
    session.close().await.unwrap();
    assert_eq!(target.count("SELECT count(*) FROM log").await, 0);
    assert_eq!(target.count("SELECT count(*) FROM t").await, 2);
    target.sql("INSERT INTO t VALUES (3, 'three')").await;
    assert_eq!(target.count("SELECT count(*) FROM log").await, 1);
}

#[tokio::test]
async fn a_column_comes_back_into_the_rows_that_are_there() {
    let target = Target::new();
    target
        .sql("CREATE TABLE t (a INT, b TEXT, c, d INT, PRIMARY KEY (b, a)) WITHOUT ROWID; INSERT INTO t VALUES (1, 'x', 'one', 1), (2, 'y', NULL, 2), (3, 'z', x'09', 3)")
        .await;
    let mut session = target.locked().await;
    let it = table(&mut session, "t").await;
    assert_eq!(it.key, ["b", "a"]);
    let saved = columns(&it, &["b", "a", "c"]);
    let lines = part(&mut session, &it, &saved).await;
    session.close().await.unwrap();
    target.sql("UPDATE t SET c = 'lost', d = d * 10; DELETE FROM t WHERE a = 2").await;
    let mut session = target.locked().await;
    let mut loading = session.load(&[&it]).await.unwrap();
    let key = ["b".to_owned(), "a".to_owned()];
    loading
        .rows(Rows { table: &it, columns: &saved }, Placing::Update { key: &key }, &mut Given::all(&lines))
        .await
        .unwrap();
    loading.commit(None, &VersionChange::default()).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(target.count("SELECT count(*) FROM t WHERE (a, c, d) IN ((1, 'one', 10), (3, x'09', 30))").await, 2);
}

#[tokio::test]
async fn keys_that_may_be_null_are_none() {
    let target = Target::new();
    target
        .sql(
            "CREATE TABLE a (x TEXT PRIMARY KEY); CREATE TABLE b (x TEXT PRIMARY KEY NOT NULL); CREATE TABLE c (x INT, y INT NOT NULL UNIQUE); \
             CREATE TABLE d (x INT NOT NULL); CREATE UNIQUE INDEX dx ON d (x) WHERE x > 1; CREATE TABLE e (x INT UNIQUE)",
        )
        .await;
    let mut session = target.read().await;
    let keys: Vec<String> = tables(&mut session).await.iter().map(|table| table.key.join(",")).collect();
    assert_eq!(keys, ["", "x", "y", "", ""]);
}

#[tokio::test]
async fn rows_that_end_early_or_are_wrong_leave_nothing() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)").await;
    let mut session = target.locked().await;
    let it = table(&mut session, "t").await;
    let columns: Vec<TableColumn> = it.stored().cloned().collect();
    let cases = [
        ("2\n", true, "did not travel"),
        ("2\nx\n", false, "row 2 for the table `t` can't be read"),
        ("2\n3\t4\n", false, "2 fields instead of 1"),
        ("2\n1\n", false, "UNIQUE constraint failed"),
    ];
    for (lines, stops, expected) in cases {
        let mut loading = session.load(&[&it]).await.unwrap();
        let mut given = Given::all(lines.as_bytes());
        given.stops = stops;
        let error =
            loading.rows(Rows { table: &it, columns: &columns }, Placing::Insert, &mut given).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        loading.abort().await.unwrap();
    }
    session.close().await.unwrap();
    assert_eq!(target.count("SELECT count(*) FROM t").await, 1);
}
