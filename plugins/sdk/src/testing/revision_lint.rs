//! What a policy is told when it is asked about one revision at a time.

use super::context;
use super::source;
use super::source_of;
use crate::Dialect;
use crate::Direction;
use crate::revision_lint::Circumstances;
use crate::revision_lint::Section;
use crate::revision_lint::Source;
use crate::revision_lint::Surroundings;

/// A development environment among `development`, `staging` and `production`, without facts.
pub fn circumstances(dialect: Dialect) -> Circumstances {
    let level = |name: &str, level, production| crate::revision_lint::Level {
        name: name.to_owned(),
        level,
        production,
        aliases: Vec::new(),
    };
    Circumstances {
        dialect,
        server_version: String::new(),
        environment: context().environment,
        levels: vec![level("development", 10, false), level("staging", 30, false), level("production", 100, true)],
        has_facts: false,
        lock_timeout_ms: None,
        statement_timeout_ms: None,
        settings: "{}".to_owned(),
        variables: Vec::new(),
    }
}

impl Circumstances {
    /// The same in production.
    #[must_use]
    pub fn in_production(mut self) -> Self {
        self.environment = context().in_production().environment;
        self
    }
}

/// A revision that is looked at without a plan, from the text of its file with its header.
pub fn revision_source(text: &str) -> Source {
    with_directions(source(text))
}

/// The same from SQL alone, as [`source_of`] has it.
pub fn revision_source_of(up: &str) -> Source {
    with_directions(source_of(up))
}

fn with_directions(source: crate::Source) -> Source {
    let has_up = source.text.lines().any(|line| line.trim() == "-- migrate:up");
    let up = has_up.then_some(source.up);
    Source { revision: source.revision, text: source.text, up, down: source.down, planned: None }
}

/// A revision with nothing around it but its own sections.
pub fn surroundings(source: &Source) -> Surroundings {
    let section = |(line, text): (u32, &str)| {
        let direction = match text.trim() {
            "-- migrate:up" => Direction::Up,
            "-- migrate:down" => Direction::Down,
            _ => return None,
        };
        Some(Section { direction, dialects: Vec::new(), line })
    };
    Surroundings {
        sections: (1u32..).zip(source.text.lines()).filter_map(section).collect(),
        parents: Vec::new(),
        siblings: Vec::new(),
        other_heads: Vec::new(),
        applied: None,
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_from_sql_has_one_section() {
        let source = revision_source_of("DROP TABLE a;");
        let sections = surroundings(&source).sections;
        assert_eq!(sections, [Section { direction: Direction::Up, dialects: Vec::new(), line: 9 }]);
        assert_eq!(source.up.map(|up| (up.len(), up[0].line)), Some((1, 10)));
        assert!(circumstances(Dialect::Postgres).in_production().may_be_production());
    }
}
