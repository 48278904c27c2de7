//! Rehearsing revisions: up, down and up again on a scratch database, which must come back to the same schema each time.

mod record;
mod result;
mod seeds;
mod stage;

use std::time::Instant;

use runner_chain::Chain;
use runner_chain::Dialect;
use runner_chain::Direction;
use runner_chain::Problem;
use runner_chain::Revision;
use runner_chain::planning::Plan;
use runner_chain::planning::RowChange;
use runner_database::DatabaseUrl;
use runner_database::Schema;
use runner_database::ScriptStatement;
use runner_database::StepScript;

pub(crate) use self::record::Known;
pub(crate) use self::record::Record;
pub(crate) use self::result::BaseAndBack;
pub(crate) use self::result::Outcome;
pub(crate) use self::result::Rehearsed;
pub(crate) use self::result::Tested;
pub(crate) use self::result::Trouble;
pub(crate) use self::result::When;
pub(crate) use self::seeds::Seeds;
pub(crate) use self::seeds::statements;
use self::stage::Stage;
pub(crate) use self::stage::own_tables;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::pipeline::Interrupt;
use crate::pipeline::script_of;

/// What is rehearsed, and where.
pub(crate) struct Rehearsal<'a> {
    pub(crate) config: &'a Config,
    pub(crate) chain: &'a Chain,
    /// Names the server in which the scratch database is made.
    pub(crate) server: &'a DatabaseUrl,
    /// Whether the server is the target's, so that nothing may be changed but the scratch database.
    pub(crate) is_beside_target: bool,
    /// Plans from an empty database on, one after the other.
    pub(crate) plans: Vec<Plan>,
    /// Whether a revision is tested, by its position in the chain; the others are only applied.
    pub(crate) tested: Vec<bool>,
    pub(crate) seeds: Option<Seeds>,
    /// Statements that an empty database needs first.
    pub(crate) setup: Vec<ScriptStatement>,
}

/// A section that can be run, with the places of its statements.
type Section = (StepScript, Vec<Problem>);

/// A revision with both of its sections.
struct Act<'a> {
    revision: &'a Revision,
    is_tested: bool,
    /// Why there is nothing to run, if so.
    up: Result<Section>,
    /// `None`: it can't be taken back.
    down: Option<Result<Section>>,
}

impl Rehearsal<'_> {
    /// Rehearses, and tells of each tested revision as soon as it is done. The scratch database is removed whatever happens.
    ///
    /// # Errors
    /// The scratch database can't be made, or fails in a way that is no revision's fault.
    pub(crate) async fn run(self, on_tested: &mut dyn FnMut(&Tested), interrupt: &Interrupt) -> Result<Rehearsed> {
        let acts = self.acts()?;
        interrupt.listen();
        let mut stage = Stage::new(&self);
        let ended = tokio::select! {
            ended = rehearse(&mut stage, &acts, on_tested) => ended,
            () = interrupt.asked(1) => {
                Err(Error::new(ErrorKind::Interrupted, "interrupted; the scratch database is removed"))
            }
        };
        let removed = stage.close().await;
        let rehearsed = ended?;
        removed?;
        Ok(rehearsed)
    }

    fn acts(&self) -> Result<Vec<Act<'_>>> {
        let dialect = self.server.dialect();
        let steps = self.plans.iter().flat_map(|plan| &plan.steps);
        let acts = steps.filter_map(|step| {
            let revision = self.chain.revisions().get(step.revision)?;
            let back = RowChange { delete: step.rows.insert.clone(), insert: step.rows.delete.clone() };
            let up = script_of(revision, Direction::Up, dialect, &step.rows);
            Some(Act {
                revision,
                is_tested: self.tested.get(step.revision).copied().unwrap_or(false),
                up: up.and_then(|section| section.ok_or_else(|| no_up_section(revision, dialect))),
                down: script_of(revision, Direction::Down, dialect, &back).transpose(),
            })
        });
        Ok(acts.collect())
    }
}

fn no_up_section(revision: &Revision, dialect: Dialect) -> Error {
    let message = format!("revision `{}` has no `-- migrate:up` section for {dialect}", revision.id);
    Error::new(ErrorKind::Chain, message)
        .help(format!("add `-- migrate:up` or `-- migrate:up {dialect}` to `{}`", revision.file))
}

