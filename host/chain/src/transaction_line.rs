//! Where a header says `Transaction`, or would say it.

use crate::header_key::Key;
use crate::position::lines;
use crate::revision::Revision;

/// A line of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLine {
    /// Its number, counted from 1.
    pub number: usize,
    /// Whether the header has the key there; if not, a line with it belongs below this one.
    pub is_written: bool,
}

impl Revision {
    /// The line of the key `Transaction`, or else the last line that holds a key; none if no line of the header does.
    pub fn transaction_line(&self) -> Option<TransactionLine> {
        let end = self.sections().next().map_or(usize::MAX, |section| section.first_line.saturating_sub(1));
        let mut last = None;
        for line in lines(self.source()).take_while(|line| line.number < end) {
            let text = line.text.trim();
            let Some(comment) = line.comment().or_else(|| text.starts_with('#').then_some(text)) else { continue };
            let written = comment.trim().trim_start_matches('#').trim().split(':').next().unwrap_or_default();
            match Key::named(written.trim()) {
                Some(Key::Transaction) => return Some(TransactionLine { number: line.number, is_written: true }),
                Some(_) => last = Some(TransactionLine { number: line.number, is_written: false }),
                None => {}
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use crate::file::parse;

    fn line(header: &str) -> Option<(usize, bool)> {
        let text = format!("{header}\n-- migrate:up\n-- Env: x\nSELECT 1;\n");
        let line = parse("a.sql", text.as_bytes()).unwrap().transaction_line()?;
        Some((line.number, line.is_written))
    }

    #[test]
    fn the_key_is_found_or_its_place() {
        assert_eq!(line("-- T\n-- Revision ID: a\n-- Revises: base\n--\n-- free text\n"), Some((3, false)));
        assert_eq!(line("-- Revises: base\n-- transaction: ON\n-- Revision ID: a"), Some((2, true)));
        assert_eq!(line("-- Revises: base\n-- Revision ID: a\n# env: test\n-- note"), Some((3, false)));
    }
}
