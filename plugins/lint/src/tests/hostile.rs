//! Whatever a file holds, the policy answers: no panic, no endless work, no stack that overflows.

use proptest::prelude::*;

use super::*;

const ALL: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];

/// What SQL is made of, and what breaks readers of it.
fn token() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "CREATE",
        "TABLE",
        "ALTER",
        "DROP",
        "COLUMN",
        "ADD",
        "MODIFY",
        "CHANGE",
        "RENAME",
        "TO",
        "INDEX",
        "UNIQUE",
        "PRIMARY",
        "KEY",
        "FOREIGN",
        "REFERENCES",
        "CONSTRAINT",
        "CHECK",
        "DEFAULT",
        "NOT",
        "NULL",
        "IF",
        "EXISTS",
        "INSERT",
        "INTO",
        "VALUES",
        "UPDATE",
        "SET",
        "DELETE",
        "FROM",
        "WHERE",
        "SELECT",
        "WITH",
        "AS",
        "JOIN",
        "ON",
        "UNION",
        "ALL",
        "GRANT",
        "PUBLIC",
        "PRAGMA",
        "foreign_keys",
        "BEGIN",
        "COMMIT",
        "TRUNCATE",
        "VIEW",
        "TRIGGER",
        "ENUM",
        "INT",
        "VARCHAR",
        "UNSIGNED",
        "AFTER",
        "FIRST",
        "ALGORITHM",
        "LOCK",
        "COPY",
        "PARTITION",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "IS",
        "IN",
        "BETWEEN",
        "LIKE",
        "CONVERT",
        "CHARACTER",
        "DATABASE",
        "USER",
        "IDENTIFIED",
        "BY",
        "PASSWORD",
        "TODO",
        "a",
        "visit",
        "Ä",
        "\u{1F600}",
        "E",
        "N",
        "x",
        "1",
        "0x1F",
        "1e",
        ".5",
        "1.",
        "'a'",
        "'it''s'",
        "\"b\"",
        "`c`",
        "[d]",
        "'\\'",
        "$$",
        "$1",
        "(",
        ")",
        ",",
        ";",
        ".",
        "=",
        "-",
        "--",
        "-- TODO\n",
        "/*",
        "*/",
        "/*!40101",
        "#",
        "@",
        "@@",
        "*",
        "+",
        "|",
        "<",
        ">",
        "!",
        ":",
        "::",
        "?",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "{",
        "}",
        "\\",
        "\n",
        "\u{0}",
        "\u{202E}",
        "://a:b@c",
        "AKIA",
        "eyJ.eyJ",
        "-----BEGIN ",
    ]);
    prop_oneof![20 => words.prop_map(str::to_owned), 1 => ".{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_answered(tokens in prop::collection::vec((token(), prop::bool::weighted(0.8)), 0..60), at in 0_usize..3) {
        let sql: String = tokens.iter().flat_map(|(token, spaced)| [token.as_str(), if *spaced { " " } else { "" }]).collect();
        let trial = revision(ALL[at], &sql).down("SELECT 1");
        for trial in [trial.clone(), trial.whole()] {
            for finding in trial.findings() {
                let lines = u32::try_from(trial.source.text.split('\n').count()).unwrap();
                if let Some(span) = finding.span {
                    prop_assert!(span.line >= 1 && span.column >= 1, "{finding:?}");
                    prop_assert!((span.line, span.column) <= (span.end_line, span.end_column), "{finding:?}");
                    prop_assert!(span.end_line <= lines + 2, "{finding:?}");
                }
            }
        }
    }
}

