//! Cuts SQL into statements.

use super::lexical::LexicalRules;
use super::tokens::{Token, TokenKind, Tokens, Unclosed, UnclosedAt};
use crate::dialect::Dialect;
use crate::position::Cursor;

/// One statement, located in the file it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The statement without the comments and white space around it, and without its `;`.
    pub text: &'a str,
    /// Where it begins in the SQL that was split, in bytes.
    pub offset: usize,
    /// The line it begins at, counted like the first line that was given.
    pub line: usize,
    /// The column it begins at, in characters, counted from 1.
    pub column: usize,
    /// Whether a `;` ends it; only the last statement may go without.
    pub terminated: bool,
    /// The dialect it was split for.
    pub dialect: Dialect,
}

impl Statement<'_> {
    /// The first words in upper case, for example `["CREATE", "TABLE"]`; stops at anything that is not a keyword, a name
    /// or a number. Comments are skipped.
    pub fn first_words(&self, count: usize) -> Vec<String> {
        Tokens::new(self.text, LexicalRules::of(self.dialect))
            .map_while(Result::ok)
            .filter(|token| !matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment))
            .take_while(|token| token.kind == TokenKind::Word)
            .take(count)
            .filter_map(|token| self.text.get(token.start..token.end))
            .map(str::to_ascii_uppercase)
            .collect()
    }
}

/// Why SQL cannot be cut into statements.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Something is opened and never closed.
    #[error("the {what} that begins at line {line}, column {column} is never closed")]
    Unclosed {
        /// What it is.
        what: Unclosed,
        /// The line it begins at, counted like the first line that was given.
        line: usize,
        /// The column it begins at, in characters, counted from 1.
        column: usize,
    },
    /// The rules of the dialect are not known yet.
    #[error("statements of the dialect `{0}` cannot be told apart yet")]
    Unsupported(Dialect),
}

/// Cuts SQL into its statements; `first_line` is the number of its first line in the file. What holds nothing but comments
/// and white space is no statement.
///
/// A SQLite trigger ends where `sqlite3_complete` says: at the `;` after an `END` that itself follows a `;`.
///
/// # Errors
/// [`SplitError`] if a string, comment or trigger is never closed, or the dialect is not supported.
pub fn split(sql: &str, dialect: Dialect, first_line: usize) -> Result<Vec<Statement<'_>>, SplitError> {
    if dialect != Dialect::Sqlite {
        return Err(SplitError::Unsupported(dialect));
    }
    let mut cursor = Cursor::new(sql, first_line);
    let mut statements = Vec::new();
    let mut state = State::Start;
    let mut span: Option<(usize, usize)> = None;
    let mut close = |span: Option<(usize, usize)>, terminated: bool| {
        let Some((offset, end)) = span else { return };
        let (line, column) = cursor.advance(offset);
        let text = sql.get(offset..end).unwrap_or_default();
        statements.push(Statement { text, offset, line, column, terminated, dialect });
    };
    for token in Tokens::new(sql, LexicalRules::of(dialect)) {
        let token = token.map_err(|unclosed| locate(sql, first_line, unclosed))?;
        if matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment) {
            continue;
        }
        state = state.after(sql, token);
        if state == State::Start {
            close(span.take(), true);
        } else {
            span = Some((span.map_or(token.start, |(start, _)| start), token.end));
        }
    }
    if let (State::Trigger | State::Semicolon, Some((start, _))) = (state, span) {
        return Err(locate(sql, first_line, UnclosedAt { what: Unclosed::Trigger, start }));
    }
    close(span, false);
    Ok(statements)
}

fn locate(sql: &str, first_line: usize, unclosed: UnclosedAt) -> SplitError {
    let (line, column) = Cursor::new(sql, first_line).advance(unclosed.start);
    SplitError::Unclosed { what: unclosed.what, line, column }
}

/// The states of `sqlite3_complete` between two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two statements.
    Start,
    /// In a statement that the next `;` ends.
    Normal,
    /// After `EXPLAIN`, and `QUERY PLAN` if it follows.
    Explain,
    /// After `CREATE`, and `TEMP` if it follows.
    Create,
    /// In the body of a trigger.
    Trigger,
    /// After a `;` in the body of a trigger.
    Semicolon,
    /// After a `;` and `END` in the body of a trigger.
    End,
}

