//! The statements of plans and revisions, and places in them.

use crate::Direction;
use crate::Plan;
use crate::Source;
use crate::Statement;
use crate::Step;

impl Plan {
    /// The steps whose SQL will run: all but those that an environment policy has skipped.
    pub fn steps_to_run(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| !step.skipped)
    }

    /// Every statement that will run, in its order, with its step.
    pub fn statements(&self) -> impl Iterator<Item = (&Step, &Statement)> {
        self.steps_to_run().flat_map(|step| step.statements.iter().map(move |statement| (step, statement)))
    }
}

impl Source {
    /// Every statement of the file: those of the up section, then those of the down section.
    pub fn statements(&self) -> impl Iterator<Item = (Direction, &Statement)> {
        let up = self.up.iter().map(|statement| (Direction::Up, statement));
        up.chain(self.down.iter().flatten().map(|statement| (Direction::Down, statement)))
    }

    /// Line and column of the first occurrence of a text in the file, both from 1, the column in characters.
    pub fn place_of(&self, text: &str) -> Option<(u32, u32)> {
        self.text.find(text).map(|offset| advance(&self.text, offset, 1, 1))
    }
}

impl Statement {
    /// Its first word in capitals, as in `ALTER`; empty if it begins with something else.
    pub fn keyword(&self) -> String {
        let end = self.text.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(self.text.len());
        self.text[..end].to_ascii_uppercase()
    }

    /// Line and column in the revision's file of a byte of the statement's text, both from 1, the column in characters.
    pub fn place_at(&self, offset: usize) -> (u32, u32) {
        advance(&self.text, offset, self.line, self.column)
    }
}

/// The place `offset` bytes after the beginning of a text that begins at a line and a column.
fn advance(text: &str, offset: usize, line: u32, column: u32) -> (u32, u32) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    match before.rfind('\n') {
        Some(last) => {
            let lines = count(before.matches('\n').count());
            (line.saturating_add(lines), count(before[last + 1..].chars().count()).saturating_add(1))
        }
        None => (line, column.saturating_add(count(before.chars().count()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_the_beginning_of_the_file() {
        let statement = Statement { text: "ALTER TABLE ä\n  DROP naïve".to_owned(), line: 10, column: 3 };
        assert_eq!(statement.keyword(), "ALTER");
        let place = |text: &str| statement.place_at(statement.text.find(text).unwrap());
        assert_eq!(place("ALTER"), (10, 3));
        assert_eq!(place("ä"), (10, 15));
        assert_eq!(place("DROP"), (11, 3));
        assert_eq!(place("ve"), (11, 11));
        assert_eq!(statement.place_at(13), (10, 15), "the middle of a character is its beginning");
        assert_eq!(statement.place_at(usize::MAX), (11, 13));
    }

    #[test]
    fn a_statement_may_begin_with_anything() {
        for text in ["", "(SELECT 1)", "/* x */ DROP", "é"] {
            assert_eq!(Statement { text: text.to_owned(), line: 1, column: 1 }.keyword(), "");
        }
    }
}
