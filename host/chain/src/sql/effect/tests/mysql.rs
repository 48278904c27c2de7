//! MySQL and MariaDB.

use super::check;
use crate::dialect::Dialect;

#[test]
fn dropped_and_created() {
    check(
        Dialect::Mysql,
        &[
            ("DROP TABLES `a``b`, db.`drop` CASCADE", "drop a`b; drop db.drop"),
            ("DROP TABLE IF EXISTS a WAIT 5", "drop a"),
            ("DROP TABLE \"a\"", "drop a"),
            ("DROP TABLE 2a", "drop 2a"),
            ("DROP TABLE a.b.c", "?"),
            ("DROP TEMPORARY TABLE a", ""),
            ("DROP DATABASE IF EXISTS a", "drop schema a cascade"),
            ("DROP SCHEMA a", "drop schema a cascade"),
            ("DROP SEQUENCE a", "drop sequence a"),
            ("DROP EVENT a", ""),
            ("TRUNCATE TABLE a NOWAIT", "truncate a"),
            ("TRUNCATE a, b", "truncate a; ?"),
            ("CREATE OR REPLACE TABLE a (b int)", "drop a; create a"),
            ("CREATE OR REPLACE TEMPORARY TABLE a (b int)", "create a temporary"),
            ("CREATE OR REPLACE VIEW a AS SELECT 1", ""),
            ("CREATE OR REPLACE DATABASE a", "drop schema a cascade"),
            ("CREATE OR REPLACE SEQUENCE a", "drop sequence a"),
            ("CREATE TABLE a (b int) ENGINE=InnoDB SELECT wipe(1)", "create a; ?"),
            ("CREATE TABLE a (b int, KEY c (b)) ENGINE=InnoDB PARTITION BY HASH (b) PARTITIONS 4", "create a"),
            ("CREATE TABLE a LIKE b", "create a"),
            ("CREATE DEFINER=`a`@`%` TRIGGER b BEFORE INSERT ON c FOR EACH ROW DELETE FROM d", ""),
            ("CREATE ALGORITHM=MERGE DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW a AS SELECT 1", ""),
            ("CREATE DEFINER = a EVENT b ON SCHEDULE AT CURRENT_TIMESTAMP DO DELETE FROM c", "?"),
            ("CREATE PROCEDURE a() BEGIN DELETE FROM b; DROP TABLE c; END", ""),
            ("DELIMITER //\nCREATE PROCEDURE a() BEGIN DELETE FROM b; END; DROP TABLE c //", "drop c"),
        ],
    );
}

