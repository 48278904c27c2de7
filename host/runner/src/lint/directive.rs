//! What comments say to the linter: `lint:ignore`, `atlas:nolint`, `squawk-ignore`.

use super::places::Place;

/// Whose way of writing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `lint:ignore`, which wants a reason.
    Own,
    /// `atlas:nolint`
    Atlas,
    /// `squawk-ignore`
    Squawk,
    /// `squawk-ignore-file`, which is about the whole file wherever it stands.
    SquawkFile,
}

/// The words, in the order in which they are tried.
const WORDS: [(&str, Origin); 4] = [
    ("lint:ignore", Origin::Own),
    ("atlas:nolint", Origin::Atlas),
    ("squawk-ignore-file", Origin::SquawkFile),
    ("squawk-ignore", Origin::Squawk),
];

/// A name in a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// As it is written.
    pub(crate) text: String,
    /// Where in the comment's text, in bytes.
    pub(crate) offset: usize,
}

/// Something that a comment says to the linter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) origin: Origin,
    /// The rules; none: all.
    pub(crate) names: Vec<Name>,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Where in the comment's text it begins, in bytes.
    pub(crate) offset: usize,
    /// How many bytes it has.
    pub(crate) length: usize,
}

impl Directive {
    /// The word that it begins with.
    pub(crate) fn word(&self) -> &'static str {
        WORDS.iter().find(|(_, origin)| *origin == self.origin).map_or("", |(word, _)| word)
    }
}

/// Whether a text may hold a directive; the answer is quick, and yes too often.
pub(crate) fn may_be_in(text: &str) -> bool {
    WORDS.iter().any(|(word, _)| text.contains(word))
}

/// The directives of a comment, given without what opens and closes it. Each begins a line of the comment.
pub(crate) fn read(comment: &str) -> Vec<Directive> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in comment.split_inclusive('\n') {
        found.extend(read_line(line.trim_end(), start));
        start += line.len();
    }
    found
}

fn read_line(line: &str, start: usize) -> Option<Directive> {
    let begin = line.find(|letter: char| !letter.is_whitespace() && letter != '*')?;
    let text = line.get(begin..)?;
    let (word, origin) = WORDS.iter().find(|(word, _)| text.starts_with(word))?;
    let rest = text.get(word.len()..)?;
    // A longer word is another word.
    if rest.starts_with(is_name) {
        return None;
    }
    let offset = start + begin;
    let mut directive =
        Directive { origin: *origin, names: Vec::new(), reason: None, offset, length: text.trim_end().len() };
    let mut names = Names { rest, offset: offset + word.len() };
    match origin {
        // Names are separated by blanks, and nothing else can stand there.
        Origin::Atlas => {
            while let Some(name) = names.next() {
                directive.names.push(name);
                names.skip_comma();
            }
        }
        Origin::Own | Origin::Squawk | Origin::SquawkFile => {
            while let Some(name) = names.next() {
                directive.names.push(name);
                if !names.skip_comma() {
                    break;
                }
            }
        }
    }
    let reason = names.rest.trim_start_matches(|letter: char| {
        letter.is_whitespace() || matches!(letter, ':' | '-' | '–' | '—' | ',' | ';')
    });
    directive.reason = reason.contains(char::is_alphanumeric).then(|| reason.trim().to_owned());
    Some(directive)
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

/// Takes names off the beginning of a text.
struct Names<'a> {
    rest: &'a str,
    offset: usize,
}

impl Names<'_> {
    fn advance(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.offset += count;
    }

    fn skip_blanks(&mut self) {
        let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t', ':']).len();
        self.advance(blanks);
    }

    fn next(&mut self) -> Option<Name> {
        self.skip_blanks();
        let end = self.rest.find(|letter: char| !is_name(letter)).unwrap_or(self.rest.len());
        let text = self.rest.get(..end)?;
        // Dashes alone separate a reason.
        if !text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
            return None;
        }
        let name = Name { text: text.to_owned(), offset: self.offset };
        self.advance(end);
        Some(name)
    }

    /// Whether another name has to follow.
    fn skip_comma(&mut self) -> bool {
        let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        let is_comma = self.rest.get(blanks..).is_some_and(|rest| rest.starts_with(','));
        if is_comma {
            self.advance(blanks + 1);
        }
        is_comma
    }
}

