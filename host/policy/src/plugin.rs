//! One configured plugin: loaded, asked who it is, and callable in its roles.

mod sitting;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::OnceCell;
use wasmtime::Store;
use wasmtime::component::Instance;

pub(crate) use self::sitting::Sitting;
use crate::FactsSource;
use crate::Host;
use crate::Limits;
use crate::PluginDefinition;
use crate::PublicKey;
use crate::Refusal;
use crate::Role;
use crate::answer;
use crate::cache::hex;
use crate::component::Bytes;
use crate::component::Exports;
use crate::component::Policy;
use crate::component::misshapen;
use crate::data::Context;
use crate::data::Description;
use crate::data::Failure;
use crate::data::Grant;
use crate::data::RevisionRule;
use crate::data::Timestamp;
use crate::data::Variable;
use crate::engine::engine;
use crate::grants::Missing;
use crate::meter::Meter;
use crate::sandbox::Circumstances;
use crate::sandbox::Guest;
use crate::sandbox::call;
use crate::verdict::PluginIdentity;
use crate::verdict::printable;

/// Both in one instance.
const INTRODUCTION: &str = "plugin.describe, plugin.check-settings";

/// A plugin as `plugin list` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct PluginReport {
    /// The operator's name for it.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its own sentence about itself.
    pub summary: Option<String>,
    /// Where it comes from.
    pub source: String,
    /// SHA-256 of the component, as `sha256:…`.
    pub digest: Option<String>,
    /// What it can be asked.
    pub roles: Vec<Role>,
    /// `enforce` or `audit`.
    pub mode: String,
    /// Variables that it may see.
    pub env: Vec<String>,
    /// Folders that it may read.
    pub read: Vec<String>,
    /// Whether it may have facts about the target.
    pub facts: bool,
    /// What it imports beyond the log.
    pub imports: Vec<String>,
    /// What it may use.
    pub limits: Limits,
    /// Whether its native code was in the cache.
    pub cached: bool,
    /// The digest that a lock file pins it to.
    pub pinned: Option<String>,
    /// The trusted key that has signed it. `None`: it is not signed, or no key is configured, so that nobody has looked.
    pub signed_by: Option<String>,
    /// Why it can't be used.
    pub error: Option<String>,
}

/// A plugin whose component could be loaded.
pub(crate) struct Plugin {
    pub(crate) definition: PluginDefinition,
    pub(crate) identity: PluginIdentity,
    pub(crate) policy: Policy,
    pub(crate) summary: Option<String>,
    /// Where its facts come from, if it is granted any.
    facts: Mutex<FactsSource>,
    pub(crate) rules: OnceCell<Vec<RevisionRule>>,
    pub(crate) signed_by: Option<PublicKey>,
    settings: String,
    variables: Vec<Variable>,
    meter: Option<Meter>,
}

/// A plugin that can't be used.
pub(crate) struct Refused {
    pub(crate) definition: PluginDefinition,
    /// As complete as it got.
    pub(crate) identity: PluginIdentity,
    pub(crate) refusal: Refusal,
}

/// A plugin's own "I can't decide".
fn undecided(mut failure: Failure) -> Refusal {
    if let Err(refusal) = answer::failure(&failure) {
        return refusal;
    }
    failure.message = printable(&failure.message);
    failure.help = failure.help.as_deref().map(printable);
    Refusal::Failure(failure)
}

/// The variables that a plugin is granted and that are set.
fn variables(host: &Host, definition: &PluginDefinition) -> Result<Vec<Variable>, Refusal> {
    let mut names = definition.grants.env.clone();
    names.sort();
    names.dedup();
    let mut variables = Vec::new();
    for name in names {
        let value = (host.variables)(&name).map_err(|_| Refusal::Grant {
            what: format!("is granted the variable `{}`, which is not UTF-8 text", printable(&name)),
            help: "set it anew, or unset it".to_owned(),
        })?;
        variables.extend(value.map(|value| Variable { name, value }));
    }
    Ok(variables)
}

impl Plugin {
    /// Loads the component.
    pub(crate) fn load(host: &Host, definition: &PluginDefinition) -> Result<Self, Box<Refused>> {
        let mut identity = PluginIdentity { name: definition.name.clone(), version: None, digest: None };
        let loaded = Self::try_load(host, definition, &mut identity);
        match loaded.and_then(|loaded| Ok((loaded, variables(host, definition)?))) {
            Ok(((policy, signed_by), variables)) => {
                let settings = serde_json::Value::Object(definition.settings.clone()).to_string();
                Ok(Plugin {
                    definition: definition.clone(),
                    identity,
                    policy,
                    summary: None,
                    signed_by,
                    facts: Mutex::default(),
                    rules: OnceCell::new(),
                    settings,
                    variables,
                    meter: host.meter.clone(),
                })
            }
            Err(refusal) => Err(Box::new(Refused { definition: definition.clone(), identity, refusal })),
        }
    }

    fn try_load(
        host: &Host,
        definition: &PluginDefinition,
        identity: &mut PluginIdentity,
    ) -> Result<(Policy, Option<PublicKey>), Refusal> {
        definition.trust.admit()?;
        let bytes = Bytes::read(&definition.source)?;
        identity.digest = Some(format!("sha256:{}", hex(&bytes.digest)));
        let signed_by = definition.trust.check(&definition.source, &bytes)?;
        let engine = engine(definition.limits.stack).map_err(|reason| Refusal::Sandbox { reason })?;
        Ok((Policy::new(engine, &host.cache, &bytes, definition)?, signed_by))
    }

