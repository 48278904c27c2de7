//! The comment lines before the first section: title, free text and `Key: value` lines.

use jiff::Timestamp;
use jiff::civil;

use crate::diagnostic::Problem;
use crate::environment::EnvironmentTag;
use crate::fault::Fault;
use crate::header_key::{self, Key};
use crate::identifier::{InvalidIdentifier, Label, RevisionId};
use crate::position::{Line, Span};

/// How comments begin that are meant for linters.
const FOR_LINTERS: [&str; 3] = ["lint:ignore", "atlas:nolint", "squawk-ignore"];

/// What the header says, as far as it could be understood.
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub(crate) id: Option<(RevisionId, Span)>,
    pub(crate) parents: Vec<(RevisionId, Span)>,
    pub(crate) depends_on: Vec<(String, Span)>,
    pub(crate) labels: Vec<(Label, Span)>,
    pub(crate) title: Option<String>,
    pub(crate) description: Vec<String>,
    pub(crate) created: Option<String>,
    pub(crate) environments: Vec<EnvironmentTag>,
    pub(crate) transaction: Option<bool>,
    /// The line of each key that was written.
    written: [Option<usize>; Key::ALL.len()],
    /// Whether a line was found that is neither blank nor a comment.
    pub(crate) has_statement: bool,
}

impl Header {
    /// Whether a key was written, even with a value that is wrong.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.written[key as usize].is_some()
    }

    /// Whether the revision has several parents.
    pub(crate) fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }

    /// Reads one line of the header.
    pub(crate) fn read(&mut self, file: &str, line: Line<'_>, problems: &mut Vec<Problem>) {
        let mut reader = Reader { header: self, file, line, problems };
        let text = line.text.trim();
        if text.is_empty() {
            return;
        }
        let Some(comment) = line.comment().or_else(|| text.starts_with('#').then_some(text)) else {
            reader.statement();
            return;
        };
        if !reader.key_line(comment) {
            reader.free_text(comment);
        }
    }
}

struct Reader<'a, 'b> {
    header: &'b mut Header,
    file: &'a str,
    line: Line<'a>,
    problems: &'b mut Vec<Problem>,
}

