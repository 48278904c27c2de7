//! Asks lint policies what is wrong with revisions, and remembers the answers that can't have changed.
//!
//! Policies that export `revision-lint` are asked about one revision at a time ([`each`]), and what they say is kept in a
//! [`memory`](Memory); policies that export `lint` are asked about all revisions [`together`].

mod each;
mod memory;
mod notes;
mod together;

use std::sync::Arc;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::Serialize;
use tokio::task::JoinHandle;

pub use self::memory::Memory;
use self::memory::Print;
use crate::Mode;
use crate::Policies;
use crate::Refusal;
use crate::Role;
use crate::answer;
use crate::builtin;
use crate::data;
use crate::data::Context;
use crate::data::Dialect;
use crate::data::Direction;
use crate::data::KnownLevel;
use crate::data::LintCircumstances;
use crate::data::LintSource;
use crate::data::Lock;
use crate::data::RevisionRule;
use crate::data::RevisionSource;
use crate::data::Surroundings;
use crate::plugin::Plugin;
use crate::review::refused;
use crate::verdict::Decision;
use crate::verdict::PluginIdentity;
use crate::verdict::Severity;
use crate::verdict::Verdict;
use crate::verdict::printable;

/// What lint policies are told beyond what all policies are told. Part of a recorded request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LintMatter {
    /// What is around each of the request's sources, in their order.
    pub surroundings: Vec<Surroundings>,
    /// Milliseconds that the runner lets a statement wait for locks.
    pub lock_timeout_ms: Option<u64>,
    /// Milliseconds that the runner lets a statement run.
    pub statement_timeout_ms: Option<u64>,
}

/// A revision that is to be linted.
pub struct Subject {
    /// `Revision ID`
    pub revision: String,
    /// Path of its file, relative to the project.
    pub file: String,
    /// SHA-256 of the file's text. Texts with the same digest are taken for the same text.
    pub digest: [u8; 32],
    /// What is around it. Its notes are filled in here.
    pub surroundings: Surroundings,
    /// The section that a plan runs. If one subject is part of a plan, all are, in the plan's order.
    pub planned: Option<Direction>,
    /// The revision itself, made when somebody has to be asked.
    pub source: Box<dyn Fn() -> RevisionSource + Send + Sync>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Subject").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// Something that a lint policy has found.
#[derive(Clone, Debug, PartialEq)]
pub struct LintFinding {
    /// What is shown and recorded. Its decision follows from the severity.
    pub verdict: Verdict,
    /// Line and column, from 1, of the first character behind it.
    pub end: Option<(u32, u32)>,
    /// Index, from 0, of the statement of the up section that it is about.
    pub statement: Option<u32>,
    /// How to mend it, if that is mechanical.
    pub fix: Option<data::Fix>,
}

/// A lock that a statement will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LockForecast {
    /// Which plugin says so.
    pub plugin: String,
    /// The revision.
    pub revision: String,
    /// The lock.
    pub lock: Lock,
}

/// The rules of a lint policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginRules {
    /// Whose they are.
    pub plugin: PluginIdentity,
    /// The rules, as the policy orders them.
    pub rules: Vec<RevisionRule>,
}

/// What the lint policies say.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// What is wrong, a plugin after the other, each in the order of the revisions.
    pub findings: Vec<LintFinding>,
    /// Locks of the steps of a plan, in their order.
    pub locks: Vec<LockForecast>,
    /// Plugins that could not be asked, or whose answer says nothing.
    pub refusals: Vec<Verdict>,
    /// The rules of the plugins that have found something, or of all if the host wants to know.
    pub rules: Vec<PluginRules>,
}

/// What becomes of findings: what is suppressed, and how serious the rest is.
pub trait Assess {
    /// Whether the rules are wanted although nothing is found.
    fn wants_rules(&self) -> bool {
        false
    }

    /// The findings that remain. Their decisions count.
    fn assess(&self, findings: Vec<LintFinding>, rules: &[PluginRules]) -> Vec<LintFinding>;
}

/// Takes every finding as its policy has it.
#[derive(Clone, Copy, Debug)]
pub struct AsTheyAre;

impl Assess for AsTheyAre {
    fn assess(&self, findings: Vec<LintFinding>, _: &[PluginRules]) -> Vec<LintFinding> {
        findings
    }
}

/// The decision and severity that follow from a policy's own severity.
pub(crate) fn weight(severity: data::Severity) -> (Decision, Severity) {
    match severity {
        data::Severity::Info => (Decision::Allow, Severity::Info),
        data::Severity::Warning => (Decision::Warn, Severity::Warning),
        data::Severity::Error => (Decision::Deny, Severity::Error),
    }
}

