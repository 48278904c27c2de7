//! Asks one plugin about a plan in one role, and turns its answer into verdicts.

use serde::Deserialize;
use serde::Serialize;

use crate::LintMatter;
use crate::LockForecast;
use crate::Mode;
use crate::Refusal;
use crate::Role;
use crate::answer;
use crate::data;
use crate::data::AppliedRevision;
use crate::data::Context;
use crate::data::GateDecision;
use crate::data::LintSource;
use crate::data::Plan;
use crate::data::Reason;
use crate::data::StepDecision;
use crate::plugin::Plugin;
use crate::verdict::Decision;
use crate::verdict::Outcome;
use crate::verdict::PluginIdentity;
use crate::verdict::Verdict;
use crate::verdict::printable;

/// What the policies are asked about. Its serialised form is the recorded request, which holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The situation. Environment, settings and variables are filled in for each plugin.
    pub context: Context,
    /// The plan.
    pub plan: Plan,
    /// What is applied.
    pub applied: Vec<AppliedRevision>,
    /// What lint policies read.
    pub sources: Vec<LintSource>,
    /// What they are told besides.
    #[serde(default)]
    pub lint: LintMatter,
}

/// What becomes of a step of an allowed plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepFate {
    /// Its SQL runs.
    Run,
    /// Its SQL does not run; it is recorded as skipped.
    Skip {
        /// Which plugin says so.
        plugin: String,
        /// Why.
        reason: String,
    },
}

/// A line for the banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who says it.
    pub plugin: String,
    /// What.
    pub text: String,
}

/// A question for the person at the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Who asks.
    pub plugin: String,
    /// What.
    pub text: String,
}

/// What all policies together say.
#[derive(Clone, Debug)]
pub struct Review {
    /// May the plan run?
    pub outcome: Outcome,
    /// The hash of the plan as the gates saw it.
    pub plan_hash: String,
    /// Whether a policy that is obeyed has decided in which environments the steps may run.
    pub environment_enforced: bool,
    /// One for every step of the plan.
    pub steps: Vec<StepFate>,
    /// Every reason, in the order in which the policies were asked.
    pub verdicts: Vec<Verdict>,
    /// Locks that the steps will take, as far as a lint policy says so.
    pub locks: Vec<LockForecast>,
    /// For the banner.
    pub notices: Vec<Notice>,
    /// To be answered before the plan runs.
    pub prompts: Vec<Prompt>,
}

pub(crate) fn refused(plugin: &Plugin, role: Role, refusal: &Refusal) -> Verdict {
    refusal_verdict(&plugin.identity, plugin.definition.mode, Some(role), refusal)
}

pub(crate) fn refusal_verdict(identity: &PluginIdentity, mode: Mode, role: Option<Role>, refusal: &Refusal) -> Verdict {
    let message = match refusal {
        Refusal::Failure(failure) => failure.message.clone(),
        _ => format!("the plugin {refusal}"),
    };
    let mut verdict = Verdict::new(identity, role, Decision::Deny, &message);
    verdict.refusal = true;
    verdict.rule = Some(refusal.rule().to_owned());
    verdict.help = refusal.help(&identity.name).as_deref().map(printable);
    if refusal.is_distrust() { verdict } else { audited(verdict, mode) }
}

/// In audit mode a plugin is heard and not obeyed.
pub(crate) fn audited(mut verdict: Verdict, mode: Mode) -> Verdict {
    if mode == Mode::Audit && verdict.decision > Decision::Warn {
        verdict.message = format!("audit only, would {}: {}", verdict.decision.name(), verdict.message);
        verdict.decision = Decision::Warn;
    }
    verdict
}

/// A verdict with the plugin's reason. Everything in it is foreign text.
fn reasoned(plugin: &Plugin, role: Role, decision: Decision, reason: &Reason) -> Verdict {
    let mut verdict = Verdict::new(&plugin.identity, Some(role), decision, &reason.message);
    verdict.revision.clone_from(&reason.revision);
    verdict.rule = reason.rule.as_deref().map(printable);
    verdict.help = reason.help.as_deref().map(printable);
    audited(verdict, plugin.definition.mode)
}