/// A place that a directive is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole file.
    File,
    /// A statement with the comments directly before it, and those at its end.
    Statement {
        /// Its index in the up section; `None`: it is in the down section.
        index: Option<usize>,
        /// The first place that belongs to it.
        from: Place,
        /// The last one.
        to: Place,
    },
    /// Comments that no statement follows.
    Comments {
        /// The first place that belongs to them.
        from: Place,
        /// The last one.
        to: Place,
    },
}

impl Scope {
    /// Whether a finding at a place, or about a statement of the up section, is meant.
    pub(crate) fn covers(&self, place: Option<Place>, statement: Option<usize>) -> bool {
        let within = |from: &Place, to: &Place| place.is_some_and(|place| *from <= place && place <= *to);
        match self {
            Scope::File => true,
            Scope::Statement { index, from, to } => match statement {
                Some(statement) => *index == Some(statement),
                None => within(from, to),
            },
            Scope::Comments { from, to } => statement.is_none() && within(from, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(comment: &str) -> Option<(Origin, Vec<String>, Option<String>)> {
        let found = read(comment);
        assert!(found.len() <= 1, "{comment}");
        let directive = found.into_iter().next()?;
        for name in &directive.names {
            assert_eq!(comment.get(name.offset..name.offset + name.text.len()), Some(name.text.as_str()));
        }
        Some((directive.origin, directive.names.into_iter().map(|name| name.text).collect(), directive.reason))
    }

    #[test]
    fn names_and_reasons_are_told_apart() {
        let own = |names: &[&str], reason: Option<&str>| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Some((Origin::Own, names, reason.map(str::to_owned)))
        };
        for (comment, expected) in [
            (" lint:ignore a-b because of x", own(&["a-b"], Some("because of x"))),
            ("lint:ignore a, b ,c d e", own(&["a", "b", "c"], Some("d e"))),
            (" lint:ignore a: old – and gone", own(&["a"], Some("old – and gone"))),
            (" lint:ignore a -- see #12", own(&["a"], Some("see #12"))),
            (" lint:ignore a", own(&["a"], None)),
            (" lint:ignore a …", own(&["a"], None)),
            (" lint:ignore", own(&[], None)),
            (" lint:ignore: a b", own(&["a"], Some("b"))),
            (" lint:ignore a,", own(&["a"], None)),
            ("\n * lint:ignore a warum: Zahnärzte\n ", own(&["a"], Some("warum: Zahnärzte"))),
            (" lint:ignored a b", None),
            (" please lint:ignore a b", None),
            (" Lint:ignore a b", None),
        ] {
            assert_eq!(one(comment), expected, "{comment}");
        }
    }

    #[test]
    fn words_of_other_tools_are_understood() {
        let of = |origin, names: &[&str], reason: Option<&str>| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Some((origin, names, reason.map(str::to_owned)))
        };
        for (comment, expected) in [
            (" atlas:nolint", of(Origin::Atlas, &[], None)),
            (" atlas:nolint destructive DS103", of(Origin::Atlas, &["destructive", "DS103"], None)),
            (" atlas:nolint DS103, MF101", of(Origin::Atlas, &["DS103", "MF101"], None)),
            (" squawk-ignore ban-drop-column, x", of(Origin::Squawk, &["ban-drop-column", "x"], None)),
            (" squawk-ignore-file", of(Origin::SquawkFile, &[], None)),
            (" squawk-ignore-file a", of(Origin::SquawkFile, &["a"], None)),
            (" squawk-ignored", None),
        ] {
            assert_eq!(one(comment), expected, "{comment}");
        }
    }

    #[test]
    fn several_lines_of_a_comment_may_say_something() {
        let found = read("\n lint:ignore a b\n text\n lint:ignore c d\n");
        assert_eq!(found.iter().map(|directive| directive.names[0].text.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert!(may_be_in("x -- squawk-ignore y") && !may_be_in("lint: ignore"));
    }

    #[test]
    fn hostile_comments_are_read_to_their_end() {
        for comment in
            ["lint:ignore \u{202e}", "lint:ignore ,,,,", "atlas:nolint é é", "\u{0}lint:ignore", "*", "", "\n\n"]
        {
            let _ = read(comment);
        }
        let long = format!("atlas:nolint {}", "a ".repeat(100_000));
        assert_eq!(read(&long)[0].names.len(), 100_000);
    }
}
