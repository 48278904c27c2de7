//! Rows out of a database and into one.

#[path = "../contents/mod.rs"]
mod shared;

use runner_database::*;

use self::shared::*;
use crate::support::*;

const EVERY_TYPE: &str = r#"
    CREATE TABLE `every ``type` (
        id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        tiny tinyint, small smallint unsigned, medium mediumint, whole int, big bigint unsigned, exact decimal(65,30), single float, twice double,
        flag bit(1), flags bit(64), day date, moment datetime(6), stamp timestamp(6) NULL, hour time(6), anno year,
        fixed char(5), short varchar(10) CHARACTER SET latin1, long_text longtext CHARACTER SET utf8mb4, old text CHARACTER SET ucs2,
        fixed_bytes binary(4), short_bytes varbinary(10), bytes longblob, choice enum('a','it''s'), choices set('x','y','z'), document json,
        place point, shape geometry, twice_whole int GENERATED ALWAYS AS (whole * 2) STORED, more int GENERATED ALWAYS AS (tiny + 1) VIRTUAL,
        touched timestamp NULL DEFAULT NULL ON UPDATE current_timestamp(),
        KEY by_day (day)
    ) DEFAULT CHARSET=utf8mb4 COMMENT='it''s';
    SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';
    INSERT INTO `every ``type` (tiny, small, medium, whole, big, exact, single, twice, flag, flags, day, moment, stamp, hour, anno, fixed, short, long_text, old, fixed_bytes, short_bytes, bytes, choice, choices, document, place, shape) VALUES
    (-128, 65535, -8388608, 2147483647, 18446744073709551615, 99999999999999999999999999999999999.999999999999999999999999999999, 1.17549e-38, 2.2250738585072014e-308, b'1', 0xffffffffffffffff,
     '0000-00-00', '9999-12-31 23:59:59.999999', '2026-10-25 01:30:00.000001', '-838:59:59.000000', 2155, 'a', 'äÿ', 'tab\tline\n\r\\ \0 \' \" é 漢 🦀', 'ю', 0x0001ff5c, '', 0x00ff0a5c27, 'it\'s', 'x,z', '{"b": [1, null, "\\u0041"]}',
     POINT(1.5, -2), ST_GeomFromText('LINESTRING(0 0,1 1)', 0)),
    (NULL, NULL, NULL, NULL, NULL, -0.000000000000000000000000000001, 0.1, 0.1, b'0', b'101', '2026-02-31', '0000-00-00 00:00:00', NULL, '00:00:00', 0, '', '', '\\N', '', NULL, NULL, '', 'a', '', NULL, NULL, NULL),
    (1, 2, 3, 4, 5, 6, 16777217, -1.7976931348623157e308, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, REPEAT('x', 300000), NULL, NULL, NULL, REPEAT(0xab, 2000000), NULL, NULL, 'null', NULL, NULL);
    UPDATE `every ``type` SET single = 3.4028234e38, twice = -0e0 WHERE id = 2;
"#;

/// Everything of a table in a form that loses nothing.
const DIGEST: &str = "SELECT MD5(GROUP_CONCAT(CONCAT_WS('|', id, tiny, small, medium, whole, big, exact, HEX(single * 1e0), HEX(twice), twice, HEX(flag), HEX(flags), day, moment, stamp, hour, anno, \
     HEX(fixed), HEX(short), MD5(long_text), HEX(old), HEX(fixed_bytes), HEX(short_bytes), MD5(bytes), choice, choices, document, HEX(place), HEX(shape), twice_whole, more, touched) ORDER BY id)) FROM `every ``type`";

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let (source, target) = (Target::new(), Target::new());
    source.sql(EVERY_TYPE);
    let mut session = source.read().await;
    let it = table(&mut session, "every `type").await;
    assert_eq!(it.key, ["id"]);
    assert_eq!(it.columns.iter().filter(|column| column.is_generated).count(), 2);
    let saved = rows(&mut session, &it).await;
    let mut other = target.locked().await;
    make(&mut other, &it, &saved).await;
    let made = tables(&mut other).await;
    assert_eq!(made[0].create, it.create);
    assert_eq!(text(&rows(&mut other, &made[0]).await), text(&saved));
    session.close().await.unwrap();
    other.close().await.unwrap();
    assert_eq!(source.one(DIGEST).len(), 32);
    assert_eq!(target.one(DIGEST), source.one(DIGEST));
}

