//! Where statements of PostgreSQL end.

use super::{Flow, Source, StatementMachine};
use crate::sql::client_command::Client;
use crate::sql::split_error::SplitError;
use crate::sql::tokens::{Token, TokenKind, Unclosed, UnclosedAt};

/// Counts what a `;` does not end.
#[derive(Debug, Default)]
pub(super) struct Machine {
    lead: Lead,
    parentheses: usize,
    body: Body,
}

/// What is known from the first words of a statement.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Lead {
    #[default]
    Start,
    Create,
    CreateOr,
    /// After `CREATE [OR REPLACE] FUNCTION | PROCEDURE`.
    Routine,
    /// After the `COPY` at this offset.
    Copy(usize),
    /// After the `FROM` or `TO` of the `COPY` at this offset.
    CopyWith {
        copy: usize,
        from: bool,
    },
    Other,
}

/// The body of a routine that is written as SQL instead of as a string.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Body {
    #[default]
    None,
    /// After the `BEGIN` at this offset, which begins a body if `ATOMIC` follows.
    Begin(usize),
    /// In the body that begins at this offset. Each of its statements ends with `;`, so an `END` that closes it follows
    /// either that or `ATOMIC`; any other closes a `CASE` or is a name.
    Atomic { start: usize, end_may_follow: bool },
}

impl StatementMachine for Machine {
    fn take(&mut self, token: Token, source: &Source<'_>) -> Result<Flow, SplitError> {
        let text = source.text(token);
        match (token.kind, text) {
            (TokenKind::Terminator, _) => return Ok(self.semicolon()),
            (TokenKind::Symbol, "\\") => return Err(source.client_command(Client::Psql, token.start)),
            (TokenKind::Symbol, "(") => self.parentheses += 1,
            (TokenKind::Symbol, ")") => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        let word = if token.kind == TokenKind::Word { text } else { "" };
        self.follow_lead(word, token, source)?;
        self.follow_body(word, token.start);
        Ok(Flow::Goes)
    }

    fn unclosed(&self, _: usize) -> Option<UnclosedAt> {
        match self.body {
            Body::Atomic { start, .. } => Some(UnclosedAt { what: Unclosed::Block, start }),
            Body::None | Body::Begin(_) => None,
        }
    }
}

impl Machine {
    fn semicolon(&mut self) -> Flow {
        match &mut self.body {
            Body::Atomic { end_may_follow, .. } => *end_may_follow = true,
            // Rules hold several statements in parentheses.
            Body::None | Body::Begin(_) if self.parentheses == 0 => return Flow::Ends,
            Body::None | Body::Begin(_) => {}
        }
        Flow::Goes
    }

    /// `word` is empty for what is not a word.
    fn follow_lead(&mut self, word: &str, token: Token, source: &Source<'_>) -> Result<(), SplitError> {
        let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        self.lead = match self.lead {
            Lead::Start if is(&["CREATE"]) => Lead::Create,
            Lead::Start if is(&["COPY"]) => Lead::Copy(token.start),
            Lead::Create if is(&["OR"]) => Lead::CreateOr,
            Lead::CreateOr if is(&["REPLACE"]) => Lead::Create,
            Lead::Create if is(&["FUNCTION", "PROCEDURE"]) => Lead::Routine,
            Lead::Copy(copy) if self.parentheses == 0 && is(&["FROM", "TO"]) => {
                Lead::CopyWith { copy, from: is(&["FROM"]) }
            }
            // The server takes either name for either direction.
            Lead::CopyWith { copy, from } if is(&["STDIN", "STDOUT"]) => {
                let (line, column) = source.place(copy);
                return Err(if from {
                    SplitError::CopyFromClient { line, column }
                } else {
                    SplitError::CopyToClient { line, column }
                });
            }
            lead @ (Lead::Routine | Lead::Copy(_)) => lead,
            _ => Lead::Other,
        };
        Ok(())
    }

