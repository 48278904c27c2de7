//! One order from beginning to end.

use std::time::Duration;

use runner_chain::Chain;
use runner_chain::Problem;
use runner_database::Access;
use runner_database::Holder;
use runner_database::PreflightProblem;
use runner_database::Session;
use runner_database::State;
use runner_database::StepScript;
use runner_database::TransactionMode;
use runner_delivery::Channels;
use runner_policy::FactsSource;
use runner_policy::Identity;
use runner_policy::Policies;
use runner_policy::Review;
use runner_policy::Role;
use runner_policy::Verdict;
use runner_policy::data;

use super::Interrupt;
use super::Observer;
use super::Operation;
use super::Order;
use super::Repair;
use super::ScriptStart;
use super::context;
use super::evidence;
use super::evidence::run_id;
use super::facts;
use super::judging::Judged;
use super::judging::judge;
use super::mail::Mail;
use super::news::News;
use super::precaution;
use super::precaution::Precaution;
use super::prepare;
use super::preview::PlanFile;
use super::remembered::Reading;
use super::report::Outcome;
use super::report::Report;
use super::restore::Restoring;
use super::script::Written;
use super::situation::Database;
use super::situation::Gathered;
use super::situation::Opened;
use super::situation::Place;
use super::situation::Tolerance;
use super::situation::gather;
use super::steps;
use super::steps::Ears;
use super::steps::Places;
use super::steps::Work;
use super::validation;
use crate::config::Config;
use crate::ending;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Roles that are asked about a plan.
pub(crate) static ROLES: [Role; 3] = [Role::Environment, Role::Lint, Role::Gate];

/// What came of an order, and the messages about it that are yet to be sent.
pub(crate) struct Ended {
    /// What happened to the plan, good or bad; an error if there was none.
    pub(crate) result: Result<Report>,
    /// Messages. They are stored, and nobody waits for them but whoever wants them sent.
    pub(crate) mail: Mail,
}

impl Ended {
    fn at_once(error: Error) -> Self {
        Ended { result: Err(error), mail: Mail::none() }
    }
}

/// Carries out an order: gathers, plans, asks the policies and, unless it is a dry run, runs the plan.
pub(crate) async fn execute(
    config: &Config,
    order: &Order,
    observer: &mut dyn Observer,
    interrupt: Interrupt,
) -> Ended {
    let place = match &order.script {
        Some(ScriptStart::At(start)) => Place::Nowhere { start },
        Some(ScriptStart::Database) => Place::Target(Access::Read),
        None if order.dry_run => Place::Target(Access::Read),
        None => Place::Target(Access::Write),
    };
    let (url, channels) = match (config.database_url(), channels(config, order)) {
        (Err(error), _) | (_, Err(error)) => return Ended::at_once(error),
        (Ok(url), Ok(channels)) => (url, channels),
    };
    let mut roles = ROLES.to_vec();
    roles.extend(channels.map(|_| Role::Notify));
    let mut context = context::policy_context(config, order.operation.for_policies(), order.dry_run, Some(url));
    let gathered = match gather(config, place, reading(order), roles, context.clone()).await {
        Ok(gathered) => gathered,
        Err(error) => return Ended::at_once(error),
    };
    let Gathered { mut policies, identity, opened } = gathered;
    context.environment =
        data::Environment { name: identity.name.clone(), level: identity.level, production: identity.production };
    let run_id = run_id();
    let (mut news, mut mail) = match channels {
        Some(channels) => {
            warn_of_silence(&policies, observer);
            let news = News::of(channels, &policies, context.clone(), order.operation, &run_id);
            (news, Mail::of(config, channels, &run_id, interrupt.clone()))
        }
        None => (News::none(), Mail::none()),
    };
    let (mut result, session) = match opened {
        Ok(Opened { chain, mut session, state }) => {
            let run = Carried { config, order, identity: &identity, run_id: &run_id, interrupt: &interrupt };
            let ears = Ears { observer, news: &mut news, mail: &mut mail };
            let result = run.carry_out((chain, state), &mut session, &mut policies, context, ears).await;
            (result, Some(session))
        }
        Err(error) => {
            mail.give_up_database();
            (Err(error), None)
        }
    };
    if let Err(error) = &result {
        news.failed(&policies, error, observer).await;
    }
    let closed = if mail.is_open() {
        mail.store(session, news.waiting()).await;
        // From here on others may begin; what is left to do needs no lock.
        mail.unlock().await
    } else if let (Some(session), Ok(_)) = (session, &result) {
        if ending::is_near() { session.close_at_exit().await } else { session.close().await }
    } else {
        Ok(())
    };
    if let (Ok(report), Err(error)) = (&result, closed)
        && report.error.is_none()
    {
        result = Err(error.into());
    }
    Ended { result, mail }
}

