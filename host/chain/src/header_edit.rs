//! Changes the header of a revision file, and nothing else of it.

use crate::header_key::Key;
use crate::identifier::RevisionId;

/// The text of a file with other parents; `None`: it has no line `Revises`. Line ends, and everything else, stay as they are.
pub fn with_parents(text: &str, parents: &[RevisionId]) -> Option<String> {
    let value = match parents {
        [] => "base".to_owned(),
        parents => parents.iter().map(RevisionId::as_str).collect::<Vec<_>>().join(", "),
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let comment = content.trim_start_matches('\u{feff}').trim_start().trim_start_matches(['-', '#', ' ', '\t']);
        if comment.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("migrate:")) {
            return None;
        }
        if let Some(separator) =
            comment.find([':', '=']).filter(|&end| Key::named(comment[..end].trim()) == Some(Key::Revises))
        {
            let start = at + (content.len() - comment.len()) + separator + 1;
            return Some(format!("{} {value}{}", &text[..start], &text[at + content.len()..]));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<RevisionId> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    #[test]
    fn only_the_parents_change() {
        for (text, parents, expected) in [
            ("-- T\n-- Revises: a\n-- migrate:up\nx\n", vec!["b"], "-- T\n-- Revises: b\n-- migrate:up\nx\n"),
            (
                "\u{feff}-- revises:a,b\r\n-- Env: test\r\n",
                vec!["c", "d"],
                "\u{feff}-- revises: c, d\r\n-- Env: test\r\n",
            ),
            ("# Revises = base", vec!["c"], "# Revises = c"),
            ("-- Revises: a\n", vec![], "-- Revises: base\n"),
        ] {
            assert_eq!(with_parents(text, &ids(&parents)).as_deref(), Some(expected));
        }
        assert_eq!(with_parents("-- T\n-- migrate:up\n-- Revises: a\n", &ids(&["b"])), None);
        assert_eq!(with_parents("", &ids(&["b"])), None);
    }
}
