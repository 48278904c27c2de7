//! Any text gets an answer: no panic, no overflow of the stack, no end of time.

use std::thread;

use lint_postgres::PlainOptions;
use lint_postgres::PlainReport;
use lint_postgres::check_plain;
use proptest::prelude::*;

use crate::support::ask;

/// The stack of a thread that WebAssembly's own is compared with: a debug build takes several times as much.
const STACK: usize = 4 << 20;

/// Looks at a text on a thread with a small stack. An overflow ends the process, which no test survives.
fn checked(text: String) -> PlainReport {
    let work = move || check_plain(&text, &PlainOptions::default());
    let thread = thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread can be started");
    thread.join().expect("nothing panics")
}

/// Whether a text was too deeply nested to be looked at.
fn is_too_deep(report: &PlainReport) -> bool {
    report.findings.iter().any(|finding| finding.message.contains("nested too deeply"))
}

/// What goes down a level each time, in all ways that the grammar has.
fn nested(depth: usize) -> Vec<String> {
    let repeated =
        |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
    vec![
        format!("SELECT {};", repeated("(", "1", ")")),
        format!("SELECT {};", repeated("(SELECT ", "1", ")")),
        format!("SELECT {}", "(".repeat(depth)),
        format!("SELECT {};", repeated("NOT ", "true", "")),
        format!("SELECT {};", repeated("- ", "1", "")),
        format!("SELECT {};", repeated("~ ", "1", "")),
        format!("SELECT {};", repeated("CASE WHEN true THEN ", "1", " END")),
        format!("SELECT {}", "CASE ".repeat(depth)),
        format!("SELECT {};", repeated("ARRAY[", "1", "]")),
        format!("SELECT {};", repeated("f(", "1", ")")),
        format!("{}SELECT 1;", "EXPLAIN ".repeat(depth)),
        format!("{}SELECT 1;", "PREPARE a AS ".repeat(depth)),
        format!("{};", repeated("WITH a AS (", "SELECT 1", ") SELECT 1")),
        format!("SELECT * FROM {};", repeated("(", "a", " JOIN b ON true)")),
        format!("CREATE FUNCTION f() RETURNS int {}", "BEGIN ATOMIC CREATE FUNCTION f() RETURNS int ".repeat(depth)),
        format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT {} $$;", repeated("(", "1", ")")),
        format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT {}';", repeated("(", "1", ")")),
        format!("{}SELECT 1;", "CREATE RULE r AS ON INSERT TO t DO ALSO ".repeat(depth)),
        format!("ALTER TABLE t ADD COLUMN c int DEFAULT {};", repeated("(", "1", ")")),
        format!("SELECT 1{};", " OPERATOR(pg_catalog.+) 1".repeat(depth)),
        format!("SELECT {}", "/*".repeat(depth)),
        format!("SELECT a{};", "[1]".repeat(depth)),
        format!("SELECT 1{};", "+1".repeat(depth)),
        format!("SELECT 1 WHERE a = 1{};", " OR a = 1".repeat(depth)),
        format!("SELECT 1{};", " UNION SELECT 1".repeat(depth)),
        format!("SELECT 1 FROM a{};", " JOIN b ON true".repeat(depth)),
        format!("SELECT x{};", ".y".repeat(depth)),
        format!("SELECT x{};", "::int".repeat(depth)),
        format!("SELECT x{};", " ISNULL".repeat(depth)),
        format!("SELECT x{};", " COLLATE a".repeat(depth)),
        format!("SELECT x{};", " AT TIME ZONE 'a'".repeat(depth)),
        format!("ALTER TABLE t ADD COLUMN c int DEFAULT 1{};", "+1".repeat(depth)),
        format!("SELECT a {};", "BETWEEN 1 AND ".repeat(depth)),
        format!("CREATE TABLE t (a int {});", "CHECK (a > 0) ".repeat(depth)),
        format!("GRANT a TO b{};", " GRANTED BY c".repeat(depth)),
        format!("SELECT {};", "(;".repeat(depth)),
        format!("SELECT {}", "DISTINCT ON (".repeat(depth)),
        format!("SELECT {}", "{fn ".repeat(depth)),
        format!("SELECT f() {}", "OVER (PARTITION BY f() ".repeat(depth)),
        format!("COPY ({}", "COPY (".repeat(depth)),
        format!("CREATE SCHEMA a {};", "CREATE TABLE t (a int) ".repeat(depth)),
        format!("SELECT {}", "EXISTS (SELECT ".repeat(depth)),
        format!("SELECT a {}", "IN (SELECT a ".repeat(depth)),
        format!("SELECT {}", "ROW(".repeat(depth)),
        format!("SELECT {}", "NOT - ".repeat(depth)),
        format!("SELECT {}", "a = ANY (".repeat(depth)),
        format!("SELECT '' {}", "|| CASE a WHEN b THEN c ELSE ".repeat(depth)),
        format!("SELECT 1 {}", "INTERSECT (SELECT 1 ".repeat(depth)),
        format!("CREATE VIEW v AS {}", "SELECT * FROM (VALUES (1), (".repeat(depth)),
        format!("DECLARE c CURSOR FOR {}", "EXECUTE a (".repeat(depth)),
    ]
}

