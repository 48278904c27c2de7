//! Chain and state as the plain data that policies are asked about.

use runner_chain::Chain;
use runner_chain::Direction;
use runner_chain::EnvironmentTag;
use runner_chain::Revision;
use runner_database::Dialect;
use runner_database::RecordedStatus;
use runner_database::State;
use runner_policy::LintMatter;
use runner_policy::data;

use crate::config::Config;

use super::prepare::PreparedStep;

pub(super) fn step(chain: &Chain, state: &State, prepared: &PreparedStep<'_>) -> data::Step {
    let revision = prepared.revision;
    let down = prepared.direction == Direction::Down;
    data::Step {
        revision: self::revision(chain, revision),
        direction: if down { data::Direction::Down } else { data::Direction::Up },
        statements: prepared.statements.iter().flatten().map(statement).collect(),
        recorded: down.then(|| recorded(state, revision)),
        skipped: prepared.was_skipped,
    }
}

/// What lint policies read.
pub(super) fn source(chain: &Chain, dialect: Dialect, prepared: &PreparedStep<'_>) -> data::LintSource {
    let revision = prepared.revision;
    let statements = |direction| revision.run(direction, dialect).map(|section| statements(section, dialect));
    data::LintSource {
        revision: self::revision(chain, revision),
        text: revision.source().to_owned(),
        up: statements(Direction::Up).unwrap_or_default(),
        down: statements(Direction::Down),
        planned: true,
    }
}

/// What lint policies are told besides.
pub(crate) fn lint_matter(config: &Config, surroundings: Vec<data::Surroundings>) -> LintMatter {
    let options = config.database_options();
    let milliseconds = |limit: std::time::Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    LintMatter {
        surroundings,
        lock_timeout_ms: options.lock_timeout.map(milliseconds),
        statement_timeout_ms: options.statement_timeout.map(milliseconds),
    }
}

/// A dialect as policies know it.
pub(crate) fn dialect(dialect: Dialect) -> data::Dialect {
    match dialect {
        Dialect::Sqlite => data::Dialect::Sqlite,
        Dialect::Postgres => data::Dialect::Postgres,
        Dialect::Mysql => data::Dialect::Mysql,
    }
}

/// The statements of a section. One that can't be split is one statement, which no policy will understand: it must not look
/// as if there were nothing in it. If it is about to run, it has stopped the plan.
pub(crate) fn statements(section: runner_chain::Section<'_>, dialect: Dialect) -> Vec<data::Statement> {
    match section.statements(dialect) {
        Ok(statements) => statements.iter().map(statement).collect(),
        Err(_) => vec![data::Statement {
            text: section.text.to_owned(),
            line: u32::try_from(section.first_line).unwrap_or(u32::MAX),
            column: 1,
        }],
    }
}

pub(super) fn applied(state: &State, revision: &Revision) -> data::AppliedRevision {
    data::AppliedRevision {
        id: revision.id.to_string(),
        environments: revision.environments.iter().map(tag).collect(),
        recorded: recorded(state, revision),
    }
}

pub(super) fn revision(chain: &Chain, revision: &Revision) -> data::Revision {
    described(revision, chain.dependencies(revision).map(|dependency| dependency.id.to_string()).collect())
}

/// A revision as its file states it, with `Depends On` resolved.
pub(crate) fn described(revision: &Revision, depends_on: Vec<String>) -> data::Revision {
    data::Revision {
        id: revision.id.to_string(),
        parents: revision.parents.iter().map(ToString::to_string).collect(),
        depends_on,
        labels: revision.labels.iter().map(ToString::to_string).collect(),
        title: revision.title.clone(),
        description: revision.description.clone(),
        created: revision.created.clone(),
        environments: revision.environments.iter().map(tag).collect(),
        file: revision.file.clone(),
        transactional: revision.transaction,
    }
}

pub(crate) fn tag(tag: &EnvironmentTag) -> data::EnvironmentTag {
    data::EnvironmentTag { name: tag.name.clone(), exact: tag.exact }
}

pub(crate) fn statement(statement: &runner_chain::sql::Statement<'_>) -> data::Statement {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    data::Statement { text: statement.text.to_owned(), line: number(statement.line), column: number(statement.column) }
}

fn recorded(state: &State, revision: &Revision) -> data::Recorded {
    match state.records.get(revision.id.as_str()).map(|record| record.status) {
        Some(RecordedStatus::Applied) => data::Recorded::Applied,
        Some(RecordedStatus::Skipped) => data::Recorded::Skipped,
        Some(RecordedStatus::Stamped) => data::Recorded::Stamped,
        // The rows of the version table have the last word on what is applied.
        Some(RecordedStatus::Reverted | RecordedStatus::Unstamped) | None => data::Recorded::Unrecorded,
    }
}
