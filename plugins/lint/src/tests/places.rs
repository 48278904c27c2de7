//! Where findings point to, and what fixes change.

use super::*;

/// The part of a file that a span covers, which must be on one line.
fn covered(trial: &Trial, finding: &Finding) -> String {
    let span = finding.span.unwrap();
    assert_eq!(span.line, span.end_line, "{finding:?}");
    let line: Vec<char> = trial.source.text.lines().nth(span.line as usize - 1).unwrap().chars().collect();
    line[span.column as usize - 1..span.end_column as usize - 1].iter().collect()
}

#[test]
fn findings_point_to_the_very_word() {
    for (dialect, sql, rule, line, word) in [
        (Dialect::Sqlite, "/* ä */ DROP TABLE visit;", "ban-drop-table", 10, "visit"),
        (
            Dialect::Sqlite,
            "SELECT 1;\n  ALTER TABLE visit\n    DROP COLUMN \"nötes\";",
            "ban-drop-column",
            12,
            "\"nötes\"",
        ),
        (Dialect::Mysql, "ALTER TABLE v ADD a INT, ALGORITHM = COPY;", "ban-copy-algorithm", 10, "ALGORITHM = COPY"),
        (
            Dialect::Mysql,
            "ALTER TABLE v\n ADD x INT,\n MODIFY a VARCHAR(80) NOT NULL;",
            "changing-column-type",
            12,
            "VARCHAR(80)",
        ),
        (
            Dialect::Mysql,
            "ALTER TABLE v\n ADD x INT,\n MODIFY a VARCHAR(80) NOT NULL;",
            "adding-not-nullable-field",
            12,
            "a",
        ),
        (
            Dialect::Mysql,
            "CREATE TABLE v (id INT PRIMARY KEY, p INT REFERENCES q (id));",
            "ignored-references",
            10,
            "REFERENCES q (id)",
        ),
        (Dialect::Sqlite, "SELECT 'ä'; UPDATE visit SET a = 1;", "update-without-where", 10, "UPDATE"),
        (Dialect::Sqlite, "DELETE FROM v WHERE a = 1\n  AND b = NULL;", "comparison-with-null", 11, "= NULL"),
        (
            Dialect::Sqlite,
            "ALTER TABLE v ADD a TEXT DEFAULT CURRENT_TIMESTAMP;",
            "unsupported-add-column",
            10,
            "DEFAULT CURRENT_TIMESTAMP",
        ),
        (Dialect::Sqlite, "SELECT 1; -- ä TODO x", "todo-fixme", 10, "TODO"),
        (Dialect::Sqlite, "SELECT /* ä FIXME */ 1;", "todo-fixme", 10, "FIXME"),
        (Dialect::Sqlite, "SELECT 'ä postgres://app:hunter2@db/x';", "secret-in-migration", 10, "hunter2"),
        (Dialect::Mysql, "CREATE USER a IDENTIFIED BY 'hunter2';", "secret-in-migration", 10, "'hunter2'"),
        (Dialect::Sqlite, "ALTER TABEL visit ADD a INT;", "unparsed-statement", 10, "TABEL"),
        (Dialect::Mysql, "ALTER TABLE visit ADD a INT, ADD b INT BOGUS, ADD c INT;", "unparsed-statement", 10, "BOGUS"),
        (Dialect::Sqlite, "SELECT a\nFROM b WHERE ORDER c;", "unparsed-statement", 11, "c"),
        (Dialect::Sqlite, "CREATE VIEW v AS\n SELECT a FROM b GROUP c;", "unparsed-statement", 11, "GROUP"),
        (Dialect::Sqlite, "CREATE TABLE Bad (id INTEGER PRIMARY KEY);", "naming", 10, "Bad"),
        (
            Dialect::Mysql,
            "GRANT SELECT ON a.* TO b WITH GRANT OPTION;",
            "grant-with-grant-option",
            10,
            "WITH GRANT OPTION",
        ),
    ] {
        let trial = revision(dialect, sql);
        let finding = trial.finding(rule);
        assert_eq!((finding.span.unwrap().line, covered(&trial, &finding).as_str()), (line, word), "{sql}");
    }
}

