//! The text of a new revision file.

use std::fmt::Write as _;

use crate::dialect::Dialect;
use crate::environment::EnvironmentTag;
use crate::header_key;
use crate::identifier::{Label, RevisionId};

/// How many characters of a title go into a file name.
const SLUG_LENGTH: usize = 40;

/// What a new revision file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRevision {
    /// Its identifier.
    pub id: RevisionId,
    /// Its title; further lines become free text.
    pub title: String,
    /// Its parents; none for a root.
    pub parents: Vec<RevisionId>,
    /// Its environment tags; none to run everywhere.
    pub environments: Vec<EnvironmentTag>,
    /// The identifiers or labels it depends on.
    pub depends_on: Vec<String>,
    /// The labels it gives.
    pub labels: Vec<Label>,
    /// The time of its creation, as it is to be written: `2026-11-20T12:00:00Z`.
    pub created: String,
}

impl NewRevision {
    /// The file: the header, without the optional keys that would be empty, and two empty sections.
    pub fn text(&self) -> String {
        let mut text = self.header();
        text.push_str(
            "\n-- migrate:up\n-- Write the SQL that applies this revision here.\n\
             \n-- migrate:down\n-- Write the SQL that takes it back here, or delete this section if that is impossible.\n",
        );
        text
    }

    /// The file with its SQL, for some dialects (none: for all) and nothing for the others. An empty `down` gives an empty
    /// section: there is nothing to take back.
    pub fn text_with(&self, up: &str, down: &str, transaction: bool, dialects: &[Dialect]) -> String {
        let mut text = self.header();
        if !transaction {
            text.push_str("-- Transaction: off\n");
        }
        for (direction, sql) in [("up", up), ("down", down)] {
            // Writing into a string cannot fail.
            let marker = format!("-- migrate:{direction} {}", list(dialects));
            let _ = writeln!(text, "\n{}", marker.trim_end());
            let sql = sql.trim();
            if !sql.is_empty() {
                let _ = writeln!(text, "{sql}");
            }
            if !dialects.is_empty() {
                let _ = write!(text, "\n-- migrate:{direction}\n-- Nothing for other databases.\n");
            }
        }
        text
    }

    fn header(&self) -> String {
        let mut text = String::new();
        for line in self.title.trim().lines() {
            text.push_str(format!("-- {}", harmless(line)).trim_end());
            text.push('\n');
        }
        if !text.is_empty() {
            text.push_str("--\n");
        }
        let parents = if self.parents.is_empty() { "base".to_owned() } else { list(&self.parents) };
        for (key, value) in [
            ("Revision ID", self.id.to_string()),
            ("Revises", parents),
            ("Create Date", self.created.clone()),
            ("Env", list(&self.environments)),
            ("Depends On", list(&self.depends_on)),
            ("Branch Labels", list(&self.labels)),
        ] {
            if !value.is_empty() {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "-- {key}: {value}");
            }
        }
        text
    }

    /// The name of the file: `<id>_<slug>.sql`.
    pub fn file_name(&self) -> String {
        let slug = slug(self.title.trim().lines().next().unwrap_or_default());
        if slug.is_empty() { format!("{}.sql", self.id) } else { format!("{}_{slug}.sql", self.id) }
    }
}

/// A title as part of a file name: its words of letters and digits in lower case, joined with `_`, cut at 40 characters on
/// a word border.
pub fn slug(title: &str) -> String {
    let lower = title.to_lowercase();
    let mut slug = String::new();
    let mut length = 0;
    for word in lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let count = word.chars().count();
        if length == 0 {
            slug.extend(word.chars().take(SLUG_LENGTH));
            length = count;
        } else if length + 1 + count <= SLUG_LENGTH {
            slug.push('_');
            slug.push_str(word);
            length += 1 + count;
        } else {
            break;
        }
    }
    slug
}

/// A line of free text that reads as free text: what looks like a key loses its colons, what looks like a marker comes second.
fn harmless(line: &str) -> String {
    let line = line.trim().trim_start_matches(['-', '#']).trim_start().replace('\0', "");
    let Some(at) = line.find([':', '=']) else { return without_marker(line) };
    let (key, value) = (line[..at].trim(), line[at + 1..].trim());
    if header_key::Key::named(key).is_some() || header_key::near_miss(key, value).is_some() {
        return line.replace([':', '='], " -");
    }
    without_marker(line)
}