impl Policies {
    /// Asks every lint policy about revisions. `context` is what the policies without `revision-lint` are told.
    pub async fn lint(
        &self,
        context: &Context,
        matter: &LintMatter,
        subjects: Vec<Subject>,
        memory: &Memory,
        wants_rules: bool,
    ) -> Linted {
        let mut linted = Linted::default();
        if self.ready(Role::Lint).next().is_none() || (subjects.is_empty() && !wants_rules) {
            return linted;
        }
        let subjects = Arc::new(Subjects { all: subjects, prints: OnceLock::new() });
        let levels = self.known_levels(context).await.unwrap_or_else(|refusal| {
            // A rule that rests on them would keep quiet.
            linted.refusals.extend(refusal);
            Vec::new()
        });
        let mut answers = Vec::new();
        for plugin in self.linting(context.target.dialect) {
            let answer = if plugin.policy.exports.revision_lint.is_some() {
                let circumstances = circumstances(plugin, context, matter, &levels);
                if subjects.all.len() < each::WORTH_A_THREAD {
                    Answer::There(Ok(each::lint(plugin, circumstances, &subjects, memory).await))
                } else {
                    Answer::Awaited(each::aside(plugin, circumstances, &subjects, memory))
                }
            } else {
                let sources: Vec<LintSource> = subjects.all.iter().map(together::source).collect();
                Answer::There(together::lint(plugin, context, &sources).await)
            };
            answers.push((plugin, answer));
        }
        for (plugin, answer) in answers {
            let answer = match answer {
                Answer::There(answer) => answer,
                Answer::Awaited(task) => {
                    task.await.map_err(|panicked| Refusal::Sandbox { reason: panicked.to_string() })
                }
            };
            let wanted = wants_rules || answer.as_ref().is_ok_and(|found| !found.findings.is_empty());
            let rules = if wanted { plugin.lint_rules(context).await.map(Some) } else { Ok(None) };
            let checked = answer.and_then(|found| {
                let rules = rules?;
                if let Some(rules) = &rules {
                    let named = found.findings.iter().filter_map(|finding| finding.verdict.rule.as_deref());
                    answer::of_known_rules(rules, named)?;
                }
                Ok((found, rules))
            });
            match checked {
                Err(refusal) => linted.refusals.push(refused(plugin, Role::Lint, &refusal)),
                Ok((found, rules)) => {
                    linted.findings.extend(found.findings);
                    linted.locks.extend(found.locks);
                    linted.refusals.extend(found.refusals);
                    let plugin = plugin.identity.clone();
                    linted.rules.extend(rules.map(|rules| PluginRules { plugin, rules }));
                }
            }
        }
        linted
    }

    /// The lint policies that have something to say of a dialect.
    pub(crate) fn linting(&self, dialect: Dialect) -> impl Iterator<Item = &Arc<Plugin>> {
        self.ready(Role::Lint).filter(move |plugin| builtin::speaks(&plugin.definition, dialect))
    }

    /// The rules of all lint policies, and the denials of those that can't be asked.
    pub async fn lint_rules(&self, context: &Context) -> (Vec<PluginRules>, Vec<Verdict>) {
        let (mut known, mut refusals) = (Vec::new(), self.refusals().collect::<Vec<_>>());
        for plugin in self.ready(Role::Lint) {
            match plugin.lint_rules(context).await {
                Ok(rules) => known.push(PluginRules { plugin: plugin.identity.clone(), rules }),
                Err(refusal) => refusals.push(refused(plugin, Role::Lint, &refusal)),
            }
        }
        (known, refusals)
    }

    /// Names of the plugins with the role `lint` whose answers are shown and not obeyed.
    pub fn audited_lints(&self) -> impl Iterator<Item = &str> {
        let audited = self.ready(Role::Lint).filter(|plugin| plugin.definition.mode == Mode::Audit);
        audited.map(|plugin| plugin.identity.name.as_str())
    }

    /// The environments, if a policy that is obeyed knows them.
    async fn known_levels(&self, context: &Context) -> Result<Vec<KnownLevel>, Option<Verdict>> {
        let reads = self.ready(Role::Lint).any(|plugin| plugin.policy.exports.revision_lint.is_some());
        let knows = self.ready(Role::Environment).any(|plugin| plugin.definition.mode == Mode::Enforce);
        if !reads || !knows {
            return Ok(Vec::new());
        }
        let levels = self.levels(context).await?;
        let known = |level: data::Level| KnownLevel {
            name: level.name,
            level: level.level,
            production: level.production,
            aliases: level.aliases,
        };
        Ok(levels.into_iter().map(known).collect())
    }
}

fn circumstances(plugin: &Plugin, context: &Context, matter: &LintMatter, levels: &[KnownLevel]) -> LintCircumstances {
    LintCircumstances {
        dialect: context.target.dialect,
        server_version: context.target.server_version.clone(),
        environment: context.environment.clone(),
        levels: levels.to_vec(),
        has_facts: plugin.definition.grants.facts && plugin.facts().is_somewhere(),
        lock_timeout_ms: matter.lock_timeout_ms,
        statement_timeout_ms: matter.statement_timeout_ms,
        settings: plugin.settings().to_owned(),
        variables: plugin.variables().to_vec(),
    }
}

/// The revisions, and what tells them apart, which is the same for all plugins.
struct Subjects {
    all: Vec<Subject>,
    prints: OnceLock<Vec<Print>>,
}

