//! Tries one plugin out: asks it as a run would, and tells what it used.

use crate::AsTheyAre;
use crate::Cache;
use crate::FactsSource;
use crate::Host;
use crate::Linting;
use crate::Memory;
use crate::Mode;
use crate::PluginReport;
use crate::PluginSet;
use crate::Role;
use crate::consult::Identity;
use crate::consult::Policies;
use crate::data::Context;
use crate::data::Event;
use crate::data::Level;
use crate::data::Message;
use crate::data::Target;
use crate::meter::Call;
use crate::meter::Meter;
use crate::review::Request;
use crate::review::Review;
use crate::set::PluginDefinition;
use crate::verdict::Verdict;

/// One plugin, loaded to be tried out. It is asked by the code that asks in a run, and as if its mode were `enforce`.
/// A plugin that can't be loaded is no error here either: every answer then holds its denial.
pub struct Trial {
    policies: Policies,
    meter: Meter,
    loading: Vec<Call>,
}

/// What is asked in a trial.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// In which roles; those that the plugin lacks are left out.
    pub roles: &'a [Role],
    /// What the role `notify` is told; `None`: it is not asked.
    pub event: Option<&'a Event>,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the environment is: as the plugin says if it was asked in the role `environment`, else as the request has it.
    pub identity: Identity,
    /// Verdicts, notices, prompts and what becomes of the steps.
    pub review: Review,
    /// The messages of `notify`.
    pub messages: Vec<Message>,
    /// The calls, in their order.
    pub calls: Vec<Call>,
}

impl Trial {
    /// Loads a plugin and asks who it is.
    pub async fn load(host: &Host, definition: PluginDefinition) -> Self {
        let meter = Meter::default();
        let host = Host { meter: Some(meter.clone()), ..host.clone() };
        let definition = PluginDefinition { mode: Mode::Enforce, ..definition };
        let set = PluginSet { name: definition.name.clone(), plugins: vec![definition] };
        let policies = Policies::load(&host, &set, &Role::ALL).await;
        let loading = meter.take();
        Trial { policies, meter, loading }
    }

    /// Says where the plugin gets facts about the target from, if it is granted them. Before that there are none.
    pub fn offer_facts(&mut self, facts: &FactsSource) {
        self.policies.offer_facts(facts);
    }

    /// Who the plugin is, or why it can't be used.
    pub fn report(&self) -> Option<PluginReport> {
        self.policies.reports().pop()
    }

    /// Why the plugin can't be used, as a denial.
    pub fn refusal(&self) -> Option<Verdict> {
        self.policies.refusals().next()
    }

    /// Whether the plugin can be asked in a role.
    pub fn has(&self, role: Role) -> bool {
        self.policies.has(role)
    }

    /// The calls that were made when it was loaded.
    pub fn loading(&self) -> &[Call] {
        &self.loading
    }

    /// All environments that it knows, and the call.
    ///
    /// # Errors
    /// Its denial; `None` if it has no role `environment`.
    pub async fn levels(&self, context: &Context) -> Result<(Vec<Level>, Vec<Call>), Option<Verdict>> {
        let levels = self.policies.levels(context).await;
        let calls = self.meter.take();
        Ok((levels?, calls))
    }

    /// Asks about a plan and, if there is an event, about that.
    pub async fn ask(&self, request: Request, question: Question<'_>) -> Answer {
        let asked = |role| question.roles.contains(&role);
        let identity = if asked(Role::Environment) && self.has(Role::Environment) {
            // As in a run, where the target is not connected yet.
            let target = Target { server_version: String::new(), ..request.context.target.clone() };
            self.policies.identify(&Context { target, ..request.context.clone() }).await
        } else {
            Identity::of(&request.context.environment)
        };
        let told = question.event.filter(|_| asked(Role::Notify) && self.has(Role::Notify));
        let told = told.map(|event| (event, identity.context(&request.context), request.plan.clone()));
        let hash = request.plan.hash.clone();
        let linting = Linting { memory: &Memory::new(Cache::None, ""), assess: &AsTheyAre };
        let mut review = self.policies.review_in(question.roles, request, &identity, |_| hash, linting).await;
        let mut messages = Vec::new();
        if let Some((event, context, plan)) = told {
            let (worded, failed) = self.policies.announce(&context, &plan, event).await;
            messages = worded;
            review.verdicts.extend(failed);
        }
        Answer { identity, review, messages, calls: self.meter.take() }
    }
}
