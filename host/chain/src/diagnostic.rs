//! What is wrong with a revision file, as plain data: rendering is left to whoever shows it.

use std::fmt;

use crate::fault::Fault;
use crate::position::Span;

/// One thing that is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as it is shown to people, for example `migrations/a1b2_add_email.sql`.
    pub file: String,
    /// The line it is found at, counted from 1.
    pub line: usize,
    /// The column it starts at, in characters, counted from 1.
    pub column: usize,
    /// How many characters to underline, at least 1.
    pub length: usize,
    /// The text of that line, when there is one; further lines around it may be given with it.
    pub source_line: Option<String>,
    /// How many lines of `source_line` come before the line.
    pub lines_before: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// A few words to print under the underlined text.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// What kind of problem it is.
    pub fault: Fault,
}

impl Problem {
    /// A problem at a place of a file whose line is known.
    pub(crate) fn at(file: &str, span: Span, source_line: &str, fault: Fault, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: span.line,
            column: span.column,
            length: span.length,
            source_line: Some(source_line.to_owned()),
            lines_before: 0,
            message: message.into(),
            label: None,
            help: None,
            fault,
        }
    }

    /// A problem with a file as a whole, of which no text could be read.
    pub(crate) fn of_file(file: &str, fault: Fault, message: impl Into<String>) -> Self {
        let whole = Span { line: 1, column: 1, length: 1 };
        Self { source_line: None, ..Self::at(file, whole, "", fault, message) }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// Every problem found in a chain, sorted by file, line and column; never empty when it is given as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts the problems by file, line and column.
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        Self(problems)
    }

    /// The problems in order.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in order, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "problem" } else { "problems" };
        write!(f, "{} {noun} in the chain", self.0.len())?;
        for problem in &self.0 {
            write!(f, "\n{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_listed_by_file_and_line() {
        let problem =
            |file: &str, line| Problem::at(file, Span { line, column: 4, length: 1 }, "-- x", Fault::Cycle, "wrong");
        let problems = Problems::new(vec![problem("b.sql", 1), problem("a.sql", 10), problem("a.sql", 9)]);
        assert_eq!(
            problems.to_string(),
            "3 problems in the chain\na.sql:9:4: wrong\na.sql:10:4: wrong\nb.sql:1:4: wrong"
        );
        assert_eq!(Problems::new(vec![problem("a.sql", 1)]).to_string().lines().next(), Some("1 problem in the chain"));
    }
}