/// What writes down how files are, or puts rows back as they were, is about the files themselves.
fn reading(order: &Order) -> Reading {
    match order.operation {
        Operation::Upgrade | Operation::Downgrade | Operation::Rollback => Reading::Remembered,
        Operation::Stamp | Operation::Repair(_) | Operation::Restore => Reading::Files,
    }
}

/// The channels, if there are any and the order is one to tell of.
fn channels<'a>(config: &'a Config, order: &Order) -> Result<Option<&'a Channels>> {
    if !order.runs() {
        return Ok(None);
    }
    Ok(Some(config.channels()?).filter(|channels| !channels.is_empty()))
}

/// Whoever has configured channels expects to hear something.
fn warn_of_silence(policies: &Policies, observer: &mut dyn Observer) {
    let mut is_explained = false;
    for Verdict { plugin, message, .. } in policies.mute() {
        is_explained = true;
        observer
            .warn(&format!("the policy `{plugin}` can't be used, and nobody hears of this run through it (`runner plugin list`): {message}"));
    }
    if !is_explained && !policies.has(Role::Notify) {
        let set = policies.set();
        observer.warn(&format!(
            "channels are configured, but no policy of the set `{set}` has the role `notify`: nobody hears of this run"
        ));
    }
}

/// An order that is being carried out.
struct Carried<'a> {
    config: &'a Config,
    order: &'a Order,
    identity: &'a Identity,
    run_id: &'a str,
    interrupt: &'a Interrupt,
}

