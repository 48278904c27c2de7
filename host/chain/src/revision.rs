//! One migration file, parsed.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::checksum::{Checksum, FieldHasher, normalise};
use crate::diagnostic::Problem;
use crate::dialect::Dialect;
use crate::direction::Direction;
use crate::environment::EnvironmentTag;
use crate::fault::Fault;
use crate::identifier::{Label, RevisionId};
use crate::position::{self, Span};
use crate::sql::{self, SplitError, Statement};
use crate::stub;

/// One migration file: its header, and the sections that are run.
#[derive(Debug, Clone)]
pub struct Revision {
    /// `Revision ID`.
    pub id: RevisionId,
    /// `Revises`: empty for a root, several for a merge.
    pub parents: Vec<RevisionId>,
    /// `Depends On`: identifiers or labels as they are written.
    pub depends_on: Vec<String>,
    /// `Branch Labels` of this very file.
    pub labels: Vec<Label>,
    /// The first comment line.
    pub title: String,
    /// The free text of the header, without the title; lines are separated by `\n`.
    pub description: String,
    /// `Create Date` as it is written.
    pub created: Option<String>,
    /// `Env`: empty if the revision may run everywhere.
    pub environments: Vec<EnvironmentTag>,
    /// `Transaction`: whether the sections run inside a transaction.
    pub transaction: bool,
    /// The file as it is shown to people, for example `migrations/a1b2_add_email.sql`.
    pub file: String,
    pub(crate) source: Arc<str>,
    pub(crate) remembered: bool,
    pub(crate) sections: Vec<SectionRange>,
    pub(crate) spans: HeaderSpans,
    /// Where each line begins; made when first asked for.
    pub(crate) line_starts: OnceLock<Vec<usize>>,
    pub(crate) checksum: OnceLock<Checksum>,
    pub(crate) sql_checksum: OnceLock<Checksum>,
}

/// Where the header's entries are, for the problems that only the whole chain shows.
#[derive(Debug, Clone)]
pub(crate) struct HeaderSpans {
    pub(crate) id: Span,
    pub(crate) parents: Vec<Span>,
    pub(crate) depends_on: Vec<Span>,
    pub(crate) labels: Vec<Span>,
}

/// Where a section is.
#[derive(Debug, Clone)]
pub(crate) struct SectionRange {
    pub(crate) direction: Direction,
    /// Sorted; empty for a plain section.
    pub(crate) dialects: Vec<Dialect>,
    pub(crate) range: Range<usize>,
    pub(crate) first_line: usize,
}

/// The SQL of one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// Which way it is run.
    pub direction: Direction,
    /// The dialects it names, sorted; empty for a plain section, which serves all others.
    pub dialects: &'a [Dialect],
    /// Everything between its marker line and the next one, lines ended by `\n`.
    pub text: &'a str,
    /// The line of the file at which the text begins, counted from 1.
    pub first_line: usize,
}

impl<'a> Section<'a> {
    /// The statements of the section, located by their line and column in the file.
    ///
    /// # Errors
    /// [`SplitError`] if something is never closed, or if there is something that only a client program understands.
    pub fn statements(&self, dialect: Dialect) -> Result<Vec<Statement<'a>>, SplitError> {
        sql::split(self.text, dialect, self.first_line)
    }
}

