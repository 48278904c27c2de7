//! Asks the plugins of a set, and puts their answers together: deny wins, and whatever goes wrong with a plugin is a denial.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::Cache;
use crate::FactsSource;
use crate::Host;
use crate::Mode;
use crate::Pin;
use crate::PluginReport;
use crate::PluginSet;
use crate::Refusal;
use crate::Role;
use crate::answer;
use crate::builtin;
use crate::cache::hex;
use crate::data;
use crate::data::Context;
use crate::data::Dialect;
use crate::data::Direction;
use crate::data::Event;
use crate::data::Level;
use crate::data::Message;
use crate::data::Plan;
use crate::lint;
use crate::lint::AsTheyAre;
use crate::lint::Assess;
use crate::lint::Memory;
use crate::plugin::Plugin;
use crate::plugin::Refused;
use crate::review;
use crate::review::Request;
use crate::review::Review;
use crate::review::StepFate;
use crate::review::refusal_verdict;
use crate::review::refused;
use crate::set::PluginDefinition;
use crate::set::Source;
use crate::verdict::Decision;
use crate::verdict::Outcome;
use crate::verdict::PluginIdentity;
use crate::verdict::Verdict;
use crate::verdict::printable;

/// The plugins of a set, loaded as far as a command needs them.
pub struct Policies {
    set: String,
    host: Host,
    facts: FactsSource,
    slots: Vec<Slot>,
}

enum Slot {
    Ready(Arc<Plugin>),
    Refused(Box<Refused>),
    /// A built-in plugin whose only role is `lint`: it is loaded when there is something to lint.
    Later(Box<PluginDefinition>, PluginIdentity),
    /// A plugin that can't be used, and whose only role is `notify`: it stops nothing.
    Mute(Box<Refused>),
}

impl Slot {
    /// Loads a plugin and asks who it is; `None` if it has none of the roles.
    async fn fill(host: &Host, definition: &PluginDefinition, roles: &[Role]) -> Option<Self> {
        let mut plugin = match Plugin::load(host, definition) {
            Ok(plugin) if !plugin.roles().iter().any(|role| roles.contains(role)) => return None,
            Ok(plugin) => plugin,
            Err(refused) => return Some(Slot::Refused(refused)),
        };
        let Err(refusal) = plugin.introduce().await else { return Some(Slot::Ready(Arc::new(plugin))) };
        let only_notifies = plugin.roles() == [Role::Notify];
        let refused = Box::new(Refused { definition: plugin.definition, identity: plugin.identity, refusal });
        Some(if only_notifies { Slot::Mute(refused) } else { Slot::Refused(refused) })
    }

    fn definition(&self) -> &PluginDefinition {
        match self {
            Slot::Ready(plugin) => &plugin.definition,
            Slot::Refused(refused) | Slot::Mute(refused) => &refused.definition,
            Slot::Later(definition, _) => definition,
        }
    }

    fn identity(&self) -> &PluginIdentity {
        match self {
            Slot::Ready(plugin) => &plugin.identity,
            Slot::Refused(refused) | Slot::Mute(refused) => &refused.identity,
            Slot::Later(_, identity) => identity,
        }
    }

    /// The same on a thread of its own.
    fn fill_aside(host: &Host, definition: &PluginDefinition, roles: &[Role]) -> JoinHandle<Option<Self>> {
        let runtime = tokio::runtime::Handle::current();
        let (host, definition, roles) = (host.clone(), definition.clone(), roles.to_vec());
        tokio::task::spawn_blocking(move || runtime.block_on(Self::fill(&host, &definition, &roles)))
    }
}

/// How the steps of a plan are linted.
#[derive(Clone, Copy)]
pub struct Linting<'a> {
    /// What the policies have said before.
    pub memory: &'a Memory,
    /// What becomes of their findings.
    pub assess: &'a dyn Assess,
}

