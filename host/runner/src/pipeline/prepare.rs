//! From an order to a plan with its statements and its hash, and from the verdicts to the scripts that run.

use std::collections::HashMap;

use runner_chain::Chain;
use runner_chain::Checksum;
use runner_chain::Direction;
use runner_chain::Fault;
use runner_chain::Problem;
use runner_chain::Revision;
use runner_chain::Selector;
use runner_chain::planning;
use runner_chain::planning::Plan;
use runner_chain::planning::PlanIdentity;
use runner_chain::planning::RowChange;
use runner_chain::sql::Statement;
use runner_database::Action;
use runner_database::Dialect;
use runner_database::RecordedStatus;
use runner_database::ScriptStatement;
use runner_database::StepDirection;
use runner_database::StepScript;
use runner_database::VersionChange;
use runner_policy::Review;
use runner_policy::StepFate;
use runner_policy::Verdict;

use super::Operation;
use super::Order;
use super::Repair;
use super::repair;
use super::situation::Database;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A plan with everything that is needed to judge and run it.
pub(super) struct Prepared<'a> {
    pub(super) plan: Plan,
    pub(super) steps: Vec<PreparedStep<'a>>,
}

pub(super) struct PreparedStep<'a> {
    pub(super) revision: &'a Revision,
    pub(super) direction: Direction,
    /// `None`: the revision has no section for this direction and dialect.
    pub(super) statements: Option<Vec<Statement<'a>>>,
    /// The way up was skipped, so there is nothing to undo.
    pub(super) was_skipped: bool,
}

impl Prepared<'_> {
    /// What an approval is given for: the plan with its SQL, and which steps are skipped.
    pub(super) fn hash(&self, chain: &Chain, identity: &PlanIdentity<'_>, fates: &[StepFate]) -> Checksum {
        let is_skipped = |index| {
            let step: Option<&PreparedStep<'_>> = self.steps.get(index);
            step.is_some_and(|step| step.was_skipped) || matches!(fates.get(index), Some(StepFate::Skip { .. }))
        };
        planning::plan_hash(&self.plan, chain, identity, is_skipped)
    }
}

/// Makes the plan that an order asks for.
pub(super) fn prepare<'a>(database: &'a Database, order: &Order) -> Result<Prepared<'a>> {
    let selectors: Vec<Selector> =
        order.targets.iter().map(|target| target.parse::<Selector>()).collect::<std::result::Result<_, _>>()?;
    let (chain, versions) = (&database.chain, &database.versions);
    let mut plan = match order.operation {
        Operation::Repair(repair) => repair::plan(database, repair, &selectors)?,
        Operation::Upgrade => planning::upgrade(chain, versions, &selectors)?,
        Operation::Stamp if order.purge => repair::purge(database, &selectors)?,
        Operation::Stamp => planning::stamp(chain, versions, &selectors)?,
        Operation::Restore if selectors.is_empty() => {
            Plan { steps: Vec::new(), before: versions.clone(), after: versions.clone() }
        }
        Operation::Restore => planning::upgrade(chain, versions, &selectors)?,
        Operation::Downgrade | Operation::Rollback => match selectors.as_slice() {
            [selector] => planning::downgrade(chain, versions, selector)?,
            _ => {
                let message = format!("a {} goes to exactly one revision", order.operation.name());
                return Err(Error::new(ErrorKind::Usage, message));
            }
        },
    };
    if order.operation == Operation::Stamp {
        repair::settle_half_done(&mut plan, chain, &database.state.dirty);
    }
    let dialect = database.dialect;
    let mut problems = Vec::new();
    let mut steps = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let Some(revision) = database.revision(step.revision) else { continue };
        let was_skipped = step.direction == Direction::Down
            && database
                .state
                .records
                .get(revision.id.as_str())
                .is_some_and(|record| record.status == RecordedStatus::Skipped);
        let needs_statements =
            matches!(order.operation, Operation::Repair(Repair::ResumeAt(_))) || !order.operation.only_records();
        let statements = if !needs_statements || was_skipped {
            Some(Vec::new())
        } else {
            statements(revision, step.direction, dialect, &mut problems)
        };
        steps.push(PreparedStep { revision, direction: step.direction, statements, was_skipped });
    }
    if problems.is_empty() {
        Ok(Prepared { plan, steps })
    } else {
        Err(Error::new(ErrorKind::Chain, "the SQL of the plan can't be read; nothing was run").at(problems))
    }
}