#[test]
fn nesting_does_not_overflow_the_stack() {
    for depth in [1, 10, 100, 300, 1_000, 3_000, 10_000] {
        for text in nested(depth) {
            let shown: String = text.chars().take(40).collect();
            let report = checked(text);
            assert!(depth > 100 || !is_too_deep(&report), "{shown} at {depth} is refused");
        }
    }
}

#[test]
fn ten_thousand_brackets_are_told_and_the_rest_is_linted() {
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let sql = format!("DROP TABLE a;\n{deep};\nDROP TABLE \"ü\";\n");
    let findings = ask(&sql).findings();
    let told: Vec<(&str, u32)> =
        findings.iter().map(|finding| (finding.rule.as_str(), finding.span.unwrap().line)).collect();
    assert_eq!(told, [("ban-drop-table", 7), ("syntax-error", 8), ("ban-drop-table", 9)]);
    assert_eq!(findings[1].message, "the statement is nested too deeply to be looked at");
    assert_eq!(findings[2].statement, Some(2));
}

#[test]
fn long_statements_that_people_write_are_linted() {
    let long = [
        format!("INSERT INTO t VALUES {};", vec!["(1, 'a', now())"; 20_000].join(", ")),
        format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, {});",
            (0..1_500).map(|n| format!("c{n} text NOT NULL DEFAULT ''")).collect::<Vec<_>>().join(", ")
        ),
        format!("DELETE FROM t WHERE {};", (0..1_000).map(|n| format!("id = {n}")).collect::<Vec<_>>().join(" OR ")),
        format!("DELETE FROM t WHERE id IN ({});", (0..50_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
        format!(
            "SELECT {} FROM t;",
            (0..300).map(|n| format!("CASE WHEN a = {n} THEN {n} END")).collect::<Vec<_>>().join(", ")
        ),
        format!("CREATE FUNCTION f() RETURNS int AS $$ {} $$ LANGUAGE plpython3u;", "x = (y + z)\n".repeat(3_000)),
        format!("COMMENT ON TABLE t IS '{}';", "Prose - with (brackets, not closed) and $signs. ".repeat(5_000)),
    ];
    for text in long {
        let shown: String = text.chars().take(40).collect();
        let report = checked(text);
        assert!(!is_too_deep(&report) && !report.has_syntax_errors, "{shown}");
    }
}

