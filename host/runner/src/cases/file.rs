//! A case file, as it is written: the short form with its defaults, and several cases in a file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;

use runner_chain::Problem;
use runner_policy::Limits;
use runner_policy::Role;
use runner_policy::data;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::expect::Expect;
use super::facts::WrittenFacts;
use super::text_or::TextOr;
use crate::bounded;
use crate::config::toml_error;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// A file of cases.
pub(crate) struct CaseFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// Its cases, in its order.
    pub(crate) cases: Vec<Case>,
}

/// One case.
pub(crate) struct Case {
    /// Its name.
    pub(crate) name: String,
    /// Its position among the `[[case]]` of the file; `None`: the file is the case.
    pub(crate) index: Option<usize>,
    /// What is asked.
    pub(super) written: Written,
    /// What must come of it.
    pub(crate) expect: Expect,
    /// Folder of its file.
    pub(super) folder: PathBuf,
    /// Its file and place, for errors.
    place: Problem,
}

impl Case {
    /// An error about this case.
    pub(super) fn wrong(&self, message: impl Into<String>) -> Error {
        let problem = Problem { message: message.into(), ..self.place.clone() };
        Error::new(ErrorKind::Configuration, format!("the case `{}` can't be asked", self.name)).at(vec![problem])
    }
}

/// What a case, or the beginning of a file, says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Written {
    pub(super) name: Option<Spanned<String>>,
    pub(super) roles: Option<Vec<Role>>,
    pub(super) operation: Option<Operation>,
    pub(super) dry_run: Option<bool>,
    pub(super) environment: Option<TextOr<Environment>>,
    pub(super) actor: Option<TextOr<Actor>>,
    pub(super) now: Option<Datetime>,
    pub(super) dialect: Option<Dialect>,
    pub(super) target: Option<String>,
    pub(super) server_version: Option<String>,
    pub(super) settings: Option<toml::Table>,
    pub(super) variables: Option<BTreeMap<String, String>>,
    pub(super) granted: Option<Vec<String>>,
    pub(super) read: Option<Vec<String>>,
    pub(super) limits: Option<Limits>,
    pub(super) plan_hash: Option<String>,
    pub(super) up: Option<String>,
    pub(super) down: Option<String>,
    pub(super) revisions: Option<Vec<TextOr<Revision>>>,
    pub(super) applied: Option<Vec<TextOr<Applied>>>,
    pub(super) event: Option<Event>,
    pub(super) facts: Option<WrittenFacts>,
    pub(super) request: Option<String>,
    expect: Option<Expect>,
    case: Vec<Spanned<Written>>,
}

impl Written {
    /// Whether it says what the plan is.
    fn has_plan(&self) -> bool {
        self.up.is_some() || self.down.is_some() || self.revisions.is_some() || self.request.is_some()
    }

