//! What holds for any text.

use proptest::prelude::*;

use super::{check, effects};
use crate::dialect::Dialect;
use crate::sql::{Effect, destroys};

#[test]
fn what_all_dialects_share() {
    for dialect in Dialect::ALL {
        check(
            dialect,
            &[
                ("", ""),
                (" -- nothing\n ; ;", ""),
                ("DROP TABLE a", "drop a"),
                ("drop/* x */table -- y\n IF exists s.a;", "drop s.a"),
                ("DROP TABLE", "?"),
                ("DROP TABLE a b", "drop a; ?"),
                ("DROP a", "?"),
                ("DROP VIEW a", ""),
                ("DROP INDEX a", ""),
                ("DROP TRIGGER a", ""),
                ("DELETE FROM a WHERE b = 'DROP TABLE c'", "delete a"),
                ("DELETE a.b.c.d", "?"),
                ("UPDATE a SET b = 1, c = (SELECT max(d) FROM e) WHERE f = 2", "update a/b,c"),
                ("INSERT INTO a (b) VALUES (1), ('DELETE FROM c')", ""),
                ("INSERT INTO a SELECT * FROM b", ""),
                ("ALTER TABLE a ADD COLUMN b varchar(20) DEFAULT 'x'", ""),
                ("ALTER TABLE a DROP COLUMN b", "drop a/b"),
                ("ALTER TABLE a DROP b", "drop a/b"),
                ("ALTER TABLE s.a RENAME COLUMN b TO c", "rename s.a/b c"),
                ("ALTER TABLE a RENAME TO b", "rename a b"),
                ("ALTER TABLE a EXPLODE", "?"),
                ("ALTER TABLE a", if dialect == Dialect::Mysql { "" } else { "?" }),
                ("CREATE TABLE a (drop_table int, \"delete\" int)", "create a"),
                ("CREATE TABLE IF NOT EXISTS s.a (b int)", "create s.a if missing"),
                ("CREATE TEMPORARY TABLE a (b int)", "create a temporary"),
                ("CREATE TABLE a AS SELECT count(*) FROM b", "create a"),
                ("CREATE TABLE a AS SELECT f(b) FROM b", "create a; ?"),
                ("CREATE UNIQUE INDEX a ON b (lower(c))", ""),
                ("CREATE VIEW a AS SELECT b FROM c", ""),
                ("CREATE NONSENSE a", "?"),
                ("SELECT 1", ""),
                ("SELECT count(*), max(a) FROM b WHERE c IN (1, 2) AND (d = 3 OR NOT (e))", ""),
                ("SELECT wipe(a) FROM b", "?"),
                ("SELECT x.lower(a) FROM b", "?"),
                ("VALUES (1, 2)", ""),
                ("WITH a (b) AS (SELECT 1), c AS (SELECT 2) SELECT * FROM a, c", ""),
                ("WITH a AS (SELECT 1) DELETE FROM b WHERE c IN (SELECT * FROM a)", "delete b"),
                ("WITH RECURSIVE a (b) AS (SELECT 1 UNION ALL SELECT b + 1 FROM a) UPDATE c SET d = 1", "update c/d"),
                ("WITH nonsense", "?"),
                ("EXPLAIN DELETE FROM a", ""),
                ("BEGIN", ""),
                ("ROLLBACK TO SAVEPOINT a", ""),
                ("COMMIT", ""),
                ("FROBNICATE a", "?"),
                ("SELECT (1", "?"),
                ("SELECT 'a", "?"),
                ("DROP VIEW a; DROP TABLE b", "drop b"),
            ],
        );
    }
}

#[test]
fn doubt_destroys_and_names_do_not() {
    assert!(destroys(&effects("FROBNICATE", Dialect::Postgres)));
    assert!(destroys(&effects("DROP SCHEMA a CASCADE", Dialect::Postgres)));
    assert!(!destroys(&effects("DROP SCHEMA a", Dialect::Postgres)));
    assert!(!destroys(&effects("ALTER TABLE a RENAME TO b", Dialect::Sqlite)));
    assert!(!destroys(&effects("CREATE TABLE a (b int)", Dialect::Mysql)));
}