async fn rehearse(stage: &mut Stage<'_>, acts: &[Act<'_>], on_tested: &mut dyn FnMut(&Tested)) -> Result<Rehearsed> {
    stage.open().await?;
    let mut tested = Vec::new();
    let mut first: Option<(usize, Schema)> = None;
    // That of the database as it is, if it is known.
    let mut schema: Option<Schema> = None;
    let mut stopped_at = None;
    for (index, act) in acts.iter().enumerate() {
        if !act.is_tested {
            schema = None;
            if let Err(error) = stage.apply(act).await {
                // Whoever tests what builds on it has to know.
                let failed = Tested::of(act.revision, Outcome::Failed, 0.0, vec![Trouble::failed(When::Up, error)]);
                on_tested(&failed);
                tested.push(failed);
                stopped_at = Some(index);
                break;
            }
            continue;
        }
        let before = match schema.take() {
            Some(schema) => schema,
            None => stage.schema().await?,
        };
        if first.is_none() {
            first = Some((index, before.clone()));
        }
        let started = Instant::now();
        let (outcome, troubles, after) = up_down_up(stage, acts, index, &before).await?;
        let done = Tested::of(act.revision, outcome, started.elapsed().as_secs_f64() * 1000.0, troubles);
        on_tested(&done);
        tested.push(done);
        schema = after;
        if schema.is_none() {
            stopped_at = Some(index);
            break;
        }
    }
    let mut rehearsed = Rehearsed::of(stage.dialect(), stage.server()?, tested);
    if let Some(index) = stopped_at {
        for act in acts.iter().skip(index + 1).filter(|act| act.is_tested) {
            let not_run = Tested::of(act.revision, Outcome::NotRun, 0.0, Vec::new());
            on_tested(&not_run);
            rehearsed.revisions.push(not_run);
        }
    } else if rehearsed.count(Outcome::Failed) > 0 {
        rehearsed.base_and_back = Some(BaseAndBack::not_run("revisions fail by themselves".to_owned()));
    } else if let Some((from, schema)) = first {
        rehearsed.base_and_back = Some(base_and_back(stage, acts, from, &schema).await?);
    }
    Ok(rehearsed.judged())
}

/// Tests one revision, and gives the schema with which the next one begins; `None`: nothing more can be tested.
async fn up_down_up(
    stage: &mut Stage<'_>,
    acts: &[Act<'_>],
    index: usize,
    before: &Schema,
) -> Result<(Outcome, Vec<Trouble>, Option<Schema>)> {
    let act = &acts[index];
    if let Err(error) = stage.up(act).await {
        return Ok((Outcome::Failed, vec![Trouble::failed(When::Up, error)], None));
    }
    let applied = stage.schema().await?;
    let mut troubles = Vec::new();
    if let Some(down) = &act.down {
        match stage.down(down).await {
            Err(error) => troubles.push(Trouble::failed(When::Down, error)),
            Ok(()) => {
                troubles.extend(Trouble::differing(When::AfterDown, before, &stage.schema().await?));
                match stage.up(act).await {
                    Err(error) => troubles.push(Trouble::failed(When::UpAgain, error)),
                    // What the way down left is still there, and was told.
                    Ok(()) if !troubles.is_empty() => {}
                    Ok(()) => {
                        troubles.extend(Trouble::differing(When::AfterUpAgain, &applied, &stage.schema().await?));
                    }
                }
            }
        }
    }
    let went_on = if troubles.is_empty() {
        stage.seed(act.revision).await.map_err(|error| Trouble::failed(When::Rows, error))
    } else {
        // What went wrong must not be blamed on the revisions that follow.
        stage.rebuild(&acts[..=index]).await.map_err(|error| Trouble::failed(When::Rebuild, error))
    };
    let after = match went_on {
        Ok(()) => Some(stage.schema().await?),
        Err(trouble) => {
            troubles.push(trouble);
            None
        }
    };
    let outcome = match (troubles.is_empty(), &act.down) {
        (true, Some(_)) => Outcome::Passed,
        (true, None) => Outcome::Irreversible,
        (false, _) => Outcome::Failed,
    };
    Ok((outcome, troubles, after))
}

/// All the way down to where testing began, and up again.
async fn base_and_back(stage: &mut Stage<'_>, acts: &[Act<'_>], from: usize, bottom: &Schema) -> Result<BaseAndBack> {
    let mut downs = Vec::new();
    for act in acts[from..].iter().rev() {
        match &act.down {
            Some(Ok(down)) => downs.push((act, down)),
            _ => return Ok(BaseAndBack::not_run(format!("`{}` can't be taken back", act.revision.id))),
        }
    }
    let top = stage.schema().await?;
    for (act, down) in downs {
        if let Err(error) = stage.section(down).await {
            return Ok(BaseAndBack::failed(Trouble::failed(
                When::Base,
                error.help(format!("on the way down from the end, at `{}`", act.revision.id)),
            )));
        }
    }
    let mut troubles: Vec<Trouble> =
        Trouble::differing(When::AfterBase, bottom, &stage.schema().await?).into_iter().collect();
    for act in &acts[from..] {
        if let Err(error) = stage.apply(act).await {
            troubles.push(Trouble::failed(When::Back, error));
            return Ok(BaseAndBack::of(troubles));
        }
    }
    troubles.extend(Trouble::differing(When::AfterBack, &top, &stage.schema().await?));
    Ok(BaseAndBack::of(troubles))
}
