//! Linting without running anything: chain and policies, and the database only if somebody wants to know what it has.

use std::sync::Arc;

use runner_chain::Applied;
use runner_chain::Chain;
use runner_chain::Dialect;
use runner_chain::Direction;

use runner_chain::Revision;
use runner_chain::planning::PlanIdentity;
use runner_database::Access;
use runner_database::Session;
use runner_policy::FactsSource;
use runner_policy::Identity;
use runner_policy::LintMatter;
use runner_policy::Linted;
use runner_policy::PluginRules;
use runner_policy::Policies;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::StepFate;
use runner_policy::Subject;
use runner_policy::Verdict;
use runner_policy::data;

use super::Operation;
use super::Order;
use super::context::policy_context;
use super::context::policy_host;
use super::facts;
use super::prepare;
use super::request;
use super::situation::Database;
use super::situation::Tolerance;
use super::sources::plugin_set;
use super::surroundings::surroundings;
use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// The lint policies of the configured set, and the environment that they are asked for.
pub(crate) struct LintDesk<'a> {
    config: &'a Config,
    policies: Policies,
    context: data::Context,
    /// What the environment turned out to be.
    pub(crate) identity: Identity,
}

/// What is known of the target.
pub(crate) struct Target {
    session: Session,
    /// What it has.
    pub(crate) applied: Applied,
    /// What `upgrade` would apply or skip, in that order, as indices into the chain.
    pub(crate) pending: Vec<usize>,
    /// The same as policies are told.
    plan: data::Plan,
    /// What it has, as policies are told.
    recorded: Vec<data::AppliedRevision>,
    /// What is odd about it, but stops nothing.
    pub(crate) warnings: Vec<String>,
}

/// The revisions to lint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Indices into the chain.
    pub(crate) revisions: Vec<usize>,
    /// Whether they are one plan, so that what one creates is new and empty for the next ones.
    pub(crate) planned: bool,
}

impl<'a> LintDesk<'a> {
    /// Loads the policies. No database is opened. `dialect` takes the place of the configured database's.
    pub(crate) async fn open(config: &'a Config, dialect: Option<Dialect>) -> Result<Self> {
        let set = plugin_set(config).await?;
        let url = match dialect {
            Some(_) => config.database_url().ok(),
            None => Some(config.database_url().map_err(|error| error.help("or say `--dialect`"))?),
        };
        let mut context = policy_context(config, data::Operation::Upgrade, true, url);
        if let Some(dialect) = dialect {
            context.target.dialect = request::dialect(dialect);
        }
        let (host, roles) = (policy_host(), [Role::Environment, Role::Lint]);
        let mut policies = Policies::load_but_lint(&host, &set, &roles, context.target.dialect).await;
        policies.prepare_lint().await;
        let identity = policies.identify(&context).await;
        context.environment =
            data::Environment { name: identity.name.clone(), level: identity.level, production: identity.production };
        Ok(LintDesk { config, policies, context, identity })
    }

    /// Name of the plugin set.
    pub(crate) fn set(&self) -> &str {
        self.policies.set()
    }

    /// Whether anybody can be asked.
    pub(crate) fn has_lint(&self) -> bool {
        self.policies.has(Role::Lint)
    }

    /// Plugins that can't be used, and an environment that nobody knows, as denials.
    pub(crate) fn refusals(&self) -> Vec<Verdict> {
        self.policies.refusals().chain(self.identity.refused.clone()).collect()
    }

    /// Plugins whose findings are shown and have no consequence.
    pub(crate) fn audited(&self) -> Vec<String> {
        self.policies.audited_lints().map(str::to_owned).collect()
    }

