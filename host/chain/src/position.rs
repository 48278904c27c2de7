//! Lines, columns and spans of a text whose lines end with `\n`.

use std::ops::Range;

/// A piece of one line: where to point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Counted from 1.
    pub(crate) line: usize,
    /// In characters, counted from 1.
    pub(crate) column: usize,
    /// In characters, at least 1.
    pub(crate) length: usize,
}

/// One line of a text, without its line end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    /// Byte offset of the line in the text.
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl<'a> Line<'a> {
    /// The span of a range of bytes of this line; both ends must be on character borders.
    pub(crate) fn span(&self, bytes: Range<usize>) -> Span {
        let count = |range: Range<usize>| self.text.get(range).map_or(0, |text| text.chars().count());
        Span { line: self.number, column: count(0..bytes.start) + 1, length: count(bytes).max(1) }
    }

    /// The span of a piece of text that was cut out of this line.
    pub(crate) fn span_of(&self, piece: &str) -> Span {
        let start = (piece.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize).min(self.text.len());
        self.span(start..(start + piece.len()).min(self.text.len()))
    }

    /// The span of all that is written on this line.
    pub(crate) fn whole(&self) -> Span {
        self.span_of(self.text.trim())
    }

    /// Where the following line would start.
    pub(crate) fn end(&self, text: &str) -> usize {
        (self.start + self.text.len() + 1).min(text.len())
    }

    /// The text after `--`, or none if this is not a comment line.
    pub(crate) fn comment(&self) -> Option<&'a str> {
        self.text.trim_start().strip_prefix("--")
    }
}

/// The lines of a text; a last line end does not open another line.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_terminator('\n').enumerate().map(move |(index, line)| {
        let this = Line { number: index + 1, start, text: line };
        start += line.len() + 1;
        this
    })
}

/// One line of a text by its number, empty if there is no such line.
pub(crate) fn line(text: &str, number: usize) -> Line<'_> {
    lines(text).nth(number.saturating_sub(1)).unwrap_or(Line { number, start: text.len(), text: "" })
}

/// Follows a text forward to turn byte offsets into lines and columns, in one pass over the text.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of a text whose first line has the given number.
    pub(crate) fn new(text: &'a str, first_line: usize) -> Self {
        Self { text, offset: 0, line: first_line, column: 1 }
    }

    /// Line and column (in characters, from 1) of a byte offset that is not before the previous one.
    pub(crate) fn advance(&mut self, offset: usize) -> (usize, usize) {
        for character in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.offset = self.offset.max(offset);
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "α: b\nsecond";
        let first = line(text, 1);
        assert_eq!(first.span_of(&first.text[4..5]), Span { line: 1, column: 4, length: 1 });
        assert_eq!(line(text, 2).start, 6);
        assert_eq!(line(text, 3).text, "");
        let mut cursor = Cursor::new(text, 5);
        assert_eq!(cursor.advance(4), (5, 4));
        assert_eq!(cursor.advance(8), (6, 3));
    }
}