/// What the environment turned out to be.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Canonical name; as configured if no plugin knows it.
    pub name: String,
    /// Its level.
    pub level: Option<u32>,
    /// Whether it is production. `None`: nobody knows.
    pub production: Option<bool>,
    /// The denial of an environment plugin that does not know it.
    pub refused: Option<Verdict>,
}

impl Identity {
    /// What a context already says.
    pub fn of(environment: &data::Environment) -> Self {
        Identity {
            name: environment.name.clone(),
            level: environment.level,
            production: environment.production,
            refused: None,
        }
    }

    /// A context with this environment.
    pub(crate) fn context(&self, context: &Context) -> Context {
        let environment = data::Environment { name: self.name.clone(), level: self.level, production: self.production };
        Context { environment, ..context.clone() }
    }
}

impl Policies {
    /// Loads the plugins of a set that have one of the roles, side by side. What can't be loaded is kept as a denial.
    pub async fn load(host: &Host, set: &PluginSet, roles: &[Role]) -> Self {
        let wanted: Vec<_> = set.plugins.iter().filter(|plugin| may_have(plugin, roles)).cloned().collect();
        let mut policies = Policies {
            set: set.name.clone(),
            host: host.clone(),
            facts: FactsSource::default(),
            slots: fill(host, &wanted, roles).await,
        };
        tracing::debug!("the policies are loaded");
        policies.refuse_second_environment();
        policies
    }

    /// The same without plugins that have nothing to say of a dialect. It leaves the built-in plugins that lint and do nothing
    /// else for [`prepare_lint`](Self::prepare_lint).
    pub async fn load_but_lint(host: &Host, set: &PluginSet, roles: &[Role], dialect: Dialect) -> Self {
        let waits = |definition: &PluginDefinition| match &definition.source {
            Source::Builtin(name) => {
                roles.contains(&Role::Lint)
                    && builtin::embedded(name).is_some_and(|embedded| embedded.roles == [Role::Lint.name()])
            }
            Source::File { .. } | Source::Oci(_) => false,
        };
        let speaking = set.plugins.iter().filter(|definition| builtin::speaks(definition, dialect));
        let (later, now): (Vec<_>, Vec<_>) = speaking.cloned().partition(waits);
        let mut policies = Policies::load(host, &PluginSet { name: set.name.clone(), plugins: now }, roles).await;
        let later = later.into_iter().map(|definition| {
            let identity = builtin_identity(&definition);
            Slot::Later(Box::new(definition), identity)
        });
        policies.slots.extend(later);
        let place = |slot: &Slot| set.plugins.iter().position(|plugin| plugin.name == slot.definition().name);
        policies.slots.sort_by_key(place);
        policies
    }

    /// Loads what was left for when there is something to lint.
    pub async fn prepare_lint(&mut self) {
        let later = self.slots.iter().filter_map(|slot| match slot {
            Slot::Later(definition, _) => Some(PluginDefinition::clone(definition)),
            _ => None,
        });
        let later: Vec<_> = later.collect();
        let mut filled = fill(&self.host, &later, &[Role::Lint]).await.into_iter();
        for slot in &mut self.slots {
            if matches!(slot, Slot::Later(..))
                && let Some(loaded) = filled.next()
            {
                *slot = loaded;
            }
        }
        let facts = self.facts.clone();
        self.offer_facts(&facts);
    }

    fn refuse_second_environment(&mut self) {
        let mut first: Option<String> = None;
        for slot in &mut self.slots {
            let Slot::Ready(plugin) = slot else { continue };
            if !plugin.policy.exports.has(Role::Environment) {
                continue;
            }
            match &first {
                None => first = Some(plugin.identity.name.clone()),
                Some(other) => {
                    let refused = Refused {
                        definition: plugin.definition.clone(),
                        identity: plugin.identity.clone(),
                        refusal: Refusal::SecondEnvironment { other: other.clone() },
                    };
                    *slot = Slot::Refused(Box::new(refused));
                }
            }
        }
    }

