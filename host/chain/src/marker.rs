//! The lines that begin a section: `-- migrate:up`, `-- migrate:down postgres, mysql`.

use strsim::osa_distance;

use crate::diagnostic::Problem;
use crate::dialect::Dialect;
use crate::direction::Direction;
use crate::fault::Fault;
use crate::position::Line;

const WORD: &str = "migrate";

/// What a comment line says about sections.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    /// Nothing: an ordinary comment.
    None,
    /// A section begins.
    Section { direction: Direction, dialects: Vec<Dialect> },
    /// A section was meant to begin; a problem was reported.
    Wrong,
}

/// Reads a comment line, given without its dashes.
pub(crate) fn read(file: &str, line: Line<'_>, comment: &str, problems: &mut Vec<Problem>) -> Marker {
    let text = comment.trim();
    let Some(rest) = text.split_at_checked(WORD.len()).and_then(|(word, rest)| {
        let rest = rest.trim_start().strip_prefix(':')?;
        word.eq_ignore_ascii_case(WORD).then(|| rest.trim_start())
    }) else {
        return misspelt(file, line, text, problems);
    };
    let end = rest.find(|character: char| character.is_whitespace() || character == ',').unwrap_or(rest.len());
    let (word, options) = rest.split_at(end);
    let direction = match word.to_ascii_lowercase().as_str() {
        "up" => Direction::Up,
        "down" => Direction::Down,
        lower => {
            let meant = if osa_distance(lower, "up") < osa_distance(lower, "down") { "up" } else { "down" };
            let at = if word.is_empty() { text } else { word };
            let problem = Problem::at(
                file,
                line.span_of(at),
                line.text,
                Fault::MalformedSection,
                format!("unknown section `migrate:{word}`"),
            )
            .help("sections begin with `-- migrate:up` or `-- migrate:down`");
            let close = !word.is_empty() && osa_distance(lower, meant) <= 2;
            problems.push(if close { problem.label(format!("did you mean `migrate:{meant}`?")) } else { problem });
            return Marker::Wrong;
        }
    };
    let mut dialects = Vec::new();
    let mut wrong = false;
    for option in options.split([',', ' ', '\t']).filter(|option| !option.is_empty()) {
        match option.parse() {
            Ok(dialect) if !dialects.contains(&dialect) => dialects.push(dialect),
            Ok(_) => {}
            Err(_) => {
                problems.push(unknown_option(file, line, option));
                wrong = true;
            }
        }
    }
    dialects.sort();
    if wrong { Marker::Wrong } else { Marker::Section { direction, dialects } }
}

fn unknown_option(file: &str, line: Line<'_>, option: &str) -> Problem {
    let lower = option.to_ascii_lowercase();
    let at = line.span_of(option);
    if lower.starts_with("transaction") {
        return Problem::at(
            file,
            at,
            line.text,
            Fault::MalformedSection,
            format!("sections take no option `{option}`"),
        )
        .help("write `-- Transaction: off` in the header");
    }
    let problem = Problem::at(file, at, line.text, Fault::MalformedSection, format!("unknown dialect `{option}`"))
        .help("the dialects are `sqlite`, `postgres` and `mysql`");
    let nearest = Dialect::NAMES.into_iter().min_by_key(|name| osa_distance(name, &lower));
    match nearest.filter(|name| osa_distance(name, &lower) <= 3) {
        Some(name) => problem.label(format!("did you mean `{name}`?")),
        None => problem,
    }
}

/// A marker that is taken for a comment would let the wrong SQL run, so what looks like one must be one.
fn misspelt(file: &str, line: Line<'_>, text: &str, problems: &mut Vec<Problem>) -> Marker {
    let end = text.find(|character: char| !character.is_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.len() < WORD.len() - 2 || word.len() > WORD.len() + 4 {
        return Marker::None;
    }
    let separator = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
    let (separator, rest) = rest.split_at(separator);
    let mut words = rest.split([',', ' ', '\t']).filter(|word| !word.is_empty());
    let Some(direction) = words.next().filter(|word| ["up", "down"].iter().any(|way| way.eq_ignore_ascii_case(word)))
    else {
        return Marker::None;
    };
    let word = word.to_ascii_lowercase();
    if osa_distance(&word, WORD) > 2 && word != "migration" {
        return Marker::None;
    }
    let only_dialects = words.all(|word| word.parse::<Dialect>().is_ok());
    let alike = if word == WORD { only_dialects } else { only_dialects && separator.trim() == ":" };
    if !alike {
        return Marker::None;
    }
    let meant = format!("-- migrate:{}", direction.to_ascii_lowercase());
    problems.push(
        Problem::at(
            file,
            line.span_of(text),
            line.text,
            Fault::MalformedSection,
            format!("`{text}` does not begin a section"),
        )
        .label(format!("did you mean `{meant}`?"))
        .help(format!("write `{meant}`, or word the line differently if it is meant as a remark")),
    );
    Marker::Wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(text: &str) -> (Marker, Vec<Problem>) {
        let mut problems = Vec::new();
        let line = Line { number: 7, start: 0, text };
        let marker = read("a.sql", line, line.comment().unwrap(), &mut problems);
        (marker, problems)
    }

    #[test]
    fn sections_begin() {
        use Dialect::{Mysql, Postgres, Sqlite};
        use Direction::{Down, Up};
        for (text, direction, dialects) in [
            ("-- migrate:up", Up, vec![]),
            ("  --MIGRATE:Down  ", Down, vec![]),
            ("-- migrate: up sqlite", Up, vec![Sqlite]),
            ("-- migrate:down mariadb,postgresql mysql", Down, vec![Postgres, Mysql]),
        ] {
            assert_eq!(marker(text), (Marker::Section { direction, dialects }, vec![]), "{text}");
        }
        for text in
            ["-- migrate up the data", "-- Migration: up to date since May", "-- immigrated: down", "--", "-- up"]
        {
            assert_eq!(marker(text), (Marker::None, vec![]), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_marker_must_be_one() {
        for (text, column, message, label) in [
            ("-- migrate:upp", 12, "unknown section `migrate:upp`", Some("did you mean `migrate:up`?")),
            ("-- migrate:donw", 12, "unknown section `migrate:donw`", Some("did you mean `migrate:down`?")),
            ("-- migrate:sideways", 12, "unknown section `migrate:sideways`", None),
            ("-- migrate:", 4, "unknown section `migrate:`", None),
            ("-- migrate:up sqlit", 15, "unknown dialect `sqlit`", Some("did you mean `sqlite`?")),
            ("-- migrate:up oracle", 15, "unknown dialect `oracle`", None),
            ("-- migrate:up transaction:false", 15, "sections take no option `transaction:false`", None),
            ("-- migrate down", 4, "`migrate down` does not begin a section", Some("did you mean `-- migrate:down`?")),
            ("-- migrat:up", 4, "`migrat:up` does not begin a section", Some("did you mean `-- migrate:up`?")),
            ("-- migration:up", 4, "`migration:up` does not begin a section", Some("did you mean `-- migrate:up`?")),
        ] {
            let (found, problems) = marker(text);
            assert_eq!(found, Marker::Wrong, "{text}");
            assert_eq!(problems.len(), 1, "{text}");
            let problem = &problems[0];
            assert_eq!((problem.line, problem.column, problem.message.as_str()), (7, column, message));
            assert_eq!(problem.label.as_deref(), label, "{text}");
        }
    }
}
