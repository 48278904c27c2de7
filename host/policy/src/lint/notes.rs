//! What a policy has noted about earlier steps of a plan, found by the words of a later one: a plan of thousands of steps must
//! not hand all of it to each of them.

use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::data::Note;

#[derive(Debug, Default)]
pub(super) struct Notes {
    texts: Vec<String>,
    /// Notes by a word of what they are about, in lower case.
    by_word: HashMap<String, Vec<usize>>,
    for_all: Vec<usize>,
}

impl Notes {
    pub(super) fn add(&mut self, notes: &[Note]) {
        for note in notes {
            let index = self.texts.len();
            self.texts.push(note.text.clone());
            if note.about.is_empty() {
                self.for_all.push(index);
            }
            for name in &note.about {
                match words(last_part(name)).max_by_key(|word| word.len()) {
                    Some(word) => self.by_word.entry(word.to_lowercase()).or_default().push(index),
                    None => self.for_all.push(index),
                }
            }
        }
    }

    /// The notes that matter to a text, in the order in which they were made.
    pub(super) fn for_text(&self, text: &str) -> Vec<String> {
        let mut told: BTreeSet<usize> = self.for_all.iter().copied().collect();
        if !self.by_word.is_empty() {
            for word in words(text) {
                told.extend(self.by_word.get(&word.to_lowercase()).into_iter().flatten());
            }
        }
        told.into_iter().filter_map(|index| self.texts.get(index).cloned()).collect()
    }
}

/// Of `schema.table` the table: who means the same thing may leave the schema out.
fn last_part(name: &str) -> &str {
    let mut quote = None;
    let mut start = 0;
    for (place, character) in name.char_indices() {
        match (quote, character) {
            (None, '"' | '`' | '[') => quote = Some(if character == '[' { ']' } else { character }),
            (Some(end), _) if character == end => quote = None,
            (None, '.') => start = place + 1,
            _ => {}
        }
    }
    name.get(start..).unwrap_or(name)
}

/// Runs of what names are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|character: char| !(character.is_alphanumeric() || character == '_' || character == '$'));
    words.filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(about: &[&str], text: &str) -> bool {
        let mut notes = Notes::default();
        let about = about.iter().map(|name| (*name).to_owned()).collect();
        notes.add(&[Note { about, text: "x".to_owned() }]);
        !notes.for_text(text).is_empty()
    }

    #[test]
    fn a_note_reaches_whoever_names_what_it_is_about() {
        assert!(told(&["visit"], "ALTER TABLE Visit ADD x int"));
        assert!(told(&["public.visit"], "ALTER TABLE visit ADD x int"));
        assert!(told(&["long_schema_name.v"], "DROP TABLE v"));
        assert!(told(&["\"a.b\".\"c.longer\""], "DROP TABLE \"c.longer\""));
        assert!(told(&["\"my visits\""], "DROP TABLE \"my visits\""));
        assert!(told(&["größe"], "drop table GRÖSSE_alt, Größe"));
        assert!(told(&["a", "b"], "drop table b"));
        assert!(told(&[], "anything"));
        assert!(told(&["\"?\""], "anything"));
        assert!(!told(&["visit"], "DROP TABLE visits"));
        assert!(!told(&["visit"], ""));
    }

    #[test]
    fn a_note_is_told_once_and_in_order() {
        let mut notes = Notes::default();
        for (about, text) in [(vec!["b", "a"], "first"), (vec!["a"], "second"), (vec![], "third")] {
            notes.add(&[Note { about: about.into_iter().map(str::to_owned).collect(), text: text.to_owned() }]);
        }
        assert_eq!(notes.for_text("a b a"), ["first", "second", "third"]);
        assert_eq!(notes.for_text("b"), ["first", "third"]);
    }
}
