//! Policies that export `revision-lint`: asked about one revision at a time, and only if what they would say is not known.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use tokio::task::JoinHandle;

use super::Found;
use super::Memory;
use super::Subject;
use super::Subjects;
use super::memory;
use super::memory::Book;
use super::memory::Entry;
use super::memory::Key;
use super::memory::Print;
use super::notes::Notes;
use crate::Refusal;
use crate::answer;
use crate::data::Failure;
use crate::data::LintCircumstances;
use crate::data::LintReport;
use crate::data::RevisionRule;
use crate::data::Surroundings;
use crate::data::Timestamp;
use crate::plugin::Plugin;
use crate::plugin::Sitting;
use crate::sandbox::FactsUse;

/// The clock of this interface: answers are remembered, so time must not matter.
const EPOCH: Timestamp = Timestamp { seconds: 0, nanoseconds: 0 };

/// With fewer revisions to ask about, another thread takes longer to begin than it helps.
pub(super) const WORTH_A_THREAD: usize = 8;

/// A policy that could not say anything of so many revisions is not asked about more.
const ENOUGH: usize = 10;

pub(super) async fn lint(
    plugin: &Arc<Plugin>,
    circumstances: LintCircumstances,
    subjects: &Arc<Subjects>,
    memory: &Memory,
) -> Found {
    let asking =
        Asking { plugin: Arc::clone(plugin), circumstances: Arc::new(circumstances), subjects: Arc::clone(subjects) };
    let mut book = memory.open(plugin);
    let reports = match subjects.all.iter().any(|subject| subject.planned.is_some()) {
        true => asking.in_order(&mut book).await,
        false => asking.in_any_order(&mut book).await,
    };
    memory.close(plugin, &book);
    let mut found = Found::default();
    for (subject, report) in subjects.all.iter().zip(reports) {
        match report {
            Some(Ok(report)) => found.add(plugin, subject, report),
            Some(Err(refusal)) => found.refuse(plugin, subject, &refusal),
            None => {}
        }
    }
    found
}

/// The same by another thread, so that several policies can be asked at a time.
pub(super) fn aside(
    plugin: &Arc<Plugin>,
    circumstances: LintCircumstances,
    subjects: &Arc<Subjects>,
    memory: &Memory,
) -> JoinHandle<Found> {
    let runtime = tokio::runtime::Handle::current();
    let (plugin, subjects, memory) = (Arc::clone(plugin), Arc::clone(subjects), memory.clone());
    tokio::task::spawn_blocking(move || runtime.block_on(lint(&plugin, circumstances, &subjects, &memory)))
}

/// What is said of a revision; `None`: after so many refusals it was not asked about.
type Said = Option<Result<LintReport, Refusal>>;

/// What a policy has answered.
struct Answer {
    report: LintReport,
    /// The same as it is kept.
    written: String,
    /// Whether it rests on facts.
    used: FactsUse,
}

#[derive(Clone)]
struct Asking {
    plugin: Arc<Plugin>,
    circumstances: Arc<LintCircumstances>,
    subjects: Arc<Subjects>,
}

impl Asking {
    /// The revisions of a plan: what is noted about one is told of the next ones.
    async fn in_order(&self, book: &mut Book) -> Vec<Said> {
        let mut notes = Notes::default();
        let (mut said, mut refused) = (Vec::with_capacity(self.subjects.all.len()), 0);
        let mut sitting = Sitting::new(&self.plugin);
        for subject in &self.subjects.all {
            if refused == ENOUGH {
                break;
            }
            let told = notes.for_text(&(subject.source)().text);
            let surroundings = Surroundings { notes: told, ..subject.surroundings.clone() };
            let key = book.key(&self.circumstances, Print::of(subject, &surroundings));
            let report = match self.remembered(book, &key).await {
                Some(report) => Ok(report),
                None => match self.ask(&mut sitting, subject, &surroundings).await {
                    Ok(answer) => Ok(self.remember(book, key, answer).await),
                    Err(refusal) => Err(refusal),
                },
            };
            match &report {
                Ok(report) => notes.add(&report.notes),
                Err(_) => refused += 1,
            }
            said.push(Some(report));
        }
        said
    }