impl<'a> Reader<'a, '_> {
    fn problem(&mut self, at: &str, message: impl Into<String>) -> &mut Problem {
        let span = self.line.span_of(at);
        self.problems.push(Problem::at(self.file, span, self.line.text, Fault::MalformedHeader, message));
        // The vector cannot be empty after a push.
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn statement(&mut self) {
        if !self.header.has_statement {
            self.header.has_statement = true;
            let problem = self.problem(self.line.text.trim(), "statement before the first section");
            problem.fault = Fault::StatementOutsideSection;
            problem.label = Some("this would never run".to_owned());
            problem.help = Some(
                "write `-- migrate:up` on a line of its own before it; the header above is made of `--` lines"
                    .to_owned(),
            );
        }
    }

    fn free_text(&mut self, comment: &str) {
        let text = comment.strip_prefix(' ').unwrap_or(comment).trim_end();
        // What is said to a linter tells people nothing of the revision.
        if FOR_LINTERS.iter().any(|word| text.trim_start().starts_with(word)) {
            return;
        }
        if self.header.title.is_some() || self.header.written.iter().any(Option::is_some) {
            self.header.description.push(text.to_owned());
        } else if text.chars().any(char::is_alphanumeric) {
            self.header.title = Some(text.trim().to_owned());
        }
    }

    /// Reads a `Key: value` line; says whether it was one, or was meant to be one.
    fn key_line(&mut self, comment: &'a str) -> bool {
        let text = comment.trim().trim_start_matches('#').trim();
        let Some(separator) = text.find([':', '=']) else { return false };
        let (written, value) = (text[..separator].trim(), text[separator + 1..].trim());
        let Some(key) = Key::named(written) else {
            return text[separator..].starts_with(':') && self.near_miss(written, value);
        };
        if text[separator..].starts_with('=') {
            let problem = self.problem(text, format!("`{key}` is followed by `=` instead of `:`"));
            problem.help = Some(format!("write `-- {key}: {value}`"));
            return true;
        }
        if let Some(first) = self.header.written[key as usize] {
            let problem = self.problem(written, format!("`{key}` is written twice"));
            problem.label = Some(format!("the first is on line {first}"));
            problem.help = Some("keep one of the lines; several values are separated by commas".to_owned());
            return true;
        }
        self.header.written[key as usize] = Some(self.line.number);
        self.value(key, written, value);
        true
    }

    fn near_miss(&mut self, written: &'a str, value: &str) -> bool {
        let Some(key) = header_key::near_miss(written, value) else { return false };
        let problem = self.problem(written, format!("unknown key `{written}`"));
        problem.label = Some(format!("did you mean `{key}`?"));
        problem.help =
            Some(format!("write `-- {key}: {value}`, or word the line differently if it is meant as a remark"));
        true
    }

    fn value(&mut self, key: Key, written: &'a str, value: &'a str) {
        match key {
            Key::RevisionId => self.revision_id(written, value),
            Key::Revises => self.revises(written, value),
            Key::CreateDate => self.create_date(value),
            Key::Env => {
                for item in self.items(value) {
                    match item.parse() {
                        Ok(tag) => self.header.environments.push(tag),
                        Err(error) => {
                            let problem = self.problem(item, format!("{error}"));
                            problem.help = Some(
                                "a tag is a name of letters, digits, `_` or `-`; `=` before it makes it exact"
                                    .to_owned(),
                            );
                        }
                    }
                }
            }
            Key::DependsOn => {
                for item in self.items(value) {
                    // A label is what allows more, so what it takes an identifier can be as well.
                    match Label::new(item) {
                        Ok(_) => self.header.depends_on.push((item.to_owned(), self.line.span_of(item))),
                        Err(error) => self.invalid(item, &error),
                    }
                }
            }
            Key::BranchLabels => {
                for item in self.items(value) {
                    match Label::new(item) {
                        Ok(label) => self.header.labels.push((label, self.line.span_of(item))),
                        Err(error) => self.invalid(item, &error),
                    }
                }
            }
            Key::Transaction => self.transaction(written, value),
        }
    }

    fn revision_id(&mut self, written: &str, value: &str) {
        match RevisionId::new(value) {
            Ok(id) => self.header.id = Some((id, self.line.span_of(value))),
            Err(error) => self.invalid(if value.is_empty() { written } else { value }, &error),
        }
    }

    fn revises(&mut self, written: &str, value: &'a str) {
        if value.is_empty() {
            let problem = self.problem(written, "`Revises` names no parent");
            problem.fault = Fault::MissingRevises;
            problem.help = Some("a root says `-- Revises: base`; otherwise write the parent's identifier".to_owned());
            return;
        }
        let items = self.items(value);
        for item in items.iter().copied() {
            if item.eq_ignore_ascii_case("base") {
                if items.len() > 1 {
                    let problem = self.problem(item, "`base` stands beside other parents");
                    problem.help = Some("a root has no parents: write `base` alone, or leave it out".to_owned());
                }
                continue;
            }
            match RevisionId::new(item) {
                Ok(id) => self.header.parents.push((id, self.line.span_of(item))),
                Err(error) => self.invalid(item, &error),
            }
        }
    }

    fn create_date(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        let understood = value.parse::<Timestamp>().is_ok()
            || value.parse::<civil::DateTime>().is_ok()
            || value.parse::<civil::Date>().is_ok();
        if understood {
            self.header.created = Some(value.to_owned());
        } else {
            let problem = self.problem(value, format!("`{value}` is not a date"));
            problem.help =
                Some("write it like `2026-11-20T12:00:00Z`, `2026-11-20 12:00:00` or `2026-11-20`".to_owned());
        }
    }

    fn transaction(&mut self, written: &str, value: &str) {
        match value.to_ascii_lowercase().as_str() {
            "on" => self.header.transaction = Some(true),
            "off" => self.header.transaction = Some(false),
            _ => {
                let at = if value.is_empty() { written } else { value };
                let problem = self.problem(at, format!("`Transaction` is `on` or `off`, not `{value}`"));
                problem.help = Some("write `-- Transaction: on` or `-- Transaction: off`".to_owned());
            }
        }
    }

    fn invalid(&mut self, at: &str, error: &InvalidIdentifier) {
        let problem = self.problem(at, error.to_string());
        problem.help = Some("identifiers and labels are made of letters, digits, `_` and `.`".to_owned());
    }

    /// The entries of a list separated by commas; an empty list has none.
    fn items(&mut self, value: &'a str) -> Vec<&'a str> {
        if value.is_empty() {
            return Vec::new();
        }
        let items: Vec<&str> = value.split(',').map(str::trim).collect();
        if items.iter().any(|item| item.is_empty()) {
            let problem = self.problem(value, "empty entry in a list");
            problem.help = Some("take the superfluous comma away".to_owned());
        }
        items.into_iter().filter(|item| !item.is_empty()).collect()
    }
}