    /// Asks the plugin who it is, and whether its settings and grants will do.
    pub(crate) async fn introduce(&mut self) -> Result<(), Refusal> {
        let settings = self.settings.clone();
        let (description, checked) = self
            .call(INTRODUCTION, Timestamp { seconds: 0, nanoseconds: 0 }, "", async |exports, instance, store| {
                if let Err((interface, error)) = exports.check(&mut *store, instance) {
                    return Ok(Err(misshapen(interface, &error)));
                }
                let plugin = exports.plugin.load(&mut *store, instance)?;
                let description = plugin.call_describe(&mut *store).await?;
                let checked = plugin.call_check_settings(&mut *store, &settings).await?;
                Ok(Ok((description, checked)))
            })
            .await??;
        answer::description(&description)?;
        self.identity.version = Some(printable(&description.version));
        self.summary = Some(printable(&description.summary));
        if let Err(problems) = checked {
            answer::settings(&problems)?;
            return Err(Refusal::Settings(problems));
        }
        self.check_needs(&description)
    }

    fn check_needs(&self, description: &Description) -> Result<(), Refusal> {
        let grants = &self.definition.grants;
        for need in description.needs.iter().filter(|need| need.required) {
            let (what, missing, given) = match &need.grant {
                Grant::Variable(name) => {
                    (format!("the variable `{name}`"), Missing::Variable(name), grants.env.contains(name))
                }
                Grant::Folder(what) => (format!("a folder with {what}"), Missing::Folder, !grants.read.is_empty()),
                Grant::Facts => ("facts about the target".to_owned(), Missing::Facts, grants.facts),
            };
            if !given {
                return Err(Refusal::Grant {
                    what: printable(&format!("needs {what}, which is not granted: {}", need.why)),
                    help: grants.help_with(missing, &self.definition.name),
                });
            }
        }
        Ok(())
    }

    fn circumstances<'a>(
        &'a self,
        function: &'static str,
        now: Timestamp,
        seed: &'a str,
        facts: &'a FactsSource,
    ) -> Circumstances<'a> {
        Circumstances {
            plugin: &self.definition.name,
            function,
            meter: self.meter.as_ref(),
            limits: &self.definition.limits,
            grants: &self.definition.grants,
            variables: &self.variables,
            facts,
            now,
            seed,
            wants: &self.policy.wants,
        }
    }

    /// Runs one call in a fresh instance.
    async fn call<T, Call>(&self, name: &'static str, now: Timestamp, seed: &str, function: Call) -> Result<T, Refusal>
    where
        Call: AsyncFnOnce(&Exports, &Instance, &mut Store<Guest>) -> wasmtime::Result<T>,
    {
        let facts = self.facts();
        let circumstances = self.circumstances(name, now, seed, &facts);
        call(self.policy.instance.engine(), &circumstances, async |store| {
            let instance = self.instantiate(store).await?;
            function(&self.policy.exports, &instance, store).await
        })
        .await
    }

    async fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Instance> {
        let began = Instant::now();
        let instance = self.policy.instance.instantiate_async(&mut *store).await?;
        store.data_mut().instantiated(began.elapsed());
        Ok(instance)
    }

    /// Asks in a role, by the function `name`: the context completed with this plugin's settings and variables, a fresh instance, and the plugin's
    /// own "I can't decide" turned into a refusal.
    pub(crate) async fn ask<T, Ask>(
        &self,
        name: &'static str,
        context: &Context,
        seed: &str,
        ask: Ask,
    ) -> Result<T, Refusal>
    where
        Ask: AsyncFnOnce(&Exports, &Instance, &mut Store<Guest>, &Context) -> wasmtime::Result<Result<T, Failure>>,
    {
        let context = Context { settings: self.settings.clone(), variables: self.variables.clone(), ..context.clone() };
        self.question(name, context.now, seed, async |exports, instance, store| {
            ask(exports, instance, store, &context).await
        })
        .await
    }

    /// Asks something that has no context, with the plugin's own "I can't decide" turned into a refusal.
    pub(crate) async fn question<T, Ask>(
        &self,
        name: &'static str,
        now: Timestamp,
        seed: &str,
        ask: Ask,
    ) -> Result<T, Refusal>
    where
        Ask: AsyncFnOnce(&Exports, &Instance, &mut Store<Guest>) -> wasmtime::Result<Result<T, Failure>>,
    {
        self.call(name, now, seed, ask).await?.map_err(undecided)
    }

    /// Where its facts come from.
    pub(crate) fn facts(&self) -> FactsSource {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn offer_facts(&self, facts: &FactsSource) {
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = facts.clone();
    }

    /// Its settings, a JSON object.
    pub(crate) fn settings(&self) -> &str {
        &self.settings
    }

    /// The variables that it is granted and that are set.
    pub(crate) fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Roles, in the order in which they are asked.
    pub(crate) fn roles(&self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.policy.exports.has(*role)).collect()
    }
}
