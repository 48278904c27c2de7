//! A plan, and what the policies say of it.

use std::collections::HashMap;

use runner_chain::planning::PlanIdentity;
use runner_database::Server;
use runner_database::StepScript;
use runner_policy::AsTheyAre;
use runner_policy::Assess;
use runner_policy::Identity;
use runner_policy::Linting;
use runner_policy::LockForecast;
use runner_policy::Outcome as Judgement;
use runner_policy::Policies;
use runner_policy::Request;
use runner_policy::Review;
use runner_policy::Role;
use runner_policy::StepFate;
use runner_policy::data;

use super::Operation;
use super::Order;
use super::context;
use super::evidence::Asked;
use super::prepare;
use super::prepare::Prepared;
use super::report::Environment;
use super::report::LockReport;
use super::report::Outcome;
use super::report::Report;
use super::report::StepReport;
use super::report::StepStatus;
use super::report::Target;
use super::request;
use super::situation::Database;
use super::steps::Places;
use super::surroundings::surroundings;
use super::weighing::Weighing;
use crate::config::Config;
use crate::error::Result;

/// A plan and what the policies say of it.
pub(super) struct Judged {
    pub(super) report: Report,
    pub(super) review: Review,
    pub(super) scripts: Result<Vec<StepScript>>,
    pub(super) places: Places,
    /// The rows of the version table after the plan.
    pub(super) after: Vec<String>,
    /// For the ledger; `None` if nothing will run.
    pub(super) asked: Option<Asked>,
    /// The plan as policies see it, if it is wanted.
    pub(super) plan: Option<data::Plan>,
    /// What the configuration says about lint and is not obeyed.
    pub(super) warnings: Vec<String>,
}

#[expect(clippy::too_many_arguments, reason = "all of them decide on the plan, and none belongs to another")]
pub(super) async fn judge(
    config: &Config,
    order: &Order,
    database: &Database,
    server: &Server,
    policies: &mut Policies,
    identity: &Identity,
    context: &data::Context,
    wants_plan: bool,
) -> Result<Judged> {
    let url = config.database_url()?;
    let prepared = prepare::prepare(database, order)?;
    let plan_identity = PlanIdentity {
        operation: &prepare::operation(order, &database.forgotten),
        dialect: database.dialect,
        target: &url.identity(),
        environment: &identity.name,
    };
    let hash = |fates: &[StepFate]| prepared.hash(&database.chain, &plan_identity, fates).to_string();
    tracing::debug!("the plan is made");
    if !prepared.steps.is_empty() && !order.operation.only_records() {
        policies.prepare_lint().await;
    }
    let asked = request(config, database, policies, order, &prepared, hash(&[]), context);
    let will_run = !order.dry_run && (!prepared.steps.is_empty() || order.operation == Operation::Restore);
    let for_ledger = will_run.then(|| Asked::of(&asked, config, &database.state.versions));
    let recorded = order.record.then(|| Box::new(asked.clone()));
    let mut plan = wants_plan.then(|| asked.plan.clone());
    let memory = context::policy_host().memory(&config.migrations_key());
    let lints = !prepared.steps.is_empty() && !order.operation.only_records() && policies.has(Role::Lint);
    let weighing = match lints {
        true => {
            let looked_at = prepared.steps.iter().map(|step| step.revision.id.to_string()).collect();
            Some(Weighing::of(config, looked_at, database.dialect, policies, identity, context).await?)
        }
        false => None,
    };
    let scales = weighing.as_ref().map(|weighing| weighing.scales(&database.chain, database.dialect));
    let assess: &dyn Assess = scales.as_ref().map_or(&AsTheyAre, |scales| scales);
    let linting = Linting { memory: &memory, assess };
    let review = policies.review_with(asked, identity, hash, linting).await;
    let warnings = scales.map(|scales| scales.into_assessed().ignored.into_iter().collect()).unwrap_or_default();
    if let Some(plan) = &mut plan {
        plan.hash.clone_from(&review.plan_hash);
        for (step, fate) in plan.steps.iter_mut().zip(&review.steps) {
            step.skipped |= *fate != StepFate::Run;
        }
    }
    tracing::debug!("the policies are heard");
    let scripts = prepare::scripts(&prepared, order, &review, database.dialect);
    let report = Report {
        operation: order.operation,
        target: Target {
            dialect: url.dialect().to_string(),
            name: url.to_string(),
            server: format!("{} {}", server.product, server.version),
        },
        environment: Environment {
            name: identity.name.clone(),
            level: identity.level,
            production: identity.production,
        },
        plan_hash: review.plan_hash.clone(),
        steps: step_reports(&prepared, &review, order),
        verdicts: review.verdicts.clone(),
        locks: locks(&prepared, &review),
        outcome: match review.outcome {
            Judgement::Allowed => Outcome::Allowed,
            Judgement::Confirm => Outcome::Confirm,
            Judgement::Denied => Outcome::Denied,
        },
        plugin_set: policies.set().to_owned(),
        request: recorded,
        facts: None,
        plan_file: None,
        data_loss: Vec::new(),
        validation: None,
        backup: None,
        restored: Vec::new(),
        script: None,
        error: None,
    };
    let after = prepared.plan.after.iter().map(ToString::to_string).collect();
    Ok(Judged { report, review, scripts, places: places(&prepared), after, asked: for_ledger, plan, warnings })
}

