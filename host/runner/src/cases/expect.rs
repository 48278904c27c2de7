//! What a case expects, as its file writes it. What is not written is not compared.

use runner_policy::Decision;
use runner_policy::Outcome;
use runner_policy::Role;
use runner_policy::Severity;
use serde::Deserialize;

use super::text_or::TextOr;

/// `[expect]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Expect {
    pub(super) outcome: Option<Outcome>,
    pub(super) verdicts: Option<Vec<ExpectedVerdict>>,
    pub(super) notices: Option<Vec<String>>,
    pub(super) prompts: Option<Vec<String>>,
    pub(super) steps: Option<Vec<Fate>>,
    pub(super) environment: Option<ExpectedEnvironment>,
    pub(super) messages: Option<Vec<ExpectedMessage>>,
    pub(super) refusal: Option<TextOr<ExpectedRefusal>>,
    pub(super) fuel_at_most: Option<u64>,
}

impl Expect {
    /// Whether any answer would do.
    pub(super) fn is_vacuous(&self) -> bool {
        self.outcome.is_none()
            && self.verdicts.is_none()
            && self.notices.is_none()
            && self.prompts.is_none()
            && self.steps.is_none()
            && self.environment.is_none()
            && self.messages.is_none()
            && self.refusal.is_none()
    }

    /// The refusal that is expected.
    pub(super) fn refusal(&self) -> Option<ExpectedRefusal> {
        self.refusal.as_ref().map(|refusal| match refusal {
            TextOr::Text(rule) => ExpectedRefusal { rule: Some(rule.clone()), ..ExpectedRefusal::default() },
            TextOr::Table(table) => table.clone(),
        })
    }
}

/// An entry of `verdicts`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ExpectedVerdict {
    pub(super) decision: Option<Decision>,
    pub(super) role: Option<Role>,
    pub(super) rule: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) severity: Option<Severity>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) message: Option<String>,
    pub(super) message_contains: Option<String>,
    pub(super) help_contains: Option<String>,
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fate {
    Run,
    Skip,
}

impl Fate {
    pub(super) fn name(self) -> &'static str {
        match self {
            Fate::Run => "run",
            Fate::Skip => "skip",
        }
    }
}

/// `environment`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ExpectedEnvironment {
    pub(super) name: Option<String>,
    pub(super) level: Option<u32>,
    pub(super) production: Option<bool>,
}

/// An entry of `messages`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ExpectedMessage {
    pub(super) channel: Option<String>,
    pub(super) severity: Option<Severity>,
    pub(super) title: Option<String>,
    pub(super) text: Option<String>,
    pub(super) text_contains: Option<String>,
    pub(super) fields: Option<Vec<Field>>,
}

/// A field of a message.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
}

/// `refusal`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ExpectedRefusal {
    pub(super) rule: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) message_contains: Option<String>,
}