#[test]
fn deep_nesting_is_said_and_does_not_overflow() {
    for dialect in ALL {
        for (open, close) in
            [("(", ")"), ("f(", ")"), ("(SELECT ", ")"), ("CASE WHEN ", " THEN 1 END"), ("NOT ", ""), ("-", "")]
        {
            let nested = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            for sql in [
                format!("SELECT {nested}"),
                format!("UPDATE a SET b = {nested}"),
                format!("CREATE TABLE a (b INT DEFAULT {nested})"),
                format!("CREATE TABLE a (b INT DEFAULT ({nested}))"),
                format!("ALTER TABLE a ADD b INT CHECK ({nested})"),
                format!("INSERT INTO a (b) VALUES ({nested})"),
                format!("CREATE VIEW v AS SELECT {nested}"),
                nested.clone(),
            ] {
                let rules = revision(dialect, &sql).whole().rules();
                let is_said = rules.contains(&"unparsed-statement".to_owned());
                let parenthesised = open.ends_with('(') && (sql.starts_with("SELECT") || sql.starts_with("UPDATE"));
                assert!(is_said || dialect == Dialect::Postgres || !parenthesised, "{dialect:?} {}", &sql[..40]);
            }
        }
    }
}

#[test]
fn five_megabytes_of_rows_are_read() {
    let row = "(123456, 'some text that is not long', NULL, 1.5e3, '2026-01-01 00:00:00'),\n";
    let rows = row.repeat((5 << 20) / row.len());
    for dialect in ALL {
        let sql = format!("INSERT INTO visit (a, b, c, d, e) VALUES\n{}", rows.trim_end_matches(",\n"));
        let trial = revision(dialect, &sql).whole();
        assert_eq!(trial.rules(), ["large-revision", "missing-downgrade"], "{dialect:?}");
        // A line that is as long as the file.
        let trial = revision(dialect, &sql.replace('\n', " ")).whole();
        assert_eq!(trial.rules(), ["large-revision", "missing-downgrade"], "{dialect:?}");
    }
}

/// A revision of 20 000 statements, each on a line of its own or all on one. The cutter of the tests is not made for so many.
fn many(dialect: Dialect, make: fn(usize) -> String, one_line: bool) -> Trial {
    let mut trial = revision(dialect, "");
    let (mut line, mut column) = (10, 1);
    let mut statements = Vec::new();
    for text in (0..20_000).map(make) {
        trial.source.text += &text;
        trial.source.text += if one_line { ";" } else { ";\n" };
        let length = u32::try_from(text.chars().count()).unwrap();
        statements.push(Statement { text, line, column });
        (line, column) = if one_line { (line, column + length + 1) } else { (line + 1, 1) };
    }
    trial.source.up = Some(statements);
    trial
}

#[test]
fn twenty_thousand_statements_are_read() {
    for (make, rules) in [
        (
            (|at| format!("UPDATE visit SET state = 's{at}', day = {at} WHERE id = {at}")) as fn(usize) -> String,
            &[][..],
        ),
        (|at| format!("INSERT INTO state (id, name) VALUES ({at}, upper('{at}'))"), &[]),
        (
            |at| {
                if at % 2 == 0 { format!("CREATE INDEX i{at} ON visit (a)") } else { format!("DROP INDEX i{}", at - 1) }
            },
            &[],
        ),
        (|at| format!("ALTER TABLE t{at} ADD COLUMN a TEXT"), &[]),
        (|at| format!("DROP TABLE t{at}"), &["ban-drop-table", "missing-comment"]),
        (|at| format!("INSERT INTO t{at} SELECT * FROM u{at}"), &["insert-without-columns"]),
    ] {
        for one_line in [false, true] {
            let trial = many(Dialect::Sqlite, make, one_line);
            let mut found = trial.rules();
            found.retain(|rule| rule != "large-revision" && rule != "missing-downgrade");
            assert_eq!(found, rules, "{}", make(1));
        }
    }
}

#[test]
fn a_statement_of_too_many_words_is_said() {
    let sql = format!("SELECT {}", "a ".repeat(300_000));
    assert!(revision(Dialect::Mysql, &sql).message("unparsed-statement").contains("200000 words"));
}