impl Carried<'_> {
    async fn carry_out(
        &self,
        (chain, state): (Chain, runner_database::Result<State>),
        session: &mut Session,
        policies: &mut Policies,
        mut context: data::Context,
        ears: Ears<'_, '_>,
    ) -> Result<Report> {
        let Carried { config, order, interrupt, .. } = *self;
        let mut locked = false;
        let state = match state {
            // Somebody keeps even readers out, so there is nothing to plan with before it is our turn.
            Err(runner_database::Error::Locked { .. }) if order.runs() => {
                take_turn(config, order, session, ears.observer, interrupt).await?;
                locked = true;
                session.state().await?
            }
            state => state?,
        };
        let mut database = self.compare(chain, session, state)?;
        context.target.server_version.clone_from(&session.server().version);
        ears.news.set_context(&context);
        for warning in &database.warnings {
            ears.observer.warn(warning);
        }
        let result = self.go(&mut database, session, policies, &context, ears, locked).await;
        ending::leave(database);
        result
    }

    async fn go(
        &self,
        database: &mut Database,
        session: &mut Session,
        policies: &mut Policies,
        context: &data::Context,
        ears: Ears<'_, '_>,
        mut locked: bool,
    ) -> Result<Report> {
        let Carried { config, order, identity, run_id, interrupt } = *self;
        let Ears { observer, news, mail } = ears;
        let server = session.server().clone();
        let mut restoring = Restoring::of(config, order)?;
        loop {
            let resolved;
            let order = match &mut restoring {
                Some(restoring) => {
                    resolved = restoring.order(order, session, database).await?;
                    &resolved
                }
                None => order,
            };
            // Of the database as this plan finds it.
            let (source, requests) = FactsSource::asked();
            let has_target = !matches!(order.script, Some(ScriptStart::At(_)));
            policies.offer_facts(&if has_target { source.clone() } else { FactsSource::default() });
            let wants_plan = news.is_wanted();
            let judging = judge(config, order, database, &server, policies, identity, context, wants_plan);
            let mut is_busy = false;
            let collect = async || {
                let collected = facts::collect(session).await;
                is_busy = collected.as_ref().is_err_and(|uncollected| uncollected.is_busy);
                collected.map_err(|uncollected| uncollected.failure)
            };
            let mut judged = match requests.serve(judging, collect).await {
                // What is wrong is said of the files alone.
                Err(_) if database.read_again_if_remembered(config)? => continue,
                judged => judged?,
            };
            let planned = judged.report.steps.iter().map(|step| step.revision.as_str());
            if database.read_again_if_changed(planned, config)? {
                observer.warn("a revision file is not what was remembered of it; all files are read again");
                database.refuse_lost_rows()?;
                continue;
            }
            if is_busy && !locked && order.runs() {
                // Another runner has begun meanwhile, and keeps even readers out: the plan is made when it is our turn.
                take_turn(config, order, session, observer, interrupt).await?;
                locked = true;
                database.refresh(session, config).await?;
                continue;
            }
            if order.record {
                judged.report.facts = source.collected().and_then(|facts| facts.clone().ok()).map(Box::new);
            }
            for warning in &judged.warnings {
                observer.warn(warning);
            }
            half_done(order, database, &judged)?;
            if order.preview || order.expects.is_some() {
                let plan = PlanFile::of(order, database, policies, &judged);
                if let Some(expected) = &order.expects {
                    expected.refuse_other(&plan)?;
                }
                judged.report.plan_file = order.preview.then(|| Box::new(plan));
            }
            observer.planned(&judged.report, &judged.review);
            news.set_plan(judged.plan.take());
            // Whoever only asks is told everything that is wrong at once.
            let is_denied = judged.report.outcome == Outcome::Denied;
            if is_denied && !(order.validates && order.dry_run) {
                news.refused(policies, &judged.report, observer).await;
                return Ok(judged.report);
            }
            // A dry run must not promise what can't run.
            let scripts = match judged.scripts.clone() {
                Ok(scripts) => scripts,
                Err(error) if order.validates && has_target => {
                    let report = (&mut judged.report, judged.after.as_slice());
                    validation::look(config, session, database, None, report, order.limit).await?;
                    observer.validated(&judged.report);
                    if is_denied {
                        return Ok(judged.report);
                    }
                    return Err(validation::missing(&judged.report, error));
                }
                Err(error) => return Err(error),
            };
            check(session, &scripts, &judged.places, mode(config, order))?;
            let precaution = Precaution::of(config, order, session.dialect(), &scripts)?;
            if let Some(restoring) = &restoring {
                restoring.refuse(config, session, &judged.report).await?;
            }
            if precaution.looks(order) && has_target {
                let plan = (scripts.as_slice(), database.state.dirty.as_slice());
                precaution::look(config, session, plan, &mut judged.report, order.limit).await?;
                observer.forecast(&judged.report);
            }
            if order.validates && has_target && !scripts.is_empty() {
                let report = (&mut judged.report, judged.after.as_slice());
                validation::look(config, session, database, Some(&scripts), report, order.limit).await?;
                observer.validated(&judged.report);
                let refusal = judged.report.validation.as_ref().and_then(|validation| validation.refusal());
                if let Some(error) = refusal.filter(|_| !is_denied) {
                    news.failed(policies, &error, observer).await;
                    return Ok(Report { outcome: Outcome::Denied, error: Some(error), ..judged.report });
                }
            }
            if let Some(outcome) = settled(order, &judged) {
                return Ok(Report { outcome, ..judged.report });
            }
            if !confirmed(&judged.review, observer) {
                let report = Report { outcome: Outcome::Denied, ..judged.report };
                news.refused(policies, &report, observer).await;
                return Ok(report);
            }
            if order.asks && !observer.confirm_rollback(&question(&judged.report)) {
                return Err(Error::new(ErrorKind::Refused, "the rollback was not confirmed; nothing was run")
                    .help("`--yes` answers yes, and `--force` leaves the question out"));
            }
            let info = evidence::run_info(policies, &judged, order, run_id);
            if let Some(start) = &order.script {
                let written =
                    Written { config, order, start, database, info, scripts: &scripts, places: &judged.places };
                return written.script(session, judged.report, mode(config, order)).await;
            }
            if !locked {
                take_turn(config, order, session, observer, interrupt).await?;
                locked = true;
                if database.refresh(session, config).await? {
                    if order.purge {
                        database.forget_all();
                    }
                    observer
                        .warn("the database changed while this command waited for the lock; the plan is made again");
                    continue;
                }
            }
            if precaution.wants_backup() {
                let rows = (run_id, database.state.versions.as_slice(), judged.after.clone());
                let plan = (scripts.as_slice(), database.state.dirty.as_slice());
                let kept = precaution::keep(config, order, session, plan, &mut judged.report, observer, rows);
                tokio::select! {
                    kept = kept => kept?,
                    () = interrupt.asked(1) => return Err(steps::interrupted_saving()),
                }
            }
            if let Some(restoring) = &restoring {
                let kept = restoring.keep(config, order, session, run_id, database, &mut judged.report, observer);
                tokio::select! {
                    kept = kept => kept?,
                    () = interrupt.asked(1) => return Err(steps::interrupted_saving()),
                }
            }
            let mut info = info;
            if let Some(backup) = &judged.report.backup {
                info.evidence["backup"] = backup.name.clone().into();
            }
            if order.operation == Operation::Rollback {
                info.evidence["validation"] = validation::evidence(judged.report.validation.as_deref());
            }
            if let Some(restore) = &order.restore {
                info.evidence["restored"] = restore.backup.clone().into();
            }
            let transactional_ddl = session.transactional_ddl();
            let work = Work { scripts: &scripts, places: &judged.places, mode: mode(config, order), transactional_ddl };
            news.begun(policies, &judged.report, observer).await;
            steps::store_before(session, news, mail).await;
            let ears = Ears { observer, news, mail };
            let mut report = steps::run(session, info.clone(), &work, judged.report, policies, ears, interrupt).await;
            if let (Some(restoring), Outcome::Applied) = (&restoring, report.outcome)
                && let Err(error) = restoring.run_until(config, session, info, &mut report, observer, interrupt).await
            {
                report.outcome = Outcome::Failed;
                report.error = Some(error);
            }
            news.ended(policies, &report, observer).await;
            return Ok(report);
        }
    }

    fn compare(&self, chain: Chain, session: &Session, state: State) -> Result<Database> {
        let Carried { config, order, .. } = *self;
        let tolerance = match order.operation {
            Operation::Repair(_) => Tolerance::Edits,
            _ if order.purge => Tolerance::All,
            _ => Tolerance::None,
        };
        let mut database = Database::compare(chain, session.dialect(), state, config, tolerance)?;
        if let (Operation::Repair(Repair::Forget), [target]) = (order.operation, order.targets.as_slice()) {
            database.forget(target)?;
        }
        if order.purge {
            database.forget_all();
        }
        if !order.operation.only_records() {
            database.refuse_lost_rows()?;
        }
        Ok(database)
    }
}