fn statements<'a>(
    revision: &'a Revision,
    direction: Direction,
    dialect: Dialect,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Statement<'a>>> {
    match revision.run(direction, dialect)?.statements(dialect) {
        Ok(statements) => Some(statements),
        Err(error) => {
            let (line, column) = error.place();
            problems.push(problem(revision, line, column, error.to_string(), error.help()));
            None
        }
    }
}

/// The script that runs one section of a revision and nothing else, and the places of its statements; `None` if there is no
/// such section.
pub(crate) fn script_of(
    revision: &Revision,
    direction: Direction,
    dialect: Dialect,
    rows: &RowChange,
) -> Result<Option<(StepScript, Vec<Problem>)>> {
    let Some(section) = revision.run(direction, dialect) else { return Ok(None) };
    let statements = section.statements(dialect).map_err(|error| {
        let (line, column) = error.place();
        Error::new(ErrorKind::Chain, format!("the SQL of `{}` can't be read", revision.id)).at(vec![problem(
            revision,
            line,
            column,
            error.to_string(),
            error.help(),
        )])
    })?;
    let place = |statement: &Statement<'_>| problem(revision, statement.line, statement.column, String::new(), None);
    let script = StepScript {
        revision: revision.id.to_string(),
        direction: self::direction(direction),
        action: Action::Run,
        statements: statements.iter().map(|statement| ScriptStatement::new(statement.text, dialect)).collect(),
        transactional: revision.transaction,
        change: version_change(rows),
        checksum: revision.checksum().to_string(),
        sql_checksum: revision.sql_checksum().to_string(),
        verdicts: serde_json::Value::Null,
    };
    Ok(Some((script, statements.iter().map(place).collect())))
}

/// A problem at a place of a revision's file.
pub(crate) fn problem(
    revision: &Revision,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
) -> Problem {
    let source_line = revision.source_line(line).map(str::to_owned);
    let rest = source_line.as_deref().map_or(0, |text| text.trim_end().chars().count().saturating_sub(column - 1));
    Problem {
        file: revision.file.clone(),
        line,
        column,
        length: rest.max(1),
        source_line,
        lines_before: 0,
        message,
        label: None,
        help,
        fault: Fault::UnreadableSql,
    }
}

/// The scripts of a plan that the policies allow.
pub(super) fn scripts(
    prepared: &Prepared<'_>,
    order: &Order,
    review: &Review,
    dialect: Dialect,
) -> Result<Vec<StepScript>> {
    let mut scripts = Vec::with_capacity(prepared.steps.len());
    let last = prepared.steps.len().saturating_sub(1);
    let mut said: HashMap<&str, Vec<&Verdict>> = HashMap::new();
    for verdict in &review.verdicts {
        if let Some(revision) = &verdict.revision {
            said.entry(revision).or_default().push(verdict);
        }
    }
    for (index, (step, planned)) in prepared.steps.iter().zip(&prepared.plan.steps).enumerate() {
        let change = match order.operation {
            // A stamp changes the rows once, whatever lies between.
            Operation::Stamp if index == last => version_change(&prepared.plan.rows()),
            Operation::Stamp => VersionChange::default(),
            Operation::Upgrade
            | Operation::Downgrade
            | Operation::Rollback
            | Operation::Restore
            | Operation::Repair(_) => version_change(&planned.rows),
        };
        let action = action(step, order, review.steps.get(index))?;
        if action == Action::Run && step.direction == Direction::Up && !review.environment_enforced {
            refuse_exact_tags(step.revision)?;
        }
        let statements = match (&action, &step.statements) {
            (Action::Run | Action::Repair { .. }, Some(statements)) => {
                statements.iter().map(|statement| ScriptStatement::new(statement.text, dialect)).collect()
            }
            (Action::Run, None) => return Err(no_section(step, dialect)),
            _ => Vec::new(),
        };
        let id = step.revision.id.as_str();
        let verdicts = said.get(id).map_or(&[][..], Vec::as_slice);
        scripts.push(StepScript {
            revision: id.to_owned(),
            direction: direction(step.direction),
            action,
            statements,
            transactional: step.revision.transaction,
            change,
            checksum: step.revision.checksum().to_string(),
            sql_checksum: step.revision.sql_checksum().to_string(),
            verdicts: if verdicts.is_empty() { serde_json::Value::Null } else { serde_json::json!(verdicts) },
        });
    }
    Ok(scripts)
}

