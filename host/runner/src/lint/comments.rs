//! Which part of a revision each of its comments is about.

use std::collections::HashMap;
use std::ops::Range;

use runner_chain::Dialect;
use runner_chain::Direction;
use runner_chain::Revision;
use runner_chain::Section;
use runner_chain::sql::Comment;
use runner_chain::sql::Statement;
use runner_chain::sql::comments;

use super::directive;
use super::directive::Directive;
use super::directive::Origin;
use super::directive::Scope;
use super::places::Places;

/// A directive, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) directive: Directive,
    pub(crate) scope: Scope,
    /// Where its comment's text begins in the file, in bytes.
    pub(crate) base: usize,
}

/// The directives of a revision that count for a dialect: those of its header and of the sections that the dialect runs.
pub(crate) fn directives(revision: &Revision, dialect: Dialect) -> Vec<Located> {
    let text = revision.source();
    if !directive::may_be_in(text) {
        return Vec::new();
    }
    let places = Places::new(text);
    let mut found = header(revision, &places);
    for section in [revision.up(dialect), revision.down(dialect)].into_iter().flatten() {
        found.extend(Reader::new(&section, dialect, &places).directives());
    }
    found
}

/// The header is made of comment lines, and what it says is about the file.
fn header(revision: &Revision, places: &Places<'_>) -> Vec<Located> {
    let end = revision.sections().next().map_or(u32::MAX, |section| super::places::number(section.first_line) - 1);
    let mut found = Vec::new();
    for number in 1..end {
        let (Some(line), Some(start)) = (places.line(number), places.start(number)) else { break };
        let text = line.trim_start();
        let Some(comment) = text.strip_prefix("--").or_else(|| text.strip_prefix('#')) else { continue };
        let base = start + line.len() - comment.len();
        found.extend(directive::read(comment).into_iter().map(|directive| Located {
            directive,
            scope: Scope::File,
            base,
        }));
    }
    found
}

/// Comments and statements of a section, by byte offsets in the section.
struct Reader<'a> {
    text: &'a str,
    direction: Direction,
    statements: Vec<Range<usize>>,
    comments: Vec<Comment<'a>>,
    /// What each comment stands at.
    anchors: Vec<Anchor>,
    places: &'a Places<'a>,
    /// Where the section begins in the file.
    base: usize,
}

/// What a comment stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Anchor {
    /// A statement.
    Statement(usize),
    /// Other comments that stand above each other, and no statement: the number of the last of them.
    Block(usize),
}

impl<'a> Reader<'a> {
    fn new(section: &Section<'a>, dialect: Dialect, places: &'a Places<'a>) -> Self {
        // What can't be cut has no statements, and is reported elsewhere.
        let statements = section.statements(dialect).unwrap_or_default();
        let mut reader = Reader {
            text: section.text,
            direction: section.direction,
            statements: statements.iter().map(|found| found.offset..end(found, section.text)).collect(),
            comments: comments(section.text, dialect).collect(),
            anchors: Vec::new(),
            places,
            base: places.start(super::places::number(section.first_line)).unwrap_or_default(),
        };
        reader.anchors = reader.anchors();
        reader
    }

    fn directives(&self) -> Vec<Located> {
        let scopes = self.scopes();
        let mut found = Vec::new();
        for (number, comment) in self.comments.iter().enumerate() {
            if !directive::may_be_in(comment.text) {
                continue;
            }
            // The text is a piece of the section's.
            let inner = comment.text.as_ptr() as usize - self.text.as_ptr() as usize;
            for directive in directive::read(comment.text) {
                let scope = match directive.origin {
                    Origin::SquawkFile => Scope::File,
                    Origin::Atlas if self.is_top(number) => Scope::File,
                    _ => scopes[number].clone(),
                };
                found.push(Located { directive, scope, base: self.base + inner });
            }
        }
        found
    }

    /// Whether a comment stands before all statements, with a blank line behind it.
    fn is_top(&self, number: usize) -> bool {
        matches!(self.anchors[number], Anchor::Block(_))
            && self.statements.first().is_none_or(|first| self.comments[number].end <= first.start)
    }

