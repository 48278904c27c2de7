//! Chain and state as the plain data that policies are asked about.

use runner_chain::Chain;
use runner_chain::Direction;
use runner_chain::EnvironmentTag;
use runner_chain::Revision;
use runner_database::Dialect;
use runner_database::RecordedStatus;
use runner_database::State;
use runner_policy::data;

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
    let statements = |direction| {
        let section = revision.run(direction, dialect)?;
        // What can't be split has stopped the plan, if it is about to run.
        Some(section.statements(dialect).unwrap_or_default().iter().map(statement).collect())
    };
    data::LintSource {
        revision: self::revision(chain, revision),
        text: revision.source().to_owned(),
        up: statements(Direction::Up).unwrap_or_default(),
        down: statements(Direction::Down),
        planned: true,
    }
}

pub(super) fn applied(state: &State, revision: &Revision) -> data::AppliedRevision {
    data::AppliedRevision {
        id: revision.id.to_string(),
        environments: revision.environments.iter().map(tag).collect(),
        recorded: recorded(state, revision),
    }
}

fn revision(chain: &Chain, revision: &Revision) -> data::Revision {
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