fn request(
    config: &Config,
    database: &Database,
    policies: &Policies,
    order: &Order,
    prepared: &Prepared<'_>,
    hash: String,
    context: &data::Context,
) -> Request {
    let (chain, state) = (&database.chain, &database.state);
    let dialect = database.dialect;
    let applied = chain.applied(&database.versions);
    let revisions = chain.revisions();
    // Splitting both sections of every revision is worth it only if somebody reads them.
    let is_read = (order.record || policies.has(Role::Lint)) && !order.operation.only_records();
    let read = if is_read { prepared.steps.as_slice() } else { &[] };
    let known = applied.as_ref().ok();
    Request {
        context: context.clone(),
        plan: data::Plan { hash, steps: prepared.steps.iter().map(|step| request::step(chain, state, step)).collect() },
        applied: applied
            .iter()
            .flat_map(runner_chain::Applied::iter)
            .filter_map(|index| revisions.get(index))
            .map(|revision| request::applied(state, revision))
            .collect(),
        sources: read.iter().map(|step| request::source(chain, dialect, step)).collect(),
        lint: request::lint_matter(config, read.iter().map(|step| surroundings(chain, step.revision, known)).collect()),
    }
}

fn step_reports(prepared: &Prepared<'_>, review: &Review, order: &Order) -> Vec<StepReport> {
    let status = order.runs().then_some(StepStatus::Pending);
    prepared
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| StepReport {
            revision: step.revision.id.to_string(),
            direction: step.direction,
            message: step.revision.title.clone(),
            status,
            duration_ms: status.map(|_| 0.0),
            skipped: match order.operation {
                Operation::Stamp | Operation::Repair(_) => None,
                Operation::Upgrade | Operation::Downgrade | Operation::Rollback | Operation::Restore => {
                    prepare::skip_reason(step, review.steps.get(index))
                }
            },
        })
        .collect()
}

/// The forecast of locks, with the places of the statements.
fn locks(prepared: &Prepared<'_>, review: &Review) -> Vec<LockReport> {
    let mut forecasts: HashMap<&str, Vec<&LockForecast>> = HashMap::new();
    for forecast in &review.locks {
        forecasts.entry(&forecast.revision).or_default().push(forecast);
    }
    let mut locks = Vec::new();
    for step in &prepared.steps {
        for forecast in forecasts.remove(step.revision.id.as_str()).unwrap_or_default() {
            let lock = &forecast.lock;
            let index = usize::try_from(lock.statement).unwrap_or(usize::MAX);
            let statement = step.statements.iter().flatten().nth(index);
            locks.push(LockReport {
                revision: forecast.revision.clone(),
                statement: index.saturating_add(1),
                line: statement.map(|statement| statement.line),
                column: statement.map(|statement| statement.column),
                object: lock.object.clone(),
                level: lock.level.clone(),
                blocks: lock.blocked,
                rewrites: lock.rewrites,
                scans: lock.scans,
                remark: lock.remark.clone(),
                plugin: forecast.plugin.clone(),
            });
        }
    }
    locks
}

fn places(prepared: &Prepared<'_>) -> Places {
    prepared
        .steps
        .iter()
        .map(|step| {
            let statements = step.statements.iter().flatten();
            statements
                .map(|statement| prepare::problem(step.revision, statement.line, statement.column, String::new(), None))
                .collect()
        })
        .collect()
}
