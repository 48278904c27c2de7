//! Reads the text of one revision file: a header of comment lines, then sections that begin with marker lines.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::checksum::normalise_line_ends;
use crate::diagnostic::Problem;
use crate::dialect::Dialect;
use crate::direction::Direction;
use crate::fault::Fault;
use crate::header::Header;
use crate::header_key::Key;
use crate::identifier::{Label, RevisionId};
use crate::marker::{self, Marker};
use crate::position::{self, Span, lines};
use crate::revision::{HeaderSpans, Revision, SectionRange};

/// A file that could not be used, and the names it would have defined, so that nobody is told that they are missing.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) problems: Vec<Problem>,
    pub(crate) id: Option<RevisionId>,
    pub(crate) labels: Vec<Label>,
}

/// Reads a revision file: `file_name` is how it is shown to people, `bytes` is all of it.
///
/// # Errors
/// Every [`Problem`] of the file, in the order of its lines.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Revision, Vec<Problem>> {
    parse_or_names(file_name, bytes).map_err(|broken| broken.problems)
}

pub(crate) fn parse_or_names(file_name: &str, bytes: &[u8]) -> Result<Revision, Broken> {
    let mut problems = Vec::new();
    let text = decode(file_name, bytes, &mut problems);
    let mut parser = Parser {
        file: file_name,
        text: &text,
        problems,
        header: Header::default(),
        sections: Vec::new(),
        opened: false,
    };
    parser.read_lines();
    parser.check_completeness();
    parser.finish()
}

/// The text with lines ended by `\n`. Reading goes on after a bad byte, so that the file's other problems show as well.
fn decode<'a>(file: &str, bytes: &'a [u8], problems: &mut Vec<Problem>) -> Cow<'a, str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => normalise_line_ends(text),
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            let before = normalise_line_ends(std::str::from_utf8(good).unwrap_or_default()).into_owned();
            let text = normalise_line_ends(&String::from_utf8_lossy(bytes)).into_owned();
            let byte = bad.first().copied().unwrap_or_default();
            problems.push(
                problem_at_end_of(file, &before, &text, format!("byte `0x{byte:02x}` is not UTF-8"))
                    .help("save the file as UTF-8"),
            );
            Cow::Owned(text)
        }
    };
    if let Some(offset) = text.find('\0') {
        let problem = problem_at_end_of(file, &text[..offset], &text, "the file contains a NUL byte");
        problems.push(problem.help("save the file as UTF-8 text"));
    }
    text
}

/// A problem with the character that follows `before` in `text`.
fn problem_at_end_of(file: &str, before: &str, text: &str, message: impl Into<String>) -> Problem {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Problem::at(
        file,
        Span { line, column, length: 1 },
        position::line(text, line).text,
        Fault::InvalidEncoding,
        message,
    )
}

struct Parser<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
    header: Header,
    sections: Vec<SectionRange>,
    /// Whether a marker was seen, even a wrong one: the header is over.
    opened: bool,
}

impl Parser<'_> {
    fn read_lines(&mut self) {
        let mut open: Option<SectionRange> = None;
        for line in lines(self.text) {
            let comment = line.comment();
            let marker = comment.map_or(Marker::None, |text| marker::read(self.file, line, text, &mut self.problems));
            if marker == Marker::None {
                if !self.opened {
                    self.header.read(self.file, line, &mut self.problems);
                }
                continue;
            }
            self.opened = true;
            if let Some(mut section) = open.take() {
                section.range.end = line.start;
                self.sections.push(section);
            }
            if let Marker::Section { direction, dialects } = marker {
                self.check_repetition(line, direction, &dialects);
                let start = line.end(self.text);
                open = Some(SectionRange {
                    direction,
                    dialects,
                    range: start..self.text.len(),
                    first_line: line.number + 1,
                });
            }
        }
        self.sections.extend(open);
    }

    fn check_repetition(&mut self, line: position::Line<'_>, direction: Direction, dialects: &[Dialect]) {
        let same = |section: &&SectionRange| {
            section.direction == direction
                && (section.dialects.is_empty() && dialects.is_empty()
                    || section.dialects.iter().any(|dialect| dialects.contains(dialect)))
        };
        if let Some(first) = self.sections.iter().find(same) {
            let common = first.dialects.iter().find(|dialect| dialects.contains(dialect));
            let name = common.map_or_else(String::new, |dialect| format!(" {dialect}"));
            self.problems.push(
                Problem::at(
                    self.file,
                    line.whole(),
                    line.text,
                    Fault::DuplicateSection,
                    format!("second section `migrate:{direction}{name}`"),
                )
                .label(format!("the first is on line {}", first.first_line - 1))
                .help("join the two sections, or name another dialect"),
            );
        }
    }

    fn check_completeness(&mut self) {
        if !self.header.has(Key::RevisionId) {
            self.missing(
                Fault::MissingRevisionId,
                "missing key `Revision ID`",
                "add the line `-- Revision ID: ` with an identifier of its own",
            );
        }
        if !self.header.has(Key::Revises) {
            self.missing(
                Fault::MissingRevises,
                "missing key `Revises`",
                "add the line `-- Revises: ` with the parent's identifier, or `-- Revises: base` for a root",
            );
        }
        let has_up = self.sections.iter().any(|section| section.direction == Direction::Up);
        // A wrong marker, or SQL without any, was reported already and is what has to be corrected first.
        let reported = self.header.has_statement || self.opened && self.sections.is_empty();
        if !has_up && !self.header.is_merge() && !reported {
            self.missing(
                Fault::MissingUpgrade,
                "there is no `migrate:up` section",
                "add the line `-- migrate:up` and below it the SQL that applies the revision",
            );
        }
    }

    /// Something that is nowhere in the file is shown at its identifier, or else at its first line.
    fn missing(&mut self, fault: Fault, message: &str, help: &str) {
        let at = self.header.id.as_ref().map(|(_, span)| *span);
        let line = position::line(self.text, at.map_or(1, |span| span.line));
        self.problems.push(Problem::at(self.file, at.unwrap_or(line.whole()), line.text, fault, message).help(help));
    }

    fn finish(self) -> Result<Revision, Broken> {
        let header = self.header;
        let (Some((id, id_span)), true) = (header.id.clone(), self.problems.is_empty()) else {
            let mut problems = self.problems;
            problems.sort_by_key(|problem| (problem.line, problem.column));
            let labels = header.labels.into_iter().map(|(label, _)| label).collect();
            return Err(Broken { problems, id: header.id.map(|(id, _)| id), labels });
        };
        let (parents, parent_spans) = header.parents.into_iter().unzip();
        let (depends_on, dependency_spans) = header.depends_on.into_iter().unzip();
        let (labels, label_spans) = header.labels.into_iter().unzip();
        Ok(Revision {
            id,
            parents,
            depends_on,
            labels,
            title: header.title.unwrap_or_default(),
            description: header.description.join("\n").trim().to_owned(),
            created: header.created,
            environments: header.environments,
            transaction: header.transaction.unwrap_or(true),
            file: self.file.to_owned(),
            source: self.text.into(),
            remembered: false,
            sections: self.sections,
            spans: HeaderSpans {
                id: id_span,
                parents: parent_spans,
                depends_on: dependency_spans,
                labels: label_spans,
            },
            line_starts: OnceLock::new(),
            checksum: OnceLock::new(),
            sql_checksum: OnceLock::new(),
        })
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
