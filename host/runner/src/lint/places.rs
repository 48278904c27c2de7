//! From byte offsets to lines and columns of a text, and back.

/// Where the lines of a text begin.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    text: &'a str,
    /// Byte offsets, the first one 0.
    starts: Vec<usize>,
    /// Characters that begin before each multiple of [`STRIDE`]: a line may be megabytes long.
    marks: Vec<usize>,
}

/// Bytes from one mark to the next.
const STRIDE: usize = 1024;

/// Characters that begin in a piece of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
}

/// A line and a column, both from 1; columns count characters.
pub(crate) type Place = (u32, u32);

impl<'a> Places<'a> {
    /// Finds the lines of a text. They end with `\n`, `\r\n` or `\r`.
    pub(crate) fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let mut marks = vec![0];
        for piece in bytes.chunks(STRIDE) {
            marks.push(marks.last().copied().unwrap_or(0) + characters(piece));
        }
        Places { text, starts, marks }
    }

    /// Line and column of an offset; one that is behind the text is its end.
    pub(crate) fn of(&self, offset: usize) -> Place {
        let line = self.line_of(offset);
        let start = self.starts[line - 1];
        let column = self.characters_before(offset.min(self.text.len())) - self.characters_before(start) + 1;
        (number(line), number(column))
    }

    fn characters_before(&self, offset: usize) -> usize {
        let mark = offset / STRIDE;
        self.marks[mark] + characters(&self.text.as_bytes()[mark * STRIDE..offset])
    }

    /// The line of an offset, from 1.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// The offset of a line and a column. The column behind the last character of a line is its end; `None`: there is no such
    /// place.
    pub(crate) fn offset(&self, (line, column): Place) -> Option<usize> {
        let text = self.line(line)?;
        let start = self.start(line)?;
        let wanted = usize::try_from(column.checked_sub(1)?).ok()?;
        match text.char_indices().nth(wanted) {
            Some((at, _)) => Some(start + at),
            None => (text.chars().count() == wanted).then_some(start + text.len()),
        }
    }

    /// The offset at which a line begins.
    pub(crate) fn start(&self, line: u32) -> Option<usize> {
        self.starts.get(usize::try_from(line.checked_sub(1)?).ok()?).copied()
    }

    /// A line without its end.
    pub(crate) fn line(&self, line: u32) -> Option<&'a str> {
        let end = self.starts.get(usize::try_from(line).ok()?).copied().unwrap_or(self.text.len());
        self.text.get(self.start(line)?..end).map(|text| text.trim_end_matches(['\r', '\n']))
    }
}

/// A count as the verdicts have it.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_places_are_each_others_inverse() {
        let text = "αβ\r\nc\rd\n\nend";
        let places = Places::new(text);
        for (offset, _) in text.char_indices().filter(|(_, letter)| !matches!(letter, '\r' | '\n')) {
            assert_eq!(places.offset(places.of(offset)), Some(offset), "{offset}");
        }
        assert_eq!(places.of(2), (1, 2));
        assert_eq!(places.of(text.len()), (5, 4));
        assert_eq!(places.offset((5, 4)), Some(text.len()));
        assert_eq!(places.line(1), Some("αβ"));
        assert_eq!((places.line(3), places.line(4), places.line(6)), (Some("d"), Some(""), None));
        for wrong in [(0, 1), (1, 0), (1, 4), (6, 1), (5, 5), (u32::MAX, u32::MAX)] {
            assert_eq!(places.offset(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_text_has_one_line() {
        let places = Places::new("");
        assert_eq!((places.of(0), places.of(9), places.offset((1, 1))), ((1, 1), (1, 1), Some(0)));
    }
}
