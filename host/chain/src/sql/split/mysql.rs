//! Where statements of MySQL and MariaDB end.
//!
//! The server itself finds the end of a routine's body by parsing it; the client needs `DELIMITER` because it does not.
//! Here, the few words that open and close compound statements are followed instead, so that no `DELIMITER` is needed.
//! Most of these words are names or functions elsewhere (`IF(…)`, `REPEAT(…)`, a column `end`); they count only where a
//! statement may begin.

mod condition;
mod header;
#[cfg(test)]
mod tests;

use condition::Condition;
use header::{Header, Next};

use super::{Flow, Source, StatementMachine};
use crate::sql::client_command::Client;
use crate::sql::split_error::{DelimiterFault, SplitError};
use crate::sql::tokens::{Token, TokenKind, Unclosed, UnclosedAt};

/// Follows the compound statements that are open.
#[derive(Debug, Default)]
pub(super) struct Machine {
    state: State,
    /// The compound statements that wait for their `END`, innermost last.
    open: Vec<UnclosedAt>,
    /// What was there of the condition, if the state is in one.
    condition: Condition,
    /// What comes is the body of a routine.
    in_routine: bool,
    /// Where the token before ends, if it is a `.` or a `@`: a word that follows at once is a name.
    names_at: Option<usize>,
}

/// What may come next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A statement: of the file, of a body, or after a label.
    #[default]
    Statement,
    /// The `:` after a label, or else the rest of a statement.
    Label,
    /// Outside of routines: `NOT ATOMIC` after the `BEGIN` at this offset, or else the rest of a transaction statement.
    Begin(usize),
    BeginNot(usize),
    /// The rest of a statement that has nothing to do with others.
    Rest,
    /// A condition, up to its `THEN` or `DO`.
    Condition,
    /// The condition after `UNTIL`, up to the `END` of the `REPEAT`.
    Until,
    /// So many words of `DECLARE CONTINUE HANDLER FOR` were there.
    Declare(usize),
    /// A condition of a handler.
    Handler,
    /// After `SQLSTATE`, `SQLSTATE VALUE` or `NOT` in a condition of a handler.
    HandlerValue,
    /// A `,` and one more condition, or else the statement of the handler.
    Handled,
    /// `LOCAL` after the `LOAD` at this offset.
    Load(usize),
    Header(Header),
}

impl StatementMachine for Machine {
    fn take(&mut self, token: Token, source: &Source<'_>) -> Result<Flow, SplitError> {
        let text = source.text(token);
        let mut word = "";
        match token.kind {
            TokenKind::Terminator if text != ";" || self.open.is_empty() => return Ok(Flow::Ends),
            TokenKind::Terminator | TokenKind::Semicolon => {
                self.state = State::Statement;
                self.in_routine &= !self.open.is_empty();
                return Ok(Flow::Goes);
            }
            // A conditional comment may hold anything, but half a compound statement is not what people put there.
            TokenKind::Conditional | TokenKind::Hint => return Ok(Flow::Goes),
            // `\N` is NULL.
            TokenKind::Symbol if text == "\\" && source.sql.get(token.end..token.end + 1) != Some("N") => {
                return Err(source.client_command(Client::Mysql, token.start));
            }
            TokenKind::Word if self.names_at != Some(token.start) => word = text,
            _ => {}
        }
        self.names_at = matches!(text, "." | "@").then_some(token.end);
        self.refuse(word, token, source)?;
        self.state = self.after(&word.to_ascii_uppercase(), text, token.start);
        Ok(Flow::Goes)
    }

    fn unclosed(&self, _: usize) -> Option<UnclosedAt> {
        self.open.last().copied()
    }
}

impl Machine {
    /// What only the client understands.
    fn refuse(&self, word: &str, token: Token, source: &Source<'_>) -> Result<(), SplitError> {
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        match self.state {
            State::Load(load) if is("LOCAL") => {
                let (line, column) = source.place(load);
                Err(SplitError::LoadFromClient { line, column })
            }
            State::Statement if is("SOURCE") && !self.in_body() => {
                let (line, column) = source.place(token.start);
                Err(SplitError::ClientCommand { client: Client::Mysql, command: "source".to_owned(), line, column })
            }
            _ if is("DELIMITER") && is_delimiter_line(token, source) => {
                Err(source.delimiter(DelimiterFault::InStatement, token.start))
            }
            _ => Ok(()),
        }
    }

    fn in_body(&self) -> bool {
        self.in_routine || !self.open.is_empty()
    }