#[test]
fn a_doubt_says_why() {
    let why = |sql, dialect| match effects(sql, dialect).as_slice() {
        [Effect::Opaque { why }] => why.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(why("do $$ BEGIN END $$", Dialect::Postgres), "`DO` runs code that is not looked into");
    assert_eq!(why("alter table a explode", Dialect::Sqlite), "`ALTER TABLE …` is not understood");
    assert_eq!(
        why("SELECT a . wipe (b)", Dialect::Mysql),
        "it calls the function `a . wipe`, which may change anything"
    );
    assert_eq!(why("SELECT f(1), f(2)", Dialect::Sqlite), "it calls the function `f`, which may change anything");
}

#[test]
fn what_is_deep_or_long_takes_little() {
    for dialect in Dialect::ALL {
        for piece in ["(", "(SELECT ", "WITH a AS (", "(DELETE FROM a WHERE ", "f(", "WITH a AS (b) ", "a.", "EXPLAIN "]
        {
            let sql = piece.repeat(2_000);
            let _ = effects(&sql, dialect);
            let _ = effects(&format!("SELECT {sql}1{}", ")".repeat(2_000)), dialect);
        }
        let _ = effects(&format!("UPDATE a SET {}", "b = f(1), ".repeat(2_000)), dialect);
        let _ = effects(&format!("ALTER TABLE a {}", "DROP COLUMN b, ".repeat(2_000)), dialect);
        let _ = effects(&"/*!50000 a */ ".repeat(2_000), dialect);
    }
}

/// Pieces that statements are made of.
const PIECES: &str = "(DROP |TABLE |ALTER |COLUMN |DELETE |FROM |UPDATE |SET |INSERT |INTO |WITH |AS |SELECT |MERGE |RENAME \
    |TO |TRUNCATE |CREATE |REPLACE |EXPLAIN |ANALYZE |TYPE |USING |ON |DO |CONFLICT |DUPLICATE |KEY |MODIFY |CHANGE |PARTITION \
    |setval|nextval|pg_get_serial_sequence|COPY |SCHEMA |SEQUENCE |PRAGMA |LOAD |DATA |ONLY |RESTART |JOIN |DISTINCT |ORDER BY \
    |DELIMITER |ENGINE|=|a|b\\.|\\(|\\)|,|;|\\*|'|\"|`|\\[|\\]|\\$\\$|/\\*!50100 |/\\*M!|\\*/|-- |\n|1 |é|\\.|:|E'|U&)";

proptest! {
    #[test]
    fn no_text_is_too_much(sql in "\\PC{0,60}") {
        for dialect in Dialect::ALL {
            let _ = effects(&sql, dialect);
        }
    }

    #[test]
    fn no_mixture_of_words_is_too_much(sql in PIECES) {
        for dialect in Dialect::ALL {
            let _ = effects(&sql, dialect);
        }
    }

    #[test]
    fn comments_and_case_change_nothing(gap in "( |\n|/\\* x \\*/|-- y\n){1,3}") {
        for (sql, dialect) in [
            ("drop table if exists a . b , c", Dialect::Postgres),
            ("alter table a drop column b , alter column c type int", Dialect::Postgres),
            ("delete from a using a join b on a . c = b . c", Dialect::Mysql),
            ("update or replace a set b = 1 where c = 2", Dialect::Sqlite),
        ] {
            let expected = effects(sql, dialect);
            prop_assert!(!expected.is_empty());
            let spaced = sql.replace(' ', &format!(" {gap} "));
            prop_assert_eq!(effects(&spaced, dialect), expected.clone());
            for keyword in ["drop", "alter", "delete", "update", "table", "type", "join"] {
                let loud = sql.replace(&format!("{keyword} "), &format!("{} ", keyword.to_uppercase()));
                prop_assert_eq!(effects(&loud, dialect), expected.clone());
            }
        }
    }
}