pub(crate) async fn judge(plugin: &Plugin, request: &mut Request, review: &mut Review) {
    let answer = plugin
        .ask("environment.judge", &request.context, &request.plan.hash, async |exports, instance, store, context| {
            match &exports.environment {
                Some(role) => {
                    let environment = role.load(&mut *store, instance)?;
                    environment.call_judge(&mut *store, context, &request.plan, &request.applied).await
                }
                None => Ok(Err(data::Failure { message: "it has no such role".to_owned(), help: None })),
            }
        })
        .await
        .and_then(|judgement| answer::judgement(&judgement, &request.plan, &request.applied).map(|()| judgement));
    let judgement = match answer {
        Ok(judgement) => judgement,
        Err(refusal) => return review.verdicts.push(refused(plugin, Role::Environment, &refusal)),
    };
    let environment = &request.context.environment;
    let here = match environment.level {
        Some(level) => format!("{} (level {level})", environment.name),
        None => environment.name.clone(),
    };
    let role = Role::Environment;
    review.verdicts.push(Verdict::new(&plugin.identity, Some(role), Decision::Allow, &here));
    for (index, ruling) in judgement.steps.iter().enumerate() {
        let decision = match ruling.decision {
            StepDecision::Allow => continue,
            StepDecision::Warn => Decision::Warn,
            StepDecision::Skip => Decision::Skip,
            StepDecision::Deny => Decision::Deny,
        };
        let silent = || Reason { rule: None, revision: None, message: "gives no reason".to_owned(), help: None };
        let reason = ruling.reason.clone().unwrap_or_else(silent);
        let verdict = reasoned(plugin, role, decision, &Reason { revision: Some(ruling.revision.clone()), ..reason });
        if verdict.decision == Decision::Skip {
            review.steps[index] = StepFate::Skip { plugin: verdict.plugin.clone(), reason: verdict.message.clone() };
            request.plan.steps[index].skipped = true;
        }
        review.verdicts.push(verdict);
    }
    let remarks = judgement.remarks.iter().map(|remark| reasoned(plugin, role, Decision::Warn, remark));
    review.verdicts.extend(remarks);
}

pub(crate) async fn gate(plugin: &Plugin, request: &Request, review: &mut Review) {
    let answer = plugin
        .ask("gate.review", &request.context, &request.plan.hash, async |exports, instance, store, context| {
            match &exports.gate {
                Some(role) => role.load(&mut *store, instance)?.call_review(&mut *store, context, &request.plan).await,
                None => Ok(Err(data::Failure { message: "it has no such role".to_owned(), help: None })),
            }
        })
        .await
        .and_then(|ruling| answer::ruling(&ruling, &request.plan).map(|()| ruling));
    let ruling = match answer {
        Ok(ruling) => ruling,
        Err(refusal) => return review.verdicts.push(refused(plugin, Role::Gate, &refusal)),
    };
    let name = &plugin.identity.name;
    review.notices.extend(ruling.notices.iter().map(|text| Notice { plugin: name.clone(), text: printable(text) }));
    let (decision, unexplained) = match &ruling.decision {
        GateDecision::Allow => (Decision::Allow, String::new()),
        GateDecision::Confirm(prompt) => (Decision::Confirm, prompt.clone()),
        GateDecision::Deny => (Decision::Deny, "denies without a reason".to_owned()),
    };
    if decision == Decision::Confirm && plugin.definition.mode == Mode::Enforce {
        review.prompts.push(Prompt { plugin: name.clone(), text: printable(&unexplained) });
    }
    if ruling.reasons.is_empty() || decision == Decision::Confirm {
        let reason = Reason { rule: None, revision: None, message: unexplained, help: None };
        review.verdicts.push(reasoned(plugin, Role::Gate, decision, &reason));
    }
    let heard = if decision == Decision::Confirm { Decision::Warn } else { decision };
    review.verdicts.extend(ruling.reasons.iter().map(|reason| reasoned(plugin, Role::Gate, heard, reason)));
}
