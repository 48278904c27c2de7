//! Plans that run nothing: what somebody says of a revision, and half-way revisions that a stamp settles.

use std::collections::HashSet;

use runner_chain::Chain;
use runner_chain::Direction;
use runner_chain::Selector;
use runner_chain::planning;
use runner_chain::planning::Plan;
use runner_chain::planning::RowChange;
use runner_chain::planning::Step;
use runner_database::Dirty;

use super::Repair;
use super::drift;
use super::situation::Database;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// The one step of a repair.
pub(super) fn plan(database: &Database, repair: Repair, selectors: &[Selector]) -> Result<Plan> {
    let (chain, versions, state) = (&database.chain, &database.versions, &database.state);
    let step = |revision, direction| Plan {
        steps: vec![Step { revision, direction, rows: RowChange::default() }],
        before: versions.clone(),
        after: versions.clone(),
    };
    if repair == Repair::Forget {
        // Behind the chain: what is forgotten has no file.
        return Ok(step(chain.len(), Direction::Down));
    }
    let [selector] = selectors else {
        return Err(Error::new(ErrorKind::Usage, "a repair is about exactly one revision"));
    };
    let id = chain.resolve_one(selector, Some(versions))?;
    let index = id.as_ref().and_then(|id| chain.index(id.as_str()));
    let (Some(id), Some(index)) = (id, index) else {
        return Err(Error::new(ErrorKind::Selector, format!("`{selector}` is before the first revision")));
    };
    let dirty = state.dirty.iter().find(|dirty| dirty.revision == id.as_str());
    match repair {
        Repair::Done | Repair::Undone => {
            let direction = if repair == Repair::Done { Direction::Up } else { Direction::Down };
            let plan = planning::settle(chain, versions, index, direction)?;
            // The rows may be right already, and the record not.
            Ok(if plan.steps.is_empty() && dirty.is_some() { step(index, direction) } else { plan })
        }
        Repair::ResumeAt(_) => match dirty {
            Some(dirty) => Ok(step(
                index,
                if dirty.direction == runner_database::StepDirection::Up { Direction::Up } else { Direction::Down },
            )),
            None => Err(Error::new(ErrorKind::Drift, format!("revision `{id}` is not half-way"))
                .help("`runner check` names what is; a repair can also say `--done` or `--undone`")),
        },
        Repair::AcceptEdit if dirty.is_some() => Err(Error::new(
            ErrorKind::Drift,
            format!("revision `{id}` is half-way, so there is no edit to accept yet"),
        )
        .help(
            "what is done of it must stay as it was; what is not may be edited freely, and the next run goes on there",
        )),
        Repair::AcceptEdit => {
            let record = state
                .records
                .get(id.as_str())
                .filter(|_| chain.applied(versions).is_ok_and(|applied| applied.contains(index)));
            match (record, chain.get(id.as_str())) {
                (Some(record), Some(revision)) if record.checksum != Some(revision.checksum()) => {
                    Ok(step(index, Direction::Up))
                }
                (Some(_), _) => Ok(Plan { steps: Vec::new(), before: versions.clone(), after: versions.clone() }),
                (None, _) => Err(Error::new(
                    ErrorKind::Drift,
                    format!("revision `{id}` is not applied, so there is no edit to accept"),
                )),
            }
        }
        Repair::Forget => Ok(step(chain.len(), Direction::Down)),
    }
}

/// The plan of a stamp that takes the place of everything that is recorded, right or wrong.
pub(super) fn purge(database: &Database, selectors: &[Selector]) -> Result<Plan> {
    let (chain, state) = (&database.chain, &database.state);
    let mut plan = planning::purge(chain, &database.versions, selectors)?;
    let gone = (chain.len()..chain.len() + database.forgotten.len()).map(|revision| (revision, Direction::Down));
    // What is recorded and right stays as it is; all else is said anew.
    let applied = chain.applied(&plan.after).map_err(Error::from)?;
    let is_right = |index: usize| {
        let revision = chain.revisions().get(index);
        let record = revision.and_then(|revision| Some((revision, state.records.get(revision.id.as_str())?)));
        record.is_some_and(|(revision, record)| drift::counts(record) && record.checksum == Some(revision.checksum()))
    };
    plan.steps.retain(|step| step.direction == Direction::Down || !is_right(step.revision));
    let is_stepped: HashSet<usize> = plan.steps.iter().map(|step| step.revision).collect();
    let wrong = chain.revisions().iter().enumerate().filter(|(index, _)| !is_stepped.contains(index));
    let wrong = wrong.filter_map(|(index, revision)| {
        let record = state.records.get(revision.id.as_str());
        let (is_recorded, is_applied) = (record.is_some_and(drift::counts), applied.contains(index));
        let is_edited = is_applied && record.is_some_and(|record| record.checksum != Some(revision.checksum()));
        let is_missing = is_applied && !is_recorded && !state.records.is_empty();
        let direction = if is_applied { Direction::Up } else { Direction::Down };
        (is_edited || is_missing || (is_recorded && !is_applied)).then_some((index, direction))
    });
    let as_step = |(revision, direction)| Step { revision, direction, rows: RowChange::default() };
    let mut steps: Vec<Step> = gone.map(as_step).collect();
    steps.append(&mut plan.steps);
    steps.extend(wrong.map(as_step));
    if steps.is_empty() && plan.before != plan.after {
        // Rows that say nothing more go as well, and whatever is written to the version table has a step.
        let row = plan.after.iter().chain(plan.before.iter()).find_map(|row| chain.index(row.as_str()));
        steps.extend(row.map(|row| as_step((row, Direction::Up))));
    }
    Ok(Plan { steps, ..plan })
}

/// A stamp says what is applied, so it also says it of the half-done revisions that it does not pass.
pub(super) fn settle_half_done(plan: &mut Plan, chain: &Chain, dirty: &[Dirty]) {
    let applied = chain.applied(&plan.after);
    for one in dirty {
        let found = chain.revisions().iter().position(|revision| revision.id.as_str() == one.revision);
        let Some(revision) = found.filter(|&found| plan.steps.iter().all(|step| step.revision != found)) else {
            continue;
        };
        let is_applied = applied.as_ref().is_ok_and(|applied| applied.contains(revision));
        let direction = if is_applied { Direction::Up } else { Direction::Down };
        plan.steps.push(Step { revision, direction, rows: RowChange::default() });
    }
}