#[test]
fn large_revisions_get_an_answer_that_is_not_too_large() {
    let statements: String =
        (0..20_000).map(|n| format!("ALTER TABLE t{n} DROP COLUMN c, ALTER COLUMN d TYPE int;\n")).collect();
    let report = ask(&statements).report();
    let count = |rule: &str| report.findings.iter().filter(|finding| finding.rule == rule).count();
    assert_eq!((count("ban-drop-column"), count("changing-column-type")), (250, 250));
    let told =
        report.findings.iter().filter(|finding| finding.message.contains("(and at 19999 further places)")).count();
    assert_eq!(told, 3, "once a rule");
    assert_eq!(report.locks.len(), 5_000);

    let rows = format!("INSERT INTO ward VALUES (1, 'aé');{}\n", " INSERT INTO ward VALUES (1, 'aé');".repeat(150_000));
    assert!(rows.len() > 5_000_000);
    let report = ask(&rows).report();
    assert_eq!((report.findings.len(), report.locks.len()), (0, 1));
}

#[test]
fn many_findings_on_one_long_line_are_placed() {
    let sql = "/* é */ DROP TABLE a; ".repeat(20_000);
    let report = checked(sql);
    let last = report.findings.iter().rfind(|finding| finding.rule == "ban-drop-table").unwrap();
    assert_eq!((last.line, last.column), (1, 22 * 19_999 + 9));
}

/// Words that mean something to the grammar, in no order.
fn words() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "SELECT",
        "FROM",
        "WHERE",
        "ALTER TABLE",
        "ADD COLUMN",
        "DROP",
        "CASCADE",
        "CREATE",
        "INDEX",
        "CONCURRENTLY",
        "ON",
        "TABLE",
        "VIEW",
        "FUNCTION",
        "RETURNS",
        "LANGUAGE sql",
        "AS",
        "$$",
        "$a$",
        "'",
        "\"",
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        "--",
        "\n",
        "/*",
        "*/",
        "BEGIN",
        "ATOMIC",
        "END",
        "COMMIT",
        "NOT",
        "NULL",
        "DEFAULT",
        "CHECK",
        "UNIQUE",
        "PRIMARY KEY",
        "REFERENCES",
        "VALID",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "WITH",
        "UPDATE",
        "SET",
        "DELETE",
        "INSERT INTO",
        "VALUES",
        "GRANT",
        "ALL",
        "TO",
        "PUBLIC",
        "TYPE",
        "ADD VALUE",
        "visit",
        "a.b",
        "ä",
        "🩺",
        "1",
        "1.5e",
        "0x",
        "::",
        "+",
        "-",
        "=",
        "<>",
        "@",
        "?",
        ":",
        ":=",
        "\\",
        "\t",
        "\r\n",
        "\u{0}",
        "\u{feff}",
        "E'\\'",
        "U&'\\00",
        "x'1f'",
        "-- squawk-ignore",
        "-- squawk-ignore-file",
        "ban-drop-table",
        "PARTITION OF",
        "ATTACH PARTITION",
        "USING INDEX",
        "EXPLAIN",
        "DO",
        "LIKE",
    ];
    proptest::collection::vec((0..WORDS.len(), any::<bool>()), 0..80).prop_map(|picked| {
        let mut text = String::new();
        for (word, is_parted) in picked {
            text.push_str(WORDS[word]);
            if is_parted {
                text.push(' ');
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_an_answer(text in ".{0,200}") {
        check_plain(&text, &PlainOptions::default());
    }

    #[test]
    fn any_words_get_an_answer(text in words(), in_transaction in any::<bool>()) {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n").split('\n').count();
        let report = check_plain(&text, &PlainOptions { in_transaction, ..PlainOptions::default() });
        for finding in report.findings {
            prop_assert!((1..=lines).contains(&(finding.line as usize)), "{finding:?}");
            prop_assert!(finding.column >= 1);
        }
    }

    #[test]
    fn any_part_of_what_people_write_gets_an_answer(from in 0_usize..400, length in 0_usize..400) {
        let sql = include_str!("../../../../tests/fixtures/squawk/plain/clinic-functions.sql");
        let characters: String = sql.chars().skip(from).take(length).collect();
        check_plain(&characters, &PlainOptions::default());
    }
}
