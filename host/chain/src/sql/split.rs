//! Cuts SQL into statements.
//!
//! The tokens of the dialect go through a state machine of the dialect, which says of each whether it ends its statement.
//! This knows as little of a statement as it takes to find its end: a parser would have to know all that each version of a
//! server understands, and could not cut what it can't read.

mod mysql;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

use super::client_command::Client;
use super::lexical::LexicalRules;
use super::split_error::{DelimiterFault, SplitError};
use super::statement::Statement;
use super::tokens::{Token, TokenKind, Tokens, UnclosedAt, delimiter};
use crate::dialect::Dialect;
use crate::position::Cursor;

/// Cuts SQL into its statements; `first_line` is the number of its first line in the file. What holds nothing but comments
/// and white space is no statement.
///
/// - A SQLite trigger ends where `sqlite3_complete` says: at the `;` after an `END` that itself follows a `;`.
/// - A PostgreSQL statement ends at a `;` that is neither in parentheses nor between `BEGIN ATOMIC` and its `END`, which is
///   what `psql` does. `standard_conforming_strings` is taken to be on, as it is unless somebody turns it off.
/// - A MySQL statement ends at a `;` that is not inside of a compound statement, or at what a `DELIMITER` line says. The SQL
///   modes `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES` are taken to be off, as they are unless somebody turns them on.
///
/// # Errors
/// [`SplitError`] if something is never closed, or if there is something that only a client program understands.
pub fn split(sql: &str, dialect: Dialect, first_line: usize) -> Result<Vec<Statement<'_>>, SplitError> {
    let source = Source { sql, first_line };
    if let Some(offset) = sql.find('\0') {
        let (line, column) = source.place(offset);
        return Err(SplitError::Nul { line, column });
    }
    match dialect {
        Dialect::Sqlite => cut::<sqlite::State>(source, dialect),
        Dialect::Postgres => cut::<postgres::Machine>(source, dialect),
        Dialect::Mysql => cut::<mysql::Machine>(source, dialect),
    }
}

/// The SQL that is split, and where it comes from.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    sql: &'a str,
    first_line: usize,
}

impl<'a> Source<'a> {
    fn text(&self, token: Token) -> &'a str {
        self.sql.get(token.start..token.end).unwrap_or_default()
    }

    /// Line and column of an offset. Goes through the text from its beginning, so it is for errors.
    fn place(&self, offset: usize) -> (usize, usize) {
        Cursor::new(self.sql, self.first_line).advance(offset)
    }

    fn unclosed(&self, unclosed: UnclosedAt) -> SplitError {
        let (line, column) = self.place(unclosed.start);
        SplitError::Unclosed { what: unclosed.what, line, column }
    }

    fn delimiter(&self, fault: DelimiterFault, offset: usize) -> SplitError {
        let (line, column) = self.place(offset);
        SplitError::Delimiter { fault, line, column }
    }

    /// The backslash at an offset as an error.
    fn client_command(&self, client: Client, offset: usize) -> SplitError {
        let command = client.command(self.sql.get(offset..).unwrap_or_default()).to_owned();
        let (line, column) = self.place(offset);
        SplitError::ClientCommand { client, command, line, column }
    }
}

/// Whether a token is part of its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// It is, or it is between statements.
    Goes,
    /// It ends it.
    Ends,
}

/// Follows one statement from its first token; its default is the state before that one.
trait StatementMachine: Default {
    /// Takes the next token that is not blank.
    fn take(&mut self, token: Token, source: &Source<'_>) -> Result<Flow, SplitError>;

    /// What is still open, for a statement that begins at `start`.
    fn unclosed(&self, start: usize) -> Option<UnclosedAt>;
}

fn cut<Machine: StatementMachine>(source: Source<'_>, dialect: Dialect) -> Result<Vec<Statement<'_>>, SplitError> {
    let mut cursor = Cursor::new(source.sql, source.first_line);
    let mut statements = Vec::new();
    let mut close = |(offset, end): (usize, usize), terminated: bool| {
        let (line, column) = cursor.advance(offset);
        let text = source.sql.get(offset..end).unwrap_or_default();
        statements.push(Statement { text, offset, line, column, terminated, dialect });
    };
    let mut machine = Machine::default();
    let mut span: Option<(usize, usize)> = None;
    for token in Tokens::new(source.sql, LexicalRules::of(dialect)) {
        let token = token.map_err(|unclosed| source.unclosed(unclosed))?;
        match token.kind {
            kind if kind.is_blank() => continue,
            // The server has a use for a hint only after a keyword, and refuses a `;` alone.
            TokenKind::Hint | TokenKind::Semicolon if span.is_none() => continue,
            TokenKind::DelimiterLine => {
                check_delimiter_line(&source, token, &machine, span)?;
                continue;
            }
            _ => {}
        }
        if machine.take(token, &source)? == Flow::Ends {
            machine = Machine::default();
            if let Some(span) = span.take() {
                close(span, true);
            }
        } else if token.kind != TokenKind::Semicolon {
            span = Some((span.map_or(token.start, |(start, _)| start), token.end));
        }
    }
    if let Some((start, end)) = span {
        if let Some(unclosed) = machine.unclosed(start) {
            return Err(source.unclosed(unclosed));
        }
        close((start, end), false);
    }
    Ok(statements)
}

fn check_delimiter_line<Machine: StatementMachine>(
    source: &Source<'_>,
    token: Token,
    machine: &Machine,
    span: Option<(usize, usize)>,
) -> Result<(), SplitError> {
    if let Some(unclosed) = span.and_then(|(start, _)| machine.unclosed(start)) {
        return Err(source.unclosed(unclosed));
    }
    let line = source.text(token);
    match delimiter(line) {
        Some(_) => Ok(()),
        None if line.split_whitespace().nth(1).is_none() => Err(source.delimiter(DelimiterFault::Missing, token.start)),
        None => Err(source.delimiter(DelimiterFault::QuoteOrBackslash, token.start)),
    }
}
