//! What came of a rehearsal. Its serialised form is the JSON of `runner test`.

use runner_chain::Dialect;
use runner_chain::Revision;
use runner_database::Difference;
use runner_database::Schema;
use serde::Serialize;

use crate::error::Error;
use crate::output::json::error_object;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Up, down and up again gave the same schema.
    Passed,
    /// They did not, or something failed.
    Failed,
    /// It went up, and has no section for the way down.
    Irreversible,
    /// Something before it failed.
    NotRun,
}

/// At which moment something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    /// A statement of the way up failed.
    Up,
    /// A statement of the way down failed.
    Down,
    /// The schema after the way down is not that before the way up.
    AfterDown,
    /// A statement of the way up failed the second time.
    UpAgain,
    /// The second way up gave another schema than the first.
    AfterUpAgain,
    /// The rows that belong to it can't be added.
    Rows,
    /// After a failure, no fresh database could be made for the revisions that follow.
    Rebuild,
    /// A statement failed on the way down from the end.
    Base,
    /// All ways down together left something else than there was.
    AfterBase,
    /// A statement failed on the way back to the end.
    Back,
    /// The way back gave another schema.
    AfterBack,
}

impl When {
    /// What went wrong, as the subject of a sentence is clear from where it stands.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            When::Up => "the way up fails",
            When::Down => "the way down fails",
            When::AfterDown => "the way down leaves another schema than there was before the way up",
            When::UpAgain => "the way up fails after the way down",
            When::AfterUpAgain => "the second way up gives another schema than the first",
            When::Rows => "its rows can't be added",
            When::Rebuild => "no fresh database could be made for what follows",
            When::Base => "the way down from the end fails",
            When::AfterBase => "the way down from the end leaves another schema than there was at the beginning",
            When::Back => "the way back to the end fails",
            When::AfterBack => "the way back to the end gives another schema than before",
        }
    }
}

/// Something that went wrong.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trouble {
    pub(crate) when: When,
    pub(crate) message: String,
    /// What is not alike.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "differences")]
    pub(crate) differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "error")]
    pub(crate) error: Option<Error>,
}

fn differences<S: serde::Serializer>(differences: &[Difference], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(differences.iter().map(|found| {
        serde_json::json!({ "kind": found.kind, "name": found.name, "before": found.before, "after": found.after })
    }))
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn error<S: serde::Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(error_object).serialize(serializer)
}

impl Trouble {
    pub(super) fn failed(when: When, error: Error) -> Self {
        Trouble { when, message: format!("{}: {error}", when.sentence()), differences: Vec::new(), error: Some(error) }
    }

    /// `None` if the schemas are alike.
    pub(super) fn differing(when: When, expected: &Schema, found: &Schema) -> Option<Self> {
        let differences = expected.differences(found);
        let message = when.sentence().to_owned();
        (!differences.is_empty()).then_some(Trouble { when, message, differences, error: None })
    }
}

/// A revision that was tested.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tested {
    pub(crate) revision: String,
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) outcome: Outcome,
    pub(crate) duration_ms: f64,
    pub(crate) problems: Vec<Trouble>,
}

impl Tested {
    pub(super) fn of(revision: &Revision, outcome: Outcome, duration_ms: f64, problems: Vec<Trouble>) -> Self {
        Tested {
            revision: revision.id.to_string(),
            message: revision.title.clone(),
            file: revision.file.clone(),
            outcome,
            duration_ms,
            problems,
        }
    }
}

/// The way down from the end to where testing began, and back.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BaseAndBack {
    pub(crate) outcome: Outcome,
    /// Why it was not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) problems: Vec<Trouble>,
}

impl BaseAndBack {
    pub(super) fn not_run(reason: String) -> Self {
        BaseAndBack { outcome: Outcome::NotRun, reason: Some(reason), problems: Vec::new() }
    }

    pub(super) fn failed(trouble: Trouble) -> Self {
        Self::of(vec![trouble])
    }

    pub(super) fn of(problems: Vec<Trouble>) -> Self {
        let outcome = if problems.is_empty() { Outcome::Passed } else { Outcome::Failed };
        BaseAndBack { outcome, reason: None, problems }
    }
}

/// What came of a rehearsal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rehearsed {
    pub(crate) ok: bool,
    pub(crate) dialect: String,
    /// Product and version of the server.
    #[serde(skip)]
    pub(crate) server: String,
    pub(crate) revisions: Vec<Tested>,
    /// `None`: nothing was tested, or a way up failed.
    pub(crate) base_and_back: Option<BaseAndBack>,
}

impl Rehearsed {
    pub(super) fn of(dialect: Dialect, server: String, revisions: Vec<Tested>) -> Self {
        Rehearsed { ok: false, dialect: dialect.to_string(), server, revisions, base_and_back: None }
    }

    /// How many ended like this.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.revisions.iter().filter(|tested| tested.outcome == outcome).count()
    }

    /// Settles whether all went well.
    pub(super) fn judged(mut self) -> Self {
        let base = self.base_and_back.as_ref().is_none_or(|base| base.outcome != Outcome::Failed);
        self.ok = base && self.count(Outcome::Failed) == 0 && self.count(Outcome::NotRun) == 0;
        self
    }
}