fn action(step: &PreparedStep<'_>, order: &Order, fate: Option<&StepFate>) -> Result<Action> {
    let repair = |statements_done| Action::Repair { reason: order.reason.clone(), statements_done };
    Ok(match order.operation {
        Operation::Stamp => Action::Stamp,
        Operation::Repair(Repair::ResumeAt(next)) => {
            let total = step.statements.as_ref().map_or(0, Vec::len);
            if next == 0 || next > total + 1 {
                let message = format!("`{}` has {total} statements, so none can be number {next}", step.revision.id);
                return Err(Error::new(ErrorKind::Usage, message)
                    .help("count from 1; one more than the last means that all are done"));
            }
            repair(Some(next - 1))
        }
        Operation::Repair(_) => repair(None),
        Operation::Upgrade | Operation::Downgrade | Operation::Rollback | Operation::Restore => {
            match skip_reason(step, fate) {
                Some(reason) => Action::Skip { reason },
                None => Action::Run,
            }
        }
    })
}

/// The operation as the plan's hash has it: what is said in a repair counts.
pub(super) fn operation(order: &Order, forgotten: &[Revision]) -> String {
    match order.operation {
        Operation::Repair(repair) => format!("repair {repair:?} {}", order.targets.join(" ")),
        operation if order.purge => {
            let forgotten: Vec<&str> = forgotten.iter().map(|revision| revision.id.as_str()).collect();
            format!("{} --purge {}", operation.name(), forgotten.join(" "))
        }
        operation => match &order.restore {
            // What is approved is this backup, in this way.
            Some(restore) => format!("{} {restore:?}", operation.name()),
            None => operation.name().to_owned(),
        },
    }
}

/// A revision that may run in some environments and nowhere else must not run where nobody looks at that.
fn refuse_exact_tags(revision: &Revision) -> Result<()> {
    let exact: Vec<String> =
        revision.environments.iter().filter(|tag| tag.exact).map(|tag| format!("`{tag}`")).collect();
    if exact.is_empty() {
        return Ok(());
    }
    let message = format!(
        "revision `{}` is for {} and nowhere else, and no enforced policy decides on environments; nothing was run",
        revision.id,
        exact.join(", "),
    );
    Err(Error::new(ErrorKind::Configuration, message)
        .help("put `environment-hierarchy`, or another policy with the role `environment`, into the plugin set, with `mode = \"enforce\"`"))
}

/// Why a step's SQL is not run; `None`: it is.
pub(super) fn skip_reason(step: &PreparedStep<'_>, fate: Option<&StepFate>) -> Option<String> {
    match fate {
        _ if step.was_skipped => Some("its up section was skipped".to_owned()),
        Some(StepFate::Skip { reason, .. }) => Some(reason.clone()),
        _ => None,
    }
}

fn no_section(step: &PreparedStep<'_>, dialect: Dialect) -> Error {
    let (id, file) = (&step.revision.id, &step.revision.file);
    let marker = format!("-- migrate:{}", step.direction);
    let has_others = match step.direction {
        Direction::Up => step.revision.has_up_sections(),
        Direction::Down => step.revision.has_down_sections(),
    };
    let message = if has_others {
        format!("revision `{id}` has no `{marker}` section for {dialect}; nothing was run")
    } else {
        format!("revision `{id}` has no `{marker}` section, so it can't be undone; nothing was run")
    };
    Error::new(ErrorKind::Chain, message).help(format!("add `{marker}` or `{marker} {dialect}` to `{file}`"))
}

pub(super) fn direction(direction: Direction) -> StepDirection {
    match direction {
        Direction::Up => StepDirection::Up,
        Direction::Down => StepDirection::Down,
    }
}

fn version_change(rows: &RowChange) -> VersionChange {
    VersionChange {
        delete: rows.delete.iter().map(ToString::to_string).collect(),
        insert: rows.insert.iter().map(ToString::to_string).collect(),
    }
}
