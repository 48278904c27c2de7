//! Changes of one file, made on its text as it is on disk: line ends and a byte order mark stay as they are.

use std::ops::Range;

use runner_chain::Revision;
use runner_policy::data::Fix;

use crate::lint::places::Places;
use crate::lint::places::number;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file that is being changed.
pub(super) struct Rewrite<'a> {
    text: &'a str,
    places: Places<'a>,
    /// Bytes before the text proper.
    skipped: usize,
    revision: &'a Revision,
    /// What is replaced by what.
    edits: Vec<(Range<usize>, String)>,
    has_header: bool,
}

impl<'a> Rewrite<'a> {
    /// Begins with a file's text as it is on disk.
    pub(super) fn of(text: &'a str, revision: &'a Revision) -> Self {
        let proper = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        Rewrite {
            text,
            places: Places::new(proper),
            skipped: text.len() - proper.len(),
            revision,
            edits: Vec::new(),
            has_header: false,
        }
    }

    /// Adds all changes of a fix, or none of them and says why.
    pub(super) fn take(&mut self, fix: &Fix) -> Result<(), String> {
        let mut edits = Vec::new();
        for edit in &fix.edits {
            let (from, to) = ((edit.span.line, edit.span.column), (edit.span.end_line, edit.span.end_column));
            let range = self.places.offset(from).zip(self.places.offset(to)).filter(|(from, to)| from <= to);
            let Some((from, to)) = range else { return Err("it changes a place that is not in the file".to_owned()) };
            edits.push((from..to, self.with_line_ends(&edit.text)));
        }
        if fix.transaction_off && self.revision.transaction && !self.has_header {
            edits.push(self.transaction_off()?);
        }
        let all = || self.edits.iter().chain(&edits);
        let overlaps = edits.iter().enumerate().any(|(index, edit)| {
            all().enumerate().any(|(other, known)| other != self.edits.len() + index && overlap(&edit.0, &known.0))
        });
        if overlaps {
            return Err("it changes what another fix changes; lint again after that one".to_owned());
        }
        self.has_header |= fix.transaction_off;
        self.edits.append(&mut edits);
        Ok(())
    }

    /// The text with all changes.
    pub(super) fn text(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = String::with_capacity(self.text.len());
        let mut at = 0;
        for (range, text) in &self.edits {
            let (start, end) = (range.start + self.skipped, range.end + self.skipped);
            changed.push_str(self.text.get(at..start).unwrap_or_default());
            changed.push_str(text);
            at = end;
        }
        changed.push_str(self.text.get(at..).unwrap_or_default());
        changed
    }

    /// The change that makes the header say `Transaction: off`.
    fn transaction_off(&self) -> Result<(Range<usize>, String), String> {
        const LINE: &str = "-- Transaction: off";
        let place = || {
            let found = self.revision.transaction_line()?;
            let line = number(found.number);
            let (start, text) = (self.places.start(line)?, self.places.line(line)?);
            let end = start + text.len();
            Some(if found.is_written { (start..end, LINE.to_owned()) } else { (end..end, format!("\n{LINE}")) })
        };
        let (range, text) = place().ok_or("its header has no place for `Transaction: off`")?;
        Ok((range, self.with_line_ends(&text)))
    }

    fn with_line_ends(&self, text: &str) -> String {
        let text = text.replace("\r\n", "\n");
        if self.text.contains("\r\n") { text.replace('\n', "\r\n") } else { text }
    }
}

/// Whether two changes touch the same text. Of two insertions at one place nobody knows which comes first.
fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end || one.start == other.start && (one.is_empty() == other.is_empty())
}
