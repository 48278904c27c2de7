//! The name of a plan: what was approved is what is run.

use super::Plan;
use crate::checksum::{Checksum, FieldHasher, normalise};
use crate::dialect::Dialect;
use crate::graph::Chain;

/// For what, and for whom, a plan was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanIdentity<'a> {
    /// The command, for example `upgrade`.
    pub operation: &'a str,
    /// The dialect of the database.
    pub dialect: Dialect,
    /// The database, in a form that holds no secret.
    pub target: &'a str,
    /// The environment's name.
    pub environment: &'a str,
}

/// The SHA-256 over the following fields. A text is written as its length in bytes and then its UTF-8, a number as 8
/// bytes, lowest first; a text that may be missing is the number 0, or the number 1 and the text.
///
/// 1. the text `runner plan 1`
/// 2. the operation, the target, the environment and the dialect's name, each a text
/// 3. the rows before: their number, then each as a text, sorted
/// 4. the rows after, in the same way
/// 5. the number of steps, then for each step
///    1. the revision's identifier, a text
///    2. the direction, the text `up` or `down`
///    3. the number 1 if it runs in a transaction, else 0
///    4. the number of environment tags, then each as a text as it is written (`staging`, `=test`)
///    5. the number 1 if its SQL is left out, else 0
///    6. the section that is run on this dialect, in its [normal form](normalise), a text that may be missing
///
/// `is_skipped` tells by a step's index whether its SQL is left out.
pub fn plan_hash(
    plan: &Plan,
    chain: &Chain,
    identity: &PlanIdentity<'_>,
    is_skipped: impl Fn(usize) -> bool,
) -> Checksum {
    let mut hasher = FieldHasher::new("runner plan 1");
    hasher.text(identity.operation);
    hasher.text(identity.target);
    hasher.text(identity.environment);
    hasher.text(identity.dialect.name());
    for rows in [&plan.before, &plan.after] {
        hasher.number(rows.len());
        rows.iter().for_each(|id| hasher.text(id.as_str()));
    }
    hasher.number(plan.steps.len());
    for (index, step) in plan.steps.iter().enumerate() {
        let Some(revision) = chain.revisions().get(step.revision) else { continue };
        hasher.text(revision.id.as_str());
        hasher.text(step.direction.name());
        hasher.number(usize::from(revision.transaction));
        hasher.number(revision.environments.len());
        revision.environments.iter().for_each(|tag| hasher.text(&tag.to_string()));
        hasher.number(usize::from(is_skipped(index)));
        let section = revision.run(step.direction, identity.dialect).map(|section| normalise(section.text));
        hasher.optional(section.as_deref());
    }
    hasher.finish()
}