    /// A case, with what its file says for all cases.
    fn over(self, file: &Written) -> Written {
        let file = file.clone();
        let plan = if self.has_plan() { Written::default() } else { file.clone() };
        Written {
            roles: self.roles.or(file.roles),
            operation: self.operation.or(file.operation),
            dry_run: self.dry_run.or(file.dry_run),
            environment: self.environment.or(file.environment),
            actor: self.actor.or(file.actor),
            now: self.now.or(file.now),
            dialect: self.dialect.or(file.dialect),
            target: self.target.or(file.target),
            server_version: self.server_version.or(file.server_version),
            settings: self.settings.or(file.settings),
            variables: self.variables.or(file.variables),
            granted: self.granted.or(file.granted),
            read: self.read.or(file.read),
            limits: self.limits.or(file.limits),
            plan_hash: self.plan_hash.or(file.plan_hash),
            up: self.up.or(plan.up),
            down: self.down.or(plan.down),
            revisions: self.revisions.or(plan.revisions),
            request: self.request.or(plan.request),
            applied: self.applied.or(file.applied),
            event: self.event.or(file.event),
            facts: self.facts.or(file.facts),
            name: self.name,
            expect: self.expect,
            case: self.case,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Operation {
    Upgrade,
    Downgrade,
    Stamp,
    Rollback,
    Restore,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    Mysql,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Environment {
    pub(super) name: String,
    #[serde(default)]
    pub(super) level: Option<u32>,
    #[serde(default)]
    pub(super) production: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Actor {
    pub(super) name: String,
    #[serde(default)]
    pub(super) host: Option<String>,
}

/// An entry of `revisions`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Revision {
    pub(super) up: Option<String>,
    pub(super) down: Option<String>,
    pub(super) text: Option<String>,
    pub(super) path: Option<String>,
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) parents: Option<Vec<String>>,
    pub(super) depends_on: Option<Vec<String>>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) env: Option<String>,
    pub(super) transaction: Option<bool>,
    pub(super) file: Option<String>,
    pub(super) direction: Option<Direction>,
    pub(super) recorded: Option<Recorded>,
    pub(super) skipped: Option<bool>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Recorded {
    Applied,
    Skipped,
    Stamped,
    Unrecorded,
}

impl Recorded {
    pub(super) fn data(self) -> data::Recorded {
        match self {
            Recorded::Applied => data::Recorded::Applied,
            Recorded::Skipped => data::Recorded::Skipped,
            Recorded::Stamped => data::Recorded::Stamped,
            Recorded::Unrecorded => data::Recorded::Unrecorded,
        }
    }
}

/// An entry of `applied`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Applied {
    pub(super) id: String,
    #[serde(default)]
    pub(super) env: Option<String>,
    #[serde(default)]
    pub(super) recorded: Option<Recorded>,
}

/// `event`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Event {
    Planned,
    Refused(Vec<String>),
    Started,
    StepDone(StepResult),
    StepFailed(StepResult),
    Finished(RunResult),
    Overridden(String),
    RolledBack(RunResult),
    BackupFailed(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct StepResult {
    revision: String,
    #[serde(default)]
    duration_ms: u64,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct RunResult {
    steps: u32,
    #[serde(default)]
    skipped: u32,
    #[serde(default)]
    duration_ms: u64,
}

impl Event {
    pub(super) fn data(&self) -> data::Event {
        let step = |step: &StepResult| data::StepResult {
            revision: step.revision.clone(),
            duration_ms: step.duration_ms,
            error: step.error.clone(),
        };
        let run =
            |run: &RunResult| data::RunResult { steps: run.steps, skipped: run.skipped, duration_ms: run.duration_ms };
        match self {
            Event::Planned => data::Event::Planned,
            Event::Refused(reasons) => data::Event::Refused(reasons.clone()),
            Event::Started => data::Event::Started,
            Event::StepDone(done) => data::Event::StepDone(step(done)),
            Event::StepFailed(failed) => data::Event::StepFailed(step(failed)),
            Event::Finished(finished) => data::Event::Finished(run(finished)),
            Event::Overridden(what) => data::Event::Overridden(what.clone()),
            Event::RolledBack(back) => data::Event::RolledBack(run(back)),
            Event::BackupFailed(why) => data::Event::BackupFailed(why.clone()),
        }
    }
}

impl CaseFile {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// It can't be read, is no TOML, holds unknown keys or wrong values, or cases that nothing could fail.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = bounded::text(bounded::file(path)).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            };
            Error::new(ErrorKind::Configuration, format!("the case file `{shown}` can't be read: {why}"))
        })?;
        CaseFile::parse(path, text)
    }

    pub(super) fn parse(path: &Path, text: String) -> Result<Self> {
        let mut file: Written =
            toml::from_str(&text).map_err(|error| toml_error::explain_as("case file", path, &text, &error))?;
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let reader = Reader { path, text: &text, folder };
        let written = std::mem::take(&mut file.case);
        let cases = if written.is_empty() { vec![reader.whole(file)?] } else { reader.several(&file, written)? };
        Ok(CaseFile { path: path.to_path_buf(), cases, text })
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    folder: PathBuf,
}

impl Reader<'_> {
    fn problem(&self, span: Range<usize>, message: &str, help: Option<&str>) -> Problem {
        let file = self.path.display().to_string();
        // Of a table the first line is shown.
        let end = self.text.get(span.clone()).and_then(|text| text.find('\n')).map_or(span.end, |end| span.start + end);
        toml_error::problem(&file, self.text, span.start..end, message, help.map(str::to_owned))
    }

    fn error(&self, span: Range<usize>, message: &str, help: Option<&str>) -> Error {
        let shown = self.path.display();
        Error::new(ErrorKind::Configuration, format!("`{shown}` is not a valid case file"))
            .at(vec![self.problem(span, message, help)])
    }

    /// The file is one case.
    fn whole(&self, mut file: Written) -> Result<Case> {
        let named = file.name.take().map(Spanned::into_inner);
        let stem = || self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        self.case(named.unwrap_or_else(stem), None, 0..self.text.len(), file)
    }

    /// The file holds `[[case]]` tables.
    fn several(&self, file: &Written, written: Vec<Spanned<Written>>) -> Result<Vec<Case>> {
        if let Some(name) = &file.name {
            let help = "write it into each `[[case]]`";
            return Err(self.error(name.span(), "a file with `[[case]]` has no name of its own", Some(help)));
        }
        if file.expect.is_some() {
            let message = "a file with `[[case]]` expects nothing itself";
            return Err(self.error(0..self.text.len(), message, Some("write `expect` into each `[[case]]`")));
        }
        let mut cases: Vec<Case> = Vec::with_capacity(written.len());
        for (index, case) in written.into_iter().enumerate() {
            let span = case.span();
            let case = case.into_inner();
            if !case.case.is_empty() {
                return Err(self.error(span, "a case holds no cases", None));
            }
            let Some(name) = case.name.clone() else {
                return Err(self.error(span, "the case has no name", Some("add `name = \"…\"`")));
            };
            if cases.iter().any(|other| other.name == *name.get_ref()) {
                return Err(self.error(name.span(), "another case of this file has the same name", None));
            }
            cases.push(self.case(name.into_inner(), Some(index), span, case.over(file))?);
        }
        Ok(cases)
    }

    fn case(&self, name: String, index: Option<usize>, span: Range<usize>, mut written: Written) -> Result<Case> {
        let alternatives =
            [written.up.is_some() || written.down.is_some(), written.revisions.is_some(), written.request.is_some()];
        if alternatives.iter().filter(|given| **given).count() > 1 {
            let message = "`up` and `down`, `revisions`, and `request` exclude each other";
            return Err(self.error(span, message, None));
        }
        if written.request.is_some() && (written.applied.is_some() || written.dialect.is_some()) {
            let message = "`applied` and `dialect` are part of the recorded request and can't be given";
            return Err(self.error(span, message, None));
        }
        let expect = written.expect.take().unwrap_or_default();
        if expect.is_vacuous() {
            let help = "add `[expect]` with `outcome = \"allowed\"`, or `refusal`, `verdicts`, `notices`, `messages` …";
            return Err(self.error(span, "the case expects nothing, so it can't fail", Some(help)));
        }
        if expect.messages.is_some() && written.event.is_none() {
            let help = "add `event = \"planned\"`, or another";
            return Err(self.error(span, "messages are expected, and there is no event to word", Some(help)));
        }
        let place = self.problem(span, "", None);
        Ok(Case { name, index, written, expect, folder: self.folder.clone(), place })
    }
}