impl Subjects {
    /// In the order of the subjects.
    fn prints(&self) -> &[Print] {
        self.prints.get_or_init(|| self.all.iter().map(|it| Print::of(it, &it.surroundings)).collect())
    }
}

/// What one plugin says, perhaps later.
enum Answer {
    There(Result<Found, Refusal>),
    Awaited(JoinHandle<Found>),
}

/// What one plugin says.
#[derive(Default)]
struct Found {
    findings: Vec<LintFinding>,
    locks: Vec<LockForecast>,
    refusals: Vec<Verdict>,
}

impl Found {
    /// Adds that it could not be asked about one revision.
    fn refuse(&mut self, plugin: &Plugin, subject: &Subject, refusal: &Refusal) {
        let (revision, file) = (Some(subject.revision.clone()), Some(subject.file.clone()));
        self.refusals.push(Verdict { revision, file, ..refused(plugin, Role::Lint, refusal) });
    }

    /// Adds what was found in one revision.
    fn add(&mut self, plugin: &Plugin, subject: &Subject, report: data::LintReport) {
        for finding in report.findings {
            let (decision, severity) = weight(finding.severity);
            let mut verdict = Verdict::new(&plugin.identity, Some(Role::Lint), decision, &finding.message);
            verdict.rule = Some(printable(&finding.rule));
            verdict.severity = Some(severity);
            verdict.file = Some(subject.file.clone());
            verdict.line = finding.span.map(|span| span.line);
            verdict.column = finding.span.map(|span| span.column);
            verdict.help = finding.help.as_deref().map(printable);
            verdict.revision = Some(subject.revision.clone());
            self.findings.push(LintFinding {
                verdict,
                end: finding.span.map(|span| (span.end_line, span.end_column)),
                statement: finding.statement,
                fix: finding.fix,
            });
        }
        for mut lock in report.locks {
            lock.object = printable(&lock.object);
            lock.level = printable(&lock.level);
            lock.remark = lock.remark.as_deref().map(printable);
            let (plugin, revision) = (plugin.identity.name.clone(), subject.revision.clone());
            self.locks.push(LockForecast { plugin, revision, lock });
        }
    }
}

impl Plugin {
    /// The rules of a lint policy, in the form of `revision-lint`. They are asked for once.
    async fn lint_rules(&self, context: &Context) -> Result<Vec<RevisionRule>, Refusal> {
        let rules = self.rules.get_or_try_init(async || {
            if self.policy.exports.revision_lint.is_some() {
                return each::rules(self).await;
            }
            Ok(together::rules(self, context).await?.into_iter().map(revision_rule).collect())
        });
        rules.await.cloned()
    }
}

/// A rule of `lint` in the form of `revision-lint`.
pub(crate) fn revision_rule(rule: data::LintRule) -> RevisionRule {
    RevisionRule {
        name: rule.name,
        severity: rule.severity,
        severity_in_production: rule.severity,
        dialects: Vec::new(),
        aliases: Vec::new(),
        summary: rule.summary,
        explanation: rule.explanation,
    }
}

/// The subjects of a recorded request.
pub(crate) fn subjects(
    sources: &[LintSource],
    matter: &LintMatter,
    dialect: Dialect,
    direction: impl Fn(&str) -> Option<Direction>,
) -> Vec<Subject> {
    use sha2::Digest as _;

    let subject = |(index, source): (usize, &LintSource)| {
        let surroundings = matter.surroundings.get(index).cloned().unwrap_or_else(nothing_around);
        let planned = direction(&source.revision.id).filter(|_| source.planned);
        let whole = Arc::new(source.clone());
        let is_empty_merge = whole.revision.parents.len() > 1 && !has_section(&surroundings, None);
        let has_up = !whole.up.is_empty()
            || surroundings.sections.is_empty()
            || is_empty_merge
            || has_section(&surroundings, Some(dialect));
        Subject {
            revision: source.revision.id.clone(),
            file: source.revision.file.clone(),
            digest: sha2::Sha256::digest(&source.text).into(),
            surroundings,
            planned,
            source: Box::new(move || RevisionSource {
                revision: whole.revision.clone(),
                text: whole.text.clone(),
                up: has_up.then(|| whole.up.clone()),
                down: whole.down.clone(),
                planned,
            }),
        }
    };
    sources.iter().enumerate().map(subject).collect()
}

/// Whether there is an up section: at all, or for a dialect.
fn has_section(surroundings: &Surroundings, dialect: Option<Dialect>) -> bool {
    let serves = |section: &data::Section| {
        dialect.is_none_or(|dialect| section.dialects.is_empty() || section.dialects.contains(&dialect))
    };
    surroundings.sections.iter().any(|section| section.direction == Direction::Up && serves(section))
}

fn nothing_around() -> Surroundings {
    Surroundings {
        sections: Vec::new(),
        parents: Vec::new(),
        siblings: Vec::new(),
        other_heads: Vec::new(),
        applied: None,
        notes: Vec::new(),
    }
}