/// The outcome of an order that runs nothing.
fn settled(order: &Order, judged: &Judged) -> Option<Outcome> {
    let outcome = judged.report.outcome;
    match outcome {
        _ if order.dry_run => Some(outcome),
        _ if order.operation == Operation::Restore => None,
        _ if judged.report.steps.is_empty() => Some(Outcome::NothingToDo),
        _ => None,
    }
}

/// Refuses what can be known to go wrong, before anything runs.
pub(super) fn check(session: &Session, scripts: &[StepScript], places: &Places, mode: TransactionMode) -> Result<()> {
    let found = session.preflight(scripts, mode);
    if found.is_empty() {
        return Ok(());
    }
    let mut problems = Vec::new();
    let mut error = Error::new(ErrorKind::Chain, "the plan can't run as it stands; nothing was run");
    for PreflightProblem { revision, statement, message, help, .. } in found {
        let step = scripts.iter().position(|script| script.revision == revision);
        let place = step.zip(statement).and_then(|(step, statement)| places.get(step)?.get(statement));
        match place {
            Some(place) => problems.push(Problem { message, help: Some(help), ..place.clone() }),
            None => error = error.help(format!("`{revision}`: {message}; {help}")),
        }
    }
    Err(error.at(problems))
}

/// A revision that is half-way done must be part of the plan. Otherwise "nothing to do" would hide it.
fn half_done(order: &Order, database: &Database, judged: &Judged) -> Result<()> {
    // What is half-way is replaced as a whole.
    let is_replaced = order.restore.as_ref().is_some_and(|restore| restore.whole && restore.replace);
    if order.operation.only_records() || is_replaced {
        return Ok(());
    }
    for dirty in &database.state.dirty {
        if dirty.is_cut_off_restore() {
            let message =
                "a backup was being restored, and that was cut off: the database may hold a part of it, or nothing";
            return Err(Error::new(ErrorKind::Drift, message)
                .help("`runner log` names the backup; `runner backup restore NAME --replace` puts all of it back"));
        }
        let planned = judged
            .report
            .steps
            .iter()
            .any(|step| step.revision == dirty.revision && prepare::direction(step.direction) == dirty.direction);
        if !planned {
            let (id, done, total) = (&dirty.revision, dirty.statements_done, dirty.statements_total);
            let back = match (database.chain.get(id), dirty.direction) {
                (None, _) => "put its file back".to_owned(),
                (_, runner_database::StepDirection::Up) => format!("finish it first with `runner upgrade {id}`"),
                (Some(revision), runner_database::StepDirection::Down) => {
                    let parent = revision.parents.first().map_or("base", |parent| parent.as_str());
                    format!("finish it first with `runner downgrade {parent}`")
                }
            };
            return Err(Error::new(
                ErrorKind::Drift,
                format!("revision `{id}` is half-way {}: {done} of {total} statements are done", dirty.direction),
            )
            .help(format!("{back}, or settle it by hand and say so with `runner repair`")));
        }
    }
    Ok(())
}