    /// Says where policies with the grant `facts` get them from. Before that there are none.
    pub fn offer_facts(&mut self, facts: &FactsSource) {
        self.facts = facts.clone();
        for slot in &self.slots {
            if let Slot::Ready(plugin) = slot {
                plugin.offer_facts(facts);
            }
        }
    }

    /// Name of the set.
    pub fn set(&self) -> &str {
        &self.set
    }

    /// The plugins that were loaded, as evidence for the ledger.
    pub fn identities(&self) -> Vec<PluginIdentity> {
        let loaded = self.slots.iter().filter(|slot| !matches!(slot, Slot::Later(..)));
        loaded.map(|slot| slot.identity().clone()).collect()
    }

    /// Whether any usable plugin has a role, or may turn out to have it.
    pub fn has(&self, role: Role) -> bool {
        let waits = role == Role::Lint && self.slots.iter().any(|slot| matches!(slot, Slot::Later(..)));
        waits || self.ready(role).next().is_some()
    }

    /// SHA-256 over names, settings and modes of all plugins of the set, as 64 hexadecimal digits.
    pub fn settings_hash(&self) -> String {
        use sha2::Digest as _;
        let mut hasher = sha2::Sha256::new();
        for slot in &self.slots {
            let definition = slot.definition();
            let settings = serde_json::Value::Object(definition.settings.clone());
            hasher.update(serde_json::json!([definition.name, settings, definition.mode]).to_string());
        }
        hex(&hasher.finalize())
    }

    /// What `plugin list` shows.
    pub fn reports(&self) -> Vec<PluginReport> {
        self.slots.iter().map(report).collect()
    }

    /// All environments.
    ///
    /// # Errors
    /// The denial of the environment plugin; `None` if the set has no such plugin.
    pub async fn levels(&self, context: &Context) -> Result<Vec<Level>, Option<Verdict>> {
        let Some(plugin) = self.ready(Role::Environment).next() else {
            return Err(self.refusals().next());
        };
        let answer = plugin
            .ask("environment.levels", context, "", async |exports, instance, store, context| {
                match &exports.environment {
                    Some(role) => role.load(&mut *store, instance)?.call_levels(&mut *store, context).await,
                    None => Ok(Ok(Vec::new())),
                }
            })
            .await
            .and_then(|levels| answer::levels(&levels).map(|()| levels));
        let mut levels = answer.map_err(|refusal| Some(refused(plugin, Role::Environment, &refusal)))?;
        for name in levels.iter_mut().flat_map(|level| std::iter::once(&mut level.name).chain(&mut level.aliases)) {
            *name = printable(name);
        }
        Ok(levels)
    }

    /// What the environment of the context is. A policy in audit mode is not obeyed, so its word counts only if it makes
    /// others stricter: that this is production.
    pub async fn identify(&self, context: &Context) -> Identity {
        let configured = &context.environment.name;
        let unknown = |refused| Identity { name: printable(configured), level: None, production: None, refused };
        let Some(plugin) = self.ready(Role::Environment).next() else {
            return unknown(None);
        };
        let answer = plugin
            .ask("environment.identify", context, "", async |exports, instance, store, context| {
                match &exports.environment {
                    Some(role) => {
                        let level = role.load(&mut *store, instance)?.call_identify(&mut *store, context).await?;
                        Ok(level.map(Some))
                    }
                    None => Ok(Ok(None)),
                }
            })
            .await
            .and_then(|level| level.as_ref().map_or(Ok(()), answer::level).map(|()| level));
        match answer {
            Ok(Some(level)) if plugin.definition.mode == Mode::Audit => Identity {
                level: level.production.then_some(level.level),
                production: level.production.then_some(true),
                ..unknown(None)
            },
            Ok(Some(level)) => Identity {
                name: printable(&level.name),
                level: Some(level.level),
                production: Some(level.production),
                refused: None,
            },
            Ok(None) => unknown(None),
            Err(refusal) => unknown(Some(refused(plugin, Role::Environment, &refusal))),
        }
    }