    fn follow_body(&mut self, word: &str, start: usize) {
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        self.body = match self.body {
            Body::None | Body::Begin(_) if self.lead == Lead::Routine && self.parentheses == 0 && is("BEGIN") => {
                Body::Begin(start)
            }
            Body::Begin(start) if is("ATOMIC") => Body::Atomic { start, end_may_follow: true },
            Body::None | Body::Begin(_) => Body::None,
            Body::Atomic { end_may_follow: true, .. } if is("END") => Body::None,
            Body::Atomic { start, .. } => Body::Atomic { start, end_may_follow: false },
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::Dialect;
    use crate::sql::{SplitError, split};

    fn texts(sql: &str) -> Vec<&str> {
        split(sql, Dialect::Postgres, 1).unwrap().into_iter().map(|statement| statement.text).collect()
    }

    fn error(sql: &str) -> SplitError {
        split(sql, Dialect::Postgres, 5).expect_err(sql)
    }

    /// Each is one statement, and ends at its own `;`.
    #[test]
    fn statements_with_semicolons_inside() {
        for statement in [
            "SELECT $$;$$, $a$;$$;$b$;$a$, $é_1$;$é_1$",
            "SELECT ';', E';\\';', e'\\\\', U&';', U&\";\", B';', X';', N';', \"a;\"\";\"",
            "SELECT E'a'\n  -- it's\n  'b\\';'",
            "SELECT a /* ; /* ; */ ; */ -- ;\n, b",
            "PREPARE p AS SELECT $1",
            "DO $do$ BEGIN EXECUTE $x$ SELECT 1; $x$; END; $do$",
            "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); INSERT INTO b VALUES (2);)",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
            "CREATE OR REPLACE FUNCTION f(a int DEFAULT (1)) RETURNS int LANGUAGE sql begin atomic; RETURN 1; end",
            "create or replace procedure p() BEGIN /* x */ ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END; \
             INSERT INTO t SELECT (CASE WHEN (a) THEN 1 END); END",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end; SELECT 2 AS case, t.end, t.case FROM t; SELECT \
             \"end\"; SELECT 3 end; SELECT 4 case; END",
            "CREATE PROCEDURE p() BEGIN ATOMIC END",
            "CREATE FUNCTION s.begin(begin int) RETURNS int BEGIN ATOMIC SELECT 1; END",
        ] {
            let sql = format!("{statement};SELECT 2;");
            assert_eq!(texts(&sql), [statement, "SELECT 2"]);
            assert_eq!(texts(statement), [statement]);
        }
    }

    #[test]
    fn statements_end_at_semicolons_that_count() {
        for (sql, expected) in [
            ("", vec![]),
            (";; /* a /* b */ ; */ ; -- c", vec![]),
            ("SELECT a$b$c; SELECT d$b$e", vec!["SELECT a$b$c", "SELECT d$b$e"]),
            ("BEGIN; SELECT 1; END;", vec!["BEGIN", "SELECT 1", "END"]),
            ("SELECT 1); SELECT 2", vec!["SELECT 1)", "SELECT 2"]),
            ("CREATE TABLE atomic (begin int); END;", vec!["CREATE TABLE atomic (begin int)", "END"]),
            (
                "CREATE FUNCTION begin() RETURNS atomic AS 'x'; END",
                vec!["CREATE FUNCTION begin() RETURNS atomic AS 'x'", "END"],
            ),
            ("CREATE VIEW v AS SELECT 1 AS begin; END", vec!["CREATE VIEW v AS SELECT 1 AS begin", "END"]),
            ("/*! SELECT 1; */ SELECT 2", vec!["SELECT 2"]),
            ("SELECT 1 -- x\r\n;\r\nSELECT '\r\n'", vec!["SELECT 1", "SELECT '\r\n'"]),
            ("DELIMITER //\nSELECT 1//; SELECT 2", vec!["DELIMITER //\nSELECT 1//", "SELECT 2"]),
            (
                "COPY t FROM '/a'; COPY t (a, b) FROM PROGRAM 'stdin'; COPY (SELECT 1 FROM stdin) TO '/b'; COPY stdin TO '/b'",
                vec![
                    "COPY t FROM '/a'",
                    "COPY t (a, b) FROM PROGRAM 'stdin'",
                    "COPY (SELECT 1 FROM stdin) TO '/b'",
                    "COPY stdin TO '/b'",
                ],
            ),
        ] {
            assert_eq!(texts(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_is_not_closed_is_shown_where_it_begins() {
        for (sql, message) in [
            ("SELECT 1;\n $a$ $b$;", "the dollar-quoted string that begins at line 6, column 2 is never closed"),
            ("/* /* */", "the comment that begins at line 5, column 1 is never closed"),
            ("SELECT E'\\'", "the string that begins at line 5, column 8 is never closed"),
            ("SELECT '\\'; SELECT '", "the string that begins at line 5, column 20 is never closed"),
            (
                "CREATE FUNCTION f() RETURNS int\n BEGIN ATOMIC SELECT CASE WHEN 1 THEN 2 END;",
                "the `BEGIN … END` body that begins at line 6, column 2 is never closed",
            ),
        ] {
            assert_eq!(error(sql).to_string(), message, "{sql}");
            assert!(error(sql).help().is_some());
        }
        // Parentheses are the server's business.
        assert_eq!(texts("SELECT (1; SELECT 2"), ["SELECT (1; SELECT 2"]);
    }

    #[test]
    fn commands_of_psql_are_refused() {
        for (sql, line, column, command, help) in [
            ("\\connect app\nSELECT 1", 5, 1, "\\connect", "the URL of the database decides"),
            ("SELECT 1;\n  \\i it's.sql\n", 6, 3, "\\i", "put the SQL of that file here"),
            ("\\set a 'b'\n", 5, 1, "\\set", "write the value"),
            ("SELECT '\\c', E'\\\\' /* \\d */ -- \\e\n\\copy t FROM 'a'", 6, 1, "\\copy", "`INSERT`"),
            ("SELECT 1 \\gexec", 5, 10, "\\gexec", "`EXECUTE`"),
            ("SELECT 1 \\g\n", 5, 10, "\\g", "`;`"),
            ("\\restrict abc", 5, 1, "\\restrict", "`pg_dump`"),
            ("\\!ls", 5, 1, "\\!", "take it out"),
        ] {
            let error = error(sql);
            assert_eq!(error.place(), (line, column), "{sql}");
            assert_eq!(
                error.to_string(),
                format!("`{command}` at line {line}, column {column} is a command of the program `psql`, not SQL")
            );
            assert!(error.help().unwrap().contains(help), "{sql}: {:?}", error.help());
        }
    }

    #[test]
    fn rows_do_not_come_from_the_client() {
        for sql in [
            "SELECT 1;\n COPY t FROM STDIN;\n1\tit's\n2\t\\N\n\\.\n",
            "SELECT 1;\n copy binary s.\"to\" (a, b) from /* x */ stdin with (format csv, header);\na,$b$\n\\.\n",
            "SELECT 1;\n COPY t FROM STDOUT",
        ] {
            assert_eq!(error(sql), SplitError::CopyFromClient { line: 6, column: 2 }, "{sql}");
        }
        for sql in ["COPY (SELECT 1 FROM a) TO STDOUT", "COPY t TO stdin WITH CSV;"] {
            assert_eq!(error(sql), SplitError::CopyToClient { line: 5, column: 1 }, "{sql}");
        }
        assert_eq!(error("SELECT '\n\0'"), SplitError::Nul { line: 6, column: 1 });
    }
}