    /// From the last comment to the first, because comments above others belong where those belong.
    fn anchors(&self) -> Vec<Anchor> {
        let mut anchors: Vec<Anchor> = Vec::with_capacity(self.comments.len());
        for (number, comment) in self.comments.iter().enumerate().rev() {
            let next = self.statements.partition_point(|statement| statement.end <= comment.start);
            let follows = self.statements.get(next);
            // What comes directly behind it, if that is on the same line or on the next one.
            let is_near = |start: usize| self.line(start) <= self.line(comment.end) + 1;
            let below =
                self.comments.get(number + 1).filter(|below| follows.is_none_or(|next| below.start < next.start));
            anchors.push(match (follows, below) {
                (Some(statement), _) if statement.start <= comment.start => Anchor::Statement(next),
                _ if self.is_at_end(comment, next) => Anchor::Statement(next - 1),
                (_, Some(below)) if is_near(below.start) => anchors.last().copied().unwrap_or(Anchor::Block(number)),
                (Some(statement), None) if is_near(statement.start) => Anchor::Statement(next),
                _ => Anchor::Block(number),
            });
        }
        anchors.reverse();
        anchors
    }

    /// Whether a comment stands on the line on which the statement before `next` ends. In `a; /* … */ b` it is about `b`.
    fn is_at_end(&self, comment: &Comment<'_>, next: usize) -> bool {
        let Some(last) = next.checked_sub(1).and_then(|last| self.statements.get(last)) else { return false };
        let follows = self.statements.get(next).map(|statement| self.line(statement.start));
        self.line(last.end) == self.line(comment.start) && follows != Some(self.line(comment.end))
    }

    /// What each comment is about.
    fn scopes(&self) -> Vec<Scope> {
        let mut reach: HashMap<Anchor, Range<usize>> = HashMap::new();
        for (comment, anchor) in self.comments.iter().zip(&self.anchors) {
            let of_statement = match anchor {
                Anchor::Statement(index) => self.statements[*index].clone(),
                Anchor::Block(_) => comment.start..comment.end,
            };
            let reach = reach.entry(*anchor).or_insert(of_statement);
            *reach = reach.start.min(comment.start)..reach.end.max(comment.end);
        }
        let scope = |anchor: &Anchor| {
            let Some(reach) = reach.get(anchor) else { return Scope::File };
            let (from, to) = (self.places.of(self.base + reach.start), self.places.of(self.base + reach.end));
            match anchor {
                Anchor::Statement(index) => {
                    Scope::Statement { index: (self.direction == Direction::Up).then_some(*index), from, to }
                }
                Anchor::Block(_) => Scope::Comments { from, to },
            }
        };
        self.anchors.iter().map(scope).collect()
    }

    fn line(&self, offset: usize) -> usize {
        self.places.line_of(self.base + offset)
    }
}

