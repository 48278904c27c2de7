//! Where statements of SQLite end.

use super::{Flow, Source, StatementMachine};
use crate::sql::split_error::SplitError;
use crate::sql::tokens::{Token, TokenKind, Unclosed, UnclosedAt};

/// The states of `sqlite3_complete` between two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// Between two statements.
    #[default]
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

impl StatementMachine for State {
    fn take(&mut self, token: Token, source: &Source<'_>) -> Result<Flow, SplitError> {
        *self = self.after(source, token);
        Ok(if *self == Self::Start { Flow::Ends } else { Flow::Goes })
    }

    fn unclosed(&self, start: usize) -> Option<UnclosedAt> {
        let open = matches!(self, Self::Trigger | Self::Semicolon);
        open.then_some(UnclosedAt { what: Unclosed::Trigger, start })
    }
}

impl State {
    fn after(self, source: &Source<'_>, token: Token) -> Self {
        let semicolon = token.kind == TokenKind::Terminator;
        let text = source.text(token);
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
    use crate::dialect::Dialect;
    use crate::sql::split;

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
    fn what_is_not_closed_is_shown_where_it_begins() {
        for (sql, message) in [
            ("SELECT 1;\n SELECT 'x;", "the string that begins at line 6, column 9 is never closed"),
            ("/* x", "the comment that begins at line 5, column 1 is never closed"),
            ("\n\n a \"x", "the quoted name that begins at line 7, column 4 is never closed"),
            ("CREATE TRIGGER t BEGIN SELECT 1;\n", "the trigger that begins at line 5, column 1 is never closed"),
        ] {
            assert_eq!(split(sql, Dialect::Sqlite, 5).unwrap_err().to_string(), message);
        }
    }
}