    /// Asks every policy about a plan whose hash does not depend on what is skipped; see [`review_as`](Self::review_as).
    pub async fn review(&self, request: Request, identity: &Identity) -> Review {
        let hash = request.plan.hash.clone();
        self.review_as(request, identity, |_| hash).await
    }

    /// Asks every policy about a plan: environment, lint, gate. If an environment policy has steps skipped, `plan_hash` gives
    /// the hash under which the others see the plan, so that an approval covers what will be done and no more.
    pub async fn review_as(
        &self,
        request: Request,
        identity: &Identity,
        plan_hash: impl FnOnce(&[StepFate]) -> String,
    ) -> Review {
        let linting = Linting { memory: &Memory::new(Cache::None, ""), assess: &AsTheyAre };
        self.review_in(&Role::ALL, request, identity, plan_hash, linting).await
    }

    /// The same, with what lint policies have said before, and with what becomes of their findings.
    pub async fn review_with(
        &self,
        request: Request,
        identity: &Identity,
        plan_hash: impl FnOnce(&[StepFate]) -> String,
        linting: Linting<'_>,
    ) -> Review {
        self.review_in(&Role::ALL, request, identity, plan_hash, linting).await
    }

    /// What environment policies make of the steps of a plan, without asking anybody else.
    pub async fn fates(&self, request: Request, identity: &Identity) -> Vec<StepFate> {
        let linting = Linting { memory: &Memory::new(Cache::None, ""), assess: &AsTheyAre };
        self.review_in(&[Role::Environment], request, identity, |_| String::new(), linting).await.steps
    }

    /// The same in some roles alone.
    pub(crate) async fn review_in(
        &self,
        roles: &[Role],
        mut request: Request,
        identity: &Identity,
        plan_hash: impl FnOnce(&[StepFate]) -> String,
        linting: Linting<'_>,
    ) -> Review {
        let ready = |role| self.ready(role).filter(move |_| roles.contains(&role));
        request.context = identity.context(&request.context);
        let mut answer = Review {
            outcome: Outcome::Allowed,
            plan_hash: String::new(),
            environment_enforced: false,
            steps: vec![StepFate::Run; request.plan.steps.len()],
            verdicts: self.refusals().collect(),
            locks: Vec::new(),
            notices: Vec::new(),
            prompts: Vec::new(),
        };
        if let Some(refused) = &identity.refused {
            answer.verdicts.push(refused.clone());
        } else {
            for plugin in ready(Role::Environment) {
                review::judge(plugin, &mut request, &mut answer).await;
                answer.environment_enforced |= plugin.definition.mode == Mode::Enforce;
            }
        }
        if answer.steps.iter().any(|fate| *fate != StepFate::Run) {
            request.plan.hash = plan_hash(&answer.steps);
        }
        answer.plan_hash.clone_from(&request.plan.hash);
        if roles.contains(&Role::Lint) {
            self.lint_plan(&mut request, linting, &mut answer).await;
        }
        for plugin in ready(Role::Gate) {
            review::gate(plugin, &request, &mut answer).await;
        }
        answer.outcome = match answer.verdicts.iter().map(|verdict| verdict.decision).max() {
            Some(Decision::Deny) => Outcome::Denied,
            Some(Decision::Confirm) => Outcome::Confirm,
            _ => Outcome::Allowed,
        };
        answer
    }