    /// Revisions that have nothing to do with each other: as many at a time as there are processors.
    async fn in_any_order(&self, book: &mut Book) -> Vec<Said> {
        let mut said: Vec<Said> = Vec::with_capacity(self.subjects.all.len());
        let mut unknown = Vec::new();
        for (index, print) in self.subjects.prints().iter().enumerate() {
            let key = book.key(&self.circumstances, *print);
            let report = self.remembered(book, &key).await;
            if report.is_none() {
                unknown.push((index, key));
            }
            said.push(report.map(Ok));
        }
        tracing::debug!("`{}` is asked about {} revisions", self.plugin.identity.name, unknown.len());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = processors.min(unknown.len() / WORTH_A_THREAD + 1);
        let indices: Arc<[usize]> = unknown.iter().map(|(index, _)| *index).collect();
        let next = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (1..threads).map(|_| self.share_aside(&indices, &next)).collect();
        let mut answers = self.share(&indices, &next).await;
        let mut lost = None;
        for other in others {
            match other.await {
                Ok(others) => answers.extend(others),
                Err(panicked) => lost = Some(Refusal::Sandbox { reason: panicked.to_string() }),
            }
        }
        for (nth, answer) in answers {
            let (index, key) = &unknown[nth];
            said[*index] = Some(match answer {
                Ok(answer) => Ok(self.remember(book, key.clone(), answer).await),
                Err(refusal) => Err(refusal),
            });
        }
        // What a thread would have said that has ended in the middle is missing: a refusal has to say so.
        if let Some(lost) = lost
            && let Some((index, _)) = unknown.iter().find(|(index, _)| said[*index].is_none())
        {
            said[*index] = Some(Err(lost));
        }
        said
    }

    /// The next one of the revisions as long as there are any that no other thread has taken.
    async fn share(&self, indices: &[usize], next: &AtomicUsize) -> Vec<(usize, Result<Answer, Refusal>)> {
        let (mut answers, mut refused) = (Vec::new(), 0);
        let mut sitting = Sitting::new(&self.plugin);
        while refused < ENOUGH {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            let Some(index) = indices.get(nth) else { break };
            let subject = &self.subjects.all[*index];
            let answer = self.ask(&mut sitting, subject, &subject.surroundings).await;
            refused += usize::from(answer.is_err());
            answers.push((nth, answer));
        }
        answers
    }

    fn share_aside(
        &self,
        indices: &Arc<[usize]>,
        next: &Arc<AtomicUsize>,
    ) -> JoinHandle<Vec<(usize, Result<Answer, Refusal>)>> {
        let runtime = tokio::runtime::Handle::current();
        let (asking, indices, next) = (self.clone(), Arc::clone(indices), Arc::clone(next));
        tokio::task::spawn_blocking(move || runtime.block_on(asking.share(&indices, &next)))
    }

    async fn ask(
        &self,
        sitting: &mut Sitting<'_>,
        subject: &Subject,
        surroundings: &Surroundings,
    ) -> Result<Answer, Refusal> {
        let source = (subject.source)();
        let circumstances = &*self.circumstances;
        let (mut report, used) = sitting
            .question("revision-lint.check", EPOCH, async |exports, instance, store| {
                let Some(role) = &exports.revision_lint else {
                    return Ok(Err(Failure { message: "it has no such role".to_owned(), help: None }));
                };
                let role = role.load(&mut *store, instance)?;
                let report = role.call_check(&mut *store, circumstances, &source, surroundings).await?;
                let used = store.data().facts_used();
                Ok(report.map(|report| (report, used)))
            })
            .await?;
        answer::report(&report, &source)?;
        if subject.planned.is_none() {
            // They are about plans, and reading them again would take longer than anything else about thousands of revisions.
            report.locks.clear();
            report.notes.clear();
        }
        Ok(Answer { written: memory::written(&report), report, used })
    }

    /// What is known already. What rests on facts is, if they are the same.
    async fn remembered(&self, book: &mut Book, key: &Key) -> Option<LintReport> {
        match book.find(key)? {
            Entry::Report(report) => Some(report),
            Entry::RestsOnFacts => {
                let facts = self.plugin.facts().digest().await.ok()?;
                match book.find(&key.with(&facts))? {
                    Entry::Report(report) => Some(report),
                    Entry::RestsOnFacts => None,
                }
            }
        }
    }

    /// Keeps an answer, and gives what is said.
    async fn remember(&self, book: &mut Book, key: Key, answer: Answer) -> LintReport {
        let Answer { report, written, used } = answer;
        match used {
            FactsUse::None => book.keep(key, written),
            FactsUse::Relations => {
                // A failure to collect them may be gone the next time.
                if let Ok(facts) = self.plugin.facts().digest().await {
                    book.keep(key.with(&facts), written);
                    book.keep_dependence(key);
                }
            }
            // The ledger changes with every run.
            FactsUse::Ledger => {}
        }
        report
    }
}

pub(super) async fn rules(plugin: &Plugin) -> Result<Vec<RevisionRule>, Refusal> {
    let rules = plugin
        .question("revision-lint.rules", EPOCH, "", async |exports, instance, store| match &exports.revision_lint {
            Some(role) => Ok(Ok(role.load(&mut *store, instance)?.call_rules(&mut *store).await?)),
            None => Ok(Ok(Vec::new())),
        })
        .await?;
    answer::revision_rules(&rules)?;
    Ok(rules)
}
