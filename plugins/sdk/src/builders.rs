//! Builders for what a policy says.

use crate::Context;
use crate::Decision;
use crate::Description;
use crate::Failure;
use crate::Field;
use crate::Finding;
use crate::Grant;
use crate::Level;
use crate::Message;
use crate::Need;
use crate::Reason;
use crate::Rule;
use crate::Ruling;
use crate::SettingProblem;
use crate::Severity;
use crate::Source;
use crate::Statement;
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

    /// Adds a grant that the policy would like to have; it works without.
    #[must_use]
    pub fn wants(mut self, grant: Grant, why: &str) -> Self {
        self.needs.push(Need { grant, required: false, why: why.to_owned() });
        self
    }

    /// Adds a grant without which the policy can't do its work: the host then refuses to load it, and says which line to add.
    #[must_use]
    pub fn requires(mut self, grant: Grant, why: &str) -> Self {
        self.needs.push(Need { grant, required: true, why: why.to_owned() });
        self
    }

    /// Adds a variable that the policy would like to see; it works without.
    #[must_use]
    pub fn wants_variable(self, name: &str, why: &str) -> Self {
        self.wants(Grant::Variable(name.to_owned()), why)
    }

    /// States the JSON Schema of the settings, made from their type. What is written above fields becomes their description,
    /// what `serde` knows of them (names, defaults, unknown keys) is part of it.
    ///
    /// The code that makes the schema adds about 55 KB to the component. Where that matters, keep the schema as a text for
    /// [`with_settings_schema`](Self::with_settings_schema), and compare the two in a unit test with
    /// `testing::assert_schema`.
    #[must_use]
    pub fn with_settings<Settings: schemars::JsonSchema>(self) -> Self {
        let schema = settings_schema::<Settings>();
        self.with_settings_schema(&schema)
    }

    /// States the JSON Schema of the settings.
    #[must_use]
    pub fn with_settings_schema(mut self, schema: &str) -> Self {
        schema.clone_into(&mut self.settings_schema);
        self
    }
}

/// The JSON Schema (draft 2020-12) of a type of settings, as indented JSON.
pub fn settings_schema<Settings: schemars::JsonSchema>() -> String {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<Settings>();
    format!("{:#}", schema.as_value())
}

impl SettingProblem {
    /// Something that is wrong with the setting at `path`, as in `windows[2].from`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        SettingProblem { path: path.into(), message: message.into() }
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

impl Level {
    /// An environment that is not production.
    pub fn new(name: &str, level: u32) -> Self {
        Level { name: name.to_owned(), level, production: false, aliases: Vec::new() }
    }

    /// Says that changes here are changes to production.
    #[must_use]
    pub fn production(mut self) -> Self {
        self.production = true;
        self
    }

    /// Adds another name.
    #[must_use]
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.to_owned());
        self
    }
}

impl Rule {
    /// A lint rule. `name` is lower-case with dashes, `summary` one sentence.
    pub fn new(name: &str, severity: Severity, summary: &str) -> Self {
        Rule { name: name.to_owned(), severity, summary: summary.to_owned(), explanation: String::new() }
    }

    /// Adds a longer text in Markdown: why, an example, the safe way.
    #[must_use]
    pub fn explained(mut self, explanation: &str) -> Self {
        explanation.clone_into(&mut self.explanation);
        self
    }

    /// A finding of this rule, about the whole file until [`Finding::at`] or [`Finding::at_place`] says where.
    pub fn finding(&self, source: &Source, message: impl Into<String>) -> Finding {
        Finding::new(&self.name, self.severity, source, message)
    }
}

impl Finding {
    /// A finding about a file as a whole. `rule` is the name of one of the policy's rules.
    pub fn new(rule: &str, severity: Severity, source: &Source, message: impl Into<String>) -> Self {
        Finding {
            rule: rule.to_owned(),
            severity,
            revision: source.revision.id.clone(),
            message: message.into(),
            line: None,
            column: None,
            help: None,
        }
    }

    /// Says that it is about a statement.
    #[must_use]
    pub fn at(self, statement: &Statement) -> Self {
        self.at_place(statement.line, statement.column)
    }

    /// Says where: line and column of the file, both from 1, the column in characters.
    #[must_use]
    pub fn at_place(mut self, line: u32, column: u32) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Message {
    /// A message for a channel, as in `Message::new("deployments", Severity::Info, "Applied 3 revisions")`.
    pub fn new(channel: &str, severity: Severity, title: impl Into<String>) -> Self {
        Message { channel: channel.to_owned(), severity, title: title.into(), text: String::new(), fields: Vec::new() }
    }

    /// Adds the text below the title.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Adds a name and a value.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push(Field { name: name.to_owned(), value: value.into() });
        self
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
