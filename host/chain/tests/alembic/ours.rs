//! Our own answers.

use runner_chain::Chain;
use runner_chain::Revision;
use runner_chain::Selector;
use runner_chain::Versions;
use runner_chain::planning;
use runner_chain::planning::Plan;

use crate::Answer;
use crate::Shape;

pub(crate) fn shape(chain: &Chain) -> Shape {
    let ids = |revisions: &mut dyn Iterator<Item = &Revision>| -> Vec<String> {
        let mut ids: Vec<String> = revisions.map(|revision| revision.id.to_string()).collect();
        ids.sort();
        ids
    };
    let labels = |revision: &Revision| chain.labels(revision).iter().map(ToString::to_string).collect();
    Shape {
        heads: ids(&mut chain.heads()),
        effective_heads: ids(&mut chain.effective_heads()),
        bases: ids(&mut chain.bases()),
        branch_points: ids(&mut chain.branch_points()),
        merges: ids(&mut chain.revisions().iter().filter(|revision| revision.is_merge())),
        labels: chain.revisions().iter().map(|revision| (revision.id.to_string(), labels(revision))).collect(),
    }
}

pub(crate) fn answer(chain: &Chain, rows: &[String], question: &[String]) -> Answer {
    try_answer(chain, rows, question).unwrap_or_else(|error| Answer::Refused { error })
}

fn try_answer(chain: &Chain, rows: &[String], question: &[String]) -> Result<Answer, String> {
    let rows: Versions = rows.iter().map(|row| row.parse().unwrap()).collect();
    let selectors: Result<Vec<Selector>, _> = question[1..].iter().map(|text| text.parse()).collect();
    let selectors = selectors.map_err(|error: runner_chain::SelectorParseError| error.to_string())?;
    let plan = match question[0].as_str() {
        "resolve" => {
            let found = chain.resolve(&selectors[0], Some(&rows)).map_err(|error| error.to_string())?;
            return Ok(Answer::Named { ids: found.iter().map(ToString::to_string).collect() });
        }
        "upgrade" => planning::upgrade(chain, &rows, &selectors),
        "downgrade" => planning::downgrade(chain, &rows, &selectors[0]),
        "stamp" => planning::stamp(chain, &rows, &selectors),
        other => panic!("{other}"),
    };
    let Plan { steps, after, .. } = plan.map_err(|error| error.to_string())?;
    let name = |step: planning::Step| Some(chain.revisions()[step.revision].id.to_string());
    Ok(Answer::Taken {
        rows: after.iter().map(ToString::to_string).collect(),
        steps: steps.into_iter().map(name).collect(),
    })
}
