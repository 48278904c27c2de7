use crate::dialect::Dialect;
use crate::sql::{DelimiterFault, SplitError, split};

fn texts(sql: &str) -> Vec<&str> {
    split(sql, Dialect::Mysql, 1).unwrap_or_else(|error| panic!("{error}: {sql}")).iter().map(|s| s.text).collect()
}

fn error(sql: &str) -> SplitError {
    split(sql, Dialect::Mysql, 5).expect_err(sql)
}

#[test]
fn bodies_need_no_delimiter() {
    for statement in [
        "CREATE PROCEDURE p() BEGIN END",
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "create procedure p (in a decimal(10, 2), out b int) begin select 1; end",
        "CREATE DEFINER=`root`@`%` PROCEDURE `p`() COMMENT 'BEGIN' SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN SELECT 1; END",
        "CREATE DEFINER = app@my_host.event.org PROCEDURE p() BEGIN SELECT 1; END",
        "CREATE DEFINER=CURRENT_USER() FUNCTION f() RETURNS int DETERMINISTIC BEGIN RETURN 1; END",
        "CREATE OR REPLACE DEFINER=a@b AGGREGATE FUNCTION IF NOT EXISTS f(x int) RETURNS int BEGIN LOOP FETCH GROUP NEXT \
         ROW; END LOOP; RETURN 1; END",
        "CREATE FUNCTION f(a ENUM('x', ')')) RETURNS varchar(10) CHARSET utf8mb4 COLLATE utf8mb4_bin READS SQL DATA \
         BEGIN DECLARE b int; RETURN b; END",
        "CREATE FUNCTION f() RETURNS CHARACTER VARYING(9) CHARACTER SET utf8 NOT DETERMINISTIC BEGIN RETURN 1; END",
        "CREATE FUNCTION f() RETURNS decimal(10, 2) unsigned LANGUAGE SQL NO SQL BEGIN RETURN 1; END",
        "CREATE PROCEDURE p() main: BEGIN IF a THEN LEAVE main; END IF; inner_1:LOOP LEAVE inner_1; END LOOP inner_1; END main",
        "CREATE PROCEDURE p() `l`: BEGIN SELECT 1; END `l`",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; SET NEW.end = @end; END",
        "CREATE TRIGGER IF NOT EXISTS t AFTER UPDATE ON a FOR EACH ROW FOLLOWS begin BEGIN SET @a = 1; END",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF NEW.b THEN SET NEW.c = 1; ELSE SET NEW.c = 2; END IF",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01' ON COMPLETION PRESERVE COMMENT ';' DO BEGIN DELETE \
         FROM a; DELETE FROM b; END",
        "ALTER DEFINER=a@b EVENT e DO BEGIN DELETE FROM a; END",
        "CREATE PROCEDURE p() BEGIN BEGIN BEGIN SELECT 1; END; END; SELECT 2; END",
        "CREATE PROCEDURE p() IF a THEN SELECT 1; ELSEIF b THEN SELECT 2; ELSE IF c THEN SELECT 3; END IF; END IF",
        "CREATE PROCEDURE p() BEGIN IF IF(a, b, c) THEN SELECT IF(a, b, c); END IF; SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN IF(a) THEN SELECT 1; END IF; DROP TABLE IF EXISTS b; CREATE TABLE IF NOT EXISTS c (d int); END",
        "CREATE PROCEDURE p() BEGIN IF CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END = 1 THEN SELECT 1; END IF; END",
        "CREATE PROCEDURE p() BEGIN IF EXISTS (SELECT 1 FROM a WHERE b = CASE c WHEN 1 THEN 2 END) THEN SELECT 1; END IF; END",
        "CREATE PROCEDURE p() BEGIN CASE a WHEN 1 THEN SELECT 1; WHEN 2 THEN BEGIN END; ELSE SELECT 3; END CASE; SELECT 4; END",
        "CREATE PROCEDURE p() BEGIN CASE WHEN a THEN SELECT CASE WHEN b THEN 1 END; WHEN CASE WHEN c THEN 1 END THEN SELECT 2; \
         END CASE; END",
        "CREATE PROCEDURE p() BEGIN SELECT CASE a WHEN 1 THEN 2 ELSE 3 END, end, begin FROM t; UPDATE t SET end = 1, `end` = 2; END",
        "CREATE PROCEDURE p() BEGIN IF CASE WHEN (SELECT MAX(end) FROM t WHERE end > 1) > end THEN end ELSE t.end END THEN \
         SELECT 1; END IF; SELECT 2; END",
        "CREATE PROCEDURE p() BEGIN WHILE (SELECT a end FROM t) AND end DO REPEAT SELECT 1; UNTIL a > end END REPEAT; END WHILE; END",
        "CREATE PROCEDURE p() BEGIN REPEAT SET a = REPEAT('x;', 3); UNTIL a > 1 END REPEAT; SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN r: REPEAT SET a = 1; UNTIL CASE WHEN a THEN 1 END END REPEAT r; END",
        "CREATE PROCEDURE p() BEGIN WHILE a < 1 DO SET a = a + 1; DO SLEEP(1); END WHILE; SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN FOR i IN 1..10 DO SELECT i; END FOR; FOR r IN (SELECT 1) DO SELECT r.end; END FOR; END",
        "CREATE PROCEDURE p() BEGIN DECLARE done int; DECLARE c CURSOR FOR SELECT 1 FOR UPDATE; DECLARE CONTINUE HANDLER \
         FOR NOT FOUND SET done = IF(a, 1, 2); DECLARE EXIT HANDLER FOR SQLSTATE VALUE '23000', 1062, SQLEXCEPTION BEGIN \
         ROLLBACK; RESIGNAL; END; DECLARE EXIT HANDLER FOR SQLSTATE '1' IF a THEN SELECT 1; END IF; SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN START TRANSACTION; INSERT INTO a VALUES (';'); COMMIT; END",
        "CREATE PROCEDURE p() BEGIN XA BEGIN 'x'; XA END 'x'; END",
        "BEGIN NOT ATOMIC SELECT 1; BEGIN NOT ATOMIC IF a THEN SELECT 2; END IF; END; END",
        "IF a THEN SELECT 1; END IF",
        "FOR i IN 1..2 DO SELECT i; END FOR",
        "CREATE /*!50017 DEFINER=`a`@`b`*/ PROCEDURE p() /* ; */ BEGIN -- ;\nSELECT 1; # ;\n END",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @a = '*/'; \
         END */",
    ] {
        let sql = format!("{statement};\nSELECT 2;");
        assert_eq!(texts(&sql), [statement, "SELECT 2"]);
        assert_eq!(texts(statement), [statement]);
    }
}

