use proptest::prelude::*;

use super::*;
use crate::sql::split;

#[test]
fn statements_know_where_they_are() {
    for dialect in Dialect::ALL {
        let sql = "-- é\r\n  SELECT 1;\r\nSELECT 'é'; SELECT\r\n2";
        let places: Vec<_> = split(sql, dialect, 10)
            .unwrap()
            .into_iter()
            .map(|statement| (statement.line, statement.column, statement.terminated, statement.text))
            .collect();
        let expected = [(11, 3, true, "SELECT 1"), (12, 1, true, "SELECT 'é'"), (12, 13, false, "SELECT\r\n2")];
        assert_eq!(places, expected, "{dialect}");
    }
}

#[test]
fn nul_bytes_are_refused() {
    for dialect in Dialect::ALL {
        let error = split("SELECT 'x\n\0", dialect, 3).unwrap_err();
        assert_eq!(error.to_string(), "there is a NUL byte at line 4, column 1");
    }
}

/// A way of reading that takes more than one pass or calls itself would not come to an end here.
#[test]
fn long_texts_are_split_in_one_pass() {
    for piece in [
        "(",
        "BEGIN ",
        "CASE ",
        "IF a THEN ",
        "/*!1 ",
        "/* ",
        "$a",
        "a$",
        "'a' ",
        "E'a'\n",
        "l: ",
        "END ",
        "-- \n",
        "\n",
    ] {
        for opening in ["", "CREATE PROCEDURE p() BEGIN ", "CREATE FUNCTION f() BEGIN ATOMIC ", "DELIMITER $/\n"] {
            let sql = opening.to_owned() + &piece.repeat(50_000);
            for dialect in Dialect::ALL {
                let _ = split(&sql, dialect, 1);
            }
        }
    }
}

/// Text made of the pieces that matter, so that they meet each other often.
fn sql() -> impl Strategy<Value = String> {
    let pieces = vec![
        "create ",
        "temp ",
        "trigger ",
        "begin ",
        "end",
        "explain ",
        ";",
        "; end;",
        "'",
        "''",
        "\"",
        "`",
        "[",
        "]",
        "--",
        "\n",
        "/*",
        "*/",
        " ",
        "a",
        "é",
        "$$",
        "\\",
        "\r\n",
        "\r",
        "create function f() ",
        "begin atomic ",
        "case ",
        "(",
        ")",
        "E'",
        "$a$",
        "$1",
        "copy t from ",
        "stdin",
        "#",
        "/*!1 ",
        "/*+",
        "delimiter //\n",
        "//",
        "\ndelimiter ;\n",
        "delimiter é$\n",
        "é$",
        "if ",
        "then ",
        "loop ",
        "repeat ",
        "until ",
        "while ",
        "do ",
        "for ",
        "each row ",
        "declare ",
        "continue handler for ",
        "not ",
        "atomic ",
        "l: ",
        ".",
        "@",
        ",",
        "returns int ",
        "create procedure p() ",
        "create event e ",
        "load data ",
        "local ",
        "as ",
    ];
    let piece = prop_oneof![9 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn tokens_cover_every_byte(sql in sql()) {
        for dialect in Dialect::ALL {
            let mut end = 0;
            for token in Tokens::new(&sql, LexicalRules::of(dialect)) {
                match token {
                    Ok(token) => {
                        prop_assert_eq!(token.start, end);
                        prop_assert!(token.end > token.start && sql.is_char_boundary(token.end));
                        end = token.end;
                    }
                    Err(unclosed) => {
                        prop_assert_eq!(unclosed.start, end);
                        end = sql.len();
                    }
                }
            }
            prop_assert_eq!(end, sql.len());
        }
    }

    /// What is in no statement is blank, ends statements, or is a `DELIMITER` line.
    #[test]
    fn statements_and_gaps_are_the_text(sql in sql()) {
        for dialect in Dialect::ALL {
            let Ok(statements) = split(&sql, dialect, 1) else { continue };
            let tokens: Vec<_> = Tokens::new(&sql, LexicalRules::of(dialect)).map(Result::unwrap).collect();
            let mut end = 0;
            for (index, statement) in statements.iter().enumerate() {
                let range = statement.offset..statement.offset + statement.text.len();
                prop_assert!(end <= range.start && range.start < range.end);
                prop_assert_eq!(&sql[range.clone()], statement.text);
                prop_assert!(statement.terminated || index + 1 == statements.len());
                let gap: Vec<_> = tokens.iter().filter(|token| token.start >= end && token.end <= range.start).collect();
                prop_assert!(index == 0 || gap.iter().any(|token| token.kind == TokenKind::Terminator));
                let edges = [range.start, range.end].map(|at| tokens.iter().any(|token| token.start == at || token.end == at));
                prop_assert_eq!(edges, [true, true]);
                end = range.end;
            }
            for token in tokens {
                let inside = statements.iter().any(|statement| {
                    statement.offset <= token.start && token.end <= statement.offset + statement.text.len()
                });
                let between = token.kind.is_blank() || matches!(
                    token.kind,
                    TokenKind::Hint | TokenKind::Terminator | TokenKind::Semicolon | TokenKind::DelimiterLine
                );
                prop_assert!(inside || between, "{:?} {:?}", token, statements);
            }
        }
    }

    #[test]
    fn statements_are_at_their_line_and_column(sql in sql()) {
        for dialect in Dialect::ALL {
            for statement in split(&sql, dialect, 1).unwrap_or_default() {
                let line = sql.split('\n').nth(statement.line - 1).unwrap();
                let from: String = line.chars().skip(statement.column - 1).collect();
                let first = statement.text.split('\n').next().unwrap();
                prop_assert!(from.starts_with(first), "{:?} {:?}", from, first);
            }
        }
    }

    #[test]
    fn errors_are_at_a_place_of_the_text(sql in sql()) {
        for dialect in Dialect::ALL {
            let Err(error) = split(&sql, dialect, 1) else { continue };
            let (line, column) = error.place();
            let text = sql.split('\n').nth(line - 1).unwrap();
            prop_assert!((1..=text.chars().count()).contains(&column), "{error}");
            prop_assert!(error.help().is_some());
        }
    }

    /// A statement alone is that statement again. What a `DELIMITER` line holds together falls apart without it, and `--` is
    /// a comment in MySQL if the text ends there.
    #[test]
    fn statements_split_to_themselves(sql in sql()) {
        for dialect in Dialect::ALL {
            for statement in split(&sql, dialect, 1).unwrap_or_default() {
                let text = statement.text;
                if dialect == Dialect::Mysql && (sql.to_ascii_lowercase().contains("delimiter") || text.ends_with("--")) {
                    continue;
                }
                let again = split(text, dialect, 1).map(|again| again.iter().map(|one| one.text).collect::<Vec<_>>());
                prop_assert_eq!(again, Ok(vec![text]));
                if !statement.terminated {
                    continue;
                }
                let terminated = format!("{text};");
                let again = split(&terminated, dialect, 1).map(|again| again.iter().map(|one| one.text).collect::<Vec<_>>());
                prop_assert_eq!(again, Ok(vec![text]));
            }
        }
    }

    #[test]
    fn no_text_is_too_strange(sql in any::<String>()) {
        for dialect in Dialect::ALL {
            for statement in split(&sql, dialect, 1).unwrap_or_default() {
                prop_assert!(statement.first_words(3).len() <= 3);
            }
        }
    }
}
