//! Why SQL cannot be cut into statements, and what to do about it.

use std::fmt;

use super::client_command::Client;
use super::tokens::Unclosed;

/// Why SQL cannot be cut into statements. Lines are counted like the first line that was given, columns in characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Something is opened and never closed.
    #[error("the {what} that begins at line {line}, column {column} is never closed")]
    Unclosed {
        /// What it is.
        what: Unclosed,
        /// The line it begins at.
        line: usize,
        /// The column it begins at.
        column: usize,
    },
    /// A command of a client program, which the server does not know.
    #[error("`{command}` at line {line}, column {column} is a command of the program `{client}`, not SQL")]
    ClientCommand {
        /// Whose command it is.
        client: Client,
        /// The command as it is written, with its backslash if it has one.
        command: String,
        /// The line it is at.
        line: usize,
        /// The column it is at.
        column: usize,
    },
    /// `COPY … FROM STDIN`.
    #[error("the `COPY` at line {line}, column {column} reads its rows from the client, which has none to send")]
    CopyFromClient {
        /// The line of `COPY`.
        line: usize,
        /// The column of `COPY`.
        column: usize,
    },
    /// `COPY … TO STDOUT`.
    #[error("the `COPY` at line {line}, column {column} sends its rows to the client, which does not take any")]
    CopyToClient {
        /// The line of `COPY`.
        line: usize,
        /// The column of `COPY`.
        column: usize,
    },
    /// `LOAD DATA LOCAL INFILE`.
    #[error("the `LOAD … LOCAL INFILE` at line {line}, column {column} reads a file of the client, which sends none")]
    LoadFromClient {
        /// The line of `LOAD`.
        line: usize,
        /// The column of `LOAD`.
        column: usize,
    },
    /// A `DELIMITER` line that sets nothing.
    #[error("the `DELIMITER` at line {line}, column {column} {fault}")]
    Delimiter {
        /// What is wrong with it.
        fault: DelimiterFault,
        /// The line of `DELIMITER`.
        line: usize,
        /// The column of `DELIMITER`.
        column: usize,
    },
    /// A character that ends texts inside of servers.
    #[error("there is a NUL byte at line {line}, column {column}")]
    Nul {
        /// The line it is at.
        line: usize,
        /// The column it is at.
        column: usize,
    },
}

/// What is wrong with a `DELIMITER` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelimiterFault {
    /// Nothing follows.
    Missing,
    /// A quote or backslash in it would hide where strings end.
    QuoteOrBackslash,
    /// The statement before has not been ended.
    InStatement,
}

impl fmt::Display for DelimiterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "names no delimiter",
            Self::QuoteOrBackslash => "names one with a quote or a backslash in it",
            Self::InStatement => "stands inside of a statement that was not ended",
        })
    }
}

impl SplitError {
    /// Line and column that it is about.
    pub fn place(&self) -> (usize, usize) {
        match *self {
            Self::Unclosed { line, column, .. }
            | Self::ClientCommand { line, column, .. }
            | Self::CopyFromClient { line, column }
            | Self::CopyToClient { line, column }
            | Self::LoadFromClient { line, column }
            | Self::Delimiter { line, column, .. }
            | Self::Nul { line, column } => (line, column),
        }
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Unclosed { what, .. } => unclosed_help(*what),
            Self::ClientCommand { client, command, .. } => client.help(command),
            Self::CopyFromClient { .. } => {
                "write the rows as `INSERT`, or let the server read them: `COPY … FROM '/a/file'`"
            }
            Self::CopyToClient { .. } => "take it out, or let the server write a file: `COPY … TO '/a/file'`",
            Self::LoadFromClient { .. } => {
                "write the rows as `INSERT`, or leave out `LOCAL` to load a file of the server"
            }
            Self::Delimiter { fault, .. } => match fault {
                DelimiterFault::Missing | DelimiterFault::QuoteOrBackslash => "write for example `DELIMITER //`",
                DelimiterFault::InStatement => "end the statement before it, with the delimiter in force",
            },
            Self::Nul { .. } => "take it out; binary data is written in hexadecimal",
        };
        Some(help.to_owned())
    }
}

fn unclosed_help(what: Unclosed) -> &'static str {
    match what {
        Unclosed::String | Unclosed::QuotedName => {
            "close it with the same quote; a quote inside of it is written twice"
        }
        Unclosed::Comment => "close it with `*/`; in PostgreSQL, each `/*` inside of it needs a `*/` of its own",
        Unclosed::ConditionalComment => {
            "close it with `*/`; what is inside is SQL, so quotes must be closed there as well"
        }
        Unclosed::Hint => "close it with `*/`",
        Unclosed::DollarQuote => "close it with the same tag, in the same case",
        Unclosed::Trigger => "write `END;` after its last statement, which needs a `;` of its own",
        Unclosed::Block => "write its `END`; each statement in it needs a `;` of its own",
        Unclosed::Compound => "write its end, for example `END IF;`; each statement in it needs a `;` of its own",
    }
}