    /// Lints the steps that will run, and adds what remains of the findings.
    async fn lint_plan(&self, request: &mut Request, linting: Linting<'_>, review: &mut Review) {
        let sources = std::mem::take(&mut request.sources);
        let running = request.plan.steps.iter().filter(|step| !step.skipped);
        let running: HashMap<&str, Direction> =
            running.map(|step| (step.revision.id.as_str(), step.direction)).collect();
        let dialect = request.context.target.dialect;
        let mut subjects = lint::subjects(&sources, &request.lint, dialect, |id| running.get(id).copied());
        // What is skipped does no harm here, and where it runs it is looked at.
        subjects.retain(|subject| subject.planned.is_some() || request.plan.steps.is_empty());
        let is_asked = !subjects.is_empty();
        let Linting { memory, assess } = linting;
        let linted = self.lint(&request.context, &request.lint, subjects, memory, assess.wants_rules()).await;
        let findings = assess.assess(linted.findings, &linted.rules);
        for plugin in self.linting(dialect) {
            let is_its = |verdict: &Verdict| verdict.plugin == plugin.identity.name;
            let is_silent = !findings.iter().any(|finding| is_its(&finding.verdict));
            if is_asked && is_silent && !linted.refusals.iter().any(is_its) {
                review.verdicts.push(Verdict::new(&plugin.identity, Some(Role::Lint), Decision::Allow, "no findings"));
            }
            let findings = findings.iter().filter(|finding| is_its(&finding.verdict));
            let mode = plugin.definition.mode;
            review.verdicts.extend(findings.map(|finding| review::audited(finding.verdict.clone(), mode)));
        }
        // What the host itself has found.
        let plugins: Vec<&str> = self.linting(dialect).map(|plugin| plugin.identity.name.as_str()).collect();
        let others = findings.iter().filter(|finding| !plugins.contains(&finding.verdict.plugin.as_str()));
        review.verdicts.extend(others.map(|finding| finding.verdict.clone()));
        review.verdicts.extend(linted.refusals);
        review.locks = linted.locks;
        request.sources = sources;
    }

    /// Tells the notify policies of an event. Gives their messages, and as verdicts with `warn` what went wrong: this role
    /// fails open.
    pub async fn announce(&self, context: &Context, plan: &Plan, event: &Event) -> (Vec<Message>, Vec<Verdict>) {
        self.announce_except(&[], context, plan, event).await
    }

    /// The same without plugins of these names, so that one that fails each time does not take its time each time.
    pub async fn announce_except(
        &self,
        muted: &[String],
        context: &Context,
        plan: &Plan,
        event: &Event,
    ) -> (Vec<Message>, Vec<Verdict>) {
        let (mut messages, mut failed) = (Vec::new(), Vec::new());
        for plugin in self.ready(Role::Notify).filter(|plugin| !muted.contains(&plugin.identity.name)) {
            let answer = plugin
                .ask("notify.announce", context, &plan.hash, async |exports, instance, store, context| {
                    match &exports.notify {
                        Some(role) => {
                            role.load(&mut *store, instance)?.call_announce(&mut *store, context, plan, event).await
                        }
                        None => Ok(Ok(Vec::new())),
                    }
                })
                .await
                .and_then(|messages| answer::messages(&messages).map(|()| messages));
            match answer {
                Ok(worded) if plugin.definition.mode == Mode::Audit => {
                    for message in worded {
                        let (channel, title) = (printable(&message.channel), printable(&message.title));
                        tracing::info!("audit only, `{}` would tell `{channel}`: {title}", plugin.identity.name);
                    }
                }
                Ok(worded) => messages.extend(worded),
                Err(refusal) => {
                    let verdict = refused(plugin, Role::Notify, &refusal);
                    failed.push(Verdict { decision: Decision::Warn, ..verdict });
                }
            }
        }
        (messages, failed)
    }

