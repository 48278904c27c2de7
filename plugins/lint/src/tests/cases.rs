//! For each rule about statements: SQL that it finds, and SQL that it leaves alone.

use super::*;

use Dialect::Mysql;
use Dialect::Sqlite;

/// A rule on some dialects, with SQL that fires and SQL that does not. `|` parts cases.
struct Case(&'static str, &'static [Dialect], &'static str, &'static str);

const S: &[Dialect] = &[Sqlite];
const M: &[Dialect] = &[Mysql];
const B: &[Dialect] = &[Sqlite, Mysql];

const CASES: &[Case] = &[
    Case(
        "ban-drop-table",
        B,
        "DROP TABLE visit | DROP TABLE IF EXISTS visit | DROP TABLE \"visit\"",
        "CREATE TABLE v (id INTEGER PRIMARY KEY); DROP TABLE v | SELECT 'DROP TABLE visit'",
    ),
    Case(
        "ban-drop-table",
        M,
        "CREATE OR REPLACE TABLE visit (id INT PRIMARY KEY) | DROP TABLE a.visit, b CASCADE | DROP TABLE visit WAIT 5",
        "DROP TEMPORARY TABLE visit",
    ),
    Case("ban-drop-database", M, "DROP DATABASE archive | DROP SCHEMA IF EXISTS archive", "CREATE DATABASE archive"),
    Case(
        "truncate-table",
        M,
        "TRUNCATE TABLE visit | TRUNCATE visit | ALTER TABLE visit TRUNCATE PARTITION p0",
        "SELECT TRUNCATE(1.5, 1)",
    ),
    Case(
        "ban-drop-partition",
        M,
        "ALTER TABLE visit DROP PARTITION p2019",
        "ALTER TABLE visit ADD PARTITION (PARTITION p1 VALUES LESS THAN (5))",
    ),
    Case(
        "ban-drop-table",
        S,
        "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n (id) SELECT id FROM visit; DROP TABLE visit",
        "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n (id) SELECT id FROM visit; DROP TABLE visit; ALTER TABLE n RENAME TO visit",
    ),
    Case(
        "renaming-table",
        B,
        "ALTER TABLE visit RENAME TO appointment",
        "CREATE TABLE a (id INTEGER PRIMARY KEY); ALTER TABLE a RENAME TO b | ALTER TABLE visit RENAME COLUMN a TO b",
    ),
    Case(
        "renaming-table",
        M,
        "RENAME TABLE visit TO appointment, a TO b | ALTER TABLE visit RENAME appointment",
        "ALTER TABLE visit RENAME INDEX a TO b",
    ),
    Case(
        "drop-cascade",
        M,
        "DROP TABLE visit CASCADE",
        "DROP TABLE visit | ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE",
    ),
    Case(
        "ban-drop-view",
        B,
        "DROP VIEW open_visit",
        "DROP VIEW v; CREATE VIEW v AS SELECT 1 | CREATE VIEW v AS SELECT 1",
    ),
    Case("ban-drop-trigger", B, "DROP TRIGGER stock_check", "DROP TABLE trigger_log"),
    Case(
        "ban-drop-column",
        B,
        "ALTER TABLE visit DROP COLUMN notes | ALTER TABLE visit DROP notes",
        "ALTER TABLE visit ADD COLUMN a TEXT; ALTER TABLE visit DROP COLUMN a | CREATE TABLE v (a INTEGER PRIMARY KEY, b INT); ALTER TABLE v DROP COLUMN b",
    ),
    Case(
        "ban-drop-column",
        M,
        "ALTER TABLE visit ADD x INT, DROP COLUMN IF EXISTS notes",
        "ALTER TABLE visit DROP INDEX notes",
    ),
    Case(
        "renaming-column",
        B,
        "ALTER TABLE visit RENAME COLUMN notes TO remarks | ALTER TABLE visit RENAME notes TO remarks",
        "ALTER TABLE visit ADD COLUMN a TEXT; ALTER TABLE visit RENAME COLUMN a TO b",
    ),
    Case(
        "renaming-column",
        M,
        "ALTER TABLE visit CHANGE notes remarks TEXT",
        "ALTER TABLE visit CHANGE notes notes TEXT | ALTER TABLE visit MODIFY notes TEXT",
    ),
    Case(
        "changing-column-type",
        M,
        "ALTER TABLE visit MODIFY notes VARCHAR(80) | ALTER TABLE visit CHANGE a b BIGINT",
        "ALTER TABLE visit ADD a INT; ALTER TABLE visit MODIFY a BIGINT",
    ),
    Case(
        "adding-required-field",
        B,
        "ALTER TABLE visit ADD COLUMN room TEXT NOT NULL | ALTER TABLE visit ADD room INT NOT NULL DEFAULT NULL",
        "ALTER TABLE visit ADD COLUMN room TEXT | ALTER TABLE visit ADD COLUMN room INT NOT NULL DEFAULT 0 | CREATE TABLE v (id INTEGER PRIMARY KEY); ALTER TABLE v ADD a INT NOT NULL",
    ),
    Case(
        "adding-not-nullable-field",
        M,
        "ALTER TABLE visit MODIFY room VARCHAR(20) NOT NULL",
        "ALTER TABLE visit MODIFY room VARCHAR(20)",
    ),
    Case(
        "adding-not-nullable-field",
        B,
        "ALTER TABLE visit ALTER COLUMN room SET NOT NULL",
        "CREATE TABLE v (id INTEGER PRIMARY KEY NOT NULL)",
    ),
    Case(
        "ban-drop-not-null",
        B,
        "ALTER TABLE visit ALTER COLUMN room DROP NOT NULL",
        "ALTER TABLE visit ADD COLUMN room INT",
    ),
    Case(
        "adding-field-with-default",
        M,
        "ALTER TABLE visit ADD day DATE AS (DATE(started)) STORED | ALTER TABLE visit ADD id VARCHAR(36) DEFAULT (UUID())",
        "ALTER TABLE visit ADD day DATE AS (DATE(started)) VIRTUAL | ALTER TABLE visit ADD a INT DEFAULT 1 | ALTER TABLE visit ADD a DATETIME DEFAULT CURRENT_TIMESTAMP",
    ),
    Case(
        "adding-serial-primary-key-field",
        M,
        "ALTER TABLE visit ADD id BIGINT AUTO_INCREMENT PRIMARY KEY",
        "ALTER TABLE visit ADD a INT | CREATE TABLE v (id BIGINT AUTO_INCREMENT PRIMARY KEY)",
    ),
    Case(
        "adding-foreign-key-constraint",
        M,
        "ALTER TABLE visit ADD FOREIGN KEY (patient_id) REFERENCES patient (id) | ALTER TABLE visit ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES b (c)",
        "CREATE TABLE v (id INT PRIMARY KEY); ALTER TABLE v ADD FOREIGN KEY (id) REFERENCES patient (id)",
    ),
    Case(
        "ban-drop-constraint",
        M,
        "ALTER TABLE visit DROP FOREIGN KEY fk | ALTER TABLE visit DROP CONSTRAINT ck | ALTER TABLE visit DROP CHECK ck",
        "ALTER TABLE visit DROP INDEX fk",
    ),
    Case(
        "disallowed-unique-constraint",
        M,
        "ALTER TABLE visit ADD UNIQUE KEY n (number) | ALTER TABLE visit ADD CONSTRAINT n UNIQUE (number) | ALTER TABLE visit MODIFY number INT UNIQUE",
        "ALTER TABLE visit ADD KEY n (number) | ALTER TABLE visit ADD n INT, ADD UNIQUE (n) | CREATE TABLE v (n INT UNIQUE PRIMARY KEY)",
    ),
    Case(
        "unique-index-on-existing-table",
        B,
        "CREATE UNIQUE INDEX visit_number ON visit (number)",
        "CREATE INDEX visit_number ON visit (number) | CREATE TABLE v (a INTEGER PRIMARY KEY); CREATE UNIQUE INDEX i ON v (a)",
    ),
    Case(
        "adding-check-constraint",
        M,
        "ALTER TABLE visit ADD CONSTRAINT ck CHECK (minutes > 0) | ALTER TABLE visit ADD CHECK (a > 0)",
        "ALTER TABLE visit ADD CHECK (a > 0) NOT ENFORCED | CREATE TABLE v (a INT PRIMARY KEY, CHECK (a > 0))",
    ),
    Case(
        "dropping-primary-key",
        M,
        "ALTER TABLE visit DROP PRIMARY KEY, ADD PRIMARY KEY (a)",
        "ALTER TABLE visit DROP KEY a",
    ),
    Case(
        "ignored-references",
        M,
        "CREATE TABLE v (id INT PRIMARY KEY, p INT REFERENCES patient (id)) | ALTER TABLE v ADD p INT REFERENCES patient (id)",
        "CREATE TABLE v (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES patient (id))",
    ),
    Case(
        "foreign-key-cascade",
        B,
        "CREATE TABLE v (id INTEGER PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES patient (id) ON DELETE CASCADE)",
        "CREATE TABLE v (id INTEGER PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES patient (id) ON UPDATE CASCADE ON DELETE SET NULL)",
    ),
    Case("ban-drop-index", S, "DROP INDEX visit_started", "DROP INDEX i; CREATE INDEX i ON visit (a)"),
    Case(
        "ban-drop-index",
        M,
        "DROP INDEX visit_started ON visit | ALTER TABLE visit DROP KEY a",
        "ALTER TABLE visit DROP INDEX a, ADD INDEX a (b, c) | CREATE TABLE v (a INT PRIMARY KEY, KEY k (a)); DROP INDEX k ON v",
    ),
    Case(
        "ban-copy-algorithm",
        M,
        "ALTER TABLE visit ADD room INT, ALGORITHM=COPY | CREATE INDEX i ON visit (a) ALGORITHM COPY",
        "ALTER TABLE visit ADD room INT, ALGORITHM=INPLACE | ALTER TABLE visit ADD room INT",
    ),
    Case(
        "ban-lock-option",
        M,
        "ALTER TABLE visit ADD INDEX i (a), LOCK=SHARED | DROP INDEX i ON visit LOCK = EXCLUSIVE",
        "ALTER TABLE visit ADD INDEX i (a), LOCK=NONE",
    ),
    Case(
        "rewriting-table",
        M,
        "ALTER TABLE visit CONVERT TO CHARACTER SET utf8mb4 | ALTER TABLE visit ENGINE=InnoDB | ALTER TABLE visit FORCE | ALTER TABLE visit ROW_FORMAT=DYNAMIC | OPTIMIZE TABLE visit | ALTER TABLE visit PARTITION BY HASH(id) PARTITIONS 4",
        "ALTER TABLE visit COMMENT='x' | ALTER TABLE visit DEFAULT CHARSET utf8mb4 | ALTER TABLE visit ADD COLUMN a INT",
    ),
    Case(
        "blocking-index-creation",
        M,
        "CREATE FULLTEXT INDEX i ON visit (notes) | ALTER TABLE visit ADD SPATIAL INDEX i (g)",
        "CREATE INDEX i ON visit (a) WAIT 5 | CREATE TABLE v (id INT PRIMARY KEY, a TEXT, FULLTEXT KEY f (a))",
    ),
    Case(
        "prefer-online-ddl",
        M,
        "ALTER TABLE visit ADD INDEX i (a)",
        "ALTER TABLE visit ADD INDEX i (a), ALGORITHM=INPLACE, LOCK=NONE | ALTER TABLE visit COMMENT='x'",
    ),
    Case(
        "update-without-where",
        B,
        "UPDATE visit SET state = 'closed' | UPDATE visit SET state = 'closed' WHERE 1 = 1 | UPDATE visit SET a = 1 WHERE TRUE | WITH x AS (SELECT 1 WHERE 1) UPDATE visit SET a = 1 | UPDATE visit SET a = (SELECT b FROM c WHERE d = 1)",
        "UPDATE visit SET state = 'closed' WHERE id = 1 | ALTER TABLE visit ADD COLUMN a INT; UPDATE visit SET a = 1 | CREATE TABLE v (id INTEGER PRIMARY KEY); UPDATE v SET id = 2",
    ),
    Case(
        "update-without-where",
        M,
        "UPDATE LOW_PRIORITY visit SET a = 1",
        "UPDATE visit JOIN u ON visit.id = u.id SET visit.a = u.a | UPDATE visit, u SET visit.a = 1 WHERE u.id = visit.id | UPDATE visit SET a = 1 LIMIT 10",
    ),
    Case(
        "delete-without-where",
        B,
        "DELETE FROM visit | DELETE FROM visit WHERE 1 | WITH x AS (SELECT 1) DELETE FROM visit",
        "DELETE FROM visit WHERE id = 1 | DELETE FROM visit WHERE \"id\" = `x` | CREATE TABLE v (id INTEGER PRIMARY KEY); DELETE FROM v",
    ),
    Case(
        "delete-without-where",
        M,
        "DELETE QUICK FROM visit",
        "DELETE v FROM visit v JOIN u ON v.id = u.id | DELETE FROM visit USING visit JOIN u ON visit.id = u.id",
    ),
    Case(
        "comparison-with-null",
        B,
        "UPDATE visit SET a = 1 WHERE b = NULL | DELETE FROM visit WHERE b <> NULL | SELECT 1 FROM a JOIN b ON a.x != NULL",
        "UPDATE visit SET a = NULL WHERE b IS NULL | UPDATE visit SET a = NULL, b = NULL WHERE c = 1 | INSERT INTO a (b) VALUES (NULL)",
    ),
    Case("comparison-with-null", M, "DELETE FROM visit WHERE a > 1 AND b = NULL", "DELETE FROM visit WHERE b <=> NULL"),
    Case(
        "insert-without-columns",
        B,
        "INSERT INTO state VALUES (1, 'open') | INSERT INTO state SELECT * FROM other",
        "INSERT INTO state (id) VALUES (1) | INSERT INTO state DEFAULT VALUES",
    ),
    Case(
        "ban-duplicate-column-assignments",
        B,
        "UPDATE visit SET a = 1, A = 2 WHERE id = 1",
        "UPDATE visit SET a = 1, b = a WHERE id = 1 | UPDATE visit SET a = f(1, a), b = 2 WHERE id = 1",
    ),
    Case(
        "unsupported-statement",
        S,
        "TRUNCATE TABLE a | GRANT ALL ON a TO b | CREATE USER a | ALTER TABLE a ADD CONSTRAINT c CHECK (d > 0) | ALTER TABLE a MODIFY b INT | ALTER TABLE a ADD b INT, ADD c INT | ALTER TABLE IF EXISTS a ADD b INT | ALTER TABLE a DROP COLUMN IF EXISTS b | DROP TABLE a, b | RENAME TABLE a TO b | SET NAMES utf8 | LOCK TABLES a WRITE | CREATE DATABASE a | CREATE INDEX CONCURRENTLY i ON a (b) | DROP INDEX i ON a | ALTER TABLE a ALTER COLUMN b TYPE INT",
        "ALTER TABLE a ADD b INT | DROP TABLE IF EXISTS a | VACUUM",
    ),
    Case(
        "unsupported-statement",
        M,
        "CREATE INDEX CONCURRENTLY i ON a (b) | ALTER TABLE a ALTER COLUMN b TYPE INT | ALTER TABLE a ALTER COLUMN b SET NOT NULL | PRAGMA foreign_keys = 1 | VACUUM",
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS b INT | CREATE INDEX i ON a (b)",
    ),
    Case(
        "unsupported-add-column",
        S,
        "ALTER TABLE a ADD b INTEGER PRIMARY KEY | ALTER TABLE a ADD b TEXT UNIQUE | ALTER TABLE a ADD b TEXT DEFAULT CURRENT_TIMESTAMP | ALTER TABLE a ADD b TEXT DEFAULT (random()) | ALTER TABLE a ADD b TEXT AS (c) STORED | CREATE TABLE v (id INTEGER PRIMARY KEY); ALTER TABLE v ADD b UNIQUE",
        "ALTER TABLE a ADD b TEXT DEFAULT 'x' | ALTER TABLE a ADD b INT DEFAULT (1) | ALTER TABLE a ADD b INT NOT NULL DEFAULT (-1) | ALTER TABLE a ADD b INT NOT NULL DEFAULT (FALSE) | ALTER TABLE a ADD b INT NOT NULL DEFAULT (+1) | ALTER TABLE a ADD b BLOB NOT NULL DEFAULT (x'00') | ALTER TABLE a ADD b INT NOT NULL DEFAULT (CAST('1' AS INTEGER)) | ALTER TABLE a ADD b AS (c) | CREATE TABLE v (id INTEGER PRIMARY KEY); ALTER TABLE v ADD b DEFAULT CURRENT_TIMESTAMP",
    ),
    Case(
        "unsupported-drop-column",
        S,
        "CREATE INDEX i ON a (b); ALTER TABLE a DROP COLUMN b",
        "ALTER TABLE a DROP COLUMN b | CREATE INDEX i ON a (b); DROP INDEX i; ALTER TABLE a DROP COLUMN b",
    ),
    Case(
        "table-rebuild-order",
        S,
        "ALTER TABLE v RENAME TO old; CREATE TABLE v (id INTEGER PRIMARY KEY); INSERT INTO v SELECT id FROM old; DROP TABLE old",
        "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n SELECT id FROM v; DROP TABLE v; ALTER TABLE n RENAME TO v",
    ),
    Case(
        "grant-all",
        M,
        "GRANT ALL ON *.* TO app | GRANT ALL PRIVILEGES ON a.* TO 'a'@'%'",
        "GRANT SELECT ON a.* TO app",
    ),
    Case("grant-to-public", M, "GRANT SELECT ON a.* TO PUBLIC", "GRANT SELECT ON a.* TO publican"),
    Case(
        "grant-with-grant-option",
        M,
        "GRANT SELECT ON a.* TO app WITH GRANT OPTION | GRANT r TO app WITH ADMIN OPTION",
        "GRANT SELECT ON a.* TO app",
    ),
    Case(
        "changing-role",
        M,
        "CREATE USER a | ALTER USER 'a'@'b' ACCOUNT LOCK | DROP ROLE r | SET PASSWORD FOR a = 'x' | RENAME USER a TO b",
        "CREATE TABLE user (id INT PRIMARY KEY) | SET ROLE r",
    ),
    Case(
        "definer",
        M,
        "CREATE DEFINER='root'@'localhost' VIEW v AS SELECT 1 | CREATE DEFINER=a@b TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET @a = 1 | CREATE DEFINER=a PROCEDURE p() SELECT 1",
        "CREATE VIEW v AS SELECT 1 | CREATE DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW v AS SELECT 1",
    ),
    Case("transaction-nesting", S, "BEGIN; SELECT 1; COMMIT | ROLLBACK", "SELECT 1 | SAVEPOINT a; ROLLBACK TO a"),
    Case(
        "transaction-nesting",
        M,
        "START TRANSACTION | COMMIT | ROLLBACK | BEGIN; SELECT 1; ROLLBACK | BEGIN; SELECT 1; COMMIT; COMMIT | START TRANSACTION; BEGIN; COMMIT",
        "SAVEPOINT a | SAVEPOINT a; ROLLBACK TO SAVEPOINT a | START TRANSACTION; UPDATE a SET b = 1 WHERE c = 1; UPDATE a SET b = 2 WHERE c = 2; COMMIT | BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT",
    ),
    Case(
        "pragma-foreign-keys",
        S,
        "PRAGMA foreign_keys = OFF | PRAGMA foreign_keys(1)",
        "PRAGMA foreign_key_check | PRAGMA foreign_keys",
    ),
    Case(
        "unsafe-pragma",
        S,
        "PRAGMA writable_schema = ON | PRAGMA synchronous = OFF | PRAGMA journal_mode = MEMORY | UPDATE sqlite_schema SET sql = 'x' WHERE name = 'a'",
        "PRAGMA user_version = 5 | PRAGMA writable_schema = OFF | PRAGMA journal_mode = WAL",
    ),
    Case(
        "disabling-foreign-key-checks",
        M,
        "SET FOREIGN_KEY_CHECKS = 0 | SET SESSION unique_checks = OFF | SET @@sql_mode = ''",
        "SET FOREIGN_KEY_CHECKS = 1 | SET NAMES utf8mb4 | SET sql_mode = 'ANSI'",
    ),
    Case(
        "setting-global-variable",
        M,
        "SET GLOBAL innodb_lock_wait_timeout = 5 | SET @@global.x = 1 | SET a = 1, PERSIST b = 2",
        "SET SESSION lock_wait_timeout = 5",
    ),
    Case("explicit-lock", M, "LOCK TABLES visit WRITE", "UNLOCK TABLES"),
    Case(
        "missing-primary-key",
        B,
        "CREATE TABLE v (a INT)",
        "CREATE TABLE v (a INT PRIMARY KEY) | CREATE TABLE v (a INT, b INT, PRIMARY KEY (a, b)) | CREATE TABLE v AS SELECT 1 AS a | CREATE TEMPORARY TABLE v (a INT)",
    ),
    Case(
        "storage-engine",
        M,
        "CREATE TABLE v (a INT PRIMARY KEY) ENGINE=MyISAM | ALTER TABLE v ENGINE = MEMORY",
        "CREATE TABLE v (a INT PRIMARY KEY) ENGINE=InnoDB",
    ),
    Case(
        "deprecated-display-width",
        M,
        "CREATE TABLE v (a INT(11) PRIMARY KEY) | ALTER TABLE v ADD b BIGINT UNSIGNED ZEROFILL",
        "CREATE TABLE v (a INT PRIMARY KEY, b TINYINT(1), c DECIMAL(10,2), d VARCHAR(10))",
    ),
    Case(
        "float-for-money",
        B,
        "CREATE TABLE v (a INTEGER PRIMARY KEY, total_price FLOAT) | ALTER TABLE v ADD amounts DOUBLE PRECISION",
        "CREATE TABLE v (a INTEGER PRIMARY KEY, price DECIMAL(12, 2), weight FLOAT)",
    ),
    Case(
        "prefer-utf8mb4",
        M,
        "CREATE TABLE v (a INT PRIMARY KEY) DEFAULT CHARSET=utf8 | CREATE TABLE v (a CHAR(2) CHARACTER SET latin1 PRIMARY KEY) | ALTER TABLE v CONVERT TO CHARACTER SET utf8mb3",
        "CREATE TABLE v (a INT PRIMARY KEY) DEFAULT CHARSET=utf8mb4 | CREATE TABLE v (a CHAR(2) CHARACTER SET ascii PRIMARY KEY)",
    ),
    Case(
        "duplicate-index",
        M,
        "CREATE TABLE v (id INT PRIMARY KEY, a INT, b INT, KEY one (a), KEY two (a, b)) | CREATE TABLE v (id INT PRIMARY KEY, KEY k (id)) | CREATE TABLE v (id INT PRIMARY KEY, a INT, KEY x (a), KEY y (a))",
        "CREATE TABLE v (id INT PRIMARY KEY, a INT, b INT, KEY one (a, b), KEY two (b, a)) | CREATE TABLE v (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY one (a), KEY two (a, b))",
    ),
    Case(
        "zero-date",
        M,
        "CREATE TABLE v (id INT PRIMARY KEY, d DATE NOT NULL DEFAULT '0000-00-00') | ALTER TABLE v ADD d DATETIME DEFAULT '0000-00-00 00:00:00'",
        "CREATE TABLE v (id INT PRIMARY KEY, d DATE DEFAULT '2000-01-01')",
    ),
    Case(
        "prefer-bigint-over-int",
        M,
        "CREATE TABLE v (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY)",
        "CREATE TABLE v (id BIGINT AUTO_INCREMENT PRIMARY KEY) | CREATE TABLE v (id INT PRIMARY KEY)",
    ),
    Case(
        "wide-index",
        B,
        "CREATE INDEX i ON visit (a, b, c, d)",
        "CREATE INDEX i ON visit (a, b, c) | CREATE UNIQUE INDEX i ON visit (a, b, c, d)",
    ),
    Case(
        "misleading-type",
        S,
        "CREATE TABLE v (id INTEGER PRIMARY KEY, a STRING) | ALTER TABLE v ADD b FLOATING POINT",
        "CREATE TABLE v (id INTEGER PRIMARY KEY, a TEXT, b VARCHAR(5), c INT)",
    ),
    Case(
        "foreign-key-without-index",
        S,
        "CREATE TABLE v (id INTEGER PRIMARY KEY, p INTEGER REFERENCES patient (id)) | CREATE TABLE v (id INTEGER PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES patient (id))",
        "CREATE TABLE v (id INTEGER PRIMARY KEY, p INTEGER REFERENCES patient (id)); CREATE INDEX i ON v (p, id) | CREATE TABLE v (id INTEGER PRIMARY KEY REFERENCES patient (id))",
    ),
    Case(
        "identifier-too-long",
        M,
        "CREATE INDEX a2345678901234567890123456789012345678901234567890123456789012345 ON visit (a)",
        "CREATE INDEX a234567890123456789012345678901234567890123456789012345678901234 ON visit (a)",
    ),
    Case(
        "timestamp-2038",
        M,
        "CREATE TABLE v (id INT PRIMARY KEY, valid_until TIMESTAMP)",
        "CREATE TABLE v (id INT PRIMARY KEY, created TIMESTAMP DEFAULT CURRENT_TIMESTAMP, b DATETIME)",
    ),
    Case(
        "unparsed-statement",
        M,
        "ALTER TABLE visit ADD a INT BOGUS | CREATE TABLE v (a INT BOGUS)",
        "CREATE TABLE v (a DOUBLE PRECISION PRIMARY KEY)",
    ),
    Case(
        "unparsed-statement",
        S,
        "ALTER TABLE visit ADD a INT (1) (2) | CREATE TABLE v (a INT) BOGUS BOGUS =",
        "CREATE TABLE v (a BIG FANCY TYPE PRIMARY KEY)",
    ),
    Case(
        "unparsed-statement",
        B,
        "ALTER TABEL visit ADD a INT | DROP | SELECT FROM WHERE | UPDATE visit SET a = = 1 WHERE b = 2 | CREATE TABLE v (a INT | ALTER TABLE visit FROBNICATE | bogus",
        "SELECT 1 | CREATE TRIGGER t AFTER INSERT ON u FOR EACH ROW BEGIN bogus END",
    ),
];