    /// The state after a token; `word` is in upper case, and empty for what is not a bare word.
    fn after(&mut self, word: &str, text: &str, start: usize) -> State {
        match self.state {
            State::Statement => self.statement(word, start),
            State::Label if text == ":" => State::Statement,
            State::Begin(begin) if word == "NOT" => State::BeginNot(begin),
            State::BeginNot(begin) if word == "ATOMIC" => self.opens(Unclosed::Block, begin, State::Statement),
            State::Label | State::Begin(_) | State::BeginNot(_) | State::Rest => State::Rest,
            State::Condition => match self.condition.may_end_at(word, text) {
                true if matches!(word, "THEN" | "DO") => State::Statement,
                _ => State::Condition,
            },
            State::Until => match self.condition.may_end_at(word, text) {
                true if word == "END" => self.closes(),
                _ => State::Until,
            },
            State::Declare(words) => declared(words, word),
            State::Handler if matches!(word, "SQLSTATE" | "NOT") => State::HandlerValue,
            State::HandlerValue if word == "VALUE" => State::HandlerValue,
            State::Handler | State::HandlerValue => State::Handled,
            State::Handled if text == "," => State::Handler,
            State::Handled => self.statement(word, start),
            State::Load(load) if matches!(word, "DATA" | "XML" | "LOW_PRIORITY" | "CONCURRENT") => State::Load(load),
            State::Load(_) => State::Rest,
            State::Header(header) => match header.after(word, text) {
                Next::Header(header) => State::Header(header),
                Next::Rest => State::Rest,
                Next::BodyFollows => {
                    self.in_routine = true;
                    State::Statement
                }
                Next::Body => {
                    self.in_routine = true;
                    self.statement(word, start)
                }
            },
        }
    }

    /// The state after the first token of a statement.
    fn statement(&mut self, word: &str, start: usize) -> State {
        let in_body = self.in_body();
        match word {
            "BEGIN" if in_body => self.opens(Unclosed::Block, start, State::Statement),
            "BEGIN" => State::Begin(start),
            "LOOP" | "REPEAT" => self.opens(Unclosed::Compound, start, State::Statement),
            "IF" | "CASE" | "WHILE" | "FOR" => {
                let state = self.condition(State::Condition);
                self.opens(Unclosed::Compound, start, state)
            }
            "ELSEIF" | "WHEN" if in_body => self.condition(State::Condition),
            // `NOT ATOMIC` may follow any `BEGIN` in MariaDB.
            "ELSE" | "NOT" | "ATOMIC" if in_body => State::Statement,
            "UNTIL" if in_body => self.condition(State::Until),
            "END" if in_body => self.closes(),
            "DECLARE" if in_body => State::Declare(1),
            "CREATE" if !in_body => State::Header(Header::Create),
            "ALTER" if !in_body => State::Header(Header::Alter),
            "LOAD" if !in_body => State::Load(start),
            _ => State::Label,
        }
    }

    fn opens(&mut self, what: Unclosed, start: usize, state: State) -> State {
        self.open.push(UnclosedAt { what, start });
        state
    }

    fn condition(&mut self, state: State) -> State {
        self.condition = Condition::default();
        state
    }

    /// `END` may be followed by `IF` and so on, and by a label.
    fn closes(&mut self) -> State {
        self.open.pop();
        State::Rest
    }
}

fn declared(words: usize, word: &str) -> State {
    match (words, word) {
        (1, "CONTINUE" | "EXIT" | "UNDO") | (2, "HANDLER") => State::Declare(words + 1),
        (3, "FOR") => State::Handler,
        _ => State::Rest,
    }
}

/// Whether the word `delimiter` in a statement is meant as a line of its own, rather than as a name: all that follows on the
/// line is a usual delimiter that is no operator.
fn is_delimiter_line(token: Token, source: &Source<'_>) -> bool {
    let blanks = [' ', '\t', '\r'];
    let (before, after) = (source.sql.get(..token.start), source.sql.get(token.end..));
    let (Some(before), Some(after)) = (before, after) else { return false };
    let before = before.trim_end_matches(blanks);
    let argument = after.trim_start_matches(blanks);
    let rest = argument.trim_start_matches(|sign| ";/$@#~%^".contains(sign));
    let delimiter = argument.len() - rest.len();
    let rest = rest.trim_start_matches(blanks);
    (before.is_empty() || before.ends_with('\n'))
        && argument.len() < after.len()
        && (delimiter > 1 || argument.starts_with(';'))
        && (rest.is_empty() || rest.starts_with('\n'))
}