/// Where a statement ends, with the `;` that may stand on a line of its own.
fn end(statement: &Statement<'_>, section: &str) -> usize {
    let end = statement.offset + statement.text.len();
    let rest = section.get(end..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    if rest.trim_start().starts_with(';') { end + blanks + 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(body: &str, dialect: Dialect) -> Vec<(String, Scope)> {
        let text = format!("-- T\n-- Revision ID: a\n-- Revises: base\n-- migrate:up\n{body}");
        let revision = runner_chain::parse_revision("a.sql", text.as_bytes()).unwrap();
        let found = directives(&revision, dialect);
        for located in &found {
            let word = located.directive.word();
            let at = located.base + located.directive.offset;
            assert_eq!(text.get(at..at + word.len()), Some(word));
        }
        let name =
            |located: &Located| located.directive.names.first().map(|name| name.text.clone()).unwrap_or_default();
        found.iter().map(|located| (name(located), located.scope.clone())).collect()
    }

    fn statement(body: &str) -> Vec<(String, Option<usize>)> {
        let index = |scope| match scope {
            Scope::Statement { index, .. } => Some(index.unwrap()),
            Scope::File | Scope::Comments { .. } => None,
        };
        located(body, Dialect::Sqlite).into_iter().map(|(name, scope)| (name, index(scope))).collect()
    }

    #[test]
    fn a_comment_belongs_to_the_statement_at_which_it_stands() {
        for (body, expected) in [
            ("-- lint:ignore a r\nA;\nB;", vec![("a", Some(0))]),
            ("A;\n-- lint:ignore a r\n-- more\nB;", vec![("a", Some(1))]),
            ("A; -- lint:ignore a r\nB;", vec![("a", Some(0))]),
            ("A; B; -- lint:ignore a r\nC;", vec![("a", Some(1))]),
            ("A; /* lint:ignore a r */ B;", vec![("a", Some(1))]),
            ("A (\n  x, -- lint:ignore a r\n  y\n);\nB;", vec![("a", Some(0))]),
            ("A (\n  x -- lint:ignore a r\n);", vec![("a", Some(0))]),
            ("-- lint:ignore a r\n\nA;", vec![("a", None)]),
            ("A;\n-- lint:ignore a r\n\nB;", vec![("a", None)]),
            ("A;\n-- lint:ignore a r\n", vec![("a", None)]),
            ("-- lint:ignore a r\n-- lint:ignore b r\n/* x */\nA;", vec![("a", Some(0)), ("b", Some(0))]),
            ("A '-- lint:ignore a r';", vec![]),
            ("A -- lint:ignore a r", vec![("a", Some(0))]),
            ("A\n; -- lint:ignore a r\nB;", vec![("a", Some(0))]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(name, index)| (name.to_owned(), index)).collect();
            assert_eq!(statement(body), expected, "{body}");
        }
    }

    #[test]
    fn the_place_of_a_statement_holds_its_comments() {
        let [(_, scope)] = &located("X;\n-- TODO a\n-- lint:ignore a r\nA\n  b; -- end\nB;", Dialect::Sqlite)[..]
        else {
            panic!()
        };
        assert_eq!(*scope, Scope::Statement { index: Some(1), from: (6, 1), to: (9, 12) });
        assert!(scope.covers(Some((6, 4)), None) && scope.covers(None, Some(1)));
        assert!(
            !scope.covers(Some((10, 1)), None) && !scope.covers(Some((8, 1)), Some(0)) && !scope.covers(None, None)
        );
    }

    #[test]
    fn headers_are_about_the_file() {
        let text = "-- T\n-- lint:ignore a r\n-- Revision ID: a\n-- Revises: base\n# atlas:nolint DS102\n\n-- migrate:up\nA;\n-- migrate:down\n-- lint:ignore b r\nB;\n";
        let revision = runner_chain::parse_revision("a.sql", text.as_bytes()).unwrap();
        let found = directives(&revision, Dialect::Sqlite);
        assert_eq!(found.len(), 3);
        assert_eq!((&found[0].scope, &found[1].scope), (&Scope::File, &Scope::File));
        assert_eq!(found[2].scope, Scope::Statement { index: None, from: (10, 1), to: (11, 3) });
    }

    #[test]
    fn directives_of_other_tools_for_the_file_may_stand_in_a_section() {
        for (body, is_file) in [
            ("-- atlas:nolint\n\nA;", true),
            ("-- atlas:nolint\nA;", false),
            ("A;\n-- atlas:nolint\n\nB;", false),
            ("A;\n-- squawk-ignore-file x\nB;", true),
            ("-- squawk-ignore x\n\nA;", false),
        ] {
            let found = located(body, Dialect::Postgres);
            assert_eq!(found.iter().map(|(_, scope)| *scope == Scope::File).collect::<Vec<_>>(), [is_file], "{body}");
        }
    }

    #[test]
    fn sections_of_other_dialects_say_nothing_here() {
        let body = "A;\n-- migrate:up mysql\n# lint:ignore a r\nA;\n";
        assert_eq!(located(body, Dialect::Sqlite), []);
        assert_eq!(located(body, Dialect::Mysql).len(), 1);
    }

    #[test]
    fn many_comments_are_read_in_one_go() {
        let body = "-- lint:ignore a r\n".repeat(50_000);
        assert_eq!(located(&format!("{body}A;\n{body}"), Dialect::Sqlite).len(), 100_000);
    }

    #[test]
    fn sql_that_can_not_be_cut_has_comments_all_the_same() {
        assert_eq!(statement("-- lint:ignore a r\nA 'open"), [("a".to_owned(), None)]);
    }
}
