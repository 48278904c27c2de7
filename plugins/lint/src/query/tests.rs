use super::*;
use crate::lexeme::Lexemes;

fn check(dialect: Dialect, text: &str) -> Option<String> {
    let lexemes: Vec<Lexeme> = Lexemes::new(text, dialect).filter(|lexeme| lexeme.kind != Kind::Comment).collect();
    Queries::new(dialect).check(text, &lexemes, 0).map(|unread| format!("{:?} {}", unread.span, unread.expected))
}

#[test]
fn what_the_database_would_refuse_is_found() {
    let found = check(Dialect::Sqlite, "SELECT a FROM b WHERE (c = 1").unwrap();
    assert!(found.starts_with("28..28 expected "), "{found}");
    let found = check(Dialect::Mysql, "UPDATE ä SET b = = 1").unwrap();
    assert!(found.starts_with("18..19 "), "{found}");
    let found = check(Dialect::Mysql, "SELECT 1 2").unwrap();
    assert!(found.starts_with("9..10 "), "{found}");
    let found = check(Dialect::Sqlite, "SELECT\n  1\n  2 3").unwrap();
    assert!(found.starts_with("13..14 "), "{found}");
}

#[test]
fn depth_and_length_are_bounded() {
    let nested =
        |open: &str, close: &str, count: usize| format!("SELECT {}1{}", open.repeat(count), close.repeat(count));
    for (open, close) in [
        ("(", ")"),
        ("f(", ")"),
        ("CASE WHEN ", " THEN 1 END"),
        ("(SELECT ", ")"),
        ("NOT ", ""),
        ("- ", ""),
        ("a IN (", ")"),
    ] {
        for dialect in [Dialect::Sqlite, Dialect::Mysql] {
            assert_eq!(check(dialect, &nested(open, close, 8)), None, "{open}");
            let deep = check(dialect, &nested(open, close, 10_000));
            assert!(deep.is_none_or(|said| said.contains("levels of")), "{open}");
        }
    }
    // As deep as long, if it were parsed.
    for chain in ["1 + ", "a AND ", "a || ", "a = ", "NOT a OR ", "a IS NULL AND "] {
        assert_eq!(check(Dialect::Sqlite, &format!("SELECT {}1", chain.repeat(20_000))), None, "{chain}");
    }
    assert_eq!(check(Dialect::Mysql, &format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(20_000))), None);
    assert_eq!(check(Dialect::Mysql, &format!("SELECT 1{}", " UNION SELECT 1, 2".repeat(150))), None);
}

#[test]
fn statements_of_one_shape_are_parsed_once() {
    let mut queries = Queries::new(Dialect::Sqlite);
    for number in 0..100 {
        let text = format!("UPDATE a SET b = '{number}' WHERE c = {number}");
        let lexemes: Vec<Lexeme> = Lexemes::new(&text, Dialect::Sqlite).collect();
        assert_eq!(queries.check(&text, &lexemes, 0), None);
    }
    assert_eq!(queries.seen.len(), 1);
}