impl Revision {
    /// The section that applies the revision: the one naming the dialect, else the plain one, else none.
    ///
    /// A merge without any `migrate:up` section has an empty one.
    pub fn up(&self, dialect: Dialect) -> Option<Section<'_>> {
        let empty_merge = self.is_merge() && !self.has_up_sections();
        self.section(Direction::Up, dialect).or_else(|| empty_merge.then_some(Section::empty(Direction::Up)))
    }

    /// The section that takes the revision back: the one naming the dialect, else the plain one; without any the revision
    /// cannot be taken back.
    ///
    /// A merge without sections has an empty one.
    pub fn down(&self, dialect: Dialect) -> Option<Section<'_>> {
        let empty_merge = self.is_merge() && self.sections.is_empty();
        self.section(Direction::Down, dialect).or_else(|| empty_merge.then_some(Section::empty(Direction::Down)))
    }

    /// The section for a direction: [`Revision::up`] or [`Revision::down`].
    pub fn run(&self, direction: Direction, dialect: Dialect) -> Option<Section<'_>> {
        match direction {
            Direction::Up => self.up(dialect),
            Direction::Down => self.down(dialect),
        }
    }

    /// Whether any `migrate:up` section is written, for whichever dialect.
    pub fn has_up_sections(&self) -> bool {
        self.sections.iter().any(|section| section.direction == Direction::Up)
    }

    /// Whether any `migrate:down` section is written, for whichever dialect.
    pub fn has_down_sections(&self) -> bool {
        self.sections.iter().any(|section| section.direction == Direction::Down)
    }

    /// All sections in the order of the file.
    pub fn sections(&self) -> impl ExactSizeIterator<Item = Section<'_>> {
        self.sections.iter().map(|section| self.section_at(section))
    }

    /// Whether the revision joins several parents.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }

    /// Whether the revision has no parent.
    pub fn is_base(&self) -> bool {
        self.parents.is_empty()
    }

    /// Whether the file was not opened, because it looks as it did when it was read for another command.
    pub fn is_remembered(&self) -> bool {
        self.remembered
    }

    /// The text of the whole file: no byte order mark, lines ended by `\n`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// One line of the file by its number, counted from 1.
    pub fn source_line(&self, number: usize) -> Option<&str> {
        let starts = self.line_starts.get_or_init(|| {
            let ends = self.source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect()
        });
        let start = *starts.get(number.checked_sub(1)?)?;
        let end = starts.get(number).map_or(self.source.len(), |next| next - 1);
        // What ends with a line break has no further line behind it.
        if start == self.source.len() { None } else { self.source.get(start..end) }
    }

    /// The title as it appears in a file name.
    pub fn slug(&self) -> String {
        stub::slug(&self.title)
    }

    /// The checksum of the whole file in its normal form; computed once, when first asked for.
    pub fn checksum(&self) -> Checksum {
        *self.checksum.get_or_init(|| Checksum::of(normalise(&self.source).as_bytes()))
    }

    /// The checksum of what changes what is run; computed once, when first asked for.
    ///
    /// It covers, in this order: `Transaction`, the number of sections, and for each section (sorted by direction and
    /// dialects) its direction, its dialects, and its SQL as each dialect it can serve reads it, with comments left out
    /// and white space outside of quotes collapsed to one space. Title, description and all other keys are left out.
    pub fn sql_checksum(&self) -> Checksum {
        *self.sql_checksum.get_or_init(|| {
            let mut sections: Vec<Section<'_>> = self.sections().collect();
            sections.sort_by_key(|section| (section.direction, section.dialects));
            let mut hasher = FieldHasher::new("runner sql checksum 1");
            hasher.number(usize::from(self.transaction));
            hasher.number(sections.len());
            for section in sections {
                hasher.text(section.direction.name());
                hasher.number(section.dialects.len());
                section.dialects.iter().for_each(|dialect| hasher.text(dialect.name()));
                hash_readings(&mut hasher, &section);
            }
            hasher.finish()
        })
    }

    /// A problem at an entry of this revision's header.
    pub(crate) fn problem(&self, span: Span, fault: Fault, message: impl Into<String>) -> Problem {
        Problem::at(&self.file, span, position::line(&self.source, span.line).text, fault, message)
    }

    fn section(&self, direction: Direction, dialect: Dialect) -> Option<Section<'_>> {
        let mut candidates = self.sections.iter().filter(|section| section.direction == direction);
        let named = candidates.clone().find(|section| section.dialects.contains(&dialect));
        named.or_else(|| candidates.find(|section| section.dialects.is_empty())).map(|found| self.section_at(found))
    }

    fn section_at<'a>(&'a self, section: &'a SectionRange) -> Section<'a> {
        Section {
            direction: section.direction,
            dialects: &section.dialects,
            text: self.source.get(section.range.clone()).unwrap_or_default(),
            first_line: section.first_line,
        }
    }
}

impl Section<'static> {
    fn empty(direction: Direction) -> Self {
        Self { direction, dialects: &[], text: "", first_line: 1 }
    }
}