/// Rule, dialect, and whether it fires, for each case; checked by the tests below.
pub(super) fn told() -> Vec<(String, String, bool)> {
    let each = CASES.iter().flat_map(|Case(rule, dialects, fires, quiet)| {
        let both = [(fires, true), (quiet, false)].into_iter().filter(|(sql, _)| !sql.is_empty());
        both.flat_map(move |(_, fires)| {
            dialects.iter().map(move |dialect| ((*rule).to_owned(), format!("{dialect:?}"), fires))
        })
    });
    each.chain(super::facts::told()).collect()
}

/// Cases in which `|` parts them; SQL has no ` | ` otherwise.
fn each<'a>(sql: &'a str, dialect: Dialect) -> impl Iterator<Item = String> + 'a {
    let quote = if dialect == Mysql { '`' } else { '"' };
    sql.split(" | ").map(move |sql| {
        if dialect == Mysql { sql.trim().replace('"', &quote.to_string()) } else { sql.trim().to_owned() }
    })
}

#[test]
fn rules_find_what_they_are_about() {
    let mut wrong = Vec::new();
    for Case(rule, dialects, fires, _) in CASES {
        for dialect in *dialects {
            for sql in each(fires, *dialect) {
                let rules = revision(*dialect, &sql).rules();
                if !rules.contains(&(*rule).to_owned()) {
                    wrong.push(format!("{rule} on {dialect:?} misses: {sql}\n  {rules:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_leave_alone_what_they_are_not_about() {
    let mut wrong = Vec::new();
    for Case(rule, dialects, _, quiet) in CASES {
        for dialect in *dialects {
            for sql in each(quiet, *dialect) {
                let trial = revision(*dialect, &sql);
                let found = trial.findings();
                if let Some(finding) = found.iter().find(|finding| finding.rule == *rule) {
                    wrong.push(format!("{rule} on {dialect:?} finds: {sql}\n  {}", finding.message));
                }
                // What is left alone must have been understood.
                let unread = found.iter().find(|finding| finding.rule == "unparsed-statement");
                if let Some(finding) = unread.filter(|_| *rule != "unparsed-statement") {
                    wrong.push(format!("{rule} on {dialect:?} does not understand: {sql}\n  {}", finding.message));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_fires_is_understood_as_well() {
    let mut wrong = Vec::new();
    for Case(rule, dialects, fires, _) in CASES.iter().filter(|case| case.0 != "unparsed-statement") {
        for dialect in *dialects {
            for sql in each(fires, *dialect) {
                let found = revision(*dialect, &sql).findings();
                let unread = found.into_iter().find(|finding| finding.rule == "unparsed-statement");
                wrong.extend(unread.map(|finding| format!("{rule} on {dialect:?}: {sql}\n  {}", finding.message)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn statements_of_postgres_are_the_business_of_another_policy() {
    for Case(rule, _, fires, _) in CASES {
        for sql in each(fires, Dialect::Postgres) {
            let rules = revision(Dialect::Postgres, &sql).rules();
            assert!(!rules.contains(&(*rule).to_owned()), "{rule}: {sql}");
        }
    }
}

#[test]
fn a_trigger_is_one_statement_whatever_its_body_holds() {
    for (dialect, sql) in [
        (Sqlite, "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; UPDATE c SET d = 1; END"),
        (Mysql, "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW BEGIN DELETE FROM b; END"),
        (Mysql, "CREATE PROCEDURE p() BEGIN DROP TABLE a; END"),
    ] {
        assert_eq!(revision(dialect, sql).down("SELECT 1").whole().rules(), [""; 0], "{sql}");
    }
}