#[test]
fn statements_end_at_semicolons_that_count() {
    for (sql, expected) in [
        ("", vec![]),
        (" -- nothing\n # at all\n /* ; */ ; /*+ ; */ ;", vec![]),
        (r#"SELECT 'a\';', "b\";", `c;\`; SELECT 1-- ;"#, vec![r#"SELECT 'a\';', "b\";", `c;\`"#, "SELECT 1"]),
        ("SELECT 1--1; # it's\nSELECT 2;-- it's\nSELECT 3 --;", vec!["SELECT 1--1", "SELECT 2", "SELECT 3 --"]),
        (
            "/*!40101 SET NAMES utf8 */;/*M!100100 SET a = ';' */;",
            vec!["/*!40101 SET NAMES utf8 */", "/*M!100100 SET a = ';' */"],
        ),
        (
            "/*M!999999\\- enable the sandbox mode */ \nSET a = 1;",
            vec!["/*M!999999\\- enable the sandbox mode */ \nSET a = 1"],
        ),
        ("SELECT /*+ BKA(t) ; */ 1; /*+ x */ SELECT 2", vec!["SELECT /*+ BKA(t) ; */ 1", "SELECT 2"]),
        ("BEGIN; SELECT 1; END; BEGIN WORK; COMMIT;", vec!["BEGIN", "SELECT 1", "END", "BEGIN WORK", "COMMIT"]),
        ("XA BEGIN 'a'; XA END 'a';", vec!["XA BEGIN 'a'", "XA END 'a'"]),
        (
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = CASE WHEN 1 THEN 2 END; SELECT 1",
            vec!["CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = CASE WHEN 1 THEN 2 END", "SELECT 1"],
        ),
        (
            "CREATE FUNCTION f() RETURNS int RETURN IF(a, 1, 2); CREATE PROCEDURE p() SELECT REPEAT('a', begin) FOR UPDATE; X",
            vec![
                "CREATE FUNCTION f() RETURNS int RETURN IF(a, 1, 2)",
                "CREATE PROCEDURE p() SELECT REPEAT('a', begin) FOR UPDATE",
                "X",
            ],
        ),
        (
            "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'; SELECT 1",
            vec!["CREATE FUNCTION f RETURNS STRING SONAME 'f.so'", "SELECT 1"],
        ),
        (
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO CALL p(); SELECT 1",
            vec!["CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO CALL p()", "SELECT 1"],
        ),
        ("ALTER EVENT e DISABLE; SELECT 1", vec!["ALTER EVENT e DISABLE", "SELECT 1"]),
        (
            "CREATE TABLE IF NOT EXISTS t (begin int, end int, delimiter int); CREATE VIEW v AS SELECT begin FROM t; SELECT 1",
            vec![
                "CREATE TABLE IF NOT EXISTS t (begin int, end int, delimiter int)",
                "CREATE VIEW v AS SELECT begin FROM t",
                "SELECT 1",
            ],
        ),
        (
            "CREATE DEFINER=a@b SQL SECURITY DEFINER VIEW v AS SELECT 1 AS event; SELECT 1",
            vec!["CREATE DEFINER=a@b SQL SECURITY DEFINER VIEW v AS SELECT 1 AS event", "SELECT 1"],
        ),
        (
            "USE db; SET @begin = 1; SELECT @end, @@end; SELECT 1",
            vec!["USE db", "SET @begin = 1", "SELECT @end, @@end", "SELECT 1"],
        ),
        ("INSERT INTO t VALUES (\\N, 1); SELECT 1", vec!["INSERT INTO t VALUES (\\N, 1)", "SELECT 1"]),
        (
            "LOAD DATA INFILE '/local' INTO TABLE t; SELECT local",
            vec!["LOAD DATA INFILE '/local' INTO TABLE t", "SELECT local"],
        ),
        ("SELECT 1 -- x\r\n;\r\nSELECT '\r\n'\r\n", vec!["SELECT 1", "SELECT '\r\n'"]),
        ("SELECT (1; SELECT 2", vec!["SELECT (1", "SELECT 2"]),
    ] {
        assert_eq!(texts(sql), expected, "{sql}");
    }
}

#[test]
fn delimiter_lines_say_what_ends_statements() {
    for (sql, expected) in [
        ("DELIMITER //\nSELECT 1; //\nSELECT 2//\ndelimiter ;\nSELECT 3;", vec!["SELECT 1", "SELECT 2", "SELECT 3"]),
        (
            "  Delimiter\t$$  \r\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\r\nDELIMITER ;\r\n",
            vec!["CREATE PROCEDURE p() BEGIN SELECT 1; END"],
        ),
        (
            "DELIMITER ;;\n/*!50003 SELECT 1; ;; */;;\nSELECT 2; SELECT 3 ;;\nDELIMITER ;\n",
            vec!["/*!50003 SELECT 1; ;; */", "SELECT 2; SELECT 3"],
        ),
        (
            "DELIMITER |\nSELECT '|', \"|\", `|` /* | */ -- |\n# |\n|SELECT 2|",
            vec!["SELECT '|', \"|\", `|`", "SELECT 2"],
        ),
        ("DELIMITER // -- until here\nBEGIN NOT ATOMIC SELECT 1//", vec!["BEGIN NOT ATOMIC SELECT 1"]),
        ("DELIMITER $$\n;\n$$ ;; SELECT 1 ;; $$", vec!["SELECT 1"]),
        ("DELIMITER go\nSELECT 1 go SELECT 2 GO go", vec!["SELECT 1", "SELECT 2 GO"]),
        ("DELIMITER ##\nSELECT 1 ##\nDELIMITER #\nSELECT 2#SELECT 3", vec!["SELECT 1", "SELECT 2", "SELECT 3"]),
        ("SELECT 1; DELIMITER //\nSELECT 2;//", vec!["SELECT 1", "SELECT 2"]),
        (
            "CREATE TABLE t (\n  delimiter char(1),\n  a int\n);",
            vec!["CREATE TABLE t (\n  delimiter char(1),\n  a int\n)"],
        ),
        ("'\nDELIMITER //\n'; SELECT 1", vec!["'\nDELIMITER //\n'", "SELECT 1"]),
        ("DELIMITER //", vec![]),
    ] {
        assert_eq!(texts(sql), expected, "{sql}");
    }
    for (sql, fault, line) in [
        ("SELECT 1;\nDELIMITER\nSELECT 2;", DelimiterFault::Missing, 6),
        ("DELIMITER \\\\", DelimiterFault::QuoteOrBackslash, 5),
        ("DELIMITER '//'", DelimiterFault::QuoteOrBackslash, 5),
        ("DELIMITER //\nSELECT 1\nDELIMITER ;\nSELECT 2;", DelimiterFault::InStatement, 7),
        ("SELECT 1\nDELIMITER //\n", DelimiterFault::InStatement, 6),
    ] {
        assert_eq!(error(sql), SplitError::Delimiter { fault, line, column: 1 }, "{sql}");
    }
}

#[test]
fn what_is_not_closed_is_shown_where_it_begins() {
    for (sql, message) in [
        (
            "CREATE PROCEDURE p()\n BEGIN SELECT 1;",
            "the `BEGIN … END` body that begins at line 6, column 2 is never closed",
        ),
        ("BEGIN NOT ATOMIC SELECT 1;", "the `BEGIN … END` body that begins at line 5, column 1 is never closed"),
        (
            "CREATE PROCEDURE p() BEGIN IF a THEN SELECT 1; END; SELECT 2",
            "the `BEGIN … END` body that begins at line 5, column 22 is never closed",
        ),
        (
            "CREATE PROCEDURE p()\nBEGIN SELECT 1;\nDELIMITER ;\n",
            "the `BEGIN … END` body that begins at line 6, column 1 is never closed",
        ),
        ("IF a THEN SELECT 1;", "the compound statement that begins at line 5, column 1 is never closed"),
        ("SELECT 1;\n/*!40101 SET a = 1;", "the conditional comment that begins at line 6, column 1 is never closed"),
        ("/*!40101 it's */", "the conditional comment that begins at line 5, column 1 is never closed"),
        ("SELECT 'a\\'", "the string that begins at line 5, column 8 is never closed"),
        ("SELECT `a", "the quoted name that begins at line 5, column 8 is never closed"),
        ("SELECT /*+ a", "the optimizer hint that begins at line 5, column 8 is never closed"),
    ] {
        assert_eq!(error(sql).to_string(), message, "{sql}");
        assert!(error(sql).help().is_some());
    }
}

#[test]
fn commands_of_the_client_are_refused() {
    for (sql, line, column, command, help) in [
        ("SELECT 1\\G", 5, 9, "\\G", "`;`"),
        ("SELECT '\\g' /* \\g */ # \\g\n\\g", 6, 1, "\\g", "`;`"),
        ("\\. file.sql", 5, 1, "\\.", "put the SQL of that file here"),
        ("SELECT 1;\n Source file.sql", 6, 2, "source", "put the SQL of that file here"),
        ("\\d //", 5, 1, "\\d", "`DELIMITER`"),
        ("\\u app", 5, 1, "\\u", "the URL of the database"),
        ("DELIMITER //\nSELECT 1 \\c //", 6, 10, "\\c", "take it out"),
    ] {
        let error = error(sql);
        assert_eq!(error.place(), (line, column), "{sql}");
        assert_eq!(
            error.to_string(),
            format!("`{command}` at line {line}, column {column} is a command of the program `mysql`, not SQL")
        );
        assert!(error.help().unwrap().contains(help), "{sql}: {:?}", error.help());
    }
    for sql in ["LOAD DATA LOCAL INFILE 'a' INTO TABLE t", "load xml concurrent local infile 'a' into table t"] {
        assert_eq!(error(sql), SplitError::LoadFromClient { line: 5, column: 1 }, "{sql}");
    }
    assert_eq!(
        texts("SELECT source; INSERT INTO source VALUES (1)"),
        ["SELECT source", "INSERT INTO source VALUES (1)"]
    );
}