/// Dialects disagree on what is a comment, so a section counts as every dialect it may be run on reads it. Equal readings
/// are written once: their number, the readings, and for each dialect which one is its own.
fn hash_readings(hasher: &mut FieldHasher, section: &Section<'_>) {
    let dialects = if section.dialects.is_empty() { &Dialect::ALL[..] } else { section.dialects };
    let mut readings: Vec<String> = Vec::new();
    let mut own = Vec::with_capacity(dialects.len());
    for &dialect in dialects {
        if !readings.is_empty() && sql::reads_alike_everywhere(section.text) {
            own.push(0);
            continue;
        }
        let reading = sql::without_comments(section.text, dialect);
        own.push(readings.iter().position(|known| *known == reading).unwrap_or_else(|| {
            readings.push(reading);
            readings.len() - 1
        }));
    }
    hasher.number(readings.len());
    readings.iter().for_each(|reading| hasher.text(reading));
    own.into_iter().for_each(|index| hasher.number(index));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::parse;

    fn revision(header: &str, body: &str) -> Revision {
        let text = format!("-- Title\n-- Revision ID: a\n-- Revises: base\n{header}\n{body}");
        parse("a.sql", text.as_bytes()).unwrap()
    }

    #[test]
    fn a_section_naming_the_dialect_comes_first() {
        let revision = revision("", "-- migrate:up sqlite\nA;\n-- migrate:up\nB;\n-- migrate:down postgres\nC;\n");
        assert_eq!(revision.up(Dialect::Sqlite).unwrap().text, "A;\n");
        assert_eq!(revision.up(Dialect::Mysql).unwrap().text, "B;\n");
        assert_eq!(revision.down(Dialect::Postgres).unwrap().text, "C;\n");
        assert_eq!(revision.down(Dialect::Sqlite), None);
        assert!(revision.has_down_sections());
        assert_eq!(revision.up(Dialect::Mysql).unwrap().first_line, 8);
    }

    #[test]
    fn a_merge_needs_no_sections() {
        let merge = parse("m.sql", b"-- M\n-- Revision ID: m\n-- Revises: a, b\n").unwrap();
        assert_eq!(merge.up(Dialect::Sqlite).unwrap().text, "");
        assert_eq!(merge.down(Dialect::Sqlite).unwrap().text, "");
        let one_way = parse("m.sql", b"-- M\n-- Revision ID: m\n-- Revises: a, b\n-- migrate:up\nX;\n").unwrap();
        assert_eq!(one_way.down(Dialect::Sqlite), None);
    }

    #[test]
    fn only_what_runs_changes_the_sql_checksum() {
        let base = revision("", "-- migrate:up\nSELECT 'a  b', 1;\n-- migrate:down\nDROP TABLE t;\n");
        for (header, body) in [
            ("-- Env: test", "-- migrate:up\nSELECT 'a  b', 1;\n-- migrate:down\nDROP TABLE t;\n"),
            ("", "-- migrate:up\n-- hello\nSELECT 'a  b', -- one\n   1;\n\n-- migrate:down\n/* gone */ DROP TABLE t;"),
            ("", "-- migrate:down\nDROP TABLE t;\n-- migrate:up\nSELECT 'a  b', 1;\n"),
        ] {
            let other = revision(header, body);
            assert_eq!(base.sql_checksum(), other.sql_checksum(), "{header}{body}");
            assert_ne!(base.checksum(), other.checksum());
        }
        for (header, body) in [
            ("-- Transaction: off", "-- migrate:up\nSELECT 'a  b', 1;\n-- migrate:down\nDROP TABLE t;\n"),
            ("", "-- migrate:up\nSELECT 'a b', 1;\n-- migrate:down\nDROP TABLE t;\n"),
            ("", "-- migrate:up\nSELECT 'a  b', 2;\n-- migrate:down\nDROP TABLE t;\n"),
            ("", "-- migrate:up sqlite\nSELECT 'a  b', 1;\n-- migrate:down\nDROP TABLE t;\n"),
            ("", "-- migrate:up\nSELECT 'a  b', 1;\n"),
        ] {
            assert_ne!(base.sql_checksum(), revision(header, body).sql_checksum(), "{header}{body}");
        }
    }

    #[test]
    fn a_comment_in_one_dialect_may_be_sql_in_another() {
        let checksum = |body: &str| revision("", &format!("-- migrate:up\n{body}\n")).sql_checksum();
        assert_ne!(checksum("SELECT $$ -- a\n $$;"), checksum("SELECT $$ -- b\n $$;"));
        assert_ne!(checksum("SELECT 1 /*!50000 + 1 */;"), checksum("SELECT 1 /*!50000 + 2 */;"));
    }

    #[test]
    fn how_a_file_was_saved_changes_no_checksum() {
        let text = "-- T\n-- Revision ID: a\n-- Revises: base\n-- migrate:up\nSELECT 1;\n";
        let windows = format!("\u{feff}{}\r\n", text.replace('\n', "\r\n"));
        let (one, other) = (parse("a.sql", text.as_bytes()).unwrap(), parse("a.sql", windows.as_bytes()).unwrap());
        assert_eq!(one.checksum(), other.checksum());
        assert_eq!(one.sql_checksum(), other.sql_checksum());
        assert_eq!(other.source_line(5), Some("SELECT 1;"));
    }
}