    /// What is wrong with the notify policies that can't be used, as warnings.
    pub fn mute(&self) -> impl Iterator<Item = Verdict> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Mute(refused) => {
                let verdict = refusal_verdict(&refused.identity, refused.definition.mode, None, &refused.refusal);
                Some(Verdict { decision: Decision::Warn, ..verdict })
            }
            Slot::Ready(_) | Slot::Refused(_) | Slot::Later(..) => None,
        })
    }

    pub(crate) fn ready(&self, role: Role) -> impl Iterator<Item = &Arc<Plugin>> {
        self.slots.iter().filter_map(move |slot| match slot {
            Slot::Ready(plugin) if plugin.policy.exports.has(role) => Some(plugin),
            _ => None,
        })
    }

    /// A denial for every plugin that can't be used.
    pub fn refusals(&self) -> impl Iterator<Item = Verdict> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Refused(refused) => {
                Some(refusal_verdict(&refused.identity, refused.definition.mode, None, &refused.refusal))
            }
            Slot::Ready(_) | Slot::Mute(_) | Slot::Later(..) => None,
        })
    }
}

/// Loads plugins that have one of the roles, side by side.
async fn fill(host: &Host, definitions: &[PluginDefinition], roles: &[Role]) -> Vec<Slot> {
    let Some((own, others)) = definitions.split_first() else { return Vec::new() };
    let others: Vec<_> =
        others.iter().map(|definition| (definition, Slot::fill_aside(host, definition, roles))).collect();
    let mut slots = Vec::new();
    slots.extend(Slot::fill(host, own, roles).await);
    for (definition, slot) in others {
        slots.extend(slot.await.unwrap_or_else(|panicked| {
            let identity = PluginIdentity { name: definition.name.clone(), version: None, digest: None };
            let refusal = Refusal::Sandbox { reason: panicked.to_string() };
            Some(Slot::Refused(Box::new(Refused { definition: definition.clone(), identity, refusal })))
        }));
    }
    slots
}

/// What is known of a built-in plugin that is not loaded.
fn builtin_identity(definition: &PluginDefinition) -> PluginIdentity {
    let digest = match &definition.source {
        Source::Builtin(name) => builtin::embedded(name).map(|embedded| format!("sha256:{}", hex(&embedded.digest))),
        Source::File { .. } | Source::Oci(_) => None,
    };
    PluginIdentity { name: definition.name.clone(), version: None, digest }
}

/// Built-in plugins whose roles are known need not be loaded to see that they are not wanted.
fn may_have(definition: &PluginDefinition, roles: &[Role]) -> bool {
    match &definition.source {
        Source::Builtin(name) => builtin::embedded(name)
            .is_none_or(|embedded| roles.iter().any(|role| embedded.roles.contains(&role.name()))),
        Source::File { .. } | Source::Oci(_) => true,
    }
}

fn report(slot: &Slot) -> PluginReport {
    let (definition, identity) = (slot.definition(), slot.identity());
    let mut report = PluginReport {
        name: identity.name.clone(),
        version: identity.version.clone(),
        summary: None,
        source: definition.source.to_string(),
        digest: identity.digest.clone(),
        roles: Vec::new(),
        mode: definition.mode.to_string(),
        env: definition.grants.env.clone(),
        read: definition.grants.read.iter().map(|folder| folder.name.clone()).collect(),
        facts: definition.grants.facts,
        imports: Vec::new(),
        limits: definition.limits.clone(),
        cached: false,
        pinned: match &definition.trust.pin {
            Pin::Digest { digest, .. } => Some(digest.to_string()),
            Pin::None | Pin::Refused { .. } => None,
        },
        signed_by: None,
        error: None,
    };
    match slot {
        Slot::Ready(plugin) => {
            report.summary.clone_from(&plugin.summary);
            report.roles = plugin.roles();
            report.imports.clone_from(&plugin.policy.wants.names);
            report.cached = plugin.policy.cached;
            report.signed_by = plugin.signed_by.map(|key| key.to_string());
        }
        Slot::Refused(refused) => report.error = Some(printable(&refused.refusal.to_string())),
        Slot::Mute(refused) => {
            report.roles = vec![Role::Notify];
            report.error = Some(printable(&refused.refusal.to_string()));
        }
        Slot::Later(..) => report.roles = vec![Role::Lint],
    }
    report
}
