//! Facts about the target for policies that are granted them: collected by the session of the run when the first policy asks.

use std::time::Duration;

use jiff::Timestamp;
use runner_database::Access;
use runner_database::LedgerStatus;
use runner_database::RecentStep;
use runner_database::Session;
use runner_database::StepDirection;
use runner_policy::Facts;
use runner_policy::data;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// So long the database may take to tell. It does not count as the policy's time.
const LIMIT: Duration = Duration::from_secs(10);

/// The facts of the target as it is now.
///
/// # Errors
/// It can't be opened, or can't tell.
pub(crate) async fn of_target(config: &Config) -> Result<Facts> {
    let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
    let facts = collect(&mut session).await;
    session.close().await?;
    facts
        .map_err(|Uncollected { failure, .. }| failure)
        .map_err(|failure| Error::new(ErrorKind::Database, failure.message).maybe_help(failure.help))
}

/// Why there are no facts.
pub(super) struct Uncollected {
    /// What the policy hears.
    pub(super) failure: data::Failure,
    /// Whether somebody keeps readers out, which ends when it is our turn.
    pub(super) is_busy: bool,
}

/// Collects the facts.
pub(super) async fn collect(session: &mut Session) -> std::result::Result<Facts, Uncollected> {
    let collected = session.facts(LIMIT).await;
    tracing::debug!("facts about the target are collected");
    let failed = |message: String, help: Option<String>| Uncollected {
        failure: data::Failure { message, help },
        is_busy: false,
    };
    let facts = collected.map_err(|error| Uncollected {
        is_busy: matches!(error, runner_database::Error::Busy { .. } | runner_database::Error::Locked { .. }),
        ..failed(error.to_string(), error.hint())
    })?;
    let ledger: std::result::Result<Vec<data::LedgerEntry>, String> = facts.steps.into_iter().map(entry).collect();
    Ok(Facts {
        relations: facts.relations.into_iter().map(relation).collect(),
        ledger: ledger.map_err(|message| failed(message, None))?,
    })
}

fn relation(relation: runner_database::Relation) -> data::Relation {
    use runner_database::RelationKind;
    data::Relation {
        // It is that of the session.
        schema: None,
        name: relation.name,
        kind: match relation.kind {
            RelationKind::Table => data::RelationKind::Table,
            RelationKind::PartitionedTable => data::RelationKind::PartitionedTable,
            RelationKind::View => data::RelationKind::View,
            RelationKind::MaterializedView => data::RelationKind::MaterializedView,
        },
        rows: relation.rows,
        bytes: relation.bytes,
        columns: relation.columns.into_iter().map(column).collect(),
        indexes: relation.indexes.into_iter().map(index).collect(),
        foreign_keys: relation.foreign_keys.into_iter().map(foreign_key).collect(),
        triggers: relation.triggers.into_iter().map(trigger).collect(),
        definition: relation.definition,
    }
}

fn column(column: runner_database::Column) -> data::Column {
    data::Column {
        name: column.name,
        data_type: column.data_type,
        nullable: column.nullable,
        default: column.default,
        generated: column.generated,
        primary_key: column.primary_key,
        null_fraction: column.null_fraction,
        distinct_values: column.distinct_values,
    }
}

fn index(index: runner_database::Index) -> data::Index {
    data::Index {
        name: index.name,
        columns: index.columns,
        unique: index.unique,
        primary: index.primary,
        predicate: index.predicate,
        valid: index.valid,
        bytes: index.bytes,
    }
}

fn foreign_key(key: runner_database::ForeignKey) -> data::ForeignKey {
    data::ForeignKey {
        name: key.name,
        columns: key.columns,
        referenced_schema: key.referenced_schema,
        referenced_table: key.referenced_table,
        referenced_columns: key.referenced_columns,
        on_delete: key.on_delete,
    }
}

fn trigger(trigger: runner_database::Trigger) -> data::Trigger {
    data::Trigger { name: trigger.name, definition: trigger.definition }
}

fn entry(step: RecentStep) -> std::result::Result<data::LedgerEntry, String> {
    let finished: Timestamp = step
        .finished_at
        .parse()
        .map_err(|_| format!("the ledger says that `{}` ended at `{}`", step.revision, step.finished_at))?;
    Ok(data::LedgerEntry {
        revision: step.revision,
        direction: match step.direction {
            StepDirection::Up => data::Direction::Up,
            StepDirection::Down => data::Direction::Down,
        },
        outcome: match step.status {
            LedgerStatus::Applied => data::LedgerOutcome::Applied,
            LedgerStatus::Reverted => data::LedgerOutcome::Reverted,
            LedgerStatus::Skipped => data::LedgerOutcome::Skipped,
            LedgerStatus::Stamped | LedgerStatus::Unstamped => data::LedgerOutcome::Stamped,
            LedgerStatus::Failed | LedgerStatus::Run | LedgerStatus::Started | LedgerStatus::Progress => {
                data::LedgerOutcome::Failed
            }
        },
        finished: data::Timestamp {
            seconds: finished.as_second(),
            nanoseconds: u32::try_from(finished.subsec_nanosecond()).unwrap_or(0),
        },
        duration_ms: step.duration_ms,
        environment: step.environment,
        actor: step.actor,
    })
}
