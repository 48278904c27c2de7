//! Compares what a policy says with what a case expects, and shows both in the words of case files.

use runner_policy::Answer;
use runner_policy::Decision;
use runner_policy::Outcome;
use runner_policy::Role;
use runner_policy::Severity;
use runner_policy::StepFate;
use runner_policy::Verdict;
use runner_policy::data;

use super::difference::Difference;
use super::difference::lists;
use super::expect::Expect;
use super::expect::ExpectedMessage;
use super::expect::ExpectedRefusal;
use super::expect::ExpectedVerdict;
use super::expect::Fate;

/// The verdicts that a case can expect: those that say more than that the plugin allows, and are its own.
pub(super) fn verdicts(answer: &Answer) -> Vec<&Verdict> {
    let verdicts = answer.review.verdicts.iter();
    verdicts
        .filter(|verdict| !verdict.refusal && (verdict.decision != Decision::Allow || verdict.rule.is_some()))
        .collect()
}

/// The verdicts in which the host speaks, because the plugin could not be used.
pub(super) fn refusals(answer: &Answer) -> Vec<&Verdict> {
    answer.review.verdicts.iter().filter(|verdict| verdict.refusal).collect()
}

pub(super) fn fates(answer: &Answer) -> Vec<Fate> {
    let fates = answer.review.steps.iter();
    fates.map(|fate| if *fate == StepFate::Run { Fate::Run } else { Fate::Skip }).collect()
}

pub(super) fn notices(answer: &Answer) -> Vec<String> {
    answer.review.notices.iter().map(|notice| notice.text.clone()).collect()
}

pub(super) fn prompts(answer: &Answer) -> Vec<String> {
    answer.review.prompts.iter().map(|prompt| prompt.text.clone()).collect()
}

/// Everything in which an answer differs from what is expected.
pub(super) fn compare(expect: &Expect, answer: &Answer) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(outcome) = expect.outcome.filter(|outcome| *outcome != answer.review.outcome) {
        let shown = |outcome| Some(outcome_name(outcome).to_owned());
        differences.push(Difference::of("outcome", shown(outcome), shown(answer.review.outcome)));
    }
    differences.extend(refusal_difference(expect, answer));
    let got = verdicts(answer);
    if let Some(expected) = &expect.verdicts {
        let matches = |expected: &ExpectedVerdict, got: &&Verdict| expected.matches(got);
        let difference = lists("verdicts", expected, &got, matches, ExpectedVerdict::shown, |got| shown(got));
        differences.extend(difference);
    }
    let same = |expected: &String, got: &String| expected == got;
    let quote = |text: &String| quoted(text);
    let (notices, prompts) = (notices(answer), prompts(answer));
    if let Some(expected) = &expect.notices {
        differences.extend(lists("notices", expected, &notices, same, quote, quote));
    }
    if let Some(expected) = &expect.prompts {
        differences.extend(lists("prompts", expected, &prompts, same, quote, quote));
    }
    if let Some(expected) = &expect.steps {
        let show = |fate: &Fate| fate.name().to_owned();
        differences.extend(lists("steps", expected, &fates(answer), |a, b| a == b, show, show));
    }
    differences.extend(environment_difference(expect, answer));
    if let Some(expected) = &expect.messages {
        let matches = ExpectedMessage::matches;
        differences.extend(lists(
            "messages",
            expected,
            &answer.messages,
            matches,
            ExpectedMessage::shown,
            shown_message,
        ));
    }
    let fuel: u64 = answer.calls.iter().map(|call| call.fuel).sum();
    if let Some(limit) = expect.fuel_at_most.filter(|limit| fuel > *limit) {
        differences.push(Difference::of("fuel-at-most", Some(limit.to_string()), Some(fuel.to_string())));
    }
    differences
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::Confirm => "confirm",
        Outcome::Denied => "denied",
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A refusal that is not expected is a difference, too: a policy that traps must not pass for one that denies.
fn refusal_difference(expect: &Expect, answer: &Answer) -> Option<Difference> {
    let got = refusals(answer);
    let expected = expect.refusal();
    let is_met = match (&expected, got.as_slice()) {
        (None, []) => true,
        (None, _) | (Some(_), []) => false,
        (Some(expected), got) => got.iter().all(|got| expected.matches(got)),
    };
    if is_met {
        return None;
    }
    let shown_got = got.first().map_or_else(|| "(none)".to_owned(), |got| shown(got));
    let expected = expected.map_or_else(|| "(none)".to_owned(), |expected| expected.shown());
    Some(Difference::of("refusal", Some(expected), Some(shown_got)))
}

fn environment_difference(expect: &Expect, answer: &Answer) -> Option<Difference> {
    let expected = expect.environment.as_ref()?;
    let got = &answer.identity;
    let is_same = expected.name.as_ref().is_none_or(|name| *name == got.name)
        && expected.level.is_none_or(|level| got.level == Some(level))
        && expected.production.is_none_or(|production| got.production == Some(production));
    if is_same {
        return None;
    }
    let show = |name: Option<&String>, level: Option<u32>, production: Option<bool>| {
        let mut table = Table::default();
        table.text("name", name.map(String::as_str));
        table.plain("level", level);
        table.plain("production", production);
        Some(table.shown())
    };
    Some(Difference::of(
        "environment",
        show(expected.name.as_ref(), expected.level, expected.production),
        show(Some(&got.name), got.level, got.production),
    ))
}

fn is_or_unsaid<T: PartialEq>(expected: Option<&T>, got: Option<&T>) -> bool {
    expected.is_none() || expected == got
}