fn without_marker(line: String) -> String {
    if line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("migra")) { format!("About {line}") } else { line }
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::file::parse;

    fn new(title: &str) -> NewRevision {
        NewRevision {
            id: RevisionId::new("a1b2").unwrap(),
            title: title.to_owned(),
            parents: Vec::new(),
            environments: Vec::new(),
            depends_on: Vec::new(),
            labels: Vec::new(),
            created: "2026-11-20T12:00:00Z".to_owned(),
        }
    }

    #[test]
    fn the_text_is_a_revision_file() {
        let full = NewRevision {
            parents: vec![RevisionId::new("p1").unwrap(), RevisionId::new("p2").unwrap()],
            environments: vec!["staging".parse().unwrap(), "=test".parse().unwrap()],
            depends_on: vec!["blog".to_owned()],
            labels: vec![Label::new("shop").unwrap()],
            ..new("Add e-mail\nBecause: reasons")
        };
        let parsed = parse("x.sql", full.text().as_bytes()).unwrap();
        assert_eq!(parsed.title, "Add e-mail");
        assert_eq!(parsed.description, "Because: reasons");
        assert_eq!((&parsed.parents, &parsed.environments), (&full.parents, &full.environments));
        assert_eq!((&parsed.depends_on, &parsed.labels), (&full.depends_on, &full.labels));
        assert_eq!(parsed.created.as_deref(), Some("2026-11-20T12:00:00Z"));
        assert!(parsed.has_up_sections() && parsed.has_down_sections());
    }

    #[test]
    fn sql_is_written_into_the_sections() {
        let text = new("Validate").text_with("VALIDATE x;\n", "", false, &[]);
        let parsed = parse("x.sql", text.as_bytes()).unwrap();
        assert!(!parsed.transaction);
        let sections: Vec<&str> = parsed.sections().map(|section| section.text).collect();
        assert_eq!(sections, ["VALIDATE x;\n\n", ""]);
        let some = new("V").text_with("A;", "B;", true, &[Dialect::Sqlite, Dialect::Postgres]);
        let parsed = parse("x.sql", some.as_bytes()).unwrap();
        assert!(parsed.transaction);
        assert_eq!(parsed.up(Dialect::Postgres).unwrap().statements(Dialect::Postgres).unwrap().len(), 1);
        assert_eq!(parsed.up(Dialect::Mysql).unwrap().statements(Dialect::Mysql).unwrap().len(), 0);
        assert_eq!(parsed.down(Dialect::Sqlite).unwrap().text, "B;\n\n");
    }

    #[test]
    fn a_root_without_options_has_three_keys() {
        assert_eq!(
            new("First").text().lines().take(6).collect::<Vec<_>>(),
            ["-- First", "--", "-- Revision ID: a1b2", "-- Revises: base", "-- Create Date: 2026-11-20T12:00:00Z", ""]
        );
    }

    #[test]
    fn file_names_are_cut_on_a_word_border() {
        for (title, name) in [
            ("Add e-mail column!", "a1b2_add_e_mail_column.sql"),
            ("", "a1b2.sql"),
            ("…", "a1b2.sql"),
            ("../../etc/passwd", "a1b2_etc_passwd.sql"),
            ("Größe ändern", "a1b2_größe_ändern.sql"),
            ("one two three four five six seven eight nine ten", "a1b2_one_two_three_four_five_six_seven_eight.sql"),
        ] {
            assert_eq!(new(title).file_name(), name);
        }
        assert_eq!(slug(&"x".repeat(50)), "x".repeat(40));
    }

    proptest! {
        #[test]
        fn every_title_can_be_written(title in "(Env|env|Label|Revises|migrate|migrat|[a-z])?[ :=#-]{0,3}\\PC{0,20}(\n\\PC{0,9})?") {
            let text = new(&title).text();
            let parsed = parse("x.sql", text.as_bytes());
            prop_assert!(parsed.is_ok(), "{} {:?}", text, parsed.unwrap_err());
            prop_assert_eq!(parsed.unwrap().environments.len(), 0);
        }
    }
}
