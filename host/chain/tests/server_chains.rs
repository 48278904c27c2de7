//! Revision files as people write them for PostgreSQL and MySQL, read from the file to the statement.

use runner_chain::sql::Statement;
use runner_chain::{Dialect, Direction, Revision, parse};

const POSTGRES: &str = include_str!("server_chains/postgres.sql");
const MYSQL: &str = include_str!("server_chains/mysql.sql");

fn statements(revision: &Revision, direction: Direction, dialect: Dialect) -> Vec<Statement<'_>> {
    let section = revision.run(direction, dialect).expect("the file has a section for each direction");
    section.statements(dialect).expect("the section can be split")
}

/// The line of each statement, its first words, and its last characters.
fn outline(statements: &[Statement<'_>]) -> Vec<String> {
    let describe = |statement: &Statement<'_>| {
        let end: Vec<char> = statement.text.chars().rev().take(8).collect();
        let end: String = end.into_iter().rev().collect();
        format!("{} {} … {}", statement.line, statement.first_words(3).join(" "), end.trim())
    };
    statements.iter().map(describe).collect()
}

#[test]
fn postgres() {
    let revision = parse("postgres.sql", POSTGRES.as_bytes()).unwrap();
    let up = statements(&revision, Direction::Up, Dialect::Postgres);
    let expected = [
        "7 CREATE EXTENSION IF … ree_gist",
        "9 CREATE TYPE APPOINTMENT_STATE … xcused')",
        "11 CREATE TABLE APPOINTMENT … TH &&)\n)",
        "22 CREATE TABLE VISIT … NGE (at)",
        "23 CREATE TABLE VISIT_2026_11 … -12-01')",
        "25 DO … END\n$do$",
        "37 ALTER TABLE APPOINTMENT … SECURITY",
        "38 CREATE POLICY OWN_CLINIC … integer)",
        "42 CREATE FUNCTION TOUCH … END;\n$$",
        "52 CREATE TRIGGER TOUCH … touch()",
        "54 CREATE OR REPLACE … $1;\nEND",
        "59 CREATE PROCEDURE FORGET … END;\nEND",
        "65 CREATE RULE NO_DELETE … issed;\n)",
        "70 COMMENT ON FUNCTION … it \\df'",
        "71 INSERT INTO VISIT … 2\\0032')",
        "72 COPY VISIT FROM … HEADER)",
    ];
    assert_eq!(outline(&up), expected);
}

#[test]
fn mysql() {
    let revision = parse("mysql.sql", MYSQL.as_bytes()).unwrap();
    let up = statements(&revision, Direction::Up, Dialect::Mysql);
    let expected = [
        "7 SET … lient */",
        "8 SET CHARACTER_SET_CLIENT … f8mb4 */",
        "9 SET … osity */",
        "11 CREATE TABLE … =utf8mb4",
        "18 LOCK TABLES … e` WRITE",
        "19 ALTER TABLE … KEYS */",
        "20 INSERT INTO … 1','\\\\')",
        "21 ALTER TABLE … KEYS */",
        "22 UNLOCK TABLES … K TABLES",
        "25 CREATE TRIGGER … EW.name)",
        "27 CREATE DEFINER … END main",
        "55 CREATE DEFINER … ;\nEND */",
        "61 CREATE FUNCTION LABEL … ;');\nEND",
        "65 DROP FUNCTION IF … ld_label",
        "68 CREATE EVENT NIGHTLY … @n; END",
        "69 START TRANSACTION … NSACTION",
        "69 UPDATE MEDICINE SET … E id = 1",
        "69 COMMIT … COMMIT",
        "70 SET CHARACTER_SET_CLIENT … lient */",
    ];
    assert_eq!(outline(&up), expected);
}

/// Whichever editor saved a file, its statements are the same, at the same places.
#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    for (text, dialect) in [(POSTGRES, Dialect::Postgres), (MYSQL, Dialect::Mysql)] {
        let unix = parse("a.sql", text.as_bytes()).unwrap();
        let windows = parse("a.sql", format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes()).unwrap();
        for direction in [Direction::Up, Direction::Down] {
            assert_eq!(statements(&unix, direction, dialect), statements(&windows, direction, dialect));
        }
        assert_eq!(unix.sql_checksum(), windows.sql_checksum());
    }
}

/// Each statement means the same alone, which is how it will be sent.
#[test]
fn statements_stand_alone() {
    for (text, dialect) in [(POSTGRES, Dialect::Postgres), (MYSQL, Dialect::Mysql)] {
        let revision = parse("a.sql", text.as_bytes()).unwrap();
        for statement in statements(&revision, Direction::Up, dialect) {
            let again = runner_chain::sql::split(statement.text, dialect, 1).unwrap();
            assert_eq!(again.iter().map(|one| one.text).collect::<Vec<_>>(), [statement.text]);
        }
    }
}
