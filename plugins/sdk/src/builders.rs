//! Builders for what a policy says.

use crate::Context;
use crate::Decision;
use crate::Description;
use crate::Failure;
use crate::Grant;
use crate::Need;
use crate::Reason;
use crate::Ruling;
use crate::StepDecision;
use crate::StepRuling;

impl Description {
    /// A description without needs and settings schema.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Description {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            needs: Vec::new(),
            settings_schema: String::new(),
        }
    }

    /// Adds a variable that the policy would like to see; it works without.
    #[must_use]
    pub fn wants_variable(mut self, name: &str, why: &str) -> Self {
        self.needs.push(Need { grant: Grant::Variable(name.to_owned()), required: false, why: why.to_owned() });
        self
    }

    /// States the JSON Schema of the settings.
    #[must_use]
    pub fn with_settings_schema(mut self, schema: &str) -> Self {
        schema.clone_into(&mut self.settings_schema);
        self
    }
}

impl Reason {
    /// A reason about the plan as a whole.
    pub fn new(rule: &str, message: impl Into<String>) -> Self {
        Reason { rule: Some(rule.to_owned()), revision: None, message: message.into(), help: None }
    }

    /// Says which revision it is about.
    #[must_use]
    pub fn about(mut self, revision: &str) -> Self {
        self.revision = Some(revision.to_owned());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Ruling {
    /// Go ahead.
    pub fn allow() -> Self {
        Ruling { decision: Decision::Allow, reasons: Vec::new(), notices: Vec::new() }
    }

    /// Refuse, for a reason about the plan as a whole.
    pub fn deny(rule: &str, message: impl Into<String>) -> Self {
        Ruling { decision: Decision::Deny, reasons: vec![Reason::new(rule, message)], notices: Vec::new() }
    }

    /// Ask first.
    pub fn confirm(prompt: impl Into<String>) -> Self {
        Ruling { decision: Decision::Confirm(prompt.into()), reasons: Vec::new(), notices: Vec::new() }
    }

    /// Adds a reason.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Adds a line for the banner.
    #[must_use]
    pub fn notice(mut self, notice: impl Into<String>) -> Self {
        self.notices.push(notice.into());
        self
    }
}

impl StepRuling {
    /// The step runs.
    pub fn allow(revision: &str) -> Self {
        StepRuling { revision: revision.to_owned(), decision: StepDecision::Allow, reason: None }
    }

    /// Another decision, with its reason.
    pub fn new(decision: StepDecision, reason: Reason, revision: &str) -> Self {
        StepRuling { revision: revision.to_owned(), decision, reason: Some(reason.about(revision)) }
    }
}

impl Failure {
    /// The policy can't decide.
    pub fn new(message: impl Into<String>) -> Self {
        Failure { message: message.into(), help: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Context {
    /// The value of a granted variable, if it is set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|variable| variable.name == name).map(|variable| variable.value.as_str())
    }
}