#[test]
fn altered_tables() {
    check(
        Dialect::Mysql,
        &[
            (
                "ALTER TABLE a DROP COLUMN IF EXISTS b, DROP INDEX c, DROP PRIMARY KEY, DROP FOREIGN KEY d, DROP CHECK e",
                "drop a/b",
            ),
            ("ALTER TABLE a DROP `index`, DROP `primary`", "drop a/index; drop a/primary"),
            ("ALTER TABLE a DROP period, DROP system", "drop a/period; drop a/system"),
            ("ALTER TABLE a DROP SYSTEM VERSIONING", "?"),
            (
                "ALTER TABLE a MODIFY COLUMN b varchar(20) CHARACTER SET latin1 NOT NULL DEFAULT 'x' AFTER c",
                "type a/b varchar(20) CHARACTER SET latin1",
            ),
            ("ALTER TABLE a MODIFY b int(10) unsigned zerofill", "type a/b int(10) unsigned zerofill"),
            ("ALTER TABLE a MODIFY b double precision", "type a/b double precision"),
            ("ALTER TABLE a CHANGE b c enum('x','y'), ADD COLUMN d int", "type a/b enum('x','y'); rename a/b c"),
            ("ALTER TABLE a CHANGE b b int", "type a/b int"),
            ("ALTER TABLE a RENAME TO c.d, DROP COLUMN b", "drop a/b; rename a c.d"),
            ("ALTER TABLE a RENAME b", "rename a b"),
            ("ALTER TABLE a RENAME = b", "rename a b"),
            ("ALTER TABLE a RENAME INDEX b TO c, RENAME KEY d TO e", ""),
            ("ALTER TABLE a RENAME COLUMN b TO c, RENAME COLUMN c TO b", "?; rename a/b c; rename a/c b"),
            ("ALTER TABLE a ALTER COLUMN b SET DEFAULT 1, ALTER c DROP DEFAULT, ALTER INDEX d INVISIBLE", ""),
            ("ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ""),
            ("ALTER TABLE a CONVERT TO CHARACTER SET latin1", "?"),
            ("ALTER TABLE a ENGINE=InnoDB ROW_FORMAT=DYNAMIC, AUTO_INCREMENT=1, COMMENT='DROP TABLE b'", ""),
            ("ALTER TABLE a COMMENT 'x' ENGINE = BLACKHOLE", "?"),
            ("ALTER TABLE a ADD COLUMN engine int, DROP COLUMN engine", "drop a/engine"),
            ("ALTER TABLE a ORDER BY b DESC, c", ""),
            ("ALTER TABLE a ALGORITHM=INPLACE, LOCK=NONE, ADD INDEX b (c), DROP COLUMN d", "drop a/d"),
            ("ALTER TABLE a DROP PARTITION p0, p1", "delete a"),
            ("ALTER TABLE a TRUNCATE PARTITION ALL", "delete a"),
            ("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b.c", "delete a; delete b.c"),
            ("ALTER TABLE a REORGANIZE PARTITION p, q INTO (PARTITION r VALUES LESS THAN (5))", ""),
            ("ALTER TABLE a CONVERT PARTITION p TO TABLE b", "?"),
            ("ALTER TABLE a DISCARD TABLESPACE", "truncate a"),
            ("ALTER TABLE a IMPORT TABLESPACE", "?"),
            ("ALTER TABLE a DISABLE KEYS", ""),
            ("ALTER IGNORE TABLE a ADD UNIQUE (b)", "delete a"),
            ("ALTER TABLE IF EXISTS a WAIT 5 DROP b", "drop a/b"),
            ("ALTER TABLE a REMOVE PARTITIONING", ""),
            ("ALTER DATABASE a CHARACTER SET utf8mb4", ""),
            ("ALTER SEQUENCE a RESTART 5", "sequence a"),
            ("ALTER EVENT a ENABLE", "?"),
            ("RENAME TABLE a TO b, `c` TO d.e", "rename a b; rename c d.e"),
            ("RENAME TABLE a TO b, b TO a", "rename a b; rename b a"),
            ("RENAME USER a TO b", ""),
        ],
    );
}

#[test]
fn rows() {
    check(
        Dialect::Mysql,
        &[
            ("DELETE LOW_PRIORITY QUICK IGNORE FROM a PARTITION (p) AS b WHERE c ORDER BY d LIMIT 1", "delete a"),
            ("DELETE x, b.* FROM a AS x JOIN b ON x.c = b.c WHERE d", "delete a; delete b"),
            ("DELETE FROM x, s.b USING a x, s.b WHERE c", "delete a; delete s.b"),
            ("DELETE x FROM a AS y", "?"),
            ("DELETE a FROM a JOIN (SELECT 1 AS b) c ON a.b = c.b LEFT JOIN d USING (b)", "delete a"),
            ("DELETE HISTORY FROM a", "?"),
            ("DELETE FROM `delete`", "delete delete"),
            ("UPDATE IGNORE a AS x SET x.b = 1, c = 2 ORDER BY d", "update a/b,c"),
            ("UPDATE s.a SET s.a.b = 1", "update s.a/b"),
            ("UPDATE a x JOIN s.b y ON x.c = y.c SET x.d = y.d, y.e = 1 WHERE f", "update a/d; update s.b/e"),
            ("UPDATE a, b SET c = 1", "update a/c; update b/c"),
            ("UPDATE a JOIN (SELECT 1) b SET a.c = 1", "update a/c"),
            ("UPDATE (a JOIN b) SET c = 1", "?"),
            ("UPDATE a SET z.c = 1", "?"),
            ("WITH a AS (SELECT 1 AS b) UPDATE c JOIN a ON c.b = a.b SET c.d = 1", "update c/d"),
            ("REPLACE LOW_PRIORITY a (b) VALUES (1)", "delete a"),
            ("INSERT IGNORE a SET b = 1", ""),
            ("INSERT INTO a (b) VALUES (1) AS n ON DUPLICATE KEY UPDATE a.b = n.b, c = VALUES(c)", "update a/b,c"),
            ("INSERT INTO a VALUE (1, 'x;''y', \"z\\\"(\", insert(1, 2, 3, 4))", ""),
            ("INSERT INTO a SELECT other.wipe(1)", "?"),
            ("LOAD DATA INFILE 'x' REPLACE INTO TABLE a FIELDS TERMINATED BY ','", "delete a"),
            ("LOAD DATA INFILE 'x' INTO TABLE a (b, @c) SET d = upper(@c)", ""),
            ("ANALYZE FORMAT=JSON DELETE FROM a", "delete a"),
            ("ANALYZE LOCAL TABLE a", ""),
            ("EXPLAIN ANALYZE SELECT wipe(1)", "?"),
            ("EXPLAIN FORMAT=TREE DELETE FROM a", ""),
            ("SET STATEMENT max_statement_time = 1 FOR DELETE FROM a", "delete a"),
        ],
    );
}

#[test]
fn comments_that_are_run() {
    check(
        Dialect::Mysql,
        &[
            ("/*!40000 ALTER TABLE a DISABLE KEYS */", ""),
            ("/*!50001 DROP TABLE a */", "drop a"),
            ("DROP TABLE a /*! , b */", "drop a; drop b"),
            ("DROP TABLE a /*!80000 , b */", "drop a; drop b"),
            ("DELETE /*!99999 FROM x WHERE */ FROM y", "delete y; delete x"),
            (
                "/*!50003 CREATE*/ /*!50020 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON c FOR EACH ROW DELETE FROM d */",
                "",
            ),
            ("/*M!100100 DROP TABLE a */", "drop a"),
            ("DROP /*!80000 VIEW */ /*M! TABLE */ a", "?; drop a"),
            ("SELECT /*! 1 /* x */ */", "?"),
            ("SELECT /*+ BKA(a) */ 1", ""),
            ("SELECT /*!123 1 */ 1", "?"),
            (
                "SELECT 1 /*!80001 a */ /*!80002 a */ /*!80003 a */ /*!80004 a */ /*!80005 a */ /*!80006 a */ /*!80007 a */ /*!80011 a */",
                "?",
            ),
            ("SET @a = 1 /* DROP TABLE b */ # DROP TABLE c", ""),
        ],
    );
}

#[test]
fn the_rest() {
    check(
        Dialect::Mysql,
        &[
            (
                "SELECT IF(a, 1, 2), `left`(b, 1), DATE_ADD(c, INTERVAL 1 DAY) FROM d USE INDEX (e) WHERE MATCH (f) AGAINST ('g')",
                "",
            ),
            ("SELECT wipe (1)", "?"),
            ("SELECT NEXTVAL(s.q), NEXT VALUE FOR q", "sequence s.q; sequence q"),
            ("SELECT 1 INTO @a", ""),
            ("DO wipe()", "?"),
            ("CALL a", "?"),
            ("EXECUTE IMMEDIATE 'DROP TABLE a'", "?"),
            ("USE a", "?"),
            ("BEGIN NOT ATOMIC DELETE FROM a; END", "?"),
            ("IF 1 THEN DROP TABLE a; END IF", "?"),
            ("SET FOREIGN_KEY_CHECKS = 0", ""),
            ("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", ""),
            ("SET @@SESSION.sql_mode = 'ANSI_QUOTES'", "?"),
            ("SET @a = wipe(1)", "?"),
            ("FLUSH TABLES", ""),
            ("OPTIMIZE TABLE a", ""),
            ("REPAIR TABLE a", "?"),
            ("PURGE BINARY LOGS TO 'x'", "?"),
            ("LOCK TABLES a WRITE", ""),
            ("SHOW TABLES", ""),
        ],
    );
}