    /// The dialect that revisions are looked at for.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.context.target.dialect {
            data::Dialect::Sqlite => Dialect::Sqlite,
            data::Dialect::Postgres => Dialect::Postgres,
            data::Dialect::Mysql => Dialect::Mysql,
        }
    }

    /// The rules of all lint policies of the set, also of those that have nothing to say of this dialect.
    pub(crate) async fn rules(&self) -> Result<Vec<PluginRules>> {
        let set = plugin_set(self.config).await?;
        let policies = Policies::load(&policy_host(), &set, &[Role::Lint]).await;
        Ok(policies.lint_rules(&self.context).await.0)
    }

    /// Names and aliases of each environment; none: nobody knows them.
    ///
    /// # Errors
    /// The policy that knows them can't be asked.
    pub(crate) async fn environments(&self) -> Result<Vec<(String, Vec<String>)>> {
        let levels = known_levels(&self.policies, &self.context).await?;
        Ok(levels.into_iter().map(|level| (level.name, level.aliases)).collect())
    }

    /// What of the pending revisions `upgrade` would run: those that the environment policies do not skip.
    pub(crate) async fn running(&self, target: &Target) -> Vec<usize> {
        let request = Request {
            context: self.context.clone(),
            plan: target.plan.clone(),
            applied: target.recorded.clone(),
            sources: Vec::new(),
            lint: LintMatter::default(),
        };
        let fates = self.policies.fates(request, &self.identity).await;
        let runs = target.pending.iter().zip(fates).filter(|(_, fate)| *fate == StepFate::Run);
        runs.map(|(index, _)| *index).collect()
    }

    /// Asks about revisions of a chain; with a target its facts can be had.
    pub(crate) async fn lint(
        &mut self,
        chain: &Arc<Chain>,
        choice: &Choice,
        target: Option<&mut Target>,
        wants_rules: bool,
    ) -> Linted {
        let dialect = self.dialect();
        let matter = request::lint_matter(self.config, Vec::new());
        let memory = policy_host().memory(&self.config.migrations_key());
        let applied = target.as_ref().map(|target| &target.applied);
        let revisions = choice.revisions.iter().copied();
        let subjects: Vec<Subject> =
            revisions.filter_map(|index| subject(chain, index, dialect, applied, choice.planned)).collect();
        let Some(target) = target else {
            return self.policies.lint(&self.context, &matter, subjects, &memory, wants_rules).await;
        };
        let (source, requests) = FactsSource::asked();
        self.policies.offer_facts(&source);
        self.context.target.server_version.clone_from(&target.session.server().version);
        let linting = self.policies.lint(&self.context, &matter, subjects, &memory, wants_rules);
        let collect = async || {
            let collected = facts::collect(&mut target.session).await;
            collected.map_err(|uncollected| uncollected.failure)
        };
        requests.serve(linting, collect).await
    }
}

/// All environments; none: no policy knows them.
///
/// # Errors
/// The policy that knows them can't be asked: what is said about one of them would be lost.
pub(super) async fn known_levels(policies: &Policies, context: &data::Context) -> Result<Vec<data::Level>> {
    match policies.levels(context).await {
        Ok(levels) => Ok(levels),
        Err(None) => Ok(Vec::new()),
        Err(Some(refused)) => {
            let message = format!("refused by `{}`: {}", refused.plugin, refused.message);
            Err(Error::new(ErrorKind::Refused, message).maybe_help(refused.help))
        }
    }
}

/// Opens the target for reading, and finds out what is pending there.
///
/// # Errors
/// It can't be read, or contradicts the chain.
pub(crate) async fn target(config: &Config, chain: &Arc<Chain>) -> Result<Target> {
    let mut session = Session::open(config.database_url()?, config.database_options(), Access::Read).await?;
    let state = session.state().await?;
    let dialect = session.dialect();
    let database = Database::compare(Chain::clone(chain), dialect, state, config, Tolerance::None)?;
    let order = Order::new(Operation::Upgrade, vec!["heads".to_owned()], true);
    let prepared = prepare::prepare(&database, &order)?;
    let identity = PlanIdentity {
        operation: &prepare::operation(&order, &[]),
        dialect,
        target: &config.database_url()?.identity(),
        environment: &config.environment,
    };
    let plan = data::Plan {
        hash: prepared.hash(chain, &identity, &[]).to_string(),
        steps: prepared.steps.iter().map(|step| request::step(chain, &database.state, step)).collect(),
    };
    let pending = prepared.steps.iter().filter_map(|step| chain.index(step.revision.id.as_str())).collect();
    let applied = chain.applied(&database.versions).map_err(Error::from)?;
    let revisions = applied.iter().filter_map(|index| chain.revisions().get(index));
    let recorded = revisions.map(|revision| request::applied(&database.state, revision)).collect();
    Ok(Target { session, applied, pending, plan, recorded, warnings: database.warnings })
}

impl Target {
    /// Closes the session.
    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.session.close().await?)
    }
}

fn subject(
    chain: &Arc<Chain>,
    index: usize,
    dialect: Dialect,
    applied: Option<&Applied>,
    planned: bool,
) -> Option<Subject> {
    let revision = chain.revisions().get(index)?;
    let planned = planned.then_some(data::Direction::Up);
    let held = Arc::clone(chain);
    Some(Subject {
        revision: revision.id.to_string(),
        file: revision.file.clone(),
        digest: *revision.checksum().as_bytes(),
        surroundings: surroundings(chain, revision, applied),
        planned,
        source: Box::new(move || source(&held, &held.revisions()[index], dialect, planned)),
    })
}

/// A revision as it is told of one at a time.
fn source(
    chain: &Chain,
    revision: &Revision,
    dialect: Dialect,
    planned: Option<data::Direction>,
) -> data::RevisionSource {
    let statements = |direction| revision.run(direction, dialect).map(|section| request::statements(section, dialect));
    data::RevisionSource {
        revision: request::revision(chain, revision),
        text: revision.source().to_owned(),
        up: statements(Direction::Up),
        down: statements(Direction::Down),
        planned,
    }
}
