//! Plans that run nothing: what somebody says of a revision, and half-way revisions that a stamp settles.

use runner_chain::Chain;
use runner_chain::Direction;
use runner_chain::Selector;
use runner_chain::planning;
use runner_chain::planning::Plan;
use runner_chain::planning::RowChange;
use runner_chain::planning::Step;
use runner_database::Dirty;

use super::Repair;
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
        // No position of the chain: what is forgotten has no file.
        return Ok(step(usize::MAX, Direction::Down));
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
                (Some(record), Some(revision)) if record.checksum != revision.checksum().to_string() => {
                    Ok(step(index, Direction::Up))
                }
                (Some(_), _) => Ok(Plan { steps: Vec::new(), before: versions.clone(), after: versions.clone() }),
                (None, _) => Err(Error::new(
                    ErrorKind::Drift,
                    format!("revision `{id}` is not applied, so there is no edit to accept"),
                )),
            }
        }
        Repair::Forget => Ok(step(usize::MAX, Direction::Down)),
    }
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