fn contains(text: Option<&str>, part: Option<&String>) -> bool {
    part.is_none_or(|part| text.unwrap_or_default().contains(part.as_str()))
}

impl ExpectedVerdict {
    pub(super) fn matches(&self, got: &Verdict) -> bool {
        self.decision.is_none_or(|decision| decision == got.decision)
            && is_or_unsaid(self.role.as_ref(), got.role.as_ref())
            && is_or_unsaid(self.rule.as_ref(), got.rule.as_ref())
            && is_or_unsaid(self.revision.as_ref(), got.revision.as_ref())
            && is_or_unsaid(self.severity.as_ref(), got.severity.as_ref())
            && is_or_unsaid(self.file.as_ref(), got.file.as_ref())
            && is_or_unsaid(self.line.as_ref(), got.line.as_ref())
            && is_or_unsaid(self.column.as_ref(), got.column.as_ref())
            && is_or_unsaid(self.message.as_ref(), Some(&got.message))
            && contains(Some(&got.message), self.message_contains.as_ref())
            && contains(got.help.as_deref(), self.help_contains.as_ref())
    }

    pub(super) fn shown(&self) -> String {
        let mut table = Table::default();
        table.text("decision", self.decision.map(Decision::name));
        table.text("role", self.role.map(Role::name));
        table.text("rule", self.rule.as_deref());
        table.text("revision", self.revision.as_deref());
        table.text("severity", self.severity.map(severity_name));
        table.text("file", self.file.as_deref());
        table.plain("line", self.line);
        table.plain("column", self.column);
        table.text("message", self.message.as_deref());
        table.text("message-contains", self.message_contains.as_deref());
        table.text("help-contains", self.help_contains.as_deref());
        table.shown()
    }
}

/// A verdict as a case would expect it.
pub(super) fn shown(verdict: &Verdict) -> String {
    let mut table = Table::default();
    table.text("decision", Some(verdict.decision.name()));
    table.text("rule", verdict.rule.as_deref());
    table.text("revision", verdict.revision.as_deref());
    table.plain("line", verdict.line);
    table.plain("column", verdict.column);
    table.text("message", Some(&verdict.message));
    table.shown()
}

impl ExpectedRefusal {
    fn matches(&self, got: &Verdict) -> bool {
        is_or_unsaid(self.rule.as_ref(), got.rule.as_ref())
            && is_or_unsaid(self.role.as_ref(), got.role.as_ref())
            && contains(Some(&got.message), self.message_contains.as_ref())
    }

    fn shown(&self) -> String {
        let mut table = Table::default();
        table.text("rule", self.rule.as_deref());
        table.text("role", self.role.map(Role::name));
        table.text("message-contains", self.message_contains.as_deref());
        table.shown()
    }
}

fn message_severity(message: &data::Message) -> Severity {
    match message.severity {
        data::Severity::Info => Severity::Info,
        data::Severity::Warning => Severity::Warning,
        data::Severity::Error => Severity::Error,
    }
}

impl ExpectedMessage {
    pub(super) fn matches(&self, got: &data::Message) -> bool {
        let fields = || got.fields.iter().map(|field| (field.name.as_str(), field.value.as_str()));
        let has_fields = self.fields.as_ref().is_none_or(|expected| {
            expected.iter().map(|field| (field.name.as_str(), field.value.as_str())).eq(fields())
        });
        has_fields
            && is_or_unsaid(self.channel.as_ref(), Some(&got.channel))
            && self.severity.is_none_or(|severity| severity == message_severity(got))
            && is_or_unsaid(self.title.as_ref(), Some(&got.title))
            && is_or_unsaid(self.text.as_ref(), Some(&got.text))
            && contains(Some(&got.text), self.text_contains.as_ref())
    }

    pub(super) fn shown(&self) -> String {
        let mut table = Table::default();
        table.text("channel", self.channel.as_deref());
        table.text("severity", self.severity.map(severity_name));
        table.text("title", self.title.as_deref());
        table.text("text", self.text.as_deref());
        table.text("text-contains", self.text_contains.as_deref());
        let fields = self.fields.as_ref();
        table.fields(fields.map(|fields| fields.iter().map(|field| (field.name.as_str(), field.value.as_str()))));
        table.shown()
    }
}

/// A message as a case would expect it.
pub(super) fn shown_message(message: &data::Message) -> String {
    let mut table = Table::default();
    table.text("channel", Some(&message.channel));
    table.text("severity", Some(severity_name(message_severity(message))));
    table.text("title", Some(&message.title));
    table.text("text", Some(&message.text));
    let fields = message.fields.iter().map(|field| (field.name.as_str(), field.value.as_str()));
    table.fields((!message.fields.is_empty()).then_some(fields));
    table.shown()
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// An inline table in the making.
#[derive(Default)]
struct Table(Vec<String>);

impl Table {
    fn text(&mut self, key: &str, value: Option<&str>) {
        self.0.extend(value.map(|value| format!("{key} = {}", quoted(value))));
    }

    fn plain(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        self.0.extend(value.map(|value| format!("{key} = {value}")));
    }

    fn fields<'a>(&mut self, fields: Option<impl Iterator<Item = (&'a str, &'a str)>>) {
        let Some(fields) = fields else { return };
        let shown: Vec<String> =
            fields.map(|(name, value)| format!("{{ name = {}, value = {} }}", quoted(name), quoted(value))).collect();
        self.0.push(format!("fields = [{}]", shown.join(", ")));
    }

    fn shown(&self) -> String {
        if self.0.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", self.0.join(", ")) }
    }
}
