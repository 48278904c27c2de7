//! Asks a policy what a case asks.

use std::collections::BTreeMap;

use runner_policy::Answer;
use runner_policy::FactsSource;
use runner_policy::Grants;
use runner_policy::Host;
use runner_policy::Identity;
use runner_policy::PluginDefinition;
use runner_policy::PluginReport;
use runner_policy::PluginSet;
use runner_policy::Policies;
use runner_policy::Question;
use runner_policy::ReadGrant;
use runner_policy::Request;
use runner_policy::Role;
use runner_policy::Trial;
use runner_policy::builtin_definition;
use runner_policy::data;

use super::Case;
use super::Difference;
use super::answers;
use super::plan;
use crate::config::settings_from_toml;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::recorded::Recorded;

/// What came of a case.
pub(crate) struct Ran {
    /// What the policy says.
    pub(crate) answer: Answer,
    /// In what that differs from what is expected.
    pub(crate) differences: Vec<Difference>,
    /// Who was asked.
    pub(crate) report: Option<PluginReport>,
}

impl Ran {
    /// Fuel of all questions together.
    pub(crate) fn fuel(&self) -> u64 {
        self.answer.calls.iter().map(|call| call.fuel).sum()
    }
}

/// Asks the plugin what a case asks, and compares.
///
/// # Errors
/// The case itself is wrong. Whatever is wrong with the plugin is a difference.
pub(crate) async fn run(host: &Host, plugin: &PluginDefinition, case: &Case) -> Result<Ran> {
    let written = &case.written;
    let Recorded { request, facts } = plan::recorded_of(case)?;
    let host = host_of(host, written.variables.clone().unwrap_or_default());
    let mut definition = definition(plugin, case)?;
    definition.grants.facts |= facts.is_some();
    let mut trial = Trial::load(&host, definition).await;
    if let Some(facts) = facts {
        trial.offer_facts(&FactsSource::given(facts));
    }
    if let Some(named) = &written.roles {
        has_roles(&trial, named).map_err(|error| case.wrong(error.to_string()))?;
    }
    let roles = written.roles.clone().unwrap_or_else(|| Role::ALL.to_vec());
    let says_itself = trial.has(Role::Environment) && roles.contains(&Role::Environment);
    let request = if plan::is_named_only(written) && !says_itself { identified(&host, request).await } else { request };
    let event = written.event.as_ref().map(super::file::Event::data);
    let answer = trial.ask(request, Question { roles: &roles, event: event.as_ref() }).await;
    let differences = answers::compare(&case.expect, &answer);
    Ok(Ran { answer, differences, report: trial.report() })
}

/// Whoever names a role wants it asked: a plugin that does not have it says nothing, which looks like "allowed".
///
/// # Errors
/// The plugin can be used, and lacks one of them.
pub(crate) fn has_roles(trial: &Trial, named: &[Role]) -> Result<()> {
    let Some(report) = trial.report().filter(|report| report.error.is_none()) else { return Ok(()) };
    let Some(lacking) = named.iter().find(|role| !trial.has(**role)) else { return Ok(()) };
    let roles: Vec<&str> = report.roles.iter().map(|role| role.name()).collect();
    let message = format!("the plugin has no role `{lacking}`, so it would not be asked; it has {}", roles.join(", "));
    Err(Error::new(ErrorKind::Usage, message))
}

/// A host in which nothing of this machine is seen but the cache.
fn host_of(host: &Host, variables: BTreeMap<String, String>) -> Host {
    host.clone().with_variables(move |name| variables.get(name).cloned())
}

/// The plugin as the case gives it settings, grants and limits.
fn definition(plugin: &PluginDefinition, case: &Case) -> Result<PluginDefinition> {
    let written = &case.written;
    let mut definition = plugin.clone();
    if let Some(settings) = &written.settings {
        definition.settings = settings_from_toml(settings.clone());
    }
    if let Some(limits) = &written.limits {
        definition.limits = limits.clone();
    }
    let variables = written.variables.iter().flat_map(BTreeMap::keys).cloned();
    let granted = written.granted.iter().flatten().cloned();
    let env: Vec<String> = variables.chain(granted).collect();
    // What a policy asks for and what it is given must be told apart, so a case grants what it names and nothing else. A
    // built-in policy, or one of `runner.toml`, keeps what it is made for.
    definition.grants.env.extend(env);
    if let Some(folders) = &written.read {
        let folder = |name: &String| ReadGrant { path: case.folder.join(name), name: name.clone() };
        definition.grants = Grants { read: folders.iter().map(folder).collect(), ..definition.grants };
    }
    Ok(definition)
}

/// The request with what the built-in environment policy says of the environment, as in a run.
async fn identified(host: &Host, request: Request) -> Request {
    let Some(hierarchy) = builtin_definition("environment-hierarchy") else { return request };
    let set = PluginSet { name: "cases".to_owned(), plugins: vec![hierarchy] };
    let policies = Policies::load(host, &set, &[Role::Environment]).await;
    let bare = data::Context { variables: Vec::new(), ..request.context.clone() };
    let identity = policies.identify(&bare).await;
    let known = if identity.refused.is_some() { Identity::of(&request.context.environment) } else { identity };
    plan::identified(request, &known)
}