impl State {
    fn after(self, sql: &str, token: Token) -> Self {
        let semicolon = token.kind == TokenKind::Semicolon;
        let text = sql.get(token.start..token.end).unwrap_or_default();
        let is =
            |words: &[&str]| token.kind == TokenKind::Word && words.iter().any(|word| word.eq_ignore_ascii_case(text));
        match self {
            Self::Trigger | Self::Semicolon if semicolon => Self::Semicolon,
            _ if semicolon => Self::Start,
            Self::Start | Self::Explain if is(&["CREATE"]) => Self::Create,
            Self::Start if is(&["EXPLAIN"]) => Self::Explain,
            Self::Explain if is(&["QUERY", "PLAN"]) => Self::Explain,
            Self::Create if is(&["TEMP", "TEMPORARY"]) => Self::Create,
            Self::Create if is(&["TRIGGER"]) => Self::Trigger,
            Self::Semicolon if is(&["END"]) => Self::End,
            Self::Trigger | Self::Semicolon | Self::End => Self::Trigger,
            Self::Start | Self::Normal | Self::Explain | Self::Create => Self::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(sql: &str) -> Vec<&str> {
        split(sql, Dialect::Sqlite, 1).unwrap().into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn statements_end_at_semicolons_that_count() {
        for (sql, expected) in [
            ("", vec![]),
            (" -- nothing\n ; /* at all */ ;;", vec![]),
            ("SELECT 1", vec!["SELECT 1"]),
            ("SELECT ';', \";\", `;`, [;]; -- ;\nSELECT 2 /* ; */ ;", vec!["SELECT ';', \";\", `;`, [;]", "SELECT 2"]),
            (
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; SELECT 1; END; SELECT 3;",
                vec![
                    "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; SELECT 1; END",
                    "SELECT 3",
                ],
            ),
            (
                "explain query plan create trigger t begin select 1; end",
                vec!["explain query plan create trigger t begin select 1; end"],
            ),
            ("CREATE TABLE trigger_log (a); END; BEGIN;", vec!["CREATE TABLE trigger_log (a)", "END", "BEGIN"]),
            (
                "CREATE /* x */ TRIGGER t BEGIN SELECT 1; -- END;\n END;",
                vec!["CREATE /* x */ TRIGGER t BEGIN SELECT 1; -- END;\n END"],
            ),
        ] {
            assert_eq!(texts(sql), expected, "{sql}");
        }
    }

    #[test]
    fn statements_know_where_they_are() {
        let sql = "-- é\n  SELECT 1;\nSELECT 'é'; SELECT\n2";
        let places: Vec<_> = split(sql, Dialect::Sqlite, 10)
            .unwrap()
            .into_iter()
            .map(|statement| (statement.line, statement.column, statement.terminated))
            .collect();
        assert_eq!(places, [(11, 3, true), (12, 1, true), (12, 13, false)]);
    }

    #[test]
    fn what_is_not_closed_is_shown_where_it_begins() {
        for (sql, message) in [
            ("SELECT 1;\n SELECT 'x;", "the string that begins at line 6, column 9 is never closed"),
            ("/* x", "the comment that begins at line 5, column 1 is never closed"),
            ("\n\n a \"x", "the quoted name that begins at line 7, column 4 is never closed"),
            ("CREATE TRIGGER t BEGIN SELECT 1;\n", "the trigger that begins at line 5, column 1 is never closed"),
        ] {
            assert_eq!(split(sql, Dialect::Sqlite, 5).unwrap_err().to_string(), message);
        }
        assert_eq!(split("", Dialect::Mysql, 1), Err(SplitError::Unsupported(Dialect::Mysql)));
    }

    #[test]
    fn first_words_skip_comments() {
        let statements = split("create /* x */ Table a(b int)", Dialect::Sqlite, 1).unwrap();
        assert_eq!(statements[0].first_words(9), ["CREATE", "TABLE", "A"]);
        assert_eq!(statements[0].first_words(2), ["CREATE", "TABLE"]);
    }

    /// Text made of the pieces that matter, so that they meet each other often.
    fn sql() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "create", "temp", "trigger", "begin", "end", "explain", ";", "; end;", "'", "''", "\"", "`", "[", "]",
                "--", "\n", "/*", "*/", " ", "a", "é", "$$", "\\", "\r\n",
            ])
            .prop_map(str::to_owned),
            any::<char>().prop_map(String::from),
        ];
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

        #[test]
        fn statements_and_gaps_are_the_text(sql in sql()) {
            let Ok(statements) = split(&sql, Dialect::Sqlite, 1) else { return Ok(()) };
            let mut rebuilt = String::new();
            for (index, statement) in statements.iter().enumerate() {
                let gap = &sql[rebuilt.len()..statement.offset];
                let semicolons = Tokens::new(gap, LexicalRules::of(Dialect::Sqlite)).map(Result::unwrap).filter(|token| {
                    assert!(!matches!(token.kind, TokenKind::Word | TokenKind::Quoted | TokenKind::Symbol), "{gap:?}");
                    token.kind == TokenKind::Semicolon
                });
                prop_assert!(index == 0 || semicolons.count() > 0);
                rebuilt.push_str(gap);
                rebuilt.push_str(statement.text);
                prop_assert!(statement.terminated || index + 1 == statements.len());
                prop_assert!(!statement.text.is_empty());
            }
            let rest = sql[rebuilt.len()..].to_owned();
            prop_assert_eq!(rebuilt + &rest, sql);
        }

        #[test]
        fn statements_are_at_their_line_and_column(sql in sql()) {
            for statement in split(&sql, Dialect::Sqlite, 1).unwrap_or_default() {
                let line = sql.split('\n').nth(statement.line - 1).unwrap();
                let from: String = line.chars().skip(statement.column - 1).collect();
                let first = statement.text.split('\n').next().unwrap();
                prop_assert!(from.starts_with(first), "{:?} {:?}", from, first);
            }
        }
    }
}
