//! Asks the policy about revisions, as the host does.

use lint_postgres::LintPostgres;
use lint_postgres::Settings;
use runner_chain::Dialect as ChainDialect;
use runner_chain::Direction as ChainDirection;
use runner_policy_sdk::Dialect;
use runner_policy_sdk::Direction;
use runner_policy_sdk::Environment;
use runner_policy_sdk::RevisionLint;
use runner_policy_sdk::Statement;
use runner_policy_sdk::facts;
use runner_policy_sdk::facts::Facts;
use runner_policy_sdk::facts::Relation;
use runner_policy_sdk::revision_lint::Circumstances;
use runner_policy_sdk::revision_lint::Finding;
use runner_policy_sdk::revision_lint::Report;
use runner_policy_sdk::revision_lint::Section;
use runner_policy_sdk::revision_lint::Source;
use runner_policy_sdk::revision_lint::Surroundings;
use runner_policy_sdk::testing;

/// A question, with what the tests want to change of it.
pub(crate) struct Question {
    text: String,
    planned: Option<Direction>,
    transactional: bool,
    notes: Vec<String>,
    circumstances: Circumstances,
    opt_in: Vec<String>,
    relations: Option<Vec<Relation>>,
}

/// A question about a revision in production of which nobody knows the target, with the time-outs that a careful
/// configuration has.
pub(crate) fn ask(up: &str) -> Question {
    file(&format!("-- A title\n--\n-- Revision ID: a1\n-- Revises: base\n\n-- migrate:up\n{up}"))
}

/// The same about a whole file.
pub(crate) fn file(text: &str) -> Question {
    Question {
        text: text.to_owned(),
        planned: None,
        transactional: true,
        notes: Vec::new(),
        circumstances: Circumstances {
            dialect: Dialect::Postgres,
            server_version: "15.4".to_owned(),
            environment: Environment { name: "production".to_owned(), level: Some(100), production: Some(true) },
            levels: Vec::new(),
            has_facts: false,
            lock_timeout_ms: Some(2000),
            statement_timeout_ms: Some(60_000),
            settings: "{}".to_owned(),
            variables: Vec::new(),
        },
        opt_in: Vec::new(),
        relations: None,
    }
}

/// The line on which the SQL of [`ask`] begins.
pub(crate) const FIRST_LINE: u32 = 7;

impl Question {
    pub(crate) fn outside_of_transactions(mut self) -> Self {
        self.transactional = false;
        self
    }

    pub(crate) fn in_development(mut self) -> Self {
        self.circumstances.environment =
            Environment { name: "development".to_owned(), level: Some(10), production: Some(false) };
        self
    }

    pub(crate) fn on(mut self, version: &str) -> Self {
        version.clone_into(&mut self.circumstances.server_version);
        self
    }

    pub(crate) fn without_timeouts(mut self) -> Self {
        self.circumstances.lock_timeout_ms = None;
        self.circumstances.statement_timeout_ms = None;
        self
    }

    pub(crate) fn after(mut self, notes: &[String]) -> Self {
        self.notes = notes.to_vec();
        self
    }

    pub(crate) fn planned(mut self, direction: Direction) -> Self {
        self.planned = Some(direction);
        self
    }

    pub(crate) fn opting_in(mut self, rule: &str) -> Self {
        self.opt_in.push(rule.to_owned());
        self
    }

    pub(crate) fn holding(mut self, relations: Vec<Relation>) -> Self {
        self.circumstances.has_facts = true;
        self.relations = Some(relations);
        self
    }

    /// Says that facts can be had, and has none.
    pub(crate) fn that_has_facts(mut self) -> Self {
        self.circumstances.has_facts = true;
        self
    }

    pub(crate) fn report(&self) -> Report {
        let revision = runner_chain::parse("a1.sql", self.text.as_bytes()).expect("the test's file is a revision");
        let cut = |direction| {
            let section = match direction {
                ChainDirection::Up => revision.up(ChainDialect::Postgres),
                ChainDirection::Down => revision.down(ChainDialect::Postgres),
            };
            section.map(|section| statements(&section.statements(ChainDialect::Postgres).expect("the SQL can be cut")))
        };
        let source = Source {
            revision: runner_policy_sdk::Revision { transactional: self.transactional, ..testing::revision("a1") },
            text: revision.source().to_owned(),
            up: cut(ChainDirection::Up),
            down: cut(ChainDirection::Down),
            planned: self.planned,
        };
        let surroundings = Surroundings {
            sections: sections(&source.text),
            parents: Vec::new(),
            siblings: Vec::new(),
            other_heads: Vec::new(),
            applied: None,
            notes: self.notes.clone(),
        };
        let settings = Settings { opt_in: self.opt_in.clone() };
        let check = || LintPostgres::check(&settings, &self.circumstances, &source, &surroundings);
        let answer = match &self.relations {
            None => check(),
            Some(relations) => facts::with(Facts { relations: relations.clone(), ..Facts::default() }, check),
        };
        answer.expect("the policy answers")
    }

    /// What it notes for later steps of the plan.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.report().notes.into_iter().map(|note| note.text).collect()
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.report().findings
    }

    /// Names of the rules that speak up, in the order of the file.
    pub(crate) fn rules(&self) -> Vec<String> {
        self.findings().into_iter().map(|finding| finding.rule).collect()
    }

    /// The findings of one rule.
    pub(crate) fn of(&self, rule: &str) -> Vec<Finding> {
        self.findings().into_iter().filter(|finding| finding.rule == rule).collect()
    }

    /// Whether a rule speaks up.
    pub(crate) fn has(&self, rule: &str) -> bool {
        !self.of(rule).is_empty()
    }
}

fn statements(cut: &[runner_chain::sql::Statement<'_>]) -> Vec<Statement> {
    let number = |value: usize| u32::try_from(value).expect("tests are small");
    cut.iter()
        .map(|statement| Statement {
            text: statement.text.to_owned(),
            line: number(statement.line),
            column: number(statement.column),
        })
        .collect()
}

fn sections(text: &str) -> Vec<Section> {
    let marker = |line: &str| {
        let rest = line.strip_prefix("-- migrate:")?;
        let (direction, dialects) = rest.split_once(' ').unwrap_or((rest, ""));
        let direction = if direction == "up" { Direction::Up } else { Direction::Down };
        let dialect = |name: &str| match name.trim() {
            "postgres" => Dialect::Postgres,
            "mysql" => Dialect::Mysql,
            _ => Dialect::Sqlite,
        };
        let dialects = dialects.split(',').filter(|name| !name.trim().is_empty()).map(dialect).collect();
        Some((direction, dialects))
    };
    (1_u32..)
        .zip(text.lines())
        .filter_map(|(line, text)| {
            let (direction, dialects) = marker(text)?;
            Some(Section { direction, dialects, line })
        })
        .collect()
}
