//! Reads the text of a revision file, as far as tests of policies need it.

use super::revision;
use super::sql;
use super::tags;
use crate::Direction;
use crate::Revision;
use crate::Source;
use crate::Statement;

pub(super) fn read(text: &str) -> Source {
    let text = text.replace("\r\n", "\n");
    let mut made = Revision { title: String::new(), ..revision("") };
    let mut description: Vec<&str> = Vec::new();
    let mut has_keys = false;
    let mut sections: Vec<(Direction, u32, usize, usize)> = Vec::new();
    let (mut offset, mut number) = (0, 0);
    for line in text.split_inclusive('\n') {
        number += 1;
        let start = offset;
        offset += line.len();
        let Some(comment) = line.trim().strip_prefix("--") else { continue };
        if let Some(direction) = marker(comment) {
            if let Some((_, _, _, end)) = sections.last_mut() {
                *end = start;
            }
            sections.push((direction, number + 1, offset, text.len()));
        } else if sections.is_empty() {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            if let Some((key, value)) = comment.split_once(':').and_then(|(key, value)| known(key, value)) {
                has_keys = true;
                set(&mut made, &key, value);
            } else if !made.title.is_empty() || has_keys {
                description.push(comment);
            } else {
                comment.trim().clone_into(&mut made.title);
            }
        }
    }
    assert!(!made.id.is_empty(), "the text holds no line `-- Revision ID: …`\n{text}");
    made.file = format!("migrations/{}.sql", made.id);
    made.description = description.join("\n").trim().to_owned();
    let section = |wanted: Direction| -> Option<Vec<Statement>> {
        let (_, line, start, end) = sections.iter().find(|(direction, ..)| *direction == wanted)?;
        Some(sql::split(&text[*start..*end], *line))
    };
    let (up, down) = (section(Direction::Up).unwrap_or_default(), section(Direction::Down));
    Source { revision: made, text, up, down, planned: true }
}

fn marker(comment: &str) -> Option<Direction> {
    match comment.trim() {
        "migrate:up" => Some(Direction::Up),
        "migrate:down" => Some(Direction::Down),
        _ => None,
    }
}

/// A key of the header in lower case, and its value.
fn known<'a>(key: &str, value: &'a str) -> Option<(String, &'a str)> {
    const KEYS: [&str; 7] =
        ["revision id", "revises", "create date", "env", "depends on", "branch labels", "transaction"];
    let key = key.trim().to_ascii_lowercase();
    KEYS.contains(&key.as_str()).then_some((key, value.trim()))
}

fn set(revision: &mut Revision, key: &str, value: &str) {
    let list = || value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect();
    match key {
        "revision id" => value.clone_into(&mut revision.id),
        "revises" if value.eq_ignore_ascii_case("base") => {}
        "revises" => revision.parents = list(),
        "create date" => revision.created = (!value.is_empty()).then(|| value.to_owned()),
        "env" => revision.environments = tags(value),
        "depends on" => revision.depends_on = list(),
        "branch labels" => revision.labels = list(),
        _ => revision.transactional = !value.eq_ignore_ascii_case("off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_sections_are_read() {
        let source = read(
            "-- Add email: für alle\n--\n-- Why: people write.\n--\n-- Revision ID: a1b2\n-- Revises: 9f8e, 7d6c\n\
             -- Env: Staging, =test\n-- Transaction: off\n\n-- migrate:up\nALTER TABLE patient\n  ADD email text;\n\n\
             -- migrate:down\n  SELECT 1; SELECT 2;\n",
        );
        let revision = &source.revision;
        assert_eq!((revision.id.as_str(), revision.title.as_str()), ("a1b2", "Add email: für alle"));
        assert_eq!(revision.description, "Why: people write.");
        assert_eq!(revision.parents, ["9f8e", "7d6c"]);
        assert_eq!(revision.environments, tags("staging, =test"));
        assert!(!revision.transactional);
        let place = |statement: &Statement| (statement.line, statement.column);
        assert_eq!(source.up.iter().map(place).collect::<Vec<_>>(), [(11, 1)]);
        assert_eq!(source.down.iter().flatten().map(place).collect::<Vec<_>>(), [(15, 3), (15, 13)]);
        assert_eq!(source.statements().count(), 3);
        assert_eq!(source.place_of("für"), Some((1, 15)));
    }

    #[test]
    fn a_root_without_a_way_back() {
        let source = read("-- Start\n-- Revision ID: a\n-- Revises: base\n-- migrate:up\n");
        assert_eq!(source.revision.parents, [""; 0]);
        assert_eq!((source.up, source.down), (Vec::new(), None));
    }
}
