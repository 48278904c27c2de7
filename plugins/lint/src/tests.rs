//! Rules as a whole: a revision goes in, findings come out.

mod cases;
mod chain;
mod facts;
mod hostile;
mod made;
mod places;
mod table;

use runner_policy_sdk::Dialect;
use runner_policy_sdk::Direction;
use runner_policy_sdk::Environment;
use runner_policy_sdk::RevisionLint;
use runner_policy_sdk::Statement;
use runner_policy_sdk::facts::Facts;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Finding;
use runner_policy_sdk::revision_lint::Level;
use runner_policy_sdk::revision_lint::Report;
use runner_policy_sdk::revision_lint::Section;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Surroundings;
use runner_policy_sdk::testing;

use super::Lint;
use super::Settings;

/// A revision and all that it is linted with.
#[derive(Clone, Debug)]
struct Trial {
    settings: Settings,
    circumstances: Circumstances,
    source: Source,
    surroundings: Surroundings,
    relations: Vec<Relation>,
}

/// A revision with a title whose up section begins on line 10.
fn revision(dialect: Dialect, up: &str) -> Trial {
    file(
        dialect,
        &format!(
            "-- Change visits\n--\n--\n-- Revision ID: r0001\n-- Revises: r0000\n-- Create Date: 2026-01-01T00:00:00Z\n--\n\n\
             -- migrate:up\n{up}\n"
        ),
    )
}

/// A revision from the text of its file.
fn file(dialect: Dialect, text: &str) -> Trial {
    let parsed = testing::source(text);
    let sections = (1..).zip(text.lines()).filter_map(|(line, text)| section(line, text)).collect();
    let has_up = text.contains("-- migrate:up");
    Trial {
        settings: Settings::default(),
        circumstances: Circumstances {
            dialect,
            server_version: String::new(),
            environment: Environment { name: "development".to_owned(), level: Some(10), production: Some(false) },
            levels: Vec::new(),
            has_facts: false,
            lock_timeout_ms: None,
            statement_timeout_ms: None,
            settings: "{}".to_owned(),
            variables: Vec::new(),
        },
        source: Source {
            revision: parsed.revision,
            text: parsed.text,
            up: has_up.then_some(parsed.up),
            down: parsed.down,
            planned: None,
        },
        surroundings: Surroundings {
            sections,
            parents: Vec::new(),
            siblings: Vec::new(),
            other_heads: Vec::new(),
            applied: None,
            notes: Vec::new(),
        },
        relations: Vec::new(),
    }
}

fn section(line: u32, text: &str) -> Option<Section> {
    let marker = text.strip_prefix("-- migrate:")?;
    let direction = if marker.starts_with("up") { Direction::Up } else { Direction::Down };
    let named = |(name, dialect): (&str, Dialect)| marker.contains(name).then_some(dialect);
    let all = [("sqlite", Dialect::Sqlite), ("postgres", Dialect::Postgres), ("mysql", Dialect::Mysql)];
    Some(Section { direction, dialects: all.into_iter().filter_map(named).collect(), line })
}

impl Trial {
    fn down(mut self, sql: &str) -> Self {
        let text = format!("{}\n-- migrate:down\n{sql}\n", self.source.text.trim_end());
        let again = file(self.circumstances.dialect, &text);
        self.source = Source { revision: self.source.revision, ..again.source };
        self.surroundings.sections = again.surroundings.sections;
        self
    }

    /// The up section as one statement, whatever semicolons it holds.
    fn whole(mut self) -> Self {
        let text = self.source.text.split("-- migrate:up\n").nth(1).unwrap_or_default();
        let text = text.split("\n-- migrate:down").next().unwrap_or_default();
        self.source.up = Some(vec![Statement { text: text.trim().to_owned(), line: 10, column: 1 }]);
        self
    }

    fn described(mut self, text: &str) -> Self {
        text.clone_into(&mut self.source.revision.description);
        self
    }

    fn untitled(mut self) -> Self {
        self.source.revision.title.clear();
        self
    }

    fn without_transaction(mut self) -> Self {
        self.source.revision.transactional = false;
        self
    }

    fn server(mut self, version: &str) -> Self {
        version.clone_into(&mut self.circumstances.server_version);
        self
    }

    fn in_production(mut self) -> Self {
        self.circumstances.environment =
            Environment { name: "production".to_owned(), level: Some(100), production: Some(true) };
        self
    }

    fn levels(mut self) -> Self {
        let level = |name: &str, level: u32, aliases: &[&str]| Level {
            name: name.to_owned(),
            level,
            production: level >= 100,
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        };
        self.circumstances.levels =
            vec![level("development", 10, &["dev"]), level("staging", 30, &[]), level("production", 100, &["prod"])];
        self
    }

    fn knowing(mut self, relations: impl IntoIterator<Item = Relation>) -> Self {
        self.circumstances.has_facts = true;
        self.relations = relations.into_iter().collect();
        self
    }

    fn noted(mut self, notes: &[&str]) -> Self {
        self.surroundings.notes = notes.iter().map(|note| (*note).to_owned()).collect();
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn report(&self) -> Report {
        let facts = Facts { relations: self.relations.clone(), ..Facts::default() };
        runner_policy_sdk::facts::with(facts, || {
            Lint::check(&self.settings, &self.circumstances, &self.source, &self.surroundings).unwrap()
        })
    }

    fn findings(&self) -> Vec<Finding> {
        self.report().findings
    }

    /// Names of the rules that found something, each once.
    fn rules(&self) -> Vec<String> {
        let mut rules: Vec<String> = self.findings().into_iter().map(|finding| finding.rule).collect();
        rules.sort();
        rules.dedup();
        rules
    }

    /// The only finding of a rule.
    fn finding(&self, rule: &str) -> Finding {
        let mut found = self.findings();
        found.retain(|finding| finding.rule == rule);
        assert_eq!(found.len(), 1, "{rule}: {found:#?}");
        found.remove(0)
    }

    fn message(&self, rule: &str) -> String {
        self.finding(rule).message
    }
}