#[test]
fn markers_and_keys_of_the_header_are_found() {
    let trial = revision(Dialect::Sqlite, "SELECT 1;");
    assert_eq!(covered(&trial, &trial.finding("missing-downgrade")), "-- migrate:up");
    let text = "-- T\n-- Revision ID: a\n-- Revises: base\n-- Env: staging, prodution\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n";
    let trial = file(Dialect::Sqlite, text).levels();
    let finding = trial.finding("unknown-environment");
    assert_eq!((finding.span.unwrap().line, covered(&trial, &finding).as_str()), (4, "prodution"));
}

#[test]
fn findings_name_their_statement_and_come_in_the_order_of_the_file() {
    let findings = revision(Dialect::Sqlite, "SELECT 1;\nDROP TABLE b;\nDROP TABLE a;").untitled().findings();
    let told: Vec<_> = findings.iter().map(|finding| (finding.rule.as_str(), finding.statement)).collect();
    let expected = [
        ("missing-comment", None),
        ("missing-downgrade", None),
        ("missing-comment", Some(1)),
        ("ban-drop-table", Some(1)),
        ("missing-comment", Some(2)),
        ("ban-drop-table", Some(2)),
    ];
    assert_eq!(told, expected);
}

/// The file with a fix applied.
fn mended(trial: &Trial, finding: &Finding) -> String {
    let mut lines: Vec<Vec<char>> = trial.source.text.split('\n').map(|line| line.chars().collect()).collect();
    for edit in &finding.fix.as_ref().unwrap().edits {
        let span = edit.span;
        assert_eq!(span.line, span.end_line);
        let line = &mut lines[span.line as usize - 1];
        line.splice(span.column as usize - 1..span.end_column as usize - 1, edit.text.chars());
    }
    lines.into_iter().map(String::from_iter).collect::<Vec<_>>().join("\n")
}

#[test]
fn fixes_make_the_statement_safe() {
    for (dialect, sql, rule, expected) in [
        (
            Dialect::Mysql,
            "ALTER TABLE v ADD INDEX i (a), ALGORITHM=COPY, LOCK=NONE;",
            "ban-copy-algorithm",
            "ALTER TABLE v ADD INDEX i (a), ALGORITHM=INPLACE, LOCK=NONE;",
        ),
        (Dialect::Mysql, "DROP INDEX i ON v LOCK SHARED;", "ban-lock-option", "DROP INDEX i ON v LOCK=NONE;"),
        (
            Dialect::Mysql,
            "ALTER TABLE ä ADD INDEX i (a) ;",
            "prefer-online-ddl",
            "ALTER TABLE ä ADD INDEX i (a), ALGORITHM=INPLACE, LOCK=NONE ;",
        ),
        (
            Dialect::Mysql,
            "CREATE TABLE v (id INT PRIMARY KEY);",
            "prefer-robust-stmts",
            "CREATE TABLE IF NOT EXISTS v (id INT PRIMARY KEY);",
        ),
        (Dialect::Sqlite, "DROP TABLE v;", "prefer-robust-stmts", "DROP TABLE IF EXISTS v;"),
        (
            Dialect::Sqlite,
            "CREATE UNIQUE INDEX i ON v (a);",
            "prefer-robust-stmts",
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON v (a);",
        ),
        (Dialect::Sqlite, "DROP INDEX i;", "prefer-robust-stmts", "DROP INDEX IF EXISTS i;"),
        (Dialect::Sqlite, "DROP VIEW v;", "prefer-robust-stmts", "DROP VIEW IF EXISTS v;"),
    ] {
        let mut trial = revision(dialect, sql);
        trial.source.revision.transactional = rule != "prefer-robust-stmts";
        let finding = trial.finding(rule);
        let text = mended(&trial, &finding);
        assert_eq!(text.lines().nth(9).unwrap(), expected);
        // What is mended is not found again, and is understood.
        let mut again = revision(dialect, expected);
        again.source.revision.transactional = trial.source.revision.transactional;
        let rules = again.rules();
        assert!(!rules.contains(&rule.to_owned()) && !rules.contains(&"unparsed-statement".to_owned()), "{expected}");
    }
}