#[tokio::test]
async fn triggers_and_foreign_keys_do_not_act_on_what_is_put_back() {
    let target = Target::new();
    for sql in [
        "CREATE TABLE log (what text)",
        "CREATE TABLE parent (id int PRIMARY KEY, name text)",
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int, FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE)",
        "CREATE TRIGGER noted AFTER INSERT ON parent FOR EACH ROW BEGIN INSERT INTO log VALUES (NEW.name); END",
        "INSERT INTO parent VALUES (1, 'one'), (2, 'two')",
        "INSERT INTO child VALUES (10, 1)",
        "TRUNCATE log",
    ] {
        target.sql(sql);
    }
    let mut session = target.locked().await;
    let parent = table(&mut session, "parent").await;
    let saved = rows(&mut session, &parent).await;
    replace(&mut session, &parent, &saved).await;
    let counts = "SELECT CONCAT_WS(' ', (SELECT COUNT(*) FROM log), (SELECT COUNT(*) FROM child), (SELECT COUNT(*) FROM parent))";
    assert_eq!(target.one(counts), "0 1 2");
    target.sql("INSERT INTO parent VALUES (3, 'three')");
    assert_eq!(target.one(counts), "1 1 3");
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_column_comes_back_into_the_rows_that_are_there() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a int, b varchar(5), c text, d int, e timestamp NULL DEFAULT NULL ON UPDATE current_timestamp(), PRIMARY KEY (b, a))");
    target.sql("INSERT INTO t (a, b, c, d) VALUES (1, 'x', 'one', 1), (2, 'y', NULL, 2), (3, 'z', 'a\\tb', 3)");
    let mut session = target.locked().await;
    let it = table(&mut session, "t").await;
    let saved = columns(&it, &["b", "a", "c"]);
    let lines = part(&mut session, &it, &saved).await;
    target.sql("UPDATE t SET c = 'lost', d = d * 10, e = '2020-01-01 00:00:00'");
    target.sql("DELETE FROM t WHERE a = 2");
    let mut loading = session.load(&[&it]).await.unwrap();
    let key = ["b".to_owned(), "a".to_owned()];
    loading
        .rows(Rows { table: &it, columns: &saved }, Placing::Update { key: &key }, &mut Given::all(&lines))
        .await
        .unwrap();
    loading.commit(None, &VersionChange::default()).await.unwrap();
    session.close().await.unwrap();
    let all = target.database.query("SELECT CONCAT_WS('|', a, b, c, d, YEAR(e)) FROM t ORDER BY a");
    assert_eq!(all, ["1|x|one|10|2020", "3|z|a\tb|30|2020"]);
}

#[tokio::test]
async fn rows_that_end_early_or_are_wrong_leave_nothing() {
    let target = Target::new();
    target.sql("CREATE TABLE t (a int PRIMARY KEY, b blob)");
    target.sql("INSERT INTO t VALUES (1, '')");
    target.sql("CREATE TRIGGER kept AFTER INSERT ON t FOR EACH ROW SET @x = 1");
    let mut session = target.locked().await;
    let it = table(&mut session, "t").await;
    let columns: Vec<TableColumn> = it.stored().cloned().collect();
    let cases = [
        ("2\t00\n", true, "did not travel"),
        ("2\tzz\n", false, "a value is not hexadecimal"),
        ("2\n", false, "1 fields instead of 2"),
        ("2\t00\n1\t00\n", false, "Duplicate entry"),
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
    assert_eq!(target.one("SELECT COUNT(*) FROM t"), "1");
    assert_eq!(target.one("SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()"), "1");
}