fn confirmed(review: &Review, observer: &mut dyn Observer) -> bool {
    review.prompts.iter().all(|prompt| observer.confirm(&prompt.plugin, &prompt.text))
}

/// What is asked before a rollback.
fn question(report: &Report) -> String {
    let steps =
        if report.steps.len() == 1 { "1 revision".to_owned() } else { format!("{} revisions", report.steps.len()) };
    let losses = match report.data_loss.len() {
        0 => "which destroys nothing".to_owned(),
        1 => "which destroys data in 1 place".to_owned(),
        count => format!("which destroys data in {count} places"),
    };
    format!("undo {steps} in {} ({}), {losses}?", report.target.name, report.environment.name)
}

/// A stamp touches the rows once, so its steps belong into one transaction.
fn mode(config: &Config, order: &Order) -> TransactionMode {
    match order.operation {
        Operation::Stamp => TransactionMode::PerRun,
        Operation::Repair(_) => TransactionMode::PerRevision,
        Operation::Upgrade | Operation::Downgrade | Operation::Rollback | Operation::Restore => config.transaction(),
    }
}

/// Waits for the lock, or until somebody asks to stop.
async fn take_turn(
    config: &Config,
    order: &Order,
    session: &mut Session,
    observer: &mut dyn Observer,
    interrupt: &Interrupt,
) -> Result<()> {
    interrupt.listen();
    tokio::select! {
        taken = lock(config, order, session, observer) => taken,
        () = interrupt.asked(1) => Err(steps::interrupted_waiting()),
    }
}

async fn lock(config: &Config, order: &Order, session: &mut Session, observer: &mut dyn Observer) -> Result<()> {
    let me = context::me(order.operation.name());
    let mut on_wait = |holder: Option<&Holder>, waited: Duration| {
        observer.waiting(holder.map(ToString::to_string).as_deref(), waited);
    };
    Ok(session.lock(config.lock_wait(), &me, &mut on_wait).await?)
}
