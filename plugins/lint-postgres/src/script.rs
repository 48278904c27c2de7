//! The text that the engine sees: one section of a revision, at the places that it has in the file.

use std::ops::Range;

use runner_policy_sdk::Dialect;
use runner_policy_sdk::Direction;
use runner_policy_sdk::Statement;
use runner_policy_sdk::revision_lint::Section;
use runner_policy_sdk::revision_lint::Span;

use crate::nesting;

/// Bytes between two places at which the characters before them are counted once and for all.
const BLOCK: usize = 512;

/// One section's SQL in an otherwise blank text, so that lines and columns are those of the file.
#[derive(Debug)]
pub(crate) struct Script {
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// Characters before each block of bytes; empty for a text of ASCII, where both are the same.
    characters: Vec<usize>,
    /// Where the runner's statements begin, in bytes.
    starts: Vec<usize>,
    /// What was too deeply nested to be parsed, and is blank therefore.
    unparsed: Vec<Range<usize>>,
}

impl Script {
    /// The script of a section; `none`: the file has no such section for PostgreSQL.
    pub(crate) fn of_section(
        text: &str,
        sections: &[Section],
        direction: Direction,
        statements: &[Statement],
    ) -> Option<Self> {
        let (first, last) = lines_of(sections, direction)?;
        let header = sections.iter().map(|section| section.line).min()?;
        let mut visible = String::with_capacity(text.len());
        for (line, number) in text.split_inclusive('\n').zip(1_u32..) {
            if number >= last {
                break;
            }
            // The engine's comments may stand in the header as well.
            let is_header = number < header && line.trim_start().starts_with("--");
            if is_header || number > first {
                visible.push_str(line);
            } else if line.ends_with('\n') {
                visible.push('\n');
            }
        }
        let mut script = Script::new(visible);
        script.starts = statements.iter().map(|start| script.offset(start.line, start.column)).collect();
        Some(script)
    }

    /// The script of a file of SQL and nothing else. Its line ends become `\n`.
    pub(crate) fn plain(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Script::new(text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    fn new(text: String) -> Self {
        let (text, unparsed) = without(text, nesting::too_deep);
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1)).collect();
        let characters = if text.is_ascii() { Vec::new() } else { counted(&text) };
        Script { text, lines, characters, starts: Vec::new(), unparsed }
    }

    /// What the engine reads.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where something was that is too deeply nested to be parsed.
    pub(crate) fn unparsed(&self) -> &[Range<usize>] {
        &self.unparsed
    }

    /// Index of the runner's statement that a byte belongs to.
    pub(crate) fn statement_at(&self, offset: usize) -> Option<u32> {
        let index = self.starts.partition_point(|start| *start <= offset).checked_sub(1)?;
        u32::try_from(index).ok()
    }

    /// Lines and columns of a range of bytes.
    pub(crate) fn span(&self, range: &Range<usize>) -> Span {
        let (line, column) = self.place(range.start);
        let (end_line, end_column) = self.place(range.end.max(range.start));
        Span { line, column, end_line, end_column }
    }

    /// Line and column of a byte, both from 1, the column in characters.
    fn place(&self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let column = self.characters_before(offset) - self.characters_before(self.lines[line - 1]) + 1;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (number(line), number(column))
    }

    fn characters_before(&self, offset: usize) -> usize {
        let Some(before) = self.characters.get(offset / BLOCK) else { return offset };
        before + begun(&self.text.as_bytes()[offset - offset % BLOCK..offset])
    }

    /// The byte at a line and a column.
    fn offset(&self, line: u32, column: u32) -> usize {
        let (line, column) = (line.max(1) as usize - 1, column.max(1) as usize - 1);
        let Some(&start) = self.lines.get(line) else { return self.text.len() };
        if self.characters.is_empty() {
            return (start + column).min(self.text.len());
        }
        let wanted = self.characters_before(start) + column;
        let block = self.characters.partition_point(|before| *before <= wanted).max(1) - 1;
        let mut left = wanted - self.characters[block];
        let from = (block * BLOCK).min(self.text.len());
        for (at, byte) in self.text.as_bytes()[from..].iter().enumerate() {
            if begins(*byte) {
                if left == 0 {
                    return from + at;
                }
                left -= 1;
            }
        }
        self.text.len()
    }
}

/// The lines of a section for PostgreSQL: its marker, and the line after its last one.
fn lines_of(sections: &[Section], direction: Direction) -> Option<(u32, u32)> {
    let mut of_direction = sections.iter().filter(|section| section.direction == direction);
    let own = of_direction.clone().find(|section| section.dialects.contains(&Dialect::Postgres));
    let section = own.or_else(|| of_direction.find(|section| section.dialects.is_empty()))?;
    let next = sections.iter().map(|other| other.line).filter(|line| *line > section.line).min();
    Some((section.line, next.unwrap_or(u32::MAX)))
}

/// The text with some ranges of it blank, and where these are then.
fn without(text: String, ranges: impl Fn(&str) -> Vec<Range<usize>>) -> (String, Vec<Range<usize>>) {
    let ranges = ranges(&text);
    if ranges.is_empty() {
        return (text, ranges);
    }
    let (mut visible, mut blank, mut done) = (String::with_capacity(text.len()), Vec::new(), 0);
    for range in ranges {
        visible.push_str(&text[done..range.start]);
        let start = visible.len();
        visible.extend(text[range.clone()].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        blank.push(start..visible.len());
        done = range.end;
    }
    visible.push_str(&text[done..]);
    (visible, blank)
}

/// Characters before each block of bytes.
fn counted(text: &str) -> Vec<usize> {
    let mut counts = vec![0];
    let mut before = 0;
    for block in text.as_bytes().chunks(BLOCK) {
        before += begun(block);
        counts.push(before);
    }
    counts
}

/// How many characters begin in these bytes.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| begins(**byte)).count()
}

/// Whether a byte of UTF-8 is the first of its character.
fn begins(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}
